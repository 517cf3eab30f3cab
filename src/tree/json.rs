//! JSON -> tree. A reader of its own because none of the libraries gives the position of a value.
//!
//! Standard JSON, nothing more; of a key given twice the last value stays, with a warning, as in
//! Go's reader. Most of what kubectl prints of a pod decides nothing here. Once an object has said
//! that it is a Pod, the fields that no verdict looks at are checked to be JSON and left out of the
//! tree ([`KeptFields`]); every other kind is read whole. A long List is read in parts, on all
//! cores ([`crate::tree::list`]). Cost: O(text); line and column are counted along the way, memory
//! is that of what is kept.

use crate::source::{Position, Span};
use crate::tree::chunk::Chunk;
use crate::tree::node::{Entry, FEW_KEYS, MAX_DEPTH, SyntaxNode, Value};
use crate::tree::pod_fields::KeptFields;
use crate::tree::problem::{ParseResult, Parsed, Problem, ProblemKind, duplicate_key};
use crate::tree::scan::{plain_prefix, skip_value};
use std::borrow::Cow;
use std::collections::HashMap;

/// Reads one chunk. Spans are relative to the chunk.
pub fn parse(text: &str) -> Parsed {
    let mut reader = JsonReader::new(text);
    reader.blanks();
    match reader
        .value(0, KeptFields::Whole)
        .and_then(|root| reader.end().map(|()| root))
    {
        Ok(root) => Parsed {
            root: Some(root),
            problems: reader.problems,
        },
        Err(problem) => Parsed {
            root: None,
            problems: vec![*problem],
        },
    }
}

/// Splits a stream of JSON values. What is not JSON makes up one last chunk, whose reading will say
/// so.
pub fn split(text: &str) -> Vec<Chunk> {
    let mut reader = JsonReader::new(text);
    let mut chunks = Vec::new();
    reader.blanks();
    while reader.at < text.len() {
        let (start, at) = (reader.at, reader.here().at);
        let end = if reader.skip_value() {
            reader.at
        } else {
            text.len()
        };
        chunks.push(Chunk {
            start,
            end,
            line: at.line,
            column: at.column,
        });
        reader.at = end;
        reader.blanks();
    }
    chunks
}

/// A place in a text, as a number one can subtract from.
fn offset(place: usize) -> isize {
    isize::try_from(place).unwrap_or(isize::MAX)
}

#[derive(Debug)]
pub(super) struct JsonReader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    pub(super) at: usize,
    /// Where the text starts in the file.
    start: usize,
    line: u32,
    /// Where the line starts in the file; of a line that starts before the text, where it would
    /// start were all of its characters before the text single bytes.
    line_start: isize,
    /// A place of the file on the current line, and the number of characters before it.
    counted: (isize, usize),
    /// Whether every character is one byte, so that columns need no counting.
    ascii: bool,
    /// How long the last key is, with its quotes.
    quoted: usize,
    pub(super) problems: Vec<Problem>,
}

impl<'t> JsonReader<'t> {
    /// A reader of a whole file.
    fn new(text: &'t str) -> Self {
        let mut reader = Self::at(text, 0, Position { line: 1, column: 1 });
        reader.at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        reader
    }

    /// A reader of a part of a file, which starts at this byte and place.
    pub(super) fn at(text: &'t str, start: usize, at: Position) -> Self {
        let characters = at.column as usize - 1;
        let place = offset(start);
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            start,
            line: at.line,
            line_start: place - offset(characters),
            counted: (place, characters),
            ascii: text.is_ascii(),
            quoted: 0,
            problems: Vec::new(),
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn blanks(&mut self) {
        if self.peek().is_some_and(|b| b <= b' ') {
            self.more_blanks();
        }
    }

    fn more_blanks(&mut self) {
        while let Some(b) = self.peek() {
            match b {
                b'\n' => {
                    self.at += 1;
                    self.new_line(self.at);
                    self.indentation();
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                _ => return,
            }
        }
    }

    /// Goes over the blanks at the start of a line, by sixteens.
    fn indentation(&mut self) {
        while let Some(sixteen) = self
            .bytes
            .get(self.at..)
            .and_then(|rest| rest.first_chunk::<16>())
        {
            let others = u128::from_le_bytes(*sixteen) ^ u128::from_le_bytes([b' '; 16]);
            let blanks = others.trailing_zeros() as usize / 8;
            self.at += blanks;
            if blanks < 16 {
                return;
            }
        }
    }

    /// A line starts here.
    fn new_line(&mut self, at: usize) {
        self.line = self.line.saturating_add(1);
        self.line_start = offset(self.start + at);
    }

    /// The current position. Characters are counted from the last position computed, so a long
    /// line is counted once.
    pub(super) fn here(&mut self) -> Span {
        let place = self.start + self.at;
        let characters = if self.ascii {
            offset(place) - self.line_start
        } else {
            offset(self.characters())
        };
        let column = u32::try_from(characters + 1).unwrap_or(u32::MAX);
        Span {
            start: place,
            end: place,
            at: Position {
                line: self.line,
                column,
            },
        }
    }

    /// The number of characters before the reader on its line.
    fn characters(&mut self) -> usize {
        let place = offset(self.start + self.at);
        let (from, before) = if self.counted.0 < self.line_start {
            (self.line_start, 0)
        } else {
            self.counted
        };
        let within = usize::try_from(from - offset(self.start)).unwrap_or(0);
        let characters = before
            + self
                .text
                .get(within..self.at)
                .map_or(0, |between| between.chars().count());
        if place >= from {
            self.counted = (place, characters);
        }
        characters
    }

    /// Nothing but blanks may follow.
    fn end(&mut self) -> ParseResult<()> {
        self.blanks();
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            self.error("something follows the value")
        }
    }

    fn error<T>(&mut self, message: impl Into<String>) -> ParseResult<T> {
        let message = format!("not valid JSON: {}", message.into());
        Err(Box::new(Problem::new(
            ProblemKind::Syntax,
            self.here(),
            message,
        )))
    }

    /// Skips one value by its brackets and strings alone; false when it is no object or list, or
    /// never ends.
    fn skip_value(&mut self) -> bool {
        let start = self.at;
        let end = skip_value(self.bytes, start);
        self.at = end.unwrap_or(self.bytes.len());
        let skipped = self.bytes.get(start..self.at).unwrap_or_default();
        let lines = u32::try_from(memchr::memchr_iter(b'\n', skipped).count()).unwrap_or(u32::MAX);
        self.line = self.line.saturating_add(lines);
        if let Some(last) = memchr::memrchr(b'\n', skipped) {
            self.line_start = offset(self.start + start + last + 1);
        }
        end.is_some()
    }

    pub(super) fn value(&mut self, depth: usize, scope: KeptFields) -> ParseResult<SyntaxNode> {
        let mut span = self.here();
        if depth > MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} deep");
            return Err(Box::new(Problem::new(ProblemKind::Limit, span, message)));
        }
        let value = match self.peek() {
            Some(b'{') => self.object(depth, scope)?,
            Some(b'[') => self.array(depth, scope)?,
            Some(b'"') => Value::String(self.string()?.into()),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => self.word()?,
            None => return self.error("the text ends where a value should be"),
        };
        span.end = self.start + self.at;
        Ok(SyntaxNode { span, value })
    }

    fn word(&mut self) -> ParseResult<Value> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (word, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        let found = rest.chars().next().unwrap_or(' ');
        self.error(format!(
            "`{}` where a value should be",
            found.escape_debug()
        ))
    }

    fn number(&mut self) -> ParseResult<Value> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest
            .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default();
        let Ok(number) = serde_json::from_str::<serde_json::Number>(text) else {
            return self.error(format!("`{text}` is not a number"));
        };
        self.at += end;
        let value = number
            .as_i64()
            .map(Value::Int)
            .or_else(|| number.as_u64().map(Value::UInt));
        Ok(value.unwrap_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::MAX))))
    }

    fn string(&mut self) -> ParseResult<Cow<'t, str>> {
        let start = self.at;
        let rest = self.bytes.get(start + 1..).unwrap_or_default();
        let found = plain_prefix(rest);
        if rest.get(found) == Some(&b'"') {
            self.at = start + found + 2;
            let text: &'t str = self.text;
            return Ok(Cow::Borrowed(
                text.get(start + 1..self.at - 1).unwrap_or_default(),
            ));
        }
        self.escaped_string(start)
    }

    /// A string that is not plain, or no string at all.
    fn escaped_string(&mut self, start: usize) -> ParseResult<Cow<'t, str>> {
        let (mut escaped, mut plain) = (false, true);
        self.at += 1;
        while let Some(b) = self.peek() {
            self.at += 1;
            match b {
                b'"' if !escaped => {
                    let text: &'t str = self.text;
                    if plain {
                        return Ok(Cow::Borrowed(
                            text.get(start + 1..self.at - 1).unwrap_or_default(),
                        ));
                    }
                    let raw = text.get(start..self.at).unwrap_or_default();
                    return serde_json::from_str(raw).map(Cow::Owned).or_else(|_| {
                        self.error("a string with a bad escape or a control character")
                    });
                }
                b'\n' => break,
                b'\\' => (escaped, plain) = (!escaped, false),
                0..0x20 => (escaped, plain) = (false, false),
                _ => escaped = false,
            }
        }
        self.at = start;
        self.error("a string that never ends")
    }

    /// Reads a value that is left out: as [`Self::value`], with nothing kept.
    fn skim(&mut self, depth: usize) -> ParseResult<()> {
        if depth > MAX_DEPTH {
            return self.value(depth, KeptFields::Whole).map(drop);
        }
        let (object, close) = match self.peek() {
            Some(b'{') => (true, b'}'),
            Some(b'[') => (false, b']'),
            Some(b'"') => return self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => return self.number().map(drop),
            Some(_) => return self.word().map(drop),
            None => return self.error("the text ends where a value should be"),
        };
        self.at += 1;
        self.blanks();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            if object {
                self.bare_key()?;
            }
            self.skim(depth + 1)?;
            if !self.more(close)? {
                return Ok(());
            }
        }
    }

    fn array(&mut self, depth: usize, scope: KeptFields) -> ParseResult<Value> {
        let mut items = Vec::new();
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Sequence(items));
        }
        loop {
            self.blanks();
            items.push(self.value(depth + 1, scope)?);
            if !self.more(b']')? {
                return Ok(Value::Sequence(items));
            }
        }
    }

    /// After a value: whether a comma announces another one.
    pub(super) fn more(&mut self, close: u8) -> ParseResult<bool> {
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

    fn object(&mut self, depth: usize, mut scope: KeptFields) -> ParseResult<Value> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut index: HashMap<Box<str>, usize> = HashMap::new();
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Mapping(entries));
        }
        loop {
            self.blanks();
            let (key, key_span) = self.key()?;
            if let Some(inner) = scope.of(&key) {
                let value = self.value(depth + 1, inner)?;
                if scope == KeptFields::Whole && &*key == "kind" && value.as_str() == Some("Pod") {
                    scope = KeptFields::Pod;
                }
                self.add(
                    Entry {
                        key: key.into(),
                        key_span,
                        value,
                    },
                    &mut entries,
                    &mut index,
                );
            } else {
                self.skim(depth + 1)?;
            }
            if !self.more(b'}')? {
                return Ok(Value::Mapping(entries));
            }
        }
    }

    /// Adds an entry, in place of an earlier one of the same key.
    fn add(
        &mut self,
        entry: Entry,
        entries: &mut Vec<Entry>,
        index: &mut HashMap<Box<str>, usize>,
    ) {
        if entries.len() == FEW_KEYS {
            index.extend(
                entries
                    .iter()
                    .enumerate()
                    .map(|(at, e)| (e.key.clone(), at)),
            );
        }
        let earlier = if entries.len() < FEW_KEYS {
            entries.iter().position(|e| e.key == entry.key)
        } else {
            index.get(&entry.key).copied()
        };
        if let Some(earlier) = earlier.and_then(|at| entries.get_mut(at)) {
            self.problems
                .push(duplicate_key(&entry.key, earlier.key_span, entry.key_span));
            *earlier = entry;
            return;
        }
        if entries.len() >= FEW_KEYS {
            index.insert(entry.key.clone(), entries.len());
        }
        entries.push(entry);
    }

    /// A key, up to the start of its value.
    pub(super) fn key(&mut self) -> ParseResult<(Cow<'t, str>, Span)> {
        let mut span = self.here();
        let key = self.bare_key()?;
        span.end = span.start + self.quoted;
        Ok((key, span))
    }

    fn bare_key(&mut self) -> ParseResult<Cow<'t, str>> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return self.error("expected a key in double quotes");
        }
        let key = self.string()?;
        self.quoted = self.at - start;
        self.blanks();
        if self.peek() != Some(b':') {
            return self.error("expected `:` after the key");
        }
        self.at += 1;
        self.blanks();
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_serde_json_reads() {
        let text = r#" {"a": [1, -2, 1.5, 1e3, true, null, "x\u00e9\ud83d\ude00\n"], "b": {}, "c": 18446744073709551615} "#;
        let want: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text).root.unwrap().to_json(), want);
    }

    #[test]
    fn errors_say_where() {
        for (text, line, column) in [
            ("{\"a\": 1,\n  b: 2}", 2, 3),
            ("{\"a\" 1}", 1, 6),
            ("{\"a\": [1 2]}", 1, 10),
            ("{\"a\": tru}", 1, 7),
            ("{}\n \"x\"", 2, 2),
        ] {
            let at = parse(text).problems[0].span.at;
            assert_eq!((at.line, at.column), (line, column), "{text}");
        }
        assert_eq!(
            parse(&"[".repeat(5000)).problems[0].kind,
            ProblemKind::Limit
        );
    }

    #[test]
    fn what_no_verdict_looks_at_is_left_out_of_pods_and_still_checked() {
        let text = r#"{"kind":"Pod","metadata":{"name":"a","annotations":{"x":"y"}},"spec":{"nodeName":"n","volumes":[{"name":"v"}],
            "containers":[{"name":"c","env":[],"ports":[{"containerPort":1}]}]},"status":{"phase":"Running","qosClass":"Burstable"}}"#;
        let kept = serde_json::json!({"kind": "Pod", "metadata": {"name": "a", "annotations": {}}, "spec": {"nodeName": "n",
            "containers": [{"name": "c", "ports": [{"containerPort": 1}]}]}, "status": {"phase": "Running"}});
        assert_eq!(parse(text).root.unwrap().to_json(), kept);
        let other = text.replace("Pod", "Policy");
        let whole: serde_json::Value = serde_json::from_str(&other).unwrap();
        assert_eq!(parse(&other).root.unwrap().to_json(), whole);
        for (good, bad) in [
            ("\"y\"", "\"y"),
            ("\"v\"", "v"),
            ("[],", "[}],"),
            ("\"v\"}]", "\"v\"]"),
        ] {
            assert!(parse(&text.replace(good, bad)).root.is_none(), "{bad}");
        }
    }

    #[test]
    fn positions_on_one_long_line_and_of_many_keys_hold() {
        let keys: Vec<String> = (0..100).map(|i| format!("\"ké{i}\":{i}")).collect();
        let text = format!("{{{},\"ké7\":0}}", keys.join(","));
        let parsed = parse(&text);
        let root = parsed.root.unwrap();
        assert_eq!((root.entries().len(), parsed.problems.len()), (100, 1));
        for entry in root.entries().iter().filter(|e| &*e.key != "ké7") {
            let before = text[..text.find(&format!("\"{}\"", entry.key)).unwrap()]
                .chars()
                .count();
            assert_eq!(entry.key_span.at.column as usize, before + 1);
        }
    }

    #[test]
    fn junk_does_not_panic() {
        for text in [
            "",
            "{",
            "{\"",
            "{\"a\":\"\\ud800\"}",
            "[1,",
            "-",
            "{\"a\":1}x",
            "\u{feff}{}",
        ] {
            let _ = parse(text);
            let _ = split(text);
        }
    }
}
