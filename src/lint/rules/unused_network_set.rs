//! # NP710 unused-network-set
//!
//! **What it does.** Reports a network set of Calico that no rule of the input selects.
//!
//! **Why it is bad.** A set acts through the selectors that select its labels. One that none
//! selects is a list that somebody maintains for nothing, or the sign of a label that is written
//! wrongly.
//!
//! **What it looks at.** `NetworkSets`, `GlobalNetworkSets`, and the selectors of all policies.
//!
//! **When it stays silent.** Where the input has no policies of Calico.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Use network sets" in Calico's documentation.

use crate::diagnostic::Place;
use crate::finding::Fingerprint;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::{Peer, Rule};
use crate::set::IpSet;
use crate::source::{Origin, Path};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let objects = &context.policies.plugin.calico;
    if objects.sets.is_empty() || !objects.has_policies {
        return;
    }
    let mut meant = IpSet::empty();
    let policies = context.policies.policies.iter();
    for list in policies
        .flat_map(|p| p.rules.iter().flatten())
        .flat_map(Rule::ends)
    {
        for peer in list.iter() {
            peer.visit(&mut |part| {
                if let Peer::Addresses(set) = part {
                    meant = meant.union(set);
                }
            });
        }
    }
    for set in &objects.sets {
        if set.nets.is_empty() || set.nets.is_subset(&meant) {
            continue; // selected, or its addresses are meant all the same
        }
        let name = Path::root().key("metadata").key("name");
        let place = Place::Origin(Origin::new(set.document, name));
        let about = Fingerprint {
            namespace: set.namespace.clone().unwrap_or_default(),
            name: set.name.clone(),
            path: Box::default(),
            peer: Box::default(),
        };
        let finding = reporter.anywhere(place, about, "no rule selects this network set");
        reporter.push(finding.help("select its labels in a rule, or remove it"));
    }
}
