//! The profiles of host endpoints: what decides behind the last tier (CA48).

use crate::policy::calico::host_tiers::any_of;
use crate::policy::calico::knowledge::CalicoKnowledge;
use crate::policy::calico::lower::{SeenAs, lower_rules};
use crate::policy::calico::objects::HostEndpoint;
use crate::policy::layer_policy::RulesWithPlaces;
use crate::policy::layout::RulePlace;
use crate::policy::rule::{Action, Direction, Peer, Peers, Ports, Rule, Symbol};
use crate::source::Path;

/// The profile that allows everything, and is built in (CA48).
const DEFAULT_ALLOW: &str = "projectcalico-default-allow";

/// How the profiles of namespaces begin, which allow everything (CA47).
const OF_NAMESPACE: &str = "kns.";

/// The rules of the profiles that a host endpoint lists, in order. What a profile says that is
/// not in the input is not known.
pub fn of_profiles(
    known: &CalicoKnowledge<'_>,
    host: &HostEndpoint,
    way: Direction,
) -> RulesWithPlaces {
    let (mut rules, mut places) = RulesWithPlaces::default();
    for (i, name) in host.profiles.iter().enumerate() {
        let mut profiles = known.objects.profiles.iter();
        let (peers, written) = match profiles.find(|p| p.name == *name) {
            Some(profile) => (None, &profile.rules[way.index()][..]),
            None if **name == *DEFAULT_ALLOW || name.starts_with(OF_NAMESPACE) => {
                (Some(Peers::Any), &[][..])
            }
            None => (Some(any_of(vec![Peer::Symbol(Symbol::Perhaps)])), &[][..]),
        };
        let at = RulePlace::whole(Path::root().key("profiles").index(i));
        if let Some(peers) = peers {
            rules.push(Rule::new(Action::Allow, peers, Ports::Any));
            places.push(at.clone());
        }
        let governed = way;
        for mut rule in lower_rules(written, None, SeenAs { way, governed }, known).0 {
            if rule.action == Action::Pass {
                rule.action = Action::Deny;
            }
            rules.push(rule);
            places.push(at.clone());
        }
    }
    (rules, places)
}
