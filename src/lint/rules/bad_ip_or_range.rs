//! # NP015 bad-ip-or-range
//!
//! **What it does.** Reports when the API server would refuse a policy for an address block, a port
//! or a peer: an invalid CIDR, `except` outside its `cidr`, `endPort` below `port` or with a name,
//! `ipBlock` together with selectors, an empty peer.
//!
//! **Why it is bad.** The policy is not applied at all, and its previous version stays in force.
//! Verdicts that it could affect are unknown.
//!
//! **What it looks at.** The same checks as the API server's.
//!
//! **When it stays silent.** For documents that are not policies.
//!
//! **Settings.** None of its own.
//!
//! **References.** Validation of `NetworkPolicy` in Kubernetes.

use crate::lint::context::LintContext;
use crate::lint::loader_diagnostics::{Topic, report};
use crate::lint::reporter::Reporter;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    report(context, reporter, Topic::Value);
}
