//! Finding the files: a file as named, a directory with everything below it, or a pattern.
//!
//! In a directory the files kubectl would take: `.yaml`, `.yml`, `.json`. Links are followed,
//! cycles of links are not. `.git` is left out, `.gitignore` is not obeyed: an uncommitted
//! policy is still a policy. Order: by path.

use crate::load::error::LoadError;
use crate::load::file_on_disk::{FileOnDisk, LARGE};
use crate::load::input_file::{FileContent, InputFile};
use crate::load::limits::{Accept, MAX_FILE_BYTES, MAX_SIDE_BYTES, bounded, reason, refusal};
use globset::GlobBuilder;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The files behind a path as the user wrote it.
///
/// # Errors
/// When it is not there, or a pattern matches nothing.
pub fn files(path: &str) -> Result<Vec<InputFile>, LoadError> {
    let unreadable = |e: &std::io::Error| LoadError::Unreadable {
        path: path.to_owned(),
        reason: reason(e),
    };
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(below(Path::new(path))),
        Ok(_) => {
            let file = open(PathBuf::from(path), Accept::Pipes);
            match &file.content {
                FileContent::Unreadable(reason) if !reason.starts_with("not text") => {
                    Err(LoadError::Unreadable {
                        path: path.to_owned(),
                        reason: reason.clone(),
                    })
                }
                _ => Ok(vec![file]),
            }
        }
        Err(_) if path.contains(['*', '?', '[']) => matching(path),
        Err(e) => Err(unreadable(&e)),
    }
}

/// The files besides the manifests at a path: as [`files`], and regular files only.
///
/// # Errors
/// When it is not there, a pattern matches nothing, or it is no regular file.
pub fn side_files(path: &str) -> Result<Vec<InputFile>, LoadError> {
    match std::fs::metadata(path) {
        Ok(meta) if !meta.is_dir() => Ok(vec![single(path)?]),
        _ => files(path),
    }
}

/// Every manifest below a directory, by path.
fn below(directory: &Path) -> Vec<InputFile> {
    let (mut found, mut failed) = walk(directory);
    found.retain(|p| is_manifest(p));
    failed.extend(found.into_iter().map(plain).map(regular));
    failed.sort_by(|a, b| a.name.cmp(&b.name));
    failed
}

/// Every file below a directory, and a file that could not be read for every place that could not
/// be looked into: it may hide a policy. Every directory is visited once, however many links lead
/// to it; cycles of links are no failure.
fn walk(directory: &Path) -> (Vec<PathBuf>, Vec<InputFile>) {
    let visited = Visited::new(directory);
    let mut walk = ignore::WalkBuilder::new(directory);
    walk.standard_filters(false)
        .follow_links(true)
        .sort_by_file_name(Ord::cmp)
        .filter_entry(move |e| e.file_name() != ".git" && visited.is_new(e));
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for entry in walk.build() {
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|t| !t.is_dir()) => {
                found.push(entry.into_path());
            }
            Ok(_) => {}
            Err(error) => failed.extend(unreadable(&error)),
        }
    }
    found.sort();
    (found, failed)
}

/// The directories that were visited, by their real paths.
struct Visited {
    root: Option<PathBuf>,
    seen: Mutex<HashSet<PathBuf>>,
}

impl Visited {
    fn new(root: &Path) -> Self {
        Self {
            root: root.canonicalize().ok(),
            seen: Mutex::default(),
        }
    }

    /// Whether an entry is to be visited: a file, or a directory that no other path has led to. A
    /// link to a directory below the root is left out, because the directory itself is visited.
    fn is_new(&self, entry: &ignore::DirEntry) -> bool {
        if entry.depth() == 0 || !entry.file_type().is_some_and(|t| t.is_dir()) {
            return true;
        }
        let Ok(real) = entry.path().canonicalize() else {
            return true; // the walk reports it
        };
        let below_root = self
            .root
            .as_ref()
            .is_some_and(|root| real.starts_with(root));
        if entry.path_is_symlink() && below_root {
            return false;
        }
        self.seen.lock().is_ok_and(|mut seen| seen.insert(real))
    }
}

fn unreadable(error: &ignore::Error) -> Option<InputFile> {
    let path = match error {
        ignore::Error::Loop { .. } => return None,
        ignore::Error::WithDepth { err, .. } => return unreadable(err),
        ignore::Error::WithPath { path, err } if matches!(**err, ignore::Error::Loop { .. }) => {
            let _ = path;
            return None;
        }
        ignore::Error::WithPath { path, .. } => plain(path.clone()),
        _ => PathBuf::new(),
    };
    let reason = error.io_error().map_or_else(|| error.to_string(), reason);
    let relevant = path.is_dir() || path.extension().is_none() || is_manifest(&path);
    relevant.then(|| InputFile::unreadable(&path.to_string_lossy(), reason))
}

/// Without the `./` of a search that began here.
fn plain(path: PathBuf) -> PathBuf {
    path.strip_prefix("./")
        .map(Path::to_path_buf)
        .unwrap_or(path)
}

/// One file, whatever its name ends with.
///
/// # Errors
/// When it is not there or is a directory.
pub fn single(path: &str) -> Result<InputFile, LoadError> {
    let unreadable = |reason| LoadError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Err(unreadable("it is a directory".to_owned())),
        Ok(meta) => match refusal(&meta, Accept::Regular, Path::new(path)) {
            Some(refusal) => Err(unreadable(refusal.to_owned())),
            None if meta.len() > MAX_SIDE_BYTES => Err(unreadable(format!(
                "larger than {} MiB",
                MAX_SIDE_BYTES >> 20
            ))),
            None => Ok(regular(PathBuf::from(path))),
        },
        Err(e) => Err(unreadable(reason(&e))),
    }
}

/// Whether kubectl would take a file of this name from a directory.
pub fn is_manifest(path: &Path) -> bool {
    path.extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| matches!(e, "yaml" | "yml" | "json"))
}

fn matching(pattern: &str) -> Result<Vec<InputFile>, LoadError> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob = glob.map_err(|e| LoadError::BadPattern {
        pattern: pattern.to_owned(),
        reason: e.kind().to_string(),
    })?;
    let matcher = glob.compile_matcher();
    let fixed = pattern.split(['*', '?', '[']).next().unwrap_or_default();
    let base = Path::new(fixed.rfind('/').map_or(".", |slash| &fixed[..=slash]));
    let named = |p: &PathBuf| matcher.is_match(p) || matcher.is_match(plain(p.clone()));
    let (mut found, failed) = walk(base);
    found.retain(named);
    if found.is_empty() {
        return Err(LoadError::NoMatch(pattern.to_owned()));
    }
    Ok(failed
        .into_iter()
        .chain(found.into_iter().map(plain).map(regular))
        .collect())
}

/// A file that was found by looking through a directory.
fn regular(path: PathBuf) -> InputFile {
    open(path, Accept::Regular)
}

fn open(path: PathBuf, accept: Accept) -> InputFile {
    let name = path.to_string_lossy().into_owned();
    let unreadable = |e: &std::io::Error| InputFile::unreadable(&name, reason(e));
    let meta = std::fs::metadata(&path);
    if let Some(refusal) = meta.as_ref().ok().and_then(|m| refusal(m, accept, &path)) {
        return InputFile::unreadable(&name, refusal);
    }
    match meta {
        Ok(meta) if meta.is_file() && meta.len() >= LARGE => match FileOnDisk::new(&path) {
            Ok(large) => InputFile {
                name: name.as_str().into(),
                content: FileContent::OnDisk(large),
                live: false,
            },
            Err(e) => unreadable(&e),
        },
        Ok(_) => match std::fs::File::open(&path) {
            Ok(file) => bounded(file, MAX_FILE_BYTES).map_or_else(
                |e| InputFile::unreadable(&name, e),
                |b| InputFile::from_bytes(&name, b),
            ),
            Err(e) => unreadable(&e),
        },
        Err(e) => unreadable(&e),
    }
}

/// Standard input as a file.
///
/// # Errors
/// When it cannot be read.
pub fn stdin() -> Result<InputFile, LoadError> {
    stdin_up_to(MAX_FILE_BYTES)
}

/// Standard input as a file besides the manifests.
///
/// # Errors
/// When it cannot be read, or is too large.
pub fn side_stdin() -> Result<InputFile, LoadError> {
    stdin_up_to(MAX_SIDE_BYTES)
}

fn stdin_up_to(limit: u64) -> Result<InputFile, LoadError> {
    let failed = |reason| LoadError::Unreadable {
        path: "-".into(),
        reason,
    };
    let bytes = bounded(std::io::stdin().lock(), limit).map_err(failed)?;
    Ok(InputFile::from_bytes("<stdin>", bytes))
}
