//! Pod templates by their shape, in objects of kinds that no row knows: labels beside containers,
//! at any depth, and whole objects inside other objects.
//!
//! Labels are certain as far as a template says. A template without containers only changes one
//! that its operator has, and says nothing alone. Cost: O(nodes of the object).

use crate::load::made::custom::CustomObject;
use crate::load::made::expression::ExpressionScope;
use crate::load::made::fill::text_of;
use crate::load::made::outcome::Made;
use crate::load::object::MadePods;
use crate::load::workloads;
use crate::load::workloads::{PodDraft, WorkloadDraft};
use crate::model::open_labels::at_run_time;
use crate::model::{Labels, MadeWorkload};
use crate::tree::SyntaxNode;
use std::sync::Arc;

/// So many templates of one object are read.
const MOST: usize = 64;

/// Whether an object holds a pod template.
pub fn has_template(node: &SyntaxNode) -> bool {
    let mut found = Vec::new();
    search(node, &mut Vec::new(), &mut found);
    !found.is_empty()
}

/// The pods of the templates that an object holds.
pub fn made_of(custom: &CustomObject) -> Made {
    let mut found = Vec::new();
    search(&custom.node, &mut Vec::new(), &mut found);
    let several = found.len() > 1;
    let row: Arc<str> = "its pod template".into();
    let pods = found.into_iter().map(|(path, holder)| {
        let role = if several {
            path.join("-")
        } else {
            "pod".to_owned()
        };
        let draft = match holder {
            Holder::Template(template) => workloads::draft(Some(template)),
            Holder::Object(kind, node) => of_object(kind, node),
        };
        made_pods(custom, &role, draft, &row)
    });
    Made {
        pods: pods.collect(),
        ..Made::default()
    }
}

/// The pods of an object inside another one, with the labels that a row adds.
pub fn inside(
    part: &SyntaxNode,
    node: &SyntaxNode,
    custom: &CustomObject,
    scope: ExpressionScope<'_>,
) -> Vec<MadePods> {
    let mut found = Vec::new();
    search_all(node, &mut Vec::new(), &mut found);
    let row: Arc<str> = "its pod template".into();
    let name = node.get("metadata").and_then(|m| text_of(m, "name"));
    let entries = |key: &str| part.get(key).map(SyntaxNode::entries).unwrap_or_default();
    let mut made = Vec::new();
    for (path, holder) in found {
        let draft = match holder {
            Holder::Template(template) => workloads::draft(Some(template)),
            Holder::Object(kind, node) => of_object(kind, node),
        };
        let set = entries("labels")
            .iter()
            .filter_map(|e| Some((&*e.key, scope.filled(e.value.as_str()?)?)));
        let open = entries("runtime")
            .iter()
            .map(|e| (&*e.key, at_run_time("")));
        let own = draft
            .labels
            .iter()
            .map(|(key, value)| (key, value.to_owned()));
        let labels: Labels = own.chain(set).chain(open).collect();
        let role = name.map_or_else(|| path.join("-"), str::to_owned);
        let draft = PodDraft {
            labels: Arc::new(labels),
            ..draft
        };
        let role = if role.is_empty() {
            "pod".to_owned()
        } else {
            role
        };
        let mut pods = made_pods(custom, &role, draft, &row);
        if let Some(name) = name {
            pods.made.pods = format!("{name}-*").into();
        }
        made.push(pods);
    }
    made
}

fn made_pods(custom: &CustomObject, role: &str, draft: PodDraft, row: &Arc<str>) -> MadePods {
    MadePods {
        namespace: None,
        made: MadeWorkload {
            kind: (&*custom.kind).into(),
            object: custom.name.clone(),
            role: role.into(),
            pods: format!("{}-*", custom.name).into(),
            row: Arc::clone(row),
        },
        draft: PodDraft {
            name: "".into(),
            replicas: 0,
            ..draft
        },
    }
}

/// The pod of a controller of the API proper, with the labels that it adds.
fn of_object(kind: crate::model::WorkloadKind, node: &SyntaxNode) -> PodDraft {
    let workload = WorkloadDraft::new(kind, node);
    let name = node
        .get("metadata")
        .and_then(|m| text_of(m, "name"))
        .unwrap_or_default();
    let pods = workload.template_pods(name);
    pods.into_iter().next().unwrap_or(workload.draft)
}

/// What holds a pod's labels and containers.
enum Holder<'n> {
    Template(&'n SyntaxNode),
    Object(crate::model::WorkloadKind, &'n SyntaxNode),
}

type FoundTemplates<'n> = Vec<(Vec<String>, Holder<'n>)>;

/// The templates below the root of an object.
fn search<'n>(node: &'n SyntaxNode, path: &mut Vec<String>, found: &mut FoundTemplates<'n>) {
    let inner = node.entries().iter();
    let inner = inner.filter(|e| !matches!(&*e.key, "metadata" | "status"));
    for entry in inner {
        step(&entry.key, &entry.value, path, found);
    }
}

fn search_all<'n>(node: &'n SyntaxNode, path: &mut Vec<String>, found: &mut FoundTemplates<'n>) {
    if found.len() >= MOST {
        return;
    }
    if let Some(kind) = workload_kind(node) {
        return found.push((path.clone(), Holder::Object(kind, node)));
    }
    if is_template(node) {
        return found.push((path.clone(), Holder::Template(node)));
    }
    for entry in node.entries() {
        step(&entry.key, &entry.value, path, found);
    }
    for (at, item) in node.items().iter().enumerate() {
        let name = text_of(item, "name").map_or_else(|| at.to_string(), str::to_owned);
        path.push(name);
        search_all(item, path, found);
        path.pop();
    }
}

fn step<'n>(
    key: &str,
    node: &'n SyntaxNode,
    path: &mut Vec<String>,
    found: &mut FoundTemplates<'n>,
) {
    let silent = matches!(key, "spec" | "template" | "podTemplate" | "podTemplateSpec");
    if !silent {
        path.push(key.to_owned());
    }
    search_all(node, path, found);
    if !silent {
        path.pop();
    }
}

/// A controller or a pod of the API proper that is written out, inside another object.
fn workload_kind(node: &SyntaxNode) -> Option<crate::model::WorkloadKind> {
    let (version, kind) = (text_of(node, "apiVersion")?, text_of(node, "kind")?);
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let kind = workloads::kind(group, kind)?;
    (!WorkloadDraft::new(kind, node).patch).then_some(kind)
}

/// Whether a node is a pod template: labels beside containers.
fn is_template(node: &SyntaxNode) -> bool {
    let containers = node.get("spec").and_then(|s| s.get("containers"));
    let labels = node.get("metadata").and_then(|m| m.get("labels"));
    containers.is_some_and(|c| !c.items().is_empty()) && labels.is_some()
}
