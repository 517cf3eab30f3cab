//! `netpal lint --fix`: mends what needs no thought, proves it, and shows what changes for the
//! traffic.
//!
//! The changed texts are read, compiled and linted again before a byte is written: a fix whose
//! finding is still there, or that makes a new error, is left out.

use super::args::{Common, Lint as Args};
use super::exit::Exit;
use super::lint::{fail_on, verdict};
use super::output;
use super::workspace::{self, Workspace};
use anyhow::{Result, bail};
use netpal::finding::{Finding, Severity, identities};
use netpal::lint::fix::{Applied, apply};
use netpal::lint::{LintConfig, LintContext, Linted, lint};
use netpal::load::{Source, load_sources};
use netpal::query::list::listing::{Filter, summary};
use netpal::render::data::csv;
use netpal::tree::Locator;
use netpal::{AllowGraph, Input};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What the changed texts come to.
struct After {
    input: Input,
    graph: AllowGraph,
    linted: Linted,
}

/// Fixes, or with `--dry-run` shows the changes.
///
/// # Errors
/// When the input is not plain files, or a file cannot be written.
pub fn run(
    common: &Common,
    args: &Args,
    workspace: &Workspace,
    config: &LintConfig,
) -> Result<Exit> {
    if common.live || !common.kustomize.is_empty() || !common.overlay.is_empty() {
        bail!("--fix changes files: give them with -f, without -k, --live or --overlay");
    }
    let before = lint(&workspace.input, &workspace.graph, config);
    let context = LintContext::new(&workspace.input, &workspace.graph, config);
    let (applied, after) = proven(common, workspace, config, &context, &before)?;
    let mut text = String::new();
    for changed in &applied.files {
        let Some(file) = workspace.input.sources.file(changed.file) else {
            continue;
        };
        if !args.dry_run {
            writable(&file.name)?;
            output::whole_file(std::path::Path::new(&*file.name), changed.text.as_bytes())?;
        }
        changes(&mut text, &file.name, &file.text.whole(), &changed.text);
    }
    for i in &applied.fixed {
        let finding = &before.findings[*i];
        let _ = writeln!(
            text,
            "{} {} {}: {}",
            done(args),
            finding.rule,
            finding.name,
            finding.message
        );
    }
    match &after {
        Some(after) => traffic(&mut text, workspace, after),
        None => text.push_str("no verdict changes\n"),
    }
    let findings = after
        .as_ref()
        .map_or(&before.findings, |after| &after.linted.findings);
    let left = findings.iter().filter(|f| f.suppressed.is_none()).count();
    let _ = writeln!(
        text,
        "{} {}, {left} findings left",
        done(args),
        plural(applied.fixed.len())
    );
    output::plain(netpal::render::words::clean_lines(&text).as_bytes())?;
    output::plain(b"\n")?;
    Ok(workspace.exit(common, verdict(findings, fail_on(args, workspace)?)))
}

fn done(args: &Args) -> &'static str {
    if args.dry_run { "would fix" } else { "fixed" }
}

fn plural(n: usize) -> String {
    if n == 1 {
        "1 finding".into()
    } else {
        format!("{n} findings")
    }
}

fn writable(name: &str) -> Result<()> {
    if name.starts_with('<') || name.starts_with("git:") {
        bail!("`{name}` is not a file that can be changed");
    }
    Ok(())
}

/// The fixes that stand the test, and what comes of them; where none does, nothing comes of them.
fn proven(
    common: &Common,
    workspace: &Workspace,
    config: &LintConfig,
    context: &LintContext<'_>,
    before: &Linted,
) -> Result<(Applied, Option<After>)> {
    let mut findings: Vec<Finding> = before.findings.clone();
    findings
        .iter_mut()
        .filter(|f| f.suppressed.is_some())
        .for_each(|f| f.fix = None);
    loop {
        let applied = apply(context, &findings);
        if applied.fixed.is_empty() {
            return Ok((applied, None));
        }
        let after = again(common, workspace, config, &applied)?;
        let failed = unproven(&findings, &applied, before, &after.linted);
        if failed.is_empty() {
            return Ok((applied, Some(after)));
        }
        for i in failed {
            findings[i].fix = None;
        }
    }
}

/// The fixed findings that are still there; all of them when there is a new error.
fn unproven(
    findings: &[Finding],
    applied: &Applied,
    before: &Linted,
    after: &Linted,
) -> Vec<usize> {
    let errors = |l: &Linted| {
        l.findings
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .count()
    };
    if errors(after) > errors(before) {
        return applied.fixed.clone();
    }
    let (ids, left) = (identities(findings), identities(&after.findings));
    applied
        .fixed
        .iter()
        .copied()
        .filter(|i| left.contains(&ids[*i]))
        .collect()
}

fn again(
    common: &Common,
    workspace: &Workspace,
    config: &LintConfig,
    applied: &Applied,
) -> Result<After> {
    let files = workspace
        .input
        .sources
        .files()
        .iter()
        .enumerate()
        .map(|(i, file)| {
            let changed = applied.files.iter().find(|c| c.file.0 as usize == i);
            let text = changed.map_or_else(|| file.text.whole(), |c| c.text.as_str().into());
            Source::Text(file.name.clone(), text.into())
        });
    let files: Vec<Source> = files.collect();
    let input = load_sources(&files, &[], &workspace::load_options(common))?;
    let graph = AllowGraph::compile(&input, &workspace::options(common)?)?;
    let linted = lint(&input, &graph, config);
    Ok(After {
        input,
        graph,
        linted,
    })
}

/// The changed lines of a file.
fn changes(text: &mut String, name: &str, before: &str, after: &str) {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let _ = writeln!(text, "--- {name}");
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if old.get(i) == new.get(j) {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let gone = (1..8).find(|k| old.get(i + k).is_some_and(|l| new.get(j) == Some(l)));
        let come = (1..8).find(|k| new.get(j + k).is_some_and(|l| old.get(i) == Some(l)));
        let (gone, come) = match (gone, come) {
            (_, Some(come)) => (0, come),
            (Some(gone), None) => (gone, 0),
            (None, None) => (1, 1),
        };
        for (k, line) in old.iter().enumerate().skip(i).take(gone) {
            let _ = writeln!(text, "{:>5} - {line}", k + 1);
        }
        for (k, line) in new.iter().enumerate().skip(j).take(come) {
            let _ = writeln!(text, "{:>5} + {line}", k + 1);
        }
        (i, j) = (i + gone, j + come);
    }
}

/// What the fixes change for the traffic.
fn traffic(text: &mut String, workspace: &Workspace, after: &After) {
    let (old, new) = (
        flows(&workspace.input, &workspace.graph),
        flows(&after.input, &after.graph),
    );
    if old == new {
        text.push_str("no verdict changes\n");
        return;
    }
    text.push_str("what changes for the traffic:\n");
    for flow in new.difference(&old) {
        let _ = writeln!(text, "  + {flow}");
    }
    for flow in old.difference(&new) {
        let _ = writeln!(text, "  - {flow}");
    }
}

/// Every allowed flow with a governed end, and who is open.
fn flows(input: &Input, graph: &AllowGraph) -> BTreeSet<String> {
    let locator = Locator::new(&input.sources);
    let book = netpal::render::RenderContext {
        input,
        graph,
        locator: &locator,
    };
    let mut bytes = Vec::new();
    // INVARIANT: a vector takes every write
    let _ = csv::listing(book, &Filter::default(), &mut bytes);
    let table = String::from_utf8_lossy(&bytes).into_owned();
    let line = |l: &str| {
        let cells: Vec<&str> = l.splitn(3, ',').collect();
        format!(
            "{} -> {} {}",
            cells[0],
            cells.get(1).unwrap_or(&""),
            cells.get(2).unwrap_or(&"").replace(",,false", "")
        )
    };
    let mut flows: BTreeSet<String> = table.lines().skip(1).map(line).collect();
    let open = summary(graph, &Filter::default());
    let name = |w: &netpal::model::WorkloadId| input.cluster.workload_name(*w);
    flows.extend(
        open.open_in
            .iter()
            .map(|w| format!("{} accepts from anyone", name(w))),
    );
    flows.extend(
        open.open_out
            .iter()
            .map(|w| format!("{} may send anywhere", name(w))),
    );
    flows
}
