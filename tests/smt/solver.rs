//! z3, asked through its standard input.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running solver.
pub struct Solver {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

/// What the solver says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing satisfies the formula.
    Nothing,
    /// The values of what was asked for, as text.
    Model(Vec<String>),
}

impl Solver {
    /// Starts z3; none where it is not installed.
    pub fn start() -> Option<Self> {
        let mut command = Command::new("z3");
        let command = command
            .args(["-in", "-smt2", "-memory:1000", "-t:60000"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let (to, from) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Self { child, to, from })
    }

    /// Looks for values that satisfy some assertions; `wanted` are those that are told of them.
    pub fn ask(&mut self, lines: &[String], claim: &str, wanted: &[&str]) -> Found {
        let mut text = String::from("(push)\n");
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&format!("(assert {claim})\n(check-sat)\n"));
        self.send(&text);
        let answer = self.line();
        let found = match answer.as_str() {
            "unsat" => Found::Nothing,
            "sat" => Found::Model(wanted.iter().map(|name| self.value(name)).collect()),
            other => panic!("z3 says {other}, asked\n{text}"),
        };
        self.send("(pop)\n");
        found
    }

    fn value(&mut self, name: &str) -> String {
        self.send(&format!("(get-value ({name}))\n"));
        let line = self.line();
        let inner = line.trim_start_matches("((").trim_end_matches("))");
        inner.trim_start_matches(name).trim().to_owned()
    }

    fn send(&mut self, text: &str) {
        self.to.write_all(text.as_bytes()).expect("z3 listens");
    }

    fn line(&mut self) -> String {
        self.to.flush().expect("z3 listens");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("z3 answers");
        line.trim().to_owned()
    }
}

impl Drop for Solver {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A bit-vector constant of the solver as a number.
pub fn number(constant: &str) -> u128 {
    let digits = |prefix: &str, radix: u32| {
        let digits = constant.strip_prefix(prefix)?;
        u128::from_str_radix(digits, radix).ok()
    };
    digits("#x", 16)
        .or_else(|| digits("#b", 2))
        .expect("a constant")
}
