//! Kinds of pods in words: the fewest that say which they are.
//!
//! A set is put together of what the policies themselves ask for ([`crate::potential::phrases`]),
//! the widest first, as long as all that is meant by it is in the set. What is left is named by the
//! labels of the pod that stands for the kind, once for all namespaces where it is in the set.

use crate::model::labels::is_for_people;
use crate::model::{Labels, NAMESPACE_NAME_LABEL};
use crate::potential::kinds::pairs;
use crate::potential::pods::{PodKind, PotentialPods};
use std::collections::{BTreeMap, BTreeSet};

impl PotentialPods {
    /// Some of the kinds, each part as a phrase: the widest first.
    pub fn words(&self, kinds: &BTreeSet<usize>) -> Vec<String> {
        self.words_among(kinds, |_| true)
    }

    /// [`Self::words`] where only some of the kinds are spoken about: of the others something else
    /// says the same. A phrase is used only if all that it is about is among the kinds; a kind that
    /// fares otherwise is never part of "any other pod".
    pub fn words_among(
        &self,
        kinds: &BTreeSet<usize>,
        spoken_about: impl Fn(usize) -> bool,
    ) -> Vec<String> {
        let spoken = kinds.iter().copied().filter(|kind| spoken_about(*kind));
        let mut left: BTreeSet<usize> = spoken.collect();
        let mut found = Vec::new();
        for phrase in self.phrases() {
            if left.is_empty() {
                break;
            }
            let meant = || phrase.kinds.iter();
            let is_true = || {
                let mut all = meant().chain(&phrase.touched);
                all.all(|kind| kinds.contains(kind))
            };
            if is_true() && meant().any(|kind| left.contains(kind)) {
                let whole = meant().all(|kind| spoken_about(*kind));
                meant().for_each(|kind| _ = left.remove(kind));
                found.push(if whole {
                    phrase.text.clone()
                } else {
                    phrase.others.clone()
                });
            }
        }
        found.extend(self.by_labels(&left, kinds));
        found
    }

    /// What no phrase says, by the labels of the pods; `all` are those of which the same is said.
    fn by_labels(&self, kinds: &BTreeSet<usize>, all: &BTreeSet<usize>) -> Vec<String> {
        let mut by_labels: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for kind in kinds.iter().map(|kind| &self.kinds[*kind]) {
            let text = pods(&kind.labels) + &self.lacking(kind, all);
            let place = by_labels.entry(text).or_default();
            place.push(kind.namespace);
        }
        let phrases = by_labels.into_iter().flat_map(|(labels, namespaces)| {
            let places = self.places(&namespaces).into_iter();
            places
                .map(move |place| format!("{labels} {place}"))
                .collect::<Vec<_>>()
        });
        phrases.collect()
    }

    /// The labels that pods of a kind lack, as far as pods that have them besides fare otherwise:
    /// `,!tier`.
    fn lacking(&self, kind: &PodKind, all: &BTreeSet<usize>) -> String {
        if kind.labels.is_empty() {
            return String::new();
        }
        let has = |other: &PodKind| {
            let mut own = kind.labels.iter();
            own.all(|(key, value)| other.labels.get(key) == Some(value))
        };
        let others = self.kinds.iter().enumerate();
        let others = others.filter(|(i, other)| {
            other.namespace == kind.namespace && !all.contains(i) && has(other)
        });
        let lacks = |key: &&str| kind.labels.get(key).is_none() && is_for_people(key);
        let keys = others.flat_map(|(_, other)| other.labels.iter().map(|(key, _)| key));
        let keys: BTreeSet<&str> = keys.filter(lacks).collect();
        keys.into_iter()
            .fold(String::new(), |so_far, key| so_far + ",!" + key)
    }

    /// A name for each kind, told apart from every other: "pods app=web".
    pub(crate) fn names(&self) -> Vec<String> {
        let mut seen: BTreeMap<(&str, String), usize> = BTreeMap::new();
        let mut names = Vec::new();
        for kind in &self.kinds {
            let name = self.name(kind);
            let space = &*self.namespaces[kind.namespace].name;
            let again = seen.entry((space, name.clone())).or_default();
            *again += 1;
            names.push(if *again > 1 {
                format!("{name} ({again})")
            } else {
                name
            });
        }
        names
    }

    fn name(&self, kind: &PodKind) -> String {
        let namespace = &self.namespaces[kind.namespace];
        let here = self.kinds.iter().filter(|k| k.namespace == kind.namespace);
        let name = if here.count() == 1 && kind.labels.is_empty() {
            "any pod".to_owned()
        } else {
            pods(&kind.labels)
        };
        let called = self.namespaces.iter().filter(|n| n.name == namespace.name);
        if called.count() > 1 {
            format!(
                "{name} if the namespace is {}",
                labelled(&namespace.labels[1])
            )
        } else {
            name
        }
    }

    /// Some namespaces, each as a phrase: "in namespace shop", "of any other namespace".
    fn places(&self, namespaces: &[usize]) -> Vec<String> {
        let any = |i: &usize| self.namespaces[*i].any;
        let others = self.namespaces.iter().filter(|n| n.any).count();
        let meant: Vec<&usize> = namespaces.iter().filter(|i| any(i)).collect();
        let mut found = Vec::new();
        if meant.len() == others && others > 0 {
            found.push("of any other namespace".to_owned());
        } else {
            let of = |i: &&usize| {
                format!(
                    "of other namespaces {}",
                    labelled(&self.namespaces[**i].labels[1])
                )
            };
            found.extend(meant.iter().map(of));
        }
        let mut named: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for i in namespaces.iter().filter(|i| !any(i)) {
            named.entry(&self.namespaces[*i].name).or_default().push(*i);
        }
        for (name, list) in named {
            let of_name = self
                .namespaces
                .iter()
                .filter(|n| *n.name == *name && !n.any)
                .count();
            if list.len() == of_name {
                found.push(format!("in namespace {name}"));
                continue;
            }
            let with = |i: &usize| labelled(&self.namespaces[*i].labels[1]);
            found.extend(
                list.iter()
                    .map(|i| format!("in namespace {name}, if it is {}", with(i))),
            );
        }
        found
    }
}

/// The pods of a kind by their labels.
fn pods(labels: &Labels) -> String {
    let text = pairs(labels.iter());
    if text.is_empty() {
        "other pods".to_owned()
    } else {
        format!("pods {text}")
    }
}

/// The labels of a namespace besides its name.
fn labelled(labels: &Labels) -> String {
    let others = labels
        .iter()
        .filter(|(key, _)| *key != NAMESPACE_NAME_LABEL);
    let text = pairs(others);
    if text.is_empty() {
        "without the labels that rules ask for".to_owned()
    } else {
        text
    }
}
