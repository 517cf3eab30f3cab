//! Policy tests and snapshots: every claim with a case that holds and one that does not, and the
//! walk through the demo.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;
#[allow(dead_code)] // a part of it is used
#[path = "common/random.rs"]
mod random;

use common::{golden, netpal_at, netpal_in};
use netpal::internals::check::check_by;
use netpal::internals::check::external::Outside;
use netpal::{
    AllowGraph, Claim, CompileOptions, Context, DoorList, Endpoint, HostNetwork, IpSet, Outcome,
    Snapshot, TestEnvironment as Env, TestExample, TestStatus as Status, check, parse_tests,
};
use random::Random;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn demo_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo")
}

fn demo() -> AllowGraph {
    let texts = ["data.yaml", "dev.yaml", "platform.yaml", "shop.yaml"];
    let text = texts
        .map(|n| std::fs::read_to_string(demo_folder().join(n)).unwrap())
        .join("---\n");
    AllowGraph::compile(&netpal::load_str(&text), &CompileOptions::default()).unwrap()
}

/// The status of each test of a file on a graph.
fn statuses(graph: &AllowGraph, text: &str) -> Vec<Status> {
    let suite = parse_tests("t.yaml", text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    let none = |_: &str| Ok(Vec::new());
    let env = Env {
        context: &Context::default(),
        snapshot: &none,
        doors: &|| Ok(DoorList::default()),
    };
    let run = check(graph, &env, &suite);
    let shown = |o: &Outcome<'_>| o.status == Status::Passed || o.example.is_some();
    assert!(
        run.outcomes.iter().all(shown),
        "whatever did not pass shows why"
    );
    run.outcomes.iter().map(|o| o.status).collect()
}

fn status(graph: &AllowGraph, test: &str) -> Status {
    statuses(
        graph,
        &format!(
            "groups:\n  cde: {{namespaces: {{matchLabels: {{pci: \"true\"}}}}}}\n  non-cde: {{not: cde}}\n  edge: ingress-nginx/deploy/controller\n  backends: {{namespace: shop, pods: {{matchExpressions: [{{key: app, operator: In, values: [cart, checkout]}}]}}}}\ntests:\n- {test}\n"
        ),
    )[0]
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn every_claim_holds_where_it_does_and_fails_where_it_does_not() {
    let graph = demo();
    let table: &[(&str, Status)] = &[
        ("can: shop/checkout -> data/database:5432", Status::Passed),
        ("can: shop/cart -> data/database:5432", Status::Failed),
        ("can: ns/shop -> data/database:5432", Status::Failed),
        (
            "{can: ns/shop -> data/database:5432, match: some}",
            Status::Passed,
        ),
        ("{can: ns/dev -> ns/data, match: some}", Status::Failed),
        (
            "can: [shop/cart -> data/redis:6379, backends -> dns:53/udp]",
            Status::Failed,
        ),
        (
            "can: shop/frontend -> kube-system/node-agent:9100",
            Status::Undecided,
        ),
        ("cannot: ns/dev -> ns/data", Status::Passed),
        // of a port that nobody has nothing is claimed
        ("cannot: ns/dev -> data/database:postgres-x", Status::Empty),
        (
            "only-from: {to: data/database:postgres-x, from: [shop/cart]}",
            Status::Empty,
        ),
        (
            "isolated: {from: any, to: data/database:postgres-x}",
            Status::Empty,
        ),
        ("cannot: ns/shop -> data/database:5432", Status::Failed),
        (
            "cannot: monitoring/prometheus -> data/database",
            Status::Failed,
        ),
        (
            "cannot: monitoring/prometheus -> data/database:5432",
            Status::Passed,
        ),
        (
            "cannot: shop/cart -> kube-system/node-agent",
            Status::Undecided,
        ),
        ("cannot: any -> imds", Status::Failed),
        ("cannot: cde -> imds", Status::Passed),
        ("cannot: non-cde -> data/redis:6379", Status::Failed),
        (
            "only-from: {to: data/redis:6379, from: [shop/cart]}",
            Status::Passed,
        ),
        (
            "only-from: {to: data/database:5432, from: [shop/checkout]}",
            Status::Failed,
        ),
        (
            "only-from: {to: data/redis:6379, from: [shop/cart, dev/runner]}",
            Status::Passed,
        ),
        (
            "only-from: {to: data/redis:6379, from: [shop/cart, dev/runner], exactly: true}",
            Status::Failed,
        ),
        (
            "{only-from: {to: data/redis:6379, from: shop/cart}, exactly: true}",
            Status::Passed,
        ),
        ("only-from: {to: dev/runner, from: any}", Status::Failed),
        (
            "only-from: {to: dev/runner, from: [any, 0.0.0.0/0, '::/0']}",
            Status::Passed,
        ),
        (
            "only-to: {from: shop/cart, to: [data/redis:6379]}",
            Status::Passed,
        ),
        (
            "only-to: {from: shop/cart, to: [data/redis:6380]}",
            Status::Failed,
        ),
        (
            "only-to: {from: shop/cart, to: [data/redis]}",
            Status::Passed,
        ),
        (
            "only-to: {from: shop/cart, to: [data/redis:6379, dns], exactly: true}",
            Status::Failed,
        ),
        (
            "only-to: {from: shop/frontend, to: [shop/checkout:5050, shop/cart:80]}",
            Status::Failed,
        ),
        ("only-to: {from: data/redis, to: []}", Status::Passed),
        ("isolated: {from: ns/dev, to: cde}", Status::Passed),
        ("isolated: {from: ns/dev, to: cde, hops: 1}", Status::Passed),
        ("isolated: {from: ns/dev, to: cde, hops: 2}", Status::Failed),
        (
            "isolated: {from: ns/dev, to: cde, hops: any}",
            Status::Failed,
        ),
        (
            "isolated: {from: ns/dev, to: cde, hops: any, except-via: [monitoring/prometheus]}",
            Status::Failed,
        ),
        (
            "isolated: {from: ns/dev, to: cde, hops: any, except-via: [monitoring/prometheus, edge]}",
            Status::Passed,
        ),
        (
            "isolated: {from: ns/dev, to: 'data/database:9188', hops: 2}",
            Status::Passed,
        ),
        (
            "isolated: {from: ns/dev, to: cde, hops: any, except-via: [monitoring/prometheus, edge], through: [nodes]}",
            Status::Undecided,
        ),
        (
            "isolated: {from: data/redis, to: ns/shop, hops: any}",
            Status::Passed,
        ),
        ("internet: {ingress: [edge:80]}", Status::Failed),
        (
            "internet: {ingress: [edge, kube-system/coredns, dev/runner, monitoring/prometheus, kube-system/node-agent]}",
            Status::Passed,
        ),
        (
            "internet: {ingress: [edge, dns, dev/runner, monitoring/prometheus, kube-system/node-agent]}",
            Status::Failed,
        ),
        (
            "internet: {egress: ['ns/data -> internet']}",
            Status::Failed,
        ),
        ("default-deny: {namespaces: [data]}", Status::Passed),
        (
            "default-deny: {namespaces: [data], require-policy: true}",
            Status::Passed,
        ),
        (
            "{default-deny: {namespaces: [shop], directions: [ingress]}, require-policy: true}",
            Status::Failed,
        ),
        (
            "default-deny: {namespaces: [shop], directions: [ingress]}",
            Status::Passed,
        ),
        ("default-deny: {namespaces: [shop]}", Status::Failed),
        (
            "default-deny: {namespaces: {except: [kube-system, dev, monitoring, ingress-nginx]}, directions: [ingress]}",
            Status::Passed,
        ),
        (
            "default-deny: {namespaces: {matchLabels: {pci: 'true'}}}",
            Status::Passed,
        ),
        (
            "default-deny: {namespaces: [kube-system], directions: [egress]}",
            Status::Failed,
        ),
        ("can: ns/absent -> ns/data", Status::Empty),
        ("can: shop?app=none -> ns/data", Status::Empty),
        (
            "{cannot: ns/absent -> ns/data, allow-empty: true}",
            Status::Passed,
        ),
        ("default-deny: {namespaces: [absent]}", Status::Empty),
        ("default-deny: {namespaces: [data, dtaa]}", Status::Empty),
        ("default-deny: {namespaces: [shop, dtaa]}", Status::Failed),
        (
            "{default-deny: {namespaces: [data, dtaa]}, allow-empty: true}",
            Status::Passed,
        ),
        ("can: ns/shop -> database.data.svc:5433", Status::Failed),
    ];
    for (test, want) in table {
        assert_eq!(status(&graph, test), *want, "{test}");
    }
}

const UNDECLARED: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: told, labels: {app: a}}\nspec: {containers: [{name: c}]}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: untold, labels: {app: b}}\nspec: {containers: [{name: c}]}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: told, labels: {pci: \"true\"}}\n";

#[test]
fn membership_that_is_not_told_leaves_a_test_undecided() {
    let graph =
        AllowGraph::compile(&netpal::load_str(UNDECLARED), &CompileOptions::default()).unwrap();
    for (test, want) in [
        ("cannot: told/a -> cde", Status::Undecided),
        ("cannot: untold/b -> cde", Status::Failed),
        ("can: told/a -> cde", Status::Passed),
        (
            "only-from: {to: told/a, from: [cde, '0.0.0.0/0', '::/0']}",
            Status::Undecided,
        ),
        (
            "default-deny: {namespaces: {matchLabels: {pci: 'false'}}}",
            Status::Undecided,
        ),
    ] {
        assert_eq!(status(&graph, test), want, "{test}");
    }
}

#[test]
fn mistakes_in_a_test_file_have_their_place() {
    let told = |text: &str| {
        let problems = parse_tests("t.yaml", text).unwrap_err();
        format!(
            "{:?} {} {}",
            problems[0].place,
            problems[0].message,
            problems[0].help.as_deref().unwrap_or_default()
        )
    };
    let unknown = told("tests:\n- name: x\n  cannott: a -> b\n");
    assert!(
        unknown.contains("line: 3") && unknown.contains("did you mean `cannot`?"),
        "{unknown}"
    );
    assert!(told("tests:\n- name: x\n").contains("exactly one of"));
    assert!(told("tests:\n- {can: a -> b, cannot: a -> b}\n").contains("line: 2"));
    assert!(told("tests:\n- can: a\n").contains("is not a question"));
    assert!(told("tests:\n- isolated: {from: a, to: b, hops: some}\n").contains("hops"));
    assert!(told("tests:\n- only-from: {to: 'a:99999', from: b}\n").contains("99999"));
    assert!(told("version: 2\n").contains("version"));
    assert!(told("groups: {a: {pod: x}}\ntests: []\n").contains("pod"));
    assert!(
        parse_tests("t.yaml", "groups: {a: b, b: a}\ntests: [{can: a -> a}]\n").is_ok(),
        "found when it is run"
    );
}

/// Whether a path leads from any to any, by asking every pair of pods again and again.
fn reaches(graph: &AllowGraph, from: &BTreeSet<u32>, to: &BTreeSet<u32>) -> bool {
    let cluster = &graph.environment().cluster;
    let pods: Vec<netpal::PodId> = cluster.pods().map(|(id, _)| id).collect();
    let passes = |s: netpal::PodId, d: netpal::PodId| {
        s != d
            && !graph
                .allowed(Endpoint::Pod(s), Endpoint::Pod(d))
                .must
                .is_empty()
    };
    let mut reached: BTreeSet<u32> = from.clone();
    loop {
        let usable = |s: &u32| from.contains(s) || !cluster.pod(netpal::PodId(*s)).host_network;
        let next: BTreeSet<u32> = pods
            .iter()
            .filter(|d| {
                reached
                    .iter()
                    .filter(|s| usable(s))
                    .any(|s| passes(netpal::PodId(*s), **d))
            })
            .map(|d| d.0)
            .collect();
        if next.iter().any(|d| to.contains(d)) {
            return true;
        }
        let before = reached.len();
        reached.extend(next);
        if reached.len() == before {
            return false;
        }
    }
}

#[test]
fn isolation_over_hops_is_what_asking_every_pair_again_and_again_gives() {
    let (mut yes, mut no) = (0, 0);
    for seed in 0..200 {
        let text = random::text(&random::documents(&mut Random::new(seed)));
        let graph =
            AllowGraph::compile(&netpal::load_str(&text), &CompileOptions::default()).unwrap();
        let cluster = &graph.environment().cluster;
        let of = |name: &str| {
            let pods = cluster
                .pods()
                .filter(|(_, p)| *cluster.namespace(p.namespace).name == *name);
            pods.map(|(id, _)| id.0).collect::<BTreeSet<u32>>()
        };
        let (from, to) = (of("a"), of("b"));
        if from.is_empty() || to.is_empty() {
            continue;
        }
        let got = statuses(
            &graph,
            "tests: [{isolated: {from: ns/a, to: ns/b, hops: any}}]",
        )[0];
        let want = reaches(&graph, &from, &to);
        assert_eq!(got == Status::Failed, want, "seed {seed}");
        if want { yes += 1 } else { no += 1 }
    }
    println!("{yes} reached, {no} not");
    assert!(yes > 5 && no > 5, "{yes} and {no}: both happen");
}

/// Two pods in `a`, some between, one in `b`, each of the latter with a policy that lets in a few
/// of the others.
fn chained(random: &mut Random) -> String {
    let many = 2 + random.below(5);
    let between: Vec<String> = (0..many).map(|i| format!("m{i}")).collect();
    let pod = |name: &str| {
        let namespace = &name[..1];
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}\n\
             spec: {{containers: [{{name: c, image: i}}]}}\n---\n"
        )
    };
    let mut text: String = ["a0", "a1", "b0"]
        .into_iter()
        .chain(between.iter().map(String::as_str))
        .map(pod)
        .collect();
    for to in between.iter().map(String::as_str).chain(["b0"]) {
        let sources = between
            .iter()
            .map(String::as_str)
            .chain(["a0", "a1"].into_iter().filter(|_| to != "b0"));
        let sources: Vec<&str> = std::iter::once("none")
            .chain(sources.filter(|_| random.chance(35)))
            .collect();
        text += &format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {to}, namespace: {}}}\n\
             spec: {{podSelector: {{matchLabels: {{app: {to}}}}}, ingress: [{{from: [{{namespaceSelector: {{}}, \
             podSelector: {{matchExpressions: [{{key: app, operator: In, values: [{}]}}]}}}}]}}]}}\n---\n",
            &to[..1],
            sources.join(", ")
        );
    }
    text
}

#[test]
fn paths_are_cut_where_it_is_said() {
    let mut tried = 0;
    for seed in 0..200 {
        let text = chained(&mut Random::new(seed));
        let graph =
            AllowGraph::compile(&netpal::load_str(&text), &CompileOptions::default()).unwrap();
        let (cluster, classes) = (&graph.environment().cluster, &graph.space().classes);
        let claim =
            |via: &str| format!("tests: [{{isolated: {{from: ns/a, to: ns/b, hops: any{via}}}}}]");
        let suite = parse_tests("t.yaml", &claim("")).unwrap();
        let none = |_: &str| Ok(Vec::new());
        let run = check(
            &graph,
            &Env {
                context: &Context::default(),
                snapshot: &none,
                doors: &|| Ok(DoorList::default()),
            },
            &suite,
        );
        let Some(TestExample::Path { cut, .. }) = &run.outcomes[0].example else {
            continue;
        };
        let is_cut =
            |pod: &netpal::PodId| cut.iter().any(|c| c.workload == cluster.pod(*pod).workload);
        let pods = cut.iter().flat_map(|c| &cluster.workload(c.workload).pods);
        let mut alike = pods.flat_map(|p| classes.members(classes.of_pod[*p]));
        // of workloads that no rule tells apart one is named for all
        if run.outcomes[0].status != Status::Failed || cut.is_empty() || !alike.all(is_cut) {
            continue;
        }
        let names: Vec<String> = cut
            .iter()
            .map(|c| cluster.workload_name(c.workload))
            .collect();
        let without = |names: &[&str]| {
            statuses(
                &graph,
                &claim(&format!(", except-via: [{}]", names.join(", "))),
            )[0]
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_ne!(without(&names), Status::Failed, "seed {seed}: {names:?}");
        tried += 1;
        // no fewer of them would do, whichever
        let between: Vec<String> = (0..7)
            .map(|i| format!("m/m{i}"))
            .filter(|n| text.contains(&n[2..]))
            .collect();
        for chosen in
            (0_u32..1 << between.len()).filter(|c| c.count_ones() as usize + 1 == names.len())
        {
            let fewer = between
                .iter()
                .enumerate()
                .filter(|(i, _)| chosen & (1 << i) != 0);
            let fewer: Vec<&str> = fewer.map(|(_, name)| name.as_str()).collect();
            assert_eq!(
                without(&fewer),
                Status::Failed,
                "seed {seed}: {fewer:?} cut it too, not only {names:?}"
            );
        }
    }
    println!("{tried} cuts");
    assert!(tried > 50, "{tried} cuts");
}

/// A scratch copy of the demo, with its tests and configuration.
fn scratch() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("policy-tests")).unwrap();
    for name in [
        "data.yaml",
        "dev.yaml",
        "platform.yaml",
        "shop.yaml",
        "netpal.yaml",
        "policy-tests/shop.yaml",
    ] {
        std::fs::copy(demo_folder().join(name), folder.path().join(name)).unwrap();
    }
    folder
}

fn git(folder: &Path, arguments: &[&str]) {
    let fixed = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.org",
        "-c",
        "init.defaultBranch=main",
    ];
    let run = std::process::Command::new("git")
        .args(fixed)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
}

#[test]
fn the_first_five_minutes_from_the_fix_to_the_green_test() {
    let folder = scratch();
    let at = folder.path();
    git(at, &["init", "-q"]);
    git(at, &["add", "."]);
    git(at, &["commit", "-qm", "as it was"]);
    let dash = "    - podSelector: {matchLabels: {app: checkout}}";
    let data = std::fs::read_to_string(at.join("data.yaml")).unwrap();
    std::fs::write(
        at.join("data.yaml"),
        data.replace(dash, &dash.replace('-', " ")),
    )
    .unwrap();
    let diff = netpal_at(at, &["diff", "git:HEAD:.", "."], "");
    assert!(
        diff.stdout
            .starts_with("Connectivity changes: 0 widened, 1 narrowed"),
        "{}",
        diff.stdout
    );
    assert!(
        diff.stdout
            .contains("  - shop/frontend -> data/database  5432/TCP"),
        "{}",
        diff.stdout
    );
    assert!(diff.stdout.contains("data.yaml:31\n"), "{}", diff.stdout);
    let also = "(also: data/database no longer admits shop/cart; no effect today, shop/cart-egress blocks it anyway)";
    assert!(diff.stdout.contains(also), "{}", diff.stdout);
    assert_eq!(diff.code, 1);
    let proposed = netpal_at(at, &["init", "tests"], "");
    assert!(
        proposed
            .stdout
            .contains("only-from:\n    to: data/database:5432\n    from:\n    - shop/checkout\n"),
        "{}",
        proposed.stdout
    );
    let three = "tests:\n  - only-from: {to: data/database:5432, from: [shop/checkout]}\n  - isolated:  {from: ns/dev, to: ns/data, hops: any}\n  - can: any -> dns\n";
    std::fs::write(at.join("policy-tests/shop.yaml"), three).unwrap();
    let red = netpal_at(at, &["test"], "");
    golden().bind(|| insta::assert_snapshot!("test-first-run-red", red.text()));
    let isolated = red.stdout.split("never reaches").nth(1).unwrap();
    assert!(
        isolated.contains("path of 2 hops:\n          dev/runner -> monitoring/prometheus:9090"),
        "{}",
        red.stdout
    );
    let mut rounds = 0;
    loop {
        let run = netpal_at(at, &["test"], "");
        if run.code == 0 {
            break;
        }
        rounds += 1;
        assert!(rounds < 8, "{}", run.text());
        assert!(add_what_is_proposed(at, &run.stdout) > 0, "{}", run.text());
    }
    let green = netpal_at(at, &["test"], "");
    golden().bind(|| insta::assert_snapshot!("test-first-run-green", green.text()));
    let platform = std::fs::read_to_string(at.join("proposed.yaml")).unwrap();
    assert!(
        platform.contains("name: default-deny-ingress")
            && platform.contains("namespace: monitoring"),
        "{platform}"
    );
}

/// Adds every proposal of a run of the tests where it says, as a reader would; how many there were.
fn add_what_is_proposed(at: &Path, output: &str) -> usize {
    let mut proposals: Vec<(String, Vec<String>)> = Vec::new();
    for line in output.lines() {
        match line.strip_prefix("            ") {
            Some(yaml) if !proposals.is_empty() => {
                proposals.last_mut().unwrap().1.push(yaml.to_owned());
            }
            _ if line.contains(" add ") && line.ends_with(':') => {
                proposals.push((line.to_owned(), Vec::new()));
            }
            _ => {}
        }
    }
    // from the last line to the first, so that none moves another
    let place = |lead: &str| {
        let (file, line) = lead
            .rsplit_once('(')?
            .1
            .strip_suffix("):")?
            .rsplit_once(':')?;
        Some((file.to_owned(), line.parse::<usize>().unwrap()))
    };
    proposals.sort_by_key(|(lead, _)| std::cmp::Reverse(place(lead)));
    for (lead, yaml) in &proposals {
        let (file, line) = place(lead).unwrap_or_else(|| ("proposed.yaml".to_owned(), 0));
        let text = std::fs::read_to_string(at.join(&file)).unwrap_or_default();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if line == 0 {
            lines.push("---".to_owned());
            lines.extend(yaml.iter().cloned());
        } else {
            let indent = lines[line].len() - lines[line].trim_start().len();
            // a list that is not there yet is named first
            let key = if yaml[0].contains("to:") {
                "egress:"
            } else {
                "ingress:"
            };
            let key = (!lines[line - 1].contains(key)).then(|| key.to_owned());
            let added = key
                .iter()
                .chain(yaml)
                .map(|l| format!("{}{l}", " ".repeat(indent)));
            lines.splice(line..line, added.collect::<Vec<_>>());
        }
        std::fs::write(at.join(&file), lines.join("\n") + "\n").unwrap();
    }
    let config = std::fs::read_to_string(at.join("netpal.yaml")).unwrap();
    if at.join("proposed.yaml").exists() && !config.contains("proposed.yaml") {
        let more = "  - path: platform.yaml\n  - path: proposed.yaml\n";
        std::fs::write(
            at.join("netpal.yaml"),
            config.replace("  - path: platform.yaml\n", more),
        )
        .unwrap();
    }
    proposals.len()
}

#[test]
fn what_is_proposed_holds() {
    let folder = scratch();
    let proposed = netpal_at(folder.path(), &["init", "tests"], "");
    std::fs::write(folder.path().join("proposed.yaml"), &proposed.stdout).unwrap();
    let run = netpal_at(folder.path(), &["test", "proposed.yaml"], "");
    assert_eq!(run.code, 0, "{}", run.text());
}

#[test]
fn the_demo_in_every_format() {
    for format in [
        "text", "json", "yaml", "csv", "md", "junit", "tap", "github", "gitlab",
    ] {
        let run = netpal_in("examples/demo", &["test", "-o", format]);
        golden().bind(|| insta::assert_snapshot!(format!("test-{format}"), run.text()));
    }
    let run = netpal_in("examples/demo", &["test", "--coverage"]);
    golden().bind(|| insta::assert_snapshot!("test-coverage", run.text()));
    let run = netpal_in("examples/demo", &["test", "--export", "netassert"]);
    golden().bind(|| insta::assert_snapshot!("test-netassert", run.text()));
}

#[test]
fn a_failing_test_shows_its_reason_wherever_ci_looks() {
    for format in [
        "text", "junit", "github", "sarif", "gitlab", "tap", "md", "json", "csv",
    ] {
        let run = netpal_in("examples/demo", &["test", "-o", format]);
        assert_eq!(run.code, 1, "{format}");
        for part in [
            "data/allow-metrics ingress",
            "a default deny for ingress in namespaces ingress-nginx and monitoring",
        ] {
            assert!(run.stdout.contains(part), "{format}: {part}");
        }
    }
}

#[test]
fn exit_codes_of_test() {
    let folder = scratch();
    let code = |text: &str, more: &[&str]| {
        std::fs::write(folder.path().join("t.yaml"), text).unwrap();
        netpal_at(
            folder.path(),
            &[&["test", "t.yaml", "-q"], more].concat(),
            "",
        )
        .code
    };
    let unknown = "tests: [{can: shop/frontend -> kube-system/node-agent:9100}]";
    assert_eq!(
        code("tests: [{can: shop/checkout -> data/database:5432}]", &[]),
        0
    );
    assert_eq!(
        code(
            "tests: [{cannot: shop/checkout -> data/database:5432}]",
            &[]
        ),
        1
    );
    assert_eq!(
        code(
            "tests: [{cannot: shop/checkout -> data/database:5432, severity: warning}]",
            &[]
        ),
        0
    );
    assert_eq!(code("tests: [{can: ns/absent -> ns/data}]", &[]), 1);
    assert_eq!(code(unknown, &[]), 3);
    assert_eq!(code(unknown, &["--unknown", "yes"]), 0);
    assert_eq!(code(unknown, &["--unknown", "fail"]), 1);
    assert_eq!(
        code(
            "tests: [{can: 'shop/frontend -> database.data.svc:1'}]",
            &["--exit-zero"]
        ),
        2,
        "no such port"
    );
    assert_eq!(
        code(
            "tests: [{can: shop/cart -> data/database:5432}]",
            &["--exit-zero"]
        ),
        0
    );
    assert_eq!(code("tests: [{matches-snapshot: absent.snap}]", &[]), 2);
    assert_eq!(code("tests: [nothing]", &[]), 2);
    assert_eq!(
        netpal_at(folder.path(), &["test", "absent.yaml", "-q"], "").code,
        2
    );
}

#[test]
fn the_snapshot_of_the_demo() {
    let run = netpal_in("examples/demo", &["snapshot"]);
    golden().bind(|| insta::assert_snapshot!("snapshot-demo", run.text()));
}

#[test]
fn a_snapshot_says_when_it_is_no_longer_true() {
    let folder = scratch();
    let at = folder.path();
    assert_eq!(
        netpal_at(at, &["snapshot", "--check"], "").code,
        2,
        "there is none yet"
    );
    assert_eq!(netpal_at(at, &["snapshot", "--update"], "").code, 0);
    assert_eq!(netpal_at(at, &["snapshot", "--check"], "").code, 0);
    std::fs::write(
        at.join("policy-tests/shop.yaml"),
        "tests: [{matches-snapshot: netpal.snap}]",
    )
    .unwrap();
    assert_eq!(netpal_at(at, &["test"], "").code, 0);
    let data = std::fs::read_to_string(at.join("data.yaml")).unwrap();
    std::fs::write(
        at.join("data.yaml"),
        data.replace("port: 9187\n", "port: 9188\n"),
    )
    .unwrap();
    let run = netpal_at(at, &["snapshot", "--check"], "");
    assert_eq!(run.code, 1);
    assert!(
        run.stdout
            .contains("- monitoring/prometheus -> data/database TCP 9187"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("+ monitoring/prometheus -> data/database TCP 9188"),
        "{}",
        run.stdout
    );
    assert_eq!(netpal_at(at, &["test"], "").code, 1);
    std::fs::write(at.join("netpal.snap"), "something else\n").unwrap();
    assert_eq!(netpal_at(at, &["snapshot", "--check"], "").code, 2);
}

fn snapshot(text: &str) -> String {
    let graph = AllowGraph::compile(&netpal::load_str(text), &CompileOptions::default()).unwrap();
    Snapshot::new(&graph).text("generic")
}

#[test]
fn a_snapshot_does_not_change_with_files_order_or_replicas() {
    for seed in 0..60 {
        let mut documents = random::documents(&mut Random::new(seed));
        let before = snapshot(&random::text(&documents));
        documents.reverse();
        // of two objects of one name the last counts: keep the order among those
        let mut names = BTreeSet::new();
        let key = |d: &serde_json::Value| {
            format!(
                "{}{}{}",
                d["kind"], d["metadata"]["namespace"], d["metadata"]["name"]
            )
        };
        if documents.iter().all(|d| names.insert(key(d))) {
            assert_eq!(snapshot(&random::text(&documents)), before, "seed {seed}");
        }
    }
    let folder = scratch();
    let at = folder.path();
    let first = netpal_at(at, &["snapshot", "-f", "."], "").stdout;
    std::fs::rename(at.join("data.yaml"), at.join("zzz.yaml")).unwrap();
    let shop = std::fs::read_to_string(at.join("shop.yaml")).unwrap();
    std::fs::write(
        at.join("shop.yaml"),
        shop.replace("replicas: 2", "replicas: 7"),
    )
    .unwrap();
    assert_eq!(netpal_at(at, &["snapshot", "-f", "."], "").stdout, first);
    assert!(first.contains("open-in dev/runner\n"));
}

#[test]
fn addresses_that_are_alike_are_allowed_alike() {
    let (mut groups, mut addresses) = (0, 0);
    for seed in 0..150 {
        let text = random::text(&random::documents(&mut Random::new(seed)));
        for host in [HostNetwork::Unknown, HostNetwork::Node, HostNetwork::Pod] {
            let options = CompileOptions::default().host_network(host);
            let graph = AllowGraph::compile(&netpal::load_str(&text), &options).unwrap();
            let mut outside = Outside::new(&graph);
            for (id, _) in graph.environment().cluster.pods() {
                let pod = Endpoint::Pod(id);
                for (set, incoming) in [(IpSet::full(), true), (IpSet::internet(), false)] {
                    for (alike, told) in outside.groups(graph.space().index_of(pod), &set, incoming)
                    {
                        let first = alike.address(&graph, alike.first()).unwrap();
                        let all: Vec<Endpoint> =
                            std::iter::once(first).chain(alike.others(&graph)).collect();
                        assert_eq!(all.len(), alike.len(), "seed {seed}");
                        for address in &all {
                            let asked = if incoming {
                                graph.allowed(*address, pod)
                            } else {
                                graph.allowed(pod, *address)
                            };
                            assert!(
                                told.is_none() || told == Some(asked),
                                "seed {seed}, {pod:?}, {address:?}"
                            );
                        }
                        groups += 1;
                        addresses += all.len();
                    }
                }
            }
        }
    }
    assert!(
        addresses > 3 * groups,
        "{addresses} addresses in {groups} groups"
    );
}

/// Claims about many pods on either side.
const CROWDED: &str = "tests:
- cannot: any -> any
- cannot: 'any -> any:8080'
- cannot: ns/a -> any
- cannot: 'any -> ns/b:5432'
- can: 'ns/a -> ns/b:8080'
- can: any -> any
- {can: 'any -> any:53/udp', match: some}
- only-from: {to: any, from: [ns/a, ns/b]}
- only-from: {to: ns/b, from: ns/a, exactly: true}
- only-to: {from: any, to: [ns/a, dns]}
- only-to: {from: ns/a, to: 'ns/b:8080'}
- internet: {ingress: [ns/a], egress: ['any -> internet:443']}
";

#[test]
fn many_pods_are_asked_by_rows_what_they_are_asked_by_pairs() {
    let suite = parse_tests("t.yaml", CROWDED).unwrap_or_else(|e| panic!("{e:?}"));
    let none = |_: &str| Ok(Vec::new());
    let env = Env {
        context: &Context::default(),
        snapshot: &none,
        doors: &|| Ok(DoorList::default()),
    };
    let (mut failed, mut other, mut same) = (0, 0, 0);
    let hosts = [HostNetwork::Unknown, HostNetwork::Node, HostNetwork::Pod];
    for (seed, host) in (0..150).zip(hosts.into_iter().cycle()) {
        let mut documents = random::documents(&mut Random::new(seed));
        if seed % 2 == 0 {
            documents.extend(random::documents(&mut Random::new(1_000 + seed)));
        }
        let options = CompileOptions::default().host_network(host);
        let graph =
            AllowGraph::compile(&netpal::load_str(&random::text(&documents)), &options).unwrap();
        let [pairs, rows] =
            [usize::MAX, 0].map(|one_by_one| check_by(&graph, &env, &suite, one_by_one));
        for (pair, row) in pairs.outcomes.iter().zip(&rows.outcomes) {
            assert_eq!(
                pair.status, row.status,
                "seed {seed}: {:?}",
                pair.test.claim
            );
            if pair.status == Status::Failed {
                failed += 1;
            } else {
                other += 1;
            }
            same += usize::from(pair.example == row.example);
            let Some(TestExample::Flow {
                flow,
                wanted,
                led: None,
                ..
            }) = &row.example
            else {
                continue;
            };
            let allowed = graph.allowed(flow.source, flow.destination);
            let (sure, may) = (
                allowed.must.contains(flow.traffic),
                allowed.may.contains(flow.traffic),
            );
            let shows = if row.status == Status::Failed {
                sure != *wanted && may != *wanted
            } else {
                may && !sure
            };
            // the others also show flows that are wrong in another way
            let plain = matches!(&pair.test.claim, Claim::Cannot(_));
            assert!(shows || !plain, "seed {seed}: {:?}", pair.test.claim);
        }
        assert!(
            rows.exercised.is_subset(&pairs.exercised),
            "seed {seed}: whatever is exercised was asked"
        );
    }
    println!("{failed} failed, {other} others, {same} with the same example");
    assert!(
        failed > 300 && other > 300 && same * 10 > 9 * (failed + other),
        "{failed}, {other}, {same}"
    );
}

/// Pods of one class on two nodes, and an agent on the network of the second: only there it is a
/// pod's own node (S55).
fn nodes() -> String {
    let pod = |(name, node): (&str, &str)| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: a, ownerReferences: \
             [{{apiVersion: apps/v1, kind: StatefulSet, name: one, uid: u1, controller: true}}]}}\n\
             spec: {{nodeName: {node}, containers: [{{name: c, image: i}}]}}\n---\n"
        )
    };
    let pods: String = [("w1", "n1"), ("w2", "n1"), ("w3", "n2")]
        .into_iter()
        .map(pod)
        .collect();
    pods + "apiVersion: v1\nkind: Pod\nmetadata: {name: h, namespace: b}\n\
            spec: {nodeName: n2, hostNetwork: true, containers: [{name: c, image: i}]}\n---\n\
            apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: closed, namespace: a}\n\
            spec: {podSelector: {}, policyTypes: [Ingress, Egress]}\n"
}

#[test]
fn a_claim_asks_pods_on_every_node() {
    let options = CompileOptions::default().host_network(HostNetwork::Node);
    let input = netpal::load_str(&nodes());
    assert!(!input.has_errors(), "{:?}", input.diagnostics);
    let graph = AllowGraph::compile(&input, &options).unwrap();
    let suite = parse_tests(
        "t.yaml",
        "tests: [{cannot: ns/a -> ns/b}, {cannot: ns/b -> ns/a}]",
    )
    .unwrap();
    let none = |_: &str| Ok(Vec::new());
    let env = Env {
        context: &Context::default(),
        snapshot: &none,
        doors: &|| Ok(DoorList::default()),
    };
    for one_by_one in [usize::MAX, 0] {
        let run = check_by(&graph, &env, &suite, one_by_one);
        let statuses: Vec<Status> = run.outcomes.iter().map(|o| o.status).collect();
        assert_eq!(
            statuses,
            [Status::Failed; 2],
            "the third pod and its node, {one_by_one}"
        );
    }
}

/// An agent on its node's network and a pod beside it, and an app of which a policy of another API
/// may decide.
const DOUBTED: &str = "
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: a}
spec: {nodeName: n1, hostNetwork: true, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: plain, namespace: a}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: app, namespace: b}
spec: {nodeName: n2, containers: [{name: c, image: i}]}
---
apiVersion: security.lynx.smartx.com/v1alpha1
kind: SecurityPolicy
metadata: {name: any, namespace: b}
spec: {}
";

#[test]
fn what_is_let_pass_of_nodes_is_not_let_pass_of_pods() {
    let input = netpal::load_str(DOUBTED);
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    let suite = parse_tests(
        "t.yaml",
        "tests: [{only-from: {to: b/app, from: [b/app, 0.0.0.0/0, '::/0']}}]",
    )
    .unwrap();
    let none = |_: &str| Ok(Vec::new());
    let env = Env {
        context: &Context::default(),
        snapshot: &none,
        doors: &|| Ok(DoorList::default()),
    };
    let status = |one_by_one| check_by(&graph, &env, &suite, one_by_one).outcomes[0].status;
    assert_eq!([usize::MAX, 0].map(status), [Status::Undecided; 2]);
}

/// Two nodes, and a pod on each that lets in nobody but its own node (S55).
const OWN_NODES: &str = "\
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: both, namespace: shop}
spec: {selector: {matchLabels: {app: both}}, template: {metadata: {labels: {app: both}}, spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: both-1, namespace: shop, labels: {app: both}, ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: both, controller: true, uid: u}]}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: both-2, namespace: shop, labels: {app: both}, ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: both, controller: true, uid: u}]}
spec: {nodeName: n2, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: here, namespace: shop, labels: {app: one}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: there, namespace: shop, labels: {app: two}}
spec: {nodeName: n2, containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
";

/// What one test found about a node answers no other one, nor what was found for one replica the
/// others.
#[test]
fn what_a_node_may_do_depends_on_where_each_pod_runs() {
    let input = netpal::load_str(OWN_NODES);
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    let lines = [
        ("cannot", "192.0.2.1 -> shop/there:80", Status::Passed),
        ("cannot", "192.0.2.1 -> shop/here:80", Status::Failed),
        ("can", "192.0.2.1 -> shop/here:80", Status::Passed),
        ("can", "192.0.2.1 -> shop/both:80", Status::Failed),
        ("cannot", "192.0.2.2 -> shop/both:80", Status::Failed),
        ("cannot", "192.0.2.2 -> shop/*:80", Status::Failed),
    ];
    let test = |order: &[usize]| {
        let each = order.iter().map(|at| {
            let (claim, flow, _) = lines[*at];
            format!("- {{name: t{at}, {claim}: '{flow}'}}\n")
        });
        let text: String = each.collect();
        let expected: Vec<Status> = order.iter().map(|at| lines[*at].2).collect();
        let found = statuses(&graph, &format!("version: 1\ntests:\n{text}"));
        assert_eq!(found, expected, "{text}");
    };
    let all: Vec<usize> = (0..lines.len()).collect();
    test(&all);
    test(&all.iter().rev().copied().collect::<Vec<_>>());
    all.iter().for_each(|at| test(&[*at]));
    let only = "version: 1\ntests:\n- {name: o, only-from: {to: 'shop/here:80', from: []}}\n";
    assert_eq!(statuses(&graph, only), [Status::Passed]);
}

#[test]
fn a_file_that_would_test_less_than_it_says_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let twice = "tests:\n- cannot: ns/dev -> ns/data\n  cannot: ns/dev -> ns/shop\n";
    let two = "tests:\n- cannot: ns/dev -> ns/data\ntests:\n- cannot: ns/dev -> ns/shop\n";
    let demo = demo_folder();
    for (text, why) in [
        (twice, "`cannot` is given twice"),
        (two, "`tests` is given twice"),
        ("tests: []\n", "no test in the files"),
        ("", "no test in the files"),
    ] {
        std::fs::write(folder.path().join("t.yaml"), text).unwrap();
        let demo = demo.to_string_lossy();
        let run = netpal_at(folder.path(), &["test", "t.yaml", "-f", &demo], "");
        assert_eq!(run.code, 2, "{text}: {}", run.text());
        assert!(run.text().contains(why), "{text}: {}", run.text());
    }
}

#[test]
fn a_failure_cites_what_decides() {
    let text = "apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to: [{ipBlock: {cidr: 198.51.100.0/24}}]
";
    let folder = tempfile::tempdir().unwrap();
    let tests = "tests:\n- cannot: shop/web -> 198.51.100.7:443\n- internet: {ingress: []}\n";
    std::fs::write(folder.path().join("t.yaml"), tests).unwrap();
    let run = netpal_at(folder.path(), &["test", "t.yaml", "-f", "-"], text);
    let said = run.text();
    assert!(
        said.contains("is allowed: shop/out egress[0].to[0]"),
        "{said}"
    );
    assert!(
        said.contains("internet (1.0.0.0) -> shop/web on ALL is allowed: open workload"),
        "{said}"
    );
}
