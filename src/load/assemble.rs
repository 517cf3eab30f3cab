//! Parsed chunks -> [`Input`].
//!
//! Phases: [`Assembly::register`] gives chunks their documents; [`Assembly::deduplicate`] keeps the
//! last of equally named objects; [`build`] fills the cluster; [`Assembly::take_policies`] fills
//! the policy set; [`look_up`] resolves the groups and Services that policies name. Order is input
//! order.

use crate::diagnostic::{Code, Diagnostic, DiagnosticSeverity, Place};
use crate::input::{Input, Mention};
use crate::load::assembly::{Assembly, PolicyTemplate, count};
use crate::load::build;
use crate::load::kustomize_parts;
use crate::load::made::derive::derive;
use crate::load::made::projects;
use crate::load::object::{Contribution, LoadedItem, LoadedObject};
use crate::load::objects;
use crate::load::options::LoadOptions;
use crate::load::parsed_chunk::{ChunkContent, ParsedChunk, ReadFile};
use crate::load::taints::Suspicion;
use crate::policy::looked_up::look_up;
use crate::source::{Base, DocumentId, FileId, Origin, Position, Text};
use crate::tree::{Chunk, Problem, ProblemKind, Sniffed};
use std::sync::Arc;

/// Builds the input from what was read.
pub fn assemble(files: Vec<ReadFile>, options: &LoadOptions) -> Input {
    let mut assembly = Assembly::new(options);
    for file in files {
        assembly.register(file);
    }
    let objects = assembly.deduplicate();
    assembly.judge_templates(&objects);
    let mut objects = derive(objects, &mut assembly);
    assembly.take_plugin(&mut objects);
    let mut cluster = build::cluster(&mut objects, &mut assembly);
    assembly.take_policies(objects, &cluster);
    let named = assembly.policies.plugin.calico.named_addresses(&cluster);
    cluster.name_addresses(named);
    look_up(&mut assembly.policies, &cluster);
    assembly.take_layers(&mut cluster);
    assembly.refused_for_options();
    assembly.tiers_of_one_priority();
    assembly.take_unlisted(&cluster);
    assembly.finish(cluster)
}

impl Assembly<'_> {
    fn register(&mut self, read: ReadFile) {
        self.tally.files += usize::from(!read.live);
        self.tally.cluster |= read.live;
        self.overlay = read.overlay;
        self.live = read.live;
        let (text, unreadable) = match read.text {
            Ok(text) => (text, None),
            Err(reason) => (Text::Kept(Arc::default()), Some(reason)),
        };
        let file = self.sources.add_file(&read.name, text);
        if let Some(reason) = unreadable {
            let place = self.place(file, Position { line: 1, column: 1 });
            self.diagnostics.push(Diagnostic::new(
                DiagnosticSeverity::Error,
                Code::Unreadable,
                place,
                format!("cannot read this file: {reason}"),
            ));
            self.taint_unread("a file that could not be read", Suspicion::Any, None, None);
        }
        let is_object = |parsed: &ParsedChunk| match parsed.content {
            ChunkContent::Items(_) | ChunkContent::Skipped => true,
            ChunkContent::Broken | ChunkContent::NoKind(_) | ChunkContent::Template { .. } => false,
        };
        let has_objects = read.chunks.iter().any(is_object);
        for parsed in read.chunks {
            self.chunk(file, parsed, has_objects);
        }
    }

    /// Takes in a document. One that is broken is a mistake wherever its file `has_objects`, since
    /// kubectl refuses such a file.
    fn chunk(&mut self, file: FileId, parsed: ParsedChunk, has_objects: bool) {
        let broken = matches!(parsed.content, ChunkContent::Broken);
        let harmless = broken && !has_objects;
        let severity = |me: &Self, p: &Problem| me.severity(file, &parsed, p, harmless);
        let graded: Vec<(DiagnosticSeverity, &Problem)> = parsed
            .problems
            .iter()
            .map(|p| (severity(self, p), p))
            .collect();
        let found: Vec<Diagnostic> = graded
            .into_iter()
            .map(|(s, p)| self.diagnostic(file, None, s, p))
            .collect();
        self.diagnostics.extend(found);
        match parsed.content {
            ChunkContent::Skipped => self.skipped(file, parsed),
            ChunkContent::Broken => self.broken(file, &parsed),
            ChunkContent::NoKind(remark) => self.kustomization(file, &parsed.chunk, remark),
            ChunkContent::Template {
                policies: false, ..
            } => self.template(file, &parsed.chunk),
            ChunkContent::Template { root, .. } => self.templates.push(PolicyTemplate {
                file,
                chunk: parsed.chunk,
                node: *root,
            }),
            ChunkContent::Items(items) => items.into_iter().for_each(|item| self.item(file, item)),
        }
    }

    /// Says what a Kustomization that says no kind would change; other texts without a kind are
    /// no matter of ours.
    fn kustomization(&mut self, file: FileId, chunk: &Chunk, remark: Option<String>) {
        let name = self.sources.file(file).map(|file| &*file.name);
        let is_one = name.is_some_and(kustomize_parts::is_kustomization);
        if let Some(remark) = remark.filter(|_| is_one) {
            let place = self.place(file, chunk.begins());
            let (severity, code) = (DiagnosticSeverity::Warning, Code::NotAnObject);
            let diagnostic = Diagnostic::new(severity, code, place, remark);
            self.diagnostics.push(diagnostic);
        }
    }

    fn skipped(&mut self, file: FileId, parsed: ParsedChunk) {
        self.tally.objects += 1;
        let kind = parsed.header.kind.unwrap_or_default();
        if objects::is_mention(
            parsed.header.api_version.as_deref().unwrap_or_default(),
            &kind,
        ) {
            let document = self.document(file, &parsed.chunk, Base::Root, None);
            self.mentions.push(Mention {
                kind: kind.as_str().into(),
                document,
            });
        }
        count(&mut self.tally.skipped, &kind);
    }

    /// A broken document that can be neither a policy nor a part of the cluster only warns.
    fn severity(
        &self,
        file: FileId,
        parsed: &ParsedChunk,
        problem: &Problem,
        may_be_harmless: bool,
    ) -> DiagnosticSeverity {
        let harmless = !problem.is_error()
            || (may_be_harmless
                && problem.kind != ProblemKind::WrongType
                && self.suspicion(file, parsed) == Suspicion::None
                && !self.may_be_of_cluster(file, parsed));
        if harmless {
            DiagnosticSeverity::Warning
        } else {
            DiagnosticSeverity::Error
        }
    }

    fn broken(&mut self, file: FileId, parsed: &ParsedChunk) {
        let suspicion = self.suspicion(file, parsed);
        let kind = parsed
            .header
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
        let name = parsed
            .header
            .name
            .as_deref()
            .filter(|n| !Sniffed::is_placeholder(n));
        let namespace = parsed
            .header
            .namespace
            .as_deref()
            .filter(|n| !Sniffed::is_placeholder(n));
        let kind = kind.as_deref().unwrap_or("a document");
        let what = format!("{kind} {}", name.unwrap_or("without a readable name"));
        let document = self.document(file, &parsed.chunk, Base::Root, None);
        self.taint_unread(
            &what,
            suspicion,
            namespace,
            Some(Origin::document(document)),
        );
    }

    fn template(&mut self, file: FileId, chunk: &Chunk) {
        self.template_left(file, chunk, false);
    }

    /// A Template of which no object is read.
    fn template_left(&mut self, file: FileId, chunk: &Chunk, policies: bool) {
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
            DiagnosticSeverity::Error
        } else {
            DiagnosticSeverity::Warning
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

    fn item(&mut self, file: FileId, item: LoadedItem) {
        if let Some(unlisted) = item.object.as_ref().and_then(LoadedObject::unlisted) {
            return self.unlisted.push(unlisted.clone());
        }
        self.tally.objects += 1;
        let document = self.document(file, &item.chunk, item.base, Some(item.at));
        let Some(mut object) = item.object else {
            return self.no_object(document);
        };
        if self.live {
            self.sources.set_address(document, object.address());
        }
        object.overlay = self.overlay;
        object.document = document;
        match &mut object.contribution {
            Contribution::Mention | Contribution::Nothing => {
                if matches!(object.contribution, Contribution::Mention) {
                    self.mentions.push(Mention {
                        kind: (&*object.kind).into(),
                        document,
                    });
                }
                self.remarks(&mut object);
                self.pass_over(&object);
                return count(&mut self.tally.skipped, &object.kind);
            }
            Contribution::Policy(lowered) => lowered
                .policies
                .iter_mut()
                .for_each(|p| p.document = document),
            _ => {}
        }
        self.objects.push(object);
    }

    /// Templates with policies, but for those that say what new projects get.
    fn judge_templates(&mut self, objects: &[LoadedObject]) {
        for template in std::mem::take(&mut self.templates) {
            if projects::is_for_projects(&template.node, objects) {
                self.tally.objects += 1;
                count(&mut self.tally.read, "Template");
                self.project_templates.push(template.node);
            } else {
                self.template_left(template.file, &template.chunk, true);
            }
        }
    }

    /// An item of a List that is no object.
    fn no_object(&mut self, document: DocumentId) {
        let place = Place::Origin(Origin::document(document));
        let message = "an item of a List that is no object: it has no kind";
        let error = Diagnostic::new(DiagnosticSeverity::Error, Code::WrongType, place, message);
        self.diagnostics.push(error);
    }

    fn finish(mut self, cluster: crate::model::Cluster) -> Input {
        self.both_generations();
        Input {
            cluster: Arc::new(cluster),
            policies: Arc::new(self.policies),
            sources: Arc::new(self.sources),
            diagnostics: self.diagnostics,
            tally: self.tally,
            mentions: Arc::new(self.mentions),
            unlisted: Arc::new(self.unlisted),
            namespace: self.options.namespace.clone(),
        }
    }
}
