//! Pods in meshes, and what becomes of connections between them.
#![allow(dead_code, reason = "each test uses a part of it")]

use netpal::{
    AllowGraph, CompileOptions, Endpoint, Flow, HostNetwork, Input, LoadOptions, Protocol, Source,
    Traffic, Truth,
};

/// Two namespaces, and pods with an account each.
pub const PODS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {SHOP}}
---
apiVersion: v1
kind: Namespace
metadata: {name: plain, labels: {PLAIN}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}, annotations: {NOTES}}
spec: {serviceAccountName: web, containers: [{name: c, image: i}]}
status: {podIP: 10.0.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}, annotations: {NOTES}}
spec:
  serviceAccountName: db
  containers: [{name: c, image: i, ports: [{name: sql, containerPort: 5432}]}]
status: {podIP: 10.0.0.2}
---
apiVersion: v1
kind: Pod
metadata: {name: out, namespace: plain, labels: {app: out}}
spec: {containers: [{name: c, image: i}]}
status: {podIP: 10.0.0.3}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec:
  selector: {app: db}
  ports: [{name: tcp-sql, port: 5432}, {name: http, port: 80}, {name: other, port: 81}]
";

/// The pods with labels of the namespaces and annotations of the pods of `shop`.
pub fn pods(shop: &str, plain: &str, notes: &str) -> String {
    let pods = PODS.replace("{SHOP}", &format!("{{{shop}}}"));
    let pods = pods.replace("{PLAIN}", &format!("{{{plain}}}"));
    pods.replace("{NOTES}", &format!("{{{notes}}}"))
}

pub fn ambient() -> String {
    pods("istio.io/dataplane-mode: ambient", "team: b", "")
}

pub fn sidecars() -> String {
    pods("istio-injection: enabled", "istio-injection: disabled", "")
}

pub fn linkerd() -> String {
    pods("team: a", "team: b", "linkerd.io/inject: enabled")
}

pub fn load(text: &str) -> Input {
    let text = Source::Text("t.yaml".into(), text.into());
    netpal::load_sources(&[text], &[], &LoadOptions::default()).unwrap()
}

/// What becomes of TCP from one pod to another one, the same with classes and without.
pub fn verdict(cluster: &str, policies: &str, from: &str, to: &str, port: u16) -> Truth {
    asked(cluster, policies, from, to, Protocol::Tcp, port)
}

pub fn asked(
    cluster: &str,
    policies: &str,
    from: &str,
    to: &str,
    protocol: Protocol,
    port: u16,
) -> Truth {
    let input = load(&format!("{cluster}---{policies}"));
    let end = |text: &str| {
        let Some((namespace, name)) = text.split_once('/') else {
            return Endpoint::Address(text.parse().unwrap());
        };
        let cluster = &input.cluster;
        let mut pods = cluster.pods();
        let is_it = |id, pod: &netpal::Pod| {
            *pod.name == *name && *cluster.pod_namespace(id).name == *namespace
        };
        let (id, _) = pods.find(|(id, pod)| is_it(*id, pod)).unwrap();
        Endpoint::Pod(id)
    };
    let flow = Flow {
        source: end(from),
        destination: end(to),
        traffic: Traffic { protocol, port },
    };
    let options = CompileOptions::default().host_network(HostNetwork::Node);
    let verdicts = [true, false].map(|classes| {
        let graph = AllowGraph::compile(&input, &options.clone().classes(classes)).unwrap();
        graph.verdict(&flow)
    });
    assert_eq!(verdicts[0], verdicts[1], "with classes and without");
    verdicts[0]
}

/// A `NetworkPolicy` for the database with these ports.
pub fn opens(ports: &str) -> String {
    format!(
        "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: db, namespace: shop}}
spec: {{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{{ports}}}]}}
"
    )
}

/// An `AuthorizationPolicy` for the database.
pub fn authorization(rest: &str) -> String {
    format!(
        "
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: db, namespace: shop}}
spec: {{selector: {{matchLabels: {{app: db}}}}, {rest}}}
"
    )
}
