//! JSON -> tree. A reader of its own because none of the libraries tells where a value stands.
//!
//! Standard JSON, nothing more; of a key given twice the last value stays, with a warning, as in Go's reader.
//! Most of what kubectl prints of a pod decides nothing here. Once an object has said that it is a Pod, the fields that no
//! verdict looks at are checked to be JSON and left out of the tree ([`Scope`]); every other kind is read whole.
//! The items of a long List are found by their brackets first and then read on all cores; where one of them cannot be read,
//! all is read again in order, so that what is told does not depend on the cores.
//! Cost: O(text); line and column are counted along the way, memory is that of what is kept.

use super::long_list::LONG;
use super::split::Chunk;
use super::{Entry, MAX_DEPTH, Node, Parsed, Problem, ProblemKind, Value};
use crate::source::{Position, Span};
use std::borrow::Cow;
use std::collections::HashMap;

/// Reads one chunk. Spans are relative to the chunk.
pub fn parse(text: &str) -> Parsed {
    let mut reader = Reader::new(text);
    reader.ascii = text.is_ascii();
    reader.blanks();
    match reader.value(0, Scope::Whole) {
        Ok(root) => Parsed { root: Some(root), problems: reader.problems },
        Err(problem) => Parsed { root: None, problems: vec![*problem] },
    }
}

/// Reads a long text that is one JSON object from its first byte to its last, as kubectl prints a List: one pass fewer than
/// splitting it first. `None` for any other text, and where something is wrong with it.
pub fn parse_whole(text: &str) -> Option<(Chunk, Parsed)> {
    if text.len() < LONG || !text.starts_with('{') {
        return None;
    }
    let mut reader = Reader::new(text);
    reader.ascii = text.is_ascii();
    let root = reader.value(0, Scope::Whole).ok()?;
    let chunk = Chunk { start: 0, end: reader.at, line: 1 };
    reader.blanks();
    (reader.at == text.len()).then_some((chunk, Parsed { root: Some(root), problems: reader.problems }))
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

pub(super) type Fallible<T> = Result<T, Box<Problem>>;

/// Which part of an object is being read, as far as that decides what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything is kept.
    Whole,
    /// An object that has said `kind: Pod`.
    Pod,
    /// The metadata of a pod.
    Metadata,
    /// The spec of a pod.
    Spec,
    /// The containers of a pod, or one of them.
    Containers,
    /// The status of a pod.
    Status,
}

impl Scope {
    /// How the value under a key is read; `None` when it is left out.
    fn of(self, key: &str) -> Option<Self> {
        let within = |kept: &[&str]| kept.contains(&key).then_some(Self::Whole);
        match (self, key) {
            (Self::Whole, _) => Some(Self::Whole),
            (Self::Pod, "metadata") => Some(Self::Metadata),
            (Self::Pod, "spec") => Some(Self::Spec),
            (Self::Pod, "status") => Some(Self::Status),
            (Self::Pod, _) => Some(Self::Whole),
            (Self::Metadata, "managedFields" | "annotations") => None,
            (Self::Metadata, _) => Some(Self::Whole),
            (Self::Spec, "containers" | "initContainers") => Some(Self::Containers),
            (Self::Spec, _) => within(&["hostNetwork", "nodeName"]),
            (Self::Containers, _) => within(&["name", "ports", "restartPolicy"]),
            (Self::Status, _) => within(&["phase", "podIP", "podIPs"]),
        }
    }
}

/// Objects of more keys than this find a key given twice by a table.
const FEW_KEYS: usize = 24;

#[derive(Debug)]
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    pub(super) at: usize,
    pub(super) line: u32,
    pub(super) line_start: usize,
    /// A place on the current line, and how many characters stand before it there.
    pub(super) counted: (usize, usize),
    /// Whether every character is one byte, so that columns need no counting.
    pub(super) ascii: bool,
    /// How long the last key is, with its quotes.
    pub(super) quoted: usize,
    pub(super) problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self {
            text,
            bytes: text.as_bytes(),
            at,
            line: 1,
            line_start: 0,
            counted: (0, 0),
            ascii: false,
            quoted: 0,
            problems: Vec::new(),
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn blanks(&mut self) {
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

    /// Where the reader stands. Characters are counted from the last place asked about, so a long line is counted once.
    pub(super) fn here(&mut self) -> Span {
        if self.ascii {
            let column = u32::try_from(self.at - self.line_start + 1).unwrap_or(u32::MAX);
            return Span { start: self.at, end: self.at, at: Position { line: self.line, column } };
        }
        let (from, before) = if self.counted.0 < self.line_start { (self.line_start, 0) } else { self.counted };
        let characters = before + self.text.get(from..self.at).map_or(0, |between| between.chars().count());
        if self.at >= from {
            self.counted = (self.at, characters);
        }
        let at = Position { line: self.line, column: u32::try_from(characters + 1).unwrap_or(u32::MAX) };
        Span { start: self.at, end: self.at, at }
    }

    fn error<T>(&mut self, message: impl Into<String>) -> Fallible<T> {
        let message = format!("not valid JSON: {}", message.into());
        Err(Box::new(Problem::new(ProblemKind::Syntax, self.here(), message)))
    }

    /// Skips one value by its brackets and strings alone; false when it is no object or list, or never ends.
    pub(super) fn skip_value(&mut self) -> bool {
        let mut depth = 0_usize;
        while let Some(b) = self.peek() {
            self.at += 1;
            match b {
                b' ' => {}
                b'\n' => {
                    self.line += 1;
                    self.line_start = self.at;
                }
                b'"' => self.skip_string(),
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

    /// Goes on after the closing quote of a string, or to the end of the text.
    fn skip_string(&mut self) {
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = self.bytes.len();
                break;
            };
            self.at += found + 1;
            if rest[found] == b'"' {
                break;
            }
            self.at = (self.at + 1).min(self.bytes.len());
        }
        // a line break has no place in a string, but a broken text may have one
        let inside = self.bytes.get(start..self.at).unwrap_or_default();
        for at in memchr::memchr_iter(b'\n', inside) {
            self.line += 1;
            self.line_start = start + at + 1;
        }
    }

    pub(super) fn value(&mut self, depth: usize, scope: Scope) -> Fallible<Node> {
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

    fn string(&mut self) -> Fallible<Cow<'t, str>> {
        let start = self.at;
        let rest = self.bytes.get(start + 1..).unwrap_or_default();
        if let Some(found) = memchr::memchr2(b'"', b'\\', rest)
            && rest[found] == b'"'
            && !rest[..found].iter().any(|b| *b < 0x20)
        {
            self.at = start + found + 2;
            let text: &'t str = self.text;
            return Ok(Cow::Borrowed(text.get(start + 1..self.at - 1).unwrap_or_default()));
        }
        self.escaped_string(start)
    }

    /// A string that is not plain, or no string at all.
    fn escaped_string(&mut self, start: usize) -> Fallible<Cow<'t, str>> {
        let (mut escaped, mut plain) = (false, true);
        self.at += 1;
        while let Some(b) = self.peek() {
            self.at += 1;
            match b {
                b'"' if !escaped => {
                    let text: &'t str = self.text;
                    if plain {
                        return Ok(Cow::Borrowed(text.get(start + 1..self.at - 1).unwrap_or_default()));
                    }
                    let raw = text.get(start..self.at).unwrap_or_default();
                    return serde_json::from_str(raw)
                        .map(Cow::Owned)
                        .or_else(|_| self.error("a string with a bad escape or a control character"));
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
    fn skim(&mut self, depth: usize) -> Fallible<()> {
        if depth > MAX_DEPTH {
            return self.value(depth, Scope::Whole).map(drop);
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

    pub(super) fn array(&mut self, depth: usize, scope: Scope) -> Fallible<Value> {
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
    pub(super) fn more(&mut self, close: u8) -> Fallible<bool> {
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

    fn object(&mut self, depth: usize, mut scope: Scope) -> Fallible<Value> {
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
                let value = self.field(&key, depth, inner)?;
                if scope == Scope::Whole && &*key == "kind" && value.as_str() == Some("Pod") {
                    scope = Scope::Pod;
                }
                self.add(Entry { key: key.into(), key_span, value }, &mut entries, &mut index);
            } else {
                self.skim(depth + 1)?;
            }
            if !self.more(b'}')? {
                return Ok(Value::Mapping(entries));
            }
        }
    }

    /// The value of a key; where it may be the items of a long List, on all cores.
    fn field(&mut self, key: &str, depth: usize, scope: Scope) -> Fallible<Node> {
        if depth == 0 && key == "items" && scope == Scope::Whole && self.peek() == Some(b'[') {
            let mut span = self.here();
            if let Some(value) = self.long_list() {
                span.end = self.at;
                return Ok(Node { span, value });
            }
        }
        self.value(depth + 1, scope)
    }

    /// Adds an entry, in place of an earlier one of the same key.
    fn add(&mut self, entry: Entry, entries: &mut Vec<Entry>, index: &mut HashMap<Box<str>, usize>) {
        if entries.len() == FEW_KEYS {
            index.extend(entries.iter().enumerate().map(|(at, e)| (e.key.clone(), at)));
        }
        let earlier = if entries.len() < FEW_KEYS {
            entries.iter().position(|e| e.key == entry.key)
        } else {
            index.get(&entry.key).copied()
        };
        if let Some(earlier) = earlier.and_then(|at| entries.get_mut(at)) {
            self.problems.push(super::yaml::duplicate(&entry.key, earlier.key_span, entry.key_span));
            *earlier = entry;
            return;
        }
        if entries.len() >= FEW_KEYS {
            index.insert(entry.key.clone(), entries.len());
        }
        entries.push(entry);
    }

    /// A key, up to the start of its value.
    fn key(&mut self) -> Fallible<(Cow<'t, str>, Span)> {
        let mut span = self.here();
        let start = self.at;
        let key = self.bare_key()?;
        span.end = start + self.quoted;
        Ok((key, span))
    }

    fn bare_key(&mut self) -> Fallible<Cow<'t, str>> {
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
    fn what_no_verdict_looks_at_is_left_out_of_pods_and_still_checked() {
        let text = r#"{"kind":"Pod","metadata":{"name":"a","annotations":{"x":"y"}},"spec":{"nodeName":"n","volumes":[{"name":"v"}],
            "containers":[{"name":"c","env":[],"ports":[{"containerPort":1}]}]},"status":{"phase":"Running","qosClass":"Burstable"}}"#;
        let kept = serde_json::json!({"kind": "Pod", "metadata": {"name": "a"}, "spec": {"nodeName": "n",
            "containers": [{"name": "c", "ports": [{"containerPort": 1}]}]}, "status": {"phase": "Running"}});
        assert_eq!(parse(text).root.unwrap().to_json(), kept);
        let other = text.replace("Pod", "Policy");
        let whole: serde_json::Value = serde_json::from_str(&other).unwrap();
        assert_eq!(parse(&other).root.unwrap().to_json(), whole);
        for (good, bad) in [("\"y\"", "\"y"), ("\"v\"", "v"), ("[],", "[}],"), ("\"v\"}]", "\"v\"]")] {
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
            let before = text[..text.find(&format!("\"{}\"", entry.key)).unwrap()].chars().count();
            assert_eq!(entry.key_span.at.column as usize, before + 1);
        }
    }

    #[test]
    fn a_long_list_is_read_as_a_short_one() {
        let item = |i: usize| {
            format!(
                "  {{\"kind\": \"Thing\", \"metadata\": {{\"name\": \"thé-{i}\", \"n\": 1, \"n\": {i}}},\r\n \"l\": [{{}}, []]}}"
            )
        };
        for joint in [",\n", ","] {
            let items: Vec<String> = (0..6_000).map(item).collect();
            let text = format!("{{\"kind\": \"List\", \"items\": [\n{}\n], \"z\": 1}}", items.join(joint));
            assert!(text.len() > 2 * LONG);
            let (many, mut one) = (parse(&text), Reader::new(&text));
            let (chunk, whole) = parse_whole(&text).unwrap();
            assert_eq!((chunk, &whole.root), (split(&text)[0], &many.root));
            assert!(parse_whole(&format!("{text}{{}}")).is_none() && parse_whole(&text[1..]).is_none());
            one.at = text.find("[\n").unwrap();
            one.line = 1;
            let list = one.array(1, Scope::Whole).unwrap();
            let root = many.root.unwrap();
            assert_eq!(root.get("items").unwrap().value, list);
            assert_eq!(root.get("z").unwrap().span.at.line, one.line);
            let told = |p: &[Problem]| p.iter().map(|p| (p.span, p.message.clone())).collect::<Vec<_>>();
            assert_eq!((told(&many.problems), many.problems.len()), (told(&one.problems), 6_000));
            // what is wrong in the middle is told at its place
            for (good, bad) in [("thé-4321", "thé\\x"), ("{}, []", "{}, ]"), ("\"l\"", "l")] {
                let at = text.match_indices(good).nth(if good.starts_with("th") { 0 } else { 4_321 }).unwrap().0;
                let broken = format!("{}{bad}{}", &text[..at], &text[at + good.len()..]);
                let parsed = parse(&broken);
                assert!(parsed.root.is_none() && parsed.problems[0].span.start.abs_diff(at) < 20, "{bad}");
            }
        }
    }

    #[test]
    fn junk_does_not_panic() {
        for text in ["", "{", "{\"", "{\"a\":\"\\ud800\"}", "[1,", "-", "{\"a\":1}x", "\u{feff}{}"] {
            let _ = parse(text);
            let _ = split(text);
        }
    }
}
