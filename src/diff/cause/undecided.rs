//! Unknown before and unknown after: the same unknown, or another one?
//!
//! What the input does not tell is one fact on both sides: how host-network pods behave, on which
//! node a pod runs, where its address lies. So each behaviour of host-network pods is looked at on
//! its own ([`cases`]), and a verdict that stays unknown there is *undecided* only if the doubt
//! comes from a rule that was edited, or from a policy that cannot be modelled and differs. Up to
//! [`CLOSE`] pairs of pods are asked one by one, more by what their classes are alike in
//! ([`Group`]). Cost: nothing is compiled again; per pair of ends that is unknown on both sides and
//! edited a few walks and two explanations. Precision: the doubt is looked for at one port of the
//! traffic.

use crate::diff::align::alignment::{CLOSE, End, EndIx};
use crate::diff::cause::edits::{Edits, rule_edit};
use crate::diff::cause::grounds::{Ask, PAIRS};
use crate::diff::compare::Pairing;
use crate::diff::{Side, Which};
use crate::graph::row_cache::Group;
use crate::graph::{AllowGraph, Allowed, RowCache};
use crate::model::Truth;
use crate::policy::{Direction, RuleRef};
use crate::query::explain::explanation;
use crate::set::hashed::HashMap;
use crate::set::{Protocol, Traffic, TrafficSet};
use crate::spec::{Endpoint, Flow, HostNetwork};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// Both sides under one behaviour of host-network pods.
pub type Case = [AllowGraph; 2];

/// The behaviours of host-network pods that can make a difference.
pub fn cases(before: Side<'_>, after: Side<'_>) -> Vec<Case> {
    let hosts = |s: Side<'_>| !s.graph.space().hosts.is_empty();
    let under = |side: Side<'_>, assumed| {
        let open =
            hosts(side) && side.graph.environment().options.host_network == HostNetwork::Unknown;
        if open {
            side.graph.assuming(assumed)
        } else {
            side.graph.clone()
        }
    };
    if !hosts(before) && !hosts(after) {
        return vec![[before.graph.clone(), after.graph.clone()]];
    }
    [HostNetwork::Node, HostNetwork::Pod]
        .map(|h| [under(before, h), under(after, h)])
        .into()
}

/// What passes between pairs of pods of two ends, of some traffic: surely, and maybe.
type Range = BTreeSet<(TrafficSet, TrafficSet)>;

/// The pairs of pods of two ends, per side.
type Pairs = [Vec<(Endpoint, Endpoint)>; 2];

/// What tells one doubt from another.
pub struct Undecided<'a> {
    before: Side<'a>,
    after: Side<'a>,
    edits: &'a Edits,
    cases: Vec<(&'a Case, [RowCache<'a>; 2])>,
    /// The places of ends, by case.
    groups: HashMap<(usize, EndIx), Rc<[Group; 2]>>,
}

impl<'a> Undecided<'a> {
    /// Nothing is asked yet.
    pub fn new(before: Side<'a>, after: Side<'a>, edits: &'a Edits, cases: &'a [Case]) -> Self {
        let cases = cases
            .iter()
            .map(|case| (case, case.each_ref().map(RowCache::new)))
            .collect();
        Self {
            before,
            after,
            edits,
            cases,
            groups: HashMap::default(),
        }
    }

    /// Whether traffic that is unknown on both sides may have changed between two ends.
    pub fn matter(&mut self, ask: &Ask<'_>, traffic: &TrafficSet) -> bool {
        let close = [Which::Before, Which::After].map(|which| ask.pairs(which, CLOSE + 1));
        (0..self.cases.len()).any(|case| {
            let [was, is, doubted] = self.ranges(case, ask, &close, traffic);
            was != is
                || doubted
                    .iter()
                    .any(|(_, unknown)| self.edited(self.cases[case].0, ask, unknown))
        })
    }

    /// What passes before, after, and after without what own nodes change: which node is one's own,
    /// no rule says.
    fn ranges(
        &mut self,
        case: usize,
        ask: &Ask<'_>,
        pairs: &Pairs,
        traffic: &TrafficSet,
    ) -> [Range; 3] {
        let cut = |a: &Allowed| {
            (
                a.must.intersection(traffic),
                a.unknown().intersection(traffic),
            )
        };
        let Self { cases, groups, .. } = self;
        let (graphs, [old, new]) = &mut cases[case];
        if pairs.iter().any(|pairs| pairs.len() > CLOSE) {
            let mut group = |end: EndIx| {
                let known = groups.entry((case, end));
                Rc::clone(known.or_insert_with(|| {
                    let End { before, after, .. } = &ask.ends[end];
                    Rc::new([old.group(before), new.group(after)])
                }))
            };
            let (from, into) = (group(ask.source), group(ask.destination));
            let apart = ask.pairing == Pairing::Own;
            let [was, _] = old.pairs(&from[0], &into[0], apart);
            let [is, bare] = new.pairs(&from[1], &into[1], apart);
            return [was, is, bare].map(|mut found| {
                found.sort_unstable_by_key(Arc::as_ptr);
                found.dedup_by(|a, b| Arc::ptr_eq(a, b));
                found.iter().map(|allowed| cut(allowed)).collect()
            });
        }
        let range = |(graph, pairs): (&AllowGraph, &Vec<(Endpoint, Endpoint)>)| -> Range {
            pairs
                .iter()
                .map(|(source, destination)| cut(&graph.allowed(*source, *destination)))
                .collect()
        };
        let (was, is) = (
            range((&graphs[0], &pairs[0])),
            range((&graphs[1], &pairs[1])),
        );
        [was, is.clone(), is]
    }

    /// Whether an edited rule is among the reasons of what is still unknown.
    fn edited(&self, graphs: &Case, ask: &Ask<'_>, unknown: &TrafficSet) -> bool {
        if unknown.is_empty() {
            return false;
        }
        let traffic = unknown.sample().unwrap_or(Traffic {
            protocol: Protocol::Tcp,
            port: 1,
        });
        graphs
            .iter()
            .zip([Which::Before, Which::After])
            .any(|(graph, which)| {
                let pairs = ask.pairs(which, PAIRS);
                let flow = |(source, destination): &(Endpoint, Endpoint)| Flow {
                    source: *source,
                    destination: *destination,
                    traffic,
                };
                // what is unknown of a class may be told of each of its pods
                let unknown = pairs
                    .iter()
                    .map(flow)
                    .filter(|flow| graph.verdict(flow) == Truth::Maybe);
                unknown.take(100).any(|flow| {
                    let told = explanation::explain(graph, &flow);
                    told.sides().into_iter().any(|side| self.side(side, which))
                })
            })
    }

    fn side(&self, side: &explanation::Side, which: Which) -> bool {
        let fresh = |taint: &usize| self.edits.is_fresh(which, *taint);
        side.taints.iter().any(fresh) || side.doubts.iter().any(|d| self.rule(d.at, which))
    }

    fn rule(&self, at: RuleRef, which: Which) -> bool {
        let Some(edit) = self.edits.of(which, at.policy) else {
            return false;
        };
        let edit = &self.edits.policies[edit];
        if !edit.meaning {
            return false;
        }
        let sides = [
            (edit.before, self.before, Which::Before),
            (edit.after, self.after, Which::After),
        ];
        let of = |which: Which| {
            sides
                .iter()
                .find(|s| s.2 == which)
                .and_then(|(id, side, which)| {
                    id.map(|id| (side.input.policies.get(id), id, *which))
                })
        };
        let other = if which == Which::Before {
            Which::After
        } else {
            Which::Before
        };
        let Some(own) = of(which) else { return false };
        let theirs = of(other);
        let elsewhere = theirs.is_none_or(|(p, _, _)| {
            p.subject != own.0.subject || p.tier != own.0.tier || p.priority != own.0.priority
        });
        elsewhere
            || rule_edit(
                own,
                theirs,
                RuleRef {
                    peer: None,
                    port: None,
                    ..at
                },
            )
            .is_some()
    }
}

/// Whether a direction of an end was touched by an edit; the cheap question before the dear one.
pub fn touched(edits: &Edits, source: usize, destination: usize) -> bool {
    !edits.touched(source, Direction::Egress).is_none()
        || !edits.touched(destination, Direction::Ingress).is_none()
}
