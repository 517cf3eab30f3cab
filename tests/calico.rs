//! Ground truth of Calico: its own tests and documentation, random objects judged by its own code,
//! its selector parser, its validator, and real repositories.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "common/ground_truth.rs"]
mod ground_truth;

use ground_truth::endpoint;
use netpal::internals::policy::calico::{LabelExpression, selector};
use netpal::{
    AllowGraph, CalicoSettings, CniProfile, CompileOptions, Flow, HostNetwork, Input, Labels,
    LoadOptions, Protocol, Source, Traffic, Truth,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn cases(suite: &str) -> Option<Vec<PathBuf>> {
    let root = std::env::var("NETPAL_DIALECTS").ok()?;
    let only = std::env::var("NETPAL_CASE").unwrap_or_default();
    let mut found: Vec<PathBuf> = std::fs::read_dir(format!("{root}/cases/{suite}"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir() && p.to_string_lossy().contains(&only))
        .collect();
    found.sort();
    Some(found)
}

/// What a line asks: a flow, maybe from a source port, and the answer.
struct Line {
    text: String,
    flow: Flow,
    source_port: Option<u16>,
    want: Truth,
}

fn traffic(protocol: &str, port: &str, kind: &str, code: &str) -> Option<Traffic> {
    let number = |text: &str| text.parse::<u16>().unwrap_or(0);
    let message = |protocol| Traffic {
        protocol,
        port: number(kind) << 8 | number(code),
    };
    Some(match protocol {
        "ICMP" | "1" => message(Protocol::Icmp),
        "ICMPv6" | "58" => message(Protocol::IcmpV6),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Traffic {
            protocol: Protocol::Other,
            port: number(digits),
        },
        "UDPLite" => Traffic {
            protocol: Protocol::Other,
            port: 136,
        },
        name => Traffic {
            protocol: Protocol::from_api(name)?,
            port: port.parse().ok()?,
        },
    })
}

fn lines(case: &Path, file: &str, input: &Input) -> Vec<Line> {
    let Ok(text) = std::fs::read_to_string(case.join(file)) else {
        return Vec::new();
    };
    let line = |line: &str| {
        let f: Vec<&str> = line.split(',').collect();
        let (traffic, source_port, want) = match file {
            "expected_packet.csv" => (traffic(f[2], f[3], f[5], f[6])?, f[4].parse().ok(), f[7]),
            "expected_icmp.csv" => (traffic(f[2], "", f[3], "")?, None, f[4]),
            _ => (traffic(f[2], f[3], "", "")?, None, f[4]),
        };
        Some(Line {
            text: line.to_owned(),
            flow: Flow {
                source: endpoint(input, f[0])?,
                destination: endpoint(input, f[1])?,
                traffic,
            },
            source_port,
            want: match want {
                "allow" => Truth::Yes,
                "deny" => Truth::No,
                _ => Truth::Maybe,
            },
        })
    };
    text.lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#') && !l.starts_with("src,"))
        .filter_map(line)
        .collect()
}

/// The settings that a case presupposes.
fn settings(case: &Path) -> CalicoSettings {
    let text = std::fs::read_to_string(case.join("meta.json")).unwrap_or_default();
    let meta: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let assumed = &meta["assume"];
    CalicoSettings {
        version: (assumed["ties"] == "pre-3.32").then_some(31),
        native_crds: (assumed["door"] == "native-crd").then_some(true),
        staged: assumed["staged"] == "enforced",
        ..CalicoSettings::default()
    }
}

fn load(case: &Path, settings: &CalicoSettings) -> Input {
    let options = LoadOptions {
        calico: settings.clone(),
        ..LoadOptions::default()
    };
    let source = Source::Path(case.display().to_string().into());
    netpal::load_sources(&[source], &[], &options).unwrap()
}

fn compiled(
    input: &Input,
    settings: &CalicoSettings,
    source_port: Option<u16>,
    classes: bool,
) -> AllowGraph {
    let profile = CniProfile::find("calico").unwrap();
    let options = CompileOptions {
        calico: settings.clone(),
        source_port,
        ..profile.apply(CompileOptions::default())
    };
    let options = options.host_network(HostNetwork::Node).classes(classes);
    let graph = AllowGraph::compile(input, &options).unwrap();
    graph.verify();
    graph
}

/// The answers to the lines of a case: how many, the wrong ones, the open ones.
fn judged(case: &Path, files: &[&str]) -> (usize, Vec<String>, Vec<String>) {
    let settings = settings(case);
    let input = load(case, &settings);
    let mut graphs: BTreeMap<Option<u16>, [AllowGraph; 2]> = BTreeMap::new();
    let (mut count, mut wrong, mut open) = (0, Vec::new(), Vec::new());
    for line in files.iter().flat_map(|file| lines(case, file, &input)) {
        let both = graphs.entry(line.source_port).or_insert_with(|| {
            [true, false].map(|classes| compiled(&input, &settings, line.source_port, classes))
        });
        let [got, without] = [&both[0], &both[1]].map(|graph| graph.verdict(&line.flow));
        let text = format!("{}: {} -> {got:?}", case.display(), line.text);
        assert_eq!(got, without, "without classes: {text}");
        count += 1;
        if got == Truth::Maybe && line.want != Truth::Maybe {
            open.push(text);
        } else if got != line.want {
            wrong.push(text);
        }
    }
    (count, wrong, open)
}

const FILES: [&str; 4] = [
    "expected.csv",
    "expected_packet.csv",
    "expected_icmp.csv",
    "conditional.csv",
];

/// The suites, each with the most lines that may be open: what host endpoints decide, and what
/// depends on a source port that a line does not tell.
const SUITES: [(&str, usize); 3] = [
    ("calico", 195),
    ("calico_run", 42),
    ("calico_run_hosts", 796),
];

#[test]
fn calico_is_answered_to_the_letter() {
    let mut all_wrong = Vec::new();
    for (suite, most) in SUITES {
        let Some(cases) = cases(suite) else {
            println!("skipped: NETPAL_DIALECTS is not set");
            return;
        };
        let (mut count, mut all_open) = (0, Vec::new());
        for case in &cases {
            let (lines, wrong, open) = judged(case, &FILES);
            count += lines;
            all_wrong.extend(wrong);
            all_open.extend(open);
        }
        let (cases, open) = (cases.len(), all_open.len());
        println!("{suite}: {cases} cases, {count} lines, {open} unknown");
        if open > most {
            println!("{}", all_open.join("\n"));
            all_wrong.push(format!("{suite}: {open} lines are unknown, and not {most}"));
        }
    }
    assert!(all_wrong.is_empty(), "{}", all_wrong.join("\n"));
}

const SETS: [&str; 9] = [
    "neco-apps",
    "ibm-kube-samples",
    "calico-yaobank",
    "lokomotive",
    "elastisys",
    "elastisys-allow-all",
    "gsp",
    "vpp-iperf",
    "vpp-iperf-deny",
];

#[test]
fn facts_of_repositories_with_calico_hold() {
    let Ok(root) = std::env::var("NETPAL_DIALECTS") else {
        println!("skipped: NETPAL_DIALECTS is not set");
        return;
    };
    let (mut count, mut all_wrong) = (0, Vec::new());
    for set in SETS {
        let case = PathBuf::from(format!("{root}/corpus/{set}"));
        let (lines, wrong, open) = judged(&case, &["facts.csv"]);
        count += lines;
        println!("{set}: {lines} facts, {} unknown", open.len());
        open.iter().for_each(|line| println!("  unknown {line}"));
        all_wrong.extend(wrong);
    }
    assert!(
        all_wrong.is_empty() && count > 50,
        "{count}: {}",
        all_wrong.join("\n")
    );
}

/// Splits a line of comma separated values, of which some are in quotes.
fn columns(line: &str) -> Vec<String> {
    let (mut all, mut one, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => one.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut one)),
            other => one.push(other),
        }
    }
    all.push(one);
    all
}

#[test]
fn selectors_are_read_and_decided_as_calico_does() {
    let Ok(root) = std::env::var("NETPAL_DIALECTS") else {
        println!("skipped: NETPAL_DIALECTS is not set");
        return;
    };
    let (mut count, mut wrong) = (0, Vec::new());
    for file in ["calico_selectors.csv", "calico_run_selectors.csv"] {
        let text = std::fs::read_to_string(format!("{root}/cases/{file}")).unwrap();
        for record in records(&text) {
            let [text, labels, want] = &columns(&record)[..] else {
                panic!("{record}");
            };
            let labels: BTreeMap<String, String> = serde_json::from_str(labels).unwrap();
            let labels: Labels = labels.into_iter().collect();
            let got = match LabelExpression::parse(text) {
                Ok(found) => selector(&found).matches(&labels).to_string(),
                Err(_) => "invalid".to_owned(),
            };
            count += 1;
            if got != *want {
                wrong.push(format!("{record} -> {got}"));
            }
        }
    }
    println!("{count} selectors");
    assert!(wrong.is_empty() && count > 500, "{}", wrong.join("\n"));
}

/// The records of a file; a value in quotes may have several lines.
fn records(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.split('\n') {
        if open {
            let last = all.last_mut().unwrap();
            last.push('\n');
            last.push_str(line);
        } else if line.is_empty() || line.starts_with('#') {
            continue;
        } else {
            all.push(line.to_owned());
        }
        open ^= line.matches('"').count() % 2 == 1;
    }
    all
}

/// What is wrong with the answer to an object of `calico_validation`, if anything.
fn misjudged(case: &serde_json::Value, door: &str) -> Option<String> {
    let options = LoadOptions {
        calico: CalicoSettings {
            native_crds: Some(door == "native-crd"),
            ..CalicoSettings::default()
        },
        ..LoadOptions::default()
    };
    let text = Source::Text("t.yaml".into(), case["object"].to_string().into());
    let input = netpal::load_sources(&[text], &[], &options).unwrap();
    let is_error = |d: &&netpal::Diagnostic| d.severity == netpal::DiagnosticSeverity::Error;
    let mut errors = input.diagnostics.iter().filter(is_error);
    let expect = case["expect"][door].as_str().unwrap();
    if expect == "valid" {
        return errors.next().map(|e| format!("refused: {}", e.message));
    }
    let paths: Vec<&str> = case["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p.as_str().unwrap())
        .collect();
    let names_it = |e: &netpal::Diagnostic| match &e.place {
        netpal::Place::Origin(origin) => {
            let at = origin.path.to_string();
            paths.iter().any(|path| at.starts_with(path))
        }
        _ => false,
    };
    (!errors.any(names_it)).then(|| format!("no error at {paths:?}: {:?}", input.diagnostics))
}

#[test]
fn objects_that_calico_refuses_are_told_with_the_field_at_fault() {
    let Ok(root) = std::env::var("NETPAL_DIALECTS") else {
        println!("skipped: NETPAL_DIALECTS is not set");
        return;
    };
    let text = std::fs::read_to_string(format!("{root}/cases/calico_validation/cases.yaml"));
    let cases: serde_json::Value = serde_yaml::from_str(&text.unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        for door in ["api", "native-crd"] {
            if let Some(what) = misjudged(case, door) {
                wrong.push(format!("{} {door}: {what}", case["id"]));
            }
        }
    }
    println!("{} objects", cases.len());
    assert!(
        wrong.is_empty() && cases.len() > 100,
        "{}",
        wrong.join("\n")
    );
}
