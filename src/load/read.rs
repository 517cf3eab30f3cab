//! Texts -> documents: split, sniffed, parsed on all cores.
//!
//! A chunk whose kind is surely of no interest never reaches a parser: it is counted by its kind. Everything else becomes
//! a tree, or a problem with a place. Cost: O(bytes), spread over the cores by file and chunk.

use crate::policy::dialects;
use crate::tree::{self, Chunk, Node, Problem, Sniffed};
use rayon::prelude::*;
use std::sync::Arc;

/// A file that was opened.
#[derive(Debug, Clone)]
pub struct File {
    /// The name for messages.
    pub name: Box<str>,
    /// Its text, or why there is none.
    pub content: Result<Arc<String>, String>,
}

impl File {
    /// A file from its bytes; UTF-16 and other encodings are told, not guessed.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Self {
        let content = match String::from_utf8(bytes) {
            Ok(text) if memchr::memchr(0, text.as_bytes()).is_some() => Err("not text: it contains NUL bytes".into()),
            Ok(text) => Ok(Arc::new(text)), // not copied: a file may be large
            Err(e) if e.as_bytes().starts_with(&[0xff, 0xfe]) || e.as_bytes().starts_with(&[0xfe, 0xff]) => {
                Err("not text netpal can read: it is UTF-16; save it as UTF-8".into())
            }
            Err(_) => Err("not text: it is not valid UTF-8".into()),
        };
        Self { name: name.into(), content }
    }
}

/// A chunk of a file, read.
#[derive(Debug)]
pub struct Piece {
    /// Where it stands.
    pub chunk: Chunk,
    /// What it says of itself, as owned words: apiVersion, kind, name, namespace.
    pub said: Said,
    /// The tree, unless it was skipped or is broken.
    pub root: Option<Node>,
    /// Whether it was skipped unparsed because its kind plays no part.
    pub skipped: bool,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// What a chunk says of itself.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// `apiVersion`.
    pub api_version: Option<String>,
    /// `kind`.
    pub kind: Option<String>,
    /// `metadata.name`.
    pub name: Option<String>,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
}

impl From<Sniffed<'_>> for Said {
    fn from(s: Sniffed<'_>) -> Self {
        let own = |word: Option<&str>| word.map(str::to_owned);
        Self { api_version: own(s.api_version), kind: own(s.kind), name: own(s.name), namespace: own(s.namespace) }
    }
}

/// A file with its pieces.
#[derive(Debug)]
pub struct ReadFile {
    /// The file.
    pub file: File,
    /// Its pieces, in order.
    pub pieces: Vec<Piece>,
    /// Whether its objects replace those of the other files.
    pub overlay: bool,
}

/// Reads all files, in order.
pub fn read(files: Vec<File>) -> Vec<ReadFile> {
    files.into_par_iter().map(read_file).collect()
}

fn read_file(file: File) -> ReadFile {
    let Ok(text) = &file.content else { return ReadFile { file, pieces: Vec::new(), overlay: false } };
    if let Some((chunk, parsed)) = tree::json::parse_whole(text) {
        let said = Said::from(Sniffed::default());
        let piece = Piece { chunk, said, root: parsed.root, skipped: false, problems: parsed.problems };
        return ReadFile { file, pieces: vec![piece], overlay: false };
    }
    let pieces = tree::split(text).into_par_iter().map(|chunk| read_piece(text, chunk)).collect();
    ReadFile { file, pieces, overlay: false }
}

fn read_piece(text: &str, chunk: Chunk) -> Piece {
    let part = text.get(chunk.start..chunk.end).unwrap_or_default();
    let sniffed = tree::sniff(part);
    let said = Said::from(sniffed);
    if plays_no_part(&sniffed) {
        return Piece { chunk, said, root: None, skipped: true, problems: Vec::new() };
    }
    let parsed = tree::parse(text, &chunk);
    Piece { chunk, said, root: parsed.root, skipped: false, problems: parsed.problems }
}

/// Kinds that are common, large and never part of the world or the law.
const NO_PART: [&str; 12] = [
    "ConfigMap",
    "Secret",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "ServiceAccount",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "PrometheusRule",
    "ServiceMonitor",
];

fn plays_no_part(sniffed: &Sniffed<'_>) -> bool {
    sniffed.api_version.is_some()
        && sniffed.kind.is_some_and(|k| NO_PART.contains(&k) && !dialects::may_be_policy_kind(k))
}
