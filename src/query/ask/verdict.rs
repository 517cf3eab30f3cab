//! The four verdicts, and what they come to together.

use crate::graph::Allowed;
use crate::model::Truth;
use crate::set::{Protocol, Traffic, TrafficSet};

/// The final answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// All of it is allowed.
    Yes,
    /// None of it is.
    No,
    /// Some of it is, some is not.
    Partly,
    /// The input does not decide it.
    Unknown,
}

impl Verdict {
    /// The verdict as it is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Partly => "partly",
            Self::Unknown => "unknown",
        }
    }

    /// The verdict over all of some parts, in whichever order they come; `None` of none.
    pub fn of_all(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut seen = [false; 4];
        parts.into_iter().for_each(|v| seen[v as usize] = true);
        match seen {
            [false, false, false, false] => None,
            [_, _, true, _] | [true, true, ..] => Some(Self::Partly),
            [_, _, _, true] => Some(Self::Unknown),
            [true, ..] => Some(Self::Yes),
            [_, true, ..] => Some(Self::No),
        }
    }

    /// The verdict over two parts together.
    #[must_use]
    pub fn combine(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Partly, _)
            | (_, Self::Partly)
            | (Self::Yes, Self::No)
            | (Self::No, Self::Yes) => Self::Partly,
            _ => Self::Unknown,
        }
    }
}

impl From<Truth> for Verdict {
    fn from(truth: Truth) -> Self {
        match truth {
            Truth::Yes => Self::Yes,
            Truth::No => Self::No,
            Truth::Maybe => Self::Unknown,
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

const ANY: Traffic = Traffic {
    protocol: Protocol::Tcp,
    port: 1,
};

/// The verdict on the traffic that was asked about, and one piece of traffic that demonstrates it.
/// An empty question (a port name that no pod has, a Service port without a target) is unknown.
pub fn judge(asked: &TrafficSet, allowed: &Allowed) -> (Verdict, Traffic) {
    let yes = asked.intersection(&allowed.must);
    let unknown = asked.intersection(&allowed.unknown());
    let no = asked
        .difference(&allowed.must)
        .difference(&allowed.unknown());
    let verdict = match (yes.is_empty(), no.is_empty(), unknown.is_empty()) {
        (false, true, true) => Verdict::Yes,
        (true, false, true) => Verdict::No,
        (false, false, _) => Verdict::Partly,
        _ => Verdict::Unknown,
    };
    let shown = match verdict {
        Verdict::Yes | Verdict::Partly => &yes,
        Verdict::No => &no,
        Verdict::Unknown => &unknown,
    };
    (
        verdict,
        shown.sample().or_else(|| asked.sample()).unwrap_or(ANY),
    )
}

#[cfg(test)]
mod tests {
    use super::Verdict::{self, No, Partly, Unknown, Yes};

    #[test]
    fn what_some_do_and_others_do_not_is_partly_so_in_any_order() {
        let of = |parts: &[Verdict]| Verdict::of_all(parts.iter().copied());
        for order in [[Yes, Unknown, No], [Unknown, No, Yes], [No, Yes, Unknown]] {
            assert_eq!(of(&order), Some(Partly), "{order:?}");
        }
        assert_eq!(of(&[Yes, Unknown]), Some(Unknown));
        assert_eq!(of(&[No, Unknown, No]), Some(Unknown));
        assert_eq!(of(&[Unknown, Partly]), Some(Partly));
        assert_eq!(of(&[Yes, Yes]), Some(Yes));
        assert_eq!(of(&[No]), Some(No));
        assert_eq!(of(&[]), None);
    }
}
