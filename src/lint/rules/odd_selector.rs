//! # NP405 odd-selector
//!
//! **What it does.** Reports when a peer selects pods while its comment speaks of something outside
//! the cluster.
//!
//! **Why it is bad.** `podSelector: {}` is every pod of the policy's own namespace and
//! `namespaceSelector: {}` every pod of the cluster. Neither is the internet, a load balancer or a
//! node: those need an `ipBlock`, or no peers at all.
//!
//! **What it looks at.** An empty selector as a peer, and the comment in the lines of its rule:
//! `external`, `outside`, `internet`, `NodePort`, `LoadBalancer`, `Kubernetes API`. Both
//! facts are shown.
//!
//! **When it stays silent.** When the comment says nothing of the kind, or the rule also has an
//! address block.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Behavior of to and from selectors" in the Kubernetes documentation.

use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::policy::{Namespaces, Peer, Policy, RuleRef};

/// Words in a comment that speak of something outside the cluster.
const OUTSIDE: [&str; 11] = [
    "external",
    "outside",
    "internet",
    "nodeport",
    "loadbalancer",
    "load balancer",
    "world",
    "kubernetes api",
    "k8s api",
    "kube-apiserver",
    "api.github.com",
];

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        let list = peers(rule);
        let Some(i) = list.iter().position(is_broad) else {
            continue;
        };
        let has_block = list.iter().any(|p| matches!(p, Peer::Addresses(_)));
        if has_block || !context.text_contains(policy.document, "#") {
            continue;
        }
        let Some((word, comment)) = comment(context, policy, rule_ref) else {
            continue;
        };
        let means = match &list[i] {
            Peer::Pods(Namespaces::Named(_), _) => {
                "every pod of the own namespace, and nothing else"
            }
            _ => "every pod of the cluster, and nothing outside it",
        };
        let finding = reporter
            .rule(rule_ref.with_peer(i), format!("this peer is {means}"))
            .likely();
        let finding = finding
            .label("no address outside matches")
            .note(format!("the comment says \"{comment}\" ({word})"));
        reporter.push(finding.help("use an ipBlock for addresses outside the cluster"));
    }
}

/// Whether a peer is every pod of a namespace or of the cluster.
fn is_broad(peer: &Peer) -> bool {
    match peer {
        Peer::Pods(Namespaces::Named(_), pods) => pods.is_everything(),
        Peer::Pods(Namespaces::Matching(s), pods) => s.is_everything() && pods.is_everything(),
        _ => false,
    }
}

/// The comment on a rule that speaks of something outside, above the rule or in its lines, and the
/// word that it uses.
fn comment(
    context: &LintContext<'_>,
    policy: &Policy,
    rule_ref: RuleRef,
) -> Option<(&'static str, String)> {
    let (file, span) = context.locator.span(&policy.origin(rule_ref))?;
    let text = context.input.sources.file(file)?.text.kept()?;
    let (above, below) = (text.get(..span.start)?, text.get(span.start..)?);
    let dash = above.rfind('\n').map_or(0, |i| i + 1);
    let indent = above.get(dash..)?.len();
    let in_rule = |l: &&str| l.trim().is_empty() || l.len() - l.trim_start().len() >= indent;
    let inside = below
        .lines()
        .take(1)
        .chain(below.lines().skip(1).take_while(in_rule));
    let before = above
        .get(..dash)?
        .lines()
        .rev()
        .take_while(|l| l.trim_start().starts_with('#'));
    // a comment right above the next rule belongs to that one
    let mut lines: Vec<&str> = inside.collect();
    while lines
        .last()
        .is_some_and(|l| l.trim_start().starts_with('#') || l.trim().is_empty())
    {
        lines.pop();
    }
    lines.extend(before);
    lines.into_iter().find_map(|line| {
        let (_, comment) = line.split_once('#')?;
        let lower = comment.to_ascii_lowercase();
        OUTSIDE
            .iter()
            .find(|w| lower.contains(**w))
            .map(|w| (*w, comment.trim().to_owned()))
    })
}
