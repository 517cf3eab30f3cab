//! # NP901 unsupported-kind
//!
//! **What it does.** Reports the kinds of policies in the input that are not modelled.
//!
//! **Why it is bad.** They may allow or deny what the others do not; every verdict that they could
//! affect is unknown.
//!
//! **What it looks at.** The kinds of AWS, GKE, NSX, Kube-OVN and others; one finding for each
//! kind.
//!
//! **When it stays silent.** When there are none.
//!
//! **Settings.** None of its own.
//!
//! **References.** `netpal inputs` lists them.

use crate::diagnostic::Place;
use crate::finding::Fingerprint;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::policy::{Taint, TaintReason};
use std::collections::BTreeMap;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let mut kinds: BTreeMap<(&str, TaintReason), Vec<&Taint>> = BTreeMap::new();
    for taint in context
        .policies
        .taints
        .iter()
        .filter(|t| !matches!(t.reason, TaintReason::Broken | TaintReason::NoTier))
    {
        let kind = taint.what.split(' ').next().unwrap_or_default();
        kinds.entry((kind, taint.reason)).or_default().push(taint);
    }
    for ((kind, reason), taints) in kinds {
        let place = taints
            .first()
            .and_then(|t| t.origin.clone())
            .map_or(Place::Input, Place::Origin);
        let about = Fingerprint {
            peer: kind.into(),
            ..Fingerprint::default()
        };
        let mut names: Vec<String> = taints.iter().map(|t| t.what.to_string()).collect();
        names.dedup();
        let count = words::count(names.len(), kind);
        let finding = reporter.anywhere(
            place,
            about,
            match reason {
                TaintReason::MakesPolicies => format!(
                    "policies that {count} makes are not known: verdicts they could touch are unknown"
                ),
                _ => format!("{count} not modelled: verdicts they could touch are unknown"),
            },
        );
        reporter.push(finding.note(words::some(&names)));
    }
}
