//! Own nodes: which places of the line are the node a class's pods run on (S55), in both
//! directions.
//!
//! Every pod has a *home*: the node it names, or none. [`NodeIndex::near`] tells of a home which
//! places are its node: the classes of host-network pods there (as far as they behave as their
//! node), and the atoms of its addresses. A class may have pods of several homes; what holds for
//! some of them only is not told for the class.
//!
//! Invariant: `node_of(c)` contains `p` as `is_own_node` answers for every pod of `c` and every
//! endpoint of `p`; `Maybe` where they differ. Cost: O(pods + nodes) to build; a question costs the
//! homes of one class, or the classes of one home.

use crate::compile::classes::Classes;
use crate::compile::peer_sets::{EndpointBounds, EndpointSet, EndpointSpace};
use crate::model::Truth;
use crate::set::IpSet;
use crate::set::hashed::{HashMap, IndexSet};
use crate::spec::environment::Environment;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

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
    near: Vec<NodePlaces>,
    of_class: Sorted,
    /// The classes with a pod of each home.
    classes: Vec<EndpointSet>,
    /// The homes that are, or may be, at a place; once somebody asks.
    at: OnceLock<HashMap<u32, Vec<(u32, Truth)>>>,
}

impl NodeIndex {
    /// Finds the homes. Empty when there are neither host-network pods nor node addresses.
    pub fn new(env: &Environment, space: &EndpointSpace) -> Self {
        let addresses = env.node_addresses.union(&env.options.node_cidrs);
        if space.hosts.is_empty() && addresses.is_empty() {
            return Self::default();
        }
        let (names, of_class, classes) = Sorted::new(env, &space.classes);
        let hosts = hosts(env, space);
        let near: Vec<NodePlaces> = names
            .iter()
            .map(|name| near(env, space, *name, &hosts, &addresses))
            .collect();
        Self {
            near,
            of_class,
            classes,
            at: OnceLock::new(),
        }
    }

    fn at(&self) -> HashMap<u32, Vec<(u32, Truth)>> {
        let mut at: HashMap<u32, Vec<(u32, Truth)>> = HashMap::default();
        for (home, near) in (0..).zip(&self.near) {
            for found in [&near.hosts, &near.atoms] {
                found
                    .may
                    .points()
                    .for_each(|p| at.entry(p).or_default().push((home, found.truth(p))));
            }
        }
        at
    }

    /// The places that are the node of a class's pods. Host-network pods count only where they
    /// behave as their node.
    pub fn node_of(&self, class: u32, hosts: bool) -> Cow<'_, EndpointBounds> {
        let node_index = self.of_class.of(class);
        let one = |home: &u32| {
            let near = &self.near[*home as usize];
            if hosts { &near.both } else { &near.atoms }
        };
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
    pub fn pods_on(&self, place: u32) -> Option<EndpointBounds> {
        let node_index = self.at.get_or_init(|| self.at()).get(&place)?;
        let may = EndpointSet::union_of(
            node_index
                .iter()
                .map(|(home, _)| &self.classes[*home as usize]),
        );
        let certain = |home: &u32| node_index.contains(&(*home, Truth::Yes));
        let must: EndpointSet = may
            .points()
            .filter(|c| self.of_class.of(*c).iter().all(certain))
            .map(|c| c..=c)
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
    node_index: Vec<u32>,
    starts: Vec<u32>,
}

impl Sorted {
    /// Numbers the homes of all pods; the distinct homes, those of each class, and the classes of
    /// each.
    fn new<'w>(
        env: &'w Environment,
        classes: &Classes,
    ) -> (Vec<Option<&'w str>>, Self, Vec<EndpointSet>) {
        let mut names: IndexSet<Option<&str>> = IndexSet::default();
        // pods of one node share its name's memory once loaded
        let mut met: HashMap<*const u8, u32> = HashMap::default();
        let mut home = |node: Option<&'w str>| {
            let known = met.entry(node.map_or(std::ptr::null(), str::as_ptr));
            *known.or_insert_with(|| u32::try_from(names.insert_full(node).0).unwrap_or(u32::MAX))
        };
        let of_pod: Vec<u32> = env
            .cluster
            .pods()
            .map(|(_, pod)| home(pod.node.as_deref()))
            .collect();
        let mut of_home: Vec<Vec<u32>> = vec![Vec::new(); names.len()];
        let (mut sorted, mut of_class) = (
            Self {
                node_index: Vec::new(),
                starts: vec![0],
            },
            Vec::new(),
        );
        for class in 0..classes.len() {
            of_class.extend(
                classes
                    .members(class)
                    .iter()
                    .map(|pod| of_pod[pod.0 as usize]),
            );
            of_class.sort_unstable();
            of_class.dedup();
            of_class
                .iter()
                .for_each(|home| of_home[*home as usize].push(class));
            sorted.node_index.append(&mut of_class);
            sorted
                .starts
                .push(u32::try_from(sorted.node_index.len()).unwrap_or(u32::MAX));
        }
        let runs = |list: Vec<u32>| list.into_iter().map(|c| c..=c).collect();
        (
            names.into_iter().collect(),
            sorted,
            of_home.into_iter().map(runs).collect(),
        )
    }

    fn of(&self, class: u32) -> &[u32] {
        let end = self.starts.get(class as usize + 1).copied().unwrap_or(0);
        let start = self
            .starts
            .get(class as usize)
            .copied()
            .unwrap_or(0)
            .min(end);
        &self.node_index[start as usize..end as usize]
    }
}

/// The classes of host-network pods by node.
fn hosts<'w>(env: &'w Environment, space: &EndpointSpace) -> HashMap<Option<&'w str>, EndpointSet> {
    let mut hosts: HashMap<Option<&str>, Vec<u32>> = HashMap::default();
    for class in space.hosts.points() {
        let pod = env.cluster.pod(space.classes.get(class).representative);
        hosts.entry(pod.node.as_deref()).or_default().push(class);
    }
    hosts
        .into_iter()
        .map(|(node, list)| (node, list.into_iter().map(|c| c..=c).collect()))
        .collect()
}

fn near(
    env: &Environment,
    space: &EndpointSpace,
    name: Option<&str>,
    hosts: &HashMap<Option<&str>, EndpointSet>,
    addresses: &IpSet,
) -> NodePlaces {
    let atoms = |set: &IpSet| {
        let first = space.classes.len();
        space
            .atoms
            .overlapping(set)
            .ranges()
            .map(|(a, b)| first + a..=first + b)
            .collect::<EndpointSet>()
    };
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
    let atoms = match env.cluster.find_node(name) {
        Some(node) => EndpointBounds::exactly(atoms(&IpSet::from_cidrs(
            node.addresses.iter().map(|a| ipnet::IpNet::from(*a)),
        ))),
        None => unsure(atoms(&env.options.node_cidrs)),
    };
    NodePlaces::new(hosts, atoms)
}
