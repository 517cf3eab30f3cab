//! `netpal lint`: the mistakes people really make.

use super::args::{Common, Lint as Args};
use super::exit::Exit;
use super::output::{self, Output};
use super::workspace::{Workspace, cidrs};
use super::{ci, lint_fix, project, rule};
use anyhow::{Result, anyhow, bail};
use netpal::config::Level;
use netpal::finding::{Finding, RuleInfo, Severity};
use netpal::lint::baseline::Baseline;
use netpal::lint::config::is_known;
use netpal::lint::{LINTS, LintConfig, Linted, lint};
use netpal::render::Format;
use netpal::render::ci::{gitlab, sarif};
use netpal::render::data::findings as findings_data;
use netpal::render::data::findings::Report;
use netpal::render::data::json;
use netpal::render::text::findings;
use netpal::render::text::findings::Scope;

const ABLE: [Format; 7] = [
    Format::Text,
    Format::Json,
    Format::Yaml,
    Format::Csv,
    Format::Sarif,
    Format::Github,
    Format::Gitlab,
];

/// Looks for mistakes; with `--fix` mends those that need no thought.
///
/// # Errors
/// When a flag makes no sense, or the input or a baseline cannot be read.
pub fn run(common: &Common, args: &Args) -> Result<Exit> {
    let output = Output::new(common, &ABLE)?;
    // what is wrong with the input is told by rules of its own
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
    write(&output, &workspace, &linted, (known, common.verbose > 0))?;
    Ok(workspace.exit(common, verdict(&linted.findings, fail_on)))
}

/// What the findings end the program with.
pub fn verdict(findings: &[Finding], fail_on: Option<Severity>) -> Exit {
    let bad =
        |f: &Finding| f.suppressed.is_none() && fail_on.is_some_and(|least| f.severity >= least);
    if findings.iter().any(bad) {
        Exit::Bad
    } else {
        Exit::Good
    }
}

/// A severity of the configuration file.
fn severity(level: Level) -> Severity {
    match level {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Info => Severity::Info,
    }
}

/// Reads `--fail-on`.
///
/// # Errors
/// When it is no severity and not `never`.
pub fn fail_on(args: &Args, workspace: &Workspace) -> Result<Option<Severity>> {
    let Some(text) = &args.fail_on else {
        let level = workspace.project.config.lint.fail_on;
        return Ok(Some(level.map_or(Severity::Error, severity)));
    };
    if text == "never" {
        return Ok(None);
    }
    let word = Severity::from_word(text);
    word.map(Some)
        .ok_or_else(|| anyhow!("`--fail-on {text}`: it is one of error, warning, info, never"))
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

fn subtract(args: &Args, linted: &mut Linted) -> Result<usize> {
    let Some(path) = &args.baseline else {
        return Ok(0);
    };
    let name = path.display();
    let text = netpal::load::project::text(&path.to_string_lossy())?;
    let baseline = Baseline::read(&text).map_err(|e| anyhow!("`{name}`: {e}"))?;
    Ok(baseline.subtract(&mut linted.findings))
}

/// What the flags choose.
///
/// # Errors
/// When a rule or a severity is none.
pub fn config(common: &Common, args: &Args, workspace: &Workspace) -> Result<LintConfig> {
    let (file, cluster) = (
        &workspace.project.config.lint,
        &workspace.project.config.cluster,
    );
    let common = &workspace.project.merged(common);
    let told = |blocks: &[String]| {
        if blocks.is_empty() {
            Ok(None)
        } else {
            cidrs(blocks).map(Some)
        }
    };
    let words = |list: &[String]| list.iter().map(|w| w.as_str().into()).collect();
    let chosen =
        |flag: &[String], file: &[String]| rules(if flag.is_empty() { file } else { flag });
    let mut config = LintConfig {
        select: chosen(&args.select, &file.select)?,
        ignore: chosen(&args.ignore, &file.ignore)?,
        edges: words(&file.edges),
        ingress_controllers: words(&file.ingress_controllers),
        dns: workspace.context.dns.clone(),
        monitoring: cluster.monitoring.as_ref().map(project::pods),
        apiserver: told(&cluster.apiserver)?,
        pod_cidrs: told(&common.pod_cidrs)?,
        service_cidrs: told(&common.service_cidrs)?,
        sensitive_labels: project::requirements(&file.sensitive_labels),
        owners_edit_labels: file.owners_edit_labels,
        cni: common.cni.last().map(|c| c.as_str().into()),
        ..LintConfig::default()
    };
    if let Some(ports) = &file.sensitive_ports {
        config.sensitive_ports = LintConfig::tcp_ports(ports);
    }
    for (word, level) in &file.severity {
        let rule = rules(std::slice::from_ref(word))?;
        config
            .severity
            .extend(rule.into_iter().map(|r| (r, severity(*level))));
    }
    for (namespace, spec) in &file.per_namespace {
        config
            .per_namespace
            .push((namespace.as_str().into(), rules(&spec.ignore)?));
    }
    for text in &args.severity {
        let word = |w: &str| {
            Severity::from_word(w).ok_or_else(|| {
                anyhow!("`{w}` is not a severity: it is one of error, warning, info")
            })
        };
        match text.split_once('=') {
            None => config.least = Some(word(text)?),
            Some((rule, severity)) => {
                let rule = rules(&[rule.to_owned()])?;
                config.severity.extend(
                    rule.into_iter()
                        .map(|r| Ok((r, word(severity)?)))
                        .collect::<Result<Vec<_>>>()?,
                );
            }
        }
    }
    Ok(config)
}

fn rules(words: &[String]) -> Result<Vec<Box<str>>> {
    if let Some(unknown) = words.iter().find(|w| !is_known(w)) {
        bail!("{}", rule::unknown(unknown));
    }
    Ok(words.iter().map(|w| w.as_str().into()).collect())
}

fn write(
    output: &Output,
    workspace: &Workspace,
    linted: &Linted,
    (known, all): (usize, bool),
) -> Result<()> {
    let locator = workspace.locator();
    let rules: Vec<RuleInfo> = LINTS.iter().map(netpal::lint::Lint::info).collect();
    let folder = std::env::current_dir()
        .ok()
        .map(|d| d.to_string_lossy().into_owned());
    let report = Report {
        findings: &linted.findings,
        rules: &rules,
        locator: &locator,
        base: folder.as_deref(),
    };
    output.write(|format, out| match format {
        Format::Json => json::write("Findings", findings_data::document(&report), out),
        Format::Yaml => json::write_yaml("Findings", findings_data::document(&report), out),
        Format::Csv => findings_data::csv(&report, out),
        Format::Sarif => sarif::write(&report, out),
        Format::Gitlab => gitlab::write(&report, out),
        Format::Github => ci::annotate(&report, out),
        _ => findings::write(
            &report,
            &scope(workspace, linted, known),
            &linted.hidden,
            (output.style(), all),
            out,
        ),
    })
}

fn scope(workspace: &Workspace, linted: &Linted, known: usize) -> Scope {
    let cluster = &workspace.input.cluster;
    Scope {
        policies: workspace.input.policies.policies.len(),
        workloads: cluster.workloads().len(),
        namespaces: cluster.namespaces().len(),
        ran: linted.ran,
        idle: linted.idle.len(),
        known,
    }
}
