//! The report in a real browser: every view, keyboard, links, print, no scripts, dark, accessibility, hostile names.
//!
//! Needs Chromium, Node and the packages of `tests/browser/package.json` (`npm install` in that folder); says so and skips
//! where one is missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod common;

use common::netpal_at;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn chromium() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).map(|p| p.join("chromium")).find(|p| p.exists());
    found.filter(|_| Command::new("node").arg("--version").output().is_ok_and(|o| o.status.success()))
}

fn report(folder: &Path, input: &Path, name: &str, more: &[&str]) -> String {
    let path = folder.join(name);
    let target = format!("html={}", path.display());
    let run = netpal_at(input, &[&["report", "-f", ".", "-o", &target], more].concat(), "");
    assert!(path.exists(), "{}", run.text());
    path.to_str().unwrap().to_owned()
}

/// The demo before its fix of the day: without the policy that guards the database.
fn before(folder: &Path) -> PathBuf {
    let old = folder.join("before");
    std::fs::create_dir(&old).unwrap();
    for name in ["shop.yaml", "dev.yaml", "platform.yaml", "data.yaml"] {
        let text = std::fs::read_to_string(root().join("examples/demo").join(name)).unwrap();
        let documents = text
            .split("\n---\n")
            .filter(|d| !d.contains("name: database-ingress") && !d.contains("name: allow-metrics"));
        let kept: Vec<&str> = documents.filter(|d| !d.contains("name: default-deny")).collect();
        std::fs::write(old.join(name), kept.join("\n---\n")).unwrap();
    }
    old
}

fn hostile(folder: &Path) -> PathBuf {
    let input = folder.join("hostile");
    std::fs::create_dir(&input).unwrap();
    let names = ["</script><script>alert(1)</script>", "<b>bold</b>", "a\"b'c&d", "bidi\u{202e}gnp", "<!--", "plain"];
    let mut items = Vec::new();
    for (i, name) in names.iter().map(|n| (*n).to_owned()).chain(["long".repeat(2500)]).enumerate() {
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

#[test]
fn the_report_works_in_a_browser() {
    let modules = root().join("tests/browser/node_modules/playwright-core");
    let Some(chromium) = chromium().filter(|_| modules.exists()) else {
        println!("skipped: needs chromium, node, and npm install in tests/browser");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let demo_input = root().join("examples/demo");
    let demo = report(at, &demo_input, "demo.html", &["--profile", "pci"]);
    let old = before(at);
    let changed = report(at, &demo_input, "changed.html", &["--before", old.to_str().unwrap()]);
    let hostile = report(at, &hostile(at), "hostile.html", &[]);
    let keep = std::env::var("NETPAL_BROWSER_OUT").unwrap_or_else(|_| at.to_str().unwrap().to_owned());
    let script = root().join("tests/browser/report.mjs");
    let output = Command::new("node")
        .arg(script)
        .args([&demo, &changed, &hostile, &keep])
        .env("NETPAL_CHROMIUM", chromium)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("all passed"), "{text}");
}
