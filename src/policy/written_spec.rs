//! What an object asks for, as it is written.

use crate::source::{DocumentId, Sources};
use crate::tree::locate::Locator;

/// The fields of an object that say what it asks for, as text without blanks and comments; nothing
/// where its text is not known.
pub fn written_spec(sources: &Sources, document: DocumentId) -> String {
    let node = Locator::new(sources).node(document);
    let fields = ["spec", "specs"].into_iter();
    let told = fields.filter_map(|key| Some(node.as_ref()?.get(key)?.to_json().to_string()));
    told.collect::<Vec<_>>().join(" ")
}
