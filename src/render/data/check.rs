//! Outcomes of policy tests for programs and CI: JSON, CSV, `JUnit`, TAP, Markdown, and as
//! findings.

use crate::check::{Outcome, Status};
use crate::config::Level;
use crate::diagnostic::Place;
use crate::finding::{Finding, Label, RuleInfo, Severity};
use crate::render::ci::markdown::{MARKER, code};
use crate::render::context::RenderContext;
use crate::render::data::csv;
use crate::render::data::json::PlaceJson;
use crate::render::text::check::{SuiteRun, counts, place, reason, remedy, word};
use crate::render::words;
use crate::source::Location;
use quick_junit::{NonSuccessKind, Report as JunitReport, TestCase, TestCaseStatus, TestSuite};
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Write};

/// The outcomes of all tests.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TestsJson {
    /// How many passed.
    pub passed: usize,
    /// How many failed or were empty.
    pub failed: usize,
    /// How many failed or were empty, but are no error.
    pub warned: usize,
    /// How many cannot be decided.
    pub undecided: usize,
    /// Each, in order.
    pub tests: Vec<TestJson>,
}

/// The outcome of one test.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TestJson {
    /// What it says.
    pub name: String,
    /// Its place.
    pub at: PlaceJson,
    /// `passed`, `failed`, `empty` or `undecided`.
    pub status: &'static str,
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// Why, line by line.
    pub why: Vec<ReasonJson>,
    /// What to add so that it holds, where something was found and tried: in words and YAML.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

/// A line of a reason.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReasonJson {
    /// The line, in words.
    pub text: String,
    /// Where it points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceJson>,
}

/// A place, as a document holds it.
pub fn at(location: &Location) -> PlaceJson {
    PlaceJson {
        file: location.file.to_string(),
        line: location.at.line,
        column: location.at.column,
    }
}

fn severity(level: Level) -> Severity {
    match level {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Info => Severity::Info,
    }
}

/// The word of a status, as documents hold it.
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Failed => "failed",
        Status::Empty => "empty",
        Status::Undecided => "undecided",
    }
}

fn outcomes<'a>(ran: &'a [SuiteRun<'a>]) -> impl Iterator<Item = &'a Outcome<'a>> {
    ran.iter().flat_map(|(_, run)| &run.outcomes)
}

/// The outcomes as a document's content.
pub fn json(context: RenderContext<'_>, ran: &[SuiteRun<'_>]) -> TestsJson {
    let counts = counts(ran);
    TestsJson {
        passed: counts.passed,
        failed: counts.failed,
        warned: counts.warned,
        undecided: counts.undecided,
        tests: outcomes(ran).map(|o| test(context, o)).collect(),
    }
}

fn test(context: RenderContext<'_>, outcome: &Outcome<'_>) -> TestJson {
    TestJson {
        name: outcome.test.name.clone(),
        at: at(&outcome.test.at),
        status: status(outcome.status),
        severity: severity(outcome.test.severity).name(),
        why: reason(context, outcome)
            .into_iter()
            .map(|(text, place)| ReasonJson {
                text: text.trim().to_owned(),
                at: place.as_ref().map(at),
            })
            .collect(),
        remedy: remedy(context, outcome).join("\n"),
    }
}

/// The reason as plain text of several lines.
fn lines(context: RenderContext<'_>, outcome: &Outcome<'_>) -> Vec<String> {
    let place = |l: Option<Location>| l.map(|l| format!("   {}", place(&l))).unwrap_or_default();
    reason(context, outcome)
        .into_iter()
        .map(|(text, at)| format!("{text}{}", place(at)))
        .collect()
}

/// One line a test.
///
/// # Errors
/// When the writer fails.
pub fn write_csv(
    context: RenderContext<'_>,
    ran: &[SuiteRun<'_>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let head = ["file", "line", "test", "status", "severity", "why"]
        .map(String::from)
        .to_vec();
    let body = outcomes(ran).map(|o| {
        let at = &o.test.at;
        let why = lines(context, o)
            .iter()
            .map(|l| l.trim().to_owned())
            .collect::<Vec<_>>()
            .join("; ");
        let severity = severity(o.test.severity).name().to_owned();
        vec![
            at.file.to_string(),
            at.at.line.to_string(),
            o.test.name.clone(),
            status(o.status).to_owned(),
            severity,
            why,
        ]
    });
    csv::rows(std::iter::once(head).chain(body), out)
}

/// `JUnit` XML: one suite a file, one case a test. Undecided tests are errors, warnings are skipped
/// with their reason.
///
/// # Errors
/// When the writer fails.
pub fn junit(
    context: RenderContext<'_>,
    ran: &[SuiteRun<'_>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut report = JunitReport::new("netpal");
    for (suite, run) in ran {
        let mut cases = TestSuite::new(words::clean(&suite.file).into_owned());
        for outcome in &run.outcomes {
            let lines = lines(context, outcome);
            let first = lines
                .first()
                .map(|l| l.trim().to_owned())
                .unwrap_or_default();
            let mut case = match outcome.status {
                Status::Passed => TestCaseStatus::success(),
                Status::Undecided => TestCaseStatus::non_success(NonSuccessKind::Error),
                _ if outcome.fails() => TestCaseStatus::non_success(NonSuccessKind::Failure),
                Status::Failed | Status::Empty => TestCaseStatus::skipped(),
            };
            if outcome.status != Status::Passed {
                case.set_message(first)
                    .set_type(status(outcome.status))
                    .set_description([lines, remedy(context, outcome)].concat().join("\n"));
            }
            let mut case = TestCase::new(words::clean(&outcome.test.name).into_owned(), case);
            case.set_classname(words::clean(&suite.file).into_owned());
            cases.add_test_case(case);
        }
        report.add_test_suite(cases);
    }
    report.serialize(out).map_err(io::Error::other)
}

/// TAP 14, with the reasons as comments.
///
/// # Errors
/// When the writer fails.
pub fn tap(
    context: RenderContext<'_>,
    ran: &[SuiteRun<'_>],
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "TAP version 14\n1..{}", outcomes(ran).count())?;
    for (i, outcome) in outcomes(ran).enumerate() {
        let name = words::clean(&outcome.test.name)
            .replace('\\', "\\\\")
            .replace('#', "\\#");
        let passes = outcome.status == Status::Passed;
        let todo = if passes || outcome.fails() || outcome.status == Status::Undecided {
            ""
        } else {
            " # TODO a warning only"
        };
        writeln!(
            out,
            "{} {} - {name}{todo}",
            if passes { "ok" } else { "not ok" },
            i + 1
        )?;
        if !passes {
            writeln!(out, "# {} {}", word(outcome), place(&outcome.test.at))?;
            lines(context, outcome)
                .iter()
                .try_for_each(|l| writeln!(out, "# {l}"))?;
        }
    }
    Ok(())
}

/// A comment on a change: what fails, and why.
///
/// # Errors
/// When the writer fails.
pub fn markdown(
    context: RenderContext<'_>,
    ran: &[SuiteRun<'_>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let counts = counts(ran);
    let mut text = format!(
        "### netpal: {} failed, {} passed",
        counts.failed, counts.passed
    );
    for (n, word) in [(counts.warned, "warned"), (counts.undecided, "undecided")] {
        if n > 0 {
            let _ = write!(text, ", {n} {word}");
        }
    }
    text.push('\n');
    for outcome in outcomes(ran).filter(|o| o.status != Status::Passed) {
        let mut entry = format!(
            "\n**{}** {} {}\n",
            word(outcome),
            code(&outcome.test.name),
            code(&place(&outcome.test.at))
        );
        for line in lines(context, outcome) {
            let _ = writeln!(entry, "- {}", code(line.trim()));
        }
        if text.len() + entry.len() > crate::render::ci::markdown::LIMIT - 200 {
            text.push_str("\nMore tests fail: see the artifact, or run `netpal test` yourself.\n");
            break;
        }
        text.push_str(&entry);
    }
    let _ = writeln!(text, "\n{MARKER}");
    out.write_all(text.as_bytes())
}

/// What the findings of failed tests are called.
pub fn rules() -> Vec<RuleInfo> {
    vec![RuleInfo {
        id: "NPTEST",
        name: "policy-test",
        summary: "a policy test does not hold".into(),
        page: "A test in a policy test file does not hold, or cannot be decided. See `netpal help test`.".into(),
        severity: Severity::Error,
        security: None,
    }]
}

/// Every test that did not pass as a finding: at the rule that decides where there is one, else at
/// the test.
pub fn findings(context: RenderContext<'_>, ran: &[SuiteRun<'_>]) -> Vec<Finding> {
    outcomes(ran)
        .filter(|o| o.status != Status::Passed)
        .map(|o| finding(context, o))
        .collect()
}

/// One test that did not pass as a finding.
fn finding(context: RenderContext<'_>, outcome: &Outcome<'_>) -> Finding {
    let lines = reason(context, outcome);
    let own = Place::At(outcome.test.at.clone());
    let decisive = lines
        .iter()
        .rev()
        .find_map(|(_, at)| at.clone())
        .map(Place::At);
    let message = format!("{}: {}", word(outcome), words::clean(&outcome.test.name));
    let mut finding = Finding::new(
        "NPTEST",
        "policy-test",
        decisive.unwrap_or_else(|| own.clone()),
        message,
    );
    finding.severity = if outcome.status == Status::Undecided {
        Severity::Warning
    } else {
        severity(outcome.test.severity)
    };
    finding.notes = lines.iter().map(|(text, _)| text.trim().into()).collect();
    finding.steps = lines
        .iter()
        .filter_map(|(text, at)| {
            Some(Label {
                place: Place::At(at.clone()?),
                text: text.trim().into(),
            })
        })
        .collect();
    let mends = remedy(context, outcome);
    finding.help = (!mends.is_empty()).then(|| mends.join("\n").into());
    finding.fingerprint.name = outcome.test.name.as_str().into();
    finding.related(own, "the test")
}
