//! # NP603 entry-matches-nothing
//!
//! **What it does.** Reports an entry of a Rule of Cilium that can match nothing.
//!
//! **Why it is bad.** An empty list of peers is nobody, while no list is everybody; an entry of
//! `toPorts` without ports is no port, while no `toPorts` is every port. Templates that leave a
//! list empty open nothing, or, where they leave the field out, everything.
//!
//! **What it looks at.** Entries that allow with an empty list of peers, entries of `toPorts`
//! without `ports`, and an entry `{}` beside others that allow something.
//!
//! **When it stays silent.** For `[{}]` alone, which closes a direction, and for the entity `none`.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Layer 3 examples" in Cilium's documentation of policies.

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::cilium::written::{CiliumEntry, EntryFields, LISTS};
use crate::source::Path;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy, written) in context.cilium_rules() {
        for d in [0, 1] {
            let entries = written.entries(d, false);
            for (i, entry) in entries.iter().enumerate() {
                let at = policy.root().key(LISTS[0][d]).index(i);
                if let Some((path, message)) = nothing(entry, d, &at) {
                    reporter.push(reporter.field(id, path, message));
                } else if *entry == CiliumEntry::default() && entries.len() > 1 {
                    let message = "an entry without peers and ports adds nothing to the others";
                    let finding = reporter.field(id, at, message);
                    reporter.push(finding.severity(Severity::Info));
                }
            }
        }
    }
}

/// Why an entry matches nothing, and where.
fn nothing(entry: &CiliumEntry, d: usize, at: &Path) -> Option<(Path, String)> {
    let fields = &EntryFields::OF[d];
    let lists = [
        (fields.endpoints, entry.endpoints.as_ref().map(Vec::len)),
        (fields.cidr, entry.cidr.as_ref().map(Vec::len)),
        (fields.cidr_set, entry.cidr_set.as_ref().map(Vec::len)),
        (fields.entities, entry.entities.as_ref().map(Vec::len)),
        (fields.nodes, entry.nodes.as_ref().map(Vec::len)),
    ];
    let filled = lists.iter().any(|(_, count)| count.is_some_and(|n| n > 0));
    let empty = lists.iter().find(|(_, count)| *count == Some(0));
    if let Some((field, _)) = empty.filter(|_| !filled) {
        let message = format!("an empty `{field}` is nobody; leave it out for everybody");
        return Some((at.key(field), message));
    }
    let ports = entry.to_ports.as_deref().unwrap_or_default();
    let empty = |form: &crate::policy::cilium::written::PortsForm| {
        form.ports.as_ref().is_none_or(Vec::is_empty)
    };
    (!ports.is_empty() && ports.iter().all(empty)).then(|| {
        let message = "no port is named, so the entry matches nothing; leave `toPorts` out for all";
        (at.key("toPorts").index(0), message.to_owned())
    })
}
