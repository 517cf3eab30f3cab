//! The parts of a policy's subjects that it is compiled for one by one.
//!
//! A rule whose peers are relative to the subject, or which is for some subjects only, means
//! something else for each of them; subjects for which all rules mean the same are one part.
//! Invariant: the parts of a policy share no class, and together are the classes that it governs.
//! Cost: O(classes governed) for such a policy, nothing for others.

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::{
    EndpointBounds, EndpointSet, EndpointSpace, PeerSetIx, PeerSets, SeenFrom,
};
use crate::model::{NamespaceId, PodId, Truth};
use crate::policy::tier::HostPods;
use crate::policy::{Direction, Namespaces, Peer, Peers, Policy, Rule};
use crate::set::hashed::{HashMap, IndexMap};
use crate::set::{Point, TooMany};
use crate::spec::environment::{Endpoint, Environment, HostNetworkMode};
use crate::spec::matching::{namespaces_match, selects};

/// Whether a policy means the same for all of its subjects, so that they are one part.
pub fn is_whole(policy: &Policy) -> bool {
    let is_relative = |peer: &Peer| is_relative_to_namespace(peer) || is_relative_to_node(peer);
    policy.rules.iter().flatten().all(|rule| {
        let is_fixed = match &rule.peers {
            Peers::Of(list) => !list.iter().any(|peer| peer.any(&is_relative)),
            Peers::Any => true,
        };
        is_fixed && rule.subjects == Peers::Any
    })
}

/// The parts of its subjects that a policy has to be compiled for one by one: where a peer is
/// relative to the subject's namespace (S92) all namespaces, where it is relative to the subject's
/// node all nodes, where rules are for some subjects only those that the same rules are for;
/// otherwise none in particular.
pub fn parts<'w>(
    env: &Environment,
    policy: &'w Policy,
    space: &EndpointSpace,
    peers: &mut PeerSets<'w>,
) -> Result<Vec<CompiledPart>, TooMany> {
    let whole = relative_parts(env, policy, space, peers).into_iter();
    let whole = whole.map(|subjects| CompiledPart {
        subjects,
        classes: None,
        narrowing: HashMap::default(),
    });
    let all = Peers::Any;
    if policy.rules.iter().flatten().all(|r| r.subjects == all) {
        return Ok(whole.collect());
    }
    let mut parts = Vec::new();
    for part in whole {
        parts.extend(narrowed_parts(env, policy, &part, space, peers)?);
    }
    Ok(parts)
}

/// A part of a policy's subjects, apart by which of the rules are for them.
fn narrowed_parts<'w>(
    env: &Environment,
    policy: &'w Policy,
    part: &CompiledPart,
    space: &EndpointSpace,
    peers: &mut PeerSets<'w>,
) -> Result<Vec<CompiledPart>, TooMany> {
    let (own, subject) = part.subjects.seen_from(env);
    let seen = SeenFrom {
        own,
        subject,
        host_pods: env.policies.tier_of(policy).host_pods,
        conditions: Truth::Yes,
    };
    let mut narrowed = Vec::new();
    for direction in Direction::ALL {
        for (i, rule) in policy.rules(direction).iter().enumerate() {
            if rule.subjects != Peers::Any {
                let set = peers.peers(&rule.subjects, seen)?;
                narrowed.push(((direction.index(), i), set));
            }
        }
    }
    let found = governed(env, policy, part, space, peers);
    let mut groups: IndexMap<Vec<Vec<Truth>>, Vec<EndpointIx>> = IndexMap::default();
    for class in found.may.points() {
        let truths = |set: &PeerSetIx| peers.sets[*set].0.iter().map(|b| b.truth(class)).collect();
        let key = narrowed.iter().map(|(_, set)| truths(set)).collect();
        groups.entry(key).or_default().push(class);
    }
    let group = |(truths, classes): (Vec<Vec<Truth>>, Vec<EndpointIx>)| CompiledPart {
        subjects: part.subjects.clone(),
        classes: Some(classes.into_iter().collect()),
        narrowing: narrowed.iter().map(|(at, _)| *at).zip(truths).collect(),
    };
    Ok(groups.into_iter().map(group).collect())
}

/// The parts that relative peers make of a policy's subjects.
fn relative_parts<'w>(
    env: &Environment,
    policy: &'w Policy,
    space: &EndpointSpace,
    peers: &mut PeerSets<'w>,
) -> Vec<SubjectPart> {
    let any = |relative: &dyn Fn(&Peer) -> bool| {
        let of = |rule: &Rule| match &rule.peers {
            Peers::Of(list) => list.iter().any(|peer| peer.any(&relative)),
            Peers::Any => false,
        };
        policy.rules.iter().flatten().any(of)
    };
    if any(&is_relative_to_node) {
        let found = governed(env, policy, &CompiledPart::whole(), space, peers);
        return by_node(env, space, &found);
    }
    if !any(&is_relative_to_namespace) {
        return vec![SubjectPart::Whole];
    }
    let all = env.cluster.namespaces().map(|(id, _)| id);
    all.filter(|id| namespaces_match(env, &policy.subject.namespaces, *id, *id).possible())
        .map(SubjectPart::Namespace)
        .collect()
}

/// The subjects of a policy by their namespace and node, each with one of them; of addresses of
/// nodes with what stands for these.
fn by_node(
    env: &Environment,
    space: &EndpointSpace,
    subjects: &EndpointBounds,
) -> Vec<SubjectPart> {
    let mut parts: IndexMap<(NamespaceId, Option<&str>), (PodId, Vec<EndpointIx>)> =
        IndexMap::default();
    for place in subjects.may.points() {
        let governed = match space.representative(place) {
            Endpoint::Pod(pod) => Some(pod),
            Endpoint::Address(address) => env.governed_addresses.get(&address).copied(),
        };
        let Some(subject) = governed else {
            continue; // what nothing stands for is not governed
        };
        let pod = env.cluster.pod(subject);
        let key = (pod.namespace, pod.node.as_deref());
        let (_, places) = parts.entry(key).or_insert((subject, Vec::new()));
        places.push(place);
    }
    let part = |(first, places): (PodId, Vec<EndpointIx>)| {
        SubjectPart::Node(first, places.into_iter().collect())
    };
    parts.into_values().map(part).collect()
}

fn is_relative_to_namespace(peer: &Peer) -> bool {
    matches!(
        peer,
        Peer::Pods(Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_), _)
    )
}

fn is_relative_to_node(peer: &Peer) -> bool {
    matches!(peer, Peer::Symbol(symbol) if symbol.is_relative())
}

/// A part of a policy's subjects that it is compiled for.
pub struct CompiledPart {
    /// Which they are.
    pub subjects: SubjectPart,
    /// Of these the classes, if not all.
    pub classes: Option<EndpointSet>,
    /// How surely the rules are for them that are for some subjects only, by scenario; by
    /// direction and number of the rule.
    pub narrowing: HashMap<(usize, usize), Vec<Truth>>,
}

impl CompiledPart {
    /// All subjects, for whom every rule is.
    pub fn whole() -> Self {
        Self {
            subjects: SubjectPart::Whole,
            classes: None,
            narrowing: HashMap::default(),
        }
    }
}

/// A part of a policy's subjects.
#[derive(Clone)]
pub enum SubjectPart {
    /// All of them.
    Whole,
    /// Those of a namespace.
    Namespace(NamespaceId),
    /// Those of a namespace on one node, of which this pod is one.
    Node(PodId, EndpointSet),
}

impl SubjectPart {
    /// A subject of it, where peers are relative to it.
    pub fn seen_from(&self, env: &Environment) -> (Option<NamespaceId>, Option<PodId>) {
        match self {
            Self::Whole => (None, None),
            Self::Namespace(namespace) => (Some(*namespace), None),
            Self::Node(pod, _) => (Some(env.cluster.pod(*pod).namespace), Some(*pod)),
        }
    }
}

/// The places of the addresses that a policy governs. O(such addresses).
fn governed_addresses(env: &Environment, policy: &Policy, space: &EndpointSpace) -> EndpointBounds {
    let (mut must, mut may) = (Vec::new(), Vec::new());
    for (address, host) in &env.governed_addresses {
        let place = space.index_of(Endpoint::Address(*address));
        // no behaviour of host-network pods changes what is no pod
        match selects(env, policy, *host, HostNetworkMode::Node) {
            Truth::Yes => must.push(place),
            Truth::Maybe => may.push(place),
            Truth::No => {}
        }
    }
    must.sort_unstable();
    may.sort_unstable();
    EndpointBounds::from_lists(must, may)
}

/// The classes a policy governs, and the places of the addresses.
pub fn governed<'w>(
    env: &Environment,
    policy: &'w Policy,
    part: &CompiledPart,
    space: &EndpointSpace,
    peers: &mut PeerSets<'w>,
) -> EndpointBounds {
    let mut found = peers.pods_in(&policy.subject.namespaces, &policy.subject.pods, None);
    if policy.presence() != Truth::Yes {
        found = found.possibly();
    }
    match env.policies.tier_of(policy).host_pods {
        HostPods::Excluded => found = found.without(&space.hosts),
        HostPods::AsNodes => found = found.joined(&governed_addresses(env, policy, space)),
        HostPods::Undefined => {}
    }
    if let Some(classes) = &part.classes {
        found = found.among(classes);
    }
    let only = match &part.subjects {
        SubjectPart::Whole => return found,
        SubjectPart::Namespace(own) => {
            let span = &space.classes.spans[space.classes.of_namespace[*own]];
            let last = span.end.previous().filter(|last| span.start <= *last);
            last.map_or_else(EndpointSet::empty, |last| (span.start..=last).into())
        }
        SubjectPart::Node(_, classes) => classes.clone(),
    };
    found.among(&only)
}
