//! What differs between the two inputs, independent of its effect.
//!
//! Every aligned end knows which edits govern it in each direction, so that a cause is looked for
//! where it can be, and so that a verdict that is unknown on both sides counts as undecided only
//! where something was edited. Cost: O(pods and policies of both sides), on all processors.

use crate::diff::align::alignment::Alignment;
use crate::diff::align::endpoint::{AlignedEnd, EndIx, EndMembers, EndpointIndices};
use crate::diff::before_after::{Side, Which};
use crate::diff::cause::policy_edits::{PolicyEdit, new_taints, policy_edits};
use crate::diff::cause::same_statements::forget_respelled;
use crate::diff::cause::visible_pods::PodComparer;
use crate::model::{Labels, Node};
use crate::policy::{Direction, PolicyId, Taint};
use crate::spec::{Environment, HostNetworkMode, evaluate};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// How many ends one processor examines at a time.
const AT_ONCE: usize = 1_000;

/// What governs an end and was edited, in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct AffectedBy {
    /// The edited policies that select it.
    pub policies: Vec<usize>,
    /// Whether its pods or its namespace differ.
    pub workload: bool,
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
    edit_of: [Vec<Option<usize>>; 2],
    /// Per end and direction.
    affected: Vec<[AffectedBy; 2]>,
    /// Whether the two sides were compiled under different options.
    pub options: bool,
    /// Whether verdicts between ends that no edit affects are the same on both sides: options and
    /// nodes are equal.
    comparable: bool,
    /// The policies that cannot be modelled and differ, per side: indices among the taints.
    new_taints: [Vec<usize>; 2],
}

impl Edits {
    /// Compares the two inputs.
    pub fn new(before: Side<'_>, after: Side<'_>, alignment: &Alignment) -> Self {
        let mut policies = policy_edits(before, after);
        forget_respelled(&mut policies, [before, after]);
        let mut edit_of = [before, after]
            .map(|side| vec![None; side.graph.environment().policies.policies.len()]);
        for (i, edit) in policies.iter().enumerate() {
            for (edit_of, id) in edit_of.iter_mut().zip([edit.before, edit.after]) {
                id.into_iter()
                    .for_each(|id| edit_of[id.0 as usize] = Some(i));
            }
        }
        let options = before.graph.environment().options != after.graph.environment().options;
        let new_taints = [new_taints(before, after), new_taints(after, before)];
        let taints = [(before, &new_taints[0]), (after, &new_taints[1])].map(|(side, list)| {
            list.iter()
                .filter_map(|i| side.graph.environment().policies.taints.get(*i))
                .collect::<Vec<_>>()
        });
        let comparable = !options && same_surroundings(before, after);
        let mut edits = Self {
            policies,
            edit_of,
            affected: Vec::new(),
            options,
            comparable,
            new_taints: new_taints.clone(),
        };
        let affected: Vec<Vec<[AffectedBy; 2]>> = alignment
            .order
            .ends
            .par_chunks(AT_ONCE)
            .map(|ends| edits.affected_ends(before, after, &taints, ends))
            .collect();
        edits.affected = affected.into_iter().flatten().collect();
        edits
    }

    /// What affects each of these ends, per direction.
    fn affected_ends(
        &self,
        before: Side<'_>,
        after: Side<'_>,
        taints: &[Vec<&Taint>; 2],
        ends: &[AlignedEnd],
    ) -> Vec<[AffectedBy; 2]> {
        let [old, new] = [before, after].map(|side| &*side.graph.environment().cluster);
        let mut pods = PodComparer::new(old, new);
        let mut affected = Vec::with_capacity(ends.len());
        for end in ends {
            let workload = match &end.members {
                EndMembers::Workloads(list) => list.iter().any(|(b, a)| pods.differs(*b, *a)),
                EndMembers::Addresses(_) => false,
            };
            affected.push(Direction::ALL.map(|direction| {
                let mut by = AffectedBy {
                    workload,
                    ..AffectedBy::default()
                };
                for (side, which, taints) in [
                    (before, Which::Before, &taints[0]),
                    (after, Which::After, &taints[1]),
                ] {
                    self.collect(&mut by, side, which, end.indices(which), taints, direction);
                }
                by.policies.sort_unstable();
                by.policies.dedup();
                by
            }));
        }
        affected
    }

    /// Adds the edits that govern some classes of one side.
    fn collect(
        &self,
        affected: &mut AffectedBy,
        side: Side<'_>,
        which: Which,
        indices: &EndpointIndices,
        taints: &[&Taint],
        direction: Direction,
    ) {
        let env = side.graph.environment();
        for (index, _) in indices {
            let end = side.graph.space().representative(*index);
            affected.unmodelled |= env.options.taints
                && taints.iter().any(|t| {
                    evaluate::taint_touches_end(env, t, end, direction, HostNetworkMode::Pod)
                });
            let Some(policy) = side.graph.effective(end, direction) else {
                continue;
            };
            let edited = policy
                .selections()
                .filter_map(|s| self.policy_edit(which, side.graph.policy_of(s.policy)));
            affected
                .policies
                .extend(edited.filter(|e| self.policies[*e].meaning));
        }
    }

    /// The edit of a policy, if it was edited: its index in `policies`.
    pub fn policy_edit(&self, which: Which, policy: PolicyId) -> Option<usize> {
        self.edit_of[usize::from(which == Which::After)]
            .get(policy.0 as usize)
            .copied()
            .flatten()
    }

    /// Whether a policy that cannot be modelled differs from every one of the other side.
    pub fn is_new_taint(&self, which: Which, taint: usize) -> bool {
        self.new_taints[usize::from(which == Which::After)].contains(&taint)
    }

    /// The first policy that cannot be modelled and differs, of a side.
    pub fn new_taint(&self, which: Which) -> Option<usize> {
        self.new_taints[usize::from(which == Which::After)]
            .first()
            .copied()
    }

    /// Whether everything that passes from an end without an edit to this one is the same on both
    /// sides: neither its ingress was edited, nor anything else that a rule depends on.
    pub fn is_unchanged(&self, destination: EndIx, end: &AlignedEnd) -> bool {
        let has_several = |indices: &EndpointIndices| {
            indices
                .iter()
                .map(|(_, several)| *several)
                .collect::<Vec<_>>()
        };
        let same_shape = end.before.len() == 1 && end.after.len() == 1
            || has_several(&end.before) == has_several(&end.after);
        self.comparable && same_shape && self.affected(destination, Direction::Ingress).is_none()
    }

    /// What governs an end and was edited.
    pub fn affected(&self, end: EndIx, direction: Direction) -> &AffectedBy {
        &self.affected[end][direction.index()]
    }

    /// Whether an edit governs the egress of the source or the ingress of the destination.
    pub fn affects_pair(&self, source: EndIx, destination: EndIx) -> bool {
        !self.affected(source, Direction::Egress).is_none()
            || !self.affected(destination, Direction::Ingress).is_none()
    }
}

/// What is governed besides pods: each address with its labels and its node.
fn hosts(env: &Environment) -> BTreeMap<IpAddr, (&Labels, Option<&str>)> {
    let cluster = &env.cluster;
    let governed = cluster.hosts().flat_map(|(_, host)| {
        let kept = (cluster.labels(host.labels), host.node.as_deref());
        host.addresses.iter().map(move |address| (*address, kept))
    });
    governed.collect()
}

/// Whether the same is told of what policies look at and no policy says: the tiers, what is
/// governed besides pods, where the API server listens, and the options of the network plugin.
pub fn same_told(old: &Environment, new: &Environment) -> bool {
    old.policies.tiers == new.policies.tiers
        && old.api_servers == new.api_servers
        && old.cilium == new.cilium
        && hosts(old) == hosts(new)
}

/// Whether everything is the same that a verdict may depend on besides the two ends and the rules
/// that govern them: what is told besides, the nodes, and where pods without a known address may
/// be, in which families.
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
    same_told(old, new)
        && old.assumed == new.assumed
        && old.untold_families == new.untold_families
        && old.has_secondary_networks == new.has_secondary_networks
        && nodes(before) == nodes(after)
        && pairs.all(same)
}
