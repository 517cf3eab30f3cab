//! # NP504 service-vip-in-ipblock
//!
//! **What it does.** Reports when an `ipBlock` names addresses of Services.
//!
//! **Why it is bad.** A Service's address is rewritten to a pod's, in most clusters before policies
//! are applied, so that the rule matches nothing. The API leaves the order open.
//!
//! **What it looks at.** Address blocks that lie inside the range of Services, or are the address
//! of one.
//!
//! **When it stays silent.** When neither the range nor addresses of Services are known; for wider
//! blocks.
//!
//! **Settings.** `cluster.service-cidrs`.
//!
//! **References.** "Behavior of ipBlock selectors" in the Kubernetes documentation.

use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::policy::Peer;
use crate::set::IpSet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let addresses = context
        .cluster
        .services()
        .flat_map(|(_, s)| s.addresses.iter().map(|a| ipnet::IpNet::from(*a)));
    let known = IpSet::from_cidrs(addresses);
    let configured = context
        .config
        .service_cidrs
        .clone()
        .unwrap_or_else(IpSet::empty);
    for (rule_ref, policy, rule) in context.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Addresses(set) = peer else { continue };
            let inside = set.is_subset(&known) || set.is_subset(&configured);
            if set.is_empty() || !inside || !policy.isolates(rule_ref.direction) {
                continue;
            }
            let mut services = context
                .cluster
                .services()
                .filter(|(_, s)| s.addresses.iter().any(|a| set.contains(*a)));
            let name = services.next().map(|(_, s)| {
                format!("{}/{}", context.cluster.namespace(s.namespace).name, s.name)
            });
            let which = name.map_or_else(|| "Services".to_owned(), |n| format!("Service {n}"));
            let finding = reporter.rule(
                rule_ref.with_peer(i),
                format!("an address block of {which}"),
            );
            let finding =
                finding.label("rewritten to a pod's address, usually before policies see it");
            reporter.push(
                finding.help(
                    "select the pods behind the Service by their labels, and name their port",
                ),
            );
        }
    }
}
