//! # NP853 allow-between-networks
//!
//! **What it does.** Reports a peer of a policy that selects pods of other primary networks alone.
//!
//! **Why it is bad.** Pods of different primary networks never reach each other, whatever policies
//! say. The peer lets nobody in, and whoever wrote it expects that it does.
//!
//! **What it looks at.** `NetworkPolicies`, and the primary networks of the pods that they select
//! and that their peers select.
//!
//! **When it stays silent.** Where a peer selects a pod of the policy's own network too, or no pod
//! of the input; where a `ClusterNetworkConnect` joins the networks, across which selectors find
//! nobody.
//!
//! **Settings.** None of its own.
//!
//! **References.** "User defined networks" in the documentation of OVN-Kubernetes.

use crate::lint::context::{LintContext, rules};
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::model::PodId;
use crate::policy::networks::labels::PRIMARY;
use std::collections::BTreeSet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let plan = context.policies.plugin.networks.as_ref();
    if plan.is_none_or(|plan| plan.primary.is_empty()) {
        return;
    }
    for (id, policy) in context.network_policies() {
        if !context.is_examined(id) {
            continue;
        }
        let own = networks(context, &context.subjects(id));
        for (at, _, rule) in rules(id, policy) {
            for (i, peer) in peers(rule).iter().enumerate() {
                let Some(selected) = context.peer(peer) else {
                    continue;
                };
                let theirs = networks(context, &selected.pods);
                if selected.open || theirs.is_empty() || !own.is_disjoint(&theirs) {
                    continue;
                }
                let theirs: Vec<&str> = theirs.into_iter().collect();
                let message = format!(
                    "every pod that this selects is on another network: {}",
                    theirs.join(", ")
                );
                let finding = reporter.rule(at.with_peer(i), message);
                let help = "no policy joins networks; a ClusterNetworkConnect does";
                reporter.push(finding.help(help));
            }
        }
    }
}

/// The primary networks of pods.
fn networks<'a>(context: &LintContext<'a>, pods: &[PodId]) -> BTreeSet<&'a str> {
    let labels = pods.iter().map(|pod| context.cluster.pod_labels(*pod));
    labels.filter_map(|labels| labels.get(PRIMARY)).collect()
}
