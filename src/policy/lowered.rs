//! What reading one policy object gives: the policy, and everything that is wrong with it.

use crate::policy::calico::options::CalicoSettings;
use crate::policy::cilium;
use crate::policy::layer_object::LayerObject;
use crate::policy::rule::Policy;
use crate::policy::tier::Tier;
use crate::policy::unmodelled::TaintReach;
use crate::source::{DocumentId, Path};
use crate::tree::Problem;

/// What is known about an object before its spec is read.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its namespace, defaulted as kubectl does.
    pub namespace: &'a str,
    /// Its document.
    pub document: DocumentId,
    /// Whether address blocks are checked as Kubernetes does since 1.36.
    pub strict_cidrs: bool,
    /// How objects of Calico come into the cluster.
    pub calico: &'a CalicoSettings,
    /// The minor version of Cilium 1 whose checks hold.
    pub cilium: u32,
}

impl<'a> Header<'a> {
    /// Of an object that was checked when it was read.
    pub fn checked(name: &'a str, namespace: &'a str, document: DocumentId) -> Self {
        static DEFAULT: CalicoSettings = CalicoSettings::NONE;
        Self {
            name,
            namespace,
            document,
            strict_cidrs: false,
            calico: &DEFAULT,
            cilium: cilium::options::CURRENT,
        }
    }
}

/// What reading a policy gave.
#[derive(Debug, Default)]
pub struct Lowered {
    /// The policies of the object, unless it is broken; mostly one.
    pub policies: Vec<Policy>,
    /// Whether it is in force nowhere, because whoever enforces it refuses it.
    pub void: bool,
    /// What it may touch where it could not be read, if its kind alone does not tell.
    pub reaches: Option<Vec<TaintReach>>,
    /// The tier that it is asked in, where that is none of the Kubernetes APIs'; then it counts
    /// instead of the policy's own.
    pub tier: Option<Tier>,
    /// What it says, where only all objects of a layer together tell what that means.
    pub layer: Option<Box<LayerObject>>,
    /// What is wrong with its form: unknown fields, wrong types.
    pub problems: Vec<Problem>,
    /// What is wrong with its values.
    pub invalid: Vec<Invalid>,
}

impl Lowered {
    /// The policy if nothing was wrong with it, otherwise only what was wrong. An error that leaves
    /// no doubt about what the policy means is reported all the same.
    pub fn checked(policy: Policy, problems: Vec<Problem>, checks: Checks) -> Self {
        let broken = checks.0.iter().any(|i| i.doubt) || problems.iter().any(Problem::is_error);
        Self {
            policies: Some(policy).filter(|_| !broken).into_iter().collect(),
            problems,
            invalid: checks.0,
            ..Self::default()
        }
    }

    /// An object of a layer as it was read: kept, or, where it is broken, what it may touch. It may
    /// let in what another one closes.
    pub fn of_layer(
        object: LayerObject,
        problems: Vec<Problem>,
        checks: Checks,
        reaches: impl FnOnce() -> Vec<TaintReach>,
    ) -> Self {
        let is_broken = checks.0.iter().any(|i| i.doubt) || problems.iter().any(Problem::is_error);
        let anything = |reaches: Vec<TaintReach>| {
            let each = reaches.into_iter();
            each.map(TaintReach::anything).collect()
        };
        Self {
            layer: (!is_broken).then(|| Box::new(object)),
            reaches: is_broken.then(|| anything(reaches())),
            problems,
            invalid: checks.0,
            ..Self::default()
        }
    }
}

/// A value that the API server would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Where, from the root of the object.
    pub path: Path,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Whether the policy's meaning is in doubt because of it. A name, a label or a limit the API
    /// server refuses leaves no doubt; the policy is evaluated as written, and the error is
    /// reported.
    pub doubt: bool,
    /// Whether it is a field the API does not know.
    pub unknown_field: bool,
    /// Whether the object is in force all the same, because a cluster printed it.
    pub in_force: bool,
}

/// A list of problems that is being filled.
#[derive(Debug, Default)]
pub struct Checks(pub Vec<Invalid>);

impl Checks {
    /// Notes a problem.
    pub fn invalid(&mut self, path: &Path, message: impl Into<String>) {
        self.push(path, message.into(), None, true);
    }

    /// Notes a problem that leaves no doubt about what the policy means.
    pub fn refused(&mut self, path: &Path, message: impl Into<String>) {
        self.push(path, message.into(), None, false);
    }

    /// The same with a word of help.
    pub fn refused_help(
        &mut self,
        path: &Path,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(path, message.into(), Some(help.into()), false);
    }

    /// Notes a field that the API does not know but whose meaning is known.
    pub fn unknown_field(&mut self, path: &Path, message: impl Into<String>, help: &str) {
        self.push(path, message.into(), Some(help.to_owned()), false);
        if let Some(last) = self.0.last_mut() {
            last.unknown_field = true;
        }
    }

    fn push(&mut self, path: &Path, message: String, help: Option<String>, doubt: bool) {
        self.0.push(Invalid {
            path: path.clone(),
            message,
            help,
            doubt,
            unknown_field: false,
            in_force: false,
        });
    }

    /// Notes a problem with a word of help.
    pub fn invalid_help(
        &mut self,
        path: &Path,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(path, message.into(), Some(help.into()), true);
    }
}
