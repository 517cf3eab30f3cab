//! Findings: what is wrong with a policy, where, why it matters and what to do. The common form of
//! everything that is reported to people and CI systems: lint's findings, failed tests, changes
//! that go the wrong way.
//!
//! A finding is data. It points symbolically ([`Place`]) and is given lines when it is written; its
//! [`Fingerprint`] names what it is about and not its place, so it survives edits elsewhere
//! in the file. Severity says how bad it is, [`Confidence`] how sure: a rule that may be wrong says
//! so.
//!
//! Invariant: [`sort`] gives one order for one set of findings, whatever order they were found in.

use crate::diagnostic::Place;
use crate::source::Origin;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Probably not what was meant, or wider than it should be.
    Warning,
    /// Wrong: the policy does not do what it says, or traffic that is needed is blocked.
    Error,
}

impl Severity {
    /// Every severity, worst first, with its word.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Error, "error"),
        (Self::Warning, "warning"),
        (Self::Info, "info"),
    ];

    /// The word that is printed.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.1)
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == word).map(|row| row.0)
    }
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// Follows from the API's rules and the input.
    Certain,
    /// A guess at what was meant; the finding states the facts it rests on.
    Likely,
}

impl Confidence {
    /// The word that is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
        }
    }
}

/// A place with a word about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What is to be seen there.
    pub text: Box<str>,
}

/// What a finding is about, for recognizing it in the next run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Fingerprint {
    /// The object's namespace; empty for cluster-wide ones.
    pub namespace: Box<str>,
    /// The object's name.
    pub name: Box<str>,
    /// The path of the rule inside it, as it is printed.
    pub path: Box<str>,
    /// The peer, port or workload it is about, when the path does not say.
    pub peer: Box<str>,
}

/// One edit of a manifest, in terms of its tree; the text is only touched when it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeEdit {
    /// Makes this list item part of the one before it: takes its dash away.
    JoinPrevious(Origin),
    /// Writes another value here.
    Replace(Origin, Box<str>),
    /// Writes another key here, keeping the value.
    Rename(Origin, Box<str>),
    /// Adds an item to the list here.
    Append(Origin, Box<str>),
    /// Adds `key: value` to the mapping here, as its last entry.
    Insert(Origin, Box<str>, Box<str>),
    /// Takes this list item out.
    Remove(Origin),
}

/// What mends it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fix {
    /// The edits, in order.
    pub edits: Vec<TreeEdit>,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id: `NP004`.
    pub rule: &'static str,
    /// The rule's name: `split-peer`.
    pub name: &'static str,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// The fact: lower case, no final period.
    pub message: Box<str>,
    /// Where.
    pub place: Place,
    /// What is to be seen there.
    pub label: Option<Box<str>>,
    /// Other places that belong to it.
    pub related: Vec<Label>,
    /// Facts it rests on, and what follows from it.
    pub notes: Vec<Box<str>>,
    /// What to do.
    pub help: Option<Box<str>>,
    /// What mends it without anyone thinking.
    pub fix: Option<Fix>,
    /// The steps of a path through the cluster, when the finding is about one.
    pub steps: Vec<Label>,
    /// What it is about.
    pub fingerprint: Fingerprint,
    /// Why it was accepted, when a suppression covers it.
    pub suppressed: Option<Box<str>>,
}

impl Finding {
    /// A certain warning with a message only.
    pub fn new(
        rule: &'static str,
        name: &'static str,
        place: Place,
        message: impl Into<Box<str>>,
    ) -> Self {
        Self {
            rule,
            name,
            severity: Severity::Warning,
            confidence: Confidence::Certain,
            message: message.into(),
            place,
            label: None,
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
            steps: Vec::new(),
            fingerprint: Fingerprint::default(),
            suppressed: None,
        }
    }

    /// The same with a severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The same as a guess.
    #[must_use]
    pub fn likely(mut self) -> Self {
        self.confidence = Confidence::Likely;
        self
    }

    /// The same with a word under its place.
    #[must_use]
    pub fn label(mut self, text: impl Into<Box<str>>) -> Self {
        self.label = Some(text.into());
        self
    }

    /// The same with one more place.
    #[must_use]
    pub fn related(mut self, place: Place, text: impl Into<Box<str>>) -> Self {
        self.related.push(Label {
            place,
            text: text.into(),
        });
        self
    }

    /// The same with one more fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<Box<str>>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, text: impl Into<Box<str>>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The same with an automatic fix.
    #[must_use]
    pub fn fix(mut self, edits: impl IntoIterator<Item = TreeEdit>) -> Self {
        self.fix = Some(Fix {
            edits: edits.into_iter().collect(),
        });
        self
    }

    /// Its identity across runs: 16 hexadecimal digits of the rule and what it is about. `nth`
    /// distinguishes findings that are about the same thing.
    pub fn identity(&self, nth: usize) -> String {
        let Fingerprint {
            namespace,
            name,
            path,
            peer,
        } = &self.fingerprint;
        let nth = if nth == 0 {
            String::new()
        } else {
            nth.to_string()
        };
        let parts = [self.rule, namespace, name, path, peer, &nth];
        format!(
            "{:016x}",
            fnv(parts.iter().flat_map(|p| p.bytes().chain([0])))
        )
    }
}

/// FNV-1a, 64 bits: the same in every version of the program, which the standard library's hash
/// does not promise.
fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The identities of findings, in their order; equal ones are numbered.
pub fn identities(findings: &[Finding]) -> Vec<String> {
    let mut seen: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    let each = findings.iter().map(|finding| {
        let count = seen.entry(finding.identity(0)).or_default();
        *count += 1;
        finding.identity(*count - 1)
    });
    each.collect()
}

/// Puts findings into their order: by place, then rule, then what they are about.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| key(a).cmp(&key(b)));
}

type SortKey<'a> = (
    u8,
    Option<&'a Origin>,
    Option<&'a crate::source::Location>,
    &'a str,
    &'a Fingerprint,
    &'a str,
);

fn key(finding: &Finding) -> SortKey<'_> {
    let (kind, origin, location) = match &finding.place {
        Place::Origin(origin) => (0, Some(origin), None),
        Place::At(location) => (1, None, Some(location)),
        Place::Input => (2, None, None),
    };
    (
        kind,
        origin,
        location,
        finding.rule,
        &finding.fingerprint,
        &finding.message,
    )
}

/// What is printed about a rule besides its findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// The id: `NP004`.
    pub id: &'static str,
    /// The name: `split-peer`.
    pub name: &'static str,
    /// One line.
    pub summary: Box<str>,
    /// The page, as Markdown.
    pub page: Box<str>,
    /// The severity it usually has.
    pub severity: Severity,
    /// How bad it is for security, 0.0 to 10.0, where it is about exposure at all.
    pub security: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(peer: &str) -> Finding {
        let mut finding = Finding::new("NP004", "split-peer", Place::Input, "x");
        finding.fingerprint.peer = peer.into();
        finding
    }

    #[test]
    fn an_identity_depends_on_what_it_is_about_and_on_nothing_else() {
        assert_eq!(
            finding("a").identity(0),
            finding("a")
                .label("other")
                .severity(Severity::Error)
                .identity(0)
        );
        assert_ne!(finding("a").identity(0), finding("b").identity(0));
        assert_eq!(
            finding("a").identity(0),
            "06a546eadfc93cb4",
            "stable across versions"
        );
    }

    #[test]
    fn equal_findings_are_numbered() {
        let ids = identities(&[finding("a"), finding("b"), finding("a")]);
        assert_ne!(ids[0], ids[2]);
        assert_eq!(ids[0], finding("a").identity(0));
    }
}
