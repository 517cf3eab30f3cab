//! The policies that are made of objects, and their tiers.

use crate::model::{Requirement, Selector};
use crate::policy::istio::callers::anyone_identified;
use crate::policy::istio::labels::{IDENTITY, PROFILE};
use crate::policy::istio::lower::other_traffic;
use crate::policy::istio::profile::{IstioProfile, StrictPorts};
use crate::policy::istio::written::{IstioContent, IstioObject, PeerAuthentication};
use crate::policy::layer_policy::{LayerPolicies, PlacedRules, PolicyHead};
use crate::policy::layout::RulePlace;
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{
    Action, Direction, GeneratedBy, Namespaces, Peer, Peers, Policy, PortMatch, Ports, Qualifier,
    Rule, Shape, Subject,
};
use crate::policy::tier::{LayerIx, Tier, TierEnd, TierMode};
use crate::set::{Protocol, TrafficSet};
use crate::source::{DocumentId, Path};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How the parts of an `AuthorizationPolicy` are called.
pub static AUTHORIZATION: Shape = Shape {
    kind: "AuthorizationPolicy",
    api_version: "security.istio.io/v1",
    rules: ["rules", "rules"],
    peers: ["from", "from"],
    ports: "to",
    subject: "selector",
    allow: "ALLOW",
    has_actions: false,
};

/// How the parts of a `PeerAuthentication` are called.
pub static PEER: Shape = Shape {
    kind: "PeerAuthentication",
    rules: ["mtls", "mtls"],
    ..AUTHORIZATION
};

/// Adds the policies, each in its tier.
pub fn add(policies: &mut PolicySet, made: Vec<Policy>) {
    let tiers = [
        (&AUTHORIZATION, 1, TierEnd::DenyIsolated),
        (&PEER, 0, TierEnd::Pass),
    ];
    let mut added = LayerPolicies::new(policies);
    for policy in made {
        let of = tiers
            .iter()
            .find(|(shape, ..)| std::ptr::eq(*shape, policy.shape));
        if let Some((shape, order, end)) = of {
            added.add(tier(shape.kind, *order, *end), policy);
        }
    }
}

fn tier(kind: &'static str, order: i32, end: TierEnd) -> Tier {
    let (layer, mode) = (LayerIx::ISTIO, TierMode::Unordered);
    Tier {
        order,
        ..Tier::of_layer(layer, kind, "Istio's policies", mode, end)
    }
}

pub fn of_profiles(profiles: &BTreeSet<usize>) -> Requirement {
    let numbers = profiles.iter().map(|number| number.to_string().into());
    Requirement::In(PROFILE.into(), numbers.collect())
}

pub fn in_namespace(object: &IstioObject, root: bool) -> Namespaces {
    if root {
        Namespaces::Matching(Selector::everything())
    } else {
        Namespaces::Named(object.namespace.clone())
    }
}

/// A policy of an object.
pub fn policy(
    object: &IstioObject,
    shape: &'static Shape,
    subject: Subject,
    mut rules: PlacedRules,
    isolates: bool,
) -> Policy {
    if isolates {
        let ports = Ports::Of([PortMatch::Traffic(other_traffic())].into()); // IS3
        rules.push((Rule::new(Action::Allow, Peers::Any, ports), whole("rules")));
    }
    let head = PolicyHead {
        namespace: Some(object.namespace.clone()),
        name: object.name.clone(),
        document: object.document,
        shape,
    };
    Policy {
        isolates: [isolates, false],
        ..head.policy(Direction::Ingress, subject, rules)
    }
}

/// The rule that lets by what does not come to the proxy (IS5).
pub fn past_the_proxy(ports: &TrafficSet) -> (Rule, RulePlace) {
    let ports = Ports::Of([PortMatch::Traffic(ports.clone())].into());
    (Rule::new(Action::Allow, Peers::Any, ports), whole("rules"))
}

/// The rule that lets by whoever comes by a waypoint, whose identity nobody reads here (IS62).
pub fn past_the_waypoint() -> (Rule, RulePlace) {
    let words = "what the waypoint lets by";
    let peers = Peers::Of([anyone_identified(IDENTITY)].into());
    let ports = Ports::Of([PortMatch::Traffic(TrafficSet::protocol(Protocol::Tcp))].into());
    let rule = Rule {
        qualifiers: vec![Qualifier::Application(words.into())],
        ..Rule::new(Action::Allow, peers, ports)
    };
    (rule, whole("rules"))
}

/// A place that is one field.
fn whole(field: &str) -> RulePlace {
    RulePlace::whole(Path::root().key(field))
}

/// The rules that close ports to connections without an identity.
pub fn closed_to_plaintext(strict: &StrictPorts, profile: &IstioProfile) -> PlacedRules {
    let words = "which PeerAuthentication counts";
    let doubt = (!strict.certain).then(|| Qualifier::Undocumented(words.into()));
    let field = if strict.of_ports {
        "portLevelMtls"
    } else {
        "mtls"
    };
    let mut rules = Vec::new();
    for (label, shown) in profile.identities_in_strict_mode() {
        let ports = strict.ports.intersection(&shown);
        if ports.is_empty() {
            continue;
        }
        let peers = Peers::Of([Peer::NoneOf([anyone_identified(label)].into())].into());
        let ports = Ports::Of([PortMatch::Traffic(ports)].into());
        let rule = Rule {
            qualifiers: doubt.iter().cloned().collect(),
            ..Rule::new(Action::Deny, peers, ports)
        };
        rules.push((rule, whole(field)));
    }
    rules
}

/// What a policy for gateways means to their pods: requests decide, which nobody reads here (IS12).
pub fn at_gateways(object: &IstioObject, gateways: &[Box<str>]) -> Policy {
    const NAME: &str = "gateway.networking.k8s.io/gateway-name";
    let named = Requirement::In(NAME.into(), gateways.to_vec());
    let subject = Subject {
        namespaces: in_namespace(object, false),
        pods: Selector::new([named]),
    };
    let words = "the gateway refuses it";
    let ports = Ports::Of([PortMatch::Traffic(TrafficSet::protocol(Protocol::Tcp))].into());
    let rule = Rule {
        qualifiers: vec![Qualifier::Application(words.into())],
        ..Rule::new(Action::Deny, Peers::Any, ports)
    };
    let rules = vec![(rule, whole("rules"))];
    policy(object, &AUTHORIZATION, subject, rules, false)
}

/// The policy that stands for waypoints: what they decide is read by nobody here (IS62).
pub fn waypoint(profiles: &[IstioProfile]) -> Option<Policy> {
    let with = profiles.iter().enumerate();
    let with = with.filter(|(_, profile)| profile.waypoint.possible());
    let profiles: BTreeSet<usize> = with.map(|(number, _)| number).collect();
    if profiles.is_empty() {
        return None;
    }
    let object = IstioObject {
        name: "waypoint".into(),
        namespace: Box::default(),
        document: DocumentId::NONE,
        spec: IstioContent::Peer(PeerAuthentication {
            selector: BTreeMap::new(),
            mode: None,
            ports: BTreeMap::new(),
            created: None,
        }),
    };
    let subject = Subject {
        namespaces: Namespaces::Matching(Selector::everything()),
        pods: Selector::new([of_profiles(&profiles)]),
    };
    let words = "the waypoint refuses it";
    let peers = Peers::Of([anyone_identified(IDENTITY)].into());
    let tcp = TrafficSet::protocol(Protocol::Tcp);
    let ports = Ports::Of([PortMatch::Traffic(tcp)].into());
    let rule = Rule {
        qualifiers: vec![Qualifier::Application(words.into())],
        ..Rule::new(Action::Deny, peers, ports)
    };
    let made = policy(
        &object,
        &AUTHORIZATION,
        subject,
        vec![(rule, whole("rules"))],
        false,
    );
    Some(Policy {
        namespace: None,
        generated: Some(Arc::new(GeneratedBy {
            by: "the label istio.io/use-waypoint".into(),
            unless: None,
        })),
        ..made
    })
}
