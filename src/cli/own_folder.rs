//! Whether a path that a configuration names stays in the folder of the configuration.
//!
//! A configuration comes with the repository, and whoever proposes a change may have written it. It
//! is followed inside its own folder only: not by `..`, not by an absolute path, not by a link.
//! Links that a pattern or a folder comes upon further down are followed as in `-f FOLDER`.

use std::path::{Component, Path, PathBuf};

/// Whether a path lies in a folder. Of a path that does not exist, a pattern for example, the part
/// that does is asked, and the rest may not go up.
pub fn holds(folder: &Path, path: &Path) -> bool {
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
