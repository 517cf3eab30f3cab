//! The report as Markdown: its counts, its first flows and its tables.

use crate::render::ci::github;
use crate::render::ci::markdown::code;
use crate::render::report::audit::{AuditReport, ROWS};
use crate::render::report::controls::controls;
use crate::render::report::overview::statements;
use crate::render::report::tables::ReportTable;
use std::io::{self, Write};

/// Writes Markdown.
///
/// # Errors
/// When the writer fails.
pub fn write(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Network policy report\n")?;
    for said in statements(report) {
        let (question, answer) = (said.question, github::markdown(&said.answer));
        writeln!(out, "**{question}** *{}*: {answer}\n", said.concern.word())?;
    }
    report
        .counts()
        .iter()
        .try_for_each(|(what, n)| writeln!(out, "- {what}: {n}"))?;
    writeln!(out, "\n{}\n", report.honesty())?;
    if let Some(profile) = report.profile {
        writeln!(
            out,
            "## {}\n\n| control | what it asks | what the input shows |\n| --- | --- | --- |",
            profile.title()
        )?;
        for control in controls(profile, report) {
            writeln!(
                out,
                "| {} | {} | {} |",
                control.id, control.asks, control.shows
            )?;
        }
        writeln!(out)?;
    }
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
