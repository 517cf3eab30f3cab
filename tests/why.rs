//! `why`, `explain`, `reach` and `who` as a user meets them: on the demo, and one small manifest
//! for every reason code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use common::{golden, netpal_in};
use netpal::Reason;
use std::collections::BTreeSet;
use std::path::Path;

fn demo(name: &str, arguments: &[&str]) {
    let mut all = arguments.to_vec();
    all.extend(["-f", ".", "--width", "80"]);
    let run = netpal_in("examples/demo", &all);
    golden().bind(|| insta::assert_snapshot!(name, run.text()));
}

/// Lines of text for people stay within the width; a line of a manifest or of suggested YAML is
/// shown as it is.
fn narrow(text: &str) {
    for line in text
        .lines()
        .filter(|l| !l.starts_with("      ") && !l.contains(" | "))
    {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn why_walks_on_the_demo() {
    demo(
        "why-no",
        &["why", "dev/runner", "reach", "database:5432", "--suggest"],
    );
    demo("why-yes", &["why", "frontend", "reach", "database:5432"]);
    demo(
        "why-service",
        &["why", "frontend", "reach", "cart.shop.svc:80", "--suggest"],
    );
    demo(
        "why-unknown",
        &["why", "shop/frontend", "reach", "node-agent:9100"],
    );
    demo("why-set", &["why", "ns/shop", "reach", "database:5432"]);
    demo(
        "why-partly",
        &["why", "checkout", "reach", "database:5432,6379"],
    );
    demo(
        "why-both-sides",
        &["why", "cart", "reach", "database:5432", "--suggest"],
    );
    demo(
        "why-json",
        &[
            "why",
            "dev/runner",
            "reach",
            "database:5432",
            "--suggest",
            "-o",
            "json",
        ],
    );
}

#[test]
fn reach_and_who_on_the_demo() {
    demo("reach-any", &["reach", "shop/frontend", "--hops", "any"]);
    demo("reach-direct", &["reach", "shop/cart"]);
    demo("reach-internet", &["reach", "internet", "--hops", "2"]);
    demo(
        "reach-path",
        &["reach", "--path", "dev/runner", "data/redis"],
    );
    demo(
        "reach-path-json",
        &[
            "reach",
            "--path",
            "dev/runner",
            "data/database",
            "-o",
            "json",
        ],
    );
    demo(
        "reach-no-path",
        &[
            "reach",
            "--path",
            "data/redis",
            "dev/runner",
            "--cni",
            "calico",
        ],
    );
    demo("who-any", &["who", "database:5432", "--hops", "any"]);
    demo("who-direct", &["who", "database"]);
    demo("who-open", &["who", "kube-system/coredns", "--hops", "any"]);
    demo("who-json", &["who", "redis:6379", "-o", "json"]);
}

#[test]
fn explain_on_the_demo() {
    demo("explain-policy", &["explain", "data/database-ingress"]);
    demo("explain-egress", &["explain", "netpol/cart-egress"]);
    demo("explain-default-deny", &["explain", "default-deny"]);
    demo("explain-workload", &["explain", "database"]);
    demo("explain-open", &["explain", "dev/runner"]);
    demo("explain-hostnetwork", &["explain", "node-agent"]);
    demo("explain-namespace", &["explain", "ns/shop"]);
    demo(
        "explain-json",
        &["explain", "data/database-ingress", "-o", "json"],
    );
    demo("explain-nothing", &["explain", "data/databse-ingress"]);
}

/// S54, S122, S125: what a Service that leads back to its caller changes, and the warning about
/// both generations.
#[test]
fn a_pod_that_calls_its_own_service() {
    for (name, command, pod) in [
        ("led-yes", "can", "plain"),
        ("led-no", "can", "web"),
        ("led-unknown", "can", "old"),
        ("led-why-yes", "why", "plain"),
        ("led-why-no", "why", "web"),
        ("led-why-unknown", "why", "old"),
    ] {
        let (source, destination) = (format!("shop/{pod}"), format!("shop/svc/{pod}:80"));
        let mut arguments = vec![
            command,
            &source,
            "reach",
            &destination,
            "-f",
            "own-service.yaml",
            "--width",
            "80",
        ];
        if command == "why" {
            arguments.push("--suggest");
        }
        let run = netpal_in("tests/data/led", &arguments);
        if command == "why" {
            narrow(&run.stdout);
        }
        golden().bind(|| insta::assert_snapshot!(name, run.text()));
    }
}

#[test]
fn every_reason_has_a_sample() {
    let folder = "tests/data/reasons";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut seen = BTreeSet::new();
    let mut files: Vec<_> = std::fs::read_dir(&root)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    files.sort();
    for file in files {
        let file = file.to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(root.join(&file)).unwrap();
        let question = text
            .lines()
            .next()
            .unwrap()
            .strip_prefix("# ask: ")
            .unwrap();
        let mut arguments = vec!["why"];
        arguments.extend(question.split(' '));
        arguments.extend(["-f", &file, "--width", "80"]);
        let run = netpal_in(folder, &arguments);
        let stem = file.trim_end_matches(".yaml");
        let code = stem.replace('-', "_").to_uppercase();
        assert!(
            run.stdout.contains(&format!("verdict {code}")),
            "{file}: {}",
            run.text()
        );
        narrow(&run.stdout);
        golden().bind(|| insta::assert_snapshot!(format!("reason-{stem}"), run.text()));
        seen.insert(code);
    }
    let missing = Reason::ALL.iter().filter(|r| !seen.contains(r.code()));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&Reason>::new());
}

#[test]
fn answers_fit_into_80_columns_and_say_the_same_in_colour() {
    for arguments in [
        &["why", "dev/runner", "reach", "database:5432", "--suggest"][..],
        &["why", "ns/shop", "reach", "database:5432"],
        &["why", "shop/frontend", "reach", "node-agent:9100"],
        &["reach", "shop/frontend", "--hops", "any"],
        &["who", "database:5432", "--hops", "any"],
        &["explain", "database"],
        &["explain", "ns/shop"],
    ] {
        let run = |colour: &str| {
            let mut all = arguments.to_vec();
            all.extend(["-f", ".", "--width", "80", "--color", colour]);
            netpal_in("examples/demo", &all).stdout
        };
        let (plain, coloured) = (run("never"), run("always"));
        narrow(&plain);
        assert!(!plain.contains('\u{1b}'), "{arguments:?}");
        assert_eq!(without_colour(&coloured), plain, "{arguments:?}");
    }
}

fn without_colour(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, r)| r);
    }
    out + rest
}
