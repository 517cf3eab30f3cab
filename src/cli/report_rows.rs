//! What lint and the policy tests say, as tables of the report.

use super::args::{Common, Lint};
use super::{lint as lint_command, test};
use crate::cli::workspace::Workspace;
use anyhow::Result;
use netpal::check::Status;
use netpal::diagnostic::Place;
use netpal::finding::Finding;
use netpal::lint::lint;
use netpal::render::data::check;
use netpal::render::report::{Row, Rows};
use netpal::render::{RenderContext, words};

/// The findings of lint under the configuration, as `netpal lint` would show them.
///
/// # Errors
/// When the configuration names a rule that is none.
pub fn findings(common: &Common, workspace: &Workspace, book: RenderContext<'_>) -> Result<Rows> {
    let config = lint_command::config(common, &Lint::default(), workspace)?;
    let found = lint(&workspace.input, &workspace.graph, &config).findings;
    let shown = found.iter().filter(|f| f.suppressed.is_none());
    let rows = shown.map(|f| {
        row([
            f.severity.name(),
            f.rule,
            &place(book, f),
            &f.message,
            f.help.as_deref().unwrap_or_default(),
        ])
    });
    Ok(Rows {
        head: vec!["severity", "rule", "where", "finding", "what to do"],
        rows: rows.collect(),
        empty: "Lint found nothing.".into(),
    })
}

/// The outcomes of the configured policy tests.
///
/// # Errors
/// When a test file cannot be read.
pub fn tests(workspace: &Workspace, book: RenderContext<'_>) -> Result<Rows> {
    if workspace.project.config.tests.is_empty() {
        return Ok(Rows {
            empty: "The configuration names no policy tests.".into(),
            ..Rows::default()
        });
    }
    let suites = test::suites(workspace, &[])?;
    let mut rows = Vec::new();
    for one in test::ran(workspace, &workspace.graph, &suites) {
        let ran = [one];
        let failed = check::findings(book, &ran);
        for outcome in &ran[0].1.outcomes {
            let at = outcome.test.at.to_string();
            let why = failed
                .iter()
                .find(|f| *f.fingerprint.name == *outcome.test.name);
            let why = why.map_or_else(String::new, |f| f.notes.join("; "));
            rows.push(row([status(outcome.status), &outcome.test.name, &at, &why]));
        }
    }
    Ok(Rows {
        head: vec!["result", "test", "where", "why"],
        rows,
        empty: String::new(),
    })
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Failed => "failed",
        Status::Empty => "empty",
        Status::Undecided => "undecided",
    }
}

fn place(book: RenderContext<'_>, finding: &Finding) -> String {
    match &finding.place {
        Place::Origin(origin) => book
            .locator
            .locate(origin)
            .map_or_else(String::new, |l| l.to_string()),
        Place::At(location) => location.to_string(),
        Place::Input => String::new(),
    }
}

fn row<const N: usize>(cells: [&str; N]) -> Row {
    Row {
        cells: cells.map(|c| words::clean(c).into_owned()).to_vec(),
    }
}
