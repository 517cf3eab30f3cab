//! Who calls the pod behind a door, and whether policies let that caller through.
//!
//! Behind a proxy the packet comes from the proxy's pod, at a node it may come from the node, and
//! only where `externalTrafficPolicy` is `Local` from the client (DO41, DO42, DO59, DO99). Policy
//! is decided for that packet. A controller that is not loaded is assumed as its default install
//! has it; that may open a door and never closes one: closed is certain only where no rule admits
//! anybody (DO57, DO58). Cost: each pair of classes is decided once.

use crate::compile::effective_policy::EffectiveTier;
use crate::compile::endpoint_index::EndpointIx;
use crate::doors::line::{DoorStatus, Passage};
use crate::doors::reason::DoorReason;
use crate::graph::{AllowGraph, Allowed};
use crate::model::{PodId, Truth};
use crate::policy::{Direction, PolicyId};
use crate::set::hashed::HashMap;
use crate::set::{Family, IpSet, Protocol, Traffic, TrafficSet};
use crate::spec::{ConnectionOrigin, Endpoint, FamilySet};
use std::net::IpAddr;
use std::sync::Arc;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The client itself, of some families.
    Client(FamilySet),
    /// The client or any node, and policies may see either (DO42).
    ClientOrNode(FamilySet),
    /// Proxies.
    Proxies(Proxies),
    /// An address of a private network of which only that is known.
    PrivateSubnet,
    /// All of some addresses.
    Blocks(IpSet),
    /// A client at any of some addresses.
    Ranges(IpSet),
    /// Something of which nothing is known (DO57).
    Untold,
    /// Something that is neither a pod nor an address to policies (DO94).
    Identity,
}

/// The pods of a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxies {
    /// What they may be; of each one pod that gets through is enough, and where that differs it is
    /// not told which holds.
    pub alternatives: Vec<Arc<[PodId]>>,
    /// Whether they are assumed.
    pub assumed: bool,
}

impl Caller {
    /// Pods that are loaded, else one that stands in for them, else something that is not known.
    pub fn loaded_or_assumed(loaded: Vec<PodId>, stand_in: Option<PodId>) -> Self {
        let (pods, assumed): (Arc<[PodId]>, bool) = match stand_in {
            _ if !loaded.is_empty() => (loaded.into(), false),
            Some(pod) => ([pod].into(), true),
            None => return Self::Untold,
        };
        Self::Proxies(Proxies {
            alternatives: vec![pods],
            assumed,
        })
    }
}

impl Caller {
    /// The loaded pods that it stands for; none where what calls is assumed, or no pod.
    pub fn loaded(&self) -> Arc<[PodId]> {
        match self {
            Self::Proxies(Proxies {
                alternatives,
                assumed: false,
            }) => match &alternatives[..] {
                [pods] => pods.clone(),
                several => several
                    .iter()
                    .flat_map(|pods| pods.iter().copied())
                    .collect(),
            },
            _ => Arc::default(),
        }
    }
}

/// What passes for callers of which there are many: for each of them, for some, and possibly.
#[derive(Debug, Clone)]
struct Admission {
    every: TrafficSet,
    some: TrafficSet,
    possible: TrafficSet,
}

/// Callers of one kind at one class of pods.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum AdmissionKey {
    Addresses(EndpointIx, IpSet),
    Nodes(EndpointIx, Option<Arc<str>>, FamilySet),
}

/// Decides calls, each once.
pub struct Calls<'g> {
    /// What is asked.
    pub graph: &'g AllowGraph,
    admissions: HashMap<AdmissionKey, Admission>,
    pairs: HashMap<(EndpointIx, EndpointIx), Allowed>,
    untold: HashMap<(EndpointIx, Traffic, bool), Truth>,
}

impl<'g> Calls<'g> {
    /// Nothing is decided yet.
    pub fn new(graph: &'g AllowGraph) -> Self {
        Self {
            graph,
            admissions: HashMap::default(),
            pairs: HashMap::default(),
            untold: HashMap::default(),
        }
    }

    /// How a caller fares at a pod, on a port of it.
    pub fn at_pod(&mut self, caller: &Caller, pod: PodId, traffic: Traffic) -> Passage {
        match caller {
            Caller::Client(families) => {
                let internet = families.addresses(&IpSet::internet());
                let admission = self.addresses(pod, internet).clone();
                self.judged(&admission, pod, traffic)
            }
            Caller::Ranges(addresses) => {
                let admission = self.addresses(pod, addresses.clone()).clone();
                self.judged(&admission, pod, traffic)
            }
            Caller::ClientOrNode(families) => self.client_or_node(*families, pod, traffic),
            Caller::Proxies(proxies) => self.proxies(proxies, Endpoint::Pod(pod), traffic),
            Caller::PrivateSubnet => {
                let private = IpSet::assumed_pods();
                let admission = self.addresses(pod, private).clone();
                self.all_or_none(&admission, DoorReason::SubnetOfBalancer, pod, traffic)
            }
            Caller::Blocks(blocks) => {
                let admission = self.addresses(pod, blocks.clone()).clone();
                self.all_or_none(&admission, DoorReason::NotDecided, pod, traffic)
            }
            Caller::Untold => {
                let origin = ConnectionOrigin::Untold;
                self.of_nobody(origin, DoorReason::ControllerNotLoaded, pod, traffic)
            }
            Caller::Identity => {
                let origin = ConnectionOrigin::Identity;
                self.of_nobody(origin, DoorReason::NotDecided, pod, traffic)
            }
        }
    }

    /// How a caller fares at an address outside the cluster: only what governs a proxy counts.
    pub fn at_address(&mut self, caller: &Caller, at: IpAddr, traffic: Traffic) -> Passage {
        match caller {
            Caller::Proxies(proxies) => self.proxies(proxies, Endpoint::Address(at), traffic),
            _ => Passage::open(),
        }
    }

    fn proxies(&mut self, proxies: &Proxies, to: Endpoint, traffic: Traffic) -> Passage {
        let each = proxies.alternatives.iter().map(|pods| {
            let through = pods.iter().map(|from| self.of_pod(*from, to, traffic));
            through.fold(Truth::No, Truth::or)
        });
        match each.reduce(Truth::either).unwrap_or(Truth::Maybe) {
            Truth::Yes => Passage::open(),
            Truth::No if !proxies.assumed => self.closed(proxies, to, traffic),
            _ if proxies.assumed => self.assumed(to, traffic),
            _ => {
                let cluster = &self.graph.environment().cluster;
                let pods = proxies.alternatives.iter().flat_map(|pods| pods.iter());
                let on_host = pods.into_iter().any(|pod| cluster.pod(*pod).host_network);
                let reason = if on_host || proxies.alternatives.len() > 1 {
                    DoorReason::ControllerOnHostNetwork
                } else {
                    DoorReason::NotDecided
                };
                Passage::because(DoorStatus::Unknown, reason)
            }
        }
    }

    /// Behind a controller that is not loaded, where the assumed one does not surely get through.
    fn assumed(&mut self, to: Endpoint, traffic: Traffic) -> Passage {
        if let Endpoint::Pod(pod) = to
            && self.admits(ConnectionOrigin::Untold, pod, traffic) == Truth::No
        {
            return self.closed_at(pod);
        }
        Passage::because(DoorStatus::Unknown, DoorReason::ControllerNotLoaded)
    }

    /// Closed to loaded proxies: by what governs the pod, or by what governs them.
    fn closed(&mut self, proxies: &Proxies, to: Endpoint, traffic: Traffic) -> Passage {
        let on_the_way_in = match to {
            Endpoint::Pod(_) => proxies
                .alternatives
                .iter()
                .flat_map(|p| p.iter())
                .all(|from| {
                    let from = Endpoint::Pod(*from);
                    let allowed = self.graph.allowed_on(Direction::Ingress, from, to);
                    !allowed.may.contains(traffic)
                }),
            Endpoint::Address(_) => false,
        };
        let pods = proxies.alternatives.iter().flat_map(|p| p.iter());
        let closed_to: Vec<PodId> = pods.copied().collect();
        if on_the_way_in && let Endpoint::Pod(pod) = to {
            return Passage {
                closed_to,
                ..self.closed_at(pod)
            };
        }
        let mut policies: Vec<PolicyId> = closed_to
            .iter()
            .flat_map(|from| self.isolating(*from, Direction::Egress))
            .collect();
        if policies.is_empty()
            && let Endpoint::Pod(pod) = to
        {
            policies = self.isolating(pod, Direction::Ingress);
        }
        policies.sort_unstable();
        policies.dedup();
        Passage {
            status: DoorStatus::ClosedByPolicy,
            reason: None,
            policies,
            closed_to,
        }
    }

    fn closed_at(&self, pod: PodId) -> Passage {
        Passage {
            status: DoorStatus::ClosedByPolicy,
            reason: None,
            policies: self.isolating(pod, Direction::Ingress),
            closed_to: Vec::new(),
        }
    }

    /// The policies that isolate a pod in a direction; where none does, all that govern it.
    fn isolating(&self, pod: PodId, direction: Direction) -> Vec<PolicyId> {
        let Some(effective) = self.graph.effective(Endpoint::Pod(pod), direction) else {
            return Vec::new();
        };
        let isolating = effective.tiers.iter().flat_map(|tier| &tier.isolating);
        let mut found: Vec<_> = isolating.map(|s| self.graph.policy_of(s.policy)).collect();
        if found.is_empty() {
            let all = effective.tiers.iter().flat_map(EffectiveTier::selections);
            found = all.map(|s| self.graph.policy_of(s.policy)).collect();
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn of_pod(&mut self, from: PodId, to: Endpoint, traffic: Traffic) -> Truth {
        let graph = self.graph;
        let source = Endpoint::Pod(from);
        let key = (graph.space().index_of(source), graph.space().index_of(to));
        let host = |end: Endpoint| match end {
            Endpoint::Pod(pod) => graph.environment().cluster.pod(pod).host_network,
            Endpoint::Address(_) => true,
        };
        // a node is the own one of some pods of a class and not of others
        if host(source) || host(to) || key.0 == key.1 {
            return truth(&graph.allowed(source, to), traffic);
        }
        let decided = self.pairs.entry(key);
        truth(
            decided.or_insert_with(|| graph.allowed(source, to)),
            traffic,
        )
    }

    /// The families that a pod may have.
    fn families(&self, pod: PodId) -> FamilySet {
        let families = self.graph.environment().end_families(Endpoint::Pod(pod));
        families.told().unwrap_or(FamilySet::BOTH)
    }

    /// What all, and some, of many addresses may send to a pod.
    fn addresses(&mut self, pod: PodId, addresses: IpSet) -> &Admission {
        let graph = self.graph;
        let class = graph.space().index_of(Endpoint::Pod(pod));
        let families = self.families(pod);
        let addresses = families.addresses(&addresses);
        let key = AdmissionKey::Addresses(class, addresses.clone());
        self.admissions.entry(key).or_insert_with(|| {
            let atoms = &graph.space().atoms;
            let found = atoms.overlapping(&addresses);
            let callers = found
                .points()
                .filter_map(|atom| atoms.addresses(atom).intersection(&addresses).first());
            admission(callers.map(|address| {
                let from = Endpoint::Address(address);
                graph.allowed_on(Direction::Ingress, from, Endpoint::Pod(pod))
            }))
        })
    }

    fn client_or_node(&mut self, families: FamilySet, pod: PodId, traffic: Traffic) -> Passage {
        let graph = self.graph;
        let internet = families.addresses(&IpSet::internet());
        let clients = self.addresses(pod, internet).clone();
        let class = graph.space().index_of(Endpoint::Pod(pod));
        let node = graph.environment().cluster.pod(pod).node.clone();
        let key = AdmissionKey::Nodes(class, node, families);
        let families = families.intersection(self.families(pod));
        let nodes = self.admissions.entry(key);
        let nodes = nodes.or_insert_with(|| admission(graph.by_any_node(families, pod)));
        let both = Admission {
            every: clients.every.intersection(&nodes.every),
            some: clients.some.intersection(&nodes.some),
            possible: clients.possible.union(&nodes.possible),
        };
        self.all_or_none(&both, DoorReason::ClientOrNode, pod, traffic)
    }

    /// Open if some callers get through, in part if not all do.
    fn judged(&self, admission: &Admission, pod: PodId, traffic: Traffic) -> Passage {
        if admission.every.contains(traffic) {
            Passage::open()
        } else if admission.some.contains(traffic) {
            Passage {
                reason: Some(DoorReason::PartlyByPolicy),
                policies: self.isolating(pod, Direction::Ingress),
                ..Passage::open()
            }
        } else if admission.possible.contains(traffic) {
            let on_host = self.graph.environment().cluster.pod(pod).host_network;
            let reason = if on_host {
                DoorReason::OnHostNetwork
            } else {
                DoorReason::NotDecided
            };
            Passage::because(DoorStatus::Unknown, reason)
        } else {
            self.closed_at(pod)
        }
    }

    /// Open if all callers get through, because it is not told which of them calls.
    fn all_or_none(
        &self,
        admission: &Admission,
        otherwise: DoorReason,
        pod: PodId,
        traffic: Traffic,
    ) -> Passage {
        if admission.every.contains(traffic) {
            Passage::open()
        } else if admission.possible.contains(traffic) {
            Passage::because(DoorStatus::Unknown, otherwise)
        } else {
            self.closed_at(pod)
        }
    }

    /// Callers that no rule can name.
    fn of_nobody(
        &mut self,
        origin: ConnectionOrigin,
        otherwise: DoorReason,
        pod: PodId,
        traffic: Traffic,
    ) -> Passage {
        match self.admits(origin, pod, traffic) {
            Truth::Yes => Passage::open(),
            Truth::Maybe => Passage::because(DoorStatus::Unknown, otherwise),
            Truth::No => self.closed_at(pod),
        }
    }

    fn admits(&mut self, origin: ConnectionOrigin, pod: PodId, traffic: Traffic) -> Truth {
        let graph = self.graph;
        let class = graph.space().index_of(Endpoint::Pod(pod));
        let key = (class, traffic, origin == ConnectionOrigin::Identity);
        let known = self.untold.entry(key);
        *known.or_insert_with(|| graph.admits_from(origin, pod, traffic))
    }
}

/// What each, some and possibly some of many callers may send.
fn admission(each: impl Iterator<Item = Allowed>) -> Admission {
    let mut all = Admission {
        every: TrafficSet::all(),
        some: TrafficSet::empty(),
        possible: TrafficSet::empty(),
    };
    let mut none = true;
    for allowed in each {
        none = false;
        all.every = all.every.intersection(&allowed.must);
        all.some = all.some.union(&allowed.must);
        all.possible = all.possible.union(&allowed.may);
    }
    if none {
        all.every = TrafficSet::empty();
    }
    all
}

fn truth(allowed: &Allowed, traffic: Traffic) -> Truth {
    Truth::of(
        allowed.may.contains(traffic),
        !allowed.must.contains(traffic),
    )
}

/// Traffic to a port.
pub fn traffic(port: u16, protocol: Protocol) -> Traffic {
    Traffic { protocol, port }
}

/// The families of callers at an address.
pub fn family_of(address: IpAddr) -> FamilySet {
    FamilySet::only(Family::of(address))
}
