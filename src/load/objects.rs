//! Documents -> objects, sorted by what they are. Lists are opened; what is no plain object is recognized and explained.

use super::read::Said;
use crate::policy::dialects;
use crate::source::{DocumentId, Path};
use crate::tree::{Node, Sniffed};

/// An object of the API, wherever it stood: a document of its own or an item of a List.
#[derive(Debug, Clone)]
pub struct Object {
    /// `apiVersion`; empty when not given.
    pub api_version: Box<str>,
    /// `kind`.
    pub kind: Box<str>,
    /// `metadata.name`, or `metadata.generateName`.
    pub name: Box<str>,
    /// `metadata.namespace`, where given and not empty.
    pub namespace: Option<Box<str>>,
    /// The document.
    pub document: DocumentId,
    /// The tree.
    pub node: Node,
    /// Whether it comes from an overlay, so that replacing an earlier one is what was wanted.
    pub overlay: bool,
}

impl Object {
    /// The group of its `apiVersion`; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
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
    let kind = root.get("kind").and_then(Node::as_str).unwrap_or_default().to_owned();
    if kind.is_empty() {
        return Shape::NoKind;
    }
    if kind == "Template" && root.get("objects").is_some() {
        let is_policy = |n: &Node| n.get("kind").and_then(Node::as_str).is_some_and(dialects::may_be_policy_kind);
        let policies = root.get("objects").is_some_and(|o| o.items().iter().any(is_policy));
        return Shape::Template { policies };
    }
    let is_list = kind.ends_with("List")
        && root.get("items").is_some_and(|i| i.is_null() || !i.items().is_empty() || i.kind_name() == "a list");
    if is_list { Shape::Objects(open(root, &Path::root(), 0)) } else { Shape::Objects(vec![(Path::root(), root)]) }
}

/// The items of a List, of Lists in Lists too; items of a typed List inherit what they do not say.
fn open(list: Node, base: &Path, depth: usize) -> Vec<(Path, Node)> {
    let word = |key: &str| list.get(key).and_then(Node::as_str).map(str::to_owned);
    let (kind, version) = (word("kind").unwrap_or_default(), word("apiVersion"));
    let inherited = kind.strip_suffix("List").filter(|k| !k.is_empty());
    let mut objects = Vec::new();
    for (i, mut item) in items(list).into_iter().enumerate() {
        let path = base.key("items").index(i);
        if item.get("kind").and_then(Node::as_str).is_some_and(|k| k.ends_with("List"))
            && item.get("items").is_some()
            && depth < 8
        {
            objects.extend(open(item, &path, depth + 1));
            continue;
        }
        if let (Some(kind), None) = (inherited, item.get("kind")) {
            add(&mut item, "kind", kind);
        }
        if let (Some(version), None) = (version.as_deref(), item.get("apiVersion"))
            && inherited.is_some()
        {
            add(&mut item, "apiVersion", version);
        }
        objects.push((path, item));
    }
    objects
}

/// The items of a List, taken out of it.
fn items(list: Node) -> Vec<Node> {
    use crate::tree::Value;
    let Value::Mapping(entries) = list.value else { return Vec::new() };
    match entries.into_iter().find(|e| &*e.key == "items").map(|e| e.value.value) {
        Some(Value::Sequence(items)) => items,
        _ => Vec::new(),
    }
}

fn add(node: &mut Node, key: &str, value: &str) {
    use crate::tree::{Entry, Value};
    let span = node.span;
    if let Value::Mapping(entries) = &mut node.value {
        let value = Node { span, value: Value::String(value.into()) };
        entries.push(Entry { key: key.into(), key_span: span, value });
    }
}

/// Reads what every object has. `None` when it is no object: no mapping, no kind, no name.
pub fn object(node: Node, document: DocumentId) -> Option<Object> {
    let text = |key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default().into();
    let metadata = node.get("metadata");
    let meta = |key: &str| metadata.and_then(|m| m.get(key)).and_then(Node::as_str).filter(|s| !s.is_empty());
    let name = meta("name").or_else(|| meta("generateName")).unwrap_or_default().into();
    let object = Object {
        api_version: text("apiVersion"),
        kind: text("kind"),
        name,
        namespace: meta("namespace").map(Into::into),
        document,
        node,
        overlay: false,
    };
    (!object.kind.is_empty()).then_some(object)
}

/// The kinds that tell which traffic is meant to pass, by the group of their API.
const MENTIONS: [(&str, &[&str]); 6] = [
    ("networking.k8s.io", &["Ingress", "IngressClass"]),
    ("gateway.networking.k8s.io", &["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"]),
    ("route.openshift.io", &["Route"]),
    ("monitoring.coreos.com", &["ServiceMonitor", "PodMonitor"]),
    ("admissionregistration.k8s.io", &["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"]),
    ("rbac.authorization.k8s.io", &["RoleBinding", "ClusterRoleBinding"]),
];

/// Whether an object of this kind tells which traffic is meant to pass.
pub fn is_mention(api_version: &str, kind: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    MENTIONS.iter().any(|(g, kinds)| *g == group && kinds.contains(&kind))
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
            if kind == "NetworkPolicy" && (version.is_empty() || version.starts_with("networking.k8s.io/")) {
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
