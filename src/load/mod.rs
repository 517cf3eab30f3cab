//! Bytes -> world and law.
//!
//! Phases: [`discover`] finds the files, [`read`] turns texts into trees on all cores and
//! [`objects`] each tree at once into what it adds, [`assemble`] builds the cluster and takes up
//! the policies. Loading yields everything that could be read and every problem; nothing stops at
//! the first error.
//!
//! Invariant: a document that is or may be a policy and could not be read leaves a taint behind, so
//! that no verdict it could touch is given as certain. Only this room reads files or starts a
//! process.

pub mod assemble;
pub mod build;
mod cluster_objects;
pub mod discover;
pub mod file_on_disk;
pub mod git;
mod interner;
pub mod kubectl;
pub mod objects;
pub mod project;
pub mod read;
pub mod workloads;

use crate::input::Input;
use std::io::Read;
use std::path::Path;

/// Where one piece of input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, a directory, a glob pattern or `git:REV:PATH`, as the user wrote it.
    Path(Box<str>),
    /// Standard input.
    Stdin,
    /// A directory for `kubectl kustomize`.
    Kustomize(Box<str>),
    /// The cluster of the current context, through `kubectl get`.
    Live,
    /// The output of a shell command, run in a directory.
    Exec(Box<str>, Box<str>),
    /// A text that is already in memory, under a name for messages.
    Text(Box<str>, Box<str>),
}

/// Choices of loading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// The namespace of objects that name none; kubectl takes the context's (S1).
    pub namespace: Box<str>,
    /// Whether documents that cannot be read are left out without a trace, instead of making the
    /// verdicts they could touch unknown.
    pub ignore_broken: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            namespace: "default".into(),
            ignore_broken: false,
        }
    }
}

/// Why nothing could be loaded at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A path that is not there or cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Unreadable {
        /// As the user wrote it.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// A pattern that matches no file.
    #[error("no file matches `{0}`")]
    NoMatch(String),
    /// A pattern that is none.
    #[error("`{pattern}` is not a valid pattern: {reason}")]
    BadPattern {
        /// As the user wrote it.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// kubectl could not be run or failed.
    #[error("`kubectl {command}` failed: {reason}")]
    Kubectl {
        /// What it was to do.
        command: String,
        /// kubectl's words.
        reason: String,
    },
    /// A command of the configuration could not be run or failed.
    #[error("`{command}` failed: {reason}")]
    Command {
        /// The command.
        command: String,
        /// Its words.
        reason: String,
    },
}

/// Loads files, directories (with everything below them) and glob patterns.
///
/// ```no_run
/// let input = netpal::load(["k8s/"])?;
/// assert!(!input.has_errors());
/// # Ok::<(), netpal::LoadError>(())
/// ```
///
/// # Errors
/// When a path cannot be read at all. Problems inside files are diagnostics of the [`Input`].
pub fn load<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Input, LoadError> {
    let sources: Vec<Source> = paths
        .into_iter()
        .map(|p| Source::Path(p.as_ref().to_string_lossy().into()))
        .collect();
    load_sources(&sources, &[], &LoadOptions::default())
}

/// Loads manifests from a text.
///
/// ```
/// let input = netpal::load_str("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
/// assert_eq!(input.cluster.namespaces().len(), 1);
/// ```
pub fn load_str(text: &str) -> Input {
    read_all(
        vec![read::InputFile::from_text("<text>", text.to_owned())],
        &LoadOptions::default(),
    )
}

/// Loads manifests from a reader.
///
/// # Errors
/// When the reader fails.
pub fn load_reader(mut reader: impl Read) -> Result<Input, LoadError> {
    let mut bytes = Vec::new();
    let failed = |e: std::io::Error| LoadError::Unreadable {
        path: "<reader>".into(),
        reason: e.to_string(),
    };
    reader.read_to_end(&mut bytes).map_err(failed)?;
    let files = vec![read::InputFile::from_bytes("<reader>", bytes)];
    Ok(read_all(files, &LoadOptions::default()))
}

/// Somebody who wants to see how far loading is. Called from many threads, often.
pub trait Watch: Sync {
    /// There is so much more to read, in bytes.
    fn more(&self, bytes: u64);

    /// So much more has been read.
    fn done(&self, bytes: u64);
}

/// Nobody watches.
struct Unwatched;

impl Watch for Unwatched {
    fn more(&self, _: u64) {}
    fn done(&self, _: u64) {}
}

/// Loads from any mix of sources; objects of the overlays replace those of the sources.
///
/// # Errors
/// When a source cannot be read at all.
pub fn load_sources(
    sources: &[Source],
    overlays: &[Source],
    options: &LoadOptions,
) -> Result<Input, LoadError> {
    load_watched(sources, overlays, options, &Unwatched)
}

/// As [`load_sources`], while somebody watches.
///
/// # Errors
/// When a source cannot be read at all.
pub fn load_watched(
    sources: &[Source],
    overlays: &[Source],
    options: &LoadOptions,
    watch: &dyn Watch,
) -> Result<Input, LoadError> {
    let files = open(sources)?;
    let base = files.len();
    let files = files.into_iter().chain(open(overlays)?).collect();
    let mut read = read::FileReader {
        watch,
        ..read::FileReader::new(options)
    }
    .read(files);
    read.iter_mut()
        .skip(base)
        .for_each(|file| file.overlay = true);
    Ok(assemble::assemble(read, options))
}

fn read_all(files: Vec<read::InputFile>, options: &LoadOptions) -> Input {
    assemble::assemble(read::FileReader::new(options).read(files), options)
}

fn open(sources: &[Source]) -> Result<Vec<read::InputFile>, LoadError> {
    let mut files = Vec::new();
    for source in sources {
        match source {
            Source::Path(path) => match git::parse(path) {
                Some((revision, inside)) => files.extend(git::files(revision, inside)?),
                None => files.extend(discover::files(path)?),
            },
            Source::Exec(command, directory) => files.push(project::exec(command, directory)?),
            Source::Stdin => files.push(discover::stdin()?),
            Source::Kustomize(directory) => files.push(kubectl::kustomize(directory)?),
            Source::Text(name, text) => {
                files.push(read::InputFile::from_text(name, text.to_string()))
            }
            Source::Live => files.push(kubectl::live()?),
        }
    }
    Ok(files)
}
