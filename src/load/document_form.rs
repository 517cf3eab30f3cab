//! [`DocumentForm`]: what a document is: one object, a List of objects, a Template, or no object.
//!
//! Lists are opened; items of a typed List inherit the kind and version that they leave out.

use crate::load::kustomization;
use crate::load::refusal;
use crate::policy::dialects;
use crate::source::Path;
use crate::tree::{Problem, ProblemKind, SyntaxNode};

/// What a piece of text turned out to be.
#[derive(Debug)]
pub enum DocumentForm {
    /// Objects, each with the path that leads to it.
    Objects(Vec<(Path, SyntaxNode)>),
    /// An `OpenShift` Template; whether its objects include policies.
    Template {
        /// Whether one of its objects is a policy.
        policies: bool,
        /// What it says.
        root: Box<SyntaxNode>,
    },
    /// A List whose items are none.
    BadList(Problem),
    /// An object but for its kind, which it does not say.
    Unusable(Problem),
    /// Something that says no kind: values, a patch of operations, a Compose file. What is to be
    /// said of it if it is a Kustomization.
    NoKind(Option<String>),
}

/// Classifies a tree.
pub fn classify(root: SyntaxNode) -> DocumentForm {
    let kind = root
        .get("kind")
        .and_then(SyntaxNode::as_str)
        .unwrap_or_default()
        .to_owned();
    if kind.is_empty() {
        return match without_kind(&root) {
            Some(problem) => DocumentForm::Unusable(problem),
            None => DocumentForm::NoKind(kustomization::remark(&root)),
        };
    }
    if kind == "Template" && root.get("objects").is_some() {
        let is_policy = |n: &SyntaxNode| {
            n.get("kind")
                .and_then(SyntaxNode::as_str)
                .is_some_and(dialects::may_be_policy_kind)
        };
        let policies = root
            .get("objects")
            .is_some_and(|o| o.items().iter().any(is_policy));
        let root = Box::new(root);
        return DocumentForm::Template { policies, root };
    }
    match root.get("items").filter(|_| kind.ends_with("List")) {
        Some(items) if !items.is_null() && items.kind_name() != "a list" => {
            let message = format!(
                "items of a {kind} must be a list, not {}",
                items.kind_name()
            );
            DocumentForm::BadList(Problem::new(ProblemKind::WrongType, items.span, message))
        }
        Some(_) => {
            let cut = refusal::of_cut_list(&root);
            let mut objects = open(root, &Path::root(), 0);
            objects.extend(cut.map(|cut| (Path::root(), cut)));
            DocumentForm::Objects(objects)
        }
        None => {
            let root = refusal::of_status(&root).unwrap_or(root);
            DocumentForm::Objects(vec![(Path::root(), root)])
        }
    }
}

/// What is wrong with a document that is an object but for its kind.
fn without_kind(root: &SyntaxNode) -> Option<Problem> {
    let is_mapping = |key: &str| root.get(key).is_some_and(|n| n.kind_name() == "a mapping");
    if root
        .get("kind")
        .is_some_and(|kind| !kind.is_null() && kind.as_str() != Some(""))
    {
        let span = root.entry("kind")?.key_span;
        let message = "kind is not a string, so the API server refuses the object";
        return Some(Problem::new(ProblemKind::WrongType, span, message));
    }
    let has = |key: &str| root.get(key).is_some();
    let has_parts = has("metadata") || has("spec") || has("kind");
    let is_object = is_mapping("metadata") && is_mapping("spec") || has("apiVersion") && has_parts;
    if is_object {
        let message = "an object without a kind: the API server refuses it";
        return Some(Problem::new(ProblemKind::WrongType, root.span, message));
    }
    let is_item = |n: &SyntaxNode| n.get("kind").is_some() && n.get("apiVersion").is_some();
    let item = root.items().iter().find(|item| is_item(item))?;
    let message = "objects in a bare list: kubectl refuses it";
    Some(
        Problem::new(ProblemKind::WrongType, item.span, message)
            .help("separate the objects by lines of ---, or write kind: List and items:"),
    )
}

/// The items of a List, of Lists in Lists too; items of a typed List inherit what they do not say.
fn open(list: SyntaxNode, base: &Path, depth: usize) -> Vec<(Path, SyntaxNode)> {
    let word = |key: &str| {
        list.get(key)
            .and_then(SyntaxNode::as_str)
            .map(str::to_owned)
    };
    let (kind, version) = (word("kind").unwrap_or_default(), word("apiVersion"));
    let mut objects = Vec::new();
    for (i, mut item) in items(list).into_iter().enumerate() {
        let path = base.key("items").index(i);
        if is_list(&item) && depth < 8 {
            objects.extend(open(item, &path, depth + 1));
            continue;
        }
        inherit(&mut item, &kind, version.as_deref());
        objects.push((path, item));
    }
    objects
}

/// Whether an item is a List itself.
pub fn is_list(item: &SyntaxNode) -> bool {
    item.get("kind")
        .and_then(SyntaxNode::as_str)
        .is_some_and(|k| k.ends_with("List"))
        && item.get("items").is_some()
}

/// Gives an item of a typed List the kind and version it does not say.
pub fn inherit(item: &mut SyntaxNode, list_kind: &str, version: Option<&str>) {
    let Some(kind) = list_kind.strip_suffix("List").filter(|k| !k.is_empty()) else {
        return;
    };
    if item.get("kind").is_none() {
        add(item, "kind", kind);
    }
    if let (Some(version), None) = (version, item.get("apiVersion")) {
        add(item, "apiVersion", version);
    }
}

/// The items of a List, taken out of it.
fn items(list: SyntaxNode) -> Vec<SyntaxNode> {
    use crate::tree::Value;
    let Value::Mapping(entries) = list.value else {
        return Vec::new();
    };
    match entries
        .into_iter()
        .find(|e| &*e.key == "items")
        .map(|e| e.value.value)
    {
        Some(Value::Sequence(items)) => items,
        _ => Vec::new(),
    }
}

/// Sets a field of a mapping to a text.
pub fn set(node: &mut SyntaxNode, key: &str, value: &str) {
    if let crate::tree::Value::Mapping(entries) = &mut node.value {
        entries.retain(|e| *e.key != *key);
    }
    add(node, key, value);
}

fn add(node: &mut SyntaxNode, key: &str, value: &str) {
    use crate::tree::{Entry, Value};
    let span = node.span;
    if let Value::Mapping(entries) = &mut node.value {
        let value = SyntaxNode {
            span,
            value: Value::String(value.into()),
        };
        entries.push(Entry {
            key: key.into(),
            key_span: span,
            value,
        });
    }
}
