//! Reads objects of Linkerd strictly.

use crate::model::Labels;
use crate::policy::layer_object::LayerObject;
use crate::policy::linkerd::clients::is_swallowed;
use crate::policy::linkerd::settings::InboundPolicy;
use crate::policy::linkerd::written::{
    GrantForm, IdentitiesForm, LegacyForm, LinkerdContent, LinkerdForm, LinkerdObject, NetworkForm,
    NetworksForm, RouteForm, ServerForm, TARGETS,
};
use crate::policy::lowered::{Checks, Header, Lowered};
use crate::policy::unmodelled;
use crate::policy::validate::{check_metadata, decoded, parse_block_or_address, selector};
use crate::source::Path;
use crate::tree::{Problem, ProblemKind, SyntaxNode};
use serde::de::DeserializeOwned;

/// Reads a `Server`.
pub fn server(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read::<ServerForm>(node, header, "Server", |form, checks| {
        check_server(&form, checks);
        LinkerdContent::Server(form)
    })
}

/// Reads a `ServerAuthorization`.
pub fn legacy(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read::<LegacyForm>(node, header, "ServerAuthorization", |form, checks| {
        let at = Path::root().key("spec");
        if let Some(labels) = &form.server.selector {
            selector(labels, &at.key("server").key("selector"), checks);
        }
        let networks = form.client.networks.as_deref();
        check_networks(networks, &at.key("client").key("networks"), checks);
        LinkerdContent::Legacy(form)
    })
}

/// Reads an `AuthorizationPolicy`.
pub fn authorization(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read::<GrantForm>(node, header, "AuthorizationPolicy", |form, checks| {
        let target = &form.target_ref;
        let at = Path::root().key("spec").key("targetRef");
        let known = target.is_of(&TARGETS);
        if known.is_none() {
            let group = target.group.as_deref().unwrap_or("core");
            let message = format!("`{}` of group `{group}` is no target", target.kind);
            let help = "use Server or HTTPRoute of policy.linkerd.io, Namespace of core, \
                        HTTPRoute or GRPCRoute of gateway.networking.k8s.io";
            checks.refused_help(&at.key("kind"), message, help);
        }
        if known == Some("Namespace") && target.name != header.namespace {
            let message = format!("`{}` is not the policy's own namespace", target.name);
            checks.refused(&at.key("name"), message);
        }
        LinkerdContent::Authorization(form)
    })
}

/// Reads a `MeshTLSAuthentication`.
pub fn identities(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read::<IdentitiesForm>(node, header, "MeshTLSAuthentication", |form, checks| {
        let there = |list: Option<usize>| list.is_some_and(|count| count > 0);
        let own = there(form.identities.as_ref().map(Vec::len));
        let refs = there(form.identity_refs.as_ref().map(Vec::len));
        if own == refs {
            let message = "exactly one of `identities` and `identityRefs` is required";
            checks.refused(&Path::root().key("spec"), message); // LD41
        }
        LinkerdContent::Identities(form)
    })
}

/// Reads a `NetworkAuthentication`.
pub fn networks(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read::<NetworksForm>(node, header, "NetworkAuthentication", |form, checks| {
        let at = Path::root().key("spec").key("networks");
        if form.networks.as_ref().is_none_or(Vec::is_empty) {
            checks.refused(&at, "at least one network is required"); // LD42
        }
        check_networks(form.networks.as_deref(), &at, checks);
        LinkerdContent::Networks(form)
    })
}

/// Reads a route, of which only what it is attached to matters.
pub fn route(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read::<RouteForm>(node, header, "HTTPRoute", |form, _| {
        LinkerdContent::Route(form)
    })
}

fn read<T: DeserializeOwned + Default>(
    node: &SyntaxNode,
    header: Header<'_>,
    kind: &str,
    of: impl FnOnce(T, &mut Checks) -> LinkerdContent,
) -> Lowered {
    let (object, mut problems) = decoded::<LinkerdForm<T>>(node);
    let is_unread = |p: &Problem| kind == "HTTPRoute" && p.kind == ProblemKind::UnknownField;
    problems.retain(|p| !is_unread(p));
    let mut checks = Checks::default();
    check_metadata(&header, true, &mut checks);
    let object = object.unwrap_or_default();
    let content = of(object.spec, &mut checks);
    let labels = object.metadata.labels.unwrap_or_default();
    let metadata = node.get("metadata");
    let created = metadata.and_then(|m| m.get("creationTimestamp")?.as_str());
    let object = LayerObject::Linkerd(LinkerdObject {
        name: header.name.into(),
        namespace: header.namespace.into(),
        document: header.document,
        labels: labels.into_iter().collect::<Labels>(),
        created: created.map(Into::into),
        content,
    });
    let reaches = || unmodelled::unknown_reach("policy.linkerd.io", node);
    Lowered::of_layer(object, problems, checks, reaches)
}

fn check_server(form: &ServerForm, checks: &mut Checks) {
    let at = Path::root().key("spec");
    if let Some(labels) = &form.pod_selector {
        selector(labels, &at.key("podSelector"), checks);
    }
    if form.pod_selector.is_some() == form.external_workload_selector.is_some() {
        let message = "exactly one of `podSelector` and `externalWorkloadSelector` is required";
        checks.refused(&at, message);
    }
    let port = form.port.as_ref();
    let number = port.and_then(serde_json::Value::as_u64);
    let is_number = number.is_some_and(|n| (1..=65535).contains(&n));
    let is_name = port
        .and_then(|p| p.as_str())
        .is_some_and(|name| !name.is_empty());
    if !is_number && !is_name {
        checks.invalid(&at.key("port"), "a Server needs a port, by number or name");
    }
    if let Some(word) = &form.access_policy
        && InboundPolicy::from_api(word).is_none()
    {
        let message = format!("`{word}` is not an access policy");
        let help = "use deny, audit, all-unauthenticated, all-authenticated, \
                    cluster-unauthenticated or cluster-authenticated";
        checks.refused_help(&at.key("accessPolicy"), message, help); // LD22
    }
}

fn check_networks(networks: Option<&[NetworkForm]>, at: &Path, checks: &mut Checks) {
    for (i, network) in networks.into_iter().flatten().enumerate() {
        let at = at.index(i);
        if is_swallowed(network) && parse_block_or_address(&network.cidr).is_some() {
            checks.refused(&at.key("except"), "the exceptions leave nothing"); // LD62
        }
        let texts = [(&network.cidr, at.key("cidr"))].into_iter();
        let except = network.except.iter().flatten().enumerate();
        let except = except.map(|(i, text)| (text, at.key("except").index(i)));
        for (text, at) in texts.chain(except) {
            if parse_block_or_address(text).is_none() {
                checks.invalid(
                    &at,
                    format!("`{text}` is not an address or an address block"),
                );
            }
        }
    }
}
