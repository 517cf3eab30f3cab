//! What changes for pods that are not in the input: the same comparison with a pod of every kind
//! laid over both sides ([`crate::potential`]).
//!
//! What changes between loaded workloads is told once, by [`diff`]; here only what goes beyond it.
//! The selectors that matter are those of the edited policies and of policies that decide with
//! them. Where they tell more kinds apart than can be made, some with few labels are compared: what
//! changes for them is told, and that the comparison is incomplete.
//!
//! Soundness (S145): a change is told iff some cluster over the vocabulary has a flow of the
//! change with an end that is not loaded, as far as addresses, families and nodes, which nobody
//! tells of such pods, play no part. Cost: nothing where no policy, namespace or option differs;
//! else a compilation and a comparison of each side with the kinds.

use crate::diff::align::endpoint::DiffParty;
use crate::diff::answer::{Change, Diff};
use crate::diff::before_after::{Side, Which};
use crate::diff::cause::attribution::{Cause, What};
use crate::diff::cause::edits::same_told;
use crate::diff::cause::policy_edits::{Edit, PolicyEdit};
use crate::diff::diff;
use crate::diff::doors::door_changes;
use crate::diff::potential_answer::{PotentialChange, PotentialDiff, PotentialParty};
use crate::diff::unseen::{Unseen, is_of_services, unseen};
use crate::graph::{AllowGraph, CompileError};
use crate::input::Input;
use crate::model::{Labels, WorkloadId};
use crate::policy::networks::labels::POLICED;
use crate::policy::{Direction, Policy, PolicyId, Taint};
use crate::potential::pods::MOST;
use crate::potential::{PodKind, PotentialPods, World};
use crate::set::Ix;
use std::collections::{BTreeMap, BTreeSet};

/// [`diff`], and what changes for pods that are not in the input, as far as a world has them, and
/// which doors open or close.
///
/// # Errors
/// When an input with the kinds of pods that may exist is too large to compile.
pub fn diff_in(before: Side<'_>, after: Side<'_>, world: World) -> Result<Diff, CompileError> {
    diff_of_kinds(before, after, world, MOST)
}

/// [`diff_in`] where more kinds than these are too many to make all; for tests.
#[doc(hidden)]
pub fn diff_of_kinds(
    before: Side<'_>,
    after: Side<'_>,
    world: World,
    most: usize,
) -> Result<Diff, CompileError> {
    let mut found = diff(before, after);
    found.doors = door_changes(before, after)?;
    found.potential = potential(before, after, world, most, &found)?;
    let used: BTreeSet<usize> = found
        .potential
        .changes
        .iter()
        .filter_map(|c| c.cause.edit)
        .collect();
    found.inert.retain(|edit| !used.contains(&edit.edit));
    let all = found.potential.unseen.contains(&Unseen::Kinds);
    for inert in &mut found.inert {
        let of_services = || is_of_services([before, after], &found.edits[inert.edit]);
        inert.text_only &= world == World::Closed || !of_services();
        inert.may_matter = !inert.text_only && (all || world != World::Closed && of_services());
    }
    Ok(found)
}

/// Of more pairs of ends than these sets are not joined.
const MOST_PAIRS: usize = 100_000;

/// Compares two sides for pods that are not in the input; `known` is what changes for those that
/// are.
fn potential(
    before: Side<'_>,
    after: Side<'_>,
    world: World,
    most: usize,
    known: &Diff,
) -> Result<PotentialDiff, CompileError> {
    let surroundings = surroundings_differ(before, after);
    if world == World::Closed {
        return Ok(PotentialDiff::default());
    }
    let mut unseen = unseen(before, after);
    if !surroundings && !known.edits.iter().any(|edit| edit.meaning) {
        return Ok(nothing_but(unseen));
    }
    if is_split(before) || is_split(after) {
        unseen.insert(Unseen::Kinds);
        return Ok(nothing_but(unseen));
    }
    let inputs = [before.input, after.input];
    let open = world == World::Open;
    let sides = [before, after];
    let beside = Beside::new(sides, known, surroundings);
    let focus = in_focus(sides, known, surroundings);
    let decides = |policy: &Policy| beside.decides_with(policy);
    let pods = PotentialPods::up_to(most, inputs, open, decides, focus);
    let [old, new] =
        [(before, 0), (after, 1)].map(|(side, which)| pods.laid_over(side.input, which));
    let compiled = |input: &Input, side: Side<'_>| {
        AllowGraph::compile(input, &side.graph.environment().options)
    };
    let (old_graph, new_graph) = (compiled(&old.0, before)?, compiled(&new.0, after)?);
    let laid = diff(
        Side {
            input: &old.0,
            graph: &old_graph,
        },
        Side {
            input: &new.0,
            graph: &new_graph,
        },
    );
    let pairs = PotentialPairs {
        pods: &pods,
        after: &new.0,
        first: new.1,
        sides,
        laid: [&old_graph, &new_graph],
        edits: &known.edits,
    };
    let mut changes: Vec<PotentialChange> =
        laid.changes.iter().flat_map(|c| pairs.beyond(c)).collect();
    changes.sort_by_key(|change| change.kind);
    unseen.extend((!pods.complete).then_some(Unseen::Kinds));
    Ok(PotentialDiff {
        pods,
        changes,
        ..nothing_but(unseen)
    })
}

/// An answer without changes that leaves something out.
fn nothing_but(unseen: BTreeSet<Unseen>) -> PotentialDiff {
    PotentialDiff {
        incomplete: !unseen.is_empty(),
        unseen,
        ..PotentialDiff::default()
    }
}

/// Whether policies of a graph are split by what secondary networks with policies make of its pods:
/// with further pods they are split otherwise, and what changes could not be told by their rules.
fn is_split(side: Side<'_>) -> bool {
    let proxies = &side.graph.environment().policies.plugin.proxies;
    proxies.iter().any(|proxies| proxies.key == POLICED)
}

/// Whether something else than a policy differs that could change a verdict of pods that are not
/// loaded.
fn surroundings_differ(before: Side<'_>, after: Side<'_>) -> bool {
    let (old, new) = (before.graph.environment(), after.graph.environment());
    let namespaces = |side: Side<'_>| -> BTreeMap<Box<str>, Labels> {
        let all = side.input.cluster.namespaces();
        all.map(|(_, n)| (n.name.clone(), n.labels.clone()))
            .collect()
    };
    old.options != new.options
        || !same_told(old, new)
        || old.untold_families != new.untold_families
        || namespaces(before) != namespaces(after)
        || taints(before.input) != taints(after.input)
}

/// The policies that were edited; all of them where something else differs that they look at.
fn in_focus<'p>(sides: [Side<'p>; 2], known: &Diff, everything: bool) -> Vec<&'p Policy> {
    if everything {
        let all = sides.into_iter();
        return all.flat_map(|side| &side.input.policies.policies).collect();
    }
    let edited = known.edits.iter().filter(|edit| edit.meaning);
    let both = edited.flat_map(|edit| [(edit.before, sides[0]), (edit.after, sides[1])]);
    both.filter_map(|(id, side)| written(side, id?)).collect()
}

/// A policy of a graph as the input has it. The graph may have more: those that a policy was split
/// into, and those of networks.
fn written(side: Side<'_>, id: PolicyId) -> Option<&Policy> {
    let own = &side.input.policies.policies;
    let policy = side.graph.environment().policies.get(id);
    let is_same = |other: &&Policy| {
        other.document == policy.document
            && other.name == policy.name
            && other.namespace == policy.namespace
    };
    let at_id = own.get(id.index()).filter(is_same);
    at_id.or_else(|| own.iter().find(is_same))
}

/// What is not modelled, wherever it stands.
fn taints(input: &Input) -> Vec<Taint> {
    let all = input.policies.taints.iter();
    let anywhere = |t: &Taint| Taint {
        origin: None,
        ..t.clone()
    };
    all.map(anywhere).collect()
}

/// The edited policies, and where others decide with them.
struct Beside {
    namespaces: BTreeSet<Box<str>>,
    /// Whether a policy was edited that governs the direction.
    directions: [bool; 2],
    /// Whether any policy may decide with what differs.
    everything: bool,
}

impl Beside {
    fn new(sides: [Side<'_>; 2], known: &Diff, everything: bool) -> Self {
        let mut found = Self {
            namespaces: BTreeSet::new(),
            directions: [false; 2],
            everything,
        };
        for edit in known.edits.iter().filter(|edit| edit.meaning) {
            for (id, side) in [(edit.before, sides[0]), (edit.after, sides[1])] {
                let Some(policy) = id.and_then(|id| written(side, id)) else {
                    continue;
                };
                found.namespaces.extend(policy.namespace.clone());
                for direction in Direction::ALL {
                    found.directions[direction.index()] |= policy.governs(direction);
                }
            }
        }
        found
    }

    /// Whether a policy may decide with an edited one: about the same end of a flow, in one
    /// namespace or in all, or about the other end.
    fn decides_with(&self, policy: &Policy) -> bool {
        let [ingress, egress] = Direction::ALL.map(|d| self.directions[d.index()]);
        self.everything
            || policy
                .namespace
                .as_ref()
                .is_none_or(|n| self.namespaces.contains(n))
            || ingress && policy.governs(Direction::Egress)
            || egress && policy.governs(Direction::Ingress)
    }
}

/// One side of a change.
type PartySet = BTreeSet<PotentialParty>;

/// The pairs of a change, sorted into those that the input shows and those beyond it.
struct PotentialPairs<'a> {
    pods: &'a PotentialPods,
    after: &'a Input,
    /// The workload that stands for the first kind.
    first: WorkloadId,
    /// The sides as they are loaded, and their graphs with the kinds laid over.
    sides: [Side<'a>; 2],
    laid: [&'a AllowGraph; 2],
    /// The edits of the policies as they are loaded.
    edits: &'a [PolicyEdit],
}

impl PotentialPairs<'_> {
    /// The part of a change that goes beyond the input: a change for each set of sources and
    /// destinations of which every pair changes.
    fn beyond(&self, change: &Change) -> Vec<PotentialChange> {
        let ends = |parties: &[DiffParty]| -> PartySet {
            parties.iter().map(|party| self.party(party)).collect()
        };
        let mut by_destinations: BTreeMap<PartySet, PartySet> = BTreeMap::new();
        for block in &change.blocks {
            let sources = by_destinations.entry(ends(&block.destinations));
            sources.or_default().extend(ends(&block.sources));
        }
        let mut by_sources: BTreeMap<PartySet, PartySet> = BTreeMap::new();
        for (destinations, sources) in by_destinations {
            by_sources.entry(sources).or_default().extend(destinations);
        }
        let cause = self.as_loaded(change.cause);
        let mut found = Vec::new();
        for (mut sources, mut destinations) in self.joined(by_sources) {
            let (from, to) = (sources.clone(), destinations.clone());
            sources.retain(|source| to.iter().any(|to| self.is_beyond(source, to)));
            destinations.retain(|end| from.iter().any(|from| self.is_beyond(from, end)));
            if !sources.is_empty() {
                found.push(PotentialChange {
                    kind: change.kind,
                    traffic: change.traffic.clone(),
                    cause,
                    sources,
                    destinations,
                    example: change.example,
                });
            }
        }
        found
    }

    /// The sets, where several together lack only pairs of which there is nothing to say: a
    /// workload is not told from other pods of its kind, but no end is paired with itself.
    fn joined(&self, sets: BTreeMap<PartySet, PartySet>) -> Vec<(PartySet, PartySet)> {
        let mut found: Vec<(PartySet, PartySet)> = Vec::new();
        for (sources, destinations) in sets {
            let with = |(from, to): &(PartySet, PartySet)| {
                let few = (from.len() + sources.len()) * (to.len() + destinations.len());
                few <= MOST_PAIRS
                    && self.is_silent(from.difference(&sources), &destinations)
                    && self.is_silent(sources.difference(from), to)
            };
            match found.iter().position(with) {
                Some(at) => {
                    found[at].0.extend(sources);
                    found[at].1.extend(destinations);
                }
                None => found.push((sources, destinations)),
            }
        }
        found
    }

    /// Whether there is nothing to say of all these pairs.
    fn is_silent<'p>(
        &self,
        sources: impl Iterator<Item = &'p PotentialParty>,
        destinations: &PartySet,
    ) -> bool {
        use PotentialParty::{Kind, Workload};
        let silent =
            |source: &PotentialParty, destination: &PotentialParty| match (source, destination) {
                (Kind(a), Kind(b)) => {
                    let of = |kind: &usize| &self.pods.namespaces[self.kind(*kind).namespace];
                    of(a).excludes(of(b))
                }
                (Kind(kind), Workload(id)) | (Workload(id), Kind(kind)) => self.is_like(*kind, *id),
                (Workload(a), Workload(b)) => a == b,
                _ => false,
            };
        let mut sources = sources;
        sources.all(|source| {
            destinations
                .iter()
                .all(|destination| silent(source, destination))
        })
    }

    /// Whether a workload's pods are of a kind.
    fn is_like(&self, kind: usize, id: WorkloadId) -> bool {
        let (kind, cluster) = (self.kind(kind), &self.after.cluster);
        let workload = cluster.workload(id);
        let namespace = &self.pods.namespaces[kind.namespace];
        let here = *namespace.name == *cluster.namespace(workload.namespace).name;
        here && kind.like_loaded
            && workload.pods.iter().all(|pod| {
                let labels = cluster.pod_labels(*pod);
                self.pods.are_alike(namespace, &kind.labels, labels)
            })
    }

    /// Whether a policy of a graph with kinds is the one of this number as it is loaded.
    fn is_loaded(&self, which: usize, id: PolicyId) -> bool {
        let loaded = &self.sides[which].graph.environment().policies.policies;
        let laid = self.laid[which].environment().policies.get(id);
        let told = |policy: &Policy| {
            let rules = Direction::ALL.map(|direction| policy.rules(direction).len());
            (policy.document, policy.shape, policy.name.clone(), rules)
        };
        loaded
            .get(id.index())
            .is_some_and(|policy| told(policy) == told(laid))
    }

    /// A cause in the ids of its side as it is loaded: what stands for a kind was not edited, and
    /// what the kinds make of policies has other numbers, or is not there at all.
    fn as_loaded(&self, cause: Cause) -> Cause {
        let which = usize::from(cause.side == Which::After);
        let side = self.sides[which];
        let is_loaded = match cause.what {
            What::Rule(at) => self.is_loaded(which, at.policy),
            What::Policy(id) => self.is_loaded(which, id),
            What::Workload(id) => (id.0 as usize) < side.input.cluster.workloads().len(),
            What::Namespace(id) => (id.0 as usize) < side.input.cluster.namespaces().len(),
            What::Unmodelled(taint) => taint < side.graph.environment().policies.taints.len(),
            What::Options(_) | What::Other => true,
        };
        if is_loaded {
            return cause;
        }
        if let Some(cause) = self.of_policy(cause, which) {
            return cause;
        }
        Cause {
            what: What::Other,
            side: cause.side,
            how: Edit::Changed,
            edit: None,
        }
    }

    /// A cause in a policy of which the kinds make more or fewer rules: the policy as it is loaded.
    fn of_policy(&self, cause: Cause, which: usize) -> Option<Cause> {
        let id = match cause.what {
            What::Rule(at) => at.policy,
            What::Policy(id) => id,
            _ => return None,
        };
        let side = self.sides[which].graph.environment();
        let laid = self.laid[which].environment().policies.get(id);
        let is_same = |policy: &Policy| {
            (policy.document, policy.shape, &policy.name) == (laid.document, laid.shape, &laid.name)
        };
        let (loaded, _) = side.policies.iter().find(|(_, policy)| is_same(policy))?;
        let of_side = |edit: &PolicyEdit| [edit.before, edit.after][which] == Some(loaded);
        let edit = self.edits.iter().position(of_side);
        Some(Cause {
            what: What::Policy(loaded),
            how: edit.map_or(cause.how, |edit| self.edits[edit].edit),
            edit,
            ..cause
        })
    }

    fn party(&self, party: &DiffParty) -> PotentialParty {
        match party {
            DiffParty::Workload(_, id) if *id >= self.first => {
                PotentialParty::Kind((id.0 - self.first.0) as usize)
            }
            DiffParty::Workload(_, id) => PotentialParty::Workload(*id),
            DiffParty::Addresses(set) => PotentialParty::Addresses(set.clone()),
        }
    }

    /// Whether a flow between the two can exist, has an end that is not loaded, and is not what a
    /// flow between loaded pods shows already.
    fn is_beyond(&self, source: &PotentialParty, destination: &PotentialParty) -> bool {
        use PotentialParty::{Addresses, Kind, Workload};
        match (source, destination) {
            (Kind(a), Kind(b)) => {
                let (from, to) = (self.kind(*a), self.kind(*b));
                let of = |kind: &PodKind| &self.pods.namespaces[kind.namespace];
                let shown = from.loaded && to.loaded && a != b;
                !of(from).excludes(of(to)) && !shown
            }
            (Kind(kind), Workload(id)) | (Workload(id), Kind(kind)) => {
                let kind = self.kind(*kind);
                let cluster = &self.after.cluster;
                let here = &cluster.namespace(cluster.workload(*id).namespace).name;
                let namespace = &self.pods.namespaces[kind.namespace];
                let assumed = !namespace.loaded && namespace.name == *here;
                !kind.loaded && !assumed
            }
            (Kind(kind), Addresses(_)) | (Addresses(_), Kind(kind)) => !self.kind(*kind).loaded,
            (Workload(_) | Addresses(_), Workload(_) | Addresses(_)) => false,
        }
    }

    fn kind(&self, kind: usize) -> &PodKind {
        &self.pods.kinds[kind]
    }
}
