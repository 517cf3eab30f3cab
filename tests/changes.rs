//! What follows from a change: the tests it breaks, the uses it takes away, and how CI is told at
//! the edited line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;
#[path = "common/demo.rs"]
mod demo;

use common::{Run, golden, netpal_at, netpal_in};
use demo::{DASH, Demo};
use serde_json::Value;

/// A peer more: the runner may open connections to the database.
const PEER: &str = "  - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dev}}}]\n    ports: [{port: 5432}]\n";

/// The demo in git, with two edits in its working tree: one rule more, and the two peers of the
/// first made one.
fn edited() -> Demo {
    let demo = Demo::committed();
    let ports = "    ports:\n    - protocol: TCP\n      port: 5432\n";
    demo.edit("data.yaml", |text| {
        text.replace(DASH, &DASH.replace('-', " "))
            .replace(ports, &format!("{ports}{PEER}"))
    });
    demo
}

fn diff(demo: &Demo, more: &[&str]) -> Run {
    demo.run(&[&["diff", "git:HEAD:.", "."], more].concat())
}

#[test]
fn a_diff_tells_the_tests_it_breaks_and_the_uses_it_takes_away() {
    golden().bind(|| insta::assert_snapshot!("changes-text", diff(&edited(), &[]).text()));
    let document: Value = serde_json::from_str(&diff(&edited(), &["-o", "json"]).stdout).unwrap();
    let broken = &document["breaks"][0];
    assert_eq!(broken["test"], "nothing in dev talks to data");
    let change = &document["changes"][usize::try_from(broken["change"].as_u64().unwrap()).unwrap()];
    assert_eq!(
        (change["kind"].as_str(), change["cause"]["path"].as_str()),
        (Some("widened"), Some("ingress[1]"))
    );
    let used = &document["uses"][0];
    assert_eq!(
        (used["variable"].as_str(), used["host"].as_str()),
        (Some("DATABASE_URL"), Some("database.data.svc"))
    );
    let comment = diff(&edited(), &["-o", "md"]).stdout;
    assert!(
        comment
            .contains("**Breaks:** test `nothing in dev talks to data` `policy-tests/shop.yaml:8`"),
        "{comment}"
    );
}

#[test]
fn a_test_about_no_flow_is_broken_by_the_change_as_a_whole() {
    let demo = Demo::committed();
    demo.write(
        "policy-tests/shop.yaml",
        "tests: [{name: closed, default-deny: {namespaces: [data]}}]",
    );
    demo.edit("data.yaml", |text| {
        text.replace("policyTypes: [Ingress, Egress]", "policyTypes: [Ingress]")
    });
    let text = diff(&demo, &[]).stdout;
    assert!(
        text.lines()
            .any(|l| l == "breaks test \"closed\"   policy-tests/shop.yaml:1"),
        "{text}"
    );
}

#[test]
fn a_test_that_was_red_before_is_not_broken() {
    let demo = Demo::committed();
    demo.write(
        "policy-tests/shop.yaml",
        "tests: [{cannot: ns/dev -> monitoring/prometheus}]",
    );
    demo.edit("dev.yaml", |text| {
        text.replace("app: runner", "app: runner-2")
    });
    let text = diff(&demo, &[]).stdout;
    assert!(!text.contains("breaks"), "{text}");
    demo.write("policy-tests/shop.yaml", "tests: [nothing]");
    let run = diff(&demo, &[]);
    assert!(
        run.stderr.contains("the policy tests are left out"),
        "{}",
        run.stderr
    );
    assert_eq!(
        run.code,
        0,
        "a mistake in the tests does not stop the diff: {}",
        run.text()
    );
}

#[test]
fn why_names_the_tests_that_its_suggestion_would_break() {
    let demo = Demo::committed();
    let run = demo.run(&["why", "dev/runner", "reach", "database:5432", "--suggest"]);
    let line =
        "  that would also break test \"nothing in dev talks to data\"   policy-tests/shop.yaml:8";
    assert!(run.stdout.lines().any(|l| l == line), "{}", run.stdout);
    let run = demo.run(&[
        "why",
        "dev/runner",
        "reach",
        "database:5432",
        "--suggest",
        "-o",
        "json",
    ]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        document["pairs"][0]["suggested"]["breaks"][0]["at"]["line"],
        8
    );
    let harmless = demo.run(&["why", "shop/cart", "reach", "coredns:53/udp", "--suggest"]);
    assert!(
        harmless.stdout.contains("to allow exactly this flow")
            && !harmless.stdout.contains("that would also")
    );
}

#[test]
fn ci_is_told_at_the_edited_line() {
    for format in ["sarif", "github", "gitlab"] {
        let run = diff(&edited(), &["-o", format]);
        let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
        let text = run.text().replace(&version, "\"version\": \"0\"");
        golden().bind(|| insta::assert_snapshot!(format!("changes-{format}"), text));
        assert_eq!(run.code, 1, "{format}");
    }
}

/// Rule, line and fingerprint of every result.
fn results(demo: &Demo) -> Vec<(String, u64, String)> {
    let log: Value = serde_json::from_str(&diff(demo, &["-o", "sarif"]).stdout).unwrap();
    let one = |r: &Value| {
        let place = &r["locations"][0]["physicalLocation"];
        assert!(
            !place["artifactLocation"]["uri"]
                .as_str()
                .unwrap()
                .contains("git"),
            "{r}"
        );
        let print = r["partialFingerprints"]["netpal/v1"].as_str().unwrap();
        (
            r["ruleId"].as_str().unwrap().to_owned(),
            place["region"]["startLine"].as_u64().unwrap(),
            print.to_owned(),
        )
    };
    log["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(one)
        .collect()
}

#[test]
fn fingerprints_survive_edits_elsewhere_and_lines_follow_them() {
    let (first, moved) = (edited(), edited());
    moved.edit("data.yaml", |text| format!("# one\n# two\n{text}"));
    let (before, after) = (results(&first), results(&moved));
    assert!(
        before.iter().any(|r| r.0 == "NPDIFF-WIDENED")
            && before.iter().any(|r| r.0 == "NPDIFF-NARROWED")
    );
    let prints = |list: &[(String, u64, String)]| {
        list.iter()
            .map(|r| (r.0.clone(), r.2.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(prints(&before), prints(&after));
    let line =
        |list: &[(String, u64, String)]| list.iter().find(|r| r.0 == "NPDIFF-WIDENED").unwrap().1;
    assert_eq!(line(&before) + 2, line(&after));
}

#[test]
fn a_removed_policy_is_told_where_it_stood_in_the_working_tree() {
    let demo = Demo::committed();
    demo.edit("platform.yaml", |text| {
        let policy = text
            .split("---\n")
            .find(|d| d.contains("agent-ingress"))
            .unwrap();
        text.replace(&format!("---\n{policy}"), "")
    });
    demo.edit("data.yaml", |text| {
        text.replace(
            "  policyTypes: [Ingress, Egress]\n",
            "  policyTypes: [Ingress]\n",
        )
    });
    let found = results(&demo);
    assert!(found.iter().any(|r| r.0 == "NPDIFF-WIDENED"), "{found:?}");
    let plan = netpal_at(
        &demo.path(),
        &[
            "plan",
            "--onto",
            ".",
            "--relabel",
            "dev/runner:app=checkout",
            "-o",
            "github",
        ],
        "",
    );
    assert!(plan.code < 2, "{}", plan.text());
}

#[test]
fn a_check_tells_ci_where_the_snapshot_differs() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let pod = |name: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}}}\nspec: {{containers: [{{name: c, image: i}}]}}\n"
        )
    };
    std::fs::write(at("in.yaml"), pod("a") + &pod("b")).unwrap();
    let run = |arguments: &[&str]| netpal_at(folder.path(), arguments, "");
    assert_eq!(run(&["snapshot", "--update", "-f", "in.yaml"]).code, 0);
    std::fs::write(at("in.yaml"), pod("a") + &pod("c")).unwrap();
    let kept = std::fs::read_to_string(at("netpal.snap")).unwrap();
    let line = kept.lines().position(|l| l == "open-in shop/b").unwrap() + 1;
    let check = |format: &str| {
        let run = run(&["snapshot", "--check", "-f", "in.yaml", "-o", format]);
        assert_eq!(run.code, 1, "{}", run.text());
        run.stdout
    };
    let github = check("github");
    assert!(
        github.contains(&format!("file=netpal.snap,line={line}")),
        "{github}"
    );
    for format in ["sarif", "gitlab", "md"] {
        let text = check(format);
        assert!(
            text.contains("open-in shop/b") && text.contains("open-in shop/c"),
            "{text}"
        );
    }
    let refused = run(&["snapshot", "--check", "-f", "in.yaml", "-o", "svg"]);
    assert_eq!(refused.code, 2, "{}", refused.text());
}

/// One input under two network plugins: what is not carried over is named, and a change that no
/// edit makes says which choice of the plugin does.
#[test]
fn a_migration_names_what_is_left_behind_and_what_is_read_otherwise() {
    let asked = |cni: &[&str]| {
        let more = [
            "-f",
            "migration",
            "--pod-cidrs",
            "10.244.0.0/16",
            "-o",
            "json",
        ];
        let run = netpal_in("examples", &[&["diff"], cni, &more].concat());
        serde_json::from_str::<Value>(&run.stdout).unwrap()
    };
    let told = asked(&["--cni", "calico", "--cni-after", "cilium"]);
    assert_eq!(told["label"], "calico..cilium");
    assert_eq!(told["not_enforced"][0]["name"], "web-stays-inside");
    let changes = told["changes"].as_array().unwrap();
    let edits: Vec<[&str; 2]> = changes
        .iter()
        .map(|c| [&c["kind"], &c["cause"]["edit"]].map(|v| v.as_str().unwrap()))
        .collect();
    let expected = [
        ["widened", "not enforced"],
        ["narrowed", "read otherwise"],
        ["may-narrow", "read otherwise"],
    ];
    assert_eq!(edits, expected, "{told}");
    // the other way round, and without naming the plugin that the policies imply
    let back = asked(&["--cni", "cilium", "--cni-after", "calico"]);
    assert_eq!(
        (&back["widened"], &back["narrowed"]),
        (&1.into(), &1.into())
    );
    let implied = asked(&["--cni-after", "ovn-kubernetes"]);
    assert_eq!(implied["label"], "calico..ovn-kubernetes");
    assert_eq!(
        (&implied["widened"], &implied["narrowed"]),
        (&1.into(), &0.into())
    );
    let same = asked(&["--cni", "calico", "--cni-after", "calico"]);
    assert_eq!(same["changes"], Value::Array(Vec::new()));
}

#[test]
fn an_edit_that_opens_a_path_together_with_another_is_not_without_effect() {
    let pod = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}}}\n\
             spec: {{containers: [{{name: c, image: i}}]}}\n---\n"
        )
    };
    let policy = |name: &str, spec: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
             metadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n---\n"
        )
    };
    let deny = policy("deny", "{podSelector: {}, policyTypes: [Ingress, Egress]}");
    let shut = [pod("web"), pod("db"), deny].concat();
    let out = "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]}";
    let into = "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}";
    let none = "{podSelector: {matchLabels: {app: nobody}}, policyTypes: [Egress]}";
    let open = [
        shut.clone(),
        policy("out", out),
        policy("in", into),
        policy("none", none),
    ]
    .concat();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shut.yaml"), shut).unwrap();
    std::fs::write(folder.path().join("open.yaml"), open).unwrap();
    for sides in [["shut.yaml", "open.yaml"], ["open.yaml", "shut.yaml"]] {
        let words = ["diff", sides[0], sides[1], "--world", "closed"];
        let run = netpal_at(folder.path(), &words, "");
        assert_eq!(run.code, 1, "{}", run.text());
        let line = run.stdout.lines().find(|l| l.starts_with("not changed"));
        let named = line.unwrap_or_default();
        assert!(named.contains("shop/none"), "{}", run.text());
        assert!(
            !named.contains("shop/in") && !named.contains("shop/out"),
            "{named}"
        );
    }
}
