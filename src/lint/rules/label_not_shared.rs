//! # NP803 label-not-shared
//!
//! **What it does.** Reports a peer with `sameLabels` of Antrea whose keys a governed namespace
//! does not have.
//!
//! **Why it is bad.** For the pods of that namespace the peer is nobody. Where the rule lets their
//! own group through and the next one stops the others, they are cut off; where it stops, nothing
//! is stopped.
//!
//! **What it looks at.** The namespaces of the pods that the policy governs, and their labels.
//!
//! **When it stays silent.** For namespaces whose labels the input does not tell.
//!
//! **Settings.** None of its own.
//!
//! **References.** AN36 of `docs/dialects/antrea.md`.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::model::{Namespace, NamespaceId};
use crate::policy::Direction;
use crate::source::Path;
use std::collections::BTreeSet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, _, written) in context.antrea_policies() {
        let pods = context.subjects(id);
        let governed: BTreeSet<NamespaceId> = pods
            .iter()
            .map(|p| context.cluster.pod(*p).namespace)
            .collect();
        for direction in Direction::ALL {
            let rules = written.rules[direction.index()].iter().enumerate();
            for (i, rule) in rules {
                let peers = rule.peers.iter().flatten().enumerate();
                for (j, peer) in peers {
                    let keys = peer.same_labels().unwrap_or_default();
                    let namespaces = governed.iter().map(|n| context.cluster.namespace(*n));
                    let missing = namespaces.filter_map(|n| Some((n, missing(n, keys)?)));
                    let Some((namespace, key)) = missing.into_iter().next() else {
                        continue;
                    };
                    let word = ["from", "to"][direction.index()];
                    let at = Path::root().key("spec").key(direction.name()).index(i);
                    let at = at.key(word).index(j).key("namespaces");
                    let name = &namespace.name;
                    let message = format!(
                        "namespace `{name}` has no label `{key}`: for its pods the peer is nobody"
                    );
                    let finding = reporter.field(id, at, message);
                    reporter.push(finding.help("label the namespace, or do not govern its pods"));
                }
            }
        }
    }
}

/// The first of these keys that a namespace certainly does not have.
fn missing<'k>(namespace: &Namespace, keys: &'k [Box<str>]) -> Option<&'k str> {
    namespace.declared.as_ref()?;
    let mut keys = keys.iter().map(|key| &**key);
    keys.find(|key| namespace.labels.get(key).is_none())
}
