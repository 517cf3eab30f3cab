//! What a Service in a question stands for: headless ones, aliases, listed endpoints, readiness,
//! and the addresses of Services. Each fact cites the sentence of the API that it rests on.
//!
//! Recorded ground truth about Services is read in place where `NETPAL_DOORS` names it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use common::{Run, netpal_at};
use std::path::Path;

/// Two pods that run on one node each, and what tests put beside them.
const BAKERY: &str = "
apiVersion: v1
kind: Node
metadata: {name: cellar}
status: {addresses: [{type: InternalIP, address: 172.20.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: attic}
status: {addresses: [{type: InternalIP, address: 172.20.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: counter, namespace: bakery, labels: {role: counter}}
spec: {nodeName: attic, containers: [{name: c, image: i}]}
status: {podIP: 10.8.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: oven-0, namespace: bakery, labels: {role: oven}}
spec:
  nodeName: cellar
  hostname: oven-0
  subdomain: ovens
  containers: [{name: c, image: i, ports: [{name: heat, containerPort: 9100}]}]
status: {podIP: 10.8.0.2}
---
apiVersion: v1
kind: Pod
metadata: {name: cold-0, namespace: bakery, labels: {role: cold}}
spec: {nodeName: cellar, hostname: cold-0, subdomain: cold, containers: [{name: c, image: i}]}
status: {podIP: 10.8.0.3, conditions: [{type: Ready, status: 'False'}]}
";

/// A policy on the pods of a role.
fn policy(name: &str, role: &str, rest: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: bakery}}
spec: {{podSelector: {{matchLabels: {{role: {role}}}}}, {rest}}}
"
    )
}

fn service(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: bakery}}\nspec: {{{spec}}}\n"
    )
}

/// Asks whether the counter reaches something, with objects beside the bakery.
fn ask(objects: &[String], destination: &str) -> Run {
    ask_from(objects, "bakery/counter", destination)
}

fn ask_from(objects: &[String], source: &str, destination: &str) -> Run {
    let text = format!("{BAKERY}---\n{}", objects.join("---\n"));
    let words = ["can", source, "reach", destination, "-f", "-"];
    netpal_at(Path::new(env!("CARGO_MANIFEST_DIR")), &words, &text)
}

/// Each destination with the exit code and a part of what is told.
fn assert_told(objects: &[String], facts: &[(&str, i32, &str)]) {
    for (destination, code, told) in facts {
        let run = ask(objects, destination);
        assert_eq!(run.code, *code, "{destination}: {}", run.text());
        assert!(run.text().contains(told), "{destination}: {}", run.text());
    }
}

#[test]
fn a_headless_service_maps_no_port() {
    // ServicePort.targetPort: "This field is ignored for services with clusterIP=None"
    let only_9100 = policy(
        "oven",
        "oven",
        "policyTypes: [Ingress], ingress: [{ports: [{port: 9100}]}]",
    );
    let ovens = service(
        "ovens",
        "clusterIP: None, selector: {role: oven}, ports: [{port: 80, targetPort: heat}]",
    );
    assert_told(
        &[only_9100, ovens],
        &[
            ("bakery/svc/ovens:80", 1, "bakery/oven-0:80/TCP"),
            ("bakery/svc/ovens:9100", 0, "bakery/oven-0:9100/TCP"),
            ("ovens.bakery.svc:9100", 0, "yes"),
            ("oven-0.ovens.bakery.svc:9100", 0, "yes"),
            ("oven-0.ovens.bakery.svc.cluster.local:80", 1, "no"),
        ],
    );
}

#[test]
fn pods_have_names_under_the_headless_service_of_their_subdomain() {
    // PodSpec.subdomain: "the fully qualified Pod hostname will be
    // <hostname>.<subdomain>.<pod namespace>.svc.<cluster domain>"
    let headless = |name, role, more| {
        let spec =
            format!("clusterIP: None, selector: {{role: {role}}}, ports: [{{port: 80}}]{more}");
        service(name, &spec)
    };
    let objects = [
        headless("ovens", "oven", ""),
        headless("others", "oven", ""),
        headless("cold", "cold", ""),
        service("shop", "selector: {role: oven}, ports: [{port: 80}]"),
    ];
    assert_told(
        &objects,
        &[
            ("oven-0.ovens.bakery.svc:80", 0, "yes"),
            ("oven-0.others.bakery.svc:80", 2, "NO_NAME"),
            ("oven-0.shop.bakery.svc:80", 2, "NO_NAME"),
            ("oven-7.ovens.bakery.svc:80", 2, "NO_NAME"),
            ("cold-0.cold.bakery.svc:80", 2, "NO_NAME"),
        ],
    );
    let published = headless("cold", "cold", ", publishNotReadyAddresses: true");
    assert_told(&[published], &[("cold-0.cold.bakery.svc:80", 0, "yes")]);
}

#[test]
fn an_external_name_is_a_name_and_nothing_else() {
    // ServiceSpec.type: ExternalName "aliases this service to the specified externalName. Several
    // other fields do not apply to ExternalName services"
    let alias = |to: &str| {
        let spec = format!(
            "type: ExternalName, externalName: {to}, selector: {{role: oven}}, ports: [{{port: 80, targetPort: 9100}}]"
        );
        service("bread", &spec)
    };
    let out = |rest| policy("out", "counter", &format!("policyTypes: [Egress]{rest}"));
    let to_oven = ", egress: [{to: [{podSelector: {matchLabels: {role: oven}}}]}]";
    for (objects, code, told) in [
        (
            vec![alias("bread.example")],
            3,
            "outside name bread.example",
        ),
        (vec![alias("10.8.0.2")], 3, "outside name 10.8.0.2"),
        (
            vec![alias("bread.example"), out(to_oven)],
            3,
            "bread.example",
        ),
        (vec![alias("bread.example"), out("")], 1, "no"),
        (vec![alias("bread.bakery.svc")], 3, "unknown"),
    ] {
        assert_told(&objects, &[("bakery/svc/bread:80", code, told)]);
    }
    let shop = service(
        "shop",
        "selector: {role: oven}, ports: [{port: 81, targetPort: 9100}]",
    );
    assert_told(
        &[alias("shop.bakery.svc.cluster.local"), shop],
        &[
            ("bakery/svc/bread:81", 0, "=> bakery/oven-0:9100/TCP"),
            ("bakery/svc/bread:80", 2, "NO_PORT"),
        ],
    );
}

const SLICE: &str = "
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: mill-x, namespace: bakery, labels: {kubernetes.io/service-name: mill}}
addressType: IPv4
endpoints:
- addresses: [10.8.0.2]
- addresses: [192.168.77.7]
- addresses: [192.168.77.8]
  conditions: {ready: false}
ports: [{name: flour, port: 9100}]
";

#[test]
fn without_a_selector_the_listed_endpoints_are_behind_it() {
    // EndpointPort.name: "must match the 'name' field in the corresponding ServicePort"
    let mill = service(
        "mill",
        "ports: [{name: flour, port: 80, targetPort: 1}, {name: bran, port: 81}]",
    );
    let endpoints = "
apiVersion: v1
kind: Endpoints
metadata: {name: mill, namespace: bakery}
subsets: [{addresses: [{ip: 192.168.99.9}], ports: [{name: flour, port: 9}]}]
";
    let out = policy(
        "out",
        "counter",
        "policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 192.168.77.0/24}}], ports: [{port: 9100}]},
  {to: [{podSelector: {matchLabels: {role: oven}}}]}]",
    );
    let slice = [
        mill.clone(),
        SLICE.to_owned(),
        out.clone(),
        endpoints.to_owned(),
    ];
    assert_told(
        &slice,
        &[
            ("bakery/svc/mill:80", 0, "bakery/oven-0  192.168.77.7"),
            ("bakery/svc/mill:81", 1, "NO_BACKEND"),
            ("bakery/svc/mill:82", 2, "NO_PORT"),
        ],
    );
    let told = ask(&slice, "bakery/svc/mill:80").text();
    assert!(!told.contains("77.8") && !told.contains("99.9"), "{told}");
    // only Endpoints, as before slices
    assert_told(
        &[mill.clone(), endpoints.to_owned(), out],
        &[("bakery/svc/mill:80", 1, "192.168.99.9")],
    );
    assert_told(
        &[mill],
        &[(
            "bakery/svc/mill:80",
            3,
            "its endpoints are not in the input",
        )],
    );
}

#[test]
fn pods_that_are_not_ready_are_called_only_where_they_are_published() {
    // ServiceSpec.publishNotReadyAddresses: "disregard any indications of ready/not-ready"
    let cold = |more: &str| {
        service(
            "cold",
            &format!("selector: {{role: cold}}, ports: [{{port: 80}}]{more}"),
        )
    };
    let nobody = service("nobody", "selector: {role: nobody}, ports: [{port: 80}]");
    assert_told(
        &[cold(""), nobody],
        &[
            ("bakery/svc/cold:80", 1, "NO_BACKEND"),
            ("bakery/svc/nobody:80", 1, "NO_BACKEND"),
            ("bakery/svc/unheard:80", 2, "NO_SERVICE"),
        ],
    );
    let published = cold(", publishNotReadyAddresses: true");
    assert_told(&[published], &[("bakery/svc/cold:80", 0, "yes")]);
}

#[test]
fn a_named_target_is_looked_up_on_each_pod() {
    // ServicePort.targetPort: "If this is a string, it will be looked up as a named port in the
    // target Pod's container ports"
    let all = service("all", "selector: {}, ports: [{port: 80, targetPort: heat}]");
    let both = "
apiVersion: v1
kind: Pod
metadata: {name: grill, namespace: bakery, labels: {role: oven}}
spec: {containers: [{name: c, image: i, ports: [{name: heat, containerPort: 9200}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: nameless, namespace: bakery, labels: {role: oven}}
spec: {containers: [{name: c, image: i}]}
";
    let hot = service(
        "hot",
        "selector: {role: oven}, ports: [{port: 80, targetPort: heat}]",
    );
    let run = ask(&[all, both.to_owned(), hot], "bakery/svc/hot:80");
    assert_eq!(run.code, 0, "{}", run.text());
    assert!(!run.text().contains("nameless"), "{}", run.text());
}

#[test]
fn a_service_may_lead_to_the_callers_own_node_alone() {
    // ServiceSpec.internalTrafficPolicy: "Local" ... "dropping the traffic if there are no local
    // endpoints"
    let near = service(
        "near",
        "internalTrafficPolicy: Local, selector: {role: oven}, ports: [{port: 80, targetPort: 9100}]",
    );
    let nowhere = "
apiVersion: v1
kind: Pod
metadata: {name: stray, namespace: bakery, labels: {role: stray}}
spec: {containers: [{name: c, image: i}]}
";
    let objects = [near, nowhere.to_owned()];
    assert_told(&objects, &[("bakery/svc/near:80", 1, "NO_BACKEND")]);
    assert_eq!(
        ask_from(&objects, "bakery/cold-0", "bakery/svc/near:80").code,
        0
    );
    assert_eq!(
        ask_from(&objects, "bakery/stray", "bakery/svc/near:80").code,
        3
    );
}

/// A Service with every kind of address.
fn front() -> String {
    let spec =
        "type: LoadBalancer, clusterIPs: [10.96.3.3, 'fd00:96::3'], externalIPs: [172.29.3.3],
  selector: {role: oven}, ports: [{port: 80, targetPort: heat, nodePort: 31333}]";
    service("front", spec) + "status: {loadBalancer: {ingress: [{ip: 198.51.100.33}]}}\n"
}

#[test]
fn an_address_of_a_service_is_the_service() {
    // ServiceSpec.externalIPs: "nodes in the cluster will also accept traffic for this service"
    assert_told(
        &[front()],
        &[
            (
                "10.96.3.3:80",
                0,
                "svc bakery/front:80 => bakery/oven-0:9100/TCP",
            ),
            ("172.29.3.3:80", 0, "svc bakery/front:80"),
            ("198.51.100.33:80", 0, "svc bakery/front:80"),
            (
                "172.20.0.2:31333",
                0,
                "svc bakery/front:31333 => bakery/oven-0:9100/TCP",
            ),
            (
                "bakery/svc/front:31333",
                0,
                "31333 is the nodePort of Service front for 80",
            ),
            ("198.51.100.33:443", 2, "NO_PORT"),
            ("10.96.3.3:9100", 2, "NO_PORT"),
        ],
    );
    // no pod calls from such an address: it is one of the world outside
    let closed = policy("oven", "oven", "policyTypes: [Ingress]");
    let caller = ask_from(&[front(), closed], "198.51.100.33", "bakery/oven-0:80");
    assert_eq!(caller.code, 1, "{}", caller.text());
    assert!(caller.stdout.contains("198.51.100.33 -> bakery/oven-0"));
    let outside = ask_from(&[front()], "internet", "bakery/svc/front:31333");
    assert_eq!(outside.code, 0, "{}", outside.text());
}

#[test]
fn policies_may_see_an_address_before_or_after_it_is_rewritten() {
    // NetworkPolicyPeer.ipBlock in the documentation: "it is not defined whether this happens
    // before or after NetworkPolicy processing"
    let out = |to: &str| {
        policy(
            "out",
            "counter",
            &format!("policyTypes: [Egress], egress: [{{to: [{to}]}}]"),
        )
    };
    let oven = "{podSelector: {matchLabels: {role: oven}}}";
    let block = |address: &str| format!("{{ipBlock: {{cidr: {address}/32}}}}");
    for (to, destination, code) in [
        (oven.to_owned(), "198.51.100.33:80", 3),
        (block("198.51.100.33"), "198.51.100.33:80", 3),
        (
            format!("{oven}, {}", block("198.51.100.33")),
            "198.51.100.33:80",
            0,
        ),
        (block("203.0.113.1"), "198.51.100.33:80", 1),
        (block("172.29.3.3"), "172.29.3.3:80", 3),
        (oven.to_owned(), "10.96.3.3:80", 0),
        (oven.to_owned(), "bakery/svc/front:80", 0),
        (block("10.96.3.3"), "10.96.3.3:80", 3),
        (block("10.96.3.3"), "bakery/svc/front:80", 3),
        (block("10.96.3.4"), "bakery/svc/front:80", 1),
    ] {
        let run = ask(&[front(), out(&to)], destination);
        assert_eq!(run.code, code, "{to} {destination}: {}", run.text());
    }
    // behind a load balancer the pod may see a node in place of the caller
    let way_in = policy(
        "in",
        "oven",
        "policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {role: counter}}}]}]",
    );
    let run = ask(&[front(), way_in], "198.51.100.33:80");
    assert_eq!(run.code, 3, "{}", run.text());
}

#[test]
fn only_a_rule_that_names_the_address_of_a_service_leaves_a_call_of_it_open() {
    // S41, S51, S59: what a rule for everybody says of the Service's own port decides nothing
    let out = |egress: &str| {
        let spec = format!("policyTypes: [Egress], egress: [{egress}]");
        policy("out", "counter", &spec)
    };
    let till = service(
        "till",
        "clusterIP: 10.96.3.9, selector: {role: oven}, ports: [{name: a, port: 8000, targetPort: 80},
  {name: b, port: 8001, targetPort: 81}]",
    );
    let block = "to: [{ipBlock: {cidr: 10.96.0.0/12}}]";
    for (egress, destination, code) in [
        (
            "{ports: [{port: 8000}]}".to_owned(),
            "bakery/svc/till:8000",
            1,
        ),
        ("{ports: [{port: 8000}]}".to_owned(), "10.96.3.9:8000", 1),
        (
            "{ports: [{port: 80}]}".to_owned(),
            "bakery/svc/till:8000",
            0,
        ),
        (
            format!("{{{block}, ports: [{{port: 8000}}]}}"),
            "bakery/svc/till:8000",
            3,
        ),
        (
            format!("{{{block}, ports: [{{port: 80}}]}}"),
            "bakery/svc/till:8000",
            1,
        ),
        (
            format!("{{{block}, ports: [{{port: 8000}}]}}, {{ports: [{{port: 8001}}]}}"),
            "bakery/svc/till:8001",
            1,
        ),
    ] {
        let run = ask(&[till.clone(), out(&egress)], destination);
        assert_eq!(run.code, code, "{egress} {destination}: {}", run.text());
    }
    let kinds = [
        ("v1alpha1", "AdminNetworkPolicy", ""),
        ("v1alpha2", "ClusterNetworkPolicy", "tier: Admin, "),
    ];
    for (version, kind, tier) in kinds {
        let closed = format!(
            "apiVersion: policy.networking.k8s.io/{version}
kind: {kind}
metadata: {{name: shut}}
spec:
  {{{tier}priority: 1, subject: {{namespaces: {{}}}}, egress: [{{action: Deny, to: [{{namespaces: {{}}}}]}}]}}
"
        );
        let run = ask(&[till.clone(), closed], "bakery/svc/till:8000");
        assert_eq!(run.code, 1, "{kind}: {}", run.text());
    }
}

#[test]
fn the_address_of_a_service_without_selector_is_replaced_by_its_endpoints() {
    let mill = service(
        "mill",
        "clusterIP: 10.96.4.4, ports: [{name: flour, port: 80}]",
    );
    let out = policy(
        "out",
        "counter",
        "policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.96.4.4/32}}]}]",
    );
    let text = format!("{BAKERY}---\n{mill}---{SLICE}---\n{out}");
    let words = ["lint", "-f", "-"];
    let run = netpal_at(Path::new(env!("CARGO_MANIFEST_DIR")), &words, &text);
    let advice = "endpoints, 10.8.0.2:9100, 192.168.77.7:9100";
    assert!(run.stdout.contains(advice), "{}", run.text());
    assert!(!run.stdout.contains("select the pods"), "{}", run.text());
}

#[test]
fn pods_of_a_stateful_set_are_told_apart_however_many_there_are() {
    // StatefulSet: "the index is added as a pod label, apps.kubernetes.io/pod-index"
    let set = |replicas: u32| {
        format!(
            "apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: jars, namespace: bakery}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{role: jar}}}}
  template:
    metadata: {{labels: {{role: jar}}}}
    spec: {{containers: [{{name: c, image: i}}]}}
"
        )
    };
    let first = policy(
        "out",
        "counter",
        "policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {apps.kubernetes.io/pod-index: '0'}}}]}]",
    );
    for (replicas, destination, code, told) in [
        (65, "jars:80", 3, "partly"),
        (65, "jars-0:80", 0, "yes"),
        (65, "jars-64:80", 1, "no"),
        (65, "jars-65:80", 2, "jars-0 to jars-64"),
        (0, "jars:80", 3, "unknown"),
        (0, "jars-0:80", 0, "yes"),
        (5000, "jars:80", 3, "unknown"),
    ] {
        assert_told(
            &[set(replicas), first.clone()],
            &[(destination, code, told)],
        );
    }
}

/// A line of recorded ground truth that netpal answers otherwise, with why.
const OTHERWISE: [(&str, &str, &str); 1] = [(
    "nodeport-on-private-nodes",
    "10.0.0.12:80",
    "a node listens on more than the ports of Services (Node.status.daemonEndpoints, for one)",
)];

/// The exit code and the word of a recorded verdict.
fn recorded(verdict: &str) -> (i32, &str) {
    match verdict {
        "allow" => (0, ""),
        "deny" => (1, ""),
        "no-backend" => (1, "NO_BACKEND"),
        "no-port" => (2, "NO_PORT"),
        "no-service" => (2, "NO_SERVICE"),
        "no-name" => (2, ""),
        _ => (3, ""),
    }
}

#[test]
fn recorded_questions_about_services_hold() {
    let Ok(root) = std::env::var("NETPAL_DOORS") else {
        println!("skipped: NETPAL_DOORS is not set");
        return;
    };
    let (mut right, mut wrong) = (0, Vec::new());
    let folders = std::fs::read_dir(&root).unwrap();
    let mut folders: Vec<_> = folders.map(|e| e.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let Ok(lines) = std::fs::read_to_string(folder.join("services.csv")) else {
            continue;
        };
        for line in lines.lines().skip(1).filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.splitn(6, ',').collect();
            let [source, target, port, protocol, verdict, _] = fields.as_slice() else {
                panic!("{name}: {line}");
            };
            let namespace = source.split('/').next().unwrap();
            let destination = format!("{target}:{port}/{protocol}");
            let asked_otherwise =
                |(of, to, _): &(&str, &str, &str)| *of == name && destination.starts_with(to);
            if OTHERWISE.iter().any(asked_otherwise) {
                continue;
            }
            let destination = match target.strip_prefix("svc/") {
                Some(_) => format!("{namespace}/{destination}"),
                None => destination,
            };
            let mut words = vec!["can", source, "reach", &destination, "-f", "."];
            if !target.contains(['/', '.']) {
                words.extend(["-n", namespace]);
            }
            let run = netpal_at(&folder, &words, "");
            let (code, word) = recorded(verdict);
            if run.code == code && run.text().contains(word) {
                right += 1;
            } else {
                wrong.push(format!("{name}: {line}\n{}", run.text()));
            }
        }
    }
    println!("{right} recorded questions about Services hold");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(right > 30, "they are there to be asked");
}

/// S40, S41, S63: a block is all of its addresses, those of Services among them, and what is behind
/// these decides there.
#[test]
fn a_block_holds_the_addresses_of_services() {
    let oven = "
apiVersion: v1
kind: Service
metadata: {name: oven, namespace: bakery}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.5
  externalIPs: [198.51.100.9]
  selector: {role: oven}
  ports: [{port: 443, targetPort: 8443, nodePort: 30443}]
status: {loadBalancer: {ingress: [{ip: 203.0.113.10}]}}
";
    let closed = policy("closed", "oven", "policyTypes: [Ingress]");
    let none = "
apiVersion: v1
kind: Service
metadata: {name: none, namespace: bakery}
spec: {clusterIP: 10.97.0.5, selector: {role: nobody}, ports: [{port: 443}]}
";
    let input = format!("{BAKERY}---{oven}---{none}---\n{closed}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let asked = |source: &str, to: &str| {
        let run = netpal_at(root, &["can", source, "reach", to, "-f", "-"], &input);
        run.text().lines().find_map(|line| {
            let word = line.split(' ').next()?;
            ["yes", "no", "partly", "unknown"]
                .contains(&word)
                .then(|| word.to_owned())
        })
    };
    let cases = [
        ("10.96.0.0/16:443", "partly"),
        ("10.96.0.0/16:80,443", "partly"),
        ("10.96.0.0/16", "partly"),
        ("10.96.0.0/16:80", "yes"),
        ("203.0.113.0/24:443", "unknown"),
        ("198.51.100.0/24:443", "unknown"),
        ("172.20.0.0/24:30443", "unknown"),
        ("172.20.0.0/24:443", "yes"),
        ("10.97.0.0/16:443", "partly"),
        ("192.0.2.0/24:443", "yes"),
    ];
    for (block, word) in cases {
        assert_eq!(
            asked("bakery/counter", block).as_deref(),
            Some(word),
            "{block}"
        );
    }
    // no pod calls from the address of a load balancer
    let from = asked("203.0.113.0/24", "bakery/counter:80");
    assert_eq!(from.as_deref(), Some("yes"));
}

/// CI160: under Cilium a pod reaches itself through its own Service, whatever policies say.
#[test]
fn cilium_lets_a_pod_reach_itself_through_its_service() {
    let oven = "
apiVersion: v1
kind: Service
metadata: {name: oven, namespace: bakery}
spec: {clusterIP: 10.96.0.5, selector: {role: oven}, ports: [{port: 443, targetPort: 8443}]}
";
    let rule = "
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: deny, namespace: bakery}
spec: {endpointSelector: {}, ingressDeny: [{fromEntities: [all]}], egressDeny: [{toEntities: [all]}]}
";
    let admin = "
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: deny}
spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{name: a, action: Deny, from: [{namespaces: {}}]}]}
";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for policies in [rule, admin] {
        let input = format!("{BAKERY}---{oven}---{policies}");
        let asked = |source: &str| {
            let to = "bakery/svc/oven:443";
            let words = ["can", source, "reach", to, "-f", "-", "--cni", "cilium"];
            netpal_at(root, &words, &input)
        };
        let itself = asked("bakery/oven-0");
        assert_eq!(itself.code, 0, "{}", itself.text());
        assert_eq!(asked("bakery/counter").code, 1, "{policies}");
    }
}
