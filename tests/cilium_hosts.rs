//! The host firewall of Cilium, one sentence of the rulebook after the other (CI150-CI155): by both
//! graphs, the specification and what explains it; and what questions and lists make of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code)]
#[path = "common/two_nodes.rs"]
mod two_nodes;

use netpal::{
    AllowGraph, ChangeKind, CiliumSettings, CniProfile, CompileOptions, Context, DiffSide,
    EnforcementMode, Plugin, Question, Snapshot, Verdict, ask, diff, load_str,
};
use two_nodes::{CLUSTER, holds_under};

/// A policy with this selector of nodes, and this besides.
fn policy(name: &str, nodes: &str, spec: &str) -> String {
    format!(
        "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {{name: {name}}}\n\
         spec: {{nodeSelector: {nodes}, {spec}}}\n---\n"
    )
}

fn options(settings: CiliumSettings) -> CompileOptions {
    let profile = CniProfile::find("cilium").unwrap();
    let mut options = profile.apply(CompileOptions::default());
    options.plugin = Plugin::Cilium(Box::new(settings));
    options
}

fn on() -> CiliumSettings {
    CiliumSettings {
        host_firewall: Some(true),
        ..CiliumSettings::default()
    }
}

fn holds(documents: &[&str], lines: &str) {
    holds_under(&options(on()), documents, lines);
}

const SSH_FROM_CLUSTER: &str =
    "ingress: [{fromEntities: [cluster], toPorts: [{ports: [{port: '22'}]}]}]";

#[test]
fn ci150_rules_govern_nodes_where_the_firewall_is_on() {
    let policy = policy("q", "{}", SSH_FROM_CLUSTER);
    let asked = "no 198.51.100.7 192.0.2.1 22
         yes far 192.0.2.1 22
         no far 192.0.2.1 80
         no 198.51.100.7 agent 22
         yes far agent 22
         no far agent 80
         yes 198.51.100.7 a 22
         yes 192.0.2.1 198.51.100.7 443
         yes agent 198.51.100.7 443";
    holds(&[&policy], asked);
    let everything = asked.replace("no ", "yes ");
    for settings in [
        CiliumSettings::default(),
        CiliumSettings {
            enforcement: Some(EnforcementMode::Never),
            ..on()
        },
    ] {
        holds_under(&options(settings), &[&policy], &everything);
    }
}

#[test]
fn ci151_nodes_are_selected_by_their_labels() {
    let zone = policy("q", "{matchLabels: {zone: b}}", SSH_FROM_CLUSTER);
    holds(
        &[&zone],
        "no a 192.0.2.2 80
         yes a 192.0.2.1 80
         yes far agent 80",
    );
    let others = policy(
        "q",
        "{matchExpressions: [{key: zone, operator: NotIn, values: [b]}]}",
        SSH_FROM_CLUSTER,
    );
    holds(
        &[&others],
        "yes a 192.0.2.2 80
         no a 192.0.2.1 80
         no far agent 80",
    );
}

/// Of a pod on the network of a node that is not told, only what all nodes have is known.
#[test]
fn ci151_what_is_on_a_node_that_is_not_told() {
    let adrift = "apiVersion: v1\nkind: Pod\nmetadata: {name: adrift, namespace: shop}\n\
                  spec: {hostNetwork: true, NODE containers: [{name: c, image: i}]}\n---\n";
    for node in ["", "nodeName: elsewhere,"] {
        let adrift = adrift.replace("NODE", node);
        let all = policy("q", "{}", SSH_FROM_CLUSTER);
        holds(&[&all, &adrift], "no far adrift 80\nyes far adrift 22");
        let zone = policy("q", "{matchLabels: {zone: b}}", SSH_FROM_CLUSTER);
        holds(
            &[&zone, &adrift],
            "unknown far adrift 80\nyes far adrift 22",
        );
        let none = policy("q", "{matchLabels: {zone: none}}", SSH_FROM_CLUSTER);
        holds(
            &[&none, &adrift],
            "unknown far adrift 80\nyes far 192.0.2.1 80",
        );
    }
}

#[test]
fn ci152_peers_ports_and_default_deny_are_as_for_pods() {
    let nodes = policy("q", "{}", "ingress: [{fromEntities: [remote-node]}]");
    holds(
        &[&nodes],
        "yes 192.0.2.2 192.0.2.1 80
         yes 192.0.2.1 192.0.2.1 80
         yes agent 192.0.2.2 80
         unknown agent 192.0.2.1 80
         no a 192.0.2.1 80",
    );
    let pods = policy(
        "q",
        "{}",
        "egress: [{toEndpoints: [{matchLabels: {app: a}}]}]",
    );
    holds(
        &[&pods],
        "yes 192.0.2.2 a 80
         no 192.0.2.2 b 80
         no 192.0.2.1 b 80
         no agent 198.51.100.7 443
         yes agent a 80
         yes a agent 80",
    );
    let denied = policy(
        "d",
        "{}",
        "ingressDeny: [{fromEntities: [world], toPorts: [{ports: [{port: '10250'}]}]}], \
         enableDefaultDeny: {ingress: false}",
    );
    holds(
        &[&denied],
        "no 198.51.100.7 192.0.2.1 10250
         yes 198.51.100.7 192.0.2.1 22
         yes 192.0.2.2 192.0.2.1 10250",
    );
    let both = policy("q", "{}", "ingress: [{fromEntities: [world, cluster]}]");
    holds(
        &[&denied, &both],
        "no 198.51.100.7 192.0.2.1 10250\nyes 198.51.100.7 192.0.2.1 22",
    );
}

#[test]
fn ci153_pods_are_left_alone_at_both_ends() {
    let closed = policy("q", "{}", "ingress: [{}], egress: [{toEntities: [none]}]");
    let shut = policy("r", "{}", "ingress: [{fromEntities: [none]}]");
    holds(
        &[&closed, &shut],
        "yes 198.51.100.7 a 80
         yes a 198.51.100.7 443
         yes a far 80
         no 192.0.2.1 a 80
         no agent far 80",
    );
}

/// A node is not let in to itself as it is to its pods; whether what it sends itself meets the
/// firewall at all is not documented.
#[test]
fn ci154_the_own_node_is_one_like_others() {
    let world = policy("q", "{}", "ingress: [{fromEntities: [world]}]");
    let pods = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
                metadata: {name: shut, namespace: shop}\n\
                spec: {podSelector: {}, policyTypes: [Ingress]}\n---\n";
    holds(
        &[&world, pods],
        "unknown agent 192.0.2.1 80
         no a 192.0.2.1 80
         yes 198.51.100.7 192.0.2.1 80
         yes agent a 80
         no agent far 80",
    );
}

/// Where the addresses of nodes are not told, a private one may be that of a node.
#[test]
fn addresses_that_may_be_of_nodes_are_not_known() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n\
               spec: {containers: [{name: c, image: i}]}\n---\n";
    let shut = policy("q", "{}", "ingress: [{fromEntities: [none]}]");
    let input = netpal::load_str(&format!("{pod}{shut}"));
    let asked = |options: &CompileOptions, to: &str| {
        let graph = AllowGraph::compile(&input, options).unwrap();
        let question = format!("shop/a reach {to}").parse::<Question>().unwrap();
        ask(&graph, &Context::default(), &question).unwrap().verdict
    };
    let untold = options(on());
    assert_eq!(asked(&untold, "10.1.2.3:22"), Verdict::Unknown);
    assert_eq!(asked(&untold, "198.51.100.7:22"), Verdict::Yes);
    let mut told = options(on());
    told.node_cidrs = netpal::IpSet::from_cidrs(["203.0.113.0/24".parse().unwrap()]);
    assert_eq!(asked(&told, "203.0.113.7:22"), Verdict::Unknown);
    assert_eq!(asked(&told, "10.1.2.3:22"), Verdict::Yes);
    let mode = CiliumSettings {
        enforcement: Some(EnforcementMode::Always),
        ..on()
    };
    let input = netpal::load_str(&format!("{CLUSTER}{shut}"));
    let graph = AllowGraph::compile(&input, &options(mode)).unwrap();
    let question: Question = "192.0.2.1 reach 198.51.100.7:443".parse().unwrap();
    let answer = ask(&graph, &Context::default(), &question).unwrap();
    assert_eq!(answer.verdict, Verdict::No, "no Rule lets nodes out");
}

/// CI15, CI150: in mode `always` nodes are closed too, whether a Rule selects them or not.
#[test]
fn ci15_in_mode_always_every_node_is_closed() {
    let always = CiliumSettings {
        enforcement: Some(EnforcementMode::Always),
        ..on()
    };
    let everything = "yes 198.51.100.7 192.0.2.1 22
         yes 198.51.100.7 agent 22
         yes 192.0.2.1 198.51.100.7 443";
    let off = CiliumSettings {
        host_firewall: None,
        ..always.clone()
    };
    holds_under(&options(off), &[], everything);
    let nothing = everything.replace("yes ", "no ");
    holds_under(&options(always.clone()), &[], &nothing);
    let elsewhere = policy(
        "q",
        "{matchLabels: {zone: b}}",
        "ingress: [{fromEntities: [all]}]",
    );
    holds_under(&options(always), &[&elsewhere], &nothing);
}

/// CI25: whichever node a pod is on whose network it has, it is one.
#[test]
fn ci25_a_pod_on_the_network_of_a_node_that_is_not_told_is_a_node() {
    let adrift = "apiVersion: v1\nkind: Pod\nmetadata: {name: adrift, namespace: shop}\n\
                  spec: {hostNetwork: true, containers: [{name: c, image: i}]}\n---\n";
    let deny = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: q, namespace: shop}\n\
                spec: {endpointSelector: {}, enableDefaultDeny: {ingress: false}, \
                ingressDeny: [{fromEntities: [host, remote-node]}]}\n---\n";
    holds_under(
        &options(CiliumSettings::default()),
        &[adrift, deny],
        "no adrift a 80",
    );
}

/// What addresses send to a node, and a node to addresses, is compared and kept like other flows.
#[test]
fn a_diff_and_a_snapshot_see_what_passes_between_nodes_and_addresses() {
    let into = |block: &str| {
        let rules =
            format!("ingress: [{{fromCIDR: [{block}], toPorts: [{{ports: [{{port: '22'}}]}}]}}]");
        policy("q", "{matchLabels: {zone: b}}", &rules)
    };
    let out = |block: &str| {
        policy(
            "q",
            "{matchLabels: {zone: b}}",
            &format!("egress: [{{toCIDR: [{block}]}}]"),
        )
    };
    let narrow = "198.51.100.0/24";
    for (before, after) in [
        (into(narrow), into("198.51.0.0/16")),
        (out(narrow), out("198.51.0.0/16")),
    ] {
        let [before, after] = [&before, &after].map(|text| load_str(&format!("{CLUSTER}{text}")));
        let graphs = [&before, &after].map(|i| AllowGraph::compile(i, &options(on())).unwrap());
        let side = |input, graph| DiffSide { input, graph };
        let [old, new] = [side(&before, &graphs[0]), side(&after, &graphs[1])];
        for (from, to, kind) in [
            (old, new, ChangeKind::Widened),
            (new, old, ChangeKind::Narrowed),
        ] {
            let found = diff(from, to);
            assert!(!found.changes.is_empty());
            assert!(found.changes.iter().all(|change| change.kind == kind));
            assert!(found.inert.is_empty());
        }
        assert!(diff(old, old).changes.is_empty());
        let lines = graphs.each_ref().map(|graph| Snapshot::new(graph).lines);
        assert_ne!(lines[0], lines[1]);
    }
}

/// The options of an agent, as its `ConfigMap` has them.
fn agent(settings: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: cilium-config, namespace: kube-system}}\n\
         data: {{{settings}}}\n---\n"
    )
}

fn own(spec: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: q, namespace: shop}}\n\
         spec: {{podSelector: {{matchLabels: {{app: a}}}}, {spec}}}\n---\n"
    )
}

#[test]
fn ci84_a_prefix_of_length_0_matches_no_node_and_no_pod() {
    let config = agent("policy-cidr-match-mode: nodes pods");
    let out = |block: &str| {
        own(&format!(
            "policyTypes: [Egress], egress: [{{to: [{{ipBlock: {{cidr: {block}}}}}]}}]"
        ))
    };
    let everything = "no a 192.0.2.2 80\nno a far 80\nyes a 198.51.100.7 80";
    holds(&[&config, &out("0.0.0.0/0")], everything);
    let blocks = "yes a 192.0.2.2 80\nyes a far 80";
    holds(
        &[&config, &out("192.0.2.0/24}}, {ipBlock: {cidr: 10.0.0.0/8")],
        blocks,
    );
}

#[test]
fn ci133_what_is_no_pod_has_no_labels_that_a_pod_selector_could_select() {
    let config = agent("policy-default-local-cluster: 'false'");
    let from = |pods: &str| {
        own(&format!(
            "ingress: [{{from: [{{namespaceSelector: {{matchExpressions: \
             [{{key: team, operator: DoesNotExist}}]}}{pods}}}]}}]"
        ))
    };
    holds(&[&config, &from("")], "yes 198.51.100.7 a 80");
    let named = from(", podSelector: {matchLabels: {app: b}}");
    holds(
        &[&config, &named],
        "no 198.51.100.7 a 80\nyes b a 80\nno far a 80",
    );
}

#[test]
fn ci205_a_value_that_no_label_has_voids_the_policy() {
    let rules = |value: &str| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: q, namespace: shop}}\n\
             spec: {{endpointSelector: {{matchLabels: {{app: a}}}}, ingress: [{{fromEndpoints: \
             [{{matchExpressions: [{{key: app, operator: In, values: ['{value}']}}]}}]}}]}}\n"
        )
    };
    let has_errors = |value: &str| load_str(&format!("{CLUSTER}{}", rules(value))).has_errors();
    assert!(has_errors("x y") && !has_errors("x-y"));
}
