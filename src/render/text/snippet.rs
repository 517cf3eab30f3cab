//! YAML as people write policies: block style outside, short things in one line inside.
//!
//! Every scalar that any reader of YAML could take for something else than a string is quoted, so
//! that what is shown is read back as what was tried, by kubectl and by everybody else.

use serde_json::Value as Json;

/// Which values are written in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// Selectors, blocks and ports.
    Short,
    /// Nothing.
    Long,
}

/// Keys whose values are short enough for one line.
const SHORT: [&str; 6] = [
    "namespaceSelector",
    "podSelector",
    "ipBlock",
    "ports",
    "policyTypes",
    "metadata",
];

/// An item of a list, or a whole object, as lines without indentation.
pub fn lines(value: &Json, as_item: bool, style: Notation) -> Vec<String> {
    let lines = match value {
        Json::Object(map) if !map.is_empty() => {
            if as_item
                && style == Notation::Short
                && map.values().all(|v| !v.is_object() && !v.is_array())
            {
                vec![flow(value)]
            } else {
                map.iter().flat_map(|(k, v)| entry(k, v, style)).collect()
            }
        }
        other => vec![flow(other)],
    };
    if as_item {
        hang(lines, "- ", "  ")
    } else {
        lines
    }
}

fn entry(key: &str, value: &Json, style: Notation) -> Vec<String> {
    let key_text = scalar(key);
    let short = style == Notation::Short && SHORT.contains(&key);
    match value {
        Json::Array(items) if !items.is_empty() && !short => {
            let items = items.iter().flat_map(|i| lines(i, true, style));
            std::iter::once(format!("{key_text}:"))
                .chain(items)
                .collect()
        }
        Json::Object(map) if !map.is_empty() && !short => {
            let inside = map
                .iter()
                .flat_map(|(k, v)| entry(k, v, style))
                .map(|l| format!("  {l}"));
            std::iter::once(format!("{key_text}:"))
                .chain(inside)
                .collect()
        }
        other => vec![format!("{key_text}: {}", flow(other))],
    }
}

/// A value in one line.
fn flow(value: &Json) -> String {
    match value {
        Json::Object(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{}: {}", scalar(k), flow(v)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Json::Array(items) => format!(
            "[{}]",
            items.iter().map(flow).collect::<Vec<_>>().join(", ")
        ),
        Json::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// What some reader takes for a boolean or for nothing.
pub(crate) const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// A string, quoted unless it is a plain word to every reader.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-');
    let address = text.contains('/') && text.parse::<ipnet::Ipv4Net>().is_ok();
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain);
    let safe = (word && !WORDS.contains(&text.to_ascii_lowercase().as_str())) || address;
    if safe { text.to_owned() } else { quoted(text) }
}

/// A string in double quotes; what could move a cursor or turn a line around is written as its
/// number.
pub(crate) fn quoted(text: &str) -> String {
    // JSON has written the control characters of ASCII already; the others break a line, or are
    // none, in some YAML
    Json::from(text).to_string().chars().map(escaped).collect()
}

/// Whether a character ends a line or is none for some reader.
fn breaks(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// Whether a terminal shows a character as itself.
fn is_shown(c: char) -> bool {
    crate::words::clean(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8()
}

fn escaped(c: char) -> String {
    if !breaks(c) && is_shown(c) {
        c.to_string()
    } else {
        format!("\\u{:04x}", u32::from(c))
    }
}

fn hang(lines: Vec<String>, first: &str, rest: &str) -> Vec<String> {
    let line = |(i, l): (usize, String)| format!("{}{l}", if i == 0 { first } else { rest });
    lines.into_iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Chunk, parse};
    use serde_json::json;

    #[test]
    fn both_styles_are_read_back_as_what_was_written() {
        let rule = json!({
            "from": [
                {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "y"}}, "podSelector": {}},
                {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
                {"ipBlock": {"cidr": "fd00::/8"}},
            ],
            "ports": [{"port": 5432, "protocol": "TCP"}, {"port": "http"}],
            "odd": {"1.0": "1.0", "no": "null", "a b": "-", "": "a: b # c", "line\nbreak": "\u{202e}"},
        });
        for (as_item, style) in [
            (true, Notation::Short),
            (true, Notation::Long),
            (false, Notation::Short),
            (false, Notation::Long),
        ] {
            let text = lines(&rule, as_item, style).join("\n") + "\n";
            let chunk = Chunk::whole(&text);
            let root = parse(&text, &chunk)
                .root
                .unwrap_or_else(|| panic!("{text}"));
            let read = root.to_json();
            assert_eq!(if as_item { read[0].clone() } else { read }, rule, "{text}");
        }
    }

    #[test]
    fn nothing_turns_a_line_around() {
        assert_eq!(
            lines(&json!({"a": "x\u{202e}y\u{1b}[0m"}), false, Notation::Short),
            [r#"a: "x\u202ey\u001b[0m""#]
        );
    }

    #[test]
    fn a_port_is_one_line() {
        assert_eq!(
            lines(
                &json!({"port": 7070, "protocol": "TCP"}),
                true,
                Notation::Short
            ),
            ["- {port: 7070, protocol: TCP}"]
        );
    }
}
