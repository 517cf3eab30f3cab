//! `netpal matrix`: the table picture.

use super::args::{Common, MatrixArgs};
use super::asked::ports;
use super::exit::Exit;
use super::output::Output;
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::{Format, MatrixBy, matrix_on};

/// Most rows of a page: some 26 MB of markup.
const PAGE: usize = 1_000;

/// Shows what passes from every namespace or workload to every other.
///
/// # Errors
/// When the input cannot be read.
pub fn run(common: &Common, args: &MatrixArgs) -> Result<Exit> {
    let output = Output::of::<netpal::Matrix>(common)?;
    let workspace = Workspace::open(common)?;
    let ports = args.port.as_deref().map(ports).transpose()?;
    let by = args.by.map_or(MatrixBy::Namespace, Into::into);
    let matrix = matrix_on(&workspace.graph, by, ports.as_ref());
    let sides = matrix.sides.len();
    if output.has(Format::Html) && sides > PAGE {
        bail!(
            "a page of {sides} rows and columns is more than a browser shows ({PAGE}): take -o csv, or --by namespace"
        );
    }
    output.render(&matrix, &workspace.context(&workspace.locator()))?;
    Ok(workspace.exit(common, Exit::Good))
}
