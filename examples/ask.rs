//! Asks and explains: `cargo run --example ask -- examples/demo frontend reach database:5432`
use netpal::{AllowGraph, CompileOptions, Context, Explanation, Locator, Question, ask};
use std::{error::Error, io::Write};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    run(&words, &mut std::io::stdout())
}

pub(crate) fn run(words: &[String], out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let (folder, asked) = words.split_first().ok_or("ask DIRECTORY QUESTION")?;
    let input = netpal::load([folder])?;
    let graph = AllowGraph::compile(&input, &CompileOptions::default())?;
    let answer = ask(&graph, &Context::default(), &Question::from_words(asked)?)?;
    write!(out, "{}", answer.verdict)?;
    let (explanation, locator) = (answer.explain(&graph, 0), Locator::new(&input.sources));
    for side in explanation.iter().flat_map(Explanation::sides) {
        let (direction, reason) = (side.direction.name(), side.reason.code());
        write!(out, "\n  {direction}: {reason}")?;
        if let Some(rule) = side.decided_by {
            let policy = input.policies.get(rule.policy);
            let (name, path) = (policy.full_name(), policy.rule_path(rule));
            let place = locator.locate(&policy.origin(rule)).ok_or("no line")?;
            write!(out, " by {name} {path} ({place})")?;
        }
    }
    Ok(writeln!(out)?)
}
