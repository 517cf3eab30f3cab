//! Trees -> objects: what an object adds to the cluster or the policy set, reduced to what is
//! needed, so that its tree can go at once.
//!
//! Lists are opened; what is no plain object is recognized and explained. Everything here looks at
//! one object alone, so it runs on all cores, right behind the reader.

use crate::load::cluster_objects;
use crate::load::document_form;
use crate::load::doors;
use crate::load::embedded;
use crate::load::endpoints::ListedEndpoints;
use crate::load::generator_facts::GeneratorFacts;
use crate::load::identity;
use crate::load::kustomization;
use crate::load::made::{generate, mutators, shape, table};
use crate::load::object::{Contribution, LoadedItem, LoadedObject, Remark};
use crate::load::options::LoadOptions;
use crate::load::pod_annotations;
use crate::load::strict;
use crate::load::unlisted;
use crate::load::workloads;
use crate::load::workloads::WorkloadDraft;
use crate::model::doors::DoorSpec;
use crate::policy::TaintEffect;
use crate::policy::antrea;
use crate::policy::calico;
use crate::policy::cilium;
use crate::policy::dialects;
use crate::policy::dialects::Dialect;
use crate::policy::lowered::{Header, Invalid};
use crate::policy::unmodelled;
use crate::policy::unmodelled::{Recognized, TaintReach};
use crate::source::{Base, DocumentId};
use crate::tree::{Chunk, Entry, SyntaxNode};

/// An object from its tree.
pub fn item(node: &SyntaxNode, chunk: Chunk, base: Base, options: &LoadOptions) -> LoadedItem {
    let at = node
        .entries()
        .first()
        .map_or(node.span.at, |e| e.key_span.at);
    LoadedItem {
        chunk,
        base,
        at,
        object: object(node, options),
    }
}

/// Reads an object that stands in no file.
pub fn read(node: &SyntaxNode, options: &LoadOptions) -> Option<LoadedObject> {
    object(node, options)
}

/// What is left of an object that was kept for what it makes, and makes nothing.
pub fn left(node: &SyntaxNode, options: &LoadOptions) -> Option<LoadedObject> {
    let mut object = object(node, options)?;
    object.contribution = without_making(&mut object, node);
    check_fields(&mut object, node);
    Some(object)
}

/// Reads an object. `None` when it is none: no mapping, no kind.
fn object(node: &SyntaxNode, options: &LoadOptions) -> Option<LoadedObject> {
    let text = |key: &str| node.get(key).and_then(SyntaxNode::as_str);
    let kind = text("kind").filter(|kind| !kind.is_empty())?;
    let mut object = LoadedObject {
        api_version: text("apiVersion").unwrap_or_default().into(),
        kind: kind.into(),
        name: metadata(node, "name")
            .or_else(|| metadata(node, "generateName"))
            .unwrap_or_default()
            .into(),
        namespace: metadata(node, "namespace").map(Into::into),
        document: DocumentId::NONE,
        contribution: Contribution::Nothing,
        remarks: Vec::new(),
        reaches: Vec::new(),
        overlay: false,
        facts: GeneratorFacts::new(kind, node),
        annotations: match kind {
            "Namespace" | "Service" => pod_annotations::annotations(Some(node)),
            _ => Box::default(),
        },
        made: false,
    };
    let found = identity::check(node, &object.api_version, kind);
    if let (Some(_), Some(current)) = (&found, in_force_as(node, &object)) {
        let mut renamed = node.clone();
        document_form::set(&mut renamed, "apiVersion", current);
        object.api_version = current.into();
        object.contribution = contribution(&mut object, &renamed, options);
        return Some(object);
    } else if let Some(found) = found {
        object.contribution = match found.policy {
            Some(meant) => Contribution::refused(meant, node),
            None => Contribution::Nothing,
        };
        object.remarks.push(Remark::error(found.invalid));
        return Some(object);
    }
    object.contribution = contribution(&mut object, node, options);
    check_fields(&mut object, node);
    Some(object)
}

/// Reports what the API server refuses in a part of the cluster. What a door leads to that is
/// refused is not known.
fn check_fields(object: &mut LoadedObject, node: &SyntaxNode) {
    if object.is_cluster_object() {
        let from_cluster = is_from_cluster(node);
        let refused = strict::check(&object.kind, node);
        let in_spec = |invalid: &Invalid| invalid.path.starts_with_key("spec");
        if let Contribution::Door(door) = &mut object.contribution
            && refused.iter().any(in_spec)
        {
            **door = DoorSpec::Unread((&*object.kind).into());
        }
        let refused = refused.into_iter();
        object
            .remarks
            .extend(refused.map(|invalid| Remark::refused(invalid, from_cluster)));
        object.reaches = annotated_reaches(node, object);
    }
}

/// The version under which a policy of a removed version, or of one newer than the manifests that
/// are read, is in force in the cluster that printed it: it has the same fields there.
fn in_force_as(node: &SyntaxNode, object: &LoadedObject) -> Option<&'static str> {
    let known = match (&*object.api_version, &*object.kind) {
        ("extensions/v1beta1", "NetworkPolicy") => "networking.k8s.io/v1",
        ("policy.networking.k8s.io/v1beta1", "ClusterNetworkPolicy") => {
            "policy.networking.k8s.io/v1alpha2"
        }
        _ => return None,
    };
    is_from_cluster(node).then_some(known)
}

/// A field of the metadata, if it is a string that is not empty.
fn metadata<'n>(node: &'n SyntaxNode, key: &str) -> Option<&'n str> {
    let field = node.get("metadata")?.get(key)?;
    field.as_str().filter(|s| !s.is_empty())
}

/// Whether a cluster printed the object, so that it is in force whatever it looks like.
fn is_from_cluster(node: &SyntaxNode) -> bool {
    metadata(node, "uid").is_some() || metadata(node, "resourceVersion").is_some()
}

fn contribution(
    object: &mut LoadedObject,
    node: &SyntaxNode,
    options: &LoadOptions,
) -> Contribution {
    if unlisted::is_unlisted(&object.api_version, &object.kind) {
        return Contribution::Unlisted(Box::new(unlisted::read(&object.name, node)));
    }
    if let Some(kind) = workloads::kind(object.group(), &object.kind) {
        return Contribution::Workload(Box::new(WorkloadDraft::new(kind, node)));
    }
    match (object.group(), &*object.kind) {
        ("", "Namespace") => return Contribution::Namespace(Box::new(workloads::labels(node))),
        ("", "Node") => {
            return Contribution::Node(Box::new(cluster_objects::node(&object.name, node)));
        }
        ("network.openshift.io", "ClusterNetwork") => {
            let plugin = node.get("pluginName").and_then(SyntaxNode::as_str);
            return Contribution::NetworkPlugin(plugin.unwrap_or_default().into());
        }
        ("", "Service") => {
            return Contribution::Service(Box::new(cluster_objects::service(&object.name, node)));
        }
        _ => {}
    }
    if (object.group(), &*object.kind) == ("cilium.io", "CiliumCIDRGroup") {
        let (group, checks, problems) = cilium::read::group(node, &object.name);
        let refused = checks.0.into_iter().map(Remark::error);
        object.remarks.extend(refused);
        object
            .remarks
            .extend(problems.into_iter().filter_map(Remark::problem));
        return Contribution::Group(Box::new(group));
    }
    if let Some(extra) = of_calico(object, node, options) {
        return extra;
    }
    if let Some(extra) = of_antrea(object, node, options) {
        return extra;
    }
    if let Some(settings) = of_cilium_agent(object, node) {
        return settings;
    }
    let listed = ListedEndpoints::new(object.group(), &object.kind, &object.name, node);
    if let Some(listed) = listed {
        return Contribution::Endpoints(Box::new(listed));
    }
    if let Some(dialect) = dialects::find(&object.api_version, &object.kind) {
        return policy(object, node, dialect, options);
    }
    let builtin = matches!(object.group(), "" | "apps" | "batch" | "extensions");
    if !builtin
        && (makes_others(object, options)
            || is_unknown(object) && holds_pods(object, node, options))
    {
        return Contribution::Custom(Box::new(node.clone()));
    }
    without_making(object, node)
}

/// An object of Calico that is no policy and decides what policies mean, and service accounts,
/// whose labels its policies can select.
fn of_calico(
    object: &mut LoadedObject,
    node: &SyntaxNode,
    options: &LoadOptions,
) -> Option<Contribution> {
    let namespace = object.namespace.as_deref().unwrap_or(&options.namespace);
    if (object.group(), &*object.kind) == ("", "ServiceAccount") {
        let account = calico::extras::account(namespace, &object.name, workloads::labels(node));
        return Some(Contribution::Calico(Box::new(account)));
    }
    if !matches!(
        object.group(),
        "projectcalico.org" | "crd.projectcalico.org"
    ) {
        return None;
    }
    let header = header(object, options);
    let read = calico::extras::extra(&object.kind, node, header)?;
    object
        .remarks
        .extend(read.checks.0.into_iter().map(Remark::error));
    let problems = read.problems.into_iter().filter_map(Remark::problem);
    object.remarks.extend(problems);
    Some(match read.extra {
        Some(extra) => Contribution::Calico(Box::new(extra)),
        None => Contribution::Nothing,
    })
}

/// An object of Antrea that is no policy and decides what policies mean.
fn of_antrea(
    object: &mut LoadedObject,
    node: &SyntaxNode,
    options: &LoadOptions,
) -> Option<Contribution> {
    if object.group() != antrea::extras::GROUP {
        return None;
    }
    let header = header(object, options);
    let read = antrea::extras::extra(&object.kind, node, header)?;
    let errors = read.checks.0.into_iter().map(Remark::error);
    let problems = read.problems.into_iter().filter_map(Remark::problem);
    object.remarks.extend(errors.chain(problems));
    Some(Contribution::Antrea(Box::new(read.extra)))
}

/// Options of Cilium's agent; what they change and is not modelled is unknown on every node.
fn of_cilium_agent(object: &LoadedObject, node: &SyntaxNode) -> Option<Contribution> {
    let settings = match (object.group(), &*object.kind, &*object.name) {
        ("", "ConfigMap", cilium::settings::CONFIG_MAP) => cilium::settings::of_config_map(node),
        ("cilium.io", "CiliumNodeConfig", _) => cilium::settings::of_node_config(node),
        _ => return None,
    };
    let why = match cilium::settings::unmodelled_option(node) {
        Some(option) => format!("has the option `{option}`, which is not modelled"),
        None if cilium::settings::is_of_some_nodes(node) => {
            "holds for some nodes alone, which is not modelled".to_owned()
        }
        None => return Some(Contribution::AgentSettings(Box::new(settings))),
    };
    let reaches = unmodelled::anywhere();
    Some(Contribution::explained(reaches, false, &why))
}

/// What is known of an object before its spec is read.
fn header<'o>(object: &'o LoadedObject, options: &'o LoadOptions) -> Header<'o> {
    Header {
        name: &object.name,
        namespace: object.namespace.as_deref().unwrap_or(&options.namespace),
        document: object.document,
        strict_cidrs: options.kubernetes.has_strict_cidrs(),
        calico: &options.calico,
        cilium: options.cilium_version(),
    }
}

/// Whether it is known that controllers make others of a kind.
fn makes_others(object: &LoadedObject, options: &LoadOptions) -> bool {
    let (group, kind) = (object.group(), &*object.kind);
    generate::GENERATORS.contains(&(group, kind))
        || mutators::MUTATORS.contains(&(group, kind))
        || table::is_kept(&options.workloads, group, kind)
}

/// Whether an object of a kind that is not known holds the templates of pods that run.
fn holds_pods(object: &LoadedObject, node: &SyntaxNode, options: &LoadOptions) -> bool {
    !shape::only_describes(object.group(), &object.kind)
        && shape::has_template(node, &options.workloads)
}

/// Whether nothing is known of a kind, so that what it holds tells what it is.
fn is_unknown(object: &LoadedObject) -> bool {
    let recognized = unmodelled::recognize(object.group(), &object.kind);
    let unknown = matches!(
        recognized,
        Recognized::NoPart | Recognized::SoundsLikePolicy
    );
    unknown && !is_mention(&object.api_version, &object.kind)
}

/// What an object adds whose controller makes nothing of it.
fn without_making(object: &mut LoadedObject, node: &SyntaxNode) -> Contribution {
    if let Some(door) = doors::read(object.group(), &object.kind, node) {
        return Contribution::Door(Box::new(door));
    }
    match unmodelled::recognize(object.group(), &object.kind) {
        Recognized::Policy(known) => {
            Contribution::unmodelled((known.reach)(node), known.namespaced)
        }
        Recognized::UnknownKind => {
            let reaches = unmodelled::unknown_reach(object.group(), node);
            Contribution::unmodelled(reaches, object.namespace.is_some())
        }
        Recognized::SoundsLikePolicy => {
            let contribution = no_part(object, node);
            if matches!(contribution, Contribution::Nothing) {
                object.remarks.push(Remark::note(format!(
                    "{} of `{}` is not known to netpal; if it is a network policy, its rules are not considered",
                    object.kind, object.api_version
                )));
            }
            contribution
        }
        Recognized::NoPart => {
            let is_kustomization = kustomization::is_one(&object.api_version, &object.kind);
            let said = is_kustomization.then(|| kustomization::remark(node));
            object.remarks.extend(said.flatten().map(Remark::warning));
            no_part(object, node)
        }
    }
}

/// An object of a kind that is no policy: it may make some, or show which traffic is intended.
fn no_part(object: &LoadedObject, node: &SyntaxNode) -> Contribution {
    if is_mention(&object.api_version, &object.kind) {
        return Contribution::Mention;
    }
    let group = object.group();
    let builtin = matches!(group, "" | "apps" | "batch") || group.ends_with(".k8s.io");
    let held = (!builtin).then(|| embedded::policies(node)).flatten();
    match held {
        Some((kind, reaches)) => {
            let what = format!("makes {kind} objects that are not known here");
            Contribution::explained(reaches, object.namespace.is_some(), &what)
        }
        None => Contribution::Nothing,
    }
}

/// A policy of a modelled dialect.
fn policy(
    object: &LoadedObject,
    node: &SyntaxNode,
    dialect: &Dialect,
    options: &LoadOptions,
) -> Contribution {
    let mut lowered = (dialect.lower)(node, header(object, options));
    if is_from_cluster(node) {
        let certain = lowered.invalid.iter_mut().filter(|i| !i.doubt);
        certain.for_each(|invalid| invalid.in_force = true);
    }
    let Some(policy) = lowered.policies.first() else {
        return Contribution::Policy(Box::new(lowered));
    };
    let network = node
        .get("metadata")
        .and_then(|m| m.get("annotations")?.get(GKE_NETWORK)?.as_str());
    if let Some(network) = network.filter(|name| options.gke != Some(false) && *name != "default") {
        if options.gke == Some(true) {
            lowered
                .policies
                .iter_mut()
                .for_each(|p| p.applies = [false, false]);
            return Contribution::Policy(Box::new(lowered));
        }
        let what = format!("acts on network `{network}` instead of the default one, on GKE");
        let reaches = unmodelled::reach_of(&object.kind, node);
        return Contribution::explained(reaches, dialect.namespaced, &what);
    }
    if !policy.is_of_plugin() && unmodelled::uses_plugin_labels(policy) {
        let reaches = unmodelled::reach_of(&object.kind, node).into_iter();
        lowered.reaches = Some(reaches.map(TaintReach::without_plugin_labels).collect());
    }
    Contribution::Policy(Box::new(lowered))
}

/// On GKE, the network on which a `NetworkPolicy` acts.
const GKE_NETWORK: &str = "networking.gke.io/network";

/// Linkerd's annotation of a namespace or a pod that is not modelled.
const LINKERD_TLS: &str = "config.linkerd.io/proxy-require-tls-inbound-ports";

/// What annotations of an object of the cluster let a service mesh or a network plugin do.
fn annotated_reaches(node: &SyntaxNode, object: &LoadedObject) -> Vec<TaintReach> {
    let template = object
        .workload()
        .and_then(|w| workloads::template(node, w.kind));
    let annotated = template.unwrap_or(node);
    let annotations = annotated.get("metadata").and_then(|m| m.get("annotations"));
    let closes = |e: &Entry| &*e.key == LINKERD_TLS;
    let mut reaches = Vec::new();
    if annotations.is_some_and(|a| a.entries().iter().any(closes)) {
        let reach = TaintReach::own(TaintEffect::OnlyDeny, [true, false]);
        reaches.push(match object.workload() {
            Some(workload) => reach.labelled(workload.draft.selector()),
            None => reach.named([&*object.name]),
        });
    }
    reaches
}

/// The kinds that show which traffic is intended, by the group of their API.
const MENTIONS: [(&str, &[&str]); 3] = [
    ("monitoring.coreos.com", &["ServiceMonitor", "PodMonitor"]),
    (
        "admissionregistration.k8s.io",
        &[
            "ValidatingWebhookConfiguration",
            "MutatingWebhookConfiguration",
        ],
    ),
    (
        "rbac.authorization.k8s.io",
        &["RoleBinding", "ClusterRoleBinding"],
    ),
];

/// Whether an object of this kind shows which traffic is intended.
pub fn is_mention(api_version: &str, kind: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    MENTIONS
        .iter()
        .any(|(g, kinds)| *g == group && kinds.contains(&kind))
}
