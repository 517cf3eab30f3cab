//! Random questions about an input, with the verdicts of the command line.
//!
//! They name what there is in every way of the grammar, and what there is not; ports are those that
//! the manifests write and their neighbours, names of ports, and texts that are none. The verdict
//! is that of the facade, with stand-ins for what is asked and not loaded, as `netpal can` has it.

use netpal::{
    AllowGraph, AskedPods, CompileOptions, Context, EndpointSpec, Input, Keyword, Question,
    Selector, Target, ask, dns_pods, with_controller, with_stand_ins,
};
use std::collections::BTreeSet;
use std::path::Path;

/// A small generator of numbers that look random (xorshift).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).unwrap()
    }

    fn pick<'a>(&mut self, list: &'a [String]) -> &'a str {
        match list.len() {
            0 => "nothing",
            n => &list[self.roll(n)],
        }
    }
}

/// Everything that a question may name, by kind.
#[derive(Default)]
struct Pool {
    workloads: Vec<String>,
    pods: Vec<String>,
    namespaces: Vec<String>,
    services: Vec<String>,
    labels: Vec<String>,
    addresses: Vec<String>,
    ports: Vec<String>,
    port_names: Vec<String>,
}

const WORDS: [&str; 14] = [
    "hep/node-0-eth0",
    "node/node-0",
    "internet",
    "internet4",
    "internet6",
    "private",
    "any",
    "any-pod",
    "imds",
    "dns",
    "apiserver",
    "nodes",
    "*/*",
    "assumed/ingress-nginx",
];

const WRONG: [&str; 14] = [
    "no-such-thing",
    "ns/no-such-thing",
    "svc/no-such-thing",
    "no.such.svc",
    "a/b/c",
    "node/none",
    "netset/none",
    "hep/none",
    "shop?=x",
    "?no-label=here",
    "[::1",
    "a b",
    "",
    "x/y/z/w/v",
];

const ADDRESSES: [&str; 16] = [
    "10.0.0.0/8",
    "10.1.2.3",
    "8.8.8.8",
    "1.1.1.1/32",
    "203.0.113.0/24",
    "192.168.0.0/16",
    "169.254.169.254",
    "0.0.0.0/0",
    "::/0",
    "2001:db8::1",
    "fd00::/8",
    "fd00:ec2::254",
    "127.0.0.1",
    "10-244-0-5.shop.pod.cluster.local",
    "255.255.255.255",
    "::ffff:1.2.3.4",
];

const PORTS: [&str; 22] = [
    "",
    "",
    "",
    "*",
    "80",
    "443",
    "53/udp",
    "53",
    "1-65535",
    "8000-9000",
    "80,443,http",
    "icmp/8",
    "icmp",
    "icmpv6/128/0",
    "proto/47",
    "proto/6",
    "http",
    "0",
    "65536",
    "80/xyz",
    "9-8",
    "5000/sctp",
];

impl Pool {
    fn of(input: &Input, texts: &str) -> Self {
        let cluster = &input.cluster;
        let mut pool = Self::default();
        for (_, namespace) in cluster.namespaces() {
            pool.namespaces.push(namespace.name.to_string());
        }
        for (_, workload) in cluster.workloads() {
            let namespace = &cluster.namespace(workload.namespace).name;
            let (kind, name) = (workload.kind_name(), &workload.name);
            pool.workloads.extend([
                name.to_string(),
                format!("{namespace}/{name}"),
                format!("{kind}/{name}"),
                format!("{namespace}/{kind}/{name}"),
                format!("{namespace}/{}/{name}", kind.to_lowercase()),
                format!("*/{name}"),
            ]);
            if let Some(made) = &workload.made {
                pool.workloads
                    .push(format!("{namespace}/{}/{}", made.kind, made.object));
                pool.workloads.push(made.object.to_string());
                pool.pods
                    .push(made.pods.replace('#', "0").replace('*', "abcde"));
            }
            for pod in &workload.pods {
                let pod = cluster.pod(*pod);
                pool.pods.push(pod.name.to_string());
                pool.pods.push(format!("{namespace}/po/{}", pod.name));
                pool.addresses
                    .extend(pod.addresses.iter().map(ToString::to_string));
                for port in pod.ports.iter() {
                    pool.ports.push(port.port.to_string());
                    pool.port_names.extend(port.name.as_deref().map(Into::into));
                }
            }
            pool.pods.push(format!("{name}-0"));
            pool.pods.push(format!("{name}-7d9f8b6c5d-x2x4z"));
        }
        for (id, pod) in cluster.pods() {
            let namespace = &cluster.namespace(pod.namespace).name;
            for (key, value) in cluster.pod_labels(id).iter() {
                pool.labels.extend([
                    format!("{namespace}?{key}={value}"),
                    format!("?{key}={value}"),
                    format!("{namespace}?{key}!={value}"),
                    format!("{namespace}?{key}"),
                    format!("{namespace}?!{key}"),
                    format!("?{key} in ({value},other),{key}"),
                    format!("?{key} notin ({value})"),
                ]);
            }
        }
        for (_, service) in cluster.services() {
            let namespace = &cluster.namespace(service.namespace).name;
            let name = &service.name;
            pool.services.extend([
                format!("svc/{name}"),
                format!("{namespace}/svc/{name}"),
                format!("{name}.{namespace}"),
                format!("{name}.{namespace}.svc"),
                format!("{name}.{namespace}.svc.cluster.local"),
                format!("{name}-0.{name}.{namespace}.svc"),
            ]);
            pool.addresses
                .extend(service.addresses.iter().map(ToString::to_string));
            for port in &service.ports {
                pool.ports.push(port.port.to_string());
                pool.ports.extend(port.node.map(|node| node.to_string()));
                pool.port_names.extend(port.name.as_deref().map(Into::into));
            }
        }
        pool.read(texts);
        pool
    }

    /// Addresses and numbers that the manifests write.
    fn read(&mut self, texts: &str) {
        let of_address = |c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '/'));
        let found: BTreeSet<&str> = texts.split(of_address).collect();
        for text in found {
            let block = text.parse::<ipnet::IpNet>().is_ok();
            let address = text.parse::<std::net::IpAddr>().is_ok();
            if block || address {
                self.addresses.push(text.to_owned());
            }
        }
        self.addresses.extend(ADDRESSES.map(Into::into));
        let lines = texts
            .lines()
            .filter(|line| line.to_lowercase().contains("port"));
        let numbers: BTreeSet<u32> = lines
            .flat_map(|line| line.split(|c: char| !c.is_ascii_digit()))
            .filter_map(|text| text.parse().ok())
            .collect();
        for number in numbers.into_iter().filter(|n| *n < 70_000) {
            let near = [number.saturating_sub(1), number, number, number, number + 1];
            self.ports.extend(near.map(|n| n.to_string()));
        }
    }

    fn end(&self, dice: &mut Dice) -> String {
        match dice.roll(100) {
            0..35 => dice.pick(&self.workloads).to_owned(),
            35..42 => dice.pick(&self.pods).to_owned(),
            42..50 => {
                let name = dice.pick(&self.namespaces);
                [format!("ns/{name}"), format!("{name}/*")][dice.roll(2)].clone()
            }
            50..68 => dice.pick(&self.services).to_owned(),
            68..77 => dice.pick(&self.labels).to_owned(),
            77..85 => dice.pick(&self.addresses).to_owned(),
            85..96 => WORDS[dice.roll(WORDS.len())].to_owned(),
            _ => WRONG[dice.roll(WRONG.len())].to_owned(),
        }
    }

    fn port(&self, dice: &mut Dice) -> String {
        match dice.roll(10) {
            0..5 => {
                let port = dice.pick(&self.ports).to_owned();
                let protocol = ["", "", "", "/tcp", "/udp"][dice.roll(5)];
                port + protocol
            }
            5..7 => dice.pick(&self.port_names).to_owned(),
            _ => PORTS[dice.roll(PORTS.len())].to_owned(),
        }
    }
}

/// A question, and what the command line says to it.
#[derive(serde::Serialize)]
pub struct Asked {
    pub from: String,
    pub to: String,
    pub port: String,
    pub expected: &'static str,
}

/// An input as the command line reads it.
pub struct Asking {
    input: Input,
    graph: AllowGraph,
    names: Context,
    pool: Pool,
}

impl Asking {
    pub fn of(folder: &Path) -> Self {
        let input = netpal::load([folder.to_str().unwrap()]).unwrap();
        let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        let mut names = Context::default();
        if let Some(dns) = dns_pods(&input, false) {
            names.dns = dns;
        }
        let mut texts = String::new();
        read(folder, &mut texts);
        let pool = Pool::of(&input, &texts);
        Self {
            input,
            graph,
            names,
            pool,
        }
    }

    /// So many questions of a seed.
    pub fn questions(&self, seed: u64, many: usize) -> Vec<Asked> {
        let mut dice = Dice::new(seed);
        let mut asked = Vec::new();
        while asked.len() < many {
            let from = self.pool.end(&mut dice);
            let same = dice.roll(12) == 0;
            let mut to = if same {
                from.clone()
            } else {
                self.pool.end(&mut dice)
            };
            let mut port = self.pool.port(&mut dice);
            if !port.is_empty() && !to.contains([' ', '[']) && dice.roll(3) == 0 {
                let is_address = to.contains("::");
                to = if is_address {
                    format!("[{to}]:{port}")
                } else {
                    format!("{to}:{port}")
                };
                port = if dice.roll(20) == 0 {
                    port
                } else {
                    String::new()
                };
            }
            let expected = self.verdict(&from, &to, &port);
            asked.push(Asked {
                from,
                to,
                port,
                expected,
            });
        }
        asked
    }

    /// The verdict of the command line, or that there is none.
    fn verdict(&self, from: &str, to: &str, port: &str) -> &'static str {
        let parsed = || -> Result<Question, netpal::ParseError> {
            let (source, destination) = (from.parse()?, to.parse::<EndpointSpec>()?);
            let destination = match port {
                "" => destination,
                _ => destination.with_ports(port)?,
            };
            Ok(Question {
                source,
                destination,
            })
        };
        let Ok(question) = parsed() else {
            return "error";
        };
        let ends = [&question.source, &question.destination];
        let Some(assumed) = self.with_controllers(ends) else {
            return "error";
        };
        let wanted: Vec<AskedPods> = ends.iter().filter_map(|end| self.stand_ins(end)).collect();
        let ports = question.destination.asked_ports();
        let input = assumed.as_ref().unwrap_or(&self.input);
        let laid = with_stand_ins(input, &wanted, &ports).map(|(input, _)| input);
        let compiled = laid
            .or(assumed)
            .map(|input| AllowGraph::compile(&input, &CompileOptions::default()).unwrap());
        let graph = compiled.as_ref().unwrap_or(&self.graph);
        ask(graph, &self.names, &question).map_or("error", |answer| answer.verdict.word())
    }

    /// The input with the controllers that are assumed, if any is; `None` if one is not known.
    #[allow(clippy::option_option)] // two questions: whether all are known, and whether there are any
    fn with_controllers(&self, ends: [&EndpointSpec; 2]) -> Option<Option<Input>> {
        let mut laid = None;
        for end in ends {
            if let Target::Assumed(name) = &end.target {
                laid = Some(with_controller(laid.as_ref().unwrap_or(&self.input), name)?);
            }
        }
        Some(laid)
    }

    /// The pods that stand in for an end that is not loaded.
    fn stand_ins(&self, end: &EndpointSpec) -> Option<AskedPods> {
        match &end.target {
            Target::Keyword(Keyword::Dns) => {
                let (namespace, labels) = self.names.dns.clone();
                Some(AskedPods::Dns(namespace, labels))
            }
            Target::Keyword(Keyword::AnyPod) => Some(AskedPods::Every),
            Target::Namespace(name) => {
                Some(AskedPods::Labelled(name.clone(), Selector::everything()))
            }
            Target::Selected {
                namespace: Some(namespace),
                selector,
            } => Some(AskedPods::Labelled(namespace.clone(), selector.clone())),
            _ => None,
        }
    }
}

fn read(folder: &Path, texts: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            read(&path, texts);
        } else if let Ok(text) = std::fs::read_to_string(&path)
            && text.len() < 4_000_000
        {
            texts.push_str(&text);
        }
    }
}
