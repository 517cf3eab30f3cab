//! Bytes -> cluster and policies.
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
mod assembly;
mod bound_pod;
pub mod build;
mod checkout;
mod cluster_objects;
mod commit;
mod container_ports;
mod deduplicate;
pub mod discover;
mod document_form;
mod doors;
mod embedded;
mod endpoints;
mod error;
mod file_on_disk;
mod generator_facts;
pub mod git;
mod identity;
mod input_file;
mod input_source;
mod interner;
pub mod kubectl;
mod kustomization;
pub mod kustomize_parts;
mod layers;
mod limits;
mod live;
pub mod made;
mod marked_pods;
mod named_files;
mod network_ids;
mod object;
mod object_schema;
pub mod objects;
mod options;
mod outside_service;
mod parsed_chunk;
mod pod_annotations;
pub mod project;
pub mod read;
mod refusal;
mod source_limits;
mod strict;
mod taints;
mod take_policies;
mod take_unlisted;
mod unlisted;
mod watch;
pub mod workloads;

pub use crate::load::commit::{SourceCommit, commits};
pub use crate::load::error::LoadError;
pub use crate::load::input_source::Source;
pub use crate::load::live::{Live, LiveOptions};
pub use crate::load::made::table::KindRows;
pub use crate::load::options::{Kubernetes, LoadOptions};
pub use crate::load::source_limits::SourceLimits;
pub use crate::load::watch::Watch;

use crate::input::Input;
use crate::load::input_file::InputFile;
use crate::load::named_files::named_files;
use crate::load::watch::Unwatched;
use std::io::Read;
use std::path::Path;

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
        vec![InputFile::from_text("<text>", text.to_owned())],
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
    let files = vec![InputFile::from_bytes("<reader>", bytes)];
    Ok(read_all(files, &LoadOptions::default()))
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

/// As [`load_sources`], with an observer of the progress.
///
/// # Errors
/// When a source cannot be read at all.
pub fn load_watched(
    sources: &[Source],
    overlays: &[Source],
    options: &LoadOptions,
    watch: &dyn Watch,
) -> Result<Input, LoadError> {
    let files = open(sources, watch)?;
    let base = files.len();
    let files = files.into_iter().chain(open(overlays, watch)?).collect();
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

fn read_all(files: Vec<InputFile>, options: &LoadOptions) -> Input {
    assemble::assemble(read::FileReader::new(options).read(files), options)
}

fn open(sources: &[Source], watch: &dyn Watch) -> Result<Vec<InputFile>, LoadError> {
    let mut files = Vec::new();
    for source in sources {
        files.extend(open_one(source, None, watch)?);
    }
    Ok(files)
}

fn open_one(
    source: &Source,
    limits: Option<&SourceLimits>,
    watch: &dyn Watch,
) -> Result<Vec<InputFile>, LoadError> {
    Ok(match source {
        Source::Path(path) => named_files(path, limits, discover::files)?,
        Source::Exec(command, directory) => vec![project::exec(command, directory)?],
        Source::Stdin => vec![discover::stdin()?],
        Source::Kustomize(directory) => vec![kubectl::kustomize(directory, limits)?],
        Source::Text(name, text) => vec![InputFile::from_text(name, text.to_string())],
        Source::Live(cluster) => cluster.files(watch)?,
        Source::Limited(source, limits) => open_one(source, Some(limits), watch)?,
    })
}
