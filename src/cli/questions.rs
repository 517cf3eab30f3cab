//! `netpal can --questions`: many questions, one compile, a verdict per line.
//!
//! Lines are `src,dst,protocol,port[,expected]`; blank lines and `#` comments are passed over,
//! further columns are ignored. Each line is answered as
//! `src,dst,protocol,port,verdict,reason[,expected]`, in order.

use super::args::Common;
use super::asked::helped;
use super::exit::Exit;
use super::output::{self, Output};
use super::stand_ins::StandingIn;
use super::workspace::Workspace;
use anyhow::{Result, anyhow, bail};
use netpal::{AskedPorts, Question, QuestionAnswer, QuestionAnswers, Verdict, ask, show};
use std::collections::BTreeSet;

/// Answers a file of questions.
///
/// # Errors
/// When the file or the input cannot be read.
pub fn run(common: &Common, file: &str) -> Result<Exit> {
    let output = Output::of::<QuestionAnswers>(common)?;
    if file == "-" && common.files.iter().any(|f| f == "-") {
        bail!("standard input can be read only once: both -f - and --questions - were given");
    }
    let text = read(file)?;
    let workspace = Workspace::open(common)?;
    let answers = answers(common, &workspace, &text)?;
    if answers.is_empty() {
        bail!("`{file}` asks no question: a line is SOURCE,DESTINATION,PROTOCOL,PORT");
    }
    let answers = QuestionAnswers::new(answers);
    summary(common, file, &answers);
    output.render(&answers, &workspace.context(&workspace.locator()))?;
    let exit = match (answers.failed(), answers.different) {
        (0, 0) => Exit::Good,
        (0, _) => Exit::Bad,
        (_, _) => Exit::Usage,
    };
    Ok(workspace.exit(common, exit))
}

fn read(file: &str) -> Result<String> {
    Ok(netpal::read_text(file)?)
}

/// On how many ports a pod that is not loaded is told apart by its port names.
const MOST_PORTS: usize = 20;

fn lines(text: &str) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}

fn unanswered(record: &csv::StringRecord) -> QuestionAnswer {
    let line = record.position().map_or(0, csv::Position::line);
    let field = |i: usize| netpal::without_secrets(record.get(i).unwrap_or_default());
    QuestionAnswer::new(line, [0, 1, 2, 3].map(field))
}

/// The answers, in order. Lines for which the same pods stand in are asked together: what stands in
/// for one line must not answer another.
fn answers(common: &Common, workspace: &Workspace, text: &str) -> Result<Vec<QuestionAnswer>> {
    let mut reader = lines(text);
    let mut records = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| anyhow!("the questions are not CSV: {e}"))?;
        if !is_head(&record) {
            records.push(record);
        }
    }
    let asked: Vec<Option<Question>> = records
        .iter()
        .map(|record| question(&unanswered(record)).ok())
        .collect();
    let mut groups: Vec<(StandingIn, Vec<usize>)> = Vec::new();
    for (line, question) in asked.iter().enumerate() {
        let ends = question.iter().flat_map(|q| [&q.source, &q.destination]);
        let standing_in = workspace.standing_in(&ends.collect::<Vec<_>>());
        match groups.iter_mut().find(|(of, _)| *of == standing_in) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((standing_in, vec![line])),
        }
    }
    let mut answered: Vec<Option<QuestionAnswer>> = vec![None; records.len()];
    for (_, lines) in groups {
        let questions: Vec<&Question> = lines.iter().filter_map(|at| asked[*at].as_ref()).collect();
        let laid = match questions.first() {
            Some(first) => {
                let ends = [&first.source, &first.destination];
                workspace.laid_over(common, &ends, &ports(&questions))?
            }
            None => None,
        };
        for at in lines {
            answered[at] = Some(answer(laid.as_ref().unwrap_or(workspace), &records[at]));
        }
    }
    Ok(answered.into_iter().flatten().collect())
}

/// The ports that some questions are about.
fn ports(questions: &[&Question]) -> AskedPorts {
    let mut ports: BTreeSet<u16> = BTreeSet::new();
    for question in questions {
        if let AskedPorts::Numbers(numbers) = question.destination.asked_ports() {
            ports.extend(numbers);
        }
    }
    if ports.is_empty() || ports.len() > MOST_PORTS {
        AskedPorts::Any
    } else {
        AskedPorts::Numbers(ports.into_iter().collect())
    }
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

fn answer(workspace: &Workspace, record: &csv::StringRecord) -> QuestionAnswer {
    let mut answer = unanswered(record);
    match decide(workspace, &answer, record.get(4).unwrap_or_default()) {
        Ok((verdict, reason, expected)) => answer.answered(verdict, reason, expected),
        Err(error) => answer.error = Some(error.to_string().replace("\n      ", ":")),
    }
    answer
}

/// The question of a line.
fn question(line: &QuestionAnswer) -> Result<Question> {
    let bracketed = if line.destination.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("[{}]", line.destination)
    } else {
        line.destination.clone()
    };
    let destination = match (line.port.as_str(), line.protocol.as_str()) {
        ("" | "*", "") => bracketed,
        ("" | "*", protocol) => format!("{bracketed}:{}", whole(protocol)),
        (port, "") => format!("{bracketed}:{port}"),
        (port, protocol) => format!("{bracketed}:{port}/{protocol}"),
    };
    Ok(Question {
        source: super::asked::endpoint(&line.source)?,
        destination: super::asked::endpoint(&destination)?,
    })
}

/// All of a protocol, as an end of a question names it; what is none is refused there.
fn whole(protocol: &str) -> String {
    match protocol.to_ascii_uppercase().as_str() {
        "ICMP" | "ICMPV6" => protocol.to_owned(),
        _ => format!("1-65535/{protocol}"),
    }
}

type LineAnswer = (Verdict, &'static str, Option<Verdict>);

fn decide(workspace: &Workspace, line: &QuestionAnswer, expected: &str) -> Result<LineAnswer> {
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
    let question = question(line)?;
    let answer = ask(&workspace.graph, &workspace.names, &question).map_err(helped)?;
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

/// Differences and failures, each with its line, and the count, on standard error.
fn summary(common: &Common, file: &str, answers: &QuestionAnswers) {
    if common.quiet {
        return;
    }
    for a in &answers.lines {
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
    let expected = answers.lines.iter().filter(|a| a.expected.is_some());
    let (expected, different) = (expected.count(), answers.different);
    let failed = match answers.failed() {
        0 => String::new(),
        failed => format!(", {failed} could not be asked"),
    };
    output::remark(&format!(
        "{}, {expected} with an expectation: {} as expected, {different} different{failed}",
        output::counted(answers.questions, "question"),
        expected - different
    ));
}
