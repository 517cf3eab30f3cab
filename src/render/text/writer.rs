//! Text for people: short lines, the verdict first, one screen.
//!
//! Signs and words carry the meaning; colour never alone. Every text from a manifest passes through
//! [`crate::render::words::clean`].

use crate::model::Cluster;
use crate::query::Verdict;
use crate::render::context::Names;
use crate::render::context::{RenderContext, Style};
use crate::render::words;

/// Writes answers as text.
#[derive(Clone, Copy)]
pub struct TextWriter<'a> {
    /// What it looks things up in.
    pub context: RenderContext<'a>,
    /// Colours.
    pub style: Style,
    /// Columns to wrap at.
    pub width: usize,
}

impl<'a> TextWriter<'a> {
    /// A writer with the colours and the width of the context.
    pub fn of(context: &RenderContext<'a>) -> Self {
        Self {
            context: *context,
            style: context.style,
            width: context.width,
        }
    }
}

impl TextWriter<'_> {
    pub(crate) fn cluster(&self) -> &Cluster {
        &self.context.graph.environment().cluster
    }

    /// The same writer with these names for the ends of flows.
    pub(crate) fn naming<'b>(&'b self, names: &'b Names) -> TextWriter<'b> {
        TextWriter {
            context: self.context.naming(names),
            ..*self
        }
    }

    pub(crate) fn verdict(&self, verdict: Verdict) -> String {
        self.style.verdict(verdict)
    }

    /// `file:line` of an origin.
    pub fn place(&self, origin: &crate::source::Origin) -> String {
        self.context
            .locator
            .locate(origin)
            .map_or_else(String::new, |l| words::clean(&l.to_string()).into_owned())
    }
}
