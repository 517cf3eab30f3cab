//! Capsule: policies of a tenant, and objects that are put into each of its namespaces.
//!
//! A namespace is of a tenant by its label or its owner. The objects of a resource are written out
//! in it, or copied from a namespace; texts in them may name the tenant and the namespace.

use crate::load::made::custom::CustomObject;
use crate::load::made::fill::text_of;
use crate::load::made::generated::{in_space, is_of_interest};
use crate::load::made::outcome::Made;
use crate::load::made::placeholders::{Keys, filled_in};
use crate::load::made::world::{GeneratorWorld, KnownNamespace};
use crate::model::{Selector, Truth};
use crate::policy::unmodelled::label_selector;
use crate::tree::SyntaxNode;

/// The label of Capsule's namespaces.
const TENANT: &str = "capsule.clastix.io/tenant";

/// The policies of a tenant, in each of its namespaces.
pub fn tenant(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let policies = custom.node.get("spec")?.get("networkPolicies")?;
    let items = policies.get("items")?.items();
    let mut made = Made::handled();
    for space in &world.spaces {
        let truth = is_of(space, &custom.name);
        if truth.possible() {
            for (at, spec) in items.iter().enumerate() {
                let name = format!("capsule-{}-{at}", custom.name);
                in_space(space, truth).policy(&name, spec.clone(), &mut made);
            }
        }
    }
    Some(made)
}

/// Whether a namespace is one of a tenant.
pub fn is_of(space: &KnownNamespace, tenant: &str) -> Truth {
    if space.is_owned_by("Tenant", tenant) {
        return Truth::Yes;
    }
    space.selected_by(&Selector::label(TENANT, tenant))
}

/// The tenant that a namespace is of, as far as it is told.
fn tenant_of(space: &KnownNamespace) -> Option<&str> {
    let mut owners = space.facts.owners.iter();
    let owner = owners.find(|(kind, _)| &**kind == "Tenant");
    owner
        .map(|(_, name)| &**name)
        .or_else(|| space.labels.get(TENANT))
}

/// The objects of a tenant's resource.
pub fn resource(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let spec = custom.node.get("spec")?;
    let resources = spec.get("resources")?.items();
    let has_policies = |r: &SyntaxNode| {
        list(r, "rawItems").iter().any(is_of_interest)
            || list(r, "namespacedItems").iter().any(names_policies)
    };
    if !resources.iter().any(has_policies) {
        return None;
    }
    let mut made = Made::handled();
    for space in &world.spaces {
        let of_tenant = is_meant(space, custom, spec, world);
        for resource in resources {
            let selector = resource.get("namespaceSelector");
            let truth = of_tenant.and(space.selected_by(&label_selector(selector)));
            if truth.possible() {
                put_into(space, truth, resource, world, &mut made);
            }
        }
    }
    Some(made)
}

/// What a part of a resource puts into a namespace.
fn put_into(
    space: &KnownNamespace,
    truth: Truth,
    resource: &SyntaxNode,
    world: &GeneratorWorld<'_>,
    made: &mut Made,
) {
    let generation = in_space(space, truth);
    for item in list(resource, "rawItems") {
        generation.expand(&filled(item, space), made);
    }
    for item in list(resource, "namespacedItems")
        .iter()
        .filter(|i| names_policies(i))
    {
        let selector = label_selector(item.get("selector"));
        let source = text_of(item, "namespace").unwrap_or_default();
        let is_plain = text_of(item, "kind") == Some("NetworkPolicy");
        let from = world.policies.iter().filter(|p| *p.namespace == *source);
        let meant: Vec<_> = from.filter(|p| selector.matches(&p.facts.labels)).collect();
        if meant.is_empty() || !is_plain {
            generation.unknown(
                "the objects that it copies are not in the input",
                None,
                made,
            );
        }
        for policy in meant.into_iter().filter(|_| is_plain) {
            generation.copy(policy, &policy.policy.name, made);
        }
    }
}

fn list<'n>(node: &'n SyntaxNode, key: &str) -> &'n [SyntaxNode] {
    node.get(key).map(SyntaxNode::items).unwrap_or_default()
}

/// Whether an item names policies that are copied.
fn names_policies(item: &SyntaxNode) -> bool {
    text_of(item, "kind").is_some_and(crate::policy::dialects::may_be_policy_kind)
}

/// Whether a resource is about a namespace: one of the tenant that its own namespace is of, or of
/// the tenants that it selects. A tenant that is not in the input may be selected.
fn is_meant(
    space: &KnownNamespace,
    custom: &CustomObject,
    spec: &SyntaxNode,
    world: &GeneratorWorld<'_>,
) -> Truth {
    if &*custom.kind == "TenantResource" {
        let own = world.space(&custom.namespace).and_then(tenant_of);
        return match own {
            Some(tenant) => is_of(space, tenant),
            None if space.declared && tenant_of(space).is_none() => Truth::No,
            None => Truth::Maybe,
        };
    }
    let Some(name) = tenant_of(space) else {
        return Truth::from(!space.declared).and(Truth::Maybe);
    };
    let selector = label_selector(spec.get("tenantSelector"));
    if selector.requirements().is_empty() {
        return Truth::Yes;
    }
    let mut tenants = world.of_kind("Tenant");
    let Some(tenant) = tenants.find(|t| *t.name == *name) else {
        return Truth::Maybe;
    };
    Truth::from(selector.matches(&crate::load::workloads::labels(&tenant.node)))
}

/// An object with the tenant and the namespace in the place of their expressions.
fn filled(node: &SyntaxNode, space: &KnownNamespace) -> SyntaxNode {
    filled_in(node, Keys::Filled, &|text| {
        let text = text.replace("{{ namespace }}", &space.name);
        Some(match tenant_of(space) {
            Some(tenant) => text.replace("{{ tenant.name }}", tenant),
            None => text,
        })
    })
}
