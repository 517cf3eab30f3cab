//! Ground truth: every line of every expected.csv, by graph, by graph without classes, and by the
//! specification.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::internals::spec::evaluate;
use netpal::{
    AllowGraph, CompileOptions, Endpoint, Environment, Flow, HostNetwork, Input, Protocol, Traffic,
    Truth,
};
use std::path::{Path, PathBuf};

struct Line {
    flow: Flow,
    text: String,
    allow: bool,
}

fn endpoint(input: &Input, text: &str) -> Endpoint {
    let cluster = &input.cluster;
    if let Some((namespace, name)) = text.split_once('/') {
        let found = cluster
            .pods()
            .find(|(id, p)| *p.name == *name && *cluster.pod_namespace(*id).name == *namespace);
        return Endpoint::Pod(found.unwrap_or_else(|| panic!("no pod {text}")).0);
    }
    let address = text.parse().unwrap();
    let pod = cluster
        .pods()
        .find(|(_, p)| !p.host_network && p.addresses.contains(&address));
    pod.map_or(Endpoint::Address(address), |(id, _)| Endpoint::Pod(id))
}

fn lines(case: &Path, input: &Input) -> Vec<Line> {
    let text = std::fs::read_to_string(case.join("expected.csv")).unwrap();
    text.lines()
        .filter(|l| !l.is_empty())
        .map(|line| {
            let f: Vec<&str> = line.split(',').collect();
            let traffic = Traffic {
                protocol: Protocol::from_api(f[2]).unwrap(),
                port: f[3].parse().unwrap(),
            };
            let flow = Flow {
                source: endpoint(input, f[0]),
                destination: endpoint(input, f[1]),
                traffic,
            };
            Line {
                flow,
                text: line.to_owned(),
                allow: f[4] == "allow",
            }
        })
        .collect()
}

fn cases(suite: &str) -> Option<Vec<PathBuf>> {
    let root = std::env::var("NETPAL_CASES").ok()?;
    let mut found: Vec<PathBuf> = std::fs::read_dir(format!("{root}/{suite}"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    found.sort();
    Some(found)
}

/// Lines that a sentence of the rulebook contradicts, which wins: a connection needs a family that
/// both ends have (S65), and these ends have none in common.
const CONTRADICTED: [(&str, &str); 3] = [
    ("s39-families", "2001:db8::1,app/api,TCP,8080,allow"),
    ("s65-dual-stack", "app/dual,app/db,TCP,5432,allow"),
    (
        "s80-networks-match-pods",
        "app/db,2001:db8::1,TCP,443,allow",
    ),
];

fn run(suite: &str, wanted: usize) {
    let Some(cases) = cases(suite) else {
        println!("skipped: NETPAL_CASES is not set");
        return;
    };
    let (mut count, mut wrong) = (0, Vec::new());
    for case in &cases {
        let input = netpal::load([case]).unwrap();
        let assumed = CompileOptions::default().host_network(HostNetwork::Node);
        let graphs = [true, false]
            .map(|on| AllowGraph::compile(&input, &assumed.clone().classes(on)).unwrap());
        let careful = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        graphs.iter().for_each(AllowGraph::verify);
        let env = Environment::new(&input, &assumed);
        for line in lines(case, &input) {
            count += 1;
            let contradicted = CONTRADICTED
                .iter()
                .any(|(name, text)| case.ends_with(name) && line.text == *text);
            let want = Truth::from(line.allow != contradicted);
            let got = [
                evaluate(&env, &line.flow),
                graphs[0].verdict(&line.flow),
                graphs[1].verdict(&line.flow),
            ];
            let unassumed = careful.verdict(&line.flow);
            if got.iter().any(|p| *p != want) || (unassumed != want && unassumed != Truth::Maybe) {
                wrong.push(format!(
                    "{}: {} -> {:?}, without assumption {unassumed:?}",
                    case.display(),
                    line.text,
                    got
                ));
            }
        }
    }
    println!(
        "{suite}: {} cases, {count} lines, {} mismatches",
        cases.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(count, wanted, "every line was asked");
}

#[test]
fn e2e_netpol() {
    run("e2e_netpol", 506);
}

#[test]
fn knp_np() {
    run("knp_np", 72);
}

#[test]
fn knp_anp() {
    run("knp_anp", 33);
}

#[test]
fn spec_corner() {
    run("spec_corner", 242);
}

#[test]
fn conformance() {
    run("conformance", 301);
}
