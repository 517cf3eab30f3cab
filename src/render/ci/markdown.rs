//! Markdown for comments on changes: safe to post, and never longer than a comment may be.
//!
//! Every text from a manifest is printed as a code span ([`code`]), in which neither HTML, links
//! nor mentions have a meaning. The hidden marker lets a bot find its own comment and edit it
//! instead of adding one.

use crate::diff::{Change, Diff, Kind, OneSided, Which};
use crate::render::text::call_changes::sentence as sentence_of_call;
use crate::render::text::diff::openness;
use crate::render::text::diff_context::{DiffContext, counted, sign, summary};
use crate::render::text::door_changes;
use crate::render::text::potential::{not_compared, sentence};
use crate::render::words;
use crate::words::plural;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Marks the comment as netpal's own.
pub const MARKER: &str = "<!-- netpal:sticky -->";

/// A comment longer than this is cut: platforms refuse longer ones.
pub const LIMIT: usize = 60_000;

/// A text as a code span that fits into a table cell.
pub fn code(text: &str) -> String {
    let text = words::clean(text).replace('`', "'").replace('|', "\\|");
    if text.is_empty() {
        String::new()
    } else {
        format!("`{text}`")
    }
}

/// A diff as a comment.
///
/// # Errors
/// When the writer fails.
pub fn diff(pages: DiffContext<'_>, diff: &Diff, out: &mut dyn Write) -> io::Result<()> {
    let mut text = format!("### netpal: {}\n", title(diff));
    let rows: Vec<String> = diff.changes.iter().map(|c| row(pages, c)).collect();
    if !rows.is_empty() {
        text.push_str("| | from | to | port | because |\n| --- | --- | --- | --- | --- |\n");
        let budget = LIMIT / 2;
        let mut shown = 0;
        for row in &rows {
            if text.len() + row.len() > budget {
                break;
            }
            text.push_str(row);
            shown += 1;
        }
        if shown < rows.len() {
            let _ = writeln!(
                text,
                "\n{}: see the artifact, or run `netpal diff` yourself.",
                plural(rows.len() - shown, "more change")
            );
        }
    }
    door_rows(pages, diff, &mut text);
    call_rows(pages, diff, &mut text);
    potential_rows(pages, diff, &mut text);
    for (word, list, which) in [
        ("Added", &diff.added, crate::diff::Which::After),
        ("Removed", &diff.removed, crate::diff::Which::Before),
    ] {
        if !list.is_empty() {
            let names: Vec<String> = list
                .iter()
                .take(20)
                .map(|one| one_sided(pages, which, one))
                .collect();
            let more = if list.len() > 20 {
                format!(" and {} more", list.len() - 20)
            } else {
                String::new()
            };
            let _ = writeln!(text, "\n**{word} workloads:** {}{more}", names.join(", "));
        }
    }
    let uses = pages.declared_uses();
    if !uses.is_empty() {
        let uses: Vec<String> = uses.iter().map(|used| code(used)).collect();
        let _ = writeln!(text, "\n**Declared in manifests:** {}", uses.join(", "));
    }
    for broken in &pages.remarks.broken {
        let _ = writeln!(
            text,
            "\n**Breaks:** test {} {}",
            code(&broken.test),
            code(&broken.at.to_string())
        );
        if text.len() > LIMIT - LIMIT / 4 {
            break;
        }
    }
    if let Some(picture) = picture(pages, diff) {
        let _ = write!(
            text,
            "\n<details><summary>Picture of the changed edges</summary>\n\n{picture}\n</details>\n"
        );
    }
    let _ = writeln!(text, "\n<sub>{}</sub>\n{MARKER}", summary(diff));
    out.write_all(text.as_bytes())
}

/// The doors that open or close, in a table of their own.
fn door_rows(pages: DiffContext<'_>, diff: &Diff, text: &mut String) {
    if diff.doors.is_empty() {
        return;
    }
    text.push_str("\n**Doors:**\n\n| | door | at |\n| --- | --- | --- |\n");
    for (i, change) in diff.doors.iter().enumerate() {
        let place = door_changes::place(pages, change).map(|l| code(&l.to_string()));
        let row = format!(
            "| {} | {} | {} |\n",
            sign(change.kind),
            code(&door_changes::sentence(pages, change)),
            place.unwrap_or_default()
        );
        if text.len() + row.len() > LIMIT / 2 {
            let _ = writeln!(text, "\n{}.", plural(diff.doors.len() - i, "more door"));
            return;
        }
        text.push_str(&row);
    }
}

/// Calls of Services that change, in a list of their own.
fn call_rows(pages: DiffContext<'_>, diff: &Diff, text: &mut String) {
    if diff.calls.is_empty() {
        return;
    }
    text.push_str("\n**Calls of Services:**\n\n");
    for (i, change) in diff.calls.iter().enumerate() {
        if text.len() > LIMIT / 2 {
            let _ = writeln!(text, "\n{}.", plural(diff.calls.len() - i, "more call"));
            return;
        }
        let (sign, said) = (sign(change.kind), sentence_of_call(pages.after, change));
        let _ = writeln!(text, "- {} {}", code(sign), code(&said));
    }
}

/// What changes for pods that are not in the input, in a table of its own.
fn potential_rows(pages: DiffContext<'_>, diff: &Diff, text: &mut String) {
    if diff.potential.incomplete {
        let left_out = not_compared(&diff.potential);
        let _ = writeln!(text, "\n**Not all was compared: {left_out}.**");
    }
    let changes = &diff.potential.changes;
    if changes.is_empty() {
        return;
    }
    text.push_str(
        "\n**For pods that are not in the input:**\n\n| | flows | because |\n| --- | --- | --- |\n",
    );
    for (i, change) in changes.iter().enumerate() {
        let place = pages
            .place(&change.cause)
            .map(|l| format!(" {}", code(&l.to_string())));
        let row = format!(
            "| {} | {} | {}{} |\n",
            sign(change.kind),
            code(&sentence(pages, &diff.potential, change)),
            code(&pages.cause(&change.cause)),
            place.unwrap_or_default()
        );
        if text.len() + row.len() > LIMIT / 2 {
            let _ = writeln!(text, "\n{}.", plural(changes.len() - i, "more such change"));
            return;
        }
        text.push_str(&row);
    }
}

fn title(diff: &Diff) -> String {
    if diff.is_empty() {
        return "no connectivity change".into();
    }
    let mut parts = vec![
        format!("{} opened", paths(diff.pairs(Kind::Widened))),
        format!("{} closed", diff.pairs(Kind::Narrowed)),
    ];
    let may =
        diff.pairs(Kind::MayWiden) + diff.pairs(Kind::MayNarrow) + diff.pairs(Kind::Undecided);
    if may > 0 {
        parts.push(format!("{may} undecided"));
    }
    if !(diff.added.is_empty() && diff.removed.is_empty()) {
        parts.push(format!(
            "{} added, {} removed",
            plural(diff.added.len(), "workload"),
            diff.removed.len()
        ));
    }
    parts.join(", ") + &counted(diff)
}

fn paths(n: u64) -> String {
    if n == 1 {
        "1 path".to_owned()
    } else {
        format!("{n} paths")
    }
}

/// A workload that one side lacks, and how open it is.
fn one_sided(pages: DiffContext<'_>, which: Which, one: &OneSided) -> String {
    let name = code(&pages.workload(which, one.workload));
    format!("{name} ({})", openness(one))
}

fn row(pages: DiffContext<'_>, change: &Change) -> String {
    let sign = match change.kind {
        Kind::Widened => "opened (+)",
        Kind::Narrowed => "closed (-)",
        Kind::MayWiden => "may open (?)",
        Kind::MayNarrow => "may close (?)",
        Kind::Undecided => "undecided (?)",
    };
    let ends =
        |pick: fn(&crate::diff::Block) -> &[crate::diff::DiffParty]| match change.blocks.as_slice()
        {
            [one] => code(&pages.parties(pick(one))),
            many => format!("{} groups", many.len()),
        };
    let count = if change.pairs > 1 {
        format!(" ({} pairs)", change.pairs)
    } else {
        String::new()
    };
    let place = pages
        .place(&change.cause)
        .map(|l| format!(" {}", code(&l.to_string())))
        .unwrap_or_default();
    format!(
        "| {sign}{count} | {} | {} | {} | {}{place} |\n",
        ends(|b| &b.sources),
        ends(|b| &b.destinations),
        words::traffic(&change.traffic),
        code(&pages.cause(&change.cause))
    )
}

/// A flowchart of the changed edges, if there are few. Names are numbered, so that none can break
/// the syntax.
fn picture(pages: DiffContext<'_>, diff: &Diff) -> Option<String> {
    let mut nodes: indexmap::IndexSet<String> = indexmap::IndexSet::new();
    let mut edges = Vec::new();
    for change in diff
        .changes
        .iter()
        .filter(|c| matches!(c.kind, Kind::Widened | Kind::Narrowed))
    {
        for block in &change.blocks {
            for (s, d) in block
                .sources
                .iter()
                .flat_map(|s| block.destinations.iter().map(move |d| (s, d)))
            {
                let (from, to) = (
                    nodes.insert_full(pages.party(s)).0,
                    nodes.insert_full(pages.party(d)).0,
                );
                let (arrow, sign) = if change.kind == Kind::Widened {
                    ("==>", "+")
                } else {
                    ("-.->", "-")
                };
                edges.push(format!(
                    "  n{from} {arrow}|\"{sign} {}\"| n{to}",
                    plain(&words::traffic(&change.traffic))
                ));
                if edges.len() > 30 {
                    return None;
                }
            }
        }
    }
    if edges.is_empty() {
        return None;
    }
    let names = nodes
        .iter()
        .enumerate()
        .map(|(i, name)| format!("  n{i}[\"{}\"]", plain(name)));
    let lines: Vec<String> = names.chain(edges).collect();
    Some(format!(
        "```mermaid\nflowchart LR\n{}\n```",
        lines.join("\n")
    ))
}

/// A text without anything that has a meaning in Mermaid or Markdown.
fn plain(text: &str) -> String {
    let safe =
        |c: char| c.is_alphanumeric() || matches!(c, ' ' | '/' | '-' | '.' | ':' | ',' | '(' | ')');
    text.chars()
        .map(|c| if safe(c) { c } else { '_' })
        .collect()
}
