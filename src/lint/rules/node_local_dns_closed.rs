//! # NP108 node-local-dns-closed
//!
//! **What it does.** Reports when a workload may ask the cluster's DNS pods, but not the DNS cache
//! that runs on every node.
//!
//! **Why it is bad.** Where `NodeLocal DNSCache` is installed, pods ask it and not the DNS pods. It
//! runs on its node's network under an address of the link, so that no selector finds it, and most
//! network plugins then drop the queries.
//!
//! **What it looks at.** A `node-local-dns` on its node's network in the input, the address that it
//! is given, and the egress rules of the workloads that may ask the DNS pods.
//!
//! **When it stays silent.** When a rule opens port 53 to the address of the cache, to nodes, or to
//! everybody; when the workload may not ask the DNS at all (NP101).
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/gardener/gardener/issues/2745>,
//! <https://github.com/argoproj/argo-cd/issues/11126>.

use crate::lint::context::LintContext;
use crate::lint::dns::{ClusterDns, dns_traffic};
use crate::lint::peers::{may_be_any_address, peers};
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::lint::{intended_traffic, words};
use crate::model::PodId;
use crate::policy::{Direction, Peer, Peers, PolicyId, Rule};
use crate::set::IpSet;
use std::collections::{BTreeMap, HashMap};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let dns = ClusterDns::new(context);
    let Some(cache) = &dns.node_local else {
        return;
    };
    let mut closed: BTreeMap<PolicyId, Vec<PodId>> = BTreeMap::new();
    let mut known: HashMap<Vec<PolicyId>, Option<PolicyId>> = HashMap::new();
    for (id, pod) in context.cluster.pods() {
        if pod.host_network || dns.is_dns(id) {
            continue;
        }
        let policies = intended_traffic::isolating(context, id, Direction::Egress);
        let at = *known
            .entry(policies)
            .or_insert_with_key(|policies| pods_alone(context, &dns, cache, policies));
        if let Some(policy) = at {
            closed.entry(policy).or_default().push(id);
        }
    }
    let address = cache.first().map_or_else(String::new, |a| a.to_string());
    for (policy, pods) in closed {
        let who = words::names(context.cluster, &pods);
        let message = format!("{who} may not ask the DNS cache of the node at {address}");
        let path = crate::source::Path::root().key("spec").key("egress");
        let mut finding = reporter.field(policy, path, message).likely();
        finding.fingerprint.peer = who.into();
        reporter.push(
            finding
                .label("opens the DNS pods alone")
                .note("node-local-dns is in the input, and pods ask it first")
                .help(format!(
                    "add an ipBlock of {address}/32 for 53/UDP and 53/TCP"
                )),
        );
    }
}

/// The policy that opens the DNS pods, when none of these opens the cache.
fn pods_alone(
    context: &LintContext<'_>,
    dns: &ClusterDns,
    cache: &IpSet,
    policies: &[PolicyId],
) -> Option<PolicyId> {
    let rules_of = |id: &PolicyId| context.policies.get(*id).rules(Direction::Egress);
    if policies.iter().flat_map(rules_of).any(|r| opens(r, cache)) {
        return None;
    }
    let opens_dns = |id: &&PolicyId| {
        let policy = context.policies.get(**id);
        rules_of(id)
            .iter()
            .any(|rule| dns.opened_by(context, policy, rule))
    };
    policies.iter().find(opens_dns).copied()
}

/// Whether a rule opens the DNS port to an address of the cache.
fn opens(rule: &Rule, cache: &IpSet) -> bool {
    let admits = |peer: &Peer| may_be_cache(peer, cache);
    !numeric_traffic(rule).is_disjoint(&dns_traffic())
        && (rule.peers == Peers::Any || peers(rule).iter().any(admits))
}

/// Whether a peer may be an address of the cache.
fn may_be_cache(peer: &Peer, cache: &IpSet) -> bool {
    match peer {
        Peer::Addresses(set) => !set.is_disjoint(cache),
        other => may_be_any_address(other),
    }
}
