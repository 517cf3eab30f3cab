//! Objects that make policies: a rule that generates a `NetworkPolicy` in every namespace, a
//! template that a controller fills in, a release whose values hold whole objects.
//!
//! Such an object is recognized by its content: a mapping with an `apiVersion` and the `kind` of a
//! policy, and with content; the bare spec of a `NetworkPolicy`; or, in an object that generates
//! others, the name of a policy kind. What it will make is not known here, so the verdicts it could
//! touch are unknown.

use crate::model::{Requirement, Selector};
use crate::policy::TaintEffect;
use crate::policy::dialects;
use crate::policy::unmodelled;
use crate::policy::unmodelled::{TaintNamespaces, TaintPods, TaintReach};
use crate::tree::SyntaxNode;

/// The policies that an object holds: the kind of the first, and what all of them can touch.
pub fn policies(node: &SyntaxNode) -> Option<(Box<str>, Vec<TaintReach>)> {
    let mut found = Vec::new();
    let inner = node.entries().iter().filter(|e| &*e.key != "metadata");
    inner.for_each(|entry| search(&entry.value, &mut found));
    if found.is_empty() {
        return names_policies(node).then(|| {
            let reach = TaintReach::own(TaintEffect::Anything, [true, true]);
            (
                "policy".into(),
                vec![reach.namespaces(TaintNamespaces::All)],
            )
        });
    }
    let kind = found.first().and_then(|n| n.get("kind")?.as_str());
    let mut reaches: Vec<TaintReach> = found.iter().flat_map(|n| reach(n)).collect();
    reaches.dedup();
    Some((kind.unwrap_or("NetworkPolicy").into(), reaches))
}

fn search<'n>(node: &'n SyntaxNode, found: &mut Vec<&'n SyntaxNode>) {
    if is_policy(node) || is_bare_spec(node) {
        return found.push(node);
    }
    node.items().iter().for_each(|item| search(item, found));
    let entries = node.entries().iter();
    entries.for_each(|entry| search(&entry.value, found));
}

/// Whether a node is a policy with content, of whichever kind.
pub fn is_policy(node: &SyntaxNode) -> bool {
    let word = |key: &str| node.get(key).and_then(SyntaxNode::as_str);
    let (Some(version), Some(kind)) = (word("apiVersion"), word("kind")) else {
        return false;
    };
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let known = dialects::find(version, kind).is_some() || unmodelled::find(group, kind).is_some();
    let content = ["spec", "specs", "data", "clone", "cloneList", "metadata"];
    known && content.iter().any(|key| node.get(key).is_some())
}

/// Whether a mapping is what a `NetworkPolicy` has as its spec.
pub fn is_bare_spec(node: &SyntaxNode) -> bool {
    let rules = ["policyTypes", "ingress", "egress"];
    node.get("podSelector").is_some() && rules.iter().any(|key| node.get(key).is_some())
}

/// Whether an object that generates or propagates others names a kind of policy.
fn names_policies(node: &SyntaxNode) -> bool {
    let kind = node.get("kind").and_then(SyntaxNode::as_str);
    match kind.unwrap_or_default() {
        "GeneratingPolicy" | "NamespacedGeneratingPolicy" => says_policy(node) || !shows_kind(node),
        "HNCConfiguration" => says_policy(node),
        _ => generates(node),
    }
}

/// Whether a part of an object that is called `generate` names a kind of policy.
fn generates(node: &SyntaxNode) -> bool {
    let entries = node.entries().iter();
    node.items().iter().any(generates)
        || entries
            .into_iter()
            .any(|e| (&*e.key == "generate" && says_policy(&e.value)) || generates(&e.value))
}

/// Whether an expression of an object shows of which kind objects are, or as which resource it
/// reads them.
fn shows_kind(node: &SyntaxNode) -> bool {
    const WORDS: [&str; 5] = [
        "kind'",
        "kind\"",
        "kind:",
        "resource.Get(",
        "resource.List(",
    ];
    let shows = |text: &str| WORDS.iter().any(|word| text.contains(word));
    node.as_str().is_some_and(shows)
        || node.items().iter().any(shows_kind)
        || node.entries().iter().any(|e| shows_kind(&e.value))
}

fn says_policy(node: &SyntaxNode) -> bool {
    let says = |text: &str| text.to_ascii_lowercase().contains("networkpolic");
    node.as_str().is_some_and(says)
        || node.items().iter().any(says_policy)
        || node.entries().iter().any(|e| says_policy(&e.value))
}

/// What a policy can touch that is made in a namespace.
pub fn reach_in(node: &SyntaxNode, namespace: &str) -> Vec<TaintReach> {
    let kind = node.get("kind").and_then(SyntaxNode::as_str);
    let own = |reach: TaintReach| match opened(reach) {
        reach if reach.namespaces != TaintNamespaces::Own => reach,
        reach => reach.named([namespace]),
    };
    let reaches = unmodelled::reach_of(kind.unwrap_or_default(), node);
    reaches.into_iter().map(own).collect()
}

/// Whether a text that is made into objects names a kind of policy.
pub fn says_policy_kind(text: &str) -> bool {
    let mut kinds = text.split("kind").skip(1).filter_map(|after| {
        let after = after.trim_start_matches(['"', '\'']).trim_start();
        let value = after
            .strip_prefix(':')?
            .trim_start()
            .trim_start_matches(['"', '\'']);
        value.split(|c: char| !c.is_ascii_alphanumeric()).next()
    });
    kinds.any(dialects::may_be_policy_kind)
}

/// What a policy that is held somewhere can touch, or the bare spec of one.
pub fn reach(node: &SyntaxNode) -> Vec<TaintReach> {
    if is_bare_spec(node) {
        let (directions, pods) = unmodelled::of_bare_spec(node);
        let reach = TaintReach::own(TaintEffect::UnorderedTier, directions).labelled(pods);
        return vec![opened(reach.namespaces(TaintNamespaces::All))];
    }
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
        Some(body) => unmodelled::reach_of(kind, body),
        None if kind == "NetworkPolicy" => {
            vec![TaintReach::own(TaintEffect::UnorderedTier, [true, true])]
        }
        None => vec![TaintReach::own(TaintEffect::Anything, [true, true])],
    };
    let namespace = node
        .get("metadata")
        .and_then(|m| m.get("namespace"))
        .or_else(|| node.get("namespace"))
        .and_then(SyntaxNode::as_str)
        .filter(|name| crate::policy::validate::is_dns_label(name));
    let place = |reach: TaintReach| match (namespace, &reach.namespaces) {
        (Some(name), TaintNamespaces::Own) => reach.named([name]),
        (None, TaintNamespaces::Own) => reach.namespaces(TaintNamespaces::All),
        _ => reach,
    };
    reaches.into_iter().map(place).map(opened).collect()
}

/// A reach without conditions on labels that are still to be filled in.
fn opened(mut reach: TaintReach) -> TaintReach {
    if let TaintPods::Labelled(pods) = &mut reach.pods {
        *pods = without_open(pods);
    }
    if let TaintNamespaces::Matching(namespaces) = &mut reach.namespaces {
        *namespaces = without_open(namespaces);
    }
    reach
}

/// The requirements of a selector that are written out.
fn without_open(selector: &Selector) -> Selector {
    let is_told = |r: &&Requirement| {
        let mut values = r.values().iter();
        !is_open_text(r.key()) && !values.any(|value| is_open_text(value))
    };
    Selector::new(selector.requirements().iter().filter(is_told).cloned())
}

/// Whether a text has an expression in it that something fills in.
pub fn is_open_text(text: &str) -> bool {
    text.contains("{{") || text.contains("${")
}
