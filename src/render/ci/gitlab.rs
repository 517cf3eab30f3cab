//! GitLab code quality: a JSON list of issues, each with a stable fingerprint.

use crate::finding::{Severity, identities};
use crate::render::data::findings::{FindingSet, full_text};
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: IssueLocation,
}

#[derive(Serialize)]
struct IssueLocation {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// Writes every active finding.
///
/// # Errors
/// When the writer fails.
pub fn write(report: &FindingSet<'_>, out: &mut dyn Write) -> io::Result<()> {
    let ids = identities(report.findings);
    let active = report
        .findings
        .iter()
        .zip(ids)
        .filter(|(f, _)| f.suppressed.is_none());
    let issues = active.map(|(finding, fingerprint)| {
        let at = report.region(&finding.place);
        let path = at
            .as_ref()
            .map_or_else(|| "<input>".to_owned(), |r| r.file.clone());
        Issue {
            description: format!("{} {}: {}", finding.rule, finding.name, full_text(finding)),
            check_name: finding.rule,
            fingerprint,
            severity: match finding.severity {
                Severity::Error => "critical",
                Severity::Warning => "major",
                Severity::Info => "info",
            },
            location: IssueLocation {
                path,
                lines: Lines {
                    begin: at.map_or(1, |r| r.line.max(1)),
                },
            },
        }
    });
    serde_json::to_writer_pretty(&mut *out, &issues.collect::<Vec<_>>())?;
    writeln!(out)
}
