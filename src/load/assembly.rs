//! [`Assembly`]: an input while it is being put together.
//!
//! Its parts are filled by the phases of [`crate::load::assemble`]; here are the state and what all
//! phases share: documents, places, diagnostics, counts. Order is input order.

use crate::diagnostic::{Code, Diagnostic, DiagnosticSeverity, Place};
use crate::input::{Mention, PassedOver, Tally, Unlisted};
use crate::load::bound_pod::BoundPod;
use crate::load::network_ids::NetworkIds;
use crate::load::object::LoadedObject;
use crate::load::options::LoadOptions;
use crate::policy::PolicySet;
use crate::policy::interner::PolicyInterner;
use crate::policy::layer_object::LayerObject;
use crate::policy::lowered::Invalid;
use crate::policy::object_facts::ObjectFacts;
use crate::source::{
    Base, Document, DocumentId, FileId, Location, Origin, Position, Sources, Span,
};
use crate::tree::{Chunk, Problem, ProblemKind, Sniffed, SyntaxNode};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An input while it is put together.
pub struct Assembly<'o> {
    /// Choices of loading.
    pub options: &'o LoadOptions,
    pub(super) sources: Sources,
    /// The diagnostics.
    pub diagnostics: Vec<Diagnostic>,
    /// Counts.
    pub tally: Tally,
    pub(super) objects: Vec<LoadedObject>,
    pub(super) policies: PolicySet,
    pub(super) interner: PolicyInterner,
    pub(super) mentions: Vec<Mention>,
    /// What could not be listed in the cluster.
    pub(super) unlisted: Vec<Unlisted>,
    pub(super) namespace: Arc<str>,
    /// Pods with what binds them to policies of other dialects.
    pub(super) bound_pods: Vec<BoundPod>,
    /// The network ids of namespaces.
    pub(super) network_ids: NetworkIds,
    /// Objects of layers, which are taken up together.
    pub(super) layer_objects: Vec<LayerObject>,
    /// What objects of the cluster say besides labels, as far as layers go by it.
    pub(super) facts: ObjectFacts,
    /// Whether a policy asks for the service account of pods.
    pub(super) names_accounts: bool,
    /// `OpenShift` Templates with policies, not yet judged.
    pub(super) templates: Vec<PolicyTemplate>,
    /// Those that say what new projects get.
    pub(super) project_templates: Vec<SyntaxNode>,
    pub(super) overlay: bool,
    /// Whether the objects that are taken up were printed by a cluster.
    pub(super) live: bool,
}

/// An `OpenShift` Template one of whose objects is a policy.
pub struct PolicyTemplate {
    /// Its file.
    pub file: FileId,
    /// Its text.
    pub chunk: Chunk,
    /// What it says.
    pub node: SyntaxNode,
}

impl<'o> Assembly<'o> {
    pub(super) fn new(options: &'o LoadOptions) -> Self {
        Self {
            options,
            sources: Sources::default(),
            diagnostics: Vec::new(),
            tally: Tally::default(),
            objects: Vec::new(),
            policies: PolicySet::default(),
            interner: PolicyInterner::default(),
            mentions: Vec::new(),
            unlisted: Vec::new(),
            namespace: (&*options.namespace).into(),
            bound_pods: Vec::new(),
            network_ids: NetworkIds::default(),
            layer_objects: Vec::new(),
            facts: ObjectFacts::default(),
            names_accounts: false,
            templates: Vec::new(),
            project_templates: Vec::new(),
            overlay: false,
            live: false,
        }
    }

    pub(super) fn place(&self, file: FileId, at: Position) -> Place {
        let name = self
            .sources
            .file(file)
            .map(|f| f.name.clone())
            .unwrap_or_default();
        Place::At(Location { file: name, at })
    }

    pub(super) fn document(
        &mut self,
        file: FileId,
        chunk: &Chunk,
        base: Base,
        at: Option<Position>,
    ) -> DocumentId {
        self.sources.add_document(Document {
            file,
            start: chunk.start,
            end: chunk.end,
            begins: chunk.begins(),
            base,
            at: at.unwrap_or(chunk.begins()),
        })
    }

    /// A document of its own for what is made from the object of another one, at its place.
    pub(super) fn another_document(&mut self, of: DocumentId) -> DocumentId {
        let document = self.sources.document(of).cloned();
        document.map_or(of, |document| self.sources.add_document(document))
    }

    /// A problem of a text as a diagnostic.
    pub(super) fn diagnostic(
        &self,
        file: FileId,
        document: Option<DocumentId>,
        severity: DiagnosticSeverity,
        problem: &Problem,
    ) -> Diagnostic {
        let code = match problem.kind {
            ProblemKind::Syntax | ProblemKind::Lost => Code::Syntax,
            ProblemKind::UnrenderedTemplate => Code::UnrenderedTemplate,
            ProblemKind::DuplicateKey => Code::DuplicateKey,
            ProblemKind::UnknownField => Code::UnknownField,
            ProblemKind::WrongType | ProblemKind::Letter => Code::WrongType,
            ProblemKind::Limit => Code::Limit,
        };
        let place = match (&problem.path, document) {
            (Some(path), Some(document)) => Place::Origin(Origin::new(document, path.clone())),
            _ => self.place(file, problem.span.at),
        };
        let mut diagnostic = Diagnostic::new(severity, code, place, problem.message.clone());
        diagnostic.help = problem.help.clone().map(Into::into);
        let related = problem
            .related
            .iter()
            .map(|(span, word): &(Span, String)| (self.place(file, span.at), word.clone().into()));
        diagnostic.related = related.collect();
        diagnostic
    }

    /// Reports what is to be said about an object.
    pub(super) fn remarks(&mut self, object: &mut LoadedObject) {
        for remark in std::mem::take(&mut object.remarks) {
            let invalid = remark.invalid;
            let help = help(&invalid);
            let message = if invalid.path.is_root() {
                invalid.message
            } else {
                format!(
                    "{} `{}`: {}: {}",
                    object.kind, object.name, invalid.path, invalid.message
                )
            };
            let place = Place::Origin(Origin::new(object.document, invalid.path));
            let mut diagnostic = Diagnostic::new(remark.severity, remark.code, place, message);
            diagnostic.help = help;
            self.diagnostics.push(diagnostic);
        }
    }

    /// Keeps that a custom resource was passed over.
    pub(super) fn pass_over(&mut self, object: &LoadedObject) {
        let group = object.group();
        if group.contains('.') && !group.ends_with(".k8s.io") {
            self.tally.passed_over.push(PassedOver {
                group: group.into(),
                kind: (&*object.kind).into(),
                namespace: (&*self.namespace_of(object)).into(),
                name: object.name.clone(),
            });
        }
    }

    /// The namespace of an object, kubectl's default where it names none (S1).
    pub(super) fn namespace_of(&self, object: &LoadedObject) -> Arc<str> {
        object
            .namespace
            .clone()
            .unwrap_or_else(|| Arc::clone(&self.namespace))
    }
}

/// Counts one of a kind.
pub fn count(counts: &mut BTreeMap<String, usize>, kind: &str) {
    match counts.get_mut(kind) {
        Some(n) => *n += 1,
        None => _ = counts.insert(kind.to_owned(), 1),
    }
}

/// What to do about an invalid value: its own help, unless the value was never filled in.
pub(super) fn help(invalid: &Invalid) -> Option<Box<str>> {
    if Sniffed::is_placeholder(&invalid.message) {
        return Some(
            "a placeholder that was not filled in: fill it in first, for example with envsubst"
                .into(),
        );
    }
    invalid.help.as_deref().map(Into::into)
}
