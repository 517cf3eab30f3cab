//! Words for counts, traffic and addresses, shared by pictures and answers.
//!
//! Text from a manifest passes through [`clean`]: control and bidirectional characters are written
//! out, so that a hostile name can neither move a cursor nor reorder a line.

use crate::set::traffic::TrafficRange;
use crate::set::{IpSet, TrafficSet};
use std::borrow::Cow;

/// A text with its control and bidirectional characters written out, cut at a length no name needs.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.len() <= 400 {
        return escaped(text);
    }
    let mut characters = text.chars();
    let head: String = characters.by_ref().take(400).collect();
    let more = if characters.next().is_some() {
        "…"
    } else {
        ""
    };
    Cow::Owned(escaped(&head).into_owned() + more)
}

/// The same, however long the text is.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| {
        if is_unsafe(c) {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        }
    };
    Cow::Owned(text.chars().map(escape).collect())
}

/// Whether a character may not be written raw: it controls a terminal, or is not seen and may turn
/// the direction of the text around it.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The same for a text of several lines: the line breaks stay.
pub fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// Traffic in few words: `5432/TCP`, `80,443/TCP`, `ALL`, `7 ports`.
pub fn traffic(set: &TrafficSet) -> String {
    if set.is_all() {
        return "ALL".into();
    }
    let mut parts: Vec<String> = Vec::new();
    let mut other = false;
    for protocol in crate::set::Protocol::ALL {
        let ranges = set.pieces().filter_map(|p| match p {
            TrafficRange::Ports(q, 1, u16::MAX) if q == protocol => Some("all".to_owned()),
            TrafficRange::Ports(q, a, b) if q == protocol => Some(if a == b {
                a.to_string()
            } else {
                format!("{a}-{b}")
            }),
            TrafficRange::Ports(..) => None,
            TrafficRange::OtherProtocols => {
                other = true;
                None
            }
        });
        let ranges: Vec<String> = ranges.collect();
        if !ranges.is_empty() {
            parts.push(format!("{}/{protocol}", ranges.join(",")));
        }
    }
    if other {
        parts.push("other protocols".into());
    }
    if parts.is_empty() {
        "nothing".into()
    } else {
        parts.join(" ")
    }
}

/// A set of addresses in few words.
pub fn addresses(set: &IpSet) -> String {
    let internet = IpSet::internet();
    if *set == IpSet::full() {
        return "any outside address".into();
    }
    if set.v6.is_empty() && set.v4 == IpSet::full().v4 {
        return "any outside IPv4 address".into();
    }
    if *set == internet {
        return "internet".into();
    }
    let cidrs = set.to_cidrs();
    let shown: Vec<String> = cidrs.iter().take(3).map(ToString::to_string).collect();
    let public = internet.v4.is_subset(&set.v4);
    let rest = cidrs.len().saturating_sub(3);
    match (public, rest) {
        (true, 1..) => format!("internet and more ({} CIDR blocks)", cidrs.len()),
        (true, 0) => format!("internet ({})", shown.join(",")),
        (false, 0) => shown.join(","),
        (false, n) => format!("{} and {n} more", shown.join(",")),
    }
}

/// `1 pod`, `2 pods`, `2 policies`; kinds keep their spelling.
pub fn plural(count: usize, word: &str) -> String {
    if count == 1 || word.contains('(') {
        return format!("{count} {word}");
    }
    let plural = match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o']) => format!("{stem}ies"),
        _ if word.ends_with('s') => format!("{word}es"),
        _ => format!("{word}s"),
    };
    format!("{count} {plural}")
}
