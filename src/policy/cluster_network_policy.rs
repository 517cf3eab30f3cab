//! `policy.networking.k8s.io/v1alpha2` `ClusterNetworkPolicy` (S100-S127).

use crate::model::Truth;
use crate::policy::admin::{AdminForm, AdminLowering};
use crate::policy::admin_policy::{AdminParts, admin_policy};
use crate::policy::admin_spec::{PeerSpec, RuleSpec, SubjectSpec};
use crate::policy::lowered::{Header, Lowered};
use crate::policy::rule::{PortMatch, Rule, Shape};
use crate::policy::tier::{TierIx, kubernetes};
use crate::set::{Protocol, TrafficSet};
use crate::source::Path;
use crate::tree::SyntaxNode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

/// How the parts are called.
pub static SHAPE: Shape = Shape {
    kind: "ClusterNetworkPolicy",
    api_version: "policy.networking.k8s.io/v1alpha2",
    rules: ["ingress", "egress"],
    peers: ["from", "to"],
    ports: "protocols",
    subject: "subject",
    allow: "Accept",
    has_actions: true,
};

const FORM: AdminForm = AdminForm {
    allow: "Accept",
    pass: true,
    domains: true,
    many: 25,
    few: 25,
    optional_namespaces: true,
    ports: "protocols",
};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Object")]
#[allow(dead_code)] // every field is known, not every one matters
struct CnpObject {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: CnpSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Spec")]
struct CnpSpec {
    tier: Option<String>,
    priority: Option<i32>,
    subject: Option<SubjectSpec>,
    ingress: Option<Vec<CnpIngressRule>>,
    egress: Option<Vec<CnpEgressRule>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "IngressRule")]
struct CnpIngressRule {
    name: Option<String>,
    action: Option<String>,
    from: Option<Vec<PeerSpec>>,
    protocols: Option<Vec<ProtocolSpec>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "EgressRule")]
struct CnpEgressRule {
    name: Option<String>,
    action: Option<String>,
    to: Option<Vec<PeerSpec>>,
    protocols: Option<Vec<ProtocolSpec>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProtocolSpec {
    tcp: Option<Transport>,
    udp: Option<Transport>,
    sctp: Option<Transport>,
    destination_named_port: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Transport {
    destination_port: Option<DestinationPort>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DestinationPort {
    number: Option<i32>,
    range: Option<CnpRange>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Range")]
struct CnpRange {
    start: Option<i32>,
    end: Option<i32>,
}

/// Reads and lowers an object.
pub fn read_cluster(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    let of = (FORM, &SHAPE);
    let sees_own_service = Truth::Yes; // S122
    admin_policy(
        node,
        &header,
        of,
        sees_own_service,
        |object: CnpObject, lowering| {
            let spec = object.spec;
            AdminParts {
                tier: tier(spec.tier.as_deref(), lowering),
                priority: lowering.priority(spec.priority),
                subject: lowering.subject(spec.subject.as_ref()),
                rules: rules(spec.ingress, spec.egress, lowering),
            }
        },
    )
}

/// The rules of both directions.
fn rules(
    ingress: Option<Vec<CnpIngressRule>>,
    egress: Option<Vec<CnpEgressRule>>,
    lowering: &mut AdminLowering<'_>,
) -> [Vec<Rule>; 2] {
    let ingress: Vec<RuleSpec> = ingress
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(i, r)| {
            let ports = protocols(r.protocols, "ingress", i, lowering);
            RuleSpec {
                name: r.name,
                action: r.action,
                peers: r.from,
                ports,
            }
        })
        .collect();
    let egress: Vec<RuleSpec> = egress
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(i, r)| {
            let ports = protocols(r.protocols, "egress", i, lowering);
            RuleSpec {
                name: r.name,
                action: r.action,
                peers: r.to,
                ports,
            }
        })
        .collect();
    [
        lowering.rules(&ingress, "ingress", "from"),
        lowering.rules(&egress, "egress", "to"),
    ]
}

/// S100.
pub(super) fn tier(word: Option<&str>, lowering: &mut AdminLowering<'_>) -> TierIx {
    match word {
        Some("Admin") => kubernetes::ADMIN,
        Some("Baseline") => kubernetes::BASELINE,
        other => {
            let message = other.map_or_else(
                || "a tier is required".to_owned(),
                |w| format!("`{w}` is not a tier"),
            );
            lowering.checks.invalid_help(
                &Path::root().key("spec").key("tier"),
                message,
                "use Admin or Baseline",
            );
            kubernetes::ADMIN
        }
    }
}

fn protocols(
    list: Option<Vec<ProtocolSpec>>,
    direction: &str,
    rule: usize,
    lowering: &mut AdminLowering<'_>,
) -> Option<Vec<PortMatch>> {
    let at = Path::root()
        .key("spec")
        .key(direction)
        .index(rule)
        .key("protocols");
    let each = |(i, spec): (usize, ProtocolSpec)| lower_protocol(&spec, &at.index(i), lowering);
    list.map(|list| list.into_iter().enumerate().map(each).collect())
}

/// S117-S120.
fn lower_protocol(spec: &ProtocolSpec, at: &Path, lowering: &mut AdminLowering<'_>) -> PortMatch {
    let transports = [
        (Protocol::Tcp, "tcp", &spec.tcp),
        (Protocol::Udp, "udp", &spec.udp),
        (Protocol::Sctp, "sctp", &spec.sctp),
    ];
    let mut given = transports
        .into_iter()
        .filter_map(|(p, word, t)| t.as_ref().map(|t| (p, word, t)));
    match (given.next(), given.next(), &spec.destination_named_port) {
        (Some((protocol, word, transport)), None, None) => {
            lower_transport(protocol, transport, &at.key(word), lowering)
        }
        (None, None, Some(name)) => lowering.named(name, &at.key("destinationNamedPort")),
        _ => {
            lowering.checks.invalid(
                at,
                "exactly one of `tcp`, `udp`, `sctp` and `destinationNamedPort` is required",
            );
            PortMatch::Traffic(TrafficSet::empty())
        }
    }
}

fn lower_transport(
    protocol: Protocol,
    transport: &Transport,
    at: &Path,
    lowering: &mut AdminLowering<'_>,
) -> PortMatch {
    let at_port = at.key("destinationPort");
    match &transport.destination_port {
        None => {
            // S120
            let message = "an empty protocol is refused by the API; for all ports write destinationPort: {range: {start: 1, end: 65535}}";
            lowering.checks.refused(at, message);
            PortMatch::Traffic(TrafficSet::protocol(protocol))
        }
        Some(DestinationPort {
            number: Some(n),
            range: None,
        }) => {
            let n = lowering.port(Some(*n), &at_port.key("number"));
            PortMatch::Traffic(TrafficSet::ports(protocol, n, n))
        }
        Some(DestinationPort {
            number: None,
            range: Some(range),
        }) => lowering.range(
            protocol,
            range.start,
            range.end,
            &at_port.key("range"),
            true,
        ),
        Some(_) => {
            lowering
                .checks
                .invalid(&at_port, "exactly one of `number` and `range` is required");
            PortMatch::Traffic(TrafficSet::empty())
        }
    }
}
