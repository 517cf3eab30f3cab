//! How blocks of addresses fall into places, so that a picture has one internet and never
//! `0.0.0.0-255.255.255.255`.

use crate::picture::facts::PlaceKind;
use crate::set::IpSet;
use crate::words;

/// How blocks of addresses fall into places: one internet, private ranges apart from it only where
/// some flow distinguishes them, anything else by its blocks.
pub struct Splitting {
    together: bool,
}

fn covers(set: &IpSet, wanted: &IpSet) -> bool {
    wanted.v4.is_subset(&set.v4) || (set.v4.is_empty() && wanted.v6.is_subset(&set.v6))
}

/// Whether a set is most of the internet: some blocks may be cut out of it.
fn mostly_internet(set: &IpSet) -> bool {
    let inside = set.intersection(&IpSet::internet());
    inside.v4_count() > 1 << 31
}

impl Splitting {
    /// What some blocks of addresses tell apart.
    pub fn of<'a>(sets: impl IntoIterator<Item = &'a IpSet>) -> Self {
        let private = IpSet::private();
        let apart = |set: &IpSet| {
            let internet = covers(set, &IpSet::internet()) || mostly_internet(set);
            internet != covers(set, &private) && (internet || covers(set, &private))
        };
        Self {
            together: !sets.into_iter().any(apart),
        }
    }

    /// The places of a set, and whether only some of each is meant.
    pub fn places(&self, set: &IpSet) -> Vec<(PlaceKind, bool)> {
        let (internet, private) = (IpSet::internet(), IpSet::private());
        let mut places = Vec::new();
        let whole = covers(set, &internet);
        if whole || mostly_internet(set) {
            places.push((
                PlaceKind::Internet {
                    private: self.together,
                },
                !whole,
            ));
        }
        let has_private = covers(set, &private);
        if has_private && (places.is_empty() || !self.together) {
            places.push((PlaceKind::Private, false));
        }
        if places.is_empty() {
            places.push((PlaceKind::Blocks(words::addresses(set)), false));
        } else if !has_private {
            let rest = set.intersection(&private);
            if !rest.is_empty() {
                places.push((PlaceKind::Blocks(words::addresses(&rest)), false));
            }
        }
        places
    }
}
