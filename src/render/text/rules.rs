//! The list of lint rules.

use crate::lint::LINTS;
use std::io::{self, Write};

/// One line per rule: id, severity and name.
///
/// # Errors
/// When the writer fails.
pub fn index(out: &mut dyn Write) -> io::Result<()> {
    for lint in LINTS {
        let unasked = if lint.default {
            ""
        } else {
            " (only when selected)"
        };
        writeln!(
            out,
            "{}  {:<8}{}{unasked}",
            lint.id,
            lint.severity.name(),
            lint.name
        )?;
    }
    Ok(())
}
