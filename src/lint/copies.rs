//! One note per template: a policy that many namespaces have under one name is one decision,
//! written once and applied often.
//!
//! Only notes are merged, and only where rule, message, policy name and path are the same in at
//! least [`MIN_NAMESPACES`] namespaces; errors and warnings are answered one by one. The merged
//! note points at the first copy and counts the others. Its fingerprint has no namespace, so that a
//! baseline recognizes it whichever namespaces come and go. Cost: O(findings).

use crate::finding::{Finding, Severity};
use crate::lint::words;
use std::collections::HashMap;

/// In at least this many namespaces, copies are one note.
const MIN_NAMESPACES: usize = 3;

/// What copies have in common: rule, message, policy name, path and peer.
type CopyKey = (&'static str, Box<str>, Box<str>, Box<str>, Box<str>);

fn key(finding: &Finding) -> CopyKey {
    let about = &finding.fingerprint;
    (
        finding.rule,
        finding.message.clone(),
        about.name.clone(),
        about.path.clone(),
        about.peer.clone(),
    )
}

/// Whether a finding is a note about a policy of a namespace.
fn is_mergeable(finding: &Finding) -> bool {
    let about = &finding.fingerprint;
    finding.severity == Severity::Info
        && finding.suppressed.is_none()
        && !about.namespace.is_empty()
        && !about.name.is_empty()
}

/// Merges the notes about copies of one policy.
pub(crate) fn merge(findings: &mut Vec<Finding>) {
    let mut copies: HashMap<CopyKey, Vec<String>> = HashMap::new();
    for finding in findings.iter().filter(|f| is_mergeable(f)) {
        let namespaces = copies.entry(key(finding)).or_default();
        if !namespaces
            .iter()
            .any(|n| **n == *finding.fingerprint.namespace)
        {
            namespaces.push(finding.fingerprint.namespace.to_string());
        }
    }
    copies.retain(|_, namespaces| namespaces.len() >= MIN_NAMESPACES);
    findings.retain_mut(|finding| {
        if !is_mergeable(finding) {
            return true;
        }
        let Some(namespaces) = copies.get_mut(&key(finding)) else {
            return true;
        };
        let Some((first, others)) = namespaces.split_first() else {
            return false;
        }; // merged into the first
        let count = words::count(others.len(), "other namespace");
        finding.notes.push(
            format!(
                "in namespace {first}, and the same in {count}: {}",
                words::some(others)
            )
            .into(),
        );
        finding.fingerprint.namespace = Box::default();
        namespaces.clear();
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    fn note(namespace: &str, name: &str) -> Finding {
        let mut finding = Finding::new("NP207", "all-ports", Place::Input, "opens every port")
            .severity(Severity::Info);
        finding.fingerprint.namespace = namespace.into();
        finding.fingerprint.name = name.into();
        finding
    }

    #[test]
    fn copies_in_many_namespaces_are_one_note() {
        let mut findings: Vec<Finding> = ["a", "b", "c", "d"].map(|n| note(n, "web")).into();
        findings.extend([note("a", "other"), note("b", "other")]);
        merge(&mut findings);
        assert_eq!(findings.len(), 3);
        assert_eq!(
            &*findings[0].notes[0],
            "in namespace a, and the same in 3 other namespaces: b, c, d"
        );
        assert!(findings[1].notes.is_empty());
    }

    #[test]
    fn errors_warnings_and_what_is_suppressed_stay_apart() {
        let mut findings: Vec<Finding> = ["a", "b", "c"]
            .map(|n| note(n, "web").severity(Severity::Warning))
            .into();
        findings[0].severity = Severity::Info;
        merge(&mut findings);
        assert_eq!(findings.len(), 3);
    }
}
