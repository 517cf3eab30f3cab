//! Who may send anything at all: a yes or a no about each source, where a row
//! ([`crate::graph::row`]) tells of all traffic.
//!
//! Asked of pods that do not share their node's network, at both ends: between those neither the
//! own node (S55) nor the behaviour of host-network pods (S56) plays a part; and of all, as if
//! those behaved as pods. Where the Network tier alone speaks, and surely, the traffic line is not
//! cut: a source is in if it passes one rule on the way in and one on the way out whose ports meet.
//! Anything else is read off the pieces of the row.
//!
//! Invariant: the sources of [`AllowGraph::pieces`] among those asked about. Cost: one set
//! operation per ingress rule, per egress group that governs any who are let in, and per pair of
//! port sets that meet.

use crate::compile::compiled_policy::EgressRuleIx;
use crate::compile::effective_policy::EffectiveTier;
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::{EndpointBounds, EndpointSet, PeerSetIx};
use crate::compile::port_sets::PortSetIx;
use crate::graph::allow_graph::AllowGraph;
use crate::model::Truth;
use crate::policy::Direction;
use crate::set::hashed::HashMap;
use crate::set::{Family, TrafficSet};
use crate::spec::environment::HostNetworkMode;
use std::borrow::Cow;
use std::cell::RefCell;

/// Sources that the way in lets through with some traffic.
type Entering<'g> = (Cow<'g, TrafficSet>, Split);

/// What is left of peer sets while questions are asked about ever fewer sources: destinations share
/// their peers, and whom one of them lets in is mostly not asked about again.
#[derive(Debug, Default)]
pub(crate) struct Narrowed(RefCell<HashMap<(PeerSetIx, usize), Split>>);

/// Sources by what the Network tier says of their way out: those it does not isolate, and those it
/// may.
#[derive(Debug, Clone, Default)]
struct Split {
    open: EndpointSet,
    governed: EndpointSet,
}

impl Split {
    fn is_empty(&self) -> bool {
        self.open.is_empty() && self.governed.is_empty()
    }

    fn among(&self, places: &EndpointSet) -> Self {
        Self {
            open: self.open.intersection(places),
            governed: self.governed.intersection(places),
        }
    }

    fn union(&self, other: &Self) -> Self {
        Self {
            open: self.open.union(&other.open),
            governed: self.governed.union(&other.governed),
        }
    }
}

/// A question about a destination: which of these sources, surely or for all that is known.
struct Ask<'a> {
    destination: EndpointIx,
    among: &'a EndpointSet,
    least: Truth,
    narrowed: &'a Narrowed,
}

impl Ask<'_> {
    fn of<'m>(&self, matched: &'m EndpointBounds) -> &'m EndpointSet {
        if self.least == Truth::Yes {
            &matched.must
        } else {
            &matched.may
        }
    }
}

impl AllowGraph {
    /// Of some classes those that may send something to a class: surely, or for all that is known.
    /// No end is on its node's network. What earlier questions left is of use where they were about
    /// all of these, and as sure.
    pub(crate) fn allowed_sources(
        &self,
        destination: EndpointIx,
        among: &EndpointSet,
        least: Truth,
        narrowed: &Narrowed,
    ) -> EndpointSet {
        debug_assert!(self.space.is_class(destination) && !self.space.is_host(destination));
        let ask = Ask {
            destination,
            among,
            least,
            narrowed,
        };
        if let (Some(isolating), Some(mode)) = (
            self.plainly_governed(destination),
            self.env.host_network_modes().first(),
        ) {
            return self.additive_sources(&ask, isolating, *mode);
        }
        let pieces = self.pieces_among(destination, among);
        EndpointSet::union_of(pieces.iter().map(|piece| ask.of(&piece.sources)))
    }

    /// Of some classes those that surely send something to a class only if one of the two is the
    /// other's node, among others; `None` where that cannot be told from here.
    ///
    /// Where host-network pods may behave as pods (S56), what passes surely has to pass without the
    /// own node too.
    pub(crate) fn sources_needing_own_node(
        &self,
        destination: EndpointIx,
        among: &EndpointSet,
    ) -> Option<EndpointSet> {
        debug_assert!(self.space.is_class(destination));
        let mode = *self
            .env
            .host_network_modes()
            .iter()
            .find(|b| **b == HostNetworkMode::Pod)?;
        let ask = Ask {
            destination,
            among,
            least: Truth::Yes,
            narrowed: &Narrowed::default(),
        };
        Some(self.additive_sources(&ask, self.plainly_governed(destination)?, mode))
    }

    /// The tier that isolates a class for ingress, if one does, where nothing else speaks of it or
    /// of anybody's egress.
    #[allow(clippy::option_option)] // two questions: whether, and by which
    fn plainly_governed(&self, destination: EndpointIx) -> Option<Option<&EffectiveTier>> {
        self.egress_index().additive()?;
        let effective = self.effective_policy(destination, Direction::Ingress);
        let isolating = effective.additive()?;
        let certain = isolating.is_none_or(|tier| tier.isolated == Truth::Yes);
        certain.then_some(isolating)
    }

    /// Over the families that both ends have (S65), each only where its rules see other pods.
    fn additive_sources(
        &self,
        ask: &Ask<'_>,
        isolating: Option<&EffectiveTier>,
        mode: HostNetworkMode,
    ) -> EndpointSet {
        let [four, six] = Family::ALL.map(|family| self.scenario(mode, family));
        let common = self.common_families(ask.destination);
        let sure = ask.least == Truth::Yes;
        let egress_index = self.egress_index();
        let is_same = |peers: PeerSetIx| self.matched(peers, four) == self.matched(peers, six);
        let allows = isolating.map_or(&[][..], |tier| &tier.allows);
        let seen: Vec<EgressRuleIx>;
        if four == six
            || egress_index.same_scenarios(four, six, true)
                && allows.iter().all(|r| is_same(r.peers))
        {
            let entering = self.entering(ask, isolating, four);
            if entering
                .iter()
                .all(|(_, sources)| sources.governed.is_empty())
            {
                // nobody's way out is in question
                let open = entering.iter().map(|(_, sources)| &sources.open);
                return common.alike_only(EndpointSet::union_of(open), sure);
            }
            seen = egress_index.seen(&self.peers, ask.destination);
            let mut groups = seen.iter().map(|group| egress_index.rules[*group].peers);
            if four == six || groups.all(|p| self.same_truth(p, ask.destination, four, six)) {
                return common.alike_only(self.let_out(ask, &entering, &seen, four), sure);
            }
        } else {
            seen = egress_index.seen(&self.peers, ask.destination);
        }
        // all are asked about, and those without the family left out afterwards: what is narrowed
        // serves other destinations
        let of = |family: Family, scenario: usize| {
            if common.is_unused(family) {
                return EndpointSet::empty();
            }
            let entering = self.entering(ask, isolating, scenario);
            self.let_out(ask, &entering, &seen, scenario)
        };
        common.combine_only(of(Family::V4, four), of(Family::V6, six), sure)
    }

    /// Of those the way in lets through, the open ones, and whom a rule lets out with some of the
    /// same traffic.
    fn let_out(
        &self,
        ask: &Ask<'_>,
        entering: &[Entering<'_>],
        seen: &[EgressRuleIx],
        scenario: usize,
    ) -> EndpointSet {
        let mut found: Vec<EndpointSet> = entering
            .iter()
            .map(|(_, sources)| sources.open.clone())
            .collect();
        for group in seen.iter().map(|group| &self.egress_index().rules[*group]) {
            if self.matched(group.peers, scenario).truth(ask.destination) < ask.least {
                continue;
            }
            let subjects = ask.of(&group.subjects);
            let mut ports = None;
            for (traffic, sources) in entering {
                let let_out = sources.governed.intersection(subjects);
                let ports =
                    ports.get_or_insert_with(|| self.ports_at(group.ports, ask.destination, false));
                if !let_out.is_empty() && !traffic.is_disjoint(ports) {
                    found.push(let_out);
                }
            }
        }
        EndpointSet::union_of(&found)
    }

    /// Whom the way in lets through, by traffic; everybody where nothing isolates the destination.
    fn entering(
        &self,
        ask: &Ask<'_>,
        isolating: Option<&EffectiveTier>,
        scenario: usize,
    ) -> Vec<Entering<'_>> {
        let Some(tier) = isolating else {
            return vec![(
                Cow::Owned(TrafficSet::all()),
                self.split(ask, ask.among, scenario),
            )];
        };
        let mut entering: Vec<(PortSetIx, Entering<'_>)> = Vec::new();
        for rule in tier
            .allows
            .iter()
            .filter(|rule| rule.certain || ask.least != Truth::Yes)
        {
            let mut known = ask.narrowed.0.borrow_mut();
            let left = known
                .entry((rule.peers, scenario))
                .and_modify(|left| *left = left.among(ask.among));
            let sources = left.or_insert_with(|| {
                self.split(
                    ask,
                    &ask.of(self.matched(rule.peers, scenario))
                        .intersection(ask.among),
                    scenario,
                )
            });
            if sources.is_empty() {
                continue;
            }
            let known = entering.iter_mut().find(|(ports, _)| *ports == rule.ports);
            if let Some((_, (_, so_far))) = known {
                *so_far = so_far.union(sources);
            } else {
                let traffic = self.ports_at(rule.ports, ask.destination, false);
                entering.push((rule.ports, (traffic, sources.clone())));
            }
        }
        let passing = entering.into_iter().map(|(_, entering)| entering);
        passing.filter(|(traffic, _)| !traffic.is_empty()).collect()
    }

    /// Surely open is whom nothing may isolate.
    fn split(&self, ask: &Ask<'_>, sources: &EndpointSet, scenario: usize) -> Split {
        let Some(Some(tier)) = self.egress_index().additive() else {
            // INVARIANT: `plainly_governed` asked for an additive index
            return Split {
                open: sources.clone(),
                governed: EndpointSet::empty(),
            };
        };
        let isolated = &tier.isolated[scenario];
        let closed = if ask.least == Truth::Yes {
            &isolated.may
        } else {
            &isolated.must
        };
        Split {
            open: sources.difference(closed),
            governed: sources.intersection(&isolated.may),
        }
    }
}
