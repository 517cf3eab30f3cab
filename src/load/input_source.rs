//! [`Source`]: where one piece of input comes from.

use crate::load::live::Live;
use crate::load::source_limits::SourceLimits;

/// Where one piece of input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, a directory, a glob pattern or `git:REV:PATH`, as the user wrote it.
    Path(Box<str>),
    /// Standard input.
    Stdin,
    /// A directory for `kubectl kustomize`, or `git:REV:DIRECTORY`.
    Kustomize(Box<str>),
    /// A cluster, through `kubectl get`.
    Live(Live),
    /// The output of a shell command, run in a directory.
    Exec(Box<str>, Box<str>),
    /// A text that is already in memory, under a name for messages.
    Text(Box<str>, Box<str>),
    /// One that a configuration names, with what reading it may do.
    Limited(Box<Source>, SourceLimits),
}
