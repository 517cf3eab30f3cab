//! `networking.k8s.io/v1` `NetworkPolicy`: defaulting, validation, lowering (S1-S17, S20-S39,
//! S43-S48).
//!
//! Lowers to Allow rules in the Network tier, which ends in Deny for the pods the policy isolates.

use crate::model::Truth;
use crate::policy::ip_block::ip_block;
use crate::policy::lowered::Checks;
use crate::policy::lowered::{Header, Lowered};
use crate::policy::read_policy::read_policy;
use crate::policy::rule::{
    Action, Namespaces, Peer, Peers, Policy, PortMatch, Ports, Rule, Shape, Subject,
};
use crate::policy::tier::kubernetes;
use crate::policy::validate::{is_port_name, selector};
use crate::set::{IpSet, Protocol, TrafficSet};
use crate::source::Path;
use crate::tree::SyntaxNode;
use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// How the parts are called.
pub static SHAPE: Shape = Shape {
    kind: "NetworkPolicy",
    api_version: "networking.k8s.io/v1",
    rules: ["ingress", "egress"],
    peers: ["from", "to"],
    ports: "ports",
    subject: "podSelector",
    allow: "allow",
    has_actions: false,
};

/// Whether a spec isolates ingress and egress, after defaulting (S4).
pub fn effective_types(spec: &NetworkPolicySpec) -> [bool; 2] {
    let types = spec.policy_types.as_deref().unwrap_or_default();
    if types.is_empty() {
        return [
            true,
            spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()),
        ];
    }
    ["Ingress", "Egress"].map(|direction| types.iter().any(|t| t == direction))
}

/// Lowers a spec. Everything wrong with it goes into `checks`; the result is only meant to be used
/// if nothing did.
pub fn lower(spec: &NetworkPolicySpec, header: &Header<'_>, checks: &mut Checks) -> Policy {
    let namespace = header.namespace;
    let at = Path::root().key("spec");
    check_types(spec, &at, checks);
    let pods = spec
        .pod_selector
        .as_ref()
        .map(|s| selector(s, &at.key("podSelector"), checks))
        .unwrap_or_default(); // S3
    let mut lowering = RuleLowering::new(header, checks);
    let ingress = spec.ingress.iter().flatten().enumerate().map(|(i, rule)| {
        let here = at.key("ingress").index(i);
        lowering.rule(rule.from.as_deref(), rule.ports.as_deref(), &here, "from")
    });
    let ingress = ingress.collect();
    let egress = spec.egress.iter().flatten().enumerate().map(|(i, rule)| {
        let here = at.key("egress").index(i);
        lowering.rule(rule.to.as_deref(), rule.ports.as_deref(), &here, "to")
    });
    let egress = egress.collect();
    Policy {
        namespace: Some(namespace.into()),
        name: header.name.into(),
        document: header.document,
        shape: &SHAPE,
        tier: kubernetes::NETWORK,
        priority: 0.into(),
        tie: None,
        subject: Subject {
            namespaces: Namespaces::Named(namespace.into()),
            pods,
        }, // S1
        applies: effective_types(spec),
        isolates: effective_types(spec),
        sees_own_service: Truth::No, // S54
        layout: None,
        written: None,
        rules: [ingress, egress],
        generated: None,
    }
}

fn check_types(spec: &NetworkPolicySpec, at: &Path, checks: &mut Checks) {
    let types = spec.policy_types.as_deref().unwrap_or_default();
    let at = at.key("policyTypes");
    if types.len() > 2 {
        checks.invalid(&at, "may not specify more than two policyTypes");
    }
    for (i, t) in types
        .iter()
        .enumerate()
        .filter(|(_, t)| !matches!(t.as_str(), "Ingress" | "Egress"))
    {
        checks.invalid_help(
            &at.index(i),
            format!("`{t}` is not a policy type"),
            "use Ingress or Egress",
        );
    }
}

/// Lowers rules in the form of `NetworkPolicy`, which other dialects have taken over.
pub(super) struct RuleLowering<'a> {
    namespace: &'a str,
    strict_cidrs: bool,
    /// Problems go here.
    pub checks: &'a mut Checks,
}

impl<'a> RuleLowering<'a> {
    /// For the rules of an object.
    pub fn new(header: &Header<'a>, checks: &'a mut Checks) -> Self {
        Self {
            namespace: header.namespace,
            strict_cidrs: header.strict_cidrs,
            checks,
        }
    }

    fn rule(
        &mut self,
        peers: Option<&[NetworkPolicyPeer]>,
        ports: Option<&[NetworkPolicyPort]>,
        at: &Path,
        word: &str,
    ) -> Rule {
        let list = peers.unwrap_or_default().iter().enumerate();
        let peers = list.map(|(i, p)| self.peer(p, &at.key(word).index(i)));
        let peers = peers.collect();
        self.rule_of(peers, ports, at)
    }

    /// A rule of lowered peers; without any it is about everybody.
    pub fn rule_of(
        &mut self,
        peers: Vec<Peer>,
        ports: Option<&[NetworkPolicyPort]>,
        at: &Path,
    ) -> Rule {
        let peers = match peers {
            none if none.is_empty() => Peers::Any, // S15
            list => Peers::Of(list.into()),
        };
        let ports = match ports.unwrap_or_default() {
            [] => Ports::Any, // S16
            list => {
                let each = list
                    .iter()
                    .enumerate()
                    .map(|(i, p)| self.port(p, &at.key("ports").index(i)));
                Ports::Of(each.collect())
            }
        };
        Rule::new(Action::Allow, peers, ports)
    }

    /// S8, S29-S31.
    pub fn peer(&mut self, peer: &NetworkPolicyPeer, at: &Path) -> Peer {
        if let Some(block) = &peer.ip_block {
            if peer.pod_selector.is_some() || peer.namespace_selector.is_some() {
                self.checks
                    .invalid(at, "a peer with `ipBlock` may not have selectors as well");
            }
            return Peer::Addresses(self.block(block, &at.key("ipBlock")));
        }
        if peer.pod_selector.is_none() && peer.namespace_selector.is_none() {
            let message = "a peer needs one of `podSelector`, `namespaceSelector` or `ipBlock`";
            self.checks.invalid(at, message);
        }
        let pods = peer
            .pod_selector
            .as_ref()
            .map(|s| selector(s, &at.key("podSelector"), self.checks));
        let namespaces = match &peer.namespace_selector {
            Some(s) => Namespaces::Matching(selector(s, &at.key("namespaceSelector"), self.checks)),
            None => Namespaces::Named(self.namespace.into()), // S29
        };
        Peer::Pods(namespaces, pods.unwrap_or_default())
    }

    /// S8, S35, S36, S38.
    fn block(&mut self, block: &IPBlock, at: &Path) -> IpSet {
        let except = block.except.as_deref().unwrap_or_default();
        ip_block(&block.cidr, except, at, self.strict_cidrs, self.checks)
    }

    /// S5, S7, S43-S48.
    fn port(&mut self, port: &NetworkPolicyPort, at: &Path) -> PortMatch {
        let protocol = self.protocol(port.protocol.as_deref(), at);
        self.check_end(port, at);
        match &port.port {
            None => PortMatch::Traffic(TrafficSet::protocol(protocol)), // S45
            Some(IntOrString::String(name)) => {
                if !is_port_name(name) {
                    self.bad_name(name, &at.key("port"));
                }
                PortMatch::Named(name.as_str().into(), Some(protocol))
            }
            Some(IntOrString::Int(number)) => {
                let first = self.number(*number, &at.key("port"));
                let last = port.end_port.map_or(first, |end| {
                    u16::try_from(end).unwrap_or(if end > 0 { u16::MAX } else { first })
                });
                PortMatch::Traffic(TrafficSet::ports(protocol, first, last)) // S44, S47
            }
        }
    }

    fn bad_name(&mut self, name: &str, at: &Path) {
        let message = format!("`\"{name}\"` is quoted, so it is a port NAME, and not a valid one");
        if name.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() {
            self.checks.invalid_help(
                at,
                message,
                format!("for the number write {name} without quotes"),
            );
        } else {
            let help = "a port name has 1 to 15 of a-z, 0-9 and -, with at least one letter";
            self.checks
                .invalid_help(at, format!("`{name}` is not a valid port name"), help);
        }
    }

    fn protocol(&mut self, name: Option<&str>, at: &Path) -> Protocol {
        let Some(name) = name else {
            return Protocol::Tcp;
        }; // S5
        Protocol::from_api(name).unwrap_or_else(|| {
            let message = format!("`{name}` is not a protocol");
            self.checks.invalid_help(
                &at.key("protocol"),
                message,
                "use TCP, UDP or SCTP, in capitals",
            );
            Protocol::Tcp
        })
    }

    fn number(&mut self, number: i32, at: &Path) -> u16 {
        match u16::try_from(number) {
            Ok(port) if port > 0 => port,
            _ => {
                self.checks.invalid(
                    at,
                    format!("`{number}` is not a port: it must be 1 to 65535"),
                );
                1
            }
        }
    }

    fn check_end(&mut self, port: &NetworkPolicyPort, at: &Path) {
        let Some(end) = port.end_port else { return };
        let at = at.key("endPort");
        match &port.port {
            Some(IntOrString::Int(first)) if end < *first => {
                self.checks.invalid(
                    &at,
                    format!("`{end}` must be greater than or equal to `port` `{first}`"),
                );
            }
            Some(IntOrString::Int(_)) if end > i32::from(u16::MAX) => {
                self.checks
                    .refused(&at, format!("`{end}` is not a port: it must be 1 to 65535"));
            }
            Some(IntOrString::Int(_)) => {}
            Some(IntOrString::String(_)) => self
                .checks
                .invalid(&at, "may not be specified when `port` is a name"),
            None => self
                .checks
                .invalid(&at, "may not be specified when `port` is not specified"),
        }
    }
}

/// Reads an object strictly and lowers it.
pub fn read(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read_policy(node, &header, true, |object: NetworkPolicy, checks| {
        lower(&object.spec.unwrap_or_default(), &header, checks)
    })
}
