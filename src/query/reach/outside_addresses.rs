//! The outside addresses that a pod reaches, as the next nodes of a tree: a well-known set by its
//! name where all of it is reached, else the blocks that are.

use crate::compile::effective_policy::EffectivePolicy;
use crate::policy::Direction;
use crate::query::ask::grammar::Keyword;
use crate::query::ask::symbolic::addresses_meant;
use crate::query::reach::tree_builder::TreeBuilder;
use crate::query::reach::tree_node::{Item, TreeNode, bare};
use crate::set::{Family, IpSet, TrafficSet};
use crate::spec::Endpoint;
use std::collections::BTreeMap;

/// Of a well-known set so many parts at most are told one by one.
const MOST_PARTS: usize = 8;

impl TreeBuilder<'_> {
    /// A well-known set of addresses, if a pod reaches all of it; else the parts of it that the pod
    /// reaches. What is shown already is left out.
    pub(super) fn known(&mut self, keyword: Keyword, end: Endpoint) -> Vec<TreeNode> {
        let (Endpoint::Pod(pod), Some(set)) = (end, keyword.addresses()) else {
            return Vec::new();
        };
        let set = addresses_meant(self.graph, &set, &[pod], Direction::Egress);
        let parts = self.reached(end, &set);
        let any = parts
            .keys()
            .fold(TrafficSet::empty(), |all, t| all.union(t));
        let whole = parts.len() == 1 && parts.values().all(|part| *part == set);
        // Where everything outside is open, its private part says nothing new.
        let effective = self.graph.effective(end, Direction::Egress);
        let all_open = effective.is_some_and(EffectivePolicy::is_open);
        if keyword == Keyword::Private && all_open {
            return Vec::new();
        }
        let known = self.outside.entry(keyword.word()).or_default();
        if any.is_subset(known) {
            return Vec::new();
        }
        if !whole && parts.len() <= MOST_PARTS {
            return self.parts(parts);
        }
        *known = known.union(&any);
        vec![TreeNode {
            partly: !whole,
            hops: 1,
            ..bare(Item::Known(keyword), any)
        }]
    }

    /// What a pod reaches of the addresses that have no name: link-local ones and others.
    pub(super) fn other_addresses(&mut self, end: Endpoint) -> Vec<TreeNode> {
        let named = [Keyword::Internet, Keyword::Imds, Keyword::Private];
        let named = named.into_iter().filter_map(Keyword::addresses);
        let others = named.fold(IpSet::full(), |left, set| left.difference(&set));
        let parts = self.reached(end, &others);
        let whole = parts
            .values()
            .any(|part| *part == others.only(Family::V4) || *part == others);
        if whole || parts.len() > MOST_PARTS {
            return Vec::new(); // said with the named ones
        }
        self.parts(parts)
    }

    /// What a pod surely reaches of some addresses, by traffic; what it may reach is kept.
    fn reached(&mut self, end: Endpoint, set: &IpSet) -> BTreeMap<TrafficSet, IpSet> {
        let atoms = &self.graph.space().atoms;
        let mut parts: BTreeMap<TrafficSet, IpSet> = BTreeMap::new();
        for atom in atoms.overlapping(set).points() {
            let part = atoms.addresses(atom).intersection(set);
            let Some(first) = part.first() else { continue };
            let allowed = self.graph.allowed(end, Endpoint::Address(first));
            self.perhaps.add(&part, &allowed, &TrafficSet::all());
            let sure = allowed.must;
            if !sure.is_empty() {
                let so_far = parts.entry(sure).or_insert_with(IpSet::empty);
                *so_far = so_far.union(&part);
            }
        }
        parts
    }

    /// Nodes for some addresses, but for what is shown already.
    fn parts(&mut self, parts: BTreeMap<TrafficSet, IpSet>) -> Vec<TreeNode> {
        let mut found = Vec::new();
        for (traffic, set) in parts {
            let shown = (Item::Addresses(set), traffic);
            if !self.sources.contains(&shown) {
                self.sources.push(shown.clone());
                found.push(TreeNode {
                    hops: 1,
                    ..bare(shown.0, shown.1)
                });
            }
        }
        found
    }
}
