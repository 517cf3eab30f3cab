//! `netpal graph`: the picture.

use super::args::{Common, Graph};
use super::exit::Exit;
use super::list::workloads;
use super::output::Output;
use super::report;
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::picture::{Drawing, Facts, Hide, Level, Options};
use netpal::render::Format;
use netpal::render::image::{dot, mermaid, picture, svg};

/// Draws who may reach whom.
///
/// # Errors
/// When a focus is unknown, or the input cannot be read.
pub fn run(common: &Common, args: &Graph) -> Result<Exit> {
    let output = Output::new(
        common,
        &[Format::Text, Format::Dot, Format::Svg, Format::Mermaid],
    )?;
    let workspace = Workspace::open(common)?;
    let options = options(&workspace, args)?;
    let mut facts = report::facts(&workspace);
    if let Some(before) = &args.before {
        facts = Facts::compare(&report::facts(&report::state(common, before)?), &facts);
    }
    let drawing = || Drawing::new(&facts, &options);
    let plain = args.level.is_none() && args.focus.is_empty();
    output.write(|format, out| match format {
        Format::Dot => dot::write(&drawing(), out),
        Format::Svg => svg::write(&drawing(), out),
        Format::Mermaid => mermaid::write(&drawing(), out),
        _ if plain => {
            let coarse = Drawing::new(
                &facts,
                &Options {
                    level: Level::Namespace,
                    ..options.clone()
                },
            );
            picture::write(&coarse, output.style(), out)
        }
        _ => picture::write(&drawing(), output.style(), out),
    })?;
    Ok(workspace.exit(common, Exit::Good))
}

/// The options of the flags.
fn options(workspace: &Workspace, args: &Graph) -> Result<Options> {
    let mut focus = Vec::new();
    let cluster = &workspace.input.cluster;
    for text in &args.focus {
        focus.extend(
            workloads(workspace, text)?
                .into_iter()
                .map(|id| Facts::key(cluster, id)),
        );
    }
    Ok(Options {
        level: args.level.map_or(Level::Auto, Into::into),
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
