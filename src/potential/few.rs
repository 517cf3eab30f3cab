//! A few telling kinds where all would be too many.
//!
//! Policies of a tier that only allows add up, so what one policy does is seen best at pods that
//! nothing else selects: pods that a few wanted selectors select, and of the others as few as can
//! be. A pod needs three selectors at most for a change to show: one of the policy in focus, one of
//! a policy that isolates it or lets it out, and one by which a rule of the other end means it. So
//! every selector is met alone, and beside each other one; those in focus beside two. Example: of
//! policies for `k1`, `k2`, ... `k20`, with `k7` in focus, the kinds are none of them, `k1`, ...
//! `k20`, `k1 and k2`, ... and `k7` with each of these, about 400 instead of 2^20.
//!
//! Keys are independent of each other, so the ways to avoid the other selectors are found key by
//! key. Cost: O(kinds x keys x values x selectors). Where tiers are ordered more selectors may have
//! to meet on one pod than these kinds show.

use crate::model::{Labels, Selector};
use crate::potential::kinds::{
    LabelPairs, distinct_values, is_composed, label_kinds, labels_of, mentioned_values,
};
use std::collections::BTreeSet;

/// How many telling kinds of one namespace, or of its labels, are made however many there are.
const FEWEST: usize = 60;

/// How many ways to avoid the others are tried side by side, and how many are kept.
const MOST_STATES: usize = 24;
const ALTERNATIVES: usize = 3;

/// The values that one key may have, each with the selectors that it does not rule out.
struct KeyChoices<'s> {
    key: &'s str,
    choices: Vec<(Option<String>, Vec<bool>)>,
}

/// How many kinds are made, and whether they are all that matter.
#[derive(Debug, Clone, Copy)]
pub struct KindBudget {
    /// Of more kinds than these a few telling ones are made.
    pub most: usize,
    /// Whether a few telling ones are enough: they are if no tier is ordered.
    pub few_tell: bool,
    /// Taken back where more may matter than were made.
    pub complete: bool,
}

impl KindBudget {
    /// Every kind if there are few enough, else the telling ones ([`few_kinds`]).
    pub fn kinds(&mut self, selectors: &[&Selector], focus: &[bool]) -> Vec<Labels> {
        if let Some(all) = label_kinds(selectors, self.most) {
            return all;
        }
        let Some(few) = few_kinds(selectors, focus, self.most.max(FEWEST)) else {
            self.complete = false;
            return Vec::new();
        };
        self.complete &= self.few_tell && few.complete;
        few.kinds.into_iter().map(|(_, labels)| labels).collect()
    }
}

/// A few kinds: how many labels each has, and its labels.
struct Few {
    kinds: BTreeSet<(usize, Labels)>,
    /// Whether these are all that tell something.
    complete: bool,
}

/// About `most` telling kinds at most; `None` where a requirement is composed of others.
fn few_kinds(selectors: &[&Selector], focus: &[bool], most: usize) -> Option<Few> {
    let mut requirements = selectors.iter().flat_map(|s| s.requirements());
    if requirements.any(is_composed) {
        return None;
    }
    let keys: Vec<KeyChoices<'_>> = mentioned_values(selectors)
        .into_iter()
        .map(|(key, mentioned)| KeyChoices {
            key,
            choices: distinct_values(selectors, key, &mentioned)
                .into_iter()
                .map(|(answers, value)| (value, answers))
                .collect(),
        })
        .collect();
    let mut found = Few {
        kinds: BTreeSet::new(),
        complete: true,
    };
    for wanted in wanted_together(selectors.len(), focus) {
        if found.kinds.len() >= most {
            found.complete = false;
            break;
        }
        for labels in fewest_others(&keys, &wanted, selectors.len()) {
            found.kinds.insert((labels.iter().count(), labels));
        }
    }
    Some(found)
}

/// The selectors that are met together: none, each alone, every two, and those in focus beside two.
fn wanted_together(selectors: usize, focus: &[bool]) -> impl Iterator<Item = Vec<usize>> {
    let pairs = move |from: usize| {
        (from..selectors).flat_map(move |i| (i + 1..selectors).map(move |j| [i, j]))
    };
    let in_focus: Vec<usize> = (0..selectors)
        .filter(|i| focus.get(*i) == Some(&true))
        .collect();
    let beside_focus = in_focus.clone().into_iter().flat_map(move |focus| {
        (0..selectors)
            .filter(move |other| *other != focus)
            .map(move |other| vec![focus, other])
    });
    let beside_two = in_focus.into_iter().flat_map(move |focus| {
        let others = pairs(0).filter(move |pair| !pair.contains(&focus));
        others.map(move |[i, j]| vec![focus, i, j])
    });
    std::iter::once(Vec::new())
        .chain((0..selectors).map(|alone| vec![alone]))
        .chain(beside_focus)
        .chain(pairs(0).map(|pair| pair.to_vec()))
        .chain(beside_two)
}

/// Labels that all the wanted selectors select and of the others as few as can be; several where
/// different others can be avoided.
fn fewest_others(keys: &[KeyChoices<'_>], wanted: &[usize], selectors: usize) -> Vec<Labels> {
    let mut states: Vec<(Vec<bool>, LabelPairs)> = vec![(vec![true; selectors], Vec::new())];
    for KeyChoices { key, choices } in keys {
        let admitted = |(_, answers): &&(Option<String>, Vec<bool>)| {
            wanted.iter().all(|wanted| answers[*wanted])
        };
        let mut next = Vec::new();
        for (left, pairs) in &states {
            for (value, answers) in choices.iter().filter(admitted) {
                let both = left.iter().zip(answers).map(|(a, b)| *a && *b);
                let mut pairs = pairs.clone();
                pairs.extend(value.iter().map(|value| ((*key).to_owned(), value.clone())));
                next.push((both.collect(), pairs));
            }
        }
        states = minimal(next);
    }
    let few = states.iter().take(ALTERNATIVES);
    few.map(|(_, pairs)| labels_of(pairs)).collect()
}

/// The states that no other one is better than: fewer selectors may still select; of equal ones
/// that with the fewest labels.
fn minimal(mut states: Vec<(Vec<bool>, LabelPairs)>) -> Vec<(Vec<bool>, LabelPairs)> {
    let alive = |left: &[bool]| left.iter().filter(|may| **may).count();
    states.sort_by_key(|(left, pairs)| (alive(left), pairs.len()));
    let mut kept: Vec<(Vec<bool>, LabelPairs)> = Vec::new();
    for (left, pairs) in states {
        let is_worse =
            |other: &[bool]| other.iter().zip(&left).all(|(other, mine)| !other || *mine);
        if kept.len() < MOST_STATES && !kept.iter().any(|(other, _)| is_worse(other)) {
            kept.push((left, pairs));
        }
    }
    kept
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::Requirement;

    fn few(selectors: &[Selector], focus: usize) -> Few {
        let list: Vec<&Selector> = selectors.iter().collect();
        let focus: Vec<bool> = (0..list.len()).map(|i| i == focus).collect();
        few_kinds(&list, &focus, 1_000).unwrap()
    }

    #[test]
    fn selectors_are_met_alone_in_twos_and_in_focus_beside_two() {
        let many: Vec<Selector> = (0..20)
            .map(|i| Selector::label(&format!("k{i}"), "v"))
            .collect();
        let found = few(&many, 7);
        let twos = 20 * 19 / 2;
        assert!(found.complete);
        assert_eq!(found.kinds.len(), 1 + 20 + twos + 19 * 18 / 2);
        let threes = found.kinds.iter().filter(|(count, _)| *count == 3);
        assert!(threes.clone().all(|(_, labels)| many[7].matches(labels)));
    }

    #[test]
    fn a_label_is_set_where_its_absence_would_be_selected() {
        let none = Selector::new([Requirement::NotIn("tier".into(), vec!["db".into()])]);
        let web = Selector::label("app", "web");
        let found = few(&[web.clone(), none.clone()], 0).kinds;
        let mut kinds = found.iter().map(|(_, labels)| labels);
        let alone = kinds.find(|k| web.matches(k) && !none.matches(k));
        assert!(alone.is_some());
    }
}
