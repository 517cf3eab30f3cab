//! Facts about the input that are reported: what, where, how bad, and what to do about it.
//!
//! Shared by load, lint and check. A diagnostic is data: it carries symbolic pointers and no
//! printed line numbers; the wording of a message is made where the fact is found, the layout where
//! it is rendered.

use crate::source::{Location, Origin};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DiagnosticSeverity {
    /// Something was left out or assumed; good to know.
    Note,
    /// Probably not what was meant; nothing was lost.
    Warning,
    /// Could not be read as the API server would read it.
    Error,
}

impl DiagnosticSeverity {
    /// The word that is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What kind of fact a diagnostic states; stable, for machine formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// Not readable as text, YAML or JSON.
    Syntax,
    /// A template that has to be rendered first.
    UnrenderedTemplate,
    /// A placeholder such as `${NAMESPACE}` in the place of a name.
    Placeholder,
    /// The same key twice in one mapping.
    DuplicateKey,
    /// A field the API does not know.
    UnknownField,
    /// A value of the wrong type.
    WrongType,
    /// A value the API server would refuse.
    InvalidValue,
    /// The same object twice; the last wins.
    DuplicateObject,
    /// A policy of a kind that is not modelled.
    UnmodelledPolicy,
    /// Something that is not a plain object: an `OpenShift` Template, a kustomize patch.
    NotAnObject,
    /// Too large, too deep or too many aliases.
    Limit,
    /// Something was assumed because the input does not say.
    Assumption,
    /// A file could not be read.
    Unreadable,
}

impl Code {
    /// The stable name in machine formats.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::UnrenderedTemplate => "unrendered-template",
            Self::Placeholder => "placeholder",
            Self::DuplicateKey => "duplicate-key",
            Self::UnknownField => "unknown-field",
            Self::WrongType => "wrong-type",
            Self::InvalidValue => "invalid-value",
            Self::DuplicateObject => "duplicate-object",
            Self::UnmodelledPolicy => "unmodelled-policy",
            Self::NotAnObject => "not-an-object",
            Self::Limit => "limit",
            Self::Assumption => "assumption",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Where a diagnostic points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A path in a document, resolved when printed.
    Origin(Origin),
    /// A place that is known already, for text that never became a document.
    At(Location),
    /// The input as a whole.
    Input,
}

/// One fact about the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: DiagnosticSeverity,
    /// What kind of fact.
    pub code: Code,
    /// Where.
    pub place: Place,
    /// The fact: lower case, no final period, input in backticks.
    pub message: Box<str>,
    /// What to do, if anything.
    pub help: Option<Box<str>>,
    /// Other places that belong to it, each with a word.
    pub related: Vec<(Place, Box<str>)>,
}

impl Diagnostic {
    /// A diagnostic without help or related places.
    pub fn new(
        severity: DiagnosticSeverity,
        code: Code,
        place: Place,
        message: impl Into<Box<str>>,
    ) -> Self {
        Self {
            severity,
            code,
            place,
            message: message.into(),
            help: None,
            related: Vec::new(),
        }
    }

    /// The same with a word of help.
    #[must_use]
    pub fn help(mut self, help: impl Into<Box<str>>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with one more place.
    #[must_use]
    pub fn related(mut self, place: Place, word: impl Into<Box<str>>) -> Self {
        self.related.push((place, word.into()));
        self
    }
}
