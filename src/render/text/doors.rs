//! The table of doors: who comes in from outside, by which door, and what closes it.

use crate::doors::{DoorKind, DoorLine, DoorList, DoorReason, DoorStatus};
use crate::policy::Policy;
use crate::query::Verdict;
use crate::query::ask::entrance::{Entrance, EntranceGround};
use crate::render::data::doors::{target, used};
use crate::render::text::table::columns;
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::source::Origin;
use crate::words::plural;
use std::io::{self, Write};

impl TextWriter<'_> {
    /// The table of doors.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn doors(&self, list: &DoorList, out: &mut dyn Write) -> io::Result<()> {
        let rows: Vec<[String; 5]> = list.lines.iter().map(|line| self.door(line)).collect();
        if rows.is_empty() {
            let none = if list.unread.is_empty() {
                "no door: nothing in the input leads in from outside"
            } else {
                "no door is known, but not everything that may be one is read"
            };
            writeln!(out, "{none}")?;
        } else {
            let head = ["DOOR", "CALLERS USE", "LEADS TO", "STATUS", "AT"];
            write!(out, "{}", columns(head, &rows, self.style))?;
            writeln!(out)?;
            writeln!(out, "{}", counted(list))?;
        }
        self.door_remarks(list, out)
    }

    pub(crate) fn door(&self, line: &DoorLine) -> [String; 5] {
        let door = &line.door;
        let to = match (line.target.traffic(), &line.service) {
            (Some(traffic), _) => format!("{}:{traffic}", target(self.context, line)),
            (None, Some(service)) => format!("Service {service}"),
            (None, None) => "-".into(),
        };
        let class = door
            .class
            .as_ref()
            .filter(|_| door.kind != DoorKind::Unread);
        let class = class.map_or_else(String::new, |class| format!(" ({class})"));
        let name = format!("{}{class}", door.title());
        let cells = [name, used(line), to];
        let [name, used, to] = cells.map(|cell| words::clean(&cell).into_owned());
        [name, used, to, self.status(line), self.place(&door.origin)]
    }

    /// The status, and what makes it so: the policies with their places, or a sentence.
    fn status(&self, line: &DoorLine) -> String {
        let policies = &self.context.graph.environment().policies;
        let closing = line.passage.policies.first().map(|id| {
            let place = self.place(&Origin::document(policies.get(*id).document));
            let names = line.passage.policies.iter();
            let names = names.map(|id| named(policies.get(*id)));
            let names = names.collect::<Vec<String>>().join(", ");
            words::clean(&format!("{names} {place}"))
                .trim_end()
                .to_owned()
        });
        let word = line.passage.status.word();
        let reason = line.passage.reason.map(DoorReason::sentence);
        let said = match (line.passage.status, closing, reason) {
            (DoorStatus::ClosedByPolicy, Some(by), _) => format!("closed by {by}"),
            (DoorStatus::Open, Some(by), _) => format!("open in part: {by}"),
            (DoorStatus::Open, None, Some(reason)) => format!("open in part: {reason}"),
            (_, _, Some(reason)) => format!("{word}: {reason}"),
            (_, _, None) => word.to_owned(),
        };
        match line.own_doors {
            Some(own) => format!("{said}, {}", own.sentence()),
            None => said,
        }
    }

    /// Whether the internet comes in by a door; `ends` are the ends of the question, as they were
    /// asked.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn entrance(
        &self,
        entrance: &Entrance,
        ends: [&str; 2],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let [from, to] = ends.map(words::clean);
        let verdict = self.verdict(entrance.verdict);
        writeln!(out, "{verdict} {from} -> {to}   {}", said(entrance))?;
        let rows = entrance.lines.iter().map(|line| self.door(line));
        for [name, used, to, status, place] in rows {
            writeln!(out, "     {name}  {used} -> {to}  {status}   {place}")?;
        }
        self.unread_doors(&entrance.unread, out)
    }

    pub(crate) fn unread_doors(
        &self,
        unread: &[(Box<str>, usize)],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if unread.is_empty() {
            return Ok(());
        }
        let kinds = unread.iter();
        let kinds: Vec<String> = kinds
            .map(|(kind, count)| plural(*count, &words::clean(kind)))
            .collect();
        let is_one = unread.iter().map(|(_, count)| count).sum::<usize>() == 1;
        let verb = if is_one { "is" } else { "are" };
        let note = format!(
            "there may be more doors: {} {verb} not read",
            kinds.join(", ")
        );
        let note = self.style.dim(&note);
        writeln!(out, "{note}")
    }

    pub(crate) fn door_remarks(&self, list: &DoorList, out: &mut dyn Write) -> io::Result<()> {
        if !list.assumed.is_empty() {
            let names = list.assumed.join(", ");
            writeln!(
                out,
                "not in the input, and assumed as their default install has them: {names}"
            )?;
        }
        self.unread_doors(&list.unread, out)
    }
}

/// A policy by its name; with its kind, where that is not the usual one.
fn named(policy: &Policy) -> String {
    let kind = match policy.shape.kind {
        "NetworkPolicy" => "",
        kind => kind,
    };
    let namespace = policy.namespace.as_deref();
    let namespace = namespace.map_or_else(String::new, |name| format!("{name}/"));
    format!("{kind} {namespace}{}", policy.name)
        .trim_start()
        .to_owned()
}

/// How many ways in there are of each status.
fn counted(list: &DoorList) -> String {
    let all = [
        (DoorStatus::Open, "open"),
        (DoorStatus::Unknown, "unknown"),
        (DoorStatus::ClosedByPolicy, "closed by policy"),
        (DoorStatus::NoBackend, "without a backend"),
        (DoorStatus::Refused, "refused"),
        (DoorStatus::Internal, "internal"),
    ];
    let count = |status| {
        let lines = list.lines.iter();
        lines.filter(|line| line.passage.status == status).count()
    };
    let counts = all
        .into_iter()
        .map(|(status, words)| (count(status), words));
    let counts: Vec<String> = counts
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    format!(
        "{}: {}",
        plural(list.lines.len(), "way in").replace("way ins", "ways in"),
        counts.join(", ")
    )
}

/// What an entrance comes to, in words.
fn said(entrance: &Entrance) -> &'static str {
    match (entrance.ground, entrance.by_policy) {
        (EntranceGround::Open, _) => "by a door that is open",
        (EntranceGround::Closed, _) => "a door leads there, and policies close it",
        (EntranceGround::Unknown, _) => "the input does not decide whether a door is open",
        (EntranceGround::NoDoor, Verdict::Yes) => {
            "no door leads there from the internet; policies would let it in"
        }
        (EntranceGround::NoDoor, Verdict::Partly) => {
            "no door leads there from the internet; policies would let it in in part"
        }
        (EntranceGround::NoDoor, Verdict::Unknown) => {
            "no door leads there from the internet; whether policies would let it in is not known"
        }
        (EntranceGround::NoDoor, Verdict::No) => "no door leads there from the internet",
    }
}
