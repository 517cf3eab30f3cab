//! Workload templates and pods -> pods of the model.
//!
//! A template represents its replicas. What decides verdicts is read by path from the tree, not
//! through typed pod specs: a probe that does not decode must not lose the pod. Labels that
//! controllers add at run time and whose values cannot be known are given the value
//! [`AT_RUN_TIME`], which may be any that a selector names. The Jobs of a `CronJob` have names that
//! nobody writes down ([`NAME_OF_A_JOB`]).

use crate::load::container_ports::{host_ports, init_ports, ports};
use crate::load::doors::tunnels;
use crate::load::pod_annotations::annotations;
use crate::model::{
    ContainerPort, HostPort, Labels, PodDnsName, Requirement, Selector, WorkloadKind,
};
use crate::tree::SyntaxNode;
use std::net::IpAddr;
use std::sync::Arc;

/// The value of a label that exists and is set at run time: it may be any
/// ([`crate::model::open_labels`]).
pub const AT_RUN_TIME: &str = "<at run time>";

/// What stands for the names of Jobs that a `CronJob` makes: they end in the time, so that no
/// selector that somebody wrote names one.
const NAME_OF_A_JOB: &str = "<set at run time>";

/// A `StatefulSet`'s pods differ in a label; up to this number are distinguished.
const MAX_ORDINALS: i64 = 4096;

/// Of a `StatefulSet` without replicas, which something else scales, these are what one may be.
const ASSUMED_ORDINALS: i64 = 64;

/// A pod to be.
#[derive(Debug, Clone)]
pub struct PodDraft {
    /// Its name; empty while it is that of the object it comes from.
    pub name: Box<str>,
    /// Its labels.
    pub labels: Arc<Labels>,
    /// Its declared ports.
    pub ports: Arc<[ContainerPort]>,
    /// The ports with names of its init containers that are no sidecars.
    pub init_ports: Arc<[ContainerPort]>,
    /// The ports of its node that lead to it.
    pub host_ports: Box<[HostPort]>,
    /// Whether it shares its node's network.
    pub host_network: bool,
    /// Its node.
    pub node: Option<Arc<str>>,
    /// Its addresses.
    pub addresses: Box<[IpAddr]>,
    /// The addresses of its node, as its status tells them.
    pub node_addresses: Box<[IpAddr]>,
    /// Whether its status says that it is ready, or says nothing.
    pub ready: bool,
    /// The name that the DNS gives it behind a headless Service.
    pub dns_name: Option<Box<PodDnsName>>,
    /// How many running pods it represents; 0 when the cluster decides.
    pub replicas: u32,
    /// The service account it runs as.
    pub account: Option<Arc<str>>,
    /// The annotations that decide which policies of other dialects govern it.
    pub annotations: Box<[(Box<str>, Box<str>)]>,
    /// The tunnel that it is an end of, by which callers may come in (DO95).
    pub tunnel: Option<&'static str>,
}

impl PodDraft {
    /// A selector of exactly these labels.
    pub fn selector(&self) -> Selector {
        let known = self
            .labels
            .iter()
            .filter(|(_, value)| ![AT_RUN_TIME, NAME_OF_A_JOB].contains(value));
        Selector::new(known.map(|(k, v)| Requirement::In(k.into(), vec![v.into()])))
    }
}

/// What is known of a pod or a controller.
#[derive(Debug)]
pub struct WorkloadDraft {
    /// What it is.
    pub kind: WorkloadKind,
    /// Whether it is only a patch for one.
    pub patch: bool,
    /// Whether it is a pod that has finished and is no endpoint any more (S57).
    pub finished: bool,
    /// Whether the label that a Deployment gives its pods is a string.
    hashed: bool,
    /// The controller it belongs to: kind and name.
    pub owner: Option<(Arc<str>, Arc<str>)>,
    /// The labels of a controller itself, and of the Jobs that a `CronJob` makes.
    pub own_labels: Arc<Labels>,
    /// The pod, or the pod of the template.
    pub draft: PodDraft,
    /// Whether a controller has a template.
    template: bool,
    /// How many pods the controller keeps.
    replicas: i64,
    /// The first index of a `StatefulSet`'s pods.
    first: i64,
    /// How many pods a Job has whose pods have an index; 0 where that is not told.
    indexes: Option<i64>,
    /// The name of the headless Service that names a `StatefulSet`'s pods.
    service: Option<Box<str>>,
}

impl WorkloadDraft {
    /// Reads a workload.
    pub fn new(kind: WorkloadKind, node: &SyntaxNode) -> Self {
        let spec = node.get("spec");
        let template = template(node, kind);
        let pod = if kind == WorkloadKind::Pod {
            Some(node)
        } else {
            template
        };
        let labels = node.get("metadata").and_then(|m| m.get("labels"));
        Self {
            kind,
            patch: is_patch(node, kind),
            finished: is_finished(node),
            hashed: labels
                .is_some_and(|l| l.get(TEMPLATE_HASH).is_some_and(|h| h.as_str().is_some())),
            owner: owner(node).map(|(kind, name)| (kind.into(), name.into())),
            own_labels: Arc::new(own_labels(node, kind)),
            draft: draft(pod),
            template: template.is_some(),
            replicas: replicas(spec, kind),
            first: spec
                .and_then(|s| s.get("ordinals")?.get("start")?.as_i64())
                .unwrap_or(0)
                .max(0),
            indexes: indexes(spec, kind),
            service: spec
                .and_then(|s| s.get("serviceName")?.as_str())
                .filter(|name| !name.is_empty())
                .map(Into::into),
        }
    }

    /// The label that distinguishes the pods of one revision of a Deployment from the others.
    pub fn template_hash(&self) -> Option<&str> {
        self.draft.labels.get(TEMPLATE_HASH).filter(|_| self.hashed)
    }

    /// The pods that a controller's template represents.
    pub fn template_pods(&self, own: &str) -> Vec<PodDraft> {
        if !self.template {
            return Vec::new();
        }
        let run_time = |key: &'static str| (key, AT_RUN_TIME.to_owned());
        let single = |labels, replicas| vec![self.pod(own, labels, replicas)];
        match self.kind {
            WorkloadKind::Deployment | WorkloadKind::ReplicaSet => {
                single(vec![run_time(TEMPLATE_HASH)], self.replicas)
            }
            WorkloadKind::DaemonSet => single(
                vec![
                    run_time("controller-revision-hash"),
                    run_time("pod-template-generation"),
                ],
                0,
            ),
            WorkloadKind::StatefulSet => self.ordinals(own),
            WorkloadKind::Job => self.completions(own),
            WorkloadKind::CronJob => {
                let mut labels = job_labels(NAME_OF_A_JOB);
                let index = self.indexes.map(|_| AT_RUN_TIME.to_owned());
                labels.extend(index.map(|at| ("batch.kubernetes.io/job-completion-index", at)));
                single(labels, self.replicas)
            }
            WorkloadKind::DeploymentConfig => single(
                vec![("deploymentconfig", own.to_owned()), run_time("deployment")],
                self.replicas,
            ),
            WorkloadKind::Pod | WorkloadKind::ReplicationController | WorkloadKind::Custom => {
                single(vec![], self.replicas)
            }
        }
    }

    /// A pod of the template, with labels that a controller adds.
    fn pod(&self, name: &str, extra: Vec<(&str, String)>, replicas: i64) -> PodDraft {
        let labels: Labels = self
            .draft
            .labels
            .iter()
            .map(|(k, v)| (k, v.to_owned()))
            .chain(extra)
            .collect();
        let replicas = u32::try_from(replicas).unwrap_or(0);
        PodDraft {
            name: name.into(),
            labels: Arc::new(labels),
            replicas,
            ..self.draft.clone()
        }
    }

    /// The pod of a `StatefulSet` with an index.
    fn ordinal(&self, own: &str, index: i64) -> PodDraft {
        let pod = format!("{own}-{index}");
        let named = self.service.as_deref();
        PodDraft {
            dns_name: named.map(|service| dns_name(&pod, service)),
            ..self.pod(&pod, ordinal_labels(pod.clone(), index.to_string()), 1)
        }
    }

    /// A `StatefulSet` labels each pod with its own name and index.
    fn ordinals(&self, own: &str) -> Vec<PodDraft> {
        let told = match self.replicas {
            0 => ASSUMED_ORDINALS,
            replicas => replicas.min(MAX_ORDINALS),
        };
        let ordinals = self.first..self.first.saturating_add(told);
        let mut pods: Vec<PodDraft> = ordinals.map(|i| self.ordinal(own, i)).collect();
        if self.leaves_ordinals_open() {
            let open = ordinal_labels(AT_RUN_TIME.into(), AT_RUN_TIME.into());
            pods.push(self.pod(own, open, (self.replicas - told).max(0)));
        }
        pods
    }

    /// The pods of a Job: of an indexed one each has its index.
    fn completions(&self, own: &str) -> Vec<PodDraft> {
        let Some(count) = self.indexes else {
            return vec![self.pod(own, job_labels(own), self.replicas)];
        };
        let pod = |index: String, replicas| {
            let mut labels = job_labels(own);
            labels.push(("batch.kubernetes.io/job-completion-index", index));
            self.pod(own, labels, replicas)
        };
        if !(1..=MAX_ORDINALS).contains(&count) {
            return vec![pod(AT_RUN_TIME.to_owned(), self.replicas)];
        }
        (0..count).map(|index| pod(index.to_string(), 1)).collect()
    }

    /// Whether the pods of a `StatefulSet` are only what one of them may be: it is told to have
    /// none, so that something else scales it, or more than are distinguished.
    pub fn leaves_ordinals_open(&self) -> bool {
        self.kind == WorkloadKind::StatefulSet && !(1..=MAX_ORDINALS).contains(&self.replicas)
    }
}

/// The labels of a pod of a `StatefulSet`, given its name and index.
fn ordinal_labels(pod: String, index: String) -> Vec<(&'static str, String)> {
    vec![
        ("statefulset.kubernetes.io/pod-name", pod),
        ("apps.kubernetes.io/pod-index", index),
        ("controller-revision-hash", AT_RUN_TIME.to_owned()),
    ]
}

const TEMPLATE_HASH: &str = "pod-template-hash";

/// The kind of workload an object is.
pub fn kind(own: &str, kind: &str) -> Option<WorkloadKind> {
    let kind = WorkloadKind::from_api(kind)?;
    let group = match kind {
        WorkloadKind::Pod | WorkloadKind::ReplicationController => "",
        WorkloadKind::Deployment
        | WorkloadKind::ReplicaSet
        | WorkloadKind::StatefulSet
        | WorkloadKind::DaemonSet => "apps",
        WorkloadKind::Job | WorkloadKind::CronJob => "batch",
        WorkloadKind::DeploymentConfig => "apps.openshift.io",
        WorkloadKind::Custom => return None,
    };
    let old = own == "extensions" && group == "apps"
        || own.is_empty() && kind == WorkloadKind::DeploymentConfig;
    (own == group || old).then_some(kind)
}

/// The labels of a controller itself, and of the Jobs that a `CronJob` makes.
fn own_labels(node: &SyntaxNode, kind: WorkloadKind) -> Labels {
    let job = || node.get("spec")?.get("jobTemplate").map(labels);
    match kind {
        WorkloadKind::Pod => Labels::default(),
        WorkloadKind::CronJob => {
            let jobs = job().unwrap_or_default();
            let all = labels(node);
            all.iter().chain(jobs.iter()).collect()
        }
        _ => labels(node),
    }
}

/// The pod template of a controller.
pub fn template(node: &SyntaxNode, kind: WorkloadKind) -> Option<&SyntaxNode> {
    let spec = node.get("spec")?;
    match kind {
        WorkloadKind::Pod => None,
        WorkloadKind::CronJob => spec.get("jobTemplate")?.get("spec")?.get("template"),
        _ => spec.get("template"),
    }
}

/// Whether a controller is only a patch for one: no labels on its pods and nothing that selects
/// them, or no containers.
fn is_patch(node: &SyntaxNode, kind: WorkloadKind) -> bool {
    let spec = node.get("spec");
    if kind == WorkloadKind::Pod {
        return spec.is_none_or(|s| s.get("containers").is_none());
    }
    let Some(template) = template(node, kind) else {
        return true;
    };
    let labelled = template
        .get("metadata")
        .and_then(|m| m.get("labels"))
        .is_some_and(|l| !l.entries().is_empty());
    let selects = spec.is_some_and(|s| s.get("selector").is_some());
    let needs_labels = !matches!(kind, WorkloadKind::Job | WorkloadKind::CronJob);
    let containers = template.get("spec").and_then(|s| s.get("containers"));
    let has_some = containers.is_some_and(|c| !c.items().is_empty());
    // an empty list in an object that is complete otherwise is a mistake in it
    let mistaken = containers.is_some() && labelled && selects;
    (needs_labels && !labelled && !selects) || !(has_some || mistaken)
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

/// How many pods with an index of their own a Job has, if its pods have such (completion mode
/// `Indexed`).
fn indexes(spec: Option<&SyntaxNode>, kind: WorkloadKind) -> Option<i64> {
    let spec = match kind {
        WorkloadKind::Job => spec,
        WorkloadKind::CronJob => spec.and_then(|s| s.get("jobTemplate")?.get("spec")),
        _ => None,
    }?;
    let is_indexed = spec.get("completionMode").and_then(SyntaxNode::as_str) == Some("Indexed");
    let count = spec.get("completions").and_then(SyntaxNode::as_i64);
    is_indexed.then(|| count.unwrap_or(0))
}

fn replicas(spec: Option<&SyntaxNode>, kind: WorkloadKind) -> i64 {
    let field = |node: Option<&SyntaxNode>, key: &str| {
        node.and_then(|n| n.get(key)?.as_i64())
            .unwrap_or(1)
            .clamp(0, i64::from(u32::MAX))
    };
    match kind {
        WorkloadKind::Pod => 1,
        WorkloadKind::DaemonSet => 0,
        WorkloadKind::Job => field(spec, "parallelism"),
        WorkloadKind::CronJob => field(
            spec.and_then(|s| s.get("jobTemplate")?.get("spec")),
            "parallelism",
        ),
        _ => field(spec, "replicas"),
    }
}

/// A pod from an object that has `metadata` and a pod `spec`: a Pod, or a template. Its name is the
/// object's.
pub fn draft(node: Option<&SyntaxNode>) -> PodDraft {
    let spec = node.and_then(|n| n.get("spec"));
    let field = |key: &str| spec.and_then(|s| s.get(key));
    let text = |key: &str| {
        let text = field(key).and_then(SyntaxNode::as_str);
        text.filter(|s| !s.is_empty())
    };
    let host_network = field("hostNetwork")
        .and_then(SyntaxNode::as_bool)
        .unwrap_or(false);
    PodDraft {
        name: Box::default(),
        labels: Arc::new(node.map(labels).unwrap_or_default()),
        ports: ports(spec),
        init_ports: init_ports(spec),
        host_ports: spec
            .filter(|_| !host_network)
            .map(host_ports)
            .unwrap_or_default(),
        host_network,
        node: text("nodeName").map(Into::into),
        addresses: addresses(node.and_then(|n| n.get("status")), ["podIPs", "podIP"]),
        node_addresses: addresses(node.and_then(|n| n.get("status")), ["hostIPs", "hostIP"]),
        ready: is_ready(node.and_then(|n| n.get("status"))),
        dns_name: text("hostname")
            .zip(text("subdomain"))
            .map(|(hostname, subdomain)| dns_name(hostname, subdomain)),
        replicas: 1,
        account: account(spec).map(Into::into),
        annotations: annotations(node),
        tunnel: node.and_then(tunnels::of),
    }
}

/// The service account of a pod: `serviceAccount` is the field's old name, and counts where the new
/// one is not given.
pub fn account(spec: Option<&SyntaxNode>) -> Option<&str> {
    let named = |key| spec.and_then(|s| s.get(key)?.as_str());
    let names = ["serviceAccountName", "serviceAccount"].into_iter();
    names.filter_map(named).find(|name| !name.is_empty())
}

fn dns_name(hostname: &str, subdomain: &str) -> Box<PodDnsName> {
    Box::new(PodDnsName {
        hostname: hostname.into(),
        subdomain: subdomain.into(),
    })
}

/// Whether a pod's status does not say that it is not ready.
fn is_ready(status: Option<&SyntaxNode>) -> bool {
    let conditions = status.and_then(|s| s.get("conditions"));
    let conditions = conditions.map(SyntaxNode::items).unwrap_or_default();
    let field = |c: &SyntaxNode, key: &str, value: &str| {
        c.get(key).and_then(SyntaxNode::as_str) == Some(value)
    };
    let says_no = |c: &SyntaxNode| field(c, "type", "Ready") && field(c, "status", "False");
    !conditions.iter().any(says_no)
}

/// The labels of an object. A value that is no string is taken as it is written; that it is refused
/// is reported by [`crate::load::strict`].
pub fn labels(node: &SyntaxNode) -> Labels {
    let labels = node
        .get("metadata")
        .and_then(|m| m.get("labels"))
        .map(SyntaxNode::entries)
        .unwrap_or_default();
    labels
        .iter()
        .map(|e| (&*e.key, label_text(&e.value)))
        .collect()
}

fn label_text(value: &SyntaxNode) -> Arc<str> {
    if value.is_null() {
        return "".into(); // as Go reads a null into a string
    }
    match value.as_str() {
        Some(text) => text.into(),
        None => value.to_json().to_string().into(),
    }
}

/// The addresses that a status lists under one key, and has under another.
fn addresses(status: Option<&SyntaxNode>, [list, one]: [&str; 2]) -> Box<[IpAddr]> {
    let Some(status) = status else {
        return Box::default();
    };
    let listed = status
        .get(list)
        .map(SyntaxNode::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|n| n.get("ip")?.as_str());
    let single = status.get(one).and_then(SyntaxNode::as_str);
    let mut found: Vec<IpAddr> = listed
        .chain(single)
        .filter_map(|s| s.parse().ok())
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into()
}

fn is_finished(node: &SyntaxNode) -> bool {
    let phase = node
        .get("status")
        .and_then(|s| s.get("phase"))
        .and_then(SyntaxNode::as_str);
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// The controller an object belongs to: kind and name.
fn owner(node: &SyntaxNode) -> Option<(&str, &str)> {
    let owners = node.get("metadata")?.get("ownerReferences")?.items();
    let controls = |o: &&SyntaxNode| {
        o.get("controller")
            .and_then(SyntaxNode::as_bool)
            .unwrap_or(false)
    };
    let owner = owners.iter().find(controls).or_else(|| owners.first())?;
    Some((owner.get("kind")?.as_str()?, owner.get("name")?.as_str()?))
}
