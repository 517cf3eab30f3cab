//! The findings of any answer in the formats of CI systems.

use crate::finding::{Finding, RuleInfo};
use crate::render::ci::{github, gitlab, sarif};
use crate::render::context::RenderContext;
use crate::render::data::findings::FindingSet;
use std::borrow::Cow;
use std::io::{self, Write};

/// What an answer reports to a CI system.
pub struct CiFindings<'a> {
    /// The findings, in order.
    pub findings: Cow<'a, [Finding]>,
    /// The rules they come from.
    pub rules: Vec<RuleInfo>,
}

impl CiFindings<'_> {
    /// The findings with what their writers look up.
    pub fn set<'a>(&'a self, context: &RenderContext<'a>) -> FindingSet<'a> {
        FindingSet {
            findings: &self.findings,
            rules: &self.rules,
            locator: context.locator,
            base: context.base,
        }
    }

    /// SARIF.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn sarif(&self, context: &RenderContext<'_>, out: &mut dyn Write) -> io::Result<()> {
        sarif::write(&self.set(context), out)
    }

    /// GitLab code quality.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn gitlab(&self, context: &RenderContext<'_>, out: &mut dyn Write) -> io::Result<()> {
        gitlab::write(&self.set(context), out)
    }

    /// GitHub annotations, as many as a step may have.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn github(&self, context: &RenderContext<'_>, out: &mut dyn Write) -> io::Result<()> {
        github::write(&self.set(context), out)
    }

    /// How many findings have no annotation, because GitHub would drop them.
    pub fn not_annotated(&self, context: &RenderContext<'_>) -> usize {
        github::left_out(&self.set(context))
    }

    /// Every finding as Markdown, for `$GITHUB_STEP_SUMMARY`.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn step_summary(&self, context: &RenderContext<'_>, out: &mut dyn Write) -> io::Result<()> {
        github::summary(&self.set(context), out)
    }
}
