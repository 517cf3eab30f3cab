//! Finding the files: a file as named, a directory with everything below it, or a pattern.
//!
//! In a directory the files kubectl would take: `.yaml`, `.yml`, `.json`. Links are followed,
//! circles of links are not. `.git` is left out, `.gitignore` is not obeyed: a policy nobody
//! committed is still a policy. Order: by path.

use crate::load::LoadError;
use crate::load::large::{LARGE, Large};
use crate::load::read::{Content, File};
use globset::GlobBuilder;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What is larger than this is refused, unless it is a file that can be read in parts: it would not
/// fit in memory.
pub const MAX_FILE_BYTES: u64 = 4 << 30;

/// Why such a text is not read.
pub fn too_large() -> String {
    format!(
        "larger than {} GiB, and no List of JSON that can be read in parts",
        MAX_FILE_BYTES >> 30
    )
}

/// The files behind a path as the user wrote it.
///
/// # Errors
/// When it is not there, or a pattern matches nothing.
pub fn files(path: &str) -> Result<Vec<File>, LoadError> {
    let unreadable = |e: &std::io::Error| LoadError::Unreadable {
        path: path.to_owned(),
        reason: reason(e),
    };
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(below(Path::new(path))),
        Ok(_) => {
            let file = open(PathBuf::from(path));
            match &file.content {
                Content::Unreadable(reason) if !reason.starts_with("not text") => {
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

pub(crate) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

/// Every manifest below a directory, by path.
fn below(directory: &Path) -> Vec<File> {
    let (mut found, mut failed) = walk(directory);
    found.retain(|p| is_manifest(p));
    failed.extend(found.into_iter().map(plain).map(open));
    failed.sort_by(|a, b| a.name.cmp(&b.name));
    failed
}

/// Every file below a directory, and a file that could not be read for every place that could not
/// be looked into: it may hide a policy. Circles of links are not followed, and are no failure.
fn walk(directory: &Path) -> (Vec<PathBuf>, Vec<File>) {
    let mut walk = ignore::WalkBuilder::new(directory);
    walk.standard_filters(false)
        .follow_links(true)
        .filter_entry(|e| e.file_name() != ".git");
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

fn unreadable(error: &ignore::Error) -> Option<File> {
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
    relevant.then(|| File::unreadable(&path.to_string_lossy(), reason))
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
pub fn one(path: &str) -> Result<File, LoadError> {
    let unreadable = |reason| LoadError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Err(unreadable("it is a directory".to_owned())),
        Ok(_) => Ok(open(PathBuf::from(path))),
        Err(e) => Err(unreadable(reason(&e))),
    }
}

/// Whether kubectl would take a file of this name from a directory.
pub fn is_manifest(path: &Path) -> bool {
    path.extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| matches!(e, "yaml" | "yml" | "json"))
}

fn matching(pattern: &str) -> Result<Vec<File>, LoadError> {
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
        .chain(found.into_iter().map(plain).map(open))
        .collect())
}

fn open(path: PathBuf) -> File {
    let name = path.to_string_lossy().into_owned();
    let unreadable = |e: &std::io::Error| File::unreadable(&name, reason(e));
    match std::fs::metadata(&path) {
        Ok(meta) if meta.is_file() && meta.len() >= LARGE => match Large::new(&path) {
            Ok(large) => File {
                name: name.as_str().into(),
                content: Content::Large(large),
            },
            Err(e) => unreadable(&e),
        },
        Ok(_) => match std::fs::File::open(&path) {
            Ok(file) => bounded(file).map_or_else(
                |e| File::unreadable(&name, e),
                |b| File::from_bytes(&name, b),
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
pub fn stdin() -> Result<File, LoadError> {
    let failed = |reason| LoadError::Unreadable {
        path: "-".into(),
        reason,
    };
    let bytes = bounded(std::io::stdin().lock()).map_err(failed)?;
    Ok(File::from_bytes("<stdin>", bytes))
}

/// All of a text, if it is not too large: a device may never end.
fn bounded(input: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    input
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| reason(&e))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        Err(too_large())
    } else {
        Ok(bytes)
    }
}
