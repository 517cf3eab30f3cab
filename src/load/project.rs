//! The files besides the manifests: the configuration, policy tests, snapshots, and commands the
//! configuration names.

use crate::load::checkout::NamedFolder;
use crate::load::discover;
use crate::load::error::LoadError;
use crate::load::git;
use crate::load::input_file::InputFile;
use crate::load::limits;
use crate::load::named_files::named_files;
use crate::load::source_limits::SourceLimits;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first of these files in the current directory or the nearest one above, as a relative path:
/// `../netpal.yaml`.
pub fn nearest(names: &[&str]) -> Option<PathBuf> {
    let depth = std::env::current_dir().map_or(0, |d| d.components().count());
    let mut up = PathBuf::new();
    for _ in 0..depth.max(1) {
        if let Some(found) = names.iter().map(|n| up.join(n)).find(|p| p.is_file()) {
            return Some(found);
        }
        up.push("..");
    }
    None
}

/// The text of one file: a path, `git:REV:PATH`, or `-` for standard input.
///
/// # Errors
/// When it cannot be read as text.
pub fn text(path: &str) -> Result<String, LoadError> {
    let file = match (path, git::parse(path)) {
        ("-", _) => discover::side_stdin()?,
        (_, Some((revision, inside))) => git::text(revision, inside)?,
        _ => discover::single(path)?,
    };
    let unreadable = |reason| LoadError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    file.text().map_err(unreadable)
}

/// The files behind a path or pattern, with their texts, in order; within the limits, if a
/// configuration names them.
///
/// # Errors
/// When there is none, or one cannot be read, or may not be.
pub fn texts(
    path: &str,
    limits: Option<&SourceLimits>,
) -> Result<Vec<(String, String)>, LoadError> {
    if path == "-" {
        return Ok(vec![("<stdin>".to_owned(), text(path)?)]);
    }
    let files = named_files(path, limits, discover::side_files)?;
    files.into_iter().map(named_text).collect()
}

/// The name and the text of a file.
fn named_text(file: InputFile) -> Result<(String, String), LoadError> {
    let name = file.name.to_string();
    if file.content.length() > limits::MAX_SIDE_BYTES {
        let reason = format!("larger than {} MiB", limits::MAX_SIDE_BYTES >> 20);
        return Err(LoadError::Unreadable { path: name, reason });
    }
    match file.text() {
        Ok(text) => Ok((name, text)),
        Err(reason) => Err(LoadError::Unreadable { path: name, reason }),
    }
}

/// The output of a shell command that runs in a directory, or in the files of a revision
/// (`git:REV:DIRECTORY`). Only ever called for a command the user allowed.
///
/// # Errors
/// When the command cannot be run, or fails, or there is no such revision.
pub fn exec(command: &str, directory: &str) -> Result<InputFile, LoadError> {
    let folder = NamedFolder::of(directory)?;
    let failed = |reason: String| LoadError::Command {
        command: command.to_owned(),
        reason,
    };
    let shell = if cfg!(windows) {
        ["cmd", "/C"]
    } else {
        ["sh", "-c"]
    };
    let directory = if directory.is_empty() {
        Path::new(".")
    } else {
        &folder.path
    };
    let mut shell_command = Command::new(shell[0]);
    shell_command
        .args([shell[1], command])
        .current_dir(directory);
    let printed = limits::run(&mut shell_command, &[]).map_err(|e| failed(e.to_string()))?;
    if printed.success {
        let name = match folder.revision {
            Some(revision) => format!("exec:{revision}:{command}"),
            None => format!("exec:{command}"),
        };
        Ok(InputFile::from_bytes(&name, printed.output))
    } else {
        Err(failed(printed.errors))
    }
}
