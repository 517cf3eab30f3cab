//! Traffic as ranges of ports, for programs.

use crate::set::TrafficSet;
use crate::set::traffic::TrafficRange;
use schemars::JsonSchema;
use serde::Serialize;

/// A range of ports of one protocol, or every protocol without ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PortsJson {
    /// `TCP`, `UDP`, `SCTP`, `ICMP`, `ICMPv6`, `protocol` or `other`.
    pub protocol: &'static str,
    /// The first port; of ICMP the type times 256 plus the code, of `protocol` its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u16>,
    /// The last port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u16>,
}

/// Traffic as ranges.
pub fn traffic(set: &TrafficSet) -> Vec<PortsJson> {
    set.pieces().map(ports).collect()
}

fn ports(piece: TrafficRange) -> PortsJson {
    match piece {
        TrafficRange::Ports(protocol, from, to) => PortsJson {
            protocol: protocol.name(),
            from: Some(from),
            to: Some(to),
        },
        TrafficRange::Messages(protocol, from, to) => PortsJson {
            protocol: protocol.name(),
            from: Some(from),
            to: Some(to),
        },
        TrafficRange::OtherProtocols => PortsJson {
            protocol: "other",
            from: None,
            to: None,
        },
    }
}
