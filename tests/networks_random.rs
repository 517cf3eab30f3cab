//! Secondary networks on random clusters: on each network alone every engine agrees with the
//! specification, and a question that names no network is answered as the networks together
//! answer it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code)]
mod common {
    pub mod engines;
    pub mod random;
}

use common::engines::{self, Tally, agrees, rows_agree};
use common::random::{self, APPS, NAMESPACES, Random};
use netpal::internals::spec::evaluate;
use netpal::{
    AllowGraph, CompileOptions, Endpoint, Environment, Flow, HostNetwork, Input, LayerSettings,
    LoadOptions, NetworkSettings, Protocol, Source, Traffic, Truth,
};
use serde_json::{Value, json};

const CLUSTERS: u64 = 4;

/// The definitions, and the plugin of each.
const NETWORKS: [(&str, &str); 4] = [
    ("flat", "ovn-k8s-cni-overlay"),
    ("bare", "ovn-k8s-cni-overlay"),
    ("wire", "macvlan"),
    ("other", "bridge"),
];

fn definitions() -> Vec<Value> {
    let each = NETWORKS.iter().map(|(name, plugin)| {
        let mut config = json!({"name": name, "type": plugin, "topology": "layer2"});
        if *name == "flat" {
            config["subnets"] = json!("10.9.0.0/24");
        }
        json!({"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition",
            "metadata": {"name": name, "namespace": "a"},
            "spec": {"config": config.to_string()}})
    });
    each.collect()
}

/// Lets pods ask for networks, some of them with addresses.
fn attach(documents: &mut [Value], random: &mut Random) {
    for (i, document) in documents.iter_mut().enumerate() {
        let pod = match document["kind"].as_str() {
            Some("Pod") => &mut *document,
            _ if document["spec"]["template"].is_object() => &mut document["spec"]["template"],
            _ => continue,
        };
        if random.chance(35) {
            continue;
        }
        let count = 1 + random.below(2);
        let asked = (0..count).map(|_| {
            let (name, _) = *random.pick(&NETWORKS);
            let mut asked = json!({"name": name, "namespace": "a"});
            if random.chance(50) {
                asked["ips"] = json!([format!("10.9.0.{}/24", i % 200)]);
            }
            asked
        });
        let asked: Vec<Value> = asked.collect();
        if !pod["metadata"]["annotations"].is_object() {
            pod["metadata"]["annotations"] = json!({});
        }
        pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/networks"] =
            json!(json!(asked).to_string());
    }
}

fn peer(random: &mut Random) -> Value {
    match random.below(3) {
        0 => json!({"podSelector": {"matchLabels": {"app": random.pick(&APPS)}}}),
        1 => json!({"namespaceSelector": {}}),
        _ => json!({"ipBlock": {"cidr": "10.9.0.0/25", "except": ["10.9.0.0/29"]}}),
    }
}

fn policies(random: &mut Random) -> Vec<Value> {
    let count = 1 + random.below(4);
    let one = |i: usize| {
        let mut spec = json!({"podSelector": {}});
        if random.chance(60) {
            spec["podSelector"] = json!({"matchLabels": {"app": random.pick(&APPS)}});
        }
        for (field, word) in [("ingress", "from"), ("egress", "to")] {
            if random.chance(60) {
                let mut rule = json!({});
                if random.chance(70) {
                    rule[word] = json!([peer(random)]);
                }
                if random.chance(50) {
                    rule["ports"] = json!([{"port": 80}]);
                }
                spec[field] = json!([rule]);
            }
        }
        let (network, _) = *random.pick(&NETWORKS);
        let namespace = *random.pick(&["a", "b"]);
        json!({"apiVersion": "k8s.cni.cncf.io/v1beta1", "kind": "MultiNetworkPolicy",
            "metadata": {"name": format!("m-{i}"), "namespace": namespace,
                "annotations": {"k8s.v1.cni.cncf.io/policy-for": format!("a/{network}")}},
            "spec": spec})
    };
    (0..count).map(one).collect()
}

/// Policies of the default network that close it, so that others are needed.
fn closed(random: &mut Random) -> Vec<Value> {
    let closing = NAMESPACES.iter().filter(|_| random.chance(70));
    let each = closing.map(|namespace| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": "closed", "namespace": namespace},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}})
    });
    each.collect()
}

fn load(documents: &[Value], joined: bool) -> Input {
    let group = ["nad/a/wire".into(), "nad/a/other".into()];
    let networks = NetworkSettings {
        same_segment: joined.then(|| group.into()).into_iter().collect(),
        ..NetworkSettings::default()
    };
    let options = LoadOptions {
        layers: LayerSettings {
            networks,
            ..LayerSettings::default()
        },
        ..LoadOptions::default()
    };
    let text = Source::Text("t.yaml".into(), random::text(documents).into());
    netpal::load_sources(&[text], &[], &options).unwrap()
}

fn flows(input: &Input) -> Vec<Flow> {
    let traffics = [80, 81].map(|port| Traffic {
        protocol: Protocol::Tcp,
        port,
    });
    engines::flows(input, &["10.9.0.3", "8.8.8.8"], &traffics)
}

fn graphs(input: &Input, options: &CompileOptions) -> [AllowGraph; 2] {
    [true, false].map(|classes| {
        let graph = AllowGraph::compile(input, &options.clone().classes(classes)).unwrap();
        graph.verify();
        graph
    })
}

/// The networks of an input.
fn networks(input: &Input) -> Vec<String> {
    let plan = input.policies.plugin.networks.as_ref().unwrap();
    plan.names().map(str::to_owned).collect()
}

/// Whether a flow is between two pods that are on no node's network.
fn is_of_pods(input: &Input, flow: &Flow) -> bool {
    let is_pod = |end| match end {
        Endpoint::Pod(id) => !input.cluster.pod(id).host_network,
        Endpoint::Address(_) => false,
    };
    is_pod(flow.source) && is_pod(flow.destination)
}

#[test]
fn networks_mean_the_same_to_every_engine() {
    let first = std::env::var("NETPAL_SEED").map_or(1, |n| n.parse().unwrap());
    let clusters = std::env::var("NETPAL_CLUSTERS").map_or(CLUSTERS, |n| n.parse().unwrap());
    let compared = random::on_all_cores(first..first + clusters, |seed| {
        let (mut exact, mut all) = (0_usize, 0_usize);
        let mut random = Random::new(seed);
        let mut documents = random::documents(&mut random);
        attach(&mut documents, &mut random);
        documents.extend(definitions());
        documents.extend(closed(&mut random));
        let joined = random.chance(50);
        let before = load(&documents, joined);
        documents.extend(policies(&mut random));
        let input = load(&documents, joined);
        let options = CompileOptions::default().host_network(HostNetwork::Node);
        if std::env::var_os("NETPAL_SHOW").is_some() {
            println!("{}", random::text(&documents));
        }
        let flows = flows(&input);
        let tally = Tally::of((&before, &input), &options, flows.iter().copied(), seed);
        let mut views = Vec::new();
        for name in networks(&input) {
            let options = options.clone().network(&name);
            let (env, graphs) = (Environment::new(&input, &options), graphs(&input, &options));
            for flow in flows.iter().step_by(3) {
                agrees(&env, &graphs, flow, seed);
            }
            rows_agree(&graphs[1], seed);
            views.push(env);
        }
        let [together, _] = graphs(&input, &options);
        for flow in flows.iter().filter(|flow| is_of_pods(&input, flow)) {
            let each = views.iter().map(|env| evaluate(env, flow));
            let want = each.fold(Truth::No, Truth::or);
            let got = together.verdict(flow);
            assert!(
                got == want || got == Truth::Maybe,
                "seed {seed}: {flow:?}: {got:?}, and not {want:?}: {:?}",
                views
                    .iter()
                    .map(|env| evaluate(env, flow))
                    .collect::<Vec<_>>()
            );
            exact += usize::from(got == want);
            all += 1;
        }
        (tally, exact, all)
    });
    let exact: usize = compared.iter().map(|(_, exact, _)| exact).sum();
    let all: usize = compared.iter().map(|(.., all)| all).sum();
    let tally = Tally::sum(compared.into_iter().map(|(tally, ..)| tally).collect());
    println!(
        "{}; {exact} of {all} as the networks together",
        tally.words()
    );
    assert!(exact * 10 > all * 9);
}
