//! What pictures and the report show around the loaded workloads: doors, and pods that may come.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::netpal_at;
use std::fs;

const APP: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: c, ports: [{containerPort: 8080}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - ports: [{port: 8080}]
    from: [{podSelector: {matchLabels: {app: gateway}}}, {ipBlock: {cidr: 0.0.0.0/0}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: jobs, namespace: shop}
spec:
  podSelector: {matchLabels: {app: job}}
  policyTypes: [Ingress]
";

const DOOR: &str = "\
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
";

/// A folder with manifests: the application, and its door where it has one.
fn folder(has_door: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app.yaml"), APP).unwrap();
    if has_door {
        fs::write(folder.path().join("door.yaml"), DOOR).unwrap();
    }
    folder
}

fn graph(folder: &tempfile::TempDir, more: &[&str]) -> String {
    let arguments = [&["graph", "-f", ".", "--level", "workload"], more].concat();
    let run = netpal_at(folder.path(), &arguments, "");
    assert_eq!(run.code, 0, "{}", run.text());
    run.stdout
}

#[test]
fn pods_that_may_come_are_dashed_nodes() {
    let input = folder(false);
    let svg = graph(&input, &["-o", "svg"]);
    assert!(svg.contains("np-potential"), "{svg}");
    for words in ["pods app=gateway in", "not in the input", "nothing in"] {
        assert!(svg.contains(words), "no `{words}` in {svg}");
    }
    let dot = graph(&input, &["-o", "dot"]);
    assert!(dot.contains("style=\"rounded,dashed\""), "{dot}");
    let mermaid = graph(&input, &["-o", "mermaid"]);
    assert!(mermaid.contains(":::potential"), "{mermaid}");
    let closed = graph(&input, &["-o", "svg", "--world", "closed"]);
    assert!(!closed.contains("np-node np-potential"), "{closed}");
}

#[test]
fn a_kind_is_one_node_however_many_may_reach_it() {
    let svg = graph(&folder(false), &["-o", "svg"]);
    let node = "<title>pods app=gateway in namespace shop</title>";
    assert_eq!(svg.matches(node).count(), 1, "{svg}");
}

#[test]
fn the_internet_is_one_node_with_an_edge_for_each_door() {
    let with = graph(&folder(true), &["-o", "svg"]);
    assert_eq!(with.matches("np-node np-internet").count(), 1, "{with}");
    let edge = "the internet comes in by LoadBalancer, NodePort shop/front to web: 8080/TCP";
    assert!(with.contains(edge), "{with}");
    assert!(with.contains("ways in from the internet: 2 open"), "{with}");
    let without = graph(&folder(false), &["-o", "svg"]);
    assert!(!without.contains("np-door\""), "{without}");
    let hidden = graph(&folder(true), &["-o", "svg", "--hide", "internet"]);
    assert!(!hidden.contains("comes in by LoadBalancer"), "{hidden}");
}

#[test]
fn a_door_that_opens_is_drawn_as_a_change() {
    let (old, new) = (folder(false), folder(true));
    let before = old.path().to_str().unwrap();
    let opened = graph(&new, &["-o", "svg", "--before", before, "--only-changed"]);
    assert!(opened.contains("+ LoadBalancer, NodePort"), "{opened}");
    let after = new.path().to_str().unwrap();
    let closed = graph(&old, &["-o", "svg", "--before", after, "--only-changed"]);
    assert!(closed.contains("- LoadBalancer, NodePort"), "{closed}");
    assert!(
        closed.contains("came in before, and does not now,"),
        "{closed}"
    );
    let same = graph(&new, &["-o", "svg", "--before", after, "--only-changed"]);
    assert!(!same.contains("np-door\""), "{same}");
}

#[test]
fn the_report_says_what_doors_and_list_say() {
    let input = folder(true);
    let html = netpal_at(input.path(), &["report", "-f", ".", "-o", "html"], "").stdout;
    let doors = netpal_at(input.path(), &["doors", "-f", "."], "").stdout;
    let rows = html.split("id=\"table-doors\"").nth(1).unwrap();
    let rows = rows.split("</table>").next().unwrap();
    let shown = rows.matches("<tr><td>").count();
    let listed = doors.lines().filter(|l| l.contains("shop/front")).count();
    assert_eq!((shown, listed), (2, 2), "{rows}\n{doors}");
    let potential = html.split("id=\"table-potential\"").nth(1).unwrap();
    let potential = potential.split("</table>").next().unwrap();
    assert!(
        potential.contains("pods app=gateway in namespace shop"),
        "{potential}"
    );
    assert!(potential.contains("nobody"), "{potential}");
    let markdown = netpal_at(input.path(), &["report", "-f", ".", "-o", "md"], "").stdout;
    assert!(markdown.contains("## Doors"), "{markdown}");
    assert!(
        markdown.contains("## Pods that are not in the input"),
        "{markdown}"
    );
}

#[test]
fn the_table_of_a_diff_has_doors_and_workloads_too() {
    let (before, after) = (folder(false), folder(true));
    let more = APP.replace("name: web, namespace", "name: spare, namespace");
    let spare = more.split("---\n").next().unwrap();
    fs::write(after.path().join("spare.yaml"), spare).unwrap();
    let table = |from: &tempfile::TempDir, to: &tempfile::TempDir| {
        let paths = [from, to].map(|side| side.path().to_string_lossy().into_owned());
        let arguments = ["diff", &paths[0], &paths[1], "-o", "csv"];
        let run = netpal_at(from.path(), &arguments, "");
        assert_eq!(run.code, 1, "{}", run.text());
        run.stdout
    };
    let added = table(&before, &after);
    assert!(
        added.contains("\nwidened,internet,shop/web,8080/TCP,\"LoadBalancer shop/front"),
        "{added}"
    );
    assert!(added.contains("\nadded,,shop/spare,,"), "{added}");
    let removed = table(&after, &before);
    assert!(
        removed.contains("\nnarrowed,internet,shop/web,8080/TCP,"),
        "{removed}"
    );
    assert!(removed.contains("\nremoved,,shop/spare,,"), "{removed}");
}

#[test]
fn a_fix_says_what_it_does_for_pods_that_may_come() {
    let folder = tempfile::tempdir().unwrap();
    let split = APP.replace(
        "[{podSelector: {matchLabels: {app: gateway}}}, {ipBlock: {cidr: 0.0.0.0/0}}]",
        "\n    - namespaceSelector: {matchLabels: {team: edge}}\n    - podSelector: {matchLabels: {app: gateway}}",
    );
    fs::write(folder.path().join("app.yaml"), split).unwrap();
    let run = netpal_at(
        folder.path(),
        &["lint", "--fix", "--dry-run", "-f", "."],
        "",
    );
    let text = run.text();
    assert!(text.contains("would fix NP004 split-peer"), "{text}");
    assert!(
        text.contains("1 change for pods not in the input"),
        "{text}"
    );
    assert!(
        text.contains("pods app=gateway in namespace shop, if it is without"),
        "{text}"
    );
    assert!(!text.contains("no verdict changes"), "{text}");
}

#[test]
fn other_labels_change_nothing_but_labels() {
    let folder = folder(true);
    let node = "apiVersion: v1\nkind: Pod\nmetadata: {name: agent, namespace: shop, labels: {app: web}}\n\
                spec: {nodeName: one, containers: [{name: c, image: c}]}\n\
                status: {podIP: 10.1.0.1, hostIP: 192.0.2.1}\n";
    fs::write(folder.path().join("pod.yaml"), node).unwrap();
    let relabel = ["plan", "--onto", ".", "--relabel", "shop/agent:spare=1"];
    let run = netpal_at(folder.path(), &relabel, "");
    assert_eq!(run.code, 0, "{}", run.text());
    assert!(!run.stdout.contains("DOORS"), "{}", run.text());
}
