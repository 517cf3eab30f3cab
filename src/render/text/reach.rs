//! `reach` and `who` for people: trees, counts, shortest ways.

use crate::doors::DoorLine;
use crate::model::{Cluster, Truth, WorkloadId};
use crate::query::ask::grammar::Keyword;
use crate::query::explain::explanation::{Reason, explain};
use crate::query::reach::closure::Way;
use crate::query::reach::potential_pod::PotentialPod;
use crate::query::reach::tree::{Hop, Item, Reach, TreeNode};
use crate::render::search_views::{PathView, ReachView};
use crate::render::text::tree::{Branch, Strokes, Tone, draw, wrap};
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::set::TrafficSet;
use crate::spec::Endpoint;
use crate::words::plural;
use std::io::{self, Write};

/// How many names one line holds.
const NAMES: usize = 40;
/// How many lines hang below one.
const LINES: usize = 60;

impl TextWriter<'_> {
    /// The answer of `reach` or `who`; `root` is where the search starts, in words.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn reach(&self, view: &ReachView<'_>, out: &mut dyn Write) -> io::Result<()> {
        let (reach, root) = (view.reach, view.root);
        match (reach.way, view.doors) {
            (Way::Forward, Some(doors)) => self.starting_at_doors(reach, root, doors, out)?,
            (Way::Forward, None) => self.forward(reach, root, out)?,
            (Way::Backward, doors) => {
                self.backward(reach, view.exposure, root, out)?;
                doors.map_or(Ok(()), |doors| self.doors_to(doors, out))?;
            }
        }
        for (to, through) in view.chokepoints.iter().filter(|(_, all)| !all.is_empty()) {
            let from = match reach.way {
                Way::Forward => String::new(),
                Way::Backward => "from outside addresses ".to_owned(),
            };
            let (to, through) = (self.closed(&[*to]), self.closed(through));
            let line = format!("every way {from}to {to} leads through {through}");
            self.wrapped(&line, out)?;
        }
        Ok(())
    }

    fn forward(&self, reach: &Reach, root: &str, out: &mut dyn Write) -> io::Result<()> {
        let what = if reach.from_pods {
            "if this pod is taken over"
        } else {
            "from there"
        };
        let head = format!("{}   {what}:", words::clean(root));
        self.tree(reach, &head, out)?;
        self.wrapped(&self.counts(reach), out)?;
        self.unknown_outside(reach, out)?;
        let stores: Vec<String> = reach
            .stores
            .iter()
            .map(|(w, hops)| self.store(*w, *hops))
            .collect();
        if !stores.is_empty() {
            self.wrapped(&format!("data stores: {}", stores.join(", ")), out)?;
        }
        Ok(())
    }

    fn backward(
        &self,
        reach: &Reach,
        exposure: &[PotentialPod],
        root: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let open = if reach.unrestricted {
            "   open: accepts from anyone"
        } else {
            ""
        };
        self.tree(reach, &format!("{}{open}", words::clean(root)), out)?;
        self.wrapped(&self.counts(reach), out)?;
        self.unknown_outside(reach, out)?;
        self.exposure(exposure, out)
    }

    /// The outside addresses of which it is not told whether anything passes.
    pub(crate) fn unknown_outside(&self, reach: &Reach, out: &mut dyn Write) -> io::Result<()> {
        let whether = match reach.way {
            Way::Forward => "whether these are reached",
            Way::Backward => "whether these get here",
        };
        let unknown = reach.unknown_outside.iter().take(LINES);
        for (addresses, traffic) in unknown {
            let addresses = words::addresses(addresses);
            let on = on(traffic);
            self.wrapped(&format!("unknown {whether}: {addresses}{on}"), out)?;
        }
        Ok(())
    }

    pub(crate) fn tree(&self, reach: &Reach, head: &str, out: &mut dyn Write) -> io::Result<()> {
        let children = self.stops(reach, &reach.stops, true);
        let root = Branch::new(head).with(children);
        draw(&[root], &self.frame("", "", Strokes::WIDE), out)
    }

    pub(crate) fn wrapped(&self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        wrap(text, self.width)
            .iter()
            .try_for_each(|line| writeln!(out, "{line}"))
    }

    fn stops(&self, reach: &Reach, stops: &[TreeNode], first: bool) -> Vec<Branch> {
        let mut lines: Vec<Branch> = stops
            .iter()
            .take(LINES)
            .map(|s| self.stop(reach, s, first))
            .collect();
        if stops.len() > LINES {
            lines.push(Branch::new(format!(
                "and {} more: -o json lists them",
                stops.len() - LINES
            )));
        }
        lines
    }

    fn stop(&self, reach: &Reach, stop: &TreeNode, first: bool) -> Branch {
        let ports = ports(&stop.traffic);
        let text = match (&stop.item, reach.way) {
            (Item::Open(list), _) => {
                let what = if list.len() == 1 {
                    "1 open workload"
                } else {
                    &format!("{} open workloads", list.len())
                };
                format!("{what} (accept from anyone): {}{ports}", self.list(list))
            }
            (Item::Known(k), Way::Backward) => k.word().to_owned(),
            (Item::Known(k), Way::Forward) => self.known(*k, stop),
            (Item::Addresses(set), _) => words::addresses(set),
            (Item::Workloads(list), Way::Forward) => format!("{}{ports}", self.list(list)),
            (Item::Workloads(list), Way::Backward) => self.list(list),
        };
        let (note, tone) = self.note_of(reach, stop, first);
        Branch::new(text)
            .note(note, tone)
            .with(self.stops(reach, &stop.next, false))
    }

    /// The endpoints of a line, without ports.
    pub(crate) fn who_is(&self, item: &Item) -> String {
        match item {
            Item::Workloads(list) => self.list(list),
            Item::Open(list) => {
                format!(
                    "{} that accept from anyone: {}",
                    plural(list.len(), "workload"),
                    self.list(list)
                )
            }
            Item::Known(keyword) => keyword.word().to_owned(),
            Item::Addresses(set) => words::addresses(set),
        }
    }

    fn known(&self, keyword: Keyword, stop: &TreeNode) -> String {
        let ports = words::traffic(&stop.traffic);
        match keyword {
            Keyword::Imds => format!("imds 169.254.169.254  {ports}"),
            other => format!("{}  {ports}", other.word()),
        }
    }

    fn note_of(&self, reach: &Reach, stop: &TreeNode, first: bool) -> (String, Tone) {
        let mut notes: Vec<String> = Vec::new();
        if stop.repeated {
            notes.push("(*)".into());
        }
        match &stop.item {
            Item::Known(Keyword::Internet) if reach.way == Way::Forward && reach.unrestricted => {
                notes.push("its egress is not restricted".into());
            }
            Item::Known(Keyword::Imds) => notes.push("cloud credentials   NP203".into()),
            _ => {}
        }
        if stop.partly {
            notes.push("not all of these addresses".into());
        }
        if let Some(via) = stop.via {
            notes.push(format!("via {}", self.name_of(via)));
        }
        if reach.way == Way::Backward && first && stop.traffic != reach.asked {
            notes.push(format!("on {}", words::traffic(&stop.traffic)));
        }
        if stop.store && !stop.repeated && reach.way == Way::Forward {
            notes.push("data store".into());
        }
        if stop.deaf && !stop.repeated {
            notes.push("nothing listens there today   NP011".into());
        }
        if stop.open
            && reach.way == Way::Backward
            && matches!(&stop.item, Item::Workloads(l) if l.len() == 1)
        {
            notes.push("open: accepts from anyone".into());
        }
        let tone = if stop.repeated {
            Tone::Quiet
        } else {
            Tone::Plain
        };
        (notes.join("   "), tone)
    }

    fn name_of(&self, id: WorkloadId) -> String {
        words::clean(&self.cluster().workload_name(id)).into_owned()
    }

    pub(crate) fn list(&self, list: &[WorkloadId]) -> String {
        let shown: Vec<String> = list.iter().take(NAMES).map(|w| self.name_of(*w)).collect();
        let more = list.len() - shown.len();
        if more > 0 {
            format!("{} and {more} more", shown.join(", "))
        } else {
            shown.join(", ")
        }
    }

    /// `8 of 9 other workloads reachable, 7 directly; 1 unknown (...)`.
    fn counts(&self, reach: &Reach) -> String {
        let direct = reach.found.values().filter(|h| **h == 1).count();
        let (all, others) = (reach.found.len(), plural(reach.others, "other workload"));
        let verb = match reach.way {
            Way::Forward => format!("{all} of {others} reachable"),
            Way::Backward => format!("{all} of {others} can get here"),
        };
        let far = match reach.hops {
            Some(1) => " directly".to_owned(),
            Some(n) => format!(" within {n} hops, {direct} directly"),
            None => format!(", {direct} directly"),
        };
        let unknown = match reach.unknown.as_slice() {
            [] => String::new(),
            list => format!("; {} unknown ({})", list.len(), self.unknown_names(list)),
        };
        let more = if reach.hops == Some(1) {
            "; further: --hops any"
        } else {
            ""
        };
        format!("{verb}{far}{unknown}{more}")
    }

    fn unknown_names(&self, list: &[WorkloadId]) -> String {
        let cluster = self.cluster();
        let (hosts, others): (Vec<WorkloadId>, Vec<WorkloadId>) =
            list.iter().partition(|w| is_on_host_network(cluster, **w));
        let mut parts = Vec::new();
        if !hosts.is_empty() {
            parts.push(format!("{}: hostNetwork", self.list(&hosts)));
        }
        if !others.is_empty() {
            parts.push(self.list(&others));
        }
        parts.join("; ")
    }

    fn store(&self, id: WorkloadId, hops: u32) -> String {
        format!(
            "{} {}",
            words::clean(&self.cluster().workload(id).name),
            plural(hops as usize, "hop")
        )
    }

    /// That there is no path.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn no_path(&self, [from, to]: [&str; 2], out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "no way from {from} to {to}, over any number of hops")
    }

    /// The shortest path that was asked for, and what every path leads through.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn shortest(
        &self,
        view: &PathView<'_>,
        hops: &[Hop],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.path(view.door, hops, view.certain, view.ends[0], out)?;
        if view.chokepoints.is_empty() {
            return Ok(());
        }
        let through = self.closed(view.chokepoints);
        let line =
            format!("every way leads through {through}: netpal critical tells how to close it");
        self.wrapped(&line, out)
    }

    /// A shortest path; `from` is where it starts, as it was asked.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn path(
        &self,
        door: Option<&DoorLine>,
        hops: &[Hop],
        certain: bool,
        from: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let sure = if certain {
            ""
        } else {
            " that may be open, for all that is known"
        };
        let count = hops.len() + usize::from(door.is_some());
        writeln!(out, "path of {}{sure}:", plural(count, "hop"))?;
        let first = door.map(|line| self.through_door(line));
        let lines = first
            .into_iter()
            .chain(hops.iter().map(|h| self.hop(h, from)));
        let lines: Vec<Branch> = lines.collect();
        draw(&lines, &self.frame("  ", "  ", Strokes::WIDE), out)
    }

    fn hop(&self, hop: &Hop, from: &str) -> Branch {
        let end = |end| match end {
            Endpoint::Address(_) => words::clean(from).into_owned(), // one of those asked about
            Endpoint::Pod(_) => words::name_of(self.context, end),
        };
        let explanation = explain(self.context.graph, &hop.flow);
        let port = if hop.traffic.is_all() {
            String::new()
        } else {
            ports(&hop.traffic)
        };
        let text = format!(
            "{} -> {}{port}",
            end(hop.flow.source),
            end(hop.flow.destination)
        );
        let side = &explanation.ingress;
        let because = match (side.decided_by, side.reason) {
            _ if explanation.allowed == Truth::No => "depends on the node".to_owned(),
            _ if explanation.allowed == Truth::Maybe => explanation.reason().code().to_owned(),
            (Some(at), _) => {
                let at = words::shortest(&self.context.graph.environment().policies, at);
                let origin = self
                    .context
                    .graph
                    .environment()
                    .policies
                    .get(at.policy)
                    .origin(at);
                format!(
                    "{}   {}",
                    words::cited(self.context.graph, at),
                    self.place(&origin)
                )
            }
            (None, Reason::AllowDefault) => "open workload: no ingress policy   NP301".to_owned(),
            (None, reason) => reason.code().to_owned(),
        };
        Branch::new(text).note(because, Tone::Plain)
    }

    /// Pods that do not exist yet and would be let in.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn exposure(&self, exposure: &[PotentialPod], out: &mut dyn Write) -> io::Result<()> {
        if exposure.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        self.wrapped(
            "not there yet, but let in by the rules as they are written:",
            out,
        )?;
        let lines: Vec<Branch> = exposure.iter().map(|g| self.potential_pod(g)).collect();
        draw(&lines, &self.frame("  ? ", "    ", Strokes::WIDE), out)
    }

    fn potential_pod(&self, pod: &PotentialPod) -> Branch {
        let Some(at) = pod.because else {
            return Branch::new("any pod of any namespace, and the internet")
                .note("nothing isolates it", Tone::Plain);
        };
        let who = if pod.everyone {
            "any pod of any namespace, and the internet".to_owned()
        } else {
            words::admits(self.context.graph, at)
        };
        let on = on(&pod.traffic);
        let cited = Branch::new(format!("as {} says", words::cited(self.context.graph, at)));
        let cited = Branch {
            tone: Tone::Quiet,
            ..cited
        };
        let today = format!("({} now)", plural(pod.today, "workload"));
        Branch::new(format!("{who}{on}"))
            .note(today, Tone::Plain)
            .with(vec![cited])
    }
}

/// `:5432`, `:53/UDP`, or nothing where everything passes.
fn ports(set: &TrafficSet) -> String {
    if set.is_all() {
        return String::new();
    }
    let text = words::traffic(set);
    let short = text.strip_suffix("/TCP").filter(|t| !t.contains('/'));
    format!(":{}", short.unwrap_or(&text))
}

/// ` on 5432/TCP`, or nothing where everything passes.
fn on(set: &TrafficSet) -> String {
    if set.is_all() {
        return String::new();
    }
    format!(" on {}", words::traffic(set))
}

fn is_on_host_network(cluster: &Cluster, workload: WorkloadId) -> bool {
    cluster
        .workload(workload)
        .pods
        .iter()
        .all(|p| cluster.pod(*p).host_network)
}
