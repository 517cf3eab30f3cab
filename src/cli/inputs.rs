//! `netpal inputs`: what was read, what was skipped, what was assumed.

use super::args::Common;
use super::exit::Exit;
use super::output::Output;
use super::workspace::Workspace;
use anyhow::Result;
use netpal::render::Format;
use netpal::render::data::{inputs as inputs_data, json};
use netpal::render::text::inputs;

/// Tells what was read. Every document that could not be read is named.
///
/// # Errors
/// When nothing can be read at all.
pub fn run(common: &Common) -> Result<Exit> {
    let output = Output::new(common, &[Format::Text, Format::Json, Format::Yaml])?;
    let all = super::args::Common {
        verbose: common.verbose.max(1),
        ..common.clone()
    };
    let workspace = Workspace::open(&all)?;
    let locator = workspace.locator();
    let book = workspace.book(&locator);
    output.write(|format, out| match format {
        Format::Json => json::write("Inputs", inputs_data::inputs(book), out),
        Format::Yaml => json::write_yaml("Inputs", inputs_data::inputs(book), out),
        _ => inputs::inputs(&workspace.input, &workspace.graph, common.verbose > 0, out),
    })?;
    Ok(workspace.exit(common, Exit::Good))
}
