//! `networking.k8s.aws/v1alpha1` `ClusterNetworkPolicy`: the administrators' policies of the
//! Amazon VPC CNI (docs/dialects/cloud.md, AW10-AW13).
//!
//! Its fields are those of the first generation of administrators' policies, with the tier of the
//! second, and its rules stand in the same tiers (AW10).

use crate::model::Truth;
use crate::policy::admin::AdminForm;
use crate::policy::admin_policy::{AdminParts, admin_policy};
use crate::policy::admin_spec::{PeerSpec, SubjectSpec};
use crate::policy::admin_v1alpha1::{V1Alpha1EgressRule, V1Alpha1IngressRule, lower_rules};
use crate::policy::cluster_network_policy::tier;
use crate::policy::lowered::{Checks, Header, Lowered};
use crate::policy::rule::Shape;
use crate::source::Path;
use crate::tree::SyntaxNode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

/// How the parts are called.
pub static SHAPE: Shape = Shape {
    kind: "ClusterNetworkPolicy",
    api_version: "networking.k8s.aws/v1alpha1",
    rules: ["ingress", "egress"],
    peers: ["from", "to"],
    ports: "ports",
    subject: "subject",
    allow: "Accept",
    has_actions: true,
};

const FORM: AdminForm = AdminForm {
    allow: "Accept",
    pass: true,
    domains: true,
    many: 100,
    few: 25,
    optional_namespaces: false,
    ports: "ports",
};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Object")]
#[allow(dead_code)] // every field is known, not every one matters
struct AwsClusterObject {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: AwsClusterSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Spec")]
struct AwsClusterSpec {
    tier: Option<String>,
    priority: Option<i32>,
    subject: Option<SubjectSpec>,
    ingress: Option<Vec<V1Alpha1IngressRule>>,
    egress: Option<Vec<V1Alpha1EgressRule>>,
}

/// Reads and lowers an object.
pub fn read(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    let of = (FORM, &SHAPE);
    admin_policy(
        node,
        &header,
        of,
        Truth::Maybe,
        |object: AwsClusterObject, lowering| {
            let spec = object.spec;
            check_peers(&spec, lowering.checks);
            AdminParts {
                tier: tier(spec.tier.as_deref(), lowering),
                priority: lowering.priority(spec.priority),
                subject: lowering.subject(spec.subject.as_ref()),
                rules: lower_rules(spec.ingress, spec.egress, lowering),
            }
        },
    )
}

/// AW12, AW13: no peer is a node, and names are not denied.
fn check_peers(spec: &AwsClusterSpec, checks: &mut Checks) {
    for (i, rule) in spec.egress.iter().flatten().enumerate() {
        let at = Path::root().key("spec").key("egress").index(i);
        let peers = rule.to.iter().flatten();
        let is_denied = rule.action.as_deref() == Some("Deny");
        if is_denied && peers.clone().any(|peer| peer.domain_names.is_some()) {
            let message = "domain names cannot be denied; use Accept or Pass";
            checks.refused(&at, message);
        }
        for (j, peer) in peers.enumerate() {
            check_nodes(peer, &at.key("to").index(j), checks);
        }
    }
}

fn check_nodes(peer: &PeerSpec, at: &Path, checks: &mut Checks) {
    if peer.nodes.is_some() {
        let help = "this kind has namespaces, pods, networks and domainNames";
        checks.unknown_field(&at.key("nodes"), "unknown field `nodes`", help);
    }
}
