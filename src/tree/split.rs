//! Splitting a file into chunks as kubectl does, and a cheap look at what a chunk is.
//!
//! kubectl splits textually: a line that starts with `---` ends a document, even inside a block
//! scalar, and the rest of that line is dropped. A file that starts with `{` is a stream of JSON
//! values. Cost: one pass over the lines.

use crate::tree::chunk::Chunk;
use crate::tree::json;
use memchr::memmem;

/// Whether a text starts with a template action, not with JSON.
pub fn is_template_start(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with("{{")
}

/// Splits a file; chunks that hold nothing but blanks and comments are left out.
pub fn split(text: &str) -> Vec<Chunk> {
    if text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('{')
        && !is_template_start(text)
    {
        return json::split(text);
    }
    let mut chunks = Vec::new();
    let (mut start, mut line) = (0, 1);
    for dashes in memmem::find_iter(text.as_bytes(), b"---") {
        // a byte order mark may stand before them
        let before = text.get(..dashes).unwrap_or_default();
        let end = before.strip_suffix('\u{feff}').unwrap_or(before).len();
        if dashes < start || !(end == 0 || before.as_bytes().get(end - 1) == Some(&b'\n')) {
            continue;
        }
        push(
            &mut chunks,
            text,
            Chunk {
                start,
                end,
                line,
                column: 1,
            },
        );
        let next = text
            .get(dashes..)
            .and_then(|rest| rest.find('\n'))
            .map_or(text.len(), |i| dashes + i + 1);
        line += lines(text.get(start..next).unwrap_or_default());
        start = next;
    }
    push(
        &mut chunks,
        text,
        Chunk {
            start,
            end: text.len(),
            line,
            column: 1,
        },
    );
    chunks
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
    let content = |l: &str| {
        let l = l.trim_start_matches('\u{feff}').trim();
        !l.is_empty() && !l.starts_with('#') && l != "..."
    };
    if lines_of(part).any(content) {
        chunks.push(chunk);
    }
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
        word.contains("{{") || word.contains("${") || word.contains("$(")
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
            [("a: 1\n", 1), ("d: 1", 3)]
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
