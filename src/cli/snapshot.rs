//! `netpal snapshot`: the allow-graph as a text that is kept in git, and whether it is still that.

use super::args::{Common, FailOn, SnapshotArgs};
use super::exit::Exit;
use super::output::Output;
use super::workspace::Workspace;
use anyhow::{Result, anyhow};
use netpal::{AllowGraph, DriftView, Format, Render, Snapshot, SnapshotView, read_text};

const DEFAULT: &str = "netpal.snap";

/// Prints, writes or checks the snapshot.
///
/// # Errors
/// When the input or the snapshot cannot be read, or the file cannot be written.
pub fn run(common: &Common, args: &SnapshotArgs) -> Result<Exit> {
    let output = output(common, args)?;
    let workspace = Workspace::open(common)?;
    let configured = workspace
        .project
        .config
        .snapshot
        .path
        .as_deref()
        .map(|p| workspace.project.path(p))
        .transpose()?;
    let path = args
        .path
        .clone()
        .or(configured)
        .unwrap_or_else(|| DEFAULT.to_owned());
    if args.check {
        return check(common, &workspace, (&path, args.fail_on), &output);
    }
    let snapshot = workspace.snapshot(&workspace.graph)?;
    let view = SnapshotView {
        snapshot: &snapshot,
        cni: &workspace.cni(common),
    };
    let locator = workspace.locator();
    let context = workspace.context(&locator);
    if args.update {
        let mut bytes = Vec::new();
        view.write(Format::Text, &context, &mut bytes)?;
        super::output::whole_file(std::path::Path::new(&path), &bytes)?;
    } else if !common.quiet {
        output.render(&view, &context)?;
    }
    Ok(workspace.exit(common, Exit::Good))
}

/// Where the answer goes: the formats of a check, or of a snapshot.
///
/// # Errors
/// When a format is none of these.
fn output(common: &Common, args: &SnapshotArgs) -> Result<Output> {
    if args.check {
        Output::of::<DriftView<'_>>(common)
    } else {
        Output::of::<SnapshotView<'_>>(common)
    }
}

fn check(
    common: &Common,
    workspace: &Workspace,
    (path, fail_on): (&str, FailOn),
    output: &Output,
) -> Result<Exit> {
    let now = workspace.snapshot(&workspace.graph)?;
    let told = |e| anyhow!("{e}\n       write it: netpal snapshot --update");
    let text = read_text(path).map_err(|e| told(e.to_string()))?;
    let drift = parsed(path, &text).map_err(told)?.drift(&now);
    let view = DriftView {
        path,
        kept: &text,
        drift: &drift,
    };
    output.render(&view, &workspace.context(&workspace.locator()))?;
    let fails = match fail_on {
        FailOn::None => false,
        FailOn::Any => !drift.is_empty(),
        FailOn::Widened => !drift.added.is_empty(),
        FailOn::Narrowed => !drift.removed.is_empty(),
    };
    Ok(workspace.exit(common, if fails { Exit::Bad } else { Exit::Good }))
}

fn read(path: &str) -> Result<Snapshot, String> {
    let text = read_text(path).map_err(|e| e.to_string())?;
    parsed(path, &text)
}

fn parsed(path: &str, text: &str) -> Result<Snapshot, String> {
    Snapshot::parse(text).map_err(|e| format!("`{path}` is no snapshot: {e}"))
}

/// The lines by which an allow-graph differs from a snapshot.
///
/// # Errors
/// When there is no such snapshot.
pub fn drift(workspace: &Workspace, graph: &AllowGraph, path: &str) -> Result<Vec<String>, String> {
    let path = workspace.project.path(path).map_err(|e| e.to_string())?;
    let kept = read(&path)?;
    let now = workspace.snapshot(graph).map_err(|e| e.to_string())?;
    Ok(kept.drift(&now).lines())
}
