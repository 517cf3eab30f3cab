//! `netpal list`: the allow-graph as a table.

use super::args::{Common, List};
use super::can::{endpoint, helped};
use super::exit::Exit;
use super::output::Output;
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::model::WorkloadId;
use netpal::query::End;
use netpal::query::ask::resolve;
use netpal::query::list::listing::Filter;
use netpal::render::Format;
use netpal::render::data::{csv, json};
use netpal::render::text::writer::Text;

/// Lists who may send what to whom.
///
/// # Errors
/// When an end is unknown, or the input cannot be read.
pub fn run(common: &Common, args: &List) -> Result<Exit> {
    let output = Output::new(
        common,
        &[Format::Text, Format::Json, Format::Yaml, Format::Csv],
    )?;
    let workspace = Workspace::open(common)?;
    let ends = |text: &Option<String>| {
        text.as_deref()
            .map(|t| workloads(&workspace, t))
            .transpose()
    };
    let filter = Filter {
        from: ends(&args.from)?,
        to: ends(&args.to)?,
        all: args.all,
    };
    let locator = workspace.locator();
    let book = workspace.book(&locator);
    output.write(|format, out| match format {
        Format::Json => json::write("List", json::listing(book, &filter), out),
        Format::Yaml => json::write_yaml("List", json::listing(book, &filter), out),
        Format::Csv => csv::listing(book, &filter, out),
        _ => {
            let text = Text {
                book,
                style: output.style(),
                width: output.width(),
            };
            text.listing(&filter, args.from.as_deref(), args.to.as_deref(), out)
        }
    })?;
    Ok(workspace.exit(common, Exit::Good))
}

/// The workloads of an endpoint.
///
/// # Errors
/// When it is none, or names addresses or ports.
pub fn workloads(workspace: &Workspace, text: &str) -> Result<Vec<WorkloadId>> {
    let spec = endpoint(text)?;
    if spec.ports.is_some() {
        bail!("`{text}`: list takes ends without ports");
    }
    let resolved =
        resolve::resolve(&workspace.input.cluster, &workspace.context, &spec).map_err(helped)?;
    let mut found = Vec::new();
    for end in &resolved.ends {
        match end {
            End::Pods { workload, .. } => found.push(*workload),
            End::Addresses { .. } => {
                bail!("`{text}`: list takes workloads; ask about addresses with netpal can")
            }
        }
    }
    Ok(found)
}
