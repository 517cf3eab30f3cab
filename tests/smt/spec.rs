//! What is allowed in a world: the reference function of section I (S130), and the tables of layers
//! and tiers that the other dialects bring along.
//!
//! A world leaves nothing open, so that every question has one answer: a tier allows, denies,
//! passes or does not decide, and never two of these. [`Specification::allowed`] is the whole of
//! it.

use super::form::Policy;
use super::matching::Asked;
use super::term::{Term, all, any};
use super::tiers::{InTier, Tainted};
use super::world::{End, Place, World};
use super::{lowered, written};
use netpal::internals::policy::TaintSubject;
use netpal::{Direction, Environment, Family, Input, PolicyId, TaintEffect, TierEnd};
use netpal::{TierIx, TierMode};

/// The policies of an input as the proof reads them.
pub struct Specification<'e> {
    pub env: &'e Environment,
    pub policies: Vec<Policy>,
    /// How many of them were read from their manifests.
    pub from_manifest: usize,
}

impl<'e> Specification<'e> {
    /// Reads the policies that are in force: those of the kinds of Kubernetes from their manifests,
    /// unless a network plugin reads them in a way of its own, the others from their rules.
    pub fn new(input: &Input, env: &'e Environment) -> Self {
        let mut from_manifest = 0;
        let policies = env.policies.iter().map(|(id, policy)| {
            let found = from_text(input, id, policy);
            from_manifest += usize::from(found.is_some());
            found.unwrap_or_else(|| lowered::policy(policy))
        });
        Self {
            policies: policies.collect(),
            from_manifest,
            env,
        }
    }

    /// Whether the connection is allowed (S18, S53, S65).
    pub fn allowed(&self, world: &mut World, source: End, destination: End) -> Term {
        if let (Place::Pod(a), Place::Pod(b)) = (source.place, destination.place)
            && a == b
            && self.env.cluster.pod(a).replicas == 1
        {
            return Term::yes();
        }
        let each = Family::ALL.map(|family| {
            let common = [source, destination].map(|end| world.has_family(self.env, end, family));
            let common = all(common);
            if common.is_no() {
                return common;
            }
            let out = self.side(world, [source, destination], Direction::Egress, family);
            let into = self.side(world, [source, destination], Direction::Ingress, family);
            all([common, out, into])
        });
        let allowed = any(each);
        world.named(&allowed)
    }

    /// One direction (S70, S130): every layer must allow.
    fn side(
        &self,
        world: &mut World,
        [source, destination]: [End; 2],
        direction: Direction,
        family: Family,
    ) -> Term {
        let (own, other) = match direction {
            Direction::Egress => (source, destination),
            Direction::Ingress => (destination, source),
        };
        let policed = self.policed(world, own, direction);
        let Place::Pod(pod) = own.place else {
            return policed.not();
        };
        let asked = Asked {
            env: self.env,
            pod,
            own,
            other,
            destination,
            family,
            host_pods: netpal::internals::policy::tier::HostPods::Undefined,
        };
        let tainted = self.tainted(world, asked, direction);
        let layers = self.env.layers.iter();
        let layers = layers.map(|(_, tiers)| self.layer(world, asked, direction, tiers, &tainted));
        let layers: Vec<Term> = layers.collect();
        let allowed = all(layers
            .into_iter()
            .chain([tainted.denies.not(), policed.not()]));
        let anything = world.named(&tainted.anything);
        if anything.is_no() {
            return world.named(&allowed);
        }
        let whatever = anything.and(&world.fresh_fact("what is not modelled allows"));
        world.named(&whatever.or(&anything.not().and(&allowed)))
    }

    /// Whether something that is not modelled denies what a node sends or receives.
    fn policed(&self, world: &mut World, end: End, direction: Direction) -> Term {
        let taints = self.env.policies.taints.iter();
        let taints = taints.filter(|t| self.env.options.taints && t.directions[direction.index()]);
        let nodes: Vec<_> = taints
            .filter_map(|taint| match &taint.subject {
                TaintSubject::Nodes(addresses) if !addresses.is_empty() => Some(addresses),
                _ => None,
            })
            .collect();
        if nodes.is_empty() {
            return Term::no();
        }
        let here = match end.place {
            Place::Pod(id) => Term::of(self.env.cluster.pod(id).host_network),
            Place::Outside(_) => {
                let each = nodes.iter().map(|nodes| world.outside_in(nodes));
                let each: Vec<Term> = each.collect();
                any(each).or(&world.outside_in(&self.env.options.node_cidrs))
            }
        };
        if here.is_no() {
            return here;
        }
        here.and(&world.fact(&format!("something denies the node at the {}", end.role)))
    }

    /// What policies do that are not among the rules.
    fn tainted(&self, world: &mut World, asked: Asked<'_>, direction: Direction) -> Tainted {
        let mut tainted = Tainted {
            anything: Term::no(),
            isolates: Term::no(),
            allows: Term::no(),
            denies: Term::no(),
        };
        if !self.env.options.taints {
            return tainted;
        }
        let pod = self.env.cluster.pod(asked.pod);
        for taint in &self.env.policies.taints {
            let TaintSubject::Pods(subject) = &taint.subject else {
                continue;
            };
            if !taint.directions[direction.index()] {
                continue;
            }
            let seen = world.seen(self.env, pod, asked.host_pods);
            let (spaces, pods) = (
                lowered::spaces(&subject.namespaces),
                lowered::labelled(&subject.pods),
            );
            let spaces = world.spaces(self.env, &spaces, pod.namespace, pod.namespace);
            let pods = world.pod_labelled(self.env, asked.own, asked.pod, &pods);
            let selects = all([seen, spaces, pods]);
            if selects.is_no() {
                continue;
            }
            let does = |world: &mut World, what: &str| selects.and(&world.fresh_fact(what));
            match taint.effect {
                TaintEffect::Anything => {
                    tainted.anything = tainted.anything.or(&does(world, "it acts"));
                }
                TaintEffect::UnorderedTier => {
                    tainted.isolates = tainted.isolates.or(&does(world, "it isolates"));
                    tainted.allows = tainted.allows.or(&does(world, "it allows"));
                }
                TaintEffect::OnlyDeny => {
                    tainted.denies = tainted.denies.or(&does(world, "it denies"));
                }
            }
        }
        tainted
    }

    /// The tiers of a layer in order; what none decides is allowed (S70, S100, S106).
    fn layer(
        &self,
        world: &mut World,
        asked: Asked<'_>,
        direction: Direction,
        tiers: &[TierIx],
        tainted: &Tainted,
    ) -> Term {
        let mut reached = vec![Term::no(); tiers.len() + 1];
        reached[0] = Term::yes();
        let (mut allow, mut last) = (Term::no(), None);
        for (at, ix) in tiers.iter().enumerate() {
            let tier = &self.env.policies.tiers[ix.index()];
            let mut in_tier = InTier {
                specification: self,
                tier,
                ix: *ix,
                direction,
                asked: Asked {
                    host_pods: tier.host_pods,
                    ..asked
                },
                tainted,
            };
            in_tier.asked.host_pods = tier.host_pods;
            let is_deferred = tier.end == TierEnd::DenyIsolatedLast && at + 1 < tiers.len();
            let outcome = match tier.mode {
                TierMode::Ordered(ties) => in_tier.ordered(world, ties),
                TierMode::Unordered => in_tier.unordered(world, is_deferred),
            };
            if is_deferred && tier.mode == TierMode::Unordered {
                last = Some(in_tier);
            }
            let here = world.named(&reached[at]);
            allow = allow.or(&here.and(&outcome.allow));
            reached[at + 1] = reached[at + 1].or(&here.and(&outcome.none()));
            let to = tier
                .pass_to
                .and_then(|to| tiers.iter().position(|t| *t == to));
            let to = to.filter(|to| *to > at).unwrap_or(at + 1);
            reached[to] = reached[to].or(&here.and(&outcome.pass));
        }
        let mut end = world.named(&reached[tiers.len()]);
        if let Some(in_tier) = last {
            end = end.and(&in_tier.isolated_unless_exempt(world).not());
        }
        let allowed = allow.or(&end);
        world.named(&allowed)
    }
}

/// The policy as its own manifest says it, if it is in force as the manifest says.
fn from_text(input: &Input, id: PolicyId, policy: &netpal::Policy) -> Option<Policy> {
    let as_loaded = input.policies.policies.get(id.0 as usize)?;
    let is_by_network = input.policies.plugin.networks.is_some(); // policies act on some networks
    let is_unchanged = as_loaded == policy && policy.generated.is_none() && !is_by_network;
    is_unchanged.then_some(())?;
    let (_, text) = input.sources.chunk(policy.document)?;
    let (kind, namespace) = (policy.shape.kind, policy.namespace.as_deref());
    let object = written::object(&text, kind, &policy.name, namespace)?;
    written::policy(&object, kind, namespace)
}
