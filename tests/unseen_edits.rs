//! Edits of what policies look at and no policy says: a diff sees each of them, in both directions,
//! also beside another edit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use netpal::{
    AllowGraph, ChangeKind, CompileOptions, DiffSide, Input, World, diff, diff_in, load_str,
};

const PODS: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {serviceAccountName: ACCOUNT, containers: [{name: c, image: i}]}
status: {podIP: 10.0.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, image: i}], initContainers: [{name: j, image: i, ports: [{name: adm, containerPort: INIT}]}]}
status: {podIP: 10.0.0.2}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: shop, labels: {app: OTHER}}
spec: {containers: [{name: c, image: i}]}
status: {podIP: 10.0.0.3}
---
";

/// The pods with a policy and what it looks at; each edit is one replacement of a text.
fn input(policies: &str, edits: &[(&str, &str)]) -> Input {
    let mut text = format!("{PODS}{policies}");
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let left = [("ACCOUNT", "runner"), ("INIT", "9999"), ("OTHER", "other")];
    for (name, value) in left {
        text = text.replace(name, value);
    }
    let input = load_str(&text);
    assert!(!input.has_errors(), "{:?}", input.diagnostics);
    input
}

fn kinds(before: &Input, after: &Input) -> Vec<ChangeKind> {
    let [old, new] =
        [before, after].map(|i| AllowGraph::compile(i, &CompileOptions::default()).unwrap());
    let side = |input, graph| DiffSide { input, graph };
    let (was, is) = (side(before, &old), side(after, &new));
    let closed = diff(was, is);
    let open = diff_in(was, is, World::Open).unwrap();
    assert_eq!(closed.changes.len(), open.changes.len());
    closed.changes.iter().map(|change| change.kind).collect()
}

fn is_seen(policies: &str, edit: (&str, &str), kind: ChangeKind) {
    let plain = input(policies, &[]);
    let edited = input(policies, &[edit]);
    let beside = input(policies, &[edit, ("OTHER", "another")]);
    let opposite = match kind {
        ChangeKind::Widened => ChangeKind::Narrowed,
        ChangeKind::Undecided => ChangeKind::Undecided,
        _ => ChangeKind::Widened,
    };
    for (after, told) in [(&edited, "alone"), (&beside, "beside another edit")] {
        let found = kinds(&plain, after);
        assert!(found.contains(&kind), "{told}: {edit:?}: {found:?}");
        let back = kinds(after, &plain);
        assert!(back.contains(&opposite), "{told}, back: {edit:?}: {back:?}");
    }
}

#[test]
fn tiers_are_seen() {
    let calico = "\
apiVersion: projectcalico.org/v3
kind: Tier
metadata: {name: t}
spec: {order: 5, defaultAction: Deny}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: t.p}
spec: {tier: t, selector: app == 'db', types: [Ingress], ingress: [{action: Allow, source: {selector: app == 'none'}}]}
---
";
    is_seen(
        calico,
        ("defaultAction: Deny", "defaultAction: Pass"),
        ChangeKind::Widened,
    );
    let antrea = "\
apiVersion: crd.antrea.io/v1beta1
kind: Tier
metadata: {name: t}
spec: {priority: 120}
---
apiVersion: crd.antrea.io/v1beta1
kind: ClusterNetworkPolicy
metadata: {name: drop}
spec: {tier: t, priority: 5, appliedTo: [{podSelector: {matchLabels: {app: db}}}], ingress: [{action: Drop}]}
---
apiVersion: crd.antrea.io/v1beta1
kind: ClusterNetworkPolicy
metadata: {name: allow}
spec: {tier: networkops, priority: 5, appliedTo: [{podSelector: {matchLabels: {app: db}}}], ingress: [{action: Allow}]}
---
";
    is_seen(
        antrea,
        ("priority: 120", "priority: 160"),
        ChangeKind::Widened,
    );
}

#[test]
fn accounts_and_ports_that_only_a_plugin_sees_are_seen() {
    let account = "\
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner, namespace: shop, labels: {may: call}}
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: {selector: app == 'db', types: [Ingress], ingress: [{action: Allow, source: {serviceAccounts: {selector: may == 'call'}}}]}
---
";
    is_seen(account, ("may: call", "may: wait"), ChangeKind::Narrowed);
    is_seen(
        account,
        ("serviceAccountName: ACCOUNT", "serviceAccountName: guest"),
        ChangeKind::Narrowed,
    );
    let init = "\
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: {selector: app == 'db', types: [Ingress], ingress: [{action: Allow, protocol: TCP, destination: {ports: [adm]}}]}
---
";
    is_seen(
        init,
        ("containerPort: INIT", "containerPort: 9998"),
        ChangeKind::Widened,
    );
}

#[test]
fn where_the_api_server_listens_is_seen() {
    let entity = "\
apiVersion: v1
kind: Endpoints
metadata: {name: kubernetes, namespace: default}
subsets: [{addresses: [{ip: 198.51.100.1}], ports: [{port: 6443}]}]
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p, namespace: shop}
spec: {endpointSelector: {matchLabels: {app: web}}, egress: [{toEntities: [kube-apiserver]}]}
---
";
    is_seen(
        entity,
        ("ip: 198.51.100.1", "ip: 198.51.100.2"),
        ChangeKind::Widened,
    );
}

#[test]
fn whom_a_policy_of_nodes_governs_is_seen() {
    let nodes = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: cilium-config, namespace: kube-system}
data: {enable-host-firewall: 'FIREWALL'}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {zone: a}}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: p}
spec: {nodeSelector: {matchLabels: {zone: a}}, ingress: [{fromEntities: [none]}]}
---
";
    let on = nodes.replace("FIREWALL", "true");
    is_seen(
        &on,
        ("labels: {zone: a}}\nstatus", "labels: {zone: b}}\nstatus"),
        ChangeKind::Widened,
    );
    is_seen(
        &on,
        ("firewall: 'true'", "firewall: 'false'"),
        ChangeKind::Widened,
    );
}

/// A network that pods get through their namespace: the kinds of pods that are not loaded change
/// with it, and the change is told without one of them as its cause.
#[test]
fn a_network_that_appears_is_told() {
    let without = "\
apiVersion: v1
kind: Namespace
metadata: {name: a, labels: {k8s.ovn.org/primary-user-defined-network: ''}}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: a}
spec: {containers: [{name: c, image: x}]}
---
apiVersion: v1
kind: Pod
metadata: {name: q, namespace: b}
spec: {containers: [{name: c, image: x}]}
";
    let network = "\
---
apiVersion: k8s.ovn.org/v1
kind: UserDefinedNetwork
metadata: {name: n, namespace: a}
spec: {topology: Layer2, layer2: {role: Primary, subnets: [10.100.0.0/16]}}
";
    let folder = tempfile::tempdir().unwrap();
    let paths = [
        ("u1.yaml", without.to_owned()),
        ("u2.yaml", format!("{without}{network}")),
    ];
    for (name, text) in &paths {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    for ends in [["u1.yaml", "u2.yaml"], ["u2.yaml", "u1.yaml"]] {
        for form in ["text", "json", "md", "sarif", "github"] {
            let run = common::netpal_at(
                folder.path(),
                &[
                    "diff",
                    ends[0],
                    ends[1],
                    "--cni",
                    "ovn-kubernetes",
                    "-o",
                    form,
                ],
                "",
            );
            assert!(
                [1, 3].contains(&run.code),
                "{ends:?} {form}: {}",
                run.text()
            );
        }
    }
}

/// Rules say in words what they ask of a request; another one is no certain change, and not the
/// same either.
#[test]
fn another_condition_is_not_the_same_effect() {
    let cilium = |rules: &str| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: p, namespace: shop}}\n\
             spec: {{endpointSelector: {{matchLabels: {{app: web}}}}, {rules}}}\n"
        )
    };
    let ports = |what: &str| {
        let port = "ports: [{port: '80', protocol: TCP}]";
        cilium(&format!(
            "ingress: [{{fromEntities: [all], toPorts: [{{{port}, {what}}}]}}]"
        ))
    };
    let istio = |rule: &str| {
        format!(
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: p, namespace: shop}}\n\
             spec: {{action: ALLOW, rules: [{{{rule}}}]}}\n---\n\
             apiVersion: v1\nkind: Pod\nmetadata: {{name: meshed, namespace: shop, labels: {{sidecar.istio.io/inject: 'true'}}}}\n\
             spec: {{containers: [{{name: istio-proxy, image: proxyv2}}]}}\n"
        )
    };
    let antrea = |what: &str| {
        format!(
            "apiVersion: crd.antrea.io/v1beta1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: shop}}\n\
             spec: {{priority: 5, appliedTo: [{{podSelector: {{matchLabels: {{app: web}}}}}}], \
             ingress: [{{action: Allow, l7Protocols: [{{http: {what}}}]}}]}}\n"
        )
    };
    for policies in [
        ports("rules: {http: [{path: /ONE}]}"),
        ports("rules: {http: [{headers: ['X-A: ONE']}]}"),
        ports("rules: {http: [{headerMatches: [{name: X, value: ONE}]}]}"),
        ports("rules: {kafka: [{topic: ONE}]}"),
        ports("terminatingTLS: {secret: {name: ONE, namespace: shop}}"),
        cilium(
            "egress: [{toEntities: [all], toPorts: [{ports: [{port: '80'}], \
             listener: {name: l, envoyConfig: {name: ONE}}}]}]",
        ),
        cilium("egress: [{toGroups: [{aws: {securityGroupsIds: [ONE]}}]}]"),
        istio("to: [{operation: {paths: [/ONE]}}]"),
        istio("when: [{key: 'request.headers[x]', values: [ONE]}]"),
        antrea("{path: /ONE}"),
    ] {
        is_seen(&policies, ("ONE", "other"), ChangeKind::Undecided);
    }
}
