//! `netpal matrix`: the table picture.

use super::args::{Common, Matrix};
use super::exit::Exit;
use super::output::Output;
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::query::list::matrix::{By, matrix};
use netpal::render::Format;
use netpal::render::data::json;
use netpal::render::image::matrix::MatrixView;

/// Most rows of a page: some 26 MB of markup.
const PAGE: usize = 1_000;

/// Shows what passes from every namespace or workload to every other.
///
/// # Errors
/// When the input cannot be read.
pub fn run(common: &Common, args: &Matrix) -> Result<Exit> {
    let output = Output::new(
        common,
        &[
            Format::Text,
            Format::Json,
            Format::Yaml,
            Format::Csv,
            Format::Html,
        ],
    )?;
    let workspace = Workspace::open(common)?;
    let matrix = matrix(&workspace.graph, args.by.map_or(By::Namespace, Into::into));
    let sides = matrix.sides.len();
    if output.has(Format::Html) && sides > PAGE {
        bail!(
            "a page of {sides} rows and columns is more than a browser shows ({PAGE}): take -o csv, or --by namespace"
        );
    }
    let locator = workspace.locator();
    let square = MatrixView {
        book: workspace.book(&locator),
        matrix: &matrix,
    };
    output.write(|format, out| match format {
        Format::Json => json::write("Matrix", square.json(), out),
        Format::Yaml => json::write_yaml("Matrix", square.json(), out),
        Format::Csv => square.csv(out),
        Format::Html => square.html(out),
        _ => square.text(output.style(), output.width(), out),
    })?;
    Ok(workspace.exit(common, Exit::Good))
}
