//! A diff for people: the risk first, one line per edit, however many pairs it opens.
//!
//! Widened paths are attack surface, narrowed ones breakage; neither is ever painted green. A line
//! names the traffic, the edit behind it and its place; pairs that share all of that share the
//! line.

use crate::diff::NoEffectEdit;
use crate::diff::{Block, Cause, Change, Diff, Edit, Kind, MaskedChange, OneSided, Which};
use crate::render::context::Style;
use crate::render::text::diff_context::{
    DiffContext, GROUPS, breaks, by_edit, colour, sign, summary,
};
use crate::render::text::{call_changes, door_changes, potential};
use crate::render::words;
use crate::words::plural;
use std::io::{self, Write};

const HEADS: [(Kind, &str, &str); 5] = [
    (Kind::Widened, "WIDENED", "new paths (attack surface)"),
    (
        Kind::Narrowed,
        "NARROWED",
        "paths that go away (breakage risk)",
    ),
    (
        Kind::MayWiden,
        "MAY WIDEN",
        "the input does not tell for certain",
    ),
    (
        Kind::MayNarrow,
        "MAY NARROW",
        "the input does not tell for certain",
    ),
    (
        Kind::Undecided,
        "UNDECIDED",
        "unknown on both sides, and edited",
    ),
];

/// Writes a diff. `shown` changes of each kind are printed.
///
/// # Errors
/// When the writer fails.
pub fn text(
    pages: DiffContext<'_>,
    diff: &Diff,
    style: Style,
    shown: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let label = if pages.label.is_empty() {
        String::new()
    } else {
        format!(" {}", words::clean(pages.label))
    };
    writeln!(out, "Connectivity changes{label}: {}", summary(diff))?;
    not_enforced(pages, diff, out)?;
    let heads = HEADS
        .iter()
        .filter(|h| diff.of(h.0).next().is_some())
        .count()
        > 1;
    for (kind, word, meaning) in HEADS {
        if diff.of(kind).next().is_none() {
            continue;
        }
        if heads {
            writeln!(out, "\n{}  {meaning}", style.paint(colour(kind), word))?;
        }
        lines(pages, diff, kind, style, shown, out)?;
    }
    door_changes::text(pages, diff, style, shown, out)?;
    potential::text(pages, diff, style, shown, out)?;
    call_changes::text(pages, diff, style, shown, out)?;
    let whole = pages.remarks.broken.iter().filter(|b| b.change.is_none());
    whole
        .map(breaks)
        .try_for_each(|line| writeln!(out, "{line}"))?;
    lone(pages, &diff.added, "ADDED", "+", Which::After, style, out)?;
    lone(
        pages,
        &diff.removed,
        "REMOVED",
        "-",
        Which::Before,
        style,
        out,
    )?;
    inert(pages, diff, out)?;
    diff.latent
        .iter()
        .take(5)
        .try_for_each(|l| writeln!(out, "{}", latent(pages, l)))
}

/// Changes of one kind, one line an edit.
fn lines(
    pages: DiffContext<'_>,
    diff: &Diff,
    kind: Kind,
    style: Style,
    shown: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let edits = by_edit(diff, kind);
    let of = |list: &[usize]| list.iter().map(|i| &diff.changes[*i]).collect::<Vec<_>>();
    let cells: Vec<[String; 4]> = edits
        .iter()
        .take(shown)
        .map(|(c, list)| cells(pages, c, &of(list)))
        .collect();
    let (ends, traffic, cause) = (
        column_width(&cells, 0),
        column_width(&cells, 1),
        column_width(&cells, 2),
    );
    for (row, list) in cells.iter().zip(edits.values()) {
        let line = format!(
            "{:<ends$}  {:<traffic$}  {:<cause$}  {}",
            row[0], row[1], row[2], row[3]
        );
        writeln!(
            out,
            "  {} {}",
            style.paint(colour(kind), sign(kind)),
            line.trim_end()
        )?;
        details(pages, &of(list), out)?;
        pages
            .remarks(list)
            .iter()
            .try_for_each(|remark| writeln!(out, "      {remark}"))?;
    }
    if edits.len() > shown {
        writeln!(
            out,
            "  and {} (all of them: -v)",
            plural(edits.len() - shown, "more edit")
        )?;
    }
    Ok(())
}

/// The width of a column, cells that are too long left aside.
fn column_width(cells: &[[String; 4]], i: usize) -> usize {
    cells
        .iter()
        .map(|c| c[i].chars().count())
        .filter(|n| *n <= 60)
        .max()
        .unwrap_or(0)
}

/// The pairs of an edit that has more than one group of them.
fn details(pages: DiffContext<'_>, changes: &[&Change], out: &mut dyn Write) -> io::Result<()> {
    let groups: Vec<(&Change, &Block)> = changes
        .iter()
        .flat_map(|c| c.blocks.iter().map(move |b| (*c, b)))
        .collect();
    if groups.len() < 2 {
        return Ok(());
    }
    for (change, block) in groups.iter().take(GROUPS) {
        writeln!(
            out,
            "      {}  {}",
            pages.block(block),
            words::traffic(&change.traffic)
        )?;
    }
    if groups.len() > GROUPS {
        writeln!(
            out,
            "      and {} (all of them: -o json)",
            plural(groups.len() - GROUPS, "more group")
        )?;
    }
    Ok(())
}

/// The ends, the traffic, the edit and the place of one edit's changes.
pub fn cells(pages: DiffContext<'_>, cause: &Cause, changes: &[&Change]) -> [String; 4] {
    let pairs: u64 = changes.iter().map(|c| c.pairs).sum();
    let (ends, traffic) = match changes {
        [one] => match one.blocks.as_slice() {
            [block] if pairs == 1 => (pages.block(block), words::traffic(&one.traffic)),
            [block] => (
                format!("{pairs} pairs: {}", pages.block(block)),
                words::traffic(&one.traffic),
            ),
            _ => (format!("{pairs} pairs"), words::traffic(&one.traffic)),
        },
        _ => (format!("{pairs} pairs"), String::new()),
    };
    let place = pages
        .place(cause)
        .map(|l| words::clean(&l.to_string()).into_owned());
    [ends, traffic, pages.cause(cause), place.unwrap_or_default()]
}

fn lone(
    pages: DiffContext<'_>,
    list: &[OneSided],
    word: &str,
    sign: &str,
    which: Which,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{}  workloads only this side has; their paths are not counted above",
        style.paint("1", word)
    )?;
    for one in list.iter().take(20) {
        writeln!(
            out,
            "  {sign} {}  {}",
            pages.workload(which, one.workload),
            openness(one)
        )?;
    }
    if list.len() > 20 {
        writeln!(out, "  and {} more (all of them: -o json)", list.len() - 20)?;
    }
    Ok(())
}

/// How open a workload is that only one side has.
pub fn openness(lone: &OneSided) -> &'static str {
    match (lone.open_in, lone.open_out, lone.connected) {
        (true, true, _) => "accepts from anyone and may go anywhere: no policy selects it",
        (true, false, _) => "accepts from anyone: no policy selects it for ingress",
        (false, true, _) => "may go anywhere: no policy selects it for egress",
        (false, false, true) => "policies govern it in both directions",
        (false, false, false) => "nothing passes to it or from it",
    }
}

/// The policies that the network plugin of the after side does not read, and the one of the before
/// side does: what a migration does not carry over.
fn not_enforced(pages: DiffContext<'_>, diff: &Diff, out: &mut dyn Write) -> io::Result<()> {
    let left = diff.edits.iter().filter(|e| e.edit == Edit::Unenforced);
    let names: Vec<String> = left
        .filter_map(|edit| Some(words::policy(pages.after.graph, edit.after?)))
        .collect();
    some_of("not enforced by the network plugin after", &names, out)
}

fn inert(pages: DiffContext<'_>, diff: &Diff, out: &mut dyn Write) -> io::Result<()> {
    for (may_matter, head) in [
        (true, "not compared in full"),
        (false, "not changed although the files did"),
    ] {
        let names = diff.inert.iter().filter(|e| e.may_matter == may_matter);
        let names: Vec<String> = names
            .filter_map(|e| edit_without_effect(pages, diff, e))
            .collect();
        some_of(head, &names, out)?;
    }
    Ok(())
}

/// A line with the first names of a list; nothing where it is empty.
fn some_of(head: &str, names: &[String], out: &mut dyn Write) -> io::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let shown = names
        .iter()
        .take(8)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    let more = if names.len() > 8 {
        format!(" and {} more", names.len() - 8)
    } else {
        String::new()
    };
    writeln!(out, "\n{head}: {shown}{more}")
}

fn edit_without_effect(
    pages: DiffContext<'_>,
    diff: &Diff,
    found: &NoEffectEdit,
) -> Option<String> {
    let edit = &diff.edits[found.edit];
    if edit.edit == Edit::Unenforced && !found.may_matter {
        return None; // it is told with all that are not
    }
    let (which, id) = edit
        .after
        .map(|id| (Which::After, id))
        .or(edit.before.map(|id| (Which::Before, id)))?;
    let name = words::policy(pages.context(which).graph, id);
    let why = match (found.text_only, edit.edit) {
        (true, _) => "text only",
        (false, Edit::Changed) if found.may_matter => "rules changed, no effect found",
        (false, Edit::Added) if found.may_matter => "added, no effect found",
        (false, Edit::Removed) if found.may_matter => "removed, no effect found",
        (false, Edit::Added) => "added, no effect",
        (false, Edit::Removed) => "removed, no effect",
        (false, Edit::Changed) => "rules changed, same effect",
        (false, Edit::ReadOtherwise(_)) => "read otherwise, no effect",
        (false, Edit::Enforced) => "now enforced, no effect",
        (false, Edit::Unenforced) => "no longer enforced, no effect",
    };
    Some(format!("{name} ({why})"))
}

/// `(also: data/database no longer admits shop/cart; no effect today, shop/cart-egress blocks it
/// anyway)`.
pub fn latent(pages: DiffContext<'_>, latent: &MaskedChange) -> String {
    let verb = if latent.kind == Kind::Widened {
        "now admits"
    } else {
        "no longer admits"
    };
    let explanation = crate::query::explain(pages.after.graph, &latent.example);
    let blockers: Vec<String> = explanation
        .egress
        .isolated_by
        .iter()
        .take(2)
        .map(|p| words::policy(pages.after.graph, *p))
        .collect();
    let because = match (blockers.as_slice(), explanation.egress.allowed.possible()) {
        ([], _) | (_, true) => String::new(),
        _ if latent.sources.len() > 1 => ", their own egress policies block it anyway".into(),
        (names, false) => format!(", {} blocks it anyway", names.join(" and ")),
    };
    let (to, from) = (
        pages.party(&latent.destination),
        pages.parties(&latent.sources),
    );
    format!("(also: {to} {verb} {from}; no effect today{because})")
}
