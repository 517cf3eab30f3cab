//! `netpal why`: one question, the whole walk.

use super::args::{Common, Why};
use super::can::{helped, question};
use super::exit::Exit;
use super::output::Output;
use super::test;
use super::workspace::Workspace;
use anyhow::Result;
use netpal::AllowGraph;
use netpal::check::breaks::{Broken, broken};
use netpal::diff::Diff;
use netpal::query::explain::why::{Shown, Why as Answer, add_suggestions, why};
use netpal::query::suggest::suggestion::Suggested;
use netpal::query::suggest::trial::applied;
use netpal::render::Format;
use netpal::render::data::{json, why};
use netpal::render::text::writer::Text;

/// Answers one question with every policy, rule and peer that was asked.
///
/// # Errors
/// When the question, its names or the input cannot be understood.
pub fn run(common: &Common, args: &Why) -> Result<Exit> {
    let output = Output::new(common, &[Format::Text, Format::Json, Format::Yaml])?;
    let question = question(&args.question)?;
    let workspace = Workspace::open(common)?;
    let mut why = why(&workspace.graph, &workspace.context, &question).map_err(helped)?;
    if args.suggest {
        add_suggestions(&mut why, &workspace.input, &workspace.graph);
    }
    let breaks = if args.suggest {
        breaks(common, &workspace, &why)
    } else {
        Vec::new()
    };
    let locator = workspace.locator();
    let book = workspace.book(&locator);
    output.write(|format, out| match format {
        Format::Json => json::write("Why", why::why(book, &why, &breaks), out),
        Format::Yaml => json::write_yaml("Why", why::why(book, &why, &breaks), out),
        _ => Text {
            book,
            style: output.style(),
            width: output.width(),
        }
        .why(&why, &breaks, out),
    })?;
    Ok(workspace.exit(common, Exit::of(why.answer.verdict, common)))
}

/// Per pair, the configured tests that what is suggested for it would turn red.
fn breaks(common: &Common, workspace: &Workspace, why: &Answer) -> Vec<Vec<Broken>> {
    let suites = test::configured(common, workspace);
    if suites.is_empty() {
        return Vec::new();
    }
    let before = test::ran(workspace, &workspace.graph, &suites);
    let of = |shown: &Shown| {
        let Some(Suggested::Changes(changes)) = &shown.suggested else {
            return None;
        };
        let graph = AllowGraph::compile(
            &applied(&workspace.input, changes)?,
            &workspace.graph.environment().options,
        )
        .ok()?;
        let after = test::ran(workspace, &graph, &suites);
        let pairs = before.iter().zip(&after);
        Some(
            pairs
                .flat_map(|(b, a)| broken(&b.1, &a.1, &Diff::default(), &workspace.input.cluster))
                .collect(),
        )
    };
    why.shown
        .iter()
        .map(|shown| of(shown).unwrap_or_default())
        .collect()
}
