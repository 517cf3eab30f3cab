//! # NP501 ipblock-on-pods
//!
//! **What it does.** Reports when an `ipBlock` names addresses of pods.
//!
//! **Why it is bad.** Address blocks are for addresses outside the cluster. Pods get new addresses,
//! some network plugins never match a pod by its address, and others see it only before or after a
//! translation.
//!
//! **What it looks at.** Each address block, the known addresses of pods, and the ranges the
//! configuration gives for pods. A warning; an error under `cni: cilium`, whose address blocks
//! never match pods.
//!
//! **When it stays silent.** For blocks of the whole internet (NP205, NP502), and when neither
//! addresses nor ranges of pods are known.
//!
//! **Settings.** `cluster.pod-cidrs`, `cluster.cni`.
//!
//! **References.** "These should be cluster-external IPs" in the Kubernetes documentation;
//! <https://github.com/cilium/cilium/issues/9209>.

use crate::finding::Severity;
use crate::lint::addresses::is_everything;
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::PodId;
use crate::policy::Peer;
use crate::set::IpSet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let addresses = context.cluster.pods().filter(|(_, p)| !p.host_network);
    let known: Vec<(PodId, IpSet)> = addresses
        .filter(|(_, p)| !p.addresses.is_empty())
        .map(|(id, p)| {
            (
                id,
                IpSet::from_cidrs(p.addresses.iter().map(|a| ipnet::IpNet::from(*a))),
            )
        })
        .collect();
    let known_addresses = known
        .iter()
        .fold(IpSet::empty(), |all, (_, set)| all.union(set));
    let configured = context
        .config
        .pod_cidrs
        .clone()
        .unwrap_or_else(IpSet::empty);
    let cilium = context.config.is_cilium();
    for (rule_ref, policy, rule) in context.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Addresses(set) = peer else { continue };
            let overlaps = !set.is_disjoint(&configured) || !set.is_disjoint(&known_addresses);
            if !overlaps || is_everything(set) || !policy.isolates(rule_ref.direction) {
                continue;
            }
            let pods: Vec<PodId> = known
                .iter()
                .filter(|(_, a)| !a.is_disjoint(set))
                .map(|(id, _)| *id)
                .collect();
            let which = if pods.is_empty() {
                "pod addresses".to_owned()
            } else {
                words::names(context.cluster, &pods)
            };
            let finding = reporter.rule(
                rule_ref.with_peer(i),
                format!("an address block that holds {which}"),
            );
            let finding = finding
                .help("name pods with a podSelector, and leave their range out of the block");
            reporter.push(if cilium {
                finding
                    .severity(Severity::Error)
                    .label("never matches a pod under Cilium")
            } else {
                finding
                    .severity(Severity::Warning)
                    .label("whether it matches a pod depends on the network plugin")
            });
        }
    }
}
