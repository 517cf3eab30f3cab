//! Small manifests, and what lint says of them.

use netpal::{AllowGraph, CompileOptions, Finding, LintConfig, Severity, lint};

/// What lint finds in a text, notes included.
pub fn findings(text: &str) -> Vec<Finding> {
    let input = netpal::load_str(text);
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    let config = LintConfig {
        select: vec!["ALL".into()],
        ..LintConfig::default()
    };
    lint(&input, &graph, &config).findings
}

/// A finding with all that is said about it, for comparison with a word.
pub fn told(finding: &Finding) -> String {
    let parts = [
        Some(&finding.message),
        finding.label.as_ref(),
        finding.help.as_ref(),
    ];
    let parts = parts.into_iter().flatten().chain(&finding.notes);
    let text: Vec<&str> = parts.map(|t| &**t).collect();
    text.join("; ")
}

/// Checks that a rule finds something of a severity that names a word.
#[track_caller]
pub fn finds(text: &str, rule: &str, severity: Severity, word: &str) {
    let all = findings(text);
    let fits = |f: &Finding| f.rule == rule && f.severity == severity && told(f).contains(word);
    let shown: Vec<String> = all
        .iter()
        .map(|f| format!("{} {} {}", f.rule, f.severity.name(), told(f)))
        .collect();
    assert!(
        all.iter().any(fits),
        "{rule} {}: {word}\n{text}\n{}",
        severity.name(),
        shown.join("\n")
    );
}

/// Checks that a rule finds nothing that is at least a warning.
#[track_caller]
pub fn quiet(text: &str, rule: &str) {
    let all = findings(text);
    let loud = all
        .iter()
        .find(|f| f.rule == rule && f.severity > Severity::Info);
    assert!(loud.is_none(), "{}\n{text}", loud.map(told).unwrap());
}

/// Checks that a rule finds nothing at all.
#[track_caller]
pub fn silent(text: &str, rule: &str) {
    let all = findings(text);
    let found = all.iter().find(|f| f.rule == rule);
    assert!(found.is_none(), "{}\n{text}", found.map(told).unwrap());
}

/// Documents of one text.
pub fn all(documents: &[&str]) -> String {
    documents.join("\n---\n")
}

pub fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}")
}

/// A Deployment whose pods have labels and declare ports, both in flow style.
pub fn deployment(name: &str, labels: &str, ports: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap();
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{{labels}}}}}
  template:
    metadata: {{labels: {{{labels}}}}}
    spec: {{containers: [{{name: main, image: x, ports: [{ports}]}}]}}"
    )
}

pub fn policy(name: &str, spec: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap();
    format!(
        "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}"
    )
}

pub fn ingress(from: &str) -> String {
    format!("{{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{from: [{from}]}}]}}")
}

pub fn egress(rules: &str) -> String {
    format!("{{podSelector: {{}}, policyTypes: [Egress], egress: [{rules}]}}")
}
