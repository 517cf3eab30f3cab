//! `git:REV:PATH`: files as a commit has them, read through git itself. Nothing is checked out and
//! no hook runs.
//!
//! Phases: [`tree`] lists the blobs below the path, `blobs` fetches all their texts from one `git
//! cat-file --batch`. The path is relative to the current directory, as in `-f PATH`. Road not
//! taken: a git library; git is where repositories are, and it knows every object format.

use crate::load::discover::is_manifest;
use crate::load::error::LoadError;
use crate::load::input_file::InputFile;
use crate::load::limits;
use globset::GlobBuilder;
use std::path::Path;
use std::process::Command;

/// The revision and path of `git:REV:PATH`, if the text is of that form.
pub fn parse(text: &str) -> Option<(&str, &str)> {
    let (revision, path) = text.strip_prefix("git:")?.split_once(':')?;
    Some((revision, if path.is_empty() { "." } else { path }))
}

/// A blob of a commit.
pub(super) struct Blob {
    /// As git has it: `100644`, `100755` for what is run, `120000` for a link.
    pub mode: String,
    pub id: String,
    pub path: String,
    /// In bytes.
    pub size: u64,
}

impl Blob {
    /// An entry of `git ls-tree -l -z`: `MODE KIND ID SIZE\tPATH`, with more spaces before the
    /// size.
    fn listed(entry: &str) -> Option<Self> {
        let (head, path) = entry.split_once('\t')?;
        let mut words = head.split_ascii_whitespace();
        let (mode, kind, id) = (words.next()?, words.next()?, words.next()?);
        let size = words.next()?.parse().unwrap_or(0);
        (kind == "blob").then(|| Self {
            mode: mode.into(),
            id: id.into(),
            path: path.into(),
            size,
        })
    }
}

/// The manifests below a path of a commit: a file, a directory, or a pattern.
///
/// # Errors
/// When git is missing, the revision is unknown, or the path is not in it.
pub fn files(revision: &str, path: &str) -> Result<Vec<InputFile>, LoadError> {
    let what = format!("git:{revision}:{path}");
    let tree_id = resolve(revision, "tree", &what)?;
    let pattern = path.contains(['*', '?', '[']);
    let fixed = path.split(['*', '?', '[']).next().unwrap_or_default();
    let base = if pattern {
        fixed.rfind('/').map_or(".", |slash| &fixed[..slash])
    } else {
        path
    };
    let mut blobs = tree(&tree_id, base, &what)?;
    if pattern {
        let glob = GlobBuilder::new(path)
            .literal_separator(true)
            .build()
            .map_err(|e| LoadError::BadPattern {
                pattern: path.to_owned(),
                reason: e.kind().to_string(),
            })?;
        let matcher = glob.compile_matcher();
        blobs.retain(|b| matcher.is_match(&b.path));
    } else {
        let alone = plain(path);
        blobs.retain(|b| b.path == alone || is_manifest(Path::new(&b.path)));
    }
    if blobs.is_empty() && pattern {
        return Err(LoadError::NoMatch(what));
    }
    blobs.sort_by(|a, b| a.path.cmp(&b.path));
    read(revision, blobs, &what)
}

/// One text of a commit, whatever its name ends with.
///
/// # Errors
/// When it is not there.
pub fn text(revision: &str, path: &str) -> Result<InputFile, LoadError> {
    let mut files = files(revision, path)?;
    match files.len() {
        1 => Ok(files.remove(0)),
        _ => Err(failed(
            &format!("git:{revision}:{path}"),
            "not a file in that revision",
        )),
    }
}

fn plain(path: &str) -> &str {
    path.strip_prefix("./")
        .unwrap_or(path)
        .trim_end_matches('/')
}

pub(super) fn failed(what: &str, reason: impl Into<String>) -> LoadError {
    LoadError::Unreadable {
        path: what.to_owned(),
        reason: reason.into(),
    }
}

/// The tree of a revision, by its id, so that no later argument can be taken for an option.
fn resolve(revision: &str, kind: &str, what: &str) -> Result<String, LoadError> {
    if revision.is_empty() || revision.starts_with('-') {
        return Err(failed(what, format!("`{revision}` is not a revision")));
    }
    let output = git(
        &[
            "rev-parse",
            "--verify",
            "--quiet",
            &format!("{revision}^{{{kind}}}"),
        ],
        &[],
        what,
    )?;
    match output {
        Ok(id) => Ok(String::from_utf8_lossy(&id).trim().to_owned()),
        Err(words) if words.is_empty() => Err(failed(
            what,
            format!("git knows no revision `{revision}` here"),
        )),
        Err(words) => Err(failed(what, words)),
    }
}

/// The commit of a revision of the repository of the current folder, if there is one.
pub(super) fn commit(revision: &str) -> Option<Box<str>> {
    let id = resolve(revision, "commit", revision).ok()?;
    (!id.is_empty()).then(|| id.into())
}

/// Every blob below a path, by its path from the current directory.
fn tree(id: &str, path: &str, what: &str) -> Result<Vec<Blob>, LoadError> {
    let blobs = listed(&["ls-tree", "-r", "-l", "-z", id, "--", path], what)?;
    if blobs.is_empty() && plain(path) != "." {
        return Err(failed(what, "no such file or directory in that revision"));
    }
    Ok(blobs)
}

/// The blobs that a call of `git ls-tree -l -z` lists.
fn listed(arguments: &[&str], what: &str) -> Result<Vec<Blob>, LoadError> {
    let listed = git(arguments, &[], what)?.map_err(|words| failed(what, words))?;
    let listed = String::from_utf8_lossy(&listed);
    Ok(listed.split('\0').filter_map(Blob::listed).collect())
}

/// Every blob of a revision, by its path from the top of the repository, and where the current
/// folder is in it.
///
/// # Errors
/// When git is missing, or the revision is unknown.
pub(super) fn everything(revision: &str, what: &str) -> Result<(Vec<Blob>, String), LoadError> {
    let id = resolve(revision, "tree", what)?;
    let blobs = listed(&["ls-tree", "-r", "-l", "-z", "--full-tree", &id], what)?;
    let here = git(&["rev-parse", "--show-prefix"], &[], what)?;
    let here = here.map_err(|words| failed(what, words))?;
    Ok((blobs, String::from_utf8_lossy(&here).trim().to_owned()))
}

fn read(revision: &str, blobs: Vec<Blob>, what: &str) -> Result<Vec<InputFile>, LoadError> {
    let (links, blobs): (Vec<Blob>, Vec<Blob>) =
        blobs.into_iter().partition(|b| b.mode == "120000");
    let texts = texts(&blobs, what)?;
    let name = |b: &Blob| format!("git:{revision}:{}", b.path);
    let mut files: Vec<InputFile> = blobs
        .iter()
        .zip(texts)
        .map(|(b, bytes)| InputFile::from_bytes(&name(b), bytes))
        .collect();
    files.extend(
        links
            .iter()
            .map(|b| InputFile::unreadable(&name(b), "a symbolic link; name what it points to")),
    );
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// The contents of many blobs, from one process.
pub(super) fn texts(blobs: &[Blob], what: &str) -> Result<Vec<Vec<u8>>, LoadError> {
    if blobs.is_empty() {
        return Ok(Vec::new());
    }
    let ids = blobs
        .iter()
        .flat_map(|b| [b.id.as_str(), "\n"])
        .collect::<String>();
    let bytes = git(&["cat-file", "--batch"], ids.as_bytes(), what)?
        .map_err(|words| failed(what, words))?;
    let mut rest = bytes.as_slice();
    let mut texts = Vec::with_capacity(blobs.len());
    for _ in blobs {
        let Some((text, after)) = record(rest) else {
            return Err(failed(what, "git did not send all files"));
        };
        texts.push(text.to_vec());
        rest = after;
    }
    Ok(texts)
}

/// One record of `cat-file --batch`: `ID blob SIZE\n` and that many bytes, then a line break.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let size: usize = head.rsplit(' ').next()?.parse().ok()?;
    let start = end + 1;
    Some((
        bytes.get(start..start + size)?,
        bytes.get(start + size + 1..)?,
    ))
}

/// Settings under which git reads what is there and does nothing else: no hook, no monitor of
/// files, no transport.
const CLOSED: [&str; 8] = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "protocol.allow=never",
    "--no-optional-locks",
    "--no-pager",
];

/// Runs git: its output, or its words when it refuses. Objects that a partial clone lacks are not
/// fetched.
fn git(arguments: &[&str], input: &[u8], what: &str) -> Result<Result<Vec<u8>, String>, LoadError> {
    let mut command = Command::new("git");
    command
        .args(CLOSED)
        .args(arguments)
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "")
        .env("GIT_TERMINAL_PROMPT", "0");
    let printed = limits::run(&mut command, input).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => failed(what, "git is not on the PATH"),
        _ => failed(what, e.to_string()),
    })?;
    if printed.success {
        return Ok(Ok(printed.output));
    }
    let words = printed.errors;
    Ok(Err(words
        .strip_prefix("fatal: ")
        .map_or(words.clone(), str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_git_revision_path() {
        assert_eq!(parse("git:HEAD:k8s"), Some(("HEAD", "k8s")));
        assert_eq!(parse("git:HEAD~2:"), Some(("HEAD~2", ".")));
        assert_eq!(parse("k8s/a.yaml"), None);
        assert_eq!(parse("git:HEAD"), None);
        assert!(resolve("--output=x", "tree", "git:--output=x:.").is_err());
    }

    #[test]
    fn a_record_is_cut_by_its_size() {
        assert_eq!(
            record(b"abc blob 3\na\nb\nnext"),
            Some((b"a\nb".as_slice(), b"next".as_slice()))
        );
        assert_eq!(record(b"abc missing\n"), None);
        assert_eq!(record(b"abc blob 30\nshort\n"), None);
    }
}
