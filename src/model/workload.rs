//! Workloads: what people name when they ask. A workload has one pod per distinct label set its
//! pods carry.

use crate::model::ids::{NamespaceId, PodId};
use crate::model::labels::Labels;
use crate::source::Origin;
use std::sync::Arc;

/// The kinds of objects that make pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the names are the API's
pub enum WorkloadKind {
    Pod,
    Deployment,
    ReplicaSet,
    ReplicationController,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    DeploymentConfig,
}

impl WorkloadKind {
    /// Every kind with its API name and the short names kubectl accepts, all lower case.
    pub const TABLE: [(Self, &'static str, &'static [&'static str]); 9] = [
        (Self::Pod, "Pod", &["pod", "pods", "po"]),
        (
            Self::Deployment,
            "Deployment",
            &["deployment", "deployments", "deploy"],
        ),
        (
            Self::ReplicaSet,
            "ReplicaSet",
            &["replicaset", "replicasets", "rs"],
        ),
        (
            Self::ReplicationController,
            "ReplicationController",
            &["replicationcontroller", "replicationcontrollers", "rc"],
        ),
        (
            Self::StatefulSet,
            "StatefulSet",
            &["statefulset", "statefulsets", "sts"],
        ),
        (
            Self::DaemonSet,
            "DaemonSet",
            &["daemonset", "daemonsets", "ds"],
        ),
        (Self::Job, "Job", &["job", "jobs"]),
        (Self::CronJob, "CronJob", &["cronjob", "cronjobs", "cj"]),
        (
            Self::DeploymentConfig,
            "DeploymentConfig",
            &["deploymentconfig", "deploymentconfigs", "dc"],
        ),
    ];

    /// The API's name of the kind.
    pub fn name(self) -> &'static str {
        Self::TABLE
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.1)
    }

    /// Reads the API's name, exactly.
    pub fn from_api(name: &str) -> Option<Self> {
        Self::TABLE
            .iter()
            .find(|row| row.1 == name)
            .map(|row| row.0)
    }

    /// Reads what a person types: the kind's name, plural or kubectl short name, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        Self::TABLE
            .iter()
            .find(|row| row.2.contains(&word.as_str()))
            .map(|row| row.0)
    }
}

/// A controller of pods, or a bare pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// What kind of object it is.
    pub kind: WorkloadKind,
    /// Its name.
    pub name: Box<str>,
    /// Its namespace.
    pub namespace: NamespaceId,
    /// Its pods: one per distinct variant, at least one.
    pub pods: Vec<PodId>,
    /// Whether its pods are what one pod that is not loaded may be, of which one is true: what they
    /// do not agree on is unknown.
    pub alternatives: bool,
    /// The labels of the object itself, which its pods do not have for that; none for a bare pod.
    /// A `CronJob`'s include those of its Jobs.
    pub own_labels: Arc<Labels>,
    /// Where it was declared.
    pub origin: Origin,
}
