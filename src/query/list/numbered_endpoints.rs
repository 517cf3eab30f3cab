//! [`NumberedEndpoints`]: a numbered list of endpoints that answers which of some endpoints comes
//! first.
//!
//! Invariant: an endpoint that is listed several times counts at its first position. Cost: linear
//! to build; a look-up scans the list or the endpoints, whichever is expected to be faster.

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointSet;
use crate::set::hashed::HashMap;

/// Indices of the endpoint space, each with its number in a list.
#[derive(Debug, Default)]
pub struct NumberedEndpoints {
    /// The indices and their numbers, in order.
    pub list: Vec<(EndpointIx, usize)>,
    /// The indices.
    pub indices: EndpointSet,
    number_of: HashMap<EndpointIx, usize>,
}

impl NumberedEndpoints {
    /// Creates it from indices and their numbers, in order.
    pub fn new(list: Vec<(EndpointIx, usize)>) -> Self {
        let indices = list.iter().map(|(index, _)| *index).collect();
        let mut number_of = HashMap::default();
        list.iter()
            .for_each(|(index, number)| _ = number_of.entry(*index).or_insert(*number));
        Self {
            list,
            indices,
            number_of,
        }
    }

    /// The index that has a number.
    pub fn number_at(&self, number: usize) -> Option<EndpointIx> {
        let position = self
            .list
            .binary_search_by_key(&number, |(_, number)| *number)
            .ok()?;
        Some(self.list[position].0)
    }

    /// The number of the first of some indices. O(square root of the length of the list), unless
    /// the order of the list correlates with the indices.
    pub fn earliest(&self, indices: &EndpointSet) -> Option<usize> {
        let count = usize::try_from(indices.count()).unwrap_or(usize::MAX);
        if count.saturating_mul(count) > self.list.len() {
            return self
                .list
                .iter()
                .find(|(index, _)| indices.contains(*index))
                .map(|(_, number)| *number);
        }
        indices
            .points()
            .filter_map(|index| self.number_of.get(&index).copied())
            .min()
    }
}
