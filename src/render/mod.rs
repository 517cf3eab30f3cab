//! Answers -> bytes. No analysis: everything that is printed was decided before it came here.
//!
//! Each answer implements [`Render`] in [`answers`]: one list of its formats with the function that
//! writes each. The functions live by kind of format in [`text`], [`data`] (JSON, YAML, CSV),
//! [`ci`], [`image`] and [`report`]. Escaping happens in the sink: [`text`] lets no control
//! character of a manifest reach a terminal, [`data`] serializes frozen, versioned structs.

pub mod answers;
pub mod any;
pub mod ci;
pub mod context;
pub mod data;
pub mod door_answers;
pub mod end_names;
pub mod format;
pub mod image;
pub mod mismatch;
pub mod pictures;
pub mod report;
pub mod safe_writer;
pub mod search_views;
pub mod snapshot_answers;
pub mod text;
pub mod words;

pub use crate::render::any::{Report, render};
pub use crate::render::context::{RenderContext, Style};
pub use crate::render::format::{Format, Render};
