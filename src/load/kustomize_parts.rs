//! What building a kustomization takes in, known before it is built: kustomize fetches what it does
//! not find on the disk.
//!
//! It follows the folders that a kustomization names, each once, and reads nothing else. What is
//! not on the disk counts as fetched, as kustomize takes any such name for the address of a
//! repository. Road not taken: telling addresses by their form, of which kustomize knows a dozen.

use crate::load::discover;
use crate::tree::{SyntaxNode, parse, split};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How a folder's kustomization may be called.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether a path is that of a Kustomization.
pub(super) fn is_kustomization(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    NAMES.contains(&name)
}

/// Fields whose entries are files, folders or repositories.
const TAKEN_IN: [&str; 6] = [
    "resources",
    "bases",
    "components",
    "generators",
    "transformers",
    "validators",
];

/// Fields whose entries are files, or the addresses of some.
const FILES: [&str; 3] = ["crds", "configurations", "patchesStrategicMerge"];

/// Fields whose entries have such a field of their own, and its name.
const WITH_FILES: [(&str, &str); 8] = [
    ("patches", "path"),
    ("patchesJson6902", "path"),
    ("replacements", "path"),
    ("configMapGenerator", "files"),
    ("configMapGenerator", "envs"),
    ("configMapGenerator", "env"),
    ("secretGenerator", "files"),
    ("secretGenerator", "envs"),
];

/// No kustomization that people write takes in more.
const MOST_PARTS: usize = 10_000;

/// What a kustomization takes in, and what those that it names do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KustomizeParts {
    /// The files and folders on the disk, the first of all included.
    pub local: BTreeSet<PathBuf>,
    /// What is not there and would be fetched, as it is written.
    pub fetched: Vec<String>,
}

/// What building the kustomization of a folder takes in. A folder without one takes in nothing:
/// kubectl says what is wrong with it.
pub fn kustomize_parts(directory: &str) -> KustomizeParts {
    let mut parts = KustomizeParts::default();
    let mut open = vec![PathBuf::from(directory)];
    while let Some(folder) = open.pop() {
        // by its real name, as a circle of folders has ever longer ones
        let real = folder.canonicalize().unwrap_or(folder);
        if parts.local.len() >= MOST_PARTS || !parts.local.insert(real.clone()) {
            continue;
        }
        let folder = real;
        for node in kustomization(&folder) {
            parts.take(&node, &folder, &mut open);
        }
    }
    parts
}

impl KustomizeParts {
    fn take(&mut self, node: &SyntaxNode, folder: &Path, open: &mut Vec<PathBuf>) {
        let is_name = |text: &&str| !text.contains('\n'); // and not written out in place
        let taken_in = TAKEN_IN.iter().flat_map(|field| texts(node, field));
        for text in taken_in.filter(is_name) {
            let path = folder.join(text);
            if path.is_dir() {
                open.push(path);
            } else if path.exists() {
                self.local.insert(path);
            } else {
                self.fetched.push(text.to_owned());
            }
        }
        let written = FILES.iter().flat_map(|field| texts(node, field));
        let inner = WITH_FILES.iter().flat_map(|(field, inner)| {
            let entries = node.get(field).map_or(&[][..], SyntaxNode::items);
            entries.iter().flat_map(move |entry| texts(entry, inner))
        });
        let schema = node.get("openapi").into_iter();
        let schema = schema.flat_map(|openapi| texts(openapi, "path"));
        for text in written.chain(inner).chain(schema).filter(is_name) {
            let text = text.split_once('=').map_or(text, |(_, file)| file);
            if text.contains("://") {
                self.fetched.push(text.to_owned());
            } else {
                self.local.insert(folder.join(text));
            }
        }
    }
}

/// The documents of a folder's kustomization.
fn kustomization(folder: &Path) -> Vec<SyntaxNode> {
    let paths = NAMES.iter().map(|name| folder.join(name));
    let Some(path) = paths.into_iter().find(|path| path.is_file()) else {
        return Vec::new();
    };
    let file = discover::single(&path.to_string_lossy()).ok();
    let Some(text) = file.and_then(|file| file.text().ok()) else {
        return Vec::new();
    };
    let chunks = split(&text);
    let roots = chunks.iter().filter_map(|chunk| parse(&text, chunk).root);
    roots.collect()
}

/// The text of a field, or the texts of its items.
fn texts<'a>(node: &'a SyntaxNode, field: &str) -> Vec<&'a str> {
    let value = node.get(field);
    let one = value.and_then(SyntaxNode::as_str);
    let items = value.map_or(&[][..], SyntaxNode::items);
    let texts = one.into_iter();
    texts
        .chain(items.iter().filter_map(SyntaxNode::as_str))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    #[test]
    fn what_is_not_on_the_disk_would_be_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "over/kustomization.yaml",
            "resources: [../base, own.yaml, example.com/team/policies]\n\
             patches: [{path: https://example.com/p.yaml}, {patch: \"a: b\"}]\n\
             configMapGenerator: [{name: c, files: [\"k=https://example.com/k\", notes.txt]}]\n",
        );
        write("over/own.yaml", "");
        write(
            "base/kustomization.yml",
            "resources: [\"git@example.com:a/b.git\", ../over]\n",
        );
        let parts = kustomize_parts(&folder.path().join("over").to_string_lossy());
        let mut fetched = parts.fetched.clone();
        fetched.sort();
        assert_eq!(
            fetched,
            [
                "example.com/team/policies",
                "git@example.com:a/b.git",
                "https://example.com/k",
                "https://example.com/p.yaml"
            ]
        );
        let base = folder.path().canonicalize().unwrap().join("base");
        assert!(parts.local.contains(&base), "{parts:?}");
    }
}
