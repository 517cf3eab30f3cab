//! `EgressFirewall` of OVN-Kubernetes and `EgressNetworkPolicy` of `OpenShift` SDN: what may leave
//! the cluster (the sentences EF1 to EF30 of `docs/dialects/egressfirewall.md`).
//!
//! An object governs the pods of its namespace on the way out, in a layer of its own: its rules
//! never match a pod, and what none of them matches passes. The first rule that matches decides.
//! What several objects of one namespace do together is decided when all are read
//! ([`take_together`]).

use crate::model::Selector;
use crate::policy::layer_policy::PolicyHead;
use crate::policy::layout::{Layout, PeersPlace, PortsPlace, RulePlace};
use crate::policy::lowered::{Checks, Header, Lowered};
use crate::policy::rule::{
    Action, AddressOwner, Direction, Namespaces, Peer, Peers, Policy, PortMatch, Ports, Rule,
    Shape, Subject, Symbol,
};
use crate::policy::tier::{LayerIx, Tier, TierEnd, TierMode, Ties};
use crate::policy::unmodelled;
use crate::policy::validate::{check_metadata, decoded, is_domain, parse_cidr, selector};
use crate::set::{IpSet, Protocol, TrafficSet};
use crate::source::Path;
use crate::tree::SyntaxNode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How the parts of an `EgressFirewall` are called.
pub static FIREWALL: Shape = Shape {
    kind: "EgressFirewall",
    api_version: "k8s.ovn.org/v1",
    rules: ["ingress", "egress"],
    peers: ["from", "to"],
    ports: "ports",
    subject: "egress",
    allow: "Allow",
    has_actions: true,
};

/// How the parts of an `EgressNetworkPolicy` are called.
pub static LEGACY: Shape = Shape {
    kind: "EgressNetworkPolicy",
    api_version: "network.openshift.io/v1",
    ..FIREWALL
};

/// The only name that OVN-Kubernetes reads (EF3).
const NAME: &str = "default";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Object")]
#[allow(dead_code)] // every field is known, not every one matters
struct FirewallObject {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: FirewallSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Spec")]
struct FirewallSpec {
    egress: Option<Vec<FirewallRuleForm>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Rule")]
struct FirewallRuleForm {
    #[serde(rename = "type")]
    action: Option<String>,
    to: Option<FirewallDestinationForm>,
    ports: Option<Vec<FirewallPortForm>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Destination")]
struct FirewallDestinationForm {
    cidr_selector: Option<String>,
    dns_name: Option<String>,
    node_selector: Option<LabelSelector>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Port")]
struct FirewallPortForm {
    protocol: Option<String>,
    port: Option<i64>,
}

/// Reads and lowers an `EgressFirewall`.
pub fn read(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    lower(node, header, &FIREWALL)
}

/// Reads and lowers an `EgressNetworkPolicy`.
pub fn read_legacy(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    lower(node, header, &LEGACY)
}

/// The tier, which is the only one of its layer.
fn tier() -> Tier {
    let (layer, mode) = (LayerIx::EGRESS_FIREWALL, TierMode::Ordered(Ties::ByName));
    Tier::of_layer(
        layer,
        "EgressFirewall",
        "egress firewalls",
        mode,
        TierEnd::Pass,
    ) // EF5
}

/// Whether a policy is of this layer, and of the older kind.
fn is_legacy(policy: &Policy) -> bool {
    std::ptr::eq(policy.shape, &raw const LEGACY)
}

fn lower(node: &SyntaxNode, header: Header<'_>, shape: &'static Shape) -> Lowered {
    let (object, problems) = decoded::<FirewallObject>(node);
    let spec = object.unwrap_or_default().spec;
    let mut checks = Checks::default();
    check_metadata(&header, true, &mut checks);
    let legacy = std::ptr::eq(shape, &raw const LEGACY);
    let void = !legacy && header.name != NAME;
    if void {
        let message = format!("`{}`: OVN-Kubernetes reads only `{NAME}`", header.name);
        let help =
            "name it `default`: a namespace has one EgressFirewall, and others have no effect";
        let at = Path::root().key("metadata").key("name");
        checks.refused_help(&at, message, help); // EF3
    }
    let mut rules = Vec::new();
    for (i, form) in spec.egress.into_iter().flatten().enumerate() {
        let at = Path::root().key("egress").index(i);
        let root = Path::root().key("spec").then(&at);
        let place = RulePlace::Parts {
            peers: PeersPlace::Field(at.key("to")),
            ports: PortsPlace::List(at.key("ports")),
            rule: at,
        };
        rules.push((rule(form, &root, legacy, &mut checks), place));
    }
    let subject = Subject {
        namespaces: Namespaces::Named(header.namespace.into()),
        pods: Selector::everything(),
    };
    let head = PolicyHead {
        namespace: Some(header.namespace.into()),
        name: header.name.into(),
        document: header.document,
        shape,
    };
    let policy = head.policy(Direction::Egress, subject, rules); // EF11
    let mut lowered = Lowered::checked(policy, problems, checks);
    if lowered.policies.is_empty() {
        lowered.reaches = Some(unmodelled::reach_of(shape.kind, node));
    }
    Lowered {
        tier: Some(tier()),
        void,
        ..lowered
    }
}

/// One rule (EF1).
fn rule(form: FirewallRuleForm, at: &Path, legacy: bool, checks: &mut Checks) -> Rule {
    let action = match form.action.as_deref() {
        Some("Allow") => Action::Allow,
        Some("Deny") => Action::Deny,
        other => {
            let message = match other {
                Some(word) => format!("`{word}` is not a type of rule"),
                None => "a rule needs a type".to_owned(),
            };
            checks.invalid_help(&at.key("type"), message, "use Allow or Deny");
            Action::Deny
        }
    };
    let peer = destination(form.to.unwrap_or_default(), &at.key("to"), legacy, checks);
    let ports = ports(form.ports, &at.key("ports"), legacy, checks);
    Rule::new(action, Peers::Of([peer].into()), ports)
}

/// Where a rule leads: exactly one of the three fields (EF1, EF2).
fn destination(
    form: FirewallDestinationForm,
    at: &Path,
    legacy: bool,
    checks: &mut Checks,
) -> Peer {
    let nobody = Peer::AnyOf([].into());
    match (form.cidr_selector, form.dns_name, form.node_selector) {
        (Some(text), None, None) => {
            let Some(addresses) = block(&text, legacy) else {
                let kind = if legacy {
                    "an IPv4 block"
                } else {
                    "an address block"
                };
                let message = format!("`{text}` is not {kind} such as 198.51.100.0/24");
                checks.invalid(&at.key("cidrSelector"), message);
                return nobody;
            };
            Peer::Owned(AddressOwner::NoPod, addresses) // EF12
        }
        (None, Some(name), None) => {
            let known = !legacy || !name.starts_with('*');
            if !is_domain(&name) || !known {
                let message = format!("`{name}` is not a domain name");
                checks.invalid(&at.key("dnsName"), message);
            }
            Peer::Domain(name.to_ascii_lowercase().into()) // EF14
        }
        (None, None, Some(labels)) if !legacy => {
            Peer::Nodes(selector(&labels, &at.key("nodeSelector"), checks)) // EF15
        }
        _ => {
            let fields = if legacy {
                "exactly one of `cidrSelector` and `dnsName` is required"
            } else {
                "exactly one of `cidrSelector`, `dnsName` and `nodeSelector` is required"
            };
            checks.invalid(at, fields);
            nobody
        }
    }
}

/// The addresses of a block; the older kind reads a zero address as everything (EF8).
fn block(text: &str, legacy: bool) -> Option<IpSet> {
    let text = if legacy && text == "0.0.0.0/32" {
        "0.0.0.0/0"
    } else {
        text
    };
    let net = parse_cidr(text)?;
    let fits = !legacy || net.addr().is_ipv4();
    fits.then(|| IpSet::from_cidrs([net]))
}

/// EF13.
fn ports(
    forms: Option<Vec<FirewallPortForm>>,
    at: &Path,
    legacy: bool,
    checks: &mut Checks,
) -> Ports {
    let forms = forms.unwrap_or_default();
    if forms.is_empty() {
        return Ports::Any;
    }
    if legacy {
        checks.invalid(at, "an EgressNetworkPolicy knows no ports");
    }
    let each = forms.iter().enumerate();
    let each = each.map(|(i, form)| PortMatch::Traffic(port(form, &at.index(i), checks)));
    Ports::Of(each.collect())
}

fn port(form: &FirewallPortForm, at: &Path, checks: &mut Checks) -> TrafficSet {
    let named = form.protocol.as_deref().unwrap_or_default();
    let Some(protocol) = Protocol::from_api(named) else {
        let message = format!("`{named}` is not a protocol");
        checks.invalid_help(&at.key("protocol"), message, "use TCP, UDP or SCTP");
        return TrafficSet::empty();
    };
    match form.port.unwrap_or(0) {
        0 => TrafficSet::protocol(protocol),
        number => {
            let Ok(number) = u16::try_from(number) else {
                checks.invalid(&at.key("port"), format!("`{number}` is not a port"));
                return TrafficSet::empty();
            };
            TrafficSet::ports(protocol, number, number)
        }
    }
}

/// What there is to say of objects of the older kind, by their numbers among the policies.
#[derive(Debug, Default)]
pub struct TakenTogether {
    /// Those that are not the only ones with rules in their namespace.
    pub several: Vec<usize>,
    /// Those of global namespaces.
    pub ignored: Vec<usize>,
}

/// What objects of the older kind do together: none is read in a global namespace (EF6), and
/// several with rules in one namespace close everything outside (EF7).
pub fn take_together(policies: &mut [Policy], global: &BTreeSet<Box<str>>) -> TakenTogether {
    let mut of_namespace: BTreeMap<Box<str>, Vec<usize>> = BTreeMap::new();
    let legacy = policies.iter().enumerate().filter(|(_, p)| is_legacy(p));
    for (i, policy) in legacy {
        let has_rules = policy.rules.iter().any(|rules| !rules.is_empty());
        if let Some(namespace) = policy.namespace.clone().filter(|_| has_rules) {
            of_namespace.entry(namespace).or_default().push(i);
        }
    }
    let mut taken = TakenTogether::default();
    for (namespace, these) in of_namespace {
        let is_global = *namespace == *NAME || global.contains(&namespace);
        for i in &these {
            let policy = &mut policies[*i];
            if is_global {
                policy.applies = [false, false];
            } else if these.len() > 1 {
                close(policy);
            } else {
                let egress = &mut policy.rules[1];
                egress.insert(0, dns_of_node());
                place_first(policy);
            }
        }
        if is_global {
            taken.ignored.extend(these);
        } else if these.len() > 1 {
            taken.several.extend(these);
        }
    }
    taken
}

/// Makes a policy close everything outside, but for what passes before (EF7, EF9).
fn close(policy: &mut Policy) {
    let outside = Peers::Of([Peer::no_pod()].into());
    let closed = Rule::new(Action::Deny, outside, Ports::Any);
    policy.rules[1] = vec![dns_of_node(), closed];
    policy.layout = None;
    place_first(policy);
    place_first(policy);
}

/// What the older kind lets through before its rules: DNS of the own node (EF9).
fn dns_of_node() -> Rule {
    let port = |protocol| TrafficSet::ports(protocol, 53, 53);
    let dns = port(Protocol::Tcp).union(&port(Protocol::Udp));
    let peers = Peers::Of([Peer::Symbol(Symbol::OwnNode)].into());
    let ports = Ports::Of([PortMatch::Traffic(dns)].into());
    Rule::new(Action::Allow, peers, ports)
}

/// Gives a rule that no line of the object says the place of all rules together.
fn place_first(policy: &mut Policy) {
    let place = RulePlace::whole(Path::root().key("egress"));
    let mut layout = policy.layout.as_deref().cloned().unwrap_or(Layout {
        root: Path::root().key("spec"),
        rules: Default::default(),
    });
    layout.rules[1].insert(0, place);
    policy.layout = Some(Arc::new(layout));
}
