//! `netpal report`: one file for auditors and colleagues.

use super::args::{Common, LintArgs, ReportArgs};
use super::exit::Exit;
use super::output::Output;
use super::project::Project;
use super::workspace::{self, ReadMode, Workspace};
use super::{lint_options, test};
use anyhow::Result;
use netpal::{
    AuditReport, DiffView, DrawOptions, Format, ListFilter, ListingView, Render, RenderContext,
    ReportParts, ReportTable, Source,
};

/// Writes the report.
///
/// # Errors
/// When an input cannot be read.
pub fn run(common: &Common, args: &ReportArgs) -> Result<Exit> {
    let output = Output::of::<AuditReport<'_>>(common)?;
    let workspace = Workspace::open(common)?;
    let old = args
        .before
        .as_deref()
        .map(|before| state(common, before))
        .transpose()?;
    let locator = workspace.locator();
    let context = workspace.context(&locator);
    if output.has(Format::Md) || output.has(Format::Html) {
        let subject = match &args.title {
            Some(title) => title.clone(),
            None => subject(&workspace::sources(common, &workspace.project)?),
        };
        let page = Page::new(common, &workspace, old.as_ref(), &subject)?;
        let report = page
            .report(context)
            .audited_for(args.profile.map(Into::into));
        output.render(&report, &context)?;
    } else {
        // the table alone needs nothing of what the report is made of
        let potential = workspace.potential_rows(common, None)?;
        let flows = ListingView {
            potential: Some(&potential),
            filter: &ListFilter::default(),
            from: None,
            to: None,
        };
        output.render(&flows, &context)?;
    }
    Ok(workspace.exit(common, Exit::Good))
}

/// Another state of the same input.
///
/// # Errors
/// When it cannot be read.
pub fn state(common: &Common, path: &str) -> Result<Workspace> {
    let reading = ReadMode {
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

/// What an input is called: its sources as they were written.
fn subject(sources: &[Source]) -> String {
    sources
        .iter()
        .map(source_name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn source_name(source: &Source) -> String {
    match source {
        Source::Path(path) | Source::Kustomize(path) => path.to_string(),
        Source::Stdin => "standard input".into(),
        Source::Live(cluster) => super::live::name(cluster),
        Source::Exec(command, _) => command.to_string(),
        Source::Text(name, _) => name.to_string(),
        Source::Limited(source, _) => source_name(source),
    }
}

/// What a report is made of.
pub struct Page<'a> {
    subject: &'a str,
    cni: String,
    parts: ReportParts,
    changes: Option<String>,
    doors: ReportTable,
    potential: ReportTable,
    findings: ReportTable,
    tests: ReportTable,
}

impl<'a> Page<'a> {
    /// Gathers it: what the state shows, what changed against the state before, what lint and the
    /// configured tests say.
    ///
    /// # Errors
    /// When the configuration names a rule that is none, or a test file cannot be read.
    pub fn new(
        common: &Common,
        workspace: &Workspace,
        before: Option<&Workspace>,
        subject: &'a str,
    ) -> Result<Self> {
        let around = workspace.around(common)?;
        let past = before.map(|state| state.around(common)).transpose()?;
        let past = before.zip(past.as_ref());
        let past = past.map(|(state, around)| (&state.graph, around.surroundings()));
        let locator = workspace.locator();
        let context = workspace.context(&locator);
        let changes = before
            .map(|state| changes(common, state, workspace))
            .transpose()?;
        Ok(Self {
            subject,
            cni: workspace.cni(common),
            parts: ReportParts::new(
                &workspace.graph,
                past,
                &workspace.names,
                around.surroundings(),
            ),
            doors: ReportTable::of_doors(&around.doors, &context),
            potential: ReportTable::of_potential(&around.potential, &context),
            changes,
            findings: findings(common, workspace)?,
            tests: tests(workspace)?,
        })
    }

    /// The report.
    pub fn report<'p>(&'p self, context: RenderContext<'p>) -> AuditReport<'p> {
        AuditReport {
            context,
            parts: &self.parts,
            changes: self.changes.clone(),
            doors: self.doors.clone(),
            potential: self.potential.clone(),
            findings: self.findings.clone(),
            tests: self.tests.clone(),
            profile: None,
            subject: self.subject,
            cni: &self.cni,
        }
    }
}

/// The findings of lint under the configuration, as `netpal lint` would show them.
fn findings(common: &Common, workspace: &Workspace) -> Result<ReportTable> {
    let config = lint_options::config(common, &LintArgs::default(), workspace)?;
    let found = netpal::lint(&workspace.input, &workspace.graph, &config).findings;
    let locator = workspace.locator();
    Ok(ReportTable::of_findings(
        &found,
        &workspace.context(&locator),
    ))
}

/// The outcomes of the configured policy tests.
fn tests(workspace: &Workspace) -> Result<ReportTable> {
    if workspace.project.config.tests.is_empty() {
        return Ok(ReportTable::nothing(
            "The configuration names no policy tests.",
        ));
    }
    let suites = test::suites(workspace, &[])?;
    let runs = test::runs(workspace, &workspace.graph, &suites);
    let locator = workspace.locator();
    Ok(ReportTable::of_tests(&runs, &workspace.context(&locator)))
}

/// The lines of `netpal diff`, all of them.
fn changes(common: &Common, before: &Workspace, after: &Workspace) -> Result<String> {
    let diff = netpal::diff_in(before.side(), after.side(), after.world)?;
    let remarks = super::diff_remarks::remarks(common, before, after, &diff);
    let locators = (before.locator(), after.locator());
    let view = DiffView {
        diff: &diff,
        before: before.context(&locators.0),
        label: "",
        remarks: &remarks,
        options: DrawOptions::default(),
        dns: &after.names.dns,
        page: None,
    };
    let mut bytes = Vec::new();
    let context = after.context(&locators.1).verbose(true);
    view.write(Format::Text, &context, &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
