//! Deterministic clusters of any size: the tiers S to XXL, and the shapes that are known to hurt.
//!
//! A [`Made`] cluster is a plain list of namespaces, nodes, workloads with replicas, and policies
//! as JSON. It becomes an [`Input`] directly ([`Made::input`]), or files in the shape kubectl
//! writes ([`netpal::kubectl`]). Same name, same bytes.

use netpal::{
    Cluster, ContainerPort, DocumentId, Input, Labels, Node, Origin, Pod, Protocol, Workload,
    WorkloadKind,
};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A namespace.
pub struct Namespace {
    pub name: String,
    pub labels: Vec<(&'static str, String)>,
}

/// A controller with its pods.
pub struct Controller {
    pub name: String,
    pub namespace: usize,
    pub labels: Vec<(&'static str, String)>,
    /// A label of its own for every pod.
    pub unique: bool,
    pub host_network: bool,
    pub ports: &'static [(&'static str, u16)],
    pub replicas: usize,
}

/// A cluster, on its way to be an input or files.
#[derive(Default)]
pub struct Made {
    pub namespaces: Vec<Namespace>,
    pub nodes: usize,
    pub controllers: Vec<Controller>,
    pub policies: Vec<Value>,
}

/// The sizes of a tier.
#[derive(Clone, Copy)]
pub struct Size {
    pub pods: usize,
    pub namespaces: usize,
    pub policies: usize,
    pub nodes: usize,
}

const fn size(pods: usize, namespaces: usize, policies: usize, nodes: usize) -> Size {
    Size {
        pods,
        namespaces,
        policies,
        nodes,
    }
}

/// The tiers of growing size.
pub const TIERS: [(&str, Size); 7] = [
    ("S", size(36, 6, 15, 3)),
    ("M", size(1_000, 50, 200, 20)),
    ("OCP", size(5_413, 604, 13_678, 120)),
    ("L", size(15_000, 500, 1_000, 500)),
    ("XL", size(150_000, 10_000, 20_000, 5_000)),
    ("XLD", size(150_000, 10_000, 200_000, 5_000)),
    ("XXL", size(1_000_000, 60_000, 150_000, 33_000)),
];

/// The shapes that hurt; each grows with a factor of its own.
pub const SHAPES: [&str; 8] = [
    "ANT_small",
    "ANT_large",
    "ANT_one",
    "ANT_perpod",
    "PERPOD150k",
    "KB_medium",
    "XLU",
    "ADMIN",
];

const SERVING: &[(&str, u16)] = &[("http", 8080), ("metrics", 9090)];

/// A deterministic stream of numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap_or(0)
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Makes a tier or shape by name. `percent` scales it: 100 is the size of the table.
pub fn make(name: &str, percent: usize) -> Option<Made> {
    let scaled = |n: usize| (n * percent / 100).max(1);
    if let Some((name, s)) = TIERS.iter().find(|(n, _)| *n == name) {
        return Some(tier(
            size(
                scaled(s.pods),
                scaled(s.namespaces),
                scaled(s.policies),
                scaled(s.nodes),
            ),
            if *name == "OCP" {
                dense_policy
            } else {
                mixed_policy
            },
        ));
    }
    Some(match name {
        "ANT_small" => uniform(scaled(25_000), 4, 3, mixed_policy),
        "ANT_large" => uniform(scaled(100), 1_000, 101, mixed_policy),
        "ANT_one" => uniform(1, scaled(10_000), scaled(10_000), |_, made, ns, i| {
            policy(
                &made.namespaces[ns].name,
                i,
                json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]}),
            )
        }),
        "ANT_perpod" => uniform(1, scaled(10_000), scaled(10_000), per_pod),
        "PERPOD150k" => uniform(scaled(150), 1_000, 1_000, per_pod),
        "KB_medium" => uniform(scaled(240), 20, 20, heavy_policy),
        "XLU" => unique_labels(size(
            scaled(150_000),
            scaled(10_000),
            scaled(20_000),
            scaled(5_000),
        )),
        "ADMIN" => admin(size(
            scaled(15_000),
            scaled(500),
            scaled(1_000),
            scaled(500),
        )),
        _ => return None,
    })
}

type MakePolicy = fn(&mut Random, &Made, usize, usize) -> Value;

fn system_namespaces() -> Vec<Namespace> {
    let named = |name: &str| Namespace {
        name: name.into(),
        labels: vec![("team", "platform".into())],
    };
    ["kube-system", "monitoring", "ingress-nginx"]
        .map(named)
        .into()
}

fn app_namespace(random: &mut Random, i: usize) -> Namespace {
    let labels = vec![
        ("team", format!("team-{}", i / 8)),
        ("env", random.pick(&["prod", "stage", "dev"]).to_owned()),
        ("pod-security.kubernetes.io/enforce", "baseline".to_owned()),
        ("cost-center", format!("cc-{}", random.below(300))),
    ];
    Namespace {
        name: format!("ns-{i}"),
        labels,
    }
}

fn controller(random: &mut Random, namespace: usize, i: usize, replicas: usize) -> Controller {
    let app = random.below(200);
    let labels = vec![
        ("app.kubernetes.io/name", format!("app-{app}")),
        ("app.kubernetes.io/instance", format!("app-{app}-{i}")),
        (
            "app.kubernetes.io/component",
            random
                .pick(&["web", "api", "db", "cache", "queue", "worker"])
                .to_owned(),
        ),
        ("app.kubernetes.io/part-of", format!("suite-{}", app / 10)),
        (
            "app.kubernetes.io/version",
            format!("1.{}", random.below(20)),
        ),
        ("app.kubernetes.io/managed-by", "Helm".to_owned()),
        ("helm.sh/chart", format!("app-{app}-1.0")),
        ("tier", random.pick(&["front", "middle", "back"]).to_owned()),
        (
            "pod-template-hash",
            format!("{:08x}", random.below(1 << 30)),
        ),
    ];
    let name = format!("app-{app}-{i}");
    Controller {
        name,
        namespace,
        labels,
        unique: false,
        host_network: false,
        ports: SERVING,
        replicas,
    }
}

fn system_controllers(nodes: usize) -> Vec<Controller> {
    let make = |name: &str, namespace, replicas, host_network| Controller {
        name: name.to_owned(),
        namespace,
        labels: vec![
            ("app.kubernetes.io/name", name.to_owned()),
            ("k8s-app", name.to_owned()),
        ],
        unique: false,
        host_network,
        ports: SERVING,
        replicas,
    };
    vec![
        make("kube-proxy", 0, nodes, true),
        make("coredns", 0, (nodes / 50).max(2), false),
        make("prometheus", 1, 2, false),
        make("ingress-nginx", 2, (nodes / 100).max(1), false),
    ]
}

const REPLICAS: [usize; 14] = [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 5, 5, 10];

fn tier(size: Size, one: MakePolicy) -> Made {
    let mut random = Random(42);
    let mut made = Made {
        namespaces: system_namespaces(),
        nodes: size.nodes,
        ..Made::default()
    };
    let apps = size.namespaces.saturating_sub(3).max(1);
    made.namespaces
        .extend((0..apps).map(|i| app_namespace(&mut random, i)));
    made.controllers = system_controllers(size.nodes);
    let mut left = size
        .pods
        .saturating_sub(made.controllers.iter().map(|c| c.replicas).sum());
    while left > 0 {
        let replicas = random.pick(&REPLICAS).min(left);
        let namespace = 3 + random.below(apps);
        let next = controller(&mut random, namespace, made.controllers.len(), replicas);
        made.controllers.push(next);
        left -= replicas;
    }
    let governed = (apps * 7 / 10).max(1);
    made.policies = (0..size.policies)
        .map(|i| one(&mut random, &made, 3 + i % governed, i / governed))
        .collect();
    made
}

fn uniform(namespaces: usize, pods: usize, policies: usize, one: MakePolicy) -> Made {
    let mut random = Random(42);
    let mut made = Made {
        namespaces: system_namespaces(),
        nodes: 0,
        ..Made::default()
    };
    made.namespaces
        .extend((0..namespaces).map(|i| app_namespace(&mut random, i)));
    for namespace in 3..3 + namespaces {
        for i in 0..pods {
            let mut next = controller(&mut random, namespace, i, 1);
            next.labels.push(("index", i.to_string()));
            made.controllers.push(next);
        }
    }
    made.policies = (0..namespaces * policies)
        .map(|i| one(&mut random, &made, 3 + i / policies, i % policies))
        .collect();
    made
}

fn unique_labels(size: Size) -> Made {
    let mut made = tier(size, mixed_policy);
    made.controllers.iter_mut().for_each(|c| c.unique = true);
    let seen = json!({"podSelector": {"matchExpressions": [{"key": "unique", "operator": "Exists"}]},
        "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {"matchExpressions": [{"key": "unique", "operator": "Exists"}]}}]}]});
    let more: Vec<Value> = (3..made.namespaces.len())
        .step_by(10)
        .map(|n| policy(&made.namespaces[n].name, 9_999, seen.clone()))
        .collect();
    made.policies.extend(more);
    made
}

/// The L tier with administrators' tiers before and after the namespaces' own policies.
fn admin(size: Size) -> Made {
    let mut made = tier(size, mixed_policy);
    let env = |value: &str| json!({"namespaces": {"matchLabels": {"env": value}}});
    for i in 0..20 {
        let rule = |action: &str, peer: Value, port: usize| json!({"action": action, "from": [peer], "protocols": [{"tcp": {"destinationPort": {"number": port}}}]});
        let spec = json!({"tier": if i < 14 { "Admin" } else { "Baseline" }, "priority": i * 10, "subject": env(["prod", "stage", "dev"][i % 3]),
            "ingress": [rule("Pass", env("prod"), 8080), rule("Deny", env("dev"), 8000 + i), rule("Accept", json!({"namespaces": {"matchLabels": {"team": "platform"}}}), 9090)],
            "egress": [{"action": "Deny", "to": [{"networks": [format!("198.51.{i}.0/24")]}]}, {"action": "Pass", "to": [env("stage")]}]});
        made.policies.push(json!({"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy",
            "metadata": {"name": format!("admin-{i}")}, "spec": spec}));
    }
    made
}

fn policy(namespace: &str, i: usize, spec: Value) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": format!("policy-{i}"), "namespace": namespace}, "spec": spec})
}

fn named(namespace: &str) -> Value {
    json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}})
}

fn component(random: &mut Random) -> Value {
    json!({"matchLabels": {"app.kubernetes.io/component": random.pick(&["web", "api", "db", "cache", "queue", "worker"])}})
}

fn app(random: &mut Random) -> Value {
    json!({"matchLabels": {"app.kubernetes.io/name": format!("app-{}", random.below(200))}})
}

/// Ten kinds of policies as they are found in the wild.
fn mixed_policy(random: &mut Random, made: &Made, namespace: usize, i: usize) -> Value {
    let kind = if i == 0 { 0 } else { 1 + random.below(9) };
    let port = |p: Value| json!([{"protocol": "TCP", "port": p}]);
    let spec = match kind {
        0 => json!({"podSelector": {}, "policyTypes": ["Ingress"]}),
        1 => json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}),
        2 => {
            json!({"podSelector": component(random), "ingress": [{"from": [named("ingress-nginx")], "ports": port(json!("http"))}]})
        }
        3 => {
            json!({"podSelector": {}, "ingress": [{"from": [named("monitoring")], "ports": port(json!("metrics"))}]})
        }
        4 => {
            json!({"podSelector": component(random), "ingress": [{"from": [{"podSelector": component(random)}], "ports": port(json!(8080))}]})
        }
        5 => {
            json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [named("kube-system")],
            "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}]})
        }
        6 => {
            json!({"podSelector": component(random), "policyTypes": ["Egress"], "egress": [{"to": [outside(random)]}]})
        }
        7 => {
            let team = format!("team-{}", random.below(made.namespaces.len()) / 8);
            json!({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": team}}}]}]})
        }
        8 => {
            let other = &made.namespaces[random.below(made.namespaces.len())].name;
            let mut from = named(other);
            from["podSelector"] = component(random);
            json!({"podSelector": component(random), "ingress": [{"from": [from], "ports": [{"port": 8000, "endPort": 9100}]}]})
        }
        _ => {
            json!({"podSelector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["back"]}]},
            "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"env": random.pick(&["prod", "stage", "dev"])},
                "matchExpressions": [{"key": "cost-center", "operator": "Exists"}]}}], "ports": port(json!(8080))}]})
        }
    };
    policy(&made.namespaces[namespace].name, i, spec)
}

fn outside(random: &mut Random) -> Value {
    if random.below(2) == 0 {
        return json!({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]}});
    }
    let net = format!(
        "{}.{}.{}",
        20 + random.below(60),
        random.below(256),
        random.below(256)
    );
    json!({"ipBlock": {"cidr": format!("{net}.0/24"), "except": [format!("{net}.{}/32", random.below(256))]}})
}

/// The density of a large customer: many policies per namespace, half of the peers single
/// addresses, some select nothing.
fn dense_policy(random: &mut Random, made: &Made, namespace: usize, i: usize) -> Value {
    let subject = match random.below(100) {
        0..26 => json!({"matchLabels": {"app.kubernetes.io/name": "gone"}}),
        26..60 => app(random),
        _ => component(random),
    };
    let peer = match random.below(100) {
        0..40 => {
            json!({"ipBlock": {"cidr": format!("{}.{}.{}.{}/32", 30 + random.below(4), random.below(8), random.below(16), random.below(8))}})
        }
        40..99 => json!({"podSelector": app(random)}),
        _ => json!({"namespaceSelector": {}, "podSelector": component(random)}),
    };
    let ports = (0..random.below(3))
        .map(|_| json!({"port": random.pick(&[80, 443, 5432, 8080, 9090])}))
        .collect::<Vec<_>>();
    let spec = if random.below(3) == 0 {
        json!({"podSelector": subject, "policyTypes": ["Egress"], "egress": [{"to": [peer], "ports": ports}]})
    } else {
        json!({"podSelector": subject, "ingress": [{"from": [peer], "ports": ports}]})
    };
    policy(&made.namespaces[namespace].name, i, spec)
}

fn per_pod(_: &mut Random, made: &Made, namespace: usize, i: usize) -> Value {
    let pod = |i: usize| json!({"matchLabels": {"index": i.to_string()}});
    let spec = json!({"podSelector": pod(i), "ingress": [{"from": [{"podSelector": pod(i / 2)}, {"podSelector": pod(i + 1)}], "ports": [{"port": 8080}]}]});
    policy(&made.namespaces[namespace].name, i, spec)
}

/// Ten rules each way, ten peers and ten ports in each.
fn heavy_policy(random: &mut Random, made: &Made, namespace: usize, i: usize) -> Value {
    let ports = |random: &mut Random| {
        (0..10)
            .map(|_| json!({"port": 1_000 + random.below(1_000)}))
            .collect::<Vec<_>>()
    };
    let block = |random: &mut Random| json!({"ipBlock": {"cidr": format!("{}.{}.0.0/24", 20 + random.below(4), random.below(32))}});
    let peers = |random: &mut Random| {
        (0..10).map(|k| if k < 5 { block(random) } else { json!({"namespaceSelector": {"matchLabels": {"team": format!("team-{}", random.below(made.namespaces.len()) / 8)}}, "podSelector": component(random)}) }).collect::<Vec<_>>()
    };
    let ingress: Vec<Value> = (0..10)
        .map(|_| json!({"from": peers(random), "ports": ports(random)}))
        .collect();
    let egress: Vec<Value> = (0..10)
        .map(|_| json!({"to": peers(random), "ports": ports(random)}))
        .collect();
    let spec = json!({"podSelector": component(random), "policyTypes": ["Ingress", "Egress"], "ingress": ingress, "egress": egress});
    policy(&made.namespaces[namespace].name, i, spec)
}

/// The address of a node.
pub fn node_address(i: usize) -> IpAddr {
    address(Ipv4Addr::new(192, 168, 0, 0), i)
}

/// The address of a pod.
pub fn pod_address(i: usize) -> IpAddr {
    address(Ipv4Addr::new(10, 0, 0, 0), i)
}

fn address(base: Ipv4Addr, i: usize) -> IpAddr {
    Ipv4Addr::from(u32::from(base) + 1 + u32::try_from(i).unwrap_or(0)).into()
}

impl Made {
    /// The pods: controller, number inside it, number in the cluster.
    pub fn pods(&self) -> impl Iterator<Item = (&Controller, usize, usize)> {
        let each = self
            .controllers
            .iter()
            .flat_map(|c| (0..c.replicas).map(move |i| (c, i)));
        each.enumerate().map(|(n, (c, i))| (c, i, n))
    }

    /// The node of a pod, if there are any.
    pub fn node_of(&self, controller: &Controller, i: usize, n: usize) -> Option<usize> {
        (self.nodes > 0).then(|| {
            if controller.host_network {
                i % self.nodes
            } else {
                n * 7 % self.nodes
            }
        })
    }

    /// The same cluster without every so manieth of its policies.
    pub fn without_every(mut self, nth: usize) -> Self {
        let mut n = 0;
        self.policies.retain(|_| {
            n += 1;
            n % nth != 0
        });
        self
    }

    /// The policies as one text, a document each.
    pub fn law(&self) -> String {
        self.policies
            .iter()
            .flat_map(|p| ["---\n".to_owned(), p.to_string(), "\n".to_owned()])
            .collect()
    }

    /// The whole as an input; the world is built directly, the law is read.
    pub fn input(&self) -> Input {
        let law = netpal::load_str(&self.law());
        assert!(!law.has_errors(), "{:?}", law.diagnostics.first());
        Input {
            cluster: Arc::new(self.cluster()),
            policies: law.policies,
            ..Input::default()
        }
    }

    /// The world.
    pub fn cluster(&self) -> Cluster {
        let mut cluster = Cluster::default();
        let origin = || Origin::document(DocumentId(0));
        for namespace in &self.namespaces {
            cluster.declare_namespace(&namespace.name, pairs(&namespace.labels), origin());
        }
        for i in 0..self.nodes {
            let addresses = [node_address(i)].into();
            cluster.add_node(Node {
                name: node_name(i).into(),
                labels: Labels::default(),
                addresses,
                origin: origin(),
            });
        }
        let (mut n, mut words) = (0, Words::default());
        for controller in &self.controllers {
            self.add(&mut cluster, controller, &mut n, &mut words);
        }
        cluster
    }

    fn add(
        &self,
        cluster: &mut Cluster,
        controller: &Controller,
        n: &mut usize,
        words: &mut Words,
    ) {
        let origin = || Origin::document(DocumentId(0));
        let namespace = cluster.namespace_named(&self.namespaces[controller.namespace].name);
        let workload = cluster.add_workload(Workload {
            made: None,
            kind: WorkloadKind::Deployment,
            name: controller.name.as_str().into(),
            namespace,
            own_labels: std::sync::Arc::default(),
            pods: Vec::new(),
            alternatives: false,
            origin: origin(),
        });
        let port = |(name, port): &(&str, u16)| ContainerPort {
            name: Some((*name).into()),
            protocol: Protocol::Tcp,
            port: *port,
        };
        let ports: Arc<[ContainerPort]> = controller.ports.iter().map(port).collect();
        let labels = words.pairs(&controller.labels);
        let shared = (!controller.unique)
            .then(|| cluster.intern(labels.clone().into_iter().collect::<Labels>()));
        for i in 0..controller.replicas {
            let labels = shared.unwrap_or_else(|| {
                let own = [(words.word("unique"), n.to_string().into())];
                cluster.intern(labels.iter().cloned().chain(own).collect::<Labels>())
            });
            let node = self.node_of(controller, i, *n);
            let address = if controller.host_network {
                node.map(node_address)
            } else {
                Some(pod_address(*n))
            };
            cluster.add_pod(Pod {
                name: format!("{}-{i}", controller.name).into(),
                namespace,
                workload,
                labels,
                ports: Arc::clone(&ports),
                host_ports: Box::default(),
                host_network: controller.host_network,
                rare: None,
                own_network: false,
                node: node.map(|i| words.word(&node_name(i))),
                addresses: address.into_iter().collect(),
                ready: true,
                dns_name: None,
                replicas: 1,
                origin: origin(),
            });
            *n += 1;
        }
    }
}

/// The name of a node.
pub fn node_name(i: usize) -> String {
    format!("node-{i}")
}

/// Words that stand once in memory, as loading stores them.
#[derive(Default)]
struct Words(HashSet<Arc<str>>);

impl Words {
    fn word(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.0.get(word) {
            return Arc::clone(known);
        }
        let new: Arc<str> = word.into();
        self.0.insert(Arc::clone(&new));
        new
    }

    fn pairs(&mut self, labels: &[(&'static str, String)]) -> Vec<(Arc<str>, Arc<str>)> {
        labels
            .iter()
            .map(|(k, v)| (self.word(k), self.word(v)))
            .collect()
    }
}

fn pairs(labels: &[(&'static str, String)]) -> Labels {
    labels.iter().map(|(k, v)| (*k, v.as_str())).collect()
}
