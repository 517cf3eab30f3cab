//! The values that a selector leaves to each label: which label sets it can select at all.
//!
//! Per key, the label sets that meet all requirements form a set of values plus "absent", with
//! infinitely many other values. A selector whose requirements contradict each other (`env` is
//! `prod`, and is not) selects nothing, whatever the labels are that nobody told; containment of
//! selectors ([`crate::lint`]) is decided by the same sets. Cost: O(requirements), without
//! allocating where each key is asked about once.

use crate::model::labels::{Labels, Requirement, Selector, Truth};
use std::collections::{BTreeMap, BTreeSet};

/// The values that a selector allows for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Values<'a> {
    /// Whether the key may be absent.
    absent: bool,
    /// The values that it may have, or that it may not have.
    list: BTreeSet<&'a str>,
    /// Whether `list` holds the values that it may not have.
    except: bool,
}

impl<'a> Values<'a> {
    pub(crate) fn any() -> Self {
        Self {
            absent: true,
            list: BTreeSet::new(),
            except: true,
        }
    }

    pub(crate) fn of(requirement: &'a Requirement) -> Self {
        let list = requirement.values().iter().map(|v| &**v).collect();
        match requirement {
            Requirement::In(..) => Self {
                absent: false,
                list,
                except: false,
            },
            Requirement::NotIn(..) => Self {
                absent: true,
                list,
                except: true,
            },
            Requirement::Exists(_) => Self {
                absent: false,
                list: BTreeSet::new(),
                except: true,
            },
            Requirement::DoesNotExist(_) => Self {
                absent: true,
                list: BTreeSet::new(),
                except: false,
            },
            Requirement::Like(..) | Requirement::AnyOf(_) | Requirement::Not(_) => Self::any(),
        }
    }

    pub(crate) fn and(&self, other: &Self) -> Self {
        let list = match (self.except, other.except) {
            (true, true) => self.list.union(&other.list).copied().collect(),
            (false, true) => self.list.difference(&other.list).copied().collect(),
            (true, false) => other.list.difference(&self.list).copied().collect(),
            (false, false) => self.list.intersection(&other.list).copied().collect(),
        };
        Self {
            absent: self.absent && other.absent,
            list,
            except: self.except && other.except,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.absent && !self.except && self.list.is_empty()
    }

    pub(crate) fn within(&self, other: &Self) -> bool {
        let values = match (self.except, other.except) {
            (true, false) => false,
            (true, true) => other.list.is_subset(&self.list),
            (false, true) => self.list.is_disjoint(&other.list),
            (false, false) => self.list.is_subset(&other.list),
        };
        values && (!self.absent || other.absent)
    }
}

/// The values that a selector allows, for each key it asks about.
pub(crate) fn by_key(selector: &Selector) -> BTreeMap<&str, Values<'_>> {
    let mut keys: BTreeMap<&str, Values<'_>> = BTreeMap::new();
    for requirement in selector.requirements().iter().filter(|r| !is_formula(r)) {
        let values = keys.entry(requirement.key()).or_insert_with(Values::any);
        *values = values.and(&Values::of(requirement));
    }
    keys
}

/// Whether a requirement is more than a list of values of one key; containment then only knows that
/// it contains itself.
pub(crate) fn is_formula(requirement: &Requirement) -> bool {
    matches!(
        requirement,
        Requirement::Like(..) | Requirement::AnyOf(_) | Requirement::Not(_)
    )
}

/// Whether each requirement is the only one about its key, as in nearly all selectors.
pub(crate) fn is_plain(selector: &Selector) -> bool {
    let list = selector.requirements();
    list.len() <= 8
        && !list.iter().any(is_formula)
        && list
            .iter()
            .enumerate()
            .all(|(i, r)| list[..i].iter().all(|other| other.key() != r.key()))
}

impl Selector {
    /// Whether a label set of which only some labels may be known is selected. With `complete` this
    /// is [`Self::matches`]; without, a key that is not among the known ones makes its requirement
    /// unknown, unless the requirements contradict each other.
    pub fn matches_known(&self, labels: &Labels, complete: bool) -> Truth {
        let truths = self
            .requirements()
            .iter()
            .map(|r| r.matches_known(labels, complete));
        match truths.min().unwrap_or(Truth::Yes) {
            Truth::Maybe if self.is_contradictory() => Truth::No,
            truth => truth,
        }
    }

    /// Whether no label set at all is selected: the requirements contradict each other.
    pub fn is_contradictory(&self) -> bool {
        if is_plain(self) {
            return self
                .requirements()
                .iter()
                .any(|r| matches!(r, Requirement::In(_, values) if values.is_empty()));
        }
        by_key(self).values().any(Values::is_empty)
    }
}

impl Requirement {
    fn matches_known(&self, labels: &Labels, complete: bool) -> Truth {
        match self {
            Self::AnyOf(selectors) => selectors
                .iter()
                .map(|s| s.matches_known(labels, complete))
                .fold(Truth::No, Truth::or),
            Self::Not(selector) => selector.matches_known(labels, complete).not(),
            _ if complete || labels.get(self.key()).is_some() => Truth::from(self.matches(labels)),
            _ => Truth::Maybe,
        }
    }
}
