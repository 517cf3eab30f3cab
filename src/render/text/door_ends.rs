//! The doors at the ends of `reach` and `who`: where the internet comes in.

use crate::doors::{DoorLine, DoorStatus};
use crate::query::reach::door_ends::DoorEnds;
use crate::query::reach::tree::Reach;
use crate::render::text::tree::{Branch, Strokes, Tone, draw};
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::words::plural;
use std::io::{self, Write};

impl TextWriter<'_> {
    /// A search from the internet that starts at doors.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn starting_at_doors(
        &self,
        reach: &Reach,
        root: &str,
        doors: &DoorEnds,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let root = words::clean(root);
        if doors.open.is_empty() {
            writeln!(out, "{root}   no door is surely open")?;
        } else {
            let lines = doors.open.iter().map(|(line, _)| self.door_branch(line));
            let head = Branch::new(format!("{root}   comes in by:")).with(lines.collect());
            draw(&[head], &self.frame("", "", Strokes::WIDE), out)?;
        }
        if !reach.stops.is_empty() {
            let open = doors.open.len();
            let head = format!(
                "from what is behind {}:",
                if open == 1 { "it" } else { "these" }
            );
            self.tree(reach, &head, out)?;
        }
        let behind = doors.workloads(self.cluster()).len();
        let further = reach.found.len();
        let mut said = format!("{} behind doors", plural(behind, "workload"));
        if further > 0 {
            said = format!(
                "{said}; {further} more of {} can be reached from there",
                reach.others
            );
        }
        self.wrapped(&said, out)?;
        if !reach.unknown.is_empty() {
            let names = self.closed(&reach.unknown);
            self.wrapped(&format!("perhaps reached from there: {names}"), out)?;
        }
        self.unknown_outside(reach, out)?;
        self.other_doors(doors, out)
    }

    /// The doors that lead to what `who` was asked about.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn doors_to(&self, doors: &DoorEnds, out: &mut dyn Write) -> io::Result<()> {
        if !doors.open.is_empty() {
            writeln!(out, "\nthe internet comes here by:")?;
            let branch = |(line, hops): &(DoorLine, u32)| {
                let branch = self.door_branch(line);
                let note = format!("{}   {}", plural(*hops as usize, "hop"), branch.note);
                branch.note(note, Tone::Plain)
            };
            let lines: Vec<Branch> = doors.open.iter().map(branch).collect();
            draw(&lines, &self.frame("  ", "  ", Strokes::WIDE), out)?;
        }
        self.other_doors(doors, out)
    }

    fn other_doors(&self, doors: &DoorEnds, out: &mut dyn Write) -> io::Result<()> {
        if !doors.maybe.is_empty() {
            writeln!(out, "perhaps also by:")?;
            let lines: Vec<Branch> = doors
                .maybe
                .iter()
                .map(|(line, _)| self.door_branch(line))
                .collect();
            draw(&lines, &self.frame("  ", "  ", Strokes::WIDE), out)?;
        }
        self.beside_doors(doors, out)
    }

    /// What policies would let in without a door, and doors that are not read.
    pub(crate) fn beside_doors(&self, doors: &DoorEnds, out: &mut dyn Write) -> io::Result<()> {
        if !doors.admitted.is_empty() {
            let list = self.list(&doors.admitted);
            let said =
                format!("policies would let it reach these too, and no door leads there: {list}");
            self.wrapped(&said, out)?;
        }
        self.unread_doors(&doors.unread, out)
    }

    /// A path's first hop: by a door.
    pub(crate) fn through_door(&self, line: &DoorLine) -> Branch {
        let branch = self.door_branch(line);
        let text = format!("internet by {}", branch.text);
        Branch { text, ..branch }
    }

    fn door_branch(&self, line: &DoorLine) -> Branch {
        let [name, used, to, status, place] = self.door(line);
        let mut note = place;
        let is_plain = line.passage.reason.is_none() && line.own_doors.is_none();
        if line.passage.status != DoorStatus::Open || !is_plain {
            note = format!("{status}   {note}");
        }
        Branch::new(format!("{name}  {used} -> {to}")).note(note, Tone::Plain)
    }
}
