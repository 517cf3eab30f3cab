//! The world: namespaces, pods, labels, workloads, services, nodes. No rule and no file is known
//! here.
//!
//! Invariants: every id is an index into the [`Cluster`] that handed it out; ids are dense and in
//! input order. A pod is what a policy sees: a template stands for its replicas, and replicas whose
//! labels differ are pods of their own.

pub mod cluster;
pub mod labels;
pub mod pod;
pub mod relabel;
pub mod service;
pub mod workload;

pub use crate::model::cluster::{Cluster, LabelsId, Namespace, NamespaceId, Node};
pub use crate::model::labels::{Labels, Requirement, Selector, Truth};
pub use crate::model::pod::{ContainerPort, Pod, PodId};
pub use crate::model::service::{Service, ServiceId, ServicePort, TargetPort};
pub use crate::model::workload::{Workload, WorkloadId, WorkloadKind};

/// The label every namespace carries, set by the API server and immutable (S27).
pub const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";
