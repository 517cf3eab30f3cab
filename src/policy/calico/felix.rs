//! Settings of Felix, Calico's agent on each node, that change verdicts (CA101, CA105): of the
//! `FelixConfiguration` called `default`, and of those of single nodes, `node.NAME`.
//!
//! The kind has a hundred fields, of which few are read; the others may say what they like.

use crate::policy::calico::options::EndpointToHost;
use crate::policy::calico::ports;
use crate::policy::lowered::Checks;
use crate::policy::rule::{Direction, Peer, Peers, PortMatch, Ports};
use crate::set::{IpSet, Protocol, TrafficSet};
use crate::source::{DocumentId, Path};
use crate::tree::SyntaxNode;
use ipnet::IpNet;
use serde_json::Value as Json;
use std::net::IpAddr;

/// The object that is for every node.
const EVERY_NODE: &str = "default";

/// How the name of an object begins that is for one node.
const ONE_NODE: &str = "node.";

/// The fields with the ports that are always open, by direction.
const FAILSAFE_FIELDS: [&str; 2] = ["failsafeInboundHostPorts", "failsafeOutboundHostPorts"];

/// Settings of Felix that change verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FelixSettings {
    /// The node that they are for; none if for every one.
    pub node: Option<Box<str>>,
    /// What becomes of traffic from a pod to its own node (CA101).
    pub endpoint_to_host: Option<EndpointToHost>,
    /// The ports that are always open on the way in and on the way out, if told (CA105).
    pub failsafe: [Option<Vec<FailsafePort>>; 2],
    /// The object.
    pub document: DocumentId,
}

/// A port that is open before any policy of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailsafePort {
    /// The protocol.
    pub protocol: Protocol,
    /// The number.
    pub port: u16,
    /// The other ends that it is open for.
    pub net: IpSet,
}

/// Reads a `FelixConfiguration`; none under a name that Felix does not look at.
pub fn felix_settings(
    name: &str,
    document: DocumentId,
    node: &SyntaxNode,
    checks: &mut Checks,
) -> Option<FelixSettings> {
    let of_node = name.strip_prefix(ONE_NODE).map(Box::from);
    if of_node.is_none() && name != EVERY_NODE {
        return None;
    }
    let at = Path::root().key("spec");
    let spec = node.get("spec");
    let field = |key: &str| spec.and_then(|spec| spec.get(key)).filter(|v| !v.is_null());
    let action = field("defaultEndpointToHostAction").and_then(|value| {
        let action = match value.as_str()?.to_ascii_lowercase().as_str() {
            "accept" => EndpointToHost::Accept,
            "drop" => EndpointToHost::Drop,
            "return" => EndpointToHost::Return,
            _ => {
                let at = at.key("defaultEndpointToHostAction");
                checks.invalid(&at, "the actions are Accept, Drop and Return");
                return None;
            }
        };
        Some(action)
    });
    let failsafe = FAILSAFE_FIELDS.map(|key| {
        let list = field(key)?;
        let ports = list.items().iter().enumerate().filter_map(|(i, port)| {
            let read = failsafe_port(port);
            if read.is_none() {
                let message = "a port has a protocol, a number, and maybe a block";
                checks.invalid(&at.key(key).index(i), message);
            }
            read
        });
        Some(ports.collect())
    });
    Some(FelixSettings {
        node: of_node,
        endpoint_to_host: action,
        failsafe,
        document,
    })
}

fn failsafe_port(node: &SyntaxNode) -> Option<FailsafePort> {
    let told = node.get("protocol").map(SyntaxNode::to_json);
    let protocol = match told.filter(|word| !word.is_null()) {
        None => Protocol::Tcp,
        Some(Json::String(word)) => ports::with_ports(&word.to_uppercase().into())?,
        Some(number) => ports::with_ports(&number)?,
    };
    let net = match node.get("net").and_then(SyntaxNode::as_str) {
        None | Some("") => IpSet::full(),
        Some(text) => IpSet::from_cidrs([block(text)?]),
    };
    Some(FailsafePort {
        protocol,
        port: u16::try_from(node.get("port")?.as_i64()?).ok()?,
        net,
    })
}

/// A block, or an address alone.
fn block(text: &str) -> Option<IpNet> {
    let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>()
        .ok()
        .map(|net| net.trunc())
        .or_else(alone)
}

/// What is told of one node, the settings of the node itself before those of every one.
pub struct FelixOfNode<'f> {
    own: Option<&'f FelixSettings>,
    every: Option<&'f FelixSettings>,
}

impl<'f> FelixOfNode<'f> {
    /// Of a node, or, without one, of every node that has none of its own.
    pub fn new(all: &'f [FelixSettings], node: Option<&str>) -> Self {
        let find = |node: Option<&str>| all.iter().find(|felix| felix.node.as_deref() == node);
        Self {
            own: node.and_then(|node| find(Some(node))),
            every: find(None),
        }
    }

    /// What becomes of traffic from a pod to its node, and the object that says so.
    pub fn endpoint_to_host(&self) -> Option<(EndpointToHost, DocumentId)> {
        let mut told = self.own.into_iter().chain(self.every);
        told.find_map(|felix| Some((felix.endpoint_to_host?, felix.document)))
    }

    /// What is open before any policy of a host: the peers, and the ports that are open for them.
    pub fn failsafe(&self, way: Direction) -> Vec<(Peers, Ports)> {
        let mut told = self.own.into_iter().chain(self.every);
        let told = told.find_map(|felix| felix.failsafe[way.index()].as_ref());
        let by_default = || {
            FAILSAFE[way.index()]
                .iter()
                .map(|at| FailsafePort::new(*at))
        };
        let all = told.map_or_else(|| by_default().collect(), Clone::clone);
        let mut by_net: Vec<(IpSet, TrafficSet)> = Vec::new();
        for open in all {
            let traffic = TrafficSet::ports(open.protocol, open.port, open.port);
            match by_net.iter_mut().find(|(net, _)| *net == open.net) {
                Some((_, so_far)) => *so_far = so_far.union(&traffic),
                None => by_net.push((open.net, traffic)),
            }
        }
        let each = by_net.into_iter();
        each.map(|(net, traffic)| {
            let peers = if net == IpSet::full() {
                Peers::Any
            } else {
                Peers::Of([Peer::Addresses(net)].into())
            };
            (peers, Ports::Of([PortMatch::Traffic(traffic)].into()))
        })
        .collect()
    }
}

impl FailsafePort {
    /// One that is open for everybody.
    fn new((protocol, port): (Protocol, u16)) -> Self {
        Self {
            protocol,
            port,
            net: IpSet::full(),
        }
    }
}

/// The ports that are open where nobody says otherwise: on the way in, and on the way out (CA105).
const FAILSAFE: [&[(Protocol, u16)]; 2] = {
    use Protocol::{Tcp, Udp};
    [
        &[
            (Tcp, 22),
            (Udp, 68),
            (Tcp, 179),
            (Tcp, 2379),
            (Tcp, 2380),
            (Tcp, 5473),
            (Tcp, 6443),
            (Tcp, 6666),
            (Tcp, 6667),
        ],
        &[
            (Udp, 53),
            (Udp, 67),
            (Tcp, 179),
            (Tcp, 2379),
            (Tcp, 2380),
            (Tcp, 5473),
            (Tcp, 6443),
            (Tcp, 6666),
            (Tcp, 6667),
        ],
    ]
};
