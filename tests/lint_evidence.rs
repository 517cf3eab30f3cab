//! How severe a finding is follows from the evidence for it: what is in the input makes a warning
//! of what would otherwise be a note, and nothing is a warning without it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "lint_evidence/kinds.rs"]
mod kinds;
#[path = "lint_evidence/manifests.rs"]
mod manifests;

use manifests::{
    all, deployment, egress, findings, finds, ingress, namespace, policy, quiet, silent, told,
};
use netpal::Severity;

#[test]
fn labels_that_stand_elsewhere_make_a_warning_of_a_policy_that_selects_nothing() {
    let web = deployment("shop/web", "app: web", "");
    let with = |other: &str, selector: &str| {
        let spec =
            format!("{{podSelector: {{matchLabels: {{{selector}}}}}, policyTypes: [Ingress]}}");
        all(&[&web, other, &policy("shop/p", &spec)])
    };
    let worker = deployment("jobs/worker", "app: worker", "");
    finds(
        &with(&worker, "app: worker"),
        "NP010",
        Severity::Warning,
        "jobs/worker",
    );
    let twice = all(&[&worker, &deployment("batch/worker", "app: worker", "")]);
    finds(
        &with(&twice, "app: worker"),
        "NP001",
        Severity::Warning,
        "batch/worker",
    );
    finds(
        &with("", "app: worker"),
        "NP001",
        Severity::Info,
        "selects nothing",
    );
    let name = "kubernetes.io/metadata.name: shop";
    finds(
        &with("", name),
        "NP001",
        Severity::Warning,
        "namespaceSelector",
    );
    // no workload of the policy's own namespace is in the input
    let outside = all(&[
        &worker,
        &policy("far/p", "{podSelector: {matchLabels: {app: worker}}}"),
    ]);
    finds(&outside, "NP010", Severity::Warning, "jobs/worker");
    let declared = all(&[&namespace("far"), &outside]);
    finds(&declared, "NP010", Severity::Warning, "jobs/worker");
}

#[test]
fn one_label_that_differs_is_evidence() {
    let with = |labels: &str, selector: &str| {
        let spec =
            format!("{{podSelector: {{matchLabels: {{{selector}}}}}, policyTypes: [Ingress]}}");
        all(&[
            &deployment("shop/web", labels, ""),
            &policy("shop/p", &spec),
        ])
    };
    let release = "app.kubernetes.io/name: web, app.kubernetes.io/instance: blue";
    let other = "app.kubernetes.io/name: web, app.kubernetes.io/instance: green";
    finds(
        &with(release, other),
        "NP001",
        Severity::Warning,
        "instance=blue",
    );
    let agreeing =
        "app.kubernetes.io/part-of: shop, app.kubernetes.io/instance: blue, role: broker-node";
    let asked = "app.kubernetes.io/part-of: shop, app.kubernetes.io/instance: blue, role: broker";
    finds(
        &with(agreeing, asked),
        "NP001",
        Severity::Warning,
        "role=broker-node",
    );
    // a label that is called like the workload, under a key that it does not have
    let named = with("app.kubernetes.io/name: front", "component: web");
    finds(&named, "NP001", Severity::Warning, "no component");
    // another part of the same application is not this workload
    let server = "app.kubernetes.io/name: web, app.kubernetes.io/component: server";
    let worker = "app.kubernetes.io/name: web, app.kubernetes.io/component: worker";
    quiet(&with(server, worker), "NP001");
}

#[test]
fn labels_that_stand_elsewhere_make_a_warning_of_a_peer_that_selects_nothing() {
    let web = deployment("shop/web", "app: web", "");
    let base = all(&[
        &namespace("shop"),
        &web,
        &deployment("jobs/worker", "app: worker", ""),
        &deployment("data/db", "app: db", ""),
    ]);
    let with = |peer: &str| all(&[&base, &policy("shop/p", &ingress(peer))]);
    let own = with("{podSelector: {matchLabels: {app: worker}}}");
    finds(&own, "NP002", Severity::Warning, "jobs/worker");
    let data = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: data}}";
    let wrong = with(&format!(
        "{{{data}, podSelector: {{matchLabels: {{app: worker}}}}}}"
    ));
    finds(&wrong, "NP002", Severity::Warning, "jobs/worker");
    let nowhere = with(&format!(
        "{{{data}, podSelector: {{matchLabels: {{app: other}}}}}}"
    ));
    finds(&nowhere, "NP002", Severity::Info, "app=other");
    let far = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: far}}}";
    silent(&with(far), "NP002");
    let slip = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dataa}}}";
    finds(
        &with(slip),
        "NP002",
        Severity::Warning,
        "namespace data has",
    );
    let declared = |labels: &str| {
        let object = format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {{{labels}}}}}"
        );
        let peer = "{namespaceSelector: {matchLabels: {team: payments}}}";
        let web = deployment("shop/web", "app: web, team: payments", "");
        all(&[&object, &web, &policy("shop/p", &ingress(peer))])
    };
    finds(
        &declared("team: payment"),
        "NP002",
        Severity::Warning,
        "team=payment",
    );
    finds(
        &declared("a: b"),
        "NP002",
        Severity::Warning,
        "labels of pods: shop/web",
    );
}

#[test]
fn whoever_may_send_needs_the_dns() {
    let web = deployment("shop/web", "app: web", "");
    let with = |rules: &str| all(&[&web, &policy("shop/p", &egress(rules))]);
    let blocked = [
        "{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 443}]}",
        "{to: [{ipBlock: {cidr: 203.0.113.9/32}}]}",
        "{to: [{ipBlock: {cidr: '2001:db8::/32'}}], ports: [{port: 443}]}",
        "{ports: [{port: 443}, {port: 8443, endPort: 8450}]}",
        "{to: [{namespaceSelector: {}}], ports: [{port: 80}]}",
        "{to: [{podSelector: {}}]}",
        "{to: [{podSelector: {}}], ports: [{port: 53, protocol: UDP}, {port: 53}]}",
    ];
    for rules in blocked {
        finds(&with(rules), "NP101", Severity::Warning, "shop/web");
    }
    let fine = [
        "",
        "{}",
        "{ports: [{port: 53, protocol: UDP}]}, {ports: [{port: 443}]}",
        "{ports: [{port: 1, endPort: 60000, protocol: UDP}]}",
        "{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}",
        "{to: [{namespaceSelector: {}}]}",
        "{to: [{ipBlock: {cidr: 169.254.169.254/32}}], ports: [{port: 80}]}",
        "{to: [{ipBlock: {cidr: 10.2.0.1/32}}], ports: [{port: 6443}]}",
    ];
    for rules in fine {
        silent(&with(rules), "NP101");
    }
    // a repository of policies alone, whose pods surely ask the DNS
    let https = "{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 443}]}";
    let alone = policy("shop/p", &egress(https));
    finds(
        &alone,
        "NP101",
        Severity::Warning,
        "cannot resolve any name",
    );
    let beside = policy("shop/dns", &egress("{ports: [{port: 53, protocol: UDP}]}"));
    silent(&all(&[&alone, &beside]), "NP101");
}

#[test]
fn an_exception_is_defeated_where_nothing_of_it_is_left() {
    let excepting =
        "{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}], ports: [{port: 443}]}";
    let all_ports = "{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}";
    let with = |first: &str, second: &str| policy("shop/p", &egress(&format!("{first}, {second}")));
    let anywhere =
        |ports: &str| format!("{{to: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}], ports: [{ports}]}}");
    let https = anywhere("{port: 443}");
    finds(
        &with(excepting, &https),
        "NP204",
        Severity::Error,
        "except 10.0.0.0/8 there too",
    );
    finds(&with(all_ports, &https), "NP204", Severity::Info, "443/TCP");
    let dns = anywhere("{port: 53}, {port: 53, protocol: UDP}");
    finds(&with(all_ports, &dns), "NP204", Severity::Info, "53/UDP");
    // both halves together leave nothing of it
    let halves = format!(
        "{}, {}",
        anywhere("{port: 1, endPort: 400}"),
        anywhere("{port: 401, endPort: 500}")
    );
    finds(
        &with(excepting, &halves),
        "NP204",
        Severity::Error,
        "does nothing",
    );
    // the other family is another exception
    let six = "{to: [{ipBlock: {cidr: '::/0'}}], ports: [{port: 443}]}";
    silent(&with(excepting, six), "NP204");
    // closing it there would close the names too: no such advice
    let wider = anywhere("{port: 443}, {port: 53, protocol: UDP}");
    let found = findings(&with(excepting, &wider));
    let defeated = found.iter().find(|f| f.rule == "NP204").unwrap();
    assert!(defeated.help.is_none(), "{}", told(defeated));
}

#[test]
fn a_policy_with_a_mistake_is_mended_and_not_removed() {
    let wide = policy(
        "shop/wide",
        "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}",
    );
    let web = deployment("shop/web", "app: web", "");
    let worker = deployment("jobs/worker", "app: worker", "");
    let narrow = |label: &str| {
        let peer = format!("{{podSelector: {{matchLabels: {{app: {label}}}}}}}");
        all(&[
            &wide,
            &web,
            &worker,
            &policy("shop/narrow", &ingress(&peer)),
        ])
    };
    silent(&narrow("worker"), "NP401");
    finds(&narrow("worker"), "NP002", Severity::Warning, "jobs/worker");
    finds(&narrow("web"), "NP401", Severity::Warning, "remove it");
}

#[test]
fn the_port_at_the_nodes_is_no_port_of_a_policy() {
    let service = "apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}";
    let with = |declared: &str, ports: &str| {
        let spec = format!(
            "{{podSelector: {{}}, ingress: [{{from: [{{podSelector: {{}}}}], ports: [{ports}]}}]}}"
        );
        all(&[
            &deployment("shop/web", "app: web", declared),
            service,
            &policy("shop/p", &spec),
        ])
    };
    let declared = "{containerPort: 8080}";
    finds(
        &with(declared, "{port: 30080}"),
        "NP011",
        Severity::Error,
        "nodePort of Service shop/web",
    );
    finds(
        &with("", "{port: 30080}"),
        "NP011",
        Severity::Warning,
        "write 8080",
    );
    finds(
        &with("", "{port: 80}"),
        "NP011",
        Severity::Warning,
        "write 8080",
    );
    finds(
        &with(declared, "{port: 80}, {port: 8080}"),
        "NP011",
        Severity::Info,
        "as well",
    );
    silent(&with("{containerPort: 80}", "{port: 80}"), "NP011");
    silent(&with("", "{port: 8080}"), "NP011");
    // towards the pods of another namespace it is the same
    let out = egress(
        "{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}], ports: [{port: 30080}]}",
    );
    let text = all(&[
        &deployment("shop/web", "app: web", declared),
        service,
        &policy("far/p", &out),
    ]);
    finds(&text, "NP011", Severity::Error, "nodePort");
}

#[test]
fn what_is_wrong_with_a_peer_is_not_called_a_bad_label() {
    let text = policy("shop/p", "{podSelector: {}, ingress: [{from: [{}]}]}");
    finds(&text, "NP015", Severity::Error, "needs one of");
    silent(&text, "NP016");
    let nodes = policy(
        "shop/p",
        "{podSelector: {}, ingress: [{from: [{nodeSelector: {matchLabels: {a: b}}}]}]}",
    );
    finds(&nodes, "NP018", Severity::Error, "ipBlock");
}
