//! [`ReadFile`]: a file that was read, as the list of its parsed chunks.

use crate::load::object::LoadedItem;
use crate::source::Text;
use crate::tree::{Chunk, Problem, Sniffed, SyntaxNode};

/// A chunk of a file, read.
#[derive(Debug)]
pub struct ParsedChunk {
    /// Its place.
    pub chunk: Chunk,
    /// Its identifying fields: apiVersion, kind, name, namespace.
    pub header: ChunkHeader,
    /// What was found in it.
    pub content: ChunkContent,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// What was found in a chunk.
#[derive(Debug)]
pub enum ChunkContent {
    /// It was skipped unparsed because its kind plays no part.
    Skipped,
    /// It cannot be read.
    Broken,
    /// It says no kind. What is to be said of it if it is a Kustomization, which need not say one.
    NoKind(Option<String>),
    /// An `OpenShift` Template.
    Template {
        /// Whether one of its objects is a policy.
        policies: bool,
        /// What it says.
        root: Box<SyntaxNode>,
    },
    /// Objects.
    Items(Vec<LoadedItem>),
}

/// The fields that identify the object of a chunk.
#[derive(Debug, Clone, Default)]
pub struct ChunkHeader {
    /// `apiVersion`.
    pub api_version: Option<String>,
    /// `kind`.
    pub kind: Option<String>,
    /// `metadata.name`.
    pub name: Option<String>,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
}

impl From<Sniffed<'_>> for ChunkHeader {
    fn from(s: Sniffed<'_>) -> Self {
        let owned = |word: Option<&str>| word.map(str::to_owned);
        Self {
            api_version: owned(s.api_version),
            // a null is no kind
            kind: owned(
                s.kind
                    .filter(|k| !matches!(*k, "" | "~" | "null" | "Null" | "NULL")),
            ),
            name: owned(s.name),
            namespace: owned(s.namespace),
        }
    }
}

/// A file with its pieces.
#[derive(Debug)]
pub struct ReadFile {
    /// The name for messages.
    pub name: Box<str>,
    /// Its text, or why there is none.
    pub text: Result<Text, String>,
    /// Its pieces, in order.
    pub chunks: Vec<ParsedChunk>,
    /// Whether its objects replace those of the other files.
    pub overlay: bool,
    /// Whether a cluster printed it.
    pub live: bool,
}

impl ReadFile {
    /// A file of the base input.
    pub fn new(name: &str, text: Result<Text, String>, chunks: Vec<ParsedChunk>) -> Self {
        Self {
            name: name.into(),
            text,
            chunks,
            overlay: false,
            live: false,
        }
    }
}
