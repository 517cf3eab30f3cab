//! What differs from a snapshot as findings, at the lines of the snapshot: one for each line that
//! went, at the line, and one for each that came, where it would stand.

use crate::diagnostic::Place;
use crate::finding::{Finding, Fingerprint, Severity};
use crate::render::ci::diff_findings::{CLOSED, OPENED};
use crate::render::ci::markdown::code;
use crate::render::text::snapshot;
use crate::snapshot::Drift;
use crate::source::{Location, Position};
use crate::words::plural;
use std::io::{self, Write};

/// The findings.
pub fn findings(path: &str, kept: &str, drift: &Drift) -> Vec<Finding> {
    let at = |line: &str| place(path, kept, line);
    let opened = drift.added.iter();
    let opened = opened.map(|line| finding(OPENED, at(line), line, "is not in the snapshot"));
    let closed = drift.removed.iter();
    let closed = closed.map(|line| finding(CLOSED, at(line), line, "is in the snapshot alone"));
    opened.chain(closed).collect()
}

/// Where a line stands in a snapshot, or would.
fn place(path: &str, kept: &str, line: &str) -> Place {
    let standing = kept.lines().position(|known| known == line);
    let before = || kept.lines().filter(|known| *known < line).count();
    let line = standing.unwrap_or_else(|| before().saturating_sub(1)) + 1;
    Place::At(Location {
        file: path.into(),
        at: Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: 1,
        },
    })
}

fn finding(
    (rule, name, severity): (&'static str, &'static str, Severity),
    place: Place,
    line: &str,
    what: &str,
) -> Finding {
    Finding {
        severity,
        fingerprint: Fingerprint {
            name: line.into(),
            ..Fingerprint::default()
        },
        help: Some("netpal snapshot --update takes it over".into()),
        ..Finding::new(rule, name, place, format!("`{line}` {what}"))
    }
}

/// The lines that differ, for a comment.
///
/// # Errors
/// When the writer fails.
pub fn markdown(path: &str, drift: &Drift, out: &mut dyn Write) -> io::Result<()> {
    if drift.is_empty() {
        writeln!(
            out,
            "The allow-graph is that of the snapshot {}.",
            code(path)
        )?;
        return remarks(drift, out);
    }
    let (added, removed) = (drift.added.len(), drift.removed.len());
    writeln!(
        out,
        "**Snapshot {}: {} came, {} went**\n",
        code(path),
        plural(added, "line"),
        plural(removed, "line")
    )?;
    let lines = drift.lines();
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "- {}", code(line)))?;
    remarks(drift, out)
}

/// What is said besides the lines.
fn remarks(drift: &Drift, out: &mut dyn Write) -> io::Result<()> {
    let untold = drift.is_untold().then(|| snapshot::UNTOLD.to_owned());
    for text in untold.into_iter().chain(snapshot::reworded(drift)) {
        writeln!(out, "\n{text}")?;
    }
    Ok(())
}
