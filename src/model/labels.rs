//! Labels and the selectors over them (S20-S26).
//!
//! `Selector` is canonical: requirements sorted and deduplicated, so equal meaning written alike
//! compares equal. Labels may be known only in part (a namespace that is named but not given),
//! hence [`Truth`], three values.

use std::fmt;
use std::sync::Arc;

/// Three values: what is not known is unknown, never guessed (S131).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Truth {
    /// Certainly not.
    No,
    /// Not known.
    Maybe,
    /// Certainly.
    Yes,
}

impl Truth {
    /// Both: the smaller of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Either: the larger of the two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// The opposite; what is not known stays so.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }

    /// One of the two holds, and it is not known which.
    #[must_use]
    pub fn either(self, other: Self) -> Self {
        if self == other { self } else { Self::Maybe }
    }

    /// The answer to "is it allowed?" where it may be allowed, and where it may be denied.
    pub fn of(allow: bool, deny: bool) -> Self {
        match (allow, deny) {
            (true, false) => Self::Yes,
            (true, true) => Self::Maybe,
            (false, _) => Self::No,
        }
    }

    /// Whether it can be.
    pub fn possible(self) -> bool {
        self != Self::No
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

/// A label set: sorted by key, one value per key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Labels(Box<[(Arc<str>, Arc<str>)]>);

impl<K: Into<Arc<str>>, V: Into<Arc<str>>> FromIterator<(K, V)> for Labels {
    /// Collects pairs; of a key given twice the last value stays.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(iter: I) -> Self {
        let mut pairs: Vec<(Arc<str>, Arc<str>)> = iter
            .into_iter()
            .map(|(k, v)| (k.into(), v.into()))
            .collect();
        pairs.reverse();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|later, kept| later.0 == kept.0);
        Self(pairs.into())
    }
}

impl Labels {
    /// The value under a key. O(log labels).
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(k, _)| (**k).cmp(key)).ok()?;
        self.0.get(at).map(|(_, v)| &**v)
    }

    /// The pairs, sorted by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (&**k, &**v))
    }

    /// The pairs, as they are shared with others.
    pub fn shared(&self) -> impl ExactSizeIterator<Item = &(Arc<str>, Arc<str>)> {
        self.0.iter()
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One condition of a selector. The Kubernetes API has the first four; the others are of further
/// dialects, so that a selector can be any boolean formula over labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Requirement {
    /// The key is present and its value is one of these (S20, S21).
    In(Box<str>, Vec<Box<str>>),
    /// The key is absent or its value is none of these (S22).
    NotIn(Box<str>, Vec<Box<str>>),
    /// The key is present, whatever its value (S23).
    Exists(Box<str>),
    /// The key is absent (S24).
    DoesNotExist(Box<str>),
    /// The key is present and its value is like this.
    Like(Box<str>, Pattern),
    /// One of these selectors selects.
    AnyOf(Vec<Selector>),
    /// This selector does not select.
    Not(Selector),
}

/// What the value of a label is compared with, other than whole values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pattern {
    /// It starts with this.
    StartsWith(Box<str>),
    /// It ends with this.
    EndsWith(Box<str>),
    /// It has this somewhere.
    Contains(Box<str>),
}

impl Pattern {
    /// The part of a value that it names.
    pub fn part(&self) -> &str {
        match self {
            Self::StartsWith(part) | Self::EndsWith(part) | Self::Contains(part) => part,
        }
    }

    /// Values of which some are like this and some are not: whatever else is asked of the part, one
    /// of them stands for each value that this can tell apart.
    pub fn examples(&self) -> Vec<String> {
        let part = self.part();
        let (before, after) = (format!("x-{part}"), format!("{part}-x"));
        vec![part.to_owned(), format!("x-{after}"), after, before]
    }

    /// Whether a value is like this.
    pub fn matches(&self, value: &str) -> bool {
        match self {
            Self::StartsWith(part) => value.starts_with(&**part),
            Self::EndsWith(part) => value.ends_with(&**part),
            Self::Contains(part) => value.contains(&**part),
        }
    }
}

impl Requirement {
    /// The key it looks at; of a formula the first one, none of an empty formula.
    pub fn key(&self) -> &str {
        match self {
            Self::In(key, _)
            | Self::NotIn(key, _)
            | Self::Exists(key)
            | Self::DoesNotExist(key)
            | Self::Like(key, _) => key,
            Self::AnyOf(selectors) => selectors.first().map_or("", Selector::first_key),
            Self::Not(selector) => selector.first_key(),
        }
    }

    /// The values it names.
    pub fn values(&self) -> &[Box<str>] {
        match self {
            Self::In(_, values) | Self::NotIn(_, values) => values,
            Self::Exists(_)
            | Self::DoesNotExist(_)
            | Self::Like(..)
            | Self::AnyOf(_)
            | Self::Not(_) => &[],
        }
    }

    /// Calls a function with this condition where it is about one key, else with those it is made
    /// of.
    pub fn visit<'r>(&'r self, call: &mut impl FnMut(&'r Self)) {
        let selectors = match self {
            Self::AnyOf(selectors) => &selectors[..],
            Self::Not(selector) => std::slice::from_ref(selector),
            _ => return call(self),
        };
        let parts = selectors.iter().flat_map(Selector::requirements);
        parts.for_each(|part| part.visit(call));
    }

    /// Whether a label set meets the condition. Comparison is exact (S26).
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = |key: &str| labels.get(key);
        match self {
            Self::In(key, values) => value(key).is_some_and(|v| values.iter().any(|w| **w == *v)),
            Self::NotIn(key, values) => {
                !value(key).is_some_and(|v| values.iter().any(|w| **w == *v))
            }
            Self::Exists(key) => value(key).is_some(),
            Self::DoesNotExist(key) => value(key).is_none(),
            Self::Like(key, pattern) => value(key).is_some_and(|v| pattern.matches(v)),
            Self::AnyOf(selectors) => selectors.iter().any(|s| s.matches(labels)),
            Self::Not(selector) => !selector.matches(labels),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(key, values) if values.len() == 1 => write!(f, "{key}={}", values.concat()),
            Self::In(key, values) => write!(f, "{key} in ({})", values.join(",")),
            Self::NotIn(key, values) => write!(f, "{key} notin ({})", values.join(",")),
            Self::Exists(key) => write!(f, "{key}"),
            Self::DoesNotExist(key) => write!(f, "!{key}"),
            Self::Like(key, Pattern::StartsWith(part)) => write!(f, "{key} starts with {part}"),
            Self::Like(key, Pattern::EndsWith(part)) => write!(f, "{key} ends with {part}"),
            Self::Like(key, Pattern::Contains(part)) => write!(f, "{key} contains {part}"),
            Self::AnyOf(selectors) => {
                for (i, selector) in selectors.iter().enumerate() {
                    write!(f, "{}({selector})", if i > 0 { " or " } else { "" })?;
                }
                Ok(())
            }
            Self::Not(selector) => write!(f, "not ({selector})"),
        }
    }
}

/// A label selector: all requirements must hold; none at all selects everything (S25). Cheap to
/// clone: copies share their requirements.
///
/// ```
/// use netpal::{Labels, Requirement, Selector};
/// let selector = Selector::new([Requirement::NotIn("tier".into(), vec!["web".into()])]);
/// assert!(selector.matches(&Labels::default())); // a missing key is not in the list (S22)
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Selector(Arc<[Requirement]>);

impl Selector {
    /// A selector from its requirements; order and repetition do not matter.
    pub fn new(requirements: impl IntoIterator<Item = Requirement>) -> Self {
        let mut list: Vec<Requirement> = requirements
            .into_iter()
            .map(Requirement::canonical)
            .collect();
        list.sort();
        list.dedup();
        Self(list.into())
    }

    /// The selector that selects everything.
    pub fn everything() -> Self {
        Self::default()
    }

    /// One label, one value.
    pub fn label(key: &str, value: &str) -> Self {
        Self([Requirement::In(key.into(), vec![value.into()])].into())
    }

    /// Whether it selects everything by having no requirement.
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// The address of the requirements: while both live, selectors of one address are equal.
    /// Equal ones may exist twice in memory, unless they were interned (see `policy::interner`).
    pub fn place(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// The requirements, sorted.
    pub fn requirements(&self) -> &[Requirement] {
        &self.0
    }

    /// Whether a fully known label set is selected.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|r| r.matches(labels))
    }

    fn first_key(&self) -> &str {
        self.0.first().map_or("", Requirement::key)
    }
}

impl Requirement {
    fn canonical(self) -> Self {
        let sorted = |mut values: Vec<Box<str>>| {
            values.sort();
            values.dedup();
            values
        };
        match self {
            Self::In(key, values) => Self::In(key, sorted(values)),
            Self::NotIn(key, values) => Self::NotIn(key, sorted(values)),
            other => other,
        }
    }
}

/// Whether a label says something to people: not a number that a dialect made of what it knows of a
/// pod. No key of a manifest has a blank.
pub fn is_for_people(key: &str) -> bool {
    !key.ends_with(" profile")
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().filter(|r| is_for_people(r.key()));
        for (i, requirement) in shown.enumerate() {
            write!(f, "{}{requirement}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    fn values(v: &[&str]) -> Vec<Box<str>> {
        v.iter().map(|&s| s.into()).collect()
    }

    #[test]
    fn s20_an_empty_value_needs_the_key() {
        let s = Selector::label("tier", "");
        assert!(s.matches(&labels(&[("tier", "")])));
        assert!(!s.matches(&labels(&[])));
    }

    #[test]
    fn s21_to_s24_the_four_operators_on_a_missing_key() {
        let none = labels(&[]);
        assert!(!Requirement::In("k".into(), values(&["a"])).matches(&none));
        assert!(Requirement::NotIn("k".into(), values(&["a"])).matches(&none));
        assert!(!Requirement::Exists("k".into()).matches(&none));
        assert!(Requirement::DoesNotExist("k".into()).matches(&none));
        assert!(Requirement::Exists("k".into()).matches(&labels(&[("k", "")])));
    }

    #[test]
    fn s25_all_requirements_hold_and_none_selects_everything() {
        let s = Selector::new([
            Requirement::Exists("a".into()),
            Requirement::DoesNotExist("b".into()),
        ]);
        assert!(s.matches(&labels(&[("a", "1")])));
        assert!(!s.matches(&labels(&[("a", "1"), ("b", "2")])));
        assert!(Selector::everything().matches(&labels(&[])));
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        let a = Selector::new([
            Requirement::In("k".into(), values(&["b", "a", "b"])),
            Requirement::Exists("x".into()),
        ]);
        let b = Selector::new([
            Requirement::Exists("x".into()),
            Requirement::In("k".into(), values(&["a", "b"])),
        ]);
        assert_eq!(a, b);
    }

    #[test]
    fn a_key_that_was_not_told_is_unknown() {
        let known = labels(&[("kubernetes.io/metadata.name", "x")]);
        assert_eq!(
            Selector::label("team", "a").matches_known(&known, false),
            Truth::Maybe
        );
        assert_eq!(
            Selector::label("team", "a").matches_known(&known, true),
            Truth::No
        );
        assert_eq!(
            Selector::label("kubernetes.io/metadata.name", "y").matches_known(&known, false),
            Truth::No
        );
    }

    #[test]
    fn of_a_key_given_twice_the_last_value_stays() {
        assert_eq!(labels(&[("a", "1"), ("a", "2")]).get("a"), Some("2"));
    }
}
