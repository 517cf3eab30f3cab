//! What GitHub needs besides annotations: the summary of a step.

use super::output::{self, Output};
use anyhow::Result;
use netpal::{CiFindings, Format, RenderContext};
use std::io::Write;

/// Puts every finding into the summary of the step, where annotations were written and the step has
/// one; GitHub drops annotations beyond its budget, so without a summary the rest is counted.
///
/// # Errors
/// When the summary cannot be written.
pub fn step_summary<'a>(
    output: &Output,
    findings: impl FnOnce() -> CiFindings<'a>,
    context: &RenderContext<'_>,
) -> Result<()> {
    if !output.writes(Format::Github) {
        return Ok(());
    }
    let findings = findings();
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") {
        let mut bytes = Vec::new();
        findings.step_summary(context, &mut bytes)?;
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.append(true).create(true).open(path)?;
        return Ok(file.write_all(&bytes)?);
    }
    let left_out = findings.not_annotated(context);
    if left_out > 0 {
        let findings = output::counted(left_out, "more finding");
        output::remark(&format!("{findings} not annotated"));
    }
    Ok(())
}
