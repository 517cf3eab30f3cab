//! The endpoint grammar against a cluster: what each spelling means, and what is said when it means
//! nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::{
    AllowGraph, CompileOptions, Context, End, Input, Question, Verdict, ask, load_str, resolve,
};

const WORLD: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: job}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    metadata: {labels: {app: api, tier: back}}
    spec: {containers: [{name: c, ports: [{name: http, containerPort: 9090}]}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: data}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, ports: [{name: sql, containerPort: 5432}]}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: db, namespace: job}
spec:
  jobTemplate: {spec: {template: {metadata: {labels: {app: backup}}, spec: {containers: [{name: c}]}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: debug, namespace: shop}
spec: {containers: [{name: c}]}
status: {podIP: 10.1.2.3}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, clusterIP: 10.96.0.7, ports: [{name: www, port: 80, targetPort: http}, {name: adm, port: 81, targetPort: 8081}]}
---
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: shop}
spec: {type: ExternalName, externalName: example.com}
---
apiVersion: v1
kind: Service
metadata: {name: manual, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{podSelector: {matchLabels: {app: api}}}], ports: [{port: http}]}]
";

struct Environment {
    input: Input,
    graph: AllowGraph,
}

fn env() -> Environment {
    let input = load_str(WORLD);
    assert!(input.diagnostics.is_empty(), "{:?}", input.diagnostics);
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    Environment { input, graph }
}

impl Environment {
    fn names(&self, endpoint: &str, namespace: Option<&str>) -> Result<Vec<String>, String> {
        let context = Context {
            namespace: namespace.map(Into::into),
            ..Context::default()
        };
        let resolved = resolve(&self.input.cluster, &context, &endpoint.parse().unwrap());
        let resolved =
            resolved.map_err(|e| format!("{} | {}", e.message, e.help.unwrap_or_default()))?;
        let name = |end: &End| match end {
            End::Pods { workload, pods, .. } => {
                let all = self.input.cluster.workload(*workload).pods.len();
                let some = if pods.len() < all {
                    format!("[{}/{all}]", pods.len())
                } else {
                    String::new()
                };
                format!("{}{some}", self.input.cluster.workload_name(*workload))
            }
            End::Addresses { name, .. } => name.to_string(),
        };
        Ok(resolved.ends.iter().map(name).collect())
    }

    fn found(&self, endpoint: &str) -> Vec<String> {
        self.names(endpoint, None).unwrap()
    }

    fn error(&self, endpoint: &str) -> String {
        self.names(endpoint, None).unwrap_err()
    }

    fn can(&self, question: &str) -> Verdict {
        let question: Question = question.parse().unwrap();
        ask(&self.graph, &Context::default(), &question)
            .unwrap()
            .verdict
    }
}

#[test]
fn names_with_namespace_kind_or_both() {
    let w = env();
    for spelling in [
        "web",
        "shop/web",
        "deploy/web",
        "Deployment/web",
        "shop/deploy/web",
        "shop/deployments/web",
    ] {
        assert_eq!(w.found(spelling), ["shop/web"], "{spelling}");
    }
    assert_eq!(w.found("shop/po/debug"), ["shop/debug"]);
    assert_eq!(w.names("db", Some("data")).unwrap(), ["data/db"]);
}

#[test]
fn a_namespace_named_like_a_kind_needs_three_parts() {
    let w = env();
    assert_eq!(
        w.error("job/db").split(" | ").next(),
        Some("no Job is called `db`")
    );
    assert_eq!(w.found("job/cronjob/db"), ["job/db"]);
}

#[test]
fn what_two_have_is_ambiguous_and_both_are_listed() {
    let w = env();
    assert!(
        w.error("db")
            .starts_with("db is ambiguous: data/db, job/db"),
        "{}",
        w.error("db")
    );
}

#[test]
fn sets_by_namespace_name_and_labels() {
    let w = env();
    for spelling in ["ns/shop", "namespace/shop", "shop/*"] {
        assert_eq!(
            w.found(spelling),
            ["shop/web", "shop/api", "shop/debug"],
            "{spelling}"
        );
    }
    assert_eq!(w.found("*/db"), ["data/db", "job/db"]);
    assert_eq!(w.found("any").len(), 5);
    assert_eq!(w.found("?tier in (front,back)"), ["shop/web", "shop/api"]);
    assert_eq!(w.found("shop?app!=web,!tier"), ["shop/debug"]);
    assert_eq!(
        w.found("data?apps.kubernetes.io/pod-index=1"),
        ["data/db[1/2]"]
    );
    assert!(
        w.error("?app=nobody")
            .starts_with("no pod has the labels `app=nobody`")
    );
}

#[test]
fn services_lead_to_their_pods_by_every_name() {
    let w = env();
    for spelling in [
        "svc/web",
        "shop/svc/web",
        "web.shop",
        "web.shop.svc",
        "web.shop.svc.cluster.local",
        "10.96.0.7",
    ] {
        assert_eq!(w.found(spelling), ["shop/web"], "{spelling}");
    }
    assert!(
        w.error("svc/wob").contains("did you mean web.shop?"),
        "{}",
        w.error("svc/wob")
    );
}

#[test]
fn a_service_port_is_mapped_to_the_pods_port() {
    let w = env();
    assert_eq!(
        w.can("api reach svc/web:80"),
        Verdict::Yes,
        "80 -> http -> 8080"
    );
    assert_eq!(w.can("api reach svc/web:www"), Verdict::Yes);
    assert_eq!(
        w.can("api reach svc/web:81"),
        Verdict::No,
        "8081 is not opened"
    );
    assert_eq!(
        w.can("api reach svc/web"),
        Verdict::Partly,
        "all ports of the Service"
    );
    assert_eq!(
        w.can("api reach deploy/web:80"),
        Verdict::No,
        "the pod's own port 80"
    );
}

#[test]
fn services_without_pods_are_unknown_and_say_why() {
    let w = env();
    for (service, why) in [
        ("svc/outside", "example.com"),
        ("svc/manual", "no selector"),
    ] {
        let question: Question = format!("api reach {service}:80").parse().unwrap();
        let answer = ask(&w.graph, &Context::default(), &question).unwrap();
        assert_eq!(answer.verdict, Verdict::Unknown);
        assert!(answer.missing[0].contains(why), "{:?}", answer.missing);
    }
}

#[test]
fn pod_names_lead_to_their_workload() {
    let w = env();
    assert_eq!(w.found("web-5d4f8c7b9-x2x4z"), ["shop/web"]);
    assert_eq!(w.found("db-1"), ["data/db[1/2]"]);
    assert!(
        w.names("web-frontend", None).is_err(),
        "a name of its own is not a hash"
    );
}

#[test]
fn addresses_are_pods_nodes_or_outside() {
    let w = env();
    assert_eq!(w.found("10.1.2.3"), ["shop/debug"]);
    assert_eq!(w.found("192.168.0.1"), ["192.168.0.1"]);
    assert_eq!(w.found("203.0.113.0/24"), ["203.0.113.0/24"]);
    assert_eq!(w.found("nodes"), ["node n1"]);
    assert_eq!(w.can("203.0.113.9 reach web:8080"), Verdict::No);
    assert_eq!(w.can("internet reach api:9090"), Verdict::Yes);
    assert_eq!(
        w.can("203.0.113.9 reach 198.51.100.1:80"),
        Verdict::Unknown,
        "nobody governs it"
    );
}

#[test]
fn port_names_are_looked_up_on_each_destination() {
    let w = env();
    assert_eq!(w.can("api reach web:http"), Verdict::Yes);
    assert_eq!(w.can("web reach api:http"), Verdict::Yes);
    assert_eq!(
        w.can("api reach web:sql"),
        Verdict::Unknown,
        "no such name there"
    );
    assert_eq!(w.can("api reach web:8080/udp"), Verdict::No);
    assert_eq!(w.can("api reach web:8080,8081"), Verdict::Partly);
    assert_eq!(w.can("api reach web:8000-8100"), Verdict::Partly);
    assert_eq!(w.can("api reach web:*"), Verdict::Partly);
}

#[test]
fn sets_are_for_all() {
    let w = env();
    assert_eq!(w.can("ns/shop reach web:8080"), Verdict::Partly);
    assert_eq!(w.can("ns/data reach web:8080"), Verdict::No);
    assert_eq!(w.can("any reach api:9090"), Verdict::Yes);
}

#[test]
fn what_the_input_does_not_have_is_unknown() {
    let w = env();
    assert_eq!(w.can("web reach dns:53"), Verdict::Unknown);
    // an API server surely exists, and nothing keeps web from any address
    assert_eq!(w.can("web reach apiserver:53"), Verdict::Yes);
}

#[test]
fn a_chosen_namespace_that_is_not_there_is_told() {
    let w = env();
    let told = w.names("web", Some("shp")).unwrap_err();
    assert!(
        told.contains("no namespace is called `shp`") && told.contains("did you mean shop?"),
        "{told}"
    );
}
