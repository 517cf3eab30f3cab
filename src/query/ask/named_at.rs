//! Whether rules name the address of a Service.
//!
//! Policies see the pods behind a Service, and its own address only where a rule names that (S41,
//! S59). A rule for everybody, or for pods, names no address: its ports are those of the pods
//! (S51), and what it says of the address of a Service is no second reading of it.
//!
//! Cost: O(rules that govern the source).

use crate::graph::AllowGraph;
use crate::policy::rule::Symbol;
use crate::policy::{Action, Direction, Peer, Peers, Policy, Rule};
use crate::set::{Family, Traffic};
use crate::spec::environment::Environment;
use crate::spec::matching::{peer_matches, ports_match, subjects_match};
use crate::spec::question::Case;
use crate::spec::{Endpoint, Flow};
use std::net::IpAddr;

/// Whether a rule on the way out names an address and may let traffic to it through.
pub fn is_named(graph: &AllowGraph, source: Endpoint, at: (IpAddr, Traffic)) -> bool {
    let (address, traffic) = at;
    let Some(effective) = graph.effective(source, Direction::Egress) else {
        return false;
    };
    let flow = Flow {
        source,
        destination: Endpoint::Address(address),
        traffic,
    };
    let env = graph.environment();
    effective.selections().any(|selection| {
        let policy = env.policies.get(graph.policy_of(selection.policy));
        let mut rules = policy.rules(Direction::Egress).iter();
        rules.any(|rule| rule.action != Action::Deny && names(env, policy, rule, &flow))
    })
}

/// Whether one of the peers of a rule is there for the very address that a flow is for.
fn names(env: &Environment, policy: &Policy, rule: &Rule, flow: &Flow) -> bool {
    let Peers::Of(peers) = &rule.peers else {
        return false;
    };
    let (Some(pod), Endpoint::Address(address)) = (env.governed(flow.source), flow.destination)
    else {
        return false;
    };
    let host_pods = env.policies.tier_of(policy).host_pods;
    let mut modes = env.host_network_modes().iter();
    modes.any(|mode| {
        let case = Case::new(*mode, Family::of(address));
        if !subjects_match(env, policy, rule, pod, flow.source, &case).possible() {
            return false;
        }
        let matches = |peer: &Peer| {
            let found = peer_matches(env, policy, peer, pod, flow.destination, &case);
            let is_untold = |one: &Peer| *one == Peer::Symbol(Symbol::SomeOutside);
            found.possible() && peer.any(&is_of_addresses) && !peer.any(&is_untold)
        };
        ports_match(env, rule, host_pods, flow.destination, flow.traffic, *mode)
            && peers.iter().any(matches)
    })
}

/// Whether a peer tells addresses, or a name inside the cluster that stands for some.
fn is_of_addresses(peer: &Peer) -> bool {
    match peer {
        Peer::Addresses(_) | Peer::Owned(..) => true,
        Peer::Domain(name) => name.ends_with(".cluster.local"),
        _ => false,
    }
}
