//! `netpal can`: one question, one screen.

use super::args::{CanArgs, Common};
use super::asked::{helped, question};
use super::exit::Exit;
use super::hints::hint;
use super::output::Output;
use super::questions;
use super::workspace::Workspace;
use anyhow::Result;
use netpal::{AnswerView, Format, ask};

/// Answers one question, or a file of them.
///
/// # Errors
/// When the question, its names or the input cannot be understood.
pub fn run(common: &Common, can: &CanArgs) -> Result<Exit> {
    if let Some(file) = &can.questions {
        return questions::run(common, file);
    }
    let output = Output::of::<AnswerView<'_>>(common)?;
    let question = question(&can.question)?;
    let asked = [&question.source, &question.destination];
    let workspace = Workspace::open(common)?.with_asked(common, &asked)?;
    let mut answer = ask(&workspace.graph, &workspace.names, &question).map_err(helped)?;
    if can.some {
        answer.verdict = answer.any();
    }
    let view = AnswerView {
        answer: &answer,
        hint: output
            .writes(Format::Text)
            .then(|| hint(&workspace, &answer))
            .flatten(),
    };
    output.render(&view, &workspace.context(&workspace.locator()))?;
    Ok(workspace.exit(common, Exit::of(answer.verdict, common)))
}
