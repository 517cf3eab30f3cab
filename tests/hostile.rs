//! Hostile input: manifests cut, doubled, turned and salted at random must never panic, and never
//! cost more than they are worth. What comes out is not looked at: only that something does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::many_single_char_names
)]

use netpal::{AllowGraph, CompileOptions, ListFilter as Filter, load_str};
use proptest::prelude::*;

const SEEDS: [&str; 4] = [
    include_str!("../examples/demo/data.yaml"),
    include_str!("../examples/demo/shop.yaml"),
    include_str!("../examples/demo/platform.yaml"),
    include_str!("../examples/three-tier/policy.yaml"),
];

/// Pieces that have broken readers before.
const SALT: [&str; 24] = [
    "---\n",
    "{{ .x }}",
    "\t",
    "&a ",
    "*a",
    "<<: ",
    "? ",
    "!!binary ",
    "\u{feff}",
    "\r\n",
    "%YAML 1.1\n",
    "...\n",
    "[",
    "{",
    "\"",
    "'",
    "|\n",
    ">-\n",
    "\u{0}",
    "\u{202e}",
    "9999999999999999999",
    "0x",
    "-.inf",
    "null",
];

#[derive(Debug, Clone)]
enum Change {
    Cut(usize, usize),
    Double(usize, usize),
    Salt(usize, usize),
    Swap(usize, usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..6_000_usize;
    prop_oneof![
        (at.clone(), 1..80_usize).prop_map(|(a, n)| Change::Cut(a, n)),
        (at.clone(), 1..400_usize).prop_map(|(a, n)| Change::Double(a, n)),
        (at.clone(), 0..SALT.len()).prop_map(|(a, n)| Change::Salt(a, n)),
        (at.clone(), at, 1..60_usize).prop_map(|(a, b, n)| Change::Swap(a, b, n)),
    ]
}

/// Applies a change by characters, so that the text stays text.
fn apply(text: &str, change: &Change) -> String {
    let chars: Vec<char> = text.chars().collect();
    let span = |a: usize, n: usize| {
        let a = a % chars.len().max(1);
        a..(a + n).min(chars.len())
    };
    let mut out = chars.clone();
    match *change {
        Change::Cut(a, n) => drop(out.drain(span(a, n))),
        Change::Double(a, n) => {
            let piece = chars[span(a, n)].to_vec();
            let at = a % (chars.len() + 1);
            out.splice(at..at, piece);
        }
        Change::Salt(a, n) => {
            let at = a % (chars.len() + 1);
            out.splice(at..at, SALT[n].chars());
        }
        Change::Swap(a, b, n) => {
            for i in 0..n {
                let (x, y) = ((a + i) % chars.len().max(1), (b + i) % chars.len().max(1));
                out.swap(x, y);
            }
        }
    }
    out.into_iter().collect()
}

fn survives(text: &str) {
    let input = load_str(text);
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    graph.verify();
    let entries = netpal::list(&graph, &Filter::default()).entries;
    for entry in entries.iter().take(5) {
        netpal::explain(&graph, &entry.example);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn damaged_manifests_are_read_without_a_panic(seed in 0..SEEDS.len(), changes in prop::collection::vec(change(), 1..6)) {
        let text = changes.iter().fold(SEEDS[seed].to_owned(), |text, c| apply(&text, c));
        survives(&text);
    }

    #[test]
    fn damaged_json_is_read_without_a_panic(cut in 0..2_000_usize, salt in 0..SALT.len(), at in 0..2_000_usize) {
        let json = r#"{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "n", "labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80, "name": "x"}]}]}, "status": {"podIP": "10.0.0.1"}}, {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "n"}, "spec": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}], "ports": [{"port": "x", "protocol": "TCP"}]}]}}]}"#;
        let salted = apply(json, &Change::Salt(at % json.len(), salt));
        let cut: String = salted.chars().take(cut % (salted.len() + 1)).collect();
        survives(&salted);
        survives(&cut);
    }

    #[test]
    fn any_text_is_a_question_or_an_error(text in "\\PC{0,40}") {
        let _ = text.parse::<netpal::Question>();
        let _ = text.parse::<netpal::EndpointSpec>();
    }
}
