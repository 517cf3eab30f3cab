//! Address blocks of Cilium: whom they match, and groups of them (CI80-CI89).
//!
//! A block matches what has no other identity: addresses of the outside, and never pods or nodes,
//! unless the match mode says so.

use crate::policy::cilium::options::{CiliumOptions, MatchMode};
use crate::policy::cilium::selector::{any_of, groups_meet};
use crate::policy::cilium::written::{CidrForm, WrittenSelector};
use crate::policy::plugin::CidrGroup;
use crate::policy::rule::{AddressOwner, Peer, Symbol};
use crate::policy::validate::parse_block_or_address;
use crate::set::IpSet;
use ipnet::IpNet;

/// Blocks without some.
pub fn blocks(blocks: &[IpNet], except: &[IpNet], mode: MatchMode) -> Peer {
    let left_out = IpSet::from_cidrs(except.iter().copied());
    let all =
        |blocks: &mut dyn Iterator<Item = IpNet>| IpSet::from_cidrs(blocks).difference(&left_out);
    let mut peers = vec![Peer::Addresses(all(&mut blocks.iter().copied()))];
    // a prefix of length 0 stands for the outside, whatever the mode (CI84)
    let mut narrow = blocks
        .iter()
        .copied()
        .filter(|block| block.prefix_len() > 0);
    let narrow = all(&mut narrow);
    for (matched, owner) in [
        (mode.nodes, AddressOwner::Nodes),
        (mode.pods, AddressOwner::Pods),
    ] {
        if matched && !narrow.is_empty() {
            peers.push(Peer::Owned(owner, narrow.clone()));
        }
    }
    any_of(peers)
}

/// An item of a set of blocks (CI85-CI89).
pub fn item(form: &CidrForm, groups: &[CidrGroup], options: &CiliumOptions) -> Peer {
    let except = form.except.iter().flatten();
    let except: Vec<IpNet> = except
        .filter_map(|text| parse_block_or_address(text))
        .collect();
    if let Some(selector) = &form.cidr_group_selector {
        return by_label(selector, &except, groups);
    }
    let own: Vec<IpNet> = match (&form.cidr, &form.cidr_group_ref) {
        (Some(text), _) => parse_block_or_address(text).into_iter().collect(),
        (None, Some(name)) => {
            let named = groups.iter().filter(|group| *group.name == **name);
            named
                .flat_map(|group| group.blocks.iter().copied())
                .collect()
        }
        (None, None) => Vec::new(),
    };
    blocks(&own, &except, options.match_mode)
}

/// The addresses whose groups together have the labels; the empty selector is everybody (CI88).
fn by_label(selector: &WrittenSelector, except: &[IpNet], groups: &[CidrGroup]) -> Peer {
    let is_empty = selector.match_labels.iter().flatten().next().is_none()
        && selector.match_expressions.iter().flatten().next().is_none();
    if is_empty && except.is_empty() {
        return Peer::Symbol(Symbol::Everything);
    }
    let mut parts: Vec<(IpSet, Vec<&CidrGroup>)> = vec![(IpSet::full(), Vec::new())];
    for group in groups {
        let inside = group.addresses();
        let mut finer = Vec::with_capacity(parts.len() + 1);
        for (part, of) in parts {
            let within = part.intersection(&inside);
            if within.is_empty() {
                finer.push((part, of));
                continue;
            }
            let rest = part.difference(&inside);
            let mut more = of.clone();
            more.push(group);
            finer.push((within, more));
            if !rest.is_empty() {
                finer.push((rest, of));
            }
        }
        parts = finer;
    }
    let selected = parts.into_iter().filter(|(_, of)| {
        let labels: Vec<_> = of.iter().map(|group| &group.labels).collect();
        groups_meet(selector, &labels)
    });
    let selected = selected.fold(IpSet::empty(), |all, (part, _)| all.union(&part));
    let left_out = IpSet::from_cidrs(except.iter().copied());
    Peer::Addresses(selected.difference(&left_out))
}
