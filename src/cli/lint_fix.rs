//! `netpal lint --fix`: mends what needs no thought, proves it, and shows what changes for the
//! traffic.
//!
//! The changed texts are read, compiled and linted again before a byte is written: a fix whose
//! finding is still there, or that makes a new error, is left out.

use super::args::{Common, LintArgs};
use super::exit::Exit;
use super::lint_options::{fail_on, verdict};
use super::workspace::Workspace;
use super::{diff_remarks, output};
use anyhow::{Result, bail};
use netpal::{
    AppliedFixes, Diff, DiffRemarks, Finding, FixView, FixedFile, FixedTraffic, LintConfig,
    LintContext, Linted, Locator, Severity, Source, apply_fixes, diff_in, identities, lint,
};

/// What the changed texts come to.
struct FixedState {
    workspace: Workspace,
    linted: Linted,
}

/// Fixes, or with `--dry-run` shows the changes.
///
/// # Errors
/// When the input is not plain files, or a file cannot be written.
pub fn run(
    common: &Common,
    args: &LintArgs,
    workspace: &Workspace,
    config: &LintConfig,
) -> Result<Exit> {
    if common.live || !common.kustomize.is_empty() || !common.overlay.is_empty() {
        bail!("--fix changes files: give them with -f, without -k, --live or --overlay");
    }
    let before = lint(&workspace.input, &workspace.graph, config);
    let facts = LintContext::new(&workspace.input, &workspace.graph, config);
    let (applied, after) = proven(common, workspace, config, &facts, &before)?;
    let files = fixed_files(workspace, &applied);
    if !args.dry_run {
        for file in &files {
            writable(&file.name)?;
            output::whole_file(std::path::Path::new(&file.name), file.after.as_bytes())?;
        }
    }
    let findings = after
        .as_ref()
        .map_or(&before.findings, |after| &after.linted.findings);
    let locator = workspace.locator();
    let context = workspace.context(&locator);
    let change = after
        .as_ref()
        .map(|after| FixChange::new(common, workspace, &after.workspace))
        .transpose()?;
    let view = FixView {
        files,
        fixed: applied.fixed.iter().map(|i| &before.findings[*i]).collect(),
        traffic: change.as_ref().map(|change| FixedTraffic {
            diff: &change.diff,
            before: context,
            after: change.after.context(&change.locator),
            remarks: &change.remarks,
        }),
        left: findings.iter().filter(|f| f.suppressed.is_none()).count(),
        dry_run: args.dry_run,
    };
    output::print(&view, &context)?;
    Ok(workspace.exit(common, verdict(findings, fail_on(args, workspace)?)))
}

/// What fixes change for the traffic.
struct FixChange<'a> {
    after: &'a Workspace,
    locator: Locator<'a>,
    diff: Diff,
    remarks: DiffRemarks,
}

impl<'a> FixChange<'a> {
    fn new(common: &Common, before: &Workspace, after: &'a Workspace) -> Result<Self> {
        let diff = diff_in(before.side(), after.side(), after.world)?;
        let locator = after.locator();
        let remarks = diff_remarks::remarks(common, before, after, &diff);
        Ok(Self {
            after,
            locator,
            diff,
            remarks,
        })
    }
}

/// The files that the fixes change.
fn fixed_files(workspace: &Workspace, applied: &AppliedFixes) -> Vec<FixedFile> {
    applied
        .files
        .iter()
        .filter_map(|changed| fixed_file(workspace, changed))
        .collect()
}

fn fixed_file(workspace: &Workspace, changed: &netpal::ChangedFile) -> Option<FixedFile> {
    let file = workspace.input.sources.file(changed.file)?;
    Some(FixedFile {
        name: file.name.to_string(),
        before: file.text.whole().to_string(),
        after: changed.text.clone(),
    })
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
    facts: &LintContext<'_>,
    before: &Linted,
) -> Result<(AppliedFixes, Option<FixedState>)> {
    let mut findings: Vec<Finding> = before.findings.clone();
    findings
        .iter_mut()
        .filter(|f| f.suppressed.is_some())
        .for_each(|f| f.fix = None);
    loop {
        let applied = apply_fixes(facts, &findings);
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
    applied: &AppliedFixes,
    before: &Linted,
    after: &Linted,
) -> Vec<usize> {
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

fn errors(linted: &Linted) -> usize {
    linted
        .findings
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .count()
}

fn again(
    common: &Common,
    workspace: &Workspace,
    config: &LintConfig,
    applied: &AppliedFixes,
) -> Result<FixedState> {
    let files = workspace.input.sources.files().iter().enumerate();
    let files = files.map(|(i, file)| {
        let changed = applied.files.iter().find(|c| c.file.0 as usize == i);
        let text = changed.map_or_else(|| file.text.whole(), |c| c.text.as_str().into());
        Source::Text(file.name.clone(), text.into())
    });
    let workspace = workspace.rewritten(common, &files.collect::<Vec<_>>())?;
    let linted = lint(&workspace.input, &workspace.graph, config);
    Ok(FixedState { workspace, linted })
}
