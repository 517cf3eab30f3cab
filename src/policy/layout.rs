//! [`Layout`]: where the rules of a policy stand, if that is not one list per direction.

use crate::source::{Path, Step};

/// Where the rules of a policy stand, in a dialect that has several lists of rules or several
/// policies in one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Where the policy begins in its object: `spec`, `specs[1]`.
    pub root: Path,
    /// The places of the rules, per direction.
    pub rules: [Vec<RulePlace>; 2],
}

/// Where one rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RulePlace {
    /// It is an entry of a list, or one of the rules that such an entry makes.
    Entry(EntryPlace),
    /// Its parts stand at places of their own, below the root.
    Parts {
        /// The rule.
        rule: Path,
        /// Its peers.
        peers: PeersPlace,
        /// Its ports.
        ports: PortsPlace,
    },
}

/// Where the peers of a rule stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeersPlace {
    /// In one field.
    Field(Path),
    /// Each at a place of its own.
    Each(Box<[Path]>),
}

/// Where the ports of a rule stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortsPlace {
    /// In one list.
    List(Path),
    /// Each at a place of its own.
    Each(Box<[Path]>),
}

/// An entry of a list of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryPlace {
    /// The list: `ingressDeny`.
    pub list: &'static str,
    /// Its number in the list.
    pub index: usize,
    /// The field with the peers.
    pub peers: &'static str,
    /// The field with the ports, and the number of the entry there that the rule is made of.
    pub ports: Option<(&'static str, usize, &'static str)>,
}

impl RulePlace {
    /// A place where the rule, its peers and its ports are one.
    pub fn whole(at: Path) -> Self {
        Self::Parts {
            rule: at.clone(),
            peers: PeersPlace::Field(at.clone()),
            ports: PortsPlace::List(at),
        }
    }

    /// The number of the rule in its list, where it is an entry of one.
    pub fn number(&self) -> Option<u32> {
        match self {
            Self::Entry(entry) => u32::try_from(entry.index).ok(),
            Self::Parts { rule, .. } => match rule.0.last() {
                Some(Step::Index(number)) => Some(*number),
                _ => None,
            },
        }
    }

    /// The path of the rule, or of one of its peers or ports.
    pub fn path(&self, peer: Option<u32>, port: Option<u32>) -> Path {
        match (self, peer, port) {
            (Self::Entry(entry), ..) => entry.path(peer, port),
            (Self::Parts { peers, rule, .. }, Some(peer), _) => match peers {
                PeersPlace::Field(path) => path.clone(),
                PeersPlace::Each(paths) => paths.get(peer as usize).unwrap_or(rule).clone(),
            },
            (Self::Parts { ports, rule, .. }, None, Some(port)) => match ports {
                PortsPlace::List(path) => path.index(port as usize),
                PortsPlace::Each(paths) => paths.get(port as usize).unwrap_or(rule).clone(),
            },
            (Self::Parts { rule, .. }, None, None) => rule.clone(),
        }
    }
}

impl EntryPlace {
    fn path(self, peer: Option<u32>, port: Option<u32>) -> Path {
        let path = Path::root().key(self.list).index(self.index);
        match (peer, port, self.ports) {
            (Some(peer), _, _) => path.key(self.peers).index(peer as usize),
            (None, Some(port), Some((field, entry, ports))) => {
                path.key(field).index(entry).key(ports).index(port as usize)
            }
            _ => path,
        }
    }
}
