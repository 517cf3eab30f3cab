//! Comma-separated values, one line a fact. The crate quotes; a cell that a spreadsheet would run
//! as a formula is disarmed by a leading quote.

use crate::query::list::listing;
use crate::query::list::listing::{Filter, Party};
use crate::render::context::RenderContext;
use crate::render::words;
use crate::set::TrafficSet;
use std::io::{self, Write};

/// A cell no spreadsheet executes.
pub fn cell(text: &str) -> String {
    let text = words::clean_sentence(text);
    if text != "-" && text.starts_with(['=', '+', '-', '@', '\t']) {
        format!("'{text}")
    } else {
        text.into_owned()
    }
}

/// Writes rows of cells.
///
/// # Errors
/// When the writer fails.
pub fn rows<I: IntoIterator<Item = Vec<String>>>(rows: I, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(out);
    for row in rows {
        writer
            .write_record(row.iter().map(|c| cell(c)))
            .map_err(plain)?;
    }
    writer.flush()
}

/// The table of `list`, written as it is found.
///
/// # Errors
/// When the writer fails.
pub fn listing(context: RenderContext<'_>, filter: &Filter, out: &mut dyn Write) -> io::Result<()> {
    let cluster = &context.input.cluster;
    let party = |p: &Party| match p {
        Party::Workload(w) => cluster.workload_name(*w),
        Party::Addresses(set) => words::addresses(set),
    };
    let mut writer = csv::Writer::from_writer(out);
    let mut result = writer.write_record(["from", "to", "ports", "unknown", "some_pods"]);
    listing::each(context.graph, filter, &mut |entry| {
        let (sure, unknown) = (&entry.allowed.must, &entry.allowed.unknown());
        let ends = [party(&entry.source), party(&entry.destination)];
        let cells =
            ends.into_iter()
                .chain([traffic(sure), traffic(unknown), entry.differs.to_string()]);
        result = writer.write_record(cells.map(|c| cell(&c)));
        crate::render::format::going(&result)
    });
    result.map_err(plain)?;
    writer.flush()
}

fn traffic(set: &TrafficSet) -> String {
    if set.is_empty() {
        String::new()
    } else {
        words::traffic(set)
    }
}

/// The system's own error, so that a closed pipe can be distinguished from a failure.
fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
