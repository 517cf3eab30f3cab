//! `netpal snapshot`: the allow-graph as a text that is kept in git, and whether it is still that.

use super::args::{Common, FailOn, Snapshot as Args};
use super::exit::Exit;
use super::output;
use super::workspace::Workspace;
use anyhow::{Result, anyhow};
use netpal::AllowGraph;
use netpal::load::project;
use netpal::snapshot::Snapshot;

const DEFAULT: &str = "netpal.snap";

/// Prints, writes or checks the snapshot.
///
/// # Errors
/// When the input or the snapshot cannot be read, or the file cannot be written.
pub fn run(common: &Common, args: &Args) -> Result<Exit> {
    let workspace = Workspace::open(common)?;
    let configured = workspace
        .project
        .config
        .snapshot
        .path
        .as_deref()
        .map(|p| workspace.project.path(p));
    let path = args
        .path
        .clone()
        .or(configured)
        .unwrap_or_else(|| DEFAULT.to_owned());
    if args.check {
        return check(common, &workspace, &path, args.fail_on);
    }
    let text = Snapshot::new(&workspace.graph).text(&cni(common, &workspace));
    if args.update {
        output::whole_file(std::path::Path::new(&path), text.as_bytes())?;
    } else if !common.quiet {
        output::plain(text.as_bytes())?;
    }
    Ok(workspace.exit(common, Exit::Good))
}

/// The profile the snapshot is taken under, as it is named in its first line.
fn cni(common: &Common, workspace: &Workspace) -> String {
    let name = common
        .cni
        .last()
        .or(workspace.project.config.cluster.cni.as_ref());
    name.map_or_else(|| "generic".to_owned(), Clone::clone)
}

fn check(common: &Common, workspace: &Workspace, path: &str, fail_on: FailOn) -> Result<Exit> {
    let now = Snapshot::new(&workspace.graph);
    let kept = read(path).map_err(|e| anyhow!("{e}\n       write it: netpal snapshot --update"))?;
    let drift = kept.drift(&now);
    if !common.quiet {
        let mut text = format!(
            "snapshot {path}: {} widened, {} narrowed\n",
            drift.added.len(),
            drift.removed.len()
        );
        for line in drift.lines() {
            text.push_str("  ");
            text.push_str(&netpal::render::words::clean(&line));
            text.push('\n');
        }
        output::plain(text.as_bytes())?;
    }
    let fails = match fail_on {
        FailOn::None => false,
        FailOn::Any => !drift.is_empty(),
        FailOn::Widened => !drift.added.is_empty(),
        FailOn::Narrowed => !drift.removed.is_empty(),
    };
    Ok(workspace.exit(common, if fails { Exit::Bad } else { Exit::Good }))
}

fn read(path: &str) -> Result<Snapshot, String> {
    let text = project::text(path).map_err(|e| e.to_string())?;
    Snapshot::parse(&text).map_err(|e| format!("`{path}` is no snapshot: {e}"))
}

/// The lines by which an allow-graph differs from a snapshot.
///
/// # Errors
/// When there is no such snapshot.
pub fn drift(workspace: &Workspace, graph: &AllowGraph, path: &str) -> Result<Vec<String>, String> {
    let kept = read(&workspace.project.path(path))?;
    Ok(kept.drift(&Snapshot::new(graph)).lines())
}
