//! What the work costs in instructions, counted by callgrind: the same on every run, so it may fail
//! a build.
//!
//! ```text
//! cargo bench --bench instructions             counts, and compares with benches/instructions.csv
//! cargo bench --bench instructions -- update   counts, and writes benches/instructions.csv
//! ```
//!
//! Two gates. A benchmark may cost at most 3 % more than its line in the file (and a change that
//! makes it cheaper by as much updates the file). Twice the input may cost at most 2.3 times as
//! much, for every shape in [`SCALING`]. Needs `valgrind`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss
)]

#[allow(dead_code)] // each bench uses a part of it
#[path = "tiers/generate.rs"]
mod generate;
#[allow(dead_code)]
#[path = "tiers/kubectl.rs"]
mod kubectl;
#[path = "tiers/work.rs"]
mod work;

use netpal::{AllowGraph, CompileOptions, Endpoint, Flow, Input, PodId, Protocol, Traffic};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::{Command, ExitCode};

/// The benchmarks: what is done, on which cluster.
const GATED: [(&str, &str, usize); 14] = [
    ("read", "S", 100),
    ("read", "M", 100),
    ("json", "M", 100),
    ("yaml", "M", 100),
    ("compile", "S", 100),
    ("compile", "M", 100),
    ("compile", "L", 10),
    ("matrix", "M", 100),
    ("rows", "M", 100),
    ("verdicts", "M", 100),
    ("matrix", "ADMIN", 10),
    ("list", "M", 100),
    ("closure", "M", 100),
    ("diff", "M", 100),
];

/// The shapes that are doubled, with the smaller size in percent.
const SCALING: [(&str, usize); 11] = [
    ("L", 10),
    ("OCP", 8),
    ("XL", 2),
    ("ANT_small", 2),
    ("ANT_large", 2),
    ("ANT_one", 10),
    ("ANT_perpod", 10),
    ("PERPOD150k", 2),
    ("KB_medium", 1),
    ("XLU", 2),
    ("ADMIN", 10),
];

/// The commands that are doubled besides: what they find may grow faster than the cluster, what
/// they do may not. Of the table the first lines are listed; a closure is asked for pods all over
/// the cluster, which is too large to tell nodes apart.
const COMMANDS: [(&str, &str, usize); 6] = [
    ("diff", "L", 10),
    ("diff", "XL", 2),
    ("closures", "L", 25),
    ("closures", "XL", 2),
    ("lines", "L", 20),
    ("lines", "XL", 2),
];
const MOST: f64 = 2.3;
const TOLERANCE: f64 = 0.03;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["one", work, tier, percent] => {
            let percent = percent.parse().expect("a percentage");
            // callgrind collects on the thread that enters `counted_work`, so that is to be the one
            // thread of the pool
            rayon::scope(|_| one(work, tier, percent));
            ExitCode::SUCCESS
        }
        ["update"] => update(),
        _ if Command::new("valgrind").arg("--version").output().is_err() => {
            println!("skipped: valgrind is not installed");
            ExitCode::SUCCESS
        }
        _ if gates() & scales() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn file() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.csv").into()
}

fn update() -> ExitCode {
    let line = |(work, tier, percent): &(&str, &str, usize)| {
        let counted = count(work, tier, *percent);
        println!("{work:<9} {tier:<11} {percent:>4} % {counted:>14}");
        format!("{work},{tier},{percent},{counted}\n")
    };
    let lines: String = GATED
        .iter()
        .flat_map(|b| line(b).chars().collect::<Vec<_>>())
        .collect();
    std::fs::write(file(), format!("work,tier,percent,instructions\n{lines}"))
        .expect("a file that can be written");
    ExitCode::SUCCESS
}

/// Compares every benchmark with its line in the file.
fn gates() -> bool {
    let text =
        std::fs::read_to_string(file()).expect("benches/instructions.csv; make it with `update`");
    let known: BTreeMap<&str, u64> = text
        .lines()
        .skip(1)
        .filter_map(|l| l.rsplit_once(',').map(|(k, n)| (k, n.parse().unwrap())))
        .collect();
    let mut fine = true;
    for (work, tier, percent) in GATED {
        let counted = count(work, tier, percent);
        let before = known
            .get(format!("{work},{tier},{percent}").as_str())
            .copied()
            .unwrap_or(0);
        let change = counted as f64 / before as f64 - 1.0;
        let word = match change {
            c if c > TOLERANCE => "  COSTS MORE",
            c if c < -TOLERANCE => "  costs less: update benches/instructions.csv",
            _ => "",
        };
        println!(
            "{work:<9} {tier:<11} {percent:>4} % {counted:>14} {:>+7.2} %{word}",
            change * 100.0
        );
        fine &= word.is_empty();
    }
    fine
}

/// Doubles every shape.
fn scales() -> bool {
    let mut fine = true;
    for (tier, percent) in SCALING {
        // a team has eight namespaces, so the small sizes have one or two, and every policy of
        // KB_medium names every pod: what the matrix says grows with policies times pods until
        // there are teams enough (x2.1 from 760 policies on)
        let works = if tier == "KB_medium" {
            &["compile"][..]
        } else {
            &["compile", "matrix"]
        };
        works
            .iter()
            .for_each(|work| fine &= doubles(work, tier, percent));
    }
    COMMANDS
        .iter()
        .for_each(|(work, tier, percent)| fine &= doubles(work, tier, *percent));
    fine
}

/// Whether twice the cluster costs about twice as much.
fn doubles(work: &str, tier: &str, percent: usize) -> bool {
    let [once, twice] = [percent, percent * 2].map(|p| count(work, tier, p));
    let factor = twice as f64 / once as f64;
    let word = if factor > MOST {
        "  GROWS TOO FAST"
    } else {
        ""
    };
    println!("{work:<9} {tier:<11} {percent:>4} % {once:>14} -> {twice:>14} x{factor:.2}{word}");
    word.is_empty()
}

/// Runs one piece of work in a process of its own, under callgrind, and reads how many instructions
/// it took.
fn count(work: &str, tier: &str, percent: usize) -> u64 {
    let run = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--collect-atstart=no",
        ])
        .arg("--toggle-collect=*counted_work*")
        .arg(std::env::current_exe().expect("its own path"))
        .args(["one", work, tier, &percent.to_string()])
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .expect("valgrind runs");
    let told = String::from_utf8_lossy(&run.stderr);
    let collected = told
        .lines()
        .find_map(|l| l.split_once("Collected :"))
        .expect("callgrind counts");
    collected.1.trim().parse().expect("a number")
}

/// What is counted: callgrind collects while this function runs. No closures of its own, whose
/// names would match too.
#[inline(never)]
fn counted_work(work: &mut dyn FnMut()) {
    work();
}

fn one(work: &str, tier: &str, percent: usize) {
    let made = generate::make(tier, percent).expect("a tier");
    if work == "read" {
        let law = made.law();
        return counted_work(&mut || drop(black_box(netpal::load_str(&law))));
    }
    if let Some(text) = written(work, &made) {
        return counted_work(&mut || drop(black_box(netpal::load_str(&text))));
    }
    let input = made.input();
    let compile = |input: &Input| {
        AllowGraph::compile(input, &CompileOptions::default()).expect("not too large")
    };
    if work == "compile" {
        return counted_work(&mut || drop(black_box(compile(&input))));
    }
    let graph = compile(&input);
    match work {
        "matrix" => counted_work(&mut || _ = black_box(graph.count_pairs())),
        "rows" => {
            let classes: Vec<_> = graph.space().classes.list.indexes().take(100).collect();
            counted_work(&mut || classes.iter().for_each(|c| drop(black_box(graph.row(*c)))));
        }
        "list" => counted_work(&mut || _ = black_box(work::list(&graph, usize::MAX))),
        "lines" => counted_work(&mut || _ = black_box(work::list(&graph, 10_000))),
        "closures" => counted_work(&mut || _ = black_box(work::closures(&graph))),
        "closure" => counted_work(&mut || _ = black_box(work::closure(&graph))),
        "diff" | "edit" => {
            let nth = if work == "diff" {
                50
            } else {
                input.policies.policies.len().div_ceil(20)
            };
            let (after, of) = work::other_side(generate::make(tier, percent).expect("a tier"), nth);
            counted_work(&mut || drop(black_box(work::diff((&input, &graph), (&after, &of)))));
        }
        "verdicts" => {
            let flows: Vec<Flow> = (0..1_000)
                .map(|i| flow(i, input.cluster.pods().len()))
                .collect();
            counted_work(&mut || flows.iter().for_each(|f| _ = black_box(graph.verdict(f))));
        }
        _ => panic!("no work `{work}`"),
    }
}

/// What is read: the pods as kubectl prints them, or half a megabyte of a repository.
fn written(work: &str, made: &generate::Made) -> Option<String> {
    match work {
        "json" => Some(made.pods_json()),
        "yaml" => Some(made.yaml(500_000)),
        _ => None,
    }
}

fn flow(i: usize, pods: usize) -> Flow {
    let pod = |i: usize| Endpoint::Pod(PodId(u32::try_from(i % pods).unwrap()));
    let traffic = Traffic {
        protocol: Protocol::Tcp,
        port: 8080,
    };
    Flow {
        source: pod(i * 7_919),
        destination: pod(i * 104_729 + 1),
        traffic,
    }
}
