//! What netpal costs in memory, counted by an allocator and not by the system: the same on every
//! machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[allow(dead_code)] // made for the benches, of which this uses a part
#[path = "../benches/tiers/generate.rs"]
mod generate;
#[allow(dead_code)]
#[path = "../benches/tiers/kubectl.rs"]
mod kubectl;

use netpal::{AllowGraph, CompileOptions, Input};
use peak_alloc::PeakAlloc;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// One measurement at a time: the allocator counts for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// What a piece of work took at most, and what it left behind, in bytes.
struct Took {
    peak: usize,
    kept: usize,
}

fn measured<T>(work: impl FnOnce() -> T) -> (T, Took) {
    HEAP.reset_peak_usage();
    let before = HEAP.current_usage();
    let done = work();
    let took = Took {
        peak: HEAP.peak_usage() - before,
        kept: HEAP.current_usage().saturating_sub(before),
    };
    (done, took)
}

/// A tier's files as kubectl writes them, in a folder.
fn written(tier: &str, percent: usize) -> (tempfile::TempDir, u64) {
    let directory = tempfile::tempdir().unwrap();
    let bytes = generate::make(tier, percent)
        .unwrap()
        .write(directory.path())
        .unwrap();
    (directory, bytes)
}

fn load(directory: &Path) -> Input {
    let input = netpal::load([directory]).unwrap();
    assert!(!input.has_errors(), "{:?}", input.diagnostics.first());
    input
}

#[test]
fn a_large_file_is_not_kept_and_neither_are_its_trees() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (once, twice) = (written("M", 50), written("M", 100));
    drop(load(once.0.path())); // threads and tables that are made once
    let (half, small) = measured(|| load(once.0.path()));
    let (whole, large) = measured(|| load(twice.0.path()));
    let (pods, of_half) = (whole.cluster.pods().len(), half.cluster.pods().len());
    println!(
        "{pods} pods, {} bytes of text: {} at most, {} kept",
        twice.1, large.peak, large.kept
    );
    println!(
        "{of_half} pods, {} bytes of text: {} at most, {} kept",
        once.1, small.peak, small.kept
    );
    assert!(
        twice.1 > 10_000_000 && large.peak < 8_000_000,
        "the text and its trees pass by"
    );
    let per_pod = (large.kept - small.kept) / (pods - of_half);
    println!("{per_pod} bytes for each pod more, with its share of policies");
    assert!(per_pod < 1_000);
    assert!(
        large.peak * 10 <= small.peak * 23,
        "twice the pods, at most 2.3 times the memory"
    );
}

#[test]
fn a_compiled_graph_is_small() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for (tier, percent, most, left) in [("M", 100, 300_000, 200_000), ("L", 10, 240_000, 170_000)] {
        let input = generate::make(tier, percent).unwrap().input();
        let (graph, took) = measured(|| {
            let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
            graph.count_pairs(); // what is made with the first row counts too
            graph
        });
        println!(
            "{tier} {percent} %: {} at most, {} kept",
            took.peak, took.kept
        );
        assert!(graph.space().classes.len() > 100);
        assert!(took.peak < most && took.kept < left, "{tier}");
    }
}
