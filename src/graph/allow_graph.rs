//! [`AllowGraph`]: the compiled form, immutable.
//!
//! Phases of [`AllowGraph::compile`]: vocabulary, atoms, classes, peer sets, profiles. The egress
//! rules turned around and the own nodes, which only rows need, are made when the first row is
//! asked for. Nothing else changes afterwards; a question walks two profiles
//! ([`AllowGraph::verdict`], O(distinct rules of both x log runs)), or two profiles over all
//! traffic ([`AllowGraph::allowed`]).
//!
//! Soundness: `verdict(flow)` equals `evaluate(flow)`, and `allowed(s, d).must` contains `t` iff
//! `evaluate` surely allows that flow. Road not taken: petgraph as the store. The relation is dense
//! where nothing isolates; edges are made from rows of sets when someone asks
//! ([`crate::graph::row`]), and petgraph serves where paths and drawings are wanted.

use crate::compile::classes::Classes;
use crate::compile::compiled_policy::CompiledPolicyIx;
use crate::compile::effective_policies;
use crate::compile::effective_policies::CompiledPolicySet;
use crate::compile::effective_policy::{EffectiveIx, EffectivePolicy};
use crate::compile::egress_index::EgressIndex;
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::equivalent_sources::equivalent_sources;
use crate::compile::node_index::NodeIndex;
use crate::compile::peer_sets::{
    EndpointBounds, EndpointSet, EndpointSpace, PeerSet, PeerSetIx, PeerSets, Scenario,
};
use crate::compile::port_sets::PortSetIx;
use crate::compile::vocabulary::Vocabulary;
use crate::graph::common_family::CommonFamilies;
use crate::graph::compile_error::{CompileError, refuse};
use crate::graph::extent::Extent;
use crate::graph::for_rows::ForRows;
use crate::graph::named_services::GraphsByService;
use crate::graph::networks;
use crate::graph::service_calls::GraphsByCall;
use crate::graph::tiers::{Hit, Walk};
use crate::input::Input;
use crate::model::{PodId, Truth};
use crate::policy::Direction;
use crate::set::{Bounds, Family, Ix, Lattice, Protocol, Table, TrafficSet};
use crate::spec::EndFamilies;
use crate::spec::address_families::{FamilySet, FamilyUse};
use crate::spec::environment::{
    CompileOptions, Endpoint, Environment, Flow, HostNetwork, HostNetworkMode,
};
use crate::spec::evaluate::{is_self, side_of};
use std::borrow::Cow;
use std::sync::Arc;

/// The allow-graph of one input under one set of options. Cheap to clone: the parts are shared.
#[derive(Clone)]
pub struct AllowGraph {
    pub(crate) env: Environment,
    pub(crate) space: Arc<EndpointSpace>,
    pub(crate) peers: Arc<Table<PeerSetIx, PeerSet>>,
    pub(crate) extents: Arc<Vec<Extent>>,
    pub(crate) compiled: Arc<CompiledPolicySet>,
    pub(crate) for_rows: Arc<ForRows>,
    pub(super) by_call: Option<Arc<GraphsByCall<AllowGraph>>>,
    pub(super) by_service: Option<Arc<GraphsByService<AllowGraph>>>,
}

/// The traffic between two ends: what certainly passes, and what may for all that is known.
pub type Allowed = Bounds<TrafficSet>;

impl AllowGraph {
    /// Compiles an input.
    ///
    /// # Errors
    /// When the input has more of anything than can be numbered, or a rule that means nothing in
    /// its tier.
    pub fn compile(input: &Input, options: &CompileOptions) -> Result<Self, CompileError> {
        refuse(input, options)?;
        let compile = |options: &CompileOptions| Self::compile(input, options);
        let with_networks = networks::laid(input, options, compile)?;
        let by_call = GraphsByCall::new(input, options).map(Arc::new);
        let by_service = GraphsByService::new(input, options).map(Arc::new);
        let input = with_networks.as_ref().unwrap_or(input);
        let env = Environment::new(input, options);
        let mut vocabulary = Vocabulary::new(&env)?;
        let atoms = vocabulary.atoms(&env)?;
        let classes = Classes::new(&env, &mut vocabulary, &atoms)?;
        EndpointIx::new(classes.list.len() + atoms.len() as usize)?;
        let list = classes.list.enumerated();
        let hosts = list
            .filter(|(_, class)| class.host)
            .map(|(at, _)| at)
            .collect();
        let scenarios = scenarios(&env, &vocabulary, &hosts);
        let space = EndpointSpace::new(&env, classes, atoms, scenarios, hosts);
        let mut sets = PeerSets::new(&env, &vocabulary, &space)?;
        let compiled = effective_policies::compile(&env, &vocabulary, &space, &mut sets)?;
        let peers = std::mem::take(&mut sets.sets);
        drop((sets, vocabulary));
        let extents = peers
            .iter()
            .flat_map(|set| &set.0)
            .map(Extent::of)
            .collect::<Vec<_>>()
            .into();
        Ok(Self {
            env,
            space: space.into(),
            peers: peers.into(),
            extents,
            compiled: compiled.into(),
            for_rows: Arc::default(),
            by_call,
            by_service,
        })
    }

    /// The own nodes.
    pub(crate) fn node_index(&self) -> &NodeIndex {
        self.for_rows
            .node_index
            .get_or_init(|| NodeIndex::new(&self.env, &self.space))
    }

    /// Makes what is made once, when somebody asks for rows.
    pub(crate) fn make_ready_for_rows(&self) {
        self.destination_class_numbers();
        self.node_index();
    }

    /// Of each endpoint the first of which rules see the same as a source; made once.
    pub(crate) fn equivalent_sources(&self) -> &Table<EndpointIx, EndpointIx> {
        let first = &self.for_rows.equivalent_sources;
        first.get_or_init(|| equivalent_sources(&self.env, &self.space, &self.compiled))
    }

    /// Whether host-network pods behave as their node in a scenario.
    pub(crate) fn hides_hosts(&self, scenario: usize) -> bool {
        self.space.scenarios[scenario].mode == HostNetworkMode::Node
    }

    /// The egress rules, turned around.
    pub(crate) fn egress_index(&self) -> &EgressIndex {
        self.for_rows
            .egress_index
            .get_or_init(|| EgressIndex::new(&self.env, &self.space, &self.peers, &self.compiled))
    }

    /// The same graph where host-network pods are taken to behave in one way. It has to have such
    /// pods, and to be compiled for every behaviour.
    #[must_use]
    pub fn assuming(&self, host_network: HostNetwork) -> Self {
        let mut graph = self.clone();
        graph.env.options.host_network = host_network;
        graph
    }

    /// The same graph for a question that names a pod by an address: connections use its family and
    /// no other (S65).
    #[must_use]
    pub(crate) fn asking(&self, families: FamilySet) -> Self {
        let mut graph = self.clone();
        graph.env.asked_families = families;
        graph.for_rows = Arc::default(); // the sources of a row depend on the family
        graph
    }

    /// What governs a class in one direction: equal indexes, the same policies.
    pub(crate) fn governed_by(&self, class: EndpointIx, direction: Direction) -> EffectiveIx {
        self.compiled.governed_by(class, direction)
    }

    /// The cluster and options it was compiled from.
    pub fn environment(&self) -> &Environment {
        &self.env
    }

    /// The line of classes and atoms.
    pub fn space(&self) -> &EndpointSpace {
        &self.space
    }

    /// What governs an endpoint in one direction; nothing governs an address of the outside.
    pub fn effective(&self, endpoint: Endpoint, direction: Direction) -> Option<&EffectivePolicy> {
        self.env.governed(endpoint)?;
        Some(self.effective_policy(self.space.index_of(endpoint), direction))
    }

    /// Whether policies isolate a pod in one direction.
    pub fn isolated(&self, pod: PodId, direction: Direction) -> Truth {
        let effective = self.effective(Endpoint::Pod(pod), direction);
        effective.map_or(Truth::No, EffectivePolicy::isolated)
    }

    /// Whether policies can govern what is at a place: pods, and addresses of nodes.
    #[inline]
    pub(crate) fn may_be_governed(&self, place: EndpointIx) -> bool {
        self.space.is_class(place) || !self.env.governed_addresses.is_empty()
    }

    /// What governs a class in one direction.
    pub(crate) fn effective_policy(
        &self,
        class: EndpointIx,
        direction: Direction,
    ) -> &EffectivePolicy {
        &self.compiled.effective[self.governed_by(class, direction)]
    }

    /// What governs a class in one direction, if anything does.
    pub(crate) fn governing(
        &self,
        class: EndpointIx,
        direction: Direction,
    ) -> Option<&EffectivePolicy> {
        let effective = self.governed_by(class, direction);
        (effective != EffectiveIx::OPEN).then(|| &self.compiled.effective[effective])
    }

    /// The policy behind a compiled one.
    pub fn policy_of(&self, compiled: CompiledPolicyIx) -> crate::policy::PolicyId {
        self.compiled.policies[compiled].policy
    }

    /// All traffic between two ends.
    pub fn allowed(&self, source: Endpoint, destination: Endpoint) -> Allowed {
        let flow = Flow {
            source,
            destination,
            traffic: ANY,
        };
        if is_self(&self.env, &flow) {
            return Bounds::exact(TrafficSet::all());
        }
        self.allowed_apart(&flow)
    }

    /// All traffic between the ends of a flow, as if none were the other one.
    pub(super) fn allowed_apart(&self, flow: &Flow) -> Allowed {
        let (source, destination) = (flow.source, flow.destination);
        self.over_scenarios(
            self.space.index_of(source),
            self.space.index_of(destination),
            |scenario| {
                let side = |direction| self.side_traffic(flow, direction, scenario);
                side(Direction::Egress).and(&side(Direction::Ingress))
            },
        )
    }

    /// What one side alone lets through between two ends: the way out of the source, or the way in
    /// to the destination.
    pub fn allowed_on(
        &self,
        direction: Direction,
        source: Endpoint,
        destination: Endpoint,
    ) -> Allowed {
        let flow = Flow {
            source,
            destination,
            traffic: ANY,
        };
        let places = (
            self.space.index_of(source),
            self.space.index_of(destination),
        );
        self.over_scenarios(places.0, places.1, |scenario| {
            self.side_traffic(&flow, direction, scenario)
        })
    }

    /// What all behaviours of host-network pods agree on, each the best over the families a
    /// connection could use (S65).
    #[inline]
    pub(crate) fn over_scenarios<D: Lattice>(
        &self,
        source: EndpointIx,
        destination: EndpointIx,
        decide: impl Fn(usize) -> Bounds<D>,
    ) -> Bounds<D> {
        let [first, others @ ..] = self.env.host_network_modes() else {
            return Bounds::nothing();
        };
        let decided = self.in_mode(source, destination, *first, &decide);
        if others.is_empty() || !(self.space.is_host(source) || self.space.is_host(destination)) {
            return decided;
        }
        others.iter().fold(decided, |decided, other| {
            decided.either(&self.in_mode(source, destination, *other, &decide))
        })
    }

    /// What the families of a connection make of its decision (S65).
    #[inline]
    fn in_mode<D: Lattice>(
        &self,
        source: EndpointIx,
        destination: EndpointIx,
        mode: HostNetworkMode,
        decide: &impl Fn(usize) -> Bounds<D>,
    ) -> Bounds<D> {
        let connection = self.family_use(source, destination);
        let [four, six] = Family::ALL.map(|family| self.scenario(mode, family));
        if four != six {
            if let Some(only) = connection.only() {
                return decide(if only == Family::V4 { four } else { six });
            }
            return connection
                .decide(|family| decide(if family == Family::V4 { four } else { six }));
        }
        match connection {
            _ if connection.is_none() => Bounds::nothing(),
            FamilyUse::Best(_) | FamilyUse::OneOf => decide(four),
            FamilyUse::Perhaps(_) | FamilyUse::Doubted(_) => {
                Bounds::nothing().either(&decide(four))
            }
        }
    }

    /// How the families of a connection between two places decide it (S65).
    #[inline]
    pub(crate) fn family_use(&self, source: EndpointIx, destination: EndpointIx) -> FamilyUse {
        let connection = self.space.family_use(source, destination);
        connection.asked(self.env.asked_families)
    }

    /// The sources by the families they have in common with a destination.
    pub(crate) fn common_families(&self, destination: EndpointIx) -> &CommonFamilies {
        let families = self.space.end_families(destination);
        let kind = families.told().map_or(0, |told| {
            let bit = |family| usize::from(told.contains(family));
            bit(Family::V4) + 2 * bit(Family::V6)
        });
        let kind = 2 * kind + usize::from(matches!(families, EndFamilies::Joined(_)));
        let kind = 2 * kind + usize::from(self.space.is_class(destination));
        let policed = self.space.is_policed(destination, Direction::Ingress);
        let kind = 2 * kind + usize::from(policed);
        self.for_rows.common_families[kind].get_or_init(|| {
            let places = self.space.indexes();
            CommonFamilies::new(places.map(|source| (source, self.family_use(source, destination))))
        })
    }

    /// The index of the view for a behaviour and family; the one for all where they make no
    /// difference.
    pub(crate) fn scenario(&self, mode: HostNetworkMode, family: Family) -> usize {
        self.space
            .scenarios
            .iter()
            .position(|v| v.mode == mode && v.family == family)
            .unwrap_or_else(|| {
                // INVARIANT: `scenarios` leaves a view out only where it equals the first with the
                // same family or behaviour
                self.space
                    .scenarios
                    .iter()
                    .position(|v| v.mode == mode || v.family == family)
                    .unwrap_or(0)
            })
    }

    fn side_traffic(&self, flow: &Flow, direction: Direction, scenario: usize) -> Allowed {
        let (subject, peer) = side_of(flow, direction);
        if self.env.governed(subject).is_none() {
            return Bounds::exact(TrafficSet::all());
        }
        let own = self.own_node(subject, peer, scenario, direction);
        let (subject, peer) = (self.space.index_of(subject), self.space.index_of(peer));
        self.traffic(
            subject,
            peer,
            self.space.index_of(flow.destination),
            direction,
            scenario,
            own,
        )
    }

    /// One direction over all traffic, between places of the line.
    pub(crate) fn traffic(
        &self,
        subject: EndpointIx,
        peer: EndpointIx,
        destination: EndpointIx,
        direction: Direction,
        scenario: usize,
        own_node: Truth,
    ) -> Allowed {
        self.traffic_by(
            self.effective_policy(subject, direction),
            subject,
            peer,
            destination,
            direction,
            scenario,
            own_node,
        )
    }

    /// [`Self::traffic`] with a profile of one's own.
    pub(crate) fn traffic_by(
        &self,
        effective: &EffectivePolicy,
        subject: EndpointIx,
        peer: EndpointIx,
        destination: EndpointIx,
        direction: Direction,
        scenario: usize,
        own_node: Truth,
    ) -> Allowed {
        let if_so = |yes: bool| {
            if yes {
                TrafficSet::all()
            } else {
                TrafficSet::empty()
            }
        };
        let hidden = self.hidden(destination, scenario);
        let walk = Walk {
            policies: &self.compiled.policies,
            direction: direction.index(),
            all: TrafficSet::all(),
            hit: |peers: PeerSetIx, ports: PortSetIx| {
                let truth = self.matched(peers, scenario).truth(peer);
                let when = |yes: bool| {
                    if yes {
                        self.ports_at(ports, destination, hidden)
                    } else {
                        Cow::Owned(TrafficSet::empty())
                    }
                };
                Hit {
                    must: when(truth == Truth::Yes),
                    may: when(truth.possible()),
                }
            },
            own_node: Hit::owned(if_so(own_node == Truth::Yes), if_so(own_node.possible())),
            subject_is_node: self.hidden(subject, scenario),
        };
        walk.decide(effective)
    }

    pub(crate) fn own_node(
        &self,
        subject: Endpoint,
        peer: Endpoint,
        scenario: usize,
        direction: Direction,
    ) -> Truth {
        let Endpoint::Pod(pod) = subject else {
            return Truth::No;
        };
        if matches!(peer, Endpoint::Pod(_)) && !self.hidden(self.space.index_of(peer), scenario) {
            return Truth::No;
        }
        self.env.is_own_node(
            self.env.cluster.pod(pod),
            peer,
            self.space.scenarios[scenario].mode,
            direction,
        )
    }

    pub(crate) fn matched(&self, peers: PeerSetIx, scenario: usize) -> &EndpointBounds {
        &self.peers[peers].0[scenario]
    }

    /// Whether a place is a host-network pod that behaves as its node in this view.
    pub(crate) fn hidden(&self, at: EndpointIx, scenario: usize) -> bool {
        self.space.scenarios[scenario].mode == HostNetworkMode::Node && self.space.is_host(at)
    }
}

/// Some traffic, where none is asked about.
pub(crate) const ANY: crate::set::Traffic = crate::set::Traffic {
    protocol: Protocol::Tcp,
    port: 1,
};

/// The views that can differ: behaviours only where there are host-network pods, families only
/// where addresses matter.
fn scenarios(env: &Environment, vocabulary: &Vocabulary<'_>, hosts: &EndpointSet) -> Vec<Scenario> {
    let host_network_modes = if hosts.is_empty() {
        &env.host_network_modes()[..1]
    } else {
        env.host_network_modes()
    };
    let families: &[Family] = if vocabulary.tells_addresses {
        &Family::ALL
    } else {
        &Family::ALL[..1]
    };
    let pairs = host_network_modes.iter().flat_map(|b| {
        families.iter().map(|f| Scenario {
            mode: *b,
            family: *f,
        })
    });
    pairs.collect()
}
