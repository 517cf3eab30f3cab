//! `netpal inputs`: what was read, what was skipped, what was assumed.

use super::args::Common;
use super::exit::Exit;
use super::output;
use super::output::Output;
use super::workspace::Workspace;
use anyhow::Result;
use netpal::{InputsView, ProposedKindsView, ProposedPodsView, proposed_kinds, proposed_pods};

/// Tells what was read. Every document that could not be read is named.
///
/// # Errors
/// When nothing can be read at all.
pub fn run(common: &Common) -> Result<Exit> {
    let output = Output::of::<InputsView>(common)?;
    let all = Common {
        verbose: common.verbose.max(1),
        ..common.clone()
    };
    let workspace = Workspace::open(&all)?;
    let locator = workspace.locator();
    let context = workspace.context(&locator).verbose(common.verbose > 0);
    output.render(&InputsView, &context)?;
    Ok(workspace.exit(common, Exit::Good))
}

/// Proposes rows for kinds of custom resources that were passed over.
///
/// # Errors
/// When nothing can be read at all.
pub fn init_workloads(common: &Common) -> Result<Exit> {
    let workspace = Workspace::open(common)?;
    let locator = workspace.locator();
    let proposed = proposed_kinds(&workspace.input);
    output::print(&ProposedKindsView(&proposed), &workspace.context(&locator))?;
    Ok(workspace.exit(common, Exit::Good))
}

/// Proposes pods to assume.
///
/// # Errors
/// When nothing can be read at all.
pub fn init_assume(common: &Common) -> Result<Exit> {
    let workspace = Workspace::open(common)?;
    let locator = workspace.locator();
    let proposed = proposed_pods(&workspace.input);
    output::print(&ProposedPodsView(&proposed), &workspace.context(&locator))?;
    Ok(workspace.exit(common, Exit::Good))
}
