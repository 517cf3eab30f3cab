//! The cluster: namespaces, pods, labels, workloads, services, nodes. No rule and no file is known
//! here.
//!
//! [`doors`] holds the objects by which callers outside may come in, as they are written.
//!
//! Invariants: every id is an index into the [`Cluster`] that handed it out; ids are dense and in
//! input order. A pod is what a policy sees: a template represents its replicas, and replicas whose
//! labels differ are pods of their own.

pub mod cluster;
pub mod doors;
pub mod hosts;
pub mod ids;
pub(crate) mod label_values;
pub mod labels;
pub mod named_addresses;
pub mod open_labels;
pub mod pod;
pub mod relabel;
pub mod service;
mod told_nodes;
pub mod workload;

pub use crate::model::cluster::{Cluster, NAMESPACE_NAME_LABEL, Namespace, Node};
pub use crate::model::ids::{LabelsId, NamespaceId, PodId, ServiceId, WorkloadId};
pub use crate::model::labels::{Labels, Pattern, Requirement, Selector, Truth};
pub use crate::model::named_addresses::{NamedAddresses, NamedBy};
pub use crate::model::pod::{ContainerPort, HostPort, Pod, PodDnsName, RareParts};
pub use crate::model::service::{
    BalancerAddress, BalancerTargets, EndpointSource, OutsideService, Service, ServiceEndpoint,
    ServicePort, TargetPort,
};
pub use crate::model::workload::{MadeWorkload, Workload, WorkloadKind};
