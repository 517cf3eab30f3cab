//! Own nodes: which places of the line are the node a class's pods run on (S55), in both
//! directions.
//!
//! Every pod has a *home*: the node it names, or none. [`NodeIndex::near`] tells of a home which
//! places are its node: the classes of host-network pods there (as far as they behave as their
//! node), and the atoms of its addresses. A class may have pods of several homes; what holds for
//! some of them only is not told for the class, but for the home ([`NodeIndex::node_at`]).
//!
//! Invariant: `node_of(c)` contains `p` as `is_own_node` answers for every pod of `c` and every
//! endpoint of `p`; `Maybe` where they differ. Cost: O(pods + nodes) to build; a question costs the
//! homes of one class, or the classes of one home.

use crate::compile::classes::Classes;
use crate::compile::peer_sets::{EndpointBounds, EndpointIx, EndpointSet, EndpointSpace};
use crate::model::{PodId, Truth};
use crate::set::hashed::{HashMap, IndexSet};
use crate::set::{IpSet, Ix, Table, index_type};
use crate::spec::environment::Environment;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

index_type! {
    /// Index of a home.
    pub struct HomeIx;
}

/// What is near one home.
#[derive(Debug, Clone, Default)]
struct NodePlaces {
    hosts: EndpointBounds,
    atoms: EndpointBounds,
    /// Either.
    both: EndpointBounds,
}

impl NodePlaces {
    fn new(hosts: EndpointBounds, atoms: EndpointBounds) -> Self {
        let both = hosts.joined(&atoms);
        Self { hosts, atoms, both }
    }
}

/// The homes of all pods.
#[derive(Debug, Clone, Default)]
pub struct NodeIndex {
    near: Table<HomeIx, NodePlaces>,
    of_pod: Table<PodId, HomeIx>,
    of_class: Sorted,
    /// The classes with a pod of each home.
    classes: Table<HomeIx, EndpointSet>,
    /// The homes that are, or may be, at a place; once somebody asks.
    at: OnceLock<HashMap<EndpointIx, Vec<(HomeIx, Truth)>>>,
}

impl NodeIndex {
    /// Finds the homes. Empty when there are neither host-network pods nor node addresses.
    pub fn new(env: &Environment, space: &EndpointSpace) -> Self {
        let told = env.cluster.told_of_nodes().map(ipnet::IpNet::from);
        let addresses = env.node_addresses.union(&env.options.node_cidrs);
        let addresses = addresses.union(&IpSet::from_cidrs(told));
        if space.hosts.is_empty() && addresses.is_empty() {
            return Self::default();
        }
        let (names, of_pod) = homes(env);
        let (of_class, classes) = Sorted::new(&names, &of_pod, &space.classes);
        let hosts = hosts(env, space);
        let near = names.map(|name| near(env, space, *name, &hosts, &addresses));
        Self {
            near,
            of_pod,
            of_class,
            classes,
            at: OnceLock::new(),
        }
    }

    fn at(&self) -> HashMap<EndpointIx, Vec<(HomeIx, Truth)>> {
        let mut at: HashMap<EndpointIx, Vec<(HomeIx, Truth)>> = HashMap::default();
        for (home, near) in self.near.enumerated() {
            for found in [&near.hosts, &near.atoms] {
                found
                    .may
                    .points()
                    .for_each(|p| at.entry(p).or_default().push((home, found.truth(p))));
            }
        }
        at
    }

    /// The home of a pod; none where no place is anybody's node.
    pub fn home(&self, pod: PodId) -> Option<HomeIx> {
        self.of_pod.get(pod.index()).copied()
    }

    /// The homes of a class's pods, in order.
    pub fn homes(&self, class: EndpointIx) -> &[HomeIx] {
        self.of_class.of(class)
    }

    /// Whether a class has pods of several homes, so that one of them may know more than the class.
    pub fn has_several_homes(&self, class: EndpointIx) -> bool {
        self.homes(class).len() > 1
    }

    /// The places that are the node of a home's pods. Host-network pods count only where they
    /// behave as their node.
    pub fn node_at(&self, home: HomeIx, hosts: bool) -> &EndpointBounds {
        let near = &self.near[home];
        if hosts { &near.both } else { &near.atoms }
    }

    /// The homes of a class that a place is, or may be, the node of: those for which it certainly
    /// is and those for which it may be.
    pub fn homes_at(&self, class: EndpointIx, place: EndpointIx) -> [(Truth, Vec<HomeIx>); 2] {
        let (homes, mut found) = (self.homes(class), [Vec::new(), Vec::new()]);
        let at = self.at.get_or_init(|| self.at()).get(&place);
        let mut add = |home: HomeIx, truth| match truth {
            Truth::Yes => found[0].push(home),
            Truth::Maybe => found[1].push(home),
            Truth::No => {}
        };
        match at {
            Some(at) if at.len() < homes.len() => at
                .iter()
                .filter(|(home, _)| homes.binary_search(home).is_ok())
                .for_each(|(home, truth)| add(*home, *truth)),
            _ => homes
                .iter()
                .for_each(|home| add(*home, self.near[*home].both.truth(place))),
        }
        let [certain, possible] = found;
        [(Truth::Yes, certain), (Truth::Maybe, possible)]
    }

    /// The places that are the node of a class's pods. Host-network pods count only where they
    /// behave as their node.
    pub fn node_of(&self, class: EndpointIx, hosts: bool) -> Cow<'_, EndpointBounds> {
        let node_index = self.of_class.of(class);
        let one = |home: &HomeIx| self.node_at(*home, hosts);
        match node_index {
            [] => Cow::default(),
            [home] => Cow::Borrowed(one(home)),
            [first, rest @ ..] => {
                let mut must = (*one(first).must).clone();
                for home in rest {
                    if must.is_empty() {
                        break;
                    }
                    must = must.intersection(&one(home).must);
                }
                let may = EndpointSet::union_of(node_index.iter().map(|home| &*one(home).may));
                Cow::Owned(EndpointBounds::of(must, may))
            }
        }
    }

    /// The classes whose pods run on the node that a place is, if it is one.
    pub fn pods_on(&self, place: EndpointIx) -> Option<EndpointBounds> {
        let node_index = self.at.get_or_init(|| self.at()).get(&place)?;
        let may = EndpointSet::union_of(node_index.iter().map(|(home, _)| &self.classes[*home]));
        let certain = |home: &HomeIx| node_index.contains(&(*home, Truth::Yes));
        let must: EndpointSet = may
            .points()
            .filter(|c| self.of_class.of(*c).iter().all(certain))
            .collect();
        Some(if must == may {
            EndpointBounds::exactly(must)
        } else {
            EndpointBounds::of(must, may)
        })
    }
}

/// The homes of each class, class after class, and where those of each begin. Empty where no place
/// is anybody's node.
#[derive(Debug, Clone, Default)]
struct Sorted {
    node_index: Vec<HomeIx>,
    /// By class, and the end.
    starts: Vec<usize>,
}

impl Sorted {
    /// The homes of each class, and the classes of each home.
    fn new(
        names: &Table<HomeIx, Option<&str>>,
        of_pod: &Table<PodId, HomeIx>,
        classes: &Classes,
    ) -> (Self, Table<HomeIx, EndpointSet>) {
        let mut of_home: Table<HomeIx, Vec<EndpointIx>> = names.map(|_| Vec::new());
        let (mut sorted, mut of_class) = (
            Self {
                node_index: Vec::new(),
                starts: vec![0],
            },
            Vec::new(),
        );
        for class in classes.list.indexes() {
            of_class.extend(classes.members(class).iter().map(|pod| of_pod[*pod]));
            of_class.sort_unstable();
            of_class.dedup();
            of_class.iter().for_each(|home| of_home[*home].push(class));
            sorted.node_index.append(&mut of_class);
            sorted.starts.push(sorted.node_index.len());
        }
        let classes = of_home.map(|list| list.iter().copied().collect());
        (sorted, classes)
    }

    fn of(&self, class: EndpointIx) -> &[HomeIx] {
        let starts = self.starts.get(class.index()..).unwrap_or_default();
        let [start, end, ..] = *starts else {
            return &[];
        };
        &self.node_index[start..end]
    }
}

/// Numbers the homes of all pods: the distinct nodes, and that of each pod.
fn homes(env: &Environment) -> (Table<HomeIx, Option<&str>>, Table<PodId, HomeIx>) {
    let mut names: IndexSet<Option<&str>> = IndexSet::default();
    // pods of one node share its name's memory once loaded
    let mut met: HashMap<*const u8, HomeIx> = HashMap::default();
    let of_pod = env.cluster.pods().map(|(_, pod)| {
        let node = pod.node.as_deref();
        let known = met.entry(node.map_or(std::ptr::null(), str::as_ptr));
        *known.or_insert_with(|| HomeIx::bounded(names.insert_full(node).0))
    });
    // INVARIANT: one for each pod, and no more homes than pods, which have numbers
    let of_pod = Table::of_bounded(of_pod.collect());
    (Table::of_bounded(names.into_iter().collect()), of_pod)
}

/// The classes of host-network pods by node.
fn hosts<'w>(env: &'w Environment, space: &EndpointSpace) -> HashMap<Option<&'w str>, EndpointSet> {
    let mut hosts: HashMap<Option<&str>, Vec<EndpointIx>> = HashMap::default();
    for class in space.hosts.points() {
        let pod = env.cluster.pod(space.classes.list[class].representative);
        hosts.entry(pod.node.as_deref()).or_default().push(class);
    }
    hosts
        .into_iter()
        .map(|(node, list)| (node, list.into_iter().collect()))
        .collect()
}

fn near(
    env: &Environment,
    space: &EndpointSpace,
    name: Option<&str>,
    hosts: &HashMap<Option<&str>, EndpointSet>,
    addresses: &IpSet,
) -> NodePlaces {
    let atoms = |set: &IpSet| space.of_atoms(&space.atoms.overlapping(set));
    let unsure = |may: EndpointSet| EndpointBounds {
        must: Arc::default(),
        may: Arc::new(may),
    };
    let at = |node: Option<&str>| hosts.get(&node).cloned().unwrap_or_default();
    let Some(name) = name else {
        return NodePlaces::new(unsure(space.hosts.clone()), unsure(atoms(addresses)));
    };
    let must = at(Some(name));
    let hosts = EndpointBounds {
        may: Arc::new(must.union(&at(None))),
        must: Arc::new(must),
    };
    let told = env.cluster.told_of_node(name).map(ipnet::IpNet::from);
    let object = env.cluster.find_node(name);
    let own = object.into_iter().flat_map(|node| node.addresses.iter());
    let own = own.map(|address| ipnet::IpNet::from(*address)).chain(told);
    let must = atoms(&IpSet::from_cidrs(own));
    let may = match object {
        Some(_) => must.clone(),
        None => must.union(&atoms(&env.options.node_cidrs)),
    };
    let atoms = EndpointBounds {
        must: Arc::new(must),
        may: Arc::new(may),
    };
    NodePlaces::new(hosts, atoms)
}
