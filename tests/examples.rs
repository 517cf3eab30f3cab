//! The example data means what its READMEs and the documentation say: verdicts, reasons, and the
//! lines they point at.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::internals::policy::tier::kubernetes::{ADMIN_CODES, BASELINE_CODES};
use netpal::{
    AllowGraph, CompileOptions, Context, Explanation, HostNetwork, Input, Locator, Origin,
    Question, Reason, TrafficSet, ask,
};
use std::path::{Path, PathBuf};

#[allow(dead_code)]
#[path = "../examples/ask.rs"]
mod program;

const DEMO: [&str; 7] = [
    "README.md",
    "data.yaml",
    "dev.yaml",
    "netpal.yaml",
    "platform.yaml",
    "policy-tests/shop.yaml",
    "shop.yaml",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// An example, read and compiled.
struct Example {
    input: Input,
    graph: AllowGraph,
}

impl Example {
    fn from_input(input: Input) -> Self {
        assert!(
            input.diagnostics.is_empty(),
            "an example reads without a remark: {:?}",
            input.diagnostics
        );
        let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        graph.verify();
        Self { input, graph }
    }

    fn open(name: &str) -> Self {
        Self::from_input(netpal::load([root().join("examples").join(name)]).unwrap())
    }

    /// The demo after an edit of `data.yaml`.
    fn demo_with(edit: impl Fn(&str) -> String) -> Self {
        let read =
            |name: &str| std::fs::read_to_string(root().join("examples/demo").join(name)).unwrap();
        let data = edit(&read("data.yaml"));
        let texts = [
            data,
            read("dev.yaml"),
            read("platform.yaml"),
            read("shop.yaml"),
        ];
        Self::from_input(netpal::load_str(&texts.join("---\n")))
    }

    fn verdict(&self, question: &str) -> &'static str {
        let question: Question = question.parse().unwrap();
        ask(&self.graph, &Context::default(), &question)
            .unwrap()
            .verdict
            .word()
    }

    fn explain(&self, question: &str) -> Explanation {
        let parsed: Question = question.parse().unwrap();
        let answer = ask(&self.graph, &Context::default(), &parsed).unwrap();
        answer.explain(&self.graph, 0).unwrap()
    }

    /// `file:line` without the directories.
    fn index_of(&self, origin: &Origin) -> String {
        let text = Locator::new(&self.input.sources)
            .locate(origin)
            .unwrap()
            .to_string();
        text.rsplit('/').next().unwrap().to_owned()
    }

    fn policy(&self, name: &str) -> &netpal::Policy {
        self.input
            .policies
            .policies
            .iter()
            .find(|p| p.full_name() == name)
            .unwrap()
    }

    /// Where a part of a policy stands: a path such as `spec.ingress[0].from[1]`.
    fn at(&self, policy: &str, path: &str) -> String {
        let mut found = netpal::DocumentPath::root();
        for part in path.split('.') {
            let (key, index) = part
                .split_once('[')
                .map_or((part, None), |(k, i)| (k, Some(i)));
            found = found.key(key);
            if let Some(index) = index {
                found = found.index(index.trim_end_matches(']').parse().unwrap());
            }
        }
        self.index_of(&Origin::new(self.policy(policy).document, found))
    }

    /// Every allowed flow with a governed end, between workloads that are not on a node's network,
    /// as sorted lines.
    fn flows(&self) -> Vec<String> {
        let cluster = &self.input.cluster;
        let listing = netpal::list(&self.graph, &netpal::ListFilter::default());
        let name = |party: &netpal::ListParty| match party {
            netpal::ListParty::Workload(id) if listing.host_network.contains(id) => None,
            netpal::ListParty::Workload(id) => Some(cluster.workload_name(*id)),
            netpal::ListParty::Addresses(_) => Some("outside".to_owned()),
        };
        let line = |entry: &netpal::ListEntry| {
            let (from, to) = (name(&entry.source)?, name(&entry.destination)?);
            assert!(
                !entry.differs && entry.allowed.unknown().is_empty(),
                "{from} -> {to} is one certain flow"
            );
            Some(format!("{from} -> {to} {}", words(&entry.allowed.must)))
        };
        let mut lines: Vec<String> = listing.entries.iter().filter_map(line).collect();
        lines.sort();
        lines
    }

    fn names(&self, ids: &[netpal::WorkloadId]) -> Vec<String> {
        let mut names: Vec<String> = ids
            .iter()
            .map(|id| self.input.cluster.workload_name(*id))
            .collect();
        names.sort();
        names
    }
}

fn words(set: &TrafficSet) -> String {
    let one = set.sample().unwrap();
    assert_eq!(
        *set,
        TrafficSet::ports(one.protocol, one.port, one.port),
        "one port"
    );
    format!("{} {}", one.protocol, one.port)
}

fn delete_the_dash(text: &str) -> String {
    let dash = "    - podSelector: {matchLabels: {app: checkout}}";
    assert_eq!(
        text.lines().nth(31),
        Some(dash),
        "the dash stands on line 32"
    );
    text.replace(dash, &dash.replace('-', " "))
}

#[test]
fn the_demo_is_as_large_as_its_introduction_says() {
    let demo = Example::open("demo");
    let cluster = &demo.input.cluster;
    let counts = (
        cluster.namespaces().len(),
        cluster.workloads().len(),
        demo.input.policies.policies.len(),
    );
    assert_eq!(counts, (6, 10, 9));
    let files = walk(&root().join("examples/demo"));
    assert_eq!(files, DEMO);
}

fn walk(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(
                    path.strip_prefix(directory)
                        .unwrap()
                        .to_string_lossy()
                        .replace('\\', "/"),
                );
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_demo_answers_as_drawn() {
    let demo = Example::open("demo");
    for (question, verdict) in [
        // the first mistake: the author wants only checkout
        ("frontend reach database:5432", "yes"),
        ("checkout reach database:5432", "yes"),
        ("dev/runner reach database:5432", "no"),
        ("frontend reach cart.shop.svc:80", "no"), // the second: the pods listen on 7070
        ("frontend reach shop/cart:80", "no"),     // the Service's port too
        ("frontend reach shop/deploy/cart:80", "yes"),
        ("cart reach redis:6379", "yes"),
        ("cart reach dns:53/udp", "no"), // the third
        ("ns/shop reach dns:53/udp,53/tcp", "partly"),
        ("ns/shop reach database:5432", "partly"),
        ("shop/frontend reach node-agent:9100", "unknown"),
        ("prometheus reach node-agent:9100", "unknown"),
        ("internet reach shop/frontend:8080", "no"),
        ("internet reach ingress-nginx/controller:443", "yes"),
        ("frontend reach imds:80", "yes"),
        ("ns/dev reach ns/data", "no"),
        ("ns/data reach internet", "no"),
    ] {
        assert_eq!(demo.verdict(question), verdict, "{question}");
    }
}

#[test]
fn the_demo_points_at_the_lines_that_are_printed() {
    let demo = Example::open("demo");
    for (policy, path, line) in [
        ("data/database-ingress", "spec.ingress", "data.yaml:29"),
        (
            "data/database-ingress",
            "spec.ingress[0].from[0]",
            "data.yaml:31",
        ),
        (
            "data/database-ingress",
            "spec.ingress[0].from[1]",
            "data.yaml:32",
        ),
        ("data/allow-metrics", "spec.ingress[0]", "data.yaml:61"),
        (
            "shop/cart-ingress",
            "spec.ingress[0].ports[0].port",
            "shop.yaml:52",
        ),
        ("shop/cart-egress", "spec.egress", "shop.yaml:60"),
    ] {
        assert_eq!(demo.at(policy, path), line, "{policy} {path}");
    }
}

#[test]
fn the_demo_gives_its_reasons() {
    let demo = Example::open("demo");
    let yes = demo.explain("frontend reach database:5432");
    assert_eq!(
        (yes.egress.reason, yes.ingress.reason),
        (Reason::AllowDefault, Reason::AllowRule)
    );
    let rule = yes.ingress.decided_by.unwrap();
    let policy = demo.input.policies.get(rule.policy);
    assert_eq!(
        format!("{} {}", policy.full_name(), policy.rule_path(rule)),
        "data/database-ingress ingress[0].from[0]"
    );
    assert_eq!(demo.index_of(&policy.origin(rule)), "data.yaml:31");

    let no = demo.explain("dev/runner reach database:5432");
    assert_eq!(
        (no.egress.reason, no.ingress.reason),
        (Reason::AllowDefault, Reason::DenyNoRuleMatches)
    );
    let names: Vec<String> = no
        .ingress
        .isolated_by
        .iter()
        .map(|p| demo.input.policies.get(*p).full_name())
        .collect();
    assert_eq!(
        names,
        [
            "data/default-deny",
            "data/database-ingress",
            "data/allow-metrics"
        ]
    );

    let service = demo.explain("frontend reach cart.shop.svc:80");
    assert_eq!(service.flow.traffic.port, 7070);
    assert_eq!(service.ingress.reason, Reason::DenyPort);
    assert_eq!(
        demo.explain("frontend reach node-agent:9100").reason(),
        Reason::UnknownHostnetwork
    );
}

#[test]
fn the_demo_lets_through_what_its_snapshot_lists() {
    let demo = Example::open("demo");
    let listing = netpal::list(&demo.graph, &netpal::ListFilter::default());
    let open = [
        "dev/runner",
        "ingress-nginx/controller",
        "kube-system/coredns",
        "monitoring/prometheus",
    ];
    assert_eq!(demo.names(&listing.open_in), open);
    assert_eq!(
        demo.names(&listing.host_network),
        ["kube-system/node-agent"]
    );
    let mut free = demo.names(&listing.open_out);
    free.retain(|name| name != "kube-system/node-agent"); // unknown as a whole, one line of its own
    assert_eq!(
        free,
        [&open[..], &["shop/checkout", "shop/frontend"]].concat()
    );
    assert_eq!(
        demo.flows(),
        [
            "ingress-nginx/controller -> shop/frontend TCP 8080",
            "monitoring/prometheus -> data/database TCP 9187",
            "shop/cart -> data/redis TCP 6379",
            "shop/checkout -> data/database TCP 5432",
            "shop/frontend -> data/database TCP 5432", // goes when the dash is deleted
            "shop/frontend -> shop/cart TCP 80", // a port nothing listens on is open all the same
            "shop/frontend -> shop/checkout TCP 5050",
        ]
    );
}

#[test]
fn deleting_the_dash_closes_exactly_one_path() {
    let (before, after) = (Example::open("demo"), Example::demo_with(delete_the_dash));
    let lines = after.flows();
    let gone: Vec<String> = before
        .flows()
        .into_iter()
        .filter(|l| !lines.contains(l))
        .collect();
    assert_eq!(gone, ["shop/frontend -> data/database TCP 5432"]);
    assert!(
        lines.iter().all(|l| before.flows().contains(l)),
        "nothing opens"
    );
    // the way in narrows for the cart too; the way out was closed to it all along
    let ways_in = [&before, &after].map(|e| {
        e.explain("shop/cart reach data/database:5432")
            .ingress
            .reason
    });
    assert_eq!(ways_in, [Reason::AllowRule, Reason::DenyNoRuleMatches]);
    assert_eq!(after.verdict("checkout reach database:5432"), "yes");
}

#[test]
fn a_second_rule_for_the_database_stands_where_the_diff_sample_says() {
    let rule = "      port: 5432\n  # the runner migrates the schema\n  # before a release\n  - from:\n    \
                - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dev}}\n---\n";
    let edit = |text: &str| delete_the_dash(text).replacen("      port: 5432\n---\n", rule, 1);
    let after = Example::demo_with(edit);
    assert_eq!(
        after.at("data/database-ingress", "spec.ingress[1]"),
        "<text>:38"
    );
    assert_eq!(after.verdict("dev/runner reach database:5432"), "yes");
}

#[test]
fn three_tiers_answer_as_their_readme_says() {
    let tiers = Example::open("three-tier");
    for (question, verdict) in [
        ("frontend reach app:8080", "yes"),
        ("app reach database:5432", "yes"),
        ("frontend reach database:5432", "yes"), // no policy selects the database
        ("database reach app:8080", "no"),
        ("app reach frontend:8080", "no"),
        ("app reach internet", "no"),
    ] {
        assert_eq!(tiers.verdict(question), verdict, "{question}");
    }
}

#[test]
fn tiers_answer_as_their_readme_says() {
    let tiers = Example::open("tiers");
    for (question, verdict, reason) in [
        (
            "prometheus reach red/web:9090",
            "yes",
            Reason::AllowTier(&ADMIN_CODES),
        ),
        ("envoy reach red/web:8080", "yes", Reason::AllowRule),
        ("envoy reach red/web:9090", "no", Reason::DenyPort),
        (
            "envoy reach red/batch:8080",
            "no",
            Reason::DenyTier(&BASELINE_CODES),
        ),
        (
            "blue/api reach red/web:8080",
            "no",
            Reason::DenyTier(&ADMIN_CODES),
        ),
        (
            "envoy reach blue/api:8080",
            "no",
            Reason::DenyTier(&BASELINE_CODES),
        ),
        ("internet reach red/batch:8080", "yes", Reason::AllowDefault),
    ] {
        assert_eq!(
            (
                tiers.verdict(question),
                tiers.explain(question).ingress.reason
            ),
            (verdict, reason),
            "{question}"
        );
    }
}

/// The rows of a table in an example's README, as question and verdict.
fn promised(example: &str) -> Vec<(String, String)> {
    let text =
        std::fs::read_to_string(root().join("examples").join(example).join("README.md")).unwrap();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        Some((
            cells.next()?.trim_end_matches('`').to_owned(),
            cells.next()?.to_owned(),
        ))
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn the_tables_of_the_readmes_hold() {
    for (name, rows) in [("three-tier", 5), ("tiers", 7)] {
        let (example, promised) = (Example::open(name), promised(name));
        assert_eq!(promised.len(), rows, "{name}");
        for (question, verdict) in promised {
            assert_eq!(example.verdict(&question), verdict, "{name}: {question}");
        }
    }
}

#[test]
fn no_verdict_of_the_demo_but_the_node_agents_depends_on_an_assumption() {
    let demo = Example::open("demo");
    let host = |e: &netpal::End| match e {
        netpal::End::Pods { workload, .. } => {
            demo.input.cluster.workload_name(*workload) == "kube-system/node-agent"
        }
        netpal::End::Addresses { .. } => false,
    };
    let everything = ask(
        &demo.graph,
        &Context::default(),
        &"any reach any".parse().unwrap(),
    )
    .unwrap();
    let known = everything
        .pairs
        .iter()
        .filter(|p| !host(&p.source) && !host(&p.destination));
    assert!(known.clone().count() >= 72 && known.clone().all(|p| p.allowed.unknown().is_empty()));
    let assumed = CompileOptions::default().host_network(HostNetwork::Node);
    let graph = AllowGraph::compile(&demo.input, &assumed).unwrap();
    let question = "shop/frontend reach node-agent:9100".parse().unwrap();
    assert_eq!(
        ask(&graph, &Context::default(), &question)
            .unwrap()
            .verdict
            .word(),
        "yes"
    );
}

#[test]
fn the_library_program_is_short_and_prints_the_verdict_with_its_reason() {
    let text = std::fs::read_to_string(root().join("examples/ask.rs")).unwrap();
    assert!(text.lines().count() < 60);
    let run = |words: &str| {
        let words: Vec<String> = words.split(' ').map(ToOwned::to_owned).collect();
        let mut out = Vec::new();
        program::run(&words, &mut out)
            .map(|()| String::from_utf8(out).unwrap())
            .map_err(|e| e.to_string())
    };
    std::env::set_current_dir(root()).unwrap();
    let expected = "yes\n  egress: ALLOW_DEFAULT\n  ingress: ALLOW_RULE by data/database-ingress ingress[0].from[0] \
                    (examples/demo/data.yaml:31)\n";
    assert_eq!(
        run("examples/demo frontend reach database:5432"),
        Ok(expected.to_owned())
    );
    assert_eq!(
        run("examples/demo fronted reach database:5432").unwrap_err(),
        "no workload or Service is called `fronted`"
    );
}
