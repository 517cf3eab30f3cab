//! Keys of causes: changes with equal keys have the same cause, so that one explanation serves them
//! all.
//!
//! The cause depends on what governs the two ends, which rules match the flow, and which peer of an
//! edited rule it is. Where it also depends on the pods themselves (they were edited, or are of
//! several classes), there is no key, and the cause is looked for each time.

use crate::compile::effective_policy::EffectiveIx;
use crate::diff::align::endpoint::EndIx;
use crate::diff::before_after::{Side, Which};
use crate::diff::cause::edits::AffectedBy;
use crate::diff::cause::pair::{ChangedPair, opens};
use crate::diff::kind::Kind;
use crate::model::Truth;
use crate::policy::{Direction, Peers, Rule};
use crate::set::{Family, Traffic};
use crate::spec::evaluate;
use crate::spec::matching;
use crate::spec::question::Case;
use crate::spec::{Endpoint, Flow};

/// Equal for changes with the same cause ([`ChangedPair::cause_key`]).
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct CauseKey {
    opens: bool,
    traffic: Traffic,
    governed: [[Option<EffectiveIx>; 2]; 2],
    matches: [[Vec<u8>; 2]; 2],
    peers: [Vec<Truth>; 2],
}

impl ChangedPair<'_> {
    /// Everything that the edit behind a change depends on, if that is what governs the two ends
    /// and which rules match: for unedited pods of one class each. Own-node exceptions are not
    /// considered.
    pub fn cause_key(&self, kind: Kind, (before, after): &(Flow, Flow)) -> Option<CauseKey> {
        let is_plain = |(end, direction): (EndIx, Direction)| {
            let (affected, end) = (self.edits.affected(end, direction), &self.ends[end]);
            !affected.workload
                && !affected.unmodelled
                && end.before.len() == 1
                && end.after.len() == 1
        };
        if self.source == self.destination || !self.governed_ends().into_iter().all(is_plain) {
            return None;
        }
        let sides = [(self.before, before), (self.after, after)];
        Some(CauseKey {
            opens: opens(kind),
            traffic: before.traffic,
            governed: sides.map(|(side, flow)| {
                [
                    governed_by(side, flow.source, Direction::Egress),
                    governed_by(side, flow.destination, Direction::Ingress),
                ]
            }),
            matches: sides.map(|(side, flow)| {
                Direction::ALL.map(|direction| side.graph.matches(flow, direction))
            }),
            peers: [(Which::Before, before), (Which::After, after)]
                .map(|(which, flow)| self.matching_peers(which, flow)),
        })
    }

    /// Which peers of the edited rules with several peers match a flow.
    fn matching_peers(&self, which: Which, flow: &Flow) -> Vec<Truth> {
        let side = self.side(which);
        let env = side.graph.environment();
        let cases: Vec<Case> = env
            .host_network_modes()
            .iter()
            .flat_map(|mode| Family::ALL.map(|family| Case::new(*mode, family)))
            .collect();
        let mut found = Vec::new();
        for (end, direction) in self.governed_ends() {
            let (own, endpoint) = evaluate::side_of(flow, direction);
            let Some(subject) = env.governed(own) else {
                continue;
            };
            for edit in &self.edits.affected(end, direction).policies {
                let edit = &self.edits.policies[*edit];
                let id = if which == Which::Before {
                    edit.before
                } else {
                    edit.after
                };
                let Some(policy) = id.map(|id| side.graph.environment().policies.get(id)) else {
                    continue;
                };
                for rule in policy.rules(direction) {
                    let Peers::Of(peers) = &rule.peers else {
                        continue;
                    };
                    if peers.len() < 2 {
                        continue;
                    }
                    for peer in &**peers {
                        found.extend(cases.iter().map(|case| {
                            matching::peer_matches(env, policy, peer, subject, endpoint, case)
                        }));
                    }
                }
            }
        }
        found
    }

    /// Whether no edited rule has several peers, of which one end might be one and the next
    /// another.
    pub fn is_common(&self, affected: &AffectedBy, direction: Direction) -> bool {
        let single = |rule: &Rule| !matches!(&rule.peers, Peers::Of(list) if list.len() > 1);
        affected.policies.iter().all(|edit| {
            let edit = &self.edits.policies[*edit];
            let sides = [(self.before, edit.before), (self.after, edit.after)];
            let policies = sides
                .into_iter()
                .filter_map(|(side, id)| Some(side.graph.environment().policies.get(id?)));
            policies
                .flat_map(|policy| policy.rules(direction))
                .all(single)
        })
    }
}

/// What governs an endpoint in one direction; nothing governs an address of the outside.
fn governed_by(side: Side<'_>, endpoint: Endpoint, direction: Direction) -> Option<EffectiveIx> {
    let graph = side.graph;
    graph.environment().governed(endpoint)?;
    Some(graph.governed_by(graph.space().index_of(endpoint), direction))
}
