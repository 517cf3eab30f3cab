//! `--dump`: what was read from a cluster, kept as one List of JSON for `-f`.
//!
//! The objects are as kubectl wrote them, and what could not be listed stands among them, so that
//! the file says as much and no more than the cluster did. Pods may hold secrets in their
//! environment: only its owner may read the file, from its first byte on. It takes its name when
//! it is complete.

use crate::load::error::LoadError;
use crate::load::limits;
use crate::load::live::request::items;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes the objects of these texts into a file.
///
/// # Errors
/// When it cannot be written, or is no regular file.
pub fn write(path: &Path, texts: &[String]) -> Result<(), LoadError> {
    let failed = |reason: String| LoadError::Unwritable {
        path: path.to_string_lossy().into_owned(),
        reason,
    };
    if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        return Err(failed("it is not a regular file".into()));
    }
    let new = beside(path);
    let written = create(&new)
        .and_then(|file| write_list(file, texts))
        .and_then(|()| std::fs::rename(&new, path));
    written.map_err(|e| {
        _ = std::fs::remove_file(&new);
        failed(limits::reason(&e))
    })
}

/// The name of the file while it is written.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

/// A new file that only its owner may read.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write_list(file: File, texts: &[String]) -> std::io::Result<()> {
    let mut out = BufWriter::new(file);
    out.write_all(b"{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [")?;
    let mut between: &[u8] = b"\n";
    for text in texts {
        for item in items(text)? {
            out.write_all(between)?;
            out.write_all(item.get().as_bytes())?;
            between = b",\n";
        }
    }
    out.write_all(b"\n]}\n")?;
    out.into_inner()?.sync_all()
}
