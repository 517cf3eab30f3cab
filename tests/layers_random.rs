//! Layers on random clusters: the specification, both graphs, rows, explanations and diffs agree
//! about every flow, with egress firewalls and service meshes beside the policies of the network
//! plugin, under every plugin.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code)]
mod common {
    pub mod engines;
    pub mod layer_objects;
    pub mod random;
}

use common::engines::{self, Tally};
use common::layer_objects::{meshed, policies, settings};
use common::random::{self, Random};
use netpal::{
    CNI_PROFILES, CompileOptions, Flow, HostNetwork, Input, LayerSettings, LoadOptions, Protocol,
    Source, Traffic,
};
use serde_json::Value;

const CLUSTERS: u64 = 5;

/// The seed to begin with. Clusters in which many labels are not told are slow to specify, such as
/// those of seeds 2, 3 and 8.
const FIRST: u64 = 9;

/// The ports that questions use, those of proxies among them.
const PORTS: [u16; 6] = [80, 81, 4143, 5432, 8080, 15008];

fn load(documents: &[Value], layers: &LayerSettings) -> Input {
    let options = LoadOptions {
        layers: layers.clone(),
        ..LoadOptions::default()
    };
    let text = Source::Text("t.yaml".into(), random::text(documents).into());
    netpal::load_sources(&[text], &[], &options).unwrap()
}

/// The flows that are asked: the ports over TCP, and one over UDP.
fn flows(input: &Input) -> Vec<Flow> {
    let tcp = PORTS.map(|port| (Protocol::Tcp, port));
    let traffics = tcp.into_iter().chain([(Protocol::Udp, 80)]);
    let traffics: Vec<Traffic> = traffics
        .map(|(protocol, port)| Traffic { protocol, port })
        .collect();
    let outside = ["10.0.0.9", "8.8.8.8", "192.168.1.1", "2001:db8::9"];
    engines::flows(input, &outside, &traffics)
}

#[test]
fn layers_mean_the_same_to_every_engine() {
    let first = std::env::var("NETPAL_SEED").map_or(FIRST, |n| n.parse().unwrap());
    let clusters = std::env::var("NETPAL_CLUSTERS").map_or(CLUSTERS, |n| n.parse().unwrap());
    let tallies = random::on_all_cores(first..first + clusters, |seed| {
        let mut random = Random::new(seed);
        let mut documents = random::documents(&mut random);
        meshed(&mut documents, &mut random);
        let mut with_layers = documents.clone();
        with_layers.extend(policies(&mut random));
        let settings = settings(&mut random);
        if std::env::var_os("NETPAL_SHOW").is_some() {
            println!("{}\n{settings:?}", random::text(&with_layers));
        }
        let (before, after) = (load(&documents, &settings), load(&with_layers, &settings));
        let profile = random.pick(CNI_PROFILES);
        let mut options = profile.apply(CompileOptions::default());
        if random.chance(20) {
            options.host_network = *random.pick(&[HostNetwork::Unknown, HostNetwork::Pod]);
        }
        if random.chance(40) {
            options.pod_cidrs = Some(netpal::IpSet::from_cidrs(["10.0.0.0/16".parse().unwrap()]));
        }
        Tally::of((&before, &after), &options, flows(&after), seed)
    });
    let tally = Tally::sum(tallies);
    println!("{}", tally.words());
    assert!(tally.changed * 4 > tally.clusters);
}
