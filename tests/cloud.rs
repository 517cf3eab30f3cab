//! The policies of cloud providers, by the sentences of docs/dialects/cloud.md: graph with and
//! without classes, and the specification.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use netpal::{
    AllowGraph, CompileOptions, DiagnosticSeverity, Endpoint, Flow, Input, Protocol, Traffic,
    Truth, load_str,
};

const PODS: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop, labels: {app: cart}}
spec: {containers: [{name: c, ports: [{name: api, containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: till, namespace: bank, labels: {app: till}}
spec: {containers: [{name: c}]}
";

const APPLICATION: &str = "apiVersion: networking.k8s.aws/v1alpha1\nkind: ApplicationNetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: ";
const CLUSTER: &str = "apiVersion: networking.k8s.aws/v1alpha1\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: ";
const NAMES: &str = "apiVersion: networking.gke.io/v1alpha1\nkind: FQDNNetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: ";

fn load(policies: &[String]) -> Input {
    let documents: Vec<&str> = policies.iter().map(String::as_str).collect();
    load_str(&[&[PODS], &documents[..]].concat().join("\n---\n"))
}

fn end(input: &Input, name: &str) -> Endpoint {
    if let Ok(address) = name.parse() {
        return Endpoint::Address(address);
    }
    let named = |id| &*input.cluster.pod(id).name == name;
    let mut pods = input.cluster.pods().map(|(id, _)| id);
    Endpoint::Pod(pods.find(|id| named(*id)).expect("a pod of that name"))
}

/// Checks answers in every engine: source, destination, port.
fn check(policies: &[String], expected: &[(&str, &str, u16, Truth)]) {
    let input = load(policies);
    let errors: Vec<_> = input
        .diagnostics
        .iter()
        .filter(|d| d.severity == DiagnosticSeverity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    for classes in [true, false] {
        let options = CompileOptions::default().classes(classes);
        let graph = AllowGraph::compile(&input, &options).unwrap();
        graph.verify();
        for (source, destination, port, want) in expected {
            let flow = Flow {
                source: end(&input, source),
                destination: end(&input, destination),
                traffic: Traffic {
                    protocol: Protocol::Tcp,
                    port: *port,
                },
            };
            let specified = netpal::internals::spec::evaluate(graph.environment(), &flow);
            assert_eq!(specified, *want, "{source} -> {destination}:{port}");
            assert_eq!(
                graph.verdict(&flow),
                *want,
                "{source} -> {destination}:{port}"
            );
        }
    }
}

const OUTSIDE: &str = "203.0.113.9";

/// AW1, AW2, AW3: a `NetworkPolicy` whose destinations may have names.
#[test]
fn an_application_policy_is_a_network_policy_with_names() {
    let policy = "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [\
        {to: [{podSelector: {matchLabels: {app: cart}}}], ports: [{port: api}]}, \
        {to: [{domainNames: [api.example.com, \"*.example.org\"]}], ports: [{port: 443}]}]}";
    let expected = [
        ("web", "cart", 80, Truth::Yes),
        ("web", "cart", 443, Truth::No),
        ("web", "till", 443, Truth::No),
        ("web", OUTSIDE, 443, Truth::Maybe),
        ("web", OUTSIDE, 80, Truth::No),
        ("till", "web", 80, Truth::Yes),
        ("cart", OUTSIDE, 80, Truth::Yes),
    ];
    check(&[format!("{APPLICATION}{policy}")], &expected);
    // a NetworkPolicy of the same pods adds to it, and the other way round
    let more = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: q, namespace: shop}\n\
                spec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 9000}]}]}";
    let both = [format!("{APPLICATION}{policy}"), more.to_owned()];
    let expected = [
        ("web", OUTSIDE, 9000, Truth::Yes),
        ("web", "cart", 80, Truth::Yes),
        ("cart", OUTSIDE, 80, Truth::No),
    ];
    check(&both, &expected);
}

/// AW4: what the types are where none are written.
#[test]
fn types_that_are_not_documented_are_unknown() {
    let open = format!("{APPLICATION}{{podSelector: {{}}, egress: [{{}}]}}");
    let expected = [
        ("till", "web", 80, Truth::Maybe),
        ("web", "till", 80, Truth::Yes),
        ("till", OUTSIDE, 80, Truth::Yes),
    ];
    check(&[open], &expected);
    let closed =
        format!("{APPLICATION}{{podSelector: {{}}, ingress: [{{ports: [{{port: 80}}]}}]}}");
    let expected = [
        ("till", "web", 80, Truth::Yes),
        ("till", "web", 81, Truth::No),
        ("web", "till", 81, Truth::Yes),
    ];
    check(&[closed], &expected);
}

/// AW10, AW11, AW12: tiers, order and ports of administrators.
#[test]
fn a_cluster_policy_stands_in_the_tiers_of_administrators() {
    let policy = "{tier: Admin, priority: 5, subject: {namespaces: {}}, \
        ingress: [{action: Deny, from: [{namespaces: {matchLabels: {kubernetes.io/metadata.name: bank}}}], \
                   ports: [{portNumber: {port: 22}}, {portRange: {protocol: TCP, start: 8000, end: 8010}}]}], \
        egress: [{action: Accept, to: [{domainNames: [api.example.com]}]}, \
                 {action: Deny, to: [{networks: [203.0.113.0/24]}]}]}";
    let allowed = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: q, namespace: shop}\n\
                   spec: {podSelector: {}, ingress: [{}]}";
    let expected = [
        ("till", "web", 22, Truth::No),
        ("till", "web", 8005, Truth::No),
        ("till", "web", 80, Truth::Yes),
        ("cart", "web", 22, Truth::Yes),
        ("web", OUTSIDE, 443, Truth::Maybe),
        ("web", "198.51.100.1", 443, Truth::Yes),
    ];
    check(
        &[format!("{CLUSTER}{policy}"), allowed.to_owned()],
        &expected,
    );
}

/// GK1, GK2, GK3, GK4: both forms of one kind.
#[test]
fn a_policy_of_names_governs_egress() {
    let managed = "{podSelector: {matchLabels: {app: web}}, egress: [{matches: [{name: example.com}, {pattern: \"*.example.org\"}], ports: [{protocol: TCP, port: 443}]}]}";
    let expected = [
        ("web", OUTSIDE, 443, Truth::Maybe),
        ("web", OUTSIDE, 80, Truth::No),
        ("web", "till", 443, Truth::No),
        ("till", "web", 80, Truth::Yes),
        ("cart", OUTSIDE, 80, Truth::Yes),
    ];
    check(&[format!("{NAMES}{managed}")], &expected);
    let of_add_on =
        "{podSelector: {matchLabels: {app: web}}, egress: [{to: [{fqdns: [example.com]}]}]}";
    let expected = [
        ("web", OUTSIDE, 80, Truth::Maybe),
        ("web", "till", 443, Truth::No),
        ("till", "web", 80, Truth::Maybe),
    ];
    check(&[format!("{NAMES}{of_add_on}")], &expected);
    let typed = of_add_on.replace("egress:", "policyTypes: [Egress], egress:");
    let typed = format!("{NAMES}{typed}").replace("v1alpha1", "v1alpha3");
    check(
        &[typed],
        &[
            ("till", "web", 80, Truth::Yes),
            ("web", "till", 80, Truth::No),
        ],
    );
}

/// What the API refuses is an error at its place, and what the object could touch is unknown.
#[test]
fn mistakes_are_told_at_their_field() {
    for (document, at) in [
        (
            format!(
                "{APPLICATION}{{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{{domainNames: [a.example.com], ipBlock: {{cidr: 10.0.0.0/8}}}}]}}]}}"
            ),
            "spec.egress[0].to[0]",
        ),
        (
            format!(
                "{APPLICATION}{{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{{domainNames: [localhost]}}]}}]}}"
            ),
            "spec.egress[0].to[0].domainNames[0]",
        ),
        (
            format!(
                "{APPLICATION}{{podSelector: {{}}, ingress: [{{from: [{{domainNames: [a.example.com]}}]}}]}}"
            ),
            "domainNames",
        ),
        (
            format!(
                "{CLUSTER}{{tier: Admin, priority: 1, subject: {{namespaces: {{}}}}, egress: [{{action: Deny, to: [{{domainNames: [a.example.com]}}]}}]}}"
            ),
            "spec.egress[0]",
        ),
        (
            format!(
                "{CLUSTER}{{tier: Admin, priority: 1, subject: {{namespaces: {{}}}}, egress: [{{action: Deny, to: [{{nodes: {{}}}}]}}]}}"
            ),
            "spec.egress[0].to[0].nodes",
        ),
        (
            format!(
                "{NAMES}{{podSelector: {{}}, egress: [{{matches: [{{name: a.example.com, pattern: \"*\"}}]}}]}}"
            ),
            "spec.egress[0].matches[0]",
        ),
        (
            format!("{NAMES}{{podSelector: {{}}, egress: [{{ports: [{{port: 443}}]}}]}}"),
            "spec.egress[0]",
        ),
    ] {
        let input = load(std::slice::from_ref(&document));
        let told = input
            .diagnostics
            .iter()
            .any(|d| d.severity == DiagnosticSeverity::Error && d.message.contains(at));
        assert!(told, "{document}: {:?}", input.diagnostics);
    }
}
