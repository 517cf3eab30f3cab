//! What the flags and the configuration choose of lint, and what its findings end the program with.

use super::args::{Common, LintArgs};
use super::exit::Exit;
use super::options::given_cidrs;
use super::workspace::Workspace;
use super::{project, rule};
use anyhow::{Result, anyhow, bail};
use netpal::{
    ConfiguredSeverity, Finding, IpSet, LintConfig, Severity, api_servers, is_known_rule,
};

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
fn severity(level: ConfiguredSeverity) -> Severity {
    match level {
        ConfiguredSeverity::Error => Severity::Error,
        ConfiguredSeverity::Warning => Severity::Warning,
        ConfiguredSeverity::Info => Severity::Info,
    }
}

/// Reads `--fail-on`.
///
/// # Errors
/// When it is no severity and not `never`.
pub fn fail_on(args: &LintArgs, workspace: &Workspace) -> Result<Option<Severity>> {
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

/// What the flags choose.
///
/// # Errors
/// When a rule or a severity is none.
pub fn config(common: &Common, args: &LintArgs, workspace: &Workspace) -> Result<LintConfig> {
    let (file, cluster) = (
        &workspace.project.config.lint,
        &workspace.project.config.cluster,
    );
    let common = &workspace.project.merged(common);
    let words = |list: &[String]| list.iter().map(|w| w.as_str().into()).collect();
    let chosen =
        |flag: &[String], file: &[String]| rules(if flag.is_empty() { file } else { flag });
    let mut config = LintConfig {
        select: chosen(&args.select, &file.select)?,
        ignore: chosen(&args.ignore, &file.ignore)?,
        edges: words(&file.edges),
        dns: workspace.names.dns.clone(),
        monitoring: cluster.monitoring.as_ref().map(project::pods),
        apiserver: api_server_blocks(workspace),
        pod_cidrs: given_cidrs(&common.pod_cidrs)?,
        service_cidrs: given_cidrs(&common.service_cidrs)?,
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

/// The addresses of the API server, where they are told.
fn api_server_blocks(workspace: &Workspace) -> Option<IpSet> {
    let told = api_servers(&workspace.input.cluster, &workspace.names);
    (!told.is_empty()).then(|| IpSet::from_cidrs(told.into_iter().map(|at| at.block)))
}

fn rules(words: &[String]) -> Result<Vec<Box<str>>> {
    if let Some(unknown) = words.iter().find(|w| !is_known_rule(w)) {
        bail!("{}", rule::unknown(unknown));
    }
    Ok(words.iter().map(|w| w.as_str().into()).collect())
}
