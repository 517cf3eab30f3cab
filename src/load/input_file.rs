//! [`InputFile`]: a file that was found, and its content: a text, a large file that is still to be
//! read, or the reason why it cannot be read.

use crate::load::file_on_disk::FileOnDisk;
use crate::source::RereadableText as _;
use std::sync::Arc;

/// A file that was found.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// The name for messages.
    pub name: Box<str>,
    /// What is in it.
    pub content: FileContent,
    /// Whether it is what a cluster printed, whose objects are looked up there and in no file.
    pub live: bool,
}

/// What is in a file.
#[derive(Debug, Clone)]
pub enum FileContent {
    /// A text.
    Text(Arc<String>),
    /// Much, not read yet.
    OnDisk(FileOnDisk),
    /// Nothing that can be read, and why.
    Unreadable(String),
}

impl FileContent {
    /// How many bytes there are to read.
    pub fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::OnDisk(large) => large.length() as u64,
            Self::Unreadable(_) => 0,
        }
    }
}

impl InputFile {
    /// A file from its text.
    pub fn from_text(name: &str, text: String) -> Self {
        Self {
            name: name.into(),
            content: FileContent::Text(Arc::new(text)),
            live: false,
        }
    }

    /// What a cluster printed.
    pub fn of_cluster(text: String) -> Self {
        Self {
            live: true,
            ..Self::from_text("<cluster>", text)
        }
    }

    /// A file that cannot be read.
    pub fn unreadable(name: &str, reason: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            content: FileContent::Unreadable(reason.into()),
            live: false,
        }
    }

    /// A file from its bytes; UTF-16 and other encodings are reported, not guessed.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) if memchr::memchr(0, text.as_bytes()).is_some() => {
                Self::unreadable(name, "not text: it contains NUL bytes")
            }
            Ok(text) => Self::from_text(name, text), // not copied: a file may be large
            Err(e)
                if e.as_bytes().starts_with(&[0xff, 0xfe])
                    || e.as_bytes().starts_with(&[0xfe, 0xff]) =>
            {
                Self::unreadable(
                    name,
                    "not text netpal can read: it is UTF-16; save it as UTF-8",
                )
            }
            Err(_) => Self::unreadable(name, "not text: it is not valid UTF-8"),
        }
    }

    /// Its text.
    ///
    /// # Errors
    /// When it cannot be read as text; the reason.
    pub fn text(self) -> Result<String, String> {
        match self.content {
            FileContent::Text(text) => Ok(Arc::unwrap_or_clone(text)),
            FileContent::OnDisk(file) => Self::whole(&self.name, &file).text(),
            FileContent::Unreadable(reason) => Err(reason),
        }
    }

    /// A file on disk, read as a whole.
    pub fn whole(name: &str, file: &FileOnDisk) -> Self {
        match file.read_all() {
            Ok(bytes) => Self::from_bytes(name, bytes),
            Err(reason) => Self::unreadable(name, reason),
        }
    }
}
