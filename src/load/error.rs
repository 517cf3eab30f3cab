//! [`LoadError`]: why nothing could be loaded at all.

/// Why nothing could be loaded at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A path that is not there or cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Unreadable {
        /// As the user wrote it.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// A pattern that matches no file.
    #[error("no file matches `{0}`")]
    NoMatch(String),
    /// A pattern that is none.
    #[error("`{pattern}` is not a valid pattern: {reason}")]
    BadPattern {
        /// As the user wrote it.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that cannot be written.
    #[error("cannot write `{path}`: {reason}")]
    Unwritable {
        /// As the user wrote it.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// kubectl could not be run or failed.
    #[error("`kubectl {command}` failed: {reason}")]
    Kubectl {
        /// What it was to do.
        command: String,
        /// kubectl's words.
        reason: String,
    },
    /// A command of the configuration could not be run or failed.
    #[error("`{command}` failed: {reason}")]
    Command {
        /// The command.
        command: String,
        /// Its words.
        reason: String,
    },
}
