//! Port sets: the distinct port lists of all rules, each read once.
//!
//! Numbers become traffic at once; a name means what the destination's containers say, so it stays
//! a name until a destination is known. Equal lists at one place in memory are read once, and equal
//! sets have one number. Cost: O(ports) for each distinct list.

use crate::compile::vocabulary::{PortNameIx, Vocabulary};
use crate::policy::tier::HostPods;
use crate::policy::{PortMatch, Ports};
use crate::set::hashed::HashMap;
use crate::set::{Interner, Protocol, TooMany, TrafficSet, index_type};

index_type! {
    /// Index of a port list.
    pub struct PortSetIx;
}

/// The ports of a rule: numbers, and names to be looked up on the destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PortSet {
    /// The numbers.
    pub traffic: TrafficSet,
    /// The names.
    pub named: Vec<(PortNameIx, Option<Protocol>)>,
    /// Whether the names of host-network pods are ever seen.
    pub host_pods: HostPods,
}

/// The distinct port lists, each read once.
pub(super) struct PortSets<'w, 'v> {
    pub vocabulary: &'v Vocabulary<'w>,
    /// By the place of the list in memory; 0 for any port.
    pub known: HashMap<(usize, HostPods), PortSetIx>,
    /// The distinct sets.
    pub sets: Interner<PortSetIx, PortSet>,
}

impl<'w> PortSets<'w, '_> {
    /// The index of a port list.
    pub fn index(&mut self, ports: &'w Ports, host_pods: HostPods) -> Result<PortSetIx, TooMany> {
        let place = if let Ports::Of(list) = ports {
            list.as_ptr().addr()
        } else {
            0
        };
        if let Some(known) = self.known.get(&(place, host_pods)) {
            return Ok(*known);
        }
        let set = self.read(ports, host_pods);
        let found = self.sets.intern(set)?;
        self.known.insert((place, host_pods), found);
        Ok(found)
    }

    fn read(&self, ports: &Ports, host_pods: HostPods) -> PortSet {
        let mut set = PortSet {
            traffic: TrafficSet::all(),
            named: Vec::new(),
            host_pods: HostPods::Undefined,
        };
        let Ports::Of(list) = ports else { return set };
        set.traffic = TrafficSet::empty();
        for port in list.iter() {
            match port {
                PortMatch::Traffic(traffic) => set.traffic = set.traffic.union(traffic),
                PortMatch::Portless(_) => {}
                PortMatch::Named(name, protocol) => {
                    set.named.extend(
                        self.vocabulary
                            .ports
                            .get(&**name)
                            .map(|name| (*name, *protocol)),
                    );
                    set.host_pods = host_pods;
                }
            }
        }
        set
    }
}
