//! The JSON Schemas of the files netpal reads and of the documents it prints, made from the very
//! types.
//!
//! A file's schema says what is accepted, a document's what is written: there a field is required
//! unless it may be left out, and `schema` and `kind` have their one value. Fields may be added to
//! a document within a version, so none is forbidden.

use crate::check::schema::TestFile;
use crate::config::Config;
use crate::render::data::check::TestsJson;
use crate::render::data::critical::CriticalJson;
use crate::render::data::diff::DiffJson;
use crate::render::data::doors::{DoorsJson, EntranceJson};
use crate::render::data::explain::ExplanationJson;
use crate::render::data::findings::JsonFindings;
use crate::render::data::inputs::InputsJson;
use crate::render::data::json::{AnswerJson, JsonDocument, SCHEMA};
use crate::render::data::listing::ListJson;
use crate::render::data::questions::QuestionAnswers;
use crate::render::data::reach::{PathJson, ReachJson};
use crate::render::data::why::WhyJson;
use crate::render::image::matrix::MatrixJson;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, schema_for};

/// A file that netpal reads or a document that it prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// `netpal.yaml`.
    Config,
    /// Policy test files.
    Tests,
    /// `can -o json`.
    Answer,
    /// `can --questions -o json`.
    Answers,
    /// `why -o json`.
    Why,
    /// `list -o json`.
    List,
    /// `doors -o json`.
    Doors,
    /// `can --by door -o json`.
    Entrance,
    /// `reach -o json` and `who -o json`.
    Reach,
    /// `reach --path -o json`.
    Path,
    /// `critical -o json`.
    Critical,
    /// `explain -o json`.
    Explanation,
    /// `matrix -o json`.
    Matrix,
    /// `inputs -o json`.
    Inputs,
    /// `lint -o json`.
    Findings,
    /// `diff -o json`.
    Diff,
    /// `test -o json`.
    TestResults,
}

/// The JSON Schema of a file or a document.
///
/// # Examples
/// ```
/// use netpal::{DocumentKind, json_schema};
///
/// let schema = json_schema(DocumentKind::Answer);
/// assert!(schema.pointer("/properties/verdict").is_some());
/// ```
pub fn json_schema(kind: DocumentKind) -> Schema {
    match kind {
        DocumentKind::Config => schema_for!(Config),
        DocumentKind::Tests => schema_for!(TestFile),
        DocumentKind::Answer => document::<AnswerJson>("Answer"),
        DocumentKind::Answers => document::<QuestionAnswers>("Answers"),
        DocumentKind::Why => document::<WhyJson>("Why"),
        DocumentKind::List => document::<ListJson<'static>>("List"),
        DocumentKind::Entrance => document::<EntranceJson>("Entrance"),
        DocumentKind::Doors => document::<DoorsJson>("Doors"),
        DocumentKind::Reach => document::<ReachJson>("Reach"),
        DocumentKind::Path => document::<PathJson>("Path"),
        DocumentKind::Critical => document::<CriticalJson>("Critical"),
        DocumentKind::Explanation => document::<ExplanationJson>("Explanation"),
        DocumentKind::Matrix => document::<MatrixJson>("Matrix"),
        DocumentKind::Inputs => document::<InputsJson>("Inputs"),
        DocumentKind::Findings => document::<JsonFindings>("Findings"),
        DocumentKind::Diff => document::<DiffJson>("Diff"),
        DocumentKind::TestResults => document::<TestsJson>("Tests"),
    }
}

/// The schema of a document of one kind.
fn document<T: JsonSchema>(kind: &str) -> Schema {
    let mut schema = SchemaSettings::default()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<JsonDocument<T>>();
    for (field, value) in [("schema", SCHEMA), ("kind", kind)] {
        if let Some(property) = schema
            .pointer_mut(&format!("/properties/{field}"))
            .and_then(|v| v.as_object_mut())
        {
            property.insert("const".into(), value.into());
        }
    }
    schema.insert("title".into(), format!("netpal {kind}").into());
    schema
}
