//! Which sources have an address family in common with a destination, over all sources at once
//! (S65).
//!
//! [`FamilyUse`] says of one pair how the decisions of the two families make the decision of the
//! connection. [`CommonFamilies`] sorts all places of the line by that answer for one kind of
//! destination, so that a row is made from the rows of both families with a few set operations.
//!
//! Invariant: [`CommonFamilies::combine`] decides for each source what [`FamilyUse::decide`]
//! decides for the pair. Cost: O(places) once for each kind of destination, of which there are
//! sixteen at most; then O(ranges) for a row, and nothing where every source has every family.

use crate::compile::endpoint_index::{EndpointIx, EndpointSet};
use crate::compile::peer_sets::EndpointBounds;
use crate::set::{Bounds, Family};
use crate::spec::address_families::FamilyUse;

/// The sources of one kind of destination, by the families of a connection.
#[derive(Debug, Default)]
pub(crate) struct CommonFamilies {
    /// Which sources can use each family, surely.
    best: [EndpointSet; 2],
    /// Which use one of the two or the better one, and it is not told which.
    one_of: EndpointSet,
    /// Which may be able to use each family, and do not surely pass.
    perhaps: [EndpointSet; 2],
    /// Which have some family in common with the destination, surely.
    surely: EndpointSet,
    /// Which may have.
    possibly: EndpointSet,
    /// Whether it is told of every source.
    told: bool,
    /// Whether all sources surely have.
    everyone: bool,
}

impl CommonFamilies {
    pub(crate) fn new(uses: impl Iterator<Item = (EndpointIx, FamilyUse)>) -> Self {
        let mut best: [Vec<EndpointIx>; 2] = Default::default();
        let mut perhaps: [Vec<EndpointIx>; 2] = Default::default();
        let (mut one_of, mut places) = (Vec::new(), 0);
        for (place, connection) in uses {
            places += 1;
            match connection {
                FamilyUse::Best(families) => families
                    .iter()
                    .for_each(|family| best[family.index()].push(place)),
                FamilyUse::OneOf => one_of.push(place),
                FamilyUse::Perhaps(family) => perhaps[family.index()].push(place),
                FamilyUse::Doubted(families) => families
                    .iter()
                    .for_each(|family| perhaps[family.index()].push(place)),
            }
        }
        let set = |list: Vec<EndpointIx>| list.into_iter().collect::<EndpointSet>();
        let (best, perhaps, one_of) = (best.map(set), perhaps.map(set), set(one_of));
        let surely = best[0].union(&best[1]).union(&one_of);
        let possibly = surely.union(&perhaps[0]).union(&perhaps[1]);
        let everyone = surely.count() == places;
        Self {
            best,
            one_of,
            perhaps,
            told: surely == possibly,
            surely,
            possibly,
            everyone,
        }
    }

    /// The sources that have, or may have, some family in common with the destination.
    pub(crate) fn possibly(&self) -> &EndpointSet {
        &self.possibly
    }

    /// Whether no source can use a family.
    pub(crate) fn is_unused(&self, family: Family) -> bool {
        let at = family.index();
        self.one_of.is_empty() && self.best[at].is_empty() && self.perhaps[at].is_empty()
    }

    /// The sources of a destination for which both families decide alike.
    pub(crate) fn alike(&self, decided: EndpointBounds) -> EndpointBounds {
        if self.everyone {
            return decided;
        }
        if self.told && decided.is_exact() {
            return EndpointBounds::exactly(decided.may.intersection(&self.surely));
        }
        Bounds::from(Bounds {
            must: decided.must.intersection(&self.surely),
            may: decided.may.intersection(&self.possibly),
        })
    }

    /// The sources of a destination, from what each family decides.
    pub(crate) fn combine(&self, four: &EndpointBounds, six: &EndpointBounds) -> EndpointBounds {
        let families = [(Family::V4, four), (Family::V6, six)];
        let [four_alone, six_alone] = families.map(|(family, decided)| self.alone(family, decided));
        let mut total = four_alone.or(&six_alone);
        if !self.one_of.is_empty() {
            let both = four.must.intersection(&six.must);
            total.must = total.must.union(&both.intersection(&self.one_of));
        }
        Bounds::from(total)
    }

    /// What one family makes of the sources that can use it.
    fn alone(&self, family: Family, decided: &EndpointBounds) -> Bounds<EndpointSet> {
        let at = family.index();
        let usable = self.best[at].union(&self.one_of).union(&self.perhaps[at]);
        Bounds {
            must: decided.must.intersection(&self.best[at]),
            may: decided.may.intersection(&usable),
        }
    }

    /// [`Self::alike`] for one bound only: what surely passes, or what may.
    pub(crate) fn alike_only(&self, sources: EndpointSet, sure: bool) -> EndpointSet {
        match (self.everyone, sure) {
            (true, _) => sources,
            (false, true) => sources.intersection(&self.surely),
            (false, false) => sources.intersection(&self.possibly),
        }
    }

    /// [`Self::combine`] for one bound only.
    pub(crate) fn combine_only(
        &self,
        four: EndpointSet,
        six: EndpointSet,
        sure: bool,
    ) -> EndpointSet {
        let exact = [four, six].map(EndpointBounds::exactly);
        let both = self.combine(&exact[0], &exact[1]);
        std::sync::Arc::unwrap_or_clone(if sure { both.must } else { both.may })
    }
}
