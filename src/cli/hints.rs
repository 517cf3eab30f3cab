//! What lint says of the rule that decided an answer: at most one line under it.
//!
//! Only rules that tell why an answer surprises are asked, and only what they say of the very rule
//! that decided or came closest counts. Cost: these lints over the policies of those rules, and one
//! pass over pods and policies to list them.

use super::workspace::Workspace;
use netpal::{Answer, ExplanationSide, Finding, LintConfig, PolicyId, RuleRef, lint_policies};

/// The rules that explain a surprise: a namespace label nobody sets, a split peer, a Service's
/// port.
const TELLING: [&str; 3] = ["NP003", "NP004", "NP011"];

/// The hint for an answer about one source and one destination.
pub fn hint(workspace: &Workspace, answer: &Answer) -> Option<Finding> {
    let [pair] = answer.pairs.as_slice() else {
        return None;
    };
    let explanation = pair.explain(&workspace.graph);
    let rules: Vec<RuleRef> = explanation
        .sides()
        .into_iter()
        .flat_map(|s| [s.decided_by, nearest(s)])
        .flatten()
        .collect();
    if rules.is_empty() {
        return None;
    }
    let config = LintConfig {
        select: TELLING.map(Into::into).to_vec(),
        ..LintConfig::default()
    };
    let policies: Vec<PolicyId> = rules.iter().map(|r| r.policy).collect();
    let findings = lint_policies(&workspace.input, &workspace.graph, &config, &policies).findings;
    findings
        .into_iter()
        .find(|f| f.suppressed.is_none() && rules.iter().any(|at| is_about(workspace, f, *at)))
}

/// The rule that came closest on a side that does not let the flow through.
fn nearest(side: &ExplanationSide) -> Option<RuleRef> {
    side.near
        .as_ref()
        .filter(|_| !side.allowed.possible())
        .map(|n| n.at)
}

/// Whether a finding is about this rule or a part of it.
fn is_about(workspace: &Workspace, finding: &Finding, at: RuleRef) -> bool {
    let policy = workspace.graph.environment().policies.get(at.policy);
    let path = policy.rule_path(at.whole()).to_string();
    let print = &finding.fingerprint;
    let same_policy = *print.name == *policy.name
        && *print.namespace == *policy.namespace.as_deref().unwrap_or_default();
    let rest = print
        .path
        .strip_prefix("spec.")
        .unwrap_or(&print.path)
        .strip_prefix(path.as_str());
    same_policy && rest.is_some_and(|r| !r.starts_with(|c: char| c.is_ascii_digit()))
}
