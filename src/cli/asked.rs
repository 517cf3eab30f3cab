//! What is asked, as it is typed: endpoints and questions, and what is wrong with them.

use super::args::QuestionArgs;
use anyhow::{Result, anyhow, bail};
use netpal::{EndpointSpec, Keyword, ParseError, Question, ResolveError, TrafficSet};

/// An error with its help on a line of its own.
pub fn helped(error: impl Into<ResolveError>) -> anyhow::Error {
    let error = error.into();
    match &error.help {
        Some(help) => anyhow!("{}\n       {help}", error.message),
        None => anyhow!("{}", error.message),
    }
}

fn parsed<T>(result: std::result::Result<T, ParseError>) -> Result<T> {
    result.map_err(|error| match &error.help {
        Some(help) => anyhow!("{}\n       {help}", error.message),
        None => anyhow!("{}", error.message),
    })
}

/// One endpoint as it is typed.
///
/// # Errors
/// When it is none.
pub fn endpoint(text: &str) -> Result<EndpointSpec> {
    parsed(text.parse())
}

/// The question of the words and selectors of a command line.
///
/// # Errors
/// When they do not make up a question.
pub fn question(args: &QuestionArgs) -> Result<Question> {
    if let Some(source) = before_redirection(&args.words) {
        bail!(
            "the shell took `> DST` for a file to write to; quote the arrow, or say it in a word\n       netpal can '{source} -> DST'\n       netpal can {source} reach DST"
        );
    }
    if args.from_labels.is_none() && args.to_labels.is_none() {
        return asked_in_words(args);
    }
    let words: Vec<&str> = args
        .words
        .iter()
        .map(String::as_str)
        .filter(|w| !is_verb(w))
        .collect();
    let by_labels = |labels: &str| match &args.port {
        Some(ports) => format!("?{labels}:{ports}"),
        None => format!("?{labels}"),
    };
    let mut words = words.into_iter();
    let source = match &args.from_labels {
        Some(labels) => format!("?{labels}"),
        None => words.next().map(str::to_owned).unwrap_or_default(),
    };
    let destination = match &args.to_labels {
        Some(labels) => by_labels(labels),
        None => words.next().map(str::to_owned).unwrap_or_default(),
    };
    if source.is_empty() || destination.is_empty() || words.next().is_some() {
        bail!(
            "`{}` is not a question\n       ask for example: netpal can frontend reach database:5432",
            args.words.join(" ")
        );
    }
    Ok(Question {
        source: endpoint(&source)?,
        destination: endpoint(&destination)?,
    })
}

/// The question of words alone; `--port` may give the ports of the destination.
fn asked_in_words(args: &QuestionArgs) -> Result<Question> {
    let asked = Question::from_words(&args.words).map_err(|error| ParseError {
        help: error
            .help
            .map(|help| help.replace(": frontend", ": netpal can frontend")),
        ..error
    });
    let mut question = parsed(asked)?;
    if let Some(ports) = &args.port {
        question.destination = parsed(question.destination.with_ports(ports))?;
    }
    Ok(question)
}

/// The traffic of `--port`: numbers and ranges, with protocols.
///
/// # Errors
/// When it is no port, or a name, which pods read each in its own way.
pub fn ports(text: &str) -> Result<TrafficSet> {
    let end = parsed(Keyword::Any.word().parse::<EndpointSpec>())?;
    let asked = parsed(end.with_ports(text))?;
    asked
        .numbered_ports()
        .ok_or_else(|| anyhow!("`--port {text}`: write numbers, such as 443 or 53/udp"))
}

/// Endpoints with commas between; those of a list of ports belong to the endpoint before them.
pub fn several(text: &str) -> Vec<String> {
    if text.contains('?') {
        return vec![text.to_owned()]; // labels have commas of their own
    }
    let mut found: Vec<String> = Vec::new();
    for part in text.split(',').map(str::trim) {
        let is_port = part.starts_with(|c: char| c.is_ascii_digit()) && !part.contains('.');
        match found.last_mut() {
            Some(last) if is_port && last.contains(':') => {
                last.push(',');
                last.push_str(part);
            }
            _ => found.push(part.to_owned()),
        }
    }
    found
}

/// What stands before an arrow whose head the shell took for a redirection: `web -` or `web-`.
fn before_redirection(words: &[String]) -> Option<&str> {
    match words {
        [source, dash] if dash == "-" => Some(source),
        [source] => source.strip_suffix('-').filter(|s| !s.is_empty()),
        _ => None,
    }
}

fn is_verb(word: &str) -> bool {
    matches!(word, "reach" | "to" | "->")
}
