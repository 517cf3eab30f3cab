//! Doors: every line of the ground truth that `NETPAL_DOORS` names, and facts of our own about each
//! kind of door.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;
#[allow(dead_code)]
#[path = "common/random.rs"]
mod random;

use common::netpal_at;
use netpal::internals::spec::evaluate::{ConnectionOrigin, evaluate_from};
use netpal::{
    AllowGraph, CompileOptions, DiffSide, DoorKind, DoorList, DoorStatus, DoorTarget, Endpoint,
    Flow, Format, Input, LintConfig, LoadOptions, Locator, Render, RenderContext, Source, Traffic,
    Truth, World, diff_in, lint, load, load_str, with_assumed_callers,
};

/// The doors of an input, as the rows of its table without the head.
fn rows(input: &Input) -> Vec<Vec<String>> {
    let (laid, assumed) = with_assumed_callers(input);
    let graph = AllowGraph::compile(&laid, &CompileOptions::default()).unwrap();
    let doors = DoorList::of(&graph, &assumed);
    let locator = Locator::new(&laid.sources);
    let context = RenderContext::new(&laid, &graph, &locator);
    let mut text = Vec::new();
    doors.write(Format::Csv, &context, &mut text).unwrap();
    table(&String::from_utf8(text).unwrap())
}

fn table(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().skip(1).filter(|line| !line.is_empty());
    let mut rows: Vec<Vec<String>> = lines
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect();
    rows.sort();
    rows
}

/// What must agree: everything but the reason, of which only the policies that close a door do.
fn comparable(row: &[String]) -> Vec<String> {
    let mut cells = row.to_vec();
    if cells
        .get(8)
        .is_none_or(|status| status != "closed-by-policy")
    {
        cells.truncate(9);
    }
    cells
}

#[test]
fn every_line_of_the_ground_truth() {
    let Ok(folder) = std::env::var("NETPAL_DOORS") else {
        println!("skipped: NETPAL_DOORS names no folder");
        return;
    };
    let (mut lines, mut wrong) = (0, Vec::new());
    for case in std::fs::read_dir(folder).unwrap() {
        let case = case.unwrap().path();
        let Ok(expected) = std::fs::read_to_string(case.join("doors.csv")) else {
            continue;
        };
        let input = load([&case]).unwrap();
        let expected: Vec<_> = table(&expected).iter().map(|row| comparable(row)).collect();
        let found: Vec<_> = rows(&input).iter().map(|row| comparable(row)).collect();
        lines += expected.len();
        if expected != found {
            let name = case.file_name().unwrap_or_default().to_string_lossy();
            wrong.push(format!(
                "{name}:\n  expected {expected:?}\n  found    {found:?}"
            ));
        }
    }
    assert!(lines > 0, "no case");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{lines} lines");
}

/// A row as the facts have it: without the door's namespace, and with policies for the only reason.
fn as_fact(row: &[String]) -> String {
    let mut cells = comparable(row);
    cells.remove(1);
    cells.join(" ")
}

#[test]
fn every_fact_about_doors() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/doors");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let facts = text.lines().filter_map(|line| line.strip_prefix("#="));
        let facts = facts.filter_map(|fact| Some(fact.split_once(' ')?.1.to_owned()));
        let mut expected: Vec<String> = facts.collect();
        expected.sort();
        let mut found: Vec<String> = rows(&load([&file]).unwrap())
            .iter()
            .map(|row| as_fact(row))
            .collect();
        found.sort();
        assert_eq!(found, expected, "{}", file.display());
        count += expected.len();
    }
    assert!(count > 60, "{count} facts");
}

/// The program on the example, or on another input.
fn run(arguments: &[&str]) -> (i32, String) {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = netpal_at(root, arguments, "");
    (run.code, run.stdout)
}

/// The example with a text in place of another.
fn edited(from: &str, to: &str) -> Input {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/doors");
    let read = |name: &str| std::fs::read_to_string(format!("{root}/{name}")).unwrap();
    let text = format!("{}\n---\n{}", read("shop.yaml"), read("policies.yaml"));
    assert!(from.is_empty() || text.contains(from), "{from}");
    load_str(&text.replace(from, to))
}

fn changes(before: &Input, after: &Input) -> Vec<String> {
    let [old, new] =
        [before, after].map(|i| AllowGraph::compile(i, &CompileOptions::default()).unwrap());
    let side = |input, graph| DiffSide { input, graph };
    let diff = diff_in(side(before, &old), side(after, &new), World::Closed).unwrap();
    let shown = diff.doors.iter().map(|change| {
        let door = &change.line.door;
        format!(
            "{} {} {}{}",
            change.kind.word(),
            door.kind.name(),
            door.host,
            door.path
        )
    });
    shown.collect()
}

#[test]
fn a_diff_tells_which_doors_open_and_close() {
    let input = edited("kind: Ingress", "kind: Ingress");
    assert_eq!(changes(&input, &input), [""; 0]);
    let without = edited("kind: Ingress", "kind: SomethingElse");
    assert_eq!(
        changes(&without, &input),
        ["widened Ingress store.example.com/"]
    );
    assert_eq!(
        changes(&input, &without),
        ["narrowed Ingress store.example.com/"]
    );
    let shut = edited("kubernetes.io/metadata.name: ingress-nginx", "team: nobody");
    assert_eq!(
        changes(&input, &shut),
        ["may-narrow Ingress store.example.com/"]
    );
    let wider = edited(
        "        - ipBlock: {cidr: 198.51.100.0/24}",
        "        - ipBlock: {cidr: 0.0.0.0/0}\n        - ipBlock: {cidr: \"::/0\"}",
    );
    assert_eq!(
        changes(&input, &wider),
        ["widened LoadBalancer pending5432/TCP"]
    );
    let public = edited(
        "aws-load-balancer-scheme: internal",
        "aws-load-balancer-scheme: internet-facing",
    );
    assert_eq!(
        changes(&input, &public),
        ["widened LoadBalancer pending443/TCP"]
    );
}

#[test]
fn whether_policies_admit_and_whether_a_door_leads_there_are_told_apart() {
    let by =
        |to: &str, way: &str| run(&["can", "internet", to, "--by", way, "-f", "examples/doors"]);
    let (code, text) = by("store/frontend", "door");
    assert!(code == 0 && text.starts_with("yes"), "{text}");
    let (code, text) = by("store/frontend:9090", "door");
    assert!(code == 1 && text.contains("policies close it"), "{text}");
    let (code, text) = by("store/admin", "door");
    assert!(
        code == 4 && text.contains("policies would let it in"),
        "{text}"
    );
    assert_eq!(by("store/admin", "any").0, 0);
    assert_eq!(
        by("store/frontend", "policy").0,
        1,
        "the client never reaches the pod itself"
    );
    assert_eq!(
        run(&[
            "can",
            "store/admin",
            "store/frontend",
            "--by",
            "door",
            "-f",
            "examples/doors"
        ])
        .0,
        2
    );
}

#[test]
fn searches_start_and_end_at_doors() {
    let (code, text) = run(&["reach", "internet", "--hops", "any", "-f", "examples/doors"]);
    assert!(
        code == 0 && text.contains("orders-db-public") && text.contains("store.example.com"),
        "{text}"
    );
    assert!(text.contains("no door leads there: store/admin"), "{text}");
    let (_, text) = run(&[
        "who",
        "store/orders-db",
        "--hops",
        "any",
        "-f",
        "examples/doors",
    ]);
    assert!(
        text.contains("1 hop")
            && text.contains("2 hops")
            && text.contains("Ingress store/frontend"),
        "{text}"
    );
    let (code, text) = run(&[
        "reach",
        "--path",
        "internet",
        "store/orders-db",
        "-f",
        "examples/doors",
    ]);
    assert!(
        code == 0 && text.contains("path of 1 hop") && text.contains("orders-db-public"),
        "{text}"
    );
    let (_, text) = run(&["reach", "internet", "-f", "examples/three-tier"]);
    assert!(
        text.contains("from there"),
        "without a door policies alone tell: {text}"
    );
}

#[test]
fn a_policy_test_says_where_doors_may_lead() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tests.yaml");
    let code = |claim: &str| {
        std::fs::write(&file, format!("version: 1\ntests:\n  - {claim}\n")).unwrap();
        run(&["test", file.to_str().unwrap(), "-f", "examples/doors"])
    };
    let all = "store/frontend:8080, store/orders-db:5432";
    assert_eq!(
        code(&format!(
            "doors: {{only: [\"{}\"]}}",
            all.replace(", ", "\", \"")
        ))
        .0,
        0
    );
    let (exit, text) = code("doors: {only: [\"store/frontend:8080\"]}");
    assert!(
        exit == 1 && text.contains("LoadBalancer store/orders-db-public leads"),
        "{text}"
    );
    assert_eq!(
        code("doors: {only: [\"store/frontend:9090\", store/orders-db]}").0,
        1
    );
    assert_eq!(
        code("internet: {ingress: [store/orders-db, store/admin]}").0,
        1
    );
    assert_eq!(
        code("internet: {ingress: [store/orders-db, store/admin, store/frontend]}").0,
        0
    );
}

/// What a random cluster needs to have doors: Services of each kind before its pods, and Ingresses
/// of a controller that is one of them.
/// A door of a class that nobody knows, and pods that admit one of two workloads.
const OWN_PROXY: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: edge, namespace: proxies, labels: {app: edge}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: proxies, labels: {app: other}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec: {ingressClassName: our-own, defaultBackend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: edge}}}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: edge-out, namespace: proxies}
spec: {podSelector: {matchLabels: {app: edge}}, policyTypes: [Egress], EGRESS}
";

#[test]
fn a_controller_that_the_configuration_names_is_the_caller() {
    let asked = |told: &[&str], egress: &str| {
        let options = LoadOptions {
            ingress_controllers: told.iter().map(|name| (*name).into()).collect(),
            ..LoadOptions::default()
        };
        let text = OWN_PROXY.replace("EGRESS", egress);
        let source = Source::Text("doors.yaml".into(), text.as_str().into());
        let input = netpal::load_sources(&[source], &[], &options).unwrap();
        let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        let list = DoorList::of_input(&input, &graph).unwrap();
        let mut lines = list.lines.iter();
        let status = lines.find(|l| l.door.kind == DoorKind::Ingress).unwrap();
        let config = LintConfig {
            select: vec!["NP104".into()],
            ..LintConfig::default()
        };
        let found = lint(&input, &graph, &config).findings;
        let messages: Vec<String> = found.iter().map(|f| f.message.to_string()).collect();
        (status.passage.status, messages)
    };
    let (open, closed) = ("egress: [{}]", "egress: []");
    assert_eq!(asked(&[], open), (DoorStatus::Unknown, vec![]));
    assert_eq!(asked(&["proxies/edge"], open), (DoorStatus::Open, vec![]));
    for (told, egress) in [("proxies/other", open), ("proxies/edge", closed)] {
        let (status, messages) = asked(&[told], egress);
        assert_eq!(status, DoorStatus::ClosedByPolicy, "{told}");
        let message =
            format!("{told} cannot reach shop/web on port 8080/TCP, where Ingress shop/web sends");
        assert_eq!(messages, [message], "{told}");
    }
    // of two it is not told which one serves
    let both = asked(&["proxies/*"], open);
    assert_eq!(both, (DoorStatus::Unknown, vec![]));
    let not_loaded = asked(&["elsewhere/proxy"], open);
    assert_eq!(not_loaded, (DoorStatus::Unknown, vec![]));
}

const DOORS: &str = "
---
apiVersion: v1
kind: Service
metadata: {name: behind, namespace: NAMESPACE}
spec: {type: NodePort, POLICY selector: {app: web}, ports: [{port: 80, targetPort: 8080}, {name: x, port: 81, targetPort: 5432}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: in, namespace: NAMESPACE}
spec:
  ingressClassName: traefik
  rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: behind, port: {number: 80}}}}]}}]
---
apiVersion: v1
kind: Pod
metadata: {name: traefik, namespace: OTHER, labels: {app.kubernetes.io/name: traefik, app: api}}
spec: {containers: [{name: c}]}
";

#[test]
fn doors_are_what_the_specification_says_on_random_clusters() {
    let (mut open, mut closed) = (0, 0);
    for seed in 0..600 {
        let mut random = random::Random::new(seed);
        let text = random::text(&random::documents(&mut random));
        let input = load_str(&text);
        let names: Vec<_> = input
            .cluster
            .namespaces()
            .map(|(_, n)| n.name.to_string())
            .collect();
        let policy = if seed % 2 == 0 {
            ""
        } else {
            "externalTrafficPolicy: Local,"
        };
        let doors = DOORS
            .replace("NAMESPACE", random.pick::<String>(&names))
            .replace("OTHER", random.pick::<String>(&names))
            .replace("POLICY", policy);
        let input = load_str(&format!("{text}{doors}"));
        let (laid, assumed) = with_assumed_callers(&input);
        let lists = [true, false].map(|on| {
            let graph = AllowGraph::compile(&laid, &CompileOptions::default().classes(on)).unwrap();
            (DoorList::of(&graph, &assumed), graph)
        });
        let [(list, graph), (apart, _)] = &lists;
        assert_eq!(list.lines, apart.lines, "seed {seed}, classes on and off");
        let controller = laid
            .cluster
            .pods()
            .find(|(_, p)| &*p.name == "traefik")
            .unwrap()
            .0;
        for line in list
            .lines
            .iter()
            .filter(|l| l.door.kind == DoorKind::Ingress)
        {
            let DoorTarget::Pods(_, pods, port, protocol) = &line.target else {
                continue;
            };
            for pod in pods {
                let flow = Flow {
                    source: Endpoint::Pod(controller),
                    destination: Endpoint::Pod(*pod),
                    traffic: Traffic {
                        protocol: *protocol,
                        port: *port,
                    },
                };
                let expected =
                    match evaluate_from(graph.environment(), &flow, ConnectionOrigin::Direct) {
                        Truth::Yes => DoorStatus::Open,
                        Truth::Maybe => DoorStatus::Unknown,
                        Truth::No => DoorStatus::ClosedByPolicy,
                    };
                assert_eq!(line.passage.status, expected, "seed {seed}: {line:?}");
                open += usize::from(expected == DoorStatus::Open);
                closed += usize::from(expected == DoorStatus::ClosedByPolicy);
            }
        }
    }
    assert!(open > 20 && closed > 20, "{open} open, {closed} closed");
}

/// A door of which it is not told whether it is there, or what is behind it, is no "no".
#[test]
fn doors_that_may_lead_somewhere_leave_everything_undecided() {
    let folder = tempfile::tempdir().unwrap();
    let text = "apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop, labels: {app: cart}}
spec: {containers: [{name: c, image: x}]}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: shop, labels: {app: agent}}
spec: {hostNetwork: true, containers: [{name: c, image: x}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: inside, namespace: shop}
spec: {podSelector: {matchExpressions: [{key: app, operator: In, values: [cart, agent]}]}, ingress: [{from: [{podSelector: {}}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec: {parentRefs: [{name: gw, namespace: edge}], rules: [{backendRefs: [{name: web, port: 80}]}]}
";
    std::fs::write(folder.path().join("in.yaml"), text).unwrap();
    let asked = |words: &str| {
        let mut arguments: Vec<&str> = words.split(' ').collect();
        arguments.extend(["-f", "in.yaml"]);
        let run = netpal_at(folder.path(), &arguments, "");
        (run.code, run.stdout)
    };
    let (code, said) = asked("can internet reach shop/web:8080 --by door");
    assert!(code == 3 && said.starts_with("unknown "), "{said}");
    let (code, said) = asked("can internet reach shop/cart:8080 --by door");
    assert!(code == 4 && said.starts_with("no "), "{said}");
    let (_, said) = asked("reach internet --hops any");
    assert!(
        said.contains("HTTPRoute shop/web") && said.contains("reached from there: shop/cart"),
        "{said}"
    );
    let (_, said) = asked("who shop/cart --hops any");
    assert!(said.contains("HTTPRoute shop/web"), "{said}");
    let (code, said) = asked("reach --path internet shop/web");
    assert!(
        code == 3 && said.contains("by HTTPRoute shop/web"),
        "{said}"
    );
    // by either: what policies leave open no missing door closes
    let (code, said) = asked("can internet reach shop/agent:9000 --by any");
    assert!(code == 3 && said.starts_with("unknown "), "{said}");
    let test = "tests: [{name: doors, doors: {only: []}}]\n";
    std::fs::write(folder.path().join("t.yaml"), test).unwrap();
    let (code, said) = asked("test t.yaml");
    assert!(code == 3 && said.contains("may lead"), "{code} {said}");
}

/// DO106: kinds that may open doors and are not read leave the list open.
#[test]
fn without_a_door_the_list_is_empty_only_if_everything_is_read() {
    let route = "\
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: web, namespace: shop}
spec: {routes: [{match: Host(`web`), kind: Rule, services: [{name: web, port: 80}]}]}
---
";
    let pod = "\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: c, image: i}]}
";
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let doors = |text: &str| netpal_at(root, &["doors", "-f", "-"], text).stdout;
    assert!(doors(pod).starts_with("no door: nothing"), "{}", doors(pod));
    let told = doors(&format!("{route}{pod}"));
    let heads = [
        "no door is known",
        "there may be more doors: 1 IngressRoute is not read",
    ];
    let told: Vec<&str> = told.lines().collect();
    assert!(told.len() == 2, "{told:?}");
    for (line, head) in told.iter().zip(heads) {
        assert!(line.starts_with(head), "{told:?}");
    }
}

/// DO95, DO106: pods that dial out for callers, and Services of other clusters, leave it open.
#[test]
fn tunnels_and_services_of_other_clusters_may_be_doors() {
    let pod = |labels: &str, container: &str| {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: out, namespace: shop}}\n\
             spec: {{replicas: 2, selector: {{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{{labels}}}}}, \
             spec: {{containers: [{{{container}}}]}}}}}}\n"
        )
    };
    let import = "apiVersion: multicluster.x-k8s.io/v1alpha1\nkind: ServiceImport\n\
                  metadata: {name: web, namespace: shop}\nspec: {type: ClusterSetIP, ports: [{port: 80}]}\n";
    let json = r#"{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "t", "namespace": "shop"},
        "spec": {"containers": [{"name": "c", "image": "registry.example/inlets/inlets-pro:0.9"}]}}"#;
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let doors = |text: &str| netpal_at(root, &["doors", "-f", "-"], text).stdout;
    let of_image = "name: c, image: 'docker.io/cloudflare/cloudflared:2024.1@sha256:aa'";
    let cases = [
        (pod("a: b", of_image), Some("1 cloudflared tunnel is")),
        (
            pod("a: b, app: ngrok", "name: c"),
            Some("1 ngrok tunnel is"),
        ),
        (
            pod("a: b", "name: tailscale"),
            Some("1 tailscale tunnel is"),
        ),
        (json.to_owned(), Some("1 inlets-pro tunnel is")),
        (import.to_owned(), Some("1 ServiceImport is")),
        (pod("a: b", "name: c, image: 'cloudflared/other:1'"), None),
    ];
    for (input, unread) in cases {
        let told = doors(&input);
        let is_open = told.starts_with("no door is known");
        assert_eq!(is_open, unread.is_some(), "{input}{told}");
        assert!(
            told.contains(unread.unwrap_or("no door: nothing")),
            "{told}"
        );
    }
}

const PROXY: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: traefik, namespace: edge, labels: {app.kubernetes.io/name: traefik}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec: {ingressClassName: traefik, defaultBackend: {service: {name: web, port: {number: 80}}}}
";

/// DO98: the line of an Ingress says that nobody gets to its controller.
#[test]
fn an_open_door_behind_a_controller_without_one_says_so() {
    let service = "\
---
apiVersion: v1
kind: Service
metadata: {name: traefik, namespace: edge, annotations: {INTERNAL}}
spec: {type: LoadBalancer, externalTrafficPolicy: Local, allocateLoadBalancerNodePorts: false, selector: {app.kubernetes.io/name: traefik}, ports: [{port: 443}]}
";
    let closed = "\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut, namespace: edge}
spec: {podSelector: {}, policyTypes: [Ingress]}
";
    let public = service.replace("INTERNAL", "");
    let internal = service.replace("INTERNAL", "networking.gke.io/load-balancer-type: Internal");
    let shut = format!("{public}{closed}");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = [
        (
            String::new(),
            Some("none"),
            "that no door of the input leads to",
        ),
        (internal, Some("internal"), "whose own doors are internal"),
        (
            shut,
            Some("closed-by-policy"),
            "whose own doors policies close",
        ),
        (public, None, ""),
    ];
    for (more, word, said) in cases {
        let input = format!("{PROXY}{more}");
        let json = netpal_at(root, &["doors", "-f", "-", "-o", "json"], &input).stdout;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let lines = json["doors"].as_array().unwrap();
        let line = lines
            .iter()
            .find(|line| line["door_kind"] == "Ingress")
            .unwrap();
        assert_eq!(line["status"], "open", "{more}");
        assert_eq!(line["controller_doors"].as_str(), word, "{more}");
        let asked = [
            "can", "internet", "reach", "shop/web", "--by", "door", "-f", "-",
        ];
        let told = netpal_at(root, &asked, &input).stdout;
        assert!(told.contains(said), "{told}");
        assert_eq!(
            told.contains("behind a controller"),
            word.is_some(),
            "{told}"
        );
    }
}
