//! `--live`: a cluster that is read through kubectl, with all rights, with some, and with failures.
//!
//! The cluster is a folder, and kubectl a script in it that prints what the folder holds: a file
//! `RESOURCE.json` is a list of the whole cluster, `RESOURCE@NAMESPACE.json` of one namespace,
//! `RESOURCE=NAME.json` one object; what stands in a file `.err` is printed as an error after it,
//! what stands in `.warn` as a warning. Of what has no file the user may not know.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

const KUBECTL: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/log"
if [ "$1" = api-resources ]; then
    file="$here/served"
    cat "$file"
else
    case "$3" in
    -n) file="$here/$2@$4" ;;
    -*) file="$here/$2" ;;
    *) file="$here/$2=$3" ;;
    esac
    test -f "$file.hang" && sleep 60
    if test -f "$file.json"; then
        cat "$file.json"
    elif ! test -f "$file.err"; then
        echo "Error from server (Forbidden): $2 is forbidden: User \"dev\" cannot list resource \"$2\"" >&2
        exit 1
    fi
fi
test -f "$file.warn" && cat "$file.warn" >&2
test -f "$file.err" || exit 0
cat "$file.err" >&2
exit 1
"#;

const SERVED: &str = "\
configmaps           cm          v1                             true    ConfigMap
namespaces           ns          v1                             false   Namespace
nodes                no          v1                             false   Node
pods                 po          v1                             true    Pod
secrets                          v1                             true    Secret
services             svc         v1                             true    Service
deployments          deploy      apps/v1                        true    Deployment
endpointslices                   discovery.k8s.io/v1            true    EndpointSlice
ingresses            ing         networking.k8s.io/v1           true    Ingress
networkpolicies      netpol      networking.k8s.io/v1           true    NetworkPolicy
";

/// A cluster.
struct Cluster {
    folder: TempDir,
}

/// What a run printed.
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Cluster {
    /// One without objects, all of whose kinds may be listed.
    fn new() -> Self {
        let cluster = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        cluster.write("served", SERVED);
        cluster.write("kubectl", KUBECTL);
        let kubectl = cluster.path("kubectl");
        std::fs::set_permissions(kubectl, std::fs::Permissions::from_mode(0o755)).unwrap();
        for line in SERVED.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, .., version, _, _] = words[..] else {
                panic!("{line}")
            };
            match version.split_once('/') {
                Some((group, _)) => cluster.list(&format!("{name}.{group}"), &[]),
                None => cluster.list(name, &[]),
            }
        }
        cluster
    }

    /// A shop and its data; the database admits the shop's frontend alone.
    fn shop() -> Self {
        let cluster = Self::new();
        cluster.list("namespaces", &[namespace("shop"), namespace("data")]);
        cluster.list("pods", &pods());
        cluster.list(POLICIES, &[only_frontend()]);
        cluster
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn list(&self, name: &str, items: &[Value]) {
        let list = json!({"apiVersion": "v1", "items": items, "kind": "List"});
        self.write(&format!("{name}.json"), &format!("{list:#}"));
    }

    fn forbid(&self, name: &str) {
        std::fs::remove_file(self.path(&format!("{name}.json"))).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let path = format!("{}:/usr/bin:/bin", self.folder.path().display());
        let output = Command::new(env!("CARGO_BIN_EXE_netpal"))
            .current_dir(self.folder.path())
            .args(arguments)
            .env("PATH", path)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run {
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// What kubectl was asked, in order of the alphabet: some calls run at once.
    fn asked(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.path("log")).unwrap();
        let mut calls: Vec<String> = log.lines().map(str::to_owned).collect();
        calls.sort();
        calls
    }
}

const POLICIES: &str = "networkpolicies.networking.k8s.io";

fn object(version: &str, kind: &str, namespace: &str, name: &str, rest: Value) -> Value {
    let mut object = json!({
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "uid": format!("{kind}-{namespace}-{name}")},
    });
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = namespace.into();
    }
    if let Value::Object(fields) = rest {
        for (key, value) in fields {
            match key.as_str() {
                "labels" => object["metadata"]["labels"] = value,
                _ => object[key] = value,
            }
        }
    }
    object
}

fn namespace(name: &str) -> Value {
    object(
        "v1",
        "Namespace",
        "",
        name,
        json!({"labels": {"kubernetes.io/metadata.name": name}}),
    )
}

fn pod(namespace: &str, app: &str, address: &str) -> Value {
    let spec = json!({"containers": [{"name": "c", "image": "i"}]});
    let status = json!({"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]});
    let rest = json!({"labels": {"app": app}, "spec": spec, "status": status});
    object("v1", "Pod", namespace, app, rest)
}

fn pods() -> Vec<Value> {
    vec![
        pod("shop", "frontend", "10.0.0.1"),
        pod("shop", "cart", "10.0.0.2"),
        pod("data", "db", "10.0.0.3"),
    ]
}

/// The database admits the frontend.
fn only_frontend() -> Value {
    let from = json!([{
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}},
        "podSelector": {"matchLabels": {"app": "frontend"}},
    }]);
    let spec = json!({
        "podSelector": {"matchLabels": {"app": "db"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": from}],
    });
    object(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "data",
        "db",
        json!({"spec": spec}),
    )
}

const CAN: [&str; 4] = ["can", "shop/cart", "data/db:5432", "--live"];

#[test]
fn a_cluster_is_asked_once_for_each_kind_that_it_has() {
    let cluster = Cluster::shop();
    let run = cluster.run(&CAN);
    assert_eq!((run.code, run.err.as_str()), (1, ""), "{}", run.out);
    let wanted = [
        "api-resources --verbs=list --no-headers --request-timeout=60s",
        "get deployments.apps -A -o json --request-timeout=60s",
        "get endpointslices.discovery.k8s.io -A -o json --request-timeout=60s",
        "get ingresses.networking.k8s.io -A -o json --request-timeout=60s",
        "get namespaces -o json --request-timeout=60s",
        "get networkpolicies.networking.k8s.io -A -o json --request-timeout=60s",
        "get nodes -o json --request-timeout=60s",
        "get pods -A -o json --request-timeout=60s",
        "get services -A -o json --request-timeout=60s",
    ];
    assert_eq!(cluster.asked(), wanted);
}

#[test]
fn both_sides_of_a_plan_are_of_one_moment() {
    let cluster = Cluster::shop();
    cluster.write("change.json", &only_frontend().to_string());
    let run = cluster.run(&["plan", "-f", "change.json", "--live"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert_eq!(cluster.asked().len(), 9);
}

#[test]
fn flags_are_handed_on_to_every_call() {
    let cluster = Cluster::shop();
    let flags = [
        ["--context", "prod"],
        ["--kubeconfig", "my config"],
        ["--as", "system:serviceaccount:ci:reader"],
        ["--chunk-size", "7"],
        ["--request-timeout", "5s"],
    ];
    let arguments: Vec<&str> = CAN.into_iter().chain(flags.concat()).collect();
    assert_eq!(cluster.run(&arguments).code, 1);
    let connection = "--context=prod --kubeconfig=my config --as=system:serviceaccount:ci:reader \
                      --request-timeout=5s";
    for call in cluster.asked() {
        assert!(call.ends_with(connection), "{call}");
        assert_eq!(
            call.contains("--chunk-size=7"),
            call.starts_with("get"),
            "{call}"
        );
    }
    let refused = cluster.run(&["inputs", "-f", "pods.json", "--context", "prod"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("--context is about a cluster"),
        "{}",
        refused.err
    );
    let odd = cluster.run(&["inputs", "--live", "--request-timeout", "soon"]);
    assert_eq!(odd.code, 2);
    assert!(odd.err.contains("write it as 30s"), "{}", odd.err);
}

#[test]
fn an_object_is_found_where_kubectl_prints_it() {
    let cluster = Cluster::shop();
    let run = cluster.run(&CAN);
    let text = format!("{:#}", only_frontend());
    let line = 1 + text
        .lines()
        .position(|l| l.contains("\"namespaceSelector\""))
        .unwrap();
    // the peer is the brace above its first key
    let place = format!("NetworkPolicy/data/db:{}", line - 1);
    assert!(run.out.contains(&place), "{place}: {}", run.out);
    let json = cluster.run(&["list", "--live", "-o", "json"]).out;
    assert!(!json.contains("<cluster>"), "{json}");
    let sarif = cluster
        .run(&["lint", "--live", "--select", "ALL", "-o", "sarif"])
        .out;
    assert!(
        !sarif.contains("\"uri\": \"NetworkPolicy"),
        "a cluster has no files: {sarif}"
    );
    let lint = cluster.run(&["lint", "--live", "--select", "ALL"]).out;
    assert!(
        lint.contains("NetworkPolicy/data/db:") && !lint.contains("<cluster>"),
        "{lint}"
    );
}

#[test]
fn without_namespaces_their_labels_are_unknown() {
    let cluster = Cluster::shop();
    let mut policy = only_frontend();
    let team = json!({"matchLabels": {"team": "shop"}});
    policy["spec"]["ingress"][0]["from"] = json!([{"namespaceSelector": team}]);
    cluster.list(POLICIES, &[policy]);
    assert_eq!(cluster.run(&CAN).code, 1, "its namespace has no such label");
    cluster.forbid("namespaces");
    let run = cluster.run(&CAN);
    assert_eq!(run.code, 3, "{}", run.out);
    let told = "Namespaces could not be listed (forbidden): their labels are unknown but for their \
                names, and there may be more of them";
    assert!(run.err.contains(told), "{}", run.err);
    assert!(
        run.err.contains("kubectl auth can-i list namespaces\n"),
        "{}",
        run.err
    );
    let as_somebody = ["inputs", "--live", "--context", "prod", "--as", "it's me"];
    let run = cluster.run(&as_somebody);
    let checked = r"kubectl auth can-i list namespaces --context=prod '--as=it'\''s me'";
    assert!(run.err.contains(checked), "{}", run.err);
    // there may be other namespaces, so pods of them are listed as with files
    let list = cluster.run(&["list", "--live"]).out;
    assert!(
        list.contains("any pod of namespaces team=shop -> data/db"),
        "{list}"
    );
}

#[test]
fn policies_that_cannot_be_listed_taint_their_namespace_alone() {
    let cluster = Cluster::shop();
    cluster.forbid(POLICIES);
    cluster.list(&format!("{POLICIES}@shop"), &[]);
    let run = cluster.run(&CAN);
    assert_eq!(run.code, 3, "{}", run.out);
    let told = "NetworkPolicies of namespace `data` could not be listed (forbidden)";
    assert!(run.err.contains(told), "{}", run.err);
    assert!(
        run.out.contains("NetworkPolicies of namespace `data`"),
        "{}",
        run.out
    );
    let inside = cluster.run(&["can", "shop/frontend", "shop/cart:80", "--live"]);
    assert_eq!(inside.code, 0, "{}", inside.out);
    let inputs = cluster.run(&["inputs", "--live"]);
    assert!(
        inputs.out.contains("NetworkPolicies of namespace `data`"),
        "{}",
        inputs.out
    );
}

#[test]
fn pods_that_cannot_be_listed_are_not_nobody() {
    let cluster = Cluster::shop();
    cluster.forbid("pods");
    cluster.list("pods@data", &pods()[2..]);
    let run = cluster.run(&["can", "any", "data/db:5432", "--live"]);
    assert_eq!(run.code, 3, "some may and some may not: {}", run.out);
    assert!(run.out.contains("shop/pods app=frontend"), "{}", run.out);
    let told =
        "Pods of namespace `shop` could not be listed (forbidden): who runs there is unknown";
    assert!(run.err.contains(told), "{}", run.err);
    let list = cluster.run(&["list", "--live"]).out;
    assert!(
        list.contains("pods app=frontend in namespace shop -> data/db"),
        "{list}"
    );
}

/// What controllers make is known, but it need not be all that runs there.
#[test]
fn pods_beside_those_of_known_controllers_may_exist() {
    let cluster = Cluster::shop();
    let labels = json!({"app": "cart"});
    let template = json!({
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    });
    let spec = json!({"selector": {"matchLabels": labels}, "template": template});
    let cart = object(
        "apps/v1",
        "Deployment",
        "shop",
        "cart",
        json!({"spec": spec}),
    );
    cluster.list("deployments.apps", &[cart]);
    cluster.forbid("pods");
    cluster.list("pods@data", &pods()[2..]);
    for from in ["any", "ns/shop"] {
        let run = cluster.run(&["can", from, "data/db:5432", "--live"]);
        assert_eq!(run.code, 3, "{from}: {}{}", run.out, run.err);
        assert!(run.out.contains("app=frontend"), "{from}: {}", run.out);
    }
    let run = cluster.run(&CAN);
    assert_eq!(run.code, 1, "a workload by name: {}", run.out);
}

#[test]
fn what_nobody_may_list_ends_the_run() {
    let cluster = Cluster::shop();
    for file in std::fs::read_dir(cluster.folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|e| e == "json") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let run = cluster.run(&CAN);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("(Forbidden)") && run.err.contains("-n NAME"),
        "{}",
        run.err
    );
    // an owner of one namespace reads that alone
    cluster.list("pods@shop", &pods()[..2]);
    cluster.list(&format!("{POLICIES}@shop"), &[]);
    cluster.write("namespaces=shop.json", &namespace("shop").to_string());
    let own = cluster.run(&["can", "cart", "frontend:80", "--live", "-n", "shop"]);
    assert_eq!(own.code, 0, "{}{}", own.out, own.err);
    let inputs = cluster.run(&["inputs", "--live", "-n", "shop"]);
    let told = "what lies outside namespace `shop` was not asked for";
    assert!(inputs.err.contains(told), "{}", inputs.err);
    assert!(
        !inputs.out.contains("assumed   namespace labels"),
        "{}",
        inputs.out
    );
    assert!(
        inputs
            .out
            .contains("NetworkPolicies outside namespace `shop`"),
        "{}",
        inputs.out
    );
}

#[test]
fn one_namespace_alone_is_read_and_the_others_are_unknown() {
    let cluster = Cluster::shop();
    cluster.list("pods@data", &pods()[2..]);
    for kind in [
        "services",
        "deployments.apps",
        "endpointslices.discovery.k8s.io",
    ] {
        cluster.list(&format!("{kind}@data"), &[]);
    }
    cluster.list("ingresses.networking.k8s.io@data", &[]);
    cluster.list(&format!("{POLICIES}@data"), &[]);
    let outward = ["can", "db", "any", "--live", "-n", "data"];
    assert_eq!(cluster.run(&outward).code, 0);
    let calls = cluster.asked();
    assert!(calls.contains(&"get pods -n data -o json --request-timeout=60s".to_owned()));
    assert!(!calls.iter().any(|c| c.contains("-A")), "{calls:?}");
    let elsewhere = cluster.run(&["can", "shop/frontend", "db:5432", "--live", "-n", "data"]);
    assert_eq!(elsewhere.code, 2);
    let told = "namespace shop was not read, data alone was: -A reads all";
    assert!(elsewhere.err.contains(told), "{}", elsewhere.err);
    let undone = ["can", "db", "any", "--live", "-n", "data", "-A"];
    cluster.run(&undone);
    assert!(cluster.asked().iter().any(|c| c.starts_with("get pods -A")));
}

#[test]
fn a_namespace_that_is_not_there_is_an_error() {
    let cluster = Cluster::shop();
    let run = cluster.run(&["inputs", "--live", "-n", "shp"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("no namespace called shp"), "{}", run.err);
    assert!(run.err.contains("did you mean shop?"), "{}", run.err);
}

#[test]
fn policies_of_other_dialects_are_read_where_they_exist() {
    let cluster = Cluster::shop();
    let cilium = "ciliumnetworkpolicies   cnp   cilium.io/v2   true   CiliumNetworkPolicy\n";
    cluster.write("served", &format!("{SERVED}{cilium}"));
    cluster.list("ciliumnetworkpolicies.cilium.io", &[]);
    assert_eq!(cluster.run(&CAN).code, 1);
    cluster.forbid("ciliumnetworkpolicies.cilium.io");
    let run = cluster.run(&CAN);
    assert_eq!(run.code, 3, "{}", run.out);
    assert!(run.err.contains("CiliumNetworkPolicies"), "{}", run.err);
}

#[test]
fn an_api_that_does_not_answer_costs_its_own_kinds() {
    let cluster = Cluster::shop();
    let silent = |group: &str| {
        format!(
            "error: unable to retrieve the complete list of server APIs: {group}: stale GroupVersion discovery\n"
        )
    };
    cluster.write("served.err", &silent("metrics.k8s.io/v1beta1"));
    let run = cluster.run(&CAN);
    assert_eq!((run.code, run.err.as_str()), (1, ""));
    cluster.write("served.err", &silent("projectcalico.org/v3"));
    let run = cluster.run(&CAN);
    assert_eq!(run.code, 3, "{}", run.out);
    assert!(run.err.contains("its API does not answer"), "{}", run.err);
}

#[test]
fn a_part_of_a_list_is_used_and_the_rest_is_unknown() {
    let cluster = Cluster::shop();
    let timeout =
        "Error from server (Timeout): the server was unable to return a response in time\n";
    cluster.write(&format!("{POLICIES}.err"), timeout);
    let run = cluster.run(&CAN);
    assert_eq!(run.code, 3, "{}", run.out);
    let told = "could not be listed (the server was unable to return a response in time)";
    assert!(run.err.contains(told), "{}", run.err);
    let inputs = cluster.run(&["inputs", "--live"]).out;
    assert!(inputs.contains("1 NetworkPolicy"), "{inputs}");
    // half a text is no list
    let path = cluster.path(&format!("{POLICIES}.json"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    let inputs = cluster.run(&["inputs", "--live"]).out;
    assert!(
        !inputs.contains("NetworkPolicy,") && inputs.contains("unknown"),
        "{inputs}"
    );
    // whatever kubectl says of it
    std::fs::remove_file(cluster.path(&format!("{POLICIES}.err"))).unwrap();
    let run = cluster.run(&CAN);
    assert_eq!(run.code, 3, "{}", run.out);
    assert!(
        run.err.contains("something else than a list"),
        "{}",
        run.err
    );
}

#[test]
fn a_kind_that_hangs_costs_only_itself() {
    let cluster = Cluster::shop();
    cluster.write("services.hang", "");
    let arguments: Vec<&str> = CAN
        .into_iter()
        .chain(["--request-timeout", "100ms"])
        .collect();
    let run = cluster.run(&arguments);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    let told = "Services could not be listed (no answer within 2s)";
    assert!(run.err.contains(told), "{}", run.err);
}

#[test]
fn warnings_of_the_server_are_no_failure() {
    let cluster = Cluster::shop();
    cluster.write(
        "pods.warn",
        "Warning: v1 Something is deprecated in v1.33+; error: none\n",
    );
    let run = cluster.run(&CAN);
    assert_eq!((run.code, run.err.as_str()), (1, ""), "{}", run.out);
}

#[test]
fn five_thousand_pods_are_five_thousand_pods() {
    let cluster = Cluster::shop();
    let many = (0..5_000).map(|i| {
        let mut pod = pod("shop", "frontend", &format!("10.1.{}.{}", i / 250, i % 250));
        pod["metadata"]["name"] = format!("frontend-{i}").into();
        pod
    });
    cluster.list("pods", &many.chain(pods()).collect::<Vec<_>>());
    let run = cluster.run(&["inputs", "--live", "--chunk-size", "100"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("5003 Pods"), "{}", run.out);
    let json = cluster.run(&["inputs", "--live", "-v", "-o", "json"]).out;
    assert!(json.contains("frontend-4999") && !json.contains("<cluster>"));
}

#[test]
fn a_dump_says_what_the_cluster_said_and_is_private() {
    let cluster = Cluster::shop();
    cluster.forbid(POLICIES);
    cluster.list(&format!("{POLICIES}@data"), &[only_frontend()]);
    cluster.write("kept.json", "old");
    let arguments: Vec<&str> = CAN.into_iter().chain(["--dump", "kept.json"]).collect();
    let live = cluster.run(&arguments);
    assert_eq!(live.code, 1, "{}{}", live.out, live.err);
    let mode = std::fs::metadata(cluster.path("kept.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept = ["can", "shop/cart", "data/db:5432", "-f", "kept.json"];
    assert_eq!(cluster.run(&kept).code, 1);
    // what could not be listed is unknown in the file too
    let inside = cluster.run(&["can", "shop/frontend", "shop/cart:80", "-f", "kept.json"]);
    assert_eq!(inside.code, 3, "{}", inside.out);
    let told = "NetworkPolicies of namespace `shop` could not be listed (forbidden)";
    assert!(
        live.err.contains(told) && inside.err.contains(told),
        "{}",
        inside.err
    );
    let left: Vec<_> = std::fs::read_dir(cluster.folder.path())
        .unwrap()
        .filter(|f| {
            f.as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|e| e == "part")
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let refused: Vec<&str> = CAN.into_iter().chain(["--dump", "/dev/null"]).collect();
    let refused = cluster.run(&refused);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("not a regular file"),
        "{}",
        refused.err
    );
}
