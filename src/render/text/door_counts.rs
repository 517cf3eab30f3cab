//! How many doors open and close, in words.

use crate::diff::{Diff, Kind};
use crate::words::plural;

/// `2 doors open, 1 closes`, with a comma in front; nothing where none changes.
pub fn counted(diff: &Diff) -> String {
    let count = |kinds: &[Kind]| {
        let doors = diff.doors.iter();
        doors.filter(|change| kinds.contains(&change.kind)).count()
    };
    let all = [
        (count(&[Kind::Widened]), "opens", "open"),
        (count(&[Kind::Narrowed]), "closes", "close"),
        (
            count(&[Kind::MayWiden, Kind::MayNarrow, Kind::Undecided]),
            "undecided",
            "undecided",
        ),
    ];
    let some = all.into_iter().filter(|(count, ..)| *count > 0);
    let parts = some.map(|(count, one, many)| {
        format!(
            ", {} {}",
            plural(count, "door"),
            if count == 1 { one } else { many }
        )
    });
    parts.collect()
}
