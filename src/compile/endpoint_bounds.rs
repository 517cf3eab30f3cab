//! [`EndpointBounds`]: the endpoints that certainly match, and those that may.
//!
//! Invariant: the first set is a part of the second. Where nothing is unknown both are one set in
//! memory, so that they are compared and hashed at the cost of one; that they are equal is decided
//! by the sets alone.

use crate::compile::endpoint_index::{EndpointIx, EndpointSet};
use crate::model::Truth;
use crate::set::Bounds;
use std::sync::Arc;

/// The endpoints that certainly match, and those that may.
pub type EndpointBounds = Bounds<Arc<EndpointSet>>;

impl From<Bounds<EndpointSet>> for EndpointBounds {
    fn from(bounds: Bounds<EndpointSet>) -> Self {
        if bounds.must == bounds.may {
            return Self::exactly(bounds.may);
        }
        Self::of(bounds.must, bounds.may)
    }
}

impl EndpointBounds {
    /// From both sets.
    pub fn of(must: EndpointSet, may: EndpointSet) -> Self {
        Self {
            must: Arc::new(must),
            may: Arc::new(may),
        }
    }

    /// Where nothing is unknown.
    pub fn exactly(set: EndpointSet) -> Self {
        Self::exact(Arc::new(set))
    }

    /// From the numbers that certainly match and those that only may.
    pub fn from_lists(must: Vec<EndpointIx>, may: Vec<EndpointIx>) -> Self {
        Self::from_parts(must.into_iter().collect(), &may.into_iter().collect())
    }

    /// From what certainly matches and what only may.
    pub fn from_parts(must: EndpointSet, unknown: &EndpointSet) -> Self {
        if unknown.is_empty() {
            return Self::exactly(must);
        }
        let may = must.union(unknown);
        Self::of(must, may)
    }

    /// Either of the two.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        Self::union_of(&[self, other])
    }

    /// Any of these.
    pub fn union_of(all: &[&Self]) -> Self {
        match all {
            [] => return Self::default(),
            [only] => return (*only).clone(),
            _ => {}
        }
        let may = EndpointSet::union_of(all.iter().map(|m| &*m.may));
        if all.iter().all(|m| m.is_shared()) {
            return Self::exactly(may);
        }
        Self::of(EndpointSet::union_of(all.iter().map(|m| &*m.must)), may)
    }

    /// What is left without these.
    #[must_use]
    pub fn without(&self, hidden: &EndpointSet) -> Self {
        if hidden.is_disjoint(&self.may) {
            return self.clone();
        }
        self.map(|set| set.difference(hidden))
    }

    /// What is in these too.
    #[must_use]
    pub fn among(&self, endpoints: &EndpointSet) -> Self {
        self.map(|set| set.intersection(endpoints))
    }

    /// What is in both.
    #[must_use]
    pub fn both(&self, other: &Self) -> Self {
        if other.is_shared() {
            return self.among(&other.may);
        }
        let must = self.must.intersection(&other.must);
        Self::of(must, self.may.intersection(&other.may))
    }

    /// What neither certainly nor possibly matches, of everything there is.
    #[must_use]
    pub fn complement(&self, full: &EndpointSet) -> Self {
        if self.is_shared() {
            return Self::exactly(full.difference(&self.may));
        }
        Self::of(full.difference(&self.may), full.difference(&self.must))
    }

    /// The same without any certainty.
    #[must_use]
    pub fn possibly(&self) -> Self {
        Self {
            must: Arc::default(),
            may: Arc::clone(&self.may),
        }
    }

    /// Whether nothing is unknown.
    pub fn is_exact(&self) -> bool {
        self.is_shared() || self.must == self.may
    }

    /// The truth for one class or atom.
    pub fn truth(&self, at: EndpointIx) -> Truth {
        if self.must.contains(at) {
            Truth::Yes
        } else if self.may.contains(at) {
            Truth::Maybe
        } else {
            Truth::No
        }
    }

    fn is_shared(&self) -> bool {
        Arc::ptr_eq(&self.must, &self.may)
    }

    /// Both sets changed alike; one that serves as both is changed once.
    fn map(&self, change: impl Fn(&EndpointSet) -> EndpointSet) -> Self {
        if self.is_shared() {
            return Self::exactly(change(&self.may));
        }
        Self::of(change(&self.must), change(&self.may))
    }
}
