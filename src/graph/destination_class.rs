//! Destination classes: the destinations that the same sources may send the same to.
//!
//! All that the pieces of a destination depend on is its [`DestinationClassKey`]; destinations of
//! equal keys are asked once, and only their own nodes (S55) are added one by one. Cost: O(places x
//! groups seen), once for a graph.

use crate::graph::allow_graph::AllowGraph;
use crate::graph::for_rows::DestinationClasses;
use crate::policy::Direction;
use crate::set::hashed::HashMap;
use crate::set::number;
use crate::spec::EndFamilies;

/// All that the pieces of a destination depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DestinationClassKey {
    ingress: u32,
    ports: u32,
    host: bool,
    families: EndFamilies,
    seen: Vec<u32>,
    truths: Vec<u8>,
}

/// Destinations that the same sources may send the same to, apart from their own nodes (S55).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationClass {
    /// Places of the line, sorted.
    pub destinations: Vec<u32>,
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
        for (place, template) in (0..).zip(&numbers.of_place) {
            templates[*template as usize].destinations.push(place);
        }
        templates
    }

    /// The number of a place's template: equal numbers, equal rows but for own nodes.
    pub(crate) fn destination_class_of(&self, place: u32) -> u32 {
        self.destination_class_numbers().of_place[place as usize]
    }

    /// The templates by number; made once. O(places x groups seen).
    pub(crate) fn destination_class_numbers(&self) -> &DestinationClasses {
        self.for_rows.destination_classes.get_or_init(|| {
            let mut found: HashMap<DestinationClassKey, u32> = HashMap::default();
            let mut numbers = DestinationClasses::default();
            for place in 0..self.space.len() {
                let next = number(numbers.firsts.len());
                let template = *found
                    .entry(self.destination_class_key(place))
                    .or_insert(next);
                if template == next {
                    numbers.firsts.push(place);
                }
                numbers.of_place.push(template);
            }
            numbers
        })
    }

    fn destination_class_key(&self, place: u32) -> DestinationClassKey {
        let seen = self.egress_index().seen(&self.peers, place);
        let groups = seen.iter().map(|g| &self.egress_index().rules[*g as usize]);
        let doubtful = groups.filter(|group| !group.plain).map(|group| group.peers);
        let all = doubtful.chain(self.egress_index().ordered_peers.iter().copied());
        let truths = all
            .flat_map(|p| {
                self.peers[p.0 as usize]
                    .0
                    .iter()
                    .map(|m| m.truth(place) as u8)
            })
            .collect();
        if !self.space.is_class(place) {
            let families = self.space.end_families(place);
            return DestinationClassKey {
                ingress: u32::MAX,
                ports: 0,
                host: false,
                families,
                seen,
                truths,
            };
        }
        let class = self.space.classes.get(place);
        let effective = self.governed_by(place, Direction::Ingress);
        DestinationClassKey {
            ingress: self.egress_index().contents[effective as usize],
            ports: class.ports,
            host: class.host,
            families: self.space.end_families(place),
            seen,
            truths,
        }
    }
}
