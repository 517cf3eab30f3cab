//! What objects imply without saying it: labels that controllers set, fields with two names, the
//! families of a Service, doors that operators open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::netpal_at;
use std::path::Path;

/// The program on an input, without the notes.
fn run(arguments: &[&str], input: &str) -> (i32, String) {
    let all = [arguments, &["-f", "-"]].concat();
    let run = netpal_at(Path::new(env!("CARGO_MANIFEST_DIR")), &all, input);
    (run.code, run.stdout)
}

/// The first word of the answer to a question.
fn verdict(question: &str, input: &str) -> String {
    let words: Vec<&str> = question.split(' ').collect();
    let (_, answer) = run(&[&["can"], &words[..]].concat(), input);
    let mut words = answer
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let verdict = words.find(|word| ["yes", "no", "partly", "unknown"].contains(word));
    verdict.unwrap_or_default().to_owned()
}

const CALLER: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: caller, namespace: shop, labels: {app: caller}}
spec: {containers: [{name: c, image: i}]}
---
";

/// A `NetworkPolicy` that isolates some pods, and lets in some others.
fn policy(subject: &str, from: &str) -> String {
    let ingress = match from {
        "" => "[]".to_owned(),
        from => format!("[{{from: [{{podSelector: {from}}}]}}]"),
    };
    format!(
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
         metadata: {{name: p, namespace: shop}}\n\
         spec: {{podSelector: {subject}, policyTypes: [Ingress], ingress: {ingress}}}\n"
    )
}

#[test]
fn pods_of_indexed_jobs_have_their_index() {
    let job = |mode: &str| {
        format!(
            "{CALLER}apiVersion: batch/v1\nkind: Job\nmetadata: {{name: j, namespace: shop}}\n\
             spec: {{{mode} completions: 3, template: {{spec: {{containers: [{{name: c, image: i}}]}}}}}}\n"
        )
    };
    let key = "batch.kubernetes.io/job-completion-index";
    let any = policy(
        &format!("{{matchExpressions: [{{key: {key}, operator: Exists}}]}}"),
        "",
    );
    let first = policy(
        "{matchLabels: {app: caller}}",
        &format!("{{matchLabels: {{{key}: '0'}}}}"),
    );
    let ninth = first.replace("'0'", "'9'");
    let indexed = job("completionMode: Indexed,");
    assert_eq!(
        verdict("shop/caller reach shop/j:80", &format!("{indexed}{any}")),
        "no"
    );
    assert_eq!(
        verdict("shop/j reach shop/caller:80", &format!("{indexed}{first}")),
        "partly"
    );
    assert_eq!(
        verdict("shop/j reach shop/caller:80", &format!("{indexed}{ninth}")),
        "no"
    );
    let plain = job("");
    assert_eq!(
        verdict("shop/caller reach shop/j:80", &format!("{plain}{any}")),
        "yes"
    );
}

#[test]
fn what_controllers_set_is_there() {
    let config = "\
apiVersion: apps.openshift.io/v1
kind: DeploymentConfig
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, template: {metadata: {labels: {app: api}}, spec: {containers: [{name: c, image: i}]}}}
";
    let input = |subject: &str| format!("{CALLER}{config}{}", policy(subject, ""));
    let asked = "shop/caller reach shop/api:80";
    assert_eq!(
        verdict(asked, &input("{matchLabels: {deploymentconfig: api}}")),
        "no"
    );
    assert_eq!(
        verdict(asked, &input("{matchLabels: {deploymentconfig: web}}")),
        "yes"
    );
    let exists = "{matchExpressions: [{key: deployment, operator: Exists}]}";
    assert_eq!(verdict(asked, &input(exists)), "no");
    let deployment = config
        .replace("apps.openshift.io/v1", "apps/v1")
        .replace("DeploymentConfig", "Deployment")
        .replace(
            "{app: api}, template",
            "{matchLabels: {app: api}}, template",
        );
    let hashed = policy(
        "{matchLabels: {app: caller}}",
        "{matchLabels: {app: api, pod-template-hash: 5d4f8c7d9b}}",
    );
    let input = format!("{CALLER}{deployment}{hashed}");
    assert_eq!(verdict("shop/api reach shop/caller:80", &input), "unknown");
    assert_eq!(verdict("internet reach shop/caller:80", &input), "no");
}

/// The old name of the field counts where the new one is not given.
#[test]
fn an_account_has_two_names() {
    let input = |account: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: db, namespace: shop}}\n\
             spec: {{{account} containers: [{{name: c, image: i}}]}}\n---\n{CALLER}\
             apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: shop}}\n\
             spec: {{serviceAccountSelector: 'projectcalico.org/name == \"robot\"', types: [Ingress]}}\n"
        )
    };
    let asked = "shop/caller reach shop/db:80 --cni calico";
    assert_eq!(verdict(asked, &input("serviceAccount: robot,")), "no");
    assert_eq!(verdict(asked, &input("serviceAccountName: robot,")), "no");
    assert_eq!(
        verdict(
            asked,
            &input("serviceAccountName: other, serviceAccount: robot,")
        ),
        "yes"
    );
    assert_eq!(verdict(asked, &input("")), "yes");
}

#[test]
fn a_service_is_called_in_its_families() {
    let pods = "\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop, labels: {app: a}}
spec: {containers: [{name: c, image: i}]}
status: {podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: shop, labels: {app: b}}
spec: {containers: [{name: c, image: i}]}
status: {podIPs: [{ip: 10.0.0.2}, {ip: 'fd00::2'}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: {podSelector: {matchLabels: {app: b}}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}
---
";
    let service = |spec: &str| {
        format!(
            "{pods}apiVersion: v1\nkind: Service\nmetadata: {{name: s, namespace: shop}}\n\
             spec: {{selector: {{app: b}}, {spec} ports: [{{port: 80}}]}}\n"
        )
    };
    let asked = |spec: &str| verdict("shop/a reach shop/svc/s:80", &service(spec));
    assert_eq!(asked(""), "yes");
    assert_eq!(asked("ipFamilies: [IPv4],"), "yes");
    assert_eq!(asked("ipFamilies: [IPv6],"), "no");
    assert_eq!(asked("clusterIP: 'fd00:96::5',"), "no");
    assert_eq!(
        asked("ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6],"),
        "yes"
    );
}

#[test]
fn what_operators_publish_leaves_the_list_of_doors_open() {
    let grafana = |spec: &str| {
        format!(
            "{CALLER}apiVersion: grafana.integreatly.org/v1beta1\nkind: Grafana\n\
             metadata: {{name: g, namespace: shop}}\nspec: {{{spec}}}\n"
        )
    };
    let plain = grafana("config: {log: {mode: console}}");
    let published = grafana("ingress: {spec: {rules: [{host: g.example}]}}");
    assert!(run(&["doors"], &plain).1.starts_with("no door: nothing"));
    let (_, doors) = run(&["doors"], &published);
    assert!(
        doors.contains("there may be more doors: 1 Grafana"),
        "{doors}"
    );
    let asked = ["can", "internet", "reach", "shop/caller", "--by", "door"];
    assert_eq!(run(&asked, &plain).0, 4);
    assert_eq!(run(&asked, &published).0, 3);
    let tcp = "---\napiVersion: v1\nkind: ConfigMap\n\
               metadata: {name: tcp-services, namespace: ingress-nginx}\ndata: {'5432': 'shop/db:5432'}\n";
    assert_eq!(run(&asked, &format!("{CALLER}{tcp}")).0, 3);
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("plain.yaml", &plain), ("published.yaml", &published)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let changed = |ends: [&str; 2]| netpal_at(folder.path(), &["diff", ends[0], ends[1]], "").code;
    assert_eq!(changed(["plain.yaml", "published.yaml"]), 3);
    assert_eq!(changed(["published.yaml", "plain.yaml"]), 3);
    assert_eq!(changed(["published.yaml", "published.yaml"]), 0);
}

/// Ports that a row takes from an endpoint are numbers, in policies too; the pods of what operators
/// make have names under their Services, and objects that make one Service make it once.
#[test]
fn what_operators_make_has_ports_and_names() {
    let collector = format!(
        "{CALLER}apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n\
         metadata: {{name: oc, namespace: shop}}\n\
         spec: {{networkPolicy: {{enabled: true}}, config: {{receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '0.0.0.0:5317'}}}}}}}}}}}}\n"
    );
    assert_eq!(
        verdict("shop/caller reach oc-collector.shop.svc:5317", &collector),
        "yes"
    );
    let direct = "shop/caller reach shop/OpenTelemetryCollector/oc/collector:1234";
    assert_eq!(verdict(direct, &collector), "no");
    let prometheus = |name: &str| {
        format!(
            "---\napiVersion: monitoring.coreos.com/v1\nkind: Prometheus\n\
             metadata: {{name: {name}, namespace: shop}}\nspec: {{replicas: 1}}\n"
        )
    };
    let two = format!("{CALLER}{}{}", prometheus("a"), prometheus("b"));
    assert_eq!(
        verdict("shop/caller reach prometheus-operated.shop.svc:9090", &two),
        "yes"
    );
    let named = "shop/caller reach prometheus-a-0.prometheus-operated.shop.svc:9090";
    assert_eq!(verdict(named, &two), "yes");
}

/// Forms of a field that its API takes as well.
#[test]
fn a_field_has_several_forms() {
    let db = "apiVersion: v1\nkind: Pod\nmetadata: {name: db, namespace: shop, labels: {app: db}}\n\
              spec: {containers: [{name: c, image: i}]}\n---\n";
    let antrea = format!(
        "{CALLER}{db}apiVersion: crd.antrea.io/v1beta1\nkind: NetworkPolicy\n\
         metadata: {{name: p, namespace: shop}}\n\
         spec: {{priority: 5, appliedTo: [{{podSelector: {{matchLabels: {{app: db}}}}}}], \
         ingress: [{{action: Drop, protocols: [{{icmp: {{}}}}]}}]}}\n"
    );
    for message in ["icmp", "icmp/0/0", "icmp/8/0", "icmp/255/255"] {
        let asked = format!("shop/caller reach shop/db:{message}");
        assert_eq!(verdict(&asked, &antrea), "no", "{message}");
    }
    let staged = format!(
        "{CALLER}{db}apiVersion: projectcalico.org/v3\nkind: StagedKubernetesNetworkPolicy\n\
         metadata: {{name: p, namespace: shop}}\n\
         spec: {{stagedAction: Set, podSelector: {{}}, policyTypes: [Ingress]}}\n"
    );
    let asked = "shop/caller reach shop/db:80 --cni calico";
    assert_eq!(verdict(asked, &staged), "yes");
    assert_eq!(verdict(&format!("{asked} --staged"), &staged), "no");
    // CA11, CA112: one that is to be deleted takes the enforced one of its name away
    let enforced = format!(
        "{staged}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
         metadata: {{name: p, namespace: shop}}\nspec: {{podSelector: {{}}}}\n"
    );
    let deleted = enforced.replace("stagedAction: Set", "stagedAction: Delete");
    assert_eq!(verdict(asked, &deleted), "no");
    assert_eq!(verdict(&format!("{asked} --staged"), &deleted), "yes");
    assert_eq!(verdict(&format!("{asked} --staged"), &enforced), "no");
    // CA45, CA112: among others of its order a promoted policy stands as its enforced kind
    let tied = |kind: &str, name: &str, action: &str| {
        format!(
            "---\napiVersion: projectcalico.org/v3\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\n\
             spec: {{order: 1000, types: [Ingress], ingress: [{{action: {action}}}]}}\n"
        )
    };
    let knp = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
               metadata: {name: q, namespace: shop}\nspec: {podSelector: {}, ingress: [{}]}\n";
    let namespaced = format!(
        "{CALLER}{db}{knp}{}",
        tied("StagedNetworkPolicy", "q", "Deny")
    );
    let global = tied("StagedGlobalNetworkPolicy", "q", "Deny").replace(", namespace: shop", "");
    let global = format!(
        "{CALLER}{db}{}{global}",
        tied("NetworkPolicy", "q", "Allow")
    );
    let asked = format!("{asked} --staged");
    assert_eq!(verdict(&asked, &namespaced), "yes"); // q/shop/K... before q/shop/N...
    assert_eq!(verdict(&asked, &global), "no"); // q//G... before q/shop/N...
    let felix = |port: &str| {
        format!(
            "{CALLER}apiVersion: v1\nkind: Node\nmetadata: {{name: n1}}\n\
             status: {{addresses: [{{type: InternalIP, address: 192.0.2.1}}]}}\n---\n\
             apiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {{name: h}}\n\
             spec: {{node: n1, interfaceName: '*', expectedIPs: [192.0.2.1]}}\n---\n\
             apiVersion: projectcalico.org/v3\nkind: FelixConfiguration\nmetadata: {{name: default}}\n\
             spec: {{failsafeInboundHostPorts: [{port}]}}\n"
        )
    };
    let asked = "198.51.100.1 reach node/n1:2222 --cni calico";
    assert_eq!(verdict(asked, &felix("{protocol: tcp, port: 2222}")), "yes");
    assert_eq!(verdict(asked, &felix("{protocol: udp, port: 2222}")), "no");
    let alone = felix("{protocol: TCP, port: 2222, net: 198.51.100.1}");
    assert_eq!(verdict(asked, &alone), "yes");
    let other = felix("{protocol: TCP, port: 2222, net: 198.51.100.2}");
    assert_eq!(verdict(asked, &other), "no");
}

/// What is not known is not counted as closed.
#[test]
fn a_report_does_not_take_the_unknown_for_closed() {
    let broken = format!(
        "{CALLER}apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
         metadata: {{name: p, namespace: shop}}\n\
         spec: {{podSelector: {{}}, policyTypes: [Ingress, Egress], ingress: [{{from: {{}}}}]}}\n"
    );
    let (_, report) = run(&["report", "-o", "md"], &broken);
    let said = |start: &str| {
        let mut lines = report.lines().filter(|line| line.starts_with(start));
        lines
            .next()
            .unwrap_or_else(|| panic!("{report}"))
            .to_owned()
    };
    let leaving = said("**Who may leave");
    assert!(
        leaving.contains("*unknown*") && leaving.contains("not known of"),
        "{leaving}"
    );
    let isolated = said("**What is isolated?**");
    assert!(isolated.contains("*unknown*") && isolated.contains("Of 1 it is not known."));
}

/// What could not be listed of a cluster may be a door.
#[test]
fn what_was_not_listed_may_be_a_door() {
    let unlisted = "apiVersion: netpal/v1\nkind: Unlisted\nmetadata: {name: services}\n\
                    listKind: Service\nreason: forbidden\n";
    let asked = ["can", "internet", "reach", "shop/caller", "--by", "door"];
    assert_eq!(run(&asked, CALLER).0, 4);
    assert_eq!(run(&asked, &format!("{CALLER}{unlisted}")).0, 3);
    let (_, doors) = run(&["doors"], &format!("{CALLER}{unlisted}"));
    assert!(doors.contains("1 list of Services is not read"), "{doors}");
}

/// A word of which the other end has no family reaches nothing, and is not reached (S65).
#[test]
fn a_word_without_a_common_family_is_a_no() {
    let pods = "\
apiVersion: v1
kind: Pod
metadata: {name: four, namespace: shop}
spec: {containers: [{name: c, image: i}]}
status: {podIPs: [{ip: 10.0.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: six, namespace: shop}
spec: {containers: [{name: c, image: i}]}
status: {podIPs: [{ip: 'fd00::1'}]}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
";
    for (question, expected) in [
        ("shop/four reach internet6:443", "no"),
        ("internet6 reach shop/four:80", "no"),
        ("shop/four reach internet:443", "yes"),
        ("shop/six reach node/n1:80", "no"),
        ("nodes reach shop/six:80", "no"),
        ("nodes reach shop/four:80", "yes"),
    ] {
        assert_eq!(verdict(question, pods), expected, "{question}");
    }
}

/// A port of a Service at nodes leads to its pods, by whichever name of a node it is called.
#[test]
fn a_node_port_is_called_by_the_name_of_a_node() {
    let input = format!(
        "{CALLER}apiVersion: v1\nkind: Pod\nmetadata: {{name: db, namespace: shop, labels: {{app: db}}}}\n\
         spec: {{containers: [{{name: c, image: i}}]}}\n---\n\
         apiVersion: v1\nkind: Node\nmetadata: {{name: n1}}\n\
         status: {{addresses: [{{type: InternalIP, address: 192.0.2.1}}]}}\n---\n\
         apiVersion: v1\nkind: Service\nmetadata: {{name: db, namespace: shop}}\n\
         spec: {{type: NodePort, selector: {{app: db}}, ports: [{{port: 80, nodePort: 30080}}]}}\n{}",
        policy("{matchLabels: {app: db}}", "")
    );
    for end in ["192.0.2.1", "node/n1", "nodes"] {
        let asked = |port: u16| verdict(&format!("shop/caller reach {end}:{port}"), &input);
        assert_eq!(asked(30080), "unknown", "{end}");
        assert_eq!(asked(22), "yes", "{end}");
    }
}

/// Behind Cilium's Ingress comes an identity that its policies can name (DO94, CI68).
#[test]
fn the_proxy_of_the_plugin_is_named_by_entities() {
    let input = |from: &str| {
        format!(
            "{CALLER}apiVersion: v1\nkind: Service\nmetadata: {{name: caller, namespace: shop}}\n\
             spec: {{selector: {{app: caller}}, ports: [{{port: 80}}]}}\n---\n\
             apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i, namespace: shop}}\n\
             spec: {{ingressClassName: cilium, defaultBackend: {{service: {{name: caller, port: {{number: 80}}}}}}}}\n---\n\
             apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: p, namespace: shop}}\n\
             spec: {{endpointSelector: {{}}, ingress: [{from}]}}\n"
        )
    };
    let asked = ["can", "internet", "reach", "shop/caller", "--by", "door"];
    for from in [
        "{fromEntities: [ingress]}",
        "{fromEntities: [cluster]}",
        "{fromEntities: [all]}",
        "{fromEndpoints: [{matchLabels: {'reserved:ingress': ''}}]}",
        "{toPorts: [{ports: [{port: '80'}]}]}",
    ] {
        assert_eq!(run(&asked, &input(from)).0, 0, "{from}");
    }
    for from in [
        "{fromEntities: [world]}",
        "{fromEntities: [health]}",
        "{fromEndpoints: [{}]}",
    ] {
        assert_eq!(run(&asked, &input(from)).0, 1, "{from}");
    }
}

/// A version is read as people write it, and what is none is refused.
#[test]
fn versions_in_the_configuration_are_versions() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("in.yaml"), CALLER).unwrap();
    for (cluster, code) in [
        ("cilium: {version: '1.17'}", 0),
        ("cilium: {version: v1.17.3}", 0),
        ("cilium: {version: newest}", 2),
        ("calico: {version: v3.31.2}", 0),
        ("calico: {version: '1.2'}", 2),
        ("kubernetes: v1.35.0", 0),
        ("kubernetes: '35'", 2),
        ("cilium: {reserved: {10.0.0.1: health}}", 0),
        ("cilium: {reserved: {10.0.0.1: healthy}}", 2),
        ("cilium: {reserved: {here: health}}", 2),
        ("platform: gke", 0),
        ("platform: mars", 2),
    ] {
        let text = format!("version: 1\ninputs: [{{path: in.yaml}}]\ncluster: {{{cluster}}}\n");
        std::fs::write(folder.path().join("netpal.yaml"), text).unwrap();
        let run = netpal_at(
            folder.path(),
            &["can", "caller", "reach", "internet:443"],
            "",
        );
        assert_eq!(run.code, code, "{cluster}: {}", run.text());
    }
}

/// What a policy is split into for the proxies of a mesh is nobody's text: findings and
/// explanations are about the policy as it is written.
#[test]
fn a_policy_between_proxies_is_explained_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy(
        "{matchLabels: {app: caller}}",
        "{matchLabels: {app: caller}}",
    );
    let policy = policy.replace("ingress: [{from", "ingress: [{ports: [{port: 80}], from");
    std::fs::write(folder.path().join("in.yaml"), format!("{CALLER}{policy}")).unwrap();
    let mesh = "version: 1\ninputs: [{path: in.yaml}]\n\
                cluster: {istio: {meshed: all, dataplane: ambient}}\n";
    let at = |config: &str, arguments: &[&str]| {
        std::fs::write(folder.path().join("netpal.yaml"), config).unwrap();
        netpal_at(folder.path(), arguments, "").stdout
    };
    let plain = mesh.replace("meshed: all", "meshed: none");
    for arguments in [
        &["lint", "--select", "ALL", "-o", "json"][..],
        &["explain", "netpol/p"][..],
    ] {
        assert_eq!(at(mesh, arguments), at(&plain, arguments));
    }
    assert!(at(mesh, &["explain", "netpol/p"]).contains("applies to 1 workload"));
}

/// A member of a mesh that names nobody is told.
#[test]
fn members_of_a_mesh_that_are_not_there_are_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("in.yaml"), CALLER).unwrap();
    let told = |member: &str| {
        let text = format!(
            "version: 1\ninputs: [{{path: in.yaml}}]\ncluster: {{istio: {{meshed: [{member}]}}}}\n"
        );
        std::fs::write(folder.path().join("netpal.yaml"), text).unwrap();
        netpal_at(
            folder.path(),
            &["can", "caller", "reach", "internet:443"],
            "",
        )
        .stderr
    };
    assert!(!told("shop/caller").contains("names no workload"));
    for member in ["caller", "shop/callers", "other/caller", "'shop/*'"] {
        assert!(told(member).contains("names no workload"), "{member}");
    }
}

/// CA171: Calico does not read an object whose own metadata it cannot read, so that a policy does
/// not find it.
#[test]
fn a_set_that_calico_does_not_read_is_none() {
    let input = |kept: &str| {
        format!(
            "{CALLER}apiVersion: crd.projectcalico.org/v1\nkind: GlobalNetworkSet\n\
             metadata: {{name: g, labels: {{of: partner}}, annotations: {{projectcalico.org/metadata: '{kept}'}}}}\n\
             spec: {{nets: [192.0.2.0/24]}}\n---\n\
             apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {{name: p}}\n\
             spec: {{selector: app == 'caller', ingress: [{{action: Allow, source: {{selector: of == 'partner'}}}}]}}\n"
        )
    };
    let question = "192.0.2.7 reach shop/caller:80";
    assert_eq!(verdict(question, &input("{}")), "yes");
    assert_eq!(verdict(question, &input("{labels")), "no");
}

/// The verdict on `b/caller` reaching `b/called` under a version of Cilium.
fn under_cilium(version: &str, documents: &[&str]) -> String {
    let pods = ["caller", "called"].map(|name| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: b, labels: {{app: {name}}}}}\n\
             spec: {{containers: [{{name: c, image: c}}]}}\n"
        )
    });
    let all: Vec<&str> = pods.iter().map(String::as_str).collect();
    let input = [&all[..], documents].concat().join("---\n");
    verdict(
        &format!("b/caller reach b/called:80 --cni {version}"),
        &input,
    )
}

/// A policy of Cilium whose spec this is.
fn of_cilium(spec: &str) -> String {
    format!(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: p, namespace: b}}\n{spec}\n"
    )
}

/// What the agent refuses depends on its version (CI56, CI203, CI220, CI221, CI228): an object that
/// an older one accepts is in force there.
#[test]
fn what_cilium_refuses_is_refused_by_the_version_that_does() {
    let subject = "endpointSelector: {matchLabels: {app: caller}}";
    let plain = format!("spec: {{{subject}, egress: [{{toCIDR: [198.51.100.7]}}]}}");
    let wide = format!(
        "spec: {{{subject}, egress: [{{toCIDRSet: [{{cidr: 198.51.100.0/24, except: [198.51.100.0/16]}}]}}]}}"
    );
    let beside =
        format!("specs: [{{{subject}}}, {{{subject}, egress: [{{toEntities: [world]}}]}}]");
    let denying = format!(
        "spec: {{{subject}, egress: [{{}}], egressDeny: [{{toPorts: [{{ports: [{{port: '70000'}}]}}]}}]}}"
    );
    for (spec, version, expected) in [
        (&plain, "cilium", "yes"),
        (&plain, "cilium-1.17", "no"),
        (&wide, "cilium", "yes"),
        (&wide, "cilium-1.17", "no"),
        (&beside, "cilium", "yes"),
        (&beside, "cilium-1.17", "no"),
        (&denying, "cilium", "yes"),
        (&denying, "cilium-1.17", "unknown"),
    ] {
        let verdict = under_cilium(version, &[&of_cilium(spec)]);
        assert_eq!(verdict, expected, "{version}: {spec}");
    }
}

/// Options of the agent that are not modelled, and options for some nodes, leave open what policies
/// do (CI15, CI16, CI21).
#[test]
fn options_of_the_agent_that_are_not_modelled_make_it_unknown() {
    let config = |data: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: cilium-config, namespace: kube-system}}\ndata: {{{data}}}\n"
        )
    };
    let nodes = |spec: &str| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumNodeConfig\nmetadata: {{name: n, namespace: kube-system}}\nspec: {{{spec}}}\n"
        )
    };
    let zone = "nodeSelector: {matchLabels: {zone: b}}";
    for (document, expected) in [
        (
            config("enable-k8s-networkpolicy: 'true', labels: ''"),
            "yes",
        ),
        (config("enable-k8s-networkpolicy: 'false'"), "unknown"),
        (
            config("enable-non-default-deny-policies: 'false'"),
            "unknown",
        ),
        (config("labels: '!k8s:tier'"), "unknown"),
        (
            nodes(&format!("{zone}, defaults: {{enable-policy: always}}")),
            "unknown",
        ),
        (
            nodes(&format!("{zone}, defaults: {{debug: 'true'}}")),
            "yes",
        ),
        (nodes("defaults: {enable-policy: never}"), "yes"),
    ] {
        assert_eq!(under_cilium("cilium", &[&document]), expected, "{document}");
    }
}

/// What cannot be read is not taken for nothing: a field that should be a list and is not says that
/// something is there.
#[test]
fn a_list_that_is_none_is_not_empty() {
    for spec in [
        "specs: {endpointSelector: {}, ingress: [{}]}",
        "spec: {endpointSelector: {}, ingress: {}}",
        "spec: {endpointSelector: {}, ingress: all}",
    ] {
        let verdict = under_cilium("cilium", &[&of_cilium(spec)]);
        assert_eq!(verdict, "unknown", "{spec}");
    }
    for spec in [
        "{podSelector: {}, policyTypes: Egress}",
        "{podSelector: {}, policyTypes: [Egress], egress: {}}",
    ] {
        let policy = format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: b}}\nspec: {spec}\n"
        );
        assert_eq!(under_cilium("cilium", &[&policy]), "unknown", "{spec}");
    }
}
