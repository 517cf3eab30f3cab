//! `netpal critical`: what every way between two leads through, and the smallest cut.

use super::args::{Common, CriticalArgs};
use super::exit::Exit;
use super::output::Output;
use super::search_ends::{doors_from, opened, root};
use anyhow::{Result, bail};
use netpal::{CriticalView, IpSet, PathEnds, critical, rule_cut};

/// The cut of `reach --cut` and `who --cut`.
///
/// # Errors
/// When an end is unknown, or the input cannot be read.
pub fn between(common: &Common, source: &str, target: &str) -> Result<Exit> {
    let args = CriticalArgs {
        source: source.to_owned(),
        target: target.to_owned(),
        nodes: false,
        rules: false,
    };
    run(common, &args)
}

/// Looks for the chokepoints between two ends.
///
/// # Errors
/// When an end is unknown, or the input cannot be read.
pub fn run(common: &Common, args: &CriticalArgs) -> Result<Exit> {
    let output = Output::of::<CriticalView<'_>>(common)?;
    let workspace = opened(common, &[&args.source, &args.target])?;
    let mut source = root(&workspace, &args.source)?;
    let target = root(&workspace, &args.target)?;
    let doors = doors_from(&workspace, &args.source, &source)?;
    if doors.is_some() {
        source.addresses = IpSet::empty();
    }
    if target.pods.is_empty() {
        bail!("`{}`: ways lead to workloads and Services", args.target);
    }
    let ends = PathEnds {
        sources: source.pods,
        addresses: source.addresses,
        doors,
        targets: target.pods,
        asked: target.asked,
        through_nodes: args.nodes,
    };
    let found = critical(&workspace.input, &workspace.graph, &ends);
    let rules = args
        .rules
        .then(|| rule_cut(&workspace.input, &workspace.graph, &ends));
    let view = CriticalView {
        ends: [&source.name, &target.name],
        critical: &found,
        rules: rules.as_ref(),
        doors: ends.doors.as_ref(),
    };
    output.render(&view, &workspace.context(&workspace.locator()))?;
    Ok(workspace.exit(common, Exit::Good))
}
