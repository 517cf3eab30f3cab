//! Findings in the formats of CI systems, the same for every command that has some.

use super::output;
use netpal::finding::{Finding, RuleInfo};
use netpal::render::Format;
use netpal::render::ci::{github, gitlab, sarif};
use netpal::render::data::findings::Report;
use netpal::render::text::inputs;
use netpal::tree::Locator;
use std::io::{self, Write};

/// Writes findings as SARIF, GitLab code quality or GitHub annotations.
///
/// # Errors
/// When the writer fails.
pub fn write(
    findings: &[Finding],
    rules: &[RuleInfo],
    locator: &Locator<'_>,
    format: Format,
    out: &mut dyn Write,
) -> io::Result<()> {
    let base = std::env::current_dir()
        .ok()
        .map(|d| d.to_string_lossy().into_owned());
    let report = Report {
        findings,
        rules,
        locator,
        base: base.as_deref(),
    };
    match format {
        Format::Sarif => sarif::write(&report, out),
        Format::Gitlab => gitlab::write(&report, out),
        _ => annotate(&report, out),
    }
}

/// Annotations within GitHub's budget; everything goes into the step's summary, where there is one.
///
/// # Errors
/// When the writer or the summary fails.
pub fn annotate(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let left_out = github::write(report, out)?;
    match std::env::var_os("GITHUB_STEP_SUMMARY") {
        Some(path) => {
            let mut bytes = Vec::new();
            github::summary(report, &mut bytes)?;
            let mut file = std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)?;
            file.write_all(&bytes)
        }
        None if left_out > 0 => {
            output::remark(&format!(
                "{} not annotated",
                inputs::plural(left_out, "more finding")
            ));
            Ok(())
        }
        None => Ok(()),
    }
}
