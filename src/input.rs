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
    /// Whether a cluster was read.
    pub cluster: bool,
    /// Objects seen, of any kind.
    pub objects: usize,
    /// Objects that make up the cluster or the policy set, by kind.
    pub read: BTreeMap<String, usize>,
    /// Objects of kinds that play no part, by kind.
    pub skipped: BTreeMap<String, usize>,
    /// Pods that have finished and are no endpoints any more (S57).
    pub finished_pods: usize,
    /// What is made from objects that were read, and is in no file.
    pub made: Vec<MadeObjects>,
    /// Custom resources that were passed over.
    pub passed_over: Vec<PassedOver>,
}

/// A custom resource of which nothing was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The group of its API.
    pub group: Box<str>,
    /// Its kind.
    pub kind: Box<str>,
    /// Its namespace.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
}

/// What operators make from one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeObjects {
    /// The object: `Cluster shop/pg`.
    pub by: Box<str>,
    /// Its document.
    pub document: DocumentId,
    /// What tells what comes out: a row of the table of kinds, or the object itself.
    pub row: Box<str>,
    /// The pods: what they are called here, and how their names look.
    pub pods: Vec<(Box<str>, Box<str>)>,
    /// Other objects: kind, name, and why they may not be there.
    pub objects: Vec<(Box<str>, Box<str>, Option<Box<str>>)>,
    /// What is made and not known.
    pub unknown: Vec<Box<str>>,
}

impl MadeObjects {
    /// Nothing yet.
    pub(crate) fn new(by: &str, document: DocumentId) -> Self {
        Self {
            by: by.into(),
            document,
            row: Box::default(),
            pods: Vec::new(),
            objects: Vec::new(),
            unknown: Vec::new(),
        }
    }
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

/// Objects of one kind that a cluster has, or may have, and that were not listed: what they say is
/// unknown. Which verdicts that touches is a taint of the policy set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlisted {
    /// The group of the API; empty for the core group.
    pub group: Box<str>,
    /// The kind.
    pub kind: Box<str>,
    /// What kubectl calls the kind: `networkpolicies.networking.k8s.io`.
    pub resource: Box<str>,
    /// Where they were not listed.
    pub scope: UnlistedScope,
    /// Why, in a few words: `forbidden`.
    pub reason: Box<str>,
    /// The flags of kubectl that chose the cluster and the user: `--context=staging`.
    pub flags: Vec<Box<str>>,
}

/// Where objects were not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnlistedScope {
    /// In these namespaces.
    In(Vec<Box<str>>),
    /// In every namespace but these, or in the whole cluster if there is none.
    AllBut(Vec<Box<str>>),
}

impl Unlisted {
    /// The reason of what was left out because one namespace alone was to be read.
    pub const NOT_ASKED_FOR: &'static str = "one namespace alone was read";

    /// Whether it was to be listed, and could not be.
    pub fn was_asked_for(&self) -> bool {
        *self.reason != *Self::NOT_ASKED_FOR
    }
}

impl UnlistedScope {
    /// Whether a namespace is within it.
    pub fn contains(&self, namespace: &str) -> bool {
        let named = |names: &[Box<str>]| names.iter().any(|name| **name == *namespace);
        match self {
            Self::In(names) => named(names),
            Self::AllBut(names) => !named(names),
        }
    }
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
    /// What was to be read from a cluster and was not listed there.
    pub unlisted: Arc<Vec<Unlisted>>,
    /// The namespace of objects that name none (S1).
    pub namespace: Box<str>,
}

impl Input {
    /// Where objects of a kind of the core group were to be listed and could not be, so that there
    /// may be more of them than were read.
    pub fn unlisted_scopes<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a UnlistedScope> {
        let of_kind =
            move |u: &&Unlisted| u.group.is_empty() && *u.kind == *kind && u.was_asked_for();
        self.unlisted.iter().filter(of_kind).map(|u| &u.scope)
    }

    /// The namespace that alone was to be read of a cluster, if one was.
    pub fn only_namespace(&self) -> Option<&str> {
        let left_out = self.unlisted.iter().find(|u| !u.was_asked_for())?;
        match &left_out.scope {
            UnlistedScope::AllBut(names) => names.first().map(|name| &**name),
            UnlistedScope::In(_) => None,
        }
    }

    /// Whether something could not be read as the API server would read it.
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|d| d.severity == DiagnosticSeverity::Error)
    }
}
