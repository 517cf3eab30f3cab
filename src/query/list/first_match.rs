//! [`FirstMatch`]: places in the order in which they were named, and which of some comes first.

use crate::compile::peer_sets::EndpointSet;
use crate::set::hashed::HashMap;

/// Places of the line, each with its number in a list. A place that is named several times counts
/// where it is named first.
#[derive(Debug, Default)]
pub struct FirstMatch {
    /// The places and their numbers, in order.
    pub list: Vec<(u32, usize)>,
    /// The places.
    pub places: EndpointSet,
    at: HashMap<u32, usize>,
}

impl FirstMatch {
    /// From places and their numbers, in order.
    pub fn new(list: Vec<(u32, usize)>) -> Self {
        let places = list.iter().map(|(place, _)| *place..=*place).collect();
        let mut at = HashMap::default();
        list.iter()
            .for_each(|(place, number)| _ = at.entry(*place).or_insert(*number));
        Self { list, places, at }
    }

    /// The place of a number.
    pub fn number_at(&self, number: usize) -> Option<u32> {
        let at = self
            .list
            .binary_search_by_key(&number, |(_, number)| *number)
            .ok()?;
        Some(self.list[at].0)
    }

    /// The number of the first of these places. O(square root of the list), if its order says
    /// nothing of them.
    pub fn earliest(&self, places: &EndpointSet) -> Option<usize> {
        let many = usize::try_from(places.count()).unwrap_or(usize::MAX);
        if many.saturating_mul(many) > self.list.len() {
            return self
                .list
                .iter()
                .find(|(place, _)| places.contains(*place))
                .map(|(_, number)| *number);
        }
        places
            .points()
            .filter_map(|place| self.at.get(&place).copied())
            .min()
    }
}
