//! Why a peer does not match an end, in words: what it wants, and what is there instead.

use crate::model::{PodId, Requirement, Truth};
use crate::policy::istio::labels::{IDENTITY, is_shown};
use crate::query::explain::explanation::Mismatch;
use crate::render::context::RenderContext;
use crate::render::words::{clean, name_of, symbol_alone};
use crate::spec::Endpoint;

/// Why an address, or that of a pod, is not what a peer wants.
fn address_mismatch(context: RenderContext<'_>, mismatch: &Mismatch, other: Endpoint) -> String {
    match (mismatch, other) {
        (Mismatch::NotInBlock, Endpoint::Address(address))
            if !context.graph.environment().options.blocks_match_pods
                && context.graph.environment().is_node_address(address) == Truth::Yes =>
        {
            format!("{address} is a node, and address blocks match no nodes under this CNI")
        }
        (Mismatch::NotInBlock, _) => {
            format!("{} is not in the block", name_of(context, other))
        }
        (Mismatch::AddressUnknown, _) => format!(
            "the address of {} is not known, and the block covers part of where it may lie",
            name_of(context, other)
        ),
        (Mismatch::BlocksSkipPods, _) => "address blocks match no pods under this CNI".into(),
        (Mismatch::NotANode, _) => format!(
            "{} is not an address of a selected node",
            name_of(context, other)
        ),
        (Mismatch::NodesUnknown, _) => {
            "no Node is in the input, so its addresses are not known".into()
        }
        _ => String::new(),
    }
}

/// That a pod does not have or show the identity of the mesh that a peer wants.
fn mesh_identity(context: RenderContext<'_>, wanted: &Requirement, pod: PodId) -> String {
    let name = name_of(context, Endpoint::Pod(pod));
    if is_shown(wanted.key()) {
        return format!("needs a mesh identity, and the sidecar of {name} sends plain text");
    }
    let identity = context.graph.environment().cluster.pod_labels(pod);
    let is = identity.get(IDENTITY).map_or_else(
        || "has none: it has no sidecar, or is not of the mesh".to_owned(),
        |identity| format!("is {}", clean(identity)),
    );
    let wanted = clean(&wanted.to_string()).replace(&format!("{IDENTITY}="), "");
    format!("needs the mesh identity {wanted}; {name} {is}")
}

/// Whether the label of a namespace that is asked about is told, and only not certain.
fn declared(context: RenderContext<'_>, asked: &Requirement, other: Endpoint) -> bool {
    let cluster = &context.graph.environment().cluster;
    let of_pod = |pod| cluster.pod_namespace(pod).labels.is_open(asked.key());
    matches!(other, Endpoint::Pod(pod) if of_pod(pod))
}

/// What is there instead of what a peer wants, where the peer itself is shown next to it.
pub fn had(context: RenderContext<'_>, found: &Mismatch, other: Endpoint) -> String {
    let cluster = &context.graph.environment().cluster;
    let name = match other {
        Endpoint::Pod(p) => clean(&cluster.pod_namespace(p).name).into_owned(),
        Endpoint::Address(_) => String::new(),
    };
    let has = |of: &str, key: &str, value: Option<&str>| match value {
        Some(value) if key == IDENTITY => format!("{of} is {}", clean(value)),
        None if is_shown(key) => format!("the sidecar of {of} sends plain text"),
        None if key == IDENTITY => format!("{of} has no mesh identity"),
        Some(value) => format!("{of} has {}={}", clean(key), clean(value)),
        None => format!("{of} has no label {}", clean(key)),
    };
    match (found, other) {
        (Mismatch::WrongNamespace(_), _) => format!("wrong namespace ({name})"),
        (Mismatch::NamespaceLabel(r), Endpoint::Pod(p)) => {
            has(&name, r.key(), cluster.pod_namespace(p).labels.get(r.key()))
        }
        (Mismatch::NamespaceUnknown(r), other) if declared(context, r, other) => {
            let key = clean(r.key());
            format!("label {key} of namespace {name} is not certain")
        }
        (Mismatch::NamespaceUnknown(_), _) => {
            format!("the labels of namespace {name} are not in the input")
        }
        (Mismatch::PodLabelUnknown(r), _) => {
            format!("its label {} is known only at run time", clean(r.key()))
        }
        (Mismatch::AddressUnknown, _) => "where its address lies is not known".to_owned(),
        (Mismatch::DomainUnknown(_), _) => "its addresses are in no manifest".to_owned(),
        (Mismatch::PodLabel(r), Endpoint::Pod(p)) => has(
            &name_of(context, other),
            r.key(),
            cluster.pod_labels(p).get(r.key()),
        ),
        _ => mismatch(context, found, other),
    }
}

/// That a label decides which is known only at run time.
fn label_unknown(context: RenderContext<'_>, r: &Requirement, other: Endpoint) -> String {
    if is_shown(r.key()) {
        let name = name_of(context, other);
        return format!("needs a mesh identity, and the sidecar of {name} may send plain text");
    }
    format!(
        "needs pod label {}; that of {} is known only at run time",
        clean(&r.to_string()),
        name_of(context, other)
    )
}

/// Why a peer does not match, or may not match: what was wanted and what is there.
pub fn mismatch(context: RenderContext<'_>, mismatch: &Mismatch, other: Endpoint) -> String {
    let cluster = &context.graph.environment().cluster;
    let namespace = |of: Endpoint| match of {
        Endpoint::Pod(p) => Some(cluster.pod_namespace(p)),
        Endpoint::Address(_) => None,
    };
    let had = |value: Option<&str>| {
        value.map_or_else(|| "has none".to_owned(), |v| format!("has ={}", clean(v)))
    };
    let wanted = |r: &Requirement| clean(&r.to_string()).into_owned();
    match (mismatch, other) {
        (Mismatch::PodLabelUnknown(r), _) => label_unknown(context, r, other),
        (Mismatch::WrongNamespace(name), _) => {
            let is = namespace(other).map_or_else(String::new, |n| {
                format!("; {} is in {}", name_of(context, other), clean(&n.name))
            });
            format!("needs a pod of namespace {}{is}", clean(name))
        }
        (Mismatch::NamespaceLabel(r), _) => {
            let has = namespace(other).map_or_else(String::new, |n| {
                format!("; {} {}", clean(&n.name), had(n.labels.get(r.key())))
            });
            format!("needs namespace label {}{has}", wanted(r))
        }
        (Mismatch::NamespaceUnknown(r), _) => {
            let name = namespace(other).map(|n| clean(&n.name).into_owned());
            let name = name.unwrap_or_default();
            let why = if declared(context, r, other) {
                format!("that label of namespace {name} is not certain")
            } else {
                format!("the labels of namespace {name} are not in the input")
            };
            format!("needs namespace label {}; {why}", wanted(r))
        }
        (Mismatch::NamespaceRelation, _) => "the namespaces' labels do not relate as wanted".into(),
        (Mismatch::PodLabel(r), Endpoint::Pod(p)) if r.key() == IDENTITY || is_shown(r.key()) => {
            mesh_identity(context, r, p)
        }
        (Mismatch::PodLabel(r), Endpoint::Pod(p)) => {
            format!(
                "needs pod label {}; {} {}",
                wanted(r),
                name_of(context, other),
                had(cluster.pod_labels(p).get(r.key()))
            )
        }
        (Mismatch::PodLabel(r), Endpoint::Address(_)) => format!("needs pod label {}", wanted(r)),
        (Mismatch::NotAPod, _) => "selects pods; an outside address is none".into(),
        (
            Mismatch::NotInBlock
            | Mismatch::AddressUnknown
            | Mismatch::BlocksSkipPods
            | Mismatch::NotANode
            | Mismatch::NodesUnknown,
            _,
        ) => address_mismatch(context, mismatch, other),
        (Mismatch::HostNetwork, _) => {
            format!(
                "{} runs with hostNetwork; selectors do not see it",
                name_of(context, other)
            )
        }
        (Mismatch::DomainUnknown(name), _) => {
            format!(
                "which addresses {} stands for is not in the manifests",
                clean(name)
            )
        }
        (Mismatch::Symbol(symbol), _) => {
            let what = symbol_alone(*symbol);
            format!("{} is not known to be {what}", name_of(context, other))
        }
        (Mismatch::Complement, _) => {
            format!("{} may be one of those left out", name_of(context, other))
        }
        (Mismatch::Unreadable, _) => "a peer of a newer API".into(),
    }
}
