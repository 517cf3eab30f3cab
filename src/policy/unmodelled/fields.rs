//! Fields of an object that is read only as far as its reach.

use crate::tree::{SyntaxNode, Value};

/// The `spec`.
pub fn spec(node: &SyntaxNode) -> Option<&SyntaxNode> {
    node.get("spec")
}

/// The node at a path of keys.
pub fn field<'n>(node: &'n SyntaxNode, path: &[&str]) -> Option<&'n SyntaxNode> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

/// The text at a path of keys.
pub fn text<'n>(node: &'n SyntaxNode, path: &[&str]) -> Option<&'n str> {
    field(node, path).and_then(SyntaxNode::as_str)
}

/// The items of the list at a path of keys; none where there is no list.
pub fn items<'n>(node: &'n SyntaxNode, path: &[&str]) -> &'n [SyntaxNode] {
    field(node, path).map(SyntaxNode::items).unwrap_or_default()
}

/// Whether a field that should be a list is there with something in it, or is something else, so
/// that nobody knows what it means.
pub fn has(node: &SyntaxNode, key: &str) -> bool {
    node.get(key).is_some_and(|n| !n.items().is_empty()) || is_no_list(node, key)
}

/// Whether a field that should be a list is something else.
pub fn is_no_list(node: &SyntaxNode, key: &str) -> bool {
    let is_list = |value: &Value| matches!(value, Value::Null | Value::Sequence(_));
    node.get(key).is_some_and(|n| !is_list(&n.value))
}

/// The directions whose lists of rules are not empty; both where there is no list at all, as in an
/// object that is written in a way that is not known here.
pub fn by_rules(node: &SyntaxNode, ingress: &[&str], egress: &[&str]) -> [bool; 2] {
    let mut all = ingress.iter().chain(egress);
    if all.all(|key| node.get(key).is_none()) {
        return [true, true];
    }
    [ingress, egress].map(|keys| keys.iter().any(|key| has(node, key)))
}
