//! Which rules run, and what becomes of their findings, by the words of the settings.
//!
//! A rule is named by its id, its name, or the start of its id (`NP3` names `NP301` to `NP306`);
//! `ALL` names every rule, `DEFAULT` the rules of the default set. Cost: O(words) per question.

use crate::finding::{Finding, Severity};
use crate::lint::registry::{LINTS, Lint};
use crate::lint::settings::LintConfig;

/// Whether a word names a rule.
fn names(word: &str, lint: &Lint) -> bool {
    match word.to_ascii_uppercase().as_str() {
        "ALL" => true,
        "DEFAULT" => lint.default,
        upper => lint.id.starts_with(upper) && upper.starts_with("NP") || word == lint.name,
    }
}

/// Whether a word names any rule at all.
pub fn is_known(word: &str) -> bool {
    LINTS.iter().any(|l| names(word, l))
}

impl LintConfig {
    /// Whether a rule is selected.
    pub fn selects(&self, lint: &Lint) -> bool {
        let selected = if self.select.is_empty() {
            lint.default
        } else {
            self.select.iter().any(|w| names(w, lint))
        };
        selected && !self.ignore.iter().any(|w| names(w, lint))
    }

    /// Whether a rule runs: it is selected, or runs only to count what is hidden.
    pub(crate) fn runs(&self, lint: &Lint) -> bool {
        self.selects(lint) || self.select.is_empty() && !self.ignore.iter().any(|w| names(w, lint))
    }

    /// Whether a finding is shown.
    pub(crate) fn shows(&self, finding: &Finding) -> bool {
        let least = self.least.unwrap_or(if self.select.is_empty() {
            Severity::Warning
        } else {
            Severity::Info
        });
        let lint = LINTS.iter().find(|l| l.id == finding.rule);
        finding.severity >= least && lint.is_none_or(|l| self.selects(l))
    }

    /// Whether a finding is left out in its namespace.
    pub(crate) fn ignored(&self, finding: &Finding) -> bool {
        let Some(lint) = LINTS.iter().find(|l| l.id == finding.rule) else {
            return false;
        };
        let here = self
            .per_namespace
            .iter()
            .filter(|(namespace, _)| *namespace == finding.fingerprint.namespace);
        here.flat_map(|(_, words)| words).any(|w| names(w, lint))
    }

    /// The severity that the configuration sets for a finding, if any.
    pub(crate) fn severity_of(&self, finding: &Finding) -> Option<Severity> {
        let lint = LINTS.iter().find(|l| l.id == finding.rule)?;
        self.severity
            .iter()
            .rev()
            .find(|(word, _)| names(word, lint))
            .map(|(_, severity)| *severity)
    }
}
