//! # NP607 octal-port
//!
//! **What it does.** Reports a port of a Rule of Cilium that is not the number it looks like.
//!
//! **Why it is bad.** Ports are texts that Cilium reads as C does: with a leading zero they are
//! octal, so that `"010"` is port 8, and `"0x50"` is the name of a port.
//!
//! **What it looks at.** Ports with a leading zero, other than `"0"`, and names that look like a
//! hexadecimal number.
//!
//! **When it stays silent.** For every other port.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Limit ingress/egress ports" in Cilium's documentation.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::cilium::written::LISTS;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy, written) in context.cilium_rules() {
        for (d, deny) in [(0, false), (0, true), (1, false), (1, true)] {
            let list = policy.root().key(LISTS[usize::from(deny)][d]);
            for (i, entry) in written.entries(d, deny).iter().enumerate() {
                for (j, form) in entry.to_ports.iter().flatten().enumerate() {
                    for (k, port) in form.ports.iter().flatten().enumerate() {
                        let Some(message) = port.port.as_deref().and_then(misread) else {
                            continue;
                        };
                        let at = list.index(i).key("toPorts").index(j);
                        let at = at.key("ports").index(k).key("port");
                        reporter.push(reporter.field(id, at, message));
                    }
                }
            }
        }
    }
}

/// What Cilium makes of a port that looks like another.
fn misread(text: &str) -> Option<String> {
    let rest = text.strip_prefix('0').filter(|rest| !rest.is_empty())?;
    if rest.starts_with(['x', 'X']) {
        return Some(format!("`\"{text}\"` is the name of a port, and no number"));
    }
    let octal = u16::from_str_radix(rest, 8).ok()?;
    Some(format!("`\"{text}\"` is octal: it means port {octal}"))
}
