//! # NP606 label-left-out
//!
//! **What it does.** Reports a selector of a Rule of Cilium on a label that Cilium leaves out of
//! the identities of pods.
//!
//! **Why it is bad.** Cilium sees pods by their identities, and leaves out labels that differ from
//! pod to pod. A selector that wants such a label selects nobody, whatever the pods carry.
//!
//! **What it looks at.** Conditions on `pod-template-hash`, `controller-revision-hash`,
//! `statefulset.kubernetes.io/pod-name` and the other labels of Cilium's default filter.
//!
//! **When it stays silent.** When the agent runs with a filter of its own (`--labels`), which
//! netpal cannot see: suppress it then.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Limiting identity-relevant labels" in Cilium's documentation.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::cilium::selector::is_dropped;
use crate::policy::cilium::written::{EntryFields, LISTS, WrittenSelector, WrittenSubject};
use crate::source::Path;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy, written) in context.cilium_rules() {
        let mut all: Vec<(Path, &WrittenSelector)> = Vec::new();
        if let WrittenSubject::Endpoints(subject) = &written.subject {
            all.push((policy.root().key("endpointSelector"), subject));
        }
        for (d, deny) in [(0, false), (0, true), (1, false), (1, true)] {
            let list = policy.root().key(LISTS[usize::from(deny)][d]);
            for (i, entry) in written.entries(d, deny).iter().enumerate() {
                let at = list.index(i).key(EntryFields::OF[d].endpoints);
                let items = entry.endpoints.iter().flatten().enumerate();
                all.extend(items.filter_map(|(j, s)| Some((at.index(j), s.as_ref()?))));
            }
        }
        for (at, selector) in all {
            if let Some((path, key)) = left_out(selector, &at) {
                let message = format!("identities have no label {key}, so this selects nobody");
                reporter.push(reporter.field(id, path, message));
            }
        }
    }
}

/// A condition that wants a label which identities leave out.
fn left_out(selector: &WrittenSelector, at: &Path) -> Option<(Path, String)> {
    let plain = |key: &str| {
        let key = key
            .strip_prefix("k8s:")
            .or_else(|| key.strip_prefix("any:"))
            .unwrap_or(key);
        (!key.contains(':') && is_dropped(key)).then(|| key.to_owned())
    };
    let labels = selector.match_labels.iter().flatten();
    let mut labels =
        labels.filter_map(|(key, _)| Some((at.key("matchLabels").key(key), plain(key)?)));
    let expressions = selector.match_expressions.iter().flatten().enumerate();
    let mut expressions = expressions.filter_map(|(i, expression)| {
        let wants = matches!(expression.operator.as_str(), "In" | "Exists");
        let path = at.key("matchExpressions").index(i).key("key");
        Some((path, plain(&expression.key).filter(|_| wants)?))
    });
    labels.next().or_else(|| expressions.next())
}
