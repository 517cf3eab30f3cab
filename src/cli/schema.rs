//! `netpal schema`: the JSON Schemas of the files netpal reads and of the documents it prints, made from the very types.

use super::args::SchemaOf;
use super::exit::Exit;
use super::output;
use anyhow::Result;
use netpal::check::file::TestFile;
use netpal::config::Config;
use netpal::render::check_data::TestsJson;
use netpal::render::diff_json::DiffJson;
use netpal::render::json::Document;
use schemars::schema_for;

/// Prints the schema of one format.
///
/// # Errors
/// When standard output fails.
pub fn run(of: SchemaOf) -> Result<Exit> {
    let schema = match of {
        SchemaOf::Config => schema_for!(Config),
        SchemaOf::Tests => schema_for!(TestFile),
        SchemaOf::TestResults => schema_for!(Document<TestsJson>),
        SchemaOf::Diff => schema_for!(Document<DiffJson>),
    };
    let mut text = serde_json::to_string_pretty(&schema)?;
    text.push('\n');
    output::plain(text.as_bytes())?;
    Ok(Exit::Good)
}
