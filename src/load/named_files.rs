//! The files that a path names, wherever they are: on the disk, or in a revision.

use crate::load::error::LoadError;
use crate::load::git;
use crate::load::input_file::InputFile;
use crate::load::source_limits::SourceLimits;

/// The files of a path: of the disk, as `find` finds them and within the limits, or
/// `git:REV:PATH`.
///
/// # Errors
/// When there are none, or they may not be read.
pub fn named_files(
    path: &str,
    limits: Option<&SourceLimits>,
    find: fn(&str) -> Result<Vec<InputFile>, LoadError>,
) -> Result<Vec<InputFile>, LoadError> {
    if let Some((revision, inside)) = git::parse(path) {
        return git::files(revision, inside);
    }
    let files = find(path)?;
    limits.map_or(Ok(()), |limits| limits.check_files(&files))?;
    Ok(files)
}
