//! The lines about pods that are not in the input: `pods app=x in namespace y -> data/database TCP
//! 5432 (potential)`, one for each part of the other end.

use crate::query::list::potential_rows::PotentialLine;
use crate::snapshot::words::{addresses, words};

/// How the lines end.
const END: &str = " (potential)";

/// Whether a line is about pods that are not in the input.
pub(crate) fn is_about(line: &str) -> bool {
    line.ends_with(END)
}

/// The lines of a row.
pub(crate) fn lines(row: &PotentialLine) -> Vec<String> {
    let numbers = (!row.traffic.is_empty()).then(|| words(&row.traffic));
    let parts = numbers.into_iter().chain(row.port_names.iter().cloned());
    let traffic = parts.fold(String::new(), |so_far, part| so_far + " " + &part);
    let unknown = if row.certain { "" } else { "unknown " };
    let mut found = Vec::new();
    for source in row.source.parts(addresses) {
        for destination in row.destination.parts(addresses) {
            found.push(format!("{unknown}{source} -> {destination}{traffic}{END}"));
        }
    }
    found
}
