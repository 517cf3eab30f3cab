//! What lint says of sets is checked against the specification: on random clusters, what it calls
//! without effect is taken out, and no flow may change; what it calls blocked may not pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "common/random.rs"]
#[allow(dead_code)] // shared by several test files
mod random;

use netpal::internals::spec::evaluate;
use netpal::{
    AllowGraph, CompileOptions, Direction, Endpoint, Environment, Finding, Flow, Input, LintConfig,
    Peers, Place, PolicySet, Protocol, Traffic, Truth, lint,
};
use random::{ADDRESSES, PORTS, Random, documents, on_all_cores, text};
use std::cell::OnceCell;
use std::sync::Arc;

const SEEDS: u64 = 100;

/// One random cluster with what lint finds in it.
struct Case {
    input: Input,
    env: Environment,
    findings: Vec<Finding>,
    /// The verdicts of the policies as they are, computed once.
    before: OnceCell<Vec<(Flow, Truth)>>,
    seed: u64,
}

/// A cluster with what some rules say of it.
fn case(seed: u64, rules: &[&str]) -> Case {
    let input = netpal::load_str(&text(&documents(&mut Random::new(seed))));
    let options = CompileOptions::default();
    let graph = AllowGraph::compile(&input, &options).unwrap();
    let config = LintConfig {
        select: rules.iter().map(|rule| (*rule).into()).collect(),
        ..LintConfig::default()
    };
    let findings = lint(&input, &graph, &config).findings;
    Case {
        env: Environment::new(&input, &options),
        input,
        findings,
        before: OnceCell::new(),
        seed,
    }
}

impl Case {
    fn of(&self, rule: &str) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |f| f.rule == rule)
    }

    /// Every verdict between pods and some addresses, on some ports.
    fn verdicts(&self, law: &PolicySet) -> Vec<(Flow, Truth)> {
        let env = Environment {
            policies: Arc::new(law.clone()),
            ..self.env.clone()
        };
        let flows = self.flows();
        flows.into_iter().map(|f| (f, evaluate(&env, &f))).collect()
    }

    /// What [`Self::verdicts`] says before anything is taken out.
    fn before(&self) -> &[(Flow, Truth)] {
        self.before
            .get_or_init(|| self.verdicts(&self.env.policies))
    }

    fn flows(&self) -> Vec<Flow> {
        let pods = self.input.cluster.pods().map(|(id, _)| Endpoint::Pod(id));
        let outside = ADDRESSES.iter().map(|a| a.parse().unwrap());
        let of_pod = |a: &std::net::IpAddr| {
            self.input
                .cluster
                .pods()
                .any(|(_, p)| p.addresses.contains(a))
        };
        let ends: Vec<Endpoint> = pods
            .chain(outside.filter(|a| !of_pod(a)).map(Endpoint::Address))
            .collect();
        let traffic = [
            (Protocol::Tcp, 80),
            (Protocol::Udp, 53),
            (Protocol::Tcp, 8080),
            (Protocol::Sctp, 65535),
        ];
        let mut flows = Vec::new();
        for source in &ends {
            for destination in &ends {
                for (protocol, port) in traffic {
                    let traffic = Traffic { protocol, port };
                    flows.push(Flow {
                        source: *source,
                        destination: *destination,
                        traffic,
                    });
                }
            }
        }
        flows
    }

    /// The policy a finding is about.
    fn policy(&self, finding: &Finding) -> usize {
        let Place::Origin(origin) = &finding.place else {
            panic!("{finding:?} points nowhere")
        };
        self.env
            .policies
            .policies
            .iter()
            .position(|p| p.document == origin.document)
            .unwrap()
    }

    /// Nothing becomes possible that was not, and where the verdict was certain it is the same.
    /// Unknown subjects leave every outcome of every policy possible, one by one, so taking out a
    /// rule that is blocked wherever it counts may make an unknown verdict certain.
    fn assert_nothing_new(&self, finding: &Finding, changed: &PolicySet) {
        let (before, after) = (self.before(), self.verdicts(changed));
        let new = before
            .iter()
            .zip(&after)
            .find(|((_, a), (_, b))| a != b && *a != Truth::Maybe);
        assert!(
            new.is_none(),
            "seed {}: {} at {}: {new:?}",
            self.seed,
            finding.rule,
            finding.fingerprint.path
        );
    }

    fn assert_unchanged(&self, finding: &Finding, changed: &PolicySet) {
        let (before, after) = (self.before(), self.verdicts(changed));
        let differs = before.iter().zip(&after).find(|(a, b)| a != b);
        assert!(
            differs.is_none(),
            "seed {}: {} at {}: {differs:?}",
            self.seed,
            finding.rule,
            finding.fingerprint.path
        );
    }
}

/// `ingress[0].from[1]` in numbers.
fn indices(path: &str) -> (Direction, usize, Option<usize>) {
    let numbers: Vec<usize> = path
        .split(['[', ']'])
        .filter_map(|part| part.parse().ok())
        .collect();
    let direction = if path.starts_with("ingress") {
        Direction::Ingress
    } else {
        Direction::Egress
    };
    (direction, numbers[0], numbers.get(1).copied())
}

#[test]
fn what_is_called_redundant_can_go_and_nothing_changes() {
    let counted = on_all_cores(0..SEEDS / 2, |seed| {
        let mut counted = [0; 4];
        let case = case(seed, &["NP401", "NP402", "NP406", "NP005"]);
        for finding in case.of("NP401") {
            counted[0] += 1;
            let mut law = (*case.env.policies).clone();
            law.policies.remove(case.policy(finding));
            case.assert_unchanged(finding, &law);
        }
        for (i, rule) in ["NP402", "NP406"].into_iter().enumerate() {
            for finding in case.of(rule) {
                counted[1 + i] += 1;
                let (direction, at, _) = indices(&finding.fingerprint.path);
                let mut law = (*case.env.policies).clone();
                law.policies[case.policy(finding)].rules[direction.index()].remove(at);
                if rule == "NP406" {
                    case.assert_nothing_new(finding, &law);
                } else {
                    case.assert_unchanged(finding, &law);
                }
            }
        }
        for finding in case.of("NP005") {
            counted[3] += 1;
            let (direction, at, peer) = indices(&finding.fingerprint.path);
            let mut law = (*case.env.policies).clone();
            let rule = &mut law.policies[case.policy(finding)].rules[direction.index()][at];
            let Peers::Of(list) = &mut rule.peers else {
                panic!("a moot peer stands in a list")
            };
            *list = list
                .iter()
                .enumerate()
                .filter(|(i, _)| Some(*i) != peer)
                .map(|(_, p)| p.clone())
                .collect();
            case.assert_unchanged(finding, &law);
        }
        counted
    });
    let each = |i: usize| counted.iter().map(|of_seed| of_seed[i]).sum::<usize>();
    let counted: [usize; 4] = std::array::from_fn(each);
    assert!(
        counted.iter().all(|n| *n > 0),
        "each rule was found at least once: {counted:?}"
    );
}

#[test]
fn a_rule_without_its_type_can_go_and_nothing_changes() {
    for seed in 0..SEEDS {
        let case = case(seed, &["NP007"]);
        for finding in case.of("NP007") {
            let direction = if &*finding.fingerprint.path == "ingress" {
                Direction::Ingress
            } else {
                Direction::Egress
            };
            let mut law = (*case.env.policies).clone();
            law.policies[case.policy(finding)].rules[direction.index()].clear();
            case.assert_unchanged(finding, &law);
        }
    }
}

#[test]
fn what_is_called_half_open_lets_nothing_through() {
    let mut counted = 0;
    for seed in 0..SEEDS * 6 {
        let case = case(seed, &["NP102"]);
        for finding in case.of("NP102") {
            counted += 1;
            let (direction, at, peer) = indices(&finding.fingerprint.path);
            let policy = &case.env.policies.policies[case.policy(finding)];
            let rule = &policy.rules(direction)[at];
            let Peers::Of(list) = &rule.peers else {
                panic!("half-open rules name peers")
            };
            let peer = &list[peer.unwrap()];
            let mode = case.env.host_network_modes()[0];
            let one = netpal::internals::spec::evaluate::Case::new(mode, netpal::Family::V4);
            for flow in case.flows() {
                let (own, other) = match direction {
                    Direction::Ingress => (flow.destination, flow.source),
                    Direction::Egress => (flow.source, flow.destination),
                };
                let (Endpoint::Pod(own), Endpoint::Pod(to)) = (own, other) else {
                    continue;
                };
                let selects =
                    netpal::internals::spec::matching::selects(&case.env, policy, own, mode)
                        .possible();
                let names = netpal::internals::spec::matching::peer_matches(
                    &case.env, policy, peer, own, other, &one,
                )
                .possible();
                let traffic = netpal::internals::spec::matching::ports_match(
                    &case.env,
                    rule,
                    case.env.policies.tier_of(policy).host_pods,
                    flow.destination,
                    flow.traffic,
                    mode,
                );
                if selects && names && traffic && own != to {
                    assert!(
                        !evaluate(&case.env, &flow).possible(),
                        "seed {seed}: {flow:?} passes"
                    );
                }
            }
        }
    }
    assert!(counted > 0, "found at least once");
}

#[test]
fn an_exception_called_defeated_lets_an_address_of_it_through() {
    let mut counted = 0;
    for seed in 0..SEEDS * 2 {
        let case = case(seed, &["NP204"]);
        for finding in case.of("NP204") {
            let index = case.policy(finding);
            let policy = &case.env.policies.policies[index];
            let (direction, at, peer) = indices(&finding.fingerprint.path);
            let Peers::Of(list) = &policy.rules(direction)[at].peers else {
                panic!("a block stands in a list")
            };
            let netpal::Peer::Addresses(block) = &list[peer.unwrap()] else {
                panic!("an exception has a block")
            };
            let subjects = case.input.cluster.pods().filter(|(id, _)| {
                netpal::internals::spec::matching::selects(
                    &case.env,
                    policy,
                    *id,
                    case.env.host_network_modes()[0],
                ) == netpal::Truth::Yes
            });
            let subjects: Vec<_> = subjects.map(|(id, _)| id).collect();
            if subjects.is_empty() || finding.severity < netpal::Severity::Error {
                continue;
            }
            counted += 1;
            let Place::Origin(origin) = &finding.place else {
                panic!()
            };
            let node = netpal::Locator::new(&case.input.sources)
                .node(origin.document)
                .unwrap();
            let except: ipnet::IpNet = node
                .at(&origin.path)
                .unwrap()
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            let address = Endpoint::Address(except.network());
            assert!(!block.contains(except.network()), "the block leaves it out");
            // a pod without that family has no such connection, whatever the policies are
            let open = Environment {
                policies: Arc::default(),
                ..case.env.clone()
            };
            let connects = |pod: &netpal::PodId| {
                let flow = Flow {
                    source: Endpoint::Pod(*pod),
                    destination: address,
                    traffic: Traffic {
                        protocol: Protocol::Tcp,
                        port: 80,
                    },
                };
                evaluate(&open, &flow).possible()
            };
            let subjects: Vec<_> = subjects.into_iter().filter(connects).collect();
            if subjects.is_empty() {
                continue;
            }
            // policies of this tier alone: what administrators do to the flow is another matter
            let mut law = (*case.env.policies).clone();
            law.policies
                .retain(|p| p.tier == netpal::internals::policy::tier::kubernetes::NETWORK);
            law.taints.clear();
            let env = Environment {
                policies: Arc::new(law),
                ..case.env.clone()
            };
            let passes = subjects.iter().any(|pod| {
                let (source, destination) = match direction {
                    Direction::Ingress => (address, Endpoint::Pod(*pod)),
                    Direction::Egress => (Endpoint::Pod(*pod), address),
                };
                let traffic = Protocol::ALL
                    .into_iter()
                    .flat_map(|p| PORTS.map(|port| Traffic { protocol: p, port }));
                traffic.into_iter().any(|traffic| {
                    evaluate(
                        &env,
                        &Flow {
                            source,
                            destination,
                            traffic,
                        },
                    )
                    .possible()
                })
            });
            assert!(
                passes,
                "seed {seed}: nothing of {except} passes: {finding:?}"
            );
        }
    }
    assert!(counted > 0, "found at least once");
}
