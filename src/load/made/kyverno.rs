//! Kyverno's rules that generate policies: `data`, `clone`, `cloneList` and `foreach`, for the
//! Namespaces of the input that a rule matches.
//!
//! A Namespace that was there before the rule has the policy only with `generateExisting`; of a
//! Namespace of the input the order is not told. Variables are filled in as far as they are about
//! the Namespace's name and labels.

use crate::load::made::custom::CustomObject;
use crate::load::made::fill::text_of;
use crate::load::made::generated::{Generation, is_like, is_open};
use crate::load::made::outcome::Made;
use crate::load::made::world::{GeneratorWorld, KnownNamespace};
use crate::model::Truth;
use crate::policy::unmodelled::label_selector;
use crate::tree::{SyntaxNode, Value};

/// What the rules of a policy of Kyverno generate; `None` where none of them generates policies,
/// or it cannot be told in which namespaces.
pub fn made_of(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let spec = custom.node.get("spec")?;
    let rules = spec.get("rules").map(SyntaxNode::items).unwrap_or_default();
    let mut made = Made::handled();
    let mut any = false;
    for rule in rules {
        let Some(generate) = rule.get("generate").filter(|g| generates_policies(g)) else {
            continue;
        };
        any = true;
        let existing = |of: &SyntaxNode| {
            let keys = ["generateExisting", "generateExistingOnPolicyUpdate"];
            keys.iter().find_map(|key| of.get(key)?.as_bool())
        };
        let existing = existing(generate).or_else(|| existing(spec)) == Some(true);
        for space in &world.spaces {
            let truth = matched(rule, space)?;
            if truth.possible() {
                let unless = (!existing).then(|| {
                    format!(
                        "a namespace that is older than {} has none without generateExisting",
                        custom.full_name()
                    )
                });
                let generation = Generation {
                    space,
                    truth,
                    unless,
                };
                generate_in(generate, &generation, world, &mut made)?;
            }
        }
    }
    any.then_some(made)
}

/// Whether a rule generates policies.
fn generates_policies(generate: &SyntaxNode) -> bool {
    let parts = generate
        .get("foreach")
        .map(SyntaxNode::items)
        .unwrap_or_default();
    let own = text_of(generate, "kind") == Some("NetworkPolicy");
    let listed = generate.get("cloneList").and_then(|list| list.get("kinds"));
    let kinds = listed.map(SyntaxNode::items).unwrap_or_default().iter();
    own || kinds
        .filter_map(SyntaxNode::as_str)
        .any(|kind| kind.ends_with("NetworkPolicy"))
        || parts.iter().any(generates_policies)
}

/// Whether a rule matches the creation of a namespace; `None` where it is about other objects.
fn matched(rule: &SyntaxNode, space: &KnownNamespace) -> Option<Truth> {
    let wanted = blocks(rule.get("match")?, space)?;
    let excluded = match rule.get("exclude") {
        Some(exclude) => blocks(exclude, space).unwrap_or(Truth::No),
        None => Truth::No,
    };
    let decided = rule
        .get("preconditions")
        .is_none_or(|p| p.items().is_empty() && p.entries().is_empty());
    let conditions = Truth::from(decided).or(Truth::Maybe);
    Some(wanted.and(excluded.not()).and(conditions))
}

/// Whether the filters of a `match` or `exclude` match a namespace.
fn blocks(filters: &SyntaxNode, space: &KnownNamespace) -> Option<Truth> {
    let list = |key: &str| filters.get(key).map(SyntaxNode::items).unwrap_or_default();
    let (any, all) = (list("any"), list("all"));
    if any.is_empty() && all.is_empty() {
        return filter(filters, space);
    }
    let about_other_kinds = |list: &[SyntaxNode]| list.iter().all(|f| filter(f, space).is_none());
    if about_other_kinds(any) && about_other_kinds(all) {
        return None;
    }
    let truth = |one: &SyntaxNode| filter(one, space).unwrap_or(Truth::No);
    Some(if any.is_empty() {
        all.iter().map(truth).fold(Truth::Yes, Truth::and)
    } else {
        any.iter().map(truth).fold(Truth::No, Truth::or)
    })
}

/// Whether one filter matches a namespace; `None` where it is about objects of other kinds.
fn filter(filter: &SyntaxNode, space: &KnownNamespace) -> Option<Truth> {
    let by_whom = ["subjects", "roles", "clusterRoles"];
    let asks_whom = by_whom.iter().any(|key| filter.get(key).is_some());
    let by_whom = Truth::from(!asks_whom).or(Truth::Maybe);
    let Some(resources) = filter.get("resources") else {
        return asks_whom.then_some(Truth::Maybe);
    };
    let words = |key: &str| -> Vec<&str> {
        let items = resources
            .get(key)
            .map(SyntaxNode::items)
            .unwrap_or_default();
        items.iter().filter_map(SyntaxNode::as_str).collect()
    };
    let kinds = words("kinds");
    let is_namespace =
        |kind: &&str| matches!(*kind, "Namespace" | "v1/Namespace" | "*/Namespace" | "*");
    if !kinds.is_empty() && !kinds.iter().any(is_namespace) {
        return None;
    }
    let mut names = words("names");
    names.extend(text_of(resources, "name"));
    names.extend(words("namespaces"));
    let named = names.is_empty() || names.iter().any(|pattern| is_like(&space.name, pattern));
    let mut truth = Truth::from(named).and(by_whom);
    for key in ["selector", "namespaceSelector"] {
        if let Some(selector) = resources.get(key) {
            truth = truth.and(selected(selector, space));
        }
    }
    let annotated = resources.get("annotations").is_some();
    Some(truth.and(Truth::from(!annotated).or(Truth::Maybe)))
}

/// Whether a selector, in which values may be patterns, selects a namespace.
fn selected(selector: &SyntaxNode, space: &KnownNamespace) -> Truth {
    let entries = selector
        .get("matchLabels")
        .map(SyntaxNode::entries)
        .unwrap_or_default();
    let is_pattern = |text: &str| text.contains(['*', '?']);
    let any_pattern = entries
        .iter()
        .any(|e| is_pattern(&e.key) || e.value.as_str().is_some_and(is_pattern));
    if !any_pattern {
        return space.selected_by(&label_selector(Some(selector)));
    }
    if !space.declared || selector.get("matchExpressions").is_some() {
        return Truth::Maybe;
    }
    let has = |entry: &crate::tree::Entry| {
        let pattern = entry.value.as_str().unwrap_or_default();
        let mut labels = space.labels.iter();
        labels.any(|(key, value)| is_like(key, &entry.key) && is_like(value, pattern))
    };
    Truth::from(entries.iter().all(has))
}

/// What a rule generates in a namespace that it matches; `None` where it cannot be told where.
fn generate_in(
    generate: &SyntaxNode,
    generation: &Generation<'_>,
    world: &GeneratorWorld<'_>,
    made: &mut Made,
) -> Option<()> {
    for part in generate
        .get("foreach")
        .map(SyntaxNode::items)
        .unwrap_or_default()
    {
        match elements(text_of(part, "list"), generation.space) {
            Some(elements) => {
                for element in elements {
                    one(part, Some(&element), generation, world, made)?;
                }
            }
            None => generation.unknown("a list that is known only at run time", None, made),
        }
    }
    if generate.get("foreach").is_some() {
        return Some(());
    }
    one(generate, None, generation, world, made)
}

fn one(
    generate: &SyntaxNode,
    element: Option<&str>,
    generation: &Generation<'_>,
    world: &GeneratorWorld<'_>,
    made: &mut Made,
) -> Option<()> {
    let space = generation.space;
    let filled = |text: &str| variables(text, space, element);
    if let Some(list) = generate.get("cloneList") {
        clone_list(list, generation, world, made);
        return Some(());
    }
    let namespace = filled(text_of(generate, "namespace")?)?;
    let target = world.spaces.iter().find(|s| *s.name == *namespace);
    let elsewhere = Generation {
        space: target?,
        truth: generation.truth,
        unless: generation.unless.clone(),
    };
    let generation = &elsewhere;
    let name = text_of(generate, "name").and_then(filled);
    if let Some(clone) = generate.get("clone") {
        let from = |key: &str| text_of(clone, key).and_then(filled);
        let source = from("namespace").zip(from("name"));
        let source = source.and_then(|(namespace, name)| world.policy(&namespace, &name));
        match (source, name) {
            (Some(source), Some(name)) => generation.copy(source, &name, made),
            _ => generation.unknown("the source of a clone is not in the input", None, made),
        }
        return Some(());
    }
    let spec = generate.get("data").and_then(|data| data.get("spec"));
    let Some(spec) = spec else {
        generation.unknown("its rules are not written out", None, made);
        return Some(());
    };
    let known = filled_tree(spec, space, element);
    match name.filter(|_| !is_open(&known)) {
        Some(name) => generation.policy(&name, known, made),
        None => generation.unknown(
            "its rules depend on what is known only at run time",
            Some(&known),
            made,
        ),
    }
    Some(())
}

/// The policies of the source of a list of clones.
fn clone_list(
    list: &SyntaxNode,
    generation: &Generation<'_>,
    world: &GeneratorWorld<'_>,
    made: &mut Made,
) {
    let source = text_of(list, "namespace").filter(|n| !n.contains("{{"));
    let (Some(source), None) = (source, list.get("selector")) else {
        generation.unknown(
            "which policies are cloned cannot be told from the input",
            None,
            made,
        );
        return;
    };
    let policies = world.policies.iter().filter(|p| *p.namespace == *source);
    for policy in policies {
        generation.copy(policy, &policy.policy.name, made);
    }
}

/// A text with its variables filled in, as far as they are about the namespace.
fn variables(text: &str, space: &KnownNamespace, element: Option<&str>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (variable, behind) = after.split_once("}}")?;
        filled.push_str(before);
        filled.push_str(&variable_of(variable.trim(), space, element)?);
        rest = behind;
    }
    filled.push_str(rest);
    Some(filled)
}

fn variable_of(variable: &str, space: &KnownNamespace, element: Option<&str>) -> Option<String> {
    if variable == "element" {
        return element.map(str::to_owned);
    }
    let path = variable.strip_prefix("request.object.metadata.")?;
    if path == "name" {
        return Some(space.name.to_string());
    }
    let key = label_key(path)?;
    space.labels.get(key).map(str::to_owned)
}

/// The key of a label: `labels.team`, `labels."a/b"`, `labels['a/b']`.
fn label_key(path: &str) -> Option<&str> {
    let key = path.strip_prefix("labels")?;
    let key = key.strip_prefix('.').unwrap_or(key);
    let quoted = [("\"", "\""), ("['", "']"), ("[\"", "\"]"), ("\\\"", "\\\"")];
    let inner = quoted
        .iter()
        .find_map(|(open, close)| key.strip_prefix(open)?.strip_suffix(close));
    let key = inner.unwrap_or(key);
    (!key.contains(['|', '(', ' '])).then_some(key)
}

/// The elements of a list: a label of the namespace that is split, or a literal list.
fn elements(list: Option<&str>, space: &KnownNamespace) -> Option<Vec<String>> {
    let list = list?.trim();
    let list = list
        .strip_prefix("{{")
        .and_then(|l| l.strip_suffix("}}"))
        .unwrap_or(list)
        .trim();
    if let Some(literal) = list.strip_prefix('`').and_then(|l| l.strip_suffix('`')) {
        return serde_json::from_str(literal).ok();
    }
    if list.starts_with('[') {
        return serde_json::from_str(&list.replace('\'', "\"")).ok();
    }
    let (path, split) = list.split_once('|')?;
    let separator = split.trim().strip_prefix("split(@,")?.strip_suffix(')')?;
    let separator = separator.trim().trim_matches(['\'', '"']);
    let key = label_key(path.trim().strip_prefix("request.object.metadata.")?)?;
    let value = space.labels.get(key)?;
    Some(value.split(separator).map(str::to_owned).collect())
}

/// A tree with its variables filled in; what cannot be filled in stays as it is.
fn filled_tree(node: &SyntaxNode, space: &KnownNamespace, element: Option<&str>) -> SyntaxNode {
    let mut filled = node.clone();
    match &mut filled.value {
        Value::String(text) => {
            if let Some(known) = variables(text, space, element) {
                *text = known.into();
            }
        }
        Value::Sequence(items) => {
            let each = items.iter_mut();
            each.for_each(|item| *item = filled_tree(item, space, element));
        }
        Value::Mapping(entries) => entries.iter_mut().for_each(|entry| {
            if let Some(known) = variables(&entry.key, space, element) {
                entry.key = known.into();
            }
            entry.value = filled_tree(&entry.value, space, element);
        }),
        _ => {}
    }
    filled
}
