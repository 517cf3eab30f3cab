//! Objects -> [`Cluster`]: namespaces, nodes, workloads with their pods, services.
//!
//! Pods owned by a loaded workload belong to it and replace its template; a `ReplicaSet` of a loaded Deployment, and a Job
//! of a loaded `CronJob`, are part of it. A controller that is named by its pods but not loaded is made up from its name.

use super::assemble::Assembly;
use super::objects::Object;
use super::workloads::{self, PodDraft};
use crate::diagnostic::{Code, Diagnostic, Place, Severity};
use crate::model::{
    Cluster, Node as ClusterNode, Pod, Requirement, Selector, Service, ServicePort, TargetPort, Workload, WorkloadId,
    WorkloadKind,
};
use crate::set::Protocol;
use crate::source::{Origin, Path};
use crate::tree::Node;
use indexmap::IndexMap;
use std::net::IpAddr;

/// Whether an object is part of the world.
pub fn is_world(object: &Object) -> bool {
    let core = object.group().is_empty();
    workloads::kind(object).is_some() || core && matches!(&*object.kind, "Namespace" | "Node" | "Service")
}

/// Whether an object lives in a namespace.
pub fn is_namespaced(object: &Object) -> bool {
    let core_cluster = object.group().is_empty() && matches!(&*object.kind, "Namespace" | "Node");
    let find = crate::policy::dialects::find(&object.api_version, &object.kind).map(|d| d.namespaced);
    let unmodelled =
        || crate::policy::dialects::find_unmodelled(&object.api_version, &object.kind).map(|u| u.namespaced);
    !core_cluster && find.or_else(unmodelled).unwrap_or(true)
}

/// Builds the cluster.
pub fn cluster(objects: &[Object], assembly: &mut Assembly<'_>) -> Cluster {
    let mut cluster = Cluster::default();
    for object in objects.iter().filter(|o| is_world(o)) {
        *assembly.tally.read.entry(object.kind.to_string()).or_default() += 1;
        check_labels(object, assembly);
        let origin = Origin::document(object.document);
        match &*object.kind {
            "Namespace" => {
                cluster.declare_namespace(&object.name, workloads::labels(&object.node), origin);
            }
            "Node" => {
                cluster.add_node(node(object, origin));
            }
            _ => {}
        }
    }
    Controllers::new(objects, assembly).build(&mut cluster, assembly);
    for object in objects.iter().filter(|o| &*o.kind == "Service" && o.group().is_empty()) {
        let namespace = cluster.namespace_named(&assembly.namespace_of(object));
        cluster.add_service(service(object, namespace));
    }
    for object in objects.iter().filter(|o| is_namespaced(o)) {
        cluster.namespace_named(&assembly.namespace_of(object));
    }
    cluster
}

/// The API server refuses a label whose value is no string; netpal goes on with what is written, and says so.
fn check_labels(object: &Object, assembly: &mut Assembly<'_>) {
    let template = workloads::kind(object).and_then(|k| workloads::template(object, k));
    let at = [Some((&object.node, "")), template.map(|t| (t, "template."))];
    for (node, prefix) in at.into_iter().flatten() {
        let Some(labels) = node.get("metadata").and_then(|m| m.get("labels")) else { continue };
        for entry in labels.entries().iter().filter(|e| e.value.as_str().is_none() && !e.value.is_null()) {
            let message = format!(
                "{} `{}`: {prefix}metadata.labels.{} is {}, which the API server refuses; labels are strings",
                object.kind,
                object.name,
                entry.key,
                entry.value.kind_name()
            );
            let place = Place::Origin(Origin::new(object.document, Path::root().key("metadata")));
            assembly.diagnostics.push(
                Diagnostic::new(Severity::Warning, Code::WrongType, place, message).help("write the value in quotes"),
            );
        }
    }
}

fn node(object: &Object, origin: Origin) -> ClusterNode {
    let status = object.node.get("status").and_then(|s| s.get("addresses")).map(Node::items).unwrap_or_default();
    let addresses: Vec<IpAddr> = status.iter().filter_map(|a| a.get("address")?.as_str()?.parse().ok()).collect();
    ClusterNode {
        name: object.name.clone(),
        labels: workloads::labels(&object.node),
        addresses: addresses.into(),
        origin,
    }
}

fn service(object: &Object, namespace: crate::model::NamespaceId) -> Service {
    let spec = object.node.get("spec");
    let field = |key: &str| spec.and_then(|s| s.get(key));
    let selector = field("selector").map(Node::entries).filter(|e| !e.is_empty()).map(|entries| {
        let one =
            |e: &crate::tree::Entry| Requirement::In(e.key.clone(), vec![e.value.as_str().unwrap_or_default().into()]);
        Selector::new(entries.iter().map(one))
    });
    let many = field("clusterIPs").map(Node::items).unwrap_or_default().iter().filter_map(Node::as_str);
    let one = field("clusterIP").and_then(Node::as_str);
    let mut addresses: Vec<IpAddr> = many.chain(one).filter_map(|s| s.parse().ok()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    Service {
        name: object.name.clone(),
        namespace,
        selector,
        ports: field("ports").map(Node::items).unwrap_or_default().iter().filter_map(service_port).collect(),
        addresses: addresses.into(),
        takes_calls_at_nodes: takes_calls_at_nodes(spec),
        external_name: field("externalName").and_then(Node::as_str).map(Into::into),
        origin: Origin::document(object.document),
    }
}

/// Whether a Service's spec lets callers in at the nodes, and does not keep their address (S41, S63).
fn takes_calls_at_nodes(spec: Option<&Node>) -> bool {
    let field = |key: &str| spec.and_then(|s| s.get(key));
    let kind = field("type").and_then(Node::as_str);
    let outside = matches!(kind, Some("NodePort" | "LoadBalancer"))
        || field("externalIPs").is_some_and(|list| !list.items().is_empty());
    outside && field("externalTrafficPolicy").and_then(Node::as_str) != Some("Local")
}

fn service_port(node: &Node) -> Option<ServicePort> {
    let number = |n: &Node| u16::try_from(n.as_i64()?).ok().filter(|p| *p > 0);
    let port = number(node.get("port")?)?;
    let target = match node.get("targetPort") {
        Some(n) if n.as_str().is_some() => TargetPort::Name(n.as_str()?.into()),
        Some(n) => TargetPort::Number(number(n).unwrap_or(port)),
        None => TargetPort::Number(port),
    };
    let protocol = node.get("protocol").and_then(Node::as_str).map_or(Some(Protocol::Tcp), Protocol::from_api)?;
    Some(ServicePort { name: node.get("name").and_then(Node::as_str).map(Into::into), protocol, port, target })
}

type Key = (WorkloadKind, Box<str>, Box<str>);

/// The controllers and pods of the input, on their way into the cluster.
struct Controllers<'a> {
    controllers: IndexMap<Key, &'a Object>,
    pods: Vec<(Box<str>, &'a Object)>,
}

impl<'a> Controllers<'a> {
    fn new(objects: &'a [Object], assembly: &mut Assembly<'_>) -> Self {
        let mut found = Self { controllers: IndexMap::new(), pods: Vec::new() };
        for object in objects {
            let Some(kind) = workloads::kind(object) else { continue };
            let namespace = assembly.namespace_of(object);
            if kind != WorkloadKind::Pod {
                found.controllers.insert((kind, namespace, object.name.clone()), object);
            } else if workloads::is_finished(object) {
                assembly.tally.finished_pods += 1; // S57
            } else {
                found.pods.push((namespace, object));
            }
        }
        found
    }

    /// The loaded controller at the top of the chain of owners, starting from a kind and name.
    fn top(&self, namespace: &str, kind: &str, name: &str) -> Option<Key> {
        let mut key = (WorkloadKind::from_api(kind)?, namespace.into(), name.into());
        let mut top = None;
        for _ in 0..8 {
            let Some(object) = self.controllers.get(&key) else {
                return top.or_else(|| Some(key).filter(|k| k.0 != WorkloadKind::Pod));
            };
            let Some((kind, name)) = workloads::owner(object).filter(|(k, _)| WorkloadKind::from_api(k).is_some())
            else {
                return Some(key);
            };
            let next = (WorkloadKind::from_api(kind).unwrap_or(WorkloadKind::Pod), namespace.into(), name.into());
            if !self.controllers.contains_key(&next) {
                return Some(key);
            }
            top = Some(next.clone());
            key = next;
        }
        top
    }

    /// Under which workload a pod goes.
    fn home(&self, namespace: &str, pod: &Object) -> Key {
        let own = (WorkloadKind::Pod, Box::from(namespace), pod.name.clone());
        let Some((kind, name)) = workloads::owner(pod) else { return own };
        let Some(top) = self.top(namespace, kind, name) else { return own };
        let hash = pod.node.get("metadata").and_then(|m| m.get("labels")?.get("pod-template-hash")?.as_str());
        let stem = hash.and_then(|h| top.2.strip_suffix(h)?.strip_suffix('-'));
        match stem {
            Some(stem) if top.0 == WorkloadKind::ReplicaSet && !self.controllers.contains_key(&top) => {
                (WorkloadKind::Deployment, top.1, stem.into())
            }
            _ => top,
        }
    }

    fn build(&self, cluster: &mut Cluster, assembly: &mut Assembly<'_>) {
        let mut homes: IndexMap<Key, Vec<&Object>> = IndexMap::new();
        for (key, object) in &self.controllers {
            if self.top(&key.1, key.0.name(), &key.2).as_ref() == Some(key) {
                homes.insert(key.clone(), Vec::new());
            } else {
                *assembly.tally.skipped.entry(format!("{} (part of its owner)", object.kind)).or_default() += 1;
            }
        }
        for (namespace, pod) in &self.pods {
            homes.entry(self.home(namespace, pod)).or_default().push(pod);
        }
        for (key, pods) in homes {
            self.workload(cluster, &key, &pods);
        }
    }

    fn workload(&self, cluster: &mut Cluster, key: &Key, pods: &[&Object]) {
        let controller = self.controllers.get(key);
        let Some(object) = controller.or_else(|| pods.first()) else { return };
        let namespace = cluster.namespace_named(&key.1);
        let origin = Origin::document(object.document);
        let id = cluster.add_workload(Workload {
            kind: key.0,
            name: key.2.clone(),
            namespace,
            pods: Vec::new(),
            origin: origin.clone(),
        });
        if pods.is_empty() {
            let drafts = workloads::template_pods(object, key.0);
            drafts.into_iter().for_each(|d| add(cluster, id, namespace, d, origin.clone()));
            return;
        }
        for pod in pods {
            let draft = workloads::draft(&pod.node, &pod.name);
            add(cluster, id, namespace, draft, Origin::document(pod.document));
        }
    }
}

fn add(
    cluster: &mut Cluster,
    workload: WorkloadId,
    namespace: crate::model::NamespaceId,
    draft: PodDraft,
    origin: Origin,
) {
    let labels = cluster.intern(draft.labels);
    cluster.add_pod(Pod {
        name: draft.name,
        namespace,
        workload,
        labels,
        ports: draft.ports,
        host_network: draft.host_network,
        node: draft.node,
        addresses: draft.addresses,
        replicas: draft.replicas,
        origin,
    });
}
