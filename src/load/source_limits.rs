//! [`SourceLimits`]: what reading a source may do that a configuration names.
//!
//! A configuration comes with the repository, and whoever proposes a change may have written it. It
//! is followed inside its own folder only: not by `..`, not by an absolute path, not by a link,
//! wherever in a folder the link lies. And nothing is fetched for it. What a revision holds is
//! judged in that revision, as the change may be in it alone.

use crate::load::error::LoadError;
use crate::load::input_file::InputFile;
use crate::load::kustomize_parts::kustomize_parts;
use std::path::{Component, Path, PathBuf};

/// What reading a source may do that a configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLimits {
    /// The folder of the configuration, from the current one; empty for that one itself.
    pub folder: Box<str>,
    /// Whether files outside the folder may be read (`--allow-outside`).
    pub may_leave: bool,
    /// Whether kustomize may fetch what is not on the disk (`--allow-exec`).
    pub may_fetch: bool,
}

impl SourceLimits {
    /// Refuses a path that leads out of the folder.
    ///
    /// # Errors
    /// When it does, and that was not allowed; the path is named as it is written.
    pub fn check(&self, written: &str, path: &Path) -> Result<(), LoadError> {
        self.within(Path::new(&*self.folder), written, path)
    }

    /// Refuses files that lie outside the folder.
    ///
    /// # Errors
    /// When one does, and that was not allowed.
    pub(super) fn check_files(&self, files: &[InputFile]) -> Result<(), LoadError> {
        let mut paths = files
            .iter()
            .map(|file| (&*file.name, Path::new(&*file.name)));
        paths.try_for_each(|(name, path)| self.check(name, path))
    }

    /// Refuses a kustomization whose build would fetch something, or read outside the folder:
    /// `folder`, as it is called where the kustomization is built.
    ///
    /// # Errors
    /// When it would, and that was not allowed.
    pub(super) fn check_kustomization(
        &self,
        named: &str,
        directory: &Path,
        folder: &Path,
    ) -> Result<(), LoadError> {
        let parts = kustomize_parts(&directory.to_string_lossy());
        if let Some(fetched) = parts.fetched.first().filter(|_| !self.may_fetch) {
            return Err(LoadError::Fetched {
                directory: named.to_owned(),
                fetched: fetched.clone(),
            });
        }
        let mut parts = parts.local.iter();
        parts.try_for_each(|part| self.within(folder, &part.to_string_lossy(), part))
    }

    fn within(&self, folder: &Path, written: &str, path: &Path) -> Result<(), LoadError> {
        if self.may_leave || holds(folder, path) {
            return Ok(());
        }
        Err(LoadError::Outside {
            path: written.to_owned(),
        })
    }
}

/// Whether a path lies in a folder. Of a path that does not exist, a pattern for example, the part
/// that does is asked, and the rest may not go up.
fn holds(folder: &Path, path: &Path) -> bool {
    let Some(folder) = real(folder) else {
        return false;
    };
    let known: Option<(PathBuf, &Path)> = path
        .ancestors()
        .find_map(|known| Some((real(known)?, path.strip_prefix(known).ok()?)));
    known.is_some_and(|(known, rest)| {
        known.starts_with(&folder) && rest.components().all(|c| c != Component::ParentDir)
    })
}

/// The path without links and steps up; of the empty path that of the current folder.
fn real(path: &Path) -> Option<PathBuf> {
    let is_empty = path.as_os_str().is_empty();
    let named = if is_empty { Path::new(".") } else { path };
    named.canonicalize().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_what_lies_below_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("repo");
        std::fs::create_dir_all(inside.join("k8s")).unwrap();
        let asked = |path: &str| holds(&inside, &inside.join(path));
        assert!(asked("k8s") && asked("k8s/../k8s") && asked("new.snap") && asked("k8s/*.yaml"));
        assert!(!asked("..") && !asked("../other") && !asked("k8s/../../other"));
        assert!(!asked("*/../../other") && !asked("/etc") && !asked("/etc/*.yaml"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/etc", inside.join("link")).unwrap();
            assert!(!asked("link") && !asked("link/x.yaml"));
        }
        assert!(holds(Path::new(""), Path::new("Cargo.toml")));
    }
}
