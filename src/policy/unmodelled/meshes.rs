//! How far objects of service meshes reach that are not modelled: TCP at pods of the mesh, and only
//! to deny it (RC3).

use crate::model::{Requirement, Selector};
use crate::policy::taint::TaintEffect::OnlyDeny;
use crate::policy::unmodelled::fields::{field, text};
use crate::policy::unmodelled::spared::{SparedPeers, shape_of};
use crate::policy::unmodelled::taint_reach::{
    IN, MeshMarks, OUT, TaintNamespaces, TaintPods, TaintReach,
};
use crate::tree::SyntaxNode;

/// How pods become part of a mesh of Kuma.
static KUMA: MeshMarks = MeshMarks {
    key: "kuma.io/sidecar-injection",
    container: "kuma-sidecar",
    service: "kuma.io/service",
};

/// How pods become part of Consul's mesh.
static CONSUL: MeshMarks = MeshMarks {
    key: "consul.hashicorp.com/connect-inject",
    container: "consul-dataplane",
    service: "consul.hashicorp.com/connect-service",
};

/// How pods become part of Linkerd's mesh.
static LINKERD: MeshMarks = MeshMarks {
    key: "linkerd.io/inject",
    container: "linkerd-proxy",
    service: "linkerd.io/service",
};

/// The namespace of Kuma's control plane: policies there are for the whole mesh.
const KUMA_SYSTEM: &str = "kuma-system";

/// The namespace whose networks are for every client of Linkerd's mesh.
const LINKERD_EGRESS: &str = "linkerd-egress";

fn spares(node: &SyntaxNode) -> SparedPeers {
    let word = |key: &str| text(node, &[key]).unwrap_or_default();
    SparedPeers::by_mesh(shape_of(word("apiVersion"), word("kind")))
}

/// What comes in over TCP at pods of the object's namespace.
pub fn deny_ingress(node: &SyntaxNode) -> Vec<TaintReach> {
    vec![TaintReach::own(OnlyDeny, IN).sparing(spares(node))]
}

/// What goes out over TCP at pods of the object's namespace.
pub fn deny_egress(node: &SyntaxNode) -> TaintReach {
    TaintReach::own(OnlyDeny, OUT).sparing(spares(node))
}

fn in_mesh(marks: &'static MeshMarks) -> TaintPods {
    TaintPods::InMesh {
        marks,
        labelled: Selector::everything(),
        service: None,
    }
}

/// What pods of a mesh send outside the cluster.
fn outside(node: &SyntaxNode, marks: &'static MeshMarks) -> TaintReach {
    let spares = spares(node).but_outside();
    TaintReach::own(OnlyDeny, OUT)
        .pods(in_mesh(marks))
        .sparing(spares)
}

/// Objects of Kuma's system namespace are for its whole mesh, others for their own.
fn of_kuma(reach: TaintReach, node: &SyntaxNode) -> TaintReach {
    if text(node, &["metadata", "namespace"]) == Some(KUMA_SYSTEM) {
        reach.namespaces(TaintNamespaces::All)
    } else {
        reach
    }
}

/// Kuma's permissions: what comes in at the pods that its target means.
pub fn of_kuma_permission(node: &SyntaxNode) -> Vec<TaintReach> {
    let target = ["spec", "targetRef"];
    let of_pods = text(node, &[&target[..], &["kind"]].concat()) == Some("Dataplane");
    let labels = field(node, &[&target[..], &["labels"]].concat());
    let entries = labels.filter(|_| of_pods).map(SyntaxNode::entries);
    let entries = entries.unwrap_or_default().iter();
    let is_own = |key: &str| !key.starts_with("kuma.io/") && !key.starts_with("k8s.kuma.io/");
    let wanted = entries.filter(|e| is_own(&e.key)).map(|e| {
        let value = e.value.as_str().unwrap_or_default();
        Requirement::In(e.key.clone(), vec![value.into()])
    });
    let pods = TaintPods::InMesh {
        marks: &KUMA,
        labelled: Selector::new(wanted),
        service: None,
    };
    let reach = TaintReach::own(OnlyDeny, IN).pods(pods);
    vec![of_kuma(reach.sparing(spares(node)), node)]
}

/// Kuma's older permissions, which are for services of the whole mesh.
pub fn of_old_kuma_permission(node: &SyntaxNode) -> Vec<TaintReach> {
    let reach = TaintReach::own(OnlyDeny, IN).pods(in_mesh(&KUMA));
    vec![reach.sparing(spares(node))]
}

/// Kuma's mesh: without passthrough nothing but known hosts is reached outside, and with mutual TLS
/// nothing comes in that no permission lets in.
pub fn of_kuma_mesh(node: &SyntaxNode) -> Vec<TaintReach> {
    let mut all = Vec::new();
    let passthrough = field(node, &["spec", "networking", "outbound", "passthrough"]);
    if passthrough.and_then(SyntaxNode::as_bool) == Some(false) {
        all.push(outside(node, &KUMA));
    }
    if text(node, &["spec", "mtls", "enabledBackend"]).is_some_and(|name| !name.is_empty()) {
        all.extend(of_old_kuma_permission(node));
    }
    all
}

/// Kuma's passthrough policies: what goes outside, unless everything may.
pub fn of_kuma_passthrough(node: &SyntaxNode) -> Vec<TaintReach> {
    if text(node, &["spec", "default", "passthroughMode"]) == Some("All") {
        return Vec::new();
    }
    of_kuma_external(node)
}

/// Kuma's services outside the cluster.
pub fn of_kuma_external(node: &SyntaxNode) -> Vec<TaintReach> {
    vec![of_kuma(outside(node, &KUMA), node)]
}

/// Linkerd's networks outside the cluster: clients are kept from them where that is said (LD61).
pub fn of_egress_network(node: &SyntaxNode) -> Vec<TaintReach> {
    if text(node, &["spec", "trafficPolicy"]) == Some("Allow") {
        return Vec::new();
    }
    let reach = outside(node, &LINKERD);
    if text(node, &["metadata", "namespace"]) == Some(LINKERD_EGRESS) {
        return vec![reach.namespaces(TaintNamespaces::All)];
    }
    vec![reach]
}

/// Consul's intentions: the pods of the mesh in their namespace that serve the destination.
pub fn of_consul(node: &SyntaxNode) -> Vec<TaintReach> {
    let service = text(node, &["spec", "destination", "name"]);
    let pods = TaintPods::InMesh {
        marks: &CONSUL,
        labelled: Selector::everything(),
        service: service.filter(|name| *name != "*").map(Into::into),
    };
    let reach = TaintReach::own(OnlyDeny, IN).pods(pods);
    vec![reach.sparing(spares(node))]
}

/// SMI: the pods of the destination's service account.
pub fn of_traffic_target(node: &SyntaxNode) -> Vec<TaintReach> {
    let reach = TaintReach::own(OnlyDeny, IN).sparing(spares(node));
    let reach = match text(node, &["spec", "destination", "namespace"]) {
        Some(namespace) => reach.named([namespace]),
        None => reach,
    };
    match text(node, &["spec", "destination", "name"]) {
        Some(account) => vec![reach.pods(TaintPods::Account(account.into()))],
        None => vec![reach],
    }
}
