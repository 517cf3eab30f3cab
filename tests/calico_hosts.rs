//! Host endpoints of Calico, one sentence of the rulebook after the other (CA48, CA52, CA53,
//! CA100-CA109): by both graphs, the specification and what explains it; and what questions, lists
//! and snapshots make of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/two_nodes.rs"]
mod two_nodes;

use netpal::{
    AllowGraph, CalicoSettings, CniProfile, CompileOptions, Context, EndpointToHost, Flow,
    Protocol, Question, Traffic, Truth, Verdict, ask,
};
use two_nodes::{CLUSTER, end, holds_under};

/// A host endpoint of n1 on one interface, which has its address.
const ETH0: &str = "
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: h, labels: {edge: here}}
spec: {node: n1, interfaceName: eth0, expectedIPs: [192.0.2.1]}
---
";

/// One of every interface of n1.
const EVERY: &str = "
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: h, labels: {edge: here}}
spec: {node: n1, interfaceName: '*', expectedIPs: [192.0.2.1]}
---
";

/// A policy for it, with this spec besides.
fn policy(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {{name: {name}}}\n\
         spec: {{selector: has(edge), {spec}}}\n---\n"
    )
}

fn options() -> CompileOptions {
    let profile = CniProfile::find("calico").unwrap();
    profile.apply(CompileOptions::default())
}

fn holds(documents: &[&str], lines: &str) {
    holds_under(&options(), documents, lines);
}

#[test]
fn ca48_what_no_profile_decides_is_denied() {
    holds(
        &[ETH0],
        "no 198.51.100.7 192.0.2.1 80
         no 192.0.2.1 198.51.100.7 80
         no agent 198.51.100.7 80
         no 192.0.2.2 agent 80
         yes 198.51.100.7 192.0.2.2 80",
    );
    let with = |profiles: &str| ETH0.replace("eth0,", &format!("eth0, profiles: [{profiles}],"));
    let everything = "yes 198.51.100.7 192.0.2.1 80\nyes agent 198.51.100.7 80";
    holds(&[&with("projectcalico-default-allow")], everything);
    holds(&[&with("kns.shop")], everything);
    let unknown = "unknown 198.51.100.7 192.0.2.1 80\nyes 198.51.100.7 192.0.2.1 22";
    holds(&[&with("elsewhere")], unknown);
    let profile = "
apiVersion: projectcalico.org/v3
kind: Profile
metadata: {name: own}
spec:
  ingress:
  - {action: Pass, protocol: UDP}
  - {action: Allow}
---
";
    holds(
        &[&with("own"), profile],
        "yes 198.51.100.7 192.0.2.1 80
         no 198.51.100.7 192.0.2.1 80u
         no agent 198.51.100.7 80",
    );
}

#[test]
fn ca52_ca53_whom_a_policy_means_besides_a_selector_of_namespaces_or_accounts() {
    let closed = "no 198.51.100.7 192.0.2.1 80";
    let open = "yes 198.51.100.7 192.0.2.1 80";
    let host = ETH0.replace("eth0,", "eth0, profiles: [projectcalico-default-allow],");
    let of = |spec: &str| policy("p", spec).replace("selector: has(edge), ", "");
    holds(&[&host, &of("types: [Ingress]")], closed);
    holds(&[&host, &of("selector: all(), types: [Ingress]")], closed);
    let negative = "namespaceSelector: x != 'y', types: [Ingress]";
    holds(&[&host, &of(negative)], closed);
    holds(&[&host, &of(&format!("selector: all(), {negative}"))], open);
    let account =
        "selector: all(), serviceAccountSelector: \"role not in {'x'}\", types: [Ingress]";
    holds(&[&host, &of(account)], open);
}

#[test]
fn ca100_a_node_always_reaches_its_own_pods() {
    let deny = policy("deny", "applyOnForward: true, types: [Ingress, Egress]");
    for host in [ETH0, EVERY] {
        holds(
            &[host, &deny],
            "yes 192.0.2.1 a 80
             yes agent a 80
             no 192.0.2.1 far 80
             no 192.0.2.2 a 80",
        );
    }
}

#[test]
fn ca101_what_becomes_of_traffic_to_the_own_node() {
    let felix = |action: &str| {
        format!(
            "apiVersion: projectcalico.org/v3\nkind: FelixConfiguration\nmetadata: {{name: default}}\n\
             spec: {{defaultEndpointToHostAction: {action}, bpfLogLevel: ''}}\n---\n"
        )
    };
    holds(
        &[ETH0],
        "yes a 192.0.2.1 80\nyes a agent 80\nno a 192.0.2.2 80"
            .replace("no a 192.0.2.2", "yes a 192.0.2.2")
            .as_str(),
    );
    let [drop, giving_back] = [felix("Drop"), felix("Return")];
    holds(
        &[&drop],
        "no a 192.0.2.1 80
         no a agent 80
         yes a 192.0.2.2 80
         yes a b 80
         yes 192.0.2.1 a 80
         unknown floating 192.0.2.1 80
         yes a 198.51.100.7 80",
    );
    holds(
        &[&giving_back],
        "unknown a 192.0.2.1 80\nyes a 192.0.2.2 80",
    );
    holds(&[&felix("Accept")], "yes a 192.0.2.1 80");
    let of_node = felix("Accept").replace("{name: default}", "{name: node.n1}");
    holds(
        &[&drop, &of_node],
        "yes a 192.0.2.1 80\nno far 192.0.2.2 80",
    );
    let mut told = options();
    told.calico.endpoint_to_host = Some(EndpointToHost::Drop);
    holds_under(&told, &[""], "no a 192.0.2.1 80");
    holds_under(&told, &[&felix("Accept")], "yes a 192.0.2.1 80");
}

#[test]
fn ca101_what_is_assumed_is_said() {
    let felix = "apiVersion: projectcalico.org/v3\nkind: FelixConfiguration\n\
                 metadata: {name: default}\nspec: {defaultEndpointToHostAction: Accept}\n";
    let assumes = |documents: &str, told: Option<EndpointToHost>| {
        let input = netpal::load_str(&format!("{CLUSTER}{documents}"));
        let settings = CalicoSettings {
            endpoint_to_host: told,
            ..CalicoSettings::default()
        };
        let calico = &input.policies.plugin.calico;
        calico.assumes_endpoint_to_host(&settings)
    };
    assert!(assumes(ETH0, None));
    assert!(!assumes("", None));
    assert!(!assumes(ETH0, Some(EndpointToHost::Drop)));
    assert!(!assumes(&format!("{ETH0}{felix}"), None));
}

#[test]
fn ca102_without_a_host_endpoint_nothing_is_policed() {
    let deny = policy("deny", "applyOnForward: true, types: [Ingress, Egress]");
    holds(
        &[&deny],
        "yes 198.51.100.7 192.0.2.1 80\nyes agent far 80\nyes a far 80",
    );
}

#[test]
fn ca103_which_host_endpoint_an_interface_has() {
    let second = EVERY
        .replace("{name: h,", "{name: g,")
        .replace("edge: here", "other: here")
        .replace(
            "expectedIPs: [192.0.2.1]",
            "profiles: [projectcalico-default-allow]",
        );
    // one of its own beats that of every other interface
    holds(&[ETH0, &second], "no 198.51.100.7 192.0.2.1 80");
    // of two of every interface the one whose name sorts first
    holds(&[EVERY, &second], "yes 198.51.100.7 192.0.2.1 80");
    // which interface has the address is not told
    let vague = ETH0.replace(", expectedIPs: [192.0.2.1]", "");
    holds(
        &[&vague],
        "unknown 198.51.100.7 192.0.2.1 80
         yes 198.51.100.7 192.0.2.1 22
         unknown agent far 80",
    );
    // by its addresses
    let by_address = ETH0.replace("interfaceName: eth0, ", "");
    holds(&[&by_address], "no 198.51.100.7 192.0.2.1 80");
}

#[test]
fn ca104_as_a_peer_it_is_its_addresses() {
    let of_peer = policy(
        "p",
        "types: [Ingress], ingress: [{action: Allow, source: {selector: has(edge)}}]",
    )
    .replace(
        "selector: has(edge), types",
        "selector: app == 'far', types",
    );
    holds(&[ETH0, &of_peer], "no a far 80");
    let host = ETH0.replace("eth0,", "eth0, profiles: [projectcalico-default-allow],");
    holds(
        &[&host, &of_peer],
        "yes 192.0.2.1 far 80\nyes agent far 80\nno 192.0.2.2 a 1"
            .replace("no 192.0.2.2 a 1", "yes far a 80")
            .as_str(),
    );
}

#[test]
fn ca105_failsafe_ports_are_open_before_any_policy() {
    let deny = policy(
        "deny",
        "types: [Ingress, Egress], ingress: [{action: Deny}], egress: [{action: Deny}]",
    );
    holds(
        &[ETH0, &deny],
        "yes 198.51.100.7 192.0.2.1 22
         yes 198.51.100.7 agent 6443
         yes 198.51.100.7 192.0.2.1 68u
         no 198.51.100.7 192.0.2.1 53u
         yes 192.0.2.1 198.51.100.7 53u
         no 192.0.2.1 198.51.100.7 22",
    );
    let felix = "
apiVersion: projectcalico.org/v3
kind: FelixConfiguration
metadata: {name: default}
spec:
  failsafeInboundHostPorts: [{protocol: tcp, port: 8022, net: 198.51.100.0/24}, {port: 23}]
  failsafeOutboundHostPorts: []
---
"
    .replace("protocol: tcp", "protocol: TCP");
    holds(
        &[ETH0, &deny, &felix],
        "no 198.51.100.7 192.0.2.1 22
         yes 198.51.100.7 192.0.2.1 8022
         no 203.0.113.1 192.0.2.1 8022
         yes 203.0.113.1 192.0.2.1 23
         no 192.0.2.1 198.51.100.7 53u",
    );
}

#[test]
fn ca106_only_apply_on_forward_acts_on_what_is_forwarded() {
    let deny = "types: [Ingress, Egress]";
    holds(
        &[ETH0, &policy("p", deny)],
        "yes 198.51.100.7 a 80\nyes a far 80\nno 198.51.100.7 192.0.2.1 80",
    );
    let forward = policy("p", &format!("applyOnForward: true, {deny}"));
    holds(
        &[ETH0, &forward],
        "no 198.51.100.7 a 80
         no far a 80
         no a far 80
         no a 198.51.100.7 80
         yes 198.51.100.7 far 80
         yes a b 80
         yes a 192.0.2.1 80
         unknown 198.51.100.7 floating 80",
    );
}

#[test]
fn ca107_untracked_and_pre_dnat_policies_leave_pods_alone() {
    let of_pods = |flag: &str| {
        policy(
            "p",
            &format!(
                "applyOnForward: true, {flag}: true, types: [Ingress], ingress: [{{action: Deny}}]"
            ),
        )
        .replace("has(edge)", "app == 'far'")
    };
    holds(
        &[
            &of_pods("doNotTrack"),
            &of_pods("preDNAT").replace("{name: p}", "{name: q}"),
        ],
        "yes a far 80",
    );
}

#[test]
fn ca108_forwarded_traffic_is_open_unless_a_policy_says_otherwise() {
    let one_way = policy(
        "p",
        "applyOnForward: true, types: [Ingress], ingress: [{action: Allow, protocol: TCP}]",
    );
    // an interface is met on the way in; of every interface those of the pods are, too
    holds(
        &[ETH0, &one_way],
        "yes 198.51.100.7 a 80\nno 198.51.100.7 a 80u\nyes a far 80u",
    );
    holds(
        &[EVERY, &one_way],
        "no 198.51.100.7 a 80u
         yes a far 80
         no a far 80u
         yes a b 80u
         yes a 192.0.2.1 80u",
    );
    let out = policy(
        "p",
        "applyOnForward: true, types: [Egress], egress: [{action: Allow, protocol: TCP}]",
    );
    holds(&[ETH0, &out], "yes 198.51.100.7 a 80u\nno a far 80u");
    holds(&[EVERY, &out], "no 198.51.100.7 a 80u\nno a far 80u");
}

#[test]
fn ca109_untracked_then_before_dnat_then_the_others() {
    let untracked = |rule: &str| {
        policy(
            "u",
            &format!(
                "order: 9, applyOnForward: true, doNotTrack: true, types: [Ingress], ingress: [{rule}]"
            ),
        )
    };
    let pre_dnat = |rule: &str| {
        policy(
            "d",
            &format!(
                "order: 5, applyOnForward: true, preDNAT: true, types: [Ingress], ingress: [{rule}]"
            ),
        )
    };
    let normal = |rule: &str| {
        policy(
            "z",
            &format!("order: 1, applyOnForward: true, types: [Ingress], ingress: [{rule}]"),
        )
    };
    let (allow, deny, other) = (
        "{action: Allow}",
        "{action: Deny}",
        "{action: Allow, protocol: UDP}",
    );
    let into_both =
        |word: &str| format!("{word} 198.51.100.7 192.0.2.1 80\n{word} 198.51.100.7 a 80");
    holds(
        &[ETH0, &untracked(allow), &pre_dnat(deny), &normal(deny)],
        &into_both("yes"),
    );
    holds(
        &[ETH0, &untracked(deny), &pre_dnat(allow), &normal(allow)],
        &into_both("no"),
    );
    holds(
        &[ETH0, &untracked(other), &pre_dnat(allow), &normal(deny)],
        &into_both("yes"),
    );
    holds(
        &[ETH0, &untracked(other), &pre_dnat(other), &normal(deny)],
        &into_both("no"),
    );
    holds(
        &[ETH0, &untracked(other), &pre_dnat(other), &normal(allow)],
        &into_both("yes"),
    );
    // what leaves by an interface meets neither
    holds(&[ETH0, &pre_dnat(deny), &untracked(deny)], "yes a far 80");
    // what enters by the interface of a pod is asked before DNAT, and is tracked
    holds(
        &[EVERY, &pre_dnat(deny)],
        "no a far 80\nno a 192.0.2.1 80\nyes a b 80",
    );
    holds(
        &[EVERY, &untracked(deny)],
        "yes a far 80\nyes a 192.0.2.1 80",
    );
}

#[test]
fn a_policy_that_cannot_be_read_leaves_hosts_open_to_doubt() {
    let broken = policy("p", "types: [Ingress]").replace("has(edge)", "'has(('");
    let input = netpal::load_str(&format!("{CLUSTER}{ETH0}{broken}"));
    let graph = AllowGraph::compile(&input, &options()).unwrap();
    let flow = Flow {
        source: end(&input, "198.51.100.7"),
        destination: end(&input, "192.0.2.1"),
        traffic: Traffic {
            protocol: Protocol::Tcp,
            port: 80,
        },
    };
    assert!(input.has_errors());
    assert_eq!(graph.verdict(&flow), Truth::Maybe);
}

#[test]
fn questions_name_network_sets_and_host_endpoints() {
    let sets = "
apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata: {name: partners}
spec: {nets: [198.51.100.0/24]}
---
apiVersion: projectcalico.org/v3
kind: NetworkSet
metadata: {name: ours, namespace: shop}
spec: {nets: [10.0.1.0/30]}
---
";
    let allow = policy(
        "p",
        "types: [Ingress], ingress: [{action: Allow, source: {nets: [198.51.100.0/24]}}]",
    );
    let input = netpal::load_str(&format!("{CLUSTER}{ETH0}{sets}{allow}"));
    let graph = AllowGraph::compile(&input, &options()).unwrap();
    let verdict = |text: &str| {
        let question: Question = text.parse().unwrap();
        ask(&graph, &Context::default(), &question).map(|answer| answer.verdict)
    };
    assert_eq!(verdict("netset/partners reach hep/h:80"), Ok(Verdict::Yes));
    assert_eq!(verdict("203.0.113.9 reach hep/h:80"), Ok(Verdict::No));
    assert_eq!(verdict("internet reach hep/h:22"), Ok(Verdict::Yes));
    assert_eq!(
        verdict("netset/shop/ours reach shop/far:80"),
        Ok(Verdict::Yes)
    );
    assert_eq!(verdict("netset/ours reach shop/far:80"), Ok(Verdict::Yes));
    assert_eq!(
        verdict("netset/shop/ours reach hep/h:80"),
        Ok(Verdict::Partly)
    );
    let error = |text: &str| verdict(text).unwrap_err().message;
    assert_eq!(
        error("hep/x reach shop/far"),
        "no host endpoint is called `x`"
    );
    assert_eq!(
        error("netset/y reach shop/far"),
        "no network set is called `y`"
    );
}
