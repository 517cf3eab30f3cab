//! Remedies of failed tests: they can all be applied together, they break nothing that passes, and
//! they are written where nobody else is meant.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::internals::query::suggest::trial::{AdditionPlace, objects};
use netpal::{
    Addition, AllowGraph, CompileOptions, Context, DoorList, Input, LoadOptions, Source, Suite,
    TestEnvironment, TestRun, TestStatus, add_remedies, check, load_sources, parse_tests,
};

const PODS: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: s}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: s, labels: {app: web}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: s, labels: {app: api}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: pay, namespace: s, labels: {app: pay}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
";

const DENY: &str = "
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: s}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
";

/// The outcomes of tests with their remedies, and the input.
fn remedied(text: &str, tests: &[&str]) -> (Input, Vec<(TestStatus, Vec<Addition>)>) {
    let input = netpal::load_str(text);
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    let suite = suite(tests);
    let context = Context::default();
    let none = |_: &str| Ok(Vec::new());
    let env = TestEnvironment {
        context: &context,
        snapshot: &none,
        doors: &|| Ok(DoorList::default()),
    };
    let run: TestRun<'_> = check(&graph, &env, &suite);
    let mut runs = [(&suite, run)];
    add_remedies(&input, &graph, &env, &mut runs);
    let [(_, run)] = runs;
    let outcomes = run.outcomes.into_iter().map(|o| (o.status, o.remedy));
    let outcomes = outcomes.collect();
    (input, outcomes)
}

fn suite(tests: &[&str]) -> Suite {
    let text: Vec<String> = tests.iter().map(|t| format!("  - {t}")).collect();
    let text = format!("version: 1\ntests:\n{}\n", text.join("\n"));
    parse_tests("tests.yaml", &text).unwrap()
}

/// The statuses of tests after all remedies are laid over the input, as a user would.
fn after(text: &str, tests: &[&str]) -> Vec<TestStatus> {
    let (input, outcomes) = remedied(text, tests);
    let mut all: Vec<Addition> = Vec::new();
    for change in outcomes.iter().flat_map(|(_, remedy)| remedy) {
        if !all.contains(change) {
            all.push(change.clone());
        }
    }
    let items = objects(&input, &all).unwrap();
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
    let base = [Source::Text("base".into(), text.into())];
    let overlay = [Source::Text("change".into(), list.to_string().into())];
    let input = load_sources(&base, &overlay, &LoadOptions::default()).unwrap();
    assert!(!input.has_errors(), "{:?}", input.diagnostics);
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    let context = Context::default();
    let none = |_: &str| Ok(Vec::new());
    let env = TestEnvironment {
        context: &context,
        snapshot: &none,
        doors: &|| Ok(DoorList::default()),
    };
    let suite = suite(tests);
    let run = check(&graph, &env, &suite);
    run.outcomes.iter().map(|o| o.status).collect()
}

#[test]
fn the_remedies_of_all_failed_tests_are_applied_together() {
    let tests = [
        "{can: s/web -> s/api:8080}",
        "{can: s/api -> s/pay:8080}",
        "{can: s/api -> s/pay:9090}",
        "{can: s/web -> s/api:8080}",
        "{cannot: s/web -> s/pay}",
    ];
    let text = format!("{PODS}{DENY}");
    let (_, outcomes) = remedied(&text, &tests);
    assert!(
        outcomes[..4]
            .iter()
            .all(|(status, remedy)| *status == TestStatus::Failed && remedy.len() == 2)
    );
    assert_eq!(after(&text, &tests), [TestStatus::Passed; 5]);
}

#[test]
fn what_holds_for_every_pod_of_a_namespace_is_left_alone() {
    let (_, outcomes) = remedied(&format!("{PODS}{DENY}"), &["{can: s/web -> s/api:8080}"]);
    for change in &outcomes[0].1 {
        assert!(
            matches!(change.place, AdditionPlace::Policy { .. }),
            "{change:?}"
        );
    }
    // a policy of the workload carries it
    let own = "
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: s}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}
";
    let (input, outcomes) = remedied(
        &format!("{PODS}{DENY}{own}"),
        &["{can: s/web -> s/api:8080}"],
    );
    let AdditionPlace::Rule(id) = outcomes[0].1[0].place else {
        panic!("{:?}", outcomes[0].1);
    };
    assert_eq!(&*input.policies.get(id).name, "web");
}

#[test]
fn a_port_is_not_added_for_peers_that_were_not_asked_about() {
    // the rule is for every pod of the namespace, also those to come
    let open = "
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: s}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress]
  ingress: [{from: [{podSelector: {}}], ports: [{port: 8080}]}]
";
    let pods: String = PODS
        .split("---\n")
        .take(3)
        .collect::<Vec<_>>()
        .join("---\n");
    let (_, outcomes) = remedied(&format!("{pods}{open}"), &["{can: s/web -> s/api:9090}"]);
    let places: Vec<_> = outcomes[0].1.iter().map(|c| &c.place).collect();
    assert!(matches!(places[..], [AdditionPlace::Rule(_)]), "{places:?}");
}

#[test]
fn an_address_of_a_remedy_is_one_that_the_test_names() {
    let tests = [
        "{can: 'internet -> s/web:8080'}",
        "{can: 's/api -> 192.0.2.0/24:443'}",
        "{can: 's/api -> 203.0.113.7:443'}",
    ];
    let text = format!("{PODS}{DENY}");
    let (_, outcomes) = remedied(&text, &tests);
    let told: Vec<String> = outcomes
        .iter()
        .map(|(_, remedy)| remedy.iter().map(|c| c.content.to_string()).collect())
        .collect();
    assert!(
        told[0].contains("0.0.0.0/0") && !told[0].contains("1.0.0.0/32"),
        "{}",
        told[0]
    );
    assert!(told[1].contains("192.0.2.0/24"), "{}", told[1]);
    assert!(told[2].contains("203.0.113.7/32"), "{}", told[2]);
    assert_eq!(after(&text, &tests), [TestStatus::Passed; 3]);
}

#[test]
fn what_would_break_a_passing_test_is_no_remedy() {
    let tests = ["{can: s/web -> s/api:8080}", "{cannot: s/web -> s/api}"];
    let (_, outcomes) = remedied(&format!("{PODS}{DENY}"), &tests);
    assert_eq!(outcomes[1].0, TestStatus::Passed);
    assert!(outcomes[0].1.is_empty(), "{:?}", outcomes[0].1);
    // and neither is what breaks one together with another remedy only
    let shared = "
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: s}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress:
  - to: [{podSelector: {matchLabels: {app: api}}}, {podSelector: {matchLabels: {app: pay}}}]
    ports: [{port: 8080}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: pay, namespace: s}
spec:
  podSelector: {matchLabels: {app: pay}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: api}}}, {podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 8080}]
";
    let tests = [
        "{can: s/web -> s/api:9090}",
        "{can: s/api -> s/pay:9090}",
        "{cannot: s/web -> s/pay:9090}",
    ];
    let text = format!("{PODS}{DENY}{shared}");
    assert_eq!(after(&text, &tests), [TestStatus::Passed; 3]);
}

#[test]
fn a_pod_without_labels_cannot_be_opened_alone() {
    let bare = PODS.replace(", labels: {app: web}", "");
    let (_, outcomes) = remedied(&format!("{bare}{DENY}"), &["{can: s/web -> s/api:8080}"]);
    assert_eq!(outcomes[0].0, TestStatus::Failed);
    assert!(outcomes[0].1.is_empty(), "{:?}", outcomes[0].1);
}
