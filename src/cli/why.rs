//! `netpal why`: one question, the whole walk.

use super::args::{Common, WhyArgs};
use super::asked::{helped, question};
use super::exit::Exit;
use super::output::Output;
use super::test;
use super::workspace::Workspace;
use anyhow::Result;
use netpal::{AllowGraph, Broken, Diff, Shown, Suggested, Suite, SuiteRun, WhyView};
use netpal::{add_suggestions, applied, broken, why};

/// Answers one question with every policy, rule and peer that was asked.
///
/// # Errors
/// When the question, its names or the input cannot be understood.
pub fn run(common: &Common, args: &WhyArgs) -> Result<Exit> {
    let output = Output::of::<WhyView<'_>>(common)?;
    let question = question(&args.question)?;
    let asked = [&question.source, &question.destination];
    let workspace = Workspace::open(common)?.with_asked(common, &asked)?;
    let mut why = why(&workspace.graph, &workspace.names, &question).map_err(helped)?;
    if args.suggest {
        add_suggestions(&mut why, &workspace.input, &workspace.graph);
    }
    let breaks = if args.suggest {
        breaks(common, &workspace, &why)
    } else {
        Vec::new()
    };
    let view = WhyView {
        why: &why,
        breaks: &breaks,
    };
    output.render(&view, &workspace.context(&workspace.locator()))?;
    Ok(workspace.exit(common, Exit::of(why.answer.verdict, common)))
}

/// Per pair, the configured tests that what is suggested for it would turn red.
fn breaks(common: &Common, workspace: &Workspace, why: &netpal::Why) -> Vec<Vec<Broken>> {
    let suites = test::configured(common, workspace);
    if suites.is_empty() {
        return Vec::new();
    }
    let before = test::runs(workspace, &workspace.graph, &suites);
    let broken_by = |shown| breaks_of(workspace, &suites, &before, shown).unwrap_or_default();
    why.shown.iter().map(broken_by).collect()
}

/// The tests that what is suggested for one pair would turn red, if something is.
fn breaks_of(
    workspace: &Workspace,
    suites: &[Suite],
    before: &[SuiteRun<'_>],
    shown: &Shown,
) -> Option<Vec<Broken>> {
    let Some(Suggested::Changes(changes)) = &shown.suggested else {
        return None;
    };
    let input = applied(&workspace.input, changes)?;
    let graph = AllowGraph::compile(&input, &workspace.graph.environment().options).ok()?;
    let after = test::runs(workspace, &graph, suites);
    let cluster = &workspace.input.cluster;
    let pairs = before.iter().zip(&after);
    let turned = pairs.flat_map(|(b, a)| broken(&b.1, &a.1, &Diff::default(), cluster));
    Some(turned.collect())
}
