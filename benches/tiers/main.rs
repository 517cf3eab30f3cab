//! Clusters of every size, measured by the clock, for people; what CI holds is counted in
//! instructions (`instructions`).
//!
//! ```text
//! cargo bench --bench tiers -- S M L XL          builds each in memory; measures compile, questions and the matrix
//! cargo bench --bench tiers -- XL=10             a tenth of XL
//! cargo bench --bench tiers -- shapes            the shapes that are known to hurt
//! cargo bench --bench tiers -- commands M L      measures closures and diffs
//! cargo bench --bench tiers -- load M L          writes what kubectl would write, and measures reading it
//! cargo bench --bench tiers -- load-yaml M L     writes what a repository would hold, and measures reading it
//! cargo bench --bench tiers -- write target/L L  writes it and leaves it there
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss
)]

mod generate;
#[allow(dead_code)] // each bench uses a part of it
mod kubectl;
mod work;

use generate::make;
use netpal::{AllowGraph, CompileOptions, Endpoint, Flow, PodId, Protocol, Traffic};
use std::hint::black_box;
use std::time::Instant;

/// The allocator of the binary.
#[cfg(feature = "cli")]
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => ["S", "M", "L"].iter().for_each(|w| measure(w, &made(w))),
        ["shapes"] => generate::SHAPES.iter().for_each(|w| measure(w, &made(w))),
        ["commands", ref tiers @ ..] => tiers.iter().for_each(|w| commands(w)),
        ["load", ref tiers @ ..] => tiers.iter().for_each(|w| load(w, &made(w))),
        ["load-yaml", ref tiers @ ..] => tiers.iter().for_each(|w| load_yaml(w, &made(w))),
        ["write", directory, tier] => {
            let bytes = made(tier)
                .write(directory.as_ref())
                .expect("a directory that can be written");
            println!("{bytes} bytes");
        }
        ref tiers => tiers.iter().for_each(|w| measure(w, &made(w))),
    }
}

fn made(word: &str) -> generate::Made {
    let (name, percent) = word.split_once('=').unwrap_or((word, "100"));
    make(name, percent.parse().expect("a percentage")).unwrap_or_else(|| panic!("no tier `{name}`"))
}

fn load(name: &str, made: &generate::Made) {
    println!("{name}");
    let directory = tempfile::tempdir().expect("a directory that can be written");
    let bytes = made
        .write(directory.path())
        .expect("a directory that can be written");
    println!("  {:.1} MB of JSON", bytes as f64 / 1e6);
    let input = clock("load", || netpal::load([directory.path()]).unwrap());
    assert!(!input.has_errors(), "{:?}", input.diagnostics.first());
    println!(
        "  {} pods, {} policies; {} MB at most in memory",
        input.cluster.pods().len(),
        input.policies.policies.len(),
        peak_memory()
    );
}

fn load_yaml(name: &str, made: &generate::Made) {
    println!("{name}");
    let directory = tempfile::tempdir().expect("a directory that can be written");
    let text = made.yaml(usize::MAX);
    std::fs::write(directory.path().join("all.yaml"), &text)
        .expect("a directory that can be written");
    println!("  {:.1} MB of YAML", text.len() as f64 / 1e6);
    drop(text);
    let input = clock("load", || netpal::load([directory.path()]).unwrap());
    assert!(!input.has_errors(), "{:?}", input.diagnostics.first());
    println!(
        "  {} pods, {} policies",
        input.cluster.pods().len(),
        input.policies.policies.len()
    );
}

/// The most memory the process has had, in MB, where the system tells.
fn peak_memory() -> u64 {
    memory("VmHWM:")
}

fn memory(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(what));
    line.and_then(|l| l.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

/// Runs and prints the time: by the clock, and on the processors, which tells more on a busy
/// machine.
fn clock<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let (start, before) = (Instant::now(), on_processors());
    let done = run();
    let wall = start.elapsed().as_secs_f64() * 1e3;
    println!(
        "  {what:<22} {wall:>12.3} ms {:>12.3} ms on processors",
        on_processors() - before
    );
    done
}

/// Runs five times and prints the median of the times, as [`clock`] does; the last result stays.
fn median<T>(what: &str, mut run: impl FnMut() -> T) -> T {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..5 {
        drop(last.take());
        let (start, before) = (Instant::now(), on_processors());
        last = Some(run());
        times.push((
            start.elapsed().as_secs_f64() * 1e3,
            on_processors() - before,
        ));
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (least, middle) = (times[0].0, times[2]);
    println!(
        "  {what:<22} {:>12.3} ms {:>12.3} ms on processors, {least:.3} ms at best",
        middle.0, middle.1
    );
    last.expect("five runs")
}

/// How long the threads of this process have run on processors, in ms, where the system tells.
fn on_processors() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let ran = |path: std::path::PathBuf| {
        std::fs::read_to_string(path.join("schedstat"))
            .ok()?
            .split(' ')
            .next()?
            .parse::<f64>()
            .ok()
    };
    threads.filter_map(|t| ran(t.path())).sum::<f64>() / 1e6
}

fn measure(name: &str, made: &generate::Made) {
    println!("{name}");
    let input = clock("build", || made.input());
    let before = memory("VmRSS:");
    let graph = median("compile", || {
        AllowGraph::compile(&input, &CompileOptions::default()).unwrap()
    });
    let line = graph.space();
    println!(
        "  {} pods, {} classes, {} atoms, {} policies",
        input.cluster.pods().len(),
        line.classes.len(),
        line.atoms.len(),
        input.policies.policies.len()
    );
    println!(
        "  {} MB in memory, {before} MB before compiling",
        memory("VmRSS:")
    );
    points(&graph, input.cluster.pods().len());
    let templates = clock("templates", || graph.destination_classes());
    println!("  {} templates", templates.len());
    let (sure, possible) = median("matrix", || graph.count_pairs());
    println!(
        "  {sure} pod pairs allowed, {possible} at most; {} MB at most in memory",
        peak_memory()
    );
    let classes = line.classes.list.indexes();
    let step = classes.len().div_ceil(1_000);
    let classes: Vec<_> = classes.step_by(step).collect();
    clock(&format!("{} rows", classes.len()), || {
        classes.iter().for_each(|d| drop(black_box(graph.row(*d))));
    });
    let lines = clock("list, 10,000 lines", || work::list(&graph, 10_000));
    println!("  {lines} lines");
}

/// The commands whose cost depends on what they find: every source of a pod over any number of
/// hops, and what taking away every fiftieth policy changes.
fn commands(name: &str) {
    println!("{name}");
    let input = made(name).input();
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    work::closure(&graph); // what is made once of a graph
    let found = clock("closures of eight pods", || work::closures(&graph));
    println!("  {found} units found");
    let policies = input.policies.policies.len();
    for (what, nth) in [
        ("diff, 20 policies gone", policies.div_ceil(20)),
        ("diff, a fiftieth gone", 50),
    ] {
        let (after, of) = work::other_side(made(name), nth);
        let diff = clock(what, || work::diff((&input, &graph), (&after, &of)));
        let unchanged = clock("what stays, counted", || diff.unchanged.count());
        println!("  {} changes, {unchanged} pairs stay", diff.changes.len());
    }
}

fn points(graph: &AllowGraph, pods: usize) {
    let n = 100_000;
    let pod = |i: usize| Endpoint::Pod(PodId(u32::try_from(i % pods).unwrap()));
    let flow = |i: usize| Flow {
        source: pod(i.wrapping_mul(7_919)),
        destination: pod(i.wrapping_mul(104_729) + 1),
        traffic: Traffic {
            protocol: Protocol::Tcp,
            port: 8080,
        },
    };
    let mut times = Vec::new();
    let mut allowed = 0;
    for round in 0..9 {
        let start = Instant::now();
        allowed = (round * n..(round + 1) * n)
            .filter(|i| graph.verdict(&flow(*i)).possible())
            .count();
        times.push(start.elapsed().as_secs_f64() * 1e9 / n as f64);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "  point query            {:>12.0} ns, {:.0} ns at best, {allowed} of {n} allowed",
        times[4], times[0]
    );
}
