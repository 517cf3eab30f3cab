//! `netpal schema`: the JSON Schemas of the files netpal reads and of the documents it prints.

use super::args::SchemaOf;
use super::exit::Exit;
use super::output;
use anyhow::Result;
use netpal::{DocumentKind, json_schema};

/// Prints the schema of one format.
///
/// # Errors
/// When standard output fails.
pub fn run(which: SchemaOf) -> Result<Exit> {
    let mut text = serde_json::to_string_pretty(&json_schema(which.into()))?;
    text.push('\n');
    output::plain(text.as_bytes())?;
    Ok(Exit::Good)
}

impl From<SchemaOf> for DocumentKind {
    fn from(which: SchemaOf) -> Self {
        match which {
            SchemaOf::Config => Self::Config,
            SchemaOf::Tests => Self::Tests,
            SchemaOf::Can => Self::Answer,
            SchemaOf::Questions => Self::Answers,
            SchemaOf::Why => Self::Why,
            SchemaOf::List => Self::List,
            SchemaOf::Doors => Self::Doors,
            SchemaOf::Entrance => Self::Entrance,
            SchemaOf::Reach => Self::Reach,
            SchemaOf::Path => Self::Path,
            SchemaOf::Critical => Self::Critical,
            SchemaOf::Explain => Self::Explanation,
            SchemaOf::Matrix => Self::Matrix,
            SchemaOf::Inputs => Self::Inputs,
            SchemaOf::Lint => Self::Findings,
            SchemaOf::Diff => Self::Diff,
            SchemaOf::TestResults => Self::TestResults,
        }
    }
}
