//! Baselines: what was found before and is known, so that only new findings count.
//!
//! A baseline holds identities, which do not change when lines move. It is a file of its own, made
//! with `--write-baseline`.

use crate::finding::{Finding, identities};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The known findings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The version of the file.
    pub schema: String,
    /// The findings.
    pub known: Vec<Known>,
}

/// A known finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Known {
    /// Its identity.
    pub identity: String,
    /// Its rule, for people.
    pub rule: String,
    /// What it is about, for people.
    pub about: String,
}

/// The version this program writes.
pub const SCHEMA: &str = "netpal/lint-baseline/v1";

impl Baseline {
    /// The baseline of these findings, sorted.
    pub fn of(findings: &[Finding]) -> Self {
        let each = findings
            .iter()
            .zip(identities(findings))
            .filter(|(f, _)| f.suppressed.is_none());
        let mut known: Vec<Known> = each
            .map(|(f, identity)| {
                let about = &f.fingerprint;
                let parts = [&about.namespace, &about.name, &about.path, &about.peer];
                let about = parts
                    .into_iter()
                    .filter(|p| !p.is_empty())
                    .map(|p| &**p)
                    .collect::<Vec<_>>()
                    .join(" ");
                Known {
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
    /// When the text is none, or of another version.
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

    /// Takes the known findings out; returns how many there were.
    pub fn subtract(&self, findings: &mut Vec<Finding>) -> usize {
        let known: HashSet<&str> = self.known.iter().map(|k| k.identity.as_str()).collect();
        let before = findings.len();
        let mut ids = identities(findings).into_iter();
        findings.retain(|_| ids.next().is_some_and(|id| !known.contains(id.as_str())));
        before - findings.len()
    }
}
