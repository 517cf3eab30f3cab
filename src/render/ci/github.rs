//! GitHub workflow commands (`::error file=...`), and Markdown for the step summary.
//!
//! GitHub shows at most ten annotations of each level per step and drops the rest without a word;
//! so the worst ten errors and ten warnings are written, and the caller puts [`summary`] into
//! `$GITHUB_STEP_SUMMARY`. Escaping follows the runner's own rules: a manifest cannot start a
//! command of its own.

use crate::finding::{Finding, Severity};
use crate::render::data::findings::{FindingSet, full_text};
use crate::render::words;
use std::io::{self, Write};

/// How many annotations of one level a step may have.
pub const BUDGET: usize = 10;

/// The largest summary GitHub takes is 1 MiB; rows beyond this are counted instead.
const MOST_BYTES: usize = 900 * 1024;

/// Writes annotations within the budget, worst first.
///
/// # Errors
/// When the writer fails.
pub fn write(report: &FindingSet<'_>, out: &mut dyn Write) -> io::Result<()> {
    let worst_first = report.worst_first();
    for (severity, command) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
        let findings = worst_first.iter().filter(|f| f.severity == severity);
        for finding in findings.take(BUDGET) {
            annotation(report, finding, command, out)?;
        }
    }
    Ok(())
}

/// How many findings do not fit into the budget, notices among them.
pub fn left_out(report: &FindingSet<'_>) -> usize {
    let annotated = |severity| report.count(severity).min(BUDGET);
    report.active().count() - annotated(Severity::Error) - annotated(Severity::Warning)
}

fn annotation(
    report: &FindingSet<'_>,
    finding: &Finding,
    command: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let title = property(&format!("{} {}", finding.rule, finding.name));
    write!(out, "::{command} title={title}")?;
    if let Some(at) = report.region(&finding.place) {
        write!(
            out,
            ",file={},line={},col={}",
            property(&at.file),
            at.line,
            at.column
        )?;
    }
    writeln!(out, "::{}", data(&full_text(finding)))
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Every finding as Markdown, worst first, for `$GITHUB_STEP_SUMMARY`.
///
/// # Errors
/// When the writer fails.
pub fn summary(report: &FindingSet<'_>, out: &mut dyn Write) -> io::Result<()> {
    let findings = report.worst_first();
    let count = |severity| report.count(severity);
    writeln!(
        out,
        "### netpal: {}, {}\n",
        crate::words::plural(count(Severity::Error), "error"),
        crate::words::plural(count(Severity::Warning), "warning")
    )?;
    if findings.is_empty() {
        return writeln!(out, "No problems found.");
    }
    writeln!(out, "| | rule | where | what |\n| --- | --- | --- | --- |")?;
    let mut written = 0;
    for (i, finding) in findings.iter().enumerate() {
        let row = row(report, finding);
        written += row.len();
        if written > MOST_BYTES {
            return writeln!(out, "\n{} more are not shown.", findings.len() - i);
        }
        out.write_all(row.as_bytes())?;
    }
    Ok(())
}

fn row(report: &FindingSet<'_>, finding: &Finding) -> String {
    let at = report
        .region(&finding.place)
        .map_or_else(String::new, |r| format!("{}:{}", r.file, r.line));
    format!(
        "| {} | {} {} | {} | {} |\n",
        finding.severity.name(),
        finding.rule,
        finding.name,
        markdown(&at),
        markdown(&finding.message)
    )
}

/// A text that Markdown shows as it is: no markup, no cell border, no mention.
pub fn markdown(text: &str) -> String {
    let text = words::clean(text);
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '|' | '!' | '~' => {
                escaped.extend(['\\', c]);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_cannot_start_a_command() {
        assert_eq!(
            data("a\n::set-output name=x::y%"),
            "a%0A::set-output name=x::y%25"
        );
        assert_eq!(property("a,b:c"), "a%2Cb%3Ac");
    }

    #[test]
    fn a_manifest_cannot_leave_its_cell() {
        assert_eq!(
            markdown("a|b <img> [x](y)"),
            "a\\|b &lt;img&gt; \\[x\\]\\(y\\)"
        );
    }
}
