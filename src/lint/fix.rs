//! Fixes: symbolic edits -> changed texts. Everything an edit does not touch stays byte for byte,
//! comments included.
//!
//! Phases of [`apply`]: each edit is looked up in its tree and becomes replacements of byte ranges;
//! a fix whose ranges overlap one already taken is left for the next run; the ranges are put in
//! from the end. Whether a fix is right is not decided here: the caller reads the result, compiles
//! it, and looks whether the finding is gone. An edit that cannot be made without touching more
//! than its own lines (flow style, anchors, JSON) is refused.

use crate::finding::{Edit, Finding, Fix};
use crate::lint::context::LintContext;
use crate::source::{FileId, Origin, Span, Step};
use crate::tree::{Node, Value};
use std::collections::BTreeMap;
use std::ops::Range;

/// A replacement in a file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    range: Range<usize>,
    text: String,
}

/// A file with its changed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The file.
    pub file: FileId,
    /// The whole text after the fixes.
    pub text: String,
}

/// What came of applying fixes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The changed files, in order.
    pub files: Vec<Changed>,
    /// Which findings were fixed, by index.
    pub fixed: Vec<usize>,
}

/// Applies the fixes of findings, as many as do not get in each other's way.
pub fn apply(context: &LintContext<'_>, findings: &[Finding]) -> Applied {
    let mut taken: BTreeMap<FileId, Vec<Change>> = BTreeMap::new();
    let mut fixed = Vec::new();
    for (i, finding) in findings.iter().enumerate() {
        let Some(changes) = finding.fix.as_ref().and_then(|fix| changes(context, fix)) else {
            continue;
        };
        let free = changes.iter().all(|(file, change)| {
            let others = taken.get(file).into_iter().flatten();
            others
                .into_iter()
                .all(|o| o.range.end < change.range.start || change.range.end < o.range.start)
        });
        if free && !changes.is_empty() {
            changes
                .into_iter()
                .for_each(|(file, change)| taken.entry(file).or_default().push(change));
            fixed.push(i);
        }
    }
    let files = taken.into_iter().filter_map(|(file, changes)| {
        let text = context.input.sources.file(file)?.text.whole();
        Some(Changed {
            file,
            text: put_in(&text, changes),
        })
    });
    Applied {
        files: files.collect(),
        fixed,
    }
}

fn put_in(text: &str, mut changes: Vec<Change>) -> String {
    changes.sort_by_key(|c| std::cmp::Reverse(c.range.start));
    let mut text = text.to_owned();
    for change in changes {
        if text.get(change.range.clone()).is_some() {
            text.replace_range(change.range, &change.text);
        }
    }
    text
}

fn changes(context: &LintContext<'_>, fix: &Fix) -> Option<Vec<(FileId, Change)>> {
    let mut all = Vec::new();
    for edit in &fix.edits {
        let (file, change) = change(context, edit)?;
        all.push((file, change));
    }
    Some(all)
}

/// A place in a text: the file, the text around the place, the key (or the item) and the value,
/// both placed in that text.
struct At<'f> {
    file: FileId,
    text: &'f str,
    key: Span,
    value: Node,
}

/// A change of a text, made from the text around the place.
fn change(context: &LintContext<'_>, edit: &Edit) -> Option<(FileId, Change)> {
    let (Edit::JoinPrevious(origin)
    | Edit::Replace(origin, _)
    | Edit::Rename(origin, _)
    | Edit::Append(origin, _)
    | Edit::Insert(origin, _, _)
    | Edit::Remove(origin)) = edit;
    let (file, mut key) = context.locator.span(origin)?;
    let mut value = context
        .locator
        .node(origin.document)?
        .at(&origin.path)?
        .clone();
    let range = key.start.min(value.span.start)..value.span.end.max(key.end);
    let around = context.input.sources.file(file)?.text.around(range, 1, 1)?;
    let start = around.start;
    (key.start, key.end) = (key.start - start, key.end - start);
    value.place_from(start);
    let (file, change) = change_at(
        At {
            file,
            text: &around.text,
            key,
            value,
        },
        origin,
        edit,
    )?;
    Some((
        file,
        Change {
            range: change.range.start + start..change.range.end + start,
            text: change.text,
        },
    ))
}

fn change_at(at: At<'_>, origin: &Origin, edit: &Edit) -> Option<(FileId, Change)> {
    match edit {
        Edit::JoinPrevious(_) => join(&at),
        Edit::Replace(_, value) => {
            let scalar = !matches!(at.value.value, Value::Mapping(_) | Value::Sequence(_));
            let range = at.value.span.start..at.value.span.end;
            (scalar && !range.is_empty()).then(|| {
                (
                    at.file,
                    Change {
                        range,
                        text: value.to_string(),
                    },
                )
            })
        }
        Edit::Rename(_, key) => {
            let range = at.key.start..at.key.end;
            matches!(origin.path.0.last(), Some(Step::Key(_))).then(|| {
                (
                    at.file,
                    Change {
                        range,
                        text: key.to_string(),
                    },
                )
            })
        }
        Edit::Append(_, item) => append(&at, item),
        Edit::Insert(_, key, value) => insert(&at, key, value),
        Edit::Remove(_) => {
            let (start, end) = (
                line_start(at.text, at.value.span.start),
                line_end(at.text, at.value.span.end),
            );
            is_dash(at.text, at.value.span.start).then(|| {
                let range = start..(end + 1).min(at.text.len());
                (
                    at.file,
                    Change {
                        range,
                        text: String::new(),
                    },
                )
            })
        }
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at)
        .and_then(|t| t.rfind('\n'))
        .map_or(0, |i| i + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text.get(at..)
        .and_then(|t| t.find('\n'))
        .map_or(text.len(), |i| at + i)
}

/// Whether only a dash and blanks stand before this on its line.
fn is_dash(text: &str, at: usize) -> bool {
    let before = text.get(line_start(text, at)..at).unwrap_or_default();
    before.trim() == "-"
}

/// Takes the dash of a list item away, so that it goes on the one before.
fn join(at: &At<'_>) -> Option<(FileId, Change)> {
    let start = at.value.span.start;
    let block = matches!(at.value.value, Value::Mapping(_)) && is_dash(at.text, start);
    let dash =
        line_start(at.text, start) + at.text.get(line_start(at.text, start)..start)?.find('-')?;
    block.then(|| {
        (
            at.file,
            Change {
                range: dash..dash + 1,
                text: " ".into(),
            },
        )
    })
}

/// The end of what a value says, without the blanks and comments behind it.
fn end_of(text: &str, node: &Node) -> usize {
    match &node.value {
        Value::Mapping(entries) if !is_flow(text, node) => {
            entries.last().map_or(node.span.end, |e| {
                end_of(text, &e.value).max(e.key_span.end)
            })
        }
        Value::Sequence(items) if !is_flow(text, node) => {
            items.last().map_or(node.span.end, |i| end_of(text, i))
        }
        _ => node.span.end,
    }
}

fn is_flow(text: &str, node: &Node) -> bool {
    text.get(node.span.start..)
        .is_some_and(|t| t.starts_with(['[', '{']))
}

/// Adds an item to a list, in the style of the list.
fn append(at: &At<'_>, item: &str) -> Option<(FileId, Change)> {
    let Value::Sequence(items) = &at.value.value else {
        return None;
    };
    if is_flow(at.text, &at.value) {
        let text = at.text.get(at.value.span.start..at.value.span.end)?;
        let close = at.value.span.start + text.rfind(']')?;
        let text = if items.is_empty() {
            item.to_owned()
        } else {
            format!(", {item}")
        };
        return Some((
            at.file,
            Change {
                range: close..close,
                text,
            },
        ));
    }
    let last = items.last()?;
    let indent = at
        .text
        .get(line_start(at.text, last.span.start)..last.span.start)?;
    if !is_dash(at.text, last.span.start) {
        return None;
    }
    let end = line_end(at.text, end_of(at.text, last));
    Some((
        at.file,
        Change {
            range: end..end,
            text: format!("\n{indent}{item}"),
        },
    ))
}

/// Adds a key to a block mapping, after its last entry.
fn insert(at: &At<'_>, key: &str, value: &str) -> Option<(FileId, Change)> {
    let entries = at.value.entries();
    let first = entries.first()?;
    if is_flow(at.text, &at.value) {
        let close = at.value.span.start
            + at.text
                .get(at.value.span.start..at.value.span.end)?
                .rfind('}')?;
        return Some((
            at.file,
            Change {
                range: close..close,
                text: format!(", {key}: {value}"),
            },
        ));
    }
    let indent = at
        .text
        .get(line_start(at.text, first.key_span.start)..first.key_span.start)?;
    if !indent.trim().is_empty() {
        return None;
    }
    let end = line_end(at.text, end_of(at.text, &at.value));
    Some((
        at.file,
        Change {
            range: end..end,
            text: format!("\n{indent}{key}: {value}"),
        },
    ))
}
