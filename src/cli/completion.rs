//! `netpal completion`: shell scripts, from the same tables as the parser.

use super::args::Cli;
use super::exit::Exit;
use super::output;
use anyhow::Result;
use clap::CommandFactory;

/// Prints the completion script of a shell.
///
/// # Errors
/// When standard output fails.
pub fn run(shell: clap_complete::Shell) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "netpal", &mut script);
    output::plain(&script)?;
    Ok(Exit::Good)
}
