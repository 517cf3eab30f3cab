//! Doors that open or close between two sides: one line each.

use crate::diff::{Diff, DoorChange};
use crate::doors::DoorStatus;
use crate::render::context::Style;
use crate::render::data::doors::{policy_names, target, used};
use crate::render::text::diff_context::DiffContext;
use crate::render::text::diff_section::{SectionHead, section};
use crate::render::words;
use crate::source::Location;
use std::io::{self, Write};

/// The section of a text.
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
    let head = SectionHead {
        word: "DOORS",
        about: "ways in from the internet: netpal doors lists them",
        more: "more door",
    };
    let lines = diff.doors.iter().map(|change| {
        let place = place(pages, change).map_or_else(String::new, |l| {
            format!("  {}", words::clean(&l.to_string()))
        });
        let line = format!("{}{place}", sentence(pages, change));
        (change.kind, line)
    });
    section(&head, lines, style, shown, out)
}

/// The place of the door.
pub fn place(pages: DiffContext<'_>, change: &DoorChange) -> Option<Location> {
    let context = pages.context(change.which);
    context.locator.locate(&change.line.door.origin)
}

/// `Ingress shop/web shop.example/ -> shop/web:8080/TCP is open, was closed by shop/web`.
pub fn sentence(pages: DiffContext<'_>, change: &DoorChange) -> String {
    let context = pages.context(change.which);
    let (door, line) = (&change.line.door, &change.line);
    let to = match line.target.traffic() {
        Some(traffic) => format!("{}:{traffic}", target(context, line)),
        None => line.service.as_deref().unwrap_or("-").to_owned(),
    };
    let used = used(line);
    let by = policy_names(context, line);
    let text = format!("{} {used} -> {to} {}", door.title(), becomes(change, &by));
    words::clean_sentence(&text).into_owned()
}

/// What it was and is.
fn becomes(change: &DoorChange, by: &str) -> String {
    let partly = change.line.passage.reason.is_some();
    let word = |status: DoorStatus| match status {
        DoorStatus::Open if partly => "open in part",
        other => other.word(),
    };
    let was = change.before.map_or("not there", word);
    match change.after {
        Some(DoorStatus::ClosedByPolicy) => format!("is closed by {by}, was {was}"),
        Some(is) => format!("is {}, was {was}", word(is)),
        None => format!("is gone, was {was}"),
    }
}
