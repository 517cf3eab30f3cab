//! [`TrafficSet`]: which protocols and ports; the label on an edge.
//!
//! All traffic lies on one line of numbers: `protocol * 65536 + port` for TCP, UDP and SCTP (ports
//! 1 to 65535), and one last point for "every other protocol" (ICMP and the like), which has no
//! ports. A set of traffic is then one [`IntervalSet`], and "everything" is a value like any other.
//!
//! Invariant: no set holds a port 0, so ranges of different protocols never merge and `==` is
//! equality of meaning.

use crate::set::interval::IntervalSet;
use std::fmt;
use std::sync::LazyLock;

/// A transport protocol that a policy can name (S52).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP, also the default where a policy names none (S5).
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// All protocols, in the order they are printed.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// The name as the API writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }

    /// Reads the API's spelling; exact, as the API is case-sensitive (S7).
    pub fn from_api(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    const fn base(self) -> u32 {
        match self {
            Self::Tcp => 0,
            Self::Udp => 1 << 16,
            Self::Sctp => 2 << 16,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One concrete protocol and destination port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Traffic {
    /// The protocol.
    pub protocol: Protocol,
    /// The destination port, 1 to 65535.
    pub port: u16,
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.port, self.protocol)
    }
}

/// One printable piece of a traffic set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrafficRange {
    /// A range of ports of one protocol, both ends included.
    Ports(Protocol, u16, u16),
    /// Every protocol that is not TCP, UDP or SCTP.
    OtherProtocols,
}

// one past a port 0, so that it does not touch the last SCTP port
const OTHER: u32 = (3 << 16) + 1;

/// A set of (protocol, port).
///
/// ```
/// use netpal::{Protocol, Traffic, TrafficSet};
/// let web = TrafficSet::ports(Protocol::Tcp, 80, 81);
/// assert!(web.contains(Traffic { protocol: Protocol::Tcp, port: 81 }));
/// assert!(!web.contains(Traffic { protocol: Protocol::Udp, port: 81 }));
/// assert!(TrafficSet::all().difference(&web).union(&web).is_all());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TrafficSet(IntervalSet<u32>);

impl TrafficSet {
    /// No traffic.
    pub fn empty() -> Self {
        Self::default()
    }

    /// All ports of all protocols, and every protocol without ports (S16).
    pub fn all() -> Self {
        static ALL: LazyLock<TrafficSet> = LazyLock::new(|| {
            let ports = Protocol::ALL
                .into_iter()
                .map(|p| p.base() + 1..=p.base() + 0xffff);
            TrafficSet(ports.chain(std::iter::once(OTHER..=OTHER)).collect())
        });
        ALL.clone()
    }

    /// All ports of one protocol (S45).
    pub fn protocol(protocol: Protocol) -> Self {
        Self::ports(protocol, 1, u16::MAX)
    }

    /// The ports `first..=last` of one protocol (S47); empty when `first > last`.
    pub fn ports(protocol: Protocol, first: u16, last: u16) -> Self {
        Self(IntervalSet::from(
            protocol.base() + u32::from(first.max(1))..=protocol.base() + u32::from(last),
        ))
    }

    /// One protocol and port.
    pub fn single(traffic: Traffic) -> Self {
        Self::ports(traffic.protocol, traffic.port, traffic.port)
    }

    /// Whether this flow's traffic is in the set.
    pub fn contains(&self, traffic: Traffic) -> bool {
        self.0
            .contains(traffic.protocol.base() + u32::from(traffic.port))
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether everything is in the set.
    pub fn is_all(&self) -> bool {
        *self == Self::all()
    }

    /// Traffic of either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0))
    }

    /// Traffic of both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0))
    }

    /// Traffic of this set that is not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0))
    }

    /// Whether all of this set is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Whether the sets share nothing.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.0.is_disjoint(&other.0)
    }

    /// The coarsest partition of all traffic that respects these sets, and which of them each part
    /// lies in.
    pub fn partition(sets: &[&Self]) -> Vec<(Self, crate::set::partition::Members)> {
        let all = Self::all();
        let family: Vec<&IntervalSet<u32>> = sets.iter().map(|s| &s.0).chain([&all.0]).collect();
        crate::set::partition::partition(&family)
            .into_iter()
            .map(|(part, members)| (Self(part), members))
            .collect()
    }

    /// One concrete member with a port, the smallest, if there is one.
    pub fn sample(&self) -> Option<Traffic> {
        self.pieces().find_map(|piece| match piece {
            TrafficRange::Ports(protocol, port, _) => Some(Traffic { protocol, port }),
            TrafficRange::OtherProtocols => None,
        })
    }

    /// The set in printable pieces: TCP, UDP, SCTP in this order, ports ascending.
    pub fn pieces(&self) -> impl Iterator<Item = TrafficRange> + '_ {
        self.0.ranges().map(|(start, end)| {
            let protocol = match start >> 16 {
                0 => Protocol::Tcp,
                1 => Protocol::Udp,
                2 => Protocol::Sctp,
                _ => return TrafficRange::OtherProtocols,
            };
            TrafficRange::Ports(protocol, (start & 0xffff) as u16, (end & 0xffff) as u16)
        })
    }
}

impl fmt::Debug for TrafficSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pieces()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_four_pieces_and_closed_under_complement() {
        assert_eq!(TrafficSet::all().pieces().count(), 4);
        let tcp = TrafficSet::protocol(Protocol::Tcp);
        let rest = TrafficSet::all().difference(&tcp);
        assert!(!rest.contains(Traffic {
            protocol: Protocol::Tcp,
            port: 65535
        }));
        assert!(rest.contains(Traffic {
            protocol: Protocol::Udp,
            port: 1
        }));
        assert_eq!(rest.union(&tcp), TrafficSet::all());
    }

    #[test]
    fn a_range_that_ends_before_it_starts_is_empty() {
        assert!(TrafficSet::ports(Protocol::Sctp, 9, 8).is_empty());
    }

    #[test]
    fn the_api_spelling_is_exact() {
        assert_eq!(Protocol::from_api("TCP"), Some(Protocol::Tcp));
        assert_eq!(Protocol::from_api("tcp"), None);
    }
}
