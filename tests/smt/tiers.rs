//! What a tier does with one direction of a connection in a world: it allows, denies, passes, or
//! does not decide (S10-S19, S55, S71-S76, S101-S103).

use super::form::{Policy, Rule};
use super::matching::Asked;
use super::spec::Specification;
use super::term::{Term, all, any};
use super::world::{Place, World};
use netpal::internals::policy::tier::{OwnNode, Ties};
use netpal::{Action, Direction, PolicyId, Tier, TierEnd, TierIx};
use std::collections::BTreeMap;

/// What a tier does with a connection.
pub struct Outcome {
    pub allow: Term,
    pub deny: Term,
    pub pass: Term,
}

impl Outcome {
    pub fn none(&self) -> Term {
        any([self.allow.clone(), self.deny.clone(), self.pass.clone()]).not()
    }
}

/// What policies do that are not among the rules.
pub struct Tainted {
    pub anything: Term,
    pub isolates: Term,
    pub allows: Term,
    pub denies: Term,
}

/// One tier, asked in one direction.
pub struct InTier<'s> {
    pub specification: &'s Specification<'s>,
    pub tier: &'s Tier,
    pub ix: TierIx,
    pub direction: Direction,
    pub asked: Asked<'s>,
    pub tainted: &'s Tainted,
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
    pub fn ordered(&self, world: &mut World, ties: Ties) -> Outcome {
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
    pub fn unordered(&self, world: &mut World, is_deferred: bool) -> Outcome {
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
    pub fn isolated_unless_exempt(&self, world: &mut World) -> Term {
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
