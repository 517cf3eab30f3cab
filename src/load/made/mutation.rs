//! [`Mutation`]: labels that something changes when objects are admitted, and what that leaves of
//! the labels of the input.
//!
//! An object that is older than the rule keeps its labels, and the input does not tell the order:
//! a label that is set is there perhaps, one that is replaced has one value or the other. What
//! cannot be read that far leaves everything unknown that labels decide.

use crate::load::made::generated::is_like;
use crate::load::made::world::KnownNamespace;
use crate::model::open_labels::{at_run_time, is_open, perhaps};
use crate::model::{Labels, Selector, Truth};

/// Labels that something changes.
pub struct Mutation {
    /// Of which objects.
    pub of: MutatedObjects,
    /// The labels.
    pub changes: MutatedLabels,
    /// Where.
    pub places: Vec<MutatedPlace>,
    /// Where not, whatever else is said.
    pub spared: Vec<Box<str>>,
}

/// The labels that something changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MutatedLabels {
    /// These.
    These(Vec<LabelMutation>),
    /// It cannot be told which, or it is not labels alone.
    Untold,
}

/// The objects of which something changes labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MutatedObjects {
    /// Pods.
    Pods,
    /// Namespaces.
    Namespaces,
    /// Policies, of which it may change everything.
    Policies,
}

/// One place at which something changes labels.
#[derive(Default)]
pub struct MutatedPlace {
    /// Patterns of the names of namespaces; none for all.
    pub namespaces: Vec<Box<str>>,
    /// The labels of the namespaces.
    pub labelled: Selector,
    /// The labels of the objects.
    pub objects: Selector,
}

/// One label that something changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelMutation {
    /// Its key.
    pub key: Box<str>,
    /// What is done to it.
    pub to: LabelEffect,
    /// Whether a value that is there stays.
    pub only_if_absent: bool,
}

/// What is done to a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelEffect {
    /// It gets a value.
    Set(Box<str>),
    /// It gets a value that cannot be told.
    SetToAny,
    /// It is taken away.
    Remove,
}

impl Mutation {
    /// Whether labels of objects in a namespace may be changed, of objects with these labels.
    pub fn may_be_at(&self, space: &KnownNamespace, labels: &Labels) -> bool {
        let is_spared = self.spared.iter().any(|name| is_like(&space.name, name));
        let mut places = self.places.iter();
        !is_spared && places.any(|place| place.may_be(space, labels))
    }
}

impl MutatedPlace {
    fn may_be(&self, space: &KnownNamespace, labels: &Labels) -> bool {
        let mut names = self.namespaces.iter();
        let named = self.namespaces.is_empty() || names.any(|name| is_like(&space.name, name));
        named
            && space.selected_by(&self.labelled).possible()
            && self.objects.selects(labels) != Truth::No
    }
}

impl LabelMutation {
    /// The labels after the change, which may have been made or not.
    pub fn perhaps_made(&self, labels: &Labels) -> Labels {
        let known = labels.get(&self.key);
        let value = match (known, &self.to) {
            (Some(_), _) if self.only_if_absent => return labels.clone(),
            (None, LabelEffect::Remove) => return labels.clone(),
            (Some(known), _) if is_open(known) => perhaps(""),
            (Some(known), LabelEffect::Remove) => perhaps(known),
            (Some(known), LabelEffect::Set(value)) if *known == **value => return labels.clone(),
            (Some(known), LabelEffect::Set(value)) => at_run_time(&format!("{known}|{value}")),
            (Some(_), LabelEffect::SetToAny) => at_run_time(""),
            (None, LabelEffect::Set(value)) => perhaps(value),
            (None, LabelEffect::SetToAny) => perhaps(""),
        };
        let others = labels.iter().filter(|(key, _)| **key != *self.key);
        others.chain([(&*self.key, &*value)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_may_have_been_changed_has_both_values() {
        let labels: Labels = [("zone", "outer")].into_iter().collect();
        let set = |key: &str, only_if_absent| LabelMutation {
            key: key.into(),
            to: LabelEffect::Set("inner".into()),
            only_if_absent,
        };
        let of = |change: LabelMutation, value: &str| {
            let key = change.key.clone();
            Selector::label(&key, value).selects(&change.perhaps_made(&labels))
        };
        assert_eq!(of(set("zone", false), "inner"), Truth::Maybe);
        assert_eq!(of(set("zone", false), "outer"), Truth::Maybe);
        assert_eq!(of(set("zone", false), "third"), Truth::No);
        assert_eq!(of(set("zone", true), "outer"), Truth::Yes);
        assert_eq!(of(set("team", true), "inner"), Truth::Maybe);
        let removed = LabelMutation {
            to: LabelEffect::Remove,
            ..set("zone", false)
        };
        assert_eq!(of(removed, "outer"), Truth::Maybe);
    }
}
