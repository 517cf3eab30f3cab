//! `netpal report`: one file for auditors and colleagues.

use super::args::{Common, LintArgs, ReportArgs};
use super::exit::Exit;
use super::output::Output;
use super::project::Project;
use super::workspace::{self, Around, ReadMode, Workspace};
use super::{lint_options, report_front, test};
use anyhow::{Result, anyhow, bail};
use netpal::{
    AuditProfile, AuditReport, AuditScope, AuditSubject, AuditedControls, Declared, DiffView,
    DrawOptions, Format, ListFilter, ListingView, Render, RenderContext, ReportFront, ReportParts,
    ReportTable, Source, Suppressed, assess,
};

/// Writes the report.
///
/// # Errors
/// When an input cannot be read.
pub fn run(common: &Common, args: &ReportArgs) -> Result<Exit> {
    let output = Output::of::<AuditReport<'_>>(common)?;
    if args.profile.is_some() && common.staged {
        bail!("--profile judges what is enforced, and staged policies are not: leave out --staged");
    }
    let workspace = Workspace::open_in_one_order(common)?;
    let old = args
        .before
        .as_deref()
        .map(|before| state(common, before))
        .transpose()?;
    let locator = workspace.locator();
    let context = workspace.context(&locator);
    if args.profile.is_some() || output.has(Format::Md) || output.has(Format::Html) {
        whole(common, args, &workspace, old.as_ref(), &output)?;
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

/// Writes the report with everything in it.
fn whole(
    common: &Common,
    args: &ReportArgs,
    workspace: &Workspace,
    old: Option<&Workspace>,
    output: &Output,
) -> Result<()> {
    let sources = workspace::sources(common, &workspace.project)?;
    let names = source_names(&sources);
    let subject = args.title.clone().unwrap_or_else(|| names.join(", "));
    let locator = workspace.locator();
    let context = workspace.context(&locator);
    let page = Page::new(common, workspace, old, &subject)?;
    let date = report_front::date(args.date.as_deref())?;
    let has_head = output.has(Format::Md) || output.has(Format::Html);
    let front = has_head.then(|| ReportFront {
        commit: report_front::commit(&sources, workspace),
        inputs: names,
        date,
        command: report_front::command(std::env::args().skip(1)),
        suppressions: page.suppressions.clone(),
    });
    let controls = args
        .profile
        .map(|profile| page.assessed(common, args, workspace, profile.into()))
        .transpose()?;
    let report = AuditReport {
        front,
        controls,
        ..page.report(context)
    };
    output.render(&report, &context)
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

/// What the sources of an input are called, in one order.
fn source_names(sources: &[Source]) -> Vec<String> {
    let mut names: Vec<String> = sources.iter().map(source_name).collect();
    names.sort();
    names
}

fn source_name(source: &Source) -> String {
    match source {
        Source::Path(path) | Source::Kustomize(path) => report_front::relative(path),
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
    around: Around,
    parts: ReportParts,
    changes: Option<String>,
    doors: ReportTable,
    potential: ReportTable,
    findings: ReportTable,
    suppressions: Vec<Suppressed>,
    tests: ReportTable,
    declared: Declared,
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
        let config = lint_options::config(common, &LintArgs::default(), workspace)?;
        let linted = netpal::lint(&workspace.input, &workspace.graph, &config);
        let (found, accepted) = (linted.findings, linted.accepted);
        let covered = Suppressed::of_findings([&*found, &*accepted].concat().as_slice(), &context);
        let (tests, declared) = tests(workspace)?;
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
            findings: ReportTable::of_findings(&found, &context),
            suppressions: report_front::suppressions(common, workspace, covered, &config),
            tests,
            declared,
            around,
        })
    }

    /// The controls of a standard, assessed on what the flags name.
    ///
    /// # Errors
    /// When the scope is none, or the input with pods that may come cannot be compiled.
    fn assessed(
        &self,
        common: &Common,
        args: &ReportArgs,
        workspace: &Workspace,
        profile: AuditProfile,
    ) -> Result<AuditedControls> {
        let cluster = &workspace.input.cluster;
        let scope = match &args.scope {
            None => AuditScope::whole(cluster),
            Some(text) => {
                let groups = test::groups(workspace)?;
                AuditScope::named(text, cluster, &workspace.names, &groups)
                    .map_err(|why| anyhow!("--scope {text}: {why}"))?
            }
        };
        let merged = workspace.project.merged(common);
        let subject = AuditSubject {
            input: &workspace.input,
            graph: &workspace.graph,
            doors: &self.around.doors,
            listing: &self.parts.listing,
            potential: &self.around.potential,
            world: workspace.world,
            plugin: merged.cni.last().map(String::as_str),
            declared: &self.declared,
            scope: &scope,
        };
        let assessments = assess(profile, &subject, &mut |visit| {
            self.parts.each_flow(&workspace.graph, visit);
        })?;
        Ok(AuditedControls {
            profile,
            scope,
            assessments,
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
            controls: None,
            front: None,
            subject: self.subject,
            cni: &self.cni,
        }
    }
}

/// The outcomes of the configured policy tests, and what those that pass declare.
fn tests(workspace: &Workspace) -> Result<(ReportTable, Declared)> {
    let mut declared = Declared::default();
    if workspace.project.config.tests.is_empty() {
        let none = ReportTable::nothing("The configuration names no policy tests.");
        return Ok((none, declared));
    }
    let suites = test::suites(workspace, &[])?;
    let runs = test::runs(workspace, &workspace.graph, &suites);
    for (suite, run) in &runs {
        let (cluster, names) = (&workspace.input.cluster, &workspace.names);
        declared.add((suite, run), cluster, names, workspace.world);
    }
    let locator = workspace.locator();
    let table = ReportTable::of_tests(&runs, &workspace.context(&locator));
    Ok((table, declared))
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
