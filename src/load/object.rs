//! [`LoadedObject`]: an object of the API, reduced to its contribution to the cluster and the
//! policies.

use crate::diagnostic::{Code, DiagnosticSeverity};
use crate::input::Unlisted;
use crate::load::endpoints::ListedEndpoints;
use crate::load::generator_facts::GeneratorFacts;
use crate::load::workloads::{PodDraft, WorkloadDraft};
use crate::model;
use crate::policy::TaintReason;
use crate::policy::antrea::objects::AntreaExtra;
use crate::policy::calico::objects::CalicoExtra;
use crate::policy::cilium::options::CiliumSettings;
use crate::policy::dialects;
use crate::policy::lowered::{Invalid, Lowered};
use crate::policy::object_facts::Annotations;
use crate::policy::plugin::CidrGroup;
use crate::policy::unmodelled;
use crate::policy::unmodelled::TaintReach;
use crate::source::{Base, DocumentId, Path, Position};
use crate::tree::{Chunk, Problem, SyntaxNode};
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
    /// What is reported about it.
    pub remarks: Vec<Remark>,
    /// What its labels and annotations let others do to verdicts.
    pub reaches: Vec<TaintReach>,
    /// Whether it comes from an overlay, so that replacing an earlier one is what was wanted.
    pub overlay: bool,
    /// What generators of policies ask of it.
    pub facts: Option<Box<GeneratorFacts>>,
    /// Annotations of a namespace or a Service that a layer goes by.
    pub annotations: Annotations,
    /// Whether it is in no file, but made from an object that is.
    pub made: bool,
}

/// Pods that something makes from an object of another kind.
#[derive(Debug)]
pub struct MadePods {
    /// Their namespace, where it is not that of the object.
    pub namespace: Option<String>,
    /// What they are called there.
    pub made: model::MadeWorkload,
    /// The pod.
    pub draft: PodDraft,
    /// Ports with names that its containers declare in some settings only.
    pub perhaps_ports: Vec<model::ContainerPort>,
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
    /// What is listed as the endpoints of a Service.
    Endpoints(Box<ListedEndpoints>),
    /// By which callers outside the cluster may come in.
    Door(Box<model::doors::DoorSpec>),
    /// A pod, or a controller of pods.
    Workload(Box<WorkloadDraft>),
    /// Pods that something makes from an object of another kind.
    Pods(Box<MadePods>),
    /// An object of a kind whose controller makes others: what it says.
    Custom(Box<SyntaxNode>),
    /// A policy, its document not yet known.
    Policy(Box<Lowered>),
    /// A group of address blocks of Cilium.
    Group(Box<CidrGroup>),
    /// Options of Cilium's agent.
    AgentSettings(Box<CiliumSettings>),
    /// An object of Calico that decides what its policies mean.
    Calico(Box<CalicoExtra>),
    /// An object of Antrea that decides what its policies mean.
    Antrea(Box<AntreaExtra>),
    /// A policy that is not modelled, or that the API server refuses for its kind.
    Unmodelled(Box<UnmodelledPolicy>),
    /// Which plugin `OpenShift` says that its network has.
    NetworkPlugin(Box<str>),
    /// What could not be listed in the cluster.
    Unlisted(Box<Unlisted>),
    /// It adds nothing, but shows which traffic is intended.
    Mention,
    /// It adds nothing.
    Nothing,
}

/// A policy whose rules are not read.
#[derive(Debug)]
pub struct UnmodelledPolicy {
    /// What it can touch.
    pub reaches: Vec<TaintReach>,
    /// Whether it lives in a namespace.
    pub namespaced: bool,
    /// Why it is not read.
    pub reason: TaintReason,
    /// The same in words; none where an error was reported already.
    pub why: Option<Box<str>>,
}

impl Contribution {
    /// A policy that is not modelled.
    pub fn unmodelled(reaches: Vec<TaintReach>, namespaced: bool) -> Self {
        Self::explained(reaches, namespaced, "is not modelled")
    }

    /// A policy whose rules are not read, and why: "is not modelled".
    pub fn explained(reaches: Vec<TaintReach>, namespaced: bool, why: &str) -> Self {
        Self::Unmodelled(Box::new(UnmodelledPolicy {
            reaches,
            namespaced,
            reason: TaintReason::UnmodelledKind,
            why: Some(why.into()),
        }))
    }

    /// An object that makes policies which are not known, in words.
    pub fn makes_unknown(reach: TaintReach, what: &str) -> Self {
        Self::Unmodelled(Box::new(UnmodelledPolicy {
            reaches: vec![reach],
            namespaced: true,
            reason: TaintReason::MakesPolicies,
            why: Some(format!("makes policies that are not known here ({what})").into()),
        }))
    }

    /// A policy that the API server refuses because of its kind or version.
    pub fn refused(kind: &str, node: &SyntaxNode) -> Self {
        let cluster_wide = [dialects::DIALECTS
            .iter()
            .any(|d| d.kind == kind && !d.namespaced)]
        .into_iter()
        .chain(
            unmodelled::KINDS
                .iter()
                .filter(|k| k.kind == kind)
                .map(|k| !k.namespaced),
        );
        Self::Unmodelled(Box::new(UnmodelledPolicy {
            reaches: unmodelled::reach_of(kind, node),
            namespaced: !cluster_wide.into_iter().any(|wide| wide),
            reason: TaintReason::Broken,
            why: None,
        }))
    }
}

/// What is reported about an object.
#[derive(Debug)]
pub struct Remark {
    /// How bad it is.
    pub severity: DiagnosticSeverity,
    /// What kind of fact.
    pub code: Code,
    /// Where and what, and what to do.
    pub invalid: Invalid,
}

impl Remark {
    /// A value that the API server refuses.
    pub fn error(invalid: Invalid) -> Self {
        Self {
            severity: DiagnosticSeverity::Error,
            code: Code::InvalidValue,
            invalid,
        }
    }

    /// The same; in an object that a cluster printed, only a warning, because it is in force.
    pub fn refused(invalid: Invalid, from_cluster: bool) -> Self {
        let mut remark = Self::error(invalid);
        if from_cluster {
            remark.severity = DiagnosticSeverity::Warning;
        }
        remark
    }

    /// Something wrong with the form of an object, where its place is known.
    pub fn problem(problem: Problem) -> Option<Self> {
        Some(Self::error(Invalid {
            path: problem.path?,
            message: problem.message,
            help: problem.help,
            doubt: true,
            unknown_field: false,
            in_force: false,
        }))
    }

    /// Something by which what is read may not be what was meant.
    pub fn warning(message: String) -> Self {
        Self {
            severity: DiagnosticSeverity::Warning,
            code: Code::NotAnObject,
            ..Self::note(message)
        }
    }

    /// Something that is good to know.
    pub fn note(message: String) -> Self {
        Self {
            severity: DiagnosticSeverity::Note,
            code: Code::Assumption,
            invalid: Invalid {
                path: Path::root(),
                message,
                help: None,
                doubt: false,
                unknown_field: false,
                in_force: false,
            },
        }
    }
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

impl LoadedObject {
    /// An object that is made; its document is still to be given.
    pub fn made(
        kind: &Arc<str>,
        name: Box<str>,
        namespace: Arc<str>,
        contribution: Contribution,
    ) -> Self {
        Self {
            api_version: Arc::default(),
            kind: Arc::clone(kind),
            name,
            namespace: Some(namespace),
            document: DocumentId::NONE,
            contribution,
            remarks: Vec::new(),
            reaches: Vec::new(),
            overlay: false,
            facts: None,
            annotations: Box::default(),
            made: true,
        }
    }

    /// Where it is looked up in a cluster: kind, namespace if it is in one, and name.
    pub fn address(&self) -> String {
        let (kind, name) = (&self.kind, &self.name);
        match &self.namespace {
            Some(namespace) => format!("{kind}/{namespace}/{name}"),
            None => format!("{kind}/{name}"),
        }
    }

    /// What could not be listed, if the object says that and nothing else.
    pub fn unlisted(&self) -> Option<&Unlisted> {
        match &self.contribution {
            Contribution::Unlisted(unlisted) => Some(unlisted),
            _ => None,
        }
    }

    /// The group of its `apiVersion`; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// What is known of it as a workload, if it is one.
    pub fn workload(&self) -> Option<&WorkloadDraft> {
        if let Contribution::Workload(workload) = &self.contribution {
            Some(workload)
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
                | Contribution::Endpoints(_)
                | Contribution::Door(_)
                | Contribution::Workload(_)
                | Contribution::Pods(_)
        )
    }

    /// Whether it lives in a namespace.
    pub fn is_namespaced(&self) -> bool {
        match &self.contribution {
            Contribution::Namespace(_) | Contribution::Node(_) | Contribution::Group(_) => false,
            Contribution::Calico(extra) => extra.is_namespaced(),
            Contribution::Antrea(extra) => extra.is_namespaced(),
            Contribution::Policy(_) => {
                dialects::find(&self.api_version, &self.kind).is_none_or(|d| d.namespaced)
            }
            Contribution::Unmodelled(policy) => policy.namespaced,
            Contribution::Door(door) => door.is_namespaced(),
            _ => true,
        }
    }
}
