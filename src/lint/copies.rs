//! One note for one template: what many namespaces hold under one name is one decision, written
//! once and applied often.
//!
//! Only notes are put together, and only where rule, message, policy name and path are the same in
//! at least [`FROM`] namespaces; errors and warnings each want an answer of their own. The note
//! stands at the first copy and counts the others; it is known again by the name alone, whichever
//! namespaces come and go. Cost: O(findings).

use crate::finding::{Finding, Severity};
use crate::lint::words;
use std::collections::HashMap;

/// In how many namespaces copies are one note.
const FROM: usize = 3;

type Key = (&'static str, Box<str>, Box<str>, Box<str>, Box<str>);

fn key(finding: &Finding) -> Key {
    let about = &finding.fingerprint;
    (
        finding.rule,
        finding.message.clone(),
        about.name.clone(),
        about.path.clone(),
        about.peer.clone(),
    )
}

/// Puts the notes about copies of one policy together.
pub(crate) fn merge(findings: &mut Vec<Finding>) {
    let mut copies: HashMap<Key, Vec<String>> = HashMap::new();
    let counts = |f: &Finding| {
        let about = &f.fingerprint;
        f.severity == Severity::Info
            && f.suppressed.is_none()
            && !about.namespace.is_empty()
            && !about.name.is_empty()
    };
    for finding in findings.iter().filter(|f| counts(f)) {
        let namespaces = copies.entry(key(finding)).or_default();
        if !namespaces
            .iter()
            .any(|n| **n == *finding.fingerprint.namespace)
        {
            namespaces.push(finding.fingerprint.namespace.to_string());
        }
    }
    copies.retain(|_, namespaces| namespaces.len() >= FROM);
    findings.retain_mut(|finding| {
        if !counts(finding) {
            return true;
        }
        let Some(namespaces) = copies.get_mut(&key(finding)) else {
            return true;
        };
        let Some((first, others)) = namespaces.split_first() else {
            return false;
        }; // told with the first
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
        let mut found: Vec<Finding> = ["a", "b", "c", "d"].map(|n| note(n, "web")).into();
        found.extend([note("a", "other"), note("b", "other")]);
        merge(&mut found);
        assert_eq!(found.len(), 3);
        assert_eq!(
            &*found[0].notes[0],
            "in namespace a, and the same in 3 other namespaces: b, c, d"
        );
        assert!(found[1].notes.is_empty());
    }

    #[test]
    fn errors_warnings_and_what_is_suppressed_stay_apart() {
        let mut found: Vec<Finding> = ["a", "b", "c"]
            .map(|n| note(n, "web").severity(Severity::Warning))
            .into();
        found[0].severity = Severity::Info;
        merge(&mut found);
        assert_eq!(found.len(), 3);
    }
}
