//! What lint and the policy tests say, as tables of the report.

use crate::check::Status;
use crate::diagnostic::Place;
use crate::doors::DoorList;
use crate::finding::Finding;
use crate::query::list::potential_rows::PotentialRows;
use crate::render::context::RenderContext;
use crate::render::data::check;
use crate::render::text::check::SuiteRun;
use crate::render::text::writer::TextWriter;
use crate::render::words;

/// What lint or the policy tests found, as a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportTable {
    /// The names of the columns.
    pub head: Vec<&'static str>,
    /// The cells, row by row.
    pub rows: Vec<Vec<String>>,
    /// What to say where there are none.
    pub empty: String,
    /// What is said below them.
    pub remarks: String,
}

impl ReportTable {
    /// The findings of lint that no suppression covers.
    pub fn of_findings(findings: &[Finding], context: &RenderContext<'_>) -> Self {
        let shown = findings.iter().filter(|f| f.suppressed.is_none());
        let rows = shown.map(|f| {
            row([
                f.severity.name(),
                f.rule,
                &place(context, f),
                &f.message,
                f.help.as_deref().unwrap_or_default(),
            ])
        });
        Self {
            head: vec!["severity", "rule", "where", "finding", "what to do"],
            rows: rows.collect(),
            empty: "Lint found nothing.".into(),
            remarks: String::new(),
        }
    }

    /// The outcomes of policy tests, with the reason where one did not pass.
    pub fn of_tests(runs: &[SuiteRun<'_>], context: &RenderContext<'_>) -> Self {
        let mut rows = Vec::new();
        for run in runs {
            let failed = check::findings(*context, std::slice::from_ref(run));
            for outcome in &run.1.outcomes {
                let at = outcome.test.at.to_string();
                let why = failed
                    .iter()
                    .find(|f| *f.fingerprint.name == *outcome.test.name);
                let why = why.map_or_else(String::new, |f| f.notes.join("; "));
                rows.push(row([status(outcome.status), &outcome.test.name, &at, &why]));
            }
        }
        Self {
            head: vec!["result", "test", "where", "why"],
            rows,
            ..Self::default()
        }
    }

    /// The doors by which the outside comes in.
    pub fn of_doors(list: &DoorList, context: &RenderContext<'_>) -> Self {
        let writer = TextWriter::of(context);
        let rows = list.lines.iter().map(|line| writer.door(line).to_vec());
        let mut remarks = Vec::new();
        // INVARIANT: writing to memory does not fail
        let _ = writer.door_remarks(list, &mut remarks);
        Self {
            head: vec!["door", "callers use", "leads to", "status", "at"],
            rows: rows.collect(),
            empty: "Nothing in the input leads in from outside.".into(),
            remarks: String::from_utf8_lossy(&remarks).into_owned(),
        }
    }

    /// What policies say about pods that are not in the input.
    pub fn of_potential(rows: &PotentialRows, context: &RenderContext<'_>) -> Self {
        let lines = rows.lines(&context.input.cluster).into_iter();
        let lines = lines.map(|line| {
            let traffic = words::potential_traffic(&line.traffic, &line.port_names);
            let doubt = if line.certain { "" } else { " ?" };
            let ends = [&line.source, &line.destination].map(|end| words::line_end(end).join(", "));
            row([&ends[0], &ends[1], &format!("{traffic}{doubt}")])
        });
        Self {
            head: vec!["from", "to", "ports"],
            rows: lines.collect(),
            empty: "Policies say nothing about pods that are not in the input.".into(),
            remarks: if rows.incomplete {
                "More kinds of pods may exist than are listed.".into()
            } else {
                String::new()
            },
        }
    }

    /// A table without rows, and what is said instead.
    pub fn nothing(instead: &str) -> Self {
        Self {
            empty: instead.to_owned(),
            ..Self::default()
        }
    }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Failed => "failed",
        Status::Empty => "empty",
        Status::Undecided => "undecided",
    }
}

pub(crate) fn place(context: &RenderContext<'_>, finding: &Finding) -> String {
    match &finding.place {
        Place::Origin(origin) => context
            .locator
            .locate(origin)
            .map_or_else(String::new, |l| l.to_string()),
        Place::At(location) => location.to_string(),
        Place::Input => String::new(),
    }
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(|c| words::clean(c).into_owned()).to_vec()
}
