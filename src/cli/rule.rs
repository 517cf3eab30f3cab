//! `netpal rule`: the page of a lint.

use super::exit::Exit;
use super::output;
use anyhow::{Result, bail};
use netpal::{LINTS, Lint, RuleIndex};

/// Prints the page of a rule, or the list of all.
///
/// # Errors
/// When there is no such rule.
pub fn run(word: Option<&str>) -> Result<Exit> {
    let Some(word) = word else {
        output::print_alone(&RuleIndex)?;
        return Ok(Exit::Good);
    };
    let Some(lint) = Lint::find(word) else {
        bail!("{}", unknown(word))
    };
    output::print_alone(lint)?;
    Ok(Exit::Good)
}

/// What to say about a word that names no rule.
pub fn unknown(word: &str) -> String {
    let near = LINTS
        .iter()
        .find(|l| l.id.starts_with(&word.to_ascii_uppercase()) || l.name.contains(word));
    let hint = near.map_or_else(
        || "see them all: netpal rule".to_owned(),
        |l| format!("did you mean {} {}?", l.id, l.name),
    );
    format!("`{word}` is not a rule\n       {hint}")
}
