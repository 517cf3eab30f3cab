//! Fields of trees that several kinds share.

use crate::model::doors::BackendPort;
use crate::model::{Requirement, Selector};
use crate::tree::SyntaxNode;

/// The value at some keys, one inside the other.
pub fn at<'n>(node: &'n SyntaxNode, keys: &[&str]) -> Option<&'n SyntaxNode> {
    keys.iter().try_fold(node, |node, key| node.get(key))
}

/// The items of the list at some keys.
pub fn items<'n>(node: &'n SyntaxNode, keys: &[&str]) -> &'n [SyntaxNode] {
    at(node, keys).map(SyntaxNode::items).unwrap_or_default()
}

/// The text at some keys, if it is not empty.
pub fn text(node: &SyntaxNode, keys: &[&str]) -> Option<Box<str>> {
    let text = at(node, keys)?.as_str()?;
    (!text.is_empty()).then(|| text.into())
}

/// The texts of the list at some keys.
pub fn texts(node: &SyntaxNode, keys: &[&str]) -> Vec<Box<str>> {
    let items = items(node, keys).iter();
    items
        .filter_map(|item| Some(item.as_str()?.into()))
        .collect()
}

/// An annotation.
pub fn annotation(node: &SyntaxNode, key: &str) -> Option<Box<str>> {
    text(node, &["metadata", "annotations", key])
}

/// A port number.
pub fn port(node: &SyntaxNode) -> Option<u16> {
    u16::try_from(node.as_i64()?).ok().filter(|port| *port > 0)
}

/// A port by its number or its name; digits are the number.
pub fn port_or_name(node: Option<&SyntaxNode>) -> BackendPort {
    let Some(node) = node else {
        return BackendPort::Unnamed;
    };
    if let Some(number) = port(node) {
        return BackendPort::Number(number);
    }
    match node.as_str() {
        Some(name) if !name.is_empty() => BackendPort::Name(name.into()),
        _ => BackendPort::Unnamed,
    }
}

/// What selects by a map of labels: all of them, with these values.
pub fn carrying(labels: &SyntaxNode) -> Selector {
    let entries = labels.entries().iter();
    Selector::new(entries.map(|entry| {
        let value = entry.value.as_str().unwrap_or_default();
        Requirement::In(entry.key.clone(), vec![value.into()])
    }))
}

/// A label selector; `None` if it cannot be read.
pub fn selector(node: &SyntaxNode) -> Option<Selector> {
    let labels = node.get("matchLabels").map(SyntaxNode::entries);
    let mut requirements = Vec::new();
    for entry in labels.unwrap_or_default() {
        let value = entry.value.as_str()?;
        requirements.push(Requirement::In(entry.key.clone(), vec![value.into()]));
    }
    for expression in items(node, &["matchExpressions"]) {
        let key = text(expression, &["key"])?;
        let values = texts(expression, &["values"]);
        requirements.push(match expression.get("operator")?.as_str()? {
            "In" => Requirement::In(key, values),
            "NotIn" => Requirement::NotIn(key, values),
            "Exists" => Requirement::Exists(key),
            "DoesNotExist" => Requirement::DoesNotExist(key),
            _ => return None,
        });
    }
    Some(Selector::new(requirements))
}

/// What a condition of a status says, of the generation that was loaded (DO73); `None` where no
/// such condition is there.
pub fn condition(holder: &SyntaxNode, kind: &str, generation: Option<i64>) -> Option<bool> {
    let conditions = items(holder, &["conditions"]).iter();
    let mut of_kind = conditions.filter(|c| text(c, &["type"]).as_deref() == Some(kind));
    let found = of_kind.next()?;
    let observed = at(found, &["observedGeneration"]).and_then(SyntaxNode::as_i64);
    if let (Some(observed), Some(generation)) = (observed, generation)
        && observed < generation
    {
        return None;
    }
    match found.get("status")?.as_str()? {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    }
}

/// The generation of an object.
pub fn generation(node: &SyntaxNode) -> Option<i64> {
    at(node, &["metadata", "generation"])?.as_i64()
}
