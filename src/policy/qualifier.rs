//! [`Qualifier`]: what a rule depends on besides its ends and ports.

/// A condition of a rule that a flow of protocol and destination port does not show.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Qualifier {
    /// The source's ports, first to last.
    SourcePorts(Vec<(u16, u16)>),
    /// A request of an application protocol: what it must be, as the dialect writes it.
    Application(Box<str>),
    /// An authenticated identity of the other side.
    Identity(Box<str>),
    /// A handshake that everything which the rule covers has to make, whatever other rules allow.
    Handshake(Box<str>),
    /// What the implementation makes of the rule is not documented: what, in words.
    Undocumented(Box<str>),
}

impl Qualifier {
    /// Whether traffic that the rule covers is held to the condition even where another rule
    /// allows it as well.
    pub const fn binds(&self) -> bool {
        matches!(self, Self::Handshake(_))
    }
}
