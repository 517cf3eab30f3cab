//! Who shows which identity to a destination of Istio's mesh: modes, tunnels, rules of callers and
//! waypoints (IS30, IS43, IS62).
#![allow(clippy::unwrap_used, clippy::panic)]

use netpal::Truth::{Maybe, No, Yes};

#[path = "common/meshed.rs"]
mod meshed;
use meshed::{ambient, authorization, pods, sidecars, verdict};

/// Callers with a sidecar in `shop`, callers without one in `plain`, all of one mesh.
fn mixed() -> String {
    pods(
        "istio-injection: enabled",
        "istio.io/dataplane-mode: ambient",
        "",
    )
}

/// The mode of the pods of `shop`.
fn mode(mode: &str) -> String {
    peer("modes", mode, "")
}

fn peer(name: &str, mode: &str, created: &str) -> String {
    format!(
        "
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: {name}, namespace: shop{created}}}
spec: {{mtls: {{mode: {mode}}}}}
"
    )
}

fn rule(namespace: &str, spec: &str) -> String {
    format!(
        "
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: r, namespace: {namespace}}}
spec: {{{spec}}}
"
    )
}

/// IS30: the proxy of the caller sends what a `DestinationRule` for the host says.
#[test]
fn a_destination_rule_may_take_the_identity_away() {
    let ask = |cluster: &str, policies: &str, from: &str, port| {
        verdict(cluster, policies, from, "shop/db", port)
    };
    for mode in ["DISABLE", "SIMPLE", "MUTUAL", "''"] {
        let tls = format!("host: db, trafficPolicy: {{tls: {{mode: {mode}}}}}");
        let both = format!("{}---{}", self::mode("STRICT"), rule("shop", &tls));
        assert_eq!(ask(&mixed(), &both, "shop/web", 5432), Maybe, "{mode}");
        // a port that the host does not lead to, and a tunnel
        assert_eq!(ask(&mixed(), &both, "shop/web", 9999), Yes, "{mode}");
        assert_eq!(ask(&mixed(), &both, "plain/out", 5432), Yes, "{mode}");
        assert_eq!(ask(&sidecars(), &both, "plain/out", 5432), No, "{mode}");
    }
    let only_web = authorization("rules: [{from: [{source: {serviceAccounts: [web]}}]}]");
    let not_web = authorization(
        "action: DENY, rules: [{from: [{source: {notPrincipals: [cluster.local/ns/shop/sa/web]}}]}]",
    );
    let plain = rule("shop", "host: db, trafficPolicy: {tls: {mode: DISABLE}}");
    for policy in [only_web, not_web] {
        let both = format!("{policy}---{plain}");
        assert_eq!(ask(&mixed(), &policy, "shop/web", 5432), Yes, "{policy}");
        assert_eq!(ask(&mixed(), &both, "shop/web", 5432), Maybe, "{policy}");
        assert_eq!(ask(&mixed(), &both, "shop/db", 5432), Yes, "itself");
        assert_eq!(ask(&mixed(), &both, "plain/out", 5432), No, "{policy}");
    }
}

#[test]
fn a_destination_rule_says_something_of_its_host_ports_and_callers() {
    let strict = mode("STRICT");
    let ask = |namespace: &str, spec: &str, port| {
        let both = format!("{strict}---{}", rule(namespace, spec));
        verdict(&mixed(), &both, "shop/web", "shop/db", port)
    };
    let plain = "trafficPolicy: {tls: {mode: DISABLE}}";
    for host in [
        "db",
        "db.shop",
        "db.shop.svc.cluster.local",
        "'*.local'",
        "'*.shop.svc.corp'",
        "'*'",
        "gone.shop.svc.cluster.local",
    ] {
        let verdict = ask("shop", &format!("host: {host}, {plain}"), 5432);
        assert_eq!(verdict, Maybe, "{host}");
    }
    for host in [
        "other.plain",
        "db.plain",
        "'*.plain.svc.cluster.local'",
        "db.example.com",
    ] {
        assert_eq!(ask("shop", &format!("host: {host}, {plain}"), 5432), Yes);
    }
    assert_eq!(
        ask(
            "shop",
            "host: db, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}",
            5432
        ),
        Yes
    );
    assert_eq!(
        ask("shop", "host: db, trafficPolicy: {loadBalancer: {}}", 5432),
        Yes
    );
    let port = "host: db, trafficPolicy: {portLevelSettings: \
                [{port: {number: 80}, tls: {mode: DISABLE}}]}";
    assert_eq!([80, 5432].map(|p| ask("shop", port, p)), [Maybe, Yes]);
    let but = "host: db, trafficPolicy: {tls: {mode: DISABLE}, portLevelSettings: \
               [{port: {number: 80}, tls: {mode: ISTIO_MUTUAL}}]}";
    assert_eq!([80, 5432].map(|p| ask("shop", but, p)), [Yes, Maybe]);
    let subset = "host: db, subsets: [{name: a, trafficPolicy: {tls: {mode: DISABLE}}}]";
    assert_eq!(ask("shop", subset, 5432), Maybe);
    let full = format!("host: db.shop.svc.cluster.local, {plain}");
    // looked up where the caller is, where the host is, and in the root namespace
    assert_eq!(ask("plain", &full, 5432), Yes);
    assert_eq!(ask("istio-system", &full, 5432), Maybe);
    for (spec, want) in [
        ("exportTo: [plain]", Yes),
        ("exportTo: ['.']", Maybe),
        ("exportTo: [plain, shop]", Maybe),
        ("workloadSelector: {matchLabels: {app: web}}", Maybe),
        ("workloadSelector: {matchLabels: {app: other}}", Yes),
    ] {
        assert_eq!(
            ask("shop", &format!("host: db, {plain}, {spec}"), 5432),
            want,
            "{spec}"
        );
    }
}

/// IS30: mode DISABLE takes the identity from sidecars, and none from a tunnel.
#[test]
fn tunnels_carry_identities_in_every_mode() {
    let of_out = authorization(
        "rules: [{from: [{source: {principals: [cluster.local/ns/plain/sa/default, \
         cluster.local/ns/shop/sa/web]}}]}]",
    );
    let but_out =
        authorization("action: DENY, rules: [{from: [{source: {namespaces: [plain, shop]}}]}]");
    for (policy, in_tunnel, of_sidecar) in [(of_out, Yes, No), (but_out, No, Yes)] {
        let both = format!("{policy}---{}", mode("DISABLE"));
        let ask = |from: &str| verdict(&mixed(), &both, from, "shop/db", 5432);
        assert_eq!(ask("plain/out"), in_tunnel, "{policy}");
        assert_eq!(ask("shop/web"), of_sidecar, "{policy}");
    }
}

/// IS43: where it is not told which object counts, what does not depend on it is decided.
#[test]
fn of_modes_of_one_age_neither_is_certain() {
    let created = ", creationTimestamp: \"2024-01-01T00:00:00Z\"";
    let (strict, open) = (
        peer("a", "STRICT", created),
        peer("b", "PERMISSIVE", created),
    );
    for both in [format!("{strict}---{open}"), format!("{open}---{strict}")] {
        assert_eq!(
            verdict(&sidecars(), &both, "plain/out", "shop/db", 80),
            Maybe
        );
        assert_eq!(verdict(&sidecars(), &both, "shop/web", "shop/db", 80), Yes);
    }
    // a younger third one does not count
    let young = peer(
        "c",
        "DISABLE",
        ", creationTimestamp: \"2025-01-01T00:00:00Z\"",
    );
    let three = format!("{strict}---{young}");
    assert_eq!(verdict(&sidecars(), &three, "plain/out", "shop/db", 80), No);
    let by_port = authorization("rules: [{to: [{operation: {ports: ['5432']}}]}]");
    let off = peer("b", "DISABLE", created);
    let all = format!("{by_port}---{open}---{off}");
    let all = all.replace("name: modes", "name: c");
    let ask = |from: &str, port| verdict(&sidecars(), &all, from, "shop/db", port);
    assert_eq!([ask("plain/out", 5432), ask("shop/web", 5432)], [Yes, Yes]);
    assert_eq!(ask("shop/web", 80), No);
    let of_web = authorization("rules: [{from: [{source: {serviceAccounts: [web]}}]}]");
    let all = format!("{of_web}---{open}---{}", peer("d", "DISABLE", created));
    let ask = |from: &str| verdict(&sidecars(), &all, from, "shop/db", 5432);
    assert_eq!([ask("plain/out"), ask("shop/web")], [No, Maybe]);
}

/// IS62: the destination sees the waypoint's identity instead of the caller's.
#[test]
fn behind_a_waypoint_no_identity_of_a_caller_is_read() {
    let behind = pods(
        "istio.io/dataplane-mode: ambient, istio.io/use-waypoint: gate",
        "team: b",
        "",
    );
    let ask = |policy: &str, from: &str| verdict(&behind, policy, from, "shop/db", 5432);
    let gate = "{source: {principals: [cluster.local/ns/shop/sa/gate]}}";
    let of_gate = authorization(&format!("rules: [{{from: [{gate}]}}]"));
    let nothing = authorization("");
    let no_web =
        authorization("action: DENY, rules: [{from: [{source: {serviceAccounts: [web]}}]}]");
    for policy in [&of_gate, &nothing, &no_web] {
        assert_eq!(ask(policy, "shop/web"), Maybe, "{policy}");
    }
    // who is not of the mesh comes past the waypoint
    assert_eq!(ask(&of_gate, "plain/out"), No);
    assert_eq!(ask(&nothing, "plain/out"), No);
    assert_eq!(ask(&no_web, "plain/out"), Yes);
    // IS52: what is asked of requests is a condition there
    let get = "rules: [{to: [{operation: {methods: [GET]}}]}]";
    let deny = authorization(&format!("action: DENY, {get}"));
    assert_eq!(ask(&deny, "plain/out"), Maybe);
    assert_eq!(
        verdict(&ambient(), &deny, "plain/out", "shop/db", 5432),
        Yes
    );
}

/// IS12: what a policy for a gateway makes of its callers is a matter of requests.
#[test]
fn a_policy_for_a_gateway_is_a_condition_at_its_pods() {
    let cluster = sidecars().replace(
        "labels: {app: db}, annotations",
        "labels: {app: db, gateway.networking.k8s.io/gateway-name: gw}, annotations",
    );
    let policy = |target: &str, rest: &str| {
        format!(
            "
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: gw, namespace: shop}}
spec: {{targetRefs: [{target}]{rest}}}
"
        )
    };
    let ask = |policy: &str, to: &str| verdict(&cluster, policy, "plain/out", to, 80);
    let gateway = "{group: gateway.networking.k8s.io, kind: Gateway, name: gw}";
    for rest in [", action: DENY, rules: [{}]", "", ", rules: [{}]"] {
        let own = policy(gateway, rest);
        assert_eq!(
            [ask(&own, "shop/db"), ask(&own, "shop/web")],
            [Maybe, Yes],
            "{rest}"
        );
    }
    let other = policy(&gateway.replace("name: gw", "name: other"), "");
    assert_eq!(ask(&other, "shop/db"), Yes);
    let service = policy("{kind: Service, group: '', name: db}", "");
    assert_eq!(ask(&service, "shop/db"), Yes);
    assert_eq!(
        ask(&policy(gateway, ", action: AUDIT, rules: [{}]"), "shop/db"),
        Yes
    );
}
