//! Rows: for one destination, all sources at once, grouped by what they may send.
//!
//! Phases of [`AllowGraph::pieces`]: the traffic line is cut by the ports of the rules that meet at
//! the destination ([`TrafficCut`]); per part the destination's ingress is walked over the whole
//! line of sources, and what it lets in is put to the sources' egress
//! ([`AllowGraph::egress_sources`]); views that decide from the same sets are decided once
//! (`distinct_scenarios`). [`AllowGraph::row`] turns the pieces around, by source, and adds the own
//! node (S55), which differs from class to class.
//!
//! Destinations with the same [`DestinationClassKey`] have the same pieces
//! ([`AllowGraph::destination_classes`]). Cost: O(parts of the traffic line x (ingress rules +
//! egress groups seen)) set operations per template; no pair of pods is visited.

use crate::compile::compiled_policy::EgressRuleIx;
use crate::compile::effective_policy::{EffectivePolicy, UnorderedRule};
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::{EndpointBounds, EndpointSet, PeerSetIx};
use crate::compile::port_sets::PortSetIx;
use crate::graph::allow_graph::{AllowGraph, Allowed};
use crate::graph::egress::EgressQuery;
use crate::graph::tiers::{Hit, Walk};
use crate::graph::traffic_cut::TrafficCut;
use crate::model::Truth;
use crate::policy::Direction;
use crate::set::hashed::IndexMap;
use crate::set::{Family, Point, TrafficSet, partition};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sources that may send the same to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcesTraffic {
    /// Places of the line: pod classes and address atoms.
    pub sources: EndpointSet,
    /// What they may send.
    pub allowed: Allowed,
}

impl SourcesTraffic {
    /// What is left of it among these places; `None` when nothing is.
    pub fn among(&self, places: &EndpointSet) -> Option<Self> {
        let sources = self.sources.intersection(places);
        (!sources.is_empty()).then(|| Self {
            sources,
            allowed: self.allowed.clone(),
        })
    }
}

/// Traffic for which the same sources may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficSources {
    /// The traffic.
    pub traffic: TrafficSet,
    /// The endpoints that certainly may send it, and those that possibly may.
    pub sources: EndpointBounds,
}

/// One question to the ingress of a destination.
struct IngressQuery<'a> {
    destination: EndpointIx,
    effective: &'a EffectivePolicy,
    scenario: usize,
    /// Of its Network rules, those whose ports cover the traffic asked about.
    rules: &'a [UnorderedRule],
    covers: &'a dyn Fn(PortSetIx) -> bool,
    /// Of these sources; of all, if not told.
    among: Option<&'a EndpointSet>,
}

/// Parts, except for some sources, of which it is told what they may send; parts of equal traffic
/// melt.
pub fn with_own(
    parts: &[SourcesTraffic],
    own: &[(EndpointIx, Arc<Allowed>)],
) -> Vec<SourcesTraffic> {
    if own.is_empty() {
        return parts.to_vec();
    }
    let exceptions: EndpointSet = own.iter().map(|(source, _)| *source..=*source).collect();
    let mut by: BTreeMap<&Allowed, Vec<EndpointSet>> = BTreeMap::new();
    for part in parts {
        by.entry(&part.allowed)
            .or_default()
            .push(part.sources.difference(&exceptions));
    }
    for (source, allowed) in own.iter().filter(|(_, allowed)| !allowed.is_nothing()) {
        by.entry(&**allowed)
            .or_default()
            .push(EndpointSet::point(*source));
    }
    let part = |(allowed, sources): (&Allowed, Vec<EndpointSet>)| {
        let sources = EndpointSet::union_of(&sources);
        (!sources.is_empty()).then(|| SourcesTraffic {
            sources,
            allowed: allowed.clone(),
        })
    };
    by.into_iter().filter_map(part).collect()
}

/// Pieces of traffic, each with the endpoints that certainly and possibly may send or receive it,
/// turned around: the endpoints by the traffic between the same bounds, nothing left out.
pub(crate) fn by_allowed(
    pieces: &[(&EndpointSet, &EndpointSet, &TrafficSet)],
) -> BTreeMap<Allowed, EndpointSet> {
    let empty = EndpointSet::empty();
    let mut sets: Vec<&EndpointSet> = Vec::with_capacity(2 * pieces.len());
    for (must, may, _) in pieces {
        // a set that serves as both bounds is cut once
        sets.extend([*must, if must == may { &empty } else { *may }]);
    }
    let mut by: BTreeMap<Allowed, Vec<EndpointSet>> = BTreeMap::new();
    for (endpoints, members) in partition(&sets) {
        let mut allowed = Allowed::nothing();
        for (i, (.., traffic)) in pieces.iter().enumerate() {
            if members.contains(2 * i) {
                allowed.must = allowed.must.union(traffic);
            } else if members.contains(2 * i + 1) {
                allowed.may = allowed.may.union(traffic);
            }
        }
        allowed.may = allowed.may.union(&allowed.must);
        by.entry(allowed).or_default().push(endpoints);
    }
    by.into_iter()
        .map(|(allowed, sets)| (allowed, EndpointSet::union_of(&sets)))
        .collect()
}

impl AllowGraph {
    /// Everything that may reach one place of the line, grouped by source. Sources that may send
    /// nothing are left out.
    pub fn row(&self, destination: EndpointIx) -> Vec<SourcesTraffic> {
        self.parts(destination, true)
    }

    /// Everything a place admits on the way in, whether or not the sources' own policies let it
    /// out.
    pub fn admits(&self, destination: EndpointIx) -> Vec<SourcesTraffic> {
        self.parts(destination, false)
    }

    fn parts(&self, destination: EndpointIx, egress: bool) -> Vec<SourcesTraffic> {
        let own: Vec<(EndpointIx, Arc<Allowed>)> = self
            .own_node_sources(destination, egress)
            .into_iter()
            .map(|(source, near)| {
                (
                    source,
                    self.between(source, destination, egress, near).into(),
                )
            })
            .collect();
        with_own(&self.shared_parts(destination, egress, None), &own)
    }

    /// [`Self::row`] (or, without egress, [`Self::admits`]) without the own node (S55): the same
    /// for all destinations of a template. Of all sources, or of those among these.
    pub(crate) fn shared_parts(
        &self,
        destination: EndpointIx,
        egress: bool,
        among: Option<&EndpointSet>,
    ) -> Vec<SourcesTraffic> {
        let pieces = self.sides(destination, egress, among);
        let pieces: Vec<_> = pieces
            .iter()
            .map(|p| (&*p.sources.must, &*p.sources.may, &p.traffic))
            .collect();
        let by_allowed = by_allowed(&pieces).into_iter();
        by_allowed
            .map(|(allowed, sources)| SourcesTraffic { sources, allowed })
            .collect()
    }

    /// Everything that may reach one place of the line, grouped by traffic, without the own node
    /// (S55).
    pub fn pieces(&self, destination: EndpointIx) -> Vec<TrafficSources> {
        self.sides(destination, true, None)
    }

    /// [`Self::pieces`], of sources among these only.
    pub(crate) fn pieces_among(
        &self,
        destination: EndpointIx,
        among: &EndpointSet,
    ) -> Vec<TrafficSources> {
        self.sides(destination, true, Some(among))
    }

    fn sides(
        &self,
        destination: EndpointIx,
        egress: bool,
        among: Option<&EndpointSet>,
    ) -> Vec<TrafficSources> {
        let open = EffectivePolicy::default();
        let effective = if self.may_be_governed(destination) {
            self.effective_policy(destination, Direction::Ingress)
        } else {
            &open
        };
        let seen = self.egress_index().seen(&self.peers, destination);
        let cut = TrafficCut::new(self, destination, effective, &seen);
        let scenarios = self.distinct_scenarios(destination, effective, &seen);
        let mut pieces: IndexMap<EndpointBounds, TrafficSet> = IndexMap::default();
        for (traffic, members) in &cut.parts {
            let decide = |scenario: usize| {
                let hidden = self.hidden(destination, scenario);
                let covers = |ports: PortSetIx| cut.covers(members, ports, hidden);
                let rules = cut.covering(&cut.rules, members, hidden);
                let entering = self.ingress_sources(&IngressQuery {
                    destination,
                    effective,
                    scenario,
                    rules: &rules,
                    covers: &covers,
                    among,
                });
                if !egress || entering.may.is_empty() {
                    return entering;
                }
                let seen = cut.covering(&cut.groups, members, hidden);
                let egress_sources = EgressQuery {
                    destination,
                    seen: &seen,
                    scenario,
                    covers: &covers,
                };
                let egress_index = self.egress_sources(&egress_sources, &entering.may);
                if entering.is_exact() {
                    return egress_index;
                }
                EndpointBounds {
                    must: Arc::new(egress_index.must.intersection(&entering.must)),
                    may: egress_index.may,
                }
            };
            let total = self.combined(destination, &scenarios, decide);
            if total.may.is_empty() {
                continue;
            }
            match pieces.get_mut(&total) {
                Some(so_far) => *so_far = so_far.union(traffic),
                None => drop(pieces.insert(total, traffic.clone())),
            }
        }
        let pieces = pieces.into_iter();
        pieces
            .map(|(sources, traffic)| TrafficSources { traffic, sources })
            .collect()
    }

    /// Of the places asked about, those the destination's ingress surely lets in, and those it may.
    fn ingress_sources(&self, ask: &IngressQuery<'_>) -> EndpointBounds {
        let IngressQuery {
            destination,
            effective,
            scenario,
            rules,
            covers,
            among,
        } = *ask;
        let additive = effective.additive().flatten();
        let isolated = additive.is_some_and(|tier| tier.isolated == Truth::Yes);
        if isolated && !self.hidden(destination, scenario) {
            let mut matched: Vec<&EndpointBounds> = rules
                .iter()
                .map(|r| self.matched(r.peers, scenario))
                .collect();
            let asked: Vec<EndpointBounds>;
            if let Some(among) = among {
                asked = matched.iter().map(|whole| whole.among(among)).collect();
                matched = asked.iter().collect();
            }
            let all = EndpointBounds::union_of(&matched);
            if rules.iter().all(|r| r.certain) {
                return all;
            }
            let must = rules
                .iter()
                .zip(&matched)
                .filter(|(r, _)| r.certain)
                .map(|(_, m)| &*m.must);
            return EndpointBounds {
                must: Arc::new(EndpointSet::union_of(must)),
                may: all.may,
            };
        }
        let walk = Walk {
            policies: &self.compiled.policies,
            direction: Direction::Ingress.index(),
            all: among.cloned().unwrap_or_else(|| self.space.full()),
            hit: |peers: PeerSetIx, ports: PortSetIx| {
                if !covers(ports) {
                    return Hit::owned(EndpointSet::empty(), EndpointSet::empty());
                }
                let matched = self.matched(peers, scenario);
                Hit::borrowed(&matched.must, &matched.may)
            },
            own_node: Hit::owned(EndpointSet::empty(), EndpointSet::empty()),
            subject_is_node: self.hidden(destination, scenario),
        };
        let all = EndpointBounds::from(walk.decide_with(effective, rules));
        if let Some(among) = among {
            all.among(among)
        } else {
            all
        }
    }

    /// For each view the first view that decides from the same sets.
    fn distinct_scenarios(
        &self,
        destination: EndpointIx,
        effective: &EffectivePolicy,
        seen: &[EgressRuleIx],
    ) -> Vec<usize> {
        let rules = effective.rules(&self.compiled.policies, Direction::Ingress);
        let ingress: Vec<PeerSetIx> = rules.map(|(peers, _)| peers).collect();
        let groups = seen.iter().map(|g| self.egress_index().rules[*g].peers);
        let egress: Vec<PeerSetIx> = groups
            .chain(self.egress_index().ordered_peers.iter().copied())
            .collect();
        let mode = |scenario: usize| self.space.scenarios[scenario].mode;
        let same = |a: usize, b: usize| {
            self.hidden(destination, a) == self.hidden(destination, b)
                && self.egress_index().same_scenarios(a, b, mode(a) == mode(b))
                && ingress
                    .iter()
                    .all(|p| self.matched(*p, a) == self.matched(*p, b))
                && egress
                    .iter()
                    .all(|p| self.same_truth(*p, destination, a, b))
        };
        let mut first: Vec<usize> = Vec::new();
        for scenario in 0..self.space.scenarios.len() {
            let known = (0..scenario)
                .find(|earlier| first[*earlier] == *earlier && same(*earlier, scenario));
            first.push(known.unwrap_or(scenario));
        }
        first
    }

    /// The views together: the best of the families (S65), what all behaviours agree on (S56).
    fn combined(
        &self,
        destination: EndpointIx,
        scenarios: &[usize],
        decide: impl Fn(usize) -> EndpointBounds,
    ) -> EndpointBounds {
        let common = self.common_families(destination);
        let mut decided: Vec<Option<EndpointBounds>> = vec![None; scenarios.len()];
        let mut of = |scenario: usize| {
            let first = scenarios[scenario];
            decided[first].get_or_insert_with(|| decide(first)).clone()
        };
        let mut total: Option<EndpointBounds> = None;
        let mut met = Vec::new();
        for mode in self.env.host_network_modes() {
            let [four, six] = Family::ALL.map(|family| self.scenario(*mode, family));
            let alike = [scenarios[four], scenarios[six]];
            if met.contains(&alike) {
                continue; // decides as the behaviour before
            }
            met.push(alike);
            let best = if alike[0] == alike[1] || common.is_unused(Family::V6) {
                common.alike(of(four))
            } else if common.is_unused(Family::V4) {
                common.alike(of(six))
            } else {
                common.combine(&of(four), &of(six))
            };
            total = Some(match total {
                None => best,
                Some(so_far) => EndpointBounds::of(
                    so_far.must.intersection(&best.must),
                    so_far.may.union(&best.may),
                ),
            });
        }
        total.unwrap_or_default()
    }

    /// The sources that have, or may have, an address family in common with a destination (S65).
    pub(crate) fn connected_sources(&self, destination: EndpointIx) -> &EndpointSet {
        self.common_families(destination).possibly()
    }

    /// How many pods there are at these places. O(ranges).
    pub fn pods_at(&self, places: &EndpointSet) -> u64 {
        let before = |class: EndpointIx| self.space.classes.pods_before(class);
        let behind = |last: EndpointIx| last.next().unwrap_or(last);
        places
            .ranges()
            .map(|(first, last)| before(behind(last)) - before(first))
            .sum()
    }

    /// How many ordered pairs of pods have some traffic that surely passes, and how many some that
    /// may. The own node is not counted, and a pod with itself counts as a pair. Exact per port
    /// underneath: the matrix, one template at a time.
    pub fn count_pairs(&self) -> (u64, u64) {
        let mut total = (0, 0);
        for template in self.destination_classes() {
            let Some(first) = template
                .destinations
                .first()
                .filter(|d| self.space.is_class(**d))
            else {
                continue;
            };
            let pieces = self.pieces(*first);
            let must = EndpointSet::union_of(pieces.iter().map(|p| &*p.sources.must));
            let all = EndpointSet::union_of(pieces.iter().map(|p| &*p.sources.may));
            let pods: u64 = template
                .destinations
                .iter()
                .map(|d| self.pods_at(&EndpointSet::point(*d)))
                .sum();
            total = (
                total.0 + pods * self.pods_at(&must),
                total.1 + pods * self.pods_at(&all),
            );
        }
        total
    }
}
