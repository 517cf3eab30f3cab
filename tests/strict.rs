//! Types and ranges of the cluster's objects as the API server checks them, and what kubectl reads
//! although it looks odd.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::{
    AllowGraph, CompileOptions, Diagnostic, DiagnosticSeverity as Severity, DoorList, Input,
    Kubernetes, LoadOptions, Place, Source, load_sources, load_str,
};

fn path(diagnostic: &Diagnostic) -> String {
    match &diagnostic.place {
        Place::Origin(origin) => origin.path.to_string(),
        Place::At(location) => format!("line {}", location.at.line),
        Place::Input => String::new(),
    }
}

fn of(input: &Input, severity: Severity) -> Vec<String> {
    let all = input.diagnostics.iter();
    all.filter(|d| d.severity == severity).map(path).collect()
}

fn errors(text: &str) -> Vec<String> {
    of(&load_str(text), Severity::Error)
}

fn pod(spec: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: till}}\nspec: {spec}\n")
}

#[test]
fn ill_typed_fields_of_pods_are_errors_at_their_place() {
    for (spec, at) in [
        (
            "{hostNetwork: \"true\", containers: [{name: c}]}",
            "spec.hostNetwork",
        ),
        (
            "{hostNetwork: 1, containers: [{name: c}]}",
            "spec.hostNetwork",
        ),
        ("{nodeName: 7, containers: [{name: c}]}", "spec.nodeName"),
        ("{containers: {name: c}}", "spec.containers"),
        ("{containers: [c]}", "spec.containers[0]"),
        (
            "{containers: [{name: c, ports: {containerPort: 80}}]}",
            "spec.containers[0].ports",
        ),
        (
            "{containers: [{name: c, ports: [{containerPort: 70000}]}]}",
            "spec.containers[0].ports[0].containerPort",
        ),
        (
            "{containers: [{name: c, ports: [{containerPort: 0}]}]}",
            "spec.containers[0].ports[0].containerPort",
        ),
        (
            "{containers: [{name: c, ports: [{containerPort: \"80\"}]}]}",
            "spec.containers[0].ports[0].containerPort",
        ),
        (
            "{containers: [{name: c, ports: [{containerPort: 80.5}]}]}",
            "spec.containers[0].ports[0].containerPort",
        ),
        (
            "{containers: [{name: c, ports: [{name: web}]}]}",
            "spec.containers[0].ports[0]",
        ),
        (
            "{containers: [{name: c, ports: [{containerPort: 80, protocol: tcp}]}]}",
            "spec.containers[0].ports[0].protocol",
        ),
        (
            "{containers: [{name: c, ports: [{containerPort: 80, name: 8080}]}]}",
            "spec.containers[0].ports[0].name",
        ),
        (
            "{containers: [{name: c, ports: [{containerPort: 80, name: Web_Port}]}]}",
            "spec.containers[0].ports[0].name",
        ),
    ] {
        assert_eq!(errors(&pod(spec)), [at], "{spec}");
    }
}

#[test]
fn ill_typed_fields_of_other_objects_are_errors_at_their_place() {
    for (head, body, at) in [
        (
            "v1 Namespace",
            "metadata: {name: shop, labels: [team]}",
            "metadata.labels",
        ),
        (
            "v1 Namespace",
            "metadata: {name: shop, labels: {team: 5}}",
            "metadata.labels.team",
        ),
        (
            "v1 Namespace",
            "metadata: {name: shop, labels: {team: a b}}",
            "metadata.labels.team",
        ),
        ("v1 Namespace", "metadata: {name: Shop_1}", "metadata.name"),
        (
            "v1 Namespace",
            "metadata: {labels: {a: b}}",
            "metadata.name",
        ),
        (
            "v1 Node",
            "metadata: {name: n1}\nstatus: {addresses: {address: 192.0.2.1}}",
            "status.addresses",
        ),
        (
            "v1 Service",
            "metadata: {name: s}\nspec: {selector: app, ports: [{port: 80}]}",
            "spec.selector",
        ),
        (
            "v1 Service",
            "metadata: {name: s}\nspec: {ports: [{port: 123456}]}",
            "spec.ports[0].port",
        ),
        (
            "v1 Service",
            "metadata: {name: s}\nspec: {ports: [{targetPort: 80}]}",
            "spec.ports[0]",
        ),
        (
            "v1 Service",
            "metadata: {name: s}\nspec: {ports: [{port: 80, targetPort: true}]}",
            "spec.ports[0].targetPort",
        ),
        (
            "v1 Service",
            "metadata: {name: s}\nspec: {type: Nodeport, ports: [{port: 80}]}",
            "spec.type",
        ),
        (
            "v1 Service",
            "metadata: {name: s}\nspec: {clusterIPs: 10.0.0.1, ports: [{port: 80}]}",
            "spec.clusterIPs",
        ),
        (
            "apps/v1 Deployment",
            "metadata: {name: d}\nspec: {replicas: two, selector: {}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}}",
            "spec.replicas",
        ),
        (
            "apps/v1 Deployment",
            "metadata: {name: d}\nspec: {replicas: -1, selector: {}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}}",
            "spec.replicas",
        ),
        (
            "apps/v1 Deployment",
            "metadata: {name: d}\nspec: {selector: {}, template: {metadata: {labels: {a: true}}, spec: {containers: [{name: c}]}}}",
            "spec.template.metadata.labels.a",
        ),
        (
            "batch/v1 CronJob",
            "metadata: {name: j}\nspec: {jobTemplate: {spec: {template: {metadata: {labels: {a: b}}, spec: {hostNetwork: no-way, containers: [{name: c}]}}}}}",
            "spec.jobTemplate.spec.template.spec.hostNetwork",
        ),
    ] {
        let (version, kind) = head.split_once(' ').unwrap();
        let text = format!("apiVersion: {version}\nkind: {kind}\n{body}\n");
        assert_eq!(errors(&text), [at], "{text}");
    }
}

#[test]
fn an_object_of_the_cluster_of_a_wrong_kind_or_version_is_an_error() {
    for (head, at) in [
        ("kind: Pod", "kind"),
        ("apiVersion: v2\nkind: Pod", "apiVersion"),
        ("apiVersion: v1\nkind: pod", "kind"),
        ("apiVersion: v1\nkind: Deployment", "apiVersion"),
        ("apiVersion: apps/v2\nkind: Deployment", "apiVersion"),
        ("apiVersion: apps/v1\nkind: deployments", "kind"),
        ("apiVersion: apps/v1\nkind: Service", "apiVersion"),
    ] {
        let text = format!("{head}\nmetadata: {{name: till}}\nspec: {{}}\n");
        assert_eq!(errors(&text), [at], "{text}");
    }
    let knative =
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}\nspec: {}\n";
    assert!(errors(knative).is_empty(), "another group's kind");
}

#[test]
fn what_a_cluster_printed_is_only_warned_about() {
    let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, resourceVersion: \"12\", labels: {team: a b}}\n";
    let input = load_str(text);
    assert!(of(&input, Severity::Error).is_empty());
    assert_eq!(of(&input, Severity::Warning), ["metadata.labels.team"]);
}

#[test]
fn nothing_is_dropped_without_an_error() {
    for (text, at) in [
        ("apiVersion: v1\nkind: List\nitems: {a: 1}\n", "line 3"),
        ("apiVersion: v1\nkind: List\nitems: [5, text]\n", ""),
        (
            "apiVersion: v1\nkind: List\nitems: [{metadata: {name: x}}]\n",
            "",
        ),
        ("apiVersion: v1\nmetadata: {name: x}\nspec: {}\n", "line 1"),
        ("apiVersion: v1\nkind: 5\nmetadata: {name: x}\n", "line 2"),
        (
            "- {apiVersion: v1, kind: Namespace, metadata: {name: x}}\n",
            "line 1",
        ),
        ("a: 1\n--- kind: Namespace\n", "line 2"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: x\nspec: {}\n",
            "line 4",
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata:\n\tname: x\n",
            "line 4",
        ),
    ] {
        let found = errors(text);
        assert!(!found.is_empty(), "{text}");
        assert!(found[0].starts_with(at), "{text}: {found:?}");
    }
    // values, patches of operations and Compose files are no objects
    for text in [
        "replicas: 2\nimage: x\n",
        "- {op: add, path: /a, value: 1}\n",
        "services: {web: {image: x}}\n",
    ] {
        assert!(errors(text).is_empty(), "{text}");
    }
}

#[test]
fn what_kubectl_reads_is_read() {
    let head = "apiVersion: v1\nkind: Pod\nmetadata: {name: till, annotations: {t: x}}\n";
    for text in [
        format!("{head}spec:\n  containers:\n  - name: c\n    args: [\n\t\"--port=1\",\n\t]\n"),
        format!("{head}spec:\n  containers:\n  - name: c\n    command:\n    - |\n      run:\n      \techo {{{{ .x }}}}\n"),
        format!("{}spec: {{containers: [{{name: c}}]}}\n", head.replace("t: x", "t: \"{{ .x }}\"")),
        "{apiVersion: v1, kind: Pod, metadata: {name: till}, spec: {containers: [{name: c}]}}\n".to_owned(),
        "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"till\",}, \"spec\": {\"containers\": [{\"name\": \"c\"},]},}\n".to_owned(),
        "# first\n--- {apiVersion: v1, kind: Pod, metadata: {name: till},\n spec: {containers: [{name: c}]}}\n".to_owned(),
        "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"a\"}}\n---\n{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"till\"}, \"spec\": {\"containers\": [{\"name\": \"c\"}]}}\n".to_owned(),
    ] {
        let input = load_str(&text);
        assert_eq!(of(&input, Severity::Error), [""; 0], "{text}");
        assert_eq!(input.cluster.pods().len(), 1, "{text}");
    }
}

#[test]
fn a_null_label_is_the_empty_string() {
    let input = load_str(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: till, labels: {canary: }}\nspec: {containers: [{name: c}]}
---
apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {matchLabels: {canary: }}}\n",
    );
    assert!(of(&input, Severity::Error).is_empty());
    let (id, _) = input.cluster.pods().next().unwrap();
    let labels = input.cluster.pod_labels(id);
    assert_eq!(labels.get("canary"), Some(""));
    assert!(input.policies.policies[0].subject.pods.matches(labels));
}

fn blocks(text: &str, kubernetes: Kubernetes) -> Input {
    let options = LoadOptions {
        kubernetes,
        ..LoadOptions::default()
    };
    load_sources(&[Source::Text("p.yaml".into(), text.into())], &[], &options).unwrap()
}

#[test]
fn address_blocks_are_checked_as_the_chosen_version_does() {
    for block in [
        "10.9.8.7/8",
        "010.0.0.0/8",
        "10.0.0.0/08",
        "'::ffff:10.0.0.0/104'",
        "2001:db8::1/32",
    ] {
        let text = format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p}}\nspec: {{podSelector: {{}}, egress: [{{to: [{{ipBlock: {{cidr: {block}}}}}]}}]}}\n"
        );
        let strict = blocks(&text, Kubernetes::CURRENT);
        let at = "spec.egress[0].to[0].ipBlock.cidr";
        assert_eq!(of(&strict, Severity::Error), [at], "{block}");
        assert_eq!(strict.policies.policies.len(), 1, "what it means is plain");
        let relaxed = blocks(&text, "1.35".parse().unwrap());
        assert!(of(&relaxed, Severity::Error).is_empty(), "{block}");
        let in_force = text.replace("{name: p}", "{name: p, uid: u}");
        let printed = blocks(&in_force, Kubernetes::CURRENT);
        assert!(of(&printed, Severity::Error).is_empty(), "{block}");
        assert_eq!(of(&printed, Severity::Warning), [at], "{block}");
    }
    assert!("1".parse::<Kubernetes>().is_err() && "v1.36.2".parse() == Ok(Kubernetes(36)));
}

/// A list of containers that is empty because their fields stand beside it is a mistake, and no
/// kustomize patch: the workload counts.
/// An address that is none is no address that leads nowhere.
#[test]
fn addresses_that_are_none_are_errors_at_their_place() {
    let object = |version: &str, kind: &str, rest: &str| {
        format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: till}}\n{rest}\n")
    };
    let slice = |kind: &str, address: &str| {
        let rest = format!("addressType: {kind}\nendpoints: [{{addresses: [{address}]}}]");
        object("discovery.k8s.io/v1", "EndpointSlice", &rest)
    };
    let service = |spec: &str| object("v1", "Service", &format!("spec: {spec}"));
    let pod = |status: &str| {
        let rest = format!("spec: {{containers: [{{name: c}}]}}\nstatus: {status}");
        object("v1", "Pod", &rest)
    };
    let subsets = "subsets: [{addresses: [{ip: 10.0.0.300}]}]";
    for (text, at) in [
        (
            slice("IPv4", "shop.example.org"),
            "endpoints[0].addresses[0]",
        ),
        (
            object("v1", "Endpoints", subsets),
            "subsets[0].addresses[0].ip",
        ),
        (pod("{podIP: 10.244.0.999}"), "status.podIP"),
        (pod("{podIPs: [{ip: here}]}"), "status.podIPs[0].ip"),
        (service("{clusterIP: none}"), "spec.clusterIP"),
        (
            service("{externalIPs: [a.example.org]}"),
            "spec.externalIPs[0]",
        ),
    ] {
        assert_eq!(errors(&text), [at], "{text}");
    }
    let of_names = slice("FQDN", "shop.example.org");
    let wrong = of_names.replace("endpoints:", "ports: [{port: 0}]\nendpoints:");
    assert_eq!(errors(&wrong), ["ports[0].port"]);
    for text in [
        slice("FQDN", "shop.example.org"),
        slice("IPv6", "'fd00::7'"),
        service("{clusterIP: None, clusterIPs: [None]}"),
        service("{clusterIP: ''}"),
    ] {
        assert!(errors(&text).is_empty(), "{text}");
    }
}

/// A door that is not read as it is written is no door that is not there (DO106).
#[test]
fn doors_in_a_wrong_form_are_errors_and_leave_doors_open() {
    let ingress = |rules: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: till}}\n\
             spec: {{rules: {rules}}}\n"
        )
    };
    let route = |spec: &str| {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n\
             metadata: {{name: till}}\nspec: {spec}\n"
        )
    };
    let to =
        |service: &str| format!("[{{http: {{paths: [{{backend: {{service: {service}}}}}]}}}}]");
    let service = "spec.rules[0].http.paths[0].backend.service";
    for (text, at) in [
        (ingress("{host: x}"), "spec.rules"),
        (ingress("[{http: {path: []}}]"), "spec.rules[0].http"),
        (
            ingress("[{http: {paths: [{}]}}]"),
            "spec.rules[0].http.paths[0]",
        ),
        (
            ingress(&to("{name: a, port: 80}")),
            &format!("{service}.port"),
        ),
        (
            ingress(&to("{name: a, port: {number: '80'}}")),
            &format!("{service}.port.number"),
        ),
        (route("{parentRefs: {name: g}}"), "spec.parentRefs"),
        (
            route("{rules: [{backendRefs: [{port: 80}]}]}"),
            "spec.rules[0].backendRefs[0]",
        ),
    ] {
        assert_eq!(errors(&text), [at], "{text}");
        let input = load_str(&text);
        let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        let doors = DoorList::of_input(&input, &graph).unwrap();
        assert!(doors.lines.is_empty() && !doors.is_complete(), "{text}");
    }
    let right = ingress(&to("{name: a, port: {number: 80}}"));
    assert!(errors(&right).is_empty());
}

#[test]
fn containers_beside_their_list_are_a_mistake() {
    let template = |containers: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: loom, namespace: weave}}\nspec:\n  \
             selector: {{matchLabels: {{app: loom}}}}\n  template:\n    metadata: {{labels: {{app: loom}}}}\n    spec:\n{containers}"
        )
    };
    let beside =
        template("      containers:\n      name: main\n      image: registry.example/loom:1\n");
    assert_eq!(errors(&beside), ["spec.template.spec.containers"]);
    assert_eq!(load_str(&beside).cluster.workloads().len(), 1);
    let patch = template("      nodeName: rack-1\n");
    assert_eq!(errors(&patch), [""; 0]);
    assert_eq!(load_str(&patch).cluster.workloads().len(), 0);
}

/// AN3, CA40, CA141, CI108: names, orders and ports that no object of the kind can have.
#[test]
fn objects_of_plugins_are_refused_for_what_no_installation_takes() {
    let object = |api: &str, kind: &str, name: &str, spec: &str| {
        format!(
            "apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"
        )
    };
    let tier = |name: &str, spec: &str| object("projectcalico.org/v3", "Tier", name, spec);
    let antrea = |spec: &str| object("crd.antrea.io/v1beta1", "Tier", "mine", spec);
    let cilium = |port: &str| {
        let rule =
            format!("{{endpointSelector: {{}}, ingress: [{{toPorts: [{{ports: [{port}]}}]}}]}}");
        object("cilium.io/v2", "CiliumNetworkPolicy", "p", &rule)
    };
    let set = |name: &str| {
        object(
            "projectcalico.org/v3",
            "NetworkSet",
            name,
            "{nets: [10.0.0.0/8]}",
        )
    };
    let cases = [
        (tier("default", "{order: 5}"), "spec.order"),
        (
            tier("kube-admin", "{order: 1000, defaultAction: Deny}"),
            "spec.defaultAction",
        ),
        (
            tier("kube-baseline", "{order: 10000000, defaultAction: Pass}"),
            "",
        ),
        (tier("default", "{}"), ""),
        (tier("mine.own", "{order: 5}"), "metadata.name"),
        (tier("mine", "{order: 5, defaultAction: Pass}"), ""),
        (set("My_Set"), "metadata.name"),
        (set("my.set"), ""),
        (antrea("{priority: 50}"), "spec.priority"),
        (antrea("{priority: 51}"), ""),
        (
            cilium("{protocol: VRRP, port: '5'}"),
            "spec.ingress[0].toPorts[0].ports[0].port",
        ),
        (cilium("{protocol: VRRP, port: '0'}"), ""),
        (cilium("{protocol: VRRP}"), ""),
    ];
    for (text, at) in cases {
        let wanted: Vec<&str> = [at].into_iter().filter(|at| !at.is_empty()).collect();
        assert_eq!(errors(&text), wanted, "{text}");
    }
}
