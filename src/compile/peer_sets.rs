//! Peer sets: which classes a rule's peers match, as runs over one line of numbers.
//!
//! A set is one of places on the [`EndpointSpace`] of classes and atoms. A peer set keeps, per
//! [`Scenario`] (how host-network pods behave, which address family), the classes that surely match
//! and those that may. Equal sets are stored once.
//!
//! Cost: a selector is asked of the label sets that its rarest requirement leaves
//! ([`crate::compile::selector_index`]); a peer then costs the smaller of the classes of the
//! namespaces it selects and the label sets it selects there; an address block costs the pods
//! inside. Truth comes from the same functions `evaluate` uses, asked of representatives.

use crate::compile::classes::bucketed;
pub use crate::compile::endpoint_bounds::EndpointBounds;
pub use crate::compile::endpoint_space::{EndpointSet, EndpointSpace, Scenario};
use crate::compile::selector_index::{NamespaceSelection, Selected};
use crate::compile::vocabulary::Vocabulary;
use crate::model::{NamespaceId, Selector, Truth};
use crate::policy::tier::HostPods;
use crate::policy::{Namespaces, Peer, Peers, Symbol};
use crate::set::hashed::{HashMap, IndexSet, room_for};
use crate::set::{Family, IpSet, number};
use crate::spec::environment::{Endpoint, Environment, HostNetworkMode};
use crate::spec::matching::{node_matches, symbol_matches};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

/// The peers of a rule, per view.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PeerSet(pub Vec<EndpointBounds>);

/// Index of a peer set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerSetId(pub u32);

/// Builds and stores peer sets.
pub struct PeerSets<'w> {
    env: &'w Environment,
    space: &'w EndpointSpace,
    /// The distinct peer sets.
    pub sets: Vec<PeerSet>,
    /// The peer sets by the numbers of their runs.
    known: HashMap<Box<[(u32, u32)]>, PeerSetId>,
    /// Room to collect numbers in.
    numbers: Vec<(u32, u32)>,
    /// Every distinct set of places, so that equal ones are the same in memory.
    runs: IndexSet<Arc<EndpointSet>>,
    selected: Selected<'w>,
    /// What was selected, by the places in memory of what selects: equal parts of the policies
    /// share theirs (`policy::interner`).
    pods: HashMap<(NamespaceSelection, usize), EndpointBounds>,
    blocks: HashMap<(&'w IpSet, Family), EndpointBounds>,
    inside: Inside,
    peers: HashMap<(usize, SeenFrom), PeerSetId>,
}

/// What of a policy decides whom its peers match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeenFrom {
    /// The subject's namespace, needed only by peers that are relative to it.
    pub own: Option<NamespaceId>,
    /// How its tier treats host-network pods.
    pub host_pods: HostPods,
    /// Whether a match is certain: not for a rule with a qualifier.
    pub certain: bool,
}

/// The classes by where their addresses lie.
#[derive(Default)]
struct Inside {
    /// Address atom and class, sorted: the known addresses.
    known: Vec<(u32, u32)>,
    /// The classes of pods whose addresses are not known, per distinct key.
    vague: Vec<(crate::model::PodId, Vec<u32>)>,
}

impl Inside {
    fn new(env: &Environment, space: &EndpointSpace) -> Self {
        let mut inside = Self::default();
        let keys: Vec<u32> = space
            .classes
            .list
            .iter()
            .map(|class| class.address)
            .collect();
        let (of_key, starts) = bucketed(&keys, space.classes.addresses.len());
        for (pod, span) in space.classes.addresses.iter().zip(starts.windows(2)) {
            let classes = &of_key[span[0] as usize..span[1] as usize];
            let known = env.addresses(env.cluster.pod(*pod));
            if known.is_empty() {
                inside.vague.push((*pod, classes.to_vec()));
                continue;
            }
            let atoms = known.iter().map(|a| space.atoms.of(*a));
            inside
                .known
                .extend(atoms.flat_map(|atom| classes.iter().map(move |c| (atom, *c))));
        }
        inside.known.sort_unstable();
        inside.known.dedup();
        inside
    }

    /// The classes with a known address in one of these atoms, as far as they are within a range.
    fn among(&self, atoms: &EndpointSet, within: Range<u32>) -> Vec<u32> {
        let mut found = Vec::new();
        let cut = |(first, last): (u32, u32)| (first.max(within.start), (last + 1).min(within.end));
        for (first, end) in atoms.ranges().map(cut).filter(|(first, end)| first < end) {
            let from = self.known.partition_point(|(atom, _)| *atom < first);
            found.extend(
                self.known[from..]
                    .iter()
                    .take_while(|(atom, _)| *atom < end)
                    .map(|(_, class)| *class),
            );
        }
        found
    }
}

impl<'w> PeerSets<'w> {
    /// No sets yet.
    pub fn new(
        env: &'w Environment,
        vocabulary: &Vocabulary<'w>,
        space: &'w EndpointSpace,
    ) -> Self {
        let policies = env.policies.policies.len();
        Self {
            env,
            space,
            sets: Vec::new(),
            known: HashMap::default(),
            numbers: Vec::new(),
            runs: IndexSet::default(),
            selected: Selected::new(env, vocabulary, &space.classes),
            pods: room_for(policies),
            blocks: HashMap::default(),
            inside: Inside::new(env, space),
            peers: room_for(policies),
        }
    }

    /// The peer set of a rule, seen from its subjects.
    pub fn peers(&mut self, peers: &'w Peers, seen: SeenFrom) -> PeerSetId {
        let list = if let Peers::Of(list) = peers {
            Some(&**list)
        } else {
            None
        };
        let key = (list.map_or(0, |list| list.as_ptr().addr()), seen);
        if let Some(id) = self.peers.get(&key) {
            return *id;
        }
        let id = self.set(list, seen);
        self.peers.insert(key, id);
        id
    }

    fn set(&mut self, list: Option<&'w [Peer]>, seen: SeenFrom) -> PeerSetId {
        let space = self.space;
        let mut numbers = std::mem::take(&mut self.numbers);
        numbers.clear();
        for (at, scenario) in space.scenarios.iter().enumerate() {
            let same = (0..at)
                .find(|before| self.same_peers(list, seen, space.scenarios[*before], *scenario));
            let number = if let Some(same) = same {
                numbers[same]
            } else {
                let found = match list {
                    None => EndpointBounds::exactly(space.full()),
                    Some(list) => self.union_of(list, seen, *scenario),
                };
                self.stored(if seen.certain {
                    found
                } else {
                    found.possibly()
                })
            };
            numbers.push(number);
        }
        let id = self.numbered(&numbers);
        self.numbers = numbers;
        id
    }

    /// The peer set of these stored runs, one pair for each view.
    fn numbered(&mut self, numbers: &[(u32, u32)]) -> PeerSetId {
        if let Some(id) = self.known.get(numbers) {
            return *id;
        }
        let id = PeerSetId(number(self.sets.len()));
        self.known.insert(numbers.into(), id);
        let runs = |number: u32| {
            self.runs
                .get_index(number as usize)
                .cloned()
                .unwrap_or_default()
        };
        let scenarios = numbers.iter().map(|(must, may)| EndpointBounds {
            must: runs(*must),
            may: runs(*may),
        });
        self.sets.push(PeerSet(scenarios.collect()));
        id
    }

    /// Whether peers cannot differ between two scenarios: only address blocks know families, only
    /// pods behave.
    fn same_peers(&self, list: Option<&[Peer]>, seen: SeenFrom, a: Scenario, b: Scenario) -> bool {
        let fixed = |peer: &Peer| match peer {
            Peer::Pods(..) => {
                a.mode == b.mode
                    || seen.host_pods == HostPods::Excluded
                    || self.space.hosts.is_empty()
            }
            Peer::Addresses(_) => a.family == b.family,
            Peer::NoneOf(peers) => self.same_peers(Some(peers), seen, a, b),
            Peer::Nodes(_) | Peer::Domain(_) | Peer::Symbol(_) | Peer::Unreadable { .. } => true,
        };
        list.is_none_or(|list| list.iter().all(fixed))
    }

    /// Stores what matches; the numbers of its sets, which equal sets share.
    fn stored(&mut self, found: EndpointBounds) -> (u32, u32) {
        let mut number = |set| number(self.runs.insert_full(set).0);
        if found.is_exact() {
            let both = number(found.must);
            return (both, both);
        }
        (number(found.must), number(found.may))
    }

    fn union_of(
        &mut self,
        peers: &'w [Peer],
        seen: SeenFrom,
        scenario: Scenario,
    ) -> EndpointBounds {
        if let [only] = peers {
            return self.peer(only, seen, scenario);
        }
        let each: Vec<EndpointBounds> =
            peers.iter().map(|p| self.peer(p, seen, scenario)).collect();
        EndpointBounds::union_of(&each.iter().collect::<Vec<_>>())
    }

    fn peer(&mut self, peer: &'w Peer, seen: SeenFrom, scenario: Scenario) -> EndpointBounds {
        match peer {
            Peer::Unreadable { everything: true } => EndpointBounds::exactly(self.space.full()),
            Peer::Unreadable { everything: false } => EndpointBounds::default(),
            Peer::Pods(namespaces, pods) => {
                let found = self.pods_in(namespaces, pods, seen.own);
                let hidden =
                    seen.host_pods == HostPods::Excluded || scenario.mode == HostNetworkMode::Node;
                if hidden {
                    found.without(&self.space.hosts)
                } else {
                    found
                }
            }
            Peer::Addresses(block) => self.block(block, scenario.family),
            Peer::Nodes(selector) => self.nodes(selector),
            Peer::Domain(name) => self.domain(name),
            Peer::Symbol(symbol) => self.symbol(*symbol),
            Peer::NoneOf(peers) => {
                let any = self.union_of(peers, seen, scenario);
                any.complement(&self.space.full())
            }
        }
    }

    /// The pod classes that a namespace selection and a pod selector select, host-network pods
    /// included.
    pub fn pods_in(
        &mut self,
        namespaces: &'w Namespaces,
        pods: &'w Selector,
        own: Option<NamespaceId>,
    ) -> EndpointBounds {
        let which = self.selected.which(namespaces, own);
        let key = (which, pods.place());
        if let Some(found) = self.pods.get(&key) {
            return found.clone();
        }
        let labels = if pods.is_everything() {
            None
        } else {
            Some(self.selected.labels(pods))
        };
        let found = match which {
            NamespaceSelection::Class(class) => {
                let mut must = Vec::new();
                self.select_in(class, labels.as_deref(), &mut must);
                EndpointBounds::exactly(must.into_iter().collect())
            }
            NamespaceSelection::Nowhere => EndpointBounds::default(),
            NamespaceSelection::Called(_)
            | NamespaceSelection::Matching(_)
            | NamespaceSelection::Relative(..) => {
                let spaces = self.selected.namespaces(namespaces, own);
                let (mut must, mut may) = (Vec::new(), Vec::new());
                for (class, truth) in spaces.iter() {
                    let into = if *truth == Truth::Yes {
                        &mut must
                    } else {
                        &mut may
                    };
                    self.select_in(*class, labels.as_deref(), into);
                }
                EndpointBounds::from_parts(must.into_iter().collect(), &may.into_iter().collect())
            }
        };
        self.pods.insert(key, found.clone());
        found
    }

    /// The classes of a namespace class with one of these label sets, or all of them.
    fn select_in(
        &self,
        class: u32,
        labels: Option<&Vec<u32>>,
        into: &mut Vec<RangeInclusive<u32>>,
    ) {
        let span = self.space.classes.spans[class as usize].clone();
        match labels {
            None => into.extend(span.end.checked_sub(1).map(|last| span.start..=last)),
            Some(labels) => self.join(span, labels, into),
        }
    }

    /// The classes of a namespace with one of these label sets, by the shorter side: classes are
    /// sorted by label set.
    fn join(&self, span: Range<u32>, labels: &[u32], into: &mut Vec<RangeInclusive<u32>>) {
        let list = &self.space.classes.list;
        let classes = &list[span.start as usize..span.end as usize];
        if classes.len() <= labels.len() * 4 {
            let selected = span.filter(|c| labels.binary_search(&list[*c as usize].labels).is_ok());
            into.extend(selected.map(|c| c..=c));
            return;
        }
        for label in labels {
            let from = classes.partition_point(|c| c.labels < *label);
            let many = classes[from..]
                .iter()
                .take_while(|c| c.labels == *label)
                .count();
            into.extend((span.start..).skip(from).take(many).map(|c| c..=c));
        }
    }

    /// Lists pod classes by a truth asked of each class.
    fn classes_where(&self, truth: impl Fn(u32) -> Truth) -> EndpointBounds {
        let (mut must, mut may) = (Vec::new(), Vec::new());
        for class in 0..self.space.classes.len() {
            match truth(class) {
                Truth::Yes => must.push(class),
                Truth::Maybe => may.push(class),
                Truth::No => {}
            }
        }
        EndpointBounds::from_lists(must, may)
    }

    fn atoms_of(&self, addresses: &IpSet) -> EndpointSet {
        let first = self.space.classes.len();
        self.space.atoms.overlapping(addresses).shifted(first)
    }

    fn block(&mut self, block: &'w IpSet, family: Family) -> EndpointBounds {
        if let Some(found) = self.blocks.get(&(block, family)) {
            return found.clone();
        }
        let atoms = self.space.atoms.overlapping(block);
        let mut outside = atoms.clone().shifted(self.space.classes.len());
        if !self.env.options.blocks_match_pods {
            outside = outside.difference(&self.atoms_of(&self.node_addresses(None)));
        }
        let (must, may) = self.pods_in_block(block, &atoms, family);
        let mut found = EndpointBounds::exactly(outside);
        if !must.is_empty() || !may.is_empty() {
            found = found.joined(&EndpointBounds::from_lists(must, may));
        }
        self.blocks.insert((block, family), found.clone());
        found
    }

    /// The classes with an address in the block, surely and maybe: known ones by their atoms, the
    /// others asked key by key (S35, S40, S58).
    fn pods_in_block(
        &self,
        block: &IpSet,
        atoms: &EndpointSet,
        family: Family,
    ) -> (Vec<u32>, Vec<u32>) {
        let (env, space) = (self.env, self.space);
        if !env.options.blocks_match_pods {
            return Default::default();
        }
        let (mut must, mut may) = (
            self.inside.among(atoms, space.atoms.of_family(family)),
            Vec::new(),
        );
        for (pod, classes) in &self.inside.vague {
            match env.block_matches_pod(block, env.cluster.pod(*pod), family) {
                Truth::Yes => must.extend(classes),
                Truth::Maybe => may.extend(classes),
                Truth::No => {}
            }
        }
        (must, may)
    }

    fn node_addresses(&self, selector: Option<&Selector>) -> IpSet {
        let nodes = self
            .env
            .cluster
            .nodes()
            .filter(|(_, n)| selector.is_none_or(|s| s.matches(&n.labels)));
        IpSet::from_cidrs(
            nodes.flat_map(|(_, n)| n.addresses.iter().map(|a| ipnet::IpNet::from(*a))),
        )
    }

    fn nodes(&self, selector: &Selector) -> EndpointBounds {
        let representative = |c: u32| Endpoint::Pod(self.space.classes.get(c).representative);
        let pods = self.classes_where(|c| node_matches(self.env, selector, representative(c)));
        if self.env.cluster.nodes().len() == 0 {
            return pods.joined(&EndpointBounds {
                must: Arc::default(),
                may: Arc::new(self.atoms_of(&IpSet::full())),
            });
        }
        pods.joined(&EndpointBounds::exactly(
            self.atoms_of(&self.node_addresses(Some(selector))),
        ))
    }

    /// Asks the specification about every class and every atom; symbols are few.
    fn symbol(&self, symbol: Symbol) -> EndpointBounds {
        let (mut must, mut may) = (Vec::new(), Vec::new());
        for endpoint in 0..self.space.len() {
            match symbol_matches(self.env, symbol, self.space.representative(endpoint)) {
                Truth::Yes => must.push(endpoint),
                Truth::Maybe => may.push(endpoint),
                Truth::No => {}
            }
        }
        EndpointBounds::from_lists(must, may)
    }

    fn domain(&self, name: &str) -> EndpointBounds {
        let inside = name.ends_with(".cluster.local");
        let possible = if inside {
            self.space.full()
        } else {
            self.atoms_of(&IpSet::full())
        };
        EndpointBounds {
            must: Arc::default(),
            may: Arc::new(possible),
        }
    }
}
