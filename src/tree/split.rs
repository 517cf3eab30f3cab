//! Splitting a file into chunks as kubectl does, and a cheap look at what a chunk is.
//!
//! kubectl splits textually: a line that starts with `---` ends a document, even inside a block
//! scalar, and the rest of that line is dropped. A file that starts with `{` is a stream of JSON
//! values. Cost: one pass over the lines.

use crate::source::Position;
use crate::tree::chunk::Chunk;
use crate::tree::json;
use memchr::memmem;

/// Whether a text starts with a template action, not with JSON.
pub fn is_template_start(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with("{{")
}

/// Whether a text starts as JSON objects do: a brace, and a quoted key or nothing.
pub fn looks_like_json(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let inside = start.strip_prefix('{').map(str::trim_start);
    inside.is_some_and(|inside| inside.starts_with(['"', '}']) || inside.is_empty())
}

/// Splits a file; chunks that hold nothing but blanks and comments are left out.
pub fn split(text: &str) -> Vec<Chunk> {
    let separated = text.starts_with("---") || memmem::find(text.as_bytes(), b"\n---").is_some();
    if !separated && looks_like_json(text) {
        return json::split(text);
    }
    let mut chunks = Vec::new();
    let (mut start, mut at) = (0, Position { line: 1, column: 1 });
    for dashes in memmem::find_iter(text.as_bytes(), b"---") {
        // a byte order mark may precede them
        let before = text.get(..dashes).unwrap_or_default();
        let end = before.strip_suffix('\u{feff}').unwrap_or(before).len();
        if dashes < start || !(end == 0 || before.as_bytes().get(end - 1) == Some(&b'\n')) {
            continue;
        }
        push(&mut chunks, text, chunk(start, end, at));
        let line = at.line + lines(text.get(start..dashes).unwrap_or_default());
        let rest = text.get(dashes..).unwrap_or_default();
        let rest = rest
            .get(..rest.find('\n').unwrap_or(rest.len()))
            .unwrap_or_default();
        (start, at) = after_separator(dashes, rest, line);
        if at.column > 1 && !text.get(start..).is_some_and(|t| t.starts_with('{')) {
            // what cannot start a document here is a chunk of its own, to be refused
            push(&mut chunks, text, chunk(start, dashes + rest.len(), at));
            start = text.len().min(dashes + rest.len() + 1);
            at = Position {
                line: line + 1,
                column: 1,
            };
        }
    }
    push(&mut chunks, text, chunk(start, text.len(), at));
    chunks
}

fn chunk(start: usize, end: usize, at: Position) -> Chunk {
    let Position { line, column } = at;
    Chunk {
        start,
        end,
        line,
        column,
    }
}

/// Where the document behind a separator starts: on the next line, unless there is more on the
/// separator's own line than dashes and a comment.
fn after_separator(dashes: usize, rest: &str, line: u32) -> (usize, Position) {
    let content = rest.trim_start_matches('-').trim_start();
    if content.is_empty() || content.starts_with('#') {
        let column = 1;
        let line = line + 1;
        return (dashes + rest.len() + 1, Position { line, column });
    }
    let before = rest.len() - content.len();
    let column = rest.get(..before).map_or(0, |b| b.chars().count()) + 1;
    let column = u32::try_from(column).unwrap_or(u32::MAX);
    (dashes + before, Position { line, column })
}

/// The lines of a text, as [`str::lines`] gives them, a vector at a time.
fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        at += end + 1;
        let line = rest.get(..end)?;
        Some(if end < rest.len() {
            line.strip_suffix('\r').unwrap_or(line)
        } else {
            line
        })
    })
}

/// How many line breaks a text has.
fn lines(text: &str) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text.as_bytes()).count()).unwrap_or(u32::MAX)
}

fn push(chunks: &mut Vec<Chunk>, text: &str, chunk: Chunk) {
    let part = text.get(chunk.start..chunk.end).unwrap_or_default();
    if looks_like_json(part) {
        return push_json(chunks, part, chunk);
    }
    let content = |l: &str| {
        let l = l.trim_start_matches('\u{feff}').trim();
        !l.is_empty() && !l.starts_with('#') && l != "..."
    };
    if lines_of(part).any(content) {
        chunks.push(chunk);
    }
}

/// A chunk that starts as JSON may hold several values.
fn push_json(chunks: &mut Vec<Chunk>, part: &str, chunk: Chunk) {
    let values = json::split(part);
    let plain = values.iter().all(|v| {
        let value = part.get(v.start..v.end).unwrap_or_default();
        looks_like_json(value) && value.ends_with('}')
    });
    if !plain || values.len() < 2 {
        return chunks.push(chunk);
    }
    chunks.extend(values.into_iter().map(|value| Chunk {
        start: chunk.start + value.start,
        end: chunk.start + value.end,
        line: chunk.line + value.line - 1,
        column: if value.line == 1 {
            chunk.column + value.column - 1
        } else {
            value.column
        },
    }));
}

/// The fields that identify the object of a chunk on its top-level lines, whether or not it can be
/// parsed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sniffed<'a> {
    /// `apiVersion:`.
    pub api_version: Option<&'a str>,
    /// `kind:`.
    pub kind: Option<&'a str>,
    /// `metadata.name:`.
    pub name: Option<&'a str>,
    /// `metadata.namespace:`.
    pub namespace: Option<&'a str>,
    /// Whether the top-level lines are plain keys with `kind:` once among them, so that no other
    /// kind is said anywhere.
    pub plain: bool,
}

impl Sniffed<'_> {
    /// Whether a sniffed word is a template or a placeholder and so says nothing.
    pub fn is_placeholder(word: &str) -> bool {
        let is_expression = word.starts_with('(') && word.ends_with(')');
        word.contains("{{") || word.contains("${") || word.contains("$(") || is_expression
    }
}

/// Looks at a chunk line by line. Reads block style YAML; of JSON it sees nothing. What it does not
/// see is `None`.
pub fn sniff(chunk: &str) -> Sniffed<'_> {
    let mut sniffed = Sniffed::default();
    let text = chunk.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('{') && !text.starts_with("{{") {
        return sniffed;
    }
    let (mut in_metadata, mut metadata_indent) = (false, None);
    let (mut kinds, mut plain) = (0, true);
    for line in lines_of(chunk) {
        if line.starts_with(' ') && !in_metadata {
            continue;
        }
        let line = line.trim_start_matches('\u{feff}');
        let body = line.trim_start();
        let indent = line.len() - body.len();
        if body.is_empty() || body.starts_with('#') || body.starts_with("{{") {
            continue;
        }
        if indent == 0 {
            kinds += usize::from(body.starts_with("kind:"));
            plain &= body.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-');
            in_metadata = body.starts_with("metadata:");
            metadata_indent = None;
            set(&mut sniffed.api_version, body, "apiVersion:");
            set(&mut sniffed.kind, body, "kind:");
        } else if in_metadata && *metadata_indent.get_or_insert(indent) == indent {
            set(&mut sniffed.name, body, "name:");
            set(&mut sniffed.namespace, body, "namespace:");
        }
    }
    sniffed.plain = plain && kinds == 1;
    sniffed
}

fn set<'a>(slot: &mut Option<&'a str>, line: &'a str, key: &str) {
    if slot.is_none()
        && let Some(rest) = line.strip_prefix(key)
    {
        let value = rest
            .split(" #")
            .next()
            .unwrap_or(rest)
            .trim()
            .trim_matches(['"', '\'']);
        *slot = (!value.is_empty()).then_some(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(&str, u32)> {
        split(text)
            .iter()
            .map(|c| (&text[c.start..c.end], c.line))
            .collect()
    }

    #[test]
    fn documents_end_at_lines_that_start_with_dashes() {
        assert_eq!(
            texts("a: 1\n--- # x\nb: 2\n---\n# only a comment\n---\nc: 3"),
            [("a: 1\n", 1), ("b: 2\n", 3), ("c: 3", 7)]
        );
        assert_eq!(texts("---\r\na: 1\r\n"), [("a: 1\r\n", 2)]);
        assert_eq!(texts("\u{feff}---\na: 1\n").len(), 1);
        assert!(texts("").is_empty() && texts("\n# x\n").is_empty());
    }

    #[test]
    fn lines_are_those_of_the_standard_library() {
        for text in [
            "",
            "\n",
            "a",
            "a\n",
            "a\r\nb\r",
            "\r\n\r\nx\n\n",
            "é\n\u{feff}b",
        ] {
            assert_eq!(
                lines_of(text).collect::<Vec<_>>(),
                text.lines().collect::<Vec<_>>(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn dashes_inside_a_line_end_nothing() {
        assert_eq!(
            texts("a: ---\n  --- b\n-----\nc: 1\n\u{feff}---\nd: 1").len(),
            3
        );
        assert_eq!(
            texts("a: 1\n\u{feff}--- x ---\nd: 1"),
            [("a: 1\n", 1), ("x ---", 2), ("d: 1", 3)]
        );
        assert_eq!(
            texts("a: 1\n--- {b: 1,\n c: 2}\n--- # d\ne: 1"),
            [("a: 1\n", 1), ("{b: 1,\n c: 2}\n", 2), ("e: 1", 5)]
        );
    }

    #[test]
    fn a_file_that_starts_with_a_brace_is_a_stream_of_json() {
        assert_eq!(
            texts("{\"a\":1}\n{\"b\":2}"),
            [("{\"a\":1}", 1), ("{\"b\":2}", 2)]
        );
        assert_eq!(texts("{{- if .x }}\nkind: A\n---\nkind: B").len(), 2);
    }

    #[test]
    fn a_broken_document_still_says_what_it_is() {
        let s = sniff(
            "apiVersion: v1\nkind: \"Secret\" # x\nmetadata:\n  name: {{ .n }}\n  namespace: shop\n   bad",
        );
        assert_eq!((s.kind, s.namespace), (Some("Secret"), Some("shop")));
        assert!(Sniffed::is_placeholder(s.name.unwrap()));
        assert_eq!(sniff("spec:\n  kind: Inner\n").kind, None);
    }

    #[test]
    fn a_kind_that_may_be_said_elsewhere_is_not_plain() {
        assert!(sniff("kind: Secret\ndata:\n- x\n{{- if .x }}\n# kind: A\n  kind: B\n").plain);
        for more in [
            "kind: NetworkPolicy\n",
            "\"kind\": NetworkPolicy\n",
            "? kind\n: A\n",
            "<<: *a\n",
            "!!str kind: A\n",
        ] {
            assert!(!sniff(&format!("kind: Secret\n{more}")).plain, "{more}");
        }
    }
}
