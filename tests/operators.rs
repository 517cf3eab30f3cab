//! What operators make: the cases that `NETPAL_OPERATORS` names, cases of our own, the table of
//! kinds and the page that is made from it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;
#[allow(dead_code)] // the tests of dialects use the rest
#[path = "common/engines.rs"]
mod engines;

use common::netpal_at;
use netpal::{AllowGraph, CompileOptions};
use std::path::{Path, PathBuf};

/// One line of a table of expected answers.
struct Line {
    files: Vec<PathBuf>,
    source: String,
    target: String,
    expected: String,
}

/// A line of comma-separated fields; only the last may hold commas in quotes.
fn fields(line: &str) -> Vec<&str> {
    line.split(',').collect()
}

fn lines(case: &Path, files: &[&str], has_policy: bool) -> Vec<Line> {
    let text = std::fs::read_to_string(case.join("expected.csv")).unwrap();
    let line = |line: &str| {
        let all = fields(line);
        let at = usize::from(has_policy);
        let policy = has_policy.then(|| case.join(all[0]));
        let files = files.iter().map(|file| case.join(file)).chain(policy);
        let (protocol, port) = (all[at + 2].to_lowercase(), all[at + 3]);
        Line {
            files: files.collect(),
            source: all[at].to_owned(),
            target: format!("{}:{port}/{protocol}", all[at + 1]),
            expected: all[at + 4].to_owned(),
        }
    };
    let lines = text.lines().skip(1).filter(|l| !l.is_empty());
    lines.map(line).collect()
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).unwrap().map(|e| e.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

/// The verdict of `can`, as it is printed.
fn verdict(line: &Line) -> String {
    let mut arguments = vec!["can", &line.source, "reach", &line.target];
    for file in &line.files {
        arguments.extend(["-f", file.to_str().unwrap()]);
    }
    let run = netpal_at(Path::new(env!("CARGO_MANIFEST_DIR")), &arguments, "");
    let words = ["yes", "no", "unknown", "partly"];
    let said = run.stdout.lines().find_map(|line| {
        let first = line.split_whitespace().next()?.to_lowercase();
        words.contains(&&*first).then_some(first)
    });
    said.unwrap_or(run.stderr)
}

/// Lines that the rulebook contradicts: of a clone whose source is not in the input the rules are
/// not known, so it may isolate egress as well.
const CONTRADICTED: [(&str, &str); 1] = [("kyverno-clone-source-missing", "pay/api")];

fn run(root: &Path, files: &[&str], has_policy: bool) -> usize {
    let (mut count, mut wrong) = (0, Vec::new());
    for case in folders(root) {
        for line in lines(&case, files, has_policy) {
            count += 1;
            let contradicted = CONTRADICTED
                .iter()
                .any(|(name, source)| case.ends_with(name) && line.source == *source);
            let wanted = if contradicted {
                "unknown"
            } else {
                &line.expected
            };
            let got = verdict(&line);
            if got != *wanted {
                let case = case.display();
                wrong.push(format!(
                    "{case}: {} {}: {got}, wanted {wanted}",
                    line.source, line.target
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    count
}

#[test]
fn what_operators_make() {
    let Ok(root) = std::env::var("NETPAL_OPERATORS") else {
        println!("skipped: NETPAL_OPERATORS is not set");
        return;
    };
    let root = Path::new(&root);
    let count = run(&root.join("cases"), &["cr.yaml", "base.yaml"], true);
    println!("{count} lines of custom resources");
    let count = run(
        &root.join("generators"),
        &["input.yaml", "base.yaml"],
        false,
    );
    println!("{count} lines of generated policies");
}

/// The questions in the comments of a file: `# ? SOURCE TARGET VERDICT`.
fn asked(file: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(file).unwrap();
    let questions = text.lines().filter_map(|line| line.strip_prefix("# ? "));
    let question = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        Line {
            files: vec![file.to_owned()],
            source: words[0].to_owned(),
            target: words[1].to_owned(),
            expected: words[2].to_owned(),
        }
    };
    questions.map(question).collect()
}

#[test]
fn cases_of_our_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/operators");
    let (mut count, mut wrong) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        for line in asked(&file) {
            count += 1;
            let got = verdict(&line);
            if got != line.expected {
                let file = file.display();
                wrong.push(format!("{file}: {} {}: {got}", line.source, line.target));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 30, "{count} questions");
}

/// Labels that are there perhaps, and policies that may not be there, are the same to the graph,
/// with and without classes, and to the specification.
#[test]
fn the_graph_says_of_what_is_made_what_the_specification_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/operators");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let input = netpal::load([entry.unwrap().path()]).unwrap();
        let compiled = |classes| {
            let options = CompileOptions::default().classes(classes);
            AllowGraph::compile(&input, &options).unwrap()
        };
        let graphs = [compiled(true), compiled(false)];
        graphs.iter().for_each(AllowGraph::verify);
        let traffics = engines::tcp_and_echo(&[80, 5432, 8080]);
        for flow in engines::flows(&input, &engines::OUTSIDE, &traffics) {
            count += 1;
            engines::agrees(graphs[0].environment(), &graphs, &flow, 0);
        }
    }
    assert!(count > 10_000, "{count} flows");
}

#[test]
fn what_only_describes_pods_makes_none() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/operators");
    let file = folder.join("inside-and-alike.yaml");
    let run = netpal_at(&folder, &["inputs", "-f", file.to_str().unwrap()], "");
    assert!(
        run.stdout.contains("1 AnalysisTemplate") && !run.stdout.contains("AnalysisTemplate lab/"),
        "{}{}",
        run.stdout,
        run.stderr
    );
    assert!(
        run.stdout
            .contains("lab/AppWrapper/batch/ray-head (lab/ray-head-*)")
    );
}

#[test]
fn a_port_that_is_declared_perhaps_is_the_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("tests/data/operators/ports-perhaps.yaml");
    let target = "shop/Valkey/cart/server:9121";
    let file = file.to_str().unwrap();
    let run = netpal_at(
        root,
        &["can", "shop/scraper", "reach", target, "-f", file],
        "",
    );
    let reason = "whether its containers declare the port valkey-metrics depends on settings";
    assert!(run.stdout.contains(reason), "{}{}", run.stdout, run.stderr);
}

#[test]
fn values_of_a_chart_are_no_pods() {
    let folder = tempfile::tempdir().unwrap();
    let values =
        "{podTemplate: {metadata: {labels: {app: z}}, spec: {containers: [{name: c, image: i}]}}}";
    let manifests = format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: a}}\n\
         spec: {{values: {values}}}\n---\n\
         apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: b}}\n\
         spec: {{source: {{helm: {{valuesObject: {values}}}}}}}\n"
    );
    std::fs::write(folder.path().join("releases.yaml"), manifests).unwrap();
    let run = netpal_at(folder.path(), &["inputs", "-f", "releases.yaml"], "");
    assert!(
        !run.stdout.contains("made "),
        "{}{}",
        run.stdout,
        run.stderr
    );
}

#[test]
fn rows_of_the_configuration_are_proposed_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let manifests = "
apiVersion: queues.example.com/v1
kind: Queue
metadata: {name: mail, namespace: shop}
spec: {adminPort: 8081}
---
apiVersion: v1
kind: Service
metadata: {name: mail, namespace: shop}
spec: {selector: {queue: mail-broker}, ports: [{port: 5672}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: example/web}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: mail, namespace: shop}
spec:
  podSelector: {matchLabels: {queue: mail-broker}}
  ingress: [{ports: [{port: admin}]}]
";
    std::fs::write(folder.path().join("shop.yaml"), manifests).unwrap();
    let proposed = netpal_at(folder.path(), &["init", "workloads", "-f", "shop.yaml"], "");
    assert!(
        proposed.stdout.contains("kind: \"Queue\""),
        "{}",
        proposed.stdout
    );
    assert!(
        proposed.stdout.contains("\"{name}-broker\""),
        "{}",
        proposed.stdout
    );
    let rows = proposed.stdout + "    ports: ['admin:{spec.adminPort}']\n";
    std::fs::write(folder.path().join("netpal.yaml"), rows).unwrap();
    for (port, expected) in [("8081", "yes"), ("5672", "no")] {
        let target = format!("shop/Queue/mail/pod:{port}");
        let question = ["can", "shop/web", "reach", &target, "-f", "shop.yaml"];
        let run = netpal_at(folder.path(), &question, "");
        assert!(
            run.stdout.starts_with(expected),
            "{}{}",
            run.stdout,
            run.stderr
        );
    }
    let wrong = "workloads: [{kind: Queue, pod: []}]\n";
    std::fs::write(folder.path().join("netpal.yaml"), wrong).unwrap();
    let run = netpal_at(folder.path(), &["inputs", "-f", "shop.yaml"], "");
    assert!(run.stderr.contains("did you mean `pods`"), "{}", run.stderr);
}

/// A row of the page.
fn row_of(row: &serde_yaml::Value) -> String {
    let word = |value: &serde_yaml::Value, key: &str| {
        value
            .get(key)
            .and_then(|v| v.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let list = |value: &serde_yaml::Value, key: &str| -> Vec<serde_yaml::Value> {
        value
            .get(key)
            .and_then(|v| v.as_sequence())
            .cloned()
            .unwrap_or_default()
    };
    let keys = |value: &serde_yaml::Value, key: &str, mark: &str| -> Vec<String> {
        let map = value
            .get(key)
            .and_then(|v| v.as_mapping())
            .cloned()
            .unwrap_or_default();
        let key = |k: &serde_yaml::Value| k.as_str().unwrap().to_owned();
        map.iter()
            .map(|(k, v)| match v.as_str() {
                Some(value) if mark.is_empty() => format!("`{}={value}`", key(k)),
                _ => format!("`{mark}{}`", key(k)),
            })
            .collect()
    };
    let mut lines = vec![format!(
        "### {} `{}`\n\nRow `{}`, from {}.\n",
        word(row, "kind"),
        word(row, "group"),
        word(row, "id"),
        word(row, "source")
    )];
    for pod in list(row, "pods") {
        let marks = [
            ("labels", ""),
            ("defaults", ""),
            ("otherwise", "~"),
            ("runtime", "~"),
            ("perhaps", "?"),
        ];
        let labels: Vec<String> = marks
            .iter()
            .flat_map(|(key, mark)| keys(&pod, key, mark))
            .collect();
        let ports: Vec<String> = ["ports", "or-ports"]
            .iter()
            .flat_map(|key| list(&pod, key))
            .map(|p| format!("`{}`", p.as_str().unwrap()))
            .collect();
        let called = word(&pod, "called");
        lines.push(format!(
            "- **{}** `{called}`: {}{}",
            word(&pod, "role"),
            if labels.is_empty() {
                "the labels of its template".to_owned()
            } else {
                labels.join(" ")
            },
            if ports.is_empty() {
                String::new()
            } else {
                format!("; ports {}", ports.join(" "))
            }
        ));
    }
    let named = |key: &str, what: &str| -> Option<String> {
        let names = list(row, key).into_iter().filter_map(|part| {
            part.get("name")
                .and_then(|n| n.as_str())
                .map(|n| format!("`{n}`"))
        });
        let names: Vec<String> = names.collect();
        (!names.is_empty()).then(|| format!("- {what} {}", names.join(" ")))
    };
    lines.extend(named("services", "Services"));
    lines.extend(named("policies", "NetworkPolicies"));
    for part in list(row, "policies") {
        let what = word(&part, "unknown");
        if !what.is_empty() {
            lines.push(format!("- policies that are not known: {what}"));
        }
    }
    if row.get("inside").is_some() {
        lines.push("- the workloads inside it".to_owned());
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_page_is_made_from_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(root.join("src/load/made/kinds.yaml")).unwrap();
    let rows: Vec<serde_yaml::Value> = serde_yaml::from_str(&table).unwrap();
    let path = root.join("docs/operators.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let marker = "<!-- the table";
    let (before, after) = page.split_once(marker).unwrap();
    let comment = after.lines().next().unwrap();
    let made: Vec<String> = rows.iter().map(row_of).collect();
    let wanted = format!("{before}{marker}{comment}\n\n{}", made.join("\n"));
    if std::env::var_os("NETPAL_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(
        page == wanted,
        "look, then: NETPAL_UPDATE_DOCS=1 cargo test --test operators"
    );
}

#[test]
fn every_row_says_where_it_is_from_and_makes_something() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(root.join("src/load/made/kinds.yaml")).unwrap();
    let rows: Vec<serde_yaml::Value> = serde_yaml::from_str(&table).unwrap();
    let known = [
        "id", "kind", "group", "source", "class", "when", "parsed", "pods", "inside", "services",
        "policies",
    ];
    for row in &rows {
        let map = row.as_mapping().unwrap();
        let keys: Vec<&str> = map.keys().map(|k| k.as_str().unwrap()).collect();
        assert!(keys.iter().all(|key| known.contains(key)), "{keys:?}");
        let id = row["id"].as_str().unwrap();
        assert!(
            row["source"].as_str().unwrap().contains('@'),
            "{id}: its version"
        );
        assert!(
            row.get("pods").or_else(|| row.get("inside")).is_some(),
            "{id}"
        );
    }
    assert!(rows.len() >= 70, "{} kinds", rows.len());
}
