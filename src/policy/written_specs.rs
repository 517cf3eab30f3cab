//! What objects ask for, as they are written.

use crate::source::{DocumentId, Sources};
use crate::tree::locate::Locator;
use serde_json::Value;

/// The objects of some sources.
pub struct WrittenSpecs<'s>(Locator<'s>);

impl<'s> WrittenSpecs<'s> {
    /// The objects of these.
    pub fn new(sources: &'s Sources) -> Self {
        Self(Locator::new(sources))
    }

    /// The fields of an object that say what it asks for, without blanks and comments: `spec` and
    /// `specs`; nothing where its text is not known.
    pub fn of(&self, document: DocumentId) -> [Option<Value>; 2] {
        let node = self.0.node(document);
        ["spec", "specs"].map(|key| Some(node.as_ref()?.get(key)?.to_json()))
    }

    /// The same as text.
    pub fn text(&self, document: DocumentId) -> String {
        let told = self.of(document).into_iter().flatten();
        let texts: Vec<String> = told.map(|value| value.to_string()).collect();
        texts.join(" ")
    }
}
