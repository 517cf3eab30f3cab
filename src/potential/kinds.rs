//! The kinds of label sets that some selectors tell apart, one label set for each (S140).
//!
//! Key after key the absence of the label, a value that no selector mentions and the values that
//! they mention are tried; partial label sets that the same selectors may still select are one. So
//! there are never more of them than kinds, however many keys there are. Road not taken: all
//! combinations of all values, of which most are the same kind.
//!
//! Selectors of many independent keys have too many kinds to make. Then [`crate::potential::few`]
//! makes those that show what one selector does by itself and beside one other.

use crate::model::labels::is_for_people;
use crate::model::{Labels, Requirement, Selector};
use crate::set::hashed::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

/// The value that stands for every value that no selector mentions.
pub const OTHER_VALUE: &str = "any-other-value";

/// The answers that are decided so far: for each selector whether it may still select, then those
/// of the parts of composed requirements.
pub(crate) type Answers = Vec<bool>;

/// The labels of a partial label set.
pub(crate) type LabelPairs = Vec<(String, String)>;

/// One label set for each kind that the selectors tell apart, those with the fewest labels first;
/// `None` if there are more than `most`.
pub fn label_kinds(selectors: &[&Selector], most: usize) -> Option<Vec<Labels>> {
    let values = mentioned_values(selectors);
    let mut partial: IndexMap<Answers, LabelPairs> = IndexMap::default();
    partial.insert(vec![true; selectors.len()], Vec::new());
    for (key, mentioned) in &values {
        let distinct = distinct_values(selectors, key, mentioned);
        let values = distinct.iter().map(|(answers, value)| (value, answers));
        partial = extended(&partial, key, values, selectors.len(), |_| ());
        if partial.len() > most {
            return None;
        }
    }
    let mut kinds: Vec<LabelPairs> = partial.into_values().collect();
    kinds.sort_by_key(Vec::len);
    Some(kinds.iter().map(|pairs| labels_of(pairs)).collect())
}

/// A label set of these pairs.
pub(crate) fn labels_of(pairs: &[(String, String)]) -> Labels {
    let pairs = pairs.iter();
    pairs.map(|(k, v)| (k.as_str(), v.as_str())).collect()
}

/// The keys that selectors ask for, each with the values that tell them apart.
pub(crate) fn mentioned_values<'s>(
    selectors: &[&'s Selector],
) -> BTreeMap<&'s str, BTreeSet<String>> {
    let mut values: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for requirement in leaves(selectors) {
        let mentioned = values.entry(requirement.key()).or_default();
        mentioned.extend(requirement.values().iter().map(ToString::to_string));
        if let Requirement::Like(_, pattern) = requirement {
            mentioned.extend(pattern.examples());
        }
    }
    values
}

/// The values of one key, absence first, that the selectors tell apart, each with their answers.
pub(crate) fn distinct_values(
    selectors: &[&Selector],
    key: &str,
    mentioned: &BTreeSet<String>,
) -> IndexMap<Answers, Option<String>> {
    let mut distinct: IndexMap<Answers, Option<String>> = IndexMap::default();
    for (value, answers) in tried_values(selectors, key, mentioned) {
        distinct.entry(answers).or_insert(value);
    }
    distinct
}

/// What is tried of a key: no value, any other, and those that are mentioned, with their answers.
pub(crate) fn tried_values(
    selectors: &[&Selector],
    key: &str,
    mentioned: &BTreeSet<String>,
) -> impl Iterator<Item = (Option<String>, Answers)> {
    let candidates = [None, Some(unmentioned(mentioned))].into_iter();
    let candidates = candidates.chain(mentioned.iter().cloned().map(Some));
    candidates.map(move |value| {
        let labels: Labels = value.iter().map(|v| (key, v.as_str())).collect();
        let answers = answers_about(selectors, key, &labels);
        (value, answers)
    })
}

/// What the requirements about one key say of its value.
pub(crate) fn answers_about(selectors: &[&Selector], key: &str, labels: &Labels) -> Answers {
    let (mut plain, mut parts) = (Vec::with_capacity(selectors.len()), Vec::new());
    for selector in selectors {
        let requirements = selector.requirements();
        let mut about = requirements
            .iter()
            .filter(|r| !is_composed(r) && r.key() == key);
        plain.push(about.all(|r| r.matches(labels)));
        for composed in requirements.iter().filter(|r| is_composed(r)) {
            composed.visit(&mut |part| {
                if !is_composed(part) && part.key() == key {
                    parts.push(part.matches(labels));
                }
            });
        }
    }
    plain.extend(parts);
    plain
}

/// Every partial label set with every value of one more key; those with the same prospects once.
/// The function is told the place of each among what follows, in the order of the partial sets and
/// their values.
pub(crate) fn extended<'v>(
    partial: &IndexMap<Answers, LabelPairs>,
    key: &str,
    values: impl Iterator<Item = (&'v Option<String>, &'v Answers)> + Clone,
    selectors: usize,
    mut follows: impl FnMut(usize),
) -> IndexMap<Answers, LabelPairs> {
    let mut next: IndexMap<Answers, LabelPairs> = IndexMap::default();
    for (so_far, pairs) in partial {
        for (value, now) in values.clone() {
            let entry = next.entry(combined(so_far, now, selectors));
            follows(entry.index());
            entry.or_insert_with(|| {
                let mut pairs = pairs.clone();
                pairs.extend(value.iter().map(|v| (key.to_owned(), v.clone())));
                pairs
            });
        }
    }
    next
}

/// What is decided by some keys and one more.
pub(crate) fn combined(so_far: &Answers, now: &Answers, selectors: usize) -> Answers {
    let both = so_far.iter().zip(now).map(|(a, b)| *a && *b);
    let parts = so_far.iter().skip(selectors);
    let parts = parts.chain(now.iter().skip(selectors)).copied();
    both.take(selectors).chain(parts).collect()
}

pub(crate) fn is_composed(requirement: &Requirement) -> bool {
    matches!(requirement, Requirement::AnyOf(_) | Requirement::Not(_))
}

/// The requirements about single keys, those inside composed ones among them.
fn leaves<'s>(selectors: &[&'s Selector]) -> Vec<&'s Requirement> {
    let mut found = Vec::new();
    for requirement in selectors.iter().flat_map(|s| s.requirements()) {
        requirement.visit(&mut |part| {
            if !is_composed(part) {
                found.push(part);
            }
        });
    }
    found
}

/// A value that no selector mentions.
pub(crate) fn unmentioned(mentioned: &BTreeSet<String>) -> String {
    let mut value = OTHER_VALUE.to_owned();
    while mentioned.contains(&value) {
        value.push('x');
    }
    value
}

/// The labels of a kind in words.
pub(crate) fn pairs<'l>(labels: impl Iterator<Item = (&'l str, &'l str)>) -> String {
    let pair = |(key, value): (&str, &str)| {
        if value.starts_with(OTHER_VALUE) {
            format!("with another {key}")
        } else {
            format!("{key}={value}")
        }
    };
    let shown = labels.filter(|(key, _)| is_for_people(key));
    shown.map(pair).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn kinds(selectors: &[Selector]) -> Vec<String> {
        let list: Vec<&Selector> = selectors.iter().collect();
        let shown = |labels: &Labels| {
            let pairs: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
            pairs.join(",")
        };
        label_kinds(&list, 100).unwrap().iter().map(shown).collect()
    }

    #[test]
    fn kinds_are_what_selectors_tell_apart() {
        let web = Selector::label("app", "web");
        let front = Selector::label("tier", "front");
        assert_eq!(kinds(&[]), [""]);
        assert_eq!(kinds(std::slice::from_ref(&web)), ["", "app=web"]);
        let both = ["", "tier=front", "app=web", "app=web,tier=front"];
        assert_eq!(kinds(&[web.clone(), front]), both);
        let has = Selector::new([Requirement::Exists("app".into())]);
        assert_eq!(
            kinds(&[web.clone(), has]),
            ["", "app=any-other-value", "app=web"]
        );
        let never = Selector::new([
            Requirement::In("app".into(), vec!["web".into()]),
            Requirement::DoesNotExist("app".into()),
        ]);
        assert_eq!(kinds(&[never]).len(), 1);
        let many: Vec<Selector> = (0..40)
            .map(|i| Selector::label("app", &format!("x{i}")))
            .collect();
        assert_eq!(kinds(&many).len(), 41);
    }

    #[test]
    fn too_many_kinds_are_not_made() {
        let many: Vec<Selector> = (0..20)
            .map(|i| Selector::label(&format!("k{i}"), "v"))
            .collect();
        let list: Vec<&Selector> = many.iter().collect();
        assert_eq!(label_kinds(&list, 1_000), None);
    }
}
