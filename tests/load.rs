//! What becomes of manifests: objects, workloads and their pods, lists, what is skipped, what
//! leaves a doubt behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use netpal::{
    AllowGraph, CompileOptions, DiagnosticCode as Code, DiagnosticSeverity as Severity, Endpoint,
    Flow, Input, Protocol, TaintReason, Traffic, Truth, load_str,
};

/// `namespace/Kind/name: pods` of every workload, in input order.
fn workloads(input: &Input) -> Vec<String> {
    let cluster = &input.cluster;
    let line = |(_, w): (_, &netpal::Workload)| {
        format!(
            "{}/{}/{}: {}",
            cluster.namespace(w.namespace).name,
            w.kind.name(),
            w.name,
            w.pods.len()
        )
    };
    cluster.workloads().map(line).collect()
}

fn codes(input: &Input) -> Vec<(Severity, Code)> {
    input
        .diagnostics
        .iter()
        .map(|d| (d.severity, d.code))
        .collect()
}

/// The verdict of the first pod on itself from an outside address.
fn from_outside(input: &Input, pod: &str) -> Truth {
    let graph = AllowGraph::compile(input, &CompileOptions::default()).unwrap();
    let (id, _) = input.cluster.pods().find(|(_, p)| *p.name == *pod).unwrap();
    let source = Endpoint::Address("203.0.113.9".parse().unwrap());
    let traffic = Traffic {
        protocol: Protocol::Tcp,
        port: 80,
    };
    graph.verdict(&Flow {
        source,
        destination: Endpoint::Pod(id),
        traffic,
    })
}

const SPEC: &str =
    "{containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}";

fn pod(namespace: &str, name: &str, more: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}{more}}}\nspec: {SPEC}\n"
    )
}

fn controller(api: &str, kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"
    )
}

fn template(label: &str) -> String {
    format!("{{metadata: {{labels: {{app: {label}}}}}, spec: {SPEC}}}")
}

#[test]
fn every_workload_kind_makes_pods_from_its_template() {
    let t = template("a");
    let text = [
        controller(
            "apps/v1",
            "Deployment",
            "d",
            &format!("{{replicas: 3, template: {t}}}"),
        ),
        controller("apps/v1", "ReplicaSet", "rs", &format!("{{template: {t}}}")),
        controller(
            "v1",
            "ReplicationController",
            "rc",
            &format!("{{template: {t}}}"),
        ),
        controller(
            "apps/v1",
            "StatefulSet",
            "sts",
            &format!("{{replicas: 2, template: {t}}}"),
        ),
        controller("apps/v1", "DaemonSet", "ds", &format!("{{template: {t}}}")),
        controller("batch/v1", "Job", "j", &format!("{{template: {t}}}")),
        controller(
            "batch/v1",
            "CronJob",
            "cj",
            &format!("{{schedule: '* * * * *', jobTemplate: {{spec: {{template: {t}}}}}}}"),
        ),
        controller(
            "apps.openshift.io/v1",
            "DeploymentConfig",
            "dc",
            &format!("{{template: {t}}}"),
        ),
    ]
    .concat();
    let input = load_str(&text);
    let wanted = [
        "shop/Deployment/d: 1",
        "shop/ReplicaSet/rs: 1",
        "shop/ReplicationController/rc: 1",
        "shop/StatefulSet/sts: 2",
        "shop/DaemonSet/ds: 1",
        "shop/Job/j: 1",
        "shop/CronJob/cj: 1",
        "shop/DeploymentConfig/dc: 1",
    ];
    assert_eq!(workloads(&input), wanted);
    assert!(input.diagnostics.is_empty(), "{:?}", input.diagnostics);
    let replicas: Vec<u32> = input.cluster.pods().map(|(_, p)| p.replicas).collect();
    assert_eq!(replicas[..2], [3, 1]);
}

#[test]
fn ports_include_sidecars_but_not_plain_init_containers() {
    let containers = "containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]";
    let inits = "initContainers: [{name: mesh, restartPolicy: Always, ports: [{name: mesh, containerPort: 15001}]}, \
                 {name: init, ports: [{name: once, containerPort: 9}]}]";
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{{containers}, {inits}}}\n"
    );
    let input = load_str(&text);
    let (_, pod) = input.cluster.pods().next().unwrap();
    let names: Vec<&str> = pod.ports.iter().filter_map(|p| p.name.as_deref()).collect();
    assert_eq!(names, ["http", "mesh"], "S48");
}

#[test]
fn pods_belong_to_the_controller_at_the_top() {
    let owner = |kind: &str, name: &str| {
        format!(", ownerReferences: [{{kind: {kind}, name: {name}, controller: true}}]")
    };
    let t = template("web");
    let replica_set = format!(
        "---\napiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {{name: web-5d4, namespace: shop{}}}\nspec: {{template: {t}}}\n",
        owner("Deployment", "web")
    );
    let text = [
        controller(
            "apps/v1",
            "Deployment",
            "web",
            &format!("{{template: {t}}}"),
        ),
        replica_set,
        pod("shop", "web-5d4-x1", &owner("ReplicaSet", "web-5d4")),
        pod("shop", "web-5d4-x2", &owner("ReplicaSet", "web-5d4")),
        pod("shop", "lonely", ""),
    ]
    .concat();
    assert_eq!(
        workloads(&load_str(&text)),
        ["shop/Deployment/web: 2", "shop/Pod/lonely: 1"]
    );
}

#[test]
fn a_controller_that_is_only_named_is_made_up() {
    let owner = ", ownerReferences: [{kind: ReplicaSet, name: web-7c9f8, controller: true}]";
    let text = pod("shop", "web-7c9f8-aaaaa", owner)
        .replace("labels: {app:", "labels: {pod-template-hash: 7c9f8, app:");
    assert_eq!(workloads(&load_str(&text)), ["shop/Deployment/web: 1"]);
}

#[test]
fn s57_finished_pods_are_no_endpoints() {
    let text = pod("shop", "done", "") + "status: {phase: Succeeded, podIP: 10.0.0.1}\n";
    let input = load_str(&text);
    assert_eq!(
        (input.cluster.pods().len(), input.tally.finished_pods),
        (0, 1)
    );
}

#[test]
fn lists_typed_lists_and_lists_in_lists_are_opened() {
    let json = r#"{"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "a", "namespace": "n"}, "spec": {"containers": []}}]},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "labels": {"team": "x"}}}]}"#;
    let input = load_str(json);
    assert_eq!(workloads(&input), ["n/Pod/a: 1"]);
    let namespace = input
        .cluster
        .namespace(input.cluster.find_namespace("n").unwrap());
    assert_eq!(namespace.labels.get("team"), Some("x"));
}

#[test]
fn s27_the_name_label_of_a_namespace_cannot_be_overridden() {
    let label = "{name: n, labels: {kubernetes.io/metadata.name: other}}";
    let input = load_str(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {label}\n"
    ));
    let namespace = input
        .cluster
        .namespace(input.cluster.find_namespace("n").unwrap());
    assert_eq!(
        namespace.labels.get("kubernetes.io/metadata.name"),
        Some("n")
    );
}

#[test]
fn of_an_object_given_twice_the_last_wins_and_is_told() {
    let namespace = |team: &str| {
        format!(
            "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: n, labels: {{team: {team}}}}}\n"
        )
    };
    let input = load_str(&(namespace("a") + &namespace("b")));
    let found = input
        .cluster
        .namespace(input.cluster.find_namespace("n").unwrap());
    assert_eq!(found.labels.get("team"), Some("b"));
    assert_eq!(codes(&input), [(Severity::Warning, Code::DuplicateObject)]);
    let place = input.diagnostics[0].related.len();
    assert_eq!(place, 1, "both places are named");
}

#[test]
fn kinds_are_told_apart_by_their_group() {
    for api in ["crd.antrea.io/v2", "crd.antrea.io/v1alpha9"] {
        let policy = format!(
            "apiVersion: {api}\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: shop}}\nspec: {{x: 1}}\n"
        );
        let input = load_str(&(policy + &pod("shop", "web", "") + &pod("other", "db", "")));
        assert_eq!(
            codes(&input),
            [(Severity::Warning, Code::UnmodelledPolicy)],
            "{api}"
        );
        assert_eq!(input.policies.taints[0].reason, TaintReason::UnmodelledKind);
        assert_eq!(from_outside(&input, "web"), Truth::Maybe, "{api}");
        assert_eq!(
            from_outside(&input, "db"),
            Truth::Yes,
            "it acts in its namespace only"
        );
    }
}

#[test]
fn a_mesh_policy_can_only_deny() {
    let policy = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: shop}\nspec: {selector: {matchLabels: {app: web}}}\n";
    let deny = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: shop}\nspec: {podSelector: {matchLabels: {app: api}}}\n";
    let input = load_str(
        &(policy.to_owned()
            + deny
            + &pod("shop", "web", "")
            + &pod("shop", "api", "")
            + &pod("shop", "db", "")),
    );
    assert!(input.policies.taints.is_empty());
    let verdicts = ["web", "api", "db"].map(|p| from_outside(&input, p));
    assert_eq!(verdicts, [Truth::Maybe, Truth::No, Truth::Yes]);
}

#[test]
fn a_broken_policy_leaves_a_doubt_in_its_namespace_only() {
    let broken = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p\n  namespace: shop\nspec: {podSelector: [}\n";
    let input = load_str(&(broken.to_owned() + &pod("shop", "web", "") + &pod("other", "db", "")));
    assert_eq!(codes(&input), [(Severity::Error, Code::Syntax)]);
    assert_eq!(
        (from_outside(&input, "web"), from_outside(&input, "db")),
        (Truth::Maybe, Truth::Yes)
    );
}

#[test]
fn a_broken_document_that_is_surely_no_policy_only_warns_in_a_file_without_objects() {
    let broken = "apiVersion: v1\nkind: ConfigMap2\nmetadata: {name: x}\ndata: [\n";
    assert_eq!(
        codes(&load_str(broken)),
        [(Severity::Warning, Code::Syntax)]
    );
    // kubectl refuses the whole file
    let words = "# notes\nshelves: [\n";
    for broken in [broken, words] {
        let input = load_str(&(broken.to_owned() + &pod("shop", "web", "")));
        assert_eq!(codes(&input), [(Severity::Error, Code::Syntax)]);
        assert_eq!(from_outside(&input, "web"), Truth::Yes);
    }
}

#[test]
fn templates_patches_and_placeholders_are_recognized() {
    let openshift = "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: t}\nobjects: [{kind: Service, metadata: {name: \"${NAME}\"}}]\n";
    assert_eq!(
        codes(&load_str(openshift)),
        [(Severity::Warning, Code::NotAnObject)]
    );
    let policies = openshift.replace("kind: Service", "kind: NetworkPolicy");
    assert_eq!(
        codes(&load_str(&policies)),
        [(Severity::Error, Code::NotAnObject)]
    );
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: shop}\nspec: {replicas: 2}\n";
    let input = load_str(patch);
    assert_eq!(
        (codes(&input), workloads(&input).len()),
        (vec![(Severity::Warning, Code::NotAnObject)], 0)
    );
    let placeholder = pod("${NAMESPACE}", "web", "").replace("${NAMESPACE}", "\"${NAMESPACE}\"");
    assert_eq!(
        codes(&load_str(&placeholder)),
        [(Severity::Warning, Code::Placeholder)]
    );
}

#[test]
fn a_kustomization_that_is_read_as_a_file_says_what_it_would_change() {
    let plain =
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n";
    assert_eq!(codes(&load_str(plain)), []);
    let warning = (Severity::Warning, Code::NotAnObject);
    for field in ["namespace: prod", "patches: [{path: p.yaml}]", "labels: []"] {
        let input = load_str(&format!("{plain}{field}\n"));
        assert_eq!(codes(&input), [warning], "{field}");
    }
    let unversioned = "kind: Kustomization\nnamespace: prod\n";
    assert_eq!(codes(&load_str(unversioned)).len(), 1);
    let of_flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: k}\nspec: {path: ./a}\n";
    assert_eq!(codes(&load_str(of_flux)), []);
}

#[test]
fn an_object_without_a_kind_is_an_error_whatever_else_it_lacks() {
    let head = "apiVersion: networking.k8s.io/v1\n";
    for rest in [
        "spec: {podSelector: {}}\n",
        "kind: null\nmetadata: {name: x}\nspec: {podSelector: {}}\n",
        "kind: ~\nspec: {podSelector: {}}\n",
        "metadata: [a]\nspec: {podSelector: {}}\n",
    ] {
        let input = load_str(&format!("{head}{rest}"));
        assert_eq!(
            codes(&input),
            [(Severity::Error, Code::WrongType)],
            "{rest}"
        );
        assert_eq!(input.policies.taints.len(), 1, "{rest}");
    }
    let chart = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";
    assert_eq!(codes(&load_str(chart)), []);
}

#[test]
fn objects_without_a_name_are_not_one_object() {
    let policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec: {podSelector: {}}\n";
    let input = load_str(&format!("{policy}---\n{policy}"));
    let errors = codes(&input).into_iter();
    let errors = errors.filter(|(severity, _)| *severity == Severity::Error);
    assert_eq!(errors.count(), 2);
    let twice = codes(&input).into_iter();
    assert!(
        !twice
            .into_iter()
            .any(|(_, code)| code == Code::DuplicateObject)
    );
}

#[test]
fn other_kinds_are_counted_and_skipped() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n";
    let input = load_str(text);
    let skipped: Vec<(&str, usize)> = input
        .tally
        .skipped
        .iter()
        .map(|(k, n)| (k.as_str(), *n))
        .collect();
    assert_eq!(skipped, [("ConfigMap", 1), ("Widget", 1)]);
}

#[test]
fn an_overlay_replaces_without_a_remark() {
    use netpal::LoadOptions;
    use netpal::Source;
    use netpal::load_sources;
    let text = |name: &str, team: &str| {
        Source::Text(
            name.into(),
            format!(
                "apiVersion: v1\nkind: Namespace\nmetadata: {{name: n, labels: {{team: {team}}}}}\n"
            )
            .into(),
        )
    };
    let input = load_sources(
        &[text("base", "a")],
        &[text("overlay", "b")],
        &LoadOptions::default(),
    )
    .unwrap();
    let found = input
        .cluster
        .namespace(input.cluster.find_namespace("n").unwrap());
    assert_eq!(
        (found.labels.get("team"), input.diagnostics.len()),
        (Some("b"), 0)
    );
}

#[cfg(unix)]
#[test]
fn kubectl_renders_a_kustomization() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> log\ncat <<'EOF'\n{}EOF\n",
        pod("shop", "web", "")
    );
    let path = folder.path().join("kubectl");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_netpal"))
        .current_dir(folder.path())
        .args(["can", "internet", "web:80", "-k", "overlays/prod"])
        .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()))
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(log, "kustomize -- overlays/prod\n");
}

#[test]
fn standard_input_is_a_source() {
    let folder = tempfile::tempdir().unwrap();
    let run = common::netpal_at(
        folder.path(),
        &["can", "internet", "web:80", "-f", "-"],
        &pod("shop", "web", ""),
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let twice = common::netpal_at(folder.path(), &["can", "a", "b", "-f", "-", "-f", "-"], "");
    assert_eq!(twice.code, 2);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_looked_into_leaves_a_doubt() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pod.yaml"), pod("shop", "web", "")).unwrap();
    std::os::unix::fs::symlink("nowhere.yaml", folder.path().join("gone.yaml")).unwrap();
    let input = netpal::load([folder.path()]).unwrap();
    assert_eq!(codes(&input), [(Severity::Error, Code::Unreadable)]);
    assert_eq!(from_outside(&input, "web"), Truth::Maybe);
}

#[test]
fn a_kind_said_twice_is_the_last_one_also_where_the_first_plays_no_part() {
    let text = "apiVersion: networking.k8s.io/v1\nkind: ConfigMap\nmetadata: {name: a}\nspec: {podSelector: {}}\nkind: NetworkPolicy\n";
    for text in [text.to_owned(), text.replace("\nkind: N", "\n\"kind\": N")] {
        let input = load_str(&text);
        assert_eq!(
            (input.policies.policies.len(), codes(&input)),
            (1, vec![(Severity::Warning, Code::DuplicateKey)])
        );
    }
}

#[test]
fn what_follows_a_json_value_is_not_lost_in_silence() {
    let policy = r#"{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a"}, "spec": {}}"#;
    let input = load_str(&format!("{policy}\n\"x\" {policy}"));
    assert_eq!(input.policies.policies.len(), 1);
    assert_eq!(codes(&input), [(Severity::Error, Code::Syntax)]);
    assert_eq!(input.policies.taints.len(), 1);
}

/// What was not listed may hold policies: a dump that says so is not complete.
#[test]
fn a_dump_with_a_refusal_or_a_part_of_a_list_is_not_complete() {
    let pods = "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\
         {\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"mill\"}}, \
         {\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"saw\", \"namespace\": \"mill\"}, \
          \"spec\": {\"containers\": [{\"name\": \"c\"}]}}]}\n";
    let message = "networkpolicies.networking.k8s.io is forbidden: User \\\"dev\\\" cannot list resource \
         \\\"networkpolicies\\\" in API group \\\"networking.k8s.io\\\" in the namespace \\\"mill\\\"";
    let status = format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"Status\", \"status\": \"Failure\", \"message\": \"{message}\"}}"
    );
    let details = "{\"apiVersion\": \"v1\", \"kind\": \"Status\", \"status\": \"Failure\", \
         \"reason\": \"Forbidden\", \"details\": {\"group\": \"networking.k8s.io\", \"kind\": \"networkpolicies\"}}";
    let line = format!(
        "Error from server (Forbidden): {}",
        message.replace('\\', "")
    );
    let cut = "{\"apiVersion\": \"networking.k8s.io/v1\", \"kind\": \"NetworkPolicyList\", \
         \"metadata\": {\"continue\": \"abc\"}, \"items\": []}";
    for (rest, missing) in [
        (status.as_str(), 1),
        (details, 1),
        (&line, 1),
        (cut, 1),
        (
            "{\"apiVersion\": \"v1\", \"kind\": \"Status\", \"status\": \"Success\"}",
            0,
        ),
        (&cut.replace("abc", ""), 0),
    ] {
        let input = load_str(&format!("{pods}{rest}\n"));
        assert!(!input.has_errors(), "{rest}: {:?}", input.diagnostics);
        assert_eq!(input.unlisted.len(), missing, "{rest}");
        assert_eq!(input.policies.taints.len(), missing, "{rest}");
        let kinds: Vec<&str> = input.unlisted.iter().map(|u| &*u.kind).collect();
        assert!(
            kinds.iter().all(|kind| *kind == "NetworkPolicy"),
            "{kinds:?}"
        );
    }
}

#[test]
fn a_kustomization_need_not_say_its_kind() {
    let told = |name: &str, text: &str| {
        let source = netpal::Source::Text(name.into(), text.into());
        let input = netpal::load_sources(&[source], &[], &netpal::LoadOptions::default()).unwrap();
        codes(&input)
    };
    let patches = "resources: [a.yaml]\npatches: [{path: p.yaml}]\n";
    let warning = [(Severity::Warning, Code::NotAnObject)];
    assert_eq!(told("base/kustomization.yaml", patches), warning);
    assert_eq!(told("base/values.yaml", patches), []);
    assert_eq!(told("base/kustomization.yml", "resources: [a.yaml]\n"), []);
}
