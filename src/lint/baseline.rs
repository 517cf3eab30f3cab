//! Baselines: the findings that are known and accepted, so that only new ones count.
//!
//! A baseline holds identities of findings, which do not change when lines move. It is a JSON file,
//! written with `--write-baseline`. Cost: O(findings).

use crate::finding::{Finding, identities};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The known findings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The version of the file's format.
    pub schema: String,
    /// The known findings.
    pub known: Vec<KnownFinding>,
}

/// A known finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KnownFinding {
    /// Its identity.
    pub identity: String,
    /// Its rule, for the reader of the file.
    pub rule: String,
    /// What it is about, for the reader of the file.
    pub about: String,
}

/// The version that is written and read.
pub const SCHEMA: &str = "netpal/lint-baseline/v1";

impl Baseline {
    /// The baseline of these findings without the suppressed ones, sorted.
    pub fn of(findings: &[Finding]) -> Self {
        let each = findings
            .iter()
            .zip(identities(findings))
            .filter(|(f, _)| f.suppressed.is_none());
        let mut known: Vec<KnownFinding> = each
            .map(|(f, identity)| {
                let about = &f.fingerprint;
                let parts = [&about.namespace, &about.name, &about.path, &about.peer];
                let about = parts
                    .into_iter()
                    .filter(|p| !p.is_empty())
                    .map(|p| &**p)
                    .collect::<Vec<_>>()
                    .join(" ");
                KnownFinding {
                    identity,
                    rule: f.rule.into(),
                    about,
                }
            })
            .collect();
        known.sort();
        Self {
            schema: SCHEMA.into(),
            known,
        }
    }

    /// Reads a baseline.
    ///
    /// # Errors
    /// When the text is not a baseline, or one of another version.
    pub fn read(text: &str) -> Result<Self, String> {
        let baseline: Self =
            serde_json::from_str(text).map_err(|e| format!("not a baseline: {e}"))?;
        if baseline.schema != SCHEMA {
            return Err(format!(
                "a baseline of another version: `{}`, expected `{SCHEMA}`",
                baseline.schema
            ));
        }
        Ok(baseline)
    }

    /// Removes the known findings, and returns how many there were.
    pub fn subtract(&self, findings: &mut Vec<Finding>) -> usize {
        let known: HashSet<&str> = self.known.iter().map(|k| k.identity.as_str()).collect();
        let before = findings.len();
        let mut ids = identities(findings).into_iter();
        findings.retain(|_| ids.next().is_some_and(|id| !known.contains(id.as_str())));
        before - findings.len()
    }
}
