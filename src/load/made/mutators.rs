//! What changes labels when objects are admitted: rules of Kyverno, mutators of Gatekeeper,
//! policies of the API server and of Kyverno in its expression language, and tenants of Capsule.
//!
//! Of a change that is written out the labels are read; of one in an expression language only
//! whether it can be about labels.

use crate::load::made::custom::CustomObject;
use crate::load::made::expression::scalar;
use crate::load::made::fill::text_of;
use crate::load::made::mutation::{
    LabelEffect, LabelMutation, MutatedLabels, MutatedObjects, MutatedPlace, Mutation,
};
use crate::load::workloads;
use crate::model::Selector;
use crate::policy::dialects;
use crate::policy::unmodelled::label_selector;
use crate::tree;
use crate::tree::SyntaxNode;

/// The kinds whose objects change others.
pub const MUTATORS: &[(&str, &str)] = &[
    ("mutations.gatekeeper.sh", "Assign"),
    ("mutations.gatekeeper.sh", "AssignMetadata"),
    ("mutations.gatekeeper.sh", "ModifySet"),
    ("policies.kyverno.io", "MutatingPolicy"),
    ("policies.kyverno.io", "NamespacedMutatingPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
];

/// What an object changes.
pub fn mutations_of(custom: &CustomObject) -> Vec<Mutation> {
    let Some(spec) = custom.node.get("spec") else {
        return Vec::new();
    };
    let found = match (&*custom.group, &*custom.kind) {
        ("kyverno.io", "ClusterPolicy" | "Policy") => of_kyverno(spec),
        ("mutations.gatekeeper.sh", kind) => of_gatekeeper(kind, spec),
        ("capsule.clastix.io", "Tenant") => of_tenant(custom, spec),
        named if MUTATORS.contains(&named) => of_expressions(spec),
        _ => Vec::new(),
    };
    let is_of_namespace = matches!(&*custom.kind, "Policy" | "NamespacedMutatingPolicy");
    let at_home = |mut mutation: Mutation| {
        for place in mutation.places.iter_mut().filter(|_| is_of_namespace) {
            place.namespaces = vec![(&*custom.namespace).into()];
        }
        mutation
    };
    found.into_iter().map(at_home).collect()
}

fn texts<'n>(node: &'n SyntaxNode, key: &str) -> Vec<&'n str> {
    let items = node.get(key).map(SyntaxNode::items).unwrap_or_default();
    items.iter().filter_map(SyntaxNode::as_str).collect()
}

fn boxed(texts: &[&str]) -> Vec<Box<str>> {
    texts.iter().map(|text| (*text).into()).collect()
}

/// Which objects words for kinds mean: `Pod`, `apps/v1/Deployment`, `*`; pods by what keeps them.
fn objects_of(kinds: &[&str]) -> Vec<MutatedObjects> {
    let kinds: Vec<&str> = kinds.iter().filter_map(|k| k.rsplit('/').next()).collect();
    let all = kinds.contains(&"*");
    let any = |is_meant: &dyn Fn(&str) -> bool| all || kinds.iter().any(|kind| is_meant(kind));
    let keeps_pods = |kind: &str| ["", "apps", "batch"].iter().any(|g| is_workload(g, kind));
    let found = [
        (MutatedObjects::Pods, any(&keeps_pods)),
        (MutatedObjects::Namespaces, any(&|kind| kind == "Namespace")),
        (MutatedObjects::Policies, any(&dialects::may_be_policy_kind)),
    ];
    let meant = found.into_iter().filter(|(_, is_meant)| *is_meant);
    meant.map(|(of, _)| of).collect()
}

fn is_workload(group: &str, kind: &str) -> bool {
    workloads::kind(group, kind).is_some()
}

/// The rules of a policy of Kyverno that mutate.
fn of_kyverno(spec: &SyntaxNode) -> Vec<Mutation> {
    let rules = spec.get("rules").map(SyntaxNode::items).unwrap_or_default();
    let mutating = rules
        .iter()
        .filter_map(|rule| Some((rule, rule.get("mutate")?)));
    mutating
        .flat_map(|(rule, mutate)| of_rule(rule, mutate))
        .collect()
}

/// The kinds of which rules of Kyverno change more than annotations.
pub fn changed_kinds(custom: &CustomObject) -> Vec<&str> {
    let is_kyverno = &*custom.group == "kyverno.io";
    let spec = custom.node.get("spec").filter(|_| is_kyverno);
    let rules = spec.and_then(|spec| spec.get("rules"));
    let rules = rules.map(SyntaxNode::items).unwrap_or_default().iter();
    let changing = rules.filter_map(|rule| Some((rule, rule.get("mutate")?)));
    let changing = changing.filter(|(_, mutate)| !patches(mutate).iter().all(only_annotates));
    changing
        .flat_map(|(rule, mutate)| kinds_of(rule, mutate))
        .filter_map(|kind| kind.rsplit('/').next())
        .collect()
}

/// Whether a patch changes annotations alone.
fn only_annotates(patch: &SyntaxNode) -> bool {
    let of_metadata = |e: &tree::Entry| {
        let mut inner = e.value.entries().iter();
        e.key.contains("metadata") && inner.all(|e| e.key.contains("annotations"))
    };
    let annotates = |o: &SyntaxNode| {
        text_of(o, "path").is_some_and(|path| path.starts_with("/metadata/annotations"))
    };
    patch.entries().iter().all(of_metadata) && patch.items().iter().all(annotates)
}

/// The kinds of the objects that a rule changes.
fn kinds_of<'n>(rule: &'n SyntaxNode, mutate: &'n SyntaxNode) -> Vec<&'n str> {
    let targets = mutate.get("targets").map(SyntaxNode::items);
    let targets = targets.unwrap_or_default();
    if !targets.is_empty() {
        let kinds = targets.iter().filter_map(|target| text_of(target, "kind"));
        return kinds.collect();
    }
    let filters = rule.get("match").map(filters).unwrap_or_default();
    let resources = filters.iter().filter_map(|filter| filter.get("resources"));
    resources.flat_map(|r| texts(r, "kinds")).collect()
}

fn of_rule(rule: &SyntaxNode, mutate: &SyntaxNode) -> Vec<Mutation> {
    let targets = mutate
        .get("targets")
        .map(SyntaxNode::items)
        .unwrap_or_default();
    let filters = rule.get("match").map(filters).unwrap_or_default();
    let resources = || filters.iter().filter_map(|filter| filter.get("resources"));
    let kinds = kinds_of(rule, mutate);
    let kinds = if kinds.is_empty() { vec!["*"] } else { kinds };
    let patches = patches(mutate);
    let of_objects = objects_of(&kinds).into_iter().filter_map(|of| {
        let changes = match of {
            MutatedObjects::Policies if !patches.iter().any(changes_rules) => return None,
            MutatedObjects::Policies => MutatedLabels::Untold,
            MutatedObjects::Namespaces => label_changes(&patches, false)?,
            MutatedObjects::Pods => label_changes(&patches, true)?,
        };
        let places = if targets.is_empty() {
            let about = |resources: &&SyntaxNode| {
                let kinds = texts(resources, "kinds");
                kinds.is_empty() || objects_of(&kinds).contains(&of)
            };
            resources().filter(about).map(|r| place(r, of)).collect()
        } else {
            targets.iter().map(place_of_target).collect()
        };
        let spared = match of {
            MutatedObjects::Namespaces => Vec::new(),
            _ if targets.is_empty() => spared(rule),
            _ => Vec::new(),
        };
        Some(Mutation {
            of,
            changes,
            places,
            spared,
        })
    });
    of_objects.collect()
}

/// The filters of a `match` or `exclude`.
fn filters(of: &SyntaxNode) -> Vec<&SyntaxNode> {
    let lists = ["any", "all"].map(|key| of.get(key).map(SyntaxNode::items).unwrap_or_default());
    let listed: Vec<&SyntaxNode> = lists.into_iter().flatten().collect();
    if listed.is_empty() { vec![of] } else { listed }
}

/// A selector without values that are patterns, which it may be.
fn plain(selector: Option<&SyntaxNode>) -> Selector {
    let labels = selector.and_then(|s| s.get("matchLabels"));
    let labels = labels.map(SyntaxNode::entries).unwrap_or_default();
    let is_pattern = |text: &str| text.contains(['*', '?', '{']);
    let mut values = labels.iter().filter_map(|e| e.value.as_str());
    if values.any(is_pattern) || labels.iter().any(|e| is_pattern(&e.key)) {
        return Selector::everything();
    }
    label_selector(selector)
}

/// Where the resources of a filter of Kyverno are.
fn place(resources: &SyntaxNode, of: MutatedObjects) -> MutatedPlace {
    let is_namespace = of == MutatedObjects::Namespaces;
    let names = texts(resources, if is_namespace { "names" } else { "namespaces" });
    let single = text_of(resources, "name").filter(|_| is_namespace);
    let kinds = texts(resources, "kinds");
    let is_itself = |kind: &&str| matches!(kind.rsplit('/').next(), Some("Pod" | "Namespace"));
    let itself = kinds.iter().all(is_itself);
    let selector = plain(resources.get("selector"));
    MutatedPlace {
        namespaces: boxed(&names)
            .into_iter()
            .chain(single.map(Into::into))
            .collect(),
        labelled: plain(resources.get("namespaceSelector")),
        objects: if itself {
            selector
        } else {
            Selector::everything()
        },
    }
}

/// Where the target of a mutation of existing objects is.
fn place_of_target(target: &SyntaxNode) -> MutatedPlace {
    let is_namespace = text_of(target, "kind") == Some("Namespace");
    let name = text_of(target, if is_namespace { "name" } else { "namespace" });
    let name = name.filter(|name| !name.contains("{{"));
    MutatedPlace {
        namespaces: name.into_iter().map(Into::into).collect(),
        ..MutatedPlace::default()
    }
}

/// Patterns of namespaces that a rule excludes whatever the object is.
fn spared(rule: &SyntaxNode) -> Vec<Box<str>> {
    let Some(exclude) = rule.get("exclude").filter(|e| e.get("all").is_none()) else {
        return Vec::new();
    };
    let alone = |filter: &&SyntaxNode| {
        let entries = filter.get("resources").map(SyntaxNode::entries);
        let mut entries = entries.unwrap_or_default().iter();
        filter.entries().len() == 1 && entries.all(|e| &*e.key == "namespaces")
    };
    let filters = filters(exclude).into_iter().filter(alone);
    let names = filters.filter_map(|filter| filter.get("resources"));
    names.flat_map(|r| boxed(&texts(r, "namespaces"))).collect()
}

/// The patches of a rule of Kyverno: trees that are laid over an object, and lists of operations.
fn patches(mutate: &SyntaxNode) -> Vec<SyntaxNode> {
    let parts = mutate
        .get("foreach")
        .map(SyntaxNode::items)
        .unwrap_or_default();
    let of_each = parts.iter().flat_map(patches);
    let laid_over = mutate.get("patchStrategicMerge").cloned();
    let operations = text_of(mutate, "patchesJson6902").and_then(|text| {
        let chunks = tree::split(text);
        tree::parse(text, chunks.first()?).root
    });
    laid_over
        .into_iter()
        .chain(operations)
        .chain(of_each)
        .collect()
}

/// Whether a patch changes more than the metadata of an object.
fn changes_rules(patch: &SyntaxNode) -> bool {
    let mut entries = patch.entries().iter();
    let mut operations = patch.items().iter();
    entries.any(|e| !e.key.contains("metadata"))
        || operations.any(|o| text_of(o, "path").is_none_or(|p| !p.starts_with("/metadata")))
}

/// The labels that patches change of an object, and with `inner` of a pod template in it; `None`
/// where they change none.
fn label_changes(patches: &[SyntaxNode], inner: bool) -> Option<MutatedLabels> {
    let mut changes = Vec::new();
    for patch in patches {
        for operation in patch.items() {
            match of_operation(operation, inner) {
                Some(Ok(change)) => changes.push(change),
                Some(Err(())) => return Some(MutatedLabels::Untold),
                None => {}
            }
        }
        laid_over(patch, inner, &mut changes);
    }
    (!changes.is_empty()).then_some(MutatedLabels::These(changes))
}

/// What one operation does to a label; an error where it replaces all of them.
fn of_operation(operation: &SyntaxNode, inner: bool) -> Option<Result<LabelMutation, ()>> {
    let path = text_of(operation, "path")?;
    let (before, key) = path.split_once("/metadata/labels")?;
    if !before.is_empty() && !inner {
        return None;
    }
    let Some(key) = key.strip_prefix('/') else {
        return Some(Err(()));
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    if key.contains("{{") {
        return Some(Err(()));
    }
    let to = match text_of(operation, "op") {
        Some("remove") => LabelEffect::Remove,
        _ => effect(operation.get("value")),
    };
    Some(Ok(LabelMutation {
        key: key.into(),
        to,
        only_if_absent: false,
    }))
}

/// The labels that a tree sets which is laid over an object.
fn laid_over(patch: &SyntaxNode, inner: bool, changes: &mut Vec<LabelMutation>) {
    for entry in patch.entries() {
        let key = bare(&entry.key);
        if key == "metadata" {
            let labels = entry.value.entries().iter();
            let labels = labels.filter(|e| bare(&e.key) == "labels");
            changes.extend(labels.flat_map(|e| e.value.entries()).map(set));
        } else if inner {
            laid_over(&entry.value, inner, changes);
        }
    }
}

/// A key without the anchor that Kyverno puts around it: `+(key)`.
fn bare(key: &str) -> &str {
    let inner = key
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(key)
}

fn set(entry: &tree::Entry) -> LabelMutation {
    LabelMutation {
        key: bare(&entry.key).into(),
        to: effect(Some(&entry.value)),
        only_if_absent: entry.key.starts_with('+'),
    }
}

fn effect(value: Option<&SyntaxNode>) -> LabelEffect {
    match value {
        Some(value) if value.is_null() => LabelEffect::Remove,
        value => match value.and_then(scalar) {
            Some(text) if !text.contains("{{") => LabelEffect::Set(text.into()),
            _ => LabelEffect::SetToAny,
        },
    }
}

/// A mutator of Gatekeeper: a location, and a value for it.
fn of_gatekeeper(kind: &str, spec: &SyntaxNode) -> Vec<Mutation> {
    let matched = spec.get("match");
    let list_of = |key: &str, of: Option<&'_ SyntaxNode>| -> Vec<String> {
        let lists = of.and_then(|m| m.get(key)).map(SyntaxNode::items);
        let lists = lists.unwrap_or_default().iter();
        let kinds = lists.flat_map(|list| texts(list, "kinds"));
        kinds.map(str::to_owned).collect()
    };
    let mut kinds = list_of("kinds", matched);
    kinds.extend(list_of("applyTo", Some(spec)));
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let kinds = if kinds.is_empty() { vec!["*"] } else { kinds };
    let location = text_of(spec, "location").unwrap_or_default();
    let words = |key: &str| matched.map(|m| boxed(&texts(m, key))).unwrap_or_default();
    let selector = |key: &str| label_selector(matched.and_then(|m| m.get(key)));
    let of_objects = objects_of(&kinds).into_iter().filter_map(|of| {
        let is_inner = !location.starts_with("metadata");
        let changes = match of {
            MutatedObjects::Policies if kind == "AssignMetadata" => return None,
            MutatedObjects::Policies => MutatedLabels::Untold,
            MutatedObjects::Namespaces if is_inner => return None,
            _ => MutatedLabels::These(vec![assigned(location, spec)?]),
        };
        let itself = of == MutatedObjects::Pods && !is_inner;
        Some(Mutation {
            of,
            changes,
            places: vec![MutatedPlace {
                namespaces: words("namespaces"),
                labelled: selector("namespaceSelector"),
                objects: if itself {
                    selector("labelSelector")
                } else {
                    Selector::everything()
                },
            }],
            spared: words("excludedNamespaces"),
        })
    });
    of_objects.collect()
}

/// The label that a location names, and what it gets.
fn assigned(location: &str, spec: &SyntaxNode) -> Option<LabelMutation> {
    let (_, key) = location.split_once("metadata.labels.")?;
    let key = key.trim_matches(['"', '\'']);
    let assign = spec.get("parameters").and_then(|p| p.get("assign"));
    Some(LabelMutation {
        key: key.into(),
        to: effect(assign.and_then(|assign| assign.get("value"))),
        only_if_absent: location.starts_with("metadata"),
    })
}

/// A tenant of Capsule, which gives its namespaces and their pods labels.
fn of_tenant(custom: &CustomObject, spec: &SyntaxNode) -> Vec<Mutation> {
    let of_both = [
        (MutatedObjects::Namespaces, "namespaceOptions"),
        (MutatedObjects::Pods, "podOptions"),
    ];
    let of_each = of_both.map(|(of, options)| Mutation {
        of,
        changes: MutatedLabels::These(spec.get(options).map(added_labels).unwrap_or_default()),
        places: vec![MutatedPlace {
            labelled: Selector::label("capsule.clastix.io/tenant", &custom.name),
            ..MutatedPlace::default()
        }],
        spared: Vec::new(),
    });
    let nothing = MutatedLabels::These(Vec::new());
    let is_some = |m: &Mutation| m.changes != nothing;
    of_each.into_iter().filter(is_some).collect()
}

/// The labels that options of a tenant add.
fn added_labels(options: &SyntaxNode) -> Vec<LabelMutation> {
    let lists = options.get("additionalMetadataList").map(SyntaxNode::items);
    let parts = lists.unwrap_or_default().iter();
    let parts = parts.chain(options.get("additionalMetadata"));
    let labels = parts.filter_map(|part| part.get("labels"));
    labels.flat_map(SyntaxNode::entries).map(set).collect()
}

/// A policy in an expression language: which kinds of objects it is about, and whether it can be
/// about their labels.
fn of_expressions(spec: &SyntaxNode) -> Vec<Mutation> {
    let constraints = spec.get("matchConstraints");
    let rules = constraints.and_then(|c| c.get("resourceRules"));
    let rules = rules.map(SyntaxNode::items).unwrap_or_default().iter();
    let resources: Vec<&str> = rules.flat_map(|rule| texts(rule, "resources")).collect();
    let mutations = spec.get("mutations");
    let selector = label_selector(constraints.and_then(|c| c.get("namespaceSelector")));
    let of_objects = objects_of_resources(&resources).into_iter();
    let meant = of_objects.filter(|of| {
        let is_policy = *of == MutatedObjects::Policies;
        mutations.is_none_or(|m| is_policy || says(m, "labels"))
    });
    let made = meant.map(|of| Mutation {
        of,
        changes: MutatedLabels::Untold,
        places: vec![MutatedPlace {
            labelled: selector.clone(),
            ..MutatedPlace::default()
        }],
        spared: Vec::new(),
    });
    made.collect()
}

/// Which objects names of resources mean.
fn objects_of_resources(resources: &[&str]) -> Vec<MutatedObjects> {
    const KEEPERS: [&str; 8] = [
        "pods",
        "deployments",
        "statefulsets",
        "daemonsets",
        "replicasets",
        "jobs",
        "cronjobs",
        "replicationcontrollers",
    ];
    let any = |is_meant: &dyn Fn(&str) -> bool| {
        let mut all = resources.iter();
        all.any(|resource| matches!(*resource, "*" | "*/*") || is_meant(resource))
    };
    let found = [
        (MutatedObjects::Pods, any(&|r| KEEPERS.contains(&r))),
        (MutatedObjects::Namespaces, any(&|r| r == "namespaces")),
        (MutatedObjects::Policies, any(&|r| r.ends_with("policies"))),
    ];
    let meant = found.into_iter().filter(|(_, is_meant)| *is_meant);
    meant.map(|(of, _)| of).collect()
}

/// Whether a tree has a word in one of its texts.
fn says(node: &SyntaxNode, word: &str) -> bool {
    node.as_str().is_some_and(|text| text.contains(word))
        || node.items().iter().any(|item| says(item, word))
        || node.entries().iter().any(|e| says(&e.value, word))
}
