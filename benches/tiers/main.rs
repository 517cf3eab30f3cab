//! Clusters of every size, measured by the clock, for people; what CI holds is counted in instructions (`instructions`).
//!
//! ```text
//! cargo bench --bench tiers -- S M L XL        builds each in memory and measures compile, questions and the matrix
//! cargo bench --bench tiers -- XL=10           a tenth of XL
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod generate;

use generate::make;
use netpal::compile::{Endpoint, Flow};
use netpal::model::PodId;
use netpal::set::{Protocol, Traffic};
use netpal::{AllowGraph, CompileOptions};
use std::hint::black_box;
use std::time::Instant;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    for word in if wanted.is_empty() { vec!["S".into(), "M".into(), "L".into()] } else { wanted } {
        let (name, percent) = word.split_once('=').unwrap_or((&word, "100"));
        let made = make(name, percent.parse().expect("a percentage")).unwrap_or_else(|| panic!("no tier `{name}`"));
        measure(&word, &made);
    }
}

fn clock<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = run();
    println!("  {what:<22} {:>12.3} ms", start.elapsed().as_secs_f64() * 1e3);
    done
}

fn measure(name: &str, made: &generate::Made) {
    println!("{name}");
    let input = clock("build", || made.input());
    let graph = clock("compile", || AllowGraph::compile(&input, &CompileOptions::default()).unwrap());
    let line = graph.line();
    println!(
        "  {} pods, {} classes, {} atoms, {} policies",
        input.cluster.pods().len(),
        line.classes.len(),
        line.atoms.len(),
        input.policies.policies.len()
    );
    points(&graph, input.cluster.pods().len());
    let templates = clock("templates", || graph.templates());
    println!("  {} templates", templates.len());
    let (sure, possible) = clock("matrix", || graph.count_pairs());
    println!("  {sure} pod pairs allowed, {possible} at most");
    let classes: Vec<u32> = (0..line.classes.len()).step_by(line.classes.len().div_ceil(1_000) as usize).collect();
    clock(&format!("{} rows", classes.len()), || classes.iter().for_each(|d| drop(black_box(graph.row(*d)))));
}

fn points(graph: &AllowGraph, pods: usize) {
    let n = 100_000;
    let pod = |i: usize| Endpoint::Pod(PodId(u32::try_from(i % pods).unwrap()));
    let flow = |i: usize| Flow {
        source: pod(i.wrapping_mul(7_919)),
        destination: pod(i.wrapping_mul(104_729) + 1),
        traffic: Traffic { protocol: Protocol::Tcp, port: 8080 },
    };
    let start = Instant::now();
    let allowed = (0..n).filter(|i| graph.verdict(&flow(*i)).allow).count();
    println!(
        "  point query            {:>12.0} ns, {allowed} of {n} allowed",
        start.elapsed().as_secs_f64() * 1e9 / f64::from(u32::try_from(n).unwrap())
    );
}
