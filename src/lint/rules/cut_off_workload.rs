//! # NP404 cut-off-workload
//!
//! **What it does.** Reports workloads that may neither send nor receive anything.
//!
//! **Why it is bad.** Either that is intended, or a policy was forgotten. A note.
//!
//! **What it looks at.** Workloads isolated in both directions without a rule in either.
//!
//! **When it stays silent.** When any rule exists, even one that matches nothing today.
//!
//! **Settings.** None of its own.
//!
//! **References.** cyclonus.

use crate::compile::effective_policy::EffectivePolicy;
use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::coverage;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::{PodId, Truth};
use crate::policy::Direction;
use crate::spec::Endpoint;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, namespace) in context.cluster.namespaces() {
        let cut: Vec<PodId> = context
            .pods_of(id)
            .iter()
            .copied()
            .filter(|p| is_cut_off(context, *p))
            .collect();
        if cut.is_empty() {
            continue;
        }
        let who = words::names(context.cluster, &cut);
        let message = format!(
            "{who} in namespace {} may neither send nor receive",
            namespace.name
        );
        reporter
            .push(coverage::finding(context, reporter, id, None, message).severity(Severity::Info));
    }
}

/// Whether a pod is isolated in both directions and no rule opens either.
fn is_cut_off(context: &LintContext<'_>, pod: PodId) -> bool {
    !context.cluster.pod(pod).host_network
        && Direction::ALL
            .into_iter()
            .all(|d| is_closed(context, pod, d))
}

/// Whether a pod is isolated in a direction and no policy that governs it there has a rule.
fn is_closed(context: &LintContext<'_>, pod: PodId, direction: Direction) -> bool {
    let effective = context.graph.effective(Endpoint::Pod(pod), direction);
    effective
        .and_then(EffectivePolicy::isolating_first)
        .is_some_and(|tier| {
            let mut policies = tier.selections().map(|s| context.graph.policy_of(s.policy));
            tier.isolated == Truth::Yes
                && policies.all(|p| context.policies.get(p).rules(direction).is_empty())
        })
}
