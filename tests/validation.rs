//! What the API accepts and rejects, with the field at fault, and what it defaults.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::{
    Diagnostic, DiagnosticCode as Code, DiagnosticSeverity as Severity, Direction, Kubernetes,
    LoadOptions, Place, Source, load_sources,
};
use serde_json::Value;

/// Reads an object as the API server of Kubernetes 1.35 does, which the cases are about.
fn load(object: &Value) -> netpal::Input {
    let text = serde_json::to_string_pretty(object).unwrap();
    let options = LoadOptions {
        kubernetes: Kubernetes(35),
        ..LoadOptions::default()
    };
    let source = Source::Text("case".into(), text.as_str().into());
    load_sources(&[source], &[], &options).unwrap()
}

fn path(d: &Diagnostic) -> String {
    match &d.place {
        Place::Origin(origin) => origin.path.to_string(),
        _ => String::new(),
    }
}

fn suite(file: &str) -> Option<Vec<Value>> {
    let root = std::env::var("NETPAL_CASES").ok()?;
    let text = std::fs::read_to_string(format!("{root}/validation/{file}")).unwrap();
    Some(serde_yaml::from_str(&text).unwrap())
}

#[test]
fn valid_and_invalid_objects_are_told_apart_at_the_field() {
    let Some(cases) = suite("cases.yaml") else {
        println!("skipped: NETPAL_CASES is not set");
        return;
    };
    let mut wrong = Vec::new();
    for case in &cases {
        // the experimental channel knows every field that netpal reads
        let expect = &case["expect"];
        let want = expect
            .get("api")
            .or_else(|| expect.get("experimental"))
            .and_then(Value::as_str)
            .unwrap();
        let input = load(&case["object"]);
        let errors: Vec<&Diagnostic> = input
            .diagnostics
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .collect();
        let paths: Vec<String> = case["paths"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p.as_str().unwrap().replace("[a]", ".a"))
            .collect();
        let at_field = errors
            .iter()
            .any(|d| paths.iter().any(|p| path(d) == *p || p.is_empty()));
        let unknown = errors.iter().any(|d| d.code == Code::UnknownField);
        let right = match want {
            "valid" => errors.is_empty() && input.policies.taints.is_empty(),
            "unknown-field" => at_field && unknown,
            _ => at_field,
        };
        if !right {
            let told: Vec<String> = errors
                .iter()
                .map(|d| format!("{}: {}", path(d), d.message))
                .collect();
            wrong.push(format!(
                "{}: want {want} at {paths:?}, told {told:?}",
                case["id"]
            ));
        }
    }
    println!(
        "validation: {} cases, {} mismatches",
        cases.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(cases.len(), 94);
}

#[test]
fn policy_types_default_as_the_api_defaults_them() {
    let Some(cases) = suite("defaults.yaml") else {
        println!("skipped: NETPAL_CASES is not set");
        return;
    };
    for case in &cases {
        let object = serde_json::json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": "p", "namespace": "app"}, "spec": case["spec"],
        });
        let input = load(&object);
        let policy = &input.policies.policies[0];
        let named = |d: Direction| {
            if d == Direction::Ingress {
                "Ingress"
            } else {
                "Egress"
            }
        };
        let got: Vec<&str> = Direction::ALL
            .into_iter()
            .filter(|d| policy.isolates(*d))
            .map(named)
            .collect();
        let want: Vec<&str> = case["policyTypes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t.as_str().unwrap())
            .collect();
        assert_eq!(got, want, "{}", case["source"]);
    }
    println!("defaulting: {} cases, 0 mismatches", cases.len());
    assert_eq!(cases.len(), 10);
}
