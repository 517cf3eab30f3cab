//! A throw-away dialect: what a policy API has to bring along, and nothing else.
//!
//! `ToyPolicy` has a tier of its own between `NetworkPolicy` and Baseline, ordered by priority and
//! then by name, that ends in Deny for whom it selects. `ToyShield` has a layer of its own, in
//! which a deny wins and whom it selects needs an allow. Selectors have alternatives, peers can be
//! left out.

use netpal::internals::policy::dialects::Dialect;
use netpal::internals::policy::lowered::{Header, Lowered};
use netpal::internals::policy::tier::{HostPods, OwnNode, Ties, kubernetes};
use netpal::internals::policy::{PortMatch, Qualifier, Shape, Symbol};
use netpal::internals::tree::SyntaxNode;
use netpal::{
    Action, IpSet, LayerIx, Namespaces, Pattern, Peer, Peers, Policy, Ports, Protocol, Requirement,
    Rule, Selector, Subject, Tier, TierEnd, TierMode, TrafficSet, Truth,
};
use std::borrow::Cow;

/// The rows of the table of dialects.
pub static TOYS: &[Dialect] = &[
    Dialect {
        api_version: "toy.example/v1",
        kind: "ToyPolicy",
        namespaced: false,
        lower: policy,
    },
    Dialect {
        api_version: "toy.example/v1",
        kind: "ToyShield",
        namespaced: false,
        lower: shield,
    },
];

const fn shape(kind: &'static str) -> Shape {
    Shape {
        kind,
        api_version: "toy.example/v1",
        rules: ["ingress", "egress"],
        peers: ["peers", "peers"],
        ports: "ports",
        subject: "select",
        allow: "Allow",
        has_actions: true,
    }
}

static POLICY: Shape = shape("ToyPolicy");
static SHIELD: Shape = shape("ToyShield");

fn policy(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    let tier = Tier {
        name: Cow::Borrowed("Toy"),
        policies: "ToyPolicies",
        layer: LayerIx::CLUSTER_NETWORK,
        order: 250,
        mode: TierMode::Ordered(Ties::ByName),
        end: TierEnd::DenyIsolated,
        pass_to: None,
        host_pods: HostPods::Excluded,
        own_node: OwnNode::Policed,
        codes: None,
    };
    lower(node, header, &POLICY, tier)
}

fn shield(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    let tier = Tier {
        name: Cow::Borrowed("Shield"),
        policies: "ToyShields",
        layer: LayerIx(1),
        order: 0,
        mode: TierMode::Unordered,
        end: TierEnd::DenyIsolated,
        pass_to: None,
        host_pods: HostPods::Undefined,
        own_node: OwnNode::Policed,
        codes: None,
    };
    lower(node, header, &SHIELD, tier)
}

fn lower(node: &SyntaxNode, header: Header<'_>, shape: &'static Shape, tier: Tier) -> Lowered {
    let spec = node
        .get("spec")
        .map(SyntaxNode::to_json)
        .unwrap_or_default();
    let rules = ["ingress", "egress"].map(|direction| {
        let list = spec[direction].as_array().into_iter().flatten();
        list.map(|json| rule(json, &tier)).collect::<Vec<_>>()
    });
    let isolates = ["ingress", "egress"].map(|d| spec[d].is_array() && spec["open"] != true);
    let policy = Policy {
        namespace: None,
        name: header.name.into(),
        document: header.document,
        shape,
        tier: kubernetes::ADMIN, // replaced by the tier it brings along
        priority: i32::try_from(spec["priority"].as_i64().unwrap_or(0))
            .unwrap()
            .into(),
        tie: None,
        subject: Subject {
            namespaces: Namespaces::Matching(Selector::everything()),
            pods: selector(&spec["select"]),
        },
        applies: [true, true],
        isolates,
        sees_own_service: Truth::Yes,
        layout: None,
        written: None,
        rules,
        generated: None,
    };
    Lowered {
        policies: vec![policy],
        tier: Some(tier),
        ..Lowered::default()
    }
}

fn rule(json: &serde_json::Value, tier: &Tier) -> Rule {
    let peers = json["peers"].as_array();
    let ports = json["ports"].as_array();
    Rule {
        action: match json["action"].as_str() {
            Some("Deny") => Action::Deny,
            // a tier without an order has nothing to pass to, which compiling refuses
            Some("Pass") if tier.is_ordered() => Action::Pass,
            _ => Action::Allow,
        },
        peers: peers.map_or(Peers::Any, |list| {
            Peers::Of(list.iter().map(peer).collect())
        }),
        ports: ports.map_or(Ports::Any, |list| {
            Ports::Of(list.iter().map(port).collect())
        }),
        name: None,
        subjects: Peers::Any,
        qualifiers: json["method"]
            .as_str()
            .map(|method| Qualifier::Application(method.into()))
            .into_iter()
            .collect(),
    }
}

fn peer(json: &serde_json::Value) -> Peer {
    if let Some(list) = json["not"].as_array() {
        return Peer::NoneOf(list.iter().map(peer).collect());
    }
    if let Some(cidr) = json["cidr"].as_str() {
        return Peer::Addresses(IpSet::from_cidrs([cidr.parse().unwrap()]));
    }
    if json["world"] == true {
        return Peer::Symbol(Symbol::World);
    }
    let namespaces = json["namespace"].as_str().map_or_else(
        || Namespaces::Matching(Selector::everything()),
        |name| Namespaces::Named(name.into()),
    );
    Peer::Pods(namespaces, selector(&json["select"]))
}

fn port(json: &serde_json::Value) -> PortMatch {
    match (json.as_u64(), json.as_str()) {
        (Some(n), _) => {
            let n = u16::try_from(n).unwrap();
            PortMatch::Traffic(TrafficSet::ports(Protocol::Tcp, n, n))
        }
        (_, Some("icmp")) => PortMatch::Portless("ICMP".into()),
        (_, name) => PortMatch::Named(name.unwrap_or_default().into(), None),
    }
}

/// `{}`, `{app: web}`, `{app: "we*"}`, `{any: [..]}`, `{not: {..}}`.
fn selector(json: &serde_json::Value) -> Selector {
    let parts = json.as_object().into_iter().flatten();
    Selector::new(parts.map(|(key, value)| match (key.as_str(), value) {
        ("any", list) => {
            let list = list.as_array().into_iter().flatten();
            Requirement::AnyOf(list.map(selector).collect())
        }
        ("not", inner) => Requirement::Not(selector(inner)),
        (key, value) => match value.as_str().unwrap_or_default() {
            part if part.ends_with('*') => Requirement::Like(
                key.into(),
                Pattern::StartsWith(part.trim_end_matches('*').into()),
            ),
            whole => Requirement::In(key.into(), vec![whole.into()]),
        },
    }))
}
