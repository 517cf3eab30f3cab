//! `netpal schema`: the JSON Schemas of the files netpal reads and of the documents it prints, made
//! from the very types.
//!
//! A file's schema says what is accepted, a document's what is written: there a field is required
//! unless it may be left out, and `schema` and `kind` have their one value. Fields may be added to
//! a document within a version, so none is forbidden.

use super::args::SchemaOf;
use super::exit::Exit;
use super::output;
use super::questions::Answers;
use anyhow::Result;
use netpal::check::schema::TestFile;
use netpal::config::Config;
use netpal::render::data::check::TestsJson;
use netpal::render::data::diff::DiffJson;
use netpal::render::data::explain::ExplanationJson;
use netpal::render::data::findings::JsonFindings;
use netpal::render::data::inputs::InputsJson;
use netpal::render::data::json::{AnswerJson, Document, ListJson, SCHEMA};
use netpal::render::data::reach::{PathJson, ReachJson};
use netpal::render::data::why::WhyJson;
use netpal::render::image::matrix::MatrixJson;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, schema_for};

/// Prints the schema of one format.
///
/// # Errors
/// When standard output fails.
pub fn run(of: SchemaOf) -> Result<Exit> {
    let schema = match of {
        SchemaOf::Config => schema_for!(Config),
        SchemaOf::Tests => schema_for!(TestFile),
        SchemaOf::Can => document::<AnswerJson>("Answer"),
        SchemaOf::Questions => document::<Answers>("Answers"),
        SchemaOf::Why => document::<WhyJson>("Why"),
        SchemaOf::List => document::<ListJson<'static>>("List"),
        SchemaOf::Reach => document::<ReachJson>("Reach"),
        SchemaOf::Path => document::<PathJson>("Path"),
        SchemaOf::Explain => document::<ExplanationJson>("Explanation"),
        SchemaOf::Matrix => document::<MatrixJson>("Matrix"),
        SchemaOf::Inputs => document::<InputsJson>("Inputs"),
        SchemaOf::Lint => document::<JsonFindings>("Findings"),
        SchemaOf::Diff => document::<DiffJson>("Diff"),
        SchemaOf::TestResults => document::<TestsJson>("Tests"),
    };
    let mut text = serde_json::to_string_pretty(&schema)?;
    text.push('\n');
    output::plain(text.as_bytes())?;
    Ok(Exit::Good)
}

/// The schema of a document of one kind.
fn document<T: JsonSchema>(kind: &str) -> Schema {
    let mut schema = SchemaSettings::default()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Document<T>>();
    for (field, value) in [("schema", SCHEMA), ("kind", kind)] {
        if let Some(of) = schema
            .pointer_mut(&format!("/properties/{field}"))
            .and_then(|v| v.as_object_mut())
        {
            of.insert("const".into(), value.into());
        }
    }
    schema.insert("title".into(), format!("netpal {kind}").into());
    schema
}
