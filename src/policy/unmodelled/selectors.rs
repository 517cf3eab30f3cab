//! Selectors of other dialects, read as far as they say the same as a label selector.
//!
//! What cannot be read is left out, so that more pods are selected, never fewer.

use crate::model::{Requirement, Selector};
use crate::policy::rule::{Namespaces, Peer, Peers, Policy};
use crate::policy::unmodelled::taint_reach::is_plugin_label;
use crate::tree::SyntaxNode;

/// A `LabelSelector`; everything where there is none.
pub fn label_selector(node: Option<&SyntaxNode>) -> Selector {
    let Some(node) = node else {
        return Selector::everything();
    };
    let labels = node
        .get("matchLabels")
        .map(SyntaxNode::entries)
        .unwrap_or_default()
        .iter()
        .filter_map(|e| {
            Some(Requirement::In(
                e.key.clone(),
                vec![e.value.as_str()?.into()],
            ))
        });
    let expressions = node
        .get("matchExpressions")
        .map(SyntaxNode::items)
        .unwrap_or_default()
        .iter()
        .filter_map(expression);
    Selector::new(labels.chain(expressions))
}

fn expression(node: &SyntaxNode) -> Option<Requirement> {
    let key = node.get("key")?.as_str()?.into();
    match node.get("operator")?.as_str()? {
        "In" => Some(Requirement::In(key, values(node)?)),
        "NotIn" => Some(Requirement::NotIn(key, values(node)?)),
        "Exists" => Some(Requirement::Exists(key)),
        "DoesNotExist" => Some(Requirement::DoesNotExist(key)),
        _ => None,
    }
}

/// The values of an expression, if all are strings and there is one.
fn values(expression: &SyntaxNode) -> Option<Vec<Box<str>>> {
    let values = expression.get("values").map(SyntaxNode::items)?;
    let values: Option<Vec<Box<str>>> = values.iter().map(|v| Some(v.as_str()?.into())).collect();
    values.filter(|v| !v.is_empty())
}

/// A selector of Cilium: a source before the key is taken away; conditions on labels that pods do
/// not carry, and conditions that hold where a label is missing, are left out, because Cilium drops
/// some labels of a pod.
pub fn cilium(node: Option<&SyntaxNode>) -> Selector {
    let selector = label_selector(node);
    let requirements = selector.requirements().iter().filter_map(|r| match r {
        Requirement::In(key, values) => Some(Requirement::In(cilium_key(key)?, values.clone())),
        Requirement::Exists(key) => Some(Requirement::Exists(cilium_key(key)?)),
        // `label_selector` makes no others
        _ => None,
    });
    Selector::new(requirements)
}

fn cilium_key(key: &str) -> Option<Box<str>> {
    let plain = key
        .strip_prefix("k8s:")
        .or_else(|| key.strip_prefix("any:"))
        .or_else(|| key.strip_prefix("k8s.").filter(|rest| !rest.contains('/')))
        .unwrap_or(key);
    let own = plain.contains(':') || plain.starts_with("io.cilium.");
    (!own && !plain.starts_with("io.kubernetes.")).then(|| plain.into())
}

/// A selector expression of Calico: the terms that are joined by `&&` and read
/// `key == 'value'`, `key in {...}`, `has(key)` or `all()`.
pub fn calico(text: Option<&str>) -> Selector {
    let text = text.unwrap_or_default();
    // a bracket that belongs to no function groups terms, perhaps behind a `!`
    let grouped = text.replace("has(", "").replace("all()", "").contains('(');
    if grouped || text.contains("||") {
        return Selector::everything();
    }
    Selector::new(text.split("&&").filter_map(|term| calico_term(term.trim())))
}

fn calico_term(term: &str) -> Option<Requirement> {
    if let Some(key) = term.strip_prefix("has(").and_then(|t| t.strip_suffix(')')) {
        return Some(Requirement::Exists(calico_key(key)?));
    }
    if let Some((key, value)) = term.split_once("==") {
        return Some(Requirement::In(calico_key(key)?, vec![quoted(value)?]));
    }
    let (key, values) = term.split_once(" in ")?;
    if key.contains(" not") {
        return None;
    }
    let values = values.trim().strip_prefix('{')?.strip_suffix('}')?;
    let values: Option<Vec<Box<str>>> = values.split(',').map(quoted).collect();
    Some(Requirement::In(calico_key(key)?, values?))
}

/// A key that is a label of pods, and no label that Calico makes up.
fn calico_key(key: &str) -> Option<Box<str>> {
    let key = key.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let made_up = ["pcns.", "pcsa."]
        .iter()
        .any(|prefix| key.starts_with(prefix));
    let own = key.contains("projectcalico.org/") || made_up;
    (!key.is_empty() && key.chars().all(plain) && !own).then(|| key.into())
}

fn quoted(text: &str) -> Option<Box<str>> {
    let text = text.trim();
    let inner = ['\'', '"']
        .iter()
        .find_map(|q| text.strip_prefix(*q)?.strip_suffix(*q))?;
    (!inner.contains(['\'', '"'])).then(|| inner.into())
}

/// Whether a policy selects by labels that only a network plugin gives to pods: which pods it means
/// cannot be read from the manifests.
pub fn uses_plugin_labels(policy: &Policy) -> bool {
    let subject = &policy.subject;
    let peers = policy.rules.iter().flatten().any(|rule| match &rule.peers {
        Peers::Any => false,
        Peers::Of(peers) => peers.iter().any(peer_has_plugin_labels),
    });
    has_plugin_labels(&subject.pods) || in_plugin_namespaces(&subject.namespaces) || peers
}

fn has_plugin_labels(selector: &Selector) -> bool {
    selector
        .requirements()
        .iter()
        .any(|requirement| is_plugin_label(requirement.key()))
}

fn in_plugin_namespaces(namespaces: &Namespaces) -> bool {
    matches!(namespaces, Namespaces::Matching(selector) if has_plugin_labels(selector))
}

fn peer_has_plugin_labels(peer: &Peer) -> bool {
    match peer {
        Peer::Pods(namespaces, pods) => in_plugin_namespaces(namespaces) || has_plugin_labels(pods),
        Peer::NoneOf(peers) | Peer::AllOf(peers) | Peer::AnyOf(peers) => {
            peers.iter().any(peer_has_plugin_labels)
        }
        _ => false,
    }
}
