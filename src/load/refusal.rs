//! What a dump says of objects that are not in it: a refusal among the objects, the line in which
//! kubectl tells one, and a list that goes on elsewhere.
//!
//! ```text
//! Error from server (Forbidden): pods is forbidden: User "dev" cannot list resource "pods" ...
//! {"kind": "Status", "status": "Failure", "details": {"kind": "networkpolicies"}, ...}
//! {"kind": "NetworkPolicyList", "metadata": {"continue": "..."}, "items": [...]}
//! ```
//!
//! Each becomes what a live cluster that does not list a kind becomes ([`crate::load::unlisted`]),
//! so that nothing is taken for complete. Cost: none where a dump has none of them.

use crate::input::{Unlisted, UnlistedScope};
use crate::load::unlisted::{self, FORBIDDEN, plural};
use crate::tree::{self, Chunk, SyntaxNode};

/// How kubectl begins to tell a refusal.
const TOLD: &str = "Error from server (";

/// The reason of a list of which a part is missing.
const CUT: &str = "the list goes on elsewhere";

/// The kinds that decide most, to be known by the name of their resource. Others are called by the
/// resource.
const KINDS: [&str; 30] = [
    "AdminNetworkPolicy",
    "AuthorizationPolicy",
    "BaselineAdminNetworkPolicy",
    "CiliumClusterwideNetworkPolicy",
    "CiliumNetworkPolicy",
    "ClusterNetworkPolicy",
    "ClusterUserDefinedNetwork",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "EgressFirewall",
    "EgressNetworkPolicy",
    "Endpoints",
    "EndpointSlice",
    "GlobalNetworkPolicy",
    "Ingress",
    "Job",
    "MultiNetworkPolicy",
    "Namespace",
    "NetworkPolicy",
    "Node",
    "PeerAuthentication",
    "Pod",
    "ReplicaSet",
    "ReplicationController",
    "Server",
    "Service",
    "StatefulSet",
    "Tier",
    "UserDefinedNetwork",
];

/// How a request names the objects of a kind.
fn resource(kind: &str) -> String {
    match kind {
        "MultiNetworkPolicy" => "multi-networkpolicies".to_owned(),
        _ => plural(kind).to_lowercase(),
    }
}

/// What a text says that holds nothing but lines of refusals.
pub(crate) fn of_text(text: &str) -> Option<Vec<SyntaxNode>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let told = |line: &str| line.starts_with(TOLD).then(|| of_message(line)).flatten();
    let found: Option<Vec<Unlisted>> = lines.map(told).collect();
    let found = found.filter(|found| !found.is_empty())?;
    found.iter().map(node).collect()
}

/// What an object says that is a refusal.
pub(crate) fn of_status(root: &SyntaxNode) -> Option<SyntaxNode> {
    let text = |key: &str| root.get(key).and_then(SyntaxNode::as_str);
    if text("kind") != Some("Status") || text("status") != Some("Failure") {
        return None;
    }
    let found = text("message").and_then(of_message);
    node(&found.or_else(|| of_details(root))?)
}

/// What the details of a refusal say.
fn of_details(root: &SyntaxNode) -> Option<Unlisted> {
    let word = |of: &'_ SyntaxNode, key: &str| Some(of.get(key)?.as_str()?.to_owned());
    let details = root.get("details")?;
    let group = word(details, "group").unwrap_or_default();
    let told = word(root, "reason").filter(|reason| reason != "Forbidden");
    let reason = told.unwrap_or_else(|| FORBIDDEN.to_owned());
    Some(unlisted(&word(details, "kind")?, &group, None, &reason))
}

/// What a list says of which a part is missing.
pub(crate) fn of_cut_list(list: &SyntaxNode) -> Option<SyntaxNode> {
    let metadata = list.get("metadata")?;
    let goes_on = metadata.get("continue").and_then(SyntaxNode::as_str);
    goes_on.filter(|token| !token.is_empty())?;
    let text = |key: &str| list.get(key).and_then(SyntaxNode::as_str);
    let kind = text("kind")?
        .strip_suffix("List")
        .filter(|kind| !kind.is_empty())?;
    let version = text("apiVersion").unwrap_or_default();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    node(&Unlisted {
        kind: kind.into(),
        ..unlisted(&resource(kind), group, None, CUT)
    })
}

/// What a message says: `cannot list resource "pods" in API group "" in the namespace "shop"`.
fn of_message(message: &str) -> Option<Unlisted> {
    let quoted = |after: &str| -> Option<&str> {
        let (_, rest) = message.split_once(after)?;
        rest.split_once('"').map(|(word, _)| word)
    };
    let resource = quoted("resource \"")?;
    let group = quoted("in API group \"").unwrap_or_default();
    Some(unlisted(
        resource,
        group,
        quoted("in the namespace \""),
        FORBIDDEN,
    ))
}

fn unlisted(name: &str, group: &str, namespace: Option<&str>, reason: &str) -> Unlisted {
    let known = KINDS.iter().find(|kind| resource(kind) == name);
    Unlisted {
        group: group.into(),
        kind: known.map_or(name, |kind| kind).into(),
        resource: name.into(),
        scope: match namespace {
            Some(namespace) => UnlistedScope::In(vec![namespace.into()]),
            None => UnlistedScope::AllBut(Vec::new()),
        },
        reason: reason.into(),
        flags: Vec::new(),
    }
}

fn node(unlisted: &Unlisted) -> Option<SyntaxNode> {
    let text = unlisted::object(unlisted).to_string();
    tree::parse(&text, &Chunk::whole(&text)).root
}
