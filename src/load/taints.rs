//! What a document that could not be read may be, and so which verdicts it makes unknown.

use crate::load::assembly::Assembly;
use crate::load::parsed_chunk::{ChunkHeader, ParsedChunk};
use crate::model::Selector;
use crate::policy::dialects;
use crate::policy::{Namespaces, Subject, Taint, TaintEffect, TaintReason};
use crate::source::{FileId, Origin};
use crate::tree::Sniffed;

/// What a document that could not be read may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// Surely no policy.
    None,
    /// A policy of a kind that acts in the Network tier of one namespace.
    Network,
    /// It may be any policy.
    Any,
}

/// Judges a document that could not be read by what its lines say.
pub fn suspect(said: &ChunkHeader, text: &str) -> Suspicion {
    match said.kind.as_deref() {
        Some(kind) if !Sniffed::is_placeholder(kind) => {
            let version = said.api_version.as_deref().unwrap_or_default();
            if kind == "NetworkPolicy"
                && (version.is_empty() || version.starts_with("networking.k8s.io/"))
            {
                Suspicion::Network
            } else if dialects::may_be_policy_kind(kind)
                || (kind.ends_with("List") && text.contains("Policy"))
                || kind == "Template" && text.contains("Policy")
            {
                Suspicion::Any
            } else {
                Suspicion::None
            }
        }
        _ if text.contains("NetworkPolicy") => Suspicion::Any,
        Some(_) => Suspicion::Any,
        None => Suspicion::None,
    }
}

impl Assembly<'_> {
    pub(super) fn suspicion(&self, file: FileId, parsed: &ParsedChunk) -> Suspicion {
        let text = self
            .sources
            .file(file)
            .and_then(|f| f.text.part(parsed.chunk.start..parsed.chunk.end))
            .unwrap_or_default();
        suspect(&parsed.header, &text)
    }

    /// Leaves a taint for a policy that could not be read, over its namespace where that is known.
    pub(super) fn taint_unread(
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
            TaintEffect::UnorderedTier
        } else {
            TaintEffect::Anything
        };
        self.policies.taints.push(Taint {
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
}
