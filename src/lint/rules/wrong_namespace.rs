//! # NP010 wrong-namespace
//!
//! **What it does.** Tells when a policy selects nobody in its namespace, and exactly one other
//! namespace has workloads with the labels it asks for.
//!
//! **Why it is bad.** A policy acts only in its own namespace. Without `metadata.namespace` that is
//! whatever namespace `kubectl` happens to be set to.
//!
//! **What it looks at.** The workloads of every namespace. An error when the policy names no
//! namespace; a note when it names one.
//!
//! **When it stays silent.** When the input has workloads in one namespace only, or several
//! namespaces would fit.
//!
//! **Settings.** None of its own; `-n` says which namespace is meant by objects that name none.
//!
//! **References.** cyclonus `CheckSourceMissingNamespace`.

use crate::finding::Severity;
use crate::lint::facts::Facts;
use crate::lint::reporter::Reporter;
use crate::lint::rules::unstable_selector;
use crate::lint::{algebra, words};
use crate::model::{NamespaceId, Selector};
use crate::policy::{Namespaces, Policy};
use crate::source::Path;

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    for (id, policy) in facts.network_policies() {
        let Some(home) = home(facts, policy) else {
            continue;
        };
        let name = &facts.cluster.namespace(home).name;
        let own = policy.namespace.as_deref().unwrap_or_default();
        let who = words::names(facts.cluster, &facts.pods_where(home, &policy.subject.pods));
        let written = names_namespace(facts, policy);
        let finding = found
            .policy(
                id,
                format!(
                    "acts in namespace {own}, where nobody has the labels {}",
                    policy.subject.pods
                ),
            )
            .likely()
            .note(format!("in namespace {name} {who} has them"))
            .help(format!("set metadata.namespace: {name}"));
        found.push(if written {
            finding.severity(Severity::Info)
        } else {
            finding.label(format!("names no namespace, so it acts in {own}"))
        });
    }
}

fn names_namespace(facts: &Facts<'_>, policy: &Policy) -> bool {
    facts
        .written(
            policy,
            &Path::root().key("metadata").key("namespace"),
            |n| n.as_str().is_some(),
        )
        .unwrap_or(false)
}

/// The one other namespace whose workloads a policy that selects nobody would select.
pub(crate) fn home(facts: &Facts<'_>, policy: &Policy) -> Option<NamespaceId> {
    let selector = &policy.subject.pods;
    let own = facts.namespace_of(policy)?;
    if selector.is_everything()
        || algebra::selects_nothing(selector)
        || unstable_selector::unstable(selector).is_some()
    {
        return None;
    }
    if !facts.pods_where(own, selector).is_empty() {
        return None;
    }
    let everywhere = facts.selected(&Namespaces::Matching(Selector::everything()), selector);
    let mut homes: Vec<NamespaceId> = everywhere
        .pods
        .iter()
        .map(|p| facts.cluster.pod(*p).namespace)
        .collect();
    homes.sort_unstable();
    homes.dedup();
    let [one] = homes.as_slice() else { return None };
    (*one != own).then_some(*one)
}
