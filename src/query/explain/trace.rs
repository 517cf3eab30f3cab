//! Evaluates one side of a flow against every policy that governs it: which rules, peers and ports
//! match, and why the others do not.
//!
//! Truth values come from the functions of the specification; a mismatch only describes what they
//! compared. Cost: O(rules of the effective policies).

use crate::compile::effective_policy::EffectiveTier;
use crate::graph::AllowGraph;
use crate::model::{Labels, NamespaceId, PodId, Requirement, Selector, Truth};
use crate::policy::{Direction, Namespaces, Peer, Peers, Policy, PolicyId, Rule, RuleRef};
use crate::query::explain::decision::decide;
use crate::query::explain::reason_code::Reason;
use crate::query::explain::side::{
    ExplanationSide, Mismatch, PeerTrace, PolicyTrace, RuleTrace, TierTrace,
};
use crate::spec::environment::PodAddress;
use crate::spec::matching;
use crate::spec::question::{Case, side_of};
use crate::spec::{Endpoint, Environment, Flow};

/// Evaluates one side of a flow in one case.
pub(crate) struct Walker<'a> {
    /// The graph.
    pub graph: &'a AllowGraph,
    /// The flow.
    pub flow: &'a Flow,
    /// The mode of host-network pods, the address family and the origin of the connection.
    pub case: Case,
    /// The direction of the side.
    pub direction: Direction,
}

impl Walker<'_> {
    /// The side with every policy that governs it, decided.
    pub(crate) fn side(&self) -> ExplanationSide {
        let mut side = ExplanationSide::plain(self.flow, self.direction, Reason::AllowDefault);
        let env = self.graph.environment();
        let Some(pod) = env.governed(side.subject) else {
            if env.may_be_policed_node(side.subject, self.direction) {
                decide(env, &mut side, self.flow, &self.case);
            }
            return side;
        };
        let Some(effective) = self.graph.effective(side.subject, self.direction) else {
            return side;
        };
        let is_node = Environment::is_node(env.cluster.pod(pod), self.case.mode);
        for tier in env.layers.iter().flat_map(|(_, tiers)| tiers) {
            let governing = effective.tiers.iter().find(|t| t.tier == *tier);
            let seen = governing.filter(|t| !(is_node && t.overlooks_nodes));
            let selections = seen.into_iter().flat_map(EffectiveTier::selections);
            side.tiers.push(TierTrace {
                tier: *tier,
                policies: selections
                    .map(|s| self.policy(self.graph.policy_of(s.policy), pod, side.peer))
                    .collect(),
                reached: true,
            });
        }
        decide(env, &mut side, self.flow, &self.case);
        side
    }

    fn policy(&self, id: PolicyId, pod: PodId, peer: Endpoint) -> PolicyTrace {
        let env = self.graph.environment();
        let policy = env.policies.get(id);
        let rules = policy.rules(self.direction).iter().enumerate();
        PolicyTrace {
            policy: id,
            selects: matching::selects(env, policy, pod, self.case.mode),
            rules: rules
                .map(|(i, rule)| {
                    self.rule(
                        policy,
                        rule,
                        RuleRef::rule(id, self.direction, i),
                        pod,
                        peer,
                    )
                })
                .collect(),
        }
    }

    fn rule(
        &self,
        policy: &Policy,
        rule: &Rule,
        at: RuleRef,
        pod: PodId,
        endpoint: Endpoint,
    ) -> RuleTrace {
        let env = self.graph.environment();
        let ports = matching::ports_match(
            env,
            rule,
            env.policies.tier_of(policy).host_pods,
            self.flow.destination,
            self.flow.traffic,
            self.case.mode,
        );
        let peers: Vec<PeerTrace> = match &rule.peers {
            Peers::Any => Vec::new(),
            Peers::Of(list) => list
                .iter()
                .enumerate()
                .map(|(i, p)| self.peer(policy, p, at.with_peer(i), pod, endpoint))
                .collect(),
        };
        let best = peers
            .iter()
            .map(|p| p.matched)
            .max()
            .unwrap_or(match &rule.peers {
                Peers::Any => Truth::Yes,
                Peers::Of(_) => Truth::No,
            });
        RuleTrace {
            at,
            ports,
            matched: if ports {
                let (own, _) = side_of(self.flow, self.direction);
                let subjects = matching::subjects_match(env, policy, rule, pod, own, &self.case);
                best.and(subjects)
                    .and(matching::unqualified(self.graph.environment(), rule))
            } else {
                Truth::No
            },
            peers,
        }
    }

    fn peer(
        &self,
        policy: &Policy,
        peer: &Peer,
        at: RuleRef,
        pod: PodId,
        endpoint: Endpoint,
    ) -> PeerTrace {
        let env = self.graph.environment();
        let matched = matching::peer_matches(env, policy, peer, pod, endpoint, &self.case);
        let mismatches = if matched == Truth::Yes {
            Vec::new()
        } else {
            self.mismatches(policy, peer, pod, endpoint)
        };
        PeerTrace {
            at,
            matched,
            mismatches,
            fulfilled: fulfilled(env, peer, endpoint),
        }
    }

    fn mismatches(
        &self,
        policy: &Policy,
        peer: &Peer,
        pod: PodId,
        endpoint: Endpoint,
    ) -> Vec<Mismatch> {
        let env = self.graph.environment();
        match (peer, endpoint) {
            (Peer::Pods(..), Endpoint::Address(_)) => vec![Mismatch::NotAPod],
            (Peer::Pods(namespaces, pods), Endpoint::Pod(other)) => {
                let p = env.cluster.pod(other);
                let host_pods = env.policies.tier_of(policy).host_pods;
                if matching::host_pod_hidden(p, host_pods, self.case.mode) {
                    return vec![Mismatch::HostNetwork];
                }
                let namespace = env.cluster.pod(pod).namespace;
                let mut found = namespace_mismatches(env, namespaces, namespace, p.namespace);
                let labels = env.cluster.labels(p.labels);
                let failing = pods.requirements().iter().filter_map(|r| {
                    match Selector::new([r.clone()]).selects(labels) {
                        Truth::Yes => None,
                        Truth::Maybe => Some(Mismatch::PodLabelUnknown(r.clone())),
                        Truth::No => Some(Mismatch::PodLabel(r.clone())),
                    }
                });
                found.extend(failing);
                found
            }
            (Peer::Addresses(_), Endpoint::Pod(_)) if !env.options.blocks_match_pods => {
                vec![Mismatch::BlocksSkipPods]
            }
            (Peer::Addresses(_), Endpoint::Pod(other)) => {
                let address = env.pod_addresses(env.cluster.pod(other), self.case.family);
                let is_known = matches!(address, PodAddress::Known(_));
                let is_unknown = !is_known
                    && env.block_matches_pod(
                        block_of(peer),
                        env.cluster.pod(other),
                        self.case.family,
                    ) == Truth::Maybe;
                vec![if is_unknown {
                    Mismatch::AddressUnknown
                } else {
                    Mismatch::NotInBlock
                }]
            }
            (Peer::Addresses(_), Endpoint::Address(_)) => vec![Mismatch::NotInBlock],
            (Peer::Nodes(_), _) if env.cluster.nodes().len() == 0 => vec![Mismatch::NodesUnknown],
            (Peer::Nodes(_), _) => vec![Mismatch::NotANode],
            (Peer::Domain(name), _) => vec![Mismatch::DomainUnknown(name.clone())],
            (Peer::Symbol(symbol), _) => vec![Mismatch::Symbol(*symbol)],
            (Peer::Owned(..), _) => vec![Mismatch::NotInBlock],
            (Peer::AnyOf(peers), _) => {
                let each = peers.iter();
                each.flat_map(|p| self.mismatches(policy, p, pod, endpoint))
                    .collect()
            }
            (Peer::AllOf(peers), _) => {
                let failing = peers.iter().filter(|p| {
                    let truth = matching::peer_matches(env, policy, p, pod, endpoint, &self.case);
                    truth != Truth::Yes
                });
                failing
                    .flat_map(|p| self.mismatches(policy, p, pod, endpoint))
                    .collect()
            }
            (Peer::NoneOf(_), _) => vec![Mismatch::Complement],
            (Peer::Unreadable { .. }, _) => vec![Mismatch::Unreadable],
        }
    }
}

/// How many requirements of a peer the other end fulfils, as far as its labels are known.
fn fulfilled(env: &Environment, peer: &Peer, endpoint: Endpoint) -> usize {
    let (Peer::Pods(namespaces, pods), Endpoint::Pod(other)) = (peer, endpoint) else {
        return 0;
    };
    let count = |selector: &Selector, labels: &Labels| {
        let each = selector.requirements().iter();
        each.filter(|r| r.matches(labels)).count()
    };
    let of_namespace = match namespaces {
        Namespaces::Matching(selector) => count(selector, &env.cluster.pod_namespace(other).labels),
        _ => 0,
    };
    of_namespace + count(pods, env.cluster.pod_labels(other))
}

fn block_of(peer: &Peer) -> &crate::set::IpSet {
    static NOTHING: std::sync::LazyLock<crate::set::IpSet> =
        std::sync::LazyLock::new(crate::set::IpSet::empty);
    if let Peer::Addresses(set) = peer {
        set
    } else {
        &NOTHING
    }
}

fn namespace_mismatches(
    env: &Environment,
    which: &Namespaces,
    subject: NamespaceId,
    peer: NamespaceId,
) -> Vec<Mismatch> {
    let matched = matching::namespaces_match(env, which, subject, peer);
    let namespace = env.cluster.namespace(peer);
    match which {
        _ if matched == Truth::Yes => Vec::new(),
        Namespaces::Named(name) => vec![Mismatch::WrongNamespace(name.clone())],
        Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => {
            vec![Mismatch::NamespaceRelation]
        }
        Namespaces::Matching(selector) => {
            let is_known = |r: &Requirement| {
                let told = namespace.labels.get(r.key()).is_some();
                (namespace.declared.is_some() || told) && !namespace.labels.is_open(r.key())
            };
            let failing = selector
                .requirements()
                .iter()
                .filter(|r| !is_known(r) || !r.matches(&namespace.labels));
            failing
                .map(|r| {
                    if is_known(r) {
                        Mismatch::NamespaceLabel(r.clone())
                    } else {
                        Mismatch::NamespaceUnknown(r.clone())
                    }
                })
                .collect()
        }
    }
}
