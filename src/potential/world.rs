//! How much of the cluster an input shows (S148).

use std::str::FromStr;

/// How much of the cluster the input shows.
///
/// ```
/// use netpal::World;
/// assert_eq!("closed".parse(), Ok(World::Closed));
/// assert_eq!(World::default(), World::Open);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum World {
    /// Pods and namespaces may exist that are not in it.
    #[default]
    Open,
    /// Every namespace is in it with its labels; new pods may come.
    Namespaces,
    /// Nothing but what is in it exists.
    Closed,
}

impl World {
    /// The one of two in which more may exist.
    #[must_use]
    pub fn wider(self, other: Self) -> Self {
        match (self, other) {
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            (Self::Namespaces, _) | (_, Self::Namespaces) => Self::Namespaces,
            (Self::Closed, Self::Closed) => Self::Closed,
        }
    }
}

impl FromStr for World {
    type Err = String;

    /// Reads `open`, `namespaces` or `closed`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "open" => Ok(Self::Open),
            "namespaces" => Ok(Self::Namespaces),
            "closed" => Ok(Self::Closed),
            _ => Err(format!(
                "`{text}` is no world; write open, namespaces or closed"
            )),
        }
    }
}
