//! Meshes, egress firewalls and networks case by case: what depends on a request, a waypoint or
//! the age of a policy is unknown, and what travels between proxies is asked of the plugin's
//! policies with the port of the proxy.
#![allow(clippy::unwrap_used, clippy::panic)]

use netpal::Protocol;
use netpal::Truth::{Maybe, No, Yes};

#[path = "common/meshed.rs"]
mod meshed;
use meshed::{ambient, asked, authorization, linkerd, load, opens, pods, sidecars, verdict};

#[test]
fn between_ambient_pods_the_plugin_sees_the_port_of_the_tunnel() {
    let ask = |ports: &str, from: &str| verdict(&ambient(), &opens(ports), from, "shop/db", 5432);
    assert_eq!(ask("ports: [{port: 5432}]", "shop/web"), No);
    assert_eq!(ask("ports: [{port: 15008}]", "shop/web"), Yes);
    assert_eq!(ask("ports: [{port: sql}]", "shop/web"), No);
    assert_eq!(ask("from: [{namespaceSelector: {}}]", "shop/web"), Yes);
    // plain text keeps its port
    assert_eq!(ask("ports: [{port: 5432}]", "plain/out"), Yes);
    assert_eq!(ask("ports: [{port: 15008}]", "plain/out"), No);
}

#[test]
fn other_protocols_and_sidecars_keep_their_port() {
    let udp = opens("ports: [{port: 53, protocol: UDP}]");
    let ask = |port| asked(&ambient(), &udp, "shop/web", "shop/db", Protocol::Udp, port);
    assert_eq!([ask(53), ask(54)], [Yes, No]);
    let tcp = opens("ports: [{port: 5432}]");
    assert_eq!(verdict(&sidecars(), &tcp, "shop/web", "shop/db", 5432), Yes);
}

#[test]
fn one_ambient_end_is_enough() {
    let mixed = pods(
        "istio-injection: enabled",
        "istio.io/dataplane-mode: ambient",
        "",
    );
    let tcp = opens("ports: [{port: 5432}]");
    assert_eq!(verdict(&mixed, &tcp, "plain/out", "shop/db", 5432), No);
    assert_eq!(verdict(&mixed, &tcp, "shop/web", "shop/db", 5432), Yes);
    let egress = "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: plain}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 5432}]}]}
";
    assert_eq!(verdict(&mixed, egress, "plain/out", "shop/db", 5432), No);
    // to whom is not of the mesh the port stays
    assert_eq!(verdict(&mixed, egress, "plain/out", "8.8.8.8", 5432), Yes);
}

#[test]
fn behind_a_waypoint_nothing_is_certain_for_the_mesh() {
    let behind = pods(
        "istio.io/dataplane-mode: ambient, istio.io/use-waypoint: gate",
        "team: b",
        "",
    );
    let from_web = opens("from: [{podSelector: {matchLabels: {app: web}}}]");
    assert_eq!(verdict(&behind, "", "shop/web", "shop/db", 80), Maybe);
    assert_eq!(verdict(&behind, &from_web, "shop/db", "shop/db", 80), Yes);
    assert_eq!(
        verdict(&behind, &from_web, "shop/web", "shop/db", 80),
        Maybe
    );
    assert_eq!(verdict(&behind, &from_web, "plain/out", "shop/db", 80), No);
    assert_eq!(verdict(&behind, "", "plain/out", "shop/db", 80), Yes);
    let none = pods(
        "istio.io/dataplane-mode: ambient, istio.io/use-waypoint: none",
        "team: b",
        "",
    );
    assert_eq!(verdict(&none, "", "shop/web", "shop/db", 80), Yes);
}

#[test]
fn rules_about_requests_are_conditions_where_requests_may_be_read() {
    let get = authorization(
        "rules: [{from: [{source: {serviceAccounts: [web]}}], to: [{operation: {methods: [GET]}}]}]",
    );
    let ask = |from: &str, port| verdict(&sidecars(), &get, from, "shop/db", port);
    assert_eq!(ask("shop/web", 80), Maybe);
    assert_eq!(ask("shop/web", 81), Maybe);
    assert_eq!(ask("shop/web", 9999), Maybe);
    assert_eq!(ask("shop/web", 5432), No); // IS50: a port without requests
    assert_eq!(ask("plain/out", 80), No);
    assert_eq!(verdict(&ambient(), &get, "shop/web", "shop/db", 80), No);
}

/// IS5: what an annotation keeps from the proxy is asked of no policy of the mesh, on exactly its
/// ports.
#[test]
fn ports_kept_from_the_proxy_are_reached_past_it() {
    const EXCLUDE: &str = "traffic.sidecar.istio.io/excludeInboundPorts";
    const INCLUDE: &str = "traffic.sidecar.istio.io/includeInboundPorts";
    let with = |notes: &str| pods("istio-injection: enabled", "team: b", notes);
    let strict = "
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: shop}
spec: {mtls: {mode: STRICT}}
";
    let denied = authorization("action: DENY, rules: [{}]");
    let policies = [authorization("action: ALLOW"), denied, strict.to_owned()];
    let excluded = with(&format!("{EXCLUDE}: '9443, 5432'"));
    let included = with(&format!("{INCLUDE}: '80,81'"));
    let all = with(&format!("{INCLUDE}: '*'"));
    for policies in policies {
        let ask = |cluster: &str, port| verdict(cluster, &policies, "plain/out", "shop/db", port);
        assert_eq!(ask(&with(""), 5432), No, "{policies}");
        assert_eq!(ask(&all, 5432), No, "{policies}");
        assert_eq!(ask(&excluded, 5432), Yes, "{policies}");
        assert_eq!(ask(&excluded, 80), No, "{policies}");
        assert_eq!(ask(&included, 5432), Yes, "{policies}");
        assert_eq!(ask(&included, 80), No, "{policies}");
    }
    let identified = authorization("rules: [{from: [{source: {principals: ['*']}}]}]");
    let web = |notes: &str| {
        let (from, to) = ("shop/web", "shop/db");
        verdict(&with(notes), &identified, from, to, 5432)
    };
    let outbound = "traffic.sidecar.istio.io/excludeOutboundPorts: '5432'";
    assert_eq!((web(""), web(outbound)), (Yes, Maybe));
    let bypassed = "ambient.istio.io/bypass-inbound-capture: 'true'";
    let bypassed = pods("istio.io/dataplane-mode: ambient", "team: b", bypassed);
    let closed = authorization("action: ALLOW");
    let to = "shop/db";
    assert_eq!(verdict(&ambient(), &closed, "plain/out", to, 5432), No);
    assert_eq!(verdict(&bypassed, &closed, "plain/out", to, 5432), Maybe);
}

#[test]
fn a_deny_about_requests_denies_all_of_a_port_without_requests() {
    let deny = authorization(
        "action: DENY, rules: [{from: [{source: {serviceAccounts: [web]}}], \
         to: [{operation: {paths: [/admin]}}]}]",
    );
    let ask = |port| verdict(&sidecars(), &deny, "shop/web", "shop/db", port);
    assert_eq!([ask(5432), ask(80)], [No, Maybe]); // IS51
    // IS52: the entry of `to` is left empty, so that the rule never matches
    assert_eq!(verdict(&ambient(), &deny, "shop/web", "shop/db", 80), Yes);
    assert_eq!(verdict(&sidecars(), &deny, "plain/out", "shop/db", 80), Yes);
}

#[test]
fn an_external_authorizer_is_a_condition() {
    let custom = authorization("action: CUSTOM, provider: {name: ext}, rules: [{}]");
    assert_eq!(
        verdict(&sidecars(), &custom, "shop/web", "shop/db", 80),
        Maybe
    );
    assert_eq!(verdict(&ambient(), &custom, "shop/web", "shop/db", 80), Yes);
}

#[test]
fn of_two_modes_whose_age_is_not_told_neither_is_certain() {
    let peer = |name: &str, mode: &str, created: &str| {
        format!(
            "
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: {name}, namespace: shop{created}}}
spec: {{mtls: {{mode: {mode}}}}}
"
        )
    };
    let both = |first: &str, second: &str| {
        let strict = peer("a", "STRICT", first);
        format!("{strict}---{}", peer("b", "PERMISSIVE", second))
    };
    let ask = |policies: &str| verdict(&sidecars(), policies, "plain/out", "shop/db", 80);
    assert_eq!(ask(&both("", "")), Maybe);
    let (old, new) = (
        ", creationTimestamp: \"2024-01-01T00:00:00Z\"",
        ", creationTimestamp: \"2025-01-01T00:00:00Z\"",
    );
    assert_eq!(ask(&both(old, new)), No);
    assert_eq!(ask(&both(new, old)), Yes);
}

#[test]
fn a_mesh_or_a_trust_domain_that_nobody_told_is_unknown() {
    let nothing = authorization("");
    let untold = pods("team: a", "team: b", "");
    assert_eq!(verdict(&untold, &nothing, "shop/web", "shop/db", 80), Maybe);
    let foreign = authorization("rules: [{from: [{source: {principals: [corp/ns/shop/sa/web]}}]}]");
    let ask = |from: &str| verdict(&sidecars(), &foreign, from, "shop/db", 80);
    assert_eq!([ask("shop/web"), ask("plain/out")], [Maybe, No]);
}

#[test]
fn a_broken_policy_may_let_in_what_another_one_closes() {
    let closed = authorization("");
    let broken = "
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: broken, namespace: shop}
spec: {action: PERMIT, rules: [{}]}
";
    let both = format!("{closed}---{broken}");
    assert_eq!(
        verdict(&sidecars(), &both, "shop/web", "shop/db", 80),
        Maybe
    );
    assert_eq!(verdict(&sidecars(), &closed, "shop/web", "shop/db", 80), No);
}

#[test]
fn proxies_of_linkerd_take_everything_on_one_port() {
    let ask = |ports: &str, from: &str| verdict(&linkerd(), &opens(ports), from, "shop/db", 5432);
    assert_eq!(ask("ports: [{port: 5432}]", "shop/web"), No);
    assert_eq!(ask("ports: [{port: 4143}]", "shop/web"), Yes);
    assert_eq!(ask("ports: [{port: 5432}]", "plain/out"), Yes);
}

#[test]
fn user_defined_networks_are_islands() {
    let label = "k8s.ovn.org/primary-user-defined-network: ''";
    let network = "
apiVersion: k8s.ovn.org/v1
kind: UserDefinedNetwork
metadata: {name: n, namespace: shop}
spec: {topology: Layer2, layer2: {role: Primary, subnets: [10.100.0.0/16]}}
";
    let island = pods(label, "team: b", "");
    let ask = |from: &str, to: &str| verdict(&island, network, from, to, 80);
    assert_eq!(ask("shop/web", "shop/db"), Yes);
    assert_eq!(
        [ask("plain/out", "shop/db"), ask("shop/db", "plain/out")],
        [No, No]
    );
    assert_eq!(ask("shop/db", "198.51.100.7"), Yes);
    let unlabelled = pods("team: a", "team: b", "");
    assert_eq!(
        verdict(&unlabelled, network, "plain/out", "shop/db", 80),
        Yes
    ); // NW12
    assert_eq!(verdict(&island, "", "plain/out", "shop/db", 80), Maybe);
}

/// What a shared secondary network may carry is unknown where the primary one does not carry it.
#[test]
fn a_secondary_network_may_carry_what_the_primary_does_not() {
    let attached = pods("team: a", "team: b", "k8s.v1.cni.cncf.io/networks: storage");
    let definition = "
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: storage, namespace: shop}
spec: {config: '{\"type\": \"macvlan\", \"name\": \"storage\"}'}
";
    let closed = format!("{definition}---{}", opens("ports: [{port: 5432}]"));
    let ask = |from: &str, port| verdict(&attached, &closed, from, "shop/db", port);
    assert_eq!([ask("shop/web", 5432), ask("shop/web", 80)], [Yes, Yes]);
    assert_eq!([ask("plain/out", 5432), ask("plain/out", 80)], [Yes, No]);
    let policed = "
apiVersion: k8s.cni.cncf.io/v1beta1
kind: MultiNetworkPolicy
metadata: {name: p, namespace: shop, annotations: {k8s.v1.cni.cncf.io/policy-for: storage}}
spec: {podSelector: {}}
";
    let policed = format!("{closed}---{policed}");
    let ask = |from: &str, port| verdict(&attached, &policed, from, "shop/db", port);
    assert_eq!([ask("shop/web", 5432), ask("shop/web", 80)], [Yes, Maybe]);
    assert_eq!(ask("plain/out", 80), No);
}

#[test]
fn limits_of_egress_firewalls_are_errors_with_their_place() {
    let messages = |text: &str| -> Vec<String> {
        let input = load(text);
        let errors = input.diagnostics.iter();
        let errors = errors.filter(|d| d.severity == netpal::DiagnosticSeverity::Error);
        errors.map(|d| d.message.to_string()).collect()
    };
    let firewall = |name: &str, rule: &str| {
        format!(
            "
apiVersion: k8s.ovn.org/v1
kind: EgressFirewall
metadata: {{name: {name}, namespace: shop}}
spec: {{egress: [{rule}]}}
"
        )
    };
    let deny = "{type: Deny, to: {cidrSelector: 0.0.0.0/0}}";
    assert_eq!(messages(&firewall("default", deny)), Vec::<String>::new());
    assert!(messages(&firewall("other", deny))[0].contains("reads only `default`"));
    let wrong = [
        "{type: Drop, to: {cidrSelector: 0.0.0.0/0}}",
        "{type: Deny, to: {cidrSelector: 0.0.0.0/0, dnsName: a.example.com}}",
        "{type: Deny, to: {cidrSelector: everywhere}}",
        "{type: Deny, to: {cidrSelector: 0.0.0.0/0}, ports: [{protocol: TCPx}]}",
        "{type: Deny, to: {cidrSelector: 0.0.0.0/0}, ports: [{protocol: TCP, port: 70000}]}",
    ];
    for rule in wrong {
        assert_eq!(messages(&firewall("default", rule)).len(), 1, "{rule}");
    }
    let legacy = |name: &str| {
        let text = firewall(name, deny).replace("EgressFirewall", "EgressNetworkPolicy");
        text.replace("k8s.ovn.org", "network.openshift.io")
    };
    let two = format!("{}---{}", legacy("a"), legacy("b"));
    assert_eq!(messages(&two).len(), 2);
    let warned = |text: &str| {
        let input = load(text);
        let mut told = input.diagnostics.iter();
        told.any(|d| d.message.contains("is a global namespace"))
    };
    assert!(!warned(&legacy("a")));
    assert!(warned(
        &legacy("a").replace("namespace: shop", "namespace: default")
    ));
    let unnamed = legacy("a").replace(", namespace: shop", "");
    assert!(warned(&unnamed), "the namespace is only assumed");
}
