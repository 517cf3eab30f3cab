//! Workload templates and pods -> pods of the model.
//!
//! A template stands for its replicas. What decides verdicts is read by path from the tree, not through typed pod specs: a
//! probe that does not decode must not lose the pod. Labels that controllers add at run time and whose values cannot be
//! known are given the value [`AT_RUN_TIME`], which equals nothing that a selector can name.

use super::objects::Object;
use crate::model::{ContainerPort, Labels, WorkloadKind};
use crate::set::Protocol;
use crate::tree::Node;
use std::net::IpAddr;

/// The value of a label that exists, but only at run time: no valid label value looks like this.
pub const AT_RUN_TIME: &str = "<set at run time>";

/// A `StatefulSet`'s pods differ in a label; up to so many are told apart.
const MAX_ORDINALS: i64 = 64;

/// A pod to be.
#[derive(Debug, Clone)]
pub struct PodDraft {
    /// Its name.
    pub name: Box<str>,
    /// Its labels.
    pub labels: Labels,
    /// Its declared ports.
    pub ports: Box<[ContainerPort]>,
    /// Whether it shares its node's network.
    pub host_network: bool,
    /// Its node.
    pub node: Option<Box<str>>,
    /// Its addresses.
    pub addresses: Box<[IpAddr]>,
    /// How many running pods it stands for; 0 when the cluster decides.
    pub replicas: u32,
}

/// The kind of workload an object is.
pub fn kind(object: &Object) -> Option<WorkloadKind> {
    let kind = WorkloadKind::from_api(&object.kind)?;
    let group = match kind {
        WorkloadKind::Pod | WorkloadKind::ReplicationController => "",
        WorkloadKind::Deployment | WorkloadKind::ReplicaSet | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => {
            "apps"
        }
        WorkloadKind::Job | WorkloadKind::CronJob => "batch",
        WorkloadKind::DeploymentConfig => "apps.openshift.io",
    };
    let own = object.group();
    let old = own == "extensions" && group == "apps" || own.is_empty() && kind == WorkloadKind::DeploymentConfig;
    (own == group || old).then_some(kind)
}

/// The pod template of a controller.
pub fn template(object: &Object, kind: WorkloadKind) -> Option<&Node> {
    let spec = object.node.get("spec")?;
    match kind {
        WorkloadKind::Pod => None,
        WorkloadKind::CronJob => spec.get("jobTemplate")?.get("spec")?.get("template"),
        _ => spec.get("template"),
    }
}

/// Whether a controller is only a patch for one: no labels on its pods and nothing that selects them, or no containers.
pub fn is_patch(object: &Object, kind: WorkloadKind) -> bool {
    if kind == WorkloadKind::Pod {
        return object.node.get("spec").is_none_or(|s| s.get("containers").is_none());
    }
    let Some(template) = template(object, kind) else { return true };
    let spec = object.node.get("spec");
    let labelled = template.get("metadata").and_then(|m| m.get("labels")).is_some_and(|l| !l.entries().is_empty());
    let selects = spec.is_some_and(|s| s.get("selector").is_some());
    let needs_labels = !matches!(kind, WorkloadKind::Job | WorkloadKind::CronJob);
    let containers = template.get("spec").and_then(|s| s.get("containers")).is_some_and(|c| !c.items().is_empty());
    (needs_labels && !labelled && !selects) || !containers
}

/// The pods a controller's template stands for.
pub fn template_pods(object: &Object, kind: WorkloadKind) -> Vec<PodDraft> {
    let Some(template) = template(object, kind) else { return Vec::new() };
    let spec = object.node.get("spec");
    let replicas = replicas(spec, kind);
    let labels = labels(template);
    let draft = |name: &str, extra: Vec<(&str, String)>, replicas: i64| PodDraft {
        labels: labels.iter().map(|(k, v)| (k, v.to_owned())).chain(extra).collect(),
        replicas: u32::try_from(replicas).unwrap_or(0),
        ..draft(template, name)
    };
    let run_time = |key: &'static str| (key, AT_RUN_TIME.to_owned());
    let own = &*object.name;
    match kind {
        WorkloadKind::Deployment | WorkloadKind::ReplicaSet => {
            vec![draft(own, vec![run_time("pod-template-hash")], replicas)]
        }
        WorkloadKind::DaemonSet => {
            vec![draft(own, vec![run_time("controller-revision-hash"), run_time("pod-template-generation")], 0)]
        }
        WorkloadKind::StatefulSet => ordinals(spec, own, replicas, &draft),
        WorkloadKind::Job => vec![draft(own, job_labels(own), replicas)],
        WorkloadKind::CronJob => vec![draft(own, job_labels(AT_RUN_TIME), replicas)],
        WorkloadKind::Pod | WorkloadKind::ReplicationController | WorkloadKind::DeploymentConfig => {
            vec![draft(own, vec![], replicas)]
        }
    }
}

fn job_labels(name: &str) -> Vec<(&'static str, String)> {
    let at_run_time = AT_RUN_TIME.to_owned();
    vec![
        ("job-name", name.to_owned()),
        ("batch.kubernetes.io/job-name", name.to_owned()),
        ("controller-uid", at_run_time.clone()),
        ("batch.kubernetes.io/controller-uid", at_run_time),
    ]
}

/// A `StatefulSet` labels each pod with its own name and index.
fn ordinals(
    spec: Option<&Node>,
    name: &str,
    replicas: i64,
    draft: &dyn Fn(&str, Vec<(&'static str, String)>, i64) -> PodDraft,
) -> Vec<PodDraft> {
    let first = spec.and_then(|s| s.get("ordinals")?.get("start")?.as_i64()).unwrap_or(0).max(0);
    let labels = |pod: String, index: String| {
        let hash = ("controller-revision-hash", AT_RUN_TIME.to_owned());
        vec![("statefulset.kubernetes.io/pod-name", pod), ("apps.kubernetes.io/pod-index", index), hash]
    };
    if !(1..=MAX_ORDINALS).contains(&replicas) {
        return vec![draft(name, labels(AT_RUN_TIME.into(), AT_RUN_TIME.into()), replicas)];
    }
    let each = |i: i64| {
        let pod = format!("{name}-{i}");
        draft(&pod, labels(pod.clone(), i.to_string()), 1)
    };
    (first..first + replicas).map(each).collect()
}

fn replicas(spec: Option<&Node>, kind: WorkloadKind) -> i64 {
    let field = |node: Option<&Node>, key: &str| {
        node.and_then(|n| n.get(key)?.as_i64()).unwrap_or(1).clamp(0, i64::from(u32::MAX))
    };
    match kind {
        WorkloadKind::Pod => 1,
        WorkloadKind::DaemonSet => 0,
        WorkloadKind::Job => field(spec, "parallelism"),
        WorkloadKind::CronJob => field(spec.and_then(|s| s.get("jobTemplate")?.get("spec")), "parallelism"),
        _ => field(spec, "replicas"),
    }
}

/// A pod from an object that has `metadata` and a pod `spec`: a Pod, or a template.
pub fn draft(node: &Node, name: &str) -> PodDraft {
    let spec = node.get("spec");
    let field = |key: &str| spec.and_then(|s| s.get(key));
    let text = |key: &str| field(key).and_then(Node::as_str).filter(|s| !s.is_empty()).map(Into::into);
    PodDraft {
        name: name.into(),
        labels: labels(node),
        ports: ports(spec),
        host_network: field("hostNetwork").and_then(Node::as_bool).unwrap_or(false),
        node: text("nodeName"),
        addresses: addresses(node.get("status")),
        replicas: 1,
    }
}

/// The labels of an object. A value that is no string is taken as it is written; that it would be refused is told apart.
pub fn labels(node: &Node) -> Labels {
    let labels = node.get("metadata").and_then(|m| m.get("labels")).map(Node::entries).unwrap_or_default();
    labels.iter().filter(|e| !e.value.is_null()).map(|e| (e.key.clone(), label_text(&e.value))).collect()
}

fn label_text(value: &Node) -> Box<str> {
    match value.as_str() {
        Some(text) => text.into(),
        None => value.to_json().to_string().into(),
    }
}

/// Declared ports: of containers, and of init containers that keep running (sidecars).
fn ports(spec: Option<&Node>) -> Box<[ContainerPort]> {
    let list = |key: &str| spec.and_then(|s| s.get(key)).map(Node::items).unwrap_or_default().iter();
    let sidecar = |c: &&Node| c.get("restartPolicy").and_then(Node::as_str) == Some("Always");
    let containers = list("containers").chain(list("initContainers").filter(sidecar));
    let declared = containers.flat_map(|c| c.get("ports").map(Node::items).unwrap_or_default());
    let mut ports: Vec<ContainerPort> = declared.filter_map(port).collect();
    ports.sort();
    ports.dedup();
    ports.into()
}

fn port(node: &Node) -> Option<ContainerPort> {
    let number = u16::try_from(node.get("containerPort")?.as_i64()?).ok().filter(|p| *p > 0)?;
    let protocol = node.get("protocol").and_then(Node::as_str).map_or(Some(Protocol::Tcp), Protocol::from_api)?;
    let name = node.get("name").and_then(Node::as_str).filter(|n| !n.is_empty()).map(Into::into);
    Some(ContainerPort { name, protocol, port: number })
}

fn addresses(status: Option<&Node>) -> Box<[IpAddr]> {
    let Some(status) = status else { return Box::default() };
    let many = status.get("podIPs").map(Node::items).unwrap_or_default().iter().filter_map(|n| n.get("ip")?.as_str());
    let one = status.get("podIP").and_then(Node::as_str);
    let mut found: Vec<IpAddr> = many.chain(one).filter_map(|s| s.parse().ok()).collect();
    found.sort_unstable();
    found.dedup();
    found.into()
}

/// Whether a pod has finished and is no endpoint any more (S57).
pub fn is_finished(object: &Object) -> bool {
    let phase = object.node.get("status").and_then(|s| s.get("phase")).and_then(Node::as_str);
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// The controller an object belongs to: kind and name.
pub fn owner(object: &Object) -> Option<(&str, &str)> {
    let owners = object.node.get("metadata")?.get("ownerReferences")?.items();
    let controls = |o: &&Node| o.get("controller").and_then(Node::as_bool).unwrap_or(false);
    let owner = owners.iter().find(controls).or_else(|| owners.first())?;
    Some((owner.get("kind")?.as_str()?, owner.get("name")?.as_str()?))
}
