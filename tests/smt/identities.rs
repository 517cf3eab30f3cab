//! What an address or a host-network pod is to a plugin that tells them apart by what they are:
//! the outside, a node, the own node, the API server.

use super::term::{Term, any};
use super::world::{End, Place, World};
use netpal::{Environment, Family, PodId};

impl World {
    fn is_reserved(&mut self, env: &Environment) -> Term {
        let reserved = env
            .cilium
            .iter()
            .flat_map(|cilium| cilium.reserved.keys().copied());
        let reserved: Vec<_> = reserved.collect();
        self.outside_is(reserved)
    }

    /// Whether the outside address is of no node, of nothing of the plugin's and of no pod.
    pub fn is_outside(&mut self, env: &Environment) -> Term {
        let inside = self.is_reserved(env).or(&self.is_node_address(env));
        let pods = env.options.pod_cidrs.as_ref();
        let of_pods = pods.map_or_else(Term::no, |told| self.outside_in(told));
        let may_be_inside = of_pods.or(&self.outside_in(&env.options.node_cidrs));
        let untold = if may_be_inside.is_no() {
            Term::no()
        } else {
            may_be_inside.and(&self.fact("the address is of the cluster"))
        };
        let inside = inside.or(&untold);
        self.named(&inside.not())
    }

    /// Whether the outside address is some node's. Without any told, private ones may be.
    pub fn is_some_node(&mut self, env: &Environment) -> Term {
        let told = self.is_node_address(env);
        let nodes = env.cluster.nodes();
        let none_told = env.options.node_cidrs.is_empty()
            && nodes.flat_map(|(_, n)| n.addresses.iter()).next().is_none();
        let mut may_be = self.outside_in(&env.options.node_cidrs);
        if none_told {
            may_be = may_be.or(&self.outside_is_private());
        }
        if may_be.is_no() {
            return told;
        }
        let is = self.fact("the address is a node's");
        let reserved = self.is_reserved(env);
        let may_be = super::term::all([may_be, is, reserved.not()]);
        self.named(&told.or(&may_be))
    }

    /// Whether an end is a node, or on a node's network.
    pub fn symbol_nodes(&mut self, env: &Environment, end: End) -> Term {
        match end.place {
            Place::Outside(_) if env.cilium.is_some() => self.is_some_node(env),
            _ => self.is_node(env, &Vec::new(), end),
        }
    }

    /// Whether a node is that of a pod.
    pub fn is_node_of(&mut self, env: &Environment, pod: PodId, end: End) -> Term {
        let Some(own) = env.cluster.pod(pod).node.as_deref() else {
            return self.fact("it is the own node");
        };
        match end.place {
            Place::Outside(_) => {
                let (mut is_own, mut others) = (Term::no(), Term::no());
                for (_, node) in env.cluster.nodes() {
                    let here = self.outside_is(node.addresses.iter().copied());
                    if *node.name == *own {
                        is_own = is_own.or(&here.and(&others.not()));
                    }
                    others = others.or(&here);
                }
                let told = env
                    .cluster
                    .find_node(own)
                    .filter(|node| !node.addresses.is_empty());
                match told {
                    Some(_) => is_own,
                    None => is_own.or(&others.not().and(&self.fact("it is the own node"))),
                }
            }
            Place::Pod(id) => match env.cluster.pod(id).node.as_deref() {
                Some(other) => Term::of(own == other),
                None => self.fact("it is the own node"),
            },
        }
    }

    /// Whether the API server listens on the outside address.
    pub fn is_api_server(&mut self, env: &Environment) -> Term {
        if !env.api_servers.is_empty() {
            return self.outside_in(&env.api_servers);
        }
        let is = self.fact("the address is the API server's");
        self.is_reserved(env).not().and(&is)
    }

    /// Whether the API server listens on the node of a pod that shares its network.
    pub fn is_on_api_server(&mut self, env: &Environment, end: End) -> Term {
        if env.api_servers.is_empty() {
            return self.fact(&format!("{} is where the API server is", end.role));
        }
        let blocks = super::lowered::blocks(&env.api_servers);
        let each = Family::ALL.map(|family| self.inside(env, end, family, &blocks));
        any(each)
    }
}
