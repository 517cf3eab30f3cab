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
    /// An object of another kind, whose pods a controller makes: see [`MadeWorkload`].
    Custom,
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

    /// The API's name of the kind; none of a custom one, which its workload tells
    /// ([`Workload::kind_name`]).
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

/// Of a workload that something makes from an object of another kind: what it is called there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeWorkload {
    /// The kind of the object.
    pub kind: Box<str>,
    /// The name of the object.
    pub object: Box<str>,
    /// What the pods are for: `instance`; with what tells them apart where there are several.
    pub role: Box<str>,
    /// How the pods are called: `#` stands for a number, `*` for what is generated.
    pub pods: Box<str>,
    /// What tells how the pods look: a row of the table of kinds, a row of the configuration, or
    /// the object's own pod template.
    pub row: Arc<str>,
}

impl MadeWorkload {
    /// How closely a pod's name is one of this workload's: the letters that are not generated.
    /// `None` where it is none. `x` is taken for what is generated, as people write it.
    pub fn calls(&self, pod: &str) -> Option<usize> {
        let literal = self.pods.chars().filter(|c| !matches!(c, '#' | '*'));
        is_called(self.pods.as_bytes(), pod.as_bytes()).then(|| literal.count())
    }
}

/// Whether a name follows a pattern of the names of what is made.
pub fn follows(pattern: &str, name: &str) -> bool {
    is_called(pattern.as_bytes(), name.as_bytes())
}

/// Whether a name follows a pattern of pods' names; a generated part between dashes may be left
/// out, as in the names that documentation uses.
fn is_called(pattern: &[u8], name: &[u8]) -> bool {
    let (Some((first, rest)), Some((_, later))) = (pattern.split_first(), name.split_first())
    else {
        return pattern.is_empty() && name.is_empty();
    };
    match first {
        b'#' if *name == *b"x" => rest.is_empty(),
        b'#' => {
            let digits = name.iter().take_while(|b| b.is_ascii_digit()).count();
            digits > 0 && is_called(rest, &name[digits..])
        }
        b'*' => {
            let without = rest.strip_prefix(b"-");
            let is_left_out = without.is_some_and(|rest| is_called(rest, name));
            is_left_out || is_called(rest, later) || is_called(pattern, later)
        }
        _ => name.first() == Some(first) && is_called(rest, later),
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
    /// What it is called in the object of another kind that it is made from.
    pub made: Option<Arc<MadeWorkload>>,
    /// Where it was declared.
    pub origin: Origin,
}

impl Workload {
    /// Whether a word of the configuration means it: `name`, `namespace/name`, `namespace/*` or
    /// `namespace/kind/name`.
    pub fn is_called(&self, word: &str, namespace: &str) -> bool {
        match word.split('/').collect::<Vec<_>>().as_slice() {
            [ns, name] => *ns == namespace && (*name == "*" || **name == *self.name),
            [ns, kind, name] => {
                let kind = WorkloadKind::from_word(kind);
                *ns == namespace && kind == Some(self.kind) && **name == *self.name
            }
            [name] => **name == *self.name,
            _ => false,
        }
    }

    /// The name of its kind, as the API has it.
    pub fn kind_name(&self) -> &str {
        match &self.made {
            Some(made) => &made.kind,
            None => self.kind.name(),
        }
    }
}
