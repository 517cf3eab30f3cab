//! `netpal can --questions`: many questions, one compile, a verdict per line.
//!
//! Lines are `src,dst,protocol,port[,expected]`; blank lines and `#` comments are passed over,
//! further columns are ignored. Each line is answered as
//! `src,dst,protocol,port,verdict,reason[,expected]`, in order.

use super::args::Common;
use super::can::helped;
use super::exit::Exit;
use super::output::{self, Output};
use super::workspace::Workspace;
use anyhow::{Result, anyhow, bail};
use netpal::query::ask;
use netpal::query::explain::why::show;
use netpal::query::{Question, Verdict};
use netpal::render::Format;
use netpal::render::data::{csv as render_csv, json};
use schemars::JsonSchema;
use serde::Serialize;

/// One line, answered.
#[derive(Debug, Serialize, JsonSchema)]
struct Answered {
    line: u64,
    source: String,
    destination: String,
    protocol: String,
    port: String,
    verdict: &'static str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_expected: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The answers of a file.
#[derive(Serialize, JsonSchema)]
pub struct Answers {
    questions: usize,
    different: usize,
    #[serde(rename = "answers")]
    lines: Vec<Answered>,
}

/// Answers a file of questions.
///
/// # Errors
/// When the file or the input cannot be read.
pub fn run(common: &Common, file: &str) -> Result<Exit> {
    let output = Output::new(common, &[Format::Csv, Format::Json])?;
    if file == "-" && common.files.iter().any(|f| f == "-") {
        bail!("standard input can be read only once: both -f - and --questions - were given");
    }
    let text = read(file)?;
    let workspace = Workspace::open(common)?;
    let answers = answers(&workspace, &text)?;
    let different = answers
        .iter()
        .filter(|a| a.as_expected == Some(false))
        .count();
    let failed = answers.iter().filter(|a| a.error.is_some()).count();
    summary(common, file, &answers, different, failed);
    let answers = Answers {
        questions: answers.len(),
        different,
        lines: answers,
    };
    output.write(|format, out| match format {
        Format::Json => json::write("Answers", &answers, out),
        _ => render_csv::rows(answers.lines.iter().map(cells), out),
    })?;
    let exit = if failed > 0 {
        Exit::Usage
    } else if different > 0 {
        Exit::Bad
    } else {
        Exit::Good
    };
    Ok(workspace.exit(common, exit))
}

fn read(file: &str) -> Result<String> {
    Ok(netpal::load::project::text(file)?)
}

fn answers(workspace: &Workspace, text: &str) -> Result<Vec<Answered>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut answered = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| anyhow!("the questions are not CSV: {e}"))?;
        if is_head(&record) {
            continue;
        }
        answered.push(one(workspace, &record));
    }
    Ok(answered)
}

/// A first line that names the columns is no question.
fn is_head(record: &csv::StringRecord) -> bool {
    record.position().is_some_and(|p| p.line() == 1)
        && matches!(
            (record.get(0), record.get(1)),
            (
                Some("src" | "source" | "from"),
                Some("dst" | "destination" | "to")
            )
        )
}

fn one(workspace: &Workspace, record: &csv::StringRecord) -> Answered {
    let field = |i: usize| record.get(i).unwrap_or_default().to_owned();
    let mut answered = Answered {
        line: record.position().map_or(0, csv::Position::line),
        source: field(0),
        destination: field(1),
        protocol: field(2),
        port: field(3),
        verdict: "error",
        reason: "",
        expected: None,
        as_expected: None,
        error: None,
    };
    match decide(workspace, &answered, &field(4)) {
        Ok((verdict, reason, expected)) => {
            answered.verdict = verdict.word();
            answered.reason = reason;
            answered.expected = expected.map(Verdict::word);
            answered.as_expected = expected.map(|e| e == verdict);
        }
        Err(error) => answered.error = Some(error.to_string().replace("\n      ", ":")),
    }
    answered
}

type Decided = (Verdict, &'static str, Option<Verdict>);

fn decide(workspace: &Workspace, line: &Answered, expected: &str) -> Result<Decided> {
    let expected = match expected.to_ascii_lowercase().as_str() {
        "" => None,
        "allow" | "yes" => Some(Verdict::Yes),
        "deny" | "no" => Some(Verdict::No),
        "unknown" => Some(Verdict::Unknown),
        "partly" => Some(Verdict::Partly),
        other => {
            bail!("`{other}` is no expectation: write allow, deny, yes, no, partly or unknown")
        }
    };
    let bracketed = if line.destination.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("[{}]", line.destination)
    } else {
        line.destination.clone()
    };
    let destination = match (line.port.as_str(), line.protocol.as_str()) {
        ("" | "*", _) => bracketed,
        (port, "") => format!("{bracketed}:{port}"),
        (port, protocol) => format!("{bracketed}:{port}/{protocol}"),
    };
    let question = Question {
        source: super::can::endpoint(&line.source)?,
        destination: super::can::endpoint(&destination)?,
    };
    let answer = ask(&workspace.graph, &workspace.context, &question).map_err(helped)?;
    let shown = answer
        .pairs
        .iter()
        .find(|p| p.verdict == answer.verdict)
        .or_else(|| answer.pairs.first());
    let reason = shown.map_or("UNKNOWN_NO_ENDPOINTS", |p| {
        show(&workspace.graph, p).reason.code()
    });
    Ok((answer.verdict, reason, expected))
}

fn cells(a: &Answered) -> Vec<String> {
    let mut cells = [&a.source, &a.destination, &a.protocol, &a.port]
        .map(String::clone)
        .to_vec();
    cells.extend([
        a.verdict.to_owned(),
        a.error.clone().unwrap_or_else(|| a.reason.to_owned()),
    ]);
    cells.extend(a.expected.map(str::to_owned));
    cells
}

/// Differences and failures, each with its line, and the count, on standard error.
fn summary(common: &Common, file: &str, answers: &[Answered], different: usize, failed: usize) {
    if common.quiet {
        return;
    }
    for a in answers {
        let what = format!(
            "{} -> {}:{}/{}",
            a.source, a.destination, a.port, a.protocol
        );
        if let Some(error) = &a.error {
            output::remark(&format!("{file}:{}: {what}: {error}", a.line));
        } else if a.as_expected == Some(false) {
            output::remark(&format!(
                "{file}:{}: {what}: expected {}, got {} ({})",
                a.line,
                a.expected.unwrap_or_default(),
                a.verdict,
                a.reason
            ));
        }
    }
    let expected = answers.iter().filter(|a| a.expected.is_some()).count();
    let failed = if failed > 0 {
        format!(", {failed} could not be asked")
    } else {
        String::new()
    };
    output::remark(&format!(
        "{} questions, {expected} with an expectation: {} as expected, {different} different{failed}",
        answers.len(),
        expected - different
    ));
}
