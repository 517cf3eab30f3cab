//! The policies that are made of objects, and their tiers.

use crate::model::{Requirement, Selector, Truth};
use crate::policy::interner::PolicyInterner;
use crate::policy::istio::callers::anyone_identified;
use crate::policy::istio::labels::PROFILE;
use crate::policy::istio::lower::{PlacedRules, other_traffic};
use crate::policy::istio::profile::{IstioProfile, StrictPorts};
use crate::policy::istio::written::{IstioContent, IstioObject, PeerAuthentication};
use crate::policy::layout::{Layout, PeersPlace, RulePlace};
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{
    Action, GeneratedBy, Namespaces, Peer, Peers, Policy, PortMatch, Ports, Qualifier, Rule, Shape,
    Subject,
};
use crate::policy::tier::{HostPods, LayerIx, Tier, TierEnd, TierIx, TierMode};
use crate::set::{Protocol, TrafficSet};
use crate::source::{DocumentId, Path};
use std::borrow::Cow;
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
    let mut interner = PolicyInterner::default();
    for mut policy in made {
        let of = tiers
            .iter()
            .find(|(shape, ..)| std::ptr::eq(*shape, policy.shape));
        let Some((shape, order, end)) = of else {
            continue;
        };
        let tier = tier(shape.kind, *order, *end);
        let Some(tier) = policies.tier(tier) else {
            continue;
        };
        policy.tier = tier;
        interner.share(&mut policy);
        policies.policies.push(policy);
    }
}

fn tier(kind: &'static str, order: i32, end: TierEnd) -> Tier {
    Tier {
        name: Cow::Borrowed(kind),
        policies: "Istio's policies",
        layer: LayerIx::ISTIO,
        order,
        mode: TierMode::Unordered,
        end,
        pass_to: None,
        host_pods: HostPods::Excluded,
        exempts_own_node: false,
        codes: None,
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
    rules: PlacedRules,
    isolates: bool,
) -> Policy {
    let (mut rules, mut places): (Vec<Rule>, Vec<RulePlace>) = rules.into_iter().unzip();
    if isolates {
        rules.push(Rule {
            action: Action::Allow,
            peers: Peers::Any,
            ports: Ports::Of([PortMatch::Traffic(other_traffic())].into()), // IS3
            subjects: Peers::Any,
            name: None,
            qualifiers: Vec::new(),
        });
        places.push(whole("rules"));
    }
    Policy {
        namespace: Some(object.namespace.clone()),
        name: object.name.clone(),
        document: object.document,
        shape,
        tier: TierIx(0), // given when it is added
        priority: 0.into(),
        tie: None,
        subject,
        applies: [true, false],
        isolates: [isolates, false],
        sees_own_service: Truth::Yes,
        rules: [rules, Vec::new()],
        layout: Some(Arc::new(Layout {
            root: Path::root().key("spec"),
            rules: [places, Vec::new()],
        })),
        written: None,
        generated: None,
    }
}

/// A place that is one field.
fn whole(field: &str) -> RulePlace {
    let at = Path::root().key(field);
    RulePlace::Parts {
        rule: at.clone(),
        peers: PeersPlace::Field(at.clone()),
        ports: at,
    }
}

/// The rule that closes ports to connections without an identity.
pub fn closed_to_plaintext(strict: &StrictPorts) -> (Rule, RulePlace) {
    let words = "which PeerAuthentication counts";
    let doubt = (!strict.certain).then(|| Qualifier::Undocumented(words.into()));
    let rule = Rule {
        action: Action::Deny,
        peers: Peers::Of([Peer::NoneOf([anyone_identified()].into())].into()),
        ports: Ports::Of([PortMatch::Traffic(strict.ports.clone())].into()),
        subjects: Peers::Any,
        name: None,
        qualifiers: doubt.into_iter().collect(),
    };
    let field = if strict.of_ports {
        "portLevelMtls"
    } else {
        "mtls"
    };
    (rule, whole(field))
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
    let rule = Rule {
        action: Action::Deny,
        peers: Peers::Of([anyone_identified()].into()),
        ports: Ports::Of([PortMatch::Traffic(TrafficSet::protocol(Protocol::Tcp))].into()),
        subjects: Peers::Any,
        name: None,
        qualifiers: vec![Qualifier::Application(words.into())],
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
