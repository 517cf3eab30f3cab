//! JSON -> tree. A reader of its own because none of the libraries tells where a value stands.
//!
//! Standard JSON, nothing more; of a key given twice the last value stays, with a warning, as in Go's reader.
//! Cost: O(text); line and column are counted along the way.

use super::split::Chunk;
use super::{Entry, MAX_DEPTH, Node, Parsed, Problem, ProblemKind, Value};
use crate::source::{Position, Span};
use std::collections::HashMap;

/// Reads one chunk. Spans are relative to the chunk.
pub fn parse(text: &str) -> Parsed {
    let mut reader = Reader::new(text);
    reader.blanks();
    match reader.value(0) {
        Ok(root) => Parsed { root: Some(root), problems: reader.problems },
        Err(problem) => Parsed { root: None, problems: vec![*problem] },
    }
}

/// Splits a stream of JSON values. What is not JSON makes up one last chunk, whose reading will say so.
pub fn split(text: &str) -> Vec<Chunk> {
    let mut reader = Reader::new(text);
    let mut chunks = Vec::new();
    reader.blanks();
    while reader.at < text.len() {
        let (start, line) = (reader.at, reader.line);
        let end = if reader.skip_value() { reader.at } else { text.len() };
        chunks.push(Chunk { start, end, line });
        reader.at = end;
        reader.blanks();
    }
    chunks
}

type Fallible<T> = Result<T, Box<Problem>>;

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    line: u32,
    line_start: usize,
    problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self { text, bytes: text.as_bytes(), at, line: 1, line_start: 0, problems: Vec::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b) = self.peek() {
            match b {
                b'\n' => {
                    self.line += 1;
                    self.line_start = self.at + 1;
                }
                b' ' | b'\t' | b'\r' => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    fn here(&self) -> Span {
        let column = self.text.get(self.line_start..self.at).map_or(0, |l| l.chars().count()) + 1;
        let at = Position { line: self.line, column: u32::try_from(column).unwrap_or(u32::MAX) };
        Span { start: self.at, end: self.at, at }
    }

    fn error<T>(&self, message: impl Into<String>) -> Fallible<T> {
        let message = format!("not valid JSON: {}", message.into());
        Err(Box::new(Problem::new(ProblemKind::Syntax, self.here(), message)))
    }

    /// Skips one value by its brackets and strings alone.
    fn skip_value(&mut self) -> bool {
        let (mut depth, mut string, mut escaped) = (0_usize, false, false);
        while let Some(b) = self.peek() {
            self.at += 1;
            match b {
                b'\n' => {
                    self.line += 1;
                    self.line_start = self.at;
                }
                _ if escaped => escaped = false,
                b'\\' if string => escaped = true,
                b'"' => string = !string,
                _ if string => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return true;
                    }
                }
                _ if depth == 0 => return false,
                _ => {}
            }
        }
        false
    }

    fn value(&mut self, depth: usize) -> Fallible<Node> {
        let mut span = self.here();
        if depth > MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} deep");
            return Err(Box::new(Problem::new(ProblemKind::Limit, span, message)));
        }
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::String(self.string()?.into()),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => self.word()?,
            None => return self.error("the text ends where a value should be"),
        };
        span.end = self.at;
        Ok(Node { span, value })
    }

    fn word(&mut self) -> Fallible<Value> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (word, value) in [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        let found = rest.chars().next().unwrap_or(' ');
        self.error(format!("`{}` where a value should be", found.escape_debug()))
    }

    fn number(&mut self) -> Fallible<Value> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default();
        let Ok(number) = serde_json::from_str::<serde_json::Number>(text) else {
            return self.error(format!("`{text}` is not a number"));
        };
        self.at += end;
        let value = number.as_i64().map(Value::Int).or_else(|| number.as_u64().map(Value::UInt));
        Ok(value.unwrap_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::MAX))))
    }

    fn string(&mut self) -> Fallible<String> {
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        while let Some(b) = self.peek() {
            self.at += 1;
            match b {
                b'"' if !escaped => {
                    let raw = self.text.get(start..self.at).unwrap_or_default();
                    return serde_json::from_str(raw)
                        .or_else(|_| self.error("a string with a bad escape or a control character"));
                }
                b'\n' => break,
                b'\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        self.at = start;
        self.error("a string that never ends")
    }

    fn array(&mut self, depth: usize) -> Fallible<Value> {
        let mut items = Vec::new();
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Sequence(items));
        }
        loop {
            self.blanks();
            items.push(self.value(depth + 1)?);
            if !self.more(b']')? {
                return Ok(Value::Sequence(items));
            }
        }
    }

    /// After a value: whether a comma announces another one.
    fn more(&mut self, close: u8) -> Fallible<bool> {
        self.blanks();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(b) if b == close => {
                self.at += 1;
                Ok(false)
            }
            _ => self.error(format!("expected `,` or `{}`", char::from(close))),
        }
    }

    fn object(&mut self, depth: usize) -> Fallible<Value> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut index: HashMap<Box<str>, usize> = HashMap::new();
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Mapping(entries));
        }
        loop {
            let entry = self.member(depth)?;
            if let Some(earlier) = index.get(&entry.key).and_then(|at| entries.get_mut(*at)) {
                self.problems.push(super::yaml::duplicate(&entry.key, earlier.key_span, entry.key_span));
                *earlier = entry;
            } else {
                index.insert(entry.key.clone(), entries.len());
                entries.push(entry);
            }
            if !self.more(b'}')? {
                return Ok(Value::Mapping(entries));
            }
        }
    }

    fn member(&mut self, depth: usize) -> Fallible<Entry> {
        self.blanks();
        let mut key_span = self.here();
        if self.peek() != Some(b'"') {
            return self.error("expected a key in double quotes");
        }
        let key = self.string()?.into();
        key_span.end = self.at;
        self.blanks();
        if self.peek() != Some(b':') {
            return self.error("expected `:` after the key");
        }
        self.at += 1;
        self.blanks();
        Ok(Entry { key, key_span, value: self.value(depth + 1)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_serde_json_reads() {
        let text =
            r#" {"a": [1, -2, 1.5, 1e3, true, null, "x\u00e9\ud83d\ude00\n"], "b": {}, "c": 18446744073709551615} "#;
        let want: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text).root.unwrap().to_json(), want);
    }

    #[test]
    fn errors_say_where() {
        for (text, line, column) in
            [("{\"a\": 1,\n  b: 2}", 2, 3), ("{\"a\" 1}", 1, 6), ("{\"a\": [1 2]}", 1, 10), ("{\"a\": tru}", 1, 7)]
        {
            let at = parse(text).problems[0].span.at;
            assert_eq!((at.line, at.column), (line, column), "{text}");
        }
        assert_eq!(parse(&"[".repeat(5000)).problems[0].kind, ProblemKind::Limit);
    }

    #[test]
    fn junk_does_not_panic() {
        for text in ["", "{", "{\"", "{\"a\":\"\\ud800\"}", "[1,", "-", "{\"a\":1}x", "\u{feff}{}"] {
            let _ = parse(text);
            let _ = split(text);
        }
    }
}
