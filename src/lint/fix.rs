//! Fixes: symbolic edits become changed texts. Everything that an edit does not touch stays byte
//! for byte, comments included.
//!
//! Phases of [`apply`]: each edit is looked up in its tree and becomes the replacement of a byte
//! range ([`replacements`]); a fix whose ranges overlap those of an earlier one is left for the
//! next run; the replacements are made from the end of the text ([`replace_all`]). Whether a fix is
//! right is not decided here: the caller loads the result, compiles it and checks that the finding
//! is gone. An edit that cannot be made without touching more than its own lines (flow style,
//! anchors, JSON) is refused. Cost: O(findings + length of the changed files).

use crate::finding::{Finding, Fix, TreeEdit};
use crate::lint::context::LintContext;
use crate::source::{FileId, Origin, Span, Step};
use crate::tree::{SyntaxNode, Value};
use std::collections::BTreeMap;
use std::ops::Range;

/// A replacement in a file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Replacement {
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

/// The result of applying fixes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The changed files, in order.
    pub files: Vec<Changed>,
    /// The findings that were fixed, by index.
    pub fixed: Vec<usize>,
}

/// Applies the fixes of findings, except those that overlap an earlier one.
pub fn apply(context: &LintContext<'_>, findings: &[Finding]) -> Applied {
    let mut taken: BTreeMap<FileId, Vec<Replacement>> = BTreeMap::new();
    let mut fixed = Vec::new();
    for (i, finding) in findings.iter().enumerate() {
        let Some(changes) = finding
            .fix
            .as_ref()
            .and_then(|fix| replacements(context, fix))
        else {
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
            text: replace_all(&text, changes),
        })
    });
    Applied {
        files: files.collect(),
        fixed,
    }
}

/// Makes the replacements in a text, from its end.
fn replace_all(text: &str, mut changes: Vec<Replacement>) -> String {
    changes.sort_by_key(|c| std::cmp::Reverse(c.range.start));
    let mut text = text.to_owned();
    for change in changes {
        if text.get(change.range.clone()).is_some() {
            text.replace_range(change.range, &change.text);
        }
    }
    text
}

/// The replacements of a fix; `None` when one of its edits cannot be made.
fn replacements(context: &LintContext<'_>, fix: &Fix) -> Option<Vec<(FileId, Replacement)>> {
    let mut all = Vec::new();
    for edit in &fix.edits {
        let (file, change) = replacement(context, edit)?;
        all.push((file, change));
    }
    Some(all)
}

/// The place of an edit: the file, the lines around the place, and the key (or the item) and the
/// value with their positions in those lines.
struct EditSite<'f> {
    file: FileId,
    text: &'f str,
    key: Span,
    value: SyntaxNode,
}

/// The replacement that makes an edit, computed from the lines around its place.
fn replacement(context: &LintContext<'_>, edit: &TreeEdit) -> Option<(FileId, Replacement)> {
    let (TreeEdit::JoinPrevious(origin)
    | TreeEdit::Replace(origin, _)
    | TreeEdit::Rename(origin, _)
    | TreeEdit::Append(origin, _)
    | TreeEdit::Insert(origin, _, _)
    | TreeEdit::Remove(origin)) = edit;
    let (file, mut key) = context.locator.span(origin)?;
    let mut value = context
        .locator
        .node(origin.document)?
        .at(&origin.path)?
        .clone();
    let range = key.start.min(value.span.start)..value.span.end.max(key.end);
    let around = context
        .input
        .sources
        .file(file)?
        .text
        .excerpt(range, 1, 1)?;
    let start = around.start;
    (key.start, key.end) = (key.start - start, key.end - start);
    value.place_from(start);
    let (file, change) = replacement_at(
        EditSite {
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
        Replacement {
            range: change.range.start + start..change.range.end + start,
            text: change.text,
        },
    ))
}

/// The replacement that makes an edit, with its range in the lines around the place.
fn replacement_at(
    site: EditSite<'_>,
    origin: &Origin,
    edit: &TreeEdit,
) -> Option<(FileId, Replacement)> {
    match edit {
        TreeEdit::JoinPrevious(_) => join(&site),
        TreeEdit::Replace(_, value) => {
            let scalar = !matches!(site.value.value, Value::Mapping(_) | Value::Sequence(_));
            let range = site.value.span.start..site.value.span.end;
            (scalar && !range.is_empty()).then(|| {
                (
                    site.file,
                    Replacement {
                        range,
                        text: value.to_string(),
                    },
                )
            })
        }
        TreeEdit::Rename(_, key) => {
            let range = site.key.start..site.key.end;
            matches!(origin.path.0.last(), Some(Step::Key(_))).then(|| {
                (
                    site.file,
                    Replacement {
                        range,
                        text: key.to_string(),
                    },
                )
            })
        }
        TreeEdit::Append(_, item) => append(&site, item),
        TreeEdit::Insert(_, key, value) => insert(&site, key, value),
        TreeEdit::Remove(_) => {
            let (start, end) = (
                line_start(site.text, site.value.span.start),
                line_end(site.text, site.value.span.end),
            );
            is_dash(site.text, site.value.span.start).then(|| {
                let range = start..(end + 1).min(site.text.len());
                (
                    site.file,
                    Replacement {
                        range,
                        text: String::new(),
                    },
                )
            })
        }
    }
}

fn line_start(text: &str, offset: usize) -> usize {
    text.get(..offset)
        .and_then(|t| t.rfind('\n'))
        .map_or(0, |i| i + 1)
}

fn line_end(text: &str, offset: usize) -> usize {
    text.get(offset..)
        .and_then(|t| t.find('\n'))
        .map_or(text.len(), |i| offset + i)
}

/// Whether a dash is all that precedes this on its line.
fn is_dash(text: &str, offset: usize) -> bool {
    let before = text
        .get(line_start(text, offset)..offset)
        .unwrap_or_default();
    before.trim() == "-"
}

/// Removes the dash of a list item, so that the item continues the previous one.
fn join(site: &EditSite<'_>) -> Option<(FileId, Replacement)> {
    let start = site.value.span.start;
    let block = matches!(site.value.value, Value::Mapping(_)) && is_dash(site.text, start);
    let dash = line_start(site.text, start)
        + site
            .text
            .get(line_start(site.text, start)..start)?
            .find('-')?;
    block.then(|| {
        (
            site.file,
            Replacement {
                range: dash..dash + 1,
                text: " ".into(),
            },
        )
    })
}

/// The end of a value, without the blanks and comments that follow it.
fn end_of(text: &str, node: &SyntaxNode) -> usize {
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

fn is_flow(text: &str, node: &SyntaxNode) -> bool {
    text.get(node.span.start..)
        .is_some_and(|t| t.starts_with(['[', '{']))
}

/// Adds an item to a list, in the style of the list.
fn append(site: &EditSite<'_>, item: &str) -> Option<(FileId, Replacement)> {
    let Value::Sequence(items) = &site.value.value else {
        return None;
    };
    if is_flow(site.text, &site.value) {
        let text = site.text.get(site.value.span.start..site.value.span.end)?;
        let close = site.value.span.start + text.rfind(']')?;
        let text = if items.is_empty() {
            item.to_owned()
        } else {
            format!(", {item}")
        };
        return Some((
            site.file,
            Replacement {
                range: close..close,
                text,
            },
        ));
    }
    let last = items.last()?;
    let indent = site
        .text
        .get(line_start(site.text, last.span.start)..last.span.start)?;
    if !is_dash(site.text, last.span.start) {
        return None;
    }
    let end = line_end(site.text, end_of(site.text, last));
    Some((
        site.file,
        Replacement {
            range: end..end,
            text: format!("\n{indent}{item}"),
        },
    ))
}

/// Adds a key to a block mapping, after its last entry.
fn insert(site: &EditSite<'_>, key: &str, value: &str) -> Option<(FileId, Replacement)> {
    let entries = site.value.entries();
    let first = entries.first()?;
    if is_flow(site.text, &site.value) {
        let close = site.value.span.start
            + site
                .text
                .get(site.value.span.start..site.value.span.end)?
                .rfind('}')?;
        return Some((
            site.file,
            Replacement {
                range: close..close,
                text: format!(", {key}: {value}"),
            },
        ));
    }
    let indent = site
        .text
        .get(line_start(site.text, first.key_span.start)..first.key_span.start)?;
    if !indent.trim().is_empty() {
        return None;
    }
    let end = line_end(site.text, end_of(site.text, &site.value));
    Some((
        site.file,
        Replacement {
            range: end..end,
            text: format!("\n{indent}{key}: {value}"),
        },
    ))
}
