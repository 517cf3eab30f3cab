//! Who passes and who does not, in an answer that is partly yes: the replicas, the addresses and
//! the ports of each part.

use crate::model::PodId;
use crate::query::ask::parts::{Fate, Part, PartMembers};
use crate::query::{Pair, Verdict};
use crate::render::text::many::wrapped;
use crate::render::text::writer::TextWriter;
use crate::render::words;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// How many parts are printed; JSON has them all.
const PARTS: usize = 12;

/// Labels that only say again which pod it is.
const OWN: [&str; 4] = [
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "controller-revision-hash",
    "pod-template-hash",
];

impl TextWriter<'_> {
    /// The parts of a pair, one a line: `yes  db-0  db-1`.
    pub(crate) fn parts(&self, pair: &Pair, out: &mut dyn Write) -> io::Result<()> {
        for part in pair.parts.iter().take(PARTS) {
            let lines = wrapped(
                self.who(pair, part),
                &ports(&part.fate),
                self.width.saturating_sub(14),
            );
            for (i, line) in lines.iter().enumerate() {
                let word = if i == 0 { part.fate.verdict.word() } else { "" };
                writeln!(out, "     {word:<8} {line}")?;
            }
        }
        match pair.parts.len().saturating_sub(PARTS) {
            0 => Ok(()),
            more => writeln!(out, "     and {more} more; -o json has them all"),
        }
    }

    /// The same on one line, for an answer about several pairs.
    pub(crate) fn parts_in_short(&self, pair: &Pair) -> String {
        let each = pair.parts.iter().take(3).map(|part| {
            let who = self.who(pair, part).join(", ");
            let told = format!("{}: {who} {}", part.fate.verdict.word(), ports(&part.fate));
            told.trim_end().to_owned()
        });
        let more = pair.parts.len().saturating_sub(3);
        let more = (more > 0).then(|| format!("and {more} more"));
        each.chain(more).collect::<Vec<_>>().join("; ")
    }

    /// The members of a part: of the end whose members fare differently, or of both.
    fn who(&self, pair: &Pair, part: &Part) -> Vec<String> {
        let parts = &pair.parts;
        let of_sources: Vec<&PartMembers> = parts.iter().map(|p| &p.sources).collect();
        let of_destinations: Vec<&PartMembers> = parts.iter().map(|p| &p.destinations).collect();
        let alike = |all: &[&PartMembers]| all.windows(2).all(|two| two[0] == two[1]);
        let sources = || self.members(&part.sources, &of_sources);
        let destinations = || self.members(&part.destinations, &of_destinations);
        match (alike(&of_sources), alike(&of_destinations)) {
            (true, _) => destinations(),
            (_, true) => sources(),
            _ => vec![format!(
                "{} -> {}",
                sources().join(", "),
                destinations().join(", ")
            )],
        }
    }

    /// The names of some members; a label that tells the pods from all others is added.
    fn members(&self, members: &PartMembers, all: &[&PartMembers]) -> Vec<String> {
        let pods = match members {
            PartMembers::Addresses(set) => return vec![words::addresses(set)],
            PartMembers::Pods(pods) => pods,
        };
        let name = |pod: &PodId| words::clean(&self.cluster().pod(*pod).name).into_owned();
        let mut names: Vec<String> = pods.iter().map(name).collect();
        if let (Some(label), Some(last)) = (self.telling(pods, all), names.last_mut()) {
            last.push_str(&format!(" ({label})"));
        }
        names
    }

    /// A label that these pods have in common and no other member has.
    fn telling(&self, pods: &[PodId], all: &[&PartMembers]) -> Option<String> {
        let cluster = self.cluster();
        let own: BTreeSet<&PodId> = pods.iter().collect();
        let others: Vec<PodId> = all
            .iter()
            .filter_map(|members| match members {
                PartMembers::Pods(pods) => Some(pods),
                PartMembers::Addresses(_) => None,
            })
            .flatten()
            .filter(|pod| !own.contains(pod))
            .copied()
            .collect();
        let has =
            |pod: &PodId, key: &str, value: &str| cluster.pod_labels(*pod).get(key) == Some(value);
        let labels = cluster.pod_labels(*pods.first()?).iter();
        let mut telling = labels.filter(|(key, value)| {
            !OWN.contains(key)
                && crate::policy::validate::is_label_value(value)
                && pods.iter().all(|pod| has(pod, key, value))
                && !others.iter().any(|pod| has(pod, key, value))
        });
        let (key, value) = telling.next().filter(|_| !others.is_empty())?;
        Some(format!("{}={}", words::clean(key), words::clean(value)))
    }
}

/// What passes of what was asked, where only some of it does.
fn ports(fate: &Fate) -> String {
    if fate.verdict != Verdict::Partly {
        return String::new();
    }
    let told = [
        ("allowed", &fate.allowed),
        ("unknown", &fate.unknown),
        ("blocked", &fate.blocked),
    ];
    let told = told.iter().filter(|(_, set)| !set.is_empty());
    let told: Vec<String> = told
        .map(|(word, set)| format!("{word} {}", words::traffic(set)))
        .collect();
    told.join(", ")
}
