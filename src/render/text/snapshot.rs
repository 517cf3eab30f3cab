//! What differs between the allow-graph and its snapshot.

use crate::render::words;
use crate::snapshot::Drift;
use std::io::{self, Write};

/// The counts, and every line that differs with its sign.
///
/// # Errors
/// When the writer fails.
pub fn drift(path: &str, drift: &Drift, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "snapshot {path}: {} widened, {} narrowed",
        drift.added.len(),
        drift.removed.len()
    )?;
    drift
        .lines()
        .iter()
        .try_for_each(|line| writeln!(out, "  {}", words::clean(line)))
}
