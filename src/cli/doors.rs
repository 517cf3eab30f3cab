//! `netpal doors`: who comes in from outside, by which door, and what closes it.

use super::args::Common;
use super::exit::Exit;
use super::output::Output;
use super::workspace::Workspace;
use anyhow::Result;
use netpal::DoorList;

/// Lists the doors.
///
/// # Errors
/// When the input cannot be read.
pub fn run(common: &Common) -> Result<Exit> {
    let output = Output::of::<DoorList>(common)?;
    let workspace = Workspace::open(common)?;
    let doors = workspace.doors()?;
    output.render(&doors, &workspace.context(&workspace.locator()))?;
    Ok(workspace.exit(common, Exit::Good))
}
