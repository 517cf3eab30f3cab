//! [`LoadedObject`]: an object of the API, reduced to its contribution to the cluster and the
//! policies.

use crate::load::workloads::WorkloadDraft;
use crate::model;
use crate::policy::dialects;
use crate::policy::lowered::Lowered;
use crate::source::{Base, DocumentId, Position};
use crate::tree::Chunk;
use std::sync::Arc;

/// An object of the API, either a document or an item of a List.
#[derive(Debug)]
pub struct LoadedObject {
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
    pub contribution: Contribution,
    /// Labels the API server refuses, a message each.
    pub refused: Box<[String]>,
    /// Whether it comes from an overlay, so that replacing an earlier one is what was wanted.
    pub overlay: bool,
}

/// What an object adds.
#[derive(Debug)]
pub enum Contribution {
    /// A namespace with its labels.
    Namespace(Box<model::Labels>),
    /// A node.
    Node(Box<model::Node>),
    /// A service, its namespace still to be looked up.
    Service(Box<model::Service>),
    /// A pod, or a controller of pods.
    Workload(Box<WorkloadDraft>),
    /// A policy, its document not yet known.
    Policy(Box<Lowered>),
    /// A policy of a kind that is known and not modelled, with the pods it selects.
    Unmodelled(Box<model::Selector>),
    /// It adds nothing, but shows which traffic is intended.
    Mention,
    /// It adds nothing.
    Nothing,
}

/// An object and its place in its file.
#[derive(Debug)]
pub struct LoadedItem {
    /// The text that holds it.
    pub chunk: Chunk,
    /// Where it sits there.
    pub base: Base,
    /// Where it starts, for messages.
    pub at: Position,
    /// The object; none if it says no kind.
    pub object: Option<LoadedObject>,
}

/// The document of what has none yet.
pub const NO_DOCUMENT: DocumentId = DocumentId(u32::MAX);

impl LoadedObject {
    /// The group of its `apiVersion`; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// What is known of it as a workload, if it is one.
    pub fn workload(&self) -> Option<&WorkloadDraft> {
        if let Contribution::Workload(facts) = &self.contribution {
            Some(facts)
        } else {
            None
        }
    }

    /// Whether it is part of the cluster.
    pub fn is_cluster_object(&self) -> bool {
        matches!(
            self.contribution,
            Contribution::Namespace(_)
                | Contribution::Node(_)
                | Contribution::Service(_)
                | Contribution::Workload(_)
        )
    }

    /// Whether it lives in a namespace.
    pub fn is_namespaced(&self) -> bool {
        match &self.contribution {
            Contribution::Namespace(_) | Contribution::Node(_) => false,
            Contribution::Policy(_) => {
                dialects::find(&self.api_version, &self.kind).is_none_or(|d| d.namespaced)
            }
            Contribution::Unmodelled(_) => dialects::find_unmodelled(&self.api_version, &self.kind)
                .is_none_or(|u| u.namespaced),
            _ => true,
        }
    }
}
