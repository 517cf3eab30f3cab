//! Lint: the mistakes people really make, found where they stand, with the fix.
//!
//! One file per lint; its `//!` comment is its page (`netpal rule NP004`). [`table`] lists them,
//! [`facts`] answers what they ask of the input, [`algebra`] decides containment of selectors,
//! peers and rules in every possible cluster.
//!
//! Phases of [`lint`]: run every lint that is picked; cover what a suppression covers and report
//! the suppressions that cover nothing; put the notes about copies together ([`copies`]); settle
//! severities; sort. Invariants: one finding per cause; a heuristic states the facts it rests on;
//! what depends on pods or labels that the input does not hold is silent or says so. Cost:
//! O(policies + pods + the pairs that share a namespace); never policies x policies or pods x pods
//! of the whole cluster.

pub mod algebra;
mod backends;
pub mod baseline;
pub mod config;
mod copies;
mod coverage;
pub mod facts;
pub mod fix;
mod intended_traffic;
mod label_index;
mod near_miss;
pub mod registry;
pub mod reporter;
pub mod rules;
pub mod suppress;
mod words;

pub use crate::lint::config::LintConfig;
pub use crate::lint::facts::Facts;
pub use crate::lint::registry::{LINTS, Lint};
pub use crate::lint::reporter::Reporter;

use crate::finding::{Finding, Severity, sort};
use crate::graph::AllowGraph;
use crate::input::Input;
use crate::policy::PolicyId;

/// What lint found.
#[derive(Debug, Clone, Default)]
pub struct Linted {
    /// The findings to show, suppressed ones among them, in order.
    pub findings: Vec<Finding>,
    /// What was found but is too slight to be shown unasked.
    pub hidden: Vec<Finding>,
    /// How many rules ran.
    pub ran: usize,
    /// The rules that need data the configuration does not give.
    pub idle: Vec<&'static str>,
}

/// Looks for mistakes in an input.
pub fn lint(input: &Input, graph: &AllowGraph, config: &LintConfig) -> Linted {
    lint_facts(&Facts::new(input, graph, config))
}

/// Looks for mistakes in some policies of an input: rules that go through the policies go through
/// these alone.
pub fn lint_policies(
    input: &Input,
    graph: &AllowGraph,
    config: &LintConfig,
    only: &[PolicyId],
) -> Linted {
    lint_facts(&Facts::new(input, graph, config).only(only))
}

fn lint_facts(facts: &Facts<'_>) -> Linted {
    let config = facts.config;
    let mut linted = Linted::default();
    let mut all = Vec::new();
    for lint in LINTS.iter().filter(|l| config.runs(l)) {
        if lint.needs.is_some_and(|needed| !needed(config)) {
            linted.idle.push(lint.id);
            continue;
        }
        linted.ran += 1;
        let mut found = Reporter::new(lint, facts);
        (lint.run)(facts, &mut found);
        all.extend(found.findings);
    }
    merge_causes(&mut all);
    all.retain(|f| !config.ignored(f));
    let suppressions = suppress::collect(facts);
    let mut unused = suppress::cover(facts, &suppressions, &mut all);
    copies::merge(&mut all);
    settle(&mut all, config);
    settle(&mut unused, config);
    all.extend(
        unused
            .into_iter()
            .filter(|f| config.shows(f) && !config.ignored(f)),
    );
    sort(&mut all);
    let (shown, hidden) = all.into_iter().partition(|f| config.shows(f));
    linted.findings = shown;
    linted.hidden = hidden
        .into_iter()
        .filter(|f: &Finding| f.suppressed.is_none())
        .collect();
    linted
}

/// Sets the severities that the configuration sets.
fn settle(findings: &mut [Finding], config: &LintConfig) {
    for finding in findings {
        if let Some(severity) = config.severity_of(finding) {
            finding.severity = severity;
        }
    }
}

/// Rules that see the same cause: the first explains it better, so the second is left out, in the
/// whole policy (`true`) or where both point at the same rule of it.
const SAME_CAUSE: &[(&str, &str, bool)] = &[
    ("NP004", "NP002", false),
    ("NP003", "NP002", false),
    ("NP208", "NP201", false),
    ("NP208", "NP206", false),
    ("NP009", "NP201", false),
    ("NP009", "NP403", true),
    ("NP003", "NP101", true),
    ("NP014", "NP101", true),
    ("NP405", "NP206", false),
    ("NP401", "NP402", true),
    ("NP203", "NP205", false),
    ("NP010", "NP002", true),
    ("NP011", "NP103", true),
    ("NP011", "NP013", false),
    ("NP102", "NP103", true),
    ("NP104", "NP103", true),
];

/// One finding per cause.
fn merge_causes(findings: &mut Vec<Finding>) {
    use std::collections::HashSet;
    type Seen<'a> = (&'static str, &'a str, &'a str, Option<&'a str>);
    let about = |f: &'_ Finding| -> (Box<str>, Box<str>, Box<str>) {
        (
            f.fingerprint.namespace.clone(),
            f.fingerprint.name.clone(),
            rule_part(&f.fingerprint.path),
        )
    };
    let told: Vec<(&'static str, (Box<str>, Box<str>, Box<str>))> = findings
        .iter()
        .filter(|f| f.severity > Severity::Info)
        .map(|f| (f.rule, about(f)))
        .collect();
    let each = told.iter().flat_map(|(rule, (namespace, name, part))| {
        [
            (*rule, &**namespace, &**name, Some(&**part)),
            (*rule, &**namespace, &**name, None),
        ]
    });
    let seen: HashSet<Seen<'_>> = each.collect();
    findings.retain(|f| {
        let (namespace, name, part) = about(f);
        !SAME_CAUSE.iter().any(|(better, worse, whole)| {
            let at = (!whole).then_some(&*part);
            *worse == f.rule && seen.contains(&(*better, &*namespace, &*name, at))
        })
    });
}

/// `ingress[0]` of `ingress[0].from[1]`.
fn rule_part(path: &str) -> Box<str> {
    path.split('.').next().unwrap_or_default().into()
}
