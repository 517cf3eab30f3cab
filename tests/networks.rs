//! Questions about networks: one network alone, every shared network, and virtual machines, by the
//! sentences of `docs/dialects/networks.md`.
#![allow(clippy::unwrap_used, clippy::panic)]

use netpal::{
    AllowGraph, CompileError, CompileOptions, Context, DiagnosticSeverity, DiffSide, Endpoint,
    Flow, HostNetwork, Input, LayerSettings, LoadOptions, NetworkSettings, Protocol, Question,
    ServiceCalls, Source, Traffic, Truth, Verdict, World, ask, diff_in,
};

/// What a network is called that is not named.
const ANY: &str = "";

const NO: Truth = Truth::No;
const YES: Truth = Truth::Yes;
const MAYBE: Truth = Truth::Maybe;

fn load(text: &str, same_segment: &[&[&str]]) -> Input {
    let groups = same_segment.iter();
    let networks = NetworkSettings {
        same_segment: groups
            .map(|group| group.iter().map(|name| (*name).into()).collect())
            .collect(),
        ..NetworkSettings::default()
    };
    let options = LoadOptions {
        layers: LayerSettings {
            networks,
            ..LayerSettings::default()
        },
        ..LoadOptions::default()
    };
    let source = Source::Text("t.yaml".into(), text.into());
    netpal::load_sources(&[source], &[], &options).unwrap()
}

fn options(network: &str) -> CompileOptions {
    let options = CompileOptions::default().host_network(HostNetwork::Node);
    match network {
        ANY => options,
        name => options.network(name),
    }
}

fn end(input: &Input, name: &str) -> Endpoint {
    if let Ok(address) = name.parse() {
        return Endpoint::Address(address);
    }
    let (namespace, name) = name.split_once('/').unwrap();
    let mut pods = input.cluster.pods();
    let found = pods.find(|(id, pod)| {
        let made = input.cluster.workload(pod.workload).made.as_ref();
        let is_named = *pod.name == *name || made.is_some_and(|made| *made.object == *name);
        is_named && *input.cluster.pod_namespace(*id).name == *namespace
    });
    Endpoint::Pod(found.unwrap().0)
}

/// Checks answers: the network, the ends, a port over TCP, and the verdict.
fn check(input: &Input, expected: &[(&str, &str, &str, u16, Truth)]) {
    for (network, source, destination, port, want) in expected {
        for classes in [true, false] {
            let options = options(network).classes(classes);
            let graph = AllowGraph::compile(input, &options).unwrap();
            graph.verify();
            let flow = Flow {
                source: end(input, source),
                destination: end(input, destination),
                traffic: Traffic {
                    protocol: Protocol::Tcp,
                    port: *port,
                },
            };
            let got = graph.verdict(&flow);
            assert_eq!(
                got, *want,
                "`{network}`: {source} -> {destination}:{port}, classes {classes}"
            );
        }
    }
}

fn pod(namespace: &str, name: &str, more: &str) -> String {
    format!(
        "---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}{more}}}
spec: {{containers: [{{name: c, image: x}}]}}
"
    )
}

/// A pod that asks for networks.
fn on(namespace: &str, name: &str, networks: &str) -> String {
    let networks = networks.replace('\'', "''");
    let annotation = format!(", annotations: {{k8s.v1.cni.cncf.io/networks: '{networks}'}}");
    pod(namespace, name, &annotation)
}

fn definition(namespace: &str, name: &str, config: &str) -> String {
    format!(
        "---
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{config: '{config}'}}
"
    )
}

fn policy(name: &str, networks: &str, spec: &str) -> String {
    format!(
        "---
apiVersion: k8s.cni.cncf.io/v1beta2
kind: MultiNetworkPolicy
metadata: {{name: {name}, namespace: shop, annotations: {{k8s.v1.cni.cncf.io/policy-for: '{networks}'}}}}
spec: {spec}
"
    )
}

const MACVLAN: &str = r#"{"type": "macvlan", "name": "m", "master": "eth1"}"#;
const OVN: &str = r#"{"type": "ovn-k8s-cni-overlay", "name": "flat", "topology": "layer2", "subnets": "10.9.0.0/24"}"#;
const BARE: &str = r#"{"type": "ovn-k8s-cni-overlay", "name": "bare", "topology": "layer2"}"#;
const LISTED: &str = r#"{"name": "m", "plugins": [{"type": "bridge"}, {"type": "tuning"}]}"#;

const CLOSED: &str = "
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
";

/// NW60: a definition that is not in the input is a network of which no more is known, whether or
/// not any other definition is.
#[test]
fn a_network_is_shared_though_no_definition_is_loaded() {
    let pods = [
        on("shop", "one", "dmz"),
        on("shop", "two", "dmz"),
        on("shop", "three", "other"),
        pod("shop", "plain", ""),
        CLOSED.to_owned(),
    ];
    for more in [String::new(), definition("else", "where", MACVLAN)] {
        let input = load(&(pods.concat() + &more), &[]);
        let expected = [
            ("", "shop/one", "shop/two", 80, YES),
            ("", "shop/one", "shop/plain", 80, NO),
        ];
        check(&input, &expected);
    }
}

/// NW3, S65: pods without a family in common on the pod network may have one on another network.
#[test]
fn a_secondary_network_may_have_a_family_that_the_pod_network_has_not() {
    let with =
        |more: &str, address: &str| format!("{more}status: {{podIPs: [{{ip: \"{address}\"}}]}}\n");
    let text = [
        with(&on("shop", "four", "flat"), "10.0.0.1"),
        with(&on("shop", "six", "flat"), "fd00::2"),
        with(&on("shop", "like", "flat"), "10.0.0.3"),
        with(&pod("shop", "apart", ""), "fd00::4"),
        definition("shop", "flat", OVN),
    ];
    let input = load(&text.concat(), &[]);
    let expected = [
        ("", "shop/four", "shop/six", 80, Truth::Maybe),
        ("", "shop/four", "shop/like", 80, Truth::Yes),
        ("", "shop/six", "shop/apart", 80, Truth::Yes),
        ("", "shop/four", "shop/apart", 80, Truth::No),
    ];
    check(&input, &expected);
}

/// NW1, NW3, NW35, NW70, NW71, NW73: what is closed on one network may be open on another one.
#[test]
fn a_connection_runs_on_one_network() {
    let from_web = "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]}";
    let text = [
        definition("shop", "store", MACVLAN),
        on("shop", "web", "store"),
        on("shop", "job", "store"),
        on("shop", "db", "store"),
        pod("shop", "plain", ""),
        policy("db", " store ", from_web),
        CLOSED.to_owned(),
    ];
    let input = load(&text.concat(), &[]);
    let store = "nad/shop/store";
    check(
        &input,
        &[
            (store, "shop/web", "shop/db", 5432, YES),
            (store, "shop/web", "shop/db", 80, NO),
            (store, "shop/job", "shop/db", 5432, NO),
            (store, "shop/db", "shop/job", 5432, YES),
            (store, "shop/plain", "shop/db", 5432, NO),
            (store, "shop/db", "shop/plain", 5432, NO),
            (store, "8.8.8.8", "shop/web", 80, MAYBE),
            ("default", "shop/web", "shop/db", 5432, NO),
            (ANY, "shop/web", "shop/db", 5432, YES),
            (ANY, "shop/web", "shop/db", 80, NO),
            (ANY, "shop/job", "shop/db", 5432, NO),
            (ANY, "shop/job", "shop/web", 80, YES),
            (ANY, "shop/plain", "shop/db", 5432, NO),
            (ANY, "shop/web", "shop/plain", 5432, NO),
        ],
    );
}

/// NW61, NW74: blocks mean addresses of the network, and nothing where these are not told.
#[test]
fn blocks_mean_addresses_of_the_network() {
    let asks = |address: &str| {
        format!(r#"[{{"name": "flat", "namespace": "shop", "ips": ["{address}/24"]}}]"#)
    };
    let block = "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 10.9.0.0/24, except: [10.9.0.7/32]}}]}]}";
    let text = [
        definition("shop", "flat", OVN),
        on("shop", "db", "flat"),
        on("shop", "near", &asks("10.9.0.6")),
        on("shop", "bad", &asks("10.9.0.7")),
        on("shop", "untold", "flat"),
        policy("db", "flat", block),
    ];
    let input = load(&text.concat(), &[]);
    check(
        &input,
        &[
            ("nad/flat", "shop/near", "shop/db", 80, YES),
            ("nad/flat", "shop/bad", "shop/db", 80, NO),
            ("nad/flat", "shop/untold", "shop/db", 80, MAYBE),
            ("nad/flat", "8.8.8.8", "shop/near", 80, NO),
            ("nad/flat", "shop/near", "8.8.8.8", 80, NO),
        ],
    );
}

/// NW62, NW63: definitions of other plugins are surely one wire only where that is said.
#[test]
fn a_wire_is_joined_where_that_is_said() {
    let text = [
        definition("shop", "one", MACVLAN),
        definition("shop", "two", MACVLAN),
        definition("shop", "flat", OVN),
        definition("other", "name", OVN),
        on("shop", "a", "one"),
        on("shop", "b", "two"),
        on("shop", "c", "flat"),
        on("other", "d", "name"),
        on("shop", "e", "nowhere"),
        CLOSED.to_owned(),
        CLOSED.replace("shop", "other"),
    ];
    let (one, flat) = ("nad/shop/one", "nad/flat");
    let apart = load(&text.concat(), &[]);
    check(
        &apart,
        &[
            (one, "shop/a", "shop/b", 80, MAYBE),
            (ANY, "shop/a", "shop/b", 80, MAYBE),
            (one, "shop/a", "shop/c", 80, NO),
            (ANY, "shop/a", "shop/c", 80, NO),
            (flat, "shop/c", "other/d", 80, YES),
            (ANY, "shop/c", "other/d", 80, YES),
            (one, "shop/a", "shop/e", 80, MAYBE),
            (ANY, "shop/c", "shop/e", 80, MAYBE),
        ],
    );
    let joined = load(&text.concat(), &[&["nad/shop/one", "nad/shop/two"]]);
    check(
        &joined,
        &[
            (one, "shop/a", "shop/b", 80, YES),
            ("nad/shop/two", "shop/a", "shop/b", 80, YES),
            (ANY, "shop/a", "shop/b", 80, YES),
            (one, "shop/a", "shop/c", 80, NO),
        ],
    );
}

/// NW72, NW75, NW76, NW77: where it is not sure what enforces a policy, it is unknown.
#[test]
fn what_is_not_surely_enforced_is_unknown() {
    let nobody = "{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}";
    let egress = "{podSelector: {matchLabels: {app: db}}, egress: [{to: [{podSelector: {}}]}]}";
    let named = "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: http}]}]}";
    let text = |config: &str, spec: &str| {
        [
            definition("shop", "n", config),
            on("shop", "web", "n"),
            on("shop", "db", "n"),
            policy("p", "n", spec),
        ]
        .concat()
    };
    let ask = |config: &str, network: &str, spec: &str, want: Truth| {
        let input = load(&text(config, spec), &[]);
        check(&input, &[(network, "shop/web", "shop/db", 80, want)]);
        input
    };
    ask(MACVLAN, "nad/shop/n", nobody, NO);
    ask(LISTED, "nad/shop/n", nobody, MAYBE);
    ask(MACVLAN, "nad/shop/n", egress, MAYBE);
    ask(OVN, "nad/flat", egress, NO);
    ask(BARE, "nad/bare", nobody, NO);
    let refused = ask(BARE, "nad/bare", egress, MAYBE);
    let mut errors = refused.diagnostics.iter();
    assert!(errors.any(|d| d.severity == DiagnosticSeverity::Error));
    let input = load(&text(OVN, named), &[]);
    let expected = [("nad/flat", "shop/web", "shop/db", 80, NO)];
    check(&input, &expected); // no container has a port of the name
}

/// A pod whose primary network is not known may be on that of any other pod.
#[test]
fn an_unknown_primary_network_may_be_any() {
    let text = [
        "---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {k8s.ovn.org/primary-user-defined-network: '', team: a}}
---
apiVersion: k8s.ovn.org/v1
kind: ClusterUserDefinedNetwork
metadata: {name: c}
spec: {namespaceSelector: {matchLabels: {team: a}}, network: {topology: Layer2, layer2: {role: Primary, subnets: [10.100.0.0/16]}}}
",
        &pod("shop", "web", ""),
        &pod("unloaded", "db", ""),
    ];
    let input = load(&text.concat(), &[]);
    let expected = [
        (ANY, "unloaded/db", "shop/web", 80, MAYBE),
        (ANY, "shop/web", "unloaded/db", 80, MAYBE),
        (ANY, "shop/web", "203.0.113.9", 443, YES),
    ];
    check(&input, &expected);
}

/// A wire that goes on may lead outside whatever policies of the pod network say; one that does
/// not go on leads nowhere (NW24, NW35).
#[test]
fn what_lies_behind_a_wire_is_unknown() {
    let isolated = "---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
";
    let fenced = "---
apiVersion: k8s.ovn.org/v1
kind: EgressFirewall
metadata: {name: default, namespace: shop}
spec: {egress: [{type: Deny, to: {cidrSelector: 0.0.0.0/0}}]}
";
    let banned = "---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: banned}
spec:
  priority: 1
  subject: {namespaces: {}}
  egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]
";
    let outside = "203.0.113.9";
    for (config, behind) in [(MACVLAN, MAYBE), (OVN, NO)] {
        for closing in [isolated, fenced, banned] {
            let text = [
                definition("shop", "n", config),
                on("shop", "web", "n"),
                pod("shop", "apart", ""),
                closing.to_owned(),
            ];
            let input = load(&text.concat(), &[]);
            let expected = [
                (ANY, "shop/web", outside, 443, behind),
                ("default", "shop/web", outside, 443, NO),
                (ANY, "shop/apart", outside, 443, NO),
            ];
            check(&input, &expected);
            if closing == isolated {
                check(&input, &[(ANY, outside, "shop/web", 443, behind)]);
            }
        }
    }
}

const BLUE: &str = "
---
apiVersion: v1
kind: Namespace
metadata: {name: blue, labels: {k8s.ovn.org/primary-user-defined-network: ''}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: k8s.ovn.org/v1
kind: UserDefinedNetwork
metadata: {name: net, namespace: blue}
spec: {topology: Layer2, layer2: {role: Primary, subnets: [10.1.0.0/16]}}
";

/// NW20, NW22, NW30: ports that are open on the default network are not what policies of the own
/// one close.
#[test]
fn open_ports_are_of_the_default_network() {
    let open = ", annotations: {k8s.ovn.org/open-default-ports: '[{protocol: tcp, port: 80}]'}";
    let text = [
        BLUE.to_owned(),
        pod("blue", "a", open),
        pod("blue", "b", ""),
        pod("shop", "web", ""),
        CLOSED.replace("shop", "blue"),
    ];
    let input = load(&text.concat(), &[]);
    check(
        &input,
        &[
            (ANY, "shop/web", "blue/a", 80, YES),
            (ANY, "shop/web", "blue/a", 81, NO),
            (ANY, "blue/b", "blue/a", 80, NO),
            ("default", "shop/web", "blue/a", 80, YES),
            ("default", "blue/b", "blue/a", 80, NO),
            ("default", "blue/b", "8.8.8.8", 80, NO),
            ("udn/blue/net", "shop/web", "blue/a", 80, NO),
        ],
    );
}

/// NW40, NW41: a Service may be reached where the pods behind it are not.
#[test]
fn a_service_is_reached_where_its_pods_are_not() {
    let text = [
        BLUE.to_owned(),
        pod("blue", "a", ""),
        pod("kube-system", "dns", ""),
        "---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {selector: {app: dns}, clusterIP: 10.96.0.10, ports: [{port: 53}]}
"
        .to_owned(),
    ];
    let input = load(&text.concat(), &[]);
    check(&input, &[(ANY, "blue/a", "kube-system/dns", 53, MAYBE)]);
    let graph = AllowGraph::compile(&input, &options(ANY)).unwrap();
    let asked = |text: &str| {
        let question: Question = text.parse().unwrap();
        ask(&graph, &Context::default(), &question).unwrap().verdict
    };
    assert_eq!(asked("blue/a svc/kube-dns.kube-system:53"), Verdict::Yes);
    assert_eq!(asked("blue/a 10.96.0.10:53"), Verdict::Yes);
    assert_eq!(asked("blue/a kube-system/dns:53"), Verdict::No);
    let mut told = options(ANY);
    told.calls = ServiceCalls::ToServices;
    let graph = AllowGraph::compile(&input, &told).unwrap();
    let flow = Flow {
        source: end(&input, "blue/a"),
        destination: end(&input, "kube-system/dns"),
        traffic: Traffic {
            protocol: Protocol::Tcp,
            port: 53,
        },
    };
    assert_eq!(graph.verdict(&flow), YES);
}

/// An answer names the networks on which it is allowed.
#[test]
fn an_answer_names_its_networks() {
    let text = [
        definition("shop", "flat", OVN),
        on("shop", "web", "flat"),
        on("shop", "db", "flat"),
        CLOSED.to_owned(),
    ];
    let input = load(&text.concat(), &[]);
    let graph = AllowGraph::compile(&input, &options(ANY)).unwrap();
    let question: Question = "shop/web shop/db:80".parse().unwrap();
    let answer = ask(&graph, &Context::default(), &question).unwrap();
    let networks: Vec<&str> = answer.pairs[0].networks.iter().map(|n| &**n).collect();
    assert_eq!((answer.verdict, networks), (Verdict::Yes, vec!["nad/flat"]));
}

/// A diff tells what a policy of a secondary network changes; pods that are not in the input are
/// not compared there, and it says so.
#[test]
fn a_diff_tells_what_changes_on_a_network() {
    let text = |port: u16| {
        let spec = format!(
            "{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{ports: [{{port: {port}}}]}}]}}"
        );
        [
            definition("shop", "flat", OVN),
            on("shop", "web", "flat"),
            on("shop", "db", "flat"),
            policy("db", "flat", &spec),
            CLOSED.to_owned(),
        ]
        .concat()
    };
    let inputs = [80, 81].map(|port| load(&text(port), &[]));
    for network in [ANY, "nad/flat"] {
        let graphs = [0, 1].map(|i| AllowGraph::compile(&inputs[i], &options(network)).unwrap());
        let side = |i: usize| DiffSide {
            input: &inputs[i],
            graph: &graphs[i],
        };
        let found = diff_in(side(0), side(1), World::Open).unwrap();
        assert_eq!(found.changes.len(), 2, "`{network}`");
        assert_eq!(found.potential.incomplete, network == ANY);
    }
}

/// A pod that is put on a wire that goes on may reach the outside by it: undecided, and no policy
/// is said to be edited for it.
#[test]
fn a_diff_tells_of_a_new_wire_what_may_change() {
    let text = |web: String| [definition("shop", "n", MACVLAN), web, CLOSED.to_owned()].concat();
    let inputs = [pod("shop", "web", ""), on("shop", "web", "n")];
    let inputs = inputs.map(|web| load(&text(web), &[]));
    let graphs = [0, 1].map(|i| AllowGraph::compile(&inputs[i], &options(ANY)).unwrap());
    let side = |i: usize| DiffSide {
        input: &inputs[i],
        graph: &graphs[i],
    };
    let found = diff_in(side(0), side(1), World::Closed).unwrap();
    let kinds = found.changes.iter().map(|change| change.kind.word());
    assert_eq!(kinds.collect::<Vec<_>>(), ["may-widen"]);
    assert!(found.inert.is_empty());
}

/// Of very many networks it is not told what they carry, and one alone still answers.
#[test]
fn many_networks_are_unknown_together() {
    let name = |i: usize| format!("n{i}");
    let mut text = CLOSED.to_owned();
    for i in 0..70 {
        let config = OVN.replace("flat", &name(i));
        text += &definition("shop", &name(i), &config);
        text += &on("shop", &format!("p{i}"), &name(i));
    }
    let input = load(&text, &[]);
    check(
        &input,
        &[
            (ANY, "shop/p1", "shop/p2", 80, MAYBE),
            ("nad/n1", "shop/p1", "shop/p2", 80, NO),
            ("default", "shop/p1", "shop/p2", 80, NO),
        ],
    );
}

/// A network that nothing is called is refused, with the names there are.
#[test]
fn an_unknown_network_is_refused() {
    let input = load(&definition("shop", "flat", OVN), &[]);
    let refused = AllowGraph::compile(&input, &options("nad/flut")).err();
    let there = "are default, nad/flat".to_owned();
    assert_eq!(
        refused,
        Some(CompileError::NoNetwork("nad/flut".to_owned(), there))
    );
    let plain = load(&pod("shop", "web", ""), &[]);
    assert!(AllowGraph::compile(&plain, &options("default")).is_ok());
    assert!(AllowGraph::compile(&plain, &options("nad/flat")).is_err());
}

fn machine(kind: &str, name: &str, head: &str, spec: &str) -> String {
    format!(
        "---
apiVersion: kubevirt.io/v1
kind: {kind}
metadata: {{name: {name}, namespace: shop}}
spec: {{{head}template: {{metadata: {{labels: {{vm: {name}}}}}, spec: {spec}}}}}
"
    )
}

/// NW80 to NW85.
#[test]
fn guests_have_what_their_machine_says() {
    let devices = |interface: &str| format!("domain: {{devices: {{interfaces: [{interface}]}}}}");
    let forwarded = devices("{name: d, masquerade: {}, ports: [{port: 22}]}");
    let bridged = devices("{name: n, bridge: {}}");
    let text = [
        definition("shop", "flat", OVN),
        pod("shop", "web", ""),
        on("shop", "peer", "flat"),
        machine(
            "VirtualMachine",
            "ports",
            "",
            &format!("{{{forwarded}, networks: [{{name: d, pod: {{}}}}]}}"),
        ),
        machine(
            "VirtualMachine",
            "apart",
            "",
            &format!("{{{bridged}, networks: [{{name: n, multus: {{networkName: flat}}}}]}}"),
        ),
        machine(
            "VirtualMachine",
            "alone",
            "",
            "{domain: {devices: {autoattachPodInterface: false}}}",
        ),
        machine("VirtualMachine", "halted", "runStrategy: Halted, ", "{}"),
        machine(
            "VirtualMachineInstanceReplicaSet",
            "set",
            "replicas: 2, ",
            "{}",
        ),
    ];
    let input = load(&text.concat(), &[]);
    check(
        &input,
        &[
            (ANY, "shop/web", "shop/ports", 22, YES),
            (ANY, "shop/web", "shop/ports", 80, NO),
            (ANY, "shop/ports", "shop/web", 80, YES),
            (ANY, "shop/web", "shop/apart", 80, NO),
            (ANY, "shop/apart", "8.8.8.8", 80, NO),
            (ANY, "shop/peer", "shop/apart", 80, YES),
            ("nad/flat", "shop/apart", "shop/peer", 80, YES),
            ("default", "shop/peer", "shop/apart", 80, NO),
            (ANY, "shop/web", "shop/alone", 80, NO),
            (ANY, "shop/web", "shop/halted", 80, MAYBE),
            (ANY, "shop/web", "shop/set", 80, YES),
        ],
    );
}

/// NW21, NW23, NW42: from another network the Services of a namespace are called at nodes, load
/// balancers and external addresses, where policies may see a node; the locked address is no way.
#[test]
fn services_are_called_from_other_networks_by_nodes_and_outside_addresses() {
    let text = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n\
        status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}\n---\n\
        apiVersion: v1\nkind: Namespace\n\
        metadata: {name: blue, labels: {k8s.ovn.org/primary-user-defined-network: ''}}\n---\n\
        apiVersion: k8s.ovn.org/v1\nkind: UserDefinedNetwork\nmetadata: {name: own, namespace: blue}\n\
        spec: {topology: Layer2, layer2: {role: Primary, subnets: [10.100.0.0/16]}}\n---\n\
        apiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: blue, labels: {app: b}}\n\
        spec: {nodeName: n1, containers: [{name: c, image: i}]}\nstatus: {podIP: 10.244.0.1}\n---\n\
        apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: plain}\n\
        spec: {nodeName: n1, containers: [{name: c, image: i}]}\nstatus: {podIP: 10.244.0.2}\n---\n\
        apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: blue}\n\
        spec: {type: LoadBalancer, clusterIP: 10.96.0.5, externalIPs: [198.51.100.9], \
        selector: {app: b}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}\n\
        status: {loadBalancer: {ingress: [{ip: 203.0.113.10}]}}\n---\n";
    let closed = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
        metadata: {name: p, namespace: blue}\nspec: {podSelector: {}, policyTypes: [Ingress]}\n";
    let asked = |policies: &str, question: &str| {
        let input = load(&format!("{text}{policies}"), &[]);
        let graph = AllowGraph::compile(&input, &options(ANY)).unwrap();
        let question: Question = question.parse().unwrap();
        let answer = ask(&graph, &Context::default(), &question).unwrap();
        for pair in &answer.pairs {
            let explained = pair.explain(&graph).allowed;
            assert_eq!(
                explained == Truth::Yes,
                pair.verdict == Verdict::Yes,
                "{question:?}"
            );
        }
        answer.verdict
    };
    for at in [
        "203.0.113.10:80",
        "198.51.100.9:80",
        "192.168.0.1:30080",
        "nodes:30080",
    ] {
        for from in ["plain/a", "203.0.113.77"] {
            let question = format!("{from} reach {at}");
            assert_eq!(asked("", &question), Verdict::Yes, "{question}");
            // its own node may stand in for the caller, which no policy shuts out
            assert_eq!(asked(closed, &question), Verdict::Unknown, "{question}");
        }
    }
    for at in ["10.96.0.5:80", "blue/b:8080"] {
        assert_eq!(
            asked("", &format!("plain/a reach {at}")),
            Verdict::No,
            "{at}"
        );
    }
    assert_eq!(asked("", "plain/a reach 10.244.0.1:8080"), Verdict::Unknown);
    assert_eq!(asked("", "192.168.0.1 reach blue/b:8080"), Verdict::No);
}
