//! Relations between two allow-graphs, compared with what every pair of pods says, and edges with
//! the table.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[allow(dead_code)] // a part of it is used
#[path = "common/random.rs"]
mod random;

use netpal::{
    AllowGraph, CompileOptions, Counterexample, DiffSide, Endpoint, Flow, HostNetwork, Input,
    Truth, disjoint, equivalent, implies,
};
use random::Random;

/// What was read and what it allows.
struct State {
    input: Input,
    graph: AllowGraph,
}

impl State {
    fn new(text: &str, options: &CompileOptions) -> Self {
        let input = netpal::load_str(text);
        let graph = AllowGraph::compile(&input, options).unwrap();
        Self { input, graph }
    }

    fn side(&self) -> DiffSide<'_> {
        DiffSide {
            input: &self.input,
            graph: &self.graph,
        }
    }

    fn truth(&self, flow: &Flow) -> Truth {
        self.graph.verdict(flow)
    }
}

/// What every pair of pods of two states of one cluster says: whether something passes in the first
/// and not in the second, surely and possibly; and whether something passes in both.
#[derive(Default)]
struct Pairs {
    exceeds: bool,
    may_exceed: bool,
    shares: bool,
    may_share: bool,
}

fn pairs(first: &State, second: &State) -> Pairs {
    let cluster = &first.input.cluster;
    let mut pairs = Pairs::default();
    for (s, source) in cluster.pods() {
        for (d, _) in cluster.pods() {
            if s == d && source.is_single() {
                continue;
            }
            let allowed = |state: &State| state.graph.allowed(Endpoint::Pod(s), Endpoint::Pod(d));
            let (a, b) = (allowed(first), allowed(second));
            pairs.exceeds |= !a.must.difference(&b.may).is_empty();
            pairs.may_exceed |= !a.may.difference(&b.must).is_empty();
            pairs.shares |= !a.must.intersection(&b.must).is_empty();
            pairs.may_share |= !a.may.intersection(&b.may).is_empty();
        }
    }
    pairs
}

/// Random clusters, each with all of its policies and with those at odd places left out.
fn states() -> impl Iterator<Item = (State, State)> {
    (0..150).map(|seed| {
        let documents = random::documents(&mut Random::new(seed));
        let is_policy = |d: &serde_json::Value| {
            d["kind"]
                .as_str()
                .is_some_and(|kind| kind.ends_with("Policy"))
        };
        let mut policies = 0;
        let fewer: Vec<_> = documents
            .iter()
            .filter(|d| {
                policies += usize::from(is_policy(d));
                !is_policy(d) || policies.is_multiple_of(2)
            })
            .cloned()
            .collect();
        let host = [HostNetwork::Node, HostNetwork::Unknown];
        let options = CompileOptions::default().host_network(host[(seed % 2) as usize]);
        (
            State::new(&random::text(&documents), &options),
            State::new(&random::text(&fewer), &options),
        )
    })
}

#[test]
fn implication_and_equivalence_are_what_every_pair_says() {
    let mut broken = 0;
    for (first, second) in states() {
        assert_eq!(implies(first.side(), first.side()), Ok(()));
        assert_eq!(equivalent(first.side(), first.side()), Ok(()));
        for (narrow, wide) in [(&first, &second), (&second, &first)] {
            let said = pairs(narrow, wide);
            match implies(narrow.side(), wide.side()) {
                Ok(()) => assert!(!said.exceeds, "a pair exceeds what is said to be wide"),
                Err(Counterexample::Flow(a, b)) => {
                    broken += 1;
                    assert_eq!(
                        (narrow.truth(&a), wide.truth(&b)),
                        (Truth::Yes, Truth::No),
                        "{a:?}"
                    );
                }
                Err(Counterexample::Unknown(a, b)) => {
                    assert!(!said.exceeds, "a certain counterexample comes first");
                    let truths = (narrow.truth(&a), wide.truth(&b));
                    assert!(
                        truths.0 != Truth::No && truths.1 != Truth::Yes,
                        "{truths:?} {a:?}"
                    );
                }
                Err(other) => panic!("both have the same workloads: {other:?}"),
            }
        }
        let [there, back] = [(&first, &second), (&second, &first)]
            .map(|(a, b)| implies(a.side(), b.side()).is_ok());
        assert_eq!(
            equivalent(first.side(), second.side()).is_ok(),
            there && back
        );
    }
    assert!(broken > 50, "{broken} implications do not hold");
}

#[test]
fn disjointness_is_what_every_pair_says() {
    for (first, second) in states() {
        let said = pairs(&first, &second);
        match disjoint(&first.graph, &second.graph) {
            Ok(()) => assert!(!said.may_share),
            Err(Counterexample::Flow(a, b)) => {
                assert_eq!(
                    (first.truth(&a), second.truth(&b)),
                    (Truth::Yes, Truth::Yes)
                );
            }
            Err(Counterexample::Unknown(a, b)) => {
                assert!(!said.shares, "a certain counterexample comes first");
                assert!(first.truth(&a) != Truth::No && second.truth(&b) != Truth::No);
            }
            Err(other) => panic!("no workload is a counterexample: {other:?}"),
        }
    }
}

#[test]
fn edges_are_what_their_example_says() {
    for (state, _) in states().take(30) {
        for edge in state.graph.edges() {
            let shown = state.truth(&edge.example);
            match (edge.differs, edge.traffic.must.is_empty()) {
                (true, _) => assert_ne!(shown, Truth::No),
                (false, false) => assert_eq!(shown, Truth::Yes),
                (false, true) => assert_eq!(shown, Truth::Maybe),
            }
        }
    }
}

#[test]
fn queries_find_what_is_directly_allowed() {
    for (state, _) in states().take(30) {
        let cluster = &state.input.cluster;
        for (root, pod) in cluster.pods() {
            let from = state.graph.query_from([Endpoint::Pod(root)]).hops(1);
            let found = from.resolve().found;
            for (other, to) in cluster.pods().filter(|(_, p)| p.workload != pod.workload) {
                let allowed = state
                    .graph
                    .allowed(Endpoint::Pod(root), Endpoint::Pod(other));
                if !allowed.must.is_empty() {
                    assert!(found.contains_key(&to.workload));
                }
            }
        }
    }
}
