//! `netpal lint`: the mistakes people really make.

use super::args::{Common, LintArgs};
use super::exit::Exit;
use super::lint_options::{config, fail_on, verdict};
use super::output::{self, Output};
use super::workspace::Workspace;
use super::{ci, lint_fix};
use anyhow::{Result, anyhow};
use netpal::{Baseline, LintView, Linted, lint};

/// Looks for mistakes; with `--fix` mends those that need no thought.
///
/// # Errors
/// When a flag makes no sense, or the input or a baseline cannot be read.
pub fn run(common: &Common, args: &LintArgs) -> Result<Exit> {
    let output = Output::of::<LintView<'_>>(common)?;
    // rules of their own report what is wrong with the input
    let workspace = Workspace::open(&Common {
        quiet: true,
        ..common.clone()
    })?;
    let config = config(common, args, &workspace)?;
    let fail_on = fail_on(args, &workspace)?;
    if args.fix {
        return lint_fix::run(common, args, &workspace, &config);
    }
    let mut linted = lint(&workspace.input, &workspace.graph, &config);
    if let Some(path) = &args.write_baseline {
        return write_baseline(path, &linted);
    }
    let known = subtract(args, &mut linted)?;
    let view = LintView {
        linted: &linted,
        known,
    };
    let locator = workspace.locator();
    let context = workspace.context(&locator);
    output.render(&view, &context)?;
    ci::step_summary(&output, || view.findings(), &context)?;
    Ok(workspace.exit(common, verdict(&linted.findings, fail_on)))
}

fn write_baseline(path: &std::path::Path, linted: &Linted) -> Result<Exit> {
    let baseline = Baseline::of(&linted.findings);
    let mut bytes = serde_json::to_vec_pretty(&baseline)?;
    bytes.push(b'\n');
    output::whole_file(path, &bytes)?;
    let count = baseline.known.len();
    output::remark(&format!(
        "{count} known findings written; from now on: netpal lint --baseline {}",
        path.display()
    ));
    Ok(Exit::Good)
}

fn subtract(args: &LintArgs, linted: &mut Linted) -> Result<usize> {
    let Some(path) = &args.baseline else {
        return Ok(0);
    };
    let name = path.display();
    let text = netpal::read_text(&path.to_string_lossy())?;
    let baseline = Baseline::read(&text).map_err(|e| anyhow!("`{name}`: {e}"))?;
    Ok(baseline.subtract(&mut linted.findings))
}
