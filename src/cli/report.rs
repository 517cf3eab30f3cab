//! `netpal report`: one file for auditors and colleagues.

use super::args::{Common, Report as Args};
use super::exit::Exit;
use super::output::Output;
use super::project::Project;
use super::report_rows;
use super::workspace::{self, Reading, Workspace};
use anyhow::Result;
use netpal::query::list::Filter;
use netpal::query::matrix::{By, matrix};
use netpal::render::drawing::Facts;
use netpal::render::report::{Report, Row, Rows};
use netpal::render::{Format, words};

/// Writes the report.
///
/// # Errors
/// When an input cannot be read.
pub fn run(common: &Common, args: &Args) -> Result<Exit> {
    let output = Output::new(common, &[Format::Md, Format::Html, Format::Csv])?;
    let workspace = Workspace::open(common)?;
    let facts_of = |w: &Workspace| {
        let listing = netpal::query::list(&w.graph, &Filter::default());
        let facts = Facts::new(&w.graph, &listing, &w.context.dns);
        (listing, facts)
    };
    let (listing, mut facts) = facts_of(&workspace);
    let mut changes = None;
    if let Some(before) = &args.before {
        let reading = Reading { empty: true, quiet: true };
        let sources = [workspace::source(before)];
        let old = Workspace::read(common, Project::open(common)?, &sources, &workspace::overlays(common), reading)?;
        facts = Facts::compare(&facts_of(&old).1, &facts);
        changes = Some(changed(&facts));
    }
    let square = matrix(&workspace.graph, &listing, By::Namespace);
    let locator = workspace.locator();
    let book = workspace.book(&locator);
    let report = Report {
        book,
        listing: &listing,
        facts: &facts,
        matrix: &square,
        changes,
        findings: report_rows::findings(common, &workspace, book)?,
        tests: report_rows::tests(&workspace, book)?,
        profile: args.profile.map(Into::into),
    };
    output.write(|format, out| match format {
        Format::Html => report.html(out),
        Format::Csv => report.csv(out),
        _ => report.md(out),
    })?;
    Ok(workspace.exit(common, Exit::Good))
}

/// The flows and marks that differ between two states.
fn changed(facts: &Facts) -> Rows {
    let marks = facts.places.iter().flat_map(|place| {
        let ways = ["in", "out"].into_iter().zip(place.change);
        ways.filter_map(|(way, change)| Some((change?, place.key.clone(), format!("OPEN {way}"))))
    });
    let mut rows: Vec<Row> = marks
        .map(|(change, key, what)| Row {
            cells: vec![format!("{} {}", change.sign(), change.word()), key, String::new(), what, String::new()],
        })
        .collect();
    for flow in &facts.flows {
        let passing = facts.passing(flow.passing);
        if let Some((change, past)) = &passing.change {
            let now = passing.sure.union(&passing.unknown);
            let gone = now == *past;
            let cells = [
                format!("{} {}", change.sign(), change.word()),
                facts.place(flow.from).key.clone(),
                facts.place(flow.to).key.clone(),
                if gone { String::new() } else { words::traffic(&now) },
                words::traffic(past),
            ];
            rows.push(Row { cells: cells.map(|c| words::clean(&c).into_owned()).to_vec() });
        }
    }
    Rows {
        head: vec!["change", "from", "to", "after", "before"],
        rows,
        empty: "Nothing that passes has changed.".into(),
    }
}
