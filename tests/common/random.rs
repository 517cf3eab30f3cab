//! Random small clusters as documents, with every corner the rulebook has: one seed, one cluster.
//!
//! The values come from pools so small that rules, labels, ports and addresses meet often.
//! Everything goes through the loader, so that reading is covered too; some policies are broken or
//! of kinds that are not modelled, on purpose.

use serde_json::{Value, json};

/// A deterministic stream of choices.
pub struct Random(u64);

impl Random {
    /// A stream of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn some(
        &mut self,
        least: usize,
        most: usize,
        mut one: impl FnMut(&mut Self) -> Value,
    ) -> Vec<Value> {
        let n = least + self.below(most - least + 1);
        (0..n).map(|_| one(self)).collect()
    }
}

pub const NAMESPACES: [&str; 4] = ["a", "b", "c", "kube-system"];
const NODES: [&str; 3] = ["n1", "n2", "n3"];
pub const APPS: [&str; 4] = ["web", "db", "", "job"];
const TIERS: [&str; 3] = ["front", "back", "1.0"];
/// What stands for the value of a label that is not known.
const OPEN: [&str; 4] = [
    "<at run time>",
    "<at run time: front|back>",
    "<perhaps>",
    "<perhaps: back>",
];
const ENVS: [&str; 3] = ["prod", "dev", ""];
const PORT_NAMES: [&str; 4] = ["http", "dns", "metrics", "none"];
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
/// The ports that rules and questions use.
pub const PORTS: [u16; 11] = [1, 53, 79, 80, 81, 443, 5432, 8080, 8081, 9090, 65535];
/// The outside addresses that questions use; some are those of pods and nodes.
#[allow(dead_code)] // every test file is a crate of its own and uses a part
pub const ADDRESSES: [&str; 17] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.99",
    "10.200.0.1",
    "8.8.8.8",
    "203.0.113.1",
    "203.0.113.9",
    "192.168.1.1",
    "192.168.1.2",
    "192.168.1.77",
    "0.0.0.0",
    "255.255.255.255",
    "100.64.0.1",
    "fd00::1",
    "fd00::2",
    "fd00:1::1",
    "2001:db8::1",
];
const POD_ADDRESSES: [&str; 8] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.200.0.1",
    "172.16.0.9",
    "192.168.1.1",
    "fd00::1",
    "fd00::2",
    "2001:db8::7",
];
const BLOCKS: [(&str, &[&str]); 12] = [
    (
        "0.0.0.0/0",
        &["10.0.0.0/8", "169.254.169.254/32", "192.168.0.0/16"],
    ),
    (
        "10.0.0.0/8",
        &["10.0.0.0/24", "10.0.0.1/32", "10.200.0.0/16"],
    ),
    ("10.0.0.0/24", &["10.0.0.1/32", "10.0.0.128/25"]),
    ("10.0.0.1/32", &[]),
    ("10.3.4.5/4", &["10.0.0.2/32"]),
    ("192.168.0.0/16", &["192.168.1.1/32"]),
    ("203.0.113.0/24", &["203.0.113.1/32"]),
    ("8.8.8.8/32", &[]),
    ("172.16.0.0/12", &["172.16.0.0/24"]),
    ("::/0", &["fd00::/8"]),
    ("fd00::/8", &["fd00::1/128", "fd00:1::/32"]),
    ("fd00::1/128", &[]),
];

/// The documents of one random cluster.
pub fn documents(random: &mut Random) -> Vec<Value> {
    let mut documents = Vec::new();
    for name in NAMESPACES {
        if random.chance(70) {
            documents.push(namespace(random, name));
        }
    }
    for (i, name) in NODES.iter().take(2).enumerate() {
        if random.chance(50) {
            documents.push(node(random, i, name));
        }
    }
    for i in 0..2 + random.below(6) {
        documents.push(workload(random, i));
    }
    for i in 0..random.below(6) {
        documents.push(network_policy(random, i));
    }
    for i in 0..random.below(3) {
        documents.push(admin_policy(random, i));
    }
    if random.chance(30) {
        documents.push(baseline_policy(random));
    }
    for i in 0..random.below(3) {
        documents.push(cluster_policy(random, i));
    }
    if random.chance(15) {
        documents.push(unmodelled(random));
    }
    if random.chance(10) {
        documents.push(broken(random));
    }
    if random.chance(20) {
        documents.push(custom(random));
    }
    if random.chance(20) {
        documents.push(generator(random));
    }
    documents
}

/// A custom resource whose operator makes pods and a policy.
fn custom(random: &mut Random) -> Value {
    json!({
        "apiVersion": "dragonflydb.io/v1alpha1",
        "kind": "Dragonfly",
        "metadata": {"name": random.pick(&APPS[..2]), "namespace": random.pick(&NAMESPACES)},
        "spec": {
            "replicas": 1 + random.below(2),
            "labels": labels(random),
            "networkPolicyEnabled": random.chance(60),
        },
    })
}

/// A rule that generates a policy in some namespaces.
fn generator(random: &mut Random) -> Value {
    let spec = network_policy(random, 0)["spec"].clone();
    json!({
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "generates"},
        "spec": {"rules": [{
            "name": "policy",
            "match": {"any": [{"resources": {
                "kinds": ["Namespace"],
                "names": [random.pick(&NAMESPACES), random.pick(&NAMESPACES)],
            }}]},
            "generate": {
                "generateExisting": random.chance(30),
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "name": "generated",
                "namespace": "{{request.object.metadata.name}}",
                "data": {"spec": spec},
            },
        }]},
    })
}

/// The documents as one text.
pub fn text(documents: &[Value]) -> String {
    documents
        .iter()
        .flat_map(|d| ["---\n".to_owned(), serde_yaml::to_string(d).unwrap()])
        .collect()
}

fn labels(random: &mut Random) -> Value {
    let mut labels = serde_json::Map::new();
    if random.chance(75) {
        labels.insert("app".into(), json!(random.pick(&APPS)));
    }
    if random.chance(50) {
        labels.insert("tier".into(), json!(random.pick(&TIERS)));
    } else if random.chance(20) {
        labels.insert("tier".into(), json!(random.pick(&OPEN)));
    }
    if random.chance(20) {
        labels.insert(
            "unmentioned".into(),
            json!(format!("v{}", random.below(100))),
        );
    }
    labels.into()
}

fn namespace(random: &mut Random, name: &str) -> Value {
    let mut labels = serde_json::Map::new();
    for key in ["env", "team"] {
        if random.chance(60) {
            labels.insert(key.into(), json!(random.pick(&ENVS)));
        }
    }
    if random.chance(5) {
        labels.insert("kubernetes.io/metadata.name".into(), json!("liar"));
    }
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}

fn node(random: &mut Random, i: usize, name: &str) -> Value {
    let mut addresses =
        vec![json!({"type": "InternalIP", "address": format!("192.168.1.{}", i + 1)})];
    if random.chance(40) {
        addresses.push(json!({"type": "ExternalIP", "address": "203.0.113.1"}));
    }
    if random.chance(30) {
        addresses.push(json!({"type": "InternalIP", "address": "fd00:1::1"}));
    }
    addresses.push(json!({"type": "Hostname", "address": name}));
    let labels = if random.chance(60) {
        json!({"zone": random.pick(&["z1", "z2"])})
    } else {
        json!({})
    };
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "status": {"addresses": addresses}})
}

fn containers(random: &mut Random) -> Value {
    let mut ports = Vec::new();
    for _ in 0..random.below(4) {
        let mut port = json!({"containerPort": random.pick(&PORTS)});
        if random.chance(75) {
            port["name"] = json!(random.pick(&PORT_NAMES[..3]));
        }
        if random.chance(50) {
            port["protocol"] = json!(random.pick(&PROTOCOLS));
        }
        ports.push(port);
    }
    json!([{"name": "c", "image": "i", "ports": ports}])
}

fn pod_spec(random: &mut Random) -> Value {
    let mut spec = json!({"containers": containers(random)});
    if random.chance(15) {
        spec["initContainers"] = json!([{"name": "side", "image": "i", "restartPolicy": "Always",
            "ports": [{"name": "http", "containerPort": 8081}]}]);
    }
    if random.chance(20) {
        spec["hostNetwork"] = json!(true);
    }
    if random.chance(45) {
        spec["nodeName"] = json!(random.pick(&NODES));
    }
    spec
}

fn workload(random: &mut Random, i: usize) -> Value {
    let metadata = |random: &mut Random| {
        let mut metadata = json!({"name": format!("w{i}"), "labels": labels(random)});
        if random.chance(90) {
            metadata["namespace"] = json!(random.pick(&NAMESPACES));
        }
        metadata
    };
    let mut meta = metadata(random);
    if random.chance(50) {
        let mut pod =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod_spec(random)});
        let ips = random.some(0, 2, |r| json!({"ip": r.pick(&POD_ADDRESSES)}));
        if random.chance(70) {
            pod["status"] = json!({"podIPs": ips});
            let phase = if random.chance(10) {
                *random.pick(&["Succeeded", "Failed"])
            } else {
                "Running"
            };
            pod["status"]["phase"] = json!(phase);
        }
        return pod;
    }
    let template = json!({"metadata": {"labels": meta["labels"].take()}, "spec": pod_spec(random)});
    let selector = json!({"matchLabels": {"x": "y"}});
    let mut spec = json!({"selector": selector, "template": template});
    let kind = *random.pick(&[
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
    ]);
    let field = if kind == "Job" {
        "parallelism"
    } else {
        "replicas"
    };
    if random.chance(70) && kind != "DaemonSet" {
        spec[field] = json!(random.below(4));
    }
    let version = if kind == "Job" { "batch/v1" } else { "apps/v1" };
    meta["labels"] = json!({});
    json!({"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec})
}

fn selector(random: &mut Random, keys: &[(&str, &[&str])]) -> Value {
    if random.chance(25) {
        return json!({});
    }
    let mut selector = json!({});
    if random.chance(60) {
        let (key, values) = *random.pick(keys);
        selector["matchLabels"] = json!({key: random.pick(values)});
    }
    if random.chance(45) {
        let expressions = random.some(1, 2, |r| {
            let (key, values) = *r.pick(keys);
            match r.below(4) {
                0 => json!({"key": key, "operator": "Exists"}),
                1 => json!({"key": key, "operator": "DoesNotExist"}),
                2 => json!({"key": key, "operator": "In", "values": r.some(1, 2, |r| json!(r.pick(values)))}),
                _ => json!({"key": key, "operator": "NotIn", "values": r.some(1, 2, |r| json!(r.pick(values)))}),
            }
        });
        selector["matchExpressions"] = json!(expressions);
    }
    selector
}

fn pod_selector(random: &mut Random) -> Value {
    selector(
        random,
        &[
            ("app", &APPS),
            ("tier", &TIERS),
            ("pod-template-hash", &["x"]),
            ("apps.kubernetes.io/pod-index", &["0", "1"]),
        ],
    )
}

fn namespace_selector(random: &mut Random) -> Value {
    selector(
        random,
        &[
            ("env", &ENVS),
            ("team", &ENVS),
            ("kubernetes.io/metadata.name", &NAMESPACES),
        ],
    )
}

fn block(random: &mut Random) -> Value {
    let (cidr, excepts) = *random.pick(&BLOCKS);
    let mut block = json!({"cidr": cidr});
    if !excepts.is_empty() && random.chance(50) {
        block["except"] = json!(random.some(1, 2, |r| json!(r.pick(excepts))));
    }
    json!({"ipBlock": block})
}

fn port(random: &mut Random) -> Value {
    let mut port = json!({});
    if random.chance(60) {
        port["protocol"] = json!(random.pick(&PROTOCOLS));
    }
    match random.below(4) {
        0 => {}
        1 => port["port"] = json!(random.pick(&PORT_NAMES)),
        2 => port["port"] = json!(random.pick(&PORTS)),
        _ => {
            let first = random.below(PORTS.len());
            port["port"] = json!(PORTS[first]);
            port["endPort"] = json!(PORTS[first + random.below(PORTS.len() - first)]);
        }
    }
    port
}

fn network_rule(random: &mut Random, peers: &str) -> Value {
    let mut rule = json!({});
    if random.chance(85) {
        let from = random.some(0, 3, |r| match r.below(4) {
            0 => json!({"podSelector": pod_selector(r)}),
            1 => json!({"namespaceSelector": namespace_selector(r)}),
            2 => {
                json!({"namespaceSelector": namespace_selector(r), "podSelector": pod_selector(r)})
            }
            _ => block(r),
        });
        rule[peers] = json!(from);
    }
    if random.chance(60) {
        rule["ports"] = json!(random.some(0, 3, port));
    }
    rule
}

fn network_policy(random: &mut Random, i: usize) -> Value {
    let mut spec = json!({"podSelector": pod_selector(random)});
    let mut types = Vec::new();
    for (kind, field, peers) in [("Ingress", "ingress", "from"), ("Egress", "egress", "to")] {
        if random.chance(60) {
            types.push(kind);
        }
        if random.chance(70) {
            spec[field] = json!(random.some(0, 3, |r| network_rule(r, peers)));
        }
    }
    if random.chance(80) {
        spec["policyTypes"] = json!(types);
    }
    let metadata = json!({"name": format!("np{i}"), "namespace": random.pick(&NAMESPACES)});
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec})
}

fn admin_subject(random: &mut Random) -> Value {
    if random.chance(50) {
        json!({"namespaces": namespace_selector(random)})
    } else {
        json!({"pods": {"namespaceSelector": namespace_selector(random), "podSelector": pod_selector(random)}})
    }
}

fn admin_peer(random: &mut Random, egress: bool, domains: bool, legacy: bool) -> Value {
    let networks = |r: &mut Random| json!({"networks": r.some(1, 1, |r| json!(r.pick(&BLOCKS).0.replace("10.3.4.5/4", "0.0.0.0/4")))});
    match random.below(if egress { 5 } else { 2 }) {
        0 if legacy && random.chance(50) => {
            let which = if random.chance(70) {
                "sameLabels"
            } else {
                "notSameLabels"
            };
            let keys = random.some(1, 2, |r| json!(r.pick(&["env", "team"])));
            if random.chance(50) {
                json!({"namespaces": {which: keys}})
            } else {
                json!({"pods": {"namespaces": {which: keys}, "podSelector": pod_selector(random)}})
            }
        }
        0 => json!({"namespaces": namespace_selector(random)}),
        1 => {
            json!({"pods": {"namespaceSelector": namespace_selector(random), "podSelector": pod_selector(random)}})
        }
        2 => networks(random),
        3 => json!({"nodes": selector(random, &[("zone", &["z1", "z2"])])}),
        _ if domains => {
            json!({"domainNames": [random.pick(&["example.com", "*.example.org", "web.a.svc.cluster.local"])]})
        }
        _ => networks(random),
    }
}

fn legacy_ports(random: &mut Random, names: bool) -> Value {
    json!(random.some(1, 2, |r| match r.below(if names { 3 } else { 2 }) {
        0 => json!({"portNumber": {"protocol": r.pick(&PROTOCOLS), "port": r.pick(&PORTS)}}),
        1 => {
            let first = r.below(PORTS.len());
            json!({"portRange": {"start": PORTS[first], "end": PORTS[first + r.below(PORTS.len() - first)]}})
        }
        _ => json!({"namedPort": r.pick(&PORT_NAMES)}),
    }))
}

fn protocols(random: &mut Random, names: bool) -> Value {
    json!(random.some(1, 2, |r| {
        let word = *r.pick(&["tcp", "udp", "sctp"]);
        match r.below(if names { 3 } else { 2 }) {
            0 => json!({word: {"destinationPort": {"number": r.pick(&PORTS)}}}),
            1 => {
                let first = r.below(PORTS.len() - 1);
                let last = first + 1 + r.below(PORTS.len() - first - 1);
                json!({word: {"destinationPort": {"range": {"start": PORTS[first], "end": PORTS[last]}}}})
            }
            _ => json!({"destinationNamedPort": r.pick(&PORT_NAMES)}),
        }
    }))
}

fn ordered_rule(
    random: &mut Random,
    egress: bool,
    actions: &[&str],
    alpha1: bool,
    admin: bool,
) -> Value {
    let action = *random.pick(actions);
    let domains = egress && matches!(action, "Allow" | "Accept") && (admin || !alpha1);
    let peers = random.some(1, 2, |r| admin_peer(r, egress, domains, alpha1));
    let pods_only = peers
        .iter()
        .all(|p| p.get("namespaces").is_some() || p.get("pods").is_some());
    let mut rule = json!({"action": action, if egress { "to" } else { "from" }: peers});
    if random.chance(50) {
        if alpha1 {
            rule["ports"] = legacy_ports(random, pods_only);
        } else {
            rule["protocols"] = protocols(random, pods_only);
        }
    }
    rule
}

fn ordered_spec(random: &mut Random, actions: &[&str], alpha1: bool, admin: bool) -> Value {
    let mut spec = json!({"subject": admin_subject(random)});
    if random.chance(75) {
        spec["ingress"] =
            json!(random.some(0, 3, |r| ordered_rule(r, false, actions, alpha1, admin)));
    }
    if random.chance(75) {
        spec["egress"] =
            json!(random.some(0, 3, |r| ordered_rule(r, true, actions, alpha1, admin)));
    }
    spec
}

fn admin_policy(random: &mut Random, i: usize) -> Value {
    let mut spec = ordered_spec(random, &["Allow", "Deny", "Pass"], true, true);
    spec["priority"] = json!(random.below(3));
    json!({"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy",
        "metadata": {"name": format!("anp{i}")}, "spec": spec})
}

fn baseline_policy(random: &mut Random) -> Value {
    let spec = ordered_spec(random, &["Allow", "Deny"], true, false);
    json!({"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "BaselineAdminNetworkPolicy",
        "metadata": {"name": "default"}, "spec": spec})
}

fn cluster_policy(random: &mut Random, i: usize) -> Value {
    let tier = *random.pick(&["Admin", "Baseline"]);
    let mut spec = ordered_spec(random, &["Accept", "Deny", "Pass"], false, tier == "Admin");
    spec["tier"] = json!(tier);
    spec["priority"] = json!(random.below(3));
    json!({"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy",
        "metadata": {"name": format!("cnp{i}")}, "spec": spec})
}

fn unmodelled(random: &mut Random) -> Value {
    let (version, kind, field) = *random.pick(&[
        ("cilium.io/v2", "CiliumNetworkPolicy", "endpointSelector"),
        (
            "cilium.io/v2",
            "CiliumClusterwideNetworkPolicy",
            "endpointSelector",
        ),
        ("security.istio.io/v1", "AuthorizationPolicy", "selector"),
        (
            "networking.gke.io/v1alpha3",
            "FQDNNetworkPolicy",
            "podSelector",
        ),
        ("k8s.ovn.org/v1", "EgressFirewall", "none"),
    ]);
    let labels = json!({"matchLabels": {"app": random.pick(&APPS)}});
    if random.chance(30) {
        return polices_nodes(random);
    }
    let metadata = json!({"name": "foreign", "namespace": random.pick(&NAMESPACES)});
    json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": {field: labels}})
}

fn polices_nodes(random: &mut Random) -> Value {
    let name = json!({"name": "host"});
    match random.below(3) {
        0 => json!({"apiVersion": "projectcalico.org/v3", "kind": "HostEndpoint", "metadata": name,
            "spec": {"node": random.pick(&["n1", "n2"]), "expectedIPs": ["192.0.2.9", "2001:db8::9"]}}),
        1 => json!({"apiVersion": "cilium.io/v2", "kind": "CiliumClusterwideNetworkPolicy",
            "metadata": name, "spec": {"nodeSelector": {}, "ingress": [{}]}}),
        _ => json!({"apiVersion": "ingressnodefirewall.openshift.io/v1alpha1",
            "kind": "IngressNodeFirewall", "metadata": name,
            "spec": {"nodeSelector": {}, "interfaces": ["eth0"], "ingress": []}}),
    }
}

fn broken(random: &mut Random) -> Value {
    let mut policy = network_policy(random, 99);
    policy["spec"]["unknownField"] = json!(1);
    policy
}

/// What each seed gives, in order, made on all cores.
#[allow(dead_code)] // every test file is a crate of its own and uses a part
pub fn on_all_cores<T: Send>(
    seeds: impl IntoIterator<Item = u64>,
    work: impl Fn(u64) -> T + Sync,
) -> Vec<T> {
    let seeds: Vec<u64> = seeds.into_iter().collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let take = || seeds.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let some = || {
        let mut done = Vec::new();
        while let Some(seed) = take() {
            done.push((*seed, work(*seed)));
        }
        done
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut all: Vec<(u64, T)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(some)).collect();
        let each = threads.into_iter();
        each.flat_map(|thread| {
            thread
                .join()
                .unwrap_or_else(|e| std::panic::resume_unwind(e))
        })
        .collect()
    });
    all.sort_by_key(|(seed, _)| *seed);
    all.into_iter().map(|(_, made)| made).collect()
}
