//! The indices of a [`crate::model::Cluster`]. An index belongs to the cluster that handed it out.

use crate::set::index_type;

index_type! {
    /// Index of a namespace in the cluster.
    pub struct NamespaceId(pub u32);
    /// Index of an interned label set.
    pub struct LabelsId(pub u32);
    /// Index of a node in the cluster.
    pub struct NodeId(pub u32);
    /// Index of a pod in the cluster.
    pub struct PodId(pub u32);
    /// Index of a service in the cluster.
    pub struct ServiceId(pub u32);
    /// Index of a workload in the cluster.
    pub struct WorkloadId(pub u32);
}
