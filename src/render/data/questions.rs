//! The answers to a file of questions: one line each, in order.

use crate::query::Verdict;
use schemars::JsonSchema;
use serde::Serialize;

/// One question with its answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct QuestionAnswer {
    /// The line of the question.
    pub line: u64,
    /// The source, as it was written.
    pub source: String,
    /// The destination, as it was written.
    pub destination: String,
    /// The protocol, as it was written.
    pub protocol: String,
    /// The port, as it was written.
    pub port: String,
    /// The verdict, or `error`.
    pub verdict: &'static str,
    /// The code of the reason.
    pub reason: &'static str,
    /// The verdict that was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<&'static str>,
    /// Whether the verdict is the expected one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_expected: Option<bool>,
    /// Why it could not be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl QuestionAnswer {
    /// A line that has not been answered: the fields are source, destination, protocol and port.
    pub fn new(line: u64, [source, destination, protocol, port]: [String; 4]) -> Self {
        Self {
            line,
            source,
            destination,
            protocol,
            port,
            verdict: "error",
            reason: "",
            expected: None,
            as_expected: None,
            error: None,
        }
    }

    /// Enters the answer.
    pub fn answered(&mut self, verdict: Verdict, reason: &'static str, expected: Option<Verdict>) {
        self.verdict = verdict.word();
        self.reason = reason;
        self.expected = expected.map(Verdict::word);
        self.as_expected = expected.map(|e| e == verdict);
    }

    fn cells(&self) -> Vec<String> {
        let mut cells = [&self.source, &self.destination, &self.protocol, &self.port]
            .map(String::clone)
            .to_vec();
        let reason = || self.reason.to_owned();
        cells.extend([
            self.verdict.to_owned(),
            self.error.clone().unwrap_or_else(reason),
        ]);
        cells.extend(self.expected.map(str::to_owned));
        cells
    }
}

/// The answers of a file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct QuestionAnswers {
    /// How many questions there are.
    pub questions: usize,
    /// How many answers are not the expected ones.
    pub different: usize,
    /// Each, in order.
    #[serde(rename = "answers")]
    pub lines: Vec<QuestionAnswer>,
}

impl QuestionAnswers {
    /// The answers with their counts.
    pub fn new(lines: Vec<QuestionAnswer>) -> Self {
        let different = lines.iter().filter(|a| a.as_expected == Some(false));
        Self {
            questions: lines.len(),
            different: different.count(),
            lines,
        }
    }

    /// How many could not be answered.
    pub fn failed(&self) -> usize {
        self.lines.iter().filter(|a| a.error.is_some()).count()
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        self.lines.iter().map(QuestionAnswer::cells)
    }
}
