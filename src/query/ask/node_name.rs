//! A node that a question names: `node/worker-1`.
//!
//! A node is known by the addresses of its object, or of pods on its network. One that only pods
//! name is some address, and which one is not told; it is still the own node of these pods (S55).
//! Cost: O(nodes + pods).

use crate::query::ask::nodes::at;
use crate::query::ask::resolve::Resolver;
use crate::query::ask::resolved::{End, ResolveError, Resolved, fail};
use crate::query::ask::similar_names::suggest;
use crate::set::IpSet;
use ipnet::IpNet;

impl Resolver<'_> {
    /// A node by its name.
    pub(crate) fn node(&self, name: &str) -> Result<Resolved, ResolveError> {
        let object = self.cluster.find_node(name);
        let own = object.map(|node| node.addresses.to_vec());
        let mut addresses = own.unwrap_or_default();
        let on_it = |node: Option<&str>| node == Some(name);
        let pods = || self.cluster.pods().map(|(_, pod)| pod);
        let mut here = pods().filter(|pod| on_it(pod.node.as_deref())).peekable();
        if object.is_none() && here.peek().is_none() {
            let nodes = self.cluster.nodes().map(|(_, node)| &*node.name);
            let named = pods().filter_map(|pod| pod.node.as_deref());
            let mut names: Vec<&str> = nodes.chain(named).collect();
            names.sort_unstable();
            names.dedup();
            return fail(
                format!("no node is called `{name}`"),
                Some(suggest(name, &names, "nodes")),
            );
        }
        if addresses.is_empty() {
            let on_its_network = here.filter(|pod| pod.host_network);
            addresses = on_its_network
                .flat_map(|pod| pod.addresses.to_vec())
                .collect();
        }
        let mut called = addresses.iter().map(|address| IpNet::from(*address));
        if let Some(found) = called.find_map(|net| self.service_at_node(net)) {
            return Ok(found);
        }
        if !addresses.is_empty() {
            return Ok(Resolved {
                ends: vec![at(name, addresses.into_iter())],
                ..Resolved::default()
            });
        }
        Ok(Resolved {
            ends: vec![End::Addresses {
                name: format!("node {name}").into(),
                set: IpSet::full(),
                symbolic: true,
            }],
            one_of: true,
            node: Some(name.into()),
            ..Resolved::default()
        })
    }
}
