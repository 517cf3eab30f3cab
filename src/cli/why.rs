//! `netpal why`: one question, the whole walk.

use super::args::{Common, Why};
use super::can::{helped, question};
use super::exit::Exit;
use super::output::Output;
use super::workspace::Workspace;
use anyhow::Result;
use netpal::query::why::{add_suggestions, why};
use netpal::render::text::Text;
use netpal::render::{Format, json, why_json};

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
    let locator = workspace.locator();
    let book = workspace.book(&locator);
    output.write(|format, out| match format {
        Format::Json => json::write("Why", why_json::why(book, &why), out),
        Format::Yaml => json::write_yaml("Why", why_json::why(book, &why), out),
        _ => Text { book, style: output.style(), width: output.width() }.why(&why, out),
    })?;
    Ok(workspace.exit(common, Exit::of(why.answer.verdict, common)))
}
