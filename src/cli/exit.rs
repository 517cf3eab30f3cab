//! Exit codes, the same in every command.

use super::args::{Common, UnknownAs};
use netpal::Verdict;

/// What the program ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Yes, unchanged, nothing found, all passed.
    Good,
    /// No, changed, findings, a test failed.
    Bad,
    /// Usage, unreadable or invalid input.
    Usage,
    /// Partly or unknown.
    Undecided,
    /// No, because no door leads there.
    NoDoor,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Bad => 1,
            Self::Usage => 2,
            Self::Undecided => 3,
            Self::NoDoor => 4,
        }
    }

    /// What a verdict ends with.
    pub fn of(verdict: Verdict, common: &Common) -> Self {
        match (verdict, common.unknown) {
            (Verdict::Yes, _) | (Verdict::Unknown, Some(UnknownAs::Yes)) => Self::Good,
            (Verdict::No, _) | (Verdict::Unknown, Some(UnknownAs::No | UnknownAs::Fail)) => {
                Self::Bad
            }
            (Verdict::Partly | Verdict::Unknown, _) => Self::Undecided,
        }
    }

    /// The same, unless every answer was to count as good.
    pub fn or_zero(self, common: &Common) -> Self {
        if common.exit_zero && self != Self::Usage {
            Self::Good
        } else {
            self
        }
    }
}
