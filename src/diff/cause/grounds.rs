//! The edit behind a change: both sides explain one flow that shows it, and where they part is
//! where to look.
//!
//! For a path that opens, the side of the flow that did not let it through before is asked: the
//! rule that allows it now, if that rule is new or different; else the policy that used to block
//! it; else the pods' own labels. A path that closes is the same question with the two sides
//! exchanged. Cost: two explanations per distinct change of a destination.

use crate::diff::align::alignment::{End, EndIx, Members};
use crate::diff::align::position_index::places;
use crate::diff::cause::edits::{AffectedBy, Edit, Edits, rule_edit};
use crate::diff::compare::Pairing;
use crate::diff::{Kind, Side, Which};
use crate::model::{NamespaceId, PodId, Truth, WorkloadId};
use crate::policy::{Direction, Peers, PolicyId, Rule, RuleRef};
use crate::query::explain::explanation;
use crate::query::explain::explanation::Explanation;
use crate::set::{Family, Protocol, Traffic, TrafficSet};
use crate::source::Origin;
use crate::spec::evaluate;
use crate::spec::evaluate::Case;
use crate::spec::matching;
use crate::spec::{Endpoint, Flow};

/// What was edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// A rule of a policy, or one peer or port entry of it.
    Rule(RuleRef),
    /// A policy as a whole: whom it selects, what it isolates, or that it is there at all.
    Policy(PolicyId),
    /// The pods of a workload: labels, ports, addresses, node.
    Workload(WorkloadId),
    /// The labels of a namespace.
    Namespace(NamespaceId),
    /// A policy that cannot be modelled: its index among the taints.
    Unmodelled(usize),
    /// The assumptions both sides were compiled under.
    Options,
    /// Something else: a node, a Service.
    Other,
}

/// The edit that made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause {
    /// What was edited, in the ids of its side.
    pub what: What,
    /// The side where it lives.
    pub side: Which,
    /// What happened to it.
    pub how: Edit,
    /// The policy edit it is part of: its index in [`crate::diff::Diff::edits`].
    pub edit: Option<usize>,
}

impl Cause {
    fn of(what: What) -> Self {
        Self {
            what,
            side: Which::After,
            how: Edit::Changed,
            edit: None,
        }
    }

    /// Where it stands, in the texts of its side.
    pub fn origin(&self, side: Side<'_>) -> Option<Origin> {
        let policies = &side.input.policies;
        match self.what {
            What::Rule(at) => Some(policies.get(at.policy).origin(at)),
            What::Policy(id) if self.how == Edit::Changed => {
                Some(policies.get(id).subject_origin())
            }
            What::Policy(id) => Some(Origin::document(policies.get(id).document)),
            What::Workload(id) => Some(side.input.cluster.workload(id).origin.clone()),
            What::Namespace(id) => side.input.cluster.namespace(id).declared.clone(),
            What::Unmodelled(taint) => policies.taints.get(taint).and_then(|t| t.origin.clone()),
            What::Options | What::Other => None,
        }
    }
}

/// A change whose cause is wanted.
pub struct Ask<'a> {
    /// The before side.
    pub before: Side<'a>,
    /// The after side.
    pub after: Side<'a>,
    /// The ends.
    pub ends: &'a [End],
    /// What was edited.
    pub edits: &'a Edits,
    /// One source of it.
    pub source: EndIx,
    /// Its destination.
    pub destination: EndIx,
    /// Which pairs of the two.
    pub pairing: Pairing,
}

const ANY: Traffic = Traffic {
    protocol: Protocol::Tcp,
    port: 1,
};

/// How many pairs of pods of two ends are looked at.
pub const PAIRS: usize = 400;

/// One flow between two ends on one side.
pub fn flow(
    side: Side<'_>,
    ends: &[End],
    which: Which,
    source: EndIx,
    destination: EndIx,
    traffic: &TrafficSet,
) -> Option<Flow> {
    let source = ends[source]
        .endpoints(&side.input.cluster, which, 0, 1)
        .first()
        .copied()?;
    let destination = ends[destination]
        .endpoints(&side.input.cluster, which, 0, 1)
        .first()
        .copied()?;
    Some(Flow {
        source,
        destination,
        traffic: traffic.sample().unwrap_or(ANY),
    })
}

/// Whether a change lets more through.
fn opens(kind: Kind) -> bool {
    matches!(kind, Kind::Widened | Kind::MayWiden)
}

/// Equal for changes with the same cause ([`Ask::grounds`]).
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct CauseKey {
    opens: bool,
    traffic: Traffic,
    governed: [[u32; 2]; 2],
    matches: [[Vec<u8>; 2]; 2],
    peers: [Vec<Truth>; 2],
}

impl Ask<'_> {
    /// A flow that shows a change of this kind to this traffic, on either side.
    pub fn example(&self, kind: Kind, traffic: &TrafficSet) -> (Flow, Flow) {
        let traffic = traffic.sample().unwrap_or(ANY);
        let before = self.show(self.before, Which::Before, traffic, !opens(kind));
        (
            before,
            self.show(self.after, Which::After, traffic, opens(kind)),
        )
    }

    /// The edit behind a change of this kind, which these flows show.
    pub fn find(&self, kind: Kind, (before, after): &(Flow, Flow)) -> Cause {
        let told = (
            explanation::explain(self.before.graph, before),
            explanation::explain(self.after.graph, after),
        );
        self.cause(opens(kind), &told)
            .unwrap_or_else(|| self.otherwise())
    }

    /// All that the edit behind a change depends on, where that is what governs the two ends and
    /// which rules match: between ends of one place each, as they were. Own nodes aside.
    pub fn grounds(&self, kind: Kind, (before, after): &(Flow, Flow)) -> Option<CauseKey> {
        let ends = [
            (self.source, Direction::Egress),
            (self.destination, Direction::Ingress),
        ];
        let plain = |(end, direction): (EndIx, Direction)| {
            let (touch, end) = (self.edits.touched(end, direction), &self.ends[end]);
            !touch.own && !touch.unmodelled && end.before.len() == 1 && end.after.len() == 1
        };
        if self.source == self.destination || !ends.into_iter().all(plain) {
            return None;
        }
        let governed = |side: Side<'_>, end: Endpoint, direction| match end {
            Endpoint::Pod(_) => side
                .graph
                .governed_by(side.graph.space().index_of(end), direction),
            Endpoint::Address(_) => u32::MAX,
        };
        let sides = [(self.before, before), (self.after, after)];
        Some(CauseKey {
            opens: opens(kind),
            traffic: before.traffic,
            governed: sides.map(|(side, flow)| {
                [
                    governed(side, flow.source, Direction::Egress),
                    governed(side, flow.destination, Direction::Ingress),
                ]
            }),
            matches: sides.map(|(side, flow)| {
                Direction::ALL.map(|direction| side.graph.matches(flow, direction))
            }),
            peers: [(Which::Before, before), (Which::After, after)]
                .map(|(which, flow)| self.peers(which, flow)),
        })
    }

    /// Which peers of the edited rules that have several match a flow.
    fn peers(&self, which: Which, flow: &Flow) -> Vec<Truth> {
        let side = self.side(which);
        let env = side.graph.environment();
        let cases = env
            .host_network_modes()
            .iter()
            .flat_map(|b| Family::ALL.map(|family| Case::new(*b, family)));
        let cases: Vec<Case> = cases.collect();
        let mut found = Vec::new();
        for (end, direction) in [
            (self.source, Direction::Egress),
            (self.destination, Direction::Ingress),
        ] {
            let (Endpoint::Pod(subject), peer) = evaluate::side_of(flow, direction) else {
                continue;
            };
            for edit in &self.edits.touched(end, direction).policies {
                let edit = &self.edits.policies[*edit];
                let id = if which == Which::Before {
                    edit.before
                } else {
                    edit.after
                };
                let Some(policy) = id.map(|id| side.input.policies.get(id)) else {
                    continue;
                };
                let several =
                    |rule: &&Rule| matches!(&rule.peers, Peers::Of(list) if list.len() > 1);
                for rule in policy.rules(direction).iter().filter(several) {
                    let Peers::Of(list) = &rule.peers else {
                        continue;
                    };
                    for (of, case) in list
                        .iter()
                        .flat_map(|of| cases.iter().map(move |case| (of, case)))
                    {
                        found.push(matching::peer_matches(env, policy, of, subject, peer, case));
                    }
                }
            }
        }
        found
    }

    /// Whether no edited rule has several peers, of which one end might be one and the next
    /// another.
    pub fn is_common(&self, touch: &AffectedBy, direction: Direction) -> bool {
        let single = |rule: &Rule| !matches!(&rule.peers, Peers::Of(list) if list.len() > 1);
        touch.policies.iter().all(|edit| {
            let edit = &self.edits.policies[*edit];
            let sides = [(self.before, edit.before), (self.after, edit.after)];
            let policies = sides
                .into_iter()
                .filter_map(|(side, id)| Some(side.input.policies.get(id?)));
            policies
                .flat_map(|policy| policy.rules(direction))
                .all(single)
        })
    }

    /// The pairs of endpoints of the two ends on one side, the first of them.
    pub fn pairs(&self, which: Which, most: usize) -> Vec<(Endpoint, Endpoint)> {
        let cluster = &self.side(which).input.cluster;
        let second = usize::from(self.source == self.destination && self.pairing != Pairing::Own);
        let sources = self.ends[self.source].endpoints(cluster, which, 0, most + 1);
        let destinations = self.ends[self.destination].endpoints(cluster, which, second, most + 1);
        let pairs = sources
            .iter()
            .flat_map(|s| destinations.iter().map(move |d| (*s, *d)));
        pairs
            .filter(|(s, d)| s != d || sources.len() == 1)
            .take(most)
            .collect()
    }

    /// The first flow with the highest (or lowest) verdict among the pods of the two ends.
    fn show(&self, side: Side<'_>, which: Which, traffic: Traffic, highest: bool) -> Flow {
        let nowhere = Flow {
            source: Endpoint::Pod(PodId(0)),
            destination: Endpoint::Pod(PodId(0)),
            traffic,
        };
        let even = [self.source, self.destination]
            .into_iter()
            .all(|end| self.is_even(side, which, end));
        let pairs = self.pairs(which, if even { 1 } else { PAIRS }).into_iter();
        let mut flows = pairs.map(|(source, destination)| Flow {
            source,
            destination,
            traffic,
        });
        if even {
            return flows.next().unwrap_or(nowhere);
        }
        let rank = |flow: &Flow| {
            let truth = side.graph.verdict(flow);
            if highest {
                Truth::Yes as u8 - truth as u8
            } else {
                truth as u8
            }
        };
        let mut best: Option<(u8, Flow)> = None;
        for flow in flows {
            let rank = rank(&flow);
            if best.is_none_or(|(least, _)| rank < least) {
                best = Some((rank, flow));
            }
            if rank == 0 {
                break;
            }
        }
        best.map_or(nowhere, |(_, flow)| flow)
    }

    /// Whether the pods of an end are of one class, and nobody's node: between two such ends every
    /// flow has one verdict.
    fn is_even(&self, side: Side<'_>, which: Which, end: EndIx) -> bool {
        let end = &self.ends[end];
        let places = places(end, which);
        !end.is_outside()
            && places.len() == 1
            && places
                .iter()
                .all(|(place, _)| !side.graph.space().is_host(*place))
    }

    fn cause(&self, opens: bool, told: &(Explanation, Explanation)) -> Option<Cause> {
        let mut pairs: Vec<(&explanation::Side, &explanation::Side)> =
            told.0.sides().into_iter().zip(told.1.sides()).collect();
        let changed = |(b, a): &(&explanation::Side, &explanation::Side)| {
            b.allowed != a.allowed || b.reason != a.reason
        };
        pairs.sort_by_key(|p| (p.0.allowed == p.1.allowed, !changed(p)));
        pairs.iter().find_map(|(b, a)| {
            if opens {
                self.opened((a, Which::After), (b, Which::Before))
            } else {
                self.opened((b, Which::Before), (a, Which::After))
            }
        })
    }

    /// Why `open` lets through what `closed` does not; for a path that closes, the sides come
    /// exchanged.
    fn opened(
        &self,
        open: (&explanation::Side, Which),
        closed: (&explanation::Side, Which),
    ) -> Option<Cause> {
        let rule = open.0.decided_by.and_then(|at| self.rule(at, open.1));
        let denied = || closed.0.decided_by.and_then(|at| self.rule(at, closed.1));
        let gone = || {
            closed
                .0
                .isolated_by
                .iter()
                .find_map(|p| self.policy(*p, closed.1))
        };
        let near = || {
            open.0
                .isolated_by
                .iter()
                .find_map(|p| self.policy(*p, open.1))
        };
        let ordered = || {
            let of = |side: (&explanation::Side, Which)| {
                let policies = side
                    .0
                    .tiers
                    .iter()
                    .flat_map(|t| &t.policies)
                    .map(|p| p.policy)
                    .collect::<Vec<_>>();
                policies.into_iter().find_map(|p| self.policy(p, side.1))
            };
            of(open).or_else(|| of(closed))
        };
        rule.or_else(denied)
            .or_else(gone)
            .or_else(near)
            .or_else(ordered)
    }

    fn side(&self, which: Which) -> Side<'_> {
        if which == Which::Before {
            self.before
        } else {
            self.after
        }
    }

    /// The other side's version of an edited policy.
    fn counterpart(&self, edit: usize, which: Which) -> Option<(PolicyId, Which)> {
        let edit = &self.edits.policies[edit];
        match which {
            Which::After => edit.before.map(|id| (id, Which::Before)),
            Which::Before => edit.after.map(|id| (id, Which::After)),
        }
    }

    /// A rule, if it or its policy was edited.
    fn rule(&self, at: RuleRef, which: Which) -> Option<Cause> {
        let edit = self
            .edits
            .of(which, at.policy)
            .filter(|e| self.edits.policies[*e].meaning)?;
        let own = self.side(which).input.policies.get(at.policy);
        let other = self.counterpart(edit, which);
        let other = other.map(|(id, side)| (self.side(side).input.policies.get(id), id, side));
        match rule_edit((own, at.policy, which), other, at) {
            Some((side, at, how)) => Some(Cause {
                what: What::Rule(at),
                side,
                how,
                edit: Some(edit),
            }),
            None => self.policy(at.policy, which),
        }
    }

    /// A policy, if it was edited: as a whole, or the first of its rules that differs.
    fn policy(&self, id: PolicyId, which: Which) -> Option<Cause> {
        let index = self
            .edits
            .of(which, id)
            .filter(|e| self.edits.policies[*e].meaning)?;
        let edit = &self.edits.policies[index];
        let (side, policy) = edit
            .after
            .map(|id| (Which::After, id))
            .or(edit.before.map(|id| (Which::Before, id)))?;
        let whole = Cause {
            what: What::Policy(policy),
            side,
            how: edit.edit(),
            edit: Some(index),
        };
        let (Some(old), Some(new)) = (edit.before, edit.after) else {
            return Some(whole);
        };
        let (was, is) = (
            self.before.input.policies.get(old),
            self.after.input.policies.get(new),
        );
        if was.subject != is.subject || was.isolates != is.isolates || was.priority != is.priority {
            return Some(whole);
        }
        let changed = |own: (&crate::policy::Policy, PolicyId, Which), other| {
            Direction::ALL.into_iter().find_map(|d| {
                (0..own.0.rules(d).len())
                    .find_map(|i| rule_edit(own, Some(other), RuleRef::rule(own.1, d, i)))
            })
        };
        let (old, new) = ((was, old, Which::Before), (is, new, Which::After));
        let found = changed(new, old).or_else(|| changed(old, new));
        let place = found.map(|(side, at, how)| Cause {
            what: What::Rule(at),
            side,
            how,
            edit: Some(index),
        });
        Some(place.unwrap_or(whole))
    }

    /// No policy that governs the flow was edited: then what the policies look at was.
    fn otherwise(&self) -> Cause {
        let own = [self.source, self.destination]
            .into_iter()
            .find(|e| self.edits.touched(*e, Direction::Ingress).own);
        if let Some(Members::Workloads(list)) = own.map(|e| &self.ends[e].members)
            && let Some((before, after)) = list.first()
        {
            return self.env(*before, *after);
        }
        let unmodelled = [
            (self.source, Direction::Egress),
            (self.destination, Direction::Ingress),
        ];
        if unmodelled
            .into_iter()
            .any(|(e, d)| self.edits.touched(e, d).unmodelled)
        {
            let after = !self.after.input.policies.taints.is_empty();
            let side = if after { Which::After } else { Which::Before };
            return Cause {
                side,
                ..Cause::of(What::Unmodelled(0))
            };
        }
        Cause::of(if self.edits.options {
            What::Options
        } else {
            What::Other
        })
    }

    fn env(&self, before: WorkloadId, after: WorkloadId) -> Cause {
        let (old, new) = (&self.before.input.cluster, &self.after.input.cluster);
        let (was, is) = (
            old.workload(before).namespace,
            new.workload(after).namespace,
        );
        let same = old.namespace(was).labels == new.namespace(is).labels
            && old.namespace(was).declared.is_some() == new.namespace(is).declared.is_some();
        if same {
            Cause::of(What::Workload(after))
        } else {
            Cause::of(What::Namespace(is))
        }
    }
}
