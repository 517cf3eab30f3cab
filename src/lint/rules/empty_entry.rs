//! # NP802 empty-entry
//!
//! **What it does.** Reports an entry `{}` of `appliedTo`, `from` or `to` in a
//! `ClusterNetworkPolicy` of Antrea.
//!
//! **Why it is bad.** It looks like everybody and is nobody: a policy for `appliedTo: [{}]` governs
//! no pod, and a Drop `from: [{}]` drops nothing. In a `NetworkPolicy` of Antrea the same entry is
//! every pod of the namespace.
//!
//! **What it looks at.** Entries without any field.
//!
//! **When it stays silent.** In policies of a namespace.
//!
//! **Settings.** None of its own.
//!
//! **References.** AN21 and AN31 of `docs/dialects/antrea.md`.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::Direction;
use crate::policy::antrea::policy::{AntreaPeer, AntreaPeerKind, AppliedTo, PeerNamespaces};
use crate::source::Path;

/// What an entry without any field means.
const MESSAGE: &str = "an empty entry is nobody in a cluster policy";

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, _, written) in context.antrea_policies() {
        if written.namespace.is_some() {
            continue;
        }
        let spec = Path::root().key("spec");
        let mut places = applied(&written.applied_to, &spec);
        for direction in Direction::ALL {
            let rules = written.rules[direction.index()].iter().enumerate();
            for (i, rule) in rules {
                let at = spec.key(direction.name()).index(i);
                places.extend(applied(&rule.applied_to, &at));
                let word = ["from", "to"][direction.index()];
                let peers = rule.peers.iter().flatten().enumerate();
                let empty = peers.filter(|(_, peer)| is_empty(peer));
                places.extend(empty.map(|(j, _)| at.key(word).index(j)));
            }
        }
        for at in places {
            let finding = reporter.field(id, at, MESSAGE);
            let help = "write podSelector: {} for every pod, or leave the peers out for everybody";
            reporter.push(finding.help(help));
        }
    }
}

/// The entries of an `appliedTo` that say nothing.
fn applied(entries: &[AppliedTo], at: &Path) -> Vec<Path> {
    let nothing = AppliedTo::Pods {
        namespaces: None,
        pods: None,
    };
    let empty = entries.iter().enumerate().filter(|(_, e)| **e == nothing);
    empty.map(|(i, _)| at.key("appliedTo").index(i)).collect()
}

fn is_empty(peer: &AntreaPeer) -> bool {
    let nothing = AntreaPeerKind::Pods {
        namespaces: PeerNamespaces::Unsaid,
        pods: None,
    };
    peer.kind == nothing
}
