//! Pieces of text -> [`Input`]: registers documents, tells what is wrong, builds the cluster,
//! lowers the policies.
//!
//! Phases: [`Assembly::register`] gives pieces their documents; [`Assembly::deduplicate`] keeps of
//! equal names the last; [`crate::load::objects`] and [`build`] fill the cluster;
//! [`Assembly::policies`] lowers the law. Order is input order.

use crate::diagnostic::{Code, Diagnostic, Place, Severity};
use crate::input::{Input, Mention, Tally};
use crate::load::objects;
use crate::load::objects::{Contribution, LoadedItem, LoadedObject, Suspicion};
use crate::load::read::{ChunkContent, ParsedChunk, ReadFile};
use crate::load::{LoadOptions, build};
use crate::model::{Selector, WorkloadKind};
use crate::policy::dialects;
use crate::policy::interner::PolicyInterner;
use crate::policy::lowered::Lowered;
use crate::policy::{
    Namespaces, Policy, PolicySet, Subject, Taint, TaintEffect, TaintReason, Tier,
};
use crate::set::hashed::HashMap;
use crate::source::{
    Base, Document, DocumentId, FileId, Location, Origin, Path, Position, Sources, Span, Text,
};
use crate::tree::{Chunk, Problem, ProblemKind, Sniffed};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Builds the input from what was read.
pub fn assemble(files: Vec<ReadFile>, options: &LoadOptions) -> Input {
    let mut assembly = Assembly::new(options);
    for file in files {
        assembly.register(file);
    }
    let mut objects = assembly.deduplicate();
    let cluster = build::cluster(&mut objects, &mut assembly);
    assembly.policies(objects);
    assembly.finish(cluster)
}

/// An input while it is put together.
pub struct Assembly<'o> {
    /// Choices of loading.
    pub options: &'o LoadOptions,
    sources: Sources,
    /// What is worth telling.
    pub diagnostics: Vec<Diagnostic>,
    /// Counts.
    pub tally: Tally,
    objects: Vec<LoadedObject>,
    law: PolicySet,
    shared: PolicyInterner,
    mentions: Vec<Mention>,
    namespace: Arc<str>,
    overlay: bool,
}

impl<'o> Assembly<'o> {
    fn new(options: &'o LoadOptions) -> Self {
        Self {
            options,
            sources: Sources::default(),
            diagnostics: Vec::new(),
            tally: Tally::default(),
            objects: Vec::new(),
            law: PolicySet::default(),
            shared: PolicyInterner::default(),
            mentions: Vec::new(),
            namespace: (&*options.namespace).into(),
            overlay: false,
        }
    }

    fn register(&mut self, read: ReadFile) {
        self.tally.files += 1;
        self.overlay = read.overlay;
        let (text, unreadable) = match read.text {
            Ok(text) => (text, None),
            Err(reason) => (Text::Kept(Arc::default()), Some(reason)),
        };
        let file = self.sources.add_file(&read.name, text);
        if let Some(reason) = unreadable {
            let place = self.place(file, Position { line: 1, column: 1 });
            self.diagnostics.push(Diagnostic::new(
                Severity::Error,
                Code::Unreadable,
                place,
                format!("cannot read this file: {reason}"),
            ));
            self.taint_unread("a file that could not be read", Suspicion::Any, None, None);
        }
        for piece in read.pieces {
            self.piece(file, piece);
        }
    }

    fn place(&self, file: FileId, at: Position) -> Place {
        let name = self
            .sources
            .file(file)
            .map(|f| f.name.clone())
            .unwrap_or_default();
        Place::At(Location { file: name, at })
    }

    fn piece(&mut self, file: FileId, piece: ParsedChunk) {
        let broken = matches!(piece.found, ChunkContent::Broken);
        let severity = |me: &Self, p: &Problem| me.severity(file, &piece, p, broken);
        let told: Vec<(Severity, &Problem)> = piece
            .problems
            .iter()
            .map(|p| (severity(self, p), p))
            .collect();
        let found: Vec<Diagnostic> = told
            .into_iter()
            .map(|(s, p)| self.diagnostic(file, None, s, p))
            .collect();
        self.diagnostics.extend(found);
        match piece.found {
            ChunkContent::Skipped => self.skipped(file, piece),
            ChunkContent::Broken => self.broken(file, &piece),
            ChunkContent::NoKind => {}
            ChunkContent::Template { policies } => self.template(file, &piece.chunk, policies),
            ChunkContent::Items(items) => items.into_iter().for_each(|item| self.item(file, item)),
        }
    }

    fn skipped(&mut self, file: FileId, piece: ParsedChunk) {
        self.tally.objects += 1;
        let kind = piece.said.kind.unwrap_or_default();
        if objects::is_mention(piece.said.api_version.as_deref().unwrap_or_default(), &kind) {
            let document = self.document(file, &piece.chunk, Base::Root, None);
            self.mentions.push(Mention {
                kind: kind.as_str().into(),
                document,
            });
        }
        count(&mut self.tally.skipped, &kind);
    }

    fn suspicion(&self, file: FileId, piece: &ParsedChunk) -> Suspicion {
        let text = self
            .sources
            .file(file)
            .and_then(|f| f.text.part(piece.chunk.start..piece.chunk.end))
            .unwrap_or_default();
        objects::suspect(&piece.said, &text)
    }

    /// A document that is surely no policy only warns when it is broken.
    fn severity(
        &self,
        file: FileId,
        piece: &ParsedChunk,
        problem: &Problem,
        broken: bool,
    ) -> Severity {
        let harmless =
            !problem.is_error() || (broken && self.suspicion(file, piece) == Suspicion::None);
        if harmless {
            Severity::Warning
        } else {
            Severity::Error
        }
    }

    fn broken(&mut self, file: FileId, piece: &ParsedChunk) {
        let suspicion = self.suspicion(file, piece);
        let kind = piece
            .said
            .kind
            .clone()
            .filter(|k| !Sniffed::is_placeholder(k));
        if let Some(kind) = &kind {
            self.tally.objects += 1;
            *self
                .tally
                .skipped
                .entry(format!("{kind} (broken)"))
                .or_default() += 1;
        }
        if suspicion == Suspicion::None {
            return;
        }
        let name = piece
            .said
            .name
            .as_deref()
            .filter(|n| !Sniffed::is_placeholder(n));
        let namespace = piece
            .said
            .namespace
            .as_deref()
            .filter(|n| !Sniffed::is_placeholder(n));
        let kind = kind.as_deref().unwrap_or("a document");
        let what = format!("{kind} {}", name.unwrap_or("without a readable name"));
        let document = self.document(file, &piece.chunk, Base::Root, None);
        self.taint_unread(
            &what,
            suspicion,
            namespace,
            Some(Origin::document(document)),
        );
    }

    /// Leaves a taint for a policy that could not be read, over its namespace where that is known.
    fn taint_unread(
        &mut self,
        what: &str,
        suspicion: Suspicion,
        namespace: Option<&str>,
        origin: Option<Origin>,
    ) {
        if self.options.ignore_broken {
            return;
        }
        let namespaces = match namespace {
            Some(name) => Namespaces::Named(name.into()),
            None => Namespaces::Matching(Selector::everything()),
        };
        let effect = if suspicion == Suspicion::Network {
            TaintEffect::NetworkTier
        } else {
            TaintEffect::Anything
        };
        self.law.taints.push(Taint {
            what: what.into(),
            reason: TaintReason::Broken,
            effect,
            subject: Subject {
                namespaces,
                pods: Selector::everything(),
            },
            directions: [true, true],
            origin,
        });
    }

    fn template(&mut self, file: FileId, chunk: &Chunk, policies: bool) {
        self.tally.objects += 1;
        *self.tally.skipped.entry("Template".into()).or_default() += 1;
        let place = self.place(
            file,
            Position {
                line: chunk.line,
                column: 1,
            },
        );
        let severity = if policies {
            Severity::Error
        } else {
            Severity::Warning
        };
        let message = "an OpenShift Template: its objects have parameters to be filled in, so none of them was read";
        self.diagnostics.push(
            Diagnostic::new(severity, Code::NotAnObject, place, message)
                .help("process it first: oc process -f FILE | netpal ... -f -"),
        );
        if policies {
            let document = self.document(file, chunk, Base::Root, None);
            self.taint_unread(
                "a policy in an OpenShift Template",
                Suspicion::Network,
                None,
                Some(Origin::document(document)),
            );
        }
    }

    fn document(
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

    fn item(&mut self, file: FileId, item: LoadedItem) {
        self.tally.objects += 1;
        let document = self.document(file, &item.chunk, item.base, Some(item.at));
        let Some(mut object) = item.object else {
            return;
        };
        object.overlay = self.overlay;
        object.document = document;
        match &mut object.part {
            Contribution::Mention | Contribution::Nothing => {
                if matches!(object.part, Contribution::Mention) {
                    self.mentions.push(Mention {
                        kind: (&*object.kind).into(),
                        document,
                    });
                }
                return count(&mut self.tally.skipped, &object.kind);
            }
            Contribution::Policy(lowered) => lowered
                .policy
                .iter_mut()
                .for_each(|p| p.document = document),
            _ => {}
        }
        self.objects.push(object);
    }

    /// A problem of a text as a diagnostic.
    fn diagnostic(
        &self,
        file: FileId,
        document: Option<DocumentId>,
        severity: Severity,
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

    /// The namespace of an object, kubectl's default where it names none (S1).
    pub fn namespace_of(&self, object: &LoadedObject) -> Arc<str> {
        object
            .namespace
            .clone()
            .unwrap_or_else(|| Arc::clone(&self.namespace))
    }

    /// Of objects with one kind, namespace and name the last wins, as with `kubectl apply`; it
    /// takes the place of the first.
    fn deduplicate(&mut self) -> Vec<LoadedObject> {
        let objects = std::mem::take(&mut self.objects);
        let default = Arc::clone(&self.namespace);
        let mut places: Vec<usize> = Vec::with_capacity(objects.len());
        let mut last: HashMap<(&str, &str, &str, &str), usize> =
            crate::set::hashed::room_for(objects.len());
        for (i, object) in objects.iter().enumerate() {
            if let Some(facts) = object.workload().filter(|f| f.patch) {
                self.patch(object, facts.kind);
                continue;
            }
            let namespace = if object.is_namespaced() {
                object.namespace.as_deref().unwrap_or(&default)
            } else {
                ""
            };
            self.placeholder(object, namespace);
            let place = *last
                .entry((object.group(), &object.kind, namespace, &object.name))
                .or_insert(places.len());
            match places.get_mut(place) {
                None => places.push(i),
                Some(earlier) => {
                    let earlier = std::mem::replace(earlier, i);
                    if !object.overlay {
                        self.duplicate(&objects[earlier], object.document);
                    }
                }
            }
        }
        drop(last);
        if places.len() == objects.len() {
            return objects;
        }
        let mut objects: Vec<Option<LoadedObject>> = objects.into_iter().map(Some).collect();
        places
            .into_iter()
            .filter_map(|i| objects.get_mut(i)?.take())
            .collect()
    }

    fn patch(&mut self, object: &LoadedObject, kind: WorkloadKind) {
        *self
            .tally
            .skipped
            .entry(format!("{} (patch)", kind.name()))
            .or_default() += 1;
        let place = Place::Origin(Origin::document(object.document));
        let message = format!(
            "{} `{}` has no pod labels or no containers, so it looks like a kustomize patch; skipped",
            kind.name(),
            object.name
        );
        self.diagnostics.push(
            Diagnostic::new(Severity::Warning, Code::NotAnObject, place, message)
                .help("load the built manifests instead: netpal ... -k DIR"),
        );
    }

    fn placeholder(&mut self, object: &LoadedObject, namespace: &str) {
        for (field, value) in [("name", &*object.name), ("namespace", namespace)] {
            if Sniffed::is_placeholder(value) {
                let place = Place::Origin(Origin::new(
                    object.document,
                    Path::root().key("metadata").key(field),
                ));
                let message = format!(
                    "{field} `{value}` is a placeholder that was not filled in; taken as a {field} of its own"
                );
                self.diagnostics.push(
                    Diagnostic::new(Severity::Warning, Code::Placeholder, place, message)
                        .help("fill it in first, for example with envsubst"),
                );
            }
        }
    }

    fn duplicate(&mut self, earlier: &LoadedObject, later: DocumentId) {
        let place = Place::Origin(Origin::document(later));
        let name = match &earlier.namespace {
            Some(namespace) => format!("{namespace}/{}", earlier.name),
            None => earlier.name.to_string(),
        };
        let message = format!(
            "{} `{name}` is given twice; the last one counts, as with kubectl apply",
            earlier.kind
        );
        let related = Place::Origin(Origin::document(earlier.document));
        self.diagnostics.push(
            Diagnostic::new(Severity::Warning, Code::DuplicateObject, place, message)
                .related(related, "first given here"),
        );
    }

    /// Takes up every policy, or leaves a taint in its place.
    fn policies(&mut self, objects: Vec<LoadedObject>) {
        for mut object in objects {
            match std::mem::replace(&mut object.part, Contribution::Nothing) {
                Contribution::Policy(lowered) => self.policy(&object, *lowered),
                Contribution::Unmodelled(pods) => self.unmodelled(&object, *pods),
                _ => continue,
            }
            count(&mut self.tally.read, &object.kind);
        }
    }

    fn policy(&mut self, object: &LoadedObject, lowered: Lowered) {
        let file = self
            .sources
            .document(object.document)
            .map_or(FileId(0), |d| d.file);
        for problem in &lowered.problems {
            let severity = if problem.is_error() {
                Severity::Error
            } else {
                Severity::Warning
            };
            let diagnostic = self.diagnostic(file, Some(object.document), severity, problem);
            self.diagnostics.push(diagnostic);
        }
        for invalid in &lowered.invalid {
            let place = Place::Origin(Origin::new(object.document, invalid.path.clone()));
            let message = format!("{}: {}", invalid.path, invalid.message);
            let code = if invalid.unknown_field {
                Code::UnknownField
            } else {
                Code::InvalidValue
            };
            let mut diagnostic = Diagnostic::new(Severity::Error, code, place, message);
            diagnostic.help = invalid.help.clone().map(Into::into);
            self.diagnostics.push(diagnostic);
        }
        if let Some(mut policy) = lowered.policy {
            self.shared.share(&mut policy);
            self.law.policies.push(policy);
        } else {
            let namespace = self.namespace_of(object);
            // not by what was read, which is taken out of the object here: a broken policy of the
            // whole cluster touches it all
            let namespaced =
                dialects::find(&object.api_version, &object.kind).is_some_and(|d| d.namespaced);
            let what = format!("{} {}/{}", object.kind, namespace, object.name);
            let suspicion = if namespaced {
                Suspicion::Network
            } else {
                Suspicion::Any
            };
            let scope = namespaced.then_some(&*namespace);
            self.taint_unread(
                &what,
                suspicion,
                scope,
                Some(Origin::document(object.document)),
            );
        }
    }

    fn unmodelled(&mut self, object: &LoadedObject, pods: Selector) {
        let Some(row) = dialects::find_unmodelled(&object.api_version, &object.kind) else {
            return;
        };
        let namespaces = if row.namespaced {
            Namespaces::Named((&*self.namespace_of(object)).into())
        } else {
            Namespaces::Matching(Selector::everything())
        };
        let kind = if dialects::is_modelled_kind(&object.kind) {
            // the same word means another kind elsewhere
            format!("{}.{}", object.kind, object.group())
        } else {
            object.kind.to_string()
        };
        let what = match &object.namespace {
            Some(namespace) => format!("{kind} {namespace}/{}", object.name),
            None => format!("{kind} {}", object.name),
        };
        let place = Place::Origin(Origin::document(object.document));
        let message = format!("{what} is not modelled; verdicts it could touch are unknown");
        self.diagnostics.push(Diagnostic::new(
            Severity::Warning,
            Code::UnmodelledPolicy,
            place,
            message,
        ));
        self.law.taints.push(Taint {
            what: what.into(),
            reason: TaintReason::UnmodelledKind,
            effect: row.effect,
            subject: Subject { namespaces, pods },
            directions: row.directions,
            origin: Some(Origin::document(object.document)),
        });
    }

    /// Both generations of admin policies in one input: the API does not say how they work together
    /// (S125).
    fn both_generations(&mut self) {
        let ordered = || self.law.policies.iter().filter(|p| p.tier != Tier::Network);
        let older = ordered().find(|p| p.shape.is_v1alpha1());
        let newer = ordered().find(|p| !p.shape.is_v1alpha1());
        let (Some(older), Some(newer)) = (older, newer) else {
            return;
        };
        let name = |p: &Policy| format!("{} {}", p.shape.kind, p.full_name());
        let message = format!(
            "{} and {} are of two generations, and the API does not say how both work in one cluster; each tier is taken \
             as one, in the order of priority",
            name(older),
            name(newer)
        );
        let place = |p: &Policy| Place::Origin(Origin::document(p.document));
        let related = vec![(place(newer), Box::from("the newer generation"))];
        let told = Diagnostic::new(Severity::Warning, Code::Assumption, place(older), message);
        let told = Diagnostic { related, ..told }
            .help("keep one of them: ClusterNetworkPolicy (v1alpha2) replaces AdminNetworkPolicy and its baseline");
        self.diagnostics.push(told);
    }

    fn finish(mut self, cluster: crate::model::Cluster) -> Input {
        self.both_generations();
        Input {
            cluster: Arc::new(cluster),
            policies: Arc::new(self.law),
            sources: Arc::new(self.sources),
            diagnostics: self.diagnostics,
            tally: self.tally,
            mentions: Arc::new(self.mentions),
            namespace: self.options.namespace.clone(),
        }
    }
}

/// Counts one of a kind.
pub fn count(counts: &mut BTreeMap<String, usize>, kind: &str) {
    match counts.get_mut(kind) {
        Some(n) => *n += 1,
        None => _ = counts.insert(kind.to_owned(), 1),
    }
}
