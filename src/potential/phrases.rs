//! What policies ask for, as phrases about kinds of pods: "pods app=web in namespace shop", "any
//! pod of namespaces team in (a, b)".
//!
//! Invariant: a phrase is about a kind iff the selectors it is made of select the kind's pod, so
//! that it means the same whatever other policies there are. Cost: O(selectors x kinds), once.

use crate::model::{NAMESPACE_NAME_LABEL, Requirement, Selector};
use crate::policy::Namespaces;
use crate::potential::namespaces::PotentialNamespace;
use crate::potential::phrase::Phrase;
use crate::potential::pods::{PodKind, PotentialPods, is_asked_in};
use std::collections::BTreeMap;

impl PotentialPods {
    /// Every phrase, the widest first.
    pub(crate) fn phrases(&self) -> &[Phrase] {
        self.phrases.get_or_init(|| {
            let mut by_text: BTreeMap<String, Phrase> = BTreeMap::new();
            let mut add = |phrase: Phrase| {
                if !phrase.kinds.is_empty() {
                    by_text.entry(phrase.text.clone()).or_insert(phrase);
                }
            };
            add(self.whole("of any namespace", |_| true));
            add(self.whole("of any other namespace", |namespace| namespace.any));
            for namespace in self.namespaces.iter().filter(|n| !n.any) {
                let name = &namespace.name;
                add(self.whole(&format!("in namespace {name}"), |n| {
                    !n.any && n.name == *name
                }));
            }
            for (namespaces, pods) in &self.asked {
                for pods in [
                    Some(pods.clone()),
                    Some(Selector::everything()),
                    negated(pods),
                ] {
                    for (place, matching) in places(namespaces) {
                        pods.iter()
                            .for_each(|pods| add(self.phrase(&place, &matching, pods)));
                    }
                }
            }
            let mut phrases: Vec<Phrase> = by_text.into_values().collect();
            phrases.sort_by_key(|phrase| (usize::MAX - phrase.kinds.len(), phrase.text.len()));
            phrases
        })
    }

    /// The kinds whose pods some selectors may select, in order.
    pub fn matching(&self, namespaces: &Namespaces, pods: &Selector) -> Vec<usize> {
        let places = places(namespaces);
        let place = places.first().map(|(_, selector)| selector);
        let meant = |namespace: &PotentialNamespace| {
            place.is_none_or(|place| place.matches(&namespace.labels[1]))
        };
        let meant: Vec<bool> = self.namespaces.iter().map(meant).collect();
        self.kinds_where(|kind| meant[kind.namespace] && pods.matches(&kind.labels))
    }

    /// The pods of a policy's subject in words.
    pub fn subject_words(namespaces: &Namespaces, pods: &Selector) -> String {
        let place = places(namespaces).into_iter().next();
        let place = place.map_or_else(|| "of some namespaces".to_owned(), |(words, _)| words);
        if pods.is_everything() {
            format!("any pod {place}")
        } else {
            format!("pods {} {place}", with(pods))
        }
    }

    fn whole(&self, place: &str, meant: impl Fn(&PotentialNamespace) -> bool) -> Phrase {
        self.made(place, &Selector::everything(), meant)
    }

    fn phrase(&self, place: &str, namespaces: &Selector, pods: &Selector) -> Phrase {
        self.made(place, pods, |namespace| {
            namespaces.matches(&namespace.labels[1])
        })
    }

    fn made(
        &self,
        place: &str,
        pods: &Selector,
        meant: impl Fn(&PotentialNamespace) -> bool,
    ) -> Phrase {
        let meant: Vec<bool> = self.namespaces.iter().map(meant).collect();
        let told: Vec<bool> = self
            .namespaces
            .iter()
            .map(|n| self.tells(n, pods))
            .collect();
        let (text, others) = if pods.is_everything() {
            ("any pod".to_owned(), "any other pod".to_owned())
        } else {
            let pods = with(pods);
            (format!("pods {pods}"), format!("other pods {pods}"))
        };
        Phrase {
            text: format!("{text} {place}"),
            others: format!("{others} {place}"),
            kinds: self.kinds_where(|kind| {
                meant[kind.namespace] && told[kind.namespace] && pods.matches(&kind.labels)
            }),
            touched: self.kinds_where(|kind| meant[kind.namespace] && !told[kind.namespace]),
        }
    }

    fn kinds_where(&self, holds: impl Fn(&PodKind) -> bool) -> Vec<usize> {
        let kinds = self.kinds.iter().enumerate();
        let kinds = kinds.filter(|(_, kind)| holds(kind));
        kinds.map(|(i, _)| i).collect()
    }

    /// Whether the kinds of a namespace tell pods apart that a selector selects: it is asked there,
    /// or its opposite.
    fn tells(&self, namespace: &PotentialNamespace, pods: &Selector) -> bool {
        let opposite = negated(pods);
        let is_it = |asked: &Selector| asked == pods || Some(asked) == opposite.as_ref();
        pods.is_everything()
            || self
                .asked
                .iter()
                .any(|(namespaces, asked)| is_it(asked) && is_asked_in(namespaces, namespace))
    }
}

/// A selector after the word that it is about: "pods app=web", "pods with label tier".
fn with(selector: &Selector) -> String {
    match selector.requirements() {
        [Requirement::Exists(key)] => format!("with label {key}"),
        [Requirement::DoesNotExist(key)] => format!("without label {key}"),
        _ => selector.to_string(),
    }
}

/// The opposite of a selector with one requirement.
fn negated(selector: &Selector) -> Option<Selector> {
    let [requirement] = selector.requirements() else {
        return None;
    };
    let opposite = match requirement {
        Requirement::In(key, values) => Requirement::NotIn(key.clone(), values.clone()),
        Requirement::NotIn(key, values) => Requirement::In(key.clone(), values.clone()),
        Requirement::Exists(key) => Requirement::DoesNotExist(key.clone()),
        Requirement::DoesNotExist(key) => Requirement::Exists(key.clone()),
        _ => return None,
    };
    Some(Selector::new([opposite]))
}

/// Namespaces, and those that they are not, in words and as a selector.
fn places(namespaces: &Namespaces) -> Vec<(String, Selector)> {
    match namespaces {
        Namespaces::Named(name) => vec![place(Selector::label(NAMESPACE_NAME_LABEL, name))],
        Namespaces::Matching(selector) => {
            let both = [Some(selector.clone()), negated(selector)];
            both.into_iter().flatten().map(place).collect()
        }
        Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => Vec::new(),
    }
}

fn place(namespaces: Selector) -> (String, Selector) {
    let is_name = |key: &str| key == NAMESPACE_NAME_LABEL;
    let words = match namespaces.requirements() {
        [] => "of any namespace".to_owned(),
        [Requirement::In(key, names)] if is_name(key) => match &names[..] {
            [name] => format!("in namespace {name}"),
            names => format!("in namespaces {}", names.join(" and ")),
        },
        [Requirement::NotIn(key, names)] if is_name(key) => {
            format!("of namespaces other than {}", names.join(" and "))
        }
        _ => format!("of namespaces {}", with(&namespaces)),
    };
    (words, namespaces)
}
