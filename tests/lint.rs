//! Lint: every rule finds what its page calls bad, is silent on what it calls good, and can be
//! fixed, accepted and known.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use common::{golden, netpal_at, netpal_in};
use netpal::{
    AllowGraph, CompileOptions, Finding, Input, IpSet, LINTS, Lint, LintConfig, LintContext,
    Severity, apply_fixes as apply, lint,
};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn data(lint: &Lint, name: &str) -> PathBuf {
    root().join("tests/data/lint").join(lint.id).join(name)
}

fn config(select: &[&str]) -> LintConfig {
    LintConfig {
        select: select.iter().map(|s| Box::from(*s)).collect(),
        owners_edit_labels: true,
        apiserver: Some(IpSet::single([192, 0, 2, 10].into())),
        ..LintConfig::default()
    }
}

/// The choices under which a rule's examples speak, as `netpal.yaml` beside them makes them for the
/// program.
fn config_of(lint: &Lint, select: &[&str]) -> LintConfig {
    let cni = (lint.id == "NP503").then(|| "cilium".into());
    LintConfig {
        cni,
        owners_edit_labels: lint.id == "NP209",
        ..config(select)
    }
}

fn run(input: &Input, config: &LintConfig) -> Vec<Finding> {
    let graph = AllowGraph::compile(input, &CompileOptions::default()).unwrap();
    lint(input, &graph, config).findings
}

fn found(path: &Path, config: &LintConfig) -> Vec<Finding> {
    run(&netpal::load([path]).unwrap(), config)
}

fn rules(findings: &[Finding]) -> Vec<&'static str> {
    findings
        .iter()
        .filter(|f| f.suppressed.is_none())
        .map(|f| f.rule)
        .collect()
}

#[test]
fn every_file_of_a_lint_is_in_the_table_and_every_lint_has_its_page_and_examples() {
    let files = std::fs::read_dir(root().join("src/lint/rules"))
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files
        .filter_map(|f| Some(f.strip_suffix(".rs")?.replace('_', "-")))
        .filter(|f| f != "mod")
        .collect();
    files.sort();
    let mut names: Vec<&str> = LINTS.iter().map(|l| l.name).collect();
    names.sort_unstable();
    assert_eq!(files, names);
    for lint in LINTS {
        let page = lint.page();
        assert!(
            page.starts_with(&format!("# {} {}\n", lint.id, lint.name)),
            "{}: the page's title",
            lint.id
        );
        for part in [
            "What it does",
            "Why it is bad",
            "What it looks at",
            "When it stays silent",
            "Settings",
            "References",
        ] {
            assert!(
                page.contains(&format!("**{part}.**")),
                "{}: {part}",
                lint.id
            );
        }
        assert!(
            !lint.summary().is_empty()
                && data(lint, "bad.yaml").exists()
                && data(lint, "good.yaml").exists()
        );
    }
}

/// `NETPAL_WRITE_PAGES=1 cargo test --test lint` writes them.
#[test]
fn the_pages_in_docs_are_those_of_the_program() {
    let folder = root().join("docs/lints");
    let mut index = String::from(
        "# The rules of netpal lint\n\n| rule | severity | name | |\n| --- | --- | --- | --- |\n",
    );
    let mut pages = vec![];
    for lint in LINTS {
        let unasked = if lint.default {
            ""
        } else {
            "only when selected"
        };
        index.push_str(&format!(
            "| [{0}]({0}.md) | {1} | {2} | {unasked} |\n",
            lint.id,
            lint.severity.name(),
            lint.name
        ));
        pages.push((format!("{}.md", lint.id), lint.page()));
    }
    pages.push(("README.md".into(), index));
    for (name, text) in pages {
        if std::env::var_os("NETPAL_WRITE_PAGES").is_some() {
            std::fs::write(folder.join(&name), &text).unwrap();
        }
        let written = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert_eq!(
            written, text,
            "docs/lints/{name} is not what the program prints"
        );
    }
}

#[test]
fn what_a_page_calls_bad_is_found() {
    for lint in LINTS {
        // a suppression is unused only if the rule it names runs
        let select: &[&str] = if lint.id == "NP900" {
            &["ALL"]
        } else {
            &[lint.id]
        };
        let findings = found(&data(lint, "bad.yaml"), &config_of(lint, select));
        assert!(rules(&findings).contains(&lint.id), "{}", lint.id);
    }
}

#[test]
fn what_a_page_calls_good_is_silent() {
    for lint in LINTS {
        let path = data(lint, "good.yaml");
        let all = found(&path, &config_of(lint, &["ALL"]));
        let all: Vec<String> = all
            .iter()
            .filter(|f| f.suppressed.is_none())
            .map(|f| format!("{} {}", f.rule, f.message))
            .collect();
        assert_eq!(all, Vec::<String>::new(), "{}", lint.id);
    }
}

#[test]
fn the_bad_examples_as_people_see_them() {
    for lint in LINTS {
        let folder = format!("tests/data/lint/{}", lint.id);
        let run = netpal_in(
            &folder,
            &[
                "lint", "-f", "bad.yaml", "--select", "ALL", "--ignore", "NP3,NP2", "--color",
                "never",
            ],
        );
        let run = if lint.id.starts_with("NP2") || lint.id.starts_with("NP3") {
            netpal_in(
                &folder,
                &[
                    "lint", "-f", "bad.yaml", "--select", lint.id, "--color", "never",
                ],
            )
        } else {
            run
        };
        golden().bind(|| insta::assert_snapshot!(format!("lint-{}", lint.id), run.text()));
    }
}

#[test]
fn the_demo_shows_its_three_mistakes() {
    let run = netpal_in("examples/demo", &["lint", "-f", ".", "--color", "never"]);
    golden().bind(|| insta::assert_snapshot!("lint-demo", run.text()));
    assert_eq!(run.code, 1);
}

#[test]
fn a_fix_takes_its_finding_away_and_nothing_else() {
    let mut fixes = 0;
    for lint_ in LINTS {
        let input = netpal::load([data(lint_, "bad.yaml")]).unwrap();
        let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        let config = config(&[lint_.id]);
        let findings = lint(&input, &graph, &config).findings;
        let applied = apply(&LintContext::new(&input, &graph, &config), &findings);
        for changed in &applied.files {
            fixes += 1;
            let before = &input.sources.file(changed.file).unwrap().text.whole();
            let after = netpal::load_str(&changed.text);
            assert!(
                !after.has_errors(),
                "{}: {:?}\n{}",
                lint_.id,
                after.diagnostics,
                changed.text
            );
            let left = run(&after, &config);
            assert_eq!(
                left.len() + applied.fixed.len(),
                findings.len(),
                "{}\n{}",
                lint_.id,
                changed.text
            );
            let comments = |text: &str| text.matches('#').count();
            assert_eq!(
                comments(before),
                comments(&changed.text),
                "{}: comments stay",
                lint_.id
            );
            let kept = changed
                .text
                .lines()
                .filter(|l| before.lines().any(|b| b == *l))
                .count();
            assert!(
                kept + 2 >= before.lines().count(),
                "{}: only the lines of the fix change",
                lint_.id
            );
        }
    }
    assert_eq!(
        fixes, 7,
        "NP003, NP004, NP006, NP007, NP011, NP014 and NP020 mend themselves"
    );
}

#[test]
fn fix_writes_the_files_and_shows_what_changes() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["data.yaml", "shop.yaml", "dev.yaml", "platform.yaml"] {
        std::fs::copy(
            root().join("examples/demo").join(file),
            folder.path().join(file),
        )
        .unwrap();
    }
    let dry = netpal_at(
        folder.path(),
        &["lint", "-f", ".", "--fix", "--dry-run"],
        "",
    );
    let before = std::fs::read_to_string(folder.path().join("data.yaml")).unwrap();
    assert_eq!(
        before,
        std::fs::read_to_string(root().join("examples/demo/data.yaml")).unwrap(),
        "a dry run writes nothing"
    );
    golden().bind(|| insta::assert_snapshot!("lint-fix", dry.text()));
    let fixed = netpal_at(folder.path(), &["lint", "-f", ".", "--fix"], "");
    assert!(
        fixed
            .stdout
            .contains("- shop/frontend -> data/database  5432/TCP"),
        "{}",
        fixed.stdout
    );
    let after = std::fs::read_to_string(folder.path().join("data.yaml")).unwrap();
    let changed: Vec<(&str, &str)> = before
        .lines()
        .zip(after.lines())
        .filter(|(a, b)| a != b)
        .collect();
    assert_eq!(
        changed,
        [(
            "    - podSelector: {matchLabels: {app: checkout}}",
            "      podSelector: {matchLabels: {app: checkout}}"
        )]
    );
    let again = netpal_at(folder.path(), &["lint", "-f", "."], "");
    assert!(
        again.code == 0 && again.stdout.contains("0 errors")
            || again.stdout.contains("2 warnings in 9 policies")
    );
}

const OPEN: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
  - {}
";

#[test]
fn a_suppression_with_a_reason_covers_and_one_without_does_not() {
    let config = config(&["NP009", "NP900"]);
    let rules_of = |text: &str| rules(&run(&netpal::load_str(text), &config));
    assert_eq!(rules_of(OPEN), ["NP009"]);
    let on_line = OPEN.replace("  - {}", "  - {} # netpal: ignore NP009 -- the way in");
    assert_eq!(rules_of(&on_line), Vec::<&str>::new());
    let above = OPEN.replace(
        "  ingress:",
        "  # netpal: ignore NP009 -- the way in\n  ingress:",
    );
    assert_eq!(
        rules_of(&above),
        ["NP009", "NP900"],
        "a dash at the key's own depth is not below it"
    );
    let inner = OPEN.replace("  - {}", "  # netpal: ignore NP009 -- the way in\n  - {}");
    assert_eq!(rules_of(&inner), Vec::<&str>::new());
    let no_reason = OPEN.replace("  - {}", "  - {} # netpal: ignore NP009");
    assert_eq!(rules_of(&no_reason), ["NP009", "NP900"]);
    let annotated = OPEN.replace(
        "namespace: shop",
        "namespace: shop, annotations: {netpal.dev/ignore: \"NP009 the way in, SEC-412\"}",
    );
    assert_eq!(rules_of(&annotated), Vec::<&str>::new());
    let elsewhere = OPEN.replace(
        "  podSelector: {}",
        "  podSelector: {} # netpal: ignore NP009 -- wrong line",
    );
    assert_eq!(rules_of(&elsewhere), ["NP009", "NP900"]);
}

#[test]
fn a_baseline_knows_old_findings_wherever_they_move() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), OPEN).unwrap();
    let run = |arguments: &[&str]| netpal_at(folder.path(), arguments, "");
    assert_eq!(
        run(&["lint", "-f", "a.yaml", "--fail-on", "warning"]).code,
        1
    );
    assert_eq!(
        run(&["lint", "-f", "a.yaml", "--write-baseline", "known.json"]).code,
        0
    );
    let moved = format!("# a comment\n\n{OPEN}");
    std::fs::write(folder.path().join("a.yaml"), moved).unwrap();
    assert_eq!(
        run(&[
            "lint",
            "-f",
            "a.yaml",
            "--fail-on",
            "warning",
            "--baseline",
            "known.json"
        ])
        .code,
        0
    );
    let other = OPEN.replace("name: web", "name: other");
    std::fs::write(folder.path().join("b.yaml"), other).unwrap();
    assert_eq!(
        run(&[
            "lint",
            "-f",
            ".",
            "--fail-on",
            "warning",
            "--baseline",
            "known.json"
        ])
        .code,
        1
    );
}

#[test]
fn rules_are_selected_ignored_and_weighed() {
    let input = netpal::load_str(OPEN);
    let with = |change: &dyn Fn(&mut LintConfig)| {
        let mut config = LintConfig::default();
        change(&mut config);
        run(&input, &config)
    };
    assert_eq!(rules(&with(&|_| {})), ["NP009"]);
    assert!(with(&|c| c.ignore = ["NP0", "NP2", "NP4"].map(Into::into).to_vec()).is_empty());
    let ignored = with(&|c| c.ignore = vec!["allow-all-rule".into(), "NP403".into()]);
    assert_eq!(
        rules(&ignored),
        ["NP201"],
        "what one rule explained better, the other tells when the first is off"
    );
    let weighed = with(&|c| c.severity = vec![("NP009".into(), Severity::Error)]);
    assert_eq!(weighed[0].severity, Severity::Error);
    assert!(with(&|c| c.per_namespace = vec![("shop".into(), vec!["NP".into()])]).is_empty());
    assert!(with(&|c| c.least = Some(Severity::Error)).is_empty());
}

#[test]
fn every_rule_runs_over_every_example_and_every_real_manifest() {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|f| f.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    if let Some(corpus) = std::env::var_os("NETPAL_CORPUS") {
        let large = |p: &PathBuf| p.ends_with("moj-cloud-platform") || p.ends_with("LICENSES");
        let all = std::fs::read_dir(corpus)
            .unwrap()
            .map(|f| f.unwrap().path())
            .filter(|p| p.is_dir());
        folders.extend(all.filter(|p| !large(p)));
    }
    for folder in folders {
        let Ok(input) = netpal::load([&folder]) else {
            continue;
        };
        let first = run(&input, &config(&["ALL"]));
        assert_eq!(
            first,
            run(&input, &config(&["ALL"])),
            "{}: the same every time",
            folder.display()
        );
    }
}

/// What a mesh's policies leave to others is no mistake of theirs: none of the rules about
/// `NetworkPolicies` speaks of them.
#[test]
fn policies_of_meshes_are_not_read_as_network_policies() {
    const BASE: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: a, labels: {istio-injection: enabled}, annotations: {linkerd.io/inject: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: a, labels: {app: web}}
spec:
  serviceAccountName: web
  containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: bot, namespace: a, labels: {app: bot}}
spec: {serviceAccountName: bot, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: a}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
";
    const POLICIES: [&str; 5] = [
        "
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: d, namespace: a}
spec: {action: DENY, rules: [{from: [{source: {notNamespaces: [a]}}]}]}
",
        "
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nothing, namespace: a}
spec: {}
",
        "
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: bots, namespace: a}
spec: {rules: [{from: [{source: {principals: [cluster.local/ns/a/sa/bot]}}]}]}
",
        "
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: a}
spec: {mtls: {mode: STRICT}}
",
        "
apiVersion: policy.linkerd.io/v1beta1
kind: Server
metadata: {name: http, namespace: a}
spec: {podSelector: {matchLabels: {app: web}}, port: http}
---
apiVersion: policy.linkerd.io/v1beta1
kind: ServerAuthorization
metadata: {name: public, namespace: a}
spec:
  server: {name: http}
  client: {unauthenticated: true, networks: [{cidr: 0.0.0.0/0}, {cidr: \"::/0\"}]}
",
    ];
    const OF_NETWORK_POLICIES: [&str; 7] = [
        "NP007", "NP008", "NP010", "NP103", "NP201", "NP402", "NP403",
    ];
    for policies in POLICIES {
        let input = netpal::load_str(&format!("{BASE}---{policies}"));
        assert!(!input.policies.policies.is_empty(), "{policies}");
        let findings = run(&input, &config(&["ALL"]));
        let wrong = rules(&findings);
        let closed = policies.contains("spec: {}"); // nobody can reach the Service then
        let wrong = wrong
            .iter()
            .filter(|id| OF_NETWORK_POLICIES.contains(id) && !(closed && **id == "NP103"));
        assert_eq!(wrong.collect::<Vec<_>>(), Vec::<&&str>::new(), "{policies}");
    }
}
