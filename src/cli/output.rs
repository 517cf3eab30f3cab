//! Where output goes. The only file of the binary that prints.
//!
//! Results go to standard output or to the file of `-o FORMAT=FILE`, remarks to standard error. A
//! reader that goes away (`| head`) ends the program quietly. A file is written whole or not at
//! all.

use super::args::{ColorWhen, Common};
use anyhow::{Context, Result, bail};
use netpal::render::Format;
use std::io::{self, Write};
use std::path::PathBuf;

/// One requested output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The format.
    pub format: Format,
    /// The file; standard output when `None`.
    pub file: Option<PathBuf>,
}

/// The outputs of a command.
#[derive(Debug, Clone)]
pub struct Output {
    targets: Vec<Target>,
    quiet: bool,
    color: ColorWhen,
    width: Option<u16>,
}

/// Reads `FORMAT[=FILE]`.
fn target(text: &str, able: &[Format]) -> Result<Target> {
    let (name, file) = match text.split_once('=') {
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let names = || able.iter().map(|f| f.name()).collect::<Vec<_>>().join(", ");
    let Some((format, _)) = Format::ALL.iter().find(|(_, n)| *n == name) else {
        bail!("`{name}` is not a format; this command writes {}", names());
    };
    if !able.contains(format) {
        bail!("this command does not write {name}; it writes {}", names());
    }
    Ok(Target {
        format: *format,
        file,
    })
}

impl Output {
    /// The outputs that were asked for; the first of `able` on standard output when none was.
    ///
    /// # Errors
    /// When a format is unknown, or not one this command writes.
    pub fn new(common: &Common, able: &[Format]) -> Result<Self> {
        let mut targets = common
            .output
            .iter()
            .map(|t| target(t, able))
            .collect::<Result<Vec<_>>>()?;
        if targets.is_empty() {
            targets.extend(able.first().map(|f| Target {
                format: *f,
                file: None,
            }));
        }
        if targets.iter().filter(|t| t.file.is_none()).count() > 1 {
            bail!("only one -o may go to standard output; give the others a file: -o FORMAT=FILE");
        }
        Ok(Self {
            targets,
            quiet: common.quiet,
            color: common.color,
            width: common.width,
        })
    }

    /// Whether a format was asked for.
    pub fn has(&self, format: Format) -> bool {
        self.targets.iter().any(|t| t.format == format)
    }

    /// Writes every requested format: `write` is given the format and where to write it, piece by
    /// piece.
    ///
    /// # Errors
    /// When a file or standard output cannot be written.
    pub fn write(
        &self,
        mut write: impl FnMut(Format, &mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        for target in &self.targets {
            match &target.file {
                Some(path) => whole(path, |out| write(target.format, out))?,
                None if self.quiet => {}
                None => {
                    let out = anstream::AutoStream::new(io::stdout().lock(), choice(self.color));
                    let mut out = io::BufWriter::with_capacity(1 << 16, out);
                    quietly(write(target.format, &mut out).and_then(|()| out.flush()))?;
                    // dropped without writing again: the reader may be gone
                    let _ = out.into_parts();
                }
            }
        }
        Ok(())
    }

    /// Whether text may be coloured: anstream takes the colours out again where nobody wants them.
    pub fn style(&self) -> netpal::render::text::writer::Style {
        netpal::render::text::writer::Style {
            colour: self.color != ColorWhen::Never,
        }
    }

    /// Columns to wrap at: as asked, else the terminal's, else 80.
    pub fn width(&self) -> usize {
        let columns = || {
            std::env::var("COLUMNS")
                .ok()
                .and_then(|c| c.parse::<u16>().ok())
        };
        usize::from(self.width.or_else(columns).unwrap_or(100).max(40))
    }
}

fn stdout(bytes: &[u8], color: ColorWhen) -> Result<()> {
    let mut out = anstream::AutoStream::new(io::stdout().lock(), choice(color));
    quietly(out.write_all(bytes).and_then(|()| out.flush()))
}

fn choice(color: ColorWhen) -> anstream::ColorChoice {
    match color {
        ColorWhen::Always => anstream::ColorChoice::Always,
        ColorWhen::Never => anstream::ColorChoice::Never,
        ColorWhen::Auto => anstream::AutoStream::choice(&io::stdout()),
    }
}

/// A closed pipe is the reader's wish, not a failure.
fn quietly(result: io::Result<()>) -> Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}

/// Writes beside the file and renames, so that nobody ever reads half of it.
///
/// # Errors
/// When the folder cannot be written to.
pub fn whole_file(path: &std::path::Path, bytes: &[u8]) -> Result<()> {
    whole(path, |out| out.write_all(bytes))
}

fn whole(
    path: &std::path::Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let name = || format!("cannot write `{}`", path.display());
    if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        // a folder says so here, a pipe is written to
        let mut device = std::fs::File::create(path).with_context(name)?;
        return write(&mut device).with_context(name);
    }
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or_else(|| std::path::Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(name)?;
    let mut out = io::BufWriter::new(anstream::StripStream::new(file.as_file_mut()));
    write(&mut out)
        .and_then(|()| out.flush())
        .with_context(name)?;
    drop(out);
    readable(file.as_file()).with_context(name)?;
    file.persist(path).map_err(|e| e.error).with_context(name)?;
    Ok(())
}

/// Readable by all, as a file written directly would be; temporary files start out private.
fn readable(file: &std::fs::File) -> io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    file.sync_data()
}

/// A remark on standard error.
pub fn remark(text: &str) {
    let mut err = anstream::stderr().lock();
    // INVARIANT: standard error is for people; if it is gone there is nobody to tell
    let _ = writeln!(err, "{text}");
}

/// Plain text on standard output, for help topics and completion scripts.
///
/// # Errors
/// When standard output fails for another reason than a closed pipe.
pub fn plain(bytes: &[u8]) -> Result<()> {
    stdout(bytes, ColorWhen::Auto)
}
