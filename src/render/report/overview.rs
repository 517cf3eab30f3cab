//! What a state shows, in words: the first screen of the report, the same in every form of it.

use crate::model::WorkloadId;
use crate::query::overview::Overview;
use crate::render::report::audit::AuditReport;
use crate::render::words;
use crate::words::plural;
use std::collections::BTreeSet;

/// How an answer is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// Something is open that a reviewer will ask about.
    Open,
    /// It is not known for certain.
    Unknown,
    /// Neither.
    Calm,
}

impl Concern {
    /// As it is printed before an answer.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unknown => "unknown",
            Self::Calm => "as closed as policies can tell",
        }
    }

    /// As style sheets have it.
    pub fn class(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unknown => "unknown",
            Self::Calm => "calm",
        }
    }
}

/// A question with its answer.
pub struct Statement {
    /// The question.
    pub question: &'static str,
    /// The answer, a sentence or two.
    pub answer: String,
    /// How it is to be taken.
    pub concern: Concern,
    /// The section of the report that has the evidence.
    pub section: &'static str,
}

/// The questions that a review starts with, answered.
pub fn statements(report: &AuditReport<'_>) -> Vec<Statement> {
    let words = Words {
        report,
        overview: &report.parts.overview,
    };
    vec![
        words.entered(),
        words.behind(),
        words.stores(),
        words.leaving(),
        words.isolated(),
        words.unknown(),
    ]
}

struct Words<'a> {
    report: &'a AuditReport<'a>,
    overview: &'a Overview,
}

impl Words<'_> {
    fn entered(&self) -> Statement {
        let seen = self.overview;
        let through: Vec<String> = seen
            .entered
            .iter()
            .map(|(workload, doors)| {
                let doors: Vec<String> = doors
                    .iter()
                    .map(|door| words::clean(door).into_owned())
                    .collect();
                format!(
                    "{} through {}",
                    self.name(*workload),
                    few(&doors, 2, doors.len())
                )
            })
            .collect();
        let mut answer = match (seen.has_doors, through.len()) {
            (false, _) => "No Ingress, Gateway or Service for outside is in the input.".to_owned(),
            (true, 0) => "No door surely leads to a workload.".to_owned(),
            (true, n) => format!("{}: {}.", plural(n, "workload"), few(&through, 4, n)),
        };
        if !seen.perhaps_entered.is_empty() {
            let names = self.names(&seen.perhaps_entered);
            answer += &format!(" It is not told whether a door is open to {names}.");
        }
        if !seen.admitted.is_empty() {
            let names = self.names(&seen.admitted);
            let count = plural(seen.admitted.len(), "workload");
            answer += &format!(" Policies would let it reach {count} without a door: {names}.");
        }
        let is_open = !seen.entered.is_empty() || !seen.admitted.is_empty();
        Statement {
            question: "What does the internet reach, and by which door?",
            answer,
            concern: concern(is_open, !seen.perhaps_entered.is_empty()),
            section: "doors",
        }
    }

    fn behind(&self) -> Statement {
        let spread = &self.overview.behind;
        let start = match (spread.others, self.overview.has_doors) {
            (0, _) => "The internet comes to no workload, so nothing is at its edge.".to_owned(),
            (_, true) => "From the workloads that doors lead to, or may lead to,".to_owned(),
            (_, false) => "From the workloads that policies leave open to it".to_owned(),
        };
        let stores = self.overview.stores.iter().map(|(id, _)| *id);
        let stores: Vec<WorkloadId> = stores.filter(|id| spread.found.contains(id)).collect();
        let mut answer = start;
        if spread.others > 0 {
            let (found, others) = (spread.found.len(), spread.others);
            answer += &format!(
                " a connection gets on to {found} of {others} others, in any number of hops"
            );
            if spread.unknown > 0 {
                answer += &format!(", and perhaps to {} more", spread.unknown);
            }
            answer += ".";
            if !stores.is_empty() {
                answer += &format!(" Data stores among them: {}.", self.names(&stores));
            }
        }
        Statement {
            question: "What does a workload at the edge reach, once it is taken over?",
            answer,
            concern: concern(!spread.found.is_empty(), spread.unknown > 0),
            section: "map",
        }
    }

    fn stores(&self) -> Statement {
        let stores = &self.overview.stores;
        let each: Vec<String> = stores
            .iter()
            .filter_map(|(store, sources)| {
                let sources = sources.as_ref()?;
                let by = match sources.workloads.len() {
                    0 => "nobody for certain".to_owned(),
                    _ => self.names(&sources.workloads),
                };
                let perhaps = match sources.unknown {
                    0 => String::new(),
                    n => format!(", and perhaps {n} more"),
                };
                Some(format!("{} by {by}{perhaps}", self.name(*store)))
            })
            .collect();
        let unknown = stores
            .iter()
            .any(|(_, s)| s.as_ref().is_some_and(|s| s.unknown > 0));
        let is_open = stores
            .iter()
            .any(|(_, s)| s.as_ref().is_some_and(|s| !s.workloads.is_empty()));
        let answer = match stores.len() {
            0 => "No workload looks like a data store by its name or port.".to_owned(),
            n => format!("{}: {}.", plural(n, "data store"), few(&each, 4, n)),
        };
        Statement {
            question: "Who reaches the data stores?",
            answer,
            concern: concern(is_open, unknown),
            section: "matrix",
        }
    }

    fn leaving(&self) -> Statement {
        let seen = self.overview;
        let [perhaps_leaving, perhaps_to_metadata] = &seen.perhaps_leaving;
        let metadata = self.senders(
            "the metadata service of a cloud (169.254.169.254)",
            &seen.to_metadata,
            perhaps_to_metadata,
        );
        Statement {
            question: "Who may leave, to the internet and to the metadata service?",
            answer: format!(
                "{} {metadata}",
                self.senders("the internet", &seen.leaving, perhaps_leaving)
            ),
            concern: concern(
                !seen.leaving.is_empty() || !seen.to_metadata.is_empty(),
                seen.perhaps_leaving.iter().any(|who| !who.is_empty()),
            ),
            section: "map",
        }
    }

    /// Who gets somewhere, and of whom that is not known.
    fn senders(
        &self,
        what: &str,
        who: &BTreeSet<WorkloadId>,
        perhaps: &BTreeSet<WorkloadId>,
    ) -> String {
        let more = match perhaps.len() {
            0 => String::new(),
            _ => format!(" It is not known of {}.", self.names(perhaps)),
        };
        match who.len() {
            0 => format!("No workload surely gets to {what}.{more}"),
            n => {
                let count = plural(n, "workload");
                format!("{count} to {what}: {}.{more}", self.names(who))
            }
        }
    }

    fn isolated(&self) -> Statement {
        let [both, one, none] = self.overview.isolated;
        let perhaps = self.overview.perhaps_isolated;
        let all = both + one + none + perhaps;
        let untold = match perhaps {
            0 => String::new(),
            n => format!(" Of {n} it is not known."),
        };
        Statement {
            question: "What is isolated?",
            answer: format!(
                "Of {} on the pod network {both} in both directions, {one} in one, {none} in none.{untold}",
                plural(all, "workload")
            ),
            concern: concern(one + none > 0, perhaps > 0),
            section: "findings",
        }
    }

    fn unknown(&self) -> Statement {
        let [on_node, others] = self.overview.unknown;
        let taints = self.report.context.input.policies.taints.len();
        let doors = self.overview.perhaps_entered.len();
        let mut answer = match on_node + others {
            0 if taints + doors > 0 => "Every flow that is listed is decided.".to_owned(),
            0 => "Every flow is decided.".to_owned(),
            1 => "1 flow is not decided, or not on every port.".to_owned(),
            n => format!("{n} flows are not decided, or not on every port."),
        };
        if on_node > 0 {
            answer += &format!(
                " {on_node} with pods on the network of their node: --cni NAME says how the plugin treats them."
            );
        }
        if others > 0 {
            answer += &format!(" {others} for other reasons, which `netpal why` names.");
        }
        if taints > 0 {
            let policies = plural(taints, "policy");
            answer += &format!(" {policies} could not be modelled or read.");
        }
        if doors > 0 {
            let workloads = plural(doors, "workload");
            answer +=
                &format!(" Of the doors to {workloads} it is not told whether they are open.");
        }
        Statement {
            question: "What is not known, and what would settle it?",
            answer,
            concern: concern(false, on_node + others + taints + doors > 0),
            section: "inputs",
        }
    }

    fn name(&self, workload: WorkloadId) -> String {
        let cluster = &self.report.context.input.cluster;
        words::clean(&cluster.workload_name(workload)).into_owned()
    }

    fn names<'w>(&self, workloads: impl IntoIterator<Item = &'w WorkloadId>) -> String {
        let mut names: Vec<String> = workloads.into_iter().map(|w| self.name(*w)).collect();
        names.sort();
        few(&names, 4, names.len())
    }
}

fn concern(is_open: bool, is_unknown: bool) -> Concern {
    match (is_open, is_unknown) {
        (true, _) => Concern::Open,
        (false, true) => Concern::Unknown,
        (false, false) => Concern::Calm,
    }
}

/// The first of some words of which there are so many in all.
fn few(words: &[String], most: usize, all: usize) -> String {
    let shown = words.len().min(most);
    let more = match all - shown {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}{more}", words[..shown].join(", "))
}
