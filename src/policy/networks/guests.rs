//! Guests of virtual machines: what they have of the pod network (NW82-NW85).

use crate::model::Cluster;
use crate::policy::layer_policy::LayerPolicies;
use crate::policy::networks::islands::{self, NetworkHead, everybody, perhaps};
use crate::policy::networks::labels::{GUEST, among, subjects};
use crate::policy::networks::secondary::FurtherLabels;
use crate::policy::object_facts::ObjectFacts;
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{Action, Direction, Policy, PortMatch, Ports, Rule, Shape};
use crate::policy::tier::Tier;
use crate::set::{Protocol, TrafficSet};
use crate::source::DocumentId;

/// How the fact is kept that a guest is not on the pod network; no annotation is called so.
pub const ABSENT: &str = "guest without pod network";

/// How the ports are kept that are forwarded to a guest: `TCP/80 UDP/53`; without it all are.
pub const FORWARDED: &str = "guest ports";

/// How the fact is kept that a machine does not run.
pub const STOPPED: &str = "guest stopped";

/// How the parts of a guest are called.
pub static MACHINE: Shape = Shape {
    kind: "virtual machine",
    api_version: "kubevirt.io/v1",
    ..islands::NETWORK
};

/// What a guest has of the pod network.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Guest {
    /// Whether it is on it.
    present: bool,
    /// The ports that are forwarded to it, if only some are.
    ports: Option<TrafficSet>,
    /// Whether its machine does not run.
    stopped: bool,
}

/// Adds policies of guests in their tier, which is asked before that of networks.
pub fn add(policies: &mut PolicySet, made: Vec<Policy>) {
    let tier = || Tier {
        order: -1,
        ..islands::tier("guest", "guests")
    };
    let mut added = LayerPolicies::new(policies);
    made.into_iter()
        .for_each(|policy| added.add(tier(), policy));
}

/// The policies of guests, and the labels of their pods.
pub fn guests(cluster: &Cluster, facts: &ObjectFacts) -> (Vec<Policy>, FurtherLabels) {
    let (mut kinds, mut labels): (Vec<Guest>, FurtherLabels) = (Vec::new(), Vec::new());
    let of_guests = facts.pods.keys().copied();
    let mut ids: Vec<_> = of_guests.filter(|id| is_guest(facts, *id)).collect();
    ids.sort();
    for id in ids {
        let guest = Guest {
            present: facts.of_pod(id, ABSENT).is_none(),
            ports: facts.of_pod(id, FORWARDED).map(forwarded),
            stopped: facts.of_pod(id, STOPPED).is_some(),
        };
        let known = kinds.iter().position(|kind| *kind == guest);
        let number = known.unwrap_or(kinds.len());
        if known.is_none() {
            kinds.push(guest);
        }
        if id.0 as usize >= cluster.pods().len() {
            continue;
        }
        labels.push((id, vec![(GUEST, number.to_string().into())]));
    }
    let each = kinds.iter().enumerate();
    let made = each.flat_map(|(number, guest)| guest.policies(number));
    (made.collect(), labels)
}

/// Whether something of the pod network is kept from the guest of a pod.
fn is_guest(facts: &ObjectFacts, pod: crate::model::PodId) -> bool {
    let has = |key| facts.of_pod(pod, key).is_some();
    has(ABSENT) || has(FORWARDED) || has(STOPPED)
}

fn forwarded(value: &str) -> TrafficSet {
    let each = value.split(' ').filter_map(|word| {
        let (protocol, port) = word.split_once('/')?;
        let port = port.parse().ok()?;
        Some(TrafficSet::ports(Protocol::from_api(protocol)?, port, port))
    });
    each.fold(TrafficSet::empty(), |all, more| all.union(&more))
}

impl Guest {
    /// What keeps traffic from the guest.
    fn policies(&self, number: usize) -> Vec<Policy> {
        let of = |name, direction, rules| policy(name, number, direction, rules);
        let mut made = Vec::new();
        for direction in Direction::ALL {
            if !self.present {
                let name = "guests without the pod network";
                made.push(of(name, direction, vec![everybody(Action::Deny)]));
            }
            if self.stopped {
                let why = "whether the virtual machine runs, which its manifest stops";
                let closed = perhaps(everybody(Action::Deny), why);
                made.push(of("stopped machines", direction, vec![closed]));
            }
        }
        if let Some(ports) = &self.ports {
            let others = TrafficSet::all().difference(ports);
            let closed = Rule {
                ports: Ports::Of([PortMatch::Traffic(others)].into()),
                ..everybody(Action::Deny)
            };
            let name = "ports that are not forwarded to the guest";
            made.push(of(name, Direction::Ingress, vec![closed]));
        }
        made
    }
}

/// A policy for guests of one kind.
fn policy(name: &str, number: usize, direction: Direction, rules: Vec<Rule>) -> Policy {
    let head = NetworkHead {
        shape: &MACHINE,
        ..NetworkHead::new(name, DocumentId::NONE)
    };
    let subject = subjects(among(GUEST, [number.to_string()]));
    head.policy(direction, subject, rules)
}
