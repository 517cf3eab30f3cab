//! `netpal report`: one file for auditors and colleagues.

use super::args::{Common, Report as Args};
use super::exit::Exit;
use super::output::Output;
use super::project::Project;
use super::report_rows;
use super::workspace::{self, Reading, Workspace};
use anyhow::Result;
use netpal::diff::Side;
use netpal::load::Source;
use netpal::picture::Facts;
use netpal::query::list::listing::{Filter, Listing, each};
use netpal::query::list::matrix::{By, matrix, of_listing};
use netpal::render::Format;
use netpal::render::data::csv;
use netpal::render::report::{Changes, Profile, Report};
use netpal::render::text::diff;
use netpal::render::text::diff::Pages;
use netpal::render::text::writer;
use std::io::{self, Write};
use std::ops::ControlFlow;

/// Writes the report.
///
/// # Errors
/// When an input cannot be read.
pub fn run(common: &Common, args: &Args) -> Result<Exit> {
    let output = Output::new(common, &[Format::Md, Format::Html, Format::Csv])?;
    let workspace = Workspace::open(common)?;
    let old = args
        .before
        .as_deref()
        .map(|before| state(common, before))
        .transpose()?;
    if !(output.has(Format::Md) || output.has(Format::Html)) {
        let locator = workspace.locator();
        output.write(|_, out| csv::listing(workspace.book(&locator), &Filter::default(), out))?;
        return Ok(workspace.exit(common, Exit::Good));
    }
    let subject = match &args.title {
        Some(title) => title.clone(),
        None => subject(&workspace::sources(common, &workspace.project)?),
    };
    let page = Page {
        common,
        workspace: &workspace,
        before: old.as_ref(),
        subject: &subject,
    };
    page.with(args.profile.map(Into::into), |report| {
        output.write(|format, out| match format {
            Format::Html => report.html(out),
            Format::Csv => report.csv(out),
            _ => report.md(out),
        })
    })?;
    Ok(workspace.exit(common, Exit::Good))
}

/// Another state of the same input.
///
/// # Errors
/// When it cannot be read.
pub fn state(common: &Common, path: &str) -> Result<Workspace> {
    let reading = Reading {
        empty: true,
        quiet: true,
    };
    Workspace::read(
        common,
        Project::open(common)?,
        &[workspace::source(path)],
        &workspace::overlays(common),
        reading,
    )
}

/// How many flows are held; of more the parts of a report are made one after another, each from a
/// listing of its own.
const HELD: usize = 1_000_000;

/// The table of flows, and whether it holds them.
fn listing(workspace: &Workspace) -> (Listing, bool) {
    let mut entries = Vec::new();
    let listing = each(&workspace.graph, &Filter::default(), &mut |entry| {
        entries.push(entry);
        if entries.len() > HELD {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    let held = entries.len() <= HELD;
    (
        Listing {
            entries: if held { entries } else { Vec::new() },
            ..listing
        },
        held,
    )
}

/// The flows of a state, ready to be drawn.
pub fn facts(workspace: &Workspace) -> Facts {
    Facts::new(&workspace.graph, &workspace.context.dns)
}

/// What an input is called: its sources as they were written.
fn subject(sources: &[Source]) -> String {
    let name = |source: &Source| match source {
        Source::Path(path) | Source::Kustomize(path) => path.to_string(),
        Source::Stdin => "standard input".into(),
        Source::Live => "the cluster of the current context".into(),
        Source::Exec(command, _) => command.to_string(),
        Source::Text(name, _) => name.to_string(),
    };
    sources.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// What a report is made of.
pub struct Page<'a> {
    /// The flags.
    pub common: &'a Common,
    /// The state it tells.
    pub workspace: &'a Workspace,
    /// The state before.
    pub before: Option<&'a Workspace>,
    /// What it is about.
    pub subject: &'a str,
}

impl Page<'_> {
    /// Makes the report, and does something with it.
    ///
    /// # Errors
    /// When a test file cannot be read, or writing fails.
    pub fn with(
        &self,
        profile: Option<Profile>,
        write: impl FnOnce(&Report<'_>) -> Result<()>,
    ) -> Result<()> {
        let (common, workspace) = (self.common, self.workspace);
        let (listing, held) = listing(workspace);
        let graph = &workspace.graph;
        let mut drawn = if held {
            Facts::of_listing(graph, &listing, &workspace.context.dns)
        } else {
            facts(workspace)
        };
        let locator = workspace.locator();
        let book = workspace.book(&locator);
        let mut changes = None;
        if let Some(before) = self.before {
            drawn = Facts::compare(&facts(before), &drawn);
            changes = Some(Changes {
                text: lines(common, before, workspace)?,
            });
        }
        let square = if held {
            of_listing(graph, &listing, By::Namespace)
        } else {
            matrix(graph, By::Namespace)
        };
        write(&Report {
            book,
            listing: &listing,
            held,
            facts: &drawn,
            matrix: &square,
            changes,
            findings: report_rows::findings(common, workspace, book)?,
            tests: report_rows::tests(workspace, book)?,
            profile,
            subject: self.subject,
            cni: workspace
                .project
                .merged(common)
                .cni
                .last()
                .map_or("generic", String::as_str),
        })
    }

    /// Writes the page.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn html(&self, out: &mut dyn Write) -> io::Result<()> {
        self.with(None, |report| Ok(report.html(out)?))
            .map_err(io::Error::other)
    }
}

/// The lines of `netpal diff`, all of them.
fn lines(common: &Common, before: &Workspace, after: &Workspace) -> Result<String> {
    let old = Side {
        input: &before.input,
        graph: &before.graph,
    };
    let new = Side {
        input: &after.input,
        graph: &after.graph,
    };
    let found = netpal::diff::diff(old, new);
    let locators = (before.locator(), after.locator());
    let remarks = super::diff::remarks(common, before, after, &found);
    let (before, after) = (before.book(&locators.0), after.book(&locators.1));
    let pages = Pages {
        before,
        after,
        label: "",
        remarks: &remarks,
    };
    let mut bytes = Vec::new();
    diff::text(
        pages,
        &found,
        writer::Style { colour: false },
        usize::MAX,
        &mut bytes,
    )?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
