//! What is proposed for netpal.yaml: rows of the table of kinds, and pods to assume.

use crate::model::Labels;
use crate::query::suggest::assumed_pods::ProposedPods;
use crate::query::suggest::kind_rows::ProposedKind;
use crate::render::words;
use std::io::{self, Write};

/// How many policies are named for one proposal.
const NAMED: usize = 3;

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

/// Writes pods to assume, each with the policies that name them.
///
/// # Errors
/// When the writer fails.
pub fn assumptions(proposed: &[ProposedPods], out: &mut dyn Write) -> io::Result<()> {
    if proposed.is_empty() {
        return writeln!(
            out,
            "# no policy names pods of another namespace that are not loaded"
        );
    }
    writeln!(
        out,
        "# pods for netpal.yaml, as policies name them; keep those that surely exist, with the labels that they have"
    )?;
    writeln!(out, "assume:")?;
    for ProposedPods { pods, named_by } in proposed {
        let names: Vec<_> = named_by
            .iter()
            .take(NAMED)
            .map(|n| words::clean(n))
            .collect();
        let more = match named_by.len().saturating_sub(NAMED) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        writeln!(out, "# named by {}{more}", names.join(", "))?;
        writeln!(out, "- name: {}", quoted(&pods.name))?;
        writeln!(out, "  namespace:")?;
        writeln!(out, "    name: {}", quoted(&pods.namespace))?;
        labels("    labels", &pods.namespace_labels, out)?;
        labels("  pods", &pods.labels, out)?;
    }
    Ok(())
}

/// A map of labels on a line, where there are some.
fn labels(key: &str, labels: &Labels, out: &mut dyn Write) -> io::Result<()> {
    let pairs = labels
        .iter()
        .map(|(k, v)| format!("{}: {}", quoted(k), quoted(v)));
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() {
        return Ok(());
    }
    writeln!(out, "{key}: {{{}}}", pairs.join(", "))
}

/// A text that YAML reads as this text.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
