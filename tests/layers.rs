//! Ground truth of the layers besides the network plugin: egress firewalls, service meshes and
//! networks. No line is answered wrong, and few are unknown.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "common/ground_truth.rs"]
mod ground_truth;

use ground_truth::{Judged, cases, lines, lines_by_network, meta, root};
use netpal::{
    AllowGraph, CniProfile, CompileOptions, Dataplane, Endpoint, Flow, HostNetwork, InboundPolicy,
    Input, IpSet, IstioSettings, LayerSettings, LinkerdSettings, LoadOptions, Meshed,
    NetworkSettings, ServiceCalls, Source, Traffic,
};
use serde_json::Value as Json;
use std::path::Path;

/// The suites, each with the network plugin that its lines presuppose and the most lines that may
/// be unknown.
const SUITES: [(&str, &str, usize); 5] = [
    ("egressfirewall", "ovn-kubernetes", 0),
    ("istio", "generic", 0),
    ("linkerd", "generic", 0),
    ("udn", "ovn-kubernetes", 0),
    ("multinet", "ovn-kubernetes", 1),
];

/// Lines that contradict the rulebook: a prefix of another namespace's name would have to match.
const REFUTED: [&str; 1] = ["zt-rbac-namespace-prefix: app/tls,app/d,TCP,8080,allow"];

fn strings(value: &Json) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(|v| Some(v.as_str()?.to_owned())).collect()
}

/// What a case presupposes of its cluster.
struct Presupposed {
    layers: LayerSettings,
    pod_cidrs: Option<IpSet>,
}

fn istio(assume: &Json) -> IstioSettings {
    let listed = strings(&assume["meshed"]).into_iter().map(Into::into);
    let told = assume["mesh"].is_string() && assume["mesh"] != "linkerd";
    IstioSettings {
        dataplane: match assume["mesh"].as_str() {
            Some("ambient") => Some(Dataplane::Ambient),
            Some("sidecar") => Some(Dataplane::Sidecar),
            _ => None,
        },
        meshed: told.then(|| {
            if assume["meshed"].is_array() {
                Meshed::Listed(listed.collect())
            } else {
                Meshed::All
            }
        }),
        root: assume["root"].as_str().map(Into::into),
        trust_domain: assume["trustDomain"].as_str().map(Into::into),
    }
}

fn linkerd(assume: &Json) -> LinkerdSettings {
    if assume["mesh"] != "linkerd" {
        return LinkerdSettings::default();
    }
    let word = |key: &str| assume[key].as_str();
    let blocks = |key: &str| -> Vec<_> {
        let list = strings(&assume[key]).into_iter();
        list.map(|text| text.parse().unwrap()).collect()
    };
    let meshed = strings(&assume["meshed"]).into_iter().map(Into::into);
    let ports = assume["opaquePorts"].as_array().into_iter().flatten();
    LinkerdSettings {
        meshed: Some(if assume["meshed"].is_array() {
            Meshed::Listed(meshed.collect())
        } else {
            Meshed::All
        }),
        control_namespace: word("controlNamespace").map(Into::into),
        trust_domain: word("trustDomain").map(Into::into),
        default_policy: word("defaultInboundPolicy").and_then(InboundPolicy::from_api),
        cluster_networks: blocks("clusterNetworks"),
        probe_networks: blocks("probeNetworks"),
        transports: word("outboundTransportMode").map(|mode| mode == "transport-header"),
        opaque_ports: ports
            .map(|p| u16::try_from(p.as_u64().unwrap()).unwrap())
            .collect(),
    }
}

/// The networks that are one wire.
fn same_segment(assume: &Json, meta: &Json) -> Vec<Vec<Box<str>>> {
    let told = [&assume["sameSegment"], &meta["sameSegment"]];
    let groups = told.into_iter().filter_map(Json::as_array).flatten();
    let group = |list: &Json| strings(list).into_iter().map(Into::into).collect();
    groups.map(group).collect()
}

fn presupposed(case: &Path) -> Presupposed {
    let meta = meta(case);
    let assume = &meta["assume"];
    let subnets = strings(&assume["clusterSubnets"]);
    let subnets = [subnets, strings(&meta["clusterSubnets"])].concat();
    let names = assume["dns"].as_object().into_iter().flatten();
    let layers = LayerSettings {
        names: names
            .map(|(name, list)| {
                let list = strings(list).into_iter();
                (
                    name.as_str().into(),
                    list.map(|a| a.parse().unwrap()).collect(),
                )
            })
            .collect(),
        global_namespaces: strings(&assume["globalNamespaces"])
            .into_iter()
            .map(Into::into)
            .collect(),
        istio: istio(assume),
        linkerd: linkerd(assume),
        networks: NetworkSettings {
            infra_services: strings(&meta["infraServices"])
                .into_iter()
                .map(Into::into)
                .collect(),
            same_segment: same_segment(assume, &meta),
        },
    };
    let blocks = subnets.iter().map(|text| text.parse().unwrap());
    Presupposed {
        layers,
        pod_cidrs: (!subnets.is_empty()).then(|| IpSet::from_cidrs(blocks)),
    }
}

/// A case under what it presupposes, for every network together or one alone.
struct Case {
    input: Input,
    options: CompileOptions,
}

impl Case {
    /// Its graphs, with classes and without.
    fn graphs(&self, network: Option<&str>, calls: ServiceCalls) -> [AllowGraph; 2] {
        let mut options = self.options.clone();
        options.network = network.map(Into::into);
        options.calls = calls;
        [true, false].map(|classes| {
            let graph = AllowGraph::compile(&self.input, &options.clone().classes(classes));
            let graph = graph.unwrap();
            graph.verify();
            graph
        })
    }
}

fn case_of(case: &Path, plugin: &str) -> Case {
    let told = presupposed(case);
    let options = LoadOptions {
        layers: told.layers,
        ..LoadOptions::default()
    };
    let source = Source::Path(case.display().to_string().into());
    let input = netpal::load_sources(&[source], &[], &options).unwrap();
    let profile = CniProfile::find(plugin).unwrap();
    let options = CompileOptions {
        pod_cidrs: told.pod_cidrs,
        ..profile.apply(CompileOptions::default())
    };
    Case {
        input,
        options: options.host_network(HostNetwork::Node),
    }
}

/// A call to the address of a Service as one to its pod; none where it has several.
fn behind_service(input: &Input, flow: Flow) -> Option<Flow> {
    let Endpoint::Address(address) = flow.destination else {
        return Some(flow);
    };
    let cluster = &input.cluster;
    let mut services = cluster.services();
    let Some((id, service)) = services.find(|(_, s)| s.addresses.contains(&address)) else {
        return Some(flow);
    };
    let pods = cluster.service_pods(id);
    let [pod] = pods[..] else { return None };
    let port = service.ports.iter().find(|p| p.port == flow.traffic.port)?;
    let netpal::internals::model::TargetPort::Number(target) = port.target else {
        return None;
    };
    Some(Flow {
        destination: Endpoint::Pod(pod),
        traffic: Traffic {
            port: target,
            ..flow.traffic
        },
        ..flow
    })
}

#[test]
fn layers_are_answered_to_the_letter() {
    let Some(root) = root() else { return };
    let mut wrong = Vec::new();
    for (suite, plugin, most) in SUITES {
        let (cases, mut judged) = (cases(&root, suite), Judged::default());
        for case in &cases {
            let told = case_of(case, plugin);
            let input = &told.input;
            let [to_pods, to_services] = [ServiceCalls::ToPods, ServiceCalls::ToServices]
                .map(|calls| told.graphs(None, calls));
            let expected = lines(case, "expected.csv", input);
            for mut line in expected
                .into_iter()
                .chain(lines(case, "conditional.csv", input))
            {
                if let Some(flow) = behind_service(input, line.flow) {
                    let is_service = flow != line.flow;
                    let graphs = if is_service { &to_services } else { &to_pods };
                    line.flow = flow;
                    judged.add(case, &line, graphs);
                }
            }
            for (network, line) in lines_by_network(case, input) {
                judged.add(
                    case,
                    &line,
                    &told.graphs(Some(&network), ServiceCalls::ToPods),
                );
            }
        }
        wrong.extend(judged.of_suite(suite, cases.len(), most));
    }
    wrong.retain(|text| !REFUTED.iter().any(|refuted| text.contains(refuted)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
