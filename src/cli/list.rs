//! `netpal list`: the allow-graph as a table.

use super::args::{Common, ListArgs};
use super::asked::{endpoint, helped};
use super::exit::Exit;
use super::output::Output;
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::{End, Format, ListFilter, ListingView, WorkloadId, resolve};

/// Lists who may send what to whom.
///
/// # Errors
/// When an end is unknown, or the input cannot be read.
pub fn run(common: &Common, args: &ListArgs) -> Result<Exit> {
    let output = Output::of::<ListingView<'_>>(common)?;
    let workspace = Workspace::open(common)?;
    let ends = |text: &Option<String>| {
        text.as_deref()
            .map(|t| workloads(&workspace, t))
            .transpose()
    };
    let filter = ListFilter {
        from: ends(&args.from)?,
        to: ends(&args.to)?,
        all: args.all,
    };
    let narrowed = args.from.is_some() || args.to.is_some();
    let formats = [Format::Text, Format::Json, Format::Yaml];
    let potential = (formats.iter().any(|f| output.writes(*f)) && !narrowed)
        .then(|| workspace.potential_rows(common))
        .transpose()?;
    let view = ListingView {
        potential: potential.as_ref(),
        filter: &filter,
        from: args.from.as_deref(),
        to: args.to.as_deref(),
    };
    output.render(&view, &workspace.context(&workspace.locator()))?;
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
    let resolved = resolve(&workspace.input.cluster, &workspace.names, &spec).map_err(helped)?;
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
