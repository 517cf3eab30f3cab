//! The commands. Compiled into the binary, so it sees only the public API; one short function per
//! command.

mod args;
mod args_pictures;
mod asked;
mod can;
mod ci;
mod common;
mod complaints;
mod completion;
mod critical;
mod demo;
mod diff;
mod diff_remarks;
mod doors;
mod exit;
mod explain;
mod graph;
mod help;
mod hints;
mod inputs;
mod layers;
mod lint;
mod lint_fix;
mod lint_options;
mod list;
mod live;
mod matrix;
mod options;
mod output;
mod progress;
mod project;
mod questions;
mod reach;
mod report;
mod report_front;
mod rule;
mod schema;
mod search_ends;
mod snapshot;
mod stand_ins;
mod test;
mod why;
mod workspace;

use args::{Cli, Command};
use clap::Parser;
use exit::Exit;
use std::process::ExitCode;

/// Parses the command line, runs the command, turns every failure into one clear message and exit
/// code 2.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let exit = run(&cli).unwrap_or_else(|error| {
        output::remark(&format!(
            "error: {}",
            netpal::clean_lines(&format!("{error:#}"))
        ));
        Exit::Usage
    });
    if matches!(exit, Exit::Bad | Exit::Undecided | Exit::NoDoor) {
        output::point_to_files(&cli.common, exit.code());
    }
    ExitCode::from(exit.code())
}

fn run(cli: &Cli) -> anyhow::Result<Exit> {
    let common = &cli.common;
    if let Some(format) = only_format(&cli.command) {
        output::refuse_others(common, format)?;
    }
    match &cli.command {
        Command::Can(can) => can::run(common, can),
        Command::Why(args) => why::run(common, args),
        Command::Reach(args) => reach::run(common, args),
        Command::Who(args) => reach::who(common, args),
        Command::Critical(args) => critical::run(common, args),
        Command::Explain(args) => explain::run(common, args),
        Command::List(list) => list::run(common, list),
        Command::Doors => doors::run(common),
        Command::Graph(graph) => graph::run(common, graph),
        Command::Diff(args) => diff::run(common, args),
        Command::Test(args) => test::run(common, args),
        Command::Snapshot(args) => snapshot::run(common, args),
        Command::Init { what } => match what {
            args::Proposal::Tests => test::init(common),
            args::Proposal::Workloads => inputs::init_workloads(common),
            args::Proposal::Assume => inputs::init_assume(common),
        },
        Command::Plan(args) => diff::plan(common, args),
        Command::Lint(lint) => lint::run(common, lint),
        Command::Rule { rule } => rule::run(rule.as_deref()),
        Command::Matrix(args) => matrix::run(common, args),
        Command::Report(args) => report::run(common, args),
        Command::Inputs => inputs::run(common),
        Command::Demo(demo) => demo::run(demo),
        Command::Schema { of } => schema::run(*of),
        Command::Completion { shell } => completion::run(*shell),
        Command::Help { topic } => help::run(topic.as_deref()),
    }
}

/// The format of a command that prints one thing only.
fn only_format(command: &Command) -> Option<netpal::Format> {
    use netpal::Format::{Json, Text, Yaml};
    match command {
        Command::Init { .. } => Some(Yaml),
        Command::Test(args) if args.export.is_some() => Some(Yaml),
        Command::Schema { .. } => Some(Json),
        Command::Lint(args) if args.fix => Some(Text),
        Command::Rule { .. } | Command::Demo(_) | Command::Completion { .. } => Some(Text),
        Command::Help { .. } => Some(Text),
        _ => None,
    }
}
