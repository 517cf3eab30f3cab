//! Draws a sample of findings over real manifests, for people to judge (docs/lints/evidence.md).
//!
//! `NETPAL_CORPUS=DIR NETPAL_SEED=1 cargo test --test lint_sample -- --ignored --nocapture` prints
//! it: of every rule and severity that fires up to three findings, then of all that are left as
//! many as make the sample up to its size. The draw depends on the findings and the seed alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::{AllowGraph, CompileOptions, LintConfig, Locator, Place, Severity, lint};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const SIZE: usize = 120;
const EACH: usize = 3;

/// Folders that hold several inputs of their own, one in each folder and file: clusters, tests,
/// separate recipes, the two sides of a commit.
const MANY: [&str; 12] = [
    "moj-cloud-platform",
    "np-guard-cases",
    "bad_netpols",
    "diffs",
    "cmo-named-to-numeric-ports",
    "acm-samples",
    "ahmetb-recipes",
    "network-policy-api",
    "policy-assistant-examples",
    "networkpolicies",
    "crdtest",
    "scenarios",
];

/// The inputs: what somebody would lint in one go.
fn folders(corpus: &Path) -> Vec<PathBuf> {
    let mut open = vec![corpus.to_owned()];
    let mut found = Vec::new();
    while let Some(next) = open.pop() {
        let name = next
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let sides = next.join("before").is_dir();
        if next.is_dir() && (next == corpus || sides || MANY.contains(&name.as_str())) {
            let inside = std::fs::read_dir(&next).unwrap().map(|e| e.unwrap().path());
            open.extend(inside.filter(|p| {
                p.is_dir() || (next != corpus && p.extension().is_some_and(|e| e == "yaml"))
            }));
        } else if name != "LICENSES" {
            found.push(next);
        }
    }
    found.sort();
    found
}

/// Small, and the same everywhere (splitmix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(n).unwrap()).unwrap()
    }

    fn take(&mut self, from: &mut Vec<String>, count: usize) -> Vec<String> {
        (0..count.min(from.len()))
            .map(|_| from.swap_remove(self.below(from.len())))
            .collect()
    }
}

fn findings(folder: &Path, corpus: &Path) -> Vec<((&'static str, Severity), String)> {
    let Ok(input) = netpal::load([folder]) else {
        return Vec::new();
    };
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    let config = LintConfig {
        select: vec!["ALL".into()],
        ..LintConfig::default()
    };
    let locator = Locator::new(&input.sources);
    let line = |place: &Place| match place {
        Place::Origin(origin) => locator
            .locate(origin)
            .map_or_else(String::new, |l| format!("{}:{}", l.file, l.at.line)),
        Place::At(l) => format!("{}:{}", l.file, l.at.line),
        Place::Input => folder.display().to_string(),
    };
    let prefix = format!("{}/", corpus.display());
    let told = |f: &netpal::Finding| {
        let text = format!(
            "{} {} {}: {}",
            f.rule,
            f.severity.name(),
            line(&f.place),
            f.message
        )
        .replace(&prefix, "");
        ((f.rule, f.severity), text)
    };
    lint(&input, &graph, &config)
        .findings
        .iter()
        .filter(|f| f.suppressed.is_none())
        .map(told)
        .collect()
}

#[test]
#[ignore = "prints a sample for people to judge; it asserts nothing about the findings"]
fn a_sample_to_judge() {
    let corpus =
        PathBuf::from(std::env::var_os("NETPAL_CORPUS").expect("NETPAL_CORPUS: the manifests"));
    let seed = std::env::var("NETPAL_SEED").map_or(1, |s| s.parse().unwrap());
    let mut by_rule: BTreeMap<(&str, Severity), Vec<String>> = BTreeMap::new();
    for folder in folders(&corpus) {
        for (key, text) in findings(&folder, &corpus) {
            by_rule.entry(key).or_default().push(text);
        }
    }
    let mut draw = Draw(seed);
    let (mut sample, mut rest) = (Vec::new(), Vec::new());
    for ((rule, severity), mut found) in by_rule {
        found.sort();
        println!("{rule} {}: {} findings", severity.name(), found.len());
        sample.extend(draw.take(&mut found, EACH));
        rest.extend(found);
    }
    let more = SIZE.saturating_sub(sample.len());
    sample.extend(draw.take(&mut rest, more));
    sample.sort();
    println!(
        "\nseed {seed}: {} of {} findings",
        sample.len(),
        sample.len() + rest.len()
    );
    sample.iter().for_each(|s| println!("{s}"));
}
