//! Why a text is no endpoint and no question, and what to write instead.

/// Why a text is not a question or not an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// An error with a help text, unless that is empty.
pub(crate) fn error<T>(message: impl Into<String>, help: &str) -> Result<T, ParseError> {
    let help = (!help.is_empty()).then(|| help.to_owned());
    Err(ParseError {
        message: message.into(),
        help,
    })
}
