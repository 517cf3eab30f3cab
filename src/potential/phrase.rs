//! [`Phrase`]: words that mean some kinds of pods.

/// A phrase, and the kinds that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phrase {
    /// In words.
    pub text: String,
    /// In words where some of the kinds are spoken about elsewhere.
    pub others: String,
    /// The kinds, in order.
    pub kinds: Vec<usize>,
    /// Further kinds that have such pods among others: nothing tells them apart there. What is said
    /// of the phrase has to hold for these too.
    pub touched: Vec<usize>,
}
