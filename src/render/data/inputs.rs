//! JSON of `inputs`: what was read, skipped and assumed, and every fact worth telling about the
//! input.

use crate::diagnostic::{Diagnostic, Place};
use crate::render::context::RenderContext;
use crate::render::data::json::{EndJson, PlaceJson, PolicyName, at, policy, workload};
use schemars::JsonSchema;
use serde::Serialize;

/// A fact about the input.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DiagnosticJson {
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// The stable name of the kind of fact.
    pub code: &'static str,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceJson>,
    /// The fact.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A diagnostic.
pub fn diagnostic(context: RenderContext<'_>, diagnostic: &Diagnostic) -> DiagnosticJson {
    let place = match &diagnostic.place {
        Place::Origin(origin) => at(context, origin),
        Place::At(location) => Some(PlaceJson {
            file: location.file.to_string(),
            line: location.at.line,
            column: location.at.column,
        }),
        Place::Input => None,
    };
    DiagnosticJson {
        severity: diagnostic.severity.name(),
        code: diagnostic.code.name(),
        at: place,
        message: diagnostic.message.to_string(),
        help: diagnostic.help.as_deref().map(Into::into),
    }
}

/// What was read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InputsJson {
    /// Files read.
    pub files: usize,
    /// Objects seen.
    pub objects: usize,
    /// Objects that were read, by kind.
    pub read: std::collections::BTreeMap<String, usize>,
    /// Objects that play no part, by kind.
    pub skipped: std::collections::BTreeMap<String, usize>,
    /// Namespaces.
    pub namespaces: Vec<InputNamespaceJson>,
    /// Workloads.
    pub workloads: Vec<EndJson>,
    /// Policies.
    pub policies: Vec<PolicyName>,
    /// Policies that make verdicts unknown.
    pub unmodelled: Vec<String>,
    /// What is worth telling.
    pub diagnostics: Vec<DiagnosticJson>,
}

/// A namespace.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InputNamespaceJson {
    /// Its name.
    pub name: String,
    /// Whether a Namespace object was given, so that its labels are known.
    pub declared: bool,
}

/// What was read as a document's content.
pub fn inputs(context: RenderContext<'_>) -> InputsJson {
    let RenderContext { input, .. } = context;
    let namespace = |n: &crate::model::Namespace| InputNamespaceJson {
        name: n.name.to_string(),
        declared: n.declared.is_some(),
    };
    InputsJson {
        files: input.tally.files,
        objects: input.tally.objects,
        read: input.tally.read.clone(),
        skipped: input.tally.skipped.clone(),
        namespaces: input
            .cluster
            .namespaces()
            .map(|(_, n)| namespace(n))
            .collect(),
        workloads: input
            .cluster
            .workloads()
            .map(|(id, _)| workload(context, id))
            .collect(),
        policies: input
            .policies
            .iter()
            .map(|(id, _)| policy(context, id))
            .collect(),
        unmodelled: input
            .policies
            .taints
            .iter()
            .map(|t| t.what.to_string())
            .collect(),
        diagnostics: input
            .diagnostics
            .iter()
            .map(|d| diagnostic(context, d))
            .collect(),
    }
}
