//! The [`EndpointSpace`]: one row of numbers for everything that can send or receive, the pod
//! classes first, the address atoms after them, and the [`Scenario`]s under which it is looked at.
//!
//! Invariant: numbers below the number of classes are classes. A set of places is a set of runs
//! ([`EndpointSet`]); classes are numbered so that most sets have few of them.

use crate::compile::atoms::{AtomIx, AtomSet, Atoms};
use crate::compile::classes::Classes;
pub use crate::compile::endpoint_index::{EndpointIx, EndpointSet};
use crate::model::PodId;
use crate::policy::Direction;
use crate::set::{Family, Ix, Table};
use crate::spec::address_families::FamilyUse;
use crate::spec::environment::{Endpoint, Environment, HostNetworkMode};
use crate::spec::{EndFamilies, FamilySet};

/// One way the world may be while a connection is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scenario {
    /// How host-network pods behave.
    pub mode: HostNetworkMode,
    /// The connection's address family.
    pub family: Family,
}

/// The line of classes and atoms.
#[derive(Debug, Clone)]
pub struct EndpointSpace {
    /// The pod classes, from 0.
    pub classes: Classes,
    /// The address atoms, after the classes.
    pub atoms: Atoms,
    /// The views to consider.
    pub scenarios: Vec<Scenario>,
    /// The classes of host-network pods.
    pub hosts: EndpointSet,
    /// The address families of each class (S65).
    pub families: Table<EndpointIx, EndFamilies>,
    /// The places that something may deny which polices nodes and is not modelled, by direction.
    pub policed: [EndpointSet; 2],
    /// Whether there are any such places; mostly there are none, and no set is looked into.
    polices_nodes: bool,
}

impl EndpointSpace {
    /// Puts classes and atoms on one line.
    pub fn new(
        env: &Environment,
        classes: Classes,
        atoms: Atoms,
        scenarios: Vec<Scenario>,
        hosts: EndpointSet,
    ) -> Self {
        let of_address = |pod: &PodId| env.families(env.cluster.pod(*pod));
        let of_address = classes.addresses.map(of_address);
        let families = classes.list.map(|class| of_address[class.address]);
        let mut space = Self {
            classes,
            atoms,
            scenarios,
            hosts,
            families,
            policed: Default::default(),
            polices_nodes: env.policed_nodes.iter().any(|nodes| !nodes.is_empty()),
        };
        if space.polices_nodes {
            space.policed = Direction::ALL.map(|direction| space.policed_places(env, direction));
        }
        space
    }

    fn policed_places(&self, env: &Environment, direction: Direction) -> EndpointSet {
        let may_be = |at: &EndpointIx| env.may_be_policed_node(self.representative(*at), direction);
        self.indexes().filter(may_be).collect()
    }

    /// Whether something that is not modelled may deny what a place sends or receives because it is
    /// a node.
    #[inline]
    pub fn is_policed(&self, at: EndpointIx, direction: Direction) -> bool {
        self.polices_nodes && self.policed[direction.index()].contains(at)
    }

    /// Whether a place is a class of host-network pods.
    pub fn is_host(&self, at: EndpointIx) -> bool {
        self.is_class(at) && self.classes.list[at].host
    }

    /// The family of an atom's place.
    pub fn atom_family(&self, at: EndpointIx) -> Family {
        if at.number() - self.classes.len() < self.atoms.v4_len() {
            Family::V4
        } else {
            Family::V6
        }
    }

    /// The place of an atom.
    pub fn of_atom(&self, atom: AtomIx) -> EndpointIx {
        // INVARIANT: compiling refused more classes and atoms than can be numbered
        EndpointIx::from_number(self.classes.len() + atom.number())
    }

    /// The places of atoms. O(ranges).
    pub fn of_atoms(&self, atoms: &AtomSet) -> EndpointSet {
        let ranges = atoms.ranges();
        ranges
            .map(|(first, last)| self.of_atom(first)..=self.of_atom(last))
            .collect()
    }

    /// The atom at a place, if it is none of the classes.
    pub fn atom_at(&self, at: EndpointIx) -> Option<AtomIx> {
        let atom = at.number().checked_sub(self.classes.len());
        atom.map(AtomIx::from_number)
    }

    /// The atoms at places of which none is a class. O(ranges).
    pub fn atoms_at(&self, places: &EndpointSet) -> AtomSet {
        let ranges = places.ranges();
        ranges
            .filter_map(|(first, last)| Some(self.atom_at(first)?..=self.atom_at(last)?))
            .collect()
    }

    /// The places of the atoms of a family.
    pub fn atoms_of_family(&self, family: Family) -> EndpointSet {
        self.of_atoms(&self.atoms.of_family(family))
    }

    /// The address families of a place.
    pub fn end_families(&self, at: EndpointIx) -> EndFamilies {
        if self.is_class(at) {
            self.families[at]
        } else {
            EndFamilies::Told(FamilySet::only(self.atom_family(at)))
        }
    }

    /// How the families of a connection between two places decide it (S65), and whether a node's
    /// own policies may deny it.
    #[inline]
    pub fn family_use(&self, source: EndpointIx, destination: EndpointIx) -> FamilyUse {
        let connection = self.families_between(source, destination);
        if self.is_policed(source, Direction::Egress)
            || self.is_policed(destination, Direction::Ingress)
        {
            return connection.doubted();
        }
        connection
    }

    #[inline]
    fn families_between(&self, source: EndpointIx, destination: EndpointIx) -> FamilyUse {
        match (self.is_class(source), self.is_class(destination)) {
            (true, true) => FamilyUse::between(self.families[source], self.families[destination]),
            (false, _) => {
                FamilyUse::with_address(self.atom_family(source), self.end_families(destination))
            }
            (true, false) => {
                FamilyUse::with_address(self.atom_family(destination), self.end_families(source))
            }
        }
    }

    /// How many numbers the line has.
    pub fn len(&self) -> u32 {
        self.classes.len() + self.atoms.len()
    }

    /// All places, in order.
    pub fn indexes(&self) -> impl ExactSizeIterator<Item = EndpointIx> + use<> {
        EndpointIx::first(self.len())
    }

    /// Everything.
    pub fn full(&self) -> EndpointSet {
        EndpointSet::first_of(self.len())
    }

    /// Every class.
    pub fn pods(&self) -> EndpointSet {
        EndpointSet::first_of(self.classes.len())
    }

    /// Whether all of these places are classes. O(1).
    pub fn are_pods(&self, places: &EndpointSet) -> bool {
        places
            .ranges()
            .next_back()
            .is_none_or(|(_, last)| self.is_class(last))
    }

    /// The place of an endpoint on the line.
    pub fn index_of(&self, endpoint: Endpoint) -> EndpointIx {
        match endpoint {
            Endpoint::Pod(pod) => self.classes.of_pod[pod],
            Endpoint::Address(address) => self.of_atom(self.atoms.of(address)),
        }
    }

    /// One endpoint at a place, for all.
    pub fn representative(&self, at: EndpointIx) -> Endpoint {
        match self.atom_at(at) {
            None => Endpoint::Pod(self.classes.list[at].representative),
            Some(atom) => Endpoint::Address(self.atoms.representative(atom)),
        }
    }

    /// Whether a place is a pod class.
    pub fn is_class(&self, at: EndpointIx) -> bool {
        at.number() < self.classes.len()
    }
}
