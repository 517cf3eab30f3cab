//! Objects as the policy APIs write them: what `--suggest` shows is made here, so that no other
//! room names a dialect.

use crate::policy::rule::{Direction, Policy};
use crate::policy::tier::kubernetes;
use crate::set::TrafficSet;
use crate::set::traffic::TrafficRange;
use serde_json::{Value as Json, json};

/// A `NetworkPolicy` for some pods of a namespace with one rule in one direction.
pub fn network_policy(
    namespace: &str,
    name: &str,
    pods: &Json,
    direction: Direction,
    rule: Json,
) -> Json {
    let (kind, field) = match direction {
        Direction::Ingress => ("Ingress", "ingress"),
        Direction::Egress => ("Egress", "egress"),
    };
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": pods, "policyTypes": [kind], field: [rule]},
    })
}

/// The peers of an exception: pods of a namespace, or (on the way out) address blocks.
#[derive(Debug, Clone)]
pub enum Others {
    /// Pods of one namespace.
    Pods {
        /// A selector of that namespace.
        namespace: Json,
        /// A selector of the pods.
        pods: Json,
    },
    /// Address blocks.
    Blocks(Vec<String>),
}

/// A policy that accepts some traffic just before another one of its tier, where that one's API
/// allows it: the policy to get ahead of, the subject's namespace and pods, the peers, the traffic.
pub fn exception(
    ahead_of: &Policy,
    name: &str,
    direction: Direction,
    subject: (&Json, &Json),
    others: &Others,
    traffic: &TrafficSet,
) -> Option<Json> {
    let tier = match ahead_of.tier {
        kubernetes::ADMIN => "Admin",
        kubernetes::BASELINE => "Baseline",
        _ => return None,
    };
    let ordered = ahead_of.shape.api_version == "policy.networking.k8s.io/v1alpha2";
    let priority = ahead_of
        .priority
        .number()?
        .checked_sub(1)
        .filter(|p| *p >= 0 && ordered)?;
    let peers = match others {
        Others::Pods { namespace, pods } => {
            vec![json!({"pods": {"namespaceSelector": namespace, "podSelector": pods}})]
        }
        Others::Blocks(blocks) if direction == Direction::Egress => {
            vec![json!({"networks": blocks})]
        }
        Others::Blocks(_) => return None,
    };
    let mut rule = json!({"action": "Accept", ahead_of.shape.peers[direction.index()]: peers});
    if !traffic.is_all() {
        rule["protocols"] = json!(traffic.pieces().map(protocol).collect::<Option<Vec<_>>>()?);
    }
    Some(json!({
        "apiVersion": ahead_of.shape.api_version,
        "kind": ahead_of.shape.kind,
        "metadata": {"name": name},
        "spec": {
            "tier": tier,
            "priority": priority,
            "subject": {"pods": {"namespaceSelector": subject.0, "podSelector": subject.1}},
            ahead_of.shape.rules[direction.index()]: [rule],
        },
    }))
}

fn protocol(piece: TrafficRange) -> Option<Json> {
    let TrafficRange::Ports(protocol, first, last) = piece else {
        return None;
    };
    let port = if first == last {
        json!({"number": first})
    } else {
        json!({"range": {"start": first, "end": last}})
    };
    Some(json!({protocol.name().to_ascii_lowercase(): {"destinationPort": port}}))
}
