//! Random objects of the layers besides the network plugin: egress firewalls, meshes and networks.

use super::random::{APPS, NAMESPACES, Random};
use netpal::{Dataplane, IstioSettings, LayerSettings, Meshed};
use serde_json::{Value, json};

/// Labels that make pods part of a mesh, and accounts.
pub fn meshed(documents: &mut [Value], random: &mut Random) {
    for document in documents.iter_mut() {
        let kind = document["kind"].as_str().unwrap_or_default().to_owned();
        let pod = match &*kind {
            "Namespace" if document["metadata"].is_object() => {
                let labels = [
                    ("istio-injection", "enabled"),
                    ("istio-injection", "disabled"),
                    ("istio.io/dataplane-mode", "ambient"),
                    ("istio.io/use-waypoint", "gate"),
                    ("k8s.ovn.org/primary-user-defined-network", ""),
                ];
                if random.chance(60) {
                    let (key, value) = *random.pick(&labels);
                    label(&mut document["metadata"], key, value);
                }
                continue;
            }
            "Pod" => &mut *document,
            _ if document["spec"]["template"].is_object() => &mut document["spec"]["template"],
            _ => continue,
        };
        if random.chance(25) {
            label(&mut pod["metadata"], "istio.io/dataplane-mode", "ambient");
        } else if random.chance(20) {
            label(&mut pod["metadata"], "sidecar.istio.io/inject", "true");
        }
        if random.chance(20) {
            let metadata = &mut pod["metadata"];
            if !metadata["annotations"].is_object() {
                metadata["annotations"] = json!({});
            }
            metadata["annotations"]["k8s.v1.cni.cncf.io/networks"] = json!("sec");
        }
        if random.chance(30) {
            annotate(&mut pod["metadata"], random);
        }
        if random.chance(50) && pod["spec"].is_object() {
            pod["spec"]["serviceAccountName"] = json!(random.pick(&["api", "job"]));
        }
    }
}

fn label(metadata: &mut Value, key: &str, value: &str) {
    if !metadata["labels"].is_object() {
        metadata["labels"] = json!({});
    }
    metadata["labels"][key] = json!(value);
}

/// Annotations of Linkerd.
fn annotate(metadata: &mut Value, random: &mut Random) {
    if !metadata["annotations"].is_object() {
        metadata["annotations"] = json!({});
    }
    let annotations = &mut metadata["annotations"];
    annotations["linkerd.io/inject"] = json!("enabled");
    let more = [
        ("default-inbound-policy", "all-authenticated"),
        ("default-inbound-policy", "deny"),
        ("skip-inbound-ports", "80"),
        ("skip-outbound-ports", "5432"),
        ("opaque-ports", "80-81"),
        ("proxy-require-identity-inbound-ports", "8080"),
    ];
    if random.chance(40) {
        let (key, value) = *random.pick(&more);
        annotations[format!("config.linkerd.io/{key}")] = json!(value);
    }
}

/// Servers and who is let in there.
fn servers(random: &mut Random) -> Vec<Value> {
    let mut all = vec![
        json!({"apiVersion": "policy.linkerd.io/v1alpha1", "kind": "MeshTLSAuthentication",
            "metadata": {"name": "m", "namespace": "a"},
            "spec": {"identityRefs": [{"kind": "ServiceAccount", "name": "api"}]}}),
        json!({"apiVersion": "policy.linkerd.io/v1alpha1", "kind": "NetworkAuthentication",
            "metadata": {"name": "n", "namespace": "a"},
            "spec": {"networks": [{"cidr": "10.0.0.0/8", "except": ["10.0.0.0/30"]}]}}),
    ];
    for i in 0..random.below(4) {
        let namespace = *random.pick(&["a", "b"]);
        let name = format!("server-{i}");
        let mut spec = json!({"podSelector": {"matchLabels": {"app": random.pick(&APPS)}},
            "port": *random.pick(&[80, 5432, 8080])});
        if random.chance(30) {
            spec["port"] = json!("http");
        }
        if random.chance(30) {
            spec["accessPolicy"] = json!(*random.pick(&["all-authenticated", "audit"]));
        }
        if random.chance(20) {
            spec["proxyProtocol"] = json!("opaque");
        }
        all.push(
            json!({"apiVersion": "policy.linkerd.io/v1beta3", "kind": "Server",
            "metadata": {"name": name, "namespace": namespace}, "spec": spec}),
        );
        if random.chance(25) {
            all.push(
                json!({"apiVersion": "policy.linkerd.io/v1beta3", "kind": "HTTPRoute",
                "metadata": {"name": format!("route-{i}"), "namespace": namespace},
                "spec": {"parentRefs": [{"kind": "Server", "name": name}]}}),
            );
        }
        if random.chance(60) {
            let refs = [
                json!([{"kind": "MeshTLSAuthentication", "name": "m", "namespace": "a"}]),
                json!([{"kind": "NetworkAuthentication", "name": "n", "namespace": "a"}]),
                json!([{"kind": "ServiceAccount", "name": "job"}]),
                json!([{"kind": "MeshTLSAuthentication", "name": "none"}]),
                json!([]),
            ];
            all.push(json!({"apiVersion": "policy.linkerd.io/v1alpha1",
                "kind": "AuthorizationPolicy",
                "metadata": {"name": format!("grant-{i}"), "namespace": namespace},
                "spec": {"targetRef": {"kind": "Server", "name": name},
                    "requiredAuthenticationRefs": random.pick(&refs)}}));
        }
    }
    all
}

pub fn policies(random: &mut Random) -> Vec<Value> {
    let mut all = vec![json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web", "namespace": "a"},
        "spec": {"selector": {"app": "web"},
            "ports": [{"port": 80, "name": "tcp-web"}, {"port": 81, "name": "http"}]}})];
    for namespace in NAMESPACES {
        if random.chance(40) {
            all.push(firewall(namespace, random));
        }
    }
    for i in 0..random.below(4) {
        all.push(authorization(i, random));
    }
    for i in 0..random.below(3) {
        all.push(peer(i, random));
    }
    if random.chance(60) {
        all.extend(servers(random));
    }
    if random.chance(40) {
        all.extend(networks(random));
    }
    all
}

/// Primary networks, a secondary one, and perhaps a connection.
fn networks(random: &mut Random) -> Vec<Value> {
    let shared = |name: &str, role: &str, values: &[&str]| {
        json!({"apiVersion": "k8s.ovn.org/v1", "kind": "ClusterUserDefinedNetwork",
            "metadata": {"name": name, "labels": {"join": "yes"}},
            "spec": {"namespaceSelector": {"matchExpressions": [{
                "key": "kubernetes.io/metadata.name", "operator": "In", "values": values}]},
                "network": {"topology": "Layer2", "layer2": {"role": role}}}})
    };
    let mut all = vec![
        json!({"apiVersion": "k8s.ovn.org/v1", "kind": "UserDefinedNetwork",
            "metadata": {"name": "own", "namespace": "a"},
            "spec": {"topology": "Layer2", "layer2": {"role": "Primary"}}}),
        shared("blue", "Primary", &["b", "c"]),
        shared("sec", "Secondary", &["a", "b", "c"]),
    ];
    if random.chance(40) {
        all.push(
            json!({"apiVersion": "k8s.ovn.org/v1", "kind": "ClusterNetworkConnect",
            "metadata": {"name": "c"},
            "spec": {"networkSelectors": [
                {"networkSelectionType": "ClusterUserDefinedNetworks",
                    "clusterUserDefinedNetworkSelector":
                        {"networkSelector": {"matchLabels": {"join": "yes"}}}},
                {"networkSelectionType": "PrimaryUserDefinedNetworks",
                    "primaryUserDefinedNetworkSelector": {"namespaceSelector": {}}}],
                "connectivity": ["PodNetwork"]}}),
        );
    }
    if random.chance(50) {
        all.push(
            json!({"apiVersion": "k8s.cni.cncf.io/v1beta1", "kind": "MultiNetworkPolicy",
            "metadata": {"name": "m", "namespace": "a",
                "annotations": {"k8s.v1.cni.cncf.io/policy-for": "sec"}},
            "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}}),
        );
    }
    all
}

fn firewall(namespace: &str, random: &mut Random) -> Value {
    let legacy = random.chance(40);
    let mut rules = Vec::new();
    for _ in 0..=random.below(3) {
        let to = match random.below(4) {
            0 => json!({"dnsName": "api.example.com"}),
            1 if !legacy => json!({"nodeSelector": {"matchLabels": {"role": "edge"}}}),
            _ => json!({"cidrSelector": *random.pick(
                &["0.0.0.0/0", "8.8.8.0/24", "10.0.0.0/8", "192.168.1.0/24"])}),
        };
        let mut rule = json!({"type": *random.pick(&["Allow", "Deny"]), "to": to});
        if !legacy && random.chance(40) {
            rule["ports"] = json!([{"protocol": "TCP", "port": *random.pick(&[0, 80, 443])}]);
        }
        rules.push(rule);
    }
    let (api_version, kind) = if legacy {
        ("network.openshift.io/v1", "EgressNetworkPolicy")
    } else {
        ("k8s.ovn.org/v1", "EgressFirewall")
    };
    json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": "default", "namespace": namespace}, "spec": {"egress": rules}})
}

fn namespace_of_mesh(random: &mut Random) -> &'static str {
    const NAMESPACES: [&str; 4] = ["a", "b", "c", "istio-system"];
    NAMESPACES[random.below(NAMESPACES.len())]
}

fn authorization(i: usize, random: &mut Random) -> Value {
    let mut spec = json!({});
    if random.chance(60) {
        spec["action"] =
            json!(*random.pick(&["ALLOW", "ALLOW", "DENY", "DENY", "CUSTOM", "AUDIT"]));
        if spec["action"] == "CUSTOM" {
            spec["provider"] = json!({"name": "ext"});
        }
    }
    if random.chance(50) {
        spec["selector"] = json!({"matchLabels": {"app": random.pick(&APPS)}});
    }
    let mut rules = Vec::new();
    for _ in 0..random.below(3) {
        let mut rule = json!({});
        if random.chance(60) {
            rule["from"] = (0..=random.below(2))
                .map(|_| json!({"source": source(random)}))
                .collect();
        }
        if random.chance(50) {
            rule["to"] = json!([{"operation": operation(random)}]);
        }
        if random.chance(25) {
            rule["when"] = json!([condition(random)]);
        }
        rules.push(rule);
    }
    spec["rules"] = json!(rules);
    json!({"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
        "metadata": {"name": format!("authz-{i}"), "namespace": namespace_of_mesh(random)},
        "spec": spec})
}

fn source(random: &mut Random) -> Value {
    let mut source = match random.below(7) {
        0 => json!({"principals": ["cluster.local/ns/a/sa/api"]}),
        1 => json!({"principals": ["*/sa/job"]}),
        2 => json!({"notPrincipals": ["cluster.local/ns/a/*"]}),
        3 => json!({"namespaces": ["a", "b*"]}),
        4 => json!({"notNamespaces": ["a"]}),
        5 => json!({"serviceAccounts": ["b/api", "default"]}),
        _ => json!({"ipBlocks": ["10.0.0.0/24", "8.8.8.8"]}),
    };
    if random.chance(20) {
        source["requestPrincipals"] = json!(["*"]);
    }
    source
}

fn operation(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!({"ports": ["80", "8080"]}),
        1 => json!({"notPorts": ["80"]}),
        2 => json!({"methods": ["GET"], "ports": ["80"]}),
        _ => json!({"paths": ["/healthz"]}),
    }
}

fn condition(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!({"key": "destination.port", "values": ["80", "81"]}),
        1 => json!({"key": "destination.ip", "notValues": ["10.0.0.0/30"]}),
        2 => json!({"key": "source.namespace", "values": ["a"]}),
        _ => json!({"key": "request.headers[x]", "values": ["y"]}),
    }
}

fn peer(i: usize, random: &mut Random) -> Value {
    const MODES: [&str; 4] = ["STRICT", "PERMISSIVE", "DISABLE", "UNSET"];
    let mut spec = json!({"mtls": {"mode": *random.pick(&MODES)}});
    if random.chance(50) {
        spec["selector"] = json!({"matchLabels": {"app": random.pick(&APPS)}});
        if random.chance(50) {
            spec["portLevelMtls"] = json!({"80": {"mode": *random.pick(&MODES)}});
        }
    }
    json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
        "metadata": {"name": format!("peer-{i}"), "namespace": namespace_of_mesh(random)},
        "spec": spec})
}

pub fn settings(random: &mut Random) -> LayerSettings {
    let names = [("api.example.com".into(), vec!["8.8.8.8".parse().unwrap()])];
    LayerSettings {
        names: if random.chance(50) {
            names.into()
        } else {
            std::collections::BTreeMap::default()
        },
        global_namespaces: ["b".into()].into(),
        istio: IstioSettings {
            dataplane: random
                .chance(40)
                .then(|| *random.pick(&[Dataplane::Sidecar, Dataplane::Ambient])),
            meshed: match random.below(4) {
                0 => Some(Meshed::All),
                1 => Some(Meshed::Listed(vec!["a/web".into(), "b/db".into()])),
                _ => None,
            },
            ..IstioSettings::default()
        },
        ..LayerSettings::default()
    }
}
