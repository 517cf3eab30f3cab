//! Ground truth of Antrea: the reachability tables of its own tests, its documentation, and corner
//! cases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "common/ground_truth.rs"]
mod ground_truth;

use ground_truth::{Judged, cases, lines, root};
use netpal::{AllowGraph, CniProfile, CompileOptions, HostNetwork, Input};
use std::collections::BTreeMap;
use std::path::Path;

/// The lines of all cases, so that none is skipped in silence.
const LINES: usize = 3023;

const FILES: [&str; 4] = [
    "expected.csv",
    "expected_packet.csv",
    "expected_icmp.csv",
    "conditional.csv",
];

fn compiled(input: &Input, source_port: Option<u16>, classes: bool) -> AllowGraph {
    let profile = CniProfile::find("antrea").unwrap();
    let options = CompileOptions {
        source_port,
        ..profile.apply(CompileOptions::default())
    };
    let options = options.host_network(HostNetwork::Node).classes(classes);
    let graph = AllowGraph::compile(input, &options).unwrap();
    graph.verify();
    graph
}

fn judge(judged: &mut Judged, case: &Path) {
    let input = netpal::load([case]).unwrap();
    let mut graphs: BTreeMap<Option<u16>, [AllowGraph; 2]> = BTreeMap::new();
    for line in FILES.iter().flat_map(|file| lines(case, file, &input)) {
        let both = graphs.entry(line.source_port).or_insert_with(|| {
            [true, false].map(|classes| compiled(&input, line.source_port, classes))
        });
        judged.add(case, &line, both);
    }
}

#[test]
fn antrea_is_answered_to_the_letter() {
    let Some(root) = root() else { return };
    let (cases, mut judged) = (cases(&root, "antrea"), Judged::default());
    for case in &cases {
        judge(&mut judged, case);
    }
    let all = judged.count;
    let wrong = judged.of_suite("antrea", cases.len(), 0);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let is_whole = std::env::var("NETPAL_CASE").is_err();
    assert!(!is_whole || all == LINES, "{all} lines");
}
