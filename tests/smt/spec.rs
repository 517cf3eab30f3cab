//! What is allowed in a world: the reference function of section I (S130), and the tables of layers
//! and tiers that the other dialects bring along.
//!
//! A world leaves nothing open, so that every question has one answer: a tier allows, denies, passes
//! or does not decide, and never two of these. [`Specification::allowed`] is the whole of it.

use super::form::{Policy, Rule};
use super::matching::Asked;
use super::term::{Term, all, any};
use super::world::{End, Place, World};
use super::{lowered, written};
use netpal::internals::policy::TaintSubject;
use netpal::internals::policy::tier::{OwnNode, Ties};
use netpal::{Action, Direction, Environment, Family, Input, PolicyId, TaintEffect, Tier, TierEnd};
use netpal::{TierIx, TierMode};
use std::collections::BTreeMap;

/// The policies of an input as the proof reads them.
pub struct Specification<'e> {
    pub env: &'e Environment,
    policies: Vec<Policy>,
    /// How many of them were read from their manifests.
    pub from_manifest: usize,
}

/// What a tier does with a connection.
struct Outcome {
    allow: Term,
    deny: Term,
    pass: Term,
}

impl Outcome {
    fn none(&self) -> Term {
        any([self.allow.clone(), self.deny.clone(), self.pass.clone()]).not()
    }
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
        for taint in self.env.policies.taints.iter() {
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

/// What policies do that are not among the rules.
struct Tainted {
    anything: Term,
    isolates: Term,
    allows: Term,
    denies: Term,
}

/// One tier, asked in one direction.
struct InTier<'s> {
    specification: &'s Specification<'s>,
    tier: &'s Tier,
    ix: TierIx,
    direction: Direction,
    asked: Asked<'s>,
    tainted: &'s Tainted,
}

impl<'s> InTier<'s> {
    /// The policies of the tier that have a say, and whether each selects the pod.
    fn policies(&self, world: &mut World) -> Vec<(PolicyId, &'s Policy, Term)> {
        let env = self.specification.env;
        let mut found = Vec::new();
        for (id, lowered) in env.policies.iter().filter(|(_, p)| p.tier == self.ix) {
            let policy = &self.specification.policies[id.0 as usize];
            let at = self.direction.index();
            if !policy.applies[at] || (!policy.isolates[at] && policy.rules[at].is_empty()) {
                continue;
            }
            let pod = env.cluster.pod(self.asked.pod);
            let seen = world.seen(env, pod, self.tier.host_pods);
            let spaces = world.spaces(env, &policy.spaces, pod.namespace, pod.namespace);
            let pods = world.pod_labelled(env, self.asked.own, self.asked.pod, &policy.pods);
            let doubt = lowered
                .generated
                .as_ref()
                .and_then(|made| made.unless.as_ref());
            let is_there = match doubt {
                Some(_) => world.fact(&format!("{} is there", lowered.full_name())),
                None => Term::yes(),
            };
            let selects = all([seen, spaces, pods, is_there]);
            if !selects.is_no() {
                found.push((id, policy, world.named(&selects)));
            }
        }
        found
    }

    /// Whether a rule matches, but for what it needs besides, and whether it has that too.
    fn rule(&self, world: &mut World, selects: &Term, rule: &Rule) -> [Term; 2] {
        let matches = selects.and(&world.matches(self.asked, rule));
        let matches = world.named(&matches);
        if matches.is_no() {
            return [Term::no(), Term::no()];
        }
        let needs = world.needs(self.specification.env, rule);
        let both = world.named(&matches.and(&needs));
        [matches, both]
    }

    /// Policies by priority, rules in order, the first that matches decides (S71-S76, S101, S102).
    fn ordered(&self, world: &mut World, ties: Ties) -> Outcome {
        let policies = self.policies(world);
        let mut decisions: Vec<(Term, Action)> = Vec::new();
        let exempt = self.exempt(world);
        let governed = any(policies.iter().map(|(_, _, selects)| selects.clone()));
        decisions.push((exempt.and(&governed), Action::Allow));
        for group in self.groups(&policies, ties) {
            let each = group.into_iter().map(|(at, rules)| {
                let (_, policy, selects) = &policies[at];
                let all = &policy.rules[self.direction.index()];
                let rules = all[rules].iter().map(|rule| {
                    let [_, matches] = self.rule(world, selects, rule);
                    (matches, rule.action)
                });
                rules.collect()
            });
            let mut each: Vec<Vec<(Term, Action)>> = each.collect();
            if each.len() > 1 {
                // S73, S103: any of them may be the first one that is asked
                for policy in each.clone() {
                    let picked = world.fresh_fact("the policy is asked first");
                    let picked = policy
                        .into_iter()
                        .map(|(term, does)| (picked.and(&term), does));
                    decisions.extend(picked);
                }
            }
            each.drain(..).for_each(|policy| decisions.extend(policy));
        }
        if self.tier.end != TierEnd::Pass {
            decisions.push((self.isolated(&policies), Action::Deny));
        }
        first(world, decisions)
    }

    /// The policies that are asked together, in order, with the rules of each that are asked then.
    fn groups(
        &self,
        policies: &[(PolicyId, &'s Policy, Term)],
        ties: Ties,
    ) -> Vec<Vec<(usize, std::ops::Range<usize>)>> {
        let mut groups: BTreeMap<_, Vec<(usize, std::ops::Range<usize>)>> = BTreeMap::new();
        for (at, (id, policy, _)) in policies.iter().enumerate() {
            let lowered = self.specification.env.policies.get(*id);
            let everything = 0..policy.rules[self.direction.index()].len();
            let (name, pieces) = match ties {
                Ties::ByName => (lowered.tie(), vec![(0, everything)]),
                Ties::Undefined => ("", vec![(0, everything)]),
                Ties::ByPosition => ("", lowered.positions(self.direction)),
            };
            for (position, rules) in pieces {
                let place = (lowered.priority, name, position);
                groups.entry(place).or_default().push((at, rules));
            }
        }
        groups.into_values().collect()
    }

    /// Isolation, then the union of the rules, where a denial wins (S10-S14, S19).
    fn unordered(&self, world: &mut World, is_deferred: bool) -> Outcome {
        let policies = self.policies(world);
        let (mut allows, mut denies, mut requests) = (Vec::new(), Vec::new(), Vec::new());
        for (_, policy, selects) in &policies {
            for rule in &policy.rules[self.direction.index()] {
                let [matches, both] = self.rule(world, selects, rule);
                match rule.action {
                    Action::Allow => allows.push(both.clone()),
                    Action::Deny => denies.push(both.clone()),
                    Action::Pass => {}
                }
                if rule.binds {
                    denies.push(matches.and(&both.not()));
                }
                if rule.asks {
                    requests.push(matches.and(&both.not()));
                }
            }
        }
        let is_of_plugin = self.tier.layer == netpal::LayerIx::CLUSTER_NETWORK;
        let (mut isolated, mut allowed) = (self.isolated(&policies), any(allows));
        if is_of_plugin {
            isolated = isolated.or(&self.tainted.isolates);
            allowed = allowed.or(&self.tainted.allows);
        }
        let denied = world.named(&any(denies));
        let allowed = world.named(&allowed.and(&denied.not()));
        let isolated = world.named(&isolated);
        let exempt = self.exempt(world);
        let exempted = all([exempt.clone(), isolated.clone(), denied.not()]);
        let passes = world.named(&allowed.or(&exempted));
        let fails = any(requests).and(&allowed.or(&exempt).not());
        let ends = if is_deferred {
            Term::no()
        } else {
            isolated.and(&passes.not())
        };
        Outcome {
            allow: if is_deferred { allowed } else { passes },
            deny: any([denied, fails, ends]),
            pass: Term::no(),
        }
    }

    fn isolated(&self, policies: &[(PolicyId, &'s Policy, Term)]) -> Term {
        let isolating = policies
            .iter()
            .filter(|(_, p, _)| p.isolates[self.direction.index()]);
        any(isolating.map(|(_, _, selects)| selects.clone()))
    }

    /// Whether the tier, asked last, denies.
    fn isolated_unless_exempt(&self, world: &mut World) -> Term {
        let policies = self.policies(world);
        let isolated = self.isolated(&policies).or(&self.tainted.isolates);
        isolated.and(&self.exempt(world).not())
    }

    /// Whether the other end is the own node, which the tier lets through (S55).
    fn exempt(&self, world: &mut World) -> Term {
        let env = self.specification.env;
        let is_out = self.direction == Direction::Egress;
        let exempts = match self.tier.own_node {
            OwnNode::Policed => false,
            OwnNode::MayCall => !is_out,
            OwnNode::Exempt => true,
        };
        if !exempts || is_out && !env.options.own_node_egress {
            return Term::no();
        }
        let own = env.cluster.pod(self.asked.pod).node.as_deref();
        match self.asked.other.place {
            Place::Pod(id) => {
                let other = env.cluster.pod(id);
                if !other.host_network {
                    return Term::no();
                }
                let same = match (own, other.node.as_deref()) {
                    (Some(a), Some(b)) => Term::of(a == b),
                    _ => world.fact("the pods are on one node"),
                };
                same.and(&world.hosts_are_nodes(env))
            }
            Place::Outside(_) => {
                let told = world.outside_in(&env.options.node_cidrs);
                let (may_be, untold) = match own.map(|name| env.cluster.find_node(name)) {
                    Some(Some(node)) => {
                        return world.outside_is(node.addresses.iter().copied());
                    }
                    Some(None) => (told, "the address is the own node's"),
                    None => (
                        told.or(&world.is_node_address(env)),
                        "the address is the own node's",
                    ),
                };
                if may_be.is_no() {
                    may_be
                } else {
                    may_be.and(&world.fact(untold))
                }
            }
        }
    }
}

/// The first decision that holds.
fn first(world: &mut World, decisions: Vec<(Term, Action)>) -> Outcome {
    let mut outcome = Outcome {
        allow: Term::no(),
        deny: Term::no(),
        pass: Term::no(),
    };
    let mut open = Term::yes();
    for (holds, action) in decisions.into_iter().filter(|(holds, _)| !holds.is_no()) {
        let hit = world.named(&open.and(&holds));
        open = world.named(&open.and(&holds.not()));
        let into = match action {
            Action::Allow => &mut outcome.allow,
            Action::Deny => &mut outcome.deny,
            Action::Pass => &mut outcome.pass,
        };
        *into = into.or(&hit);
    }
    outcome.allow = world.named(&outcome.allow);
    outcome.deny = world.named(&outcome.deny);
    outcome.pass = world.named(&outcome.pass);
    outcome
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
