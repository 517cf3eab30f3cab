//! A small cluster with two nodes, and questions about it asked of every engine.

use netpal::internals::spec::evaluate;
use netpal::{
    AllowGraph, CompileOptions, Endpoint, Environment, Flow, Input, Protocol, Traffic, Truth,
    explain,
};

/// Two nodes, each with a pod and with one on its network.
pub const CLUSTER: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {zone: a}}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2, labels: {zone: b}}
status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop, labels: {app: a}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {podIP: 10.0.1.1}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: shop, labels: {app: b}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {podIP: 10.0.1.2}
---
apiVersion: v1
kind: Pod
metadata: {name: far, namespace: shop, labels: {app: far}}
spec: {nodeName: n2, containers: [{name: c, image: i}]}
status: {podIP: 10.0.2.1}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: shop, labels: {app: agent}}
spec: {nodeName: n1, hostNetwork: true, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: floating, namespace: shop, labels: {app: floating}}
spec: {containers: [{name: c, image: i}]}
status: {podIP: 10.0.3.1}
---
";

/// What is called so: an address, or a pod.
pub fn end(input: &Input, name: &str) -> Endpoint {
    if let Ok(address) = name.parse() {
        return Endpoint::Address(address);
    }
    let mut pods = input.cluster.pods();
    let found = pods.find(|(_, pod)| *pod.name == *name);
    Endpoint::Pod(found.unwrap_or_else(|| panic!("no pod {name}")).0)
}

/// Asks every engine about lines of `yes from to port`; a port over UDP ends in `u`.
pub fn holds_under(options: &CompileOptions, documents: &[&str], lines: &str) {
    let input = netpal::load_str(&(CLUSTER.to_owned() + &documents.concat()));
    assert!(!input.has_errors(), "{:?}", input.diagnostics);
    let env = Environment::new(&input, options);
    let graphs = [true, false]
        .map(|classes| AllowGraph::compile(&input, &options.clone().classes(classes)).unwrap());
    graphs.iter().for_each(AllowGraph::verify);
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [want, from, to, port] = words[..] else {
            panic!("{line}")
        };
        let (protocol, port) = match port.strip_suffix('u') {
            Some(port) => (Protocol::Udp, port),
            None => (Protocol::Tcp, port),
        };
        let flow = Flow {
            source: end(&input, from),
            destination: end(&input, to),
            traffic: Traffic {
                protocol,
                port: port.parse().unwrap(),
            },
        };
        let want = match want {
            "yes" => Truth::Yes,
            "no" => Truth::No,
            _ => Truth::Maybe,
        };
        assert_eq!(evaluate(&env, &flow), want, "{line}");
        for graph in &graphs {
            assert_eq!(graph.verdict(&flow), want, "{line}");
            assert_eq!(explain(graph, &flow).allowed, want, "{line}");
        }
    }
}
