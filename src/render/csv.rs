//! Comma-separated values, one line a fact. The crate quotes; a cell that a spreadsheet would run as a formula is
//! disarmed by a leading quote.

use super::{Book, words};
use crate::query::list::{Listing, Party};
use std::io::{self, Write};

/// A cell no spreadsheet executes.
pub fn cell(text: &str) -> String {
    let text = words::clean(text);
    if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text.into_owned() }
}

/// Writes rows of cells.
///
/// # Errors
/// When the writer fails.
pub fn rows<I: IntoIterator<Item = Vec<String>>>(rows: I, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(out);
    for row in rows {
        writer.write_record(row.iter().map(|c| cell(c)))?;
    }
    writer.flush()
}

/// The table of `list`.
///
/// # Errors
/// When the writer fails.
pub fn listing(book: Book<'_>, listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
    let cluster = &book.input.cluster;
    let party = |p: &Party| match p {
        Party::Workload(w) => cluster.workload_name(*w),
        Party::Addresses(set) => words::addresses(set),
    };
    let head = ["from", "to", "ports", "unknown", "some_pods"].map(String::from).to_vec();
    let body = listing.entries.iter().map(|e| {
        let traffic = |set: &crate::set::TrafficSet| if set.is_empty() { String::new() } else { words::traffic(set) };
        let some = if e.differs { "true" } else { "false" };
        vec![
            party(&e.source),
            party(&e.destination),
            traffic(&e.allowed.sure),
            traffic(&e.allowed.unknown),
            some.into(),
        ]
    });
    rows(std::iter::once(head).chain(body), out)
}
