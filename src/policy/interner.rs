//! [`PolicyInterner`]: equal parts of the policy set kept once in memory.
//!
//! A large policy set repeats itself: the same peers, ports and selectors occur in policy after
//! policy. [`PolicyInterner::share`] replaces each by the first equal one, right after lowering,
//! while its text is at hand; from then on readers recognize an equal part by its address and
//! process it once (`compile::vocabulary`, `compile::peer_sets`).
//!
//! Invariant: sharing changes no policy's meaning, only its memory; a policy set that was never
//! shared compiles to the same graph, more slowly. Cost: O(text of the policy).

use crate::model::Selector;
use crate::policy::rule::{Namespaces, Peer, Peers, Policy, PortMatch, Ports};
use crate::set::hashed::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// The distinct parts of the policies seen so far.
#[derive(Default)]
pub struct PolicyInterner {
    selectors: HashSet<Selector>,
    peers: HashSet<Arc<[Peer]>>,
    ports: HashSet<Arc<[PortMatch]>>,
}

impl PolicyInterner {
    /// Replaces the parts of a policy that were seen before by what was seen.
    pub fn share(&mut self, policy: &mut Policy) {
        let selectors = &mut self.selectors;
        share(selectors, &mut policy.subject.pods);
        if let Namespaces::Matching(selector) = &mut policy.subject.namespaces {
            share(selectors, selector);
        }
        for rule in policy.rules.iter_mut().flatten() {
            for ends in [&mut rule.peers, &mut rule.subjects] {
                let Peers::Of(list) = ends else { continue };
                if let Some(list) = Arc::get_mut(list) {
                    list.iter_mut().for_each(|peer| share_peer(selectors, peer));
                }
                share(&mut self.peers, list);
            }
            if let Ports::Of(list) = &mut rule.ports {
                share(&mut self.ports, list);
            }
        }
    }
}

fn share_peer(selectors: &mut HashSet<Selector>, peer: &mut Peer) {
    match peer {
        Peer::Pods(namespaces, pods) => {
            share(selectors, pods);
            if let Namespaces::Matching(selector) = namespaces {
                share(selectors, selector);
            }
        }
        Peer::Nodes(selector) => share(selectors, selector),
        Peer::NoneOf(list) | Peer::AllOf(list) | Peer::AnyOf(list) => {
            if let Some(list) = Arc::get_mut(list) {
                list.iter_mut().for_each(|peer| share_peer(selectors, peer));
            }
        }
        Peer::Addresses(_)
        | Peer::Owned(..)
        | Peer::Domain(_)
        | Peer::Symbol(_)
        | Peer::Unreadable { .. } => {}
    }
}

fn share<T: Clone + Eq + Hash>(known: &mut HashSet<T>, part: &mut T) {
    match known.get(part) {
        Some(same) => part.clone_from(same),
        None => {
            known.insert(part.clone());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    /// Two policies of one namespace that name the same peers and ports.
    const TWICE: &str = "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: NAME, namespace: a}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}]
";

    #[test]
    fn equal_parts_are_the_same_in_memory_and_the_law_is_as_before() {
        let text = [TWICE.replace("NAME", "one"), TWICE.replace("NAME", "two")].join("\n---\n");
        let policies = crate::load_str(&text).policies;
        let [one, two] = &policies.policies[..] else {
            panic!("two policies")
        };
        assert_eq!(one.rules, two.rules);
        let (Peers::Of(a), Peers::Of(b)) = (&one.rules[0][0].peers, &two.rules[0][0].peers) else {
            panic!("peers")
        };
        assert!(Arc::ptr_eq(a, b));
        let (Ports::Of(a), Ports::Of(b)) = (&one.rules[0][0].ports, &two.rules[0][0].ports) else {
            panic!("ports")
        };
        assert!(Arc::ptr_eq(a, b));
        assert_eq!(one.subject.pods.place(), two.subject.pods.place());
        assert_ne!(one.name, two.name);
    }
}
