//! What is wrong with an input, said before the answer.
//!
//! Facts of one kind are one line with a count: a folder of templates that nobody rendered, or a
//! hundred policies of a kind that is not modelled, is one thing to know. With `-v` each is
//! printed.

use super::args::Common;
use super::output;
use netpal::{
    Diagnostic, DiagnosticCode, DiagnosticSeverity as Severity, Input, Locator, describe_diagnostic,
};
use std::collections::HashMap;

/// How many kinds of remarks are printed; `netpal inputs -v` prints them all.
const SHOWN: usize = 8;

/// The most errors of different kinds that are printed.
const ERRORS: usize = 50;

/// From how many on facts of one kind are counted.
const MANY: usize = 3;

/// Facts of one kind, the first of which is printed.
struct Alike<'a> {
    first: &'a Diagnostic,
    rest: Vec<&'a Diagnostic>,
}

/// Tells what is wrong with an input: errors, then warnings, with -v the notes too.
pub fn complain(common: &Common, input: &Input) {
    if common.quiet {
        return;
    }
    let verbose = common.verbose > 0;
    let least = if verbose {
        Severity::Note
    } else {
        Severity::Warning
    };
    let reported = input.diagnostics.iter().filter(|d| d.severity >= least);
    let (errors, others): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
        reported.partition(|d| d.severity == Severity::Error);
    let count = errors.len();
    let locator = Locator::new(&input.sources);
    let mut hidden = 0;
    let limit = if verbose { usize::MAX } else { SHOWN };
    let errors = alike(errors, verbose);
    let left = limit.saturating_sub(errors.len());
    for (kinds, most) in [(errors, limit.max(ERRORS)), (alike(others, verbose), left)] {
        for kind in kinds.iter().take(most) {
            output::remark(&told(kind, &locator));
        }
        let rest = kinds.iter().skip(most);
        hidden += rest.map(|kind| 1 + kind.rest.len()).sum::<usize>();
    }
    if hidden > 0 {
        output::remark(&format!(
            "... and {}; see them all: netpal inputs -v",
            output::counted(hidden, "more remark")
        ));
    }
    if count > 0 && !common.ignore_broken {
        let what = output::counted(count, "error");
        output::remark(&format!(
            "{what} in the input: verdicts it could touch are unknown, and the exit code is 2 (--ignore-broken leaves broken documents out)"
        ));
    }
}

/// Puts facts of one kind together, in the order of the first of each, unless all are wanted.
fn alike<'a>(found: Vec<&'a Diagnostic>, verbose: bool) -> Vec<Alike<'a>> {
    let mut kinds: Vec<Alike<'a>> = Vec::new();
    let mut known: HashMap<(DiagnosticCode, String), usize> = HashMap::new();
    for diagnostic in found {
        let next = kinds.len();
        let kind = (diagnostic.code, pattern(&diagnostic.message));
        match known.entry(kind).or_insert(next) {
            at if *at < next && !verbose => kinds[*at].rest.push(diagnostic),
            _ => kinds.push(Alike {
                first: diagnostic,
                rest: Vec::new(),
            }),
        }
    }
    kinds.into_iter().flat_map(few_apart).collect()
}

/// Only what is repeated often is counted: two facts are read faster than a count.
fn few_apart(kind: Alike<'_>) -> Vec<Alike<'_>> {
    if kind.rest.len() + 1 >= MANY {
        return vec![kind];
    }
    let each = std::iter::once(kind.first).chain(kind.rest);
    let alone = |first| Alike {
        first,
        rest: Vec::new(),
    };
    each.map(alone).collect()
}

/// A message without what differs between facts of one kind: names, in backticks or with a
/// namespace, and numbers.
fn pattern(message: &str) -> String {
    let outside = message.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let words = outside.split(' ').map(|word| {
        let is_name = word.contains('/') || word.contains(|c: char| c.is_ascii_digit());
        if is_name { "_" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The first of a kind, and how many more there are.
fn told(kind: &Alike<'_>, locator: &Locator<'_>) -> String {
    let text = describe_diagnostic(kind.first, locator, output::STYLE);
    if kind.rest.is_empty() {
        return text;
    }
    let (first, below) = text.split_once('\n').unwrap_or((&text, ""));
    let help = below
        .lines()
        .filter(|line| line.trim_start().starts_with("help:"));
    let more = format!("{first} (and {} more like it)", kind.rest.len());
    std::iter::once(more.as_str())
        .chain(help)
        .collect::<Vec<_>>()
        .join("\n")
}
