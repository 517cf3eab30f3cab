//! Peers by their addresses, of which single pods need not be looked at: the outside, nodes, what a
//! domain name may stand for.

use crate::compile::peer_sets::{EndpointBounds, EndpointIx, EndpointSet, PeerSets};
use crate::model::{Selector, Truth};
use crate::policy::AddressOwner;
use crate::set::{Family, IpSet};
use crate::spec::environment::Endpoint;
use crate::spec::matching::{domain_matches, node_matches, owned_matches};
use std::sync::Arc;

impl PeerSets<'_> {
    /// Those of some atoms that are of the outside, which are all that blocks match.
    pub(super) fn of_outside(&self, atoms: &EndpointSet) -> EndpointBounds {
        let env = self.env;
        let mut inside = self.node_addresses(None);
        let mut doubtful = env.options.node_cidrs.clone();
        if let Some(cilium) = &env.cilium {
            inside = inside.union(&cilium.reserved_addresses(None));
        }
        if let Some(pods) = &env.options.pod_cidrs {
            doubtful = doubtful.union(pods);
        }
        let may = atoms.difference(&self.atoms_of(&inside));
        let must = may.difference(&self.atoms_of(&doubtful));
        EndpointBounds::of(must, may)
    }

    /// What has an address of a block and is no pod on the pod network. O(atoms of the block + pods
    /// on their node's network).
    pub(super) fn no_pod(&self, block: &IpSet, family: Family) -> EndpointBounds {
        let env = self.env;
        let mut outside = self.atoms_of(block);
        if let Some(of_pods) = &env.options.pod_cidrs {
            let of_pods = of_pods.difference(&env.node_addresses);
            outside = outside.difference(&self.atoms_of(&of_pods));
        }
        let (mut must, mut may) = (Vec::new(), Vec::new());
        for class in self.space.hosts.points() {
            let end = self.space.representative(class);
            match owned_matches(env, AddressOwner::NoPod, block, end, family) {
                Truth::Yes => must.push(class),
                Truth::Maybe => may.push(class),
                Truth::No => {}
            }
        }
        EndpointBounds::exactly(outside).joined(&EndpointBounds::from_lists(must, may))
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

    pub(super) fn nodes(&self, selector: &Selector) -> EndpointBounds {
        let representative =
            |c: EndpointIx| Endpoint::Pod(self.space.classes.list[c].representative);
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

    pub(super) fn domain(&self, name: &str) -> EndpointBounds {
        if !self.env.options.blocks_match_pods {
            return self.asked(|end| match end {
                Endpoint::Address(address) => domain_matches(self.env, address),
                Endpoint::Pod(_) => Truth::No,
            });
        }
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
