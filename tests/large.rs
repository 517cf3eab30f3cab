//! What commands say where there is very much of something: counted, cut or refused in plain words,
//! never in silence.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use common::{Run, netpal_at};
use std::fmt::Write as _;

/// So many pods in one namespace, each with labels of its own, and so many policies that each let
/// one of them in to another.
fn manifests(pods: usize, policies: usize, allowed: &str) -> String {
    let mut text = String::from("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n");
    for i in 0..pods {
        let ports = "ports: [{containerPort: 80}]";
        let _ = writeln!(text, "---\napiVersion: v1\nkind: Pod");
        let _ = writeln!(
            text,
            "metadata: {{name: p{i}, namespace: a, labels: {{app: p{i}}}}}"
        );
        let _ = writeln!(
            text,
            "spec: {{containers: [{{name: c, image: i, {ports}}}]}}"
        );
        let _ = writeln!(text, "status: {{podIP: 10.0.{}.{}}}", i / 250, 1 + i % 250);
    }
    (0..policies).for_each(|i| text += &policy(&format!("n{i}"), &format!("p{i}"), allowed));
    text
}

fn policy(name: &str, to: &str, from: &str) -> String {
    let labels = |app: &str| format!("{{matchLabels: {{app: {app}}}}}");
    format!(
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: a}}\n\
         spec:\n  podSelector: {}\n  policyTypes: [Ingress]\n  ingress: [{{from: [{{podSelector: {}}}], ports: [{{port: 80}}]}}]\n",
        labels(to),
        labels(from)
    )
}

fn run(text: &str, arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("all.yaml"), text).unwrap();
    netpal_at(
        folder.path(),
        &[arguments, &["-f", "all.yaml"]].concat(),
        "",
    )
}

#[test]
fn findings_of_one_rule_are_shown_a_hundred_times_and_counted_from_there() {
    let text = manifests(2, 120, "nobody");
    let lint = |more: &[&str]| {
        run(
            &text,
            &[&["lint", "--select", "NP002", "--severity", "info"], more].concat(),
        )
    };
    let shown = |r: &Run| {
        r.stdout
            .lines()
            .filter(|l| l.contains(" NP002 peer-selects-nothing"))
            .count()
    };
    let short = lint(&[]);
    let told = short
        .stdout
        .lines()
        .find(|l| l.starts_with("NP002: "))
        .unwrap_or_else(|| panic!("{}", short.stdout));
    assert!(told.starts_with("NP002: 20 more like these;"), "{told}");
    assert_eq!(shown(&short), 100);
    assert!(
        short.stdout.contains("\n120 notes in 120 policies"),
        "{}",
        short.stdout
    );
    let long = lint(&["-v"]);
    assert_eq!(shown(&long), 120);
    assert!(!long.stdout.contains("more like these"));
    assert_eq!(lint(&["-o", "csv"]).stdout.lines().count(), 121);
}

#[test]
fn a_question_about_too_many_pairs_is_refused() {
    let text = manifests(450, 1, "p1");
    let refused = run(&text, &["can", "any", "any"]);
    assert_eq!((refused.code, &*refused.stdout), (2, ""));
    assert!(
        refused
            .stderr
            .contains("any -> any is 202500 pairs of ends"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("netpal matrix"),
        "{}",
        refused.stderr
    );
    assert_eq!(run(&text, &["can", "any", "a/p0:80"]).code, 3);
}

#[test]
fn no_page_holds_a_matrix_that_no_browser_shows() {
    let text = manifests(1_001, 1, "p1");
    let refused = run(&text, &["matrix", "--by", "workload", "-o", "html"]);
    assert_eq!((refused.code, &*refused.stdout), (2, ""));
    assert!(
        refused.stderr.contains("1002 rows and columns"),
        "{}",
        refused.stderr
    );
    let csv = run(&text, &["matrix", "--by", "workload", "-o", "csv"]);
    assert_eq!((csv.code, csv.stdout.lines().count()), (0, 1_003));
    assert_eq!(run(&text, &["matrix", "-o", "html"]).code, 0);
}

#[test]
fn the_proposals_that_name_the_fewest_sources_are_kept() {
    let text = manifests(320, 310, "p319") + &policy("more", "p7", "p318");
    let proposed = run(&text, &["init", "tests"]);
    assert_eq!(proposed.code, 0);
    assert_eq!(proposed.stdout.matches("only-from:").count(), 300);
    assert!(
        proposed
            .stderr
            .contains("10 more destinations and ports are left out"),
        "{}",
        proposed.stderr
    );
    assert!(
        !proposed.stdout.contains("to: a/p7:80\n"),
        "two sources are more than one"
    );
}

#[test]
fn a_report_in_markdown_holds_the_first_flows_and_counts_the_others() {
    let report = |n: usize| run(&manifests(n, n, "p1"), &["report", "-o", "md"]).stdout;
    assert!(!report(30).contains("more: netpal report -o csv"));
    let long = report(520);
    let flows = long
        .split("## Flows")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .nth(1)
        .unwrap();
    assert_eq!(flows.lines().count(), 2 + 500);
    assert!(long.contains("more: netpal report -o csv\n"));
}
