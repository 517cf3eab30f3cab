//! The files of a commit in a folder of their own, for programs that read folders: kustomize, and
//! commands that render.
//!
//! The files are what the commit holds, read through git: no hook and no filter runs, links are
//! left out, and nothing is written outside the folder, which goes with the value. Cost: O(bytes of
//! the commit), in parts. Road not taken: `git worktree`, which changes the repository and runs
//! hooks.

use crate::load::error::LoadError;
use crate::load::git;
use crate::load::git::Blob;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Most bytes of a commit that are written.
const MOST_BYTES: u64 = 1 << 30;

/// Bytes that are read from git at once.
const PART_BYTES: u64 = 16 << 20;

/// A folder that a program is to read, by how it is named: one of the disk, or
/// `git:REV:DIRECTORY`, whose files are written first.
pub struct NamedFolder<'n> {
    /// The revision, if it is one of a commit.
    pub revision: Option<&'n str>,
    /// Where it is.
    pub path: PathBuf,
    /// The files of the commit, which go with the value.
    checkout: Option<Checkout>,
}

impl<'n> NamedFolder<'n> {
    /// The folder of a name.
    ///
    /// # Errors
    /// When git is missing, or the revision is unknown or too large.
    pub fn of(name: &'n str) -> Result<Self, LoadError> {
        let Some((revision, inside)) = git::parse(name) else {
            return Ok(Self {
                revision: None,
                path: name.into(),
                checkout: None,
            });
        };
        let checkout = Checkout::of(revision, name)?;
        Ok(Self {
            revision: Some(revision),
            path: checkout.path(inside),
            checkout: Some(checkout),
        })
    }

    /// Another path from the current folder, in the same revision.
    pub fn beside(&self, path: &str) -> PathBuf {
        match &self.checkout {
            Some(checkout) => checkout.path(path),
            None => path.into(),
        }
    }
}

/// The files of a commit.
struct Checkout {
    folder: tempfile::TempDir,
    /// Where the current folder is in the repository.
    here: String,
}

impl Checkout {
    /// Writes the files of a revision.
    ///
    /// # Errors
    /// When git is missing, the revision is unknown or too large, or the disk is full.
    fn of(revision: &str, what: &str) -> Result<Self, LoadError> {
        let failed = |e: io::Error| git::failed(what, e.to_string());
        let (blobs, here) = git::everything(revision, what)?;
        let blobs: Vec<Blob> = blobs.into_iter().filter(is_written).collect();
        if blobs.iter().map(|b| b.size).sum::<u64>() > MOST_BYTES {
            let reason = format!("the commit has more than {} MiB", MOST_BYTES >> 20);
            return Err(git::failed(what, reason));
        }
        let folder = tempfile::tempdir().map_err(failed)?;
        for part in parts(&blobs) {
            for (blob, bytes) in part.iter().zip(git::texts(part, what)?) {
                write(&folder.path().join(&blob.path), &bytes, blob).map_err(failed)?;
            }
        }
        Ok(Self { folder, here })
    }

    /// A path from the current folder, in the checkout.
    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(&self.here).join(path)
    }
}

/// Whether a file is written: not a link, nor one whose path leads elsewhere or into git's own
/// files.
fn is_written(blob: &Blob) -> bool {
    let is_plain = |c: Component<'_>| match c {
        Component::Normal(name) => !name.eq_ignore_ascii_case(".git"),
        _ => false,
    };
    blob.mode.starts_with("100") && Path::new(&blob.path).components().all(is_plain)
}

/// The files in parts that fit into memory.
fn parts(blobs: &[Blob]) -> Vec<&[Blob]> {
    let mut parts = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (i, blob) in blobs.iter().enumerate() {
        bytes += blob.size;
        if bytes > PART_BYTES {
            parts.push(&blobs[start..=i]);
            (start, bytes) = (i + 1, 0);
        }
    }
    parts.push(&blobs[start..]);
    parts
}

fn write(path: &Path, bytes: &[u8], blob: &Blob) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, bytes)?;
    #[cfg(unix)]
    if blob.mode == "100755" {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(path, mode)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(path: &str, mode: &str, size: u64) -> Blob {
        Blob {
            mode: mode.into(),
            id: String::new(),
            path: path.into(),
            size,
        }
    }

    #[test]
    fn nothing_is_written_elsewhere() {
        let written = |path: &str, mode: &str| is_written(&blob(path, mode, 1));
        assert!(written("k8s/a.yaml", "100644") && written("render.sh", "100755"));
        assert!(!written("link", "120000") && !written("../a", "100644"));
        assert!(!written("/etc/a", "100644") && !written(".GIT/config", "100644"));
    }

    #[test]
    fn parts_are_bounded_and_leave_nothing_out() {
        let blobs: Vec<Blob> = (0..5)
            .map(|i| blob(&i.to_string(), "100644", 9 << 20))
            .collect();
        let sizes: Vec<usize> = parts(&blobs).iter().map(|part| part.len()).collect();
        assert_eq!(sizes, [2, 2, 1]);
    }
}
