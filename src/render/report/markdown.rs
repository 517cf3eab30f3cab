//! The report as Markdown: its counts, its first flows and its tables.

use crate::render::ci::github;
use crate::render::ci::markdown::code;
use crate::render::report::audit::{AuditReport, ROWS};
use crate::render::report::controls::{HEAD, LEGEND};
use crate::render::report::overview::statements;
use crate::render::report::tables::ReportTable;
use std::io::{self, Write};

/// Writes Markdown.
///
/// # Errors
/// When the writer fails.
pub fn write(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Network policy report\n")?;
    front(report, out)?;
    for said in statements(report) {
        let (question, answer) = (said.question, github::markdown(&said.answer));
        writeln!(out, "**{question}** *{}*: {answer}\n", said.concern.word())?;
    }
    report
        .counts()
        .iter()
        .try_for_each(|(what, n)| writeln!(out, "- {what}: {n}"))?;
    writeln!(out, "\n{}\n", report.honesty())?;
    controls(report, out)?;
    writeln!(
        out,
        "## Flows\n\n| from | to | ports |\n| --- | --- | --- |"
    )?;
    let (flows, more) = report.flows();
    for [from, to, ports] in flows {
        writeln!(out, "| {} | {} | {ports} |", code(&from), code(&to))?;
    }
    if more > 0 {
        writeln!(out, "\nand {more} more: netpal report -o csv")?;
    }
    if let Some(changes) = &report.changes {
        writeln!(out, "\n## Changes\n")?;
        changes
            .lines()
            .try_for_each(|line| writeln!(out, "    {line}"))?;
    }
    for (title, rows) in report.tables() {
        writeln!(out, "\n## {title}\n")?;
        if rows.rows.is_empty() {
            writeln!(out, "{}", rows.empty)?;
            remarks(rows, out)?;
            continue;
        }
        writeln!(
            out,
            "| {} |\n|{}",
            rows.head.join(" | "),
            " --- |".repeat(rows.head.len())
        )?;
        for row in rows.rows.iter().take(ROWS) {
            writeln!(
                out,
                "| {} |",
                row.iter().map(|c| code(c)).collect::<Vec<_>>().join(" | ")
            )?;
        }
        let more = rows.rows.len().saturating_sub(ROWS);
        if more > 0 {
            writeln!(out, "\nand {more} more")?;
        }
        remarks(rows, out)?;
    }
    Ok(())
}

/// What is said below a table.
fn remarks(rows: &ReportTable, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = rows.remarks.lines();
    lines.try_for_each(|line| writeln!(out, "\n{}", code(line)))
}

/// What the report says of itself.
fn front(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Some(front) = &report.front else {
        return Ok(());
    };
    for (what, text) in report.front_lines() {
        writeln!(out, "- {what}: {}", github::markdown(&text))?;
    }
    if front.suppressions.is_empty() {
        return writeln!(out, "- suppressions: none\n");
    }
    writeln!(out, "- suppressions:")?;
    for suppressed in &front.suppressions {
        writeln!(out, "  - {}", github::markdown(&suppressed.line()))?;
    }
    writeln!(out)
}

/// The controls of an audit: a row for each fact, as in CSV.
fn controls(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Some(controls) = &report.controls else {
        return Ok(());
    };
    writeln!(out, "## {}\n", controls.profile.title())?;
    writeln!(
        out,
        "| {} |\n|{}",
        HEAD.join(" | "),
        " --- |".repeat(HEAD.len())
    )?;
    for row in controls.rows(&report.context, ROWS) {
        let cells = row.map(|cell| github::markdown(&cell));
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    writeln!(out, "\n{}\n\n{LEGEND}\n", controls.profile.left_out())?;
    writeln!(out, "Reviewed by:\n\nDate:\n\nSignature:\n")
}
