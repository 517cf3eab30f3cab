//! What networks let through by Services alone, where it is told how pods are called (NW40, NW41,
//! NW50).

use crate::policy::networks::islands::{BY_POD, BY_SERVICE};
use crate::policy::networks::labels::SECONDARY;
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{Peer, Peers, Qualifier, Rule};

/// Whether a rule is for calls to Services.
fn is_by_service(rule: &Rule) -> bool {
    let named = |q: &Qualifier| matches!(q, Qualifier::Application(what) if **what == *BY_SERVICE);
    rule.qualifiers.iter().any(named)
}

/// The policies for calls to Services, which go by primary networks, or for calls to pods
/// themselves; none where that makes no difference. Rules keep their indices.
pub fn by_call(policies: &PolicySet, to_services: bool) -> Option<PolicySet> {
    let mut rules = policies
        .policies
        .iter()
        .flat_map(|p| p.rules.iter().flatten());
    let proxies = &policies.plugin.proxies;
    let is_beside = to_services && proxies.iter().any(|p| p.key == SECONDARY);
    if !is_beside && !rules.any(is_by_service) {
        return None;
    }
    let mut policies = policies.clone();
    if to_services {
        policies.plugin.proxies.retain(|p| p.key != SECONDARY);
    }
    let nobody = || Peers::Of([Peer::Unreadable { everything: false }].into());
    for island in policies.policies.iter_mut().filter(|_| to_services) {
        let [ingress, _] = &mut island.rules;
        if ingress.iter().any(is_by_service)
            && let Some(by_pod) = ingress.get_mut(BY_POD)
        {
            by_pod.peers = nobody();
        }
    }
    let rules = policies
        .policies
        .iter_mut()
        .flat_map(|p| p.rules.iter_mut().flatten());
    for rule in rules.filter(|rule| is_by_service(rule)) {
        if to_services {
            rule.qualifiers.clear();
        } else {
            rule.peers = nobody();
        }
    }
    Some(policies)
}
