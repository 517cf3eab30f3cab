//! Destination classes: the destinations that the same sources may send the same to.
//!
//! All that the pieces of a destination depend on is its [`DestinationClassKey`]; destinations of
//! equal keys are asked once, and only their own nodes (S55) are added one by one. Cost: O(places x
//! groups seen), once for a graph.

use crate::compile::classes::PortTableIx;
use crate::compile::compiled_policy::EgressRuleIx;
use crate::compile::effective_policy::EffectiveIx;
use crate::compile::endpoint_index::EndpointIx;
use crate::graph::allow_graph::AllowGraph;
use crate::graph::for_rows::{DestinationClassIx, DestinationClasses};
use crate::policy::Direction;
use crate::set::hashed::{HashMap, room_for};
use crate::set::{Ix, Table};
use crate::spec::EndFamilies;

/// All that the pieces of a destination depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DestinationClassKey {
    /// What decides the way in; none for addresses that nothing governs.
    ingress: Option<EffectiveIx>,
    ports: Option<PortTableIx>,
    host: bool,
    families: EndFamilies,
    policed: bool,
    seen: Vec<EgressRuleIx>,
    truths: Vec<u8>,
}

/// Destinations that the same sources may send the same to, apart from their own nodes (S55).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationClass {
    /// Places of the line, sorted.
    pub destinations: Vec<EndpointIx>,
}

impl AllowGraph {
    /// Groups all places of the line by their pieces, in order of their first place.
    pub fn destination_classes(&self) -> Vec<DestinationClass> {
        let numbers = self.destination_class_numbers();
        let mut templates = vec![
            DestinationClass {
                destinations: Vec::new()
            };
            numbers.firsts.len()
        ];
        for (place, template) in numbers.of_place.enumerated() {
            templates[template.index()].destinations.push(place);
        }
        templates
    }

    /// The number of a place's template: equal numbers, equal rows but for own nodes.
    pub(crate) fn destination_class_of(&self, place: EndpointIx) -> DestinationClassIx {
        self.destination_class_numbers().of_place[place]
    }

    /// The templates by number; made once. O(places x groups seen).
    pub(crate) fn destination_class_numbers(&self) -> &DestinationClasses {
        self.for_rows.destination_classes.get_or_init(|| {
            let room = self.compiled.effective.len();
            let mut found: HashMap<DestinationClassKey, DestinationClassIx> = room_for(room);
            let mut numbers = DestinationClasses::default();
            let firsts = &mut numbers.firsts;
            numbers.of_place = Table::first(self.space.len(), |place| {
                let next = DestinationClassIx::bounded(firsts.len());
                let key = self.destination_class_key(place);
                let template = *found.entry(key).or_insert(next);
                if template == next {
                    firsts.push(place);
                }
                template
            });
            numbers
        })
    }

    fn destination_class_key(&self, place: EndpointIx) -> DestinationClassKey {
        let seen = self.egress_index().seen(&self.peers, place);
        let groups = seen.iter().map(|g| &self.egress_index().rules[*g]);
        let doubtful = groups.filter(|group| !group.plain).map(|group| group.peers);
        let all = doubtful.chain(self.egress_index().ordered_peers.iter().copied());
        let truths = all
            .flat_map(|p| {
                let scenarios = self.peers[p].0.iter();
                scenarios.map(|m| m.truth(place) as u8)
            })
            .collect();
        let policed = self.space.is_policed(place, Direction::Ingress);
        if !self.space.is_class(place) {
            let families = self.space.end_families(place);
            let governed = self.governing(place, Direction::Ingress).is_some();
            let effective = self.governed_by(place, Direction::Ingress);
            return DestinationClassKey {
                ingress: governed.then(|| self.egress_index().contents[effective]),
                ports: None,
                host: false,
                families,
                policed,
                seen,
                truths,
            };
        }
        let class = &self.space.classes.list[place];
        let effective = self.governed_by(place, Direction::Ingress);
        DestinationClassKey {
            ingress: Some(self.egress_index().contents[effective]),
            ports: Some(class.ports),
            host: class.host,
            families: self.space.end_families(place),
            policed,
            seen,
            truths,
        }
    }
}
