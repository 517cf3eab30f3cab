//! `netpal test`: what must stay true. And `netpal init tests`: a first file of such tests.

use super::args::{Common, Export, Test, UnknownAs};
use super::exit::Exit;
use super::output::{self, Output};
use super::project::told;
use super::snapshot;
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::check::{self, Env, Status, Suite, export, propose};
use netpal::load::project;
use netpal::render::check::Ran;
use netpal::render::findings_data::Report;
use netpal::render::{Book, Format, check as text, check_data, github, gitlab, json, sarif, suite};

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
    let drift = |path: &str| snapshot::drift(&workspace, path);
    let env = Env { context: &workspace.context, snapshot: &drift };
    let ran: Vec<Ran<'_>> = suites.iter().map(|s| (s, check::check(&workspace.graph, &env, s))).collect();
    output.write(|format, out| match format {
        Format::Json => json::write("Tests", check_data::json(book, &ran), out),
        Format::Yaml => json::write_yaml("Tests", check_data::json(book, &ran), out),
        Format::Csv => check_data::write_csv(book, &ran, out),
        Format::Md => check_data::markdown(book, &ran, out),
        Format::Junit => check_data::junit(book, &ran, out),
        Format::Tap => check_data::tap(book, &ran, out),
        Format::Sarif | Format::Github | Format::Gitlab => findings(book, &ran, format, out),
        _ => text::text(book, &ran, args.coverage, output.style(), out),
    })?;
    Ok(workspace.exit(common, exit(&ran, common)))
}

fn findings(book: Book<'_>, ran: &[Ran<'_>], format: Format, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    let base = std::env::current_dir().ok().map(|d| d.to_string_lossy().into_owned());
    let (findings, rules) = (check_data::findings(book, ran), check_data::rules());
    let report = Report { findings: &findings, rules: &rules, locator: book.locator, base: base.as_deref() };
    match format {
        Format::Sarif => sarif::write(&report, out),
        Format::Gitlab => gitlab::write(&report, out),
        _ => github::write(&report, out).map(drop),
    }
}

/// The test files of the command line, else of the configuration.
///
/// # Errors
/// When there is none, or one cannot be read.
pub fn suites(workspace: &Workspace, files: &[String]) -> Result<Vec<Suite>> {
    let configured = || workspace.project.config.tests.iter().map(|t| workspace.project.path(t)).collect();
    let paths: Vec<String> = if files.is_empty() { configured() } else { files.to_vec() };
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
        output::remark(&format!("{} without a probe (not about single flows): {}", without.len(), without.join("; ")));
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
    let proposed = propose::propose(&workspace.graph, &Env { context: &workspace.context, snapshot: &none });
    let mut text = Vec::new();
    suite::tests(&proposed, &mut text)?;
    output::plain(&text)?;
    Ok(workspace.exit(common, Exit::Good))
}
