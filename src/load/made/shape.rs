//! Pod templates by their shape, in objects of kinds that no row knows: labels beside containers,
//! at any depth, and whole objects inside other objects.
//!
//! Labels are certain as far as a template says. A template without containers only changes one
//! that its operator has, and says nothing alone. Cost: O(nodes of the object).

use crate::load::made::custom::CustomObject;
use crate::load::made::expression::ExpressionScope;
use crate::load::made::fill::text_of;
use crate::load::made::outcome::Made;
use crate::load::made::table;
use crate::load::object::MadePods;
use crate::load::workloads;
use crate::load::workloads::{PodDraft, WorkloadDraft};
use crate::model::open_labels::at_run_time;
use crate::model::{Labels, MadeWorkload};
use crate::tree::SyntaxNode;
use std::sync::Arc;

/// So many templates of one object are read.
const MOST: usize = 64;

/// Whether objects of a kind only describe pods that others are made of: nothing runs because of
/// them alone. What waits in a queue is made by the object that it is about, and values of a chart
/// become pods through the chart.
pub fn only_describes(group: &str, kind: &str) -> bool {
    const DESCRIBING: [&str; 9] = [
        "Composition",
        "CompositionRevision",
        "ComponentDefinition",
        "WorkloadDefinition",
        "TraitDefinition",
        "PolicyDefinition",
        "ResourceGraphDefinition",
        "TrainingRuntime",
        "ClusterTrainingRuntime",
    ];
    const FOR_OTHERS: [(&str, &str); 4] = [
        ("kueue.x-k8s.io", "Workload"),
        ("helm.toolkit.fluxcd.io", "HelmRelease"),
        ("argoproj.io", "Application"),
        ("argoproj.io", "ApplicationSet"),
    ];
    FOR_OTHERS.contains(&(group, kind)) || kind.ends_with("Template") || DESCRIBING.contains(&kind)
}

/// Whether an object holds a pod template, or an object that a row is about.
pub fn has_template(node: &SyntaxNode, rows: &[SyntaxNode]) -> bool {
    !templates(node, rows).is_empty()
}

/// The templates below the root of an object.
fn templates<'n>(node: &'n SyntaxNode, rows: &[SyntaxNode]) -> Vec<(Vec<String>, Holder<'n>)> {
    let mut search = TemplateSearch::new(rows);
    let inner = node.entries().iter();
    for entry in inner.filter(|e| !matches!(&*e.key, "metadata" | "status")) {
        search.step(&entry.key, &entry.value);
    }
    search.found
}

/// The pods of the templates that an object holds.
pub fn made_of(custom: &CustomObject, rows: &[SyntaxNode]) -> Made {
    let found = templates(&custom.node, rows);
    let several = found.len() > 1;
    let pods = found.into_iter().filter_map(|(path, holder)| {
        let role = if several {
            path.join("-")
        } else {
            String::new()
        };
        pods_of_holder(custom, &role, holder)
    });
    Made {
        pods: pods.collect(),
        ..Made::default()
    }
}

/// The objects inside another one that rows are about, as if they stood alone.
pub fn inner_objects(
    node: &SyntaxNode,
    custom: &CustomObject,
    rows: &[SyntaxNode],
) -> Vec<CustomObject> {
    let mut search = TemplateSearch::new(rows);
    search.below(node);
    let objects = search.found.into_iter().filter_map(|(_, holder)| {
        let Holder::Known(node) = holder else {
            return None;
        };
        let metadata = |key: &str| node.get("metadata").and_then(|m| text_of(m, key));
        let version = text_of(node, "apiVersion")?;
        Some(CustomObject {
            group: version.split_once('/').map_or("", |(g, _)| g).into(),
            kind: text_of(node, "kind")?.into(),
            name: metadata("name").unwrap_or_default().into(),
            namespace: match metadata("namespace") {
                Some(name) => name.into(),
                None => Arc::clone(&custom.namespace),
            },
            is_of_cluster: false,
            document: custom.document,
            node: node.clone(),
        })
    });
    objects.collect()
}

/// Gives pods of an inner object the name of the outer one, and the labels that a row adds.
pub fn as_inside(
    mut pods: MadePods,
    inner: &CustomObject,
    outer: &CustomObject,
    added: &[(Box<str>, String)],
) -> MadePods {
    let role = match &*inner.name {
        "" => pods.made.role.clone(),
        name => format!("{name}-{}", pods.made.role).into(),
    };
    pods.namespace
        .get_or_insert_with(|| inner.namespace.to_string());
    pods.made.kind = (&*outer.kind).into();
    pods.made.object = outer.name.clone();
    pods.made.role = role;
    pods.draft.labels = Arc::new(with_labels(&pods.draft.labels, added));
    pods
}

fn with_labels(labels: &Labels, added: &[(Box<str>, String)]) -> Labels {
    let own = labels.iter();
    own.chain(added.iter().map(|(key, value)| (&**key, &**value)))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// The labels that a row adds to the pods of what is inside.
pub fn added_labels(part: &SyntaxNode, scope: ExpressionScope<'_>) -> Vec<(Box<str>, String)> {
    let entries = |key: &str| part.get(key).map(SyntaxNode::entries).unwrap_or_default();
    let set = entries("labels").iter();
    let set = set.filter_map(|e| Some((e.key.clone(), scope.filled(e.value.as_str()?)?)));
    let open = entries("runtime").iter();
    let open = open.map(|e| (e.key.clone(), at_run_time("")));
    set.chain(open).collect()
}

/// The pods of an object inside another one, with the labels that a row adds.
pub fn inside(
    node: &SyntaxNode,
    custom: &CustomObject,
    rows: &[SyntaxNode],
    added: &[(Box<str>, String)],
) -> Vec<MadePods> {
    let mut search = TemplateSearch::new(rows);
    search.below(node);
    let made = search.found.into_iter().filter_map(|(path, holder)| {
        let mut pods = pods_of_holder(custom, &path.join("-"), holder)?;
        pods.draft.labels = Arc::new(with_labels(&pods.draft.labels, added));
        Some(pods)
    });
    made.collect()
}

/// The pods of what holds a pod template; those of an object are called and placed as it says.
fn pods_of_holder(custom: &CustomObject, role: &str, holder: Holder<'_>) -> Option<MadePods> {
    let row: Arc<str> = "its pod template".into();
    let role = if role.is_empty() { "pod" } else { role };
    match holder {
        Holder::Template(template) => {
            let draft = workloads::draft(Some(template));
            Some(made_pods(custom, role, draft, &row))
        }
        Holder::Object(kind, node) => {
            let metadata = |key: &str| node.get("metadata").and_then(|m| text_of(m, key));
            let name = metadata("name");
            let mut pods = made_pods(custom, name.unwrap_or(role), of_object(kind, node), &row);
            pods.namespace = metadata("namespace").map(str::to_owned);
            if let Some(name) = name {
                pods.made.pods = pod_names(kind, name).into();
            }
            Some(pods)
        }
        Holder::Known(_) => None,
    }
}

/// How the pods of a workload of the API proper are called.
fn pod_names(kind: crate::model::WorkloadKind, name: &str) -> String {
    match kind {
        crate::model::WorkloadKind::Pod => name.to_owned(),
        crate::model::WorkloadKind::StatefulSet => format!("{name}-#"),
        _ => format!("{name}-*"),
    }
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
        perhaps_ports: Vec::new(),
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
    /// An object of a kind that a row is about.
    Known(&'n SyntaxNode),
}

/// A search for templates, and where it is.
struct TemplateSearch<'n, 'r> {
    rows: &'r [SyntaxNode],
    path: Vec<String>,
    found: Vec<(Vec<String>, Holder<'n>)>,
}

impl<'n, 'r> TemplateSearch<'n, 'r> {
    fn new(rows: &'r [SyntaxNode]) -> Self {
        Self {
            rows,
            path: Vec::new(),
            found: Vec::new(),
        }
    }

    fn below(&mut self, node: &'n SyntaxNode) {
        if self.found.len() >= MOST {
            return;
        }
        let holder = match workload_kind(node) {
            Some(kind) => Some(Holder::Object(kind, node)),
            None if self.is_known(node) => Some(Holder::Known(node)),
            None => is_template(node).then_some(Holder::Template(node)),
        };
        if let Some(holder) = holder {
            return self.found.push((self.path.clone(), holder));
        }
        for entry in node.entries() {
            self.step(&entry.key, &entry.value);
        }
        for (at, item) in node.items().iter().enumerate() {
            let name = text_of(item, "name").map_or_else(|| at.to_string(), str::to_owned);
            self.path.push(name);
            self.below(item);
            self.path.pop();
        }
    }

    fn step(&mut self, key: &str, node: &'n SyntaxNode) {
        let silent = matches!(key, "spec" | "template" | "podTemplate" | "podTemplateSpec");
        if !silent {
            self.path.push(key.to_owned());
        }
        let named = ["emplate", "emplateSpec"]
            .iter()
            .any(|end| key.ends_with(end));
        if named && is_unlabelled(node) && self.found.len() < MOST {
            self.found.push((self.path.clone(), Holder::Template(node)));
        } else {
            self.below(node);
        }
        if !silent {
            self.path.pop();
        }
    }

    /// Whether a node is a whole object of a kind that a row is about.
    fn is_known(&self, node: &SyntaxNode) -> bool {
        let (Some(version), Some(kind)) = (text_of(node, "apiVersion"), text_of(node, "kind"))
        else {
            return false;
        };
        let group = version.split_once('/').map_or("", |(group, _)| group);
        node.get("spec").is_some() && !table::rows(self.rows, group, kind).is_empty()
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

/// Whether a node that is called a template has containers that run, and no labels.
fn is_unlabelled(node: &SyntaxNode) -> bool {
    let containers = node.get("spec").and_then(|s| s.get("containers"));
    let containers = containers.map(SyntaxNode::items).unwrap_or_default();
    let runs = |c: &SyntaxNode| c.get("image").is_some();
    !containers.is_empty() && containers.iter().all(runs) && workload_kind(node).is_none()
}
