//! The netpal binary.
fn main() {}
