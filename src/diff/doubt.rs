//! Unknown before and unknown after: the same unknown, or another one?
//!
//! What the input does not tell is one fact on both sides: how host-network pods behave, on which node a pod runs, where
//! its address lies. So each behaviour of host-network pods is looked at on its own ([`Doubts::new`] compiles them when
//! they can differ), and a verdict that stays unknown there is *undecided* only if the doubt comes from a rule that was
//! edited, or from a policy that cannot be modelled and differs. Cost: two compiles per side, and two explanations per
//! pair that is unknown on both sides and edited. Precision: the doubt is looked for at one port of the traffic.

use super::edits::{Edits, rule_edit};
use super::{Side, Which};
use crate::compile::{AllowGraph, Endpoint, Flow, HostNetwork};
use crate::policy::{Direction, RuleRef};
use crate::query::explain;
use crate::set::{Protocol, Traffic, TrafficSet};
use std::cell::OnceCell;

/// The graphs of both sides under each behaviour of host-network pods.
pub struct Doubts<'a> {
    before: Side<'a>,
    after: Side<'a>,
    edits: &'a Edits,
    cases: OnceCell<Vec<(AllowGraph, AllowGraph)>>,
}

impl<'a> Doubts<'a> {
    /// Nothing is compiled yet.
    pub fn new(before: Side<'a>, after: Side<'a>, edits: &'a Edits) -> Self {
        Self { before, after, edits, cases: OnceCell::new() }
    }

    fn cases(&self) -> &[(AllowGraph, AllowGraph)] {
        self.cases.get_or_init(|| {
            let hosts = |s: Side<'_>| !s.graph.line().hosts.is_empty();
            let under = |side: Side<'_>, assumed| {
                let options = side.graph.world().options.clone();
                let open = options.host_network == HostNetwork::Unknown;
                let options = if open { options.host_network(assumed) } else { options };
                // INVARIANT: the same input compiled before, so its size is within the limits
                AllowGraph::compile(side.input, &options).unwrap_or_else(|_| side.graph.clone())
            };
            if !hosts(self.before) && !hosts(self.after) {
                return vec![(self.before.graph.clone(), self.after.graph.clone())];
            }
            [HostNetwork::Node, HostNetwork::Pod].map(|h| (under(self.before, h), under(self.after, h))).into()
        })
    }

    /// Whether traffic that is unknown on both sides may have changed between two ends, given as endpoints of each side.
    pub fn matter(
        &self,
        before: &[(Endpoint, Endpoint)],
        after: &[(Endpoint, Endpoint)],
        traffic: &TrafficSet,
    ) -> bool {
        self.cases().iter().any(|(old, new)| {
            let range = |graph: &AllowGraph, pairs: &[(Endpoint, Endpoint)]| {
                let cut = |(s, d): &(Endpoint, Endpoint)| {
                    let allowed = graph.allowed(*s, *d);
                    (allowed.sure.intersection(traffic), allowed.unknown.intersection(traffic))
                };
                pairs.iter().map(cut).collect::<std::collections::BTreeSet<_>>()
            };
            let (was, is) = (range(old, before), range(new, after));
            was != is || is.iter().any(|(_, unknown)| self.edited((old, before), (new, after), unknown))
        })
    }

    /// Whether an edited rule is among the reasons of what is still unknown.
    fn edited(
        &self,
        old: (&AllowGraph, &[(Endpoint, Endpoint)]),
        new: (&AllowGraph, &[(Endpoint, Endpoint)]),
        unknown: &TrafficSet,
    ) -> bool {
        if unknown.is_empty() {
            return false;
        }
        let traffic = unknown.sample().unwrap_or(Traffic { protocol: Protocol::Tcp, port: 1 });
        [(old, Which::Before), (new, Which::After)].into_iter().any(|((graph, pairs), which)| {
            pairs.iter().take(100).any(|(source, destination)| {
                let flow = Flow { source: *source, destination: *destination, traffic };
                let told = explain::explain(graph, &flow);
                told.sides().into_iter().any(|side| self.side(side, which))
            })
        })
    }

    fn side(&self, side: &explain::Side, which: Which) -> bool {
        let fresh = |taint: &usize| self.edits.is_fresh(which, *taint);
        side.taints.iter().any(fresh) || side.doubts.iter().any(|d| self.rule(d.at, which))
    }

    fn rule(&self, at: RuleRef, which: Which) -> bool {
        let Some(edit) = self.edits.of(which, at.policy) else { return false };
        let edit = &self.edits.policies[edit];
        if !edit.meaning {
            return false;
        }
        let sides = [(edit.before, self.before, Which::Before), (edit.after, self.after, Which::After)];
        let of = |which: Which| {
            sides
                .iter()
                .find(|s| s.2 == which)
                .and_then(|(id, side, which)| id.map(|id| (side.input.policies.get(id), id, *which)))
        };
        let other = if which == Which::Before { Which::After } else { Which::Before };
        let Some(own) = of(which) else { return false };
        let theirs = of(other);
        let elsewhere = theirs
            .is_none_or(|(p, _, _)| p.subject != own.0.subject || p.tier != own.0.tier || p.priority != own.0.priority);
        elsewhere || rule_edit(own, theirs, RuleRef { peer: None, port: None, ..at }).is_some()
    }
}

/// Whether a direction of an end was touched by an edit; the cheap question before the dear one.
pub fn touched(edits: &Edits, source: usize, destination: usize) -> bool {
    !edits.touched(source, Direction::Egress).is_none() || !edits.touched(destination, Direction::Ingress).is_none()
}
