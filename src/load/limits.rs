//! How much is read at most, and the reasons for not reading.

use std::fs::Metadata;
use std::io;
use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

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

/// The system's reason in the words that are printed.
pub fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

/// How large a file besides the manifests may be: a configuration, a policy test, a snapshot.
pub const MAX_SIDE_BYTES: u64 = 256 << 20;

/// All of a text, if it is not larger than this: a device may never end.
///
/// # Errors
/// When it cannot be read, or is too large; the reason.
pub fn bounded(input: impl Read, limit: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    input
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| reason(&e))?;
    match bytes.len() as u64 {
        length if length <= limit => Ok(bytes),
        _ if limit == MAX_FILE_BYTES => Err(too_large()),
        _ => Err(format!("larger than {} MiB", limit >> 20)),
    }
}

/// What a name may refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// Regular files only: the user did not name it, or it is a configuration, a test, a snapshot.
    Regular,
    /// Pipes as well: a user named it, as a shell does for the output of a command.
    Pipes,
}

/// Why a file that is no regular one is not read: a device or a pipe may never end, and reading
/// a pipe without a writer blocks.
pub fn refusal(meta: &Metadata, accept: Accept, path: &Path) -> Option<&'static str> {
    if meta.is_file() {
        return None;
    }
    let (pipe, device) = special(meta);
    let named = accept == Accept::Pipes;
    match (pipe, device) {
        (true, _) if named => None,
        (_, true) if named && path == Path::new("/dev/null") => None,
        (true, _) => Some("it is a pipe, not a regular file"),
        (_, true) => Some("it is a device, not a regular file"),
        _ => Some("it is not a regular file"),
    }
}

/// Whether it is a pipe, and whether it is a device.
#[cfg(unix)]
fn special(meta: &Metadata) -> (bool, bool) {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = meta.file_type();
    let device = kind.is_char_device() || kind.is_block_device();
    (kind.is_fifo(), device)
}

#[cfg(not(unix))]
fn special(_: &Metadata) -> (bool, bool) {
    (false, false)
}

/// What a program printed, up to a limit.
#[derive(Debug)]
pub struct Printed {
    /// Whether it succeeded.
    pub success: bool,
    /// Its output.
    pub output: Vec<u8>,
    /// What it said of its errors.
    pub errors: String,
}

/// Runs a program to its end: its input, and what it prints.
///
/// # Errors
/// When it cannot be started, or prints too much.
pub fn run(command: &mut Command, input: &[u8]) -> io::Result<Printed> {
    let mut child = command
        .stdin(if input.is_empty() {
            Stdio::null()
        } else {
            Stdio::piped()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (output, errors) = std::thread::scope(|scope| {
        // separate threads: a program answers before it has read all of its input
        scope.spawn(move || stdin.map(|mut pipe| pipe.write_all(input)));
        let errors = scope.spawn(move || stderr.map(|pipe| bounded(pipe, MAX_SIDE_BYTES)));
        let output = stdout.map(|pipe| bounded(pipe, MAX_FILE_BYTES));
        if matches!(output, Some(Err(_))) {
            _ = child.kill();
        }
        (output, errors.join())
    });
    let status = child.wait()?;
    let errors = errors
        .ok()
        .flatten()
        .and_then(Result::ok)
        .unwrap_or_default();
    Ok(Printed {
        success: status.success(),
        output: output
            .transpose()
            .map_err(io::Error::other)?
            .unwrap_or_default(),
        errors: String::from_utf8_lossy(&errors).trim().to_owned(),
    })
}

/// Runs a program that is given no input, and ends it when it takes longer than this.
///
/// The threads that read what it prints are not waited for then: a program that it has started may
/// keep its output open.
///
/// # Errors
/// When it cannot be started, prints too much, or takes too long.
pub fn run_within(command: &mut Command, limit: Option<Duration>) -> io::Result<Printed> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let output = reading(child.stdout.take(), MAX_FILE_BYTES);
    let errors = reading(child.stderr.take(), MAX_SIDE_BYTES);
    let read = wait(&output, limit).and_then(|output| Ok((output, wait(&errors, limit)?)));
    let (output, errors) = read.inspect_err(|_| end(&mut child))?;
    Ok(Printed {
        success: child.wait()?.success(),
        output,
        errors: String::from_utf8_lossy(&errors).trim().to_owned(),
    })
}

/// What a pipe will have brought when its end comes.
fn reading(
    pipe: Option<impl Read + Send + 'static>,
    limit: u64,
) -> Receiver<Result<Vec<u8>, String>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let read = pipe.map_or_else(|| Ok(Vec::new()), |pipe| bounded(pipe, limit));
        sender.send(read) // to nobody, where it took too long
    });
    receiver
}

fn wait(pipe: &Receiver<Result<Vec<u8>, String>>, limit: Option<Duration>) -> io::Result<Vec<u8>> {
    let read = match limit {
        Some(limit) => pipe.recv_timeout(limit),
        None => pipe.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    match read {
        Ok(read) => read.map_err(io::Error::other),
        Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("nothing could be read")),
    }
}

/// Ends a program, and takes it off the system's table.
fn end(child: &mut Child) {
    _ = child.kill();
    _ = child.wait();
}
