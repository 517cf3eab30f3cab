//! What policies ask for that no input tells of a pod, as they are written: domain names, nodes,
//! service accounts, requests, Services that are not loaded, networks besides the pod network.
//!
//! A verdict that depends on one of these is unknown, whatever the rule asks for; so the digest of
//! verdicts alone would stay where such a rule changes. Of other policies nothing is said here.

use crate::input::Input;
use crate::model::{Requirement, Selector};
use crate::policy::antrea::lower::ACCOUNT as ANTREA_ACCOUNT;
use crate::policy::calico::selector::{ACCOUNT as CALICO_ACCOUNT, OF_ACCOUNT};
use crate::policy::cilium::selector::ACCOUNT as CILIUM_ACCOUNT;
use crate::policy::looked_up::{NamedService, named_services};
use crate::policy::sorted_policy::SortedPolicy;
use crate::policy::written_specs::WrittenSpecs;
use crate::policy::{Peer, Policy, Rule, Symbol};
use std::collections::BTreeSet;

/// The policies that ask for what is not told; nothing where none does.
pub(crate) fn untold(input: &Input) -> String {
    let policies = &input.policies;
    let specs = WrittenSpecs::new(&input.sources);
    let mut lines: BTreeSet<String> = BTreeSet::new();
    for policy in policies.policies.iter().filter(|p| asks_for_untold(p)) {
        let nameless = Policy {
            name: "".into(),
            ..policy.clone()
        };
        let sorted = SortedPolicy::of(policies, &nameless);
        let services = policy.written.as_ref().map(named_services);
        let services: Vec<NamedService<'_>> = services.unwrap_or_default();
        let spec = asks_of_requests(policy).then(|| specs.text(policy.document));
        lines.insert(format!("{sorted:?} {services:?} {spec:?}"));
    }
    let plan = policies.plugin.networks.as_ref();
    for of_network in plan.into_iter().flat_map(|plan| &plan.policies) {
        let Policy {
            namespace,
            subject,
            applies,
            isolates,
            rules,
            ..
        } = &of_network.policy;
        let says = (namespace, subject, applies, isolates, rules);
        lines.insert(format!("{says:?} {:?}", of_network.networks));
    }
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// Whether a policy asks for something that is not told of pods.
fn asks_for_untold(policy: &Policy) -> bool {
    let names_services = || {
        let written = policy.written.as_ref();
        written.is_some_and(|written| !named_services(written).is_empty())
    };
    is_of_account(&policy.subject.pods)
        || asks_of_requests(policy)
        || policy.rules.iter().flatten().any(has_untold_peer)
        || names_services()
}

/// Whether rules say only in words what they ask of requests and identities.
fn asks_of_requests(policy: &Policy) -> bool {
    policy.rules.iter().flatten().any(Rule::asks_of_requests)
}

fn has_untold_peer(rule: &Rule) -> bool {
    let mut ends = rule.ends().flat_map(|list| list.iter());
    ends.any(|peer| peer.any(&is_untold))
}

fn is_untold(peer: &Peer) -> bool {
    match peer {
        Peer::Domain(_) | Peer::Nodes(_) => true,
        Peer::Symbol(symbol) => matches!(
            symbol,
            Symbol::SomeOutside | Symbol::PerhapsNoPod | Symbol::Perhaps
        ),
        Peer::Pods(_, pods) => is_of_account(pods),
        _ => false,
    }
}

/// Whether a selector asks for a service account, or for what it is.
fn is_of_account(pods: &Selector) -> bool {
    let keys = [ANTREA_ACCOUNT, CALICO_ACCOUNT, CILIUM_ACCOUNT];
    let mut found = false;
    for requirement in pods.requirements() {
        requirement.visit(&mut |part: &Requirement| {
            found |= keys.contains(&part.key()) || part.key().starts_with(OF_ACCOUNT);
        });
    }
    found
}
