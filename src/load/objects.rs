//! Trees -> objects: what an object adds to the world or the law, as small as can be, so that its
//! tree can go at once.
//!
//! Lists are opened; what is no plain object is recognized and explained. Everything here looks at
//! one object alone, so it runs on all cores, right behind the reader.

use crate::load::LoadOptions;
use crate::load::read::Said;
use crate::load::workloads;
use crate::load::workloads::Facts;
use crate::load::world;
use crate::model;
use crate::policy::dialects;
use crate::policy::dialects::{Header, Lowered};
use crate::source::{Base, DocumentId, Path, Position};
use crate::tree::{Chunk, Node, Sniffed};
use std::sync::Arc;

/// An object of the API, wherever it stood: a document of its own or an item of a List.
#[derive(Debug)]
pub struct Object {
    /// `apiVersion`; empty when not given.
    pub api_version: Arc<str>,
    /// `kind`.
    pub kind: Arc<str>,
    /// `metadata.name`, or `metadata.generateName`.
    pub name: Box<str>,
    /// `metadata.namespace`, where given and not empty.
    pub namespace: Option<Arc<str>>,
    /// The document.
    pub document: DocumentId,
    /// What it adds.
    pub part: Part,
    /// Labels the API server refuses, a message each.
    pub refused: Box<[String]>,
    /// Whether it comes from an overlay, so that replacing an earlier one is what was wanted.
    pub overlay: bool,
}

/// What an object adds.
#[derive(Debug)]
pub enum Part {
    /// A namespace with its labels.
    Namespace(Box<model::Labels>),
    /// A node.
    Node(Box<model::Node>),
    /// A service, its namespace still to be looked up.
    Service(Box<model::Service>),
    /// A pod, or a controller of pods.
    Workload(Box<Facts>),
    /// A policy, its document still to be told.
    Policy(Box<Lowered>),
    /// A policy of a kind that is known and not modelled, with the pods it selects.
    Unmodelled(Box<model::Selector>),
    /// It adds nothing, but tells which traffic is meant to pass.
    Mention,
    /// It adds nothing.
    Nothing,
}

/// An object and where it stands in its file.
#[derive(Debug)]
pub struct Item {
    /// The text that holds it.
    pub chunk: Chunk,
    /// Where it sits there.
    pub base: Base,
    /// Where it starts, for messages.
    pub at: Position,
    /// The object; none if it says no kind.
    pub object: Option<Object>,
}

impl Item {
    /// An object from its tree.
    pub fn new(node: &Node, chunk: Chunk, base: Base, options: &LoadOptions) -> Self {
        let at = node
            .entries()
            .first()
            .map_or(node.span.at, |e| e.key_span.at);
        Self {
            chunk,
            base,
            at,
            object: object(node, options),
        }
    }
}

impl Object {
    /// The group of its `apiVersion`; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// What is known of it as a workload, if it is one.
    pub fn facts(&self) -> Option<&Facts> {
        if let Part::Workload(facts) = &self.part {
            Some(facts)
        } else {
            None
        }
    }
}

/// What a piece of text turned out to be.
#[derive(Debug)]
pub enum Shape {
    /// Objects, each with the path that leads to it.
    Objects(Vec<(Path, Node)>),
    /// An `OpenShift` Template; whether its objects include policies.
    Template {
        /// Whether one of its objects is a policy.
        policies: bool,
    },
    /// Something that says no kind: values, a patch of operations, a Compose file.
    NoKind,
}

/// Tells what a tree is.
pub fn shape(root: Node) -> Shape {
    let kind = root
        .get("kind")
        .and_then(Node::as_str)
        .unwrap_or_default()
        .to_owned();
    if kind.is_empty() {
        return Shape::NoKind;
    }
    if kind == "Template" && root.get("objects").is_some() {
        let is_policy = |n: &Node| {
            n.get("kind")
                .and_then(Node::as_str)
                .is_some_and(dialects::may_be_policy_kind)
        };
        let policies = root
            .get("objects")
            .is_some_and(|o| o.items().iter().any(is_policy));
        return Shape::Template { policies };
    }
    let is_list = kind.ends_with("List")
        && root
            .get("items")
            .is_some_and(|i| i.is_null() || !i.items().is_empty() || i.kind_name() == "a list");
    if is_list {
        Shape::Objects(open(root, &Path::root(), 0))
    } else {
        Shape::Objects(vec![(Path::root(), root)])
    }
}

/// The items of a List, of Lists in Lists too; items of a typed List inherit what they do not say.
fn open(list: Node, base: &Path, depth: usize) -> Vec<(Path, Node)> {
    let word = |key: &str| list.get(key).and_then(Node::as_str).map(str::to_owned);
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
pub fn is_list(item: &Node) -> bool {
    item.get("kind")
        .and_then(Node::as_str)
        .is_some_and(|k| k.ends_with("List"))
        && item.get("items").is_some()
}

/// Gives an item of a typed List the kind and version it does not say.
pub fn inherit(item: &mut Node, list_kind: &str, version: Option<&str>) {
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
fn items(list: Node) -> Vec<Node> {
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

fn add(node: &mut Node, key: &str, value: &str) {
    use crate::tree::{Entry, Value};
    let span = node.span;
    if let Value::Mapping(entries) = &mut node.value {
        let value = Node {
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

/// Reads an object. `None` when it is none: no mapping, no kind.
fn object(node: &Node, options: &LoadOptions) -> Option<Object> {
    let text = |key: &str| {
        node.get(key)
            .and_then(Node::as_str)
            .unwrap_or_default()
            .into()
    };
    let metadata = node.get("metadata");
    let meta = |key: &str| {
        metadata
            .and_then(|m| m.get(key))
            .and_then(Node::as_str)
            .filter(|s| !s.is_empty())
    };
    let name = meta("name")
        .or_else(|| meta("generateName"))
        .unwrap_or_default()
        .into();
    let mut object = Object {
        api_version: text("apiVersion"),
        kind: text("kind"),
        name,
        namespace: meta("namespace").map(Into::into),
        document: UNTOLD,
        part: Part::Nothing,
        refused: Box::default(),
        overlay: false,
    };
    if object.kind.is_empty() {
        return None;
    }
    object.part = part(&object, node, options);
    if object.is_world() {
        object.refused = workloads::refused_labels(&object, node);
    }
    Some(object)
}

/// The document of what has none yet.
pub const UNTOLD: DocumentId = DocumentId(u32::MAX);

fn part(object: &Object, node: &Node, options: &LoadOptions) -> Part {
    if let Some(kind) = workloads::kind(object) {
        return Part::Workload(Box::new(Facts::new(kind, node)));
    }
    match (object.group(), &*object.kind) {
        ("", "Namespace") => return Part::Namespace(Box::new(workloads::labels(node))),
        ("", "Node") => return Part::Node(Box::new(world::node(&object.name, node))),
        ("", "Service") => return Part::Service(Box::new(world::service(&object.name, node))),
        _ => {}
    }
    if let Some(dialect) = dialects::find(&object.api_version, &object.kind) {
        let namespace = object.namespace.as_deref().unwrap_or(&options.namespace);
        let header = Header {
            name: &object.name,
            namespace,
            document: object.document,
        };
        return Part::Policy(Box::new((dialect.lower)(node, header)));
    }
    if let Some(row) = dialects::find_unmodelled(&object.api_version, &object.kind) {
        let labels = |field: &str| plain_labels(node.get("spec")?.get(field)?);
        return Part::Unmodelled(Box::new(row.selector.and_then(labels).unwrap_or_default()));
    }
    if is_mention(&object.api_version, &object.kind) {
        Part::Mention
    } else {
        Part::Nothing
    }
}

/// A selector of plain `matchLabels`, in the forms all dialects share; anything else may select
/// every pod.
fn plain_labels(node: &Node) -> Option<model::Selector> {
    let plain = |key: &str| {
        !key.contains(':') && !key.starts_with("io.kubernetes.") && !key.starts_with("io.cilium.")
    };
    let only = node.entries().iter().all(|e| &*e.key == "matchLabels");
    let labels = node.get("matchLabels")?.entries();
    if !only
        || !labels
            .iter()
            .all(|e| plain(&e.key) && e.value.as_str().is_some())
    {
        return None;
    }
    let one = |e: &crate::tree::Entry| {
        model::Requirement::In(
            e.key.clone(),
            vec![e.value.as_str().unwrap_or_default().into()],
        )
    };
    Some(model::Selector::new(labels.iter().map(one)))
}

impl Object {
    /// Whether it is part of the world.
    pub fn is_world(&self) -> bool {
        matches!(
            self.part,
            Part::Namespace(_) | Part::Node(_) | Part::Service(_) | Part::Workload(_)
        )
    }

    /// Whether it lives in a namespace.
    pub fn is_namespaced(&self) -> bool {
        match &self.part {
            Part::Namespace(_) | Part::Node(_) => false,
            Part::Policy(_) => {
                dialects::find(&self.api_version, &self.kind).is_none_or(|d| d.namespaced)
            }
            Part::Unmodelled(_) => dialects::find_unmodelled(&self.api_version, &self.kind)
                .is_none_or(|u| u.namespaced),
            _ => true,
        }
    }
}

/// The kinds that tell which traffic is meant to pass, by the group of their API.
const MENTIONS: [(&str, &[&str]); 6] = [
    ("networking.k8s.io", &["Ingress", "IngressClass"]),
    (
        "gateway.networking.k8s.io",
        &["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"],
    ),
    ("route.openshift.io", &["Route"]),
    ("monitoring.coreos.com", &["ServiceMonitor", "PodMonitor"]),
    (
        "admissionregistration.k8s.io",
        &[
            "ValidatingWebhookConfiguration",
            "MutatingWebhookConfiguration",
        ],
    ),
    (
        "rbac.authorization.k8s.io",
        &["RoleBinding", "ClusterRoleBinding"],
    ),
];

/// Whether an object of this kind tells which traffic is meant to pass.
pub fn is_mention(api_version: &str, kind: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    MENTIONS
        .iter()
        .any(|(g, kinds)| *g == group && kinds.contains(&kind))
}

/// What a document that could not be read may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// Surely no policy.
    None,
    /// A policy of a kind that acts in the Network tier of one namespace.
    Network,
    /// It may be any policy.
    Any,
}

/// Judges a document that could not be read by what its lines say.
pub fn suspect(said: &Said, text: &str) -> Suspicion {
    match said.kind.as_deref() {
        Some(kind) if !Sniffed::is_placeholder(kind) => {
            let version = said.api_version.as_deref().unwrap_or_default();
            if kind == "NetworkPolicy"
                && (version.is_empty() || version.starts_with("networking.k8s.io/"))
            {
                Suspicion::Network
            } else if dialects::may_be_policy_kind(kind)
                || (kind.ends_with("List") && text.contains("Policy"))
                || kind == "Template" && text.contains("Policy")
            {
                Suspicion::Any
            } else {
                Suspicion::None
            }
        }
        _ if text.contains("NetworkPolicy") => Suspicion::Any,
        Some(_) => Suspicion::Any,
        None => Suspicion::None,
    }
}
