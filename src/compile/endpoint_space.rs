//! The [`EndpointSpace`]: one row of numbers for everything that can send or receive, the pod
//! classes first, the address atoms after them, and the [`Scenario`]s under which it is looked at.
//!
//! Invariant: numbers below the number of classes are classes. A set of places is a set of runs
//! ([`EndpointSet`]); classes are numbered so that most sets have few of them.

use crate::compile::atoms::Atoms;
use crate::compile::classes::Classes;
use crate::model::PodId;
use crate::set::{Family, IntervalSet};
use crate::spec::address_families::FamilyUse;
use crate::spec::environment::{Endpoint, Environment, HostNetworkMode};
use crate::spec::{EndFamilies, FamilySet};

/// A set of classes and atoms.
pub type EndpointSet = IntervalSet<u32>;

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
    pub families: Vec<EndFamilies>,
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
        let of_address: Vec<EndFamilies> = classes.addresses.iter().map(of_address).collect();
        let of_class = classes.list.iter();
        let families = of_class
            .map(|class| of_address[class.address as usize])
            .collect();
        Self {
            classes,
            atoms,
            scenarios,
            hosts,
            families,
        }
    }

    /// Whether a place is a class of host-network pods.
    pub fn is_host(&self, at: u32) -> bool {
        self.is_class(at) && self.classes.get(at).host
    }

    /// The family of an atom's place.
    pub fn atom_family(&self, at: u32) -> Family {
        if at - self.classes.len() < self.atoms.v4_len() {
            Family::V4
        } else {
            Family::V6
        }
    }

    /// The places of the atoms of a family.
    pub fn atoms_of_family(&self, family: Family) -> EndpointSet {
        let (first, v4) = (self.classes.len(), self.atoms.v4_len());
        match family {
            Family::V4 => EndpointSet::from(first..=first + v4 - 1),
            Family::V6 => EndpointSet::from(first + v4..=self.len() - 1),
        }
    }

    /// The address families of a place.
    pub fn end_families(&self, at: u32) -> EndFamilies {
        if self.is_class(at) {
            self.families[at as usize]
        } else {
            EndFamilies::Told(FamilySet::only(self.atom_family(at)))
        }
    }

    /// How the families of a connection between two places decide it (S65).
    #[inline]
    pub fn family_use(&self, source: u32, destination: u32) -> FamilyUse {
        match (self.is_class(source), self.is_class(destination)) {
            (true, true) => FamilyUse::between(
                self.families[source as usize],
                self.families[destination as usize],
            ),
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

    /// Everything.
    pub fn full(&self) -> EndpointSet {
        if self.len() == 0 {
            EndpointSet::empty()
        } else {
            EndpointSet::from(0..=self.len() - 1)
        }
    }

    /// Every class.
    pub fn pods(&self) -> EndpointSet {
        self.classes
            .len()
            .checked_sub(1)
            .map_or_else(EndpointSet::empty, |last| EndpointSet::from(0..=last))
    }

    /// Whether all of these places are classes. O(1).
    pub fn are_pods(&self, places: &EndpointSet) -> bool {
        places
            .ranges()
            .next_back()
            .is_none_or(|(_, last)| self.is_class(last))
    }

    /// The place of an endpoint on the line.
    pub fn index_of(&self, endpoint: Endpoint) -> u32 {
        match endpoint {
            Endpoint::Pod(pod) => self.classes.of_pod[pod.0 as usize],
            Endpoint::Address(address) => self.classes.len() + self.atoms.of(address),
        }
    }

    /// One endpoint at a place, for all.
    pub fn representative(&self, at: u32) -> Endpoint {
        match at.checked_sub(self.classes.len()) {
            None => Endpoint::Pod(self.classes.get(at).representative),
            Some(atom) => Endpoint::Address(self.atoms.representative(atom)),
        }
    }

    /// Whether a place is a pod class.
    pub fn is_class(&self, at: u32) -> bool {
        at < self.classes.len()
    }
}
