//! What an answer says to somebody who reads it once: who passes and who does not, which policy
//! came closest, and addresses as a manifest writes them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use common::{Run, netpal_at};
use std::path::Path;

/// Asks about manifests that are given on standard input.
fn ask(manifests: &str, arguments: &str) -> Run {
    let mut words: Vec<&str> = arguments.split(' ').collect();
    words.extend(["-f", "-"]);
    netpal_at(Path::new(env!("CARGO_MANIFEST_DIR")), &words, manifests)
}

/// A pod of a namespace with labels, and a controller if it has one.
fn pod(namespace: &str, name: &str, labels: &str, owner: &str) -> String {
    let owners = match owner {
        "" => String::new(),
        set => format!(
            ", ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: {set}, uid: u, \
             controller: true}}]"
        ),
    };
    format!(
        "---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {{{labels}}}{owners}}}
spec: {{containers: [{{name: c, image: i}}]}}
"
    )
}

fn namespace(name: &str, labels: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n"
    )
}

/// A `NetworkPolicy`, given its spec in flow style.
fn policy(namespace: &str, name: &str, spec: &str) -> String {
    format!(
        "---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
"
    )
}

/// A `StatefulSet` of some replicas that listens on 6379.
fn stateful(namespace: &str, name: &str, replicas: u32) -> String {
    format!(
        "---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  replicas: {replicas}
  serviceName: {name}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: c, image: i, ports: [{{containerPort: 6379}}]}}]}}
"
    )
}

fn has(run: &Run, wanted: &[&str]) {
    for text in wanted {
        assert!(
            run.stdout.contains(text),
            "`{text}` is not in\n{}",
            run.text()
        );
    }
}

fn lacks(run: &Run, unwanted: &[&str]) {
    for text in unwanted {
        assert!(!run.text().contains(text), "`{text}` is in\n{}", run.text());
    }
}

const ANYONE: &str = "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}";

#[test]
fn near_is_the_policy_that_lacks_only_the_namespace() {
    let world = [
        namespace("edge", "zone: dmz"),
        namespace("books", ""),
        pod("edge", "proxy", "run: proxy", ""),
        pod("books", "shelf", "run: shelf", ""),
        policy("books", "among-us", ANYONE),
        policy(
            "books",
            "from-proxy",
            "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {run: proxy}}}]}]}",
        ),
    ]
    .concat();
    for question in ["can", "why"] {
        let run = ask(&world, &format!("{question} edge/proxy books/shelf:80"));
        assert_eq!(run.code, 1);
        has(&run, &["books/from-proxy ingress[0]"]);
    }
    lacks(
        &ask(&world, "can edge/proxy books/shelf:80"),
        &["near books/among-us"],
    );
}

#[test]
fn near_weighs_the_namespaces_labels_as_one_and_other_pods_as_far() {
    let base = [
        namespace("edge", "zone: dmz"),
        namespace("books", ""),
        pod("edge", "proxy", "run: proxy", ""),
        pod("books", "shelf", "run: shelf", ""),
    ]
    .concat();
    let labels = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {a: b, c: d}}, \
                  podSelector: {matchLabels: {run: proxy}}}]}]}";
    let others = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: \
                  {matchLabels: {run: cook}}}]}]}";
    let ports = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: \
                 {matchLabels: {run: proxy}}}], ports: [{port: 8443}]}]}";
    let both = [
        &base,
        &*policy("books", "a-cook", others),
        &*policy("books", "two-labels", labels),
    ];
    let run = ask(&both.concat(), "can edge/proxy books/shelf:80");
    has(&run, &["near books/two-labels"]);
    let all = [&*both.concat(), &*policy("books", "z-ports", ports)].concat();
    let run = ask(&all, "can edge/proxy books/shelf:80");
    has(&run, &["near books/z-ports", "allows 8443/TCP"]);
}

#[test]
fn near_on_the_way_out_is_weighed_alike() {
    let world = [
        namespace("edge", ""),
        namespace("books", ""),
        pod("edge", "proxy", "run: proxy", ""),
        pod("books", "shelf", "run: shelf", ""),
        policy(
            "edge",
            "a-own",
            "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]}",
        ),
        policy(
            "edge",
            "to-shelf",
            "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: \
             {run: shelf}}}]}]}",
        ),
    ];
    let run = ask(&world.concat(), "can edge/proxy books/shelf:80");
    has(&run, &["near edge/to-shelf egress[0]"]);
}

#[test]
fn partly_names_the_replicas_of_either_end() {
    let world = [
        pod("tea", "cup", "run: cup", ""),
        pod("tea", "pot-aa1bb", "run: pot, warm: 'yes'", "pot"),
        pod("tea", "pot-cc2dd", "run: pot", "pot"),
        policy(
            "tea",
            "warm-only",
            "{podSelector: {matchLabels: {warm: 'yes'}}, policyTypes: [Ingress, Egress]}",
        ),
    ]
    .concat();
    for question in ["cup pot:80", "pot cup:80"] {
        for command in ["can", "why"] {
            let run = ask(&world, &format!("{command} {question}"));
            assert_eq!(run.code, 3);
            has(
                &run,
                &["yes      pot-cc2dd", "no       pot-aa1bb (warm=yes)"],
            );
        }
    }
    for command in ["can", "why"] {
        let json = ask(&world, &format!("{command} cup pot:80 -o json"));
        let read: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        let parts = &read["pairs"][0]["parts"];
        assert_eq!(parts[0]["destinations"][0], "pot-cc2dd");
        assert_eq!(parts[0]["verdict"], "yes");
        assert_eq!(parts[1]["destinations"][0], "pot-aa1bb");
        assert_eq!(parts[1]["verdict"], "no");
    }
    let set = ask(&world, "can pot any:80");
    has(&set, &["yes: pot-cc2dd", "no: pot-aa1bb (warm=yes)"]);
    let why = ask(&world, "why cup pot:80");
    has(
        &why,
        &[
            "tea/cup -> tea/pot (pot-aa1bb)",
            "tea/cup -> tea/pot (pot-cc2dd)",
        ],
    );
}

#[test]
fn partly_says_the_ports_where_replicas_and_ports_differ() {
    let world = [
        pod("tea", "cup", "run: cup", ""),
        pod("tea", "pot-aa1bb", "run: pot, warm: 'yes'", "pot"),
        pod("tea", "pot-cc2dd", "run: pot", "pot"),
        policy(
            "tea",
            "warm-only",
            "{podSelector: {matchLabels: {warm: 'yes'}}, ingress: [{ports: [{port: 80}]}]}",
        ),
    ];
    let run = ask(&world.concat(), "can cup pot:80,81");
    has(
        &run,
        &["pot-aa1bb (warm=yes)   allowed 80/TCP, blocked 81/TCP"],
    );
}

#[test]
fn a_stateful_set_is_decided_by_ordinal() {
    let client = pod("tea", "cup", "run: cup", "");
    let out = "{podSelector: {matchLabels: {run: cup}}, policyTypes: [Egress], egress: [{to: \
               [{podSelector: {matchLabels: {apps.kubernetes.io/pod-index: '1'}}}]}]}";
    let world = [
        client,
        stateful("tea", "pot", 3),
        policy("tea", "second", out),
    ]
    .concat();
    let run = ask(&world, "can cup pot:6379");
    has(&run, &["partly", "yes      pot-1", "no       pot-0  pot-2"]);
    let one = ask(&world, "can cup pot-1:6379");
    has(&one, &["yes  tea/cup -> tea/pot (pot-1):6379/TCP"]);
    has(
        &ask(&world, "can cup pot-2:6379"),
        &["no   tea/cup -> tea/pot (pot-2):6379/TCP"],
    );
    has(
        &ask(&world, "can pot-2 cup:80"),
        &["yes  tea/pot (pot-2) -> tea/cup"],
    );
}

#[test]
fn blocks_are_written_as_their_author_wrote_them() {
    let spec = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, \
                except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]}}], ports: [{port: 443}]}, \
                {to: [{ipBlock: {cidr: '2001:db8::/32', except: ['2001:db8:5::/48']}}]}]}";
    let world = [
        pod("tea", "cup", "run: cup", ""),
        policy("tea", "out", spec),
    ]
    .concat();
    let ipv4 = "0.0.0.0/0 except 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16";
    let ipv6 = "2001:db8::/32 except 2001:db8:5::/48";
    for question in ["list", "explain out", "why cup internet:443"] {
        let run = ask(&world, question);
        has(&run, &[ipv4, ipv6]);
        lacks(&run, &["CIDR blocks", "more"]);
    }
}

#[test]
fn a_stand_in_address_is_never_shown() {
    let spec = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}], \
                policyTypes: [Ingress, Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: \
                [198.51.100.0/24]}}], ports: [{port: 443}]}]}";
    let world = [
        pod("tea", "cup", "run: cup", ""),
        policy("tea", "both", spec),
    ]
    .concat();
    for question in [
        "cup internet:443",
        "cup internet:80",
        "internet cup:80",
        "cup 10.0.0.0/8:80",
    ] {
        for command in ["can", "why"] {
            let run = ask(&world, &format!("{command} {question}"));
            lacks(&run, &["1.0.0.0", "::1:0:0", "10.0.0.0 ", "198.51.100.0 "]);
        }
    }
    let run = ask(&world, "can internet cup:80");
    has(
        &run,
        &[
            "yes      198.51.100.0/24",
            "no       internet (IPv4) except 198.51.100.0/24",
            "no rule admits internet (IPv4) except 198.51.100.0/24",
        ],
    );
    let json = ask(&world, "can internet cup:80 -o json");
    lacks(&json, &["\"1.0.0.0\""]);
}

/// Cups and pots: two pots listen on 80 and 81, cups may call what they like.
fn tea() -> String {
    let spec = "{podSelector: {matchLabels: {run: pot}}, ingress: [{from: [{podSelector: {matchLabels: \
                {run: cup}}}], ports: [{port: 80}]}, {from: [{podSelector: {matchLabels: {run: \
                mug}}}], ports: [{port: 80}, {port: 81}]}]}";
    [
        pod("tea", "cup", "run: cup", ""),
        pod("tea", "mug", "run: mug", ""),
        pod("tea", "pot", "run: pot", ""),
        policy("tea", "pot", spec),
    ]
    .concat()
}

#[test]
fn lists_and_pictures_may_be_about_some_ports_alone() {
    let world = tea();
    let run = ask(&world, "list --port 81");
    has(&run, &["tea/mug  tea/pot  81/TCP", "1 allowed flow with"]);
    lacks(&run, &["80", "run=cup", "tea/cup  tea/pot"]);
    has(
        &ask(&world, "list --to pot:80"),
        &["tea/cup  tea/pot  80/TCP", "tea/mug  tea/pot  80/TCP"],
    );
    let both = ask(&world, "list --from cup,mug --to pot");
    has(
        &both,
        &[
            "tea/cup  tea/pot",
            "tea/mug  tea/pot",
            "2 allowed flows from cup,mug into pot",
        ],
    );
    let matrix = ask(&world, "matrix --by workload --port 81 -o csv");
    has(
        &matrix,
        &[
            "tea/cup,same,81/TCP,,81/TCP",
            "tea/mug,81/TCP,same,81/TCP,81/TCP",
        ],
    );
    let graph = ask(&world, "graph --level workload --port 81 -o dot");
    has(&graph, &["81/TCP"]);
    lacks(&graph, &["80/TCP", "80,81/TCP"]);
    for wrong in [
        "list --port http",
        "list --port 0",
        "list --to pot:80 --port 81",
    ] {
        assert_eq!(ask(&world, wrong).code, 2, "{wrong}");
    }
}

#[test]
fn a_list_in_markdown_is_a_table_of_code_spans() {
    let run = ask(&tea(), "list --port 81 -o md");
    has(
        &run,
        &[
            "| from | to | ports | because |",
            "| `tea/mug` | `tea/pot` | `81/TCP` | `tea/pot ingress[1]` |",
            "**accept from anyone:** `tea/cup`, `tea/mug`",
        ],
    );
}

#[test]
fn a_diff_may_be_about_some_ports_alone() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("old.yaml", &tea());
    write(
        "new.yaml",
        &tea().replace("ports: [{port: 80}]}, {from", "ports: [{port: 82}]}, {from"),
    );
    let diff = |more: &[&str]| {
        let mut words = vec!["diff", "old.yaml", "new.yaml"];
        words.extend(more);
        netpal_at(folder.path(), &words, "")
    };
    has(&diff(&["-o", "csv"]), &["80/TCP", "82/TCP"]);
    let one = diff(&["--port", "82", "-o", "csv"]);
    assert_eq!(one.code, 1);
    has(&one, &["82/TCP"]);
    lacks(&one, &["80/TCP"]);
    assert_eq!(diff(&["--port", "443"]).code, 0);
}

#[test]
fn host_network_is_told_by_own_node_and_other_nodes() {
    let agent = "---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: tray, namespace: tea}
spec:
  selector: {matchLabels: {run: tray}}
  template:
    metadata: {labels: {run: tray}}
    spec: {hostNetwork: true, containers: [{name: c, image: i}]}
";
    let closed = "{podSelector: {matchLabels: {run: cup}}, policyTypes: [Ingress, Egress]}";
    let world = [
        agent,
        &pod("tea", "cup", "run: cup", ""),
        &policy("tea", "none", closed),
    ]
    .concat();
    for question in ["tray cup:80", "cup tray:80"] {
        for command in ["can", "why"] {
            let run = ask(
                &world,
                &format!("{command} {question} --assume hostnetwork=node"),
            );
            assert_eq!(run.code, 3, "{}", run.text());
            has(
                &run,
                &["own node     yes   a pod and the node", "other nodes  no"],
            );
        }
    }
    let on_one = world
        .replace("hostNetwork: true", "nodeName: a, hostNetwork: true")
        .replace("spec: {containers", "spec: {nodeName: a, containers");
    let told = ask(&on_one, "can tray cup:80 --assume hostnetwork=node");
    assert_eq!(told.code, 0, "{}", told.text());
    lacks(&told, &["own node "]);
}

#[test]
fn warnings_of_one_kind_are_one_line_with_a_count() {
    let unmodelled = |name: &str| {
        format!(
            "---
apiVersion: security.example.net/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: tea}}
"
        )
    };
    let twice = |name: &str| {
        let one = pod("tea", name, "run: cup", "");
        [one.clone(), one].concat()
    };
    let few = [twice("a"), twice("b")].concat();
    let many: String = ["a", "b", "c", "d", "e"].map(twice).concat();
    let lines = |run: &Run| run.stderr.matches("is given twice").count();
    assert_eq!(lines(&ask(&few, "list")), 2);
    let run = ask(&many, "list");
    assert_eq!(lines(&run), 1, "{}", run.text());
    assert!(
        run.stderr.contains("(and 4 more like it)"),
        "{}",
        run.text()
    );
    assert_eq!(lines(&ask(&many, "list -v")), 5);
    let mixed = [many, unmodelled("x")].concat();
    assert_eq!(lines(&ask(&mixed, "list")), 1);
}

#[test]
fn long_lines_are_folded_where_a_width_is_given() {
    let spec = "{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: \
                {matchLabels: {a-long-label: with-a-long-value}}}]}]}";
    let world = [
        pod("tea", "cup", "run: cup", ""),
        policy("tea", "a-policy-with-a-long-name", spec),
    ]
    .concat();
    for question in [
        "can cup cup:80",
        "can any cup:80",
        "list",
        "inputs",
        "graph",
        "lint",
    ] {
        let run = ask(&world, &format!("{question} --width 60"));
        let shown = run.stdout.lines().filter(|line| !line.contains(" | "));
        for line in shown {
            assert!(line.chars().count() <= 60, "{question}: {line}");
        }
    }
    let whole = ask(&world, "can internet cup:80");
    assert!(
        whole.stdout.lines().any(|line| line.chars().count() > 60),
        "{}",
        whole.text()
    );
}

#[test]
fn one_is_singular() {
    let world = [
        pod("tea", "cup", "run: cup", ""),
        policy("tea", "p", ANYONE),
    ]
    .concat();
    for (question, wanted) in [
        ("inputs", "1 workload (1 pod), 0 Services, 1 policy"),
        ("list --to cup", "0 allowed flows into cup"),
        ("explain p", "applies to 1 workload (tea/cup)"),
    ] {
        has(&ask(&world, question), &[wanted]);
    }
}

#[test]
fn a_port_name_of_pods_not_loaded_may_be_any_number() {
    let folder = tempfile::tempdir().unwrap();
    let egress = |port: &str| {
        let spec = format!(
            "{{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{{namespaceSelector: {{}}}}], \
             ports: [{{port: {port}}}]}}]}}"
        );
        [
            pod("tea", "cup", "run: cup", ""),
            policy("tea", "out", &spec),
        ]
        .concat()
    };
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("old.yaml", &egress("53"));
    write("new.yaml", &egress("web"));
    let diff = |port: &str| {
        let words = ["diff", "old.yaml", "new.yaml", "--port", port];
        netpal_at(folder.path(), &words, "")
    };
    let run = diff("8443");
    assert_eq!(run.code, 1, "{}", run.text());
    has(&run, &["\"web\"/TCP"]);
    assert_eq!(diff("8443/udp").code, 0);
}

/// Whom a workload may send to is told as the rule has it: the block, and not the well-known set
/// that it is a part of.
#[test]
fn the_way_out_names_the_blocks_that_are_let_out() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: loom, namespace: weave, labels: {app: loom}}\n\
                spec: {containers: [{name: c, image: registry.example/loom:1}]}\n---\n\
                apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: out, namespace: weave}\n\
                spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 203.0.113.8/29}}, \
                {ipBlock: {cidr: 10.7.0.0/16}}, {ipBlock: {cidr: 169.254.20.10/32}}], ports: [{port: 53, protocol: UDP}]}]}\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("in.yaml"), text).unwrap();
    for command in ["explain", "reach"] {
        let run = common::netpal_at(folder.path(), &[command, "weave/loom", "-f", "in.yaml"], "");
        for block in ["203.0.113.8/29", "10.7.0.0/16", "169.254.20.10/32"] {
            assert!(run.stdout.contains(block), "{command}: {}", run.stdout);
        }
        assert!(!run.stdout.contains("nothing and nobody"), "{}", run.stdout);
    }
}

/// S55: where no Node is loaded, pods tell the addresses of their nodes.
#[test]
fn a_pod_tells_the_address_of_its_node() {
    let pod = |name: &str, node: &str, at: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: mill}}\n\
             spec: {{nodeName: {node}, containers: [{{name: c, image: i}}]}}\n\
             status: {{podIP: 10.1.0.{at}, hostIP: 192.0.2.{at}, hostIPs: [{{ip: 192.0.2.{at}}}, {{ip: \"2001:db8::{at}\"}}]}}\n"
        )
    };
    let shut = policy("mill", "shut", "{podSelector: {}, policyTypes: [Ingress]}");
    let pods = [pod("saw", "one", "1"), pod("plane", "two", "2"), shut].concat();
    let node = "---\napiVersion: v1\nkind: Node\nmetadata: {name: one}\nstatus: {addresses: [{type: InternalIP, address: 192.0.2.9}]}\n";
    let with_node = format!("{pods}{node}");
    for (text, from, code) in [
        (&pods, "192.0.2.1", 0),
        (&pods, "192.0.2.2", 1),
        (&pods, "192.0.2.9", 1),
        // the object tells all that there are
        (&with_node, "192.0.2.9", 0),
        (&with_node, "192.0.2.1", 1),
    ] {
        let run = ask(text, &format!("can {from} reach mill/saw:80"));
        assert_eq!(run.code, code, "{from}: {}", run.text());
        let listed = ask(text, "list --to mill/saw --all");
        let shown = listed.stdout.contains(&format!("{from}/32  mill/saw"));
        assert_eq!(shown, code == 0, "{from}: {}", listed.text());
    }
}
