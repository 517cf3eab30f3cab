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
use crate::model::open_labels::{at_run_time, perhaps};
use crate::model::{Labels, Requirement, Selector, Truth};
use crate::tree::SyntaxNode;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Annotations that make exceptions begin like this.
const PROPAGATION: &str = "propagate.hnc.x-k8s.io/";

/// How the labels end that say how far an ancestor of a namespace is.
const DEPTH: &str = ".tree.hnc.x-k8s.io/depth";

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

/// Gives the Namespaces of a hierarchy the labels that say how far each ancestor is, and those that
/// the hierarchy manages; the latter only perhaps, because an option of the controller allows them.
/// A Namespace that an anchor makes is one of the input.
pub fn label_trees(objects: &mut Vec<LoadedObject>, customs: &[CustomObject]) {
    let is_anchor = |custom: &&CustomObject| &*custom.kind == "SubnamespaceAnchor";
    let told =
        |custom: &CustomObject| is_anchor(&custom) || &*custom.kind == "HierarchyConfiguration";
    if !customs.iter().any(told) {
        return;
    }
    for anchor in customs.iter().filter(is_anchor) {
        let is_there = |o: &LoadedObject| &*o.kind == "Namespace" && *o.name == *anchor.name;
        if !objects.iter().any(is_there) {
            objects.push(namespace_of(anchor));
        }
    }
    for object in objects {
        let name = object.name.clone();
        if let Contribution::Namespace(labels) = &mut object.contribution {
            **labels = labels_in_tree(&name, labels, customs);
        }
    }
}

/// The Namespace that an anchor makes.
fn namespace_of(anchor: &CustomObject) -> LoadedObject {
    let labels = Contribution::Namespace(Box::default());
    let kind = "Namespace".into();
    let mut made = LoadedObject::made(&kind, anchor.name.clone(), Arc::default(), labels);
    made.namespace = None;
    made.api_version = "v1".into();
    made.document = anchor.document;
    made
}

/// The labels of a Namespace, with those of its place in the hierarchy.
fn labels_in_tree(name: &str, own: &Labels, customs: &[CustomObject]) -> Labels {
    let mut labels: BTreeMap<String, String> = own
        .iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let line: Vec<&str> = [name].into_iter().chain(ancestors(name, customs)).collect();
    for (depth, of) in line.iter().enumerate() {
        for (key, value) in managed(of, customs) {
            let open = match labels.get(key) {
                Some(known) if known.starts_with('<') => continue, // the nearest one counts
                Some(known) => at_run_time(&format!("{known}|{value}")),
                None => perhaps(value),
            };
            labels.insert(key.to_owned(), open);
        }
        labels.insert(format!("{of}{DEPTH}"), depth.to_string());
    }
    labels.into_iter().collect()
}

/// The labels that a namespace asks for, for itself and all below it.
fn managed<'w>(
    name: &str,
    customs: &'w [CustomObject],
) -> impl Iterator<Item = (&'w str, &'w str)> {
    let of_it = customs.iter().filter(move |custom| match &*custom.kind {
        "HierarchyConfiguration" => *custom.namespace == *name,
        "SubnamespaceAnchor" => *custom.name == *name,
        _ => false,
    });
    let labels = of_it.filter_map(|custom| custom.node.get("spec")?.get("labels"));
    let labels = labels.flat_map(SyntaxNode::items);
    labels.filter_map(|label| Some((text_of(label, "key")?, text_of(label, "value")?)))
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

/// Whether a policy is copied to a descendant of its namespace: it is selected by the labels of the
/// namespace, and by the trees that the namespace is in.
fn propagates(
    policy: &WrittenPolicy,
    by_default: bool,
    space: &KnownNamespace,
    ancestors: &[&str],
) -> Truth {
    let says = |what: &str| {
        policy
            .facts
            .annotations
            .get(&format!("{PROPAGATION}{what}"))
    };
    let is_on = |what: &str| says(what).is_some_and(|value| value == "true");
    if says("none").is_some_and(|value| value != "false") {
        return Truth::No; // a value that is neither propagates nothing
    }
    let in_tree = |name: &str| *space.name == *name || ancestors.contains(&name);
    let in_trees = |trees: &str| {
        let mut wanted = trees.split(',').map(str::trim);
        Truth::from(wanted.all(|tree| match tree.strip_prefix('!') {
            Some(name) => !in_tree(name.trim()),
            None => in_tree(tree),
        }))
    };
    let selected = |selector: &str| match parse_selector(selector) {
        Some(selector) => space.selected_by(&selector),
        None => Truth::Maybe,
    };
    let chosen = [
        says("select").map(selected),
        says("treeSelect").map(in_trees),
    ];
    let chosen: Vec<Truth> = chosen.into_iter().flatten().collect();
    let wanted = Truth::from(by_default || is_on("all") || !chosen.is_empty());
    chosen.into_iter().fold(wanted, Truth::and)
}

/// A selector as `kubectl -l` takes it, as far as it is made of keys, and keys with one value.
fn parse_selector(text: &str) -> Option<Selector> {
    let parts: Option<Vec<Requirement>> = text.split(',').map(parse_requirement).collect();
    Some(Selector::new(parts?))
}

fn parse_requirement(text: &str) -> Option<Requirement> {
    let text = text.trim();
    if text.contains(['(', ' ', '<', '>']) {
        return None;
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Some(Requirement::NotIn(key.into(), vec![value.into()]));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Some(Requirement::In(key.into(), vec![value.into()]));
    }
    Some(match text.strip_prefix('!') {
        Some(key) => Requirement::DoesNotExist(key.into()),
        None => Requirement::Exists(text.into()),
    })
}
