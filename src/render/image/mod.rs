//! Pictures: Graphviz, SVG, Mermaid, a text sketch, and the matrix.

pub mod dot;
pub mod matrix;
pub mod mermaid;
pub mod picture;
pub mod svg;
