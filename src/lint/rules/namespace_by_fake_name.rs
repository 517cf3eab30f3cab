//! # NP003 namespace-by-fake-name
//!
//! **What it does.** Reports when a `namespaceSelector` looks for a namespace by a label that only
//! looks like its name: `name: kube-system`.
//!
//! **Why it is bad.** Namespaces do not carry their name under such a key unless somebody adds it.
//! The one label that every namespace has is `kubernetes.io/metadata.name`. The rule matches
//! nothing.
//!
//! **What it looks at.** The labels of the Namespace objects. An error when the value is the name
//! of a namespace whose object is in the input and lacks the label, and no other namespace has it;
//! fixed automatically. A warning for namespaces that Kubernetes or a well-known component makes
//! and nobody labels (`kube-system`, `ingress-nginx`, ...), and for those in which a workload of
//! the input lives, when the input does not hold their object and the key is `name`.
//!
//! **When it stays silent.** When any namespace of the input has the label, or the namespace is
//! unknown.
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/projectcalico/calico/issues/6898>,
//! <https://github.com/kubernetes/kubernetes/issues/47797>,
//! <https://github.com/prometheus-community/helm-charts/issues/221>.

use crate::diagnostic::Place;
use crate::finding::{Finding, Severity, TreeEdit};
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::model::{NAMESPACE_NAME_LABEL, Requirement, Selector, Truth};
use crate::policy::{Namespaces, Peer, Policy, Rule, RuleRef};
use crate::source::{Origin, Path};

/// Keys that look like the name of a namespace.
const FAKE: [&str; 4] = ["name", "namespace", "ns", "kubernetes.io/name"];

/// Namespaces that Kubernetes makes itself, or whose usual installation sets no such label.
const UNLABELLED: [&str; 7] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "default",
    "ingress-nginx",
    "monitoring",
    "cert-manager",
];

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Pods(Namespaces::Matching(selector), _) = peer else {
                continue;
            };
            for requirement in selector.requirements() {
                if let Requirement::In(key, values) = requirement
                    && let [value] = values.as_slice()
                    && **key != *NAMESPACE_NAME_LABEL
                {
                    check_label(
                        context,
                        reporter,
                        (policy, rule),
                        rule_ref.with_peer(i),
                        key,
                        value,
                    );
                }
            }
        }
    }
}

/// Reports a label that no namespace has, when it looks like the name of one.
fn check_label(
    context: &LintContext<'_>,
    reporter: &mut Reporter<'_>,
    (policy, rule): (&Policy, &Rule),
    rule_ref: RuleRef,
    key: &str,
    value: &str,
) {
    let by_label = Selector::label(key, value);
    if !context.namespaces_with(key, value).is_empty() {
        return;
    }
    let fake = FAKE.contains(&key);
    let declared = context
        .cluster
        .find_namespace(value)
        .map(|id| context.cluster.namespace(id));
    let object = declared.and_then(|n| n.declared.as_ref());
    let path = label_path(policy, rule_ref, key);
    let origin = Origin::new(policy.document, path.clone());
    let finding = reporter.field(
        rule_ref.policy,
        path,
        format!("no namespace has the label {by_label}"),
    );
    let finding = finding.label(format!(
        "only {NAMESPACE_NAME_LABEL} holds the name of a namespace"
    ));
    let finding = finding.help(format!("write {NAMESPACE_NAME_LABEL}: {value}"));
    if let Some(object) = object {
        let finding = finding
            .severity(Severity::Error)
            .related(
                Place::Origin(object.clone()),
                format!("namespace {value} lacks the label"),
            )
            .note(format!(
                "a namespace called {value} is there, but without this label"
            ));
        reporter.push(match selected_anyway(context, rule, value) {
            Some(other) => dead_entry(finding, other, value),
            None if is_plain(context, policy, &origin) => {
                finding.fix([TreeEdit::Rename(origin, NAMESPACE_NAME_LABEL.into())])
            }
            None => finding,
        });
    } else if fake && key == "name" && (UNLABELLED.contains(&value) || lives(context, value)) {
        let note = if UNLABELLED.contains(&value) {
            format!(
                "nothing in this input labels namespace {value}, and its usual installation does not"
            )
        } else {
            format!("namespace {value} is there, and nothing in this input labels it")
        };
        reporter.push(
            finding
                .severity(Severity::Warning)
                .likely()
                .note(note)
                .note("if somebody labels it by hand, say so in a suppression"),
        );
    }
}

/// Whether a workload of the input lives in the namespace of a name.
fn lives(context: &LintContext<'_>, namespace: &str) -> bool {
    let id = context.cluster.find_namespace(namespace);
    id.is_some_and(|id| !context.pods_of(id).is_empty())
}

/// The finding when another entry of the rule selects the namespace by a label that it has.
fn dead_entry(finding: Finding, other: usize, namespace: &str) -> Finding {
    let note = format!(
        "entry {} selects namespace {namespace} anyway, so this one is merely dead",
        other + 1
    );
    finding
        .severity(Severity::Info)
        .note(note)
        .help("take the entry out")
}

/// Another entry of the rule that selects all pods of a namespace under a label it has.
fn selected_anyway(context: &LintContext<'_>, rule: &Rule, namespace: &str) -> Option<usize> {
    let id = context.cluster.find_namespace(namespace)?;
    let namespace = context.cluster.namespace(id);
    peers(rule).iter().position(|peer| {
        matches!(peer, Peer::Pods(Namespaces::Matching(s), pods)
            if pods.is_everything() && !s.is_everything()
                && namespace.selected_by(s) == Truth::Yes)
    })
}

/// The key in `matchLabels`; the selector as a whole where it is an expression.
fn label_path(policy: &Policy, rule_ref: RuleRef, key: &str) -> Path {
    let path = policy.path(rule_ref);
    path.key("namespaceSelector").key("matchLabels").key(key)
}

/// Whether the label is written under `matchLabels`, where a fix can rename the key.
fn is_plain(context: &LintContext<'_>, policy: &Policy, origin: &Origin) -> bool {
    context.written(policy, &origin.path, |_| ()).is_some()
}
