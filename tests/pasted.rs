//! What people paste in place of an endpoint: URLs, command lines, log lines, names of the
//! cluster's DNS, ports that a Service has and its pods have not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use common::{Run, netpal_at};
use std::path::Path;

const LIBRARY: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: desk, namespace: books}
spec:
  selector: {matchLabels: {run: desk}}
  template:
    metadata: {labels: {run: desk}}
    spec: {containers: [{name: c, image: i, ports: [{name: web, containerPort: 8080}, {containerPort: 9000}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: desk, namespace: books}
spec:
  type: NodePort
  selector: {run: desk}
  ports:
  - {name: web, port: 80, targetPort: web, nodePort: 31080}
  - {name: admin, port: 9000, targetPort: 9001}
  - {name: same, port: 8080, targetPort: 8080}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reader, namespace: books}
spec:
  selector: {matchLabels: {run: reader}}
  template:
    metadata: {labels: {run: reader}}
    spec: {containers: [{name: c, image: i, ports: [{containerPort: 7000}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: reading-room, namespace: books}
spec: {selector: {run: reader}, ports: [{port: 80, targetPort: 7000}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: shelf, namespace: books}
spec:
  replicas: 2
  serviceName: shelf
  selector: {matchLabels: {run: shelf}}
  template:
    metadata: {labels: {run: shelf}}
    spec: {containers: [{name: c, image: i, ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: shelf, namespace: books}
spec: {clusterIP: None, selector: {run: shelf}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Node
metadata: {name: cellar}
status: {addresses: [{type: InternalIP, address: 192.168.9.1}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: first-shelf, namespace: books}
spec:
  podSelector: {matchLabels: {run: reader}}
  policyTypes: [Egress]
  egress:
  - to: [{podSelector: {matchLabels: {apps.kubernetes.io/pod-index: '0'}}}]
  - to: [{podSelector: {matchLabels: {run: desk}}}]
    ports: [{port: 8080}]
";

/// Runs a command on the library.
fn run(words: &[&str]) -> Run {
    let mut all = words.to_vec();
    all.extend(["-f", "-"]);
    netpal_at(Path::new(env!("CARGO_MANIFEST_DIR")), &all, LIBRARY)
}

/// The first line of an answer, which names both ends.
fn head(destination: &str) -> String {
    let run = run(&["can", "reader", "reach", destination]);
    let first = run.stdout.lines().next();
    first.map_or_else(|| run.text(), str::to_owned)
}

#[test]
fn a_url_is_its_host_and_port() {
    for (url, wanted) in [
        ("http://desk", "svc books/desk:80 => books/desk:8080/TCP"),
        (
            "http://desk:80/find?title=x#y",
            "svc books/desk:80 => books/desk:8080/TCP",
        ),
        (
            "HTTP://DESK.books.svc.cluster.local./",
            "svc books/desk:80 => books/desk:8080/TCP",
        ),
        ("https://desk:8080", "books/desk:8080/TCP"),
        (
            "postgres://me:top-secret@shelf/books",
            "books/shelf:5432/TCP",
        ),
        (
            "jdbc:postgresql://shelf.books:5432/x",
            "svc books/shelf:5432 => books/shelf:5432/TCP",
        ),
        ("redis://[2001:db8::6]:6379", "[2001:db8::6]:6379/TCP"),
        (
            "http://192.168.9.1:31080/",
            "192.168.9.1 is an address of node cellar",
        ),
    ] {
        let head = head(url);
        assert!(head.contains(wanted), "{url}: {head}");
    }
}

#[test]
fn a_secret_in_a_url_is_never_printed() {
    for url in [
        "http://me:top-secret@nobody/x",
        "mongodb://me:top-secret@a:1,b:2/x",
        "me:top-secret@shelf:5432",
    ] {
        let run = run(&["can", "reader", "reach", url]);
        assert!(!run.text().contains("top-secret"), "{}", run.text());
    }
    let folder = tempfile::tempdir().unwrap();
    let asked = folder.path().join("asked.csv");
    std::fs::write(
        &asked,
        "reader,postgres://me:top-secret@shelf:5432/x,TCP,\n",
    )
    .unwrap();
    for format in ["csv", "json"] {
        let asked = asked.to_string_lossy();
        let run = run(&["can", "--questions", &asked, "-o", format]);
        assert!(!run.text().contains("top-secret"), "{}", run.text());
        assert!(run.text().contains("shelf:5432"), "{}", run.text());
    }
}

#[test]
fn loopback_is_the_pod_itself() {
    for address in ["127.0.0.1:80", "localhost:80", "[::1]:80"] {
        let run = run(&["can", "reader", "reach", address]);
        assert_eq!(run.code, 2, "{}", run.text());
        assert!(run.text().contains("is the pod itself"), "{}", run.text());
    }
}

#[test]
fn commands_and_log_lines_are_understood() {
    let wanted = "svc books/desk:80 => books/desk:8080/TCP";
    for line in [
        "curl -s http://desk/find",
        "curl desk.books.svc/find",
        "kubectl exec reader -- curl -m 3 http://desk:80",
        "nc -zv desk 80",
        "Get \"http://desk:80/find\": dial tcp: i/o timeout",
        "HTTPConnectionPool(host='desk', port=80): Max retries exceeded",
        "connection to server at \"desk\" (10.0.0.7), port 80 failed: timeout",
    ] {
        let head = head(line);
        assert!(head.contains(wanted), "{line}: {head}");
    }
    let unquoted = run(&["can", "reader", "reach", "curl", "http://desk"]);
    assert!(unquoted.stdout.contains(wanted), "{}", unquoted.text());
    let two = run(&["can", "reader", "neither desk:80 nor shelf:5432 answers"]);
    assert_eq!(two.code, 2);
    assert!(two.stderr.contains("desk:80, shelf:5432"), "{}", two.text());
}

#[test]
fn every_command_takes_what_was_pasted() {
    for words in [
        &["why", "reader", "http://desk/"][..],
        &["who", "http://desk:80/"],
        &["reach", "--path", "reader", "http://desk/"],
        &["explain", "http://desk"],
    ] {
        let run = run(words);
        assert!(run.code < 2, "{}", run.text());
        assert!(run.stdout.contains("books/desk"), "{}", run.text());
    }
}

#[test]
fn an_arrow_is_understood_or_answered_with_what_to_type() {
    for question in [
        "reader -> desk:8080",
        "reader->desk:8080",
        "reader reach desk:8080",
    ] {
        assert_eq!(run(&["can", question]).code, 0, "{question}");
    }
    for words in [&["can", "reader", "-"][..], &["can", "reader-"]] {
        let run = run(words);
        assert_eq!(run.code, 2);
        assert!(
            run.stderr.contains("netpal can 'reader -> DST'"),
            "{}",
            run.text()
        );
    }
}

#[test]
fn pods_of_a_stateful_set_have_names_in_the_dns() {
    for (name, code) in [
        ("shelf-0.shelf.books.svc.cluster.local.", 0),
        ("shelf-0.shelf.books.svc", 0),
        ("shelf-0.shelf.books", 0),
        ("shelf-0.shelf", 0),
        ("shelf-0", 0),
        ("shelf-1.shelf.books.svc.corp.example", 1),
        ("postgres://shelf-1.shelf.books.svc", 1),
    ] {
        let port = if name.contains("://") { "" } else { ":5432" };
        let run = run(&["can", "reader", "reach", &format!("{name}{port}")]);
        assert_eq!(run.code, code, "{name}: {}", run.text());
        assert!(run.stdout.contains("books/shelf (shelf-"), "{}", run.text());
    }
    for name in ["shelf-7", "shelf-7.shelf.books.svc"] {
        let run = run(&["can", "reader", "reach", &format!("{name}:5432")]);
        assert_eq!(run.code, 2);
        let told = "no pod is called `shelf-7`: StatefulSet books/shelf has shelf-0 to shelf-1";
        assert!(run.stderr.contains(told), "{}", run.text());
    }
    let stranger = run(&["can", "reader", "reach", "shelf-0.desk.books.svc:5432"]);
    assert!(stranger.stderr.contains(
        "Service desk has an address of its own, so that its pods have no names under it"
    ));
}

#[test]
fn a_port_is_the_services_where_the_pods_have_it_not() {
    for (destination, wanted) in [
        ("desk:80", "svc books/desk:80 => books/desk:8080/TCP"),
        ("books/desk:80", "svc books/desk:80 => books/desk:8080/TCP"),
        ("desk:admin", "svc books/desk:admin => books/desk:9001/TCP"),
        ("desk:8080", "reader -> books/desk:8080/TCP"),
        ("desk:web", "reader -> books/desk:8080/TCP"),
        ("deploy/desk:80", "reader -> books/desk:80/TCP"),
        ("desk:1-65535", "reader -> books/desk"),
    ] {
        let head = head(destination);
        assert!(head.contains(wanted), "{destination}: {head}");
    }
    for (destination, wanted) in [
        ("desk:9000", "books/svc/desk:9000 or books/deploy/desk:9000"),
        ("desk:80,7777", "svc/desk and deploy/desk"),
    ] {
        let run = run(&["can", "reader", "reach", destination]);
        assert_eq!(run.code, 2, "{}", run.text());
        assert!(run.stderr.contains(wanted), "{}", run.text());
    }
}

#[test]
fn a_port_of_a_service_of_another_name_is_told() {
    let run = |to: &str| run(&["can", "desk", "reach", to]).stdout;
    assert!(run("reader:80").contains("ask books/svc/reading-room:80"));
    assert!(!run("reader:7000").contains("reading-room"));
    let nodes =
        "31080 is a nodePort of Service books/desk: for the pods behind it ask books/svc/desk:80";
    assert!(run("desk:31080").contains(nodes), "{}", run("desk:31080"));
    for to in ["svc/desk:31080", "192.168.9.1:31080", "nodes:31080"] {
        let told = "31080 is the nodePort of Service desk for 80";
        assert!(run(to).contains(told), "{to}: {}", run(to));
        assert!(
            run(to).contains("=> books/desk:8080/TCP"),
            "{to}: {}",
            run(to)
        );
    }
}

#[test]
fn names_of_the_world_outside_are_answered_with_what_to_ask() {
    for (name, wanted) in [
        (
            "google.com:443",
            "ask about internet:443 or about its address",
        ),
        (
            "https://pay.example.com/x",
            "ask about internet:443 or about its address",
        ),
        ("localhost:8080", "localhost is the pod itself"),
        ("https://kubernetes.default.svc", "ask about `apiserver`"),
        ("desk.boks.svc:80", "did you mean desk.books?"),
    ] {
        let run = run(&["can", "reader", "reach", name]);
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(wanted), "{name}: {}", run.text());
    }
}

#[test]
fn tests_take_what_was_pasted_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("library.yaml"), LIBRARY).unwrap();
    let tests = "version: 1
tests:
- name: the desk answers
  can: reader -> http://desk/find
- name: only the first shelf
  cannot: reader -> shelf-1.shelf.books.svc.cluster.local.:5432
";
    std::fs::write(folder.path().join("tests.yaml"), tests).unwrap();
    let words = ["test", "tests.yaml", "-f", "library.yaml"];
    let run = netpal_at(folder.path(), &words, "");
    assert_eq!(run.code, 0, "{}", run.text());
}

#[test]
fn a_policy_and_a_workload_of_one_name_are_both_explained() {
    let policy = |name: &str, namespace: &str| {
        format!(
            "{LIBRARY}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{podSelector: {{matchLabels: {{run: {name}}}}}}}
"
        )
    };
    let explain = |name: &str, manifests: &str| {
        let words = ["explain", name, "-f", "-"];
        netpal_at(Path::new(env!("CARGO_MANIFEST_DIR")), &words, manifests)
    };
    let (own, far) = (policy("desk", "books"), policy("desk", "attic"));
    for name in ["desk", "books/desk"] {
        let run = explain(name, &own);
        assert_eq!(run.code, 0, "{}", run.text());
        assert!(
            run.stdout.starts_with("NetworkPolicy books/desk\n"),
            "{}",
            run.text()
        );
        assert!(
            run.stdout.contains("\nDeployment books/desk "),
            "{}",
            run.text()
        );
    }
    for (name, lacks) in [("netpol/desk", "Deployment"), ("deploy/desk", "applies to")] {
        let run = explain(name, &own);
        assert_eq!(run.code, 0, "{}", run.text());
        assert!(!run.stdout.contains(lacks), "{}", run.text());
    }
    let apart = explain("desk", &far);
    assert!(
        apart.stdout.contains("Deployment books/desk"),
        "{}",
        apart.text()
    );
    let both = [far.as_str(), &own[LIBRARY.len()..]].concat();
    assert!(
        explain("desk", &both)
            .stderr
            .contains("attic/desk, books/desk")
    );
}
