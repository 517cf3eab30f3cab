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
    /// A path of a configuration that leads out of its folder.
    #[error(
        "the configuration names `{path}`, which lies outside its folder; it may do so only with \
         --allow-outside"
    )]
    Outside {
        /// The path, as it is written or found.
        path: String,
    },
    /// A kustomization of a configuration that takes in what is not on the disk.
    #[error(
        "the kustomization `{directory}` takes in `{fetched}`, which is not here and would be \
         fetched; that is done only with --allow-exec\n       \
         or build it yourself: kustomize build {directory} | netpal ... -f -"
    )]
    Fetched {
        /// The folder, as it is named.
        directory: String,
        /// What would be fetched, as it is written.
        fetched: String,
    },
}
