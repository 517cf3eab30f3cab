//! The hierarchical namespace controller: policies of a namespace are copied to its descendants.
//!
//! The parent of a namespace is told by its `HierarchyConfiguration` or by the
//! `SubnamespaceAnchor` that made it. Policies are copied where the configuration says so, with
//! the exceptions that their annotations make.

use crate::load::made::custom::CustomObject;
use crate::load::made::fill::text_of;
use crate::load::made::generated::Generation;
use crate::load::made::outcome::Made;
use crate::load::made::world::{GeneratorWorld, KnownNamespace, WrittenPolicy};
use crate::load::object::{Contribution, LoadedObject};
use crate::model::Truth;
use crate::tree::SyntaxNode;

/// Annotations that make exceptions begin like this.
pub const PROPAGATION: &str = "propagate.hnc.x-k8s.io/";

/// So deep may a hierarchy be.
const DEEPEST: usize = 64;

/// What a configuration makes; `None` where it propagates no policies, or the hierarchy is not in
/// the input.
pub fn made_of(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let resources = custom.node.get("spec")?.get("resources")?.items();
    let mode = resources.iter().find_map(|resource| {
        let policies = text_of(resource, "resource") == Some("networkpolicies");
        policies.then(|| text_of(resource, "mode").unwrap_or("Propagate"))
    })?;
    let mut made = Made::handled();
    let by_default = match mode {
        "Propagate" => true,
        "AllowPropagate" => false,
        _ => return Some(made),
    };
    let told = ["HierarchyConfiguration", "SubnamespaceAnchor"];
    told.iter()
        .find(|kind| world.of_kind(kind).next().is_some())?;
    for space in &world.spaces {
        let ancestors = ancestors(&space.name, world.customs);
        for policy in &world.policies {
            if ancestors.contains(&&*policy.namespace) {
                let truth = propagates(policy, by_default, space, &ancestors);
                let generation = Generation {
                    space,
                    truth,
                    unless: None,
                };
                if truth.possible() {
                    generation.copy(policy, &policy.policy.name, &mut made);
                }
            }
        }
    }
    Some(made)
}

/// Gives the Namespaces of a hierarchy the labels that say how far each ancestor is.
pub fn label_trees(objects: &mut [LoadedObject], customs: &[CustomObject]) {
    let told = |custom: &CustomObject| {
        matches!(
            &*custom.kind,
            "HierarchyConfiguration" | "SubnamespaceAnchor"
        )
    };
    if !customs.iter().any(told) {
        return;
    }
    for object in objects {
        let name = object.name.clone();
        if let Contribution::Namespace(labels) = &mut object.contribution {
            let own = [&*name].into_iter().chain(ancestors(&name, customs));
            let depths = own.enumerate().map(|(depth, name)| {
                (format!("{name}.tree.hnc.x-k8s.io/depth"), depth.to_string())
            });
            let known = labels
                .iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()));
            **labels = known.chain(depths).collect();
        }
    }
}

/// The ancestors of a namespace, the nearest first.
fn ancestors<'w>(namespace: &str, customs: &'w [CustomObject]) -> Vec<&'w str> {
    let mut found: Vec<&str> = Vec::new();
    let mut next = parent(namespace, customs);
    while let Some(parent_name) = next.filter(|p| !found.contains(p) && found.len() < DEEPEST) {
        found.push(parent_name);
        next = parent(parent_name, customs);
    }
    found
}

fn parent<'w>(namespace: &str, customs: &'w [CustomObject]) -> Option<&'w str> {
    let of_kind = |kind: &'static str| customs.iter().filter(move |custom| &*custom.kind == kind);
    let mut configured = of_kind("HierarchyConfiguration");
    let own = configured.find(|custom| *custom.namespace == *namespace);
    let told = own.and_then(|custom| text_of(custom.node.get("spec")?, "parent"));
    let anchor = || {
        let mut anchors = of_kind("SubnamespaceAnchor");
        anchors
            .find(|custom| *custom.name == *namespace)
            .map(|custom| &*custom.namespace)
    };
    told.or_else(anchor)
}

/// Whether a policy is copied to a descendant of its namespace.
fn propagates(
    policy: &WrittenPolicy,
    by_default: bool,
    space: &KnownNamespace,
    ancestors: &[&str],
) -> Truth {
    let says = |what: &str| {
        let of = |(key, value): &(Box<str>, Box<str>)| {
            (key.strip_prefix(PROPAGATION) == Some(what)).then(|| value.to_string())
        };
        policy.propagation.iter().find_map(of)
    };
    if says("none").is_some_and(|value| value == "true") {
        return Truth::No;
    }
    if says("select").is_some() {
        return Truth::Maybe;
    }
    if let Some(trees) = says("treeSelect") {
        let in_tree = |name: &str| *space.name == *name || ancestors.contains(&name);
        let mut wanted = trees.split(',').map(str::trim);
        return Truth::from(wanted.all(|tree| match tree.strip_prefix('!') {
            Some(name) => !in_tree(name.trim()),
            None => in_tree(tree),
        }));
    }
    let all = says("all").is_some_and(|value| value == "true");
    Truth::from(by_default || all)
}

/// The annotations of an object that say how it is propagated.
pub fn propagation(node: &SyntaxNode) -> Box<[(Box<str>, Box<str>)]> {
    let annotations = node.get("metadata").and_then(|m| m.get("annotations"));
    let entries = annotations
        .map(SyntaxNode::entries)
        .unwrap_or_default()
        .iter();
    let own = entries.filter(|e| e.key.starts_with(PROPAGATION));
    own.filter_map(|e| Some((e.key.clone(), e.value.as_str()?.into())))
        .collect()
}
