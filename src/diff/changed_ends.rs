//! The ends of flows that change, and which policies govern them.
//!
//! Where two edits open a path together, one of them is its cause. The other governs an end of the
//! path too, and is not said to be without effect. Cost: O(changes x edits without effect).

use crate::diff::answer::Change;
use crate::diff::before_after::Side;
use crate::diff::cause::policy_edits::PolicyEdit;
use crate::model::PodId;
use crate::policy::{Direction, PolicyId};
use crate::spec::matching::selects;
use crate::spec::{Endpoint, Flow};
use std::collections::BTreeSet;

/// How many changes are looked at; of more, the first ones stand for the others.
const MOST: usize = 2_000;

/// The pods that send or receive what changes, on both sides.
pub struct ChangedEnds<'a> {
    sides: [Side<'a>; 2],
    pods: [BTreeSet<(PodId, Direction)>; 2],
}

impl<'a> ChangedEnds<'a> {
    /// Those of some changes.
    pub fn new(changes: &[Change], sides: [Side<'a>; 2]) -> Self {
        let mut pods = [BTreeSet::new(), BTreeSet::new()];
        for change in changes.iter().take(MOST) {
            pods[0].extend(ends(&change.example.0));
            pods[1].extend(ends(&change.example.1));
        }
        Self { sides, pods }
    }

    /// Whether an edited policy may govern one of them.
    pub fn is_governed_by(&self, edit: &PolicyEdit) -> bool {
        [edit.before, edit.after]
            .into_iter()
            .enumerate()
            .any(|(side, policy)| policy.is_some_and(|id| self.is_governed(side, id)))
    }

    fn is_governed(&self, side: usize, id: PolicyId) -> bool {
        let env = self.sides[side].graph.environment();
        let policy = env.policies.get(id);
        let has_say = |way| policy.isolates(way) || !policy.rules(way).is_empty();
        let modes = env.host_network_modes();
        let selected = |pod| {
            let mut modes = modes.iter();
            modes.any(|mode| selects(env, policy, pod, *mode).possible())
        };
        let mut pods = self.pods[side].iter();
        pods.any(|(pod, way)| has_say(*way) && selected(*pod))
    }
}

/// The pods of a flow, each with the direction in which policies govern it.
fn ends(flow: &Flow) -> impl Iterator<Item = (PodId, Direction)> {
    let ends = [
        (flow.source, Direction::Egress),
        (flow.destination, Direction::Ingress),
    ];
    ends.into_iter().filter_map(|(end, way)| match end {
        Endpoint::Pod(pod) => Some((pod, way)),
        Endpoint::Address(_) => None,
    })
}
