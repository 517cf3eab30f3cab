//! Ground truth that is read in place: the cases of a suite, the lines of their tables, which end
//! of a flow a word of a table means, and how answers are judged.
// every test file is a crate of its own and uses a part
#![allow(dead_code)]

use netpal::{
    AllowGraph, Diagnostic, DiagnosticSeverity, Endpoint, Flow, Input, LoadOptions, Place,
    Protocol, Source, Traffic, Truth,
};
use std::path::{Path, PathBuf};

/// Where the ground truth of the policy APIs is; says that the test is skipped where that is not
/// told.
pub fn root() -> Option<String> {
    let root = std::env::var("NETPAL_DIALECTS").ok();
    if root.is_none() {
        println!("skipped: NETPAL_DIALECTS is not set");
    }
    root
}

/// The cases of a suite, or those of them whose path contains `NETPAL_CASE`.
pub fn cases(root: &str, suite: &str) -> Vec<PathBuf> {
    let only = std::env::var("NETPAL_CASE").unwrap_or_default();
    let mut found: Vec<PathBuf> = std::fs::read_dir(format!("{root}/cases/{suite}"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir() && p.to_string_lossy().contains(&only))
        .collect();
    found.sort();
    found
}

/// Loads one object that stands in a table.
pub fn load_object(object: &serde_json::Value, options: &LoadOptions) -> Input {
    let text = Source::Text("t.yaml".into(), object.to_string().into());
    netpal::load_sources(&[text], &[], options).unwrap()
}

/// The first error about an input, if there is one.
pub fn refusal(input: &Input) -> Option<String> {
    let first = errors(input).next()?;
    Some(format!("refused: {}", first.message))
}

/// That no error names a field at one of the paths or below, if that is so.
pub fn missed(input: &Input, paths: &[&str]) -> Option<String> {
    let names_it = |e: &Diagnostic| match &e.place {
        Place::Origin(origin) => {
            let at = origin.path.to_string();
            paths.iter().any(|path| at.starts_with(path))
        }
        _ => false,
    };
    let is_named = errors(input).any(names_it);
    (!is_named).then(|| format!("no error at {paths:?}: {:?}", input.diagnostics))
}

fn errors(input: &Input) -> impl Iterator<Item = &Diagnostic> {
    let all = input.diagnostics.iter();
    all.filter(|d| d.severity == DiagnosticSeverity::Error)
}

/// What a case says of the cluster that it presupposes.
pub fn meta(case: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(case.join("meta.json")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// What a line asks: a flow, maybe from a source port, and the answer.
pub struct Line {
    pub text: String,
    pub flow: Flow,
    pub source_port: Option<u16>,
    pub want: Truth,
}

/// The lines of a case that can be asked: both ends are in the input, and they name traffic.
pub fn lines(case: &Path, file: &str, input: &Input) -> Vec<Line> {
    let Ok(text) = std::fs::read_to_string(case.join(file)) else {
        return Vec::new();
    };
    let rows = text.lines();
    let rows = rows.filter(|l| !l.is_empty() && !l.starts_with('#') && !l.starts_with("src,"));
    rows.filter_map(|row| line(row, file, input)).collect()
}

/// The lines of a case that ask about one network each, with the network.
pub fn lines_by_network(case: &Path, input: &Input) -> Vec<(String, Line)> {
    let file = "expected_network.csv";
    let text = std::fs::read_to_string(case.join(file)).unwrap_or_default();
    let rows = text.lines().filter(|l| !l.is_empty());
    let rows = rows.filter(|l| !l.starts_with('#') && !l.starts_with("network,"));
    let of_row = |row: &str| {
        let (network, rest) = row.split_once(',')?;
        let mut line = line(rest, file, input)?;
        row.clone_into(&mut line.text);
        Some((network.to_owned(), line))
    };
    rows.filter_map(of_row).collect()
}

/// What one row of a table asks, where both ends are in the input.
fn line(line: &str, file: &str, input: &Input) -> Option<Line> {
    let f: Vec<&str> = line.split(',').collect();
    let (traffic, source_port, want) = match file {
        "expected_packet.csv" => (traffic(f[2], f[3], f[5], f[6])?, f[4].parse().ok(), f[7]),
        _ => (traffic(f[2], f[3], f[3], "")?, None, f[4]),
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
}

/// The traffic that columns name; of messages of ICMP the kind and the code.
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

/// The answers to lines: how many, those that are unknown and should not be, and the wrong ones.
#[derive(Default)]
pub struct Judged {
    pub count: usize,
    pub unknown: Vec<String>,
    pub wrong: Vec<String>,
}

impl Judged {
    /// Adds the answer to a line, which is the same with classes and without.
    pub fn add(&mut self, case: &Path, line: &Line, [graph, without]: &[AllowGraph; 2]) {
        let got = graph.verdict(&line.flow);
        let text = format!("{}: {} -> {got:?}", case.display(), line.text);
        assert_eq!(got, without.verdict(&line.flow), "without classes: {text}");
        self.count += 1;
        if got == Truth::Maybe && line.want != Truth::Maybe {
            self.unknown.push(text);
        } else if got != line.want {
            self.wrong.push(text);
        }
    }

    /// Ends a suite, of which no line may be wrong and `most` may be unknown; what is at fault.
    pub fn of_suite(mut self, suite: &str, cases: usize, most: usize) -> Vec<String> {
        let (count, unknown) = (self.count, self.unknown.len());
        println!("{suite}: {cases} cases, {count} lines, {unknown} unknown");
        println!("{}", self.unknown.join("\n"));
        if unknown > most {
            let all = &mut self.wrong;
            all.push(format!(
                "{suite}: {unknown} lines are unknown, and not {most}"
            ));
        }
        self.wrong
    }
}

/// The end that a table names: `namespace/pod`, `namespace/kind/workload`, or an address, which is
/// the pod's that has it.
pub fn endpoint(input: &Input, text: &str) -> Option<Endpoint> {
    let cluster = &input.cluster;
    let parts: Vec<&str> = text.split('/').collect();
    let found = |namespace: &str, is_named: &dyn Fn(&netpal::Pod) -> bool| {
        let mut pods = cluster.pods();
        let pod =
            pods.find(|(id, pod)| is_named(pod) && *cluster.pod_namespace(*id).name == *namespace);
        pod.map(|(id, _)| Endpoint::Pod(id))
    };
    match parts[..] {
        [namespace, _, name] => found(namespace, &|pod| {
            *cluster.workload(pod.workload).name == *name
        }),
        [namespace, name] => found(namespace, &|pod| *pod.name == *name).or_else(|| {
            found(namespace, &|pod| {
                let made = cluster.workload(pod.workload).made.as_ref();
                made.is_some_and(|made| *made.object == *name)
            })
        }),
        _ => {
            let address = text.parse().ok()?;
            let mut pods = cluster.pods();
            let pod = pods.find(|(_, pod)| !pod.host_network && pod.addresses.contains(&address));
            Some(pod.map_or(Endpoint::Address(address), |(id, _)| Endpoint::Pod(id)))
        }
    }
}
