//! What is read, with bytes that nobody meant: the functions of `fuzz/runs.rs`, driven by examples
//! that are damaged at random. `NETPAL_FUZZ=60` goes on for so many seconds with each of them.
//!
//! A run that panics, or takes longer than [`MOST`], prints its bytes; what is mended there gets a
//! test beside the code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[allow(dead_code)] // a part of the generator is used
#[path = "common/random.rs"]
mod random;
#[path = "../fuzz/runs.rs"]
mod runs;

use random::Random;
use std::time::{Duration, Instant};

/// How many inputs each function gets without `NETPAL_FUZZ`.
const INPUTS: u64 = 40;

/// What one input may take, in a build without optimization on a busy machine.
const MOST: Duration = Duration::from_secs(10);

/// Texts to begin with.
const EXAMPLES: [&str; 6] = [
    include_str!("../examples/demo/data.yaml"),
    include_str!("../examples/demo/shop.yaml"),
    include_str!("../examples/three-tier/policy.yaml"),
    include_str!("data/doors/services.yaml"),
    include_str!("data/doors/gateway.yaml"),
    include_str!("data/operators/broker-and-cache.yaml"),
];

/// Pieces of the languages that are read.
const PIECES: [&str; 40] = [
    "---\n",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "&a ",
    "*a",
    "<<: ",
    "|\n",
    ">-\n",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{0}",
    "\u{202e}",
    "null",
    "~",
    "-1",
    "65536",
    "0x10",
    "1e9",
    "-.inf",
    "10.0.0.0/8",
    "::/0",
    "all()",
    "has(",
    " in {",
    " && ",
    "!",
    "||",
    " reach ",
    ":http/UDP",
    "any-pod",
    "internet",
    "expr: ",
    "namespace/",
];

/// Bytes of a text, damaged.
fn damaged(random: &mut Random, text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(200)).min(bytes.len());
        match random.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            2 => {
                let piece = random.pick(&PIECES).bytes();
                bytes.splice(at..at, piece);
            }
            3 if at < bytes.len() => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            _ => bytes.truncate(end.max(1)),
        }
    }
    bytes
}

/// Runs one input; its bytes are printed where it fails.
fn survives(run: fn(&[u8]), bytes: &[u8]) {
    let begun = Instant::now();
    let ended = std::panic::catch_unwind(|| run(bytes));
    let took = begun.elapsed();
    let shown = || String::from_utf8_lossy(bytes).into_owned();
    assert!(ended.is_ok(), "a panic on {:?}", shown());
    assert!(took < MOST, "{took:?} on {:?}", shown());
}

/// Runs a function on damaged texts.
fn fuzz(run: fn(&[u8]), texts: &[&str]) {
    let seconds = std::env::var("NETPAL_FUZZ")
        .ok()
        .map(|n| n.parse().expect("a number"));
    let (begun, first) = (Instant::now(), std::env::var("NETPAL_SEED").ok());
    let first: u64 = first.map_or(0, |n| n.parse().expect("a number"));
    texts.iter().for_each(|text| survives(run, text.as_bytes()));
    for seed in first.. {
        let goes_on = match seconds {
            Some(seconds) => begun.elapsed() < Duration::from_secs(seconds),
            None => seed < first + INPUTS,
        };
        if !goes_on {
            println!("{} inputs in {:?}", seed - first, begun.elapsed());
            return;
        }
        let mut random = Random::new(seed);
        let text = *random.pick(texts);
        survives(run, &damaged(&mut random, text));
    }
}

#[test]
fn manifests_of_any_form_are_survived() {
    fuzz(runs::manifests, &EXAMPLES);
}

#[test]
fn objects_of_any_dialect_are_survived() {
    let mut random = Random::new(1);
    let texts: Vec<String> = (0..12)
        .map(|_| random::text(&random::documents(&mut random)))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    fuzz(runs::manifests, &texts);
}

#[test]
fn listings_of_any_form_are_survived() {
    let mut random = Random::new(2);
    let lists = (0..12).map(|_| {
        let documents = random::documents(&mut random);
        let documents = documents.iter().map(ToString::to_string);
        documents.collect::<Vec<String>>().join(",")
    });
    let lists: Vec<String> = lists.collect();
    let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
    fuzz(runs::listings, &lists);
}

#[test]
fn questions_of_any_form_are_survived() {
    fuzz(
        runs::questions,
        &[
            "shop/web reach data/db:5432",
            "internet reach svc/data/db:http/UDP",
            "10.0.0.0/8 reach deploy/data/db:1-65535",
            "any-pod,app=web reach node/n1:80",
            "shop/ reach [2001:db8::1]:443/TCP",
        ],
    );
}

#[test]
fn selectors_of_any_form_are_survived() {
    fuzz(
        runs::selectors,
        &[
            "app == 'web' && !has(tier) || role in {'a', 'b'}",
            "!(projectcalico.org/namespace == \"shop\") && app starts with 'w'",
            "all() && (global() || pcns.team not in {'x'})",
        ],
    );
}

#[test]
fn files_of_any_form_are_survived() {
    let texts = [
        "version: 1\ntests:\n- {name: one, can: 'shop/a -> data/b:5432'}\n\
         - {name: two, cannot: [internet -> data/], on: 80}\n- {name: three, only-from: shop/, to: data/b}\n",
        "inputs: [deploy]\ncluster:\n  cni: cilium\n  calico: {endpoint-to-host: Accept}\n\
         world: {assume: open}\nlint: {rules: {NP001: off}}\n",
        "- kind: Cache\n  group: example.com\n  pods: [{name: '{name}'}]\n",
        "# netpal snapshot v1 unit=workload cni=generic\nshop/a -> data/b: 80/TCP\n",
    ];
    fuzz(runs::files, &texts);
}
