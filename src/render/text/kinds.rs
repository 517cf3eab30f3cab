//! Proposed rows of the table of kinds, as a part of netpal.yaml.

use crate::query::suggest::kind_rows::ProposedKind;
use crate::render::words;
use std::io::{self, Write};

/// Writes the rows, each with what it was found by.
///
/// # Errors
/// When the writer fails.
pub fn rows(proposed: &[ProposedKind], out: &mut dyn Write) -> io::Result<()> {
    if proposed.is_empty() {
        return writeln!(
            out,
            "# no Service and no policy seems to mean the pods of a kind that was passed over"
        );
    }
    writeln!(
        out,
        "# rows for netpal.yaml: labels as somebody selects them; look what the operator really sets"
    )?;
    writeln!(out, "workloads:")?;
    for kind in proposed {
        let text = |text: &str| words::clean(text).into_owned();
        writeln!(
            out,
            "# {} seems to mean {} {}",
            text(&kind.meant_by),
            text(&kind.kind),
            text(&kind.object)
        )?;
        writeln!(out, "- kind: {}", quoted(&kind.kind))?;
        writeln!(out, "  group: {}", quoted(&kind.group))?;
        writeln!(out, "  pods:")?;
        writeln!(out, "  - role: pod")?;
        writeln!(out, "    labels:")?;
        for (key, value) in &kind.labels {
            writeln!(out, "      {}: {}", quoted(key), quoted(value))?;
        }
    }
    Ok(())
}

/// A text that YAML reads as this text.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
