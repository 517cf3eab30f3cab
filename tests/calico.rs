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

use ground_truth::{Judged, cases, lines, load_object, meta, missed, refusal, root};
use netpal::internals::policy::calico::{LabelExpression, selector};
use netpal::{
    AllowGraph, CalicoSettings, CniProfile, CompileOptions, HostNetwork, Input, Labels,
    LoadOptions, Source,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The settings that a case presupposes.
fn settings(case: &Path) -> CalicoSettings {
    let assumed = &meta(case)["assume"];
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

/// Judges the answers to the lines of a case.
fn judge(judged: &mut Judged, case: &Path, files: &[&str]) {
    let settings = settings(case);
    let input = load(case, &settings);
    let mut graphs: BTreeMap<Option<u16>, [AllowGraph; 2]> = BTreeMap::new();
    for line in files.iter().flat_map(|file| lines(case, file, &input)) {
        let both = graphs.entry(line.source_port).or_insert_with(|| {
            [true, false].map(|classes| compiled(&input, &settings, line.source_port, classes))
        });
        judged.add(case, &line, both);
    }
}

const FILES: [&str; 4] = [
    "expected.csv",
    "expected_packet.csv",
    "expected_icmp.csv",
    "conditional.csv",
];

/// The suites, each with the most lines that may be open: what depends on a source port that a line
/// does not tell.
const SUITES: [(&str, usize); 3] = [("calico", 0), ("calico_run", 42), ("calico_run_hosts", 2)];

#[test]
fn calico_is_answered_to_the_letter() {
    let Some(root) = root() else { return };
    let mut wrong = Vec::new();
    for (suite, most) in SUITES {
        let (cases, mut judged) = (cases(&root, suite), Judged::default());
        for case in &cases {
            judge(&mut judged, case, &FILES);
        }
        wrong.extend(judged.of_suite(suite, cases.len(), most));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
    let Some(root) = root() else { return };
    let mut judged = Judged::default();
    for set in SETS {
        let case = PathBuf::from(format!("{root}/corpus/{set}"));
        judge(&mut judged, &case, &["facts.csv"]);
    }
    let Judged {
        count,
        unknown,
        wrong,
    } = judged;
    println!("{count} facts, unknown:\n{}", unknown.join("\n"));
    assert!(
        wrong.is_empty() && count > 50,
        "{count}: {}",
        wrong.join("\n")
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
    let Some(root) = root() else { return };
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
    let input = load_object(&case["object"], &options);
    if case["expect"][door] == "valid" {
        return refusal(&input);
    }
    let paths = case["paths"].as_array().unwrap();
    let paths: Vec<&str> = paths.iter().map(|p| p.as_str().unwrap()).collect();
    missed(&input, &paths)
}

#[test]
fn objects_that_calico_refuses_are_told_with_the_field_at_fault() {
    let Some(root) = root() else { return };
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
