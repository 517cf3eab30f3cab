//! `netpal graph`: the picture.

use super::args::{Common, GraphArgs};
use super::asked::ports;
use super::exit::Exit;
use super::list::workloads;
use super::output::Output;
use super::report;
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::{DetailLevel, DrawOptions, GraphView, Hide, PictureFacts};

/// Draws who may reach whom.
///
/// # Errors
/// When a focus is unknown, or the input cannot be read.
pub fn run(common: &Common, args: &GraphArgs) -> Result<Exit> {
    let output = Output::of::<GraphView<'_>>(common)?;
    let workspace = Workspace::open(common)?;
    let options = options(&workspace, args)?;
    let mut facts = workspace.picture_facts(common)?;
    if let Some(before) = &args.before {
        let before = report::state(common, before)?.picture_facts(common)?;
        facts = PictureFacts::compare(&before, &facts);
    }
    if let Some(text) = &args.port {
        facts = facts.on_ports(&ports(text)?);
    }
    let view = GraphView {
        facts: &facts,
        options: &options,
    };
    output.render(&view, &workspace.context(&workspace.locator()))?;
    Ok(workspace.exit(common, Exit::Good))
}

/// The options of the flags.
fn options(workspace: &Workspace, args: &GraphArgs) -> Result<DrawOptions> {
    let mut focus = Vec::new();
    let cluster = &workspace.input.cluster;
    for text in &args.focus {
        focus.extend(
            workloads(workspace, text)?
                .into_iter()
                .map(|id| PictureFacts::key(cluster, id)),
        );
    }
    Ok(DrawOptions {
        level: args.level.map_or(DetailLevel::Auto, Into::into),
        focus,
        hops: args.hops,
        only_changed: args.only_changed,
        hide: hide(&args.hide)?,
    })
}

/// What `--hide` names.
fn hide(names: &[String]) -> Result<Hide> {
    if names.is_empty() {
        return Ok(Hide::default());
    }
    let mut hide = Hide {
        dns: false,
        monitoring: false,
        internet: false,
    };
    for name in names {
        match name.as_str() {
            "dns" => hide.dns = true,
            "monitoring" => hide.monitoring = true,
            "internet" => hide.internet = true,
            "none" => {}
            _ => bail!("`--hide {name}`: what can be hidden is dns, monitoring, internet, or none"),
        }
    }
    Ok(hide)
}
