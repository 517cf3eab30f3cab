//! [`CustomObject`]: an object of a kind that is no part of the API proper, kept as a tree until
//! all objects are read, because what it makes may depend on others.

use crate::load::made::expression::ExpressionScope;
use crate::load::made::fill::text_of;
use crate::source::DocumentId;
use crate::tree;
use crate::tree::{SyntaxNode, Value};
use std::sync::Arc;

/// An object of a kind whose controller makes others.
#[derive(Debug, Clone)]
pub struct CustomObject {
    /// The group of its API.
    pub group: Box<str>,
    /// Its kind.
    pub kind: Arc<str>,
    /// Its name, or the start of it.
    pub name: Box<str>,
    /// Its namespace, or the one that it gets.
    pub namespace: Arc<str>,
    /// Whether its kind is in no namespace.
    pub is_of_cluster: bool,
    /// Its document.
    pub document: DocumentId,
    /// What it says.
    pub node: SyntaxNode,
}

impl CustomObject {
    /// What expressions about it look at.
    pub fn scope(&self) -> ExpressionScope<'_> {
        let metadata = self.node.get("metadata");
        ExpressionScope {
            object: &self.node,
            name: metadata.and_then(|m| text_of(m, "name")),
            namespace: &self.namespace,
            item: None,
            key: None,
        }
    }

    /// The value of one of its labels.
    pub fn label(&self, key: &str) -> Option<&str> {
        text_of(self.node.get("metadata")?.get("labels")?, key)
    }

    /// Kind, namespace and name, as it is printed; of what is in no namespace without one.
    pub fn full_name(&self) -> String {
        let told = self
            .node
            .get("metadata")
            .and_then(|m| text_of(m, "namespace"));
        if told.is_none() && self.is_of_cluster {
            return format!("{} {}", self.kind, self.name);
        }
        format!("{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// An object whose spec has texts that are trees of their own, with these as trees.
pub fn parsed(mut node: SyntaxNode, row: &SyntaxNode) -> SyntaxNode {
    let keys = row.get("parsed").map(SyntaxNode::items).unwrap_or_default();
    let Value::Mapping(entries) = &mut node.value else {
        return node;
    };
    let spec = entries.iter_mut().find(|e| &*e.key == "spec");
    let Some(Value::Mapping(fields)) = spec.map(|spec| &mut spec.value.value) else {
        return node;
    };
    for key in keys.iter().filter_map(SyntaxNode::as_str) {
        let field = fields.iter_mut().find(|e| &*e.key == key);
        let Some((text, field)) = field.and_then(|f| Some((f.value.as_str()?.to_owned(), f)))
        else {
            continue;
        };
        let chunks = tree::split(&text);
        if let Some(root) = chunks.first().and_then(|c| tree::parse(&text, c).root) {
            field.value = root;
        }
    }
    node
}

/// The elements that a part of a row repeats itself for: one where it does not.
pub fn each<'a>(
    part: &'a SyntaxNode,
    scope: ExpressionScope<'a>,
    others: &'a [CustomObject],
) -> Vec<ExpressionScope<'a>> {
    let Some(each) = part.get("each") else {
        return vec![scope];
    };
    let of_item = |item: &'a SyntaxNode| ExpressionScope {
        item: Some(item),
        ..scope
    };
    if let Some(objects) = text_of(each, "objects") {
        let label = text_of(each, "label").unwrap_or_default();
        let belongs = |other: &&CustomObject| {
            objects == format!("{}.{}", other.kind, other.group)
                && *other.namespace == *scope.namespace
                && scope.name.is_some()
                && other.label(label) == scope.name
        };
        let others = others.iter().filter(belongs);
        return others.map(|other| of_item(&other.node)).collect();
    }
    if let Some(kind) = text_of(each, "missing") {
        let found = referred(kind, each, scope, others);
        return if found.is_none() {
            vec![scope]
        } else {
            Vec::new()
        };
    }
    let path = each.as_str().or_else(|| text_of(each, "list"));
    if let Some(kind) = text_of(each, "object") {
        let other = referred(kind, each, scope, others);
        let list = other.and_then(|other| other.scope().node(path.unwrap_or_default()));
        return list
            .map(SyntaxNode::items)
            .unwrap_or_default()
            .iter()
            .map(of_item)
            .collect();
    }
    match path.and_then(|path| scope.first_node(path)) {
        Some(found) if !found.entries().is_empty() => {
            let keyed = |entry: &'a crate::tree::Entry| ExpressionScope {
                key: Some(&entry.key),
                ..of_item(&entry.value)
            };
            found.entries().iter().map(keyed).collect()
        }
        Some(found) if !found.items().is_empty() => found.items().iter().map(of_item).collect(),
        _ => {
            let otherwise = each.get("else").map(SyntaxNode::items).unwrap_or_default();
            otherwise.iter().map(of_item).collect()
        }
    }
}

/// The object of a kind that a path of an object names.
fn referred<'a>(
    kind: &str,
    each: &SyntaxNode,
    scope: ExpressionScope<'a>,
    others: &'a [CustomObject],
) -> Option<&'a CustomObject> {
    let name = text_of(each, "named").and_then(|path| scope.text(path))?;
    others.iter().find(|other| {
        kind == format!("{}.{}", other.kind, other.group)
            && *other.namespace == *scope.namespace
            && *other.name == *name
    })
}

/// What tells an element from the others of its list: its name, or its key.
pub fn element_name(scope: ExpressionScope<'_>) -> Option<std::borrow::Cow<'_, str>> {
    let names = "key|item.name|item.component|item.groupName|item.metadata.name";
    let mut each = names.split('|').filter_map(|name| scope.text(name));
    each.next()
}
