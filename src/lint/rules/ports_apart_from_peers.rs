//! # NP604 ports-apart-from-peers
//!
//! **What it does.** Reports ports of a Rule of Cilium that stand behind a dash of their own, next
//! to an entry with peers alone.
//!
//! **Why it is bad.** As two entries either is enough: the peers on every port, and everybody on
//! these ports.
//!
//! **What it looks at.** Neighbouring entries that allow, one with peers and without ports, the
//! other with ports and without peers.
//!
//! **When it stays silent.** For ports of the DNS and of the web towards the outside, which are
//! often opened to everybody.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Layer 4 examples" in Cilium's documentation of policies.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::cilium::written::{CiliumEntry, LISTS};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy, written) in context.cilium_rules() {
        for d in [0, 1] {
            for (i, pair) in written.entries(d, false).windows(2).enumerate() {
                let [first, second] = pair else { continue };
                let apart = (has_peers(first) && has_ports_alone(second, d))
                    || (has_ports_alone(first, d) && has_peers(second));
                if apart {
                    let at = policy.root().key(LISTS[0][d]).index(i + 1);
                    let message = "this \"-\" starts a new entry, so either entry alone is enough";
                    let finding = reporter.field(id, at, message).likely();
                    reporter.push(
                        finding.help("delete the \"-\", so that the ports belong to the peers"),
                    );
                }
            }
        }
    }
}

/// Whether an entry names peers and no ports.
fn has_peers(entry: &CiliumEntry) -> bool {
    let named = entry.endpoints.is_some()
        || entry.cidr.is_some()
        || entry.cidr_set.is_some()
        || entry.entities.is_some()
        || entry.nodes.is_some()
        || entry.services.is_some();
    named && entry.to_ports.is_none() && entry.icmps.is_none()
}

/// Whether an entry names ports and nothing else, and not those that are often open to everybody.
fn has_ports_alone(entry: &CiliumEntry, d: usize) -> bool {
    let only = CiliumEntry {
        to_ports: entry.to_ports.clone(),
        ..CiliumEntry::default()
    };
    let usual = |port: Option<&str>| match port {
        Some("53") => true,
        Some("80" | "443") => d == 1,
        _ => false,
    };
    let ports = entry.to_ports.iter().flatten();
    let mut ports = ports.flat_map(|form| form.ports.iter().flatten());
    *entry == only && ports.any(|port| !usual(port.port.as_deref()))
}
