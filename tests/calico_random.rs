//! Calico on random clusters: the specification, both graphs, rows, explanations, lists and diffs
//! agree about every flow, with policies of Calico beside those of Kubernetes; a `NetworkPolicy`
//! and its equivalent in Calico have the same verdicts; selectors mean what another evaluator says.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code)]
mod common {
    pub mod engines;
    pub mod random;
}

use common::engines::{self, OUTSIDE, Tally};
use common::random::{self, APPS, NAMESPACES, PORTS, Random};
use netpal::internals::policy::calico::{LabelExpression, selector};
use netpal::{
    AllowGraph, CniProfile, CompileOptions, Endpoint, Flow, HostNetwork, Input, Labels, ListFilter,
    ListParty, Protocol, Traffic, Truth, Workload, WorkloadId, list,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CLUSTERS: u64 = 6;

/// Tiers, sets, accounts and policies.
fn objects(random: &mut Random) -> Vec<Value> {
    let mut all = vec![
        tier("first", 10.0, random),
        tier("late", 2_000_000.0, random),
        json!({"apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkSet",
            "metadata": {"name": "partners", "labels": {"role": "partner"}},
            "spec": {"nets": ["8.8.8.0/24", "10.0.0.0/24"]}}),
        json!({"apiVersion": "projectcalico.org/v3", "kind": "NetworkSet",
            "metadata": {"name": "own", "namespace": random.pick(&NAMESPACES),
                "labels": {"app": "web"}},
            "spec": {"nets": ["192.168.0.0/16", "2001:db8::/32"]}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "robot", "namespace": "a", "labels": {"trust": "yes"}}}),
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "namespace": "a"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
    ];
    for i in 0..=random.below(5) {
        all.push(policy(random, i));
    }
    all
}

fn tier(name: &str, order: f64, random: &mut Random) -> Value {
    let action = random.pick(&["Deny", "Pass", "Pass"]);
    json!({"apiVersion": "projectcalico.org/v3", "kind": "Tier", "metadata": {"name": name},
        "spec": {"order": order, "defaultAction": action}})
}

fn policy(random: &mut Random, i: usize) -> Value {
    let own = random.chance(60);
    let staged = random.chance(8);
    let kind = match (staged, own) {
        (false, true) => "NetworkPolicy",
        (false, false) => "GlobalNetworkPolicy",
        (true, true) => "StagedNetworkPolicy",
        (true, false) => "StagedGlobalNetworkPolicy",
    };
    let version = *random.pick(&["projectcalico.org/v3", "crd.projectcalico.org/v1"]);
    let mut metadata = json!({"name": format!("calico-{i}")});
    if own {
        metadata["namespace"] = json!(random.pick(&NAMESPACES));
    }
    let mut spec = json!({});
    if random.chance(70) {
        spec["order"] = json!(random.pick(&[-1.5, 10.0, 1000.0, 2000.0]));
    }
    if random.chance(40) {
        spec["tier"] =
            json!(random.pick(&["first", "late", "kube-admin", "kube-baseline", "nowhere"]));
    }
    if random.chance(80) {
        spec["selector"] = json!(expression(random, 2));
    }
    if !own && random.chance(30) {
        spec["namespaceSelector"] = json!(of_namespaces(random));
    }
    if random.chance(10) {
        spec["serviceAccountSelector"] = json!("trust == 'yes'");
    }
    if random.chance(60) {
        let types = [
            json!(["Ingress"]),
            json!(["Egress"]),
            json!(["Ingress", "Egress"]),
        ];
        spec["types"] = random.pick(&types).clone();
    }
    for (list, direction) in [("ingress", 0), ("egress", 1)] {
        if random.chance(60) {
            let rules: Vec<Value> = (0..=random.below(3))
                .map(|_| rule(random, direction))
                .collect();
            spec[list] = json!(rules);
        }
    }
    json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})
}

fn rule(random: &mut Random, direction: usize) -> Value {
    let action = random.pick(&["Allow", "Allow", "Allow", "Deny", "Pass", "Log"]);
    let mut rule = json!({"action": action});
    let ports = random.chance(50);
    if ports {
        rule["protocol"] = json!(random.pick(&["TCP", "UDP"]));
    } else if random.chance(20) {
        rule["protocol"] = json!(random.pick(&["ICMP", "ICMPv6"]));
        if random.chance(50) {
            rule["icmp"] = json!({"type": 8});
        }
    } else if random.chance(15) {
        rule["notProtocol"] = json!("TCP");
    }
    if rule.get("protocol").is_none() && random.chance(10) {
        rule["ipVersion"] = json!(random.pick(&[4, 6]));
    }
    let peer = ["source", "destination"][direction];
    for side in ["source", "destination"] {
        let percent = if side == peer { 80 } else { 25 };
        if random.chance(percent) {
            let of_peer = side == peer;
            rule[side] = entity(random, ports, side == "destination", of_peer);
        }
    }
    rule
}

fn entity(random: &mut Random, ports: bool, destination: bool, of_peer: bool) -> Value {
    let mut entity = json!({});
    if of_peer && !ports && random.chance(10) {
        return json!({"services": {"name": "web", "namespace": "a"}});
    }
    if random.chance(50) {
        entity["selector"] = json!(expression(random, 2));
    }
    if random.chance(15) {
        entity["notSelector"] = json!(expression(random, 1));
    }
    if random.chance(30) {
        entity["namespaceSelector"] = json!(of_namespaces(random));
    }
    if random.chance(10) {
        entity["serviceAccounts"] = random
            .pick(&[
                json!({"names": ["robot"]}),
                json!({"selector": "!has(trust)"}),
                json!({}),
            ])
            .clone();
    }
    if random.chance(20) {
        entity["nets"] = json!([random.pick(&["10.0.0.0/8", "8.8.8.0/24", "192.168.0.0/16"])]);
    }
    if random.chance(10) {
        entity["notNets"] = json!([random.pick(&["10.0.0.0/16", "8.0.0.0/8"])]);
    }
    if ports && (destination || random.chance(20)) {
        if random.chance(70) {
            entity["ports"] = json!([port(random)]);
        }
        if random.chance(20) {
            entity["notPorts"] = json!([port(random)]);
        }
    }
    entity
}

fn port(random: &mut Random) -> Value {
    match random.below(3) {
        0 => json!(random.pick(&PORTS)),
        1 => json!("1:100"),
        _ => json!(random.pick(&["http", "web", "dns", "metrics"])),
    }
}

fn of_namespaces(random: &mut Random) -> String {
    let namespace = random.pick(&NAMESPACES);
    match random.below(6) {
        0 => "all()".to_owned(),
        1 => "global()".to_owned(),
        2 => format!("projectcalico.org/name == '{namespace}'"),
        3 => format!("projectcalico.org/name != '{namespace}'"),
        4 => "has(team)".to_owned(),
        _ => "team in {'blue', 'red'}".to_owned(),
    }
}

/// A random selector.
fn expression(random: &mut Random, depth: usize) -> String {
    let app = random.pick(&APPS);
    let namespace = random.pick(&NAMESPACES);
    match random.below(if depth == 0 { 9 } else { 13 }) {
        0 => format!("app == '{app}'"),
        1 => format!("app != \"{app}\""),
        2 => "has(app)".to_owned(),
        3 => format!("app in {{'{app}', 'other',}}"),
        4 => format!("app starts with '{}'", app.get(..1).unwrap_or_default()),
        5 => format!("projectcalico.org/namespace == '{namespace}'"),
        6 => "role == 'partner' || pcns.team == 'blue'".to_owned(),
        7 => "pcsa.trust == 'yes'".to_owned(),
        8 => "all()".to_owned(),
        9 => format!("!({})", expression(random, depth - 1)),
        10 => format!(
            "({}) && ({})",
            expression(random, depth - 1),
            expression(random, depth - 1)
        ),
        _ => format!(
            "{} || {}",
            expression(random, depth - 1),
            expression(random, depth - 1)
        ),
    }
}

fn options(random: &mut Random) -> CompileOptions {
    let profile = CniProfile::find("calico").unwrap();
    let mut options = profile.apply(CompileOptions::default());
    options.calico.version = random.chance(20).then_some(31);
    options.calico.staged = random.chance(15);
    options.source_port = random.chance(40).then(|| *random.pick(&PORTS));
    if random.chance(10) {
        options.host_network = *random.pick(&[HostNetwork::Unknown, HostNetwork::Pod]);
    }
    options
}

fn flows(input: &Input) -> Vec<Flow> {
    engines::flows(
        input,
        &OUTSIDE,
        &engines::tcp_and_echo(&[53, 80, 5432, 8080]),
    )
}

/// The first seed and the number of clusters.
fn seeds() -> std::ops::Range<u64> {
    let first = std::env::var("NETPAL_SEED").map_or(0, |n| n.parse().unwrap());
    let clusters = std::env::var("NETPAL_CLUSTERS").map_or(CLUSTERS, |n| n.parse().unwrap());
    first..first + clusters
}

#[test]
fn policies_of_calico_mean_the_same_to_every_engine() {
    let tallies = random::on_all_cores(seeds(), |seed| {
        let mut random = Random::new(seed);
        let mut documents = random::documents(&mut random);
        // without most policies of Kubernetes, which close nearly everything
        let is_kept = |d: &Value| !d["kind"].as_str().unwrap().ends_with("Policy");
        if random.chance(60) {
            documents.retain(is_kept);
        }
        let mut with_calico = documents.clone();
        with_calico.extend(objects(&mut random));
        let options = options(&mut random);
        if std::env::var_os("NETPAL_SHOW").is_some() {
            println!("{}\n{options:?}", random::text(&with_calico));
        }
        let [before, after] =
            [&documents, &with_calico].map(|all| netpal::load_str(&random::text(all)));
        Tally::of((&before, &after), &options, flows(&after), seed)
    });
    let tally = Tally::sum(tallies);
    println!("{}", tally.words());
    let [no, _, yes] = tally.flows;
    assert!(tally.changed * 4 > tally.clusters && yes > 0 && no > 0);
}

/// The addresses of nodes, of which host endpoints may be interfaces.
const OF_NODES: [&str; 4] = ["192.168.1.1", "192.168.1.2", "203.0.113.1", "fd00:1::1"];

/// A host endpoint: of one interface or of all others, with addresses or without.
fn host_endpoint(random: &mut Random, i: usize) -> Value {
    let at = random.below(2);
    let own = OF_NODES[at];
    let addresses = [
        json!([own]),
        json!([own]),
        json!([own, "fd00:1::1"]),
        json!(["203.0.113.1"]),
        json!([]),
    ];
    let mut spec = json!({"node": format!("n{}", at + 1),
        "interfaceName": random.pick(&["*", "*", "eth0", "eth0", "eth1", ""]),
        "expectedIPs": random.pick(&addresses),
        "ports": [{"name": "http", "protocol": "TCP", "port": 8080}]});
    if spec["interfaceName"] == "" {
        spec["expectedIPs"] = json!([own]);
    }
    if random.chance(70) {
        let profiles = [
            json!(["projectcalico-default-allow"]),
            json!(["projectcalico-default-allow"]),
            json!(["some"]),
            json!(["unknown", "some"]),
        ];
        spec["profiles"] = random.pick(&profiles).clone();
    }
    let labels = [json!({"role": "edge"}), json!({"app": "web"}), json!({})];
    let labels = random.pick(&labels);
    json!({"apiVersion": "projectcalico.org/v3", "kind": "HostEndpoint",
        "metadata": {"name": format!("hep-{i}"), "labels": labels}, "spec": spec})
}

/// A policy that may be for host endpoints, at any stage.
fn host_policy(random: &mut Random, i: usize) -> Value {
    let mut policy = policy(random, i);
    policy["kind"] = json!("GlobalNetworkPolicy");
    policy["metadata"] = json!({"name": format!("hosts-{i}")});
    let spec = &mut policy["spec"];
    if random.chance(60) {
        spec["selector"] = json!(random.pick(&["role == 'edge'", "!has(app)", "all()"]));
        spec.as_object_mut().unwrap().remove("namespaceSelector");
        spec.as_object_mut()
            .unwrap()
            .remove("serviceAccountSelector");
    }
    spec["applyOnForward"] = json!(random.chance(70));
    if spec["applyOnForward"] == true {
        match random.below(4) {
            0 => spec["doNotTrack"] = json!(true),
            1 => {
                spec["preDNAT"] = json!(true);
                spec["types"] = json!(["Ingress"]);
                spec.as_object_mut().unwrap().remove("egress");
            }
            _ => {}
        }
    }
    policy
}

/// Host endpoints with all that decides about them.
fn hosts(random: &mut Random) -> Vec<Value> {
    let mut all = vec![
        json!({"apiVersion": "projectcalico.org/v3", "kind": "Profile",
            "metadata": {"name": "some"}, "spec": {"labelsToApply": {"role": "edge"},
            "ingress": [rule(random, 0), {"action": "Pass", "protocol": "UDP"}, {"action": "Allow"}],
            "egress": [rule(random, 1)]}}),
    ];
    for i in 0..=random.below(3) {
        all.push(host_endpoint(random, i));
    }
    for i in 0..=random.below(4) {
        all.push(host_policy(random, i));
    }
    if random.chance(40) {
        let mut spec = json!({"defaultEndpointToHostAction":
            random.pick(&["Drop", "Accept", "Return"])});
        if random.chance(50) {
            let ports = [
                json!([]),
                json!([{"protocol": "TCP", "port": 80},
                {"protocol": "UDP", "port": 53, "net": "10.0.0.0/8"}]),
            ];
            spec["failsafeInboundHostPorts"] = random.pick(&ports).clone();
        }
        all.push(
            json!({"apiVersion": "projectcalico.org/v3", "kind": "FelixConfiguration",
            "metadata": {"name": "default"}, "spec": spec}),
        );
    }
    all
}

/// Flows between pods, addresses of nodes and the outside.
fn flows_with_hosts(input: &Input) -> Vec<Flow> {
    let outside = [&OUTSIDE[..], &OF_NODES[..]].concat();
    let traffics = engines::tcp_and_echo(&[22, 53, 80, 8080]);
    let mut all = engines::flows(input, &outside, &traffics);
    let address = |text: &str| Endpoint::Address(text.parse().unwrap());
    for host in OF_NODES {
        for other in &outside {
            for traffic in &traffics {
                for (from, to) in [(host, *other), (*other, host)] {
                    all.push(Flow {
                        source: address(from),
                        destination: address(to),
                        traffic: *traffic,
                    });
                }
            }
        }
    }
    all
}

/// What a list says between workloads of one pod and addresses of nodes is what passes between the
/// two.
fn lists_agree(input: &Input, options: &CompileOptions, seed: u64) {
    let graph = AllowGraph::compile(input, options).unwrap();
    let filter = ListFilter {
        all: true,
        ..ListFilter::default()
    };
    let entries = list(&graph, &filter).entries;
    let single = |(_, workload): &(WorkloadId, &Workload)| workload.pods.len() == 1;
    for (id, workload) in input.cluster.workloads().filter(single) {
        for address in OF_NODES {
            let (pod, address) = (Endpoint::Pod(workload.pods[0]), address.parse().unwrap());
            let is = |party: &ListParty, wanted: Endpoint| match (party, wanted) {
                (ListParty::Workload(found), Endpoint::Pod(_)) => *found == id,
                (ListParty::Addresses(set), Endpoint::Address(address)) => set.contains(address),
                _ => false,
            };
            let node = Endpoint::Address(address);
            for (from, to) in [(pod, node), (node, pod)] {
                let mut found = entries.iter();
                let found = found.find(|e| is(&e.source, from) && is(&e.destination, to));
                let listed = found.map(|e| e.allowed.clone()).unwrap_or_default();
                let passes = graph.allowed(from, to);
                assert_eq!(listed, passes, "seed {seed}: {from:?} -> {to:?}");
            }
        }
    }
}

#[test]
fn host_endpoints_mean_the_same_to_every_engine() {
    let tallies = random::on_all_cores(seeds(), |seed| {
        let mut random = Random::new(seed + 40_000);
        let mut documents = random::documents(&mut random);
        let is_kept = |d: &Value| {
            let kind = d["kind"].as_str().unwrap();
            kind == "Namespace"
                || kind == "Node"
                || d["spec"].get("containers").is_some()
                || d["spec"].get("template").is_some()
        };
        documents.retain(is_kept);
        let mut with_hosts = documents.clone();
        with_hosts.extend(objects(&mut random));
        with_hosts.extend(hosts(&mut random));
        let options = options(&mut random);
        if std::env::var_os("NETPAL_SHOW").is_some() {
            println!("{}\n{options:?}", random::text(&with_hosts));
        }
        let [before, after] =
            [&documents, &with_hosts].map(|all| netpal::load_str(&random::text(all)));
        lists_agree(&after, &options, seed);
        Tally::of((&before, &after), &options, flows_with_hosts(&after), seed)
    });
    let tally = Tally::sum(tallies);
    println!("{}", tally.words());
    let [no, maybe, yes] = tally.flows;
    assert!(yes > 0 && no > 0 && maybe < yes + no);
}

/// A `NetworkPolicy` as Calico would have it written.
fn in_calico(policy: &Value) -> Value {
    let spec = &policy["spec"];
    let types = spec["policyTypes"].clone();
    let named = |word: &str| types.as_array().is_some_and(|t| t.contains(&json!(word)));
    let egress = spec.get("egress").is_some_and(|e| !e.is_null());
    let told = types.as_array().filter(|list| !list.is_empty());
    let types: Vec<&str> = match told {
        Some(_) => ["Ingress", "Egress"]
            .into_iter()
            .filter(|w| named(w))
            .collect(),
        None if egress => vec!["Ingress", "Egress"],
        None => vec!["Ingress"],
    };
    let mut made =
        json!({"order": 1000, "types": types, "selector": of_pods(&spec["podSelector"])});
    for (list, peers, side) in [
        ("ingress", "from", "source"),
        ("egress", "to", "destination"),
    ] {
        let rules = spec[list].as_array().into_iter().flatten();
        let rules: Vec<Value> = rules.flat_map(|rule| rules_of(rule, peers, side)).collect();
        made[list] = json!(rules);
    }
    json!({"apiVersion": "projectcalico.org/v3", "kind": "NetworkPolicy",
        "metadata": policy["metadata"], "spec": made})
}

fn rules_of(rule: &Value, peers: &str, side: &str) -> Vec<Value> {
    let peers: Vec<Value> = match rule[peers].as_array().filter(|list| !list.is_empty()) {
        Some(list) => list.iter().map(of_peer).collect(),
        None => vec![json!({})],
    };
    let ports: Vec<Value> = match rule["ports"].as_array().filter(|list| !list.is_empty()) {
        Some(list) => list.iter().map(of_port).collect(),
        None => vec![json!({"action": "Allow"})],
    };
    let mut made = Vec::new();
    for peer in &peers {
        for port in &ports {
            let mut one = port.clone();
            for (key, value) in peer.as_object().unwrap() {
                one[side][key] = value.clone();
            }
            made.push(one);
        }
    }
    made
}

fn of_port(port: &Value) -> Value {
    let protocol = port["protocol"].as_str().unwrap_or("TCP");
    let mut rule = json!({"action": "Allow", "protocol": protocol});
    match (&port["port"], port["endPort"].as_i64()) {
        (Value::Null, _) => {}
        (first, Some(last)) => rule["destination"]["ports"] = json!([format!("{first}:{last}")]),
        (port, None) => rule["destination"]["ports"] = json!([port]),
    }
    rule
}

fn of_peer(peer: &Value) -> Value {
    if let Some(block) = peer.get("ipBlock") {
        // Calico takes no block with bits behind its length
        let plain = |text: &Value| {
            let net: ipnet::IpNet = text.as_str().unwrap().parse().unwrap();
            net.trunc().to_string()
        };
        let mut made = json!({"nets": [plain(&block["cidr"])]});
        if let Some(except) = block["except"].as_array().filter(|list| !list.is_empty()) {
            made["notNets"] = json!(except.iter().map(plain).collect::<Vec<_>>());
        }
        return made;
    }
    // Calico gives its own NetworkPolicies of Kubernetes the orchestrator, so that sets stay out
    let own = "projectcalico.org/orchestrator == 'k8s'";
    let pods = of_pods(&peer["podSelector"]);
    let mut made = json!({"selector": format!("{own} && ({pods})")});
    if let Some(namespaces) = peer.get("namespaceSelector").filter(|s| !s.is_null()) {
        made["namespaceSelector"] = json!(of_pods(namespaces));
    }
    made
}

/// A selector of Kubernetes in Calico's language.
fn of_pods(selector: &Value) -> String {
    let mut parts = Vec::new();
    for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
        parts.push(format!("{key} == '{}'", value.as_str().unwrap_or_default()));
    }
    for one in selector["matchExpressions"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let key = one["key"].as_str().unwrap();
        let values: Vec<String> = one["values"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|v| format!("'{}'", v.as_str().unwrap()))
            .collect();
        let values = values.join(",");
        parts.push(match one["operator"].as_str().unwrap() {
            "In" => format!("{key} in {{{values}}}"),
            "NotIn" => format!("{key} not in {{{values}}}"),
            "Exists" => format!("has({key})"),
            _ => format!("!has({key})"),
        });
    }
    if parts.is_empty() {
        return "all()".to_owned();
    }
    parts.join(" && ")
}

#[test]
fn a_network_policy_and_its_equivalent_in_calico_mean_the_same() {
    let mut policies = 0;
    for seed in seeds() {
        let mut random = Random::new(seed + 7_000);
        let documents = random::documents(&mut random);
        let is_policy = |d: &&Value| d["kind"] == "NetworkPolicy";
        policies += documents.iter().filter(is_policy).count();
        let made: Vec<Value> = documents
            .iter()
            .map(|d| {
                if is_policy(&d) {
                    in_calico(d)
                } else {
                    d.clone()
                }
            })
            .collect();
        let profile = CniProfile::find("calico").unwrap();
        let options = profile.apply(CompileOptions::default());
        let [written, translated] = [&documents, &made].map(|all| {
            let input = netpal::load_str(&random::text(all));
            let graph = AllowGraph::compile(&input, &options).unwrap();
            (input, graph)
        });
        if !written.0.policies.taints.is_empty() {
            continue; // a policy that the API server refuses may do anything
        }
        for flow in flows(&written.0) {
            let [a, b] = [&written.1, &translated.1].map(|graph| graph.verdict(&flow));
            assert_eq!(a, b, "seed {seed}: {flow:?}\n{}", random::text(&made));
        }
    }
    assert!(policies > 0);
}

/// Calico's selectors once more, word by word and without a tree: the value of a text, where it is
/// a selector.
struct Evaluator<'e> {
    words: Vec<String>,
    at: usize,
    labels: &'e BTreeMap<String, String>,
}

impl Evaluator<'_> {
    fn next(&mut self) -> &str {
        self.at += 1;
        self.words.get(self.at - 1).map_or("", String::as_str)
    }

    fn peek(&self) -> &str {
        self.words.get(self.at).map_or("", String::as_str)
    }

    fn or(&mut self) -> bool {
        let mut value = self.and();
        while self.peek() == "||" {
            self.next();
            value |= self.and();
        }
        value
    }

    fn and(&mut self) -> bool {
        let mut value = self.not();
        while self.peek() == "&&" {
            self.next();
            value &= self.not();
        }
        value
    }

    fn not(&mut self) -> bool {
        match self.next().to_owned().as_str() {
            "!" => !self.not(),
            "(" => {
                let value = self.or();
                self.next();
                value
            }
            "all()" => true,
            "has" => {
                let key = self.next().to_owned();
                self.labels.contains_key(&key)
            }
            key => {
                let own = self.labels.get(key).cloned();
                let operator = self.next().to_owned();
                let values: Vec<String> = self.next().split('|').map(str::to_owned).collect();
                let is = |test: &dyn Fn(&str, &str) -> bool| {
                    own.as_ref()
                        .is_some_and(|v| values.iter().any(|w| test(v, w)))
                };
                match operator.as_str() {
                    "==" | "in" => is(&|v, w| v == w),
                    "!=" | "not in" => !is(&|v, w| v == w),
                    "contains" => is(&|v, w| v.contains(w)),
                    "starts with" => is(&|v, w| v.starts_with(w)),
                    _ => is(&|v, w| v.ends_with(w)),
                }
            }
        }
    }
}

/// Random words of a selector, as another evaluator reads them, and as a text.
fn words(random: &mut Random, depth: usize, into: &mut Vec<String>) -> String {
    let key = (*random.pick(&["a", "b", "in", "pcns.x"])).to_owned();
    let value = (*random.pick(&["x", "y", "xy", ""])).to_owned();
    let mut push = |all: &[&str]| into.extend(all.iter().map(|w| (*w).to_owned()));
    match random.below(if depth == 0 { 6 } else { 10 }) {
        0 => {
            push(&["has", &key]);
            format!("has( {key})")
        }
        1 => {
            push(&["all()"]);
            "all( )".to_owned()
        }
        2 | 3 => {
            let list = format!("{value}|y");
            let operator = *random.pick(&["in", "not in"]);
            push(&[&key, operator, &list]);
            format!("{key} {operator} {{'{value}', \"y\",}}")
        }
        4 | 5 => {
            let all = ["==", "!=", "contains", "starts with", "ends with"];
            let operator = *random.pick(&all);
            push(&[&key, operator, &value]);
            format!("{key}  {operator}\t'{value}'")
        }
        6 => {
            push(&["!", "("]);
            let inner = words(random, depth - 1, into);
            into.push(")".to_owned());
            format!("!({inner})")
        }
        _ => {
            let sign = *random.pick(&["&&", "||"]);
            into.push("(".to_owned());
            let first = words(random, depth - 1, into);
            into.push(sign.to_owned());
            let second = words(random, depth - 1, into);
            into.push(")".to_owned());
            format!("({first}{sign} {second} )")
        }
    }
}

#[test]
fn selectors_mean_what_another_evaluator_says() {
    let mut random = Random::new(11);
    let mut counts = [0_usize; 2];
    for _ in 0..20_000 {
        let mut all = Vec::new();
        let text = words(&mut random, 3, &mut all);
        let mut labels: BTreeMap<String, String> = BTreeMap::new();
        for key in ["a", "b", "in", "pcns.x"] {
            if random.chance(60) {
                let value = random.pick(&["x", "y", "xy", "", "yx"]);
                labels.insert(key.to_owned(), (*value).to_owned());
            }
        }
        let mut evaluator = Evaluator {
            words: all,
            at: 0,
            labels: &labels,
        };
        let want = evaluator.or();
        let known: Labels = labels.clone().into_iter().collect();
        let got = selector(&LabelExpression::parse(&text).unwrap()).matches(&known);
        assert_eq!(got, want, "{text} of {labels:?}");
        counts[usize::from(got)] += 1;
    }
    assert!(counts.iter().all(|n| *n > 1000));
}

/// The longest selectors that are hard to read or to ask are answered at once.
#[test]
fn adversarial_selectors_are_bounded() {
    let pod = |i: usize| {
        let labels = format!("{{k{i}: v}}");
        let metadata = format!("{{name: p{i}, namespace: a, labels: {labels}}}");
        let spec = "{containers: [{name: c, image: i}]}";
        format!("apiVersion: v1\nkind: Pod\nmetadata: {metadata}\nspec: {spec}\n---\n")
    };
    let pods: Vec<String> = (0..200).map(pod).collect();
    let pods = pods.concat();
    let repeated = |part: &str| {
        let mut text = String::new();
        while text.len() + part.len() + 4 < 1_020 {
            text.push_str(part);
            text.push_str(" || ");
        }
        text + "has(a)"
    };
    for text in [
        repeated("a!='b'"),
        repeated("!a!='b'&&b!='c'"),
        format!("{}all(){}", "(".repeat(505), ")".repeat(505)),
        format!("{}all()", "!".repeat(1_000)),
        "(".repeat(1_024),
    ] {
        let policy = json!({"apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkPolicy",
            "metadata": {"name": "g"}, "spec": {"selector": text,
                "ingress": [{"action": "Allow", "source": {"selector": text}}]}});
        let input = netpal::load_str(&format!("{pods}{policy}"));
        let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        let mut pods = input.cluster.pods().map(|(id, _)| Endpoint::Pod(id));
        let (a, b) = (pods.next().unwrap(), pods.next().unwrap());
        let verdict = graph.verdict(&Flow {
            source: a,
            destination: b,
            traffic: Traffic {
                protocol: Protocol::Tcp,
                port: 80,
            },
        });
        assert!(
            verdict == Truth::Yes || input.has_errors(),
            "{text}: {verdict:?}"
        );
    }
}
