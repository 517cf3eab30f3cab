//! [`TrafficSet`]: which protocols and ports; the label on an edge.
//!
//! All traffic lies on one line of numbers: `protocol * 65536 + port` for TCP, UDP and SCTP (ports
//! 1 to 65535), and behind them every other protocol: the messages of ICMP and `ICMPv6` by type and
//! code, and the rest by their numbers. A set of traffic is then one [`IntervalSet`], and
//! "everything" is a value like any other.
//!
//! ```text
//! TCP 1..65535 | UDP 1..65535 | SCTP 1..65535 | ICMP 0..65535, ICMPv6 0..65535, numbers 0..255
//! ```
//!
//! Invariant: no set holds a port 0, so ranges of different protocols with ports never merge, all
//! others are one range where all are meant, and `==` is equality of meaning.

use crate::set::interval::IntervalSet;
use std::fmt;
use std::sync::LazyLock;

/// A protocol that a policy or a question can name (S52).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP, also the default where a policy names none (S5).
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
    /// ICMP of IPv4; its messages stand for ports: type times 256 plus code.
    Icmp,
    /// ICMP of IPv6, in the same way.
    IcmpV6,
    /// Any other protocol; its number stands for the port.
    Other,
}

impl Protocol {
    /// The protocols that have ports, in the order they are printed.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// The name as the API writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
            Self::Icmp => "ICMP",
            Self::IcmpV6 => "ICMPv6",
            Self::Other => "protocol",
        }
    }

    /// Whether it has ports.
    pub const fn has_ports(self) -> bool {
        matches!(self, Self::Tcp | Self::Udp | Self::Sctp)
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
            Self::Icmp => OTHER,
            Self::IcmpV6 => OTHER + (1 << 16),
            Self::Other => NUMBERED,
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
        if self.protocol.has_ports() {
            return write!(f, "{}/{}", self.port, self.protocol);
        }
        f.write_str(&messages(self.protocol, self.port, self.port))
    }
}

/// Messages of ICMP, or protocols by their numbers, in words: `ICMP type 8`.
pub fn messages(protocol: Protocol, first: u16, last: u16) -> String {
    let [first_kind, first_code] = first.to_be_bytes();
    let [last_kind, last_code] = last.to_be_bytes();
    match (protocol, first, last) {
        (Protocol::Other, a, b) if a == b => format!("protocol {a}"),
        (Protocol::Other, a, b) => format!("protocols {a}-{b}"),
        (_, 0, u16::MAX) => protocol.to_string(),
        _ if (first_code, last_code) == (0, u8::MAX) && first_kind == last_kind => {
            format!("{protocol} type {first_kind}")
        }
        _ if (first_code, last_code) == (0, u8::MAX) => {
            format!("{protocol} types {first_kind}-{last_kind}")
        }
        _ if first == last => format!("{protocol} type {first_kind} code {first_code}"),
        _ => format!("{protocol} {first_kind}/{first_code}-{last_kind}/{last_code}"),
    }
}

/// One printable piece of a traffic set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrafficRange {
    /// A range of ports of one protocol, both ends included.
    Ports(Protocol, u16, u16),
    /// Messages of ICMP, or protocols by their numbers, both ends included.
    Messages(Protocol, u16, u16),
    /// Every protocol that is not TCP, UDP or SCTP.
    OtherProtocols,
}

// one past a port 0, so that it does not touch the last SCTP port
const OTHER: u32 = (3 << 16) + 1;
/// The first number of a protocol that has neither ports nor messages.
const NUMBERED: u32 = OTHER + (2 << 16);
/// The last one.
const LAST: u32 = NUMBERED + 255;

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
            TrafficSet(ports.chain(std::iter::once(OTHER..=LAST)).collect())
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

    /// Messages `first..=last` of ICMP, or protocols by their numbers.
    pub fn messages(protocol: Protocol, first: u16, last: u16) -> Self {
        let base = protocol.base();
        Self(IntervalSet::from(
            base + u32::from(first)..=base + u32::from(last),
        ))
    }

    /// Messages of a type, with one code or any.
    pub fn icmp(protocol: Protocol, kind: u8, code: Option<u8>) -> Self {
        let at = |code| u16::from_be_bytes([kind, code]);
        Self::messages(protocol, at(code.unwrap_or(0)), at(code.unwrap_or(u8::MAX)))
    }

    /// Every protocol that has no ports.
    pub fn without_ports() -> Self {
        Self(IntervalSet::from(OTHER..=LAST))
    }

    /// One protocol and port.
    pub fn single(traffic: Traffic) -> Self {
        if traffic.protocol.has_ports() {
            Self::ports(traffic.protocol, traffic.port, traffic.port)
        } else {
            Self::messages(traffic.protocol, traffic.port, traffic.port)
        }
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

    /// The ranges on the line of all traffic, first and last.
    pub fn ranges(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.ranges()
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
            TrafficRange::Ports(protocol, port, _) | TrafficRange::Messages(protocol, port, _) => {
                Some(Traffic { protocol, port })
            }
            TrafficRange::OtherProtocols => None,
        })
    }

    /// The set in printable pieces: TCP, UDP, SCTP in this order, ports ascending.
    pub fn pieces(&self) -> impl Iterator<Item = TrafficRange> + '_ {
        self.0.ranges().flat_map(|(start, end)| {
            let protocol = match start >> 16 {
                0 => Protocol::Tcp,
                1 => Protocol::Udp,
                2 => Protocol::Sctp,
                _ => return without_ports(start, end),
            };
            let (first, last) = ((start & 0xffff) as u16, (end & 0xffff) as u16);
            [Some(TrafficRange::Ports(protocol, first, last)), None, None]
                .into_iter()
                .flatten()
        })
    }
}

/// The printable pieces of a range of protocols without ports.
fn without_ports(
    start: u32,
    end: u32,
) -> std::iter::Flatten<std::array::IntoIter<Option<TrafficRange>, 3>> {
    if (start, end) == (OTHER, LAST) {
        return [Some(TrafficRange::OtherProtocols), None, None]
            .into_iter()
            .flatten();
    }
    let part = |protocol: Protocol, size: u32| {
        let base = protocol.base();
        let (first, last) = (start.max(base), end.min(base + size));
        let number = |at: u32| u16::try_from(at - base).unwrap_or(u16::MAX);
        (first <= last).then(|| TrafficRange::Messages(protocol, number(first), number(last)))
    };
    [
        part(Protocol::Icmp, 0xffff),
        part(Protocol::IcmpV6, 0xffff),
        part(Protocol::Other, 255),
    ]
    .into_iter()
    .flatten()
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
    fn protocols_without_ports_are_one_range_that_can_be_cut() {
        let ping = TrafficSet::icmp(Protocol::Icmp, 8, None);
        assert_eq!(
            ping.pieces().collect::<Vec<_>>(),
            [TrafficRange::Messages(Protocol::Icmp, 0x0800, 0x08ff)]
        );
        assert_eq!(messages(Protocol::Icmp, 0x0800, 0x08ff), "ICMP type 8");
        let rest = TrafficSet::all().difference(&ping);
        assert_eq!(rest.pieces().count(), 7);
        assert!(rest.union(&ping).is_all());
        let tunnel = TrafficSet::messages(Protocol::Other, 47, 47);
        assert!(tunnel.is_subset(&TrafficSet::without_ports()));
        assert!(!tunnel.contains(Traffic {
            protocol: Protocol::Tcp,
            port: 47
        }));
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
