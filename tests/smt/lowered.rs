//! Policies of the other dialects, from the rules that they were lowered into: layers, tiers and
//! modes are data there. That the lowering is right is for the cases of each dialect to say.

use super::form::{Block, Condition, Entry, Kind, Labelled, Like, Need, Other, Prefix, Spaces};
use super::form::{Policy, Rule};
use netpal::internals::policy::{PortMatch, Qualifier};
use netpal::internals::set::TrafficRange;
use netpal::{IpSet, Namespaces, Pattern, Peer, Peers, Ports, Requirement, Selector};

/// What a lowered policy says.
pub fn policy(policy: &netpal::Policy) -> Policy {
    let rules = |at: usize| policy.rules[at].iter().map(rule).collect();
    Policy {
        spaces: spaces(&policy.subject.namespaces),
        pods: labelled(&policy.subject.pods),
        applies: policy.applies,
        isolates: policy.isolates,
        rules: [rules(0), rules(1)],
    }
}

/// What a selector wants.
pub fn labelled(selector: &Selector) -> Labelled {
    selector.requirements().iter().map(condition).collect()
}

fn condition(requirement: &Requirement) -> Condition {
    let key = |key: &str| key.to_owned();
    let texts = |values: &[Box<str>]| values.iter().map(ToString::to_string).collect();
    match requirement {
        Requirement::In(k, values) => Condition::In(key(k), texts(values)),
        Requirement::NotIn(k, values) => Condition::NotIn(key(k), texts(values)),
        Requirement::Exists(k) => Condition::Exists(key(k)),
        Requirement::DoesNotExist(k) => Condition::Absent(key(k)),
        Requirement::Like(k, pattern) => {
            let (like, part) = match pattern {
                Pattern::StartsWith(part) => (Like::Starts, part),
                Pattern::EndsWith(part) => (Like::Ends, part),
                Pattern::Contains(part) => (Like::Contains, part),
            };
            Condition::Like(key(k), like, part.to_string())
        }
        Requirement::AnyOf(selectors) => Condition::AnyOf(selectors.iter().map(labelled).collect()),
        Requirement::Not(selector) => Condition::Not(labelled(selector)),
    }
}

/// The namespaces that are meant.
pub fn spaces(namespaces: &Namespaces) -> Spaces {
    let keys = |keys: &[Box<str>]| keys.iter().map(ToString::to_string).collect();
    match namespaces {
        Namespaces::Named(name) => Spaces::Named(name.to_string()),
        Namespaces::Matching(selector) => Spaces::Labelled(labelled(selector)),
        Namespaces::SameLabels(list) => Spaces::Same(keys(list)),
        Namespaces::NotSameLabels(list) => Spaces::NotSame(keys(list)),
    }
}

/// The blocks of a set of addresses.
pub fn blocks(set: &IpSet) -> Vec<Block> {
    let cidrs = set.to_cidrs().into_iter();
    let block = |cidr: ipnet::IpNet| Block {
        base: Prefix {
            length: u32::from(cidr.prefix_len()),
            ..Prefix::of(cidr.addr())
        },
        except: Vec::new(),
    };
    cidrs.map(block).collect()
}

fn rule(rule: &netpal::Rule) -> Rule {
    let ports = match &rule.ports {
        Ports::Any => None,
        Ports::Of(list) => Some(list.iter().flat_map(entries).collect()),
    };
    Rule {
        action: rule.action,
        others: peers(&rule.peers),
        ports,
        subjects: peers(&rule.subjects),
        needs: rule.qualifiers.iter().map(need).collect(),
        binds: rule.binds(),
        asks: rule.asks_for_request(),
    }
}

fn need(qualifier: &Qualifier) -> Need {
    match qualifier {
        Qualifier::SourcePorts(ranges) => Need::SourcePorts(ranges.clone()),
        _ => Need::Untold,
    }
}

fn peers(peers: &Peers) -> Option<Vec<Other>> {
    match peers {
        Peers::Any => None,
        Peers::Of(list) => Some(list.iter().map(other).collect()),
    }
}

fn other(peer: &Peer) -> Other {
    let each = |peers: &[Peer]| peers.iter().map(other).collect();
    match peer {
        Peer::Pods(namespaces, pods) => Other::Pods(spaces(namespaces), labelled(pods)),
        Peer::Addresses(set) => Other::Blocks(blocks(set)),
        Peer::Nodes(selector) => Other::Nodes(labelled(selector)),
        Peer::Domain(name) => Other::Domain(name.to_string()),
        Peer::Symbol(symbol) => Other::Symbol(*symbol),
        Peer::Owned(owner, set) => Other::Owned(*owner, blocks(set)),
        Peer::AnyOf(list) => Other::AnyOf(each(list)),
        Peer::AllOf(list) => Other::AllOf(each(list)),
        Peer::NoneOf(list) => Other::NoneOf(each(list)),
        Peer::Unreadable { everything } => Other::Everybody(*everything),
    }
}

fn entries(entry: &PortMatch) -> Vec<Entry> {
    match entry {
        PortMatch::Traffic(set) => set.pieces().map(piece).collect(),
        PortMatch::Named(name, protocol) => {
            vec![Entry::Named(name.to_string(), protocol.map(Kind::of))]
        }
        PortMatch::Portless(_) => Vec::new(),
    }
}

/// One piece of a set of traffic.
pub fn piece(piece: TrafficRange) -> Entry {
    match piece {
        TrafficRange::Ports(protocol, first, last)
        | TrafficRange::Messages(protocol, first, last) => {
            Entry::Range(Kind::of(protocol), first, last)
        }
        TrafficRange::OtherProtocols => Entry::WithoutPorts,
    }
}
