//! How a verdict changes.

/// How the verdict on a piece of traffic changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Denied before, allowed now: new attack surface.
    Widened,
    /// Allowed before, denied now: breakage.
    Narrowed,
    /// Denied before and unknown now, or unknown before and allowed now.
    MayWiden,
    /// Allowed before and unknown now, or unknown before and denied now.
    MayNarrow,
    /// Unknown on both sides, and something that governs it was edited.
    Undecided,
}

impl Kind {
    /// Every kind, the riskiest first.
    pub const ALL: [Self; 5] = [
        Self::Widened,
        Self::Narrowed,
        Self::MayWiden,
        Self::MayNarrow,
        Self::Undecided,
    ];

    /// The stable word of the output formats.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Widened => "widened",
            Self::Narrowed => "narrowed",
            Self::MayWiden => "may-widen",
            Self::MayNarrow => "may-narrow",
            Self::Undecided => "undecided",
        }
    }

    /// The same change when the two sides are exchanged.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Widened => Self::Narrowed,
            Self::Narrowed => Self::Widened,
            Self::MayWiden => Self::MayNarrow,
            Self::MayNarrow => Self::MayWiden,
            Self::Undecided => Self::Undecided,
        }
    }
}
