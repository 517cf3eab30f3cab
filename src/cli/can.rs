//! `netpal can`: one question, one screen.

use super::args::{CanArgs, Common, EnteredBy};
use super::asked::{helped, question};
use super::exit::Exit;
use super::hints::hint;
use super::output::Output;
use super::questions;
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::{Answer, AnswerView, EntranceGround, EntranceView, Format, Verdict, ask, entrance};

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
    if can.by != EnteredBy::Policy {
        return by_door(common, can.by, &workspace, &answer);
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

/// Answers whether the internet comes in by a door. That no door leads there has an exit code of
/// its own.
fn by_door(common: &Common, by: EnteredBy, workspace: &Workspace, answer: &Answer) -> Result<Exit> {
    let (from, to) = (&answer.question.source, &answer.question.destination);
    if !from.is_internet() {
        bail!(
            "--by asks how the internet comes in: netpal can internet reach {} --by door",
            to.text
        );
    }
    let output = Output::of::<EntranceView<'_>>(common)?;
    let mut found = entrance(&workspace.doors()?, answer);
    let is_asked = by == EnteredBy::Any;
    // by either: what policies leave open, or let in for some, no missing door closes
    let admitted = is_asked && answer.verdict != Verdict::No;
    if admitted && found.verdict != Verdict::Yes {
        found.verdict = answer.verdict;
    }
    let view = EntranceView {
        entrance: &found,
        ends: [&from.text, &to.text],
    };
    output.render(&view, &workspace.context(&workspace.locator()))?;
    let exit = match found.ground {
        EntranceGround::NoDoor if !admitted => Exit::NoDoor,
        _ => Exit::of(found.verdict, common),
    };
    Ok(workspace.exit(common, exit))
}
