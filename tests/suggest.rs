//! Suggestions are true: for every "no" of the ground truth the addition makes it a yes and turns
//! no other line, or netpal says what stands in the way. Each change is written out as whole
//! objects and loaded over the input, as a user would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::internals::query::suggest::trial::{AdditionPlace, objects};
use netpal::{
    Addition as Change, AllowGraph, CompileOptions, End, Endpoint, Flow, HostNetwork, Input, IpSet,
    LoadOptions, Obstacle, Pair, Protocol, Source, Suggested, Traffic, TrafficSet, Truth, Verdict,
    explain, load_sources, suggest,
};
use std::collections::BTreeMap;
use std::path::Path;

struct Line {
    flow: [String; 2],
    traffic: Traffic,
    allow: bool,
}

fn lines(case: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(case.join("expected.csv")).unwrap();
    let line = |l: &str| {
        let f: Vec<&str> = l.split(',').collect();
        let traffic = Traffic {
            protocol: Protocol::from_api(f[2]).unwrap(),
            port: f[3].parse().unwrap(),
        };
        Line {
            flow: [f[0].to_owned(), f[1].to_owned()],
            traffic,
            allow: f[4] == "allow",
        }
    };
    // S65 contradicts them: the ends have no address family in common
    let contradicted = |l: &str| {
        let of = |name: &str| case.ends_with(name);
        (of("s39-families") || of("s65-dual-stack")) && l.ends_with("allow")
    };
    let lines = text.lines().filter(|l| !l.is_empty());
    lines.filter(|l| !contradicted(l)).map(line).collect()
}

fn endpoint(input: &Input, text: &str) -> Endpoint {
    let cluster = &input.cluster;
    if let Some((namespace, name)) = text.split_once('/') {
        let found = cluster
            .pods()
            .find(|(id, p)| *p.name == *name && *cluster.pod_namespace(*id).name == *namespace);
        return Endpoint::Pod(found.unwrap().0);
    }
    let address = text.parse().unwrap();
    let pod = cluster
        .pods()
        .find(|(_, p)| !p.host_network && p.addresses.contains(&address));
    pod.map_or(Endpoint::Address(address), |(id, _)| Endpoint::Pod(id))
}

fn flow(input: &Input, line: &Line) -> Flow {
    let [source, destination] = [0, 1].map(|i| endpoint(input, &line.flow[i]));
    Flow {
        source,
        destination,
        traffic: line.traffic,
    }
}

fn end(input: &Input, endpoint: Endpoint) -> End {
    match endpoint {
        Endpoint::Pod(pod) => End::pods(input.cluster.pod(pod).workload, vec![pod]),
        Endpoint::Address(a) => End::Addresses {
            name: a.to_string().into(),
            set: IpSet::single(a),
            symbolic: false,
        },
    }
}

fn pair(input: &Input, graph: &AllowGraph, flow: Flow) -> Pair {
    Pair {
        passing: None,
        parts: Vec::new(),
        led: None,
        to_service: false,
        networks: Vec::new(),
        source: end(input, flow.source),
        destination: end(input, flow.destination),
        asked: TrafficSet::single(flow.traffic),
        allowed: graph.allowed(flow.source, flow.destination),
        verdict: Verdict::No,
        example: flow,
    }
}

fn options() -> CompileOptions {
    CompileOptions::default().host_network(HostNetwork::Node)
}

/// Loads a case with the changes laid over it, as files.
fn reloaded(case: &Path, input: &Input, changes: &[Change]) -> (Input, AllowGraph) {
    let items = objects(input, changes).unwrap();
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
    let base = [Source::Path(case.to_str().unwrap().into())];
    let overlay = [Source::Text("change".into(), list.to_string().into())];
    let before = input.has_errors();
    let input = load_sources(&base, &overlay, &LoadOptions::default()).unwrap();
    assert_eq!(
        input.has_errors(),
        before,
        "the change is valid: {list}: {:?}",
        input.diagnostics
    );
    let graph = AllowGraph::compile(&input, &options()).unwrap();
    (input, graph)
}

#[derive(Default)]
struct Counts {
    asked: usize,
    kinds: BTreeMap<&'static str, usize>,
    obstacles: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

impl Counts {
    fn line(&mut self, case: &Path, input: &Input, graph: &AllowGraph, all: &[Line], line: &Line) {
        let asked = flow(input, line);
        self.asked += 1;
        let name = format!("{}: {:?} {}", case.display(), line.flow, line.traffic);
        match suggest(input, graph, &pair(input, graph, asked)) {
            Suggested::Nothing => self.wrong.push(format!("{name}: nothing to do about a no")),
            Suggested::Impossible(obstacles) => {
                if obstacles.is_empty() {
                    self.wrong
                        .push(format!("{name}: impossible without a reason"));
                }
                for obstacle in obstacles.iter().take(1) {
                    *self.obstacles.entry(word(obstacle)).or_default() += 1;
                    self.wrong
                        .extend(doubted(graph, &asked, obstacle).map(|w| format!("{name}: {w}")));
                }
            }
            Suggested::Changes(changes) => {
                for change in &changes {
                    let kind = match change.place {
                        AdditionPlace::Rule(_) => "rule",
                        AdditionPlace::Port(_) => "port",
                        AdditionPlace::Policy { .. } => "policy",
                    };
                    *self.kinds.entry(kind).or_default() += 1;
                }
                self.tried(case, input, all, line, &changes, &name);
            }
        }
    }

    fn tried(
        &mut self,
        case: &Path,
        input: &Input,
        all: &[Line],
        line: &Line,
        changes: &[Change],
        name: &str,
    ) {
        let (after, graph) = reloaded(case, input, changes);
        for other in all {
            let same = other.flow == line.flow && other.traffic == line.traffic
                || flow(input, other) == flow(input, line);
            let want = Truth::from(other.allow || same);
            let got = graph.verdict(&flow(&after, other));
            if got != want {
                self.wrong.push(format!(
                    "{name}: {:?} {} is {got:?} after it",
                    other.flow, other.traffic
                ));
            }
        }
    }
}

fn word(obstacle: &Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Admin(_) => "admin rule",
        Obstacle::Baseline(_) => "baseline rule",
        Obstacle::Unknown(..) => "unknown",
        Obstacle::HostNetwork(_) => "hostNetwork",
        Obstacle::Unlabelled(_) => "no labels",
        Obstacle::Turns(_) => "turns another flow",
        Obstacle::TooWide => "too wide",
        Obstacle::NotEnough(_) => "not enough",
    }
}

/// An obstacle has to be there: the rule that is blamed is one that decides the flow.
fn doubted(graph: &AllowGraph, asked: &Flow, obstacle: &Obstacle) -> Option<String> {
    let (Obstacle::Admin(rule) | Obstacle::Baseline(rule)) = obstacle else {
        return None;
    };
    let explanation = explain(graph, asked);
    let decides = explanation
        .sides()
        .iter()
        .any(|s| s.decided_by == Some(*rule) && !s.allowed.possible());
    (!decides).then(|| format!("{rule:?} does not decide it"))
}

#[test]
fn every_no_of_the_ground_truth_gets_a_change_or_a_reason() {
    let Ok(root) = std::env::var("NETPAL_CASES") else {
        println!("skipped: NETPAL_CASES is not set");
        return;
    };
    let mut total = 0;
    for suite in [
        "conformance",
        "e2e_netpol",
        "knp_anp",
        "knp_np",
        "spec_corner",
    ] {
        let mut counts = Counts::default();
        let mut cases: Vec<_> = std::fs::read_dir(format!("{root}/{suite}"))
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        cases.sort();
        for case in cases {
            let input = netpal::load([&case]).unwrap();
            let graph = AllowGraph::compile(&input, &options()).unwrap();
            let all = lines(&case);
            for line in all.iter().filter(|l| !l.allow) {
                counts.line(&case, &input, &graph, &all, line);
            }
        }
        let changed = counts.asked - counts.obstacles.values().sum::<usize>();
        println!(
            "{suite}: {} noes; {changed} opened by {:?}; impossible: {:?}; wrong: {}",
            counts.asked,
            counts.kinds,
            counts.obstacles,
            counts.wrong.len()
        );
        assert!(counts.wrong.is_empty(), "{}", counts.wrong.join("\n"));
        total += counts.asked;
    }
    println!("{total} noes in all");
}
