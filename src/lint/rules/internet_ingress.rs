//! # NP201 internet-ingress
//!
//! **What it does.** Tells when a rule lets the public internet into a workload: no `from`, or an
//! address block that holds a public range wider than /8.
//!
//! **Why it is bad.** Few workloads are meant to be reached by everyone; the others should name who
//! may.
//!
//! **What it looks at.** Each ingress rule of a policy. What the internet can reach in fact depends
//! on load balancers and routing too; the policy is no obstacle to it.
//!
//! **When it stays silent.** For policies called after a webhook, which the API server calls from
//! an address that no selector can name, it is only a note. For workloads listed as edges, and for
//! rules that another finding (NP009, NP208) explains.
//!
//! **Settings.** `lint.edges`: workloads that the internet may reach.
//!
//! **References.** Trivy KUBE-0001.

use crate::finding::Severity;
use crate::lint::facts::{Facts, peers};
use crate::lint::reporter::Reporter;
use crate::policy::{Peer, Peers, RuleRef};
use crate::set::IpSet;
use ipnet::IpNet;

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    for (at, policy, rule) in facts.inner_ingress_rules() {
        if let Some(here) = wide(at, rule) {
            let label = if here.peer.is_some() {
                "holds public addresses"
            } else {
                "no `from`: everybody"
            };
            let finding = found.rule(here, "lets the public internet in").label(label);
            let finding =
                finding.help("name who may come in, or list the workload as an edge (lint.edges)");
            // the API server calls webhooks, and no selector can name it
            let webhook = here.peer.is_none() && policy.name.contains("webhook");
            found.push(if webhook {
                finding.severity(Severity::Info)
            } else {
                finding
            });
        }
    }
}

/// The part of an ingress rule that lets the internet in.
pub(crate) fn wide(at: RuleRef, rule: &crate::policy::Rule) -> Option<RuleRef> {
    match &rule.peers {
        Peers::Any => Some(at),
        Peers::Of(_) => {
            let public = |p: &Peer| matches!(p, Peer::Addresses(set) if is_wide(set));
            peers(rule).iter().position(public).map(|i| at.with_peer(i))
        }
    }
}

/// Whether a set holds a public range wider than /8 (IPv4) or /16 (IPv6).
pub(crate) fn is_wide(set: &IpSet) -> bool {
    let public = set.intersection(&IpSet::internet());
    public.to_cidrs().iter().any(|c| match c {
        IpNet::V4(net) => net.prefix_len() < 8,
        IpNet::V6(net) => net.prefix_len() < 16,
    })
}
