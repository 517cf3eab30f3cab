//! What is unknown before and after is not the same because of that: an edit that decides, whatever
//! the unknown turns out to be, is told.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Run, netpal_at};
use std::fs;

const PODS: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x, labels: {app: a}}
spec: {containers: [{name: c, image: example/a}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: x, labels: {app: b}}
spec: {containers: [{name: c, image: example/b}]}
";

/// A policy that is not modelled: it may allow, deny or do nothing.
const UNMODELLED: &str = "\
---
apiVersion: security.lynx.smartx.com/v1alpha1
kind: GlobalPolicy
metadata: {name: g}
spec: {}
";

const DENY: &str = "\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: x}
spec: {podSelector: {}, policyTypes: [Ingress]}
";

fn diff(before: &str, after: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("before.yaml"), before).unwrap();
    fs::write(folder.path().join("after.yaml"), after).unwrap();
    let arguments = ["diff", "before.yaml", "after.yaml", "--world", "closed"];
    netpal_at(folder.path(), &arguments, "")
}

#[test]
fn a_deny_beside_a_policy_that_is_not_modelled_is_undecided() {
    let before = format!("{PODS}{UNMODELLED}");
    let after = format!("{before}{DENY}");
    for (one, two) in [(&before, &after), (&after, &before)] {
        let run = diff(one, two);
        assert_eq!(run.code, 3, "{}", run.text());
        assert!(!run.stdout.contains("no effect"), "{}", run.text());
    }
    let same = diff(&after, &after);
    assert_eq!(same.code, 0, "{}", same.text());
}

#[test]
fn an_edit_of_policies_that_govern_others_changes_nothing() {
    let policy = |port: u16| {
        let other = DENY.replace("podSelector: {}", "podSelector: {matchLabels: {app: c}}");
        let other = other.replace("name: deny", "name: others");
        let rule = format!("[Ingress], ingress: [{{ports: [{{port: {port}}}]}}]");
        format!("{PODS}{UNMODELLED}{}", other.replace("[Ingress]", &rule))
    };
    let run = diff(&policy(80), &policy(81));
    assert_eq!(run.code, 0, "{}", run.text());
}

#[test]
fn a_condition_that_changes_is_undecided() {
    let policy = |path: &str| {
        format!(
            "{PODS}---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: http, namespace: x}}
spec:
  endpointSelector: {{matchLabels: {{app: b}}}}
  ingress:
  - fromEndpoints: [{{}}]
    toPorts: [{{ports: [{{port: \"80\", protocol: TCP}}], rules: {{http: [{{method: GET, path: {path}}}]}}}}]
"
        )
    };
    let run = diff(&policy("/a"), &policy("/b"));
    assert_eq!(run.code, 3, "{}", run.text());
    let same = diff(&policy("/a"), &policy("/a"));
    assert_eq!(same.code, 0, "{}", same.text());
}

#[test]
fn a_rule_beside_two_doubts_is_undecided() {
    let pod = "podSelector: {matchLabels: {app: b}}";
    let before = format!(
        "{PODS}---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {{name: first}}
spec:
  priority: 1
  subject: {{pods: {{namespaceSelector: {{}}, {pod}}}}}
  ingress: [{{action: Deny, from: [{{namespaces: {{matchLabels: {{zone: red}}}}}}]}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: second, namespace: x}}
spec: {{{pod}, ingress: [{{from: [{{ipBlock: {{cidr: 10.0.0.0/9}}}}]}}]}}
"
    );
    let third = "---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: third, namespace: x}
spec: {podSelector: {matchLabels: {app: b}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}
";
    let run = diff(&before, &format!("{before}{third}"));
    assert!(run.stdout.contains("? x/a -> x/b  ALL"), "{}", run.text());
}

/// Policies that are renamed, split, merged or given twice say together what they said, known or
/// not; one of another subject, or with another rule, does not.
#[test]
fn what_is_only_spelled_otherwise_changes_nothing() {
    let policy = |name: &str, pods: &str, rules: &[&str]| {
        format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
             metadata: {{name: {name}, namespace: x}}\n\
             spec: {{podSelector: {pods}, policyTypes: [Egress], egress: [{}]}}\n",
            rules.join(", ")
        )
    };
    // whether the pods are inside is not told, and neither are the labels of the namespace
    let block = "{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}";
    let team = "{to: [{namespaceSelector: {matchLabels: {team: red}}}], ports: [{port: 80}]}";
    let other = "{to: [{ipBlock: {cidr: 10.0.0.0/9}}]}";
    let (all, app) = ("{}", "{matchLabels: {app: a}}");
    let one = policy("one", all, &[block, team]);
    for (after, code) in [
        (policy("other", all, &[block, team]), 0),
        (policy("one", all, &[team, block]), 0),
        (
            policy("one", all, &[team]) + &policy("two", all, &[block]),
            0,
        ),
        (one.clone() + &policy("two", all, &[block]), 0),
        (one.clone() + &policy("two", all, &[]), 0),
        (policy("other", all, &[block]), 3),
        (policy("other", all, &[other, team]), 1),
        (policy("other", app, &[block, team]), 1),
    ] {
        let [before, after] = [&one, &after].map(|policies| format!("{PODS}{policies}"));
        let run = diff(&before, &after);
        assert_eq!(run.code, code, "{after}\n{}", run.text());
    }
}
