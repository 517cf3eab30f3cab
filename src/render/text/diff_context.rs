//! What the formats of a diff share: where names of either side are looked up, and the words for
//! edits, ends and what follows from a change.

use crate::check::Status;
use crate::check::breaks::Broken;
use crate::diff::{Assumption, Block, Cause, Diff, DiffParty, Edit, Kind, Side, Use, What, Which};
use crate::model::WorkloadId;
use crate::render::context::RenderContext;
use crate::render::text::door_counts;
use crate::render::words;
use crate::source::Location;
use crate::words::plural;

/// How many groups of pairs are listed under an edit.
pub(crate) const GROUPS: usize = 4;

/// What a diff is printed with: the contexts of both sides.
#[derive(Clone, Copy)]
pub struct DiffContext<'a> {
    /// The before side.
    pub before: RenderContext<'a>,
    /// The after side.
    pub after: RenderContext<'a>,
    /// What the two sides are called, such as `main..HEAD`; nothing if empty.
    pub label: &'a str,
    /// What follows from the changes.
    pub remarks: &'a Remarks,
}

/// What follows from the changes of a diff.
#[derive(Debug, Clone, Default)]
pub struct Remarks {
    /// Tests that held and no longer do.
    pub broken: Vec<Broken>,
    /// Declared uses of paths that close.
    pub uses: Vec<Use>,
}

impl<'a> DiffContext<'a> {
    /// The context of a side.
    pub fn context(&self, which: Which) -> RenderContext<'a> {
        if which == Which::Before {
            self.before
        } else {
            self.after
        }
    }

    /// The place of a cause.
    pub fn place(&self, cause: &Cause) -> Option<Location> {
        let context = self.context(cause.side);
        context.locator.locate(&cause.origin(Side {
            input: context.input,
            graph: context.graph,
        })?)
    }

    /// An end of a change.
    pub fn party(&self, party: &DiffParty) -> String {
        match party {
            DiffParty::Workload(_, after) => self.workload(Which::After, *after),
            DiffParty::Addresses(set) => words::addresses(set),
        }
    }

    /// A workload of a side.
    pub fn workload(&self, which: Which, id: WorkloadId) -> String {
        words::clean(&self.context(which).input.cluster.workload_name(id)).into_owned()
    }

    /// The edit behind a change, in words.
    pub fn cause(&self, cause: &Cause) -> String {
        let context = self.context(cause.side);
        let how = match cause.how {
            Edit::ReadOtherwise(assumption) => assumption_words(assumption),
            how => edit_word(how),
        };
        match cause.what {
            What::Rule(at) if matches!(cause.how, Edit::ReadOtherwise(_)) => {
                format!("{}: {how}", words::rule(context.graph, at))
            }
            What::Rule(at) => format!("{} {how}", words::rule(context.graph, at)),
            What::Policy(id) if cause.how == Edit::Changed => {
                format!(
                    "{} {} {how}",
                    words::policy(context.graph, id),
                    self.aspect(cause)
                )
            }
            What::Policy(id) => format!("{} {how}", words::policy(context.graph, id)),
            What::Workload(id) => format!("pods of {} {how}", self.workload(cause.side, id)),
            What::Namespace(id) => {
                format!(
                    "labels of namespace {} {how}",
                    words::clean(&context.input.cluster.namespace(id).name)
                )
            }
            What::Unmodelled(taint) => {
                let policies = &context.graph.environment().policies;
                let what = policies
                    .taints
                    .get(taint)
                    .map(|t| format!("{} {}", words::clean(&t.what), t.reason.words()));
                what.unwrap_or_default()
            }
            What::Options(assumption) => assumption_words(assumption).into(),
            What::Other => "another object changed".into(),
        }
    }

    /// What of a policy changed as a whole.
    fn aspect(&self, cause: &Cause) -> &'static str {
        let What::Policy(id) = cause.what else {
            return "";
        };
        let policies = &self.context(cause.side).graph.environment().policies;
        let others = &self
            .context(if cause.side == Which::After {
                Which::Before
            } else {
                Which::After
            })
            .graph
            .environment()
            .policies;
        let own = policies.get(id);
        let other = others
            .iter()
            .map(|(_, p)| p)
            .find(|p| p.full_name() == own.full_name() && p.shape.kind == own.shape.kind);
        match other {
            Some(other) if other.subject != own.subject => "subject",
            Some(other) if other.isolates != own.isolates => "policyTypes",
            Some(other) if other.priority != own.priority => "priority",
            _ => "rules",
        }
    }

    /// Several ends in few words.
    pub fn parties(&self, parties: &[DiffParty]) -> String {
        if parties.len() <= 3 {
            return parties
                .iter()
                .map(|p| self.party(p))
                .collect::<Vec<_>>()
                .join(", ");
        }
        let workloads: Vec<WorkloadId> = parties
            .iter()
            .filter_map(|p| {
                if let DiffParty::Workload(_, a) = p {
                    Some(*a)
                } else {
                    None
                }
            })
            .collect();
        let cluster = &self.after.input.cluster;
        let namespaces: std::collections::BTreeSet<_> = workloads
            .iter()
            .map(|w| cluster.workload(*w).namespace)
            .collect();
        let count = plural(workloads.len(), "workload");
        let mut text = match namespaces.iter().collect::<Vec<_>>().as_slice() {
            [one] => format!(
                "{count} in {}",
                words::clean(&cluster.namespace(**one).name)
            ),
            many => format!("{count} in {}", plural(many.len(), "namespace")),
        };
        for set in parties.iter().filter_map(|p| {
            if let DiffParty::Addresses(s) = p {
                Some(s)
            } else {
                None
            }
        }) {
            text = format!("{text} and {}", words::addresses(set));
        }
        text
    }

    /// The first uses of closing paths that manifests declare, in words.
    pub fn declared_uses(&self) -> Vec<String> {
        let uses = self.remarks.uses.iter().take(GROUPS);
        uses.map(|used| self.declared(used)).collect()
    }

    /// What follows from some of the changes: tests they break, uses that are declared.
    pub fn remarks(&self, changes: &[usize]) -> Vec<String> {
        let broken = self
            .remarks
            .broken
            .iter()
            .filter(|b| b.change.is_some_and(|c| changes.contains(&c)));
        let mut lines: Vec<String> = broken.map(breaks).collect();
        let uses: Vec<&Use> = self
            .remarks
            .uses
            .iter()
            .filter(|u| changes.contains(&u.change))
            .collect();
        lines.extend(uses.iter().take(GROUPS).map(|u| self.declared(u)));
        if uses.len() > GROUPS {
            lines.push(format!(
                "and {}",
                plural(uses.len() - GROUPS, "more declared use")
            ));
        }
        lines
    }

    fn declared(&self, found: &Use) -> String {
        let (variable, host) = (words::clean(&found.variable), words::clean(&found.host));
        format!(
            "declared use: env {variable} in {} mentions {host}",
            self.workload(Which::After, found.workload)
        )
    }

    /// `from -> to` of a block.
    pub fn block(&self, block: &Block) -> String {
        format!(
            "{} -> {}",
            self.parties(&block.sources),
            self.parties(&block.destinations)
        )
    }
}

/// `breaks test "nothing in dev talks to data"   policy-tests/shop.yaml:8`.
pub fn breaks(broken: &Broken) -> String {
    let what = if broken.status == Status::Undecided {
        "leaves undecided"
    } else {
        "breaks"
    };
    format!("{what} {}", named(broken))
}

/// The same about something that is only suggested: `break test ...`.
pub fn would_break(broken: &Broken) -> String {
    let what = if broken.status == Status::Undecided {
        "leave undecided"
    } else {
        "break"
    };
    format!("{what} {}", named(broken))
}

fn named(broken: &Broken) -> String {
    format!(
        "test \"{}\"   {}",
        words::clean(&broken.test),
        words::clean(&broken.at.to_string())
    )
}

/// The changes of one kind, each edit with what it makes: indices among the changes of the diff.
pub fn by_edit(diff: &Diff, kind: Kind) -> indexmap::IndexMap<Cause, Vec<usize>> {
    let mut edits: indexmap::IndexMap<Cause, Vec<usize>> = indexmap::IndexMap::new();
    for (index, change) in diff
        .changes
        .iter()
        .enumerate()
        .filter(|(_, c)| c.kind == kind)
    {
        edits.entry(change.cause).or_default().push(index);
    }
    edits
}

/// What the two sides assume otherwise, as it is after.
fn assumption_words(assumption: Assumption) -> &'static str {
    match assumption {
        Assumption::BlocksMatchPods(true) => "address blocks match pods and nodes too",
        Assumption::BlocksMatchPods(false) => "address blocks match no pod and no node",
        Assumption::OwnNode(true) => "traffic to the own node is exempt",
        Assumption::OwnNode(false) => "traffic to the own node is policed",
        Assumption::HostNetwork => "pods on the host's network are taken otherwise",
        Assumption::OwnService(true) => "a pod reaches itself through its own Service",
        Assumption::OwnService(false) => "a pod's call to itself through its Service is policed",
        Assumption::Plugin => "the network plugin decides otherwise",
        Assumption::Several => "other assumptions",
    }
}

/// The word for what happened to something.
pub fn edit_word(edit: Edit) -> &'static str {
    match edit {
        Edit::Added => "added",
        Edit::Removed => "removed",
        Edit::Changed => "changed",
        Edit::Enforced => "enforced",
        Edit::Unenforced => "not enforced",
        Edit::ReadOtherwise(_) => "read otherwise",
    }
}

/// The sign of a kind of change.
pub fn sign(kind: Kind) -> &'static str {
    match kind {
        Kind::Widened => "+",
        Kind::Narrowed => "-",
        Kind::MayWiden => "+?",
        Kind::MayNarrow => "-?",
        Kind::Undecided => "?",
    }
}

/// Red where it opens, yellow where it closes or is not known: green would say that nothing is to
/// be looked at.
pub fn colour(kind: Kind) -> &'static str {
    match kind {
        Kind::Widened | Kind::MayWiden => "1;31",
        Kind::Narrowed | Kind::MayNarrow => "1;33",
        Kind::Undecided => "1;35",
    }
}

/// `3 widened, 1 narrowed; 41 unchanged`.
pub fn summary(diff: &Diff) -> String {
    let mut text = format!(
        "{} widened, {} narrowed",
        diff.pairs(Kind::Widened),
        diff.pairs(Kind::Narrowed)
    );
    let may =
        diff.pairs(Kind::MayWiden) + diff.pairs(Kind::MayNarrow) + diff.pairs(Kind::Undecided);
    if may > 0 {
        text = format!("{text}, {may} undecided");
    }
    if !(diff.added.is_empty() && diff.removed.is_empty()) {
        text = format!(
            "{text}, {} added, {} removed",
            plural(diff.added.len(), "workload"),
            diff.removed.len()
        );
    }
    format!(
        "{text}; {} unchanged{}",
        diff.unchanged.count(),
        counted(diff)
    )
}

/// `, 1 door opens, 2 changes for pods not in the input` in a count of changes.
pub fn counted(diff: &Diff) -> String {
    let potential = &diff.potential;
    let calls = match diff.calls.len() {
        0 => String::new(),
        n => format!(", {} for calls of Services", plural(n, "change")),
    };
    let doors = door_counts::counted(diff) + &calls;
    match (potential.changes.len(), potential.incomplete) {
        (0, false) => doors,
        (0, true) => format!("{doors}, pods not in the input not all compared"),
        (n, _) => format!("{doors}, {} for pods not in the input", plural(n, "change")),
    }
}
