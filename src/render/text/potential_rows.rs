//! The rows of a list about pods that are not in the input.

use crate::policy::Direction;
use crate::query::list::potential_rows::{LineEnd, PotentialLine};
use crate::render::answers::ListingView;
use crate::render::text::writer::TextWriter;
use crate::render::words;
use indexmap::IndexMap;
use std::io::{self, Write};

/// How many ends of one line are named.
const NAMES: usize = 6;

impl TextWriter<'_> {
    /// The table, and below it what pods that are not in the input may send and receive.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn whole_listing(&self, view: &ListingView<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.listing(view.filter, view.from, view.to, out)?;
        let Some(potential) = view.potential else {
            return Ok(());
        };
        let lines = potential.lines(self.cluster());
        if !lines.is_empty() {
            writeln!(
                out,
                "\nabout pods that are not in the input, as the rules are written (--world closed leaves them out):"
            )?;
        }
        let mut alike: IndexMap<(Direction, String, String), Vec<String>> = IndexMap::new();
        for line in &lines {
            let (governed, peers) = ends(line);
            let traffic = words::potential_traffic(&line.traffic, &line.port_names);
            let traffic = format!("{traffic}{}", if line.certain { "" } else { " ?" });
            let key = (line.direction, few(&words::line_end(peers)), traffic);
            alike
                .entry(key)
                .or_default()
                .extend(words::line_end(governed));
        }
        for ((direction, peers, traffic), governed) in &alike {
            let here = few(governed);
            let line = match direction {
                Direction::Ingress => format!("  {peers} -> {here}  {traffic}"),
                Direction::Egress => format!("  {here} -> {peers}  {traffic}"),
            };
            writeln!(out, "{}", line.trim_end())?;
        }
        if potential.incomplete {
            writeln!(
                out,
                "\nmore kinds of pods that are not in the input may exist than are listed"
            )?;
        }
        Ok(())
    }
}

/// The governed end and the other one.
fn ends(line: &PotentialLine) -> (&LineEnd, &LineEnd) {
    match line.direction {
        Direction::Ingress => (&line.destination, &line.source),
        Direction::Egress => (&line.source, &line.destination),
    }
}

fn few(parts: &[String]) -> String {
    let shown = parts.iter().take(NAMES);
    let mut shown: Vec<String> = shown.map(|part| words::clean(part).into_owned()).collect();
    let more = parts.len().saturating_sub(NAMES);
    shown.extend((more > 0).then(|| format!("{more} more")));
    shown.join("; ")
}
