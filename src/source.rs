//! Where things were said: files, documents, and symbolic pointers into them.
//!
//! A finding or an explanation carries an [`Origin`] (which document, which path inside it) and
//! never a line number; the line is looked up when something is printed (`tree::locate`). So the
//! compiled graph stays small, and a position costs nothing until a person wants to see it.
//!
//! Invariants: a [`Document`]'s byte range lies inside its file's text, on character boundaries;
//! document ids are dense and in the order of reading, which is the order of the input.

mod text;

pub use crate::source::text::{Excerpt, RereadableText, Text};

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

/// Index of a document in [`Sources`]; dense, in reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentId(pub u32);

impl DocumentId {
    /// No document: of what was not read.
    pub const NONE: Self = Self(u32::MAX);
}

/// Index of a file in [`Sources`]; dense, in reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A place in a text: 1-based line and 1-based column (in characters), as editors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Position {
    /// 1-based line.
    pub line: u32,
    /// 1-based column, counted in characters.
    pub column: u32,
}

/// A stretch of a file's text: a byte range (offsets into the whole file) and where it starts for
/// people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// First byte, from the start of the file.
    pub start: usize,
    /// One past the last byte, from the start of the file.
    pub end: usize,
    /// Line and column of `start`.
    pub at: Position,
}

/// One step of a [`Path`]: into a mapping or into a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The value under this key.
    Key(Box<str>),
    /// The item with this 0-based index.
    Index(u32),
}

/// A path inside a document, printed the Kubernetes way: `spec.ingress[0].from[1]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// This path, one key further.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Key(key.into()));
        Self(steps)
    }

    /// This path, one index further.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Index(u32::try_from(index).unwrap_or(u32::MAX)));
        Self(steps)
    }

    /// This path, and then another one.
    #[must_use]
    pub fn then(&self, rest: &Self) -> Self {
        let mut steps = self.0.clone();
        steps.extend(rest.0.iter().cloned());
        Self(steps)
    }

    /// Whether this lies below a key of the document.
    pub fn starts_with_key(&self, key: &str) -> bool {
        matches!(self.0.first(), Some(Step::Key(first)) if **first == *key)
    }

    /// Whether this is the document itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if i > 0 => write!(f, ".{key}")?,
                Step::Key(key) => write!(f, "{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A symbolic pointer: a document and a path inside it. Resolved to a line only when printed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The document.
    pub document: DocumentId,
    /// The path inside it; the root path points at the document as a whole.
    pub path: Path,
}

impl Origin {
    /// A pointer at `path` in `document`.
    pub fn new(document: DocumentId, path: Path) -> Self {
        Self { document, path }
    }

    /// The origin of what was not read.
    pub fn nowhere() -> Self {
        Self::document(DocumentId::NONE)
    }

    /// A pointer at a whole document.
    pub fn document(document: DocumentId) -> Self {
        Self {
            document,
            path: Path::root(),
        }
    }
}

/// A file (or standard input) that was read. `name` is what messages print: as given by the user,
/// never made absolute.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The name as the user wrote it (or the path found under the directory given); `<stdin>` for
    /// standard input.
    pub name: Box<str>,
    /// The text, for positions and quotes.
    pub text: Text,
}

/// Where an object sits inside the chunk of text that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// It is the chunk.
    Root,
    /// It is an item of a List, and the chunk is that item's text alone.
    Alone,
    /// It is the item with this index of a List, which is the chunk.
    Item(u32),
    /// It is somewhere else in the chunk: an item of a List in a List.
    Deep(Box<Path>),
}

impl Base {
    /// The path from the chunk to the object.
    pub fn path(&self) -> Path {
        match self {
            Self::Root | Self::Alone => Path::root(),
            Self::Item(index) => Path(vec![Step::Key("items".into()), Step::Index(*index)]),
            Self::Deep(path) => (**path).clone(),
        }
    }

    /// Whether the chunk holds nothing but the object.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Root | Self::Alone)
    }

    /// Whether the object is a whole document, and no item of a List.
    pub fn is_root(&self) -> bool {
        *self == Self::Root
    }
}

impl From<Path> for Base {
    fn from(path: Path) -> Self {
        match &path.0[..] {
            [] => Self::Root,
            [Step::Key(key), Step::Index(index)] if **key == *"items" => Self::Item(*index),
            _ => Self::Deep(path.into()),
        }
    }
}

/// One object's text inside a file. Items of a `kind: List` are documents of their own whose `base`
/// leads to the item.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its file.
    pub file: FileId,
    /// First byte of the chunk of text that holds it.
    pub start: usize,
    /// One past the last byte of that chunk.
    pub end: usize,
    /// Line and column on which the chunk starts.
    pub begins: Position,
    /// Where the object sits inside the chunk.
    pub base: Base,
    /// Where the object starts, for messages that name the object as a whole.
    pub at: Position,
}

/// A resolved place, ready to print as `file:line:column`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// The file's name as the user wrote it.
    pub file: Box<str>,
    /// Line and column in it.
    pub at: Position,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.at.line)
    }
}

/// The table of everything that was read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    documents: Vec<Document>,
    /// Where objects are looked up that are in no file of the user.
    addresses: HashMap<DocumentId, Box<str>>,
}

impl Sources {
    /// Adds a file and returns its id.
    pub fn add_file(&mut self, name: &str, text: impl Into<Text>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile {
            name: name.into(),
            text: text.into(),
        });
        id
    }

    /// Adds a document and returns its id.
    pub fn add_document(&mut self, document: Document) -> DocumentId {
        let id = DocumentId(u32::try_from(self.documents.len()).unwrap_or(u32::MAX));
        self.documents.push(document);
        id
    }

    /// Says where a document is looked up, which is in no file of the user: an object that a
    /// cluster printed.
    pub fn set_address(&mut self, id: DocumentId, address: impl Into<Box<str>>) {
        self.addresses.insert(id, address.into());
    }

    /// Where a document is looked up, if that is in no file of the user.
    pub fn address(&self, id: DocumentId) -> Option<&str> {
        self.addresses.get(&id).map(|address| &**address)
    }

    /// A position in a document's file as it is told: file, line and column. Of an object that a
    /// cluster printed they are its address and the line and column there, as
    /// `kubectl get -o json` prints the object alone: its first key is on the second line, behind
    /// four blanks.
    pub fn location(&self, id: DocumentId, at: Position) -> Option<Location> {
        let document = self.document(id)?;
        let Some(address) = self.address(id) else {
            let file = self.file(document.file)?.name.clone();
            return Some(Location { file, at });
        };
        let from = document.at;
        let at = Position {
            line: (at.line + 2).saturating_sub(from.line).max(1),
            column: (at.column + 5).saturating_sub(from.column).max(1),
        };
        let file = address.into();
        Some(Location { file, at })
    }

    /// The files, in reading order.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// A file by its id.
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// A document by its id.
    pub fn document(&self, id: DocumentId) -> Option<&Document> {
        self.documents.get(id.0 as usize)
    }

    /// How many documents were read.
    pub fn documents(&self) -> usize {
        self.documents.len()
    }

    /// The text of the chunk of a document, and the document itself.
    pub fn chunk(&self, id: DocumentId) -> Option<(&Document, Cow<'_, str>)> {
        let document = self.document(id)?;
        Some((document, self.text(document)?))
    }

    /// The text of a document's chunk.
    pub fn text(&self, document: &Document) -> Option<Cow<'_, str>> {
        self.file(document.file)?
            .text
            .part(document.start..document.end)
    }
}
