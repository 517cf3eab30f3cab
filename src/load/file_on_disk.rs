//! A large file, which is read in parts and not kept: a part that a message quotes later is
//! read again.
//!
//! Invariant: what is read again is what was read first, as far as the file system shows: a file of
//! another length or time of change gives nothing. Cost: a part costs its own length.

use crate::load::limits::{MAX_FILE_BYTES, bounded, reason, too_large};
use crate::source::RereadableText;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files of at least this many bytes are read in parts, where their text allows it.
pub const LARGE: u64 = 1 << 20;

/// A regular file on a disk.
#[derive(Debug, Clone)]
pub struct FileOnDisk {
    path: PathBuf,
    length: u64,
    changed: Option<SystemTime>,
}

impl FileOnDisk {
    /// A file as it is now.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn new(path: &Path) -> io::Result<Self> {
        let meta = fs::File::open(path)?.metadata()?;
        Ok(Self {
            path: path.to_owned(),
            length: meta.len(),
            changed: meta.modified().ok(),
        })
    }

    /// The file, opened, unless it has changed.
    fn open(&self) -> Option<fs::File> {
        let file = fs::File::open(&self.path).ok()?;
        let meta = file.metadata().ok()?;
        (meta.len() == self.length && meta.modified().ok() == self.changed).then_some(file)
    }

    /// Everything it has, from the start.
    pub fn reader(&self) -> Option<impl Read + Send> {
        Some(self.open()?.take(self.length))
    }

    /// Whether it is still as it was when it was found.
    pub fn is_unchanged(&self) -> bool {
        self.open().is_some()
    }

    /// All of its bytes.
    ///
    /// # Errors
    /// When it cannot be read, or is too large to be held in memory; the reason.
    pub fn read_all(&self) -> Result<Vec<u8>, String> {
        if self.length > MAX_FILE_BYTES {
            return Err(too_large());
        }
        let file = fs::File::open(&self.path).map_err(|e| reason(&e))?;
        bounded(file, MAX_FILE_BYTES)
    }
}

impl RereadableText for FileOnDisk {
    fn length(&self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }

    fn read(&self, range: Range<usize>) -> Option<Vec<u8>> {
        let mut file = self.open()?;
        let mut bytes = vec![0; range.len()];
        file.seek(SeekFrom::Start(u64::try_from(range.start).ok()?))
            .ok()?;
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}
