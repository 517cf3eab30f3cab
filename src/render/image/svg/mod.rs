//! A picture without Graphviz: layout (`layered`, `place`) and an SVG that reads well in light and
//! dark.
//!
//! Every text goes through [`escape()`]; every element has a class, so that a page can style it;
//! edges and nodes carry their sentence as `<title>`. Colour is never alone: lines differ in dash
//! and weight, marks are words, changes have signs.

mod draw;
mod escape;
mod layered;
mod place;

pub use crate::render::image::svg::draw::{STYLE, inline, write};
pub use crate::render::image::svg::escape::escape;
