//! Finding a symbolic path again: [`Origin`] -> file, line and column.
//!
//! A text is read again when a message needs it, once per stretch of a file ([`Locator`]
//! remembers): the objects of one List share one stretch. Cost: O(stretch) for the first look,
//! O(path) afterwards. A path that no longer leads anywhere falls back to the deepest part that
//! exists.

use crate::source::{Base, Document, DocumentId, FileId, Location, Origin, Sources, Span, Step};
use crate::tree::chunk::Chunk;
use crate::tree::node::SyntaxNode;
use crate::tree::parse::parse_part;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Looks up positions and remembers the documents it has read.
pub struct Locator<'s> {
    sources: &'s Sources,
    /// By file and first byte.
    trees: RefCell<HashMap<(FileId, usize), Option<Rc<SyntaxNode>>>>,
}

impl<'s> Locator<'s> {
    /// A locator over these texts.
    pub fn new(sources: &'s Sources) -> Self {
        Self {
            sources,
            trees: RefCell::new(HashMap::new()),
        }
    }

    /// The texts.
    pub fn sources(&self) -> &'s Sources {
        self.sources
    }

    /// The place of an origin, as line and column.
    pub fn locate(&self, origin: &Origin) -> Option<Location> {
        let at = if origin.path.is_root() {
            self.sources.document(origin.document)?.at
        } else {
            self.span(origin)?.1.at
        };
        self.sources.location(origin.document, at)
    }

    /// The place of an origin, as a range of its file: of a keyed value the key, of a list item
    /// its first word.
    pub fn span(&self, origin: &Origin) -> Option<(FileId, Span)> {
        let document = self.sources.document(origin.document)?;
        if origin.path.is_root() {
            return Some(self.start(document));
        }
        let Some(tree) = self.tree(origin.document) else {
            return Some(self.start(document));
        };
        let mut node = tree.at(&document.base.path()).unwrap_or(&tree);
        let mut span = Span {
            at: document.at,
            ..node.span
        };
        for step in &origin.path.0 {
            let found = match step {
                Step::Key(key) => node.entry(key).map(|e| (&e.value, e.key_span)),
                Step::Index(index) => node.items().get(*index as usize).map(|n| (n, n.span)),
            };
            let Some((next, at)) = found else { break };
            (node, span) = (next, at);
        }
        Some((document.file, span))
    }

    /// Where a document starts.
    fn start(&self, document: &Document) -> (FileId, Span) {
        let start = document.start + self.first_key(document);
        let span = Span {
            start,
            end: start,
            at: document.at,
        };
        (document.file, span)
    }

    /// The offset of an object's first key in its chunk, which is reported as its start.
    fn first_key(&self, document: &Document) -> usize {
        if document.base != Base::Alone {
            return 0;
        }
        let text = self.sources.text(document);
        text.and_then(|text| text.find('"')).unwrap_or(0)
    }

    /// The tree of a document: the object itself, also for an item of a List.
    pub fn node(&self, id: DocumentId) -> Option<Rc<SyntaxNode>> {
        let tree = self.tree(id)?;
        let base = self.sources.document(id)?.base.path();
        if base.is_root() {
            Some(tree)
        } else {
            tree.at(&base).cloned().map(Rc::new)
        }
    }

    fn tree(&self, id: DocumentId) -> Option<Rc<SyntaxNode>> {
        let document = self.sources.document(id)?;
        let stretch = (document.file, document.start);
        if let Some(known) = self.trees.borrow().get(&stretch) {
            return known.clone();
        }
        let (_, text) = self.sources.chunk(id)?;
        let tree = parse_part(&text, &Chunk::of(document)).root.map(Rc::new);
        self.trees.borrow_mut().insert(stretch, tree.clone());
        tree
    }
}
