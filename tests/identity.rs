//! A policy is never passed by: every way to write the kind or the version of one almost right is
//! an error at its place with what to write, and the verdicts it could touch are unknown.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::{
    AllowGraph, CompileOptions, Diagnostic, DiagnosticCode as Code, DiagnosticSeverity as Severity,
    Endpoint, Flow, Input, Place, Protocol, Traffic, Truth, load_str,
};

const PODS: &str = "apiVersion: v1
kind: Pod
metadata: {name: till, namespace: shop, labels: {app: till}}
spec: {containers: [{name: main, image: registry.example/till:1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: safe, namespace: bank, labels: {app: safe}}
spec: {containers: [{name: main, image: registry.example/safe:1}]}
";

fn with(document: &str) -> Input {
    load_str(&format!("{PODS}---\n{document}"))
}

/// Whether the named pod may be reached from outside.
fn reached(input: &Input, pod: &str) -> Truth {
    verdict(input, None, Some(pod))
}

/// From a pod, or from outside, to a pod, or to the outside.
fn verdict(input: &Input, from: Option<&str>, to: Option<&str>) -> Truth {
    let graph = AllowGraph::compile(input, &CompileOptions::default()).unwrap();
    let end = |name: Option<&str>| match name {
        None => Endpoint::Address("203.0.113.77".parse().unwrap()),
        Some(name) => {
            let mut pods = input.cluster.pods();
            Endpoint::Pod(pods.find(|(_, p)| *p.name == *name).unwrap().0)
        }
    };
    let traffic = Traffic {
        protocol: Protocol::Tcp,
        port: 8443,
    };
    graph.verdict(&Flow {
        source: end(from),
        destination: end(to),
        traffic,
    })
}

fn errors(input: &Input) -> Vec<&Diagnostic> {
    let all = input.diagnostics.iter();
    all.filter(|d| d.severity == Severity::Error).collect()
}

fn path(diagnostic: &Diagnostic) -> String {
    match &diagnostic.place {
        Place::Origin(origin) => origin.path.to_string(),
        _ => String::new(),
    }
}

#[test]
fn a_policy_of_a_wrong_version_or_group_is_an_error_with_what_to_write() {
    for version in [
        "extensions/v1beta1",
        "networking.k8s.io/v1beta1",
        "networking.k8s.io/v2",
        "networking.k8s.io/V1",
        "networking.k8s.io",
        "Networking.k8s.io/v1",
        "networking/v1",
        "v1",
        "acme.example/v1",
        "7",
    ] {
        let document = format!(
            "apiVersion: {version}\nkind: NetworkPolicy\nmetadata: {{name: lock, namespace: shop}}\nspec: {{podSelector: {{}}}}\n"
        );
        let input = with(&document);
        let errors = errors(&input);
        assert_eq!(errors.len(), 1, "{version}");
        assert_eq!(path(errors[0]), "apiVersion", "{version}");
        let help = errors[0].help.as_deref().unwrap();
        assert_eq!(help, "write apiVersion: networking.k8s.io/v1");
        assert_eq!(reached(&input, "till"), Truth::Maybe, "{version}");
        assert_eq!(reached(&input, "safe"), Truth::Yes, "another namespace");
    }
}

#[test]
fn a_policy_without_a_version_is_an_error_at_its_kind() {
    for kind in [
        "NetworkPolicy",
        "AdminNetworkPolicy",
        "CiliumNetworkPolicy",
        "GlobalNetworkPolicy",
    ] {
        let input = with(&format!(
            "kind: {kind}\nmetadata: {{name: lock, namespace: shop}}\nspec: {{podSelector: {{}}}}\n"
        ));
        assert_eq!(path(errors(&input)[0]), "kind", "{kind}");
        assert_eq!(reached(&input, "till"), Truth::Maybe, "{kind}");
    }
}

#[test]
fn a_kind_in_another_spelling_is_an_error_with_the_right_one() {
    for (version, kind, right) in [
        ("networking.k8s.io/v1", "networkpolicy", "NetworkPolicy"),
        ("networking.k8s.io/v1", "NetworkPolicies", "NetworkPolicy"),
        ("networking.k8s.io/v1", "Networkpolicy", "NetworkPolicy"),
        ("networking.k8s.io/v1", "NetworkPolciy", "NetworkPolicy"),
        (
            "policy.networking.k8s.io/v1alpha1",
            "adminNetworkPolicy",
            "AdminNetworkPolicy",
        ),
        (
            "policy.networking.k8s.io/v1alpha2",
            "ClusterNetworkPolicies",
            "ClusterNetworkPolicy",
        ),
        ("cilium.io/v2", "ciliumNetworkPolicy", "CiliumNetworkPolicy"),
    ] {
        let input = with(&format!(
            "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: lock, namespace: shop}}\nspec: {{podSelector: {{}}}}\n"
        ));
        let errors = errors(&input);
        assert_eq!(path(errors[0]), "kind", "{kind}");
        assert_eq!(
            errors[0].help.as_deref().unwrap(),
            format!("write kind: {right}")
        );
        assert_eq!(reached(&input, "till"), Truth::Maybe, "{kind}");
    }
}

#[test]
fn the_doubt_reaches_as_far_as_the_policy_and_no_farther() {
    let input = with(
        "apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: lock, namespace: shop}
spec: {podSelector: {matchLabels: {app: till}}, policyTypes: [Egress]}\n",
    );
    assert_eq!(
        reached(&input, "till"),
        Truth::Yes,
        "it speaks of egress only"
    );
    assert_eq!(verdict(&input, Some("till"), None), Truth::Maybe);
    assert_eq!(verdict(&input, Some("safe"), None), Truth::Yes);
}

#[test]
fn what_a_cluster_printed_is_in_force_whatever_its_version() {
    let input = with(
        "apiVersion: extensions/v1beta1\nkind: NetworkPolicy
metadata: {name: lock, namespace: shop, uid: 6c1e5a4e-0000-4000-8000-000000000001}
spec: {podSelector: {}}\n",
    );
    assert!(errors(&input).is_empty());
    assert_eq!(reached(&input, "till"), Truth::No);
    let newer = |uid: &str| {
        with(&format!(
            "apiVersion: policy.networking.k8s.io/v1beta1\nkind: ClusterNetworkPolicy
metadata: {{name: lock{uid}}}
spec:
  tier: Admin
  priority: 1
  subject: {{namespaces: {{}}}}
  ingress: [{{action: Deny, from: [{{namespaces: {{}}}}]}}]\n"
        ))
    };
    let served = newer(", uid: 6c1e5a4e-0000-4000-8000-000000000001");
    assert!(errors(&served).is_empty());
    assert_eq!(served.policies.taints.len(), 0);
    assert_eq!(errors(&newer("")).len(), 1);
    assert_eq!(newer("").policies.taints.len(), 1);
}

#[test]
fn a_kind_of_another_known_group_is_decided_by_group_and_kind() {
    for (version, kind, what) in [
        (
            "core.contrail.juniper.net/v1alpha1",
            "FirewallPolicy",
            "is not modelled",
        ),
        (
            "crd.nsx.vmware.com/v1alpha1",
            "SecurityPolicy",
            "is not modelled",
        ),
    ] {
        let input = with(&format!(
            "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: lock, namespace: shop}}\nspec: {{}}\n"
        ));
        assert!(errors(&input).is_empty(), "{version}");
        let warning = &input.diagnostics[0];
        assert_eq!(warning.code, Code::UnmodelledPolicy);
        assert!(warning.message.contains(what), "{}", warning.message);
        assert_eq!(reached(&input, "till"), Truth::Maybe, "{version} {kind}");
    }
}

/// A document, and whether pods of shop and of bank may be reached and may send: what it can touch.
const REACHES: [(&str, [Truth; 4]); 16] = {
    const Y: Truth = Truth::Yes;
    const M: Truth = Truth::Maybe;
    [
        (
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: {endpointSelector: {matchLabels: {app: none}}, ingress: [{}]}\nspecs: [{endpointSelector: {matchLabels: {\"k8s:app\": till}}, egressDeny: [{}]}]",
            [Y, Truth::No, Y, Y],
        ),
        (
            "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: p}\nspec: {nodeSelector: {}, ingress: [{}]}",
            [Y, Y, Y, Y],
        ),
        (
            "apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: p}\nspec: {externalCIDRs: [10.0.0.0/8]}",
            [Y, Y, Y, Y],
        ),
        (
            "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: p}\nspec: {selector: \"app == 'safe'\", types: [Ingress], ingress: []}",
            [Y, Y, Truth::No, Y],
        ),
        (
            "apiVersion: crd.projectcalico.org/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: bank}\nspec: {selector: \"app == 'a' || app == 'b'\"}",
            [Y, Y, Y, Y],
        ),
        (
            "apiVersion: projectcalico.org/v3\nkind: StagedGlobalNetworkPolicy\nmetadata: {name: p}\nspec: {selector: all()}",
            [Y, Y, Y, Y],
        ),
        (
            "apiVersion: crd.antrea.io/v1alpha2\nkind: TrafficControl\nmetadata: {name: p}\nspec: {appliedTo: {podSelector: {matchLabels: {app: till}}}, direction: Egress, action: Redirect}",
            [Y, M, Y, Y],
        ),
        (
            "apiVersion: networking.k8s.aws/v1alpha1\nkind: ApplicationNetworkPolicy\nmetadata: {name: p, namespace: bank}\nspec: {podSelector: {}, policyTypes: [Egress]}",
            [Y, Y, Y, Truth::No],
        ),
        (
            "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p, namespace: istio-system}\nspec: {mtls: {mode: STRICT}}",
            [M, Y, M, Y],
        ),
        (
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: shop}\nspec: {action: AUDIT}",
            [Y, Y, Y, Y],
        ),
        (
            "apiVersion: k8s.ovn.org/v1\nkind: EgressIP\nmetadata: {name: p}\nspec: {}",
            [Y, Y, Y, Y],
        ),
        (
            "apiVersion: k8s.ovn.org/v1\nkind: SomethingNew\nmetadata: {name: p, namespace: shop}\nspec: {}",
            [M, M, Y, Y],
        ),
        (
            "apiVersion: kubeovn.io/v1\nkind: Subnet\nmetadata: {name: p}\nspec: {private: true, namespaces: [bank]}",
            [Y, Y, M, Y],
        ),
        (
            "apiVersion: acme.example/v1\nkind: TrafficPolicy\nmetadata: {name: p, namespace: shop}\nspec: {podSelector: {}}",
            [Y, Y, Y, Y],
        ),
        (
            "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec: {rules: [{name: r, generate: {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, name: x, namespace: bank, data: {spec: {podSelector: {}, policyTypes: [Ingress]}}}}]}",
            [Y, Y, M, Y],
        ),
        (
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop, annotations: {networking.gke.io/network: blue}}\nspec: {podSelector: {}}",
            [M, Y, Y, Y],
        ),
    ]
};

#[test]
fn an_unmodelled_object_touches_what_it_can_govern_and_nothing_else() {
    for (document, want) in REACHES {
        let input = with(document);
        let found = [
            reached(&input, "till"),
            verdict(&input, Some("till"), None),
            reached(&input, "safe"),
            verdict(&input, Some("safe"), None),
        ];
        assert_eq!(found, want, "{document}");
    }
}

#[test]
fn objects_that_make_policies_leave_a_doubt() {
    for document in [
        "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec: {rules: [{name: r, generate: {namespace: shop, cloneList: {kinds: [networking.k8s.io/v1/NetworkPolicy]}}}]}",
        "apiVersion: policies.kyverno.io/v1alpha1\nkind: GeneratingPolicy\nmetadata: {name: p}\nspec: {variables: [{name: d, expression: \"[{'kind': 'NetworkPolicy'}]\"}]}",
        "apiVersion: capsule.clastix.io/v1beta2\nkind: Tenant\nmetadata: {name: p}\nspec: {networkPolicies: {items: [{podSelector: {}, policyTypes: [Ingress]}]}}",
        "apiVersion: hnc.x-k8s.io/v1alpha2\nkind: HNCConfiguration\nmetadata: {name: config}\nspec: {resources: [{group: networking.k8s.io, resource: networkpolicies, mode: Propagate}]}",
        "apiVersion: hive.openshift.io/v1\nkind: SyncSet\nmetadata: {name: p, namespace: hive}\nspec: {resources: [{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: x, namespace: shop}, spec: {podSelector: {}}}]}",
    ] {
        let input = with(document);
        assert_eq!(reached(&input, "till"), Truth::Maybe, "{document}");
    }
    let validates = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec: {rules: [{name: r, match: {any: [{resources: {kinds: [NetworkPolicy]}}]}, validate: {message: no, deny: {}}}]}";
    assert_eq!(reached(&with(validates), "till"), Truth::Yes);
}

#[test]
fn an_unknown_kind_that_sounds_like_a_policy_is_noted() {
    let input = with(
        "apiVersion: acme.example/v1\nkind: TrafficPolicy\nmetadata: {name: p, namespace: shop}\nspec: {}\n",
    );
    let note = &input.diagnostics[0];
    assert_eq!(note.severity, Severity::Note);
    assert!(note.message.contains("TrafficPolicy"), "{}", note.message);
}

#[test]
fn only_pods_bound_by_account_or_annotation_are_touched() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: cart, namespace: shop, labels: {app: cart}, annotations: {ovn.kubernetes.io/security_groups: \"a, edge\"}}
spec: {serviceAccountName: cart, containers: [{name: main, image: registry.example/cart:1}]}\n---\n";
    for policy in [
        "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: p, namespace: shop}\nspec: {destination: {kind: ServiceAccount, name: cart}}\n",
        "apiVersion: kubeovn.io/v1\nkind: SecurityGroup\nmetadata: {name: edge}\nspec: {ingressRules: []}\n",
    ] {
        let input = with(&format!("{pod}{policy}"));
        assert_eq!(reached(&input, "cart"), Truth::Maybe, "{policy}");
        assert_eq!(reached(&input, "till"), Truth::Yes, "{policy}");
    }
}

#[test]
fn a_name_that_others_use_too_is_a_policy_in_its_own_group_only() {
    for (version, kind) in [
        ("gateway.networking.k8s.io/v1", "HTTPRoute"),
        ("gateway.networking.k8s.io/v1beta1", "HTTPRoute"),
        ("example.com/v1", "Server"),
        ("example.com/v1", "HTTPRoute"),
    ] {
        let input = with(&format!(
            "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: s, namespace: shop}}\nspec: {{}}\n"
        ));
        assert!(errors(&input).is_empty(), "{version} {kind}");
        assert_eq!(reached(&input, "till"), Truth::Yes, "{version} {kind}");
    }
    let input = with(
        "apiVersion: policy.linkerd.io/v1\nkind: Server\nmetadata: {name: s, namespace: shop}\nspec: {}\n",
    );
    assert!(!input.policies.taints.is_empty());
}

/// What only denies, and surely leaves some peers alone, makes nothing unknown between these.
#[test]
fn peers_that_are_left_alone_stay_decided() {
    let more = "apiVersion: v1\nkind: Pod\nmetadata: {name: vault, namespace: bank}\nspec: {containers: [{name: c}]}\n---\n";
    for (document, from_other, from_outside, to_outside) in [
        (
            "apiVersion: kubeovn.io/v1\nkind: Subnet\nmetadata: {name: p}\nspec: {private: true, namespaces: [bank]}",
            Truth::Maybe,
            Truth::Maybe,
            Truth::Yes,
        ),
        (
            "apiVersion: kubeovn.io/v1\nkind: Vpc\nmetadata: {name: p}\nspec: {namespaces: [bank]}",
            Truth::Maybe,
            Truth::Maybe,
            Truth::Maybe,
        ),
        (
            "apiVersion: network.openshift.io/v1\nkind: NetNamespace\nmetadata: {name: bank}\nnetname: bank\nnetid: 7",
            Truth::Maybe,
            Truth::Yes,
            Truth::Yes,
        ),
    ] {
        let input = with(&format!("{more}{document}"));
        assert_eq!(
            verdict(&input, Some("vault"), Some("safe")),
            Truth::Yes,
            "{document}"
        );
        assert_eq!(
            verdict(&input, Some("till"), Some("safe")),
            from_other,
            "{document}"
        );
        assert_eq!(reached(&input, "safe"), from_outside, "{document}");
        assert_eq!(
            verdict(&input, Some("safe"), None),
            to_outside,
            "{document}"
        );
        // and where the user says so, it does not count
        let options = CompileOptions {
            taints: false,
            ..CompileOptions::default()
        };
        let graph = AllowGraph::compile(&input, &options).unwrap();
        graph.verify();
        let env = graph.environment();
        let pods: Vec<_> = env
            .cluster
            .pods()
            .map(|(id, _)| Endpoint::Pod(id))
            .collect();
        assert!(
            pods.iter()
                .all(|a| pods.iter().all(|b| graph.allowed(*a, *b).must.is_all()))
        );
    }
}
