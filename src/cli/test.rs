//! `netpal test`: what must stay true. And `netpal init tests`: a first file of such tests.

use super::args::{Common, Export, TestArgs, UnknownAs};
use super::asked::endpoint;
use super::exit::Exit;
use super::output::{self, Output};
use super::project::invalid;
use super::workspace::Workspace;
use super::{ci, snapshot};
use anyhow::{Result, bail};
use netpal::{
    AllowGraph, DoorList, GroupSpec, OpenWorld, Outcome, ProbesView, Suite, SuiteRun,
    TestEnvironment, TestStatus, TestsView, add_remedies, check, parse_tests, probes, propose,
    read_texts,
};
use std::collections::BTreeMap;

/// Runs the tests of the files named, else of those the configuration names.
///
/// # Errors
/// When a file cannot be read, or is no test file.
pub fn run(common: &Common, args: &TestArgs) -> Result<Exit> {
    let output = Output::of::<TestsView<'_>>(common)?;
    let workspace = Workspace::open(common)?;
    let suites = suites(&workspace, &args.tests)?;
    if suites.iter().all(|suite| suite.tests.is_empty()) {
        bail!("no test in the files that were named: nothing is tested, and nothing can fail");
    }
    let dns = endpoint("dns")?;
    let asked = suites.iter().any(Suite::asks_for_dns).then_some(&dns);
    let workspace = workspace.with_asked(common, asked.as_slice())?;
    if args.export == Some(Export::Netassert) {
        return export_netassert(&workspace, &suites);
    }
    let mut runs = runs(&workspace, &workspace.graph, &suites);
    suggest_remedies(&workspace, &mut runs);
    let view = TestsView {
        runs: &runs,
        coverage: args.coverage,
    };
    let locator = workspace.locator();
    let context = workspace.context(&locator);
    output.render(&view, &context)?;
    ci::step_summary(&output, || view.findings(&context), &context)?;
    Ok(workspace.exit(common, exit(&runs, common)))
}

/// The outcomes of tests on a graph, which is the workspace's own or one that was made from it.
pub fn runs<'a>(
    workspace: &Workspace,
    graph: &AllowGraph,
    suites: &'a [Suite],
) -> Vec<SuiteRun<'a>> {
    let drift = |path: &str| snapshot::drift(workspace, graph, path);
    let environment = TestEnvironment {
        context: &workspace.names,
        snapshot: &drift,
        doors: &|| doors(workspace, graph),
    };
    let open = open_world(workspace, graph, suites);
    let run = |suite: &'a Suite| {
        let mut run = check(graph, &environment, suite);
        if let Some(open) = &open {
            open.amend(&mut run, &environment, suite);
        }
        (suite, run)
    };
    suites.iter().map(run).collect()
}

/// The pods that may exist besides those of a graph that is the workspace's own or was made from
/// it. Where they are too many to compile, claims are about what is loaded.
fn open_world(workspace: &Workspace, graph: &AllowGraph, suites: &[Suite]) -> Option<OpenWorld> {
    let input = workspace.input_of(graph);
    let options = &graph.environment().options;
    OpenWorld::new(&input, options, workspace.world, suites)
        .ok()
        .flatten()
}

/// The doors of an allow-graph that is the workspace's own or was made from it.
fn doors(workspace: &Workspace, graph: &AllowGraph) -> Result<DoorList, String> {
    DoorList::of_input(&workspace.input_of(graph), graph).map_err(|error| error.to_string())
}

/// Looks for what would make the failed tests hold.
fn suggest_remedies(workspace: &Workspace, runs: &mut [SuiteRun<'_>]) {
    let drift = |path: &str| snapshot::drift(workspace, &workspace.graph, path);
    let environment = TestEnvironment {
        context: &workspace.names,
        snapshot: &drift,
        doors: &|| doors(workspace, &workspace.graph),
    };
    add_remedies(&workspace.input, &workspace.graph, &environment, runs);
}

/// The tests the configuration names; none where they cannot be read, which is reported.
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
    let limits = workspace.project.limits();
    let (paths, limits): (Vec<String>, _) = if files.is_empty() {
        (configured_paths(workspace)?, Some(&limits))
    } else {
        (files.to_vec(), None)
    };
    if paths.is_empty() {
        bail!(
            "no test file: name one, or put `tests: [policy-tests/*.yaml]` into netpal.yaml\n       write a first one: netpal init tests > tests.yaml"
        );
    }
    let mut suites = Vec::new();
    for path in paths {
        for (name, text) in read_texts(&path, limits)? {
            let mut suite = parse_tests(&name, &text).map_err(|problems| invalid(&problems))?;
            for (name, group) in &workspace.project.config.groups {
                let own = suite.groups.entry(name.clone());
                own.or_insert_with(|| group.clone());
            }
            suites.push(suite);
        }
    }
    Ok(suites)
}

/// The groups of the configuration, and those of its test files.
///
/// # Errors
/// When a test file cannot be read, or two of them mean something else by one name.
pub fn groups(workspace: &Workspace) -> Result<BTreeMap<String, GroupSpec>> {
    let config = &workspace.project.config;
    let mut groups = config.groups.clone();
    if config.tests.is_empty() {
        return Ok(groups);
    }
    for suite in suites(workspace, &[])? {
        for (name, group) in suite.groups {
            let known = groups.entry(name.clone()).or_insert_with(|| group.clone());
            if *known != group {
                bail!(
                    "the group `{name}` means something else in {}: two groups of one name are no scope",
                    suite.file
                );
            }
        }
    }
    Ok(groups)
}

fn configured_paths(workspace: &Workspace) -> Result<Vec<String>> {
    workspace
        .project
        .config
        .tests
        .iter()
        .map(|t| workspace.project.path(t))
        .collect()
}

fn exit(runs: &[SuiteRun<'_>], common: &Common) -> Exit {
    let outcomes = || runs.iter().flat_map(|(_, run)| &run.outcomes);
    let undecided = outcomes().any(|o| o.status == TestStatus::Undecided);
    if outcomes().any(|o| o.wrong) {
        return Exit::Usage;
    }
    match common.unknown {
        _ if outcomes().any(Outcome::fails) => Exit::Bad,
        Some(UnknownAs::No | UnknownAs::Fail) if undecided => Exit::Bad,
        None if undecided => Exit::Undecided,
        _ => Exit::Good,
    }
}

fn export_netassert(workspace: &Workspace, suites: &[Suite]) -> Result<Exit> {
    let (mut found, mut without) = (Vec::new(), Vec::new());
    for suite in suites {
        let (with, none) = probes(&workspace.graph, &workspace.names, suite);
        found.extend(with);
        without.extend(none);
    }
    let view = ProbesView { probes: &found };
    output::print(&view, &workspace.context(&workspace.locator()))?;
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
    let environment = TestEnvironment {
        context: &workspace.names,
        snapshot: &none,
        doors: &|| doors(&workspace, &workspace.graph),
    };
    let (mut proposed, left) = propose(&workspace.graph, &environment);
    close_where_needed(&workspace, &environment, &mut proposed);
    output::print(&proposed, &workspace.context(&workspace.locator()))?;
    if left > 0 && !common.quiet {
        output::remark(&format!(
            "{} left out: those with the most sources",
            if left == 1 {
                "1 more destination is".to_owned()
            } else {
                format!("{left} more destinations and ports are")
            }
        ));
    }
    Ok(workspace.exit(common, Exit::Good))
}

/// Says `world: closed` in the tests that do not hold of pods that are not in the input.
fn close_where_needed(
    workspace: &Workspace,
    environment: &TestEnvironment<'_>,
    proposed: &mut Suite,
) {
    let Some(open) = open_world(workspace, &workspace.graph, std::slice::from_ref(proposed)) else {
        return;
    };
    let asked = proposed.clone();
    let mut run = check(&workspace.graph, environment, &asked);
    open.amend(&mut run, environment, &asked);
    for (test, outcome) in proposed.tests.iter_mut().zip(&run.outcomes) {
        test.closed = outcome.status != TestStatus::Passed;
    }
}
