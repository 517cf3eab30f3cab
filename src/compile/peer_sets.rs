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

use crate::compile::atoms::AtomSet;
use crate::compile::classes::{Class, LabelSetIx, NamespaceClassIx};
pub use crate::compile::endpoint_bounds::EndpointBounds;
pub use crate::compile::endpoint_space::{EndpointIx, EndpointSet, EndpointSpace, Scenario};
use crate::compile::inside::Inside;
use crate::compile::selector_index::{NamespaceSelection, Selected};
use crate::compile::vocabulary::Vocabulary;
use crate::model::{NamespaceId, PodId, Selector, Truth};
use crate::policy::tier::HostPods;
use crate::policy::{AddressOwner, Namespaces, Peer, Peers};
use crate::set::hashed::{HashMap, room_for};
use crate::set::{Bounds, Family, Interner, IpSet, Ix, Point, Table, TooMany, index_type};
use crate::spec::environment::{Endpoint, Environment, HostNetworkMode};
use crate::spec::matching::{owned_matches, symbol_matches};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

/// The peers of a rule, per view.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PeerSet(pub Vec<EndpointBounds>);

index_type! {
    /// Index of a peer set.
    pub struct PeerSetIx;
    /// Index of a distinct set of endpoints.
    struct StoredIx;
}

/// Builds and stores peer sets.
pub struct PeerSets<'w> {
    pub(super) env: &'w Environment,
    pub(super) space: &'w EndpointSpace,
    /// The distinct peer sets.
    pub sets: Table<PeerSetIx, PeerSet>,
    /// The peer sets by their stored bounds.
    known: HashMap<Box<[Bounds<StoredIx>]>, PeerSetIx>,
    /// Room to collect bounds in.
    bounds: Vec<Bounds<StoredIx>>,
    /// Every distinct set of endpoints, so that equal ones are the same in memory.
    stored: Interner<StoredIx, Arc<EndpointSet>>,
    selected: Selected<'w>,
    /// What was selected, by the places in memory of what selects: equal parts of the policies
    /// share theirs (`policy::interner`).
    pods: HashMap<(NamespaceSelection, usize), EndpointBounds>,
    blocks: HashMap<(&'w IpSet, Family), EndpointBounds>,
    inside: Inside,
    peers: HashMap<(usize, SeenFrom), PeerSetIx>,
}

/// What of a policy decides whom its peers match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeenFrom {
    /// The subject's namespace, needed only by peers that are relative to it.
    pub own: Option<NamespaceId>,
    /// One of the subjects, needed only by peers that are relative to its node.
    pub subject: Option<PodId>,
    /// How its tier treats host-network pods.
    pub host_pods: HostPods,
    /// Whether its conditions hold besides (`unqualified`).
    pub conditions: Truth,
}

/// What matches where something else has to hold as well.
fn narrowed(found: EndpointBounds, truth: Truth) -> EndpointBounds {
    match truth {
        Truth::Yes => found,
        Truth::Maybe => found.possibly(),
        Truth::No => EndpointBounds::default(),
    }
}

impl<'w> PeerSets<'w> {
    /// No sets yet.
    ///
    /// # Errors
    /// When there are more namespace classes than can be numbered.
    pub fn new(
        env: &'w Environment,
        vocabulary: &Vocabulary<'w>,
        space: &'w EndpointSpace,
    ) -> Result<Self, TooMany> {
        let policies = env.policies.policies.len();
        Ok(Self {
            env,
            space,
            sets: Table::default(),
            known: HashMap::default(),
            bounds: Vec::new(),
            stored: Interner::default(),
            selected: Selected::new(env, vocabulary, &space.classes)?,
            pods: room_for(policies),
            blocks: HashMap::default(),
            inside: Inside::new(env, space),
            peers: room_for(policies),
        })
    }

    /// The peer set of a rule, seen from its subjects.
    pub fn peers(&mut self, peers: &'w Peers, seen: SeenFrom) -> Result<PeerSetIx, TooMany> {
        let list = if let Peers::Of(list) = peers {
            Some(&**list)
        } else {
            None
        };
        let key = (list.map_or(0, |list| list.as_ptr().addr()), seen);
        if let Some(id) = self.peers.get(&key) {
            return Ok(*id);
        }
        let id = self.set(list, seen)?;
        self.peers.insert(key, id);
        Ok(id)
    }

    fn set(&mut self, list: Option<&'w [Peer]>, seen: SeenFrom) -> Result<PeerSetIx, TooMany> {
        let space = self.space;
        let mut bounds = std::mem::take(&mut self.bounds);
        bounds.clear();
        for (at, scenario) in space.scenarios.iter().enumerate() {
            let same = (0..at)
                .find(|before| self.same_peers(list, seen, space.scenarios[*before], *scenario));
            let stored = if let Some(same) = same {
                bounds[same]
            } else {
                let found = match list {
                    None => EndpointBounds::exactly(space.full()),
                    Some(list) => self.union_of(list, seen, *scenario),
                };
                self.stored(narrowed(found, seen.conditions))?
            };
            bounds.push(stored);
        }
        let id = self.of_stored(&bounds);
        self.bounds = bounds;
        id
    }

    /// A peer set where something else has to hold as well, by scenario.
    pub fn narrowed(&mut self, of: PeerSetIx, truths: &[Truth]) -> Result<PeerSetIx, TooMany> {
        let scenarios = self.sets[of].0.clone().into_iter();
        let mut bounds = Vec::new();
        for (found, truth) in scenarios.zip(truths) {
            bounds.push(self.stored(narrowed(found, *truth))?);
        }
        self.of_stored(&bounds)
    }

    /// The peer set of these stored bounds, one for each scenario.
    fn of_stored(&mut self, bounds: &[Bounds<StoredIx>]) -> Result<PeerSetIx, TooMany> {
        if let Some(id) = self.known.get(bounds) {
            return Ok(*id);
        }
        let set = |stored: StoredIx| self.stored.get(stored).cloned().unwrap_or_default();
        let scenarios = bounds.iter().map(|stored| EndpointBounds {
            must: set(stored.must),
            may: set(stored.may),
        });
        let id = self.sets.push(PeerSet(scenarios.collect()))?;
        self.known.insert(bounds.into(), id);
        Ok(id)
    }

    /// Whether peers cannot differ between two scenarios: only address blocks know families, only
    /// pods behave.
    fn same_peers(&self, list: Option<&[Peer]>, seen: SeenFrom, a: Scenario, b: Scenario) -> bool {
        list.is_none_or(|list| list.iter().all(|peer| self.same_peer(peer, seen, a, b)))
    }

    fn same_peer(&self, peer: &Peer, seen: SeenFrom, a: Scenario, b: Scenario) -> bool {
        match peer {
            Peer::Pods(..) => {
                a.mode == b.mode
                    || seen.host_pods != HostPods::Undefined
                    || self.space.hosts.is_empty()
            }
            Peer::Addresses(_) | Peer::Owned(..) => a.family == b.family,
            Peer::NoneOf(peers) | Peer::AllOf(peers) | Peer::AnyOf(peers) => {
                self.same_peers(Some(peers), seen, a, b)
            }
            Peer::Nodes(_) | Peer::Domain(_) | Peer::Symbol(_) | Peer::Unreadable { .. } => true,
        }
    }

    /// Stores what matches; equal sets share their index.
    fn stored(&mut self, found: EndpointBounds) -> Result<Bounds<StoredIx>, TooMany> {
        let must = self.stored.intern(Arc::clone(&found.must))?;
        let may = if found.is_exact() {
            must
        } else {
            self.stored.intern(found.may)?
        };
        Ok(Bounds { must, may })
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
                    seen.host_pods != HostPods::Undefined || scenario.mode == HostNetworkMode::Node;
                if hidden {
                    found.without(&self.space.hosts)
                } else {
                    found
                }
            }
            Peer::Addresses(block) => self.block(block, scenario.family),
            Peer::Nodes(selector) => self.nodes(selector),
            Peer::Domain(name) => self.domain(name),
            Peer::Symbol(symbol) => {
                self.asked(|end| symbol_matches(self.env, *symbol, seen.subject, end))
            }
            Peer::Owned(AddressOwner::NoPod, block) => self.no_pod(block, scenario.family),
            Peer::Owned(owner, block) => {
                self.asked(|end| owned_matches(self.env, *owner, block, end, scenario.family))
            }
            Peer::AnyOf(peers) => self.union_of(peers, seen, scenario),
            Peer::AllOf(peers) => {
                let each = peers.iter().map(|p| self.peer(p, seen, scenario));
                let all = each.reduce(|all, next| all.both(&next));
                all.unwrap_or_else(|| EndpointBounds::exactly(self.space.full()))
            }
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
        let must_labels = labels.as_deref().map(|labels| &labels.must);
        let maybe_labels = labels.as_deref().and_then(|labels| labels.uncertain());
        let spaces: Vec<(NamespaceClassIx, Truth)> = match which {
            NamespaceSelection::Class(class) => vec![(class, Truth::Yes)],
            NamespaceSelection::Nowhere => Vec::new(),
            NamespaceSelection::Called(_)
            | NamespaceSelection::Matching(_)
            | NamespaceSelection::Relative(..) => {
                let spaces = self.selected.namespaces(namespaces, own);
                spaces.iter().copied().collect()
            }
        };
        let (mut must, mut may) = (Vec::new(), Vec::new());
        for (class, truth) in spaces {
            let into = if truth == Truth::Yes {
                &mut must
            } else {
                &mut may
            };
            self.select_in(class, must_labels, into);
            if maybe_labels.is_some() {
                self.select_in(class, maybe_labels, &mut may);
            }
        }
        let found =
            EndpointBounds::from_parts(must.into_iter().collect(), &may.into_iter().collect());
        self.pods.insert(key, found.clone());
        found
    }

    /// The classes of a namespace class with one of these label sets, or all of them.
    fn select_in(
        &self,
        class: NamespaceClassIx,
        labels: Option<&Vec<LabelSetIx>>,
        into: &mut Vec<RangeInclusive<EndpointIx>>,
    ) {
        let span = self.space.classes.spans[class].clone();
        match labels {
            None => into.extend(span.end.previous().map(|last| span.start..=last)),
            Some(labels) => self.join(span, labels, into),
        }
    }

    /// The classes of a namespace with one of these label sets, by the shorter side: classes are
    /// sorted by label set.
    fn join(
        &self,
        span: Range<EndpointIx>,
        labels: &[LabelSetIx],
        into: &mut Vec<RangeInclusive<EndpointIx>>,
    ) {
        let first = span.start.number();
        let classes = self.space.classes.list.range(span);
        let indexes = (first..).map(EndpointIx::from_number);
        if classes.len() <= labels.len() * 4 {
            let selected = |class: &Class| labels.binary_search(&class.labels).is_ok();
            let selected = indexes.zip(classes).filter(|(_, class)| selected(class));
            into.extend(selected.map(|(c, _)| c..=c));
            return;
        }
        for label in labels {
            let from = classes.partition_point(|c| c.labels < *label);
            let many = classes[from..]
                .iter()
                .take_while(|c| c.labels == *label)
                .count();
            into.extend(indexes.clone().skip(from).take(many).map(|c| c..=c));
        }
    }

    /// Lists pod classes by a truth asked of each class.
    pub(super) fn classes_where(&self, truth: impl Fn(EndpointIx) -> Truth) -> EndpointBounds {
        let (mut must, mut may) = (Vec::new(), Vec::new());
        for class in self.space.classes.list.indexes() {
            match truth(class) {
                Truth::Yes => must.push(class),
                Truth::Maybe => may.push(class),
                Truth::No => {}
            }
        }
        EndpointBounds::from_lists(must, may)
    }

    pub(super) fn atoms_of(&self, addresses: &IpSet) -> EndpointSet {
        let atoms = self.space.atoms.overlapping(addresses);
        self.space.of_atoms(&atoms)
    }

    fn block(&mut self, block: &'w IpSet, family: Family) -> EndpointBounds {
        if let Some(found) = self.blocks.get(&(block, family)) {
            return found.clone();
        }
        let atoms = self.space.atoms.overlapping(block);
        let outside = self.space.of_atoms(&atoms);
        let (must, may) = self.pods_in_block(block, &atoms, family);
        let mut found = if self.env.options.blocks_match_pods {
            EndpointBounds::exactly(outside)
        } else {
            self.of_outside(&outside)
        };
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
        atoms: &AtomSet,
        family: Family,
    ) -> (Vec<EndpointIx>, Vec<EndpointIx>) {
        let (env, space) = (self.env, self.space);
        if !env.options.blocks_match_pods {
            return Default::default();
        }
        let atoms = atoms.intersection(&space.atoms.of_family(family));
        let (mut must, mut may) = (self.inside.among(&atoms), Vec::new());
        for (pod, classes) in &self.inside.vague {
            match env.block_matches_pod(block, env.cluster.pod(*pod), family) {
                Truth::Yes => must.extend(classes),
                Truth::Maybe => may.extend(classes),
                Truth::No => {}
            }
        }
        (must, may)
    }

    /// Asks the specification about every class and every atom; symbols are few.
    pub(super) fn asked(&self, truth: impl Fn(Endpoint) -> Truth) -> EndpointBounds {
        let (mut must, mut may) = (Vec::new(), Vec::new());
        for endpoint in self.space.indexes() {
            match truth(self.space.representative(endpoint)) {
                Truth::Yes => must.push(endpoint),
                Truth::Maybe => may.push(endpoint),
                Truth::No => {}
            }
        }
        EndpointBounds::from_lists(must, may)
    }
}
