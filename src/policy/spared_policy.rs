//! The policy of an object that is not modelled, only denies and surely leaves some peers alone
//! ([`crate::policy::unmodelled::spared`]).

use crate::model::{NAMESPACE_NAME_LABEL, Selector};
use crate::policy::layer_policy::{PlacedRules, PolicyHead};
use crate::policy::layout::RulePlace;
use crate::policy::qualifier::Qualifier;
use crate::policy::rule::{
    Action, AddressOwner, Direction, Namespaces, Peer, Peers, Policy, PortMatch, Ports, Rule,
    Subject,
};
use crate::policy::tier::{LayerIx, Tier, TierEnd, TierMode, Ties};
use crate::policy::unmodelled::{SparedPeers, SparedPods};
use crate::set::{Protocol, TrafficSet};
use crate::source::Path;

/// The tier that such objects are asked in.
pub fn tier() -> Tier {
    let mode = TierMode::Ordered(Ties::ByName);
    let name = "not modelled";
    Tier::of_layer(LayerIx::UNMODELLED, name, name, mode, TierEnd::Pass)
}

/// What an object does to its subjects in one direction.
pub fn policy(
    head: PolicyHead,
    (direction, subject): (Direction, Subject),
    spared: &SparedPeers,
    what: &str,
) -> Policy {
    let mut rules: PlacedRules = Vec::new();
    let mut add = |rule| rules.push((rule, RulePlace::whole(Path::root())));
    let alone = alone(spared);
    if !alone.is_empty() {
        add(Rule::new(
            Action::Allow,
            Peers::Of(alone.into()),
            Ports::Any,
        ));
    }
    let others = if spared.outside {
        let everywhere = Namespaces::Matching(Selector::everything());
        Peers::Of([Peer::Pods(everywhere, Selector::everything())].into())
    } else {
        Peers::Any
    };
    let ports = if spared.other_protocols {
        Ports::Of([PortMatch::Traffic(TrafficSet::protocol(Protocol::Tcp))].into())
    } else {
        Ports::Any
    };
    add(Rule {
        qualifiers: vec![Qualifier::Undocumented(
            format!("{what} is not modelled").into(),
        )],
        ..Rule::new(Action::Deny, others, ports)
    });
    head.policy(direction, subject, rules)
}

/// Whom an object leaves alone, the outside aside.
fn alone(spared: &SparedPeers) -> Vec<Peer> {
    let pods = |namespaces| Peer::Pods(namespaces, Selector::everything());
    let mut peers = match &spared.pods {
        SparedPods::None | SparedPods::OfNetwork(_) => Vec::new(),
        SparedPods::All => vec![pods(Namespaces::Matching(Selector::everything()))],
        SparedPods::In(selector) => vec![pods(Namespaces::Matching(selector.clone()))],
        SparedPods::OfSameNamespace => {
            let key = vec![NAMESPACE_NAME_LABEL.into()];
            vec![pods(Namespaces::SameLabels(key))]
        }
    };
    if !spared.blocks.is_empty() {
        peers.push(Peer::Owned(AddressOwner::Anyone, spared.blocks.clone()));
    }
    peers
}
