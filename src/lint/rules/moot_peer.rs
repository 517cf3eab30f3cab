//! # NP005 moot-peer
//!
//! **What it does.** Reports when one peer of a rule is contained in another peer of the same rule,
//! whatever pods there are.
//!
//! **Why it is bad.** The peers of a list are added up, so the narrower one does nothing. When it
//! was written to exclude something (`NotIn`, `DoesNotExist`, `except`), the exclusion is void: an
//! error.
//!
//! **What it looks at.** Selectors and address blocks alone: containment is decided for every
//! possible label set and address, so it does not depend on what runs today.
//!
//! **When it stays silent.** When the peers merely overlap.
//!
//! **Settings.** None of its own.
//!
//! **References.**
//! <https://mikepietsch.com/tech/kubernetes/14.03-restricting-ingress-from-specific-pods-and-namespaces/>
//! shows the mistake as an example to follow.

use crate::diagnostic::Place;
use crate::finding::Severity;
use crate::lint::algebra::peer_within;
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::model::{Requirement, Selector};
use crate::policy::{Namespaces, Peer, Policy};
use crate::source::Path;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        let list = peers(rule);
        for (i, narrow) in list.iter().enumerate() {
            let wide = list.iter().enumerate().find(|(j, wide)| {
                // of two equal peers the second one is moot
                i != *j && peer_within(narrow, wide) && (*j < i || !peer_within(wide, narrow))
            });
            let Some((j, _)) = wide else { continue };
            let here = rule_ref.with_peer(i);
            let path = policy.rule_path(here);
            let excludes = excludes(narrow) || has_except(context, policy, &path);
            let other = policy.rule_path(rule_ref.with_peer(j));
            let message = if excludes {
                format!("the exclusion does nothing: {other} lets in what it leaves out")
            } else {
                format!("everything this peer matches is matched by {other}")
            };
            let finding = reporter
                .rule(here, message)
                .label("adds nothing")
                .help(format!("drop this peer, or narrow {other}"));
            let finding = finding.related(
                Place::Origin(policy.origin(rule_ref.with_peer(j))),
                "contains it",
            );
            reporter.push(if excludes {
                finding.severity(Severity::Error)
            } else {
                finding
            });
        }
    }
}

/// Whether a selector excludes labels.
fn negative(selector: &Selector) -> bool {
    let is = |r: &Requirement| matches!(r, Requirement::NotIn(..) | Requirement::DoesNotExist(_));
    selector.requirements().iter().any(is)
}

/// Whether a peer excludes pods or namespaces by their labels.
fn excludes(peer: &Peer) -> bool {
    matches!(peer, Peer::Pods(namespaces, pods)
        if negative(pods) || matches!(namespaces, Namespaces::Matching(s) if negative(s)))
}

/// Whether a peer is written with a list of exceptions.
fn has_except(context: &LintContext<'_>, policy: &Policy, path: &Path) -> bool {
    let mut full = Path::root().key("spec");
    full.0.extend(path.0.iter().cloned());
    context
        .written(policy, &full.key("ipBlock").key("except"), |n| {
            !n.items().is_empty()
        })
        .unwrap_or(false)
}
