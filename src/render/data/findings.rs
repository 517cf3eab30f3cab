//! Findings for programs: resolved places, and JSON, YAML and CSV of findings.
//!
//! [`FindingSet`] is what every writer of findings takes. The JSON structs are frozen like those of
//! [`crate::render::data::json`].

use crate::diagnostic::Place;
use crate::finding::{Finding, Label, RuleInfo, Severity, identities};
use crate::render::data::json::PlaceJson;
use crate::render::words;
use crate::tree::Locator;
use schemars::JsonSchema;
use serde::Serialize;
use std::io::{self, Write};

/// What writers of findings take.
#[derive(Clone, Copy)]
pub struct FindingSet<'a> {
    /// The findings, in order.
    pub findings: &'a [Finding],
    /// The rules they come from.
    pub rules: &'a [RuleInfo],
    /// Finds lines.
    pub locator: &'a Locator<'a>,
    /// The folder the program was started in, to make absolute names relative.
    pub base: Option<&'a str>,
}

/// A stretch of a file, ready to print.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region {
    /// The file's name, relative where it can be.
    pub file: String,
    /// 1-based line.
    pub line: u32,
    /// 1-based column, in characters.
    pub column: u32,
    /// One past the last column, where it ends on the same line.
    pub end_column: Option<u32>,
}

impl<'a> FindingSet<'a> {
    /// The findings that no suppression covers.
    pub fn active(&self) -> impl Iterator<Item = &'a Finding> + use<'a> {
        self.findings.iter().filter(|f| f.suppressed.is_none())
    }

    /// How many active findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.active().filter(|f| f.severity == severity).count()
    }

    /// The rule of a finding.
    pub fn rule(&self, id: &str) -> Option<(usize, &'a RuleInfo)> {
        self.rules.iter().enumerate().find(|(_, r)| r.id == id)
    }

    /// The region of a place.
    pub fn region(&self, place: &Place) -> Option<Region> {
        match place {
            Place::Input => None,
            Place::At(location) => Some(Region {
                file: self.relative(&location.file),
                line: location.at.line,
                column: location.at.column,
                end_column: None,
            }),
            Place::Origin(origin) => {
                let (file, span) = self.locator.span(origin)?;
                let file = self.locator.sources().file(file)?;
                let text = file.text.part(span.start..span.end).unwrap_or_default();
                let first = text.lines().next().unwrap_or_default();
                let width = u32::try_from(first.chars().count()).unwrap_or(0);
                let sources = self.locator.sources();
                let told = sources.location(origin.document, span.at)?;
                let end_column = (width > 0).then(|| told.at.column.saturating_add(width));
                Some(Region {
                    file: self.relative(&told.file),
                    line: told.at.line,
                    column: told.at.column,
                    end_column,
                })
            }
        }
    }

    fn relative(&self, name: &str) -> String {
        let under = |base: &str| {
            name.strip_prefix(base)?
                .strip_prefix('/')
                .map(str::to_owned)
        };
        let short = self.base.and_then(under);
        short.unwrap_or_else(|| name.strip_prefix("./").unwrap_or(name).to_owned())
    }

    /// The findings, worst first, otherwise in order.
    pub fn worst_first(&self) -> Vec<&'a Finding> {
        let mut list: Vec<&Finding> = self.active().collect();
        list.sort_by_key(|f| std::cmp::Reverse(f.severity));
        list
    }
}

/// The message with everything that belongs to it, as plain text of several lines.
pub fn full_text(finding: &Finding) -> String {
    let mut lines = vec![finding.message.to_string()];
    lines.extend(finding.label.iter().map(ToString::to_string));
    lines.extend(finding.notes.iter().map(ToString::to_string));
    lines.extend(finding.help.iter().map(|h| format!("fix: {h}")));
    words::clean_lines(&lines.join("\n"))
}

/// A place with a word.
#[derive(Debug, Serialize, JsonSchema)]
struct JsonLabel {
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<PlaceJson>,
    text: String,
}

/// The object a finding is about.
#[derive(Debug, Serialize, JsonSchema)]
struct JsonSubject {
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: Box<str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: Box<str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: Box<str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    peer: Box<str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct JsonFinding {
    rule: &'static str,
    name: &'static str,
    severity: &'static str,
    confidence: &'static str,
    message: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<PlaceJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<Box<str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<JsonLabel>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Box<str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<JsonLabel>,
    fixable: bool,
    subject: JsonSubject,
    identity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<Box<str>>,
}

/// Findings as a document.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JsonFindings {
    errors: usize,
    warnings: usize,
    infos: usize,
    findings: Vec<JsonFinding>,
}

/// Findings as a document.
pub fn document(report: &FindingSet<'_>) -> JsonFindings {
    let ids = identities(report.findings);
    let findings = report
        .findings
        .iter()
        .zip(ids)
        .map(|(f, id)| json_finding(report, f, id))
        .collect();
    JsonFindings {
        errors: report.count(Severity::Error),
        warnings: report.count(Severity::Warning),
        infos: report.count(Severity::Info),
        findings,
    }
}

fn json_finding(report: &FindingSet<'_>, finding: &Finding, identity: String) -> JsonFinding {
    let label = |l: &Label| JsonLabel {
        at: place_json(report, &l.place),
        text: l.text.to_string(),
    };
    let about = finding.fingerprint.clone();
    JsonFinding {
        rule: finding.rule,
        name: finding.name,
        severity: finding.severity.name(),
        confidence: finding.confidence.name(),
        message: finding.message.clone(),
        at: place_json(report, &finding.place),
        label: finding.label.clone(),
        related: finding.related.iter().map(label).collect(),
        notes: finding.notes.clone(),
        help: finding.help.clone(),
        steps: finding.steps.iter().map(label).collect(),
        fixable: finding.fix.is_some(),
        subject: JsonSubject {
            namespace: about.namespace,
            name: about.name,
            path: about.path,
            peer: about.peer,
        },
        identity,
        suppressed: finding.suppressed.clone(),
    }
}

fn place_json(report: &FindingSet<'_>, place: &Place) -> Option<PlaceJson> {
    report.region(place).map(|r| PlaceJson {
        file: r.file,
        line: r.line,
        column: r.column,
    })
}

/// Findings as a table.
///
/// # Errors
/// When the writer fails.
pub fn csv(report: &FindingSet<'_>, out: &mut dyn Write) -> io::Result<()> {
    let head = [
        "rule",
        "name",
        "severity",
        "file",
        "line",
        "column",
        "namespace",
        "object",
        "path",
        "message",
        "help",
    ];
    let head = std::iter::once(head.map(str::to_owned).to_vec());
    crate::render::data::csv::rows(head.chain(report.active().map(|f| row(report, f))), out)
}

fn row(report: &FindingSet<'_>, finding: &Finding) -> Vec<String> {
    let at = report.region(&finding.place);
    let number = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
    let about = &finding.fingerprint;
    vec![
        finding.rule.to_owned(),
        finding.name.to_owned(),
        finding.severity.name().to_owned(),
        at.as_ref().map_or_else(String::new, |r| r.file.clone()),
        number(at.as_ref().map(|r| r.line)),
        number(at.as_ref().map(|r| r.column)),
        about.namespace.to_string(),
        about.name.to_string(),
        about.path.to_string(),
        finding.message.to_string(),
        finding.help.as_deref().unwrap_or_default().to_owned(),
    ]
}
