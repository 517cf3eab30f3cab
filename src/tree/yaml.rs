//! YAML events -> tree, with kubectl's rules: merge keys, scalar keys, duplicates, one document a
//! chunk, no tabs.
//!
//! The library gives events with spans; the tree, the scalar rules and the limits are ours. An
//! alias is charged with the size of its target, so an alias bomb is one clear error long
//! before memory is short.

use crate::source::{Position, Span};
use crate::tree::line_breaks;
use crate::tree::mapping::Mapping;
use crate::tree::node::{Entry, MAX_DEPTH, MAX_NODES, SyntaxNode, Value};
use crate::tree::problem::{ParseResult, Parsed, Problem, ProblemKind};
use crate::tree::scalar;
use crate::tree::scalar::NotANumber;
use crate::tree::split::is_template_start;
use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// How many nodes the aliases of a document may expand to; kubectl's reader has its limit in the
/// same region.
pub const MAX_ALIASED: usize = 400_000;

/// How many nodes the aliases of a document may expand to before it is read alone, so that the
/// memory of such documents does not grow with the number of threads.
pub const FEW_ALIASED: usize = 20_000;

/// The message about a document that [`parse_up_to`] gave up on.
pub const TOO_MANY_ALIASED: &str = "its aliases stand for too many values";

/// Reads one chunk, whose aliases expand to at most this many nodes. Spans are relative
/// to the chunk.
pub fn parse_up_to(text: &str, aliased: usize) -> Parsed {
    let text_start = text
        .strip_prefix('\u{feff}')
        .map_or(0, |_| '\u{feff}'.len_utf8());
    let broken = line_breaks::plain(&text[text_start..]);
    let spaced = spaces_for_tabs(&broken.text);
    let mut reader = YamlReader::new(&spaced, text_start);
    reader.aliased_left = aliased;
    reader.has_tabs = matches!(spaced, Cow::Owned(_));
    reader.problems.extend(broken.problem(text, text_start));
    reader.breaks = broken.offsets;
    let result = reader.document();
    if let Some(span) = tab_indent(text, &reader.tab_ranges, result.is_ok()) {
        return failed(text, tab_problem(span));
    }
    match result {
        Ok(root) => Parsed {
            root,
            problems: reader.problems,
        },
        Err(problem) => failed(text, *problem),
    }
}

/// Of a text that cannot be read, says that it is a template if it is one.
fn failed(text: &str, problem: Problem) -> Parsed {
    let template = problem.kind == ProblemKind::Syntax
        && (text.contains("{{") && text.contains("}}") || is_template_start(text));
    Parsed {
        root: None,
        problems: vec![if template {
            template_problem(text)
        } else {
            problem
        }],
    }
}

fn template_problem(text: &str) -> Problem {
    let at = text.find("{{").unwrap_or(0);
    let span = Span {
        start: at,
        end: at + 2,
        at: crate::tree::problem::position(text, at),
    };
    Problem::new(
        ProblemKind::UnrenderedTemplate,
        span,
        "an unrendered template: `{{ ... }}` is filled in by Helm, not by kubectl",
    )
    .help("render it first: `helm template CHART | netpal ... -f -`")
}

/// The text with a space for every tab that indents a line: the parser refuses some of those that
/// kubectl takes, inside flow collections. Which of them kubectl refuses is judged afterwards.
fn spaces_for_tabs(text: &str) -> Cow<'_, str> {
    let indents = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    if memchr::memchr(b'\t', text.as_bytes()).is_none() || !text.lines().any(indents) {
        return Cow::Borrowed(text);
    }
    let mut spaced = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start_matches([' ', '\t']);
        spaced.extend(std::iter::repeat_n(' ', line.len() - rest.len()));
        spaced.push_str(rest);
    }
    Cow::Owned(spaced)
}

/// The first tab that indents a line where kubectl refuses it: anywhere but inside a scalar or a
/// flow collection, even on a blank or comment line. Of a text that cannot be read, the first tab
/// that indents a line.
fn tab_indent(text: &str, allowed: &[Range<usize>], readable: bool) -> Option<Span> {
    memchr::memchr(b'\t', text.as_bytes())?; // hardly any text has one
    let mut offset = 0;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line.get(..blanks).and_then(|b| b.find('\t')) {
            let start = offset + tab;
            let inside = readable && allowed.iter().any(|range| range.contains(&start));
            let narrow = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
            let at = Position {
                line: narrow(i),
                column: narrow(tab),
            };
            let end = start + 1;
            if !inside {
                return Some(Span { start, end, at });
            }
        }
        offset += line.len();
    }
    None
}

fn tab_problem(span: Span) -> Problem {
    Problem::new(
        ProblemKind::Syntax,
        span,
        "a tab indents this line; YAML allows only spaces there",
    )
    .help("replace the tab by spaces")
}

struct YamlReader<'t> {
    text: &'t str,
    offset: usize,
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, (SyntaxNode, usize)>,
    problems: Vec<Problem>,
    nodes: usize,
    /// Where a tab may indent a line: inside scalars of several lines and flow collections.
    tab_ranges: Vec<Range<usize>>,
    /// Whether the text has a tab at all.
    has_tabs: bool,
    /// How many more nodes aliases may expand to.
    aliased_left: usize,
    /// Where lines end that no editor ends there.
    breaks: Vec<usize>,
}

impl<'t> YamlReader<'t> {
    fn new(text: &'t str, offset: usize) -> Self {
        let parser = Parser::new_from_str(text);
        Self {
            text,
            offset,
            parser,
            anchors: HashMap::new(),
            problems: Vec::new(),
            nodes: 0,
            tab_ranges: Vec::new(),
            has_tabs: false,
            aliased_left: MAX_ALIASED,
            breaks: Vec::new(),
        }
    }

    /// Notes where a node lets tabs indent lines.
    fn note_tabs(&mut self, node: &SyntaxNode) {
        if !self.has_tabs {
            return;
        }
        let start = node.span.start;
        let first = self.text.as_bytes().get(start.saturating_sub(self.offset));
        let flow = match node.value {
            Value::Sequence(_) => first == Some(&b'['),
            Value::Mapping(_) => first == Some(&b'{'),
            _ => true,
        };
        if flow {
            self.tab_ranges.push(start..node.span.end);
        }
    }

    fn next(&mut self) -> ParseResult<(Event<'t>, Span)> {
        loop {
            match self.parser.next_event() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, span))) => {
                    let span = self.span(&span);
                    return Ok((event, span));
                }
                Some(Err(error)) => return Err(Box::new(self.scan_error(&error))),
                None => return Ok((Event::StreamEnd, Span::default())),
            }
        }
    }

    fn span(&self, span: &granit_parser::Span) -> Span {
        let byte = |m: &granit_parser::Marker| {
            m.byte_offset().unwrap_or_else(|| self.byte_of(m.index())) + self.offset
        };
        Span {
            start: byte(&span.start),
            end: byte(&span.end),
            at: self.position(&span.start),
        }
    }

    /// A place in the lines that an editor shows.
    fn position(&self, marker: &granit_parser::Marker) -> Position {
        let at = position(marker);
        if self.breaks.is_empty() {
            return at;
        }
        let offset = marker.byte_offset();
        let offset = offset.unwrap_or_else(|| self.byte_of(marker.index()));
        let text = self.text.get(..offset).unwrap_or(self.text);
        line_breaks::position(text, &self.breaks)
    }

    fn byte_of(&self, index: usize) -> usize {
        self.text
            .char_indices()
            .nth(index)
            .map_or(self.text.len(), |(i, _)| i)
    }

    fn scan_error(&self, error: &ScanError) -> Problem {
        let marker = error.marker();
        let start = marker
            .byte_offset()
            .unwrap_or_else(|| self.byte_of(marker.index()))
            + self.offset;
        let span = Span {
            start,
            end: start + 1,
            at: self.position(marker),
        };
        let message = error.kind().to_string();
        let kind = if message.contains("limit") {
            ProblemKind::Limit
        } else {
            ProblemKind::Syntax
        };
        Problem::new(kind, span, format!("not valid YAML: {message}"))
    }

    /// The first document of the chunk; what follows `...` is lost, as in kubectl.
    fn document(&mut self) -> ParseResult<Option<SyntaxNode>> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_some() => {
                    self.problems.push(Problem::new(
                        ProblemKind::Lost,
                        span,
                        "kubectl drops what follows the first document here",
                    ));
                    return Ok(root);
                }
                Event::DocumentStart(..) => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> ParseResult<SyntaxNode> {
        if depth > MAX_DEPTH {
            return Err(limit(span, format!("nested more than {MAX_DEPTH} deep")));
        }
        self.charge(1, span)?;
        let before = self.nodes;
        let (node, anchor) = match event {
            Event::Alias(id) => return self.alias(id, span),
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar_value(
                    &text,
                    style,
                    tag.as_deref().and_then(|t| t.core_suffix()),
                    span,
                )?;
                (SyntaxNode { span, value }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence(span, depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(span, depth)?, anchor),
            other => return Err(syntax(span, format!("unexpected {other:?}"))),
        };
        self.note_tabs(&node);
        if anchor != 0 {
            let size = self.nodes - before + 1;
            self.charge_copy(size, span)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn charge(&mut self, nodes: usize, span: Span) -> ParseResult<()> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            let message = format!("more than {MAX_NODES} values once its aliases are written out");
            return Err(limit(span, message));
        }
        Ok(())
    }

    /// Charges for a copy of a node: that of an anchor is kept, that of an alias is written out.
    fn charge_copy(&mut self, size: usize, span: Span) -> ParseResult<()> {
        match self.aliased_left.checked_sub(size) {
            Some(left) => {
                self.aliased_left = left;
                Ok(())
            }
            None => Err(limit(span, TOO_MANY_ALIASED.into())),
        }
    }

    fn alias(&mut self, id: usize, span: Span) -> ParseResult<SyntaxNode> {
        let size = self.anchors.get(&id).map(|(_, size)| *size);
        let Some(size) = size else {
            return Err(syntax(span, "an alias inside its own anchor".into()));
        };
        self.charge(size, span)?;
        self.charge_copy(size, span)?;
        let found = self.anchors.get(&id).map(|(node, _)| node.clone());
        found.ok_or_else(|| syntax(span, "an unknown alias".into()))
    }

    fn sequence(&mut self, span: Span, depth: usize) -> ParseResult<SyntaxNode> {
        let mut items = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(SyntaxNode {
                    span: Span {
                        end: at.end,
                        ..span
                    },
                    value: Value::Sequence(items),
                });
            }
            items.push(self.node(event, at, depth + 1)?);
        }
    }

    fn mapping(&mut self, span: Span, depth: usize) -> ParseResult<SyntaxNode> {
        let mut map = Mapping::default();
        loop {
            let (event, key_span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                let entries = map.finish();
                return Ok(SyntaxNode {
                    span: Span {
                        end: key_span.end,
                        ..span
                    },
                    value: Value::Mapping(entries),
                });
            }
            let merge =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = if merge {
                Box::from("<<")
            } else {
                key_text(&self.node(event, key_span, depth + 1)?)?
            };
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            if merge {
                self.problems.extend(map.merge(value, key_span)?);
            } else if let Some(problem) = map.insert(Entry {
                key,
                key_span,
                value,
            }) {
                self.problems.push(problem);
            }
        }
    }
}

fn position(marker: &granit_parser::Marker) -> Position {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position {
        line: narrow(marker.line().max(1)),
        column: narrow(marker.col() + 1),
    }
}

fn limit(span: Span, message: String) -> Box<Problem> {
    Box::new(Problem::new(ProblemKind::Limit, span, message))
}

fn syntax(span: Span, message: String) -> Box<Problem> {
    Box::new(Problem::new(ProblemKind::Syntax, span, message))
}

fn scalar_value(
    text: &str,
    style: ScalarStyle,
    tag: Option<&str>,
    span: Span,
) -> ParseResult<Value> {
    let string = || Ok(Value::String(text.into()));
    match (tag, style) {
        (Some("str" | "binary"), _)
        | (None, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) => string(),
        (None, ScalarStyle::Literal | ScalarStyle::Folded) => string(),
        _ => scalar::resolve(text).map_err(|NotANumber| {
            syntax(
                span,
                format!("`{text}` is a number without a JSON form, which kubectl refuses"),
            )
        }),
    }
}

/// A key as text: kubectl writes numbers and booleans out; null and collections are no keys.
fn key_text(node: &SyntaxNode) -> ParseResult<Box<str>> {
    match &node.value {
        Value::String(s) => Ok(s.clone()),
        Value::Bool(_) | Value::Letter(_) => Ok(node.as_bool().unwrap_or(false).to_string().into()),
        Value::Int(n) => Ok(n.to_string().into()),
        Value::UInt(n) => Ok(n.to_string().into()),
        Value::Float(f) => Ok(f.to_string().into()),
        Value::Null => Err(syntax(
            node.span,
            "null is no key (kubectl: unsupported map key)".into(),
        )),
        Value::Sequence(_) | Value::Mapping(_) => {
            Err(syntax(node.span, format!("{} is no key", node.kind_name())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Parsed {
        parse_up_to(text, MAX_ALIASED)
    }

    fn json(text: &str) -> String {
        let parsed = parse(text);
        parsed.root.map_or_else(
            || format!("{:?}", parsed.problems[0].kind),
            |r| r.to_json().to_string(),
        )
    }

    #[test]
    fn keys_are_written_out_and_null_is_none() {
        assert_eq!(
            json("80: a\nyes: b\n1.5: c"),
            r#"{"80":"a","true":"b","1.5":"c"}"#
        );
        assert_eq!(json("? ~\n: 1"), "Syntax");
    }

    #[test]
    fn what_stands_later_wins_over_a_merge_and_a_merge_over_what_stood_earlier() {
        let text = |body: &str| format!("a: &a {{x: 1}}\nb:\n{body}");
        assert!(json(&text("  <<: *a\n  x: 2")).contains("\"b\":{\"x\":2}"));
        let late = text("  x: 2\n  <<: *a");
        assert!(json(&late).contains("\"b\":{\"x\":1}"));
        let told = parse_up_to(&late, MAX_ALIASED).problems;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].kind, ProblemKind::Lost);
        assert!(
            parse_up_to(&text("  <<: *a\n  x: 2"), 100)
                .problems
                .is_empty()
        );
    }

    #[test]
    fn characters_that_end_a_line_for_kubectl_alone_do_so_and_are_told() {
        for character in ['\u{85}', '\u{2028}', '\u{2029}'] {
            let text = format!("a: 1 # one{character}b: 2\nc: {{d: 3}}\n");
            assert_eq!(json(&text), "{\"a\":1,\"b\":2,\"c\":{\"d\":3}}");
            let parsed = parse_up_to(&text, MAX_ALIASED);
            let Position { line, column } = parsed.problems[0].span.at;
            assert_eq!((parsed.problems.len(), line, column), (1, 1, 11));
            let root = parsed.root.unwrap();
            let line = |key: &str| root.entry(key).unwrap().key_span.at.line;
            assert_eq!(["a", "b", "c"].map(line), [1, 1, 2]);
        }
        assert!(parse_up_to("a: \u{2026}", 100).problems.is_empty());
    }

    #[test]
    fn merges_fill_in_what_is_not_given() {
        assert_eq!(
            json("a: &a {x: 1, z: 2}\nb:\n  <<: *a\n  z: 3"),
            r#"{"a":{"x":1,"z":2},"b":{"x":1,"z":3}}"#
        );
        assert!(json("a: {<<: [{x: 1}, {x: 2, z: 3}]}").contains("\"x\":1"));
    }

    #[test]
    fn of_a_key_given_twice_the_last_counts_and_both_places_are_told() {
        let parsed = parse("a: 1\nb: 2\na: 3\n");
        assert_eq!(
            parsed.root.unwrap().get("a").and_then(SyntaxNode::as_i64),
            Some(3)
        );
        let problem = &parsed.problems[0];
        assert_eq!((problem.span.at.line, problem.related[0].0.at.line), (3, 1));
        assert!(!problem.is_error());
    }

    #[test]
    fn tabs_templates_and_bombs_are_clear_errors() {
        assert_eq!(json("a:\n\t b: 1"), "Syntax");
        assert_eq!(json("a: [\n\t1,\n\t]"), r#"{"a":[1]}"#);
        assert_eq!(json("a: |\n  x\n  \ty\n"), r#"{"a":"x\n y\n"}"#);
        assert_eq!(json("a: |\n  {{ .x }}\n"), r#"{"a":"{{ .x }}\n"}"#);
        assert_eq!(json("a: 1\n\t# comment"), "Syntax");
        assert_eq!(json("name: {{ .Values.x }}\n"), "UnrenderedTemplate");
        assert_eq!(json("{{- if .x }}\na: 1\n{{- end }}"), "UnrenderedTemplate");
        assert_eq!(json("a: \"{{ .x }}\""), r#"{"a":"{{ .x }}"}"#);
        let bomb = (1..9).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, i| {
            let items = vec![format!("*a{}", i - 1); 9].join(",");
            text + &format!("a{i}: &a{i} [{items}]\n")
        });
        assert_eq!(json(&bomb), "Limit");
        assert_eq!(json(&"[".repeat(20_000)), "Limit");
        assert_eq!(json(&"- ".repeat(20_000)), "Limit");
        assert_eq!(json("a: .inf"), "Syntax");
    }

    #[test]
    fn what_follows_three_dots_is_lost_and_said() {
        let parsed = parse("a: 1\n...\nb: 2\n");
        assert_eq!(parsed.root.unwrap().entries().len(), 1);
        assert_eq!(parsed.problems[0].kind, ProblemKind::Lost);
    }

    #[test]
    fn positions_are_those_an_editor_shows() {
        let root = parse("a:\n  - b: é\n    c: 1\n").root.unwrap();
        let c = root.get("a").unwrap().items()[0].entry("c").unwrap();
        assert_eq!((c.key_span.at.line, c.key_span.at.column), (3, 5));
    }

    #[test]
    fn nothing_panics_on_junk() {
        for text in [
            "\0",
            "\u{1}\u{7f}",
            "&a *a",
            "a: &a [*a]",
            "!!binary x",
            "%YAML 9\n---\n",
            "'",
            "\"\\ud800\"",
            "? [a]: b",
            "- - -\n\t",
        ] {
            let _ = parse(text);
        }
    }
}
