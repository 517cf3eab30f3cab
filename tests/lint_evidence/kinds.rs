//! Mistakes of one kind in their different forms: both directions, other kinds of workloads, other
//! ports, and what only looks like the mistake.

use crate::manifests::{all, deployment, egress, finds, ingress, namespace, policy, quiet, silent};
use netpal::Severity::{Error, Info, Warning};

const SYSTEM: &str = "kubernetes.io/metadata.name: kube-system";

/// A `CoreDNS` with its Service.
fn coredns(labels: &str, port: u16) -> String {
    let ports = format!("{{containerPort: {port}, protocol: UDP, name: dns}}");
    let service = format!(
        "apiVersion: v1
kind: Service
metadata: {{name: kube-dns, namespace: kube-system}}
spec: {{selector: {{{labels}}}, ports: [{{port: 53, targetPort: {port}, protocol: UDP}}]}}"
    );
    all(&[&deployment("kube-system/coredns", labels, &ports), &service])
}

#[test]
fn the_dns_that_is_there_must_be_opened_on_its_port() {
    let web = deployment("shop/web", "app: web", "");
    let with = |dns: &str, rules: &str| all(&[dns, &web, &policy("shop/p", &egress(rules))]);
    let usual = coredns("k8s-app: kube-dns", 53);
    let to = |peer: &str| format!("{{to: [{peer}], ports: [{{port: 53, protocol: UDP}}]}}");
    let system = format!("{{namespaceSelector: {{matchLabels: {{{SYSTEM}}}}}}}");
    let https = "{ports: [{port: 443}]}";
    let fine = [
        to(&system),
        to("{namespaceSelector: {}}"),
        to("{ipBlock: {cidr: 10.96.0.10/32}}"),
        to("{ipBlock: {cidr: 192.0.2.53/32}}"),
        to("{ipBlock: {cidr: 0.0.0.0/0}}"),
        "{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}".to_owned(),
    ];
    for rule in fine {
        silent(&with(&usual, &format!("{rule}, {https}")), "NP101");
    }
    let labels = |label: &str| {
        to(&format!(
            "{{namespaceSelector: {{matchLabels: {{{SYSTEM}}}}}, podSelector: {{matchLabels: {{{label}}}}}}}"
        ))
    };
    silent(&with(&usual, &labels("k8s-app: kube-dns")), "NP101");
    let blocked = [
        labels("k8s-app: coredns"),
        to("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: far}}}"),
        "{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]}}]}"
            .to_owned(),
        to("{ipBlock: {cidr: 169.254.0.0/16}}"),
    ];
    for rule in blocked {
        finds(
            &with(&usual, &format!("{rule}, {https}")),
            "NP101",
            Warning,
            "resolve any name",
        );
    }
    // the port behind the Service counts
    let other = coredns("k8s-app: kube-dns", 5353);
    finds(
        &with(&other, "{ports: [{port: 53, protocol: UDP}]}"),
        "NP101",
        Warning,
        "5353/UDP",
    );
    silent(
        &with(&other, "{ports: [{port: 5353, protocol: UDP}]}"),
        "NP101",
    );
    // where only the DNS is meant, the port is what is wrong
    let named = with(&other, &labels("k8s-app: kube-dns"));
    finds(&named, "NP011", Error, "5353");
    silent(&named, "NP101");
}

#[test]
fn the_dns_may_shut_itself_in() {
    let dns = coredns("k8s-app: kube-dns", 53);
    let web = deployment("shop/web", "app: web", "");
    let shut = "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}";
    let text = all(&[&dns, &web, &policy("kube-system/p", shut)]);
    finds(&text, "NP101", Warning, "does not let shop/web ask");
    let open = "{podSelector: {}, ingress: [{ports: [{port: 53, protocol: UDP}]}]}";
    silent(&all(&[&dns, &web, &policy("kube-system/p", open)]), "NP101");
}

#[test]
fn a_cache_on_every_node_is_asked_first() {
    let cache = |address: &str| {
        format!(
            "apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: nodelocaldns, namespace: kube-system}}
spec:
  selector: {{matchLabels: {{k8s-app: nodelocaldns}}}}
  template:
    metadata: {{labels: {{k8s-app: nodelocaldns}}}}
    spec:
      hostNetwork: true
      containers: [{{name: cache, image: x, args: [-localip, \"{address}\"]}}]"
        )
    };
    let dns = coredns("k8s-app: kube-dns", 53);
    let web = deployment("shop/web", "app: web", "");
    let with = |address: &str, to: &str| {
        let rule = format!("{{to: [{to}], ports: [{{port: 53, protocol: UDP}}]}}");
        all(&[
            &cache(address),
            &dns,
            &web,
            &policy("shop/p", &egress(&rule)),
        ])
    };
    let every = "{namespaceSelector: {}}";
    finds(
        &with("169.254.25.10", every),
        "NP108",
        Warning,
        "169.254.25.10/32",
    );
    let both = "{namespaceSelector: {}}, {ipBlock: {cidr: 169.254.25.10/32}}";
    silent(&with("169.254.25.10", both), "NP108");
    silent(
        &with("169.254.25.10", "{ipBlock: {cidr: 0.0.0.0/0}}"),
        "NP108",
    );
    let without = all(&[
        &dns,
        &web,
        &policy("shop/p", &egress("{ports: [{port: 53, protocol: UDP}]}")),
    ]);
    silent(&without, "NP108");
}

#[test]
fn a_dash_before_the_ports_makes_a_rule_of_its_own() {
    let with = |ports: &str, spec: &str| {
        let db = deployment("shop/db", "app: db", ports);
        all(&[
            &db,
            &deployment("shop/web", "app: web", ""),
            &policy("shop/p", spec),
        ])
    };
    let one = "{containerPort: 5432}";
    let to = "{podSelector: {matchLabels: {app: db}}}";
    let out = format!(
        "{{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{to}]}}, {{ports: [{{port: 5432}}]}}]}}"
    );
    finds(&with(one, &out), "NP020", Warning, "delete the \"-\"");
    let reversed = format!(
        "{{podSelector: {{}}, policyTypes: [Egress], egress: [{{ports: [{{port: 5432}}]}}, {{to: [{to}]}}]}}"
    );
    finds(&with(one, &reversed), "NP020", Warning, "delete the \"-\"");
    let into = "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}]}, {ports: [{port: 5432}]}]}";
    finds(
        &with(one, into),
        "NP020",
        Warning,
        "5432/TCP from everybody",
    );
    // further ports, which the peers are let in on
    let two = "{containerPort: 5432}, {containerPort: 9187}";
    silent(&with(two, into), "NP020");
    let on_purpose = into.replace("{ports:", "{from: [], ports:");
    silent(&with(one, &on_purpose), "NP020");
    let dns = out.replace(
        "{ports: [{port: 5432}]}",
        "{ports: [{port: 53, protocol: UDP}, {port: 53}]}",
    );
    silent(&with(one, &dns), "NP020");
    let web = out.replace("5432", "443");
    silent(&with("{containerPort: 443}", &web), "NP020");
    // no pod that declares anything: a sensitive port is sign enough
    let far = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {a: b}}}]}, {ports: [{port: 6379}]}]}";
    finds(&policy("shop/p", far), "NP020", Warning, "seldom meant");
    silent(&policy("shop/p", &far.replace("6379", "8080")), "NP020");
}

#[test]
fn pods_have_the_labels_of_their_template_alone() {
    let job = |kind: &str, own: &str, template: &str| {
        let pod = format!(
            "template: {{metadata: {{labels: {{{template}}}}}, spec: {{restartPolicy: Never, containers: [{{name: main, image: x}}]}}}}"
        );
        let spec = if kind == "CronJob" {
            format!(
                "{{schedule: '@daily', jobTemplate: {{metadata: {{labels: {{{own}}}}}, spec: {{{pod}}}}}}}"
            )
        } else {
            format!("{{{pod}}}")
        };
        let labels = if kind == "CronJob" { "" } else { own };
        format!(
            "apiVersion: batch/v1\nkind: {kind}\nmetadata: {{name: report, namespace: shop, labels: {{{labels}}}}}\nspec: {spec}"
        )
    };
    let web = deployment("shop/web", "app: web", "");
    let peer =
        "{podSelector: {matchExpressions: [{key: app, operator: In, values: [web, report]}]}}";
    let with = |object: &str| all(&[&web, object, &policy("shop/p", &ingress(peer))]);
    finds(
        &with(&job("Job", "app: report", "")),
        "NP021",
        Warning,
        "Job shop/report",
    );
    finds(
        &with(&job("CronJob", "app: report", "")),
        "NP021",
        Warning,
        "spec.jobTemplate.spec.template",
    );
    silent(&with(&job("Job", "app: report", "app: report")), "NP021");
    silent(&with(&job("Job", "team: a", "")), "NP021");
    // a Deployment, as the subject of the policy
    let object = deployment("shop/api", "tier: back", "").replace(
        "metadata: {name: api,",
        "metadata: {labels: {app: api}, name: api,",
    );
    let spec = "{podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress]}";
    let subject = all(&[&object, &web, &policy("shop/p", spec)]);
    finds(&subject, "NP021", Warning, "Deployment shop/api");
    silent(&subject, "NP001");
    // others have the label, and this one may well be left out
    let both = all(&[&subject, &deployment("shop/api-2", "app: api", "")]);
    finds(&both, "NP021", Info, "Deployment shop/api");
}

#[test]
fn a_statefulset_has_the_pods_that_it_counts() {
    let set = |replicas: u32, more: &str| {
        format!(
            "apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db, namespace: shop}}
spec:
  replicas: {replicas}{more}
  serviceName: db
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec: {{containers: [{{name: main, image: x}}]}}"
        )
    };
    let web = deployment("shop/web", "app: web", "");
    let with = |object: &str, labels: &str| {
        let peer = format!("{{podSelector: {{matchLabels: {{{labels}}}}}}}");
        all(&[object, &web, &policy("shop/p", &ingress(&peer))])
    };
    let name = |n: u32| format!("statefulset.kubernetes.io/pod-name: db-{n}");
    let index = |n: u32| format!("app: db, apps.kubernetes.io/pod-index: '{n}'");
    finds(
        &with(&set(3, ""), &name(3)),
        "NP022",
        Warning,
        "there are db-0 to db-2",
    );
    finds(
        &with(&set(3, ""), &index(3)),
        "NP022",
        Warning,
        "no pod of index 3",
    );
    finds(
        &with(&set(1, ""), &name(1)),
        "NP022",
        Warning,
        "there is only db-0",
    );
    silent(&with(&set(3, ""), &name(2)), "NP022");
    silent(&with(&set(3, ""), &index(0)), "NP022");
    let later = "\n  ordinals: {start: 5}";
    finds(
        &with(&set(2, later), &name(1)),
        "NP022",
        Warning,
        "db-5 to db-6",
    );
    silent(&with(&set(2, later), &name(6)), "NP022");
    let one_of = "{podSelector: {matchExpressions: [{key: statefulset.kubernetes.io/pod-name, operator: In, values: [db-0, db-7]}]}}";
    let text = all(&[&set(3, ""), &web, &policy("shop/p", &ingress(one_of))]);
    finds(&text, "NP022", Warning, "db-7");
    let plain = deployment("shop/db", "app: db", "");
    finds(
        &with(&plain, &name(0)),
        "NP022",
        Warning,
        "pods of Deployment shop/db have no label",
    );
    silent(&with(&web, &name(0)), "NP022");
}

#[test]
fn pods_are_neither_the_internet_nor_the_api_server() {
    let web = deployment("shop/web", "app: web", "{containerPort: 8080}");
    let with = |rules: &str| all(&[&web, &policy("shop/p", &egress(rules))]);
    let every = "{to: [{namespaceSelector: {}}], ports: [{port: 443}]}";
    finds(
        &with(every),
        "NP023",
        Warning,
        "neither the internet nor the API server",
    );
    let with_dns = "{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}, {port: 443}, {port: 6443}]}";
    finds(&with(with_dns), "NP023", Warning, "neither");
    let named = "{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}}], ports: [{port: 6443}]}";
    finds(
        &with(named),
        "NP023",
        Warning,
        "6443 is the API server's port",
    );
    let beside =
        format!("{every}, {{to: [{{ipBlock: {{cidr: 192.0.2.1/32}}}}], ports: [{{port: 6443}}]}}");
    silent(&with(&beside), "NP023");
    silent(
        &with("{to: [{namespaceSelector: {}}], ports: [{port: 443}, {port: 9090}]}"),
        "NP023",
    );
    let served = deployment("shop/tls", "app: tls", "{containerPort: 443}");
    silent(&all(&[&served, &with(every)]), "NP023");
    let said = policy("shop/allow-internet", &egress(every));
    finds(
        &all(&[&served, &said]),
        "NP023",
        Warning,
        "the name of the policy",
    );
}

#[test]
fn nothing_calls_from_an_address_of_the_link() {
    let with = |block: &str| policy("shop/p", &ingress(&format!("{{ipBlock: {{{block}}}}}")));
    finds(
        &with("cidr: 0.0.0.0/0, except: [169.254.169.254/32]"),
        "NP024",
        Warning,
        "egress",
    );
    finds(
        &with("cidr: 169.254.169.254/32"),
        "NP024",
        Warning,
        "169.254.169.254/32",
    );
    finds(
        &with("cidr: '::/0', except: ['fd00:ec2::254/128']"),
        "NP024",
        Warning,
        "fd00:ec2::254",
    );
    silent(&with("cidr: 10.0.0.0/8, except: [10.1.0.0/16]"), "NP024");
}

#[test]
fn a_label_that_anybody_can_set_is_no_door() {
    let base = all(&[
        &deployment("shop/web", "app: web", ""),
        &deployment("edge/proxy", "app: proxy", ""),
    ]);
    let peer = "{namespaceSelector: {}, podSelector: {matchLabels: {app: proxy}}}";
    let with = |more: &str, spec: &str| all(&[&base, more, &policy("shop/p", spec)]);
    finds(
        &with("", &ingress(peer)),
        "NP210",
        Warning,
        "kubernetes.io/metadata.name: edge",
    );
    let twice = deployment("far/proxy", "app: proxy", "");
    finds(&with(&twice, &ingress(peer)), "NP210", Info, "app=proxy");
    let nobody = peer.replace("proxy", "other");
    finds(&with("", &ingress(&nobody)), "NP210", Info, "app=other");
    let out = egress(&format!("{{to: [{peer}]}}"));
    silent(&with("", &out), "NP210");
}

#[test]
fn equal_priorities_leave_the_order_open() {
    let rule = |action: &str, port: u16| {
        format!(
            "[{{name: r, action: {action}, from: [{{namespaces: {{}}}}], protocols: [{{tcp: {{destinationPort: {{number: {port}}}}}}}]}}]"
        )
    };
    let admin = |name: &str, priority: u16, subject: &str, rules: &str| {
        format!(
            "apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {{name: {name}}}
spec: {{tier: Admin, priority: {priority}, subject: {{namespaces: {subject}}}, ingress: {rules}}}"
        )
    };
    let with = |a: &str, b: &str| {
        let objects = [namespace("shop"), deployment("shop/web", "app: web", "")];
        all(&[&objects[0], &objects[1], a, b])
    };
    let (accept, deny) = (rule("Accept", 80), rule("Deny", 80));
    let first = admin("a", 7, "{}", &accept);
    finds(
        &with(&first, &admin("b", 7, "{}", &deny)),
        "NP407",
        Warning,
        "priority 7, as a has",
    );
    finds(
        &with(&first, &admin("b", 7, "{}", &accept)),
        "NP407",
        Info,
        "priority 7",
    );
    finds(
        &with(&first, &admin("b", 7, "{}", &rule("Deny", 81))),
        "NP407",
        Info,
        "priority 7",
    );
    silent(&with(&first, &admin("b", 8, "{}", &deny)), "NP407");
    let of = |name: &str| format!("{{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}");
    let apart = with(
        &admin("a", 7, &of("shop"), &accept),
        &admin("b", 7, &of("far"), &deny),
    );
    silent(&apart, "NP407");
}

#[test]
fn what_kyverno_generates_is_not_written_too() {
    let rule = |how: &str, spec: &str| {
        format!(
            "apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {{name: base}}
spec: {{rules: [{{name: r, match: {{any: [{{resources: {{kinds: [Namespace]{how}}}}}]}}, generate: {{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, name: deny, namespace: '{{{{request.object.metadata.name}}}}', data: {{spec: {spec}}}}}}}]}}"
        )
    };
    let deny = "{podSelector: {}, policyTypes: [Ingress, Egress]}";
    let with = |rule: &str, name: &str| {
        all(&[
            rule,
            &policy(name, "{podSelector: {}, policyTypes: [Ingress]}"),
        ])
    };
    finds(
        &with(&rule("", deny), "shop/deny"),
        "NP905",
        Warning,
        "ClusterPolicy base",
    );
    silent(&with(&rule("", deny), "shop/other"), "NP905");
    let same = "{podSelector: {}, policyTypes: [Ingress]}";
    finds(
        &with(&rule("", same), "shop/deny"),
        "NP905",
        Info,
        "ClusterPolicy base",
    );
    let picky = ", selector: {matchLabels: {tenant: 'true'}}";
    finds(
        &with(&rule(picky, deny), "shop/deny"),
        "NP905",
        Info,
        "ClusterPolicy base",
    );
}

#[test]
fn the_other_order_of_a_split_peer_is_one_too() {
    let base = all(&[
        &deployment("shop/web", "app: web", ""),
        &deployment("edge/proxy", "app: proxy", ""),
    ]);
    let spaces = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: edge}}}";
    let pods = "{podSelector: {matchLabels: {app: proxy}}}";
    let with = |peers: &str| all(&[&base, &policy("shop/p", &ingress(peers))]);
    finds(
        &with(&format!("{spaces}, {pods}")),
        "NP004",
        Error,
        "A OR B",
    );
    finds(
        &with(&format!("{pods}, {spaces}")),
        "NP004",
        Error,
        "A OR B",
    );
    let own = "{podSelector: {matchLabels: {app: web}}}";
    quiet(&with(&format!("{own}, {spaces}")), "NP004");
}

#[test]
fn a_policy_for_everybody_acts_in_one_namespace() {
    let spec = "{podSelector: {}, policyTypes: [Ingress]}";
    let nameless = policy("x/p", spec).replace(", namespace: x", "");
    let web = deployment("shop/web", "app: web", "");
    finds(
        &all(&[&web, &nameless]),
        "NP010",
        Warning,
        "where there is no workload",
    );
    silent(
        &all(&[&web, &deployment("default/db", "app: db", ""), &nameless]),
        "NP010",
    );
    silent(&nameless, "NP010");
    silent(&all(&[&web, &policy("far/p", spec)]), "NP010");
}

#[test]
fn a_namespace_that_is_there_is_not_labelled_with_its_name() {
    let peer = "{namespaceSelector: {matchLabels: {name: edge}}}";
    let web = deployment("shop/web", "app: web", "");
    let proxy = deployment("edge/proxy", "app: proxy", "");
    let text = all(&[&web, &proxy, &policy("shop/p", &ingress(peer))]);
    finds(&text, "NP003", Warning, "nothing in this input labels it");
    silent(&all(&[&web, &policy("shop/p", &ingress(peer))]), "NP003");
}

#[test]
fn two_pods_of_one_kind_are_two_pods() {
    let set = "apiVersion: apps/v1
kind: Deployment
metadata: {name: redis, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: redis}}
  template:
    metadata: {labels: {app: redis}}
    spec: {containers: [{name: main, image: x, ports: [{containerPort: 6379}]}]}";
    let peer = "{podSelector: {matchLabels: {app: redis}}}";
    let open =
        format!("{{podSelector: {{matchLabels: {{app: redis}}}}, ingress: [{{from: [{peer}]}}]}}");
    let deny = policy("shop/deny", "{podSelector: {}, policyTypes: [Egress]}");
    let text = all(&[set, &policy("shop/redis", &open), &deny]);
    finds(&text, "NP102", Warning, "may not send it");
    let alone = set.replace("replicas: 3", "replicas: 1");
    silent(
        &all(&[&alone, &policy("shop/redis", &open), &deny]),
        "NP102",
    );
}

#[test]
fn a_policy_that_is_asked_before_may_open_the_dns() {
    let admin = |port: u16| {
        format!(
            "apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {{name: a}}
spec:
  tier: Admin
  priority: 1
  subject: {{namespaces: {{}}}}
  egress:
  - {{name: r, action: Accept, to: [{{namespaces: {{}}}}], protocols: [{{udp: {{destinationPort: {{number: {port}}}}}}}]}}"
        )
    };
    let https = egress("{ports: [{port: 443}]}");
    let with = |port: u16| {
        let web = deployment("shop/web", "app: web", "");
        all(&[&web, &admin(port), &policy("shop/p", &https)])
    };
    finds(&with(123), "NP101", Warning, "resolve any name");
    silent(&with(53), "NP101");
}
