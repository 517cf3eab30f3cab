//! What differs between the two laws and worlds, before anyone asks what it does.
//!
//! Policies are matched by kind, namespace and name. An edit changes the *meaning* when the lowered
//! rules differ, else only the text. Ends remember which edits govern them in each direction, so
//! that a cause is looked for where it can be, and so that a verdict unknown on both sides counts
//! as undecided only where something was edited. Cost: O(both laws).

use crate::diff::align::alignment::{Alignment, End, Members, Places};
use crate::diff::{Side, Which};
use crate::model::{Cluster, ContainerPort, Labels, LabelsId, Node, Pod, PodId, WorkloadId};
use crate::policy::{Direction, Peers, Policy, PolicyId, Rule, RuleRef, Taint};
use crate::set::hashed::HashMap;
use crate::source::{DocumentId, Sources};
use crate::spec::evaluate;
use crate::spec::{Endpoint, HostNetworkMode};
use rayon::prelude::*;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

/// How many ends one processor looks at, at a time.
const AT_ONCE: usize = 1_000;

/// What happened to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Edit {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is different.
    Changed,
}

/// A policy that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEdit {
    /// The policy before, if it was there.
    pub before: Option<PolicyId>,
    /// The policy after, if it is there.
    pub after: Option<PolicyId>,
    /// Whether its rules differ, not only its text.
    pub meaning: bool,
}

impl PolicyEdit {
    /// What happened to it.
    pub fn edit(&self) -> Edit {
        match (self.before, self.after) {
            (None, _) => Edit::Added,
            (_, None) => Edit::Removed,
            _ => Edit::Changed,
        }
    }
}

/// What governs an end and was edited, in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct AffectedBy {
    /// The edited policies that select it.
    pub policies: Vec<usize>,
    /// Whether its pods or its namespace differ.
    pub own: bool,
    /// Whether a policy that cannot be modelled differs and may select it.
    pub unmodelled: bool,
}

impl AffectedBy {
    /// Whether nothing that governs it was edited.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything that differs.
#[derive(Debug)]
pub struct Edits {
    /// The policies, in the order of the after side, then those that are gone.
    pub policies: Vec<PolicyEdit>,
    /// The edit of each policy, per side.
    of: [Vec<Option<usize>>; 2],
    /// Per end and direction.
    touched: Vec<[AffectedBy; 2]>,
    /// Whether the two sides were compiled under different options.
    pub options: bool,
    /// Whether ends that no edit touches see the same law and the same world on both sides.
    apart: bool,
    /// The policies that cannot be modelled and differ, per side: indices among the taints.
    fresh: [Vec<usize>; 2],
}

impl Edits {
    /// Compares the two laws and worlds.
    pub fn new(before: Side<'_>, after: Side<'_>, joint: &Alignment) -> Self {
        let (policies, distinct) = policies(before, after);
        let mut of = [before, after].map(|side| vec![None; side.input.policies.policies.len()]);
        for (i, edit) in policies.iter().enumerate() {
            for (of, id) in of.iter_mut().zip([edit.before, edit.after]) {
                id.into_iter().for_each(|id| of[id.0 as usize] = Some(i));
            }
        }
        let options = before.graph.environment().options != after.graph.environment().options;
        let fresh = [fresh_taints(before, after), fresh_taints(after, before)];
        let taints = [(before, &fresh[0]), (after, &fresh[1])].map(|(side, list)| {
            list.iter()
                .filter_map(|i| side.input.policies.taints.get(*i))
                .collect::<Vec<_>>()
        });
        let apart = distinct && !options && same_surroundings(before, after);
        let mut edits = Self {
            policies,
            of,
            touched: Vec::new(),
            options,
            apart,
            fresh: fresh.clone(),
        };
        let of = |ends: &[End]| {
            let mut seen = Seen {
                before: &before.input.cluster,
                after: &after.input.cluster,
                last: None,
            };
            let touched = ends.iter().map(|end| {
                let own = match &end.members {
                    Members::Workloads(list) => list.iter().any(|(b, a)| seen.differs(*b, *a)),
                    Members::Addresses(_) => false,
                };
                Direction::ALL.map(|direction| {
                    let mut touch = AffectedBy {
                        own,
                        ..AffectedBy::default()
                    };
                    for (side, places, fresh, which) in [
                        (before, &end.before, &taints[0], Which::Before),
                        (after, &end.after, &taints[1], Which::After),
                    ] {
                        edits.collect(&mut touch, side, places, fresh, direction, which);
                    }
                    touch.policies.sort_unstable();
                    touch.policies.dedup();
                    touch
                })
            });
            touched.collect::<Vec<[AffectedBy; 2]>>()
        };
        let touched: Vec<Vec<[AffectedBy; 2]>> =
            joint.roll.ends.par_chunks(AT_ONCE).map(of).collect();
        edits.touched = touched.into_iter().flatten().collect();
        edits
    }

    fn collect(
        &self,
        touch: &mut AffectedBy,
        side: Side<'_>,
        places: &Places,
        taints: &[&Taint],
        direction: Direction,
        which: Which,
    ) {
        for (place, _) in places {
            let Endpoint::Pod(pod) = side.graph.space().representative(*place) else {
                continue;
            };
            let Some(profile) = side.graph.effective(Endpoint::Pod(pod), direction) else {
                continue;
            };
            let edited = profile
                .selections()
                .filter_map(|s| self.of(which, side.graph.policy_of(s.policy)));
            touch
                .policies
                .extend(edited.filter(|e| self.policies[*e].meaning));
            touch.unmodelled |= side.graph.environment().options.taints
                && taints.iter().any(|t| {
                    evaluate::taint_touches(
                        side.graph.environment(),
                        t,
                        pod,
                        direction,
                        HostNetworkMode::Pod,
                    )
                });
        }
    }

    /// The edit of a policy, if it was edited.
    pub fn of(&self, which: Which, policy: PolicyId) -> Option<usize> {
        self.of[usize::from(which == Which::After)]
            .get(policy.0 as usize)
            .copied()
            .flatten()
    }

    /// Whether a policy that cannot be modelled differs from every one of the other side.
    pub fn is_fresh(&self, which: Which, taint: usize) -> bool {
        self.fresh[usize::from(which == Which::After)].contains(&taint)
    }

    /// Whether everything that passes from an end without an edit to this one is the same on both
    /// sides: nothing that governs the way in was edited, nor anything beyond the two that a rule
    /// looks at.
    pub fn stays(&self, destination: usize, end: &End) -> bool {
        let shape = |places: &Places| {
            places
                .iter()
                .map(|(_, several)| *several)
                .collect::<Vec<_>>()
        };
        let alike = end.before.len() == 1 && end.after.len() == 1
            || shape(&end.before) == shape(&end.after);
        self.apart && alike && self.touched(destination, Direction::Ingress).is_none()
    }

    /// What governs an end and was edited.
    pub fn touched(&self, end: usize, direction: Direction) -> &AffectedBy {
        &self.touched[end][direction.index()]
    }
}

type Key<'a> = (&'a str, Option<&'a str>, &'a str);

fn key(policy: &Policy) -> Key<'_> {
    (policy.shape.kind, policy.namespace.as_deref(), &policy.name)
}

/// What a verdict may depend on besides the two ends and the rules that govern them: the nodes, and
/// where pods lie whose addresses are not told.
fn same_surroundings(before: Side<'_>, after: Side<'_>) -> bool {
    let (old, new) = (before.graph.environment(), after.graph.environment());
    let same = |(a, b): (&Node, &Node)| {
        (&a.name, &a.labels, &a.addresses) == (&b.name, &b.labels, &b.addresses)
    };
    let nodes = |side: Side<'_>| side.input.cluster.nodes().len();
    let mut pairs = before
        .input
        .cluster
        .nodes()
        .map(|(_, n)| n)
        .zip(after.input.cluster.nodes().map(|(_, n)| n));
    old.assumed == new.assumed && nodes(before) == nodes(after) && pairs.all(same)
}

/// The policies that differ, and whether no two of one side have one name.
fn policies(before: Side<'_>, after: Side<'_>) -> (Vec<PolicyEdit>, bool) {
    let (old, new) = (&before.input.policies, &after.input.policies);
    let mut known: HashMap<Key<'_>, PolicyId> = old.iter().map(|(id, p)| (key(p), id)).collect();
    let distinct = known.len() == old.policies.len();
    let mut edits = Vec::new();
    for (id, policy) in new.iter() {
        let Some(was) = known.remove(&key(policy)) else {
            edits.push(PolicyEdit {
                before: None,
                after: Some(id),
                meaning: true,
            });
            continue;
        };
        let meaning = !same_meaning(old.get(was), policy);
        let texts = [(before, old.get(was).document), (after, policy.document)];
        if meaning || !same_text(texts[0], texts[1]) {
            edits.push(PolicyEdit {
                before: Some(was),
                after: Some(id),
                meaning,
            });
        }
    }
    let mut gone: Vec<PolicyId> = known.into_values().collect();
    gone.sort_unstable();
    edits.extend(gone.into_iter().map(|id| PolicyEdit {
        before: Some(id),
        after: None,
        meaning: true,
    }));
    (edits, distinct)
}

fn same_meaning(a: &Policy, b: &Policy) -> bool {
    let Policy {
        namespace,
        name,
        document: _,
        shape,
        tier,
        priority,
        subject,
        applies,
        sees_own_service,
        isolates,
        rules,
    } = a;
    let rest = (shape, tier, priority, applies, isolates, sees_own_service);
    rest == (
        &b.shape,
        &b.tier,
        &b.priority,
        &b.applies,
        &b.isolates,
        &b.sees_own_service,
    ) && (namespace, name) == (&b.namespace, &b.name)
        && subject == &b.subject
        && rules == &b.rules
}

/// Whether two objects are written alike. An item of a list is compared by its meaning only.
fn same_text(a: (Side<'_>, DocumentId), b: (Side<'_>, DocumentId)) -> bool {
    fn text(sources: &Sources, id: DocumentId) -> Option<Cow<'_, str>> {
        sources.document(id).filter(|d| d.base.is_root())?;
        sources.chunk(id).map(|(_, text)| text)
    }
    match (text(&a.0.input.sources, a.1), text(&b.0.input.sources, b.1)) {
        (Some(a), Some(b)) => a.trim() == b.trim(),
        _ => true,
    }
}

/// What a policy can see of the workloads of both sides.
struct Seen<'a> {
    before: &'a Cluster,
    after: &'a Cluster,
    /// The last two label sets that were found equal; pods of one workload have the same.
    last: Option<(LabelsId, LabelsId)>,
}

type SeenPod<'a> = (
    &'a Labels,
    &'a [ContainerPort],
    bool,
    Option<&'a str>,
    &'a [IpAddr],
);

fn seen<'a>(cluster: &'a Cluster, pod: &'a Pod) -> SeenPod<'a> {
    (
        cluster.labels(pod.labels),
        &pod.ports,
        pod.host_network,
        pod.node.as_deref(),
        &pod.addresses,
    )
}

impl<'a> Seen<'a> {
    /// Whether a workload's pods or its namespace differ in anything a policy can see.
    fn differs(&mut self, before: WorkloadId, after: WorkloadId) -> bool {
        let (was, is) = (self.before.workload(before), self.after.workload(after));
        let namespaces = (
            self.before.namespace(was.namespace),
            self.after.namespace(is.namespace),
        );
        namespaces.0.labels != namespaces.1.labels
            || namespaces.0.declared.is_some() != namespaces.1.declared.is_some()
            || !self.one_by_one(&was.pods, &is.pods)
                && sorted(self.before, &was.pods) != sorted(self.after, &is.pods)
    }

    /// Whether the pods are equal in their order, which they mostly are.
    fn one_by_one(&mut self, before: &[PodId], after: &[PodId]) -> bool {
        before.len() == after.len() && before.iter().zip(after).all(|(b, a)| self.same(*b, *a))
    }

    fn same(&mut self, before: PodId, after: PodId) -> bool {
        let (was, is) = (self.before.pod(before), self.after.pod(after));
        let labels = (was.labels, is.labels);
        if self.last != Some(labels) {
            if self.before.labels(was.labels) != self.after.labels(is.labels) {
                return false;
            }
            self.last = Some(labels);
        }
        let rest = |pod: &'a Pod| (pod.host_network, pod.node.as_deref(), &pod.addresses);
        rest(was) == rest(is) && (Arc::ptr_eq(&was.ports, &is.ports) || was.ports == is.ports)
    }
}

fn sorted<'a>(cluster: &'a Cluster, ids: &[PodId]) -> Vec<SeenPod<'a>> {
    let mut pods: Vec<SeenPod<'a>> = ids
        .iter()
        .map(|id| seen(cluster, cluster.pod(*id)))
        .collect();
    pods.sort_unstable();
    pods.dedup();
    pods
}

/// The policies that cannot be modelled and differ from every one of the other side.
fn fresh_taints(side: Side<'_>, other: Side<'_>) -> Vec<usize> {
    fn text<'a>(side: Side<'a>, t: &Taint) -> Option<Cow<'a, str>> {
        let chunk = t
            .origin
            .as_ref()
            .and_then(|o| side.input.sources.chunk(o.document));
        chunk.map(|(_, text)| Cow::Owned(text.trim().to_owned()))
    }
    let same = |t: &Taint, o: &Taint| {
        t.what == o.what
            && t.effect == o.effect
            && t.subject == o.subject
            && text(side, t) == text(other, o)
    };
    let others = &other.input.policies.taints;
    let own = side.input.policies.taints.iter().enumerate();
    own.filter(|(_, t)| !others.iter().any(|o| same(t, o)))
        .map(|(i, _)| i)
        .collect()
}

/// How a rule of one side compares with the other side's version of the policy: untouched, or what
/// happened to it, and the part of it to point at, on the side where that lives.
pub fn rule_edit(
    own: (&Policy, PolicyId, Which),
    other: Option<(&Policy, PolicyId, Which)>,
    at: RuleRef,
) -> Option<(Which, RuleRef, Edit)> {
    let (policy, _, which) = own;
    let here = |edit| Some((which, at, edit));
    let lone = if which == Which::After {
        Edit::Added
    } else {
        Edit::Removed
    };
    let Some((theirs, their_id, their_side)) = other else {
        return here(lone);
    };
    let rules = theirs.rules(at.direction);
    let rule = policy.rules(at.direction).get(at.rule as usize)?;
    if rules.contains(rule) {
        return None;
    }
    let counterpart = rules
        .get(at.rule as usize)
        .filter(|r| !policy.rules(at.direction).contains(r));
    let Some(counterpart) = counterpart else {
        return Some((
            which,
            RuleRef {
                peer: None,
                port: None,
                ..at
            },
            lone,
        ));
    };
    let (new, old) = if which == Which::After {
        (rule, counterpart)
    } else {
        (counterpart, rule)
    };
    let (new_at, old_at) = {
        let there = RuleRef {
            policy: their_id,
            ..at
        };
        if which == Which::After {
            (at, there)
        } else {
            (there, at)
        }
    };
    let sides = if which == Which::After {
        (which, their_side)
    } else {
        (their_side, which)
    };
    Some(part(new, old, new_at, old_at, sides))
}

/// The part of a changed rule to point at: a new peer, a gone peer, else its ports, else the rule.
fn part(
    new: &Rule,
    old: &Rule,
    new_at: RuleRef,
    old_at: RuleRef,
    sides: (Which, Which),
) -> (Which, RuleRef, Edit) {
    let whole = |at: RuleRef| RuleRef {
        peer: None,
        port: None,
        ..at
    };
    let index = |i: usize| u32::try_from(i).ok();
    if let (Peers::Of(ours), Peers::Of(theirs)) = (&new.peers, &old.peers) {
        let fresh = |i: &usize| ours.get(*i).is_some_and(|p| !theirs.contains(p));
        let named = new_at.peer.map(|p| p as usize).filter(fresh);
        if let Some(i) = named.or_else(|| (0..ours.len()).find(fresh)) {
            return (
                sides.0,
                RuleRef {
                    peer: index(i),
                    ..whole(new_at)
                },
                Edit::Changed,
            );
        }
        if let Some(i) = theirs.iter().position(|p| !ours.contains(p)) {
            return (
                sides.1,
                RuleRef {
                    peer: index(i),
                    ..whole(old_at)
                },
                Edit::Removed,
            );
        }
    }
    let crate::policy::Ports::Of(ports) = &new.ports else {
        return (sides.0, whole(new_at), Edit::Changed);
    };
    let theirs = if let crate::policy::Ports::Of(p) = &old.ports {
        &**p
    } else {
        &[]
    };
    let port = ports
        .iter()
        .position(|p| !theirs.contains(p))
        .and_then(index);
    (
        sides.0,
        RuleRef {
            port,
            ..whole(new_at)
        },
        Edit::Changed,
    )
}
