//! What the layers of host endpoints are made of: the parts of a layer, and their tiers.

use crate::model::{Requirement, Selector};
use crate::policy::calico::policy::Stage;
use crate::policy::host_labels::NODE;
use crate::policy::layer_policy::RulesWithPlaces;
use crate::policy::layout::RulePlace;
use crate::policy::rule::{Action, Namespaces, Peer, Peers, Ports, Rule, Shape, Subject};
use crate::policy::tier::{HostPods, LayerIx, OwnNode, Tier, TierEnd, TierMode, Ties};
use crate::source::Path;
use std::borrow::Cow;

/// How the parts of a host endpoint are called.
pub static HOST_ENDPOINT: Shape = Shape {
    kind: "HostEndpoint",
    api_version: "projectcalico.org/v3",
    rules: ["ingress", "egress"],
    peers: ["source", "destination"],
    ports: "ports",
    subject: "node",
    allow: "Allow",
    has_actions: true,
};

/// So many places has each part of a layer.
const ROOM: i32 = 100_000;

/// The parts of a layer in the order of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostPart {
    /// What pods send their nodes.
    EndpointToHost,
    /// What is not policed there.
    Open,
    /// What is decided before connections are tracked.
    Untracked,
    /// What is decided before Services are translated.
    PreDnat,
    /// What is not forwarded after all.
    OwnHost,
    /// Policies as usual.
    Policies,
    /// The profiles behind these.
    Profiles,
}

impl HostPart {
    /// That of a policy of a stage.
    pub const fn of(stage: Stage) -> Self {
        match stage {
            Stage::Untracked => Self::Untracked,
            Stage::PreDnat => Self::PreDnat,
            Stage::Normal | Stage::Forward => Self::Policies,
        }
    }
}

/// The tier of a part of a layer, at a place among those of its part.
pub fn tier(
    layer: LayerIx,
    part: HostPart,
    name: Cow<'static, str>,
    place: usize,
    end: TierEnd,
) -> Tier {
    let place = i32::try_from(place).unwrap_or(ROOM).min(ROOM - 1);
    Tier {
        name,
        policies: "policies",
        layer,
        order: part as i32 * ROOM + place,
        mode: TierMode::Ordered(Ties::ByName),
        end,
        pass_to: None,
        host_pods: if layer == LayerIx::HOSTS {
            HostPods::AsNodes
        } else {
            HostPods::Excluded
        },
        own_node: OwnNode::Policed,
        codes: None,
    }
}

/// A rule that lets through, and stands where a host endpoint says something.
pub fn open(peers: Peers, ports: Ports, field: &'static str) -> (Rule, RulePlace) {
    let at = RulePlace::whole(Path::root().key(field));
    (Rule::new(Action::Allow, peers, ports), at)
}

/// Some of these, as the peers of a rule.
pub fn any_of(peers: Vec<Peer>) -> Peers {
    Peers::Of(peers.into())
}

/// Rules with their places, apart.
pub fn placed(rules: Vec<(Rule, RulePlace)>) -> RulesWithPlaces {
    rules.into_iter().unzip()
}

/// What stands behind some host endpoints, by the label that says so.
pub fn behind<'h>(key: &str, hosts: impl Iterator<Item = &'h str>) -> Subject {
    let names = hosts.map(Box::from).collect();
    Subject {
        namespaces: Namespaces::Matching(Selector::everything()),
        pods: Selector::new([Requirement::In(key.into(), names)]),
    }
}

/// The pods of a node that are not on its network.
pub fn pods_on(node: &str) -> Peer {
    let on = Requirement::In(NODE.into(), vec![node.into()]);
    Peer::Pods(
        Namespaces::Matching(Selector::everything()),
        Selector::new([on]),
    )
}
