//! Chokepoints as text: a shortest path, what every path leads through, and the smallest cut.

use crate::check::critical::Critical;
use crate::check::rule_cut::RuleCut;
use crate::model::WorkloadId;
use crate::query::reach::door_ends::DoorEnds;
use crate::render::search_views::CriticalView;
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::words::plural;
use std::io::{self, Write};

impl TextWriter<'_> {
    /// The chokepoints between two ends.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn critical(&self, view: &CriticalView<'_>, out: &mut dyn Write) -> io::Result<()> {
        let critical = view.critical;
        let Some(path) = &critical.path else {
            self.no_path(view.ends, out)?;
            return self.starts(view.doors, out);
        };
        self.path(view.door(), path, critical.certain, view.ends[0], out)?;
        self.starts(view.doors, out)?;
        self.workload_cut(critical, out)?;
        view.rules.map_or(Ok(()), |rules| self.rule_cut(rules, out))
    }

    /// Where ways start, if that is at doors, and what else may let somebody in.
    fn starts(&self, doors: Option<&DoorEnds>, out: &mut dyn Write) -> io::Result<()> {
        let Some(doors) = doors else {
            return Ok(());
        };
        let count = doors.open.len() + doors.maybe.len();
        let said = match count {
            0 => "doors        none that is open: netpal doors tells why".to_owned(),
            1 => {
                "doors        ways start at the one that is open or may be: netpal doors".to_owned()
            }
            _ => format!(
                "doors        ways start at the {count} that are open or may be: netpal doors"
            ),
        };
        writeln!(out, "{said}")?;
        self.beside_doors(doors, out)
    }

    /// The fewest rules without which nothing leads there.
    fn rule_cut(&self, cut: &RuleCut, out: &mut dyn Write) -> io::Result<()> {
        let rules = match cut {
            RuleCut::Rules(rules) => rules,
            RuleCut::RestsOnNone => {
                let none = "rules        none: a way rests on no rule, since nothing governs it or what does is not known";
                return writeln!(out, "{none}");
            }
            RuleCut::TooMany => {
                return writeln!(
                    out,
                    "rules        not found: too many sets would have to be tried"
                );
            }
        };
        let count = plural(rules.len(), "rule");
        writeln!(
            out,
            "rules        without {count} no way is left, and with any fewer taken away there is one:"
        )?;
        for at in rules {
            let rule = words::rule(self.context.graph, *at);
            writeln!(out, "             {rule}   {}", self.rule_place(*at))?;
        }
        Ok(())
    }

    /// The chokepoints and the fewest workloads.
    fn workload_cut(&self, critical: &Critical, out: &mut dyn Write) -> io::Result<()> {
        let Some(cut) = &critical.cut else {
            let direct = "chokepoints  none: a way leads there directly, through no other workload";
            return writeln!(out, "{direct}");
        };
        if critical.chokepoints.is_empty() {
            writeln!(out, "chokepoints  none: no workload is part of every way")?;
        } else {
            let names = self.closed(&critical.chokepoints);
            writeln!(out, "chokepoints  {names}: every way leads through each")?;
        }
        writeln!(
            out,
            "cut          {}: nothing smaller separates them",
            self.closed(cut)
        )?;
        if critical.closing.is_empty() {
            let edit = "no policy of its own closes it: the rules that govern it have to be edited";
            return self.paragraph("", edit, out);
        }
        for (at, change) in critical.closing.iter().enumerate() {
            let lead = if at == 0 {
                "to close it, add"
            } else {
                "and add"
            };
            self.paragraph("", &format!("{lead} {}:", self.target(change)), out)?;
            for line in self.addition(change) {
                writeln!(out, "      {}", self.style.paint("32", &line))?;
            }
        }
        let tried = "netpal has tried it: no way is left. What else it closes, netpal plan tells";
        self.paragraph("", tried, out)
    }

    pub(super) fn closed(&self, workloads: &[WorkloadId]) -> String {
        let cluster = &self.context.input.cluster;
        let names = workloads.iter().map(|one| cluster.workload_name(*one));
        let names: Vec<String> = names.map(|name| words::clean(&name).into_owned()).collect();
        names.join(", ")
    }
}
