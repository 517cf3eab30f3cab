//! Where output goes. The only file of the binary that prints.
//!
//! Results go to standard output or to the file of `-o FORMAT=FILE`, remarks to standard error. A
//! reader that goes away (`| head`) ends the program quietly. A file is written whole or not at
//! all.

use super::args::{ColorWhen, Common};
use anyhow::{Context, Result, bail};
use netpal::{
    AllowGraph, CompileOptions, Format, Input, Locator, Render, RenderContext, SafeWriter, Style,
};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};

/// One requested output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputTarget {
    /// The format.
    pub format: Format,
    /// The file; standard output when `None`.
    pub file: Option<PathBuf>,
}

/// The outputs of a command.
#[derive(Debug, Clone)]
pub struct Output {
    targets: Vec<OutputTarget>,
    quiet: bool,
    color: ColorWhen,
    width: Option<u16>,
}

/// How remarks are emphasized; standard error drops the colours where they are not wanted.
pub const STYLE: Style = Style { colour: true };

/// Reads `FORMAT[=FILE]`.
fn target(text: &str, offered: &[Format]) -> Result<OutputTarget> {
    let (name, file) = match text.split_once('=') {
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let Some(format) = Format::find(name) else {
        bail!(
            "`{name}` is not a format; this command writes {}",
            format_names(offered)
        );
    };
    if !offered.contains(&format) {
        bail!(
            "this command does not write {name}; it writes {}",
            format_names(offered)
        );
    }
    Ok(OutputTarget { format, file })
}

/// Refuses what a command that prints one format to standard output would pass over.
///
/// # Errors
/// When `-o` asks for anything else.
pub fn refuse_others(common: &Common, only: Format) -> Result<()> {
    for text in &common.output {
        if target(text, &[only])?.file.is_some() {
            bail!("this command writes to standard output: send it to a file with > FILE");
        }
    }
    Ok(())
}

/// Says where it is told why a command ends as it does, if files alone tell it.
pub fn point_to_files(common: &Common, code: u8) {
    let files = common.output.iter().map(|text| text.split_once('='));
    let files: Option<Vec<&str>> = files.map(|named| Some(named?.1)).collect();
    match files {
        Some(files) if !files.is_empty() && !common.quiet => {
            remark(&format!("exit code {code}: see {}", files.join(", ")));
        }
        _ => {}
    }
}

fn format_names(offered: &[Format]) -> String {
    offered
        .iter()
        .map(|f| f.name())
        .collect::<Vec<_>>()
        .join(", ")
}

impl Output {
    /// The outputs that were asked for; an answer of type `R` will be written to them. Without any,
    /// its default format on standard output.
    ///
    /// # Errors
    /// When a format is unknown, or the answer does not have it.
    pub fn of<R: Render>(common: &Common) -> Result<Self> {
        let mut targets = common
            .output
            .iter()
            .map(|t| target(t, R::FORMATS))
            .collect::<Result<Vec<_>>>()?;
        if targets.is_empty() {
            targets.extend(R::FORMATS.first().map(|f| OutputTarget {
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

    /// Whether a format was asked for and is written: `--quiet` writes nothing to standard output.
    pub fn writes(&self, format: Format) -> bool {
        let written = |t: &OutputTarget| t.file.is_some() || !self.quiet;
        self.targets
            .iter()
            .any(|t| t.format == format && written(t))
    }

    /// Writes an answer in every requested format, with the colours and the width of the flags.
    ///
    /// # Errors
    /// When a file or standard output cannot be written.
    pub fn render<R: Render>(&self, answer: &R, context: &RenderContext<'_>) -> Result<()> {
        // colours are removed again where they are not wanted
        let context = context
            .colour(self.color != ColorWhen::Never)
            .width(self.width())
            .folding(self.told_width().is_some());
        let write = |format, out: &mut dyn Write| answer.write(format, &context, out);
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

    /// Columns to wrap at: as asked, else the terminal's, else 100.
    fn width(&self) -> usize {
        usize::from(self.told_width().unwrap_or(100).max(40))
    }

    /// The width that was asked for, or that the terminal has.
    fn told_width(&self) -> Option<u16> {
        let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
        self.width.or_else(columns)
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

/// Writes next to the file and renames, so that no reader ever sees half of it. A link is followed,
/// and the file keeps its mode; a new one gets what the umask leaves.
///
/// # Errors
/// When the folder cannot be written to.
pub fn whole_file(path: &Path, bytes: &[u8]) -> Result<()> {
    whole(path, |out| out.write_all(bytes))
}

fn whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let name = || format!("cannot write `{}`", path.display());
    let known = std::fs::metadata(path).ok();
    if known.as_ref().is_some_and(|m| !m.is_file()) {
        // a folder says so here, a pipe is written to
        let mut device = std::fs::File::create(path).with_context(name)?;
        return write(&mut device).with_context(name);
    }
    // all of it is made first, so that the temporary file stands for a moment only
    let mut bytes = Vec::new();
    write(&mut anstream::StripStream::new(&mut bytes)).with_context(name)?;
    let path = &target_of_link(path).with_context(name)?;
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::Builder::new();
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    file.permissions(mode); // of which the umask takes its part
    let mut file = file.tempfile_in(folder).with_context(name)?;
    let _unfinished = Unfinished::new(file.path());
    if let Some(known) = known {
        let kept = file.as_file().set_permissions(known.permissions());
        kept.with_context(name)?;
    }
    file.write_all(&bytes).with_context(name)?;
    file.as_file().sync_data().with_context(name)?;
    file.persist(path).map_err(|e| e.error).with_context(name)?;
    Ok(())
}

/// A temporary file that is removed when the program is interrupted: `Drop` does not run then.
struct Unfinished;

/// The temporary file that stands at this moment.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

impl Unfinished {
    fn new(path: &Path) -> Self {
        static WATCH: Once = Once::new();
        // where the signals cannot be watched an interruption leaves the file, and does no harm
        WATCH.call_once(|| drop(ctrlc::set_handler(interrupted)));
        Self::set(Some(path.to_owned()));
        Self
    }

    fn set(path: Option<PathBuf>) {
        *UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner) = path;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        Self::set(None);
    }
}

/// Ends the program as a shell expects of one that was interrupted. The lock is kept, so that
/// nothing is renamed meanwhile that is being removed.
fn interrupted() {
    let unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(path) = &*unfinished {
        let _ = std::fs::remove_file(path);
    }
    std::process::exit(130);
}

/// The file that a path leads to, over any links; the path itself where there is no such file.
fn target_of_link(path: &Path) -> io::Result<PathBuf> {
    if std::fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink()) {
        std::fs::canonicalize(path)
    } else {
        Ok(path.to_owned())
    }
}

/// A remark on standard error.
pub fn remark(text: &str) {
    let mut err = SafeWriter::of_text(anstream::stderr().lock());
    // INVARIANT: standard error is for people; if it is closed there is no reader
    let _ = writeln!(err, "{text}");
}

/// An answer on standard output in its default format, for commands that take no `-o`.
///
/// # Errors
/// When standard output fails for another reason than a closed pipe.
pub fn print<R: Render>(answer: &R, context: &RenderContext<'_>) -> Result<()> {
    let mut bytes = Vec::new();
    if let Some(format) = R::FORMATS.first() {
        answer.write(*format, context, &mut bytes)?;
    }
    plain(&bytes)
}

/// The same for an answer that is about no input.
///
/// # Errors
/// When standard output fails for another reason than a closed pipe.
pub fn print_alone<R: Render>(answer: &R) -> Result<()> {
    let input = Input::default();
    let graph = AllowGraph::compile(&input, &CompileOptions::default())?;
    let locator = Locator::new(&input.sources);
    print(answer, &RenderContext::new(&input, &graph, &locator))
}

/// A number of things: `1 error`, `2 errors`.
pub fn counted(count: usize, thing: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{end}")
}

/// Plain text on standard output, for help topics and completion scripts.
///
/// # Errors
/// When standard output fails for another reason than a closed pipe.
pub fn plain(bytes: &[u8]) -> Result<()> {
    stdout(bytes, ColorWhen::Auto)
}
