//! The policy of an object that is not modelled, only denies and surely leaves some peers alone
//! ([`crate::policy::unmodelled::spared`]).

use crate::model::Selector;
use crate::policy::layer_policy::PolicyHead;
use crate::policy::layout::RulePlace;
use crate::policy::qualifier::Qualifier;
use crate::policy::rule::{
    Action, Direction, Namespaces, Peer, Peers, Policy, Ports, Rule, Subject,
};
use crate::policy::tier::{LayerIx, Tier, TierEnd, TierMode, Ties};
use crate::policy::unmodelled::SparedPeers;
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
    let pods = |namespaces: Selector| {
        let peer = Peer::Pods(Namespaces::Matching(namespaces), Selector::everything());
        Peers::Of([peer].into())
    };
    let alone = Rule::new(Action::Allow, pods(spared.namespaces.clone()), Ports::Any);
    let others = if spared.outside {
        pods(Selector::everything())
    } else {
        Peers::Any
    };
    let denied = Rule {
        qualifiers: vec![Qualifier::Undocumented(
            format!("{what} is not modelled").into(),
        )],
        ..Rule::new(Action::Deny, others, Ports::Any)
    };
    let place = || RulePlace::whole(Path::root());
    head.policy(
        direction,
        subject,
        vec![(alone, place()), (denied, place())],
    )
}
