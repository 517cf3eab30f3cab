//! [`Inside`]: the classes of pods by where their addresses lie, to be asked about address blocks.

use crate::compile::atoms::{AtomIx, AtomSet};
use crate::compile::classes::AddressIx;
use crate::compile::endpoint_space::{EndpointIx, EndpointSpace};
use crate::model::PodId;
use crate::set::Buckets;
use crate::spec::environment::Environment;

/// The classes by where their addresses lie.
#[derive(Default)]
pub struct Inside {
    /// Address atom and class, sorted: the known addresses.
    pub known: Vec<(AtomIx, EndpointIx)>,
    /// The classes of pods whose addresses are not known, per distinct key.
    pub vague: Vec<(PodId, Vec<EndpointIx>)>,
}

impl Inside {
    /// Sorts the classes of a space.
    pub fn new(env: &Environment, space: &EndpointSpace) -> Self {
        let mut inside = Self::default();
        let keys = space.classes.list.map(|class| class.address);
        let addresses = &space.classes.addresses;
        let by_key: Buckets<AddressIx, EndpointIx> = Buckets::new(&keys, addresses.len());
        for (pod, classes) in addresses.iter().zip(by_key.iter()) {
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

    /// The classes with a known address in one of these atoms.
    pub fn among(&self, atoms: &AtomSet) -> Vec<EndpointIx> {
        let mut found = Vec::new();
        for (first, last) in atoms.ranges() {
            let from = self.known.partition_point(|(atom, _)| *atom < first);
            let known = self.known[from..].iter();
            let known = known.take_while(|(atom, _)| *atom <= last);
            found.extend(known.map(|(_, class)| *class));
        }
        found
    }
}
