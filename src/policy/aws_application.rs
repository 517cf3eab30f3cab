//! `networking.k8s.aws/v1alpha1` `ApplicationNetworkPolicy`: a `NetworkPolicy` whose egress peers
//! may be domain names (docs/dialects/cloud.md, AW1-AW5).
//!
//! It lowers as a `NetworkPolicy` does, into the same tier, so that it isolates its pods and adds
//! to what other policies allow there (AW1). Source: the types of the API
//! (`ApplicationNetworkPolicySpec` in the network policy agent of the Amazon VPC CNI).

use crate::model::Truth;
use crate::policy::domain_peers::{domain_peer, entry_of, undocumented_direction};
use crate::policy::layout::{Layout, RulePlace};
use crate::policy::lowered::{Checks, Header, Lowered};
use crate::policy::network_policy;
use crate::policy::network_policy::RuleLowering;
use crate::policy::read_policy::read_policy;
use crate::policy::rule::{Peer, Policy, Rule, Shape};
use crate::source::Path;
use crate::tree::SyntaxNode;
use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde::Deserialize;
use std::sync::Arc;

/// How the parts are called.
pub static SHAPE: Shape = Shape {
    kind: "ApplicationNetworkPolicy",
    api_version: "networking.k8s.aws/v1alpha1",
    ..network_policy::SHAPE
};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Object")]
#[allow(dead_code)] // every field is known, not every one matters
struct ApplicationObject {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: ApplicationSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Spec")]
struct ApplicationSpec {
    pod_selector: Option<LabelSelector>,
    policy_types: Option<Vec<String>>,
    ingress: Option<Vec<NetworkPolicyIngressRule>>,
    egress: Option<Vec<ApplicationEgressRule>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "EgressRule")]
struct ApplicationEgressRule {
    ports: Option<Vec<NetworkPolicyPort>>,
    to: Option<Vec<ApplicationPeer>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Peer")]
struct ApplicationPeer {
    pod_selector: Option<LabelSelector>,
    namespace_selector: Option<LabelSelector>,
    ip_block: Option<IPBlock>,
    domain_names: Option<Vec<String>>,
}

/// Reads an object strictly and lowers it.
pub fn read(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read_policy(node, &header, true, |object: ApplicationObject, checks| {
        lower(object.spec, &header, checks)
    })
}

fn lower(spec: ApplicationSpec, header: &Header<'_>, checks: &mut Checks) -> Policy {
    let at = Path::root().key("spec");
    if spec.pod_selector.is_none() {
        checks.refused(&at.key("podSelector"), "a `podSelector` is required"); // AW2
    }
    let says_types = spec.policy_types.as_ref().is_some_and(|t| !t.is_empty());
    let in_doubt = !says_types && spec.ingress.as_ref().is_none_or(Vec::is_empty);
    let plain = NetworkPolicySpec {
        egress: spec.egress.as_ref().map(|rules| {
            let each = rules.iter().map(|_| NetworkPolicyEgressRule::default());
            each.collect()
        }),
        ingress: spec.ingress,
        pod_selector: spec.pod_selector,
        policy_types: spec.policy_types,
    };
    let mut policy = network_policy::lower(&plain, header, checks);
    policy.shape = &SHAPE;
    policy.sees_own_service = Truth::Maybe; // the agent sees addresses of Services (AW5)
    let mut lowering = RuleLowering::new(header, checks);
    let rules = spec.egress.unwrap_or_default().into_iter().enumerate();
    let egress =
        rules.map(|(i, rule)| egress_rule(&rule, &at.key("egress").index(i), &mut lowering));
    policy.rules[1] = egress.collect();
    if in_doubt {
        let words = "without policyTypes and ingress rules it is not documented whether the policy \
                     governs ingress";
        policy.rules[0] = vec![undocumented_direction(words)]; // AW4
        policy.layout = Some(Arc::new(without_ingress(policy.rules[1].len())));
    }
    policy
}

/// Where the rules stand of a policy whose rule for ingress is not written.
fn without_ingress(egress: usize) -> Layout {
    Layout {
        root: Path::root().key("spec"),
        rules: [
            vec![RulePlace::whole(Path::root().key("podSelector"))],
            (0..egress).map(|i| entry_of("egress", i, "to")).collect(),
        ],
    }
}

fn egress_rule(rule: &ApplicationEgressRule, at: &Path, lowering: &mut RuleLowering<'_>) -> Rule {
    let peers = rule.to.as_deref().unwrap_or_default();
    let peers = peers.iter().enumerate();
    let peers: Vec<Peer> = peers
        .map(|(i, peer)| lower_peer(peer, &at.key("to").index(i), lowering))
        .collect();
    lowering.rule_of(peers, rule.ports.as_deref(), at)
}

/// AW3: names stand alone.
fn lower_peer(peer: &ApplicationPeer, at: &Path, lowering: &mut RuleLowering<'_>) -> Peer {
    let plain = NetworkPolicyPeer {
        pod_selector: peer.pod_selector.clone(),
        namespace_selector: peer.namespace_selector.clone(),
        ip_block: peer.ip_block.clone(),
    };
    let Some(names) = &peer.domain_names else {
        return lowering.peer(&plain, at);
    };
    if plain != NetworkPolicyPeer::default() {
        let message = "a peer with `domainNames` may not have selectors or an `ipBlock` as well";
        lowering.checks.invalid(at, message);
    }
    domain_peer(names, &at.key("domainNames"), lowering.checks)
}
