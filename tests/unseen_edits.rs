//! Edits of what policies look at and no policy says: a diff sees each of them, in both directions,
//! also beside another edit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use netpal::{
    AllowGraph, ChangeKind, CompileOptions, DiffSide, Input, Snapshot, World, diff, diff_in,
    load_str,
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

/// What a comparison in an open world says of an edit: its kinds of changes for pods that are not
/// loaded, whether it is incomplete, and whether a snapshot notices it.
fn beyond(text: &str, (from, to): (&str, &str)) -> (Vec<ChangeKind>, bool, bool) {
    assert!(text.contains(from), "{from}");
    let inputs = [text.to_owned(), text.replace(from, to)].map(|text| load_str(&text));
    let graphs = inputs
        .each_ref()
        .map(|input| AllowGraph::compile(input, &CompileOptions::default()).unwrap());
    let side = |i: usize| DiffSide {
        input: &inputs[i],
        graph: &graphs[i],
    };
    let found = diff_in(side(0), side(1), World::Open).unwrap();
    assert!(found.changes.is_empty(), "nobody is loaded: {from} to {to}");
    let [was, is] = [0, 1].map(|i| Snapshot::of(&inputs[i], &graphs[i], World::Open).unwrap());
    let kinds = found.potential.changes.iter().map(|c| c.kind).collect();
    let noticed = !was.drift(&is).is_empty();
    (kinds, found.potential.incomplete, noticed)
}

fn changes_beyond(text: &str, edit: (&str, &str)) {
    let (kinds, _, noticed) = beyond(text, edit);
    let certain = |kind| matches!(kind, &ChangeKind::Widened | &ChangeKind::Narrowed);
    assert!(kinds.iter().any(certain), "{edit:?}: {kinds:?}");
    assert!(noticed, "{edit:?}: not in the snapshot");
}

fn undecided_beyond(text: &str, edit: (&str, &str)) {
    let (kinds, incomplete, noticed) = beyond(text, edit);
    assert!(!kinds.is_empty() || incomplete, "{edit:?}: the same");
    assert!(noticed, "{edit:?}: not in the snapshot");
}

#[test]
fn who_is_not_loaded_is_a_member_of_a_group() {
    for scope in ["ClusterGroup", "Group"] {
        let (group, policy, at) = match scope {
            "Group" => ("Group", "NetworkPolicy", ", namespace: data"),
            _ => ("ClusterGroup", "ClusterNetworkPolicy", ""),
        };
        for rule in [
            "appliedTo: [{podSelector: {matchLabels: {app: db}}}], ingress: [{action: Drop, from: [{group: ag}]}]",
            "appliedTo: [{group: ag}], ingress: [{action: Drop, from: [{podSelector: {matchLabels: {app: db}}}]}]",
        ] {
            let text = format!(
                "apiVersion: crd.antrea.io/v1beta1\nkind: {group}\nmetadata: {{name: ag{at}}}\n\
                 spec: {{podSelector: {{matchLabels: {{app: v}}}}}}\n---\n\
                 apiVersion: crd.antrea.io/v1beta1\nkind: {policy}\nmetadata: {{name: p{at}}}\n\
                 spec: {{priority: 5, {rule}}}\n"
            );
            changes_beyond(&text, ("app: v", "app: u"));
        }
    }
}

const SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata: {name: svc, namespace: data}
spec: {selector: {app: db}, ports: [{port: 80}]}
---
";
const TO_SERVICE: [&str; 2] = [
    "\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p, namespace: data}
spec: {endpointSelector: {matchLabels: {app: w}}, egress: [{toServices: [{k8sService: {serviceName: svc, namespace: data}}]}]}
",
    "\
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: data}
spec: {selector: app == 'w', types: [Egress], egress: [{action: Allow, destination: {services: {name: svc, namespace: data}}}]}
",
];

#[test]
fn who_is_not_loaded_is_behind_a_service() {
    for policy in TO_SERVICE {
        changes_beyond(&format!("{SERVICE}{policy}"), ("app: db", "app: other"));
        // whom a Service means that nobody has loaded is not known
        undecided_beyond(policy, ("svc", "zzz"));
        let (kinds, incomplete, noticed) = beyond(policy, ("name: p,", "name: q,"));
        assert!(kinds.is_empty() && !incomplete && !noticed, "{kinds:?}");
    }
}

const OPEN_TO: &str = "\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: data}
spec: {selector: {matchLabels: {app: db}}, action: ALLOW, rules: [{from: [{source: {namespaces: [shop]}}]}]}
";
const MUTUAL: &str = "\
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: d, namespace: data}
spec: {mtls: {mode: PERMISSIVE}}
";

#[test]
fn policies_of_a_mesh_speak_of_pods_to_come() {
    let namespace = |name: &str, meta: &str| {
        format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, {meta}}}\n---\n")
    };
    for labels in [
        "istio-injection: enabled",
        "istio.io/dataplane-mode: ambient",
    ] {
        let of = |policy: &str| namespace("data", &format!("labels: {{{labels}}}")) + policy;
        let open = ("{from: [{source: {namespaces: [shop]}}]}", "{}");
        changes_beyond(&of(OPEN_TO), open);
        undecided_beyond(&of(MUTUAL), ("PERMISSIVE", "STRICT"));
        // the pods of the mesh that are loaded are others
        let other = namespace("shop", "labels: {istio-injection: enabled}")
            + "apiVersion: v1\nkind: Pod\nmetadata: {name: w, namespace: shop, labels: {app: w}}\n\
               spec: {containers: [{name: c, image: i}]}\n---\n";
        undecided_beyond(&(other + &of(MUTUAL)), ("PERMISSIVE", "STRICT"));
    }
    undecided_beyond(MUTUAL, ("PERMISSIVE", "STRICT"));
    let linkerd = namespace("data", "annotations: {linkerd.io/inject: enabled}")
        + "\
apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: {name: srv, namespace: data}
spec: {podSelector: {matchLabels: {app: db}}, port: 5432, proxyProtocol: opaque}
---
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthentication
metadata: {name: net, namespace: data}
spec: {networks: [{cidr: 203.0.113.0/24}]}
---
apiVersion: policy.linkerd.io/v1alpha1
kind: AuthorizationPolicy
metadata: {name: a, namespace: data}
spec: {targetRef: {group: policy.linkerd.io, kind: Server, name: srv}, requiredAuthenticationRefs: [{group: policy.linkerd.io, kind: NetworkAuthentication, name: net}]}
";
    changes_beyond(&linkerd, ("203.0.113.0/24", "0.0.0.0/0"));
    changes_beyond(&linkerd, ("port: 5432", "port: sql"));
}

#[test]
fn what_no_input_tells_is_undecided_and_in_the_digest() {
    let admin = |to: &str| {
        format!(
            "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {{name: a}}\n\
             spec: {{priority: 5, subject: {{namespaces: {{}}}}, egress: [{{action: Allow, to: [{to}]}}, {{action: Deny, to: [{{networks: [0.0.0.0/0]}}]}}]}}\n"
        )
    };
    let domains = admin("{domainNames: [a.example.com]}");
    undecided_beyond(&domains, ("a.example.com", "b.example.com"));
    let nodes = admin("{nodes: {matchLabels: {k: a}}}");
    undecided_beyond(&nodes, ("k: a", "k: b"));
    let names = "\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p, namespace: data}
spec: {endpointSelector: {}, egress: [{toFQDNs: [{matchName: a.example.com}]}]}
";
    undecided_beyond(names, ("a.example.com", "b.example.com"));
    let account = "\
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: data}
spec: {selector: all(), types: [Ingress], ingress: [{action: Allow, source: {serviceAccounts: {names: [a]}}}]}
";
    undecided_beyond(account, ("names: [a]", "names: [b]"));
    let networks = "\
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: net1, namespace: data}
spec: {config: '{\"cniVersion\":\"0.3.1\",\"type\":\"macvlan\",\"name\":\"net1\"}'}
---
apiVersion: k8s.cni.cncf.io/v1beta1
kind: MultiNetworkPolicy
metadata: {name: m, namespace: data, annotations: {k8s.v1.cni.cncf.io/policy-for: net1}}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: []}
";
    undecided_beyond(networks, ("ingress: []", "ingress: [{}]"));
}
