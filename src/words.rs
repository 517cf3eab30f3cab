//! Words for counts, traffic and addresses, shared by pictures and answers.
//!
//! Text from a manifest passes through [`clean`]: control and bidirectional characters are written
//! out, so that a hostile name can neither move a cursor nor reorder a line.

use crate::set::blocks::{self, Preferred, WrittenBlock, whole, written};
use crate::set::traffic::{TrafficRange, messages};
use crate::set::{Family, IpSet, TrafficSet};
use std::borrow::Cow;

/// A text with its control and bidirectional characters written out, cut at a length no name needs.
pub fn clean(text: &str) -> Cow<'_, str> {
    clean_up_to(text, 400)
}

/// The same for a whole cell or sentence, which names many things.
pub fn clean_sentence(text: &str) -> Cow<'_, str> {
    clean_up_to(text, 20_000)
}

fn clean_up_to(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return escaped(text);
    }
    let mut characters = text.chars();
    let head: String = characters.by_ref().take(most).collect();
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
            TrafficRange::Ports(..) | TrafficRange::Messages(..) => None,
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
    parts.extend(set.pieces().filter_map(|piece| match piece {
        TrafficRange::Messages(protocol, a, b) => Some(messages(protocol, a, b)),
        _ => None,
    }));
    if other {
        parts.push("other protocols".into());
    }
    if parts.is_empty() {
        "nothing".into()
    } else {
        parts.join(" ")
    }
}

/// The most blocks and exceptions of a set that are all written out.
const BLOCKS: usize = 8;

/// A set of addresses in few words: `internet`, `0.0.0.0/0 except 10.0.0.0/8`, or whatever else
/// names the fewest blocks.
pub fn addresses(set: &IpSet) -> String {
    if *set == IpSet::full() {
        return "any outside address".into();
    }
    if set.v6.is_empty() && set.v4 == IpSet::full().v4 {
        return "any outside IPv4 address".into();
    }
    if *set == IpSet::internet() {
        return "internet".into();
    }
    let families = Family::ALL.map(|family| in_family(set, family));
    let told: Vec<String> = families.into_iter().flatten().collect();
    told.join(if told.iter().any(|text| text.contains(' ')) {
        "; "
    } else {
        ","
    })
}

/// The addresses of one family in the fewest words.
fn in_family(set: &IpSet, family: Family) -> Option<String> {
    let set = set.only(family);
    let blocks = written(&set, Preferred::Plain);
    let by_word = of_internet(&set, family);
    let by_word = by_word.filter(|(_, length)| *length < blocks::length(&blocks));
    let text = by_word.map_or_else(|| list_of(&blocks), |(text, _)| text);
    (!text.is_empty()).then_some(text)
}

/// The addresses that a peer names, as its author wrote them.
pub fn written_block(set: &IpSet) -> String {
    let all_of_ipv4 = set.v6.is_empty() && set.v4 == IpSet::full().v4;
    match (*set == IpSet::full(), all_of_ipv4) {
        (true, _) => "any outside address".into(),
        (_, true) => "0.0.0.0/0 (any outside IPv4 address)".into(),
        _ => list_of(&written(set, Preferred::Except)),
    }
}

/// A set of one family as the internet, less some blocks, and some blocks more; and how many words
/// that takes.
fn of_internet(set: &IpSet, family: Family) -> Option<(String, usize)> {
    let internet = IpSet::internet().only(family);
    if set.is_disjoint(&internet) {
        return None;
    }
    let lacking = written(&internet.difference(set), Preferred::Plain);
    let less: Vec<WrittenBlock> = lacking.iter().map(|block| whole(block.cidr)).collect();
    let back = lacking.iter().flat_map(|block| &block.except).copied();
    let more = set.difference(&internet).union(&IpSet::from_cidrs(back));
    let more = written(&more.intersection(set), Preferred::Plain);
    let name = match family {
        Family::V4 => "internet (IPv4)",
        Family::V6 => "internet (IPv6)",
    };
    let except = match list_of(&less) {
        none if none.is_empty() => String::new(),
        list => format!(" except {list}"),
    };
    let and = match list_of(&more) {
        none if none.is_empty() => String::new(),
        list => format!("; {list}"),
    };
    let length = 1 + blocks::length(&less) + blocks::length(&more);
    Some((format!("{name}{except}{and}"), length))
}

/// Blocks in a row; what is too long is cut and counted.
fn list_of(blocks: &[WrittenBlock]) -> String {
    let excepts = blocks.iter().any(|block| !block.except.is_empty());
    let between = if excepts { "; " } else { "," };
    if blocks::length(blocks) <= BLOCKS || blocks.len() == 1 {
        return joined(blocks, between);
    }
    let shown = joined(&blocks[..blocks.len().min(3)], between);
    match blocks.len().saturating_sub(3) {
        0 => shown,
        rest => format!("{shown} and {rest} more"),
    }
}

fn joined(blocks: &[WrittenBlock], between: &str) -> String {
    let each: Vec<String> = blocks.iter().map(one_block).collect();
    each.join(between)
}

fn one_block(block: &WrittenBlock) -> String {
    if block.except.len() <= BLOCKS {
        return block.to_string();
    }
    let shown = WrittenBlock {
        except: block.except[..3].to_vec(),
        ..block.clone()
    };
    format!("{shown} and {} more", block.except.len() - 3)
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
