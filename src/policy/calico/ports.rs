//! Protocols, ports and messages of ICMP (CA73, CA74, CA82).

use crate::policy::calico::policy::CalicoPort;
use crate::policy::calico::written::CalicoIcmpForm;
use crate::set::{Family, Protocol, TrafficSet};
use serde_json::Value as Json;

/// A protocol as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalicoProtocol {
    /// What it covers.
    pub traffic: TrafficSet,
    /// The family that its name binds it to; a number binds to none.
    pub family: Option<Family>,
}

impl CalicoProtocol {
    /// Whether its messages have types.
    pub fn is_icmp(&self) -> bool {
        let kinds = [Protocol::Icmp, Protocol::IcmpV6];
        kinds.iter().any(|kind| self.traffic == numbered(*kind))
    }

    /// Whether it has ports.
    pub fn has_ports(&self) -> bool {
        Protocol::ALL
            .iter()
            .any(|p| self.traffic == TrafficSet::protocol(*p))
    }
}

/// All messages of a protocol without ports.
fn numbered(protocol: Protocol) -> TrafficSet {
    TrafficSet::messages(protocol, 0, u16::MAX)
}

/// Reads a protocol that has ports.
pub fn with_ports(value: &Json) -> Option<Protocol> {
    let read = protocol(value)?;
    let mut all = Protocol::ALL.into_iter();
    all.find(|p| read.traffic == TrafficSet::protocol(*p))
}

/// Reads a protocol: a name, or a number from 1 to 255.
pub fn protocol(value: &Json) -> Option<CalicoProtocol> {
    let plain = |number: u8| CalicoProtocol {
        traffic: of_number(number),
        family: None,
    };
    match value {
        Json::Number(number) => {
            let number = u8::try_from(number.as_u64()?).ok()?;
            (number > 0).then(|| plain(number))
        }
        Json::String(word) => match word.as_str() {
            "TCP" => Some(plain(6)),
            "UDP" => Some(plain(17)),
            "SCTP" => Some(plain(132)),
            "UDPLite" => Some(plain(136)),
            "ICMP" => Some(CalicoProtocol {
                traffic: of_number(1),
                family: Some(Family::V4),
            }),
            "ICMPv6" => Some(CalicoProtocol {
                traffic: of_number(58),
                family: Some(Family::V6),
            }),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
                let number = digits.parse::<u8>().ok()?;
                (number > 0).then(|| plain(number))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The traffic of a protocol's number.
fn of_number(number: u8) -> TrafficSet {
    match number {
        6 => TrafficSet::protocol(Protocol::Tcp),
        17 => TrafficSet::protocol(Protocol::Udp),
        132 => TrafficSet::protocol(Protocol::Sctp),
        1 => numbered(Protocol::Icmp),
        58 => numbered(Protocol::IcmpV6),
        other => TrafficSet::messages(Protocol::Other, u16::from(other), u16::from(other)),
    }
}

/// Reads a port: a number, `a:b`, or a name.
pub fn port(value: &Json) -> Option<CalicoPort> {
    let single = |number: u64| {
        let number = u16::try_from(number).ok().filter(|n| *n > 0)?;
        Some(CalicoPort::Numbers(number, number))
    };
    match value {
        Json::Number(number) => single(number.as_u64()?),
        Json::String(text) => {
            let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
            if digits(text) {
                return single(text.parse().ok()?);
            }
            if let Some((first, last)) = text.split_once(':') {
                let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
                return (0 < first && first <= last).then_some(CalicoPort::Numbers(first, last));
            }
            let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            let named = (1..=128).contains(&text.len()) && text.chars().all(inner);
            named.then(|| CalicoPort::Name(text.as_str().into()))
        }
        _ => None,
    }
}

/// The messages of a type and maybe a code, in the protocol that the rule is for; none where
/// nothing is asked.
pub fn messages(icmp: Option<CalicoIcmpForm>, of: &TrafficSet) -> Option<TrafficSet> {
    let icmp = icmp?;
    let kind = u8::try_from(icmp.kind?).ok()?;
    let code = icmp.code.and_then(|code| u8::try_from(code).ok());
    let six = of.is_disjoint(&numbered(Protocol::Icmp));
    let protocol = if six {
        Protocol::IcmpV6
    } else {
        Protocol::Icmp
    };
    Some(TrafficSet::icmp(protocol, kind, code))
}

/// The numbers among some ports, in every protocol that has ports.
pub fn numbers(ports: &[CalicoPort]) -> TrafficSet {
    let mut all = TrafficSet::empty();
    for port in ports {
        if let CalicoPort::Numbers(first, last) = port {
            for protocol in Protocol::ALL {
                all = all.union(&TrafficSet::ports(protocol, *first, *last));
            }
        }
    }
    all
}

/// The names among some ports.
pub fn names(ports: &[CalicoPort]) -> Vec<&str> {
    let names = ports.iter().filter_map(|port| match port {
        CalicoPort::Name(name) => Some(&**name),
        CalicoPort::Numbers(..) => None,
    });
    names.collect()
}

/// The numbers among some ports, as ranges.
pub fn ranges(ports: &[CalicoPort]) -> Vec<(u16, u16)> {
    let ranges = ports.iter().filter_map(|port| match port {
        CalicoPort::Numbers(first, last) => Some((*first, *last)),
        CalicoPort::Name(_) => None,
    });
    ranges.collect()
}
