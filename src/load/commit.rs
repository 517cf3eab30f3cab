//! The commit that an input is of, and whether it was read as that has it.
//!
//! Git is asked for objects alone ([`git`]): no filter, hook or monitor runs, and nothing is
//! written. What differs is found by comparing texts, as `git status` would run filters of the
//! repository. Only the repository of the current folder is asked. Cost: the committed files below
//! the paths that were read.

use crate::load::git;
use crate::load::input_file::FileContent;
use crate::load::input_source::Source;
use crate::source::Sources;
use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

/// The commit of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCommit {
    /// The path, as it was written.
    pub path: Box<str>,
    /// The commit; `None` where the source is in no repository that was asked.
    pub commit: Option<Box<str>>,
    /// Whether files differ from the commit; `None` where that is not known.
    pub changed: Option<bool>,
}

/// The commits of the sources that are files; of others none is known.
pub fn commits(sources: &[Source], read: &Sources) -> Vec<SourceCommit> {
    sources.iter().map(|source| commit(source, read)).collect()
}

fn commit(source: &Source, read: &Sources) -> SourceCommit {
    let unknown = |path: &str| SourceCommit {
        path: path.into(),
        commit: None,
        changed: None,
    };
    let (path, is_built) = match source {
        Source::Limited(inner, _) => return commit(inner, read),
        Source::Path(path) => (path, false),
        Source::Kustomize(path) => (path, true),
        Source::Text(name, _) => return unknown(name),
        Source::Stdin => return unknown("standard input"),
        Source::Live(_) => return unknown("a cluster"),
        Source::Exec(..) => return unknown("the output of a command"),
    };
    if let Some((revision, _)) = git::parse(path) {
        return SourceCommit {
            commit: git::commit(revision),
            changed: Some(false),
            ..unknown(path)
        };
    }
    let inside = |c: Component<'_>| matches!(c, Component::Normal(_) | Component::CurDir);
    if !Path::new(&**path).components().all(inside) {
        return unknown(path);
    }
    let Some(commit) = git::commit("HEAD") else {
        return unknown(path);
    };
    SourceCommit {
        path: path.clone(),
        commit: Some(commit),
        // what kustomize builds may be made of files anywhere
        changed: (!is_built).then(|| differs(path, read)),
    }
}

/// Whether the files below a path are not what the last commit has.
fn differs(path: &str, read: &Sources) -> bool {
    let Ok(files) = git::files("HEAD", path) else {
        return true; // it is not in the commit
    };
    let mut committed: BTreeMap<String, Arc<String>> = BTreeMap::new();
    for file in files {
        let name = file.name.strip_prefix("git:HEAD:").unwrap_or(&file.name);
        let FileContent::Text(text) = &file.content else {
            return true; // nobody reads it from there, so nothing is known of it
        };
        if !Path::new(name).is_file() {
            return true;
        }
        committed.insert(name.to_owned(), Arc::clone(text));
    }
    let below = |name: &str| is_below(name, path);
    let own = read.files().iter().filter(|file| below(&file.name));
    own.into_iter().any(|file| {
        let mut bytes = Vec::new();
        file.text.pieces(|piece| bytes.extend_from_slice(piece));
        let known = committed.get(plain(&file.name));
        known.is_none_or(|text| text.as_bytes() != bytes)
    })
}

/// Whether a file was found under a path: a folder, the file itself, or a pattern, below whose
/// fixed part it is.
fn is_below(name: &str, path: &str) -> bool {
    let (name, path) = (plain(name), plain(path));
    let fixed = path.split(['*', '?', '[']).next().unwrap_or_default();
    path == "." || path.is_empty() || name.starts_with(fixed)
}

fn plain(path: &str) -> &str {
    path.strip_prefix("./")
        .unwrap_or(path)
        .trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_the_path_that_they_were_found_under() {
        assert!(is_below("k8s/a.yaml", "k8s/") && is_below("./k8s/a.yaml", "k8s"));
        assert!(is_below("k8s/a.yaml", "k8s/*.yaml") && is_below("a.yaml", "."));
        assert!(!is_below("other/a.yaml", "k8s"));
    }

    #[test]
    fn of_what_is_outside_no_commit_is_told() {
        let read = Sources::default();
        for path in ["/etc/hosts", "../elsewhere"] {
            let told = commits(&[Source::Path(path.into()), Source::Stdin], &read);
            assert!(
                told.iter().all(|source| source.commit.is_none()),
                "{told:?}"
            );
        }
    }
}
