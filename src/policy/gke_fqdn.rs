//! `networking.gke.io/v1alpha1` `FQDNNetworkPolicy`: egress by domain name on GKE
//! (docs/dialects/cloud.md, GK1-GK4).
//!
//! It lowers into the tier of `NetworkPolicies`: it isolates its pods for egress and adds what its
//! names stand for to what other policies allow (GK1). Two forms share the group and kind: the
//! managed one has `matches`, that of the older add-on has `to` with `fqdns` (GK4).

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
use k8s_openapi::api::networking::v1::{NetworkPolicyPort, NetworkPolicySpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde::Deserialize;
use std::sync::Arc;

/// How the parts are called.
pub static SHAPE: Shape = Shape {
    kind: "FQDNNetworkPolicy",
    api_version: "networking.gke.io/v1alpha1",
    ..network_policy::SHAPE
};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Object")]
#[allow(dead_code)] // every field is known, not every one matters
struct FqdnObject {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: FqdnSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Spec")]
struct FqdnSpec {
    pod_selector: Option<LabelSelector>,
    policy_types: Option<Vec<String>>,
    ingress: Option<Vec<FqdnRule>>,
    egress: Option<Vec<FqdnRule>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Rule")]
struct FqdnRule {
    matches: Option<Vec<FqdnMatch>>,
    from: Option<Vec<FqdnPeer>>,
    to: Option<Vec<FqdnPeer>>,
    ports: Option<Vec<NetworkPolicyPort>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Match")]
struct FqdnMatch {
    name: Option<String>,
    pattern: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Peer")]
struct FqdnPeer {
    fqdns: Option<Vec<String>>,
}

/// Reads an object strictly and lowers it.
pub fn read(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read_policy(node, &header, true, |object: FqdnObject, checks| {
        lower(&object.spec, &header, checks)
    })
}

fn lower(spec: &FqdnSpec, header: &Header<'_>, checks: &mut Checks) -> Policy {
    let at = Path::root().key("spec");
    let lists = [&spec.ingress, &spec.egress].map(|list| list.as_deref().unwrap_or_default());
    let is_managed = lists[0].is_empty() && lists[1].iter().all(|rule| rule.to.is_none());
    let says_types = spec.policy_types.as_ref().is_some_and(|t| !t.is_empty());
    let types = match (says_types, is_managed) {
        (true, _) => spec.policy_types.clone(),
        (false, true) => Some(vec!["Egress".to_owned()]), // GK2
        (false, false) => Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
    };
    let plain = NetworkPolicySpec {
        pod_selector: spec.pod_selector.clone(),
        policy_types: types,
        ..NetworkPolicySpec::default()
    };
    let mut policy = network_policy::lower(&plain, header, checks);
    policy.shape = &SHAPE;
    policy.sees_own_service = Truth::Maybe;
    let mut lowering = RuleLowering::new(header, checks);
    for (d, (field, rules)) in ["ingress", "egress"].iter().zip(lists).enumerate() {
        let rules = rules.iter().enumerate();
        let lowered =
            rules.map(|(i, rule)| lower_rule(rule, &at.key(field).index(i), &mut lowering));
        policy.rules[d] = lowered.collect();
    }
    let in_doubt = !says_types && !is_managed && lists[0].is_empty();
    if in_doubt {
        let words = "without policyTypes and ingress rules it is not documented whether the policy \
                     governs ingress";
        policy.rules[0] = vec![undocumented_direction(words)]; // GK4
    }
    policy.layout = Some(Arc::new(layout(lists, in_doubt)));
    policy
}

/// Where the rules stand, and their peers.
fn layout(lists: [&[FqdnRule]; 2], in_doubt: bool) -> Layout {
    let ingress = if in_doubt {
        vec![RulePlace::whole(Path::root().key("podSelector"))]
    } else {
        (0..lists[0].len())
            .map(|i| entry_of("ingress", i, "from"))
            .collect()
    };
    let egress = lists[1].iter().enumerate().map(|(i, rule)| {
        let peers = if rule.to.is_some() { "to" } else { "matches" };
        entry_of("egress", i, peers)
    });
    Layout {
        root: Path::root().key("spec"),
        rules: [ingress, egress.collect()],
    }
}

fn lower_rule(rule: &FqdnRule, at: &Path, lowering: &mut RuleLowering<'_>) -> Rule {
    let matches = rule.matches.iter().flatten().enumerate();
    let matches = matches.map(|(i, m)| (m, at.key("matches").index(i)));
    let mut peers: Vec<Peer> = matches
        .map(|(entry, at)| lower_match(entry, &at, lowering.checks))
        .collect();
    for (field, list) in [("from", &rule.from), ("to", &rule.to)] {
        for (i, peer) in list.iter().flatten().enumerate() {
            let at = at.key(field).index(i).key("fqdns");
            let names = peer.fqdns.as_deref().unwrap_or_default();
            peers.push(domain_peer(names, &at, lowering.checks));
        }
    }
    if peers.is_empty() {
        lowering
            .checks
            .invalid(at, "a rule needs a name: `matches`"); // GK3
    }
    lowering.rule_of(peers, rule.ports.as_deref(), at)
}

/// GK3: a name, or a pattern with `*`.
fn lower_match(entry: &FqdnMatch, at: &Path, checks: &mut Checks) -> Peer {
    match (&entry.name, &entry.pattern) {
        (Some(name), None) => domain_peer(std::slice::from_ref(name), &at.key("name"), checks),
        (None, Some(pattern)) => {
            if pattern.is_empty() {
                checks.invalid(&at.key("pattern"), "a pattern is not empty");
            }
            Peer::Domain(pattern.as_str().into())
        }
        _ => {
            checks.invalid(at, "exactly one of `name` and `pattern` is required");
            Peer::Domain("".into())
        }
    }
}
