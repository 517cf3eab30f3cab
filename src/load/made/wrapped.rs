//! Objects that stand in other objects as they are: in one of Crossplane's Kubernetes provider, in
//! a template of kiosk, and in whatever wraps workloads ([`beside_workloads`]).

use crate::load::document_form;
use crate::load::embedded;
use crate::load::made::custom::CustomObject;
use crate::load::made::fill::text_of;
use crate::load::made::generated::{in_space, is_network_policy, is_of_interest, is_open, noted};
use crate::load::made::outcome::{Made, MadeObject};
use crate::load::made::placeholders::{Keys, filled_in, with_parameters};
use crate::load::made::table;
use crate::load::made::world::GeneratorWorld;
use crate::model::Truth;
use crate::tree::{SyntaxNode, Value};

/// Whether what an object wraps is certainly put into the cluster as it stands there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unwrapped {
    /// A row of its kind says so.
    Certainly,
    /// Nothing is known of its kind: a policy is there perhaps.
    Perhaps,
}

/// The policies and Services that a part of an object holds beside workloads. A `NetworkPolicy`
/// and a Service that are written out count as if they stood alone, in the namespace that they
/// say; of any other policy it is known what it can touch. Objects that rows are about are left to
/// these rows.
pub fn beside_workloads(
    node: &SyntaxNode,
    custom: &CustomObject,
    unwrapped: Unwrapped,
    rows: &[SyntaxNode],
    made: &mut Made,
) {
    let is_policy = embedded::is_policy(node) || embedded::is_bare_spec(node);
    let certain = unwrapped == Unwrapped::Certainly && is_network_policy(node);
    if (is_service(node) || certain && node.get("spec").is_some()) && !is_open(node) {
        let node = in_namespace(node.clone(), &custom.namespace);
        made.objects.push(MadeObject::certain(node));
    } else if is_policy {
        let reaches = embedded::reach(node).into_iter();
        let why = "policies inside it whose rules are not certain";
        made.unknown
            .extend(reaches.map(|reach| (why.to_owned(), reach)));
    } else if !is_of_row(node, rows) {
        let entries = node.entries().iter().map(|entry| &entry.value);
        let parts = node.items().iter().chain(entries);
        parts.for_each(|part| beside_workloads(part, custom, unwrapped, rows, made));
    }
}

/// Whether an object is a Service of the API proper.
fn is_service(node: &SyntaxNode) -> bool {
    let text = |key: &str| text_of(node, key);
    text("apiVersion") == Some("v1")
        && text("kind") == Some("Service")
        && node.get("spec").is_some()
}

/// Whether an object is of a kind that a row is about.
fn is_of_row(node: &SyntaxNode, rows: &[SyntaxNode]) -> bool {
    let (Some(version), Some(kind)) = (text_of(node, "apiVersion"), text_of(node, "kind")) else {
        return false;
    };
    let group = version.split_once('/').map_or("", |(group, _)| group);
    node.get("spec").is_some() && !table::rows(rows, group, kind).is_empty()
}

/// An object in a namespace, unless it says another one.
fn in_namespace(mut node: SyntaxNode, namespace: &str) -> SyntaxNode {
    if let Value::Mapping(entries) = &mut node.value
        && let Some(metadata) = entries.iter_mut().find(|e| &*e.key == "metadata")
        && text_of(&metadata.value, "namespace").is_none()
    {
        document_form::set(&mut metadata.value, "namespace", namespace);
    }
    node
}

/// An object of Crossplane that is written out in full. One that is only observed makes nothing;
/// one into which values of other objects are patched is not known.
pub fn of_crossplane(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let spec = custom.node.get("spec")?;
    let manifest = spec.get("forProvider")?.get("manifest")?;
    if !is_of_interest(manifest) {
        return None;
    }
    let policies = spec.get("managementPolicies").map(SyntaxNode::items);
    let creates = policies.is_none_or(|all| {
        let mut words = all.iter().filter_map(SyntaxNode::as_str);
        all.is_empty() || words.any(|word| matches!(word, "*" | "Create"))
    });
    let by_one = text_of(spec, "managementPolicy").unwrap_or("Default");
    let mut made = Made::handled();
    if !creates || by_one.starts_with("Observe") && by_one != "ObserveCreateUpdate" {
        return Some(made);
    }
    let namespace = text_of(manifest.get("metadata")?, "namespace");
    let references = spec.get("references").map(SyntaxNode::items);
    let is_patched = |r: &SyntaxNode| r.get("patchesFrom").is_some();
    match namespace.and_then(|name| world.space(name)) {
        Some(space) if references.unwrap_or_default().iter().any(is_patched) => {
            let why = "values of other objects are patched into it";
            in_space(space, Truth::Yes).unknown(why, None, &mut made);
        }
        Some(space) => in_space(space, Truth::Yes).expand(manifest, &mut made),
        None => return None,
    }
    Some(made)
}

/// kiosk: the manifests of a template, in the namespace of its instance.
pub fn template_instance(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let spec = custom.node.get("spec")?;
    let name = text_of(spec, "template")?;
    let is_meant = |t: &&CustomObject| &*t.group == "config.kiosk.sh" && *t.name == *name;
    let space = world.space(&custom.namespace)?;
    let mut made = Made::handled();
    let Some(template) = world.of_kind("Template").find(is_meant) else {
        let why = "its template is not in the input";
        in_space(space, Truth::Yes).unknown(why, None, &mut made);
        return Some(made);
    };
    let resources = template.node.get("resources")?;
    if resources.get("helm").is_some() {
        let why = "a chart of its template";
        in_space(space, Truth::Yes).unknown(why, None, &mut made);
    }
    let manifests = resources.get("manifests").map(SyntaxNode::items);
    let manifests = manifests.unwrap_or_default();
    for manifest in manifests.iter().filter(|m| is_of_interest(m)) {
        let manifest = of_instance(manifest, spec, &template.node);
        in_space(space, Truth::Yes).expand(&manifest, &mut made);
    }
    Some(made)
}

/// kiosk: a template makes nothing alone; one that an account names is made in each space of it,
/// which no manifest tells.
pub fn template(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Made {
    let names = |account: &CustomObject| {
        let space = account.node.get("spec").and_then(|spec| spec.get("space"));
        let instances = space.and_then(|space| space.get("templateInstances"));
        let mut instances = instances.map(SyntaxNode::items).unwrap_or_default().iter();
        instances.any(|i| i.get("spec").and_then(|s| text_of(s, "template")) == Some(&custom.name))
    };
    let mut made = Made::handled();
    if world.of_kind("Account").any(names) {
        noted("in the spaces of an account", &custom.node, &mut made);
    }
    made
}

/// A manifest with the parameters of an instance, or their values in the template.
fn of_instance(node: &SyntaxNode, instance: &SyntaxNode, template: &SyntaxNode) -> SyntaxNode {
    filled_in(node, Keys::Kept, &|text| {
        let text = with_parameters(text.to_owned(), instance);
        Some(with_parameters(text, template))
    })
}
