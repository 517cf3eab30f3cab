//! JSON of `inputs`: what was read, skipped and assumed, and every fact worth telling about the
//! input.

use crate::diagnostic::{Diagnostic, Place};
use crate::input::MadeObjects;
use crate::render::context::RenderContext;
use crate::render::data::json::{EndJson, PlaceJson, PolicyName, at, policy, workload};
use crate::source::Origin;
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
    /// What operators make from objects that were read, and is in no file.
    pub made: Vec<MadeJson>,
    /// What is worth telling.
    pub diagnostics: Vec<DiagnosticJson>,
}

/// What an operator makes from one object.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MadeJson {
    /// The object: `Cluster shop/pg`.
    pub by: String,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceJson>,
    /// What tells what comes out: a row of the table of kinds, or the object itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub row: String,
    /// The pods.
    pub pods: Vec<MadePodsJson>,
    /// Services and policies.
    pub objects: Vec<MadeObjectJson>,
    /// Policies that are made and not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// Pods of one role.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MadePodsJson {
    /// What they are called in questions and answers: `shop/Cluster/pg/instance`.
    pub name: String,
    /// How the names of the pods look: `#` is a number, `*` is generated.
    pub pods: String,
}

/// A Service or a policy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MadeObjectJson {
    /// Its kind.
    pub kind: String,
    /// Its namespace and name.
    pub name: String,
    /// Why it may not be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unless: Option<String>,
}

fn made(context: RenderContext<'_>, made: &MadeObjects) -> MadeJson {
    let pods = made.pods.iter().map(|(name, pods)| MadePodsJson {
        name: name.to_string(),
        pods: pods.to_string(),
    });
    let objects = made
        .objects
        .iter()
        .map(|(kind, name, unless)| MadeObjectJson {
            kind: kind.to_string(),
            name: name.to_string(),
            unless: unless.as_deref().map(Into::into),
        });
    MadeJson {
        by: made.by.to_string(),
        at: at(context, &Origin::document(made.document)),
        row: made.row.to_string(),
        pods: pods.collect(),
        objects: objects.collect(),
        unknown: made.unknown.iter().map(ToString::to_string).collect(),
    }
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
        made: input.tally.made.iter().map(|m| made(context, m)).collect(),
        diagnostics: input
            .diagnostics
            .iter()
            .map(|d| diagnostic(context, d))
            .collect(),
    }
}
