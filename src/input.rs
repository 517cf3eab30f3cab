//! [`Input`]: what was read, complete: the world, the law, the texts, and what is worth telling
//! about them.
//!
//! The hand-over between `load`, which makes it, and `compile`, which never touches a file. The
//! parts are shared, so a graph can keep its world alive without copying it.

use crate::diagnostic::{Diagnostic, Severity};
use crate::model::Cluster;
use crate::policy::PolicySet;
use crate::source::{DocumentId, Sources};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Counts of what was read, for `netpal inputs`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Files read.
    pub files: usize,
    /// Objects seen, of any kind.
    pub objects: usize,
    /// Objects that make up the world or the law, by kind.
    pub read: BTreeMap<String, usize>,
    /// Objects of kinds that play no part, by kind.
    pub skipped: BTreeMap<String, usize>,
    /// Pods that have finished and are no endpoints any more (S57).
    pub finished_pods: usize,
}

/// An object that is neither world nor law and still tells which traffic is meant to pass: an
/// Ingress, a route, a monitor, a webhook configuration, a role binding. Only its place is kept;
/// whoever asks reads it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Its kind.
    pub kind: Box<str>,
    /// Its document.
    pub document: DocumentId,
}

/// Everything that was read.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// The world.
    pub cluster: Arc<Cluster>,
    /// The law.
    pub policies: Arc<PolicySet>,
    /// The texts, for positions and quotes.
    pub sources: Arc<Sources>,
    /// What is worth telling, in input order.
    pub diagnostics: Vec<Diagnostic>,
    /// Counts of what was read and skipped.
    pub tally: Tally,
    /// Objects that tell which traffic is meant to pass, in input order.
    pub mentions: Arc<Vec<Mention>>,
    /// The namespace of objects that name none (S1).
    pub namespace: Box<str>,
}

impl Input {
    /// Whether something could not be read as the API server would read it.
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|d| d.severity == Severity::Error)
    }
}
