//! # NP902 namespace-labels-unknown
//!
//! **What it does.** Reports when rules select namespaces by labels, and the input does not hold
//! the Namespace objects.
//!
//! **Why it is bad.** Whether they match cannot be decided; verdicts that depend on it are unknown.
//!
//! **What it looks at.** Selectors over namespaces with another key than
//! `kubernetes.io/metadata.name`, and namespaces that are only mentioned. One note for the whole
//! input.
//!
//! **When it stays silent.** When every namespace that could matter is declared.
//!
//! **Settings.** None of its own.
//!
//! **References.** `netpal inputs` lists the namespaces.

use crate::diagnostic::Place;
use crate::finding::{Fingerprint, Severity};
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::{Selector, Truth};
use crate::policy::{Namespaces, Peer};
use std::collections::BTreeSet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let mut selectors: BTreeSet<&Selector> = BTreeSet::new();
    for (_, _, rule) in context.network_rules() {
        for peer in peers(rule) {
            if let Peer::Pods(Namespaces::Matching(selector), _) = peer {
                selectors.insert(selector);
            }
        }
    }
    let unknown: BTreeSet<String> = context
        .cluster
        .namespaces()
        .filter(|(_, n)| {
            n.declared.is_none() && selectors.iter().any(|s| n.selected_by(s) == Truth::Maybe)
        })
        .map(|(_, n)| n.name.to_string())
        .collect();
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.into_iter().collect();
        let about = Fingerprint {
            peer: "namespaces".into(),
            ..Fingerprint::default()
        };
        let message = format!("the labels of {} are not in the input", words::some(&names));
        let finding = reporter
            .anywhere(Place::Input, about, message)
            .severity(Severity::Info);
        reporter.push(finding.help("add the Namespace objects to the input"));
    }
}
