//! The policies that keep networks apart (NW20, NW21, NW40, NW50), in a tier that is the only one
//! of its layer: of all primary networks, or as one network alone is asked about.

use crate::model::Requirement;
use crate::policy::layer_policy::{LayerPolicies, PolicyHead};
use crate::policy::layout::RulePlace;
use crate::policy::networks::labels::{
    DEFAULT, PRIMARY, SECONDARY, among, everywhere, not, pods, subjects,
};
use crate::policy::networks::plan::{NetworkPlan, WireReach, beside};
use crate::policy::policy_set::PolicySet;
use crate::policy::proxies::TunnelWay;
use crate::policy::rule::{
    Action, AddressOwner, Direction, GeneratedBy, Peer, Peers, Policy, Ports, Qualifier, Rule,
    Shape, Subject,
};
use crate::policy::tier::{LayerIx, Tier, TierCodes, TierEnd, TierMode, Ties};
use crate::set::IpSet;
use crate::source::{DocumentId, Path};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How the parts of a network are called.
pub static NETWORK: Shape = Shape {
    kind: "network",
    api_version: "k8s.ovn.org/v1",
    rules: ["spec", "spec"],
    peers: ["from", "to"],
    ports: "ports",
    subject: "spec",
    allow: "allow",
    has_actions: false,
};

/// The condition of what reaches a pod by its Service alone.
pub const BY_SERVICE: &str = "the call goes to the Service, and not to the pod itself";

/// Nodes and the pods on their network.
pub fn nodes() -> Peer {
    Peer::Owned(AddressOwner::Nodes, IpSet::full())
}

/// A rule without conditions, for all traffic.
pub fn rule(action: Action, peers: Vec<Peer>) -> Rule {
    Rule::new(action, Peers::Of(peers.into()), Ports::Any)
}

/// A rule for everybody.
pub fn everybody(action: Action) -> Rule {
    Rule::new(action, Peers::Any, Ports::Any)
}

/// A rule that may count or not, and why.
pub fn perhaps(rule: Rule, why: &str) -> Rule {
    Rule {
        qualifiers: vec![Qualifier::Undocumented(why.into())],
        ..rule
    }
}

/// What a policy of a network is called, where it stands, and when it is asked.
#[derive(Debug, Clone, Copy)]
pub struct NetworkHead<'n> {
    /// The network.
    pub name: &'n str,
    /// The document that makes it.
    pub document: DocumentId,
    /// Lower is asked first.
    pub priority: i32,
    /// How its parts are called.
    pub shape: &'static Shape,
}

impl<'n> NetworkHead<'n> {
    /// Of a network.
    pub fn new(name: &'n str, document: DocumentId) -> Self {
        Self {
            name,
            document,
            priority: 0,
            shape: &NETWORK,
        }
    }

    /// A policy for some pods in one direction.
    pub fn policy(self, direction: Direction, subject: Subject, rules: Vec<Rule>) -> Policy {
        let placed = |rule| (rule, RulePlace::whole(Path::root()));
        let head = PolicyHead {
            namespace: None,
            name: self.name.into(),
            document: self.document,
            shape: self.shape,
        };
        let generated = GeneratedBy {
            by: "the networks of pods".into(),
            unless: None,
        };
        let rules = rules.into_iter().map(placed).collect();
        Policy {
            priority: self.priority.into(),
            generated: Some(Arc::new(generated)),
            ..head.policy(direction, subject, rules)
        }
    }
}

/// The codes of decisions about whether two ends have a network in common.
pub const NETWORK_CODES: TierCodes = TierCodes {
    allow: "ALLOW_NETWORK",
    deny: "DENY_NETWORK",
};

/// Adds policies of networks in their tier.
pub fn add(policies: &mut PolicySet, made: Vec<Policy>) {
    let tier = || Tier {
        codes: Some(&NETWORK_CODES),
        ..tier("network", "networks")
    };
    let mut added = LayerPolicies::new(policies);
    made.into_iter()
        .for_each(|policy| added.add(tier(), policy));
}

/// A tier of the layer of networks.
pub fn tier(name: &'static str, policies: &'static str) -> Tier {
    let (layer, mode) = (LayerIx::NETWORKS, TierMode::Ordered(Ties::ByName));
    Tier::of_layer(layer, name, policies, mode, TierEnd::Pass)
}

/// Which rule of an island lets in pods of networks that are joined with it: they are not joined
/// for what they call by Services (NW50).
pub const BY_POD: usize = 1;

impl NetworkPlan {
    /// What keeps all primary networks apart.
    pub fn islands(&self) -> Vec<Policy> {
        let named = self
            .primary
            .iter()
            .map(|(name, document)| (&**name, *document));
        let all = named.chain([(DEFAULT, DocumentId::NONE)]);
        all.map(|(name, document)| self.island(name, document))
            .collect()
    }

    /// What comes to the pods of a primary network (NW20, NW21, NW50).
    fn island(&self, name: &str, document: DocumentId) -> Policy {
        let services = partners(&self.services, name);
        let by_service = Rule {
            qualifiers: vec![Qualifier::Application(BY_SERVICE.into())],
            ..rule(Action::Allow, vec![pods(among(PRIMARY, services))])
        };
        let allowed = rule(Action::Allow, vec![pods(among(PRIMARY, [name]))]);
        let by_pod = rule(
            Action::Allow,
            vec![pods(among(PRIMARY, partners(&self.joined, name)))],
        );
        let mut others = vec![pods(not(among(PRIMARY, [name])))];
        if name != DEFAULT {
            others.push(nodes());
        }
        // INVARIANT: what pods are let in by a connection stands at `BY_POD`
        let rules = vec![allowed, by_pod, by_service, rule(Action::Deny, others)];
        let subject = subjects(among(PRIMARY, [name]));
        NetworkHead::new(name, document).policy(Direction::Ingress, subject, rules)
    }

    /// The networks whose pods reach those of a primary one.
    fn joined_with(&self, name: &str) -> BTreeSet<Box<str>> {
        partners(&self.joined, name)
    }

    /// What keeps others away from one primary network, where it is asked about alone: pods of
    /// networks that are joined with it reach its pods and nothing else there.
    pub fn alone(&self, name: &str) -> Vec<Policy> {
        let document = self.primary.get(name).copied();
        let head = NetworkHead::new(name, document.unwrap_or(DocumentId::NONE));
        let joined = self.joined_with(name);
        let partners = subjects(among(PRIMARY, joined.clone()));
        let to_own = || {
            let own = rule(Action::Allow, vec![pods(among(PRIMARY, [name]))]);
            vec![own, everybody(Action::Deny)]
        };
        let others: BTreeSet<Box<str>> = joined.into_iter().chain([name.into()]).collect();
        let others = if name == DEFAULT {
            among(PRIMARY, self.primary.keys().cloned()) // pods on their node's network are on it
        } else {
            not(among(PRIMARY, others))
        };
        let closed = |direction| {
            let deny = vec![everybody(Action::Deny)];
            head.policy(direction, subjects(others.clone()), deny)
        };
        let mut made = vec![self.island(name, head.document)];
        for direction in Direction::ALL {
            made.push(head.policy(direction, partners.clone(), to_own()));
            made.push(closed(direction));
        }
        made
    }

    /// What a wire of secondary networks carries, and that it carries nothing else.
    pub fn wire_alone(&self, wire: &str, document: DocumentId) -> Vec<Policy> {
        let head = NetworkHead::new(wire, document);
        let [on, perhaps_on] = [self.on_wire(wire), self.perhaps_on_wire(wire)];
        let TunnelWay::Beside { what, .. } = beside(wire, false) else {
            return Vec::new();
        };
        let reach = self.wires().get(wire).copied();
        let outside = (reach != Some(WireReach::Closed)).then(|| {
            perhaps(rule(Action::Allow, vec![Peer::no_pod()]), &what) // NW24
        });
        let [sure, unsure] = [&on, &perhaps_on]
            .map(|ends| rule(Action::Allow, vec![pods(among(SECONDARY, ends.clone()))]));
        let unsure = perhaps(unsure, &what);
        let end = || outside.clone().into_iter().chain([everybody(Action::Deny)]);
        let of_wire: Vec<Rule> = [sure.clone(), unsure.clone()]
            .into_iter()
            .chain(end())
            .collect();
        let of_others = [perhaps(sure, &what), unsure]
            .into_iter()
            .chain(end())
            .collect();
        let both: BTreeSet<Box<str>> = on.union(&perhaps_on).cloned().collect();
        let only = perhaps_on.difference(&on).cloned();
        let kinds: [(Requirement, Vec<Rule>); 3] = [
            (among(SECONDARY, on.clone()), of_wire),
            (among(SECONDARY, only), of_others),
            (not(among(SECONDARY, both)), vec![everybody(Action::Deny)]),
        ];
        let mut made = Vec::new();
        for direction in Direction::ALL {
            for (subject, rules) in &kinds {
                made.push(head.policy(direction, subjects(subject.clone()), rules.clone()));
            }
        }
        made
    }
}

/// The other networks of pairs with one.
fn partners(pairs: &BTreeSet<(Box<str>, Box<str>)>, name: &str) -> BTreeSet<Box<str>> {
    let of = pairs.iter().filter(|(a, _)| **a == *name);
    of.map(|(_, b)| b.clone()).collect()
}

/// Pods of everywhere that the label of an open port names.
pub fn pods_with(key: &str, value: &str) -> Subject {
    Subject {
        namespaces: everywhere(),
        pods: crate::model::Selector::label(key, value),
    }
}
