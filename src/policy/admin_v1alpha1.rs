//! `policy.networking.k8s.io/v1alpha1`: `AdminNetworkPolicy` and `BaselineAdminNetworkPolicy`
//! (S70-S94, S126).

use crate::model::Truth;
use crate::policy::admin::{AdminForm, AdminLowering};
use crate::policy::admin_policy::{AdminParts, admin_policy};
use crate::policy::admin_spec::{PeerSpec, RuleSpec, SubjectSpec};
use crate::policy::lowered::{Header, Lowered};
use crate::policy::rule::{PortMatch, Rule, Shape};
use crate::policy::tier::kubernetes;
use crate::set::TrafficSet;
use crate::source::Path;
use crate::tree::SyntaxNode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

/// How the parts of an `AdminNetworkPolicy` are called.
pub static ADMIN: Shape = Shape {
    kind: "AdminNetworkPolicy",
    api_version: "policy.networking.k8s.io/v1alpha1",
    rules: ["ingress", "egress"],
    peers: ["from", "to"],
    ports: "ports",
    subject: "subject",
    allow: "Allow",
    has_actions: true,
};

/// How the parts of a `BaselineAdminNetworkPolicy` are called.
pub static BASELINE: Shape = Shape {
    kind: "BaselineAdminNetworkPolicy",
    ..ADMIN
};

const FORM: AdminForm = AdminForm {
    allow: "Allow",
    pass: true,
    domains: true,
    many: 100,
    few: 25,
    optional_namespaces: false,
    ports: "ports",
};
const BASELINE_FORM: AdminForm = AdminForm {
    pass: false,
    domains: false,
    ..FORM
};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Object")]
#[allow(dead_code)] // every field is known, not every one matters
struct V1Alpha1Object {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: V1Alpha1Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Spec")]
struct V1Alpha1Spec {
    priority: Option<i32>,
    subject: Option<SubjectSpec>,
    ingress: Option<Vec<V1Alpha1IngressRule>>,
    egress: Option<Vec<V1Alpha1EgressRule>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "IngressRule")]
pub(super) struct V1Alpha1IngressRule {
    name: Option<String>,
    action: Option<String>,
    from: Option<Vec<PeerSpec>>,
    ports: Option<Vec<PortSpec>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "EgressRule")]
pub(super) struct V1Alpha1EgressRule {
    name: Option<String>,
    pub(super) action: Option<String>,
    pub(super) to: Option<Vec<PeerSpec>>,
    ports: Option<Vec<PortSpec>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PortSpec {
    port_number: Option<PortNumber>,
    port_range: Option<PortRange>,
    named_port: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PortNumber {
    protocol: Option<String>,
    port: Option<i32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PortRange {
    protocol: Option<String>,
    start: Option<i32>,
    end: Option<i32>,
}

/// Reads and lowers an `AdminNetworkPolicy`.
pub fn read_admin(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    lower(node, header, FORM, &ADMIN)
}

/// Reads and lowers a `BaselineAdminNetworkPolicy`.
pub fn read_baseline(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    lower(node, header, BASELINE_FORM, &BASELINE)
}

fn lower(node: &SyntaxNode, header: Header<'_>, form: AdminForm, shape: &'static Shape) -> Lowered {
    let sees_own_service = Truth::Maybe; // S122 says it of the newer kind only
    admin_policy(
        node,
        &header,
        (form, shape),
        sees_own_service,
        |object: V1Alpha1Object, lowering| {
            let spec = object.spec;
            AdminParts {
                tier: if form.pass {
                    kubernetes::ADMIN
                } else {
                    kubernetes::BASELINE
                },
                priority: priority(&spec, &header, lowering),
                subject: lowering.subject(spec.subject.as_ref()),
                rules: lower_rules(spec.ingress, spec.egress, lowering),
            }
        },
    )
}

/// The rules of both directions, which a dialect of AWS writes in the same form.
pub(super) fn lower_rules(
    ingress: Option<Vec<V1Alpha1IngressRule>>,
    egress: Option<Vec<V1Alpha1EgressRule>>,
    lowering: &mut AdminLowering<'_>,
) -> [Vec<Rule>; 2] {
    let ingress: Vec<RuleSpec> = ingress
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(i, r)| RuleSpec {
            ports: ports(r.ports, "ingress", i, lowering),
            name: r.name,
            action: r.action,
            peers: r.from,
        })
        .collect();
    let egress: Vec<RuleSpec> = egress
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(i, r)| RuleSpec {
            ports: ports(r.ports, "egress", i, lowering),
            name: r.name,
            action: r.action,
            peers: r.to,
        })
        .collect();
    [
        lowering.rules(&ingress, "ingress", "from"),
        lowering.rules(&egress, "egress", "to"),
    ]
}

/// S71 for the one, S89 for the other: a singleton without priority.
fn priority(spec: &V1Alpha1Spec, header: &Header<'_>, lowering: &mut AdminLowering<'_>) -> i32 {
    if lowering.form.pass {
        return lowering.priority(spec.priority);
    }
    if header.name != "default" {
        let message = format!(
            "`{}`: a BaselineAdminNetworkPolicy must be named `default`",
            header.name
        );
        lowering
            .checks
            .refused(&Path::root().key("metadata").key("name"), message);
    }
    if spec.priority.is_some() {
        let at = Path::root().key("spec").key("priority");
        lowering.checks.unknown_field(
            &at,
            "unknown field `priority`",
            "a BaselineAdminNetworkPolicy is the only one of its kind",
        );
    }
    0
}

fn ports(
    ports: Option<Vec<PortSpec>>,
    direction: &str,
    rule: usize,
    lowering: &mut AdminLowering<'_>,
) -> Option<Vec<PortMatch>> {
    let at = Path::root()
        .key("spec")
        .key(direction)
        .index(rule)
        .key("ports");
    let each = |(i, port): (usize, PortSpec)| lower_port(&port, &at.index(i), lowering);
    ports.map(|list| list.into_iter().enumerate().map(each).collect())
}

/// S85-S87.
fn lower_port(port: &PortSpec, at: &Path, lowering: &mut AdminLowering<'_>) -> PortMatch {
    match (&port.port_number, &port.port_range, &port.named_port) {
        (Some(number), None, None) => {
            let at = at.key("portNumber");
            let protocol = lowering.protocol(number.protocol.as_deref(), &at.key("protocol"));
            let n = lowering.port(number.port, &at.key("port"));
            PortMatch::Traffic(TrafficSet::ports(protocol, n, n))
        }
        (None, Some(range), None) => {
            let at = at.key("portRange");
            let protocol = lowering.protocol(range.protocol.as_deref(), &at.key("protocol"));
            lowering.range(protocol, range.start, range.end, &at, false)
        }
        (None, None, Some(name)) => lowering.named(name, &at.key("namedPort")),
        _ => {
            lowering.checks.invalid(
                at,
                "exactly one of `portNumber`, `portRange` and `namedPort` is required",
            );
            PortMatch::Traffic(TrafficSet::empty())
        }
    }
}
