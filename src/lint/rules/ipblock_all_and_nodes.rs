//! # NP502 ipblock-all-and-nodes
//!
//! **What it does.** Reports when pods of the cluster are let in, or reached, only through a block
//! of all addresses.
//!
//! **Why it is bad.** `0.0.0.0/0` reads like everybody. Under a network plugin that never matches
//! pods or nodes by their address it is only the world outside, and callers from the cluster are
//! denied. A note.
//!
//! **What it looks at.** Pods that are isolated and whose rules of that direction name nothing but
//! address blocks, one of all addresses among them: for ingress, when a Service selects them; for
//! egress, when 53/UDP is opened that way, which is meant for the cluster's DNS.
//!
//! **When it stays silent.** When any rule names pods or nobody in particular; under a network
//! plugin whose blocks match pods.
//!
//! **Settings.** `cluster.cni`.
//!
//! **References.** <https://github.com/cilium/cilium/issues/39656>,
//! <https://github.com/cilium/cilium/issues/35212>.

use crate::finding::Severity;
use crate::lint::addresses::is_everything;
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::lint::{intended_traffic, words};
use crate::model::PodId;
use crate::policy::{Direction, Peer, Peers, PolicyId, Ports, Rule, RuleRef};
use crate::set::{Protocol, TrafficSet};
use std::collections::BTreeMap;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let cilium = context.config.is_cilium();
    if context.config.cni.is_some() && !cilium {
        return;
    }
    for direction in Direction::ALL {
        let mut by_block: BTreeMap<(PolicyId, usize, usize), Vec<PodId>> = BTreeMap::new();
        for (id, _) in context.cluster.pods() {
            if let Some(key) =
                only_block(context, id, direction).filter(|_| expected(context, id, direction))
            {
                by_block.entry(key).or_default().push(id);
            }
        }
        for ((policy, rule, peer), pods) in by_block {
            let who = words::names(context.cluster, &pods);
            let (message, help) = match direction {
                Direction::Ingress => (
                    format!("{who} is open to pods only through a block of all addresses"),
                    "callers",
                ),
                Direction::Egress => (
                    format!(
                        "{who} reaches the cluster's DNS only through a block of all addresses"
                    ),
                    "DNS",
                ),
            };
            let rule_ref = RuleRef::rule(policy, direction, rule).with_peer(peer);
            let label = if cilium {
                "never matches a pod or a node under Cilium"
            } else {
                "some network plugins never match pods by address"
            };
            let finding = reporter
                .rule(rule_ref, message)
                .severity(Severity::Info)
                .label(label);
            reporter.push(finding.help(format!("add a rule that selects the {help} by labels")));
        }
    }
}

/// The block of all addresses (policy, rule and peer), when the rules of a direction name nothing
/// but blocks.
fn only_block(
    context: &LintContext<'_>,
    pod: PodId,
    direction: Direction,
) -> Option<(PolicyId, usize, usize)> {
    let policies = intended_traffic::isolating(context, pod, direction);
    let block = |p: &Peer| matches!(p, Peer::Addresses(_));
    let mut found = None;
    for id in policies {
        for (r, rule) in context.policies.get(id).rules(direction).iter().enumerate() {
            if rule.peers == Peers::Any || !peers(rule).iter().all(block) {
                return None;
            }
            let all = |p: &Peer| matches!(p, Peer::Addresses(set) if is_everything(set));
            let open = direction == Direction::Ingress || opens_dns(rule);
            found = found.or_else(|| {
                peers(rule)
                    .iter()
                    .position(all)
                    .filter(|_| open)
                    .map(|p| (id, r, p))
            });
        }
    }
    found
}

/// Whether a rule names ports and the DNS port is one of them.
fn opens_dns(rule: &Rule) -> bool {
    rule.ports != Ports::Any
        && !numeric_traffic(rule).is_disjoint(&TrafficSet::ports(Protocol::Udp, 53, 53))
}

/// Whether pods of the cluster are expected on the other side of a pod's traffic.
fn expected(context: &LintContext<'_>, pod: PodId, direction: Direction) -> bool {
    direction == Direction::Egress
        || context
            .services_behind(pod)
            .iter()
            .any(|s| !context.cluster.service(*s).takes_calls_at_nodes)
}
