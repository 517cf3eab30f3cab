//! Asks one question of the manifests below a directory and tells the reason:
//! `cargo run --example ask -- examples/demo frontend reach database:5432`
use netpal::{AllowGraph, CompileOptions, Context, Explanation, Locator, Question, ask};
use std::{error::Error, io::Write};

fn main() -> Result<(), Box<dyn Error>> {
    run(
        &std::env::args().skip(1).collect::<Vec<_>>(),
        &mut std::io::stdout(),
    )
}

pub(crate) fn run(words: &[String], out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let (directory, question) = words
        .split_first()
        .ok_or("usage: ask DIRECTORY SOURCE reach DESTINATION[:PORT]")?;
    let input = netpal::load([directory])?;
    let graph = AllowGraph::compile(&input, &CompileOptions::default())?;
    let answer = ask(
        &graph,
        &Context::default(),
        &Question::from_words(question)?,
    )?;
    let locator = Locator::new(&input.sources);
    writeln!(out, "{}", answer.verdict)?;
    for side in answer
        .explain(&graph, 0)
        .iter()
        .flat_map(Explanation::sides)
    {
        write!(out, "  {}: {}", side.direction.name(), side.reason.code())?;
        if let Some(rule) = &side.decided_by {
            let policy = input.policies.get(rule.policy);
            let place = locator
                .locate(&policy.origin(*rule))
                .map(|l| l.to_string())
                .unwrap_or_default();
            write!(
                out,
                " by {} {} ({place})",
                policy.full_name(),
                policy.rule_path(*rule)
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}
