//! [`AllowGraph`]: the compiled form, immutable.
//!
//! Phases of [`AllowGraph::compile`]: vocabulary, atoms, classes, peer sets, profiles. The law of
//! egress turned around and the own nodes, which only rows need, are made when the first row is
//! asked for. Nothing else changes afterwards; a question walks two profiles
//! ([`AllowGraph::verdict`], O(distinct rules of both x log runs)), or two profiles over all
//! traffic ([`AllowGraph::allowed`]).
//!
//! Soundness: `verdict(flow)` equals `evaluate(flow)`, and `allowed(s, d).sure` contains `t` iff
//! `evaluate` surely allows that flow. Road not taken: petgraph as the store. The relation is dense
//! where nothing isolates; edges are made from rows of sets when someone asks
//! ([`crate::graph::row`]), and petgraph serves where paths and drawings are wanted.

use crate::compile::classes::Classes;
use crate::compile::effective_policies;
use crate::compile::effective_policies::{CompiledPolicySet, PortSet};
use crate::compile::egress_index::EgressIndex;
use crate::compile::own_nodes::NodeIndex;
use crate::compile::peer_sets::{
    EndpointSet, EndpointSpace, Match, PeerSet, PeerSetId, PeerSets, Scenario,
};
use crate::compile::vocabulary::Vocabulary;
use crate::graph::tiers::{EffectivePolicy, Hit, Outcome, Walk};
use crate::graph::verdict::Bounds;
use crate::input::Input;
use crate::model::Truth;
use crate::policy::{Direction, HostPods};
use crate::set::{Family, Protocol, TrafficSet};
use crate::spec::environment::{
    CompileOptions, Endpoint, Environment, Flow, HostNetwork, HostNetworkMode, Possible,
};
use crate::spec::evaluate::{is_self, side_of};
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// Why an input cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// More classes and atoms than can be numbered.
    #[error("too many distinct pods and addresses: {0}; the limit is 4,294,967,294")]
    TooLarge(u64),
}

/// The allow-graph of one input under one set of options. Cheap to clone: the parts are shared.
#[derive(Clone)]
pub struct AllowGraph {
    pub(crate) env: Environment,
    pub(crate) space: Arc<EndpointSpace>,
    pub(crate) peers: Arc<Vec<PeerSet>>,
    pub(crate) bounds: Arc<Vec<Bounds>>,
    pub(crate) compiled: Arc<CompiledPolicySet>,
    for_rows: Arc<ForRows>,
}

/// What only rows need, made when the first one is asked for.
#[derive(Default)]
struct ForRows {
    node_index: OnceLock<NodeIndex>,
    egress_index: OnceLock<EgressIndex>,
}

/// The traffic between two ends: what surely passes, and what may pass for all that is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Allowed {
    /// Surely allowed.
    pub sure: TrafficSet,
    /// Not known; disjoint from `sure`.
    pub unknown: TrafficSet,
}

impl Allowed {
    /// What passes or may pass.
    #[must_use]
    pub fn possible(&self) -> TrafficSet {
        self.sure.union(&self.unknown)
    }

    /// What passes between the pods of one pair or the other; what surely passes between some is
    /// not unknown.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let sure = self.sure.union(&other.sure);
        Self {
            unknown: self.unknown.union(&other.unknown).difference(&sure),
            sure,
        }
    }

    /// The least and the most that passes over several pairs.
    pub fn bounds(all: &[&Self]) -> (Self, Self) {
        let fold = |join: fn(&TrafficSet, &TrafficSet) -> TrafficSet| {
            let sure = all
                .iter()
                .map(|a| a.sure.clone())
                .reduce(|x, y| join(&x, &y))
                .unwrap_or_default();
            let may = all
                .iter()
                .map(|a| a.possible())
                .reduce(|x, y| join(&x, &y))
                .unwrap_or_default();
            Self {
                unknown: may.difference(&sure),
                sure,
            }
        };
        (fold(TrafficSet::intersection), fold(TrafficSet::union))
    }
}

impl AllowGraph {
    /// Compiles an input.
    ///
    /// # Errors
    /// When the input has more distinct pods and address ranges than can be numbered.
    pub fn compile(input: &Input, options: &CompileOptions) -> Result<Self, CompileError> {
        let env = Environment::new(input, options);
        let mut vocabulary = Vocabulary::new(&env);
        let atoms = vocabulary.atoms(&env);
        let classes = Classes::new(&env, &mut vocabulary, &atoms);
        let size = u64::from(classes.len()) + u64::from(atoms.len());
        if size >= u64::from(u32::MAX) {
            return Err(CompileError::TooLarge(size));
        }
        let hosts = (0..classes.len())
            .filter(|c| classes.get(*c).host)
            .map(|c| c..=c)
            .collect();
        let scenarios = scenarios(&env, &vocabulary, &hosts);
        let space = EndpointSpace::new(&env, classes, atoms, scenarios, hosts);
        let mut sets = PeerSets::new(&env, &vocabulary, &space);
        let compiled = effective_policies::compile(&env, &vocabulary, &space, &mut sets);
        let peers = std::mem::take(&mut sets.sets);
        drop((sets, vocabulary));
        let bounds = peers
            .iter()
            .flat_map(|set| &set.0)
            .map(Bounds::of)
            .collect::<Vec<_>>()
            .into();
        Ok(Self {
            env,
            space: space.into(),
            peers: peers.into(),
            bounds,
            compiled: compiled.into(),
            for_rows: Arc::default(),
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
        self.template_numbers();
        self.node_index();
    }

    /// The law of egress, turned around.
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

    /// The number of what governs a class in one direction: equal numbers, the same policies.
    pub(crate) fn governed_by(&self, class: u32, direction: Direction) -> u32 {
        self.compiled.of_class[direction.index()][class as usize]
    }

    /// The cluster and options it was compiled from.
    pub fn environment(&self) -> &Environment {
        &self.env
    }

    /// The line of classes and atoms.
    pub fn space(&self) -> &EndpointSpace {
        &self.space
    }

    /// What governs an endpoint in one direction; nothing governs an address.
    pub fn profile(&self, endpoint: Endpoint, direction: Direction) -> Option<&EffectivePolicy> {
        let Endpoint::Pod(pod) = endpoint else {
            return None;
        };
        Some(self.class_profile(self.space.classes.of_pod[pod.0 as usize], direction))
    }

    /// What governs a class in one direction.
    pub(crate) fn class_profile(&self, class: u32, direction: Direction) -> &EffectivePolicy {
        &self.compiled.profiles[self.governed_by(class, direction) as usize]
    }

    /// What governs a class in one direction, if anything does.
    pub(crate) fn governing(&self, class: u32, direction: Direction) -> Option<&EffectivePolicy> {
        let profile = self.governed_by(class, direction);
        (profile != 0).then(|| &self.compiled.profiles[profile as usize])
    }

    /// The policy behind a compiled one.
    pub fn policy_of(&self, compiled: u32) -> crate::policy::PolicyId {
        self.compiled.policies[compiled as usize].policy
    }

    /// All traffic between two ends.
    pub fn allowed(&self, source: Endpoint, destination: Endpoint) -> Allowed {
        let flow = Flow {
            source,
            destination,
            traffic: ANY,
        };
        if is_self(&self.env, &flow) {
            return Allowed {
                sure: TrafficSet::all(),
                unknown: TrafficSet::empty(),
            };
        }
        let outcome = self.over_scenarios(
            self.space.index_of(source),
            self.space.index_of(destination),
            |scenario| {
                let side = |direction| self.side_traffic(&flow, direction, scenario);
                side(Direction::Egress).and(side(Direction::Ingress))
            },
        );
        outcome.into()
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
        .into()
    }

    /// What all behaviours of host-network pods agree on, each the best over the families a
    /// connection could use (S65).
    #[inline]
    pub(crate) fn over_scenarios<T: Combine>(
        &self,
        source: u32,
        destination: u32,
        one: impl Fn(usize) -> T,
    ) -> T {
        let [first, others @ ..] = self.env.host_network_modes() else {
            return T::nothing();
        };
        let told = self.best_of_families(source, destination, *first, &one);
        if others.is_empty() || !(self.space.is_host(source) || self.space.is_host(destination)) {
            return told;
        }
        others.iter().fold(told, |told, other| {
            told.either(self.best_of_families(source, destination, *other, &one))
        })
    }

    #[inline]
    fn best_of_families<T: Combine>(
        &self,
        source: u32,
        destination: u32,
        mode: HostNetworkMode,
        one: &impl Fn(usize) -> T,
    ) -> T {
        let (mut best, mut asked) = (T::nothing(), None);
        for family in Family::ALL {
            if best.is_best() || !self.space.usable(source, destination, family) {
                continue;
            }
            let scenario = self.scenario(mode, family);
            if asked != Some(scenario) {
                best = best.or(one(scenario));
                asked = Some(scenario);
            }
        }
        best
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

    fn side_traffic(
        &self,
        flow: &Flow,
        direction: Direction,
        scenario: usize,
    ) -> Outcome<TrafficSet> {
        let (subject, peer) = side_of(flow, direction);
        let Endpoint::Pod(_) = subject else {
            return Outcome::open();
        };
        let own = self.own_node(subject, peer, scenario);
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
        subject: u32,
        peer: u32,
        destination: u32,
        direction: Direction,
        scenario: usize,
        own_node: Truth,
    ) -> Outcome<TrafficSet> {
        self.traffic_by(
            self.class_profile(subject, direction),
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
        profile: &EffectivePolicy,
        subject: u32,
        peer: u32,
        destination: u32,
        direction: Direction,
        scenario: usize,
        own_node: Truth,
    ) -> Outcome<TrafficSet> {
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
            hit: |peers: PeerSetId, ports: u32| {
                let truth = self.matched(peers, scenario).truth(peer);
                let when = |yes: bool| {
                    if yes {
                        self.ports_at(ports, destination, hidden)
                    } else {
                        Cow::Owned(TrafficSet::empty())
                    }
                };
                Hit {
                    sure: when(truth == Truth::Yes),
                    maybe: when(truth.possible()),
                }
            },
            own_node: Hit::of(if_so(own_node == Truth::Yes), if_so(own_node.possible())),
            subject_visible: !self.hidden(subject, scenario),
        };
        walk.decide(profile)
    }

    pub(crate) fn own_node(&self, subject: Endpoint, peer: Endpoint, scenario: usize) -> Truth {
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
        )
    }

    pub(crate) fn matched(&self, peers: PeerSetId, scenario: usize) -> &Match {
        &self.peers[peers.0 as usize].0[scenario]
    }

    /// Whether a place is a host-network pod that behaves as its node in this view.
    pub(crate) fn hidden(&self, at: u32, scenario: usize) -> bool {
        self.space.scenarios[scenario].mode == HostNetworkMode::Node && self.space.is_host(at)
    }

    /// The traffic of a rule's ports at a destination: its numbers, and its names as that pod
    /// resolves them, unless it is hidden behind its node (S48).
    pub(crate) fn ports_at(
        &self,
        ports: u32,
        destination: u32,
        hidden: bool,
    ) -> Cow<'_, TrafficSet> {
        let set: &PortSet = &self.compiled.ports[ports as usize];
        if !self.names_count(set, destination, hidden) {
            return Cow::Borrowed(&set.traffic);
        }
        let mut traffic = set.traffic.clone();
        for (protocol, port) in self.named_ports(set, destination) {
            traffic = traffic.union(&TrafficSet::ports(protocol, port, port));
        }
        Cow::Owned(traffic)
    }

    /// Whether a rule's port names are looked up at a destination.
    pub(crate) fn names_count(&self, set: &PortSet, destination: u32, hidden: bool) -> bool {
        !set.named.is_empty()
            && self.space.is_class(destination)
            && !hidden
            && (set.host_pods == HostPods::Undefined || !self.space.is_host(destination))
    }

    /// What the port names of a rule stand for at a class.
    pub(crate) fn named_ports(
        &self,
        set: &PortSet,
        class: u32,
    ) -> impl Iterator<Item = (Protocol, u16)> {
        let table = &self.space.classes.ports[self.space.classes.get(class).ports as usize];
        let meant = |(name, protocol, port): &(u32, Protocol, u16)| {
            let means = |(n, wanted): &(u32, Option<Protocol>)| {
                n == name && wanted.is_none_or(|w| w == *protocol)
            };
            set.named.iter().any(means).then_some((*protocol, *port))
        };
        table.iter().filter_map(meant)
    }

    /// Checks the invariants of the compiled form. For tests.
    ///
    /// # Panics
    /// When one does not hold.
    #[doc(hidden)]
    #[allow(clippy::panic, clippy::missing_panics_doc)]
    pub fn verify(&self) {
        let full = self.space.full();
        for set in self.peers.iter().flat_map(|p| &p.0) {
            assert!(
                set.sure.is_subset(&set.maybe) && set.maybe.is_subset(&full),
                "peer sets nest and stay on the line"
            );
        }
        for (id, pod) in self.env.cluster.pods() {
            let class = self
                .space
                .classes
                .get(self.space.classes.of_pod[id.0 as usize]);
            let member = self
                .space
                .classes
                .members(self.space.classes.of_pod[id.0 as usize])
                .binary_search(&id)
                .is_ok();
            assert!(
                member && class.host == pod.host_network,
                "a pod is in its class"
            );
        }
        let spans: usize = self
            .space
            .classes
            .spans
            .iter()
            .map(ExactSizeIterator::len)
            .sum();
        assert_eq!(
            spans,
            self.space.classes.list.len(),
            "namespace spans cover the classes"
        );
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

/// What can be combined over families and behaviours.
pub(crate) trait Combine {
    /// No family can be used.
    fn nothing() -> Self;
    /// Whether nothing that another family could add makes it better.
    fn is_best(&self) -> bool;
    /// One suffices.
    fn or(self, other: Self) -> Self;
    /// Either may be the case.
    fn either(self, other: Self) -> Self;
}

impl Combine for Possible {
    fn nothing() -> Self {
        Self::DENY
    }
    fn is_best(&self) -> bool {
        *self == Self::ALLOW
    }
    fn or(self, other: Self) -> Self {
        Possible::or(self, other)
    }
    fn either(self, other: Self) -> Self {
        Possible::either(self, other)
    }
}

impl Combine for Outcome<TrafficSet> {
    fn nothing() -> Self {
        Self {
            allow: TrafficSet::empty(),
            deny: TrafficSet::all(),
        }
    }
    fn is_best(&self) -> bool {
        self.deny.is_empty() && self.allow.is_all()
    }
    fn or(self, other: Self) -> Self {
        if self.allow.is_empty() && self.deny.is_all() {
            return other; // the first that is asked
        }
        Self {
            allow: self.allow.union(&other.allow),
            deny: self.deny.intersection(&other.deny),
        }
    }
    fn either(self, other: Self) -> Self {
        Self {
            allow: self.allow.union(&other.allow),
            deny: self.deny.union(&other.deny),
        }
    }
}

impl Outcome<TrafficSet> {
    pub(crate) fn open() -> Self {
        Self {
            allow: TrafficSet::all(),
            deny: TrafficSet::empty(),
        }
    }

    pub(crate) fn and(&self, other: Self) -> Self {
        Self {
            allow: self.allow.intersection(&other.allow),
            deny: self.deny.union(&other.deny),
        }
    }
}

impl From<Outcome<TrafficSet>> for Allowed {
    fn from(outcome: Outcome<TrafficSet>) -> Self {
        Self {
            sure: outcome.allow.difference(&outcome.deny),
            unknown: outcome.allow.intersection(&outcome.deny),
        }
    }
}
