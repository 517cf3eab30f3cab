//! [`Input`]: what was read, complete: the cluster, the policy set, the texts, and the diagnostics
//! about them.
//!
//! The hand-over between `load`, which makes it, and `compile`, which never touches a file. The
//! parts are shared, so a graph can keep its world alive without copying it.

use crate::diagnostic::{Diagnostic, DiagnosticSeverity};
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
    /// Objects that make up the cluster or the policy set, by kind.
    pub read: BTreeMap<String, usize>,
    /// Objects of kinds that play no part, by kind.
    pub skipped: BTreeMap<String, usize>,
    /// Pods that have finished and are no endpoints any more (S57).
    pub finished_pods: usize,
}

/// An object that is no part of the cluster and no policy, and still shows which traffic is
/// intended: an Ingress, a route, a monitor, a webhook configuration, a role binding. Only its
/// place is kept; the reader of that kind reads it there.
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
    /// The cluster.
    pub cluster: Arc<Cluster>,
    /// The policy set.
    pub policies: Arc<PolicySet>,
    /// The texts, for positions and quotes.
    pub sources: Arc<Sources>,
    /// The diagnostics, in input order.
    pub diagnostics: Vec<Diagnostic>,
    /// Counts of what was read and skipped.
    pub tally: Tally,
    /// Objects that shows which traffic is intended, in input order.
    pub mentions: Arc<Vec<Mention>>,
    /// The namespace of objects that name none (S1).
    pub namespace: Box<str>,
}

impl Input {
    /// Whether something could not be read as the API server would read it.
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|d| d.severity == DiagnosticSeverity::Error)
    }
}
