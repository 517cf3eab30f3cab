//! The report in a real browser: every view, keyboard, links, print, no scripts, dark,
//! accessibility, hostile names.
//!
//! Needs Chromium, Node and the packages of `tests/browser/package.json` (`npm install` in that
//! folder); says so and skips where one is missing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "browser/clusters.rs"]
mod clusters;
mod common;
#[path = "browser/questions.rs"]
mod questions;

use common::netpal_at;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn chromium() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths)
        .map(|p| p.join("chromium"))
        .find(|p| p.exists());
    found.filter(|_| {
        Command::new("node")
            .arg("--version")
            .output()
            .is_ok_and(|o| o.status.success())
    })
}

fn report(folder: &Path, input: &Path, name: &str, more: &[&str]) -> String {
    let path = folder.join(name);
    let target = format!("html={}", path.display());
    let run = netpal_at(
        input,
        &[&["report", "-f", ".", "-o", &target], more].concat(),
        "",
    );
    assert!(path.exists(), "{}", run.text());
    path.to_str().unwrap().to_owned()
}

/// The demo before its fix of the day: without a default deny, and without metrics.
fn before(folder: &Path) -> PathBuf {
    let old = folder.join("before");
    std::fs::create_dir(&old).unwrap();
    for name in ["shop.yaml", "dev.yaml", "platform.yaml", "data.yaml"] {
        let text = std::fs::read_to_string(root().join("examples/demo").join(name)).unwrap();
        let documents = text
            .split("\n---\n")
            .filter(|d| !d.contains("name: allow-metrics"));
        let kept: Vec<&str> = documents
            .filter(|d| !d.contains("name: default-deny"))
            .collect();
        std::fs::write(old.join(name), kept.join("\n---\n")).unwrap();
    }
    old
}

fn hostile(folder: &Path) -> PathBuf {
    let input = folder.join("hostile");
    std::fs::create_dir(&input).unwrap();
    let names = [
        "</script><script>alert(1)</script>",
        "<b>bold</b>",
        "a\"b'c&d",
        "bidi\u{202e}gnp",
        "<!--",
        "plain",
    ];
    let mut items = Vec::new();
    for (i, name) in names
        .iter()
        .map(|n| (*n).to_owned())
        .chain(["long".repeat(2500)])
        .enumerate()
    {
        let labels = serde_json::json!({"app": format!("w{i}"), "text": name});
        items.push(serde_json::json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "<i>space</i>", "labels": labels}, "spec": {"containers": [{"name": "c"}]}}));
        items.push(serde_json::json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": "<i>space</i>"},
            "spec": {"podSelector": {"matchLabels": {"app": format!("w{i}")}},
                "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "w0"}}}], "ports": [{"port": 80 + i}]}]}}));
    }
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
    std::fs::write(input.join("hostile.json"), list.to_string()).unwrap();
    input
}

/// Five hundred workloads in 125 namespaces, each governed by rules of its own.
fn large(folder: &Path) -> PathBuf {
    let input = folder.join("large");
    std::fs::create_dir(&input).unwrap();
    let mut items = Vec::new();
    for space in 0..125 {
        let namespace = format!("team-{space:03}");
        items.push(serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
        for (i, name) in ["web", "api", "store", "job"].iter().enumerate() {
            let labels = serde_json::json!({"app": name, "group": format!("g{}", space % 7)});
            items.push(serde_json::json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": {"containers": [{"name": "c"}]}}));
            let near = serde_json::json!({"podSelector": {"matchLabels": {"app": "web"}}});
            let far = serde_json::json!({"namespaceSelector": {}, "podSelector": {"matchLabels": {"group": format!("g{}", (space + i) % 7)}}});
            items.push(serde_json::json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                "metadata": {"name": format!("{name}-in"), "namespace": namespace},
                "spec": {"podSelector": {"matchLabels": {"app": name}},
                    "ingress": [{"from": [near], "ports": [{"port": 8000 + i}]}, {"from": [far], "ports": [{"port": 9000 + space}]}]}}));
        }
    }
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
    std::fs::write(input.join("large.json"), list.to_string()).unwrap();
    input
}

/// The browser, if all that a test needs of it is installed.
fn browser(package: &str) -> Option<PathBuf> {
    let modules = root().join("tests/browser/node_modules");
    let found = chromium()
        .filter(|_| modules.join("playwright-core").exists() && modules.join(package).exists());
    if found.is_none() {
        println!("skipped: needs chromium, node, and npm install in tests/browser");
    }
    found
}

fn run(script: &str, chromium: &Path, arguments: &[String]) {
    let mut command = Command::new("node");
    command
        .arg(root().join("tests/browser").join(script))
        .args(arguments)
        .env("NETPAL_CHROMIUM", chromium);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("all passed"), "{text}");
    println!("{text}");
}

/// Names that mean something in Mermaid, and how each is shown.
const CHARTS: [(&str, &str); 14] = [
    ("end", "end"),
    ("click", "click"),
    ("1. list", "1. list"),
    ("- list", "- list"),
    ("-->|x| y", "-->|x| y"),
    ("%%{init: {}}%%", "%%{init: {}}%%"),
    ("\"]:::open; a[\"", "\"]:::open; a[\""),
    ("#quot; #35;", "#quot; #35;"),
    ("`code` **bold** _it_", "`code` **bold** _it_"),
    (
        "<img src=x onerror=alert(1)>",
        "<img src=x onerror=alert(1)>",
    ),
    ("</div><script>alert(1)</script>", "</div><script>alert(1)"),
    ("$$x^2$$", "$$x^2$$"),
    ("semi;colon}{[x=y]", "semi;colon}{[x=y]"),
    (
        "\u{e4}\u{f6}\u{fc} \u{65e5}\u{672c}",
        "\u{e4}\u{f6}\u{fc} \u{65e5}\u{672c}",
    ),
];

fn charts(folder: &Path) -> PathBuf {
    let input = folder.join("charts");
    std::fs::create_dir(&input).unwrap();
    let mut items = Vec::new();
    for (i, (name, _)) in CHARTS.iter().enumerate() {
        let app = format!("w{i}");
        items.push(serde_json::json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "end", "labels": {"app": app}}, "spec": {"containers": [{"name": "c"}]}}));
        items.push(serde_json::json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": format!("p{i}"), "namespace": "end"},
            "spec": {"podSelector": {"matchLabels": {"app": app}},
                "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "w0"}}}], "ports": [{"port": 80 + i}]}]}}));
    }
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
    std::fs::write(input.join("charts.json"), list.to_string()).unwrap();
    input
}

#[test]
fn mermaid_draws_every_chart_and_every_name() {
    let Some(chromium) = browser("mermaid") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let demo = root().join("examples/demo");
    let (old, odd) = (before(at), charts(at));
    let old = old.to_str().unwrap();
    let shown: Vec<&str> = CHARTS.iter().map(|(_, shown)| *shown).collect();
    let all: [(&str, &Path, &[&str], &[&str]); 4] = [
        (
            "demo",
            &demo,
            &["graph", "-f", "."],
            &["database", "frontend"],
        ),
        (
            "three-tier",
            &root().join("examples/three-tier"),
            &["graph", "-f", "."],
            &[],
        ),
        ("changed", &demo, &["diff", old, "."], &["database"]),
        ("odd", &odd, &["graph", "-f", "."], &shown),
    ];
    let mut files = Vec::new();
    for (name, input, arguments, labels) in all {
        let chart = at.join(format!("{name}.mmd"));
        let target = format!("mermaid={}", chart.display());
        let run = netpal_at(input, &[arguments, &["-o", &target]].concat(), "");
        assert!(chart.exists(), "{}", run.text());
        std::fs::write(
            at.join(format!("{name}.json")),
            serde_json::to_string(labels).unwrap(),
        )
        .unwrap();
        files.push(chart.to_str().unwrap().to_owned());
    }
    run("mermaid.mjs", &chromium, &files);
}

#[test]
fn the_report_works_in_a_browser() {
    let Some(chromium) = browser("axe-core") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let demo_input = root().join("examples/demo");
    let demo = report(
        at,
        &demo_input,
        "demo.html",
        &["--profile", "pci", "--title", "cluster of the day"],
    );
    let old = before(at);
    let changed = report(
        at,
        &demo_input,
        "changed.html",
        &["--before", old.to_str().unwrap()],
    );
    let hostile = report(at, &hostile(at), "hostile.html", &["--profile", "pci"]);
    let keep =
        std::env::var("NETPAL_BROWSER_OUT").unwrap_or_else(|_| at.to_str().unwrap().to_owned());
    let large = report(at, &large(at), "large.html", &[]);
    let size = std::fs::metadata(&large).unwrap().len();
    assert!(
        size < 1_500_000,
        "a page of 500 workloads stays small: {size} bytes"
    );
    run(
        "report.mjs",
        &chromium,
        &[demo, changed, hostile, large, keep.clone()],
    );
    printed(&Path::new(&keep).join("report.pdf"));
}

/// Every page of a print says what it is about, and which of how many it is.
fn printed(pdf: &Path) {
    let Ok(output) = Command::new("pdftotext")
        .arg("-layout")
        .arg(pdf)
        .arg("-")
        .output()
    else {
        println!("skipped: pdftotext is not installed");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let pages: Vec<&str> = text
        .split('\u{c}')
        .filter(|p| !p.trim().is_empty())
        .collect();
    assert!(pages.len() > 2, "{text}");
    for (i, page) in pages.iter().enumerate() {
        for wanted in [
            "cluster of the day",
            "sha256:",
            "netpal ",
            &format!("page {} of {}", i + 1, pages.len()),
        ] {
            assert!(
                page.contains(wanted),
                "page {} lacks `{wanted}`: {page}",
                i + 1
            );
        }
    }
    assert!(text.contains("Reviewed by") && text.contains("Signature"));
    assert!(
        text.contains("the approved list of"),
        "what is folded is printed too"
    );
}

/// Inputs of which the page is asked, and how many questions in a hundred it may leave to the
/// command line.
const ASKED: [&str; 2] = ["examples/demo", "examples/doors"];

/// Further ones where `NETPAL_CORPUS` names a folder with them.
const CORPUS: [&str; 5] = [
    "online-boutique",
    "kubeflow",
    "phalanx",
    "openshift-monitoring",
    "neobank",
];

/// The page says of each question what `netpal can` says, or leaves it to the command line.
/// `NETPAL_QUESTIONS=2000` asks so many of each input, those of the corpus among them.
#[test]
fn ask_says_what_the_command_line_says() {
    let Some(chromium) = browser("playwright-core") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let many = std::env::var("NETPAL_QUESTIONS").ok();
    let seed = std::env::var("NETPAL_SEED").ok();
    let seed = seed.and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut inputs: Vec<PathBuf> = ASKED.iter().map(|path| root().join(path)).collect();
    if let (Some(corpus), true) = (std::env::var_os("NETPAL_CORPUS"), many.is_some()) {
        inputs.extend(CORPUS.iter().map(|name| Path::new(&corpus).join(name)));
    }
    if let Some(more) = std::env::var_os("NETPAL_INPUTS") {
        inputs = std::env::split_paths(&more).collect();
    }
    let random = std::env::var("NETPAL_RANDOM").ok();
    for i in 0..random.and_then(|text| text.parse().ok()).unwrap_or(4) {
        let input = folder.path().join(format!("cluster-{i}"));
        std::fs::create_dir(&input).unwrap();
        let list = clusters::cluster(seed + i).to_string();
        std::fs::write(input.join("list.json"), list).unwrap();
        inputs.push(input);
    }
    let many = many.and_then(|text| text.parse().ok()).unwrap_or(600);
    let mut files = Vec::new();
    for (i, input) in inputs.iter().enumerate() {
        let asking = questions::Asking::of(input);
        let asked = asking.questions(seed, many);
        // that the library says what the program says is seen on a few
        asked
            .iter()
            .take(20)
            .for_each(|one| same_in_program(input, one));
        let name = input.file_name().unwrap().to_str().unwrap();
        files.push(report(
            folder.path(),
            input,
            &format!("{i}-{name}.html"),
            &[],
        ));
        let list = folder.path().join(format!("{i}.json"));
        std::fs::write(&list, serde_json::to_string(&asked).unwrap()).unwrap();
        files.push(list.to_str().unwrap().to_owned());
    }
    // of inputs that somebody else chose nothing is known
    let is_chosen = std::env::var_os("NETPAL_INPUTS").is_some();
    files.push(if is_chosen { "100" } else { "20" }.to_owned());
    run("ask.mjs", &chromium, &files);
}

/// Holds that the program gives the verdict that is expected.
fn same_in_program(input: &Path, asked: &questions::Asked) {
    let mut words = vec!["can", &asked.from, &asked.to, "-f", ".", "-o", "json"];
    if !asked.port.is_empty() {
        words.extend(["--port", &asked.port]);
    }
    let run = netpal_at(input, &words, "");
    let answer: Option<serde_json::Value> = serde_json::from_str(&run.stdout).ok();
    let said = answer
        .as_ref()
        .and_then(|answer| answer["verdict"].as_str());
    assert_eq!(
        said.unwrap_or("error"),
        asked.expected,
        "{words:?}: {}",
        run.text()
    );
}
