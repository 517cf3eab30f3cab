//! What differs between the allow-graph and its snapshot.

use crate::render::words;
use crate::snapshot::Drift;
use crate::words::plural;
use std::io::{self, Write};

/// What is said where nothing but the digest tells of a change.
pub const UNTOLD: &str = "what policies mean for pods that are not in the input changed, or a \
     workload came or went, and no line shows it; `netpal diff` with the state before says what";

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
    for line in drift.lines() {
        writeln!(out, "  {}", words::clean_sentence(&line))?;
    }
    if drift.is_untold() {
        writeln!(out, "  {UNTOLD}")?;
    }
    reworded(drift).map_or(Ok(()), |text| writeln!(out, "  {text}"))
}

/// What is said of lines that are only worded otherwise.
pub fn reworded(drift: &Drift) -> Option<String> {
    (drift.reworded > 0).then(|| {
        let lines = plural(drift.reworded, "line");
        format!("{lines} about pods that are not in the input: worded otherwise, same meaning")
    })
}
