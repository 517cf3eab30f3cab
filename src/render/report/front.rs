//! What a report says of itself: what it is about, of which state of which input, made how, and
//! what was left out of it on purpose.
//!
//! Everything is handed in: the report looks at no clock, no environment and no repository.

use crate::finding::Finding;
use crate::render::context::RenderContext;
use crate::render::report::tables::place;
use crate::render::words;

/// What a report says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportFront {
    /// What the input was read from.
    pub inputs: Vec<String>,
    /// The commit of the input, or why none is known.
    pub commit: String,
    /// When it was made, as it was told.
    pub date: Option<String>,
    /// The command that made it.
    pub command: String,
    /// What was suppressed, each with where, what and why.
    pub suppressions: Vec<Suppressed>,
}

/// Something that was left out on purpose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suppressed {
    /// The rule, or the setting.
    pub rule: String,
    /// Where it would have been reported.
    pub place: String,
    /// What is not reported.
    pub what: String,
    /// Why.
    pub reason: String,
}

impl Suppressed {
    /// The findings that suppressions cover.
    pub fn of_findings(findings: &[Finding], context: &RenderContext<'_>) -> Vec<Self> {
        let covered = findings.iter().filter_map(|finding| {
            let reason = finding.suppressed.as_ref()?;
            Some(Self {
                rule: finding.rule.to_owned(),
                place: place(context, finding),
                what: finding.message.to_string(),
                reason: reason.to_string(),
            })
        });
        covered.collect()
    }

    /// In one line, cleaned.
    pub(crate) fn line(&self) -> String {
        let Self {
            rule,
            place,
            what,
            reason,
        } = self;
        let at = if place.is_empty() {
            String::new()
        } else {
            format!(" at {place}")
        };
        let why = if reason.is_empty() {
            "no reason is given"
        } else {
            reason
        };
        words::clean(&format!("{rule}{at}: {what} (reason: {why})")).into_owned()
    }
}

impl ReportFront {
    /// The lines but the suppressions, each with its name, cleaned.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        let clean = |text: &str| words::clean(text).into_owned();
        let date = self.date.as_deref();
        vec![
            ("input", clean(&self.inputs.join(", "))),
            ("commit of the input", clean(&self.commit)),
            (
                "date",
                clean(date.unwrap_or("none given (--date, SOURCE_DATE_EPOCH)")),
            ),
            ("command", clean(&self.command)),
        ]
    }
}
