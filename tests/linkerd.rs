//! Linkerd case by case: routes and opaque ports, probes of sidecars, references that are refused,
//! names of ports, and what only limits a client.
#![allow(clippy::unwrap_used, clippy::panic)]

use netpal::Truth::{Maybe, No, Yes};

#[path = "common/meshed.rs"]
mod meshed;
use meshed::{linkerd, opens, pods, verdict};

/// A Server on a port of the database.
fn server(name: &str, port: &str, rest: &str) -> String {
    format!(
        "
apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: {{name: {name}, namespace: shop}}
spec: {{podSelector: {{matchLabels: {{app: db}}}}, port: {port}{rest}}}
"
    )
}

fn object(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "
apiVersion: policy.linkerd.io/v1alpha1
kind: {kind}
metadata: {{name: {name}, namespace: shop}}
spec: {{{spec}}}
"
    )
}

fn grant(name: &str, target: &str, refs: &str) -> String {
    let spec = format!("targetRef: {{{target}}}, requiredAuthenticationRefs: [{refs}]");
    object("AuthorizationPolicy", name, &spec)
}

/// A route of a Server.
fn route(server: &str) -> String {
    let parent = format!("{{group: policy.linkerd.io, kind: Server, name: {server}}}");
    object(
        "HTTPRoute",
        "r",
        &format!("parentRefs: [{parent}], rules: [{{}}]"),
    )
    .replace("v1alpha1", "v1beta3")
}

const OF_SERVER: &str = "group: policy.linkerd.io, kind: Server, name: db";
const WEB: &str = "{kind: ServiceAccount, name: web}";
const MESH: &str = "group: policy.linkerd.io, kind: MeshTLSAuthentication, name: m";

fn ask(parts: &[String], from: &str, port: u16) -> netpal::Truth {
    verdict(&linkerd(), &parts.join("---"), from, "shop/db", port)
}

/// LD50, LD53: a route makes its own Server depend on requests, where these are read.
#[test]
fn routes_are_a_matter_of_their_server_on_ports_that_are_read() {
    let of_all = "kind: Namespace, name: shop";
    let both = [
        server("a", "80", ""),
        server("b", "81", ""),
        grant("g", of_all, WEB),
    ];
    assert_eq!(
        [80, 81].map(|port| ask(&both, "shop/web", port)),
        [Yes, Yes]
    );
    let routed = [&both[..], &[route("a")]].concat();
    assert_eq!(
        [80, 81].map(|port| ask(&routed, "shop/web", port)),
        [Maybe, Yes]
    );
    assert_eq!(
        [80, 81].map(|port| ask(&routed, "plain/out", port)),
        [No, No]
    );
    // opaque by default, and by the Server
    for (port, rest) in [(5432, ""), (80, ", proxyProtocol: opaque")] {
        let closed = server("db", &port.to_string(), rest);
        let whole = [closed.clone(), route("db"), grant("g", OF_SERVER, WEB)];
        assert_eq!(ask(&whole, "shop/web", port), Yes);
        assert_eq!(ask(&whole, "plain/out", port), No);
        let of_route = "group: policy.linkerd.io, kind: HTTPRoute, name: r";
        let part = [closed, route("db"), grant("g", of_route, WEB)];
        assert_eq!(ask(&part, "shop/web", port), No);
    }
    let of_route = "group: policy.linkerd.io, kind: HTTPRoute, name: r";
    let part = [
        server("db", "80", ""),
        route("db"),
        grant("g", of_route, WEB),
    ];
    assert_eq!(ask(&part, "shop/web", 80), Maybe);
}

/// LD39, LD41, LD62: what admission refuses opens nothing.
#[test]
fn references_that_are_refused_open_nothing() {
    let with = |kind: &str, spec: &str, reference: &str| {
        let authentication = object(kind, "m", spec);
        let grant = grant("g", OF_SERVER, &format!("{{{reference}}}"));
        ask(
            &[server("db", "80", ""), grant, authentication],
            "shop/web",
            80,
        )
    };
    let any = "identities: ['*']";
    let refs = "identityRefs: [{kind: ServiceAccount, name: web}]";
    let mesh = |spec: &str| with("MeshTLSAuthentication", spec, MESH);
    assert_eq!([mesh(any), mesh(refs)], [Yes, Yes]);
    assert_eq!(mesh(&format!("{any}, {refs}")), No);
    assert_eq!(mesh("identities: []"), No);
    let bare = "kind: MeshTLSAuthentication, name: m";
    assert_eq!(with("MeshTLSAuthentication", any, bare), No);
    let net = "group: policy.linkerd.io, kind: NetworkAuthentication, name: m";
    let networks = |spec: &str| with("NetworkAuthentication", spec, net);
    assert_eq!(networks("networks: [{cidr: 0.0.0.0/0}]"), Yes);
    let swallowed = "networks: [{cidr: 0.0.0.0/0}, {cidr: 10.1.0.0/16, except: [10.0.0.0/8]}]";
    assert_eq!(networks(swallowed), No);
    let elsewhere = grant("g", "kind: Server, name: db", WEB);
    assert_eq!(
        ask(&[server("db", "80", ""), elsewhere], "shop/web", 80),
        No
    );
}

/// The database with further containers.
fn with_containers(containers: &str) -> String {
    let spec = "containers: [{name: c, image: i, ports: [{name: sql, containerPort: 5432}]}]";
    let all = linkerd();
    assert!(all.contains(spec));
    all.replace(spec, &format!("{spec}\n  initContainers: [{containers}]"))
}

/// LD52: a sidecar that is an init container is probed like others.
#[test]
fn probes_of_sidecars_are_answered() {
    let probe = "image: i, ports: [{name: web, containerPort: 8080}], \
                 livenessProbe: {httpGet: {path: /live, port: PORT}}";
    let verdict = |container: &str, port: &str| {
        let cluster = with_containers(&container.replace("PORT", port));
        verdict(
            &cluster,
            &server("db", "8080", ""),
            "plain/out",
            "shop/db",
            8080,
        )
    };
    let sidecar = format!("{{name: s, restartPolicy: Always, {probe}}}");
    assert_eq!(verdict(&sidecar, "8080"), Maybe);
    assert_eq!(verdict(&sidecar, "web"), Maybe);
    assert_eq!(verdict(&sidecar, "sql"), No, "a name of another container");
    assert_eq!(verdict(&format!("{{name: s, {probe}}}"), "8080"), No);
}

/// LD21: a name claims the ports of every container that is called so.
#[test]
fn names_of_ports_of_init_containers_are_claimed() {
    let cluster =
        with_containers("{name: s, image: i, ports: [{name: admin, containerPort: 9000}]}");
    let ask = |port| {
        verdict(
            &cluster,
            &server("db", "admin", ""),
            "shop/web",
            "shop/db",
            port,
        )
    };
    assert_eq!([9000, 9001].map(ask), [No, Yes]);
}

/// LD61: a limit of requests is no permission, and a network outside is a matter of meshed clients
/// that call there.
#[test]
fn networks_outside_limit_clients_of_the_mesh() {
    let limit = object(
        "HTTPLocalRateLimitPolicy",
        "l",
        "targetRef: {kind: Server, name: db}",
    );
    assert_eq!(ask(&[limit], "shop/web", 80), Yes);
    let network = |policy: &str| object("EgressNetwork", "e", &format!("trafficPolicy: {policy}"));
    let to = |policy: &str, from: &str, to: &str| {
        let mesh = pods("team: a", "team: b", "linkerd.io/inject: enabled");
        verdict(&mesh, &network(policy), from, to, 443)
    };
    assert_eq!(to("Deny", "shop/web", "203.0.113.9"), Maybe);
    assert_eq!(to("Deny", "shop/web", "shop/db"), Yes);
    assert_eq!(to("Deny", "shop/web", "plain/out"), Yes);
    assert_eq!(to("Deny", "plain/out", "203.0.113.9"), Yes);
    assert_eq!(to("Allow", "shop/web", "203.0.113.9"), Yes);
}

/// LD60: a rule that leaves out the port of the proxies is reported, where they send there.
#[test]
fn a_rule_without_the_port_of_the_proxies_is_found() {
    let found = |cluster: &str, ports: &str| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.yaml");
        let from = "from: [{podSelector: {matchLabels: {app: web}}}]";
        let policy = opens(&format!("{from}, ports: [{ports}]"));
        std::fs::write(&file, format!("{cluster}---{policy}")).unwrap();
        let mut netpal = std::process::Command::new(env!("CARGO_BIN_EXE_netpal"));
        let netpal = netpal.args(["lint", "--select", "NP861", "-f"]).arg(&file);
        let text = String::from_utf8(netpal.output().unwrap().stdout).unwrap();
        text.contains("NP861")
    };
    assert!(found(&linkerd(), "{port: 5432}"));
    assert!(found(&linkerd(), "{port: sql}"));
    assert!(!found(&linkerd(), "{port: 5432}, {port: 4143}"));
    assert!(!found(&pods("team: a", "team: b", ""), "{port: 5432}"));
    let skipping = "linkerd.io/inject: enabled, config.linkerd.io/skip-inbound-ports: '5432'";
    assert!(!found(
        &pods("team: a", "team: b", skipping),
        "{port: 5432}"
    ));
}
