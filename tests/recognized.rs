//! Kinds that are recognized and not modelled: each makes unknown what it can touch, at the ends,
//! in the directions and for the peers that its row says, and nothing more (RC1 to RC5).
#![allow(clippy::unwrap_used, clippy::panic)]

use netpal::Protocol::{Tcp, Udp};
use netpal::Truth::{self, Maybe, No, Yes};

#[path = "common/meshed.rs"]
mod meshed;
use meshed::{asked, pods, verdict};

const OUTSIDE: &str = "203.0.113.9";

fn plain() -> String {
    pods("team: a", "team: b", "")
}

/// What an object makes of these ways, over TCP to port 80.
fn touches(cluster: &str, object: &str, ways: &[(&str, &str, Truth)]) {
    let object = format!("\n{object}\n");
    for (from, to, want) in ways {
        let got = verdict(cluster, &object, from, to, 80);
        assert_eq!(got, *want, "{from} -> {to} with {object}");
    }
}

/// RC3, RC4: a mesh without passthrough keeps its pods from the outside.
#[test]
fn passthrough_of_kuma_is_a_matter_of_the_outside() {
    let meshed = pods("kuma.io/sidecar-injection: enabled", "team: b", "");
    let outside = [
        ("shop/web", OUTSIDE, Maybe),
        ("shop/web", "shop/db", Yes),
        ("shop/web", "plain/out", Yes),
        ("plain/out", OUTSIDE, Yes),
        ("plain/out", "shop/db", Yes),
        (OUTSIDE, "shop/web", Yes),
    ];
    let mesh = |spec: &str| {
        format!(
            "{{apiVersion: kuma.io/v1alpha1, kind: Mesh, metadata: {{name: m}}, spec: {{{spec}}}}}"
        )
    };
    touches(
        &meshed,
        &mesh("networking: {outbound: {passthrough: false}}"),
        &outside,
    );
    let of_system = |kind: &str, spec: &str| {
        format!(
            "{{apiVersion: kuma.io/v1alpha1, kind: {kind}, metadata: {{name: m, \
             namespace: kuma-system}}, spec: {{{spec}}}}}"
        )
    };
    touches(
        &meshed,
        &of_system("MeshPassthrough", "default: {passthroughMode: None}"),
        &outside,
    );
    touches(
        &meshed,
        &of_system("MeshPassthrough", "default: {appendMatch: []}"),
        &outside,
    );
    touches(
        &meshed,
        &of_system("MeshExternalService", "match: {}"),
        &outside,
    );
    let nothing = [("shop/web", OUTSIDE, Yes), ("shop/web", "shop/db", Yes)];
    touches(
        &meshed,
        &of_system("MeshPassthrough", "default: {passthroughMode: All}"),
        &nothing,
    );
    touches(&meshed, &mesh(""), &nothing);
    touches(
        &meshed,
        &mesh("networking: {outbound: {passthrough: true}}"),
        &nothing,
    );
    // nothing says who is of the mesh
    let mesh = mesh("networking: {outbound: {passthrough: false}}");
    touches(
        &plain(),
        &mesh,
        &[("plain/out", OUTSIDE, Maybe), ("plain/out", "shop/db", Yes)],
    );
}

/// RC3: a mesh denies TCP that comes in at its pods, and nothing else.
#[test]
fn meshes_deny_tcp_at_their_pods() {
    let kuma = pods("kuma.io/sidecar-injection: enabled", "team: b", "");
    let in_shop = [
        ("plain/out", "shop/db", Maybe),
        ("shop/web", "shop/db", Maybe),
        ("shop/web", "plain/out", Yes),
        ("shop/web", OUTSIDE, Yes),
    ];
    let permission = |kind: &str, spec: &str| {
        format!(
            "{{apiVersion: kuma.io/v1alpha1, kind: {kind}, metadata: {{name: p, \
             namespace: shop}}, spec: {{{spec}}}}}"
        )
    };
    let mesh = "{apiVersion: kuma.io/v1alpha1, kind: Mesh, metadata: {name: m}, \
                spec: {mtls: {enabledBackend: ca}}}";
    touches(
        &kuma,
        &permission("MeshTrafficPermission", "targetRef: {kind: Mesh}"),
        &in_shop,
    );
    touches(&kuma, &permission("TrafficPermission", ""), &in_shop);
    touches(&kuma, mesh, &in_shop);
    let db = "targetRef: {kind: Dataplane, labels: {app: db}}";
    let db = permission("MeshTrafficPermission", db);
    touches(
        &kuma,
        &db,
        &[
            ("plain/out", "shop/db", Maybe),
            ("plain/out", "shop/web", Yes),
        ],
    );
    let consul = pods(
        "team: a",
        "team: b",
        "consul.hashicorp.com/connect-inject: 'true'",
    );
    let intentions = |name: &str| {
        format!(
            "{{apiVersion: consul.hashicorp.com/v1alpha1, kind: ServiceIntentions, \
             metadata: {{name: i, namespace: shop}}, spec: {{destination: {{name: {name}}}}}}}"
        )
    };
    touches(&consul, &intentions("'*'"), &in_shop);
    touches(&consul, &intentions("nobody-knows"), &in_shop);
    let of_db = [("shop/web", "shop/db", Maybe), ("shop/db", "shop/web", Yes)];
    touches(&consul, &intentions("db"), &of_db);
    let target = "{apiVersion: access.smi-spec.io/v1alpha3, kind: TrafficTarget, \
                  metadata: {name: t, namespace: shop}, \
                  spec: {destination: {kind: ServiceAccount, name: db, namespace: shop}}}";
    touches(&plain(), target, &of_db);
    let role = "{apiVersion: rbac.istio.io/v1alpha1, kind: ServiceRole, \
                metadata: {name: t, namespace: shop}}";
    touches(&plain(), role, &[("shop/web", "shop/db", Maybe)]);
    for (cluster, object) in [
        (&kuma, permission("TrafficPermission", "")),
        (&kuma, mesh.to_owned()),
        (&consul, intentions("'*'")),
        (&plain(), target.to_owned()),
        (&plain(), role.to_owned()),
    ] {
        let object = format!("\n{object}\n");
        let ask = |protocol| asked(cluster, &object, "plain/out", "shop/db", protocol, 80);
        assert_eq!([ask(Tcp), ask(Udp)], [Maybe, Yes], "{object}");
    }
}

#[test]
fn networks_of_nsx_may_have_no_route_to_others() {
    for kind in [
        "NetworkInfo",
        "Subnet",
        "SubnetSet",
        "SubnetPort",
        "AddressBinding",
        "StaticRoute",
    ] {
        let object = format!(
            "{{apiVersion: crd.nsx.vmware.com/v1alpha1, kind: {kind}, metadata: {{name: n, \
             namespace: shop}}}}"
        );
        let ways = [
            ("shop/web", "plain/out", Maybe),
            ("plain/out", "shop/web", Maybe),
            ("shop/web", "shop/db", Yes),
            ("shop/web", OUTSIDE, Yes),
            (OUTSIDE, "shop/web", Yes),
        ];
        touches(&plain(), &object, &ways);
    }
    let whole = "{apiVersion: crd.nsx.vmware.com/v1alpha1, kind: VPCNetworkConfiguration, \
                 metadata: {name: n}}";
    touches(
        &plain(),
        whole,
        &[
            ("shop/web", "plain/out", Maybe),
            ("shop/web", "shop/db", Yes),
        ],
    );
}

/// A namespace of `OpenShift`'s older plugin with a network id.
fn net(name: &str, id: u32) -> String {
    format!(
        "\n{{apiVersion: network.openshift.io/v1, kind: NetNamespace, metadata: {{name: {name}}}, \
         netname: {name}, netid: {id}}}\n"
    )
}

#[test]
fn network_ids_that_are_equal_or_zero_join_namespaces() {
    let ask = |shop, plain_id| {
        let both = format!("{}---{}", net("shop", shop), net("plain", plain_id));
        [
            ("shop/web", "plain/out"),
            ("plain/out", "shop/web"),
            ("shop/web", "shop/db"),
        ]
        .map(|(from, to)| verdict(&plain(), &both, from, to, 80))
    };
    assert_eq!(ask(7, 8), [Maybe, Maybe, Yes]);
    assert_eq!(ask(7, 7), [Yes, Yes, Yes]);
    assert_eq!(ask(7, 0), [Yes, Yes, Yes]);
    assert_eq!(ask(0, 8), [Yes, Yes, Yes]);
    let plugin = |name: &str| {
        let all = format!(
            "{}---{}---\n{{apiVersion: network.openshift.io/v1, kind: ClusterNetwork, \
             metadata: {{name: default}}, pluginName: redhat/openshift-ovs-{name}}}\n",
            net("shop", 7),
            net("plain", 8)
        );
        verdict(&plain(), &all, "shop/web", "plain/out", 80)
    };
    assert_eq!(
        [plugin("multitenant"), plugin("networkpolicy")],
        [Maybe, Yes]
    );
}

#[test]
fn a_private_subnet_lets_in_the_subnets_that_it_lists() {
    let subnet = "{apiVersion: kubeovn.io/v1, kind: Subnet, metadata: {name: s}, spec: \
                  {private: true, namespaces: [shop], allowSubnets: [203.0.113.0/24, 10.0.0.3/32]}}";
    let ways = [
        ("plain/out", "shop/web", Yes),
        ("shop/web", "shop/db", Yes),
        (OUTSIDE, "shop/web", Yes),
        ("198.51.100.1", "shop/web", Maybe),
        ("shop/web", OUTSIDE, Yes),
    ];
    touches(&plain(), subnet, &ways);
}

/// RC4: what only speaks of the outside never touches pods among themselves.
#[test]
fn firewalls_on_the_way_out_leave_pods_alone_even_unread() {
    let firewall = "{apiVersion: k8s.ovn.org/v1, kind: EgressFirewall, metadata: {name: default, \
                    namespace: shop}, spec: {egress: [{type: Perhaps, to: {cidrSelector: 0/0}}]}}";
    let ways = [
        ("shop/web", OUTSIDE, Maybe),
        ("shop/web", "shop/db", Yes),
        ("shop/web", "plain/out", Yes),
        ("plain/out", OUTSIDE, Yes),
        ("plain/out", "shop/web", Yes),
    ];
    touches(&plain(), firewall, &ways);
    let redirect = "{apiVersion: cilium.io/v2, kind: CiliumLocalRedirectPolicy, metadata: {name: l, \
                    namespace: shop}, spec: {redirectFrontend: {addressMatcher: \
                    {ip: 169.254.169.254, toPorts: [{port: '80', protocol: TCP}]}}}}";
    let ways = [
        ("shop/web", "169.254.169.254", Maybe),
        ("plain/out", "169.254.169.254", Maybe),
        ("shop/web", OUTSIDE, Yes),
        ("shop/web", "shop/db", Yes),
    ];
    touches(&plain(), redirect, &ways);
}

/// A network of its own may let in what policies deny.
#[test]
fn networks_of_contrail_may_do_anything() {
    let closed = "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
";
    for kind in ["VirtualNetwork", "VirtualNetworkRouter", "FirewallPolicy"] {
        let object = format!(
            "{closed}{{apiVersion: core.contrail.juniper.net/v1alpha1, kind: {kind}, \
             metadata: {{name: v, namespace: shop}}}}"
        );
        touches(&plain(), &object, &[("plain/out", "shop/web", Maybe)]);
    }
    touches(
        &plain(),
        closed.trim_end_matches("---\n"),
        &[("plain/out", "shop/web", No)],
    );
}

/// Pods of which some have an interface on a network of GKE, in a namespace that is closed.
fn with_interfaces() -> String {
    let interfaces = "networking.gke.io/interfaces: '[{\"interfaceName\": \"eth0\", \"network\": \
                      \"default\"}, {\"interfaceName\": \"eth1\", \"network\": \"blue\"}]'";
    pods("team: a", "team: b", interfaces)
}

/// What the default network denies may pass on another one that both pods are on.
#[test]
fn pods_on_a_network_of_gke_may_reach_each_other_there() {
    let closed = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: closed, \
                  namespace: shop}, spec: {podSelector: {}, policyTypes: [Ingress]}}";
    touches(&plain(), closed, &[("shop/web", "shop/db", No)]);
    let ways = [("shop/web", "shop/db", Maybe), ("plain/out", "shop/db", No)];
    touches(&with_interfaces(), closed, &ways);
    let network = "{apiVersion: networking.gke.io/v1, kind: Network, metadata: {name: blue}}";
    let ways = [("shop/web", "shop/db", Yes), ("plain/out", "shop/db", Yes)];
    touches(&with_interfaces(), network, &ways);
}

/// What polices nodes stands before their ports, and not before pods.
#[test]
fn a_firewall_of_nodes_stands_before_their_ports() {
    let cluster = "
apiVersion: v1
kind: Node
metadata: {name: n, labels: {rack: a}}
status: {addresses: [{type: InternalIP, address: 192.0.2.21}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  nodeName: n
  containers: [{name: c, image: i, ports: [{containerPort: 8080, hostPort: 8081}]}]
status: {podIP: 10.0.0.9}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
";
    let firewall = "
apiVersion: ingressnodefirewall.openshift.io/v1alpha1
kind: IngressNodeFirewall
metadata: {name: h}
spec: {nodeSelector: {matchLabels: {rack: a}}, interfaces: [eth0], ingress: []}
";
    let both = format!("{cluster}---{firewall}");
    for (text, asked, door) in [(cluster, "yes", "open"), (&both, "unknown", "unknown")] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.yaml");
        std::fs::write(&file, text).unwrap();
        let run = |words: &[&str]| {
            let mut netpal = std::process::Command::new(env!("CARGO_BIN_EXE_netpal"));
            let netpal = netpal.args(words).arg("-f").arg(&file);
            String::from_utf8(netpal.output().unwrap().stdout).unwrap()
        };
        let answer = run(&["can", OUTSIDE, "192.0.2.21:30080"]);
        assert!(
            answer.lines().any(|line| line.starts_with(asked)),
            "{answer}"
        );
        let answer = run(&["can", OUTSIDE, "shop/web:8080"]);
        assert!(
            answer.lines().any(|line| line.starts_with("yes")),
            "{answer}"
        );
        let doors = run(&["doors"]);
        let lines = doors.lines().filter(|line| line.contains("Port shop/web"));
        let lines: Vec<&str> = lines.collect();
        assert_eq!(lines.len(), 2, "{doors}");
        assert!(lines.iter().all(|line| line.contains(door)), "{doors}");
    }
}

/// Which pods are behind a Service that is not in the input is not known.
#[test]
fn what_is_said_of_an_unknown_service_may_be_of_any_pod_there() {
    let config = |service: &str| {
        format!(
            "{{apiVersion: cilium.io/v2, kind: CiliumEnvoyConfig, metadata: {{name: e, \
             namespace: shop}}, spec: {{services: [{{name: {service}, namespace: shop}}]}}}}"
        )
    };
    let of_db = [
        ("plain/out", "shop/db", Maybe),
        ("plain/out", "shop/web", Yes),
    ];
    touches(&plain(), &config("db"), &of_db);
    let of_any = [
        ("plain/out", "shop/web", Maybe),
        ("shop/web", "plain/out", Yes),
        ("plain/out", OUTSIDE, Yes),
    ];
    touches(&plain(), &config("gone"), &of_any);
}
