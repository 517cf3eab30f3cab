//! `netpal test`: what must stay true. And `netpal init tests`: a first file of such tests.

use super::args::{Common, Export, Test, UnknownAs};
use super::exit::Exit;
use super::output::{self, Output};
use super::project::told;
use super::workspace::Workspace;
use super::{ci, snapshot};
use anyhow::{Result, bail};
use netpal::AllowGraph;
use netpal::check;
use netpal::check::{Env, Status, Suite, export, propose, remedy};
use netpal::load::project;
use netpal::render::Format;
use netpal::render::ci::suite;
use netpal::render::data::{check as check_data, json};
use netpal::render::text::check as text;
use netpal::render::text::check::Ran;

const FORMATS: [Format; 10] = [
    Format::Text,
    Format::Json,
    Format::Yaml,
    Format::Csv,
    Format::Md,
    Format::Junit,
    Format::Tap,
    Format::Sarif,
    Format::Github,
    Format::Gitlab,
];

/// Runs the tests of the files named, else of those the configuration names.
///
/// # Errors
/// When a file cannot be read, or is no test file.
pub fn run(common: &Common, args: &Test) -> Result<Exit> {
    let output = Output::new(common, &FORMATS)?;
    let workspace = Workspace::open(common)?;
    let suites = suites(&workspace, &args.tests)?;
    let locator = workspace.locator();
    let book = workspace.book(&locator);
    if args.export == Some(Export::Netassert) {
        return export_netassert(&workspace, &suites);
    }
    let mut ran = ran(&workspace, &workspace.graph, &suites);
    mend(&workspace, &mut ran);
    output.write(|format, out| match format {
        Format::Json => json::write("Tests", check_data::json(book, &ran), out),
        Format::Yaml => json::write_yaml("Tests", check_data::json(book, &ran), out),
        Format::Csv => check_data::write_csv(book, &ran, out),
        Format::Md => check_data::markdown(book, &ran, out),
        Format::Junit => check_data::junit(book, &ran, out),
        Format::Tap => check_data::tap(book, &ran, out),
        Format::Sarif | Format::Github | Format::Gitlab => ci::write(
            &check_data::findings(book, &ran),
            &check_data::rules(),
            book.locator,
            format,
            out,
        ),
        _ => text::text(book, &ran, args.coverage, output.style(), out),
    })?;
    Ok(workspace.exit(common, exit(&ran, common)))
}

/// The outcomes of tests on a graph, which is the workspace's own or one that was made from it.
pub fn ran<'a>(workspace: &Workspace, graph: &AllowGraph, suites: &'a [Suite]) -> Vec<Ran<'a>> {
    let drift = |path: &str| snapshot::drift(workspace, graph, path);
    let env = Env {
        context: &workspace.context,
        snapshot: &drift,
    };
    suites
        .iter()
        .map(|s| (s, check::check(graph, &env, s)))
        .collect()
}

/// Looks for what would make the failed tests hold.
fn mend(workspace: &Workspace, ran: &mut [Ran<'_>]) {
    let drift = |path: &str| snapshot::drift(workspace, &workspace.graph, path);
    let env = Env {
        context: &workspace.context,
        snapshot: &drift,
    };
    for (suite, run) in ran {
        remedy::add_remedies(&workspace.input, &workspace.graph, &env, suite, run);
    }
}

/// The tests the configuration names; none where they cannot be read, which is told.
pub fn configured(common: &Common, workspace: &Workspace) -> Vec<Suite> {
    if workspace.project.config.tests.is_empty() {
        return Vec::new();
    }
    suites(workspace, &[]).unwrap_or_else(|error| {
        if !common.quiet {
            output::remark(&format!("the policy tests are left out: {error:#}"));
        }
        Vec::new()
    })
}

/// The test files of the command line, else of the configuration.
///
/// # Errors
/// When there is none, or one cannot be read.
pub fn suites(workspace: &Workspace, files: &[String]) -> Result<Vec<Suite>> {
    let configured = || {
        workspace
            .project
            .config
            .tests
            .iter()
            .map(|t| workspace.project.path(t))
            .collect()
    };
    let paths: Vec<String> = if files.is_empty() {
        configured()
    } else {
        files.to_vec()
    };
    if paths.is_empty() {
        bail!(
            "no test file: name one, or put `tests: [policy-tests/*.yaml]` into netpal.yaml\n       write a first one: netpal init tests > tests.yaml"
        );
    }
    let mut suites = Vec::new();
    for path in paths {
        for (name, text) in project::texts(&path)? {
            suites.push(check::parse(&name, &text).map_err(|problems| told(&problems))?);
        }
    }
    Ok(suites)
}

fn exit(ran: &[Ran<'_>], common: &Common) -> Exit {
    let outcomes = || ran.iter().flat_map(|(_, run)| &run.outcomes);
    let undecided = outcomes().any(|o| o.status == Status::Undecided);
    if outcomes().any(|o| o.wrong) {
        return Exit::Usage;
    }
    match common.unknown {
        _ if outcomes().any(check::Outcome::fails) => Exit::Bad,
        Some(UnknownAs::No | UnknownAs::Fail) if undecided => Exit::Bad,
        None if undecided => Exit::Undecided,
        _ => Exit::Good,
    }
}

fn export_netassert(workspace: &Workspace, suites: &[Suite]) -> Result<Exit> {
    let (mut probes, mut without) = (Vec::new(), Vec::new());
    for one in suites {
        let (found, none) = export::probes(&workspace.graph, &workspace.context, one);
        probes.extend(found);
        without.extend(none);
    }
    let mut text = Vec::new();
    suite::netassert(&workspace.input.cluster, &probes, &mut text)?;
    output::plain(&text)?;
    if !without.is_empty() {
        output::remark(&format!(
            "{} without a probe (not about single flows): {}",
            without.len(),
            without.join("; ")
        ));
    }
    Ok(Exit::Good)
}

/// Proposes tests from what is allowed now.
///
/// # Errors
/// When the input cannot be read.
pub fn init(common: &Common) -> Result<Exit> {
    let workspace = Workspace::open(common)?;
    let none = |_: &str| Ok(Vec::new());
    let (proposed, left) = propose::propose(
        &workspace.graph,
        &Env {
            context: &workspace.context,
            snapshot: &none,
        },
    );
    let mut text = Vec::new();
    suite::tests(&proposed, &mut text)?;
    output::plain(&text)?;
    if left > 0 && !common.quiet {
        output::remark(&format!(
            "{left} more destinations and ports are left out: those with the most sources"
        ));
    }
    Ok(workspace.exit(common, Exit::Good))
}
