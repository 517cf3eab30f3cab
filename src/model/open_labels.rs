//! Labels that are known only in part: those that something sets at run time, and those that it
//! sets in some settings only.
//!
//! Such a label is kept as a label whose value says so, in a form that no label can have:
//! `<at run time>` where the key is certain and the value is not, `<perhaps>` where the key may be
//! absent too; both may list the values that there are. A selector that asks about such a label is
//! decided by trying the values that it can tell apart, so that requirements on one key are judged
//! together. Cost: nothing for label sets without such a label; else O(values ^ open keys asked
//! about), above [`MOST_TRIALS`] the answer is unknown. Road not taken: a pod for each value, which
//! is no pod that exists, and which rows and diffs would list.

use crate::model::labels::{Labels, Requirement, Selector, Truth};
use std::collections::BTreeSet;

/// How a value begins that is known only at run time.
const AT_RUN_TIME: &str = "<at run time";

/// How a value begins of a label that may be there.
const PERHAPS: &str = "<perhaps";

/// A value that no selector names, and that no pattern of a dialect finds a part of.
const OTHER: &str = "<another value>";

/// So many label sets are tried at most.
const MOST_TRIALS: usize = 1024;

/// What stands for a value that is known only at run time: one of these, or any.
pub fn at_run_time(values: &str) -> String {
    written(AT_RUN_TIME, values)
}

/// What stands for a label that may be there, with one of these values, or any.
pub fn perhaps(values: &str) -> String {
    written(PERHAPS, values)
}

fn written(start: &str, values: &str) -> String {
    if values.is_empty() {
        format!("{start}>")
    } else {
        format!("{start}: {values}>")
    }
}

/// What is told of a label that is not known.
struct OpenLabel<'l> {
    /// Whether the key may be absent.
    absent: bool,
    /// The values that there are; none where it may be any.
    values: &'l str,
}

impl<'l> OpenLabel<'l> {
    fn new(value: &'l str) -> Option<Self> {
        let (absent, rest) = match value.strip_prefix(AT_RUN_TIME) {
            Some(rest) => (false, rest),
            None => (true, value.strip_prefix(PERHAPS)?),
        };
        let values = rest.strip_suffix('>')?;
        let values = values.strip_prefix(": ").unwrap_or(values);
        Some(Self { absent, values })
    }
}

/// Whether what stands as a label's value says that it is not known.
pub fn is_open(value: &str) -> bool {
    value.starts_with('<') && OpenLabel::new(value).is_some()
}

impl Labels {
    /// Whether some label is known only in part.
    pub fn has_open(&self) -> bool {
        self.iter().any(|(_, value)| is_open(value))
    }

    /// Whether a label is known only in part.
    pub fn is_open(&self, key: &str) -> bool {
        self.get(key).is_some_and(is_open)
    }
}

impl Selector {
    /// Whether a label set is selected, of which labels may be known only in part.
    pub fn selects(&self, labels: &Labels) -> Truth {
        if !labels.has_open() {
            return Truth::from(self.matches(labels));
        }
        let mut asked: Vec<(&str, Vec<Option<&str>>)> = Vec::new();
        let mut add = |condition| add_asked(condition, labels, &mut asked);
        for requirement in self.requirements() {
            requirement.visit(&mut add);
        }
        if asked.is_empty() {
            return Truth::from(self.matches(labels));
        }
        let trials = asked.iter().try_fold(1_usize, |count, (_, values)| {
            count.checked_mul(values.len())
        });
        match trials.filter(|count| *count <= MOST_TRIALS) {
            Some(trials) => self.tried(labels, &asked, trials),
            None => Truth::Maybe,
        }
    }

    /// Whether a label set is selected of which only some labels may be known: without `complete`
    /// there may be further ones.
    pub fn selects_known(&self, labels: &Labels, complete: bool) -> Truth {
        if complete {
            self.selects(labels)
        } else {
            self.matches_known(labels, complete)
        }
    }

    /// What all trials agree on.
    fn tried(&self, labels: &Labels, asked: &[(&str, Vec<Option<&str>>)], trials: usize) -> Truth {
        let each = (0..trials).map(|mut trial| {
            let mut told = Vec::new();
            for (key, values) in asked {
                told.push((*key, values[trial % values.len()]));
                trial /= values.len();
            }
            let asked = |key: &str| asked.iter().any(|(open, _)| *open == key);
            let known = labels.iter().filter(|(key, _)| !asked(key));
            let told = told
                .iter()
                .filter_map(|(key, value)| Some((*key, (*value)?)));
            Truth::from(self.matches(&known.chain(told).collect()))
        });
        each.reduce(Truth::either).unwrap_or(Truth::Maybe)
    }
}

/// Adds the values of an open label that a condition can tell apart; `None` is its absence.
fn add_asked<'a>(
    condition: &'a Requirement,
    labels: &'a Labels,
    asked: &mut Vec<(&'a str, Vec<Option<&'a str>>)>,
) {
    let key = condition.key();
    let Some(open) = labels.get(key).and_then(OpenLabel::new) else {
        return;
    };
    let mut values: BTreeSet<Option<&str>> = BTreeSet::new();
    if open.absent {
        values.insert(None);
    }
    if open.values.is_empty() {
        values.insert(Some(OTHER));
        values.extend(condition.values().iter().map(|value| Some(&**value)));
        if let Requirement::Like(_, pattern) = condition {
            values.insert(Some(pattern.part()));
        }
    } else {
        values.extend(open.values.split('|').map(Some));
    }
    match asked.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => {
            values.extend(known.iter().copied());
            *known = values.into_iter().collect();
        }
        None => asked.push((key, values.into_iter().collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(value: String) -> Labels {
        [
            ("app".to_owned(), "pg".to_owned()),
            ("role".to_owned(), value),
        ]
        .into_iter()
        .collect()
    }

    #[test]
    fn a_value_of_run_time_may_be_any_that_is_asked_about() {
        let open = role(at_run_time(""));
        assert_eq!(
            Selector::label("role", "primary").selects(&open),
            Truth::Maybe
        );
        assert_eq!(Selector::label("app", "pg").selects(&open), Truth::Yes);
        assert_eq!(Selector::label("app", "x").selects(&open), Truth::No);
        let exists = |key: &str| Selector::new([Requirement::Exists(key.into())]);
        assert_eq!(exists("role").selects(&open), Truth::Yes);
        assert_eq!(exists("role").selects(&role(perhaps(""))), Truth::Maybe);
        assert_eq!(exists("other").selects(&open), Truth::No);
    }

    #[test]
    fn of_listed_values_no_other_one_is_possible() {
        let open = role(at_run_time("primary|replica"));
        let within = |values: &[&str]| {
            let values = values.iter().map(|v| Box::from(*v)).collect();
            Selector::new([Requirement::In("role".into(), values)]).selects(&open)
        };
        assert_eq!(within(&["primary"]), Truth::Maybe);
        assert_eq!(within(&["master"]), Truth::No);
        assert_eq!(within(&["replica", "primary"]), Truth::Yes);
        assert_eq!(
            Selector::label("role", "a").selects(&role(perhaps("a"))),
            Truth::Maybe
        );
    }

    #[test]
    fn requirements_on_one_key_are_judged_together() {
        let open = role(at_run_time(""));
        let one = || vec!["a".into()];
        let never = Selector::new([
            Requirement::In("role".into(), one()),
            Requirement::NotIn("role".into(), one()),
        ]);
        assert_eq!(never.selects(&open), Truth::No);
        let always = Selector::new([Requirement::AnyOf(vec![
            Selector::new([Requirement::In("role".into(), one())]),
            Selector::new([Requirement::NotIn("role".into(), one())]),
        ])]);
        assert_eq!(always.selects(&open), Truth::Yes);
    }
}
