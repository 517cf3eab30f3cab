//! Lint: the mistakes that people make in network policies, each with its place and, where there is
//! one, its fix.
//!
//! One file per rule in [`rules`]; its `//!` comment is its page (`netpal rule NP004`).
//! [`registry`] is the table of rules, [`context`] answers what they ask of the input, [`reporter`]
//! collects what they find. What several rules share is in files of its own: [`peers`],
//! [`ports`], [`addresses`], [`selectors`], [`near_miss`], [`intended_traffic`], [`coverage`], and
//! [`algebra`] for containment of selectors, peers and rules in every possible cluster.
//!
//! Phases of [`lint`]: run every rule that is selected ([`LintConfig::runs`]); leave out what a
//! better finding explains ([`keep_best_explanations`]), and the advice to remove what is to be
//! mended ([`keep_what_is_to_be_mended`]); apply the suppressions and report the
//! unused ones ([`suppress::cover`]); merge the notes about copies of one policy
//! ([`copies::merge`]); set the configured severities ([`set_severities`]); sort.
//!
//! Invariants: one finding per cause; a heuristic names the facts that it rests on; where the
//! answer depends on pods or labels that the input does not hold, a rule is silent or says so.
//! Cost: O(policies + pods + pairs that share a namespace); never policies x policies or pods x
//! pods of the whole cluster.

mod addresses;
pub mod algebra;
pub mod baseline;
pub mod config;
pub mod context;
mod copies;
mod coverage;
mod dns;
mod elsewhere;
pub mod fix;
mod intended_traffic;
mod label_index;
mod loader_diagnostics;
mod near_miss;
mod peers;
mod ports;
mod redundancy;
pub mod registry;
pub mod reporter;
pub mod rules;
pub mod settings;
mod short_lived_labels;
pub mod suppress;
mod words;
mod written;

pub use crate::lint::context::LintContext;
pub use crate::lint::registry::{LINTS, Lint};
pub use crate::lint::reporter::Reporter;
pub use crate::lint::settings::LintConfig;

use crate::finding::{Finding, Severity, sort};
use crate::graph::AllowGraph;
use crate::input::Input;
use crate::policy::PolicyId;
use std::collections::HashSet;

/// What lint found.
#[derive(Debug, Clone, Default)]
pub struct Linted {
    /// The findings to show, suppressed ones included, in order.
    pub findings: Vec<Finding>,
    /// The findings that are too slight to be shown by default, or whose rule is not selected.
    pub hidden: Vec<Finding>,
    /// The findings that would be hidden and that suppressions cover.
    pub accepted: Vec<Finding>,
    /// How many rules ran.
    pub ran: usize,
    /// The rules that need data that the configuration does not give.
    pub idle: Vec<&'static str>,
}

/// Looks for mistakes in an input.
pub fn lint(input: &Input, graph: &AllowGraph, config: &LintConfig) -> Linted {
    let examined = graph.as_written(input); // what policies are split into is nobody's text
    run_lints(&LintContext::new(
        input,
        examined.as_ref().unwrap_or(graph),
        config,
    ))
}

/// Looks for mistakes in some policies of an input: rules that examine policies examine only these.
pub fn lint_policies(
    input: &Input,
    graph: &AllowGraph,
    config: &LintConfig,
    only: &[PolicyId],
) -> Linted {
    let examined = graph.as_written(input);
    let graph = examined.as_ref().unwrap_or(graph);
    run_lints(&LintContext::new(input, graph, config).only(only))
}

fn run_lints(context: &LintContext<'_>) -> Linted {
    let config = context.config;
    let mut linted = Linted::default();
    let mut all = Vec::new();
    for lint in LINTS.iter().filter(|l| config.runs(l)) {
        if lint.needs.is_some_and(|needed| !needed(config)) {
            linted.idle.push(lint.id);
            continue;
        }
        linted.ran += 1;
        let mut reporter = Reporter::new(lint.id, lint.name, lint.severity, context);
        (lint.run)(context, &mut reporter);
        all.extend(reporter.findings);
    }
    keep_best_explanations(&mut all);
    keep_what_is_to_be_mended(&mut all);
    all.retain(|f| !config.ignored(f));
    let suppressions = suppress::collect(context);
    let mut unused = suppress::cover(context, &suppressions, &mut all);
    copies::merge(&mut all);
    set_severities(&mut all, config);
    set_severities(&mut unused, config);
    all.extend(
        unused
            .into_iter()
            .filter(|f| config.shows(f) && !config.ignored(f)),
    );
    sort(&mut all);
    let (shown, hidden) = all.into_iter().partition(|f| config.shows(f));
    linted.findings = shown;
    (linted.hidden, linted.accepted) = hidden
        .into_iter()
        .partition(|f: &Finding| f.suppressed.is_none());
    linted
}

/// Gives findings the severities that the configuration sets.
fn set_severities(findings: &mut [Finding], config: &LintConfig) {
    for finding in findings {
        if let Some(severity) = config.severity_of(finding) {
            finding.severity = severity;
        }
    }
}

/// Pairs of rules that report the same cause. The first explains it better, so that the second is
/// left out: in the whole policy (`true`), or where both point at the same rule of it (`false`).
const SAME_CAUSE: &[(&str, &str, bool)] = &[
    ("NP004", "NP002", false),
    ("NP003", "NP002", false),
    ("NP208", "NP201", false),
    ("NP208", "NP206", false),
    ("NP009", "NP201", false),
    ("NP009", "NP403", true),
    ("NP003", "NP101", true),
    ("NP405", "NP206", false),
    ("NP401", "NP402", true),
    ("NP203", "NP205", false),
    ("NP010", "NP002", true),
    ("NP020", "NP402", false),
    ("NP020", "NP201", false),
    ("NP020", "NP208", false),
    ("NP021", "NP001", false),
    ("NP021", "NP002", false),
    ("NP022", "NP001", false),
    ("NP022", "NP002", false),
    ("NP405", "NP023", false),
    ("NP023", "NP106", true),
    ("NP210", "NP206", false),
    ("NP011", "NP103", true),
    ("NP011", "NP013", false),
    ("NP102", "NP103", true),
    ("NP104", "NP103", true),
];

/// What a finding is about: the namespace and the name of a policy, and a rule of it.
type About = (Box<str>, Box<str>, Box<str>);

fn about(finding: &Finding) -> About {
    let fingerprint = &finding.fingerprint;
    (
        fingerprint.namespace.clone(),
        fingerprint.name.clone(),
        rule_part(&fingerprint.path),
    )
}

/// Leaves out the findings whose cause a better finding explains ([`SAME_CAUSE`]). Notes explain
/// nothing away.
fn keep_best_explanations(findings: &mut Vec<Finding>) {
    let explained: Vec<(&'static str, About)> = findings
        .iter()
        .filter(|f| f.severity > Severity::Info)
        .map(|f| (f.rule, about(f)))
        .collect();
    // each under its rule of the policy, and under the policy as a whole
    let each = explained
        .iter()
        .flat_map(|(rule, (namespace, name, part))| {
            [
                (*rule, &**namespace, &**name, Some(&**part)),
                (*rule, &**namespace, &**name, None),
            ]
        });
    let explained: HashSet<(&str, &str, &str, Option<&str>)> = each.collect();
    findings.retain(|f| {
        let (namespace, name, part) = about(f);
        !SAME_CAUSE.iter().any(|(better, worse, whole)| {
            let part = (!whole).then_some(&*part);
            *worse == f.rule && explained.contains(&(*better, &*namespace, &*name, part))
        })
    });
}

/// Takes the advice to remove a redundant policy back where something else is wrong with it: what
/// it was meant to allow is then not what it allows, and it may be needed once it is mended. Where
/// a finding says why it adds nothing, the policy is not called redundant at all.
fn keep_what_is_to_be_mended(findings: &mut Vec<Finding>) {
    let of = |f: &Finding| (f.fingerprint.namespace.clone(), f.fingerprint.name.clone());
    let is_mistake = |f: &&Finding| {
        !REDUNDANT.contains(&f.rule) && (f.severity > Severity::Info || MISSES.contains(&f.rule))
    };
    let mistaken: HashSet<_> = findings.iter().filter(is_mistake).map(of).collect();
    let missing: HashSet<_> = findings
        .iter()
        .filter(|f| MISSES.contains(&f.rule))
        .map(of)
        .collect();
    findings.retain(|f| f.rule != "NP401" || !missing.contains(&of(f)));
    for finding in findings.iter_mut().filter(|f| REDUNDANT.contains(&f.rule)) {
        if mistaken.contains(&of(finding)) {
            finding.help = Some("mend what else is found about this policy first".into());
        }
    }
}

/// Rules whose advice is to take something away because it adds nothing.
const REDUNDANT: [&str; 3] = ["NP401", "NP402", "NP403"];

/// Rules that find what a policy or a peer misses that it was meant for.
const MISSES: [&str; 7] = [
    "NP001", "NP002", "NP003", "NP010", "NP020", "NP021", "NP022",
];

/// `ingress[0]` of `ingress[0].from[1]`.
fn rule_part(path: &str) -> Box<str> {
    path.split('.').next().unwrap_or_default().into()
}
