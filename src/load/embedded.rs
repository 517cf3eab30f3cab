//! Objects that make policies: a rule that generates a `NetworkPolicy` in every namespace, a
//! template that a controller fills in, a release whose values hold whole objects.
//!
//! Such an object is recognized by what it holds: a mapping with an `apiVersion` and the `kind` of a
//! policy, and with content. What it will make is not known here, so the verdicts it could touch are
//! unknown.

use crate::policy::TaintEffect;
use crate::policy::dialects;
use crate::policy::recognized;
use crate::policy::recognized::{Reach, ReachNamespaces};
use crate::tree::SyntaxNode;

/// The policies that an object holds: the kind of the first, and what all of them can touch.
pub fn policies(node: &SyntaxNode) -> Option<(Box<str>, Vec<Reach>)> {
    let mut found = Vec::new();
    let inner = node.entries().iter().filter(|e| &*e.key != "metadata");
    inner.for_each(|entry| search(&entry.value, &mut found));
    let kind = found.first().and_then(|n| n.get("kind")?.as_str())?.into();
    let mut reaches: Vec<Reach> = found.iter().flat_map(|n| reach(n)).collect();
    reaches.dedup();
    Some((kind, reaches))
}

fn search<'n>(node: &'n SyntaxNode, found: &mut Vec<&'n SyntaxNode>) {
    if is_policy(node) {
        return found.push(node);
    }
    node.items().iter().for_each(|item| search(item, found));
    let entries = node.entries().iter();
    entries.for_each(|entry| search(&entry.value, found));
}

fn is_policy(node: &SyntaxNode) -> bool {
    let word = |key: &str| node.get(key).and_then(SyntaxNode::as_str);
    let (Some(version), Some(kind)) = (word("apiVersion"), word("kind")) else {
        return false;
    };
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let known = dialects::find(version, kind).is_some() || recognized::find(group, kind).is_some();
    let content = ["spec", "specs", "data", "clone", "cloneList", "metadata"];
    known && content.iter().any(|key| node.get(key).is_some())
}

fn reach(node: &SyntaxNode) -> Vec<Reach> {
    let body = if node.get("spec").is_some() {
        Some(node)
    } else {
        node.get("data").filter(|data| data.get("spec").is_some())
    };
    let kind = node
        .get("kind")
        .and_then(SyntaxNode::as_str)
        .unwrap_or_default();
    let reaches = match body {
        Some(body) => recognized::reach_of(kind, body),
        None if kind == "NetworkPolicy" => {
            vec![Reach::own(TaintEffect::NetworkTier, [true, true])]
        }
        None => vec![Reach::own(TaintEffect::Anything, [true, true])],
    };
    let namespace = node
        .get("metadata")
        .and_then(|m| m.get("namespace"))
        .or_else(|| node.get("namespace"))
        .and_then(SyntaxNode::as_str)
        .filter(|name| crate::policy::validate::is_dns_label(name));
    let place = |reach: Reach| match (namespace, &reach.namespaces) {
        (Some(name), ReachNamespaces::Own) => reach.named([name]),
        (None, ReachNamespaces::Own) => reach.namespaces(ReachNamespaces::All),
        _ => reach,
    };
    reaches.into_iter().map(place).collect()
}
