//! A document as a tree with positions.
