//! Which Namespaces a rule of Kyverno matches: by kind, name, labels, annotations and operation, in
//! blocks of `any` and `all`, less what it excludes, where its preconditions hold.

use crate::load::made::fill::text_of;
use crate::load::made::generated::is_like;
use crate::load::made::kyverno_variables::Variables;
use crate::load::made::world::KnownNamespace;
use crate::model::Truth;
use crate::policy::unmodelled::label_selector;
use crate::tree::{Entry, SyntaxNode};

/// Whether a rule matches the creation of a namespace; `None` where it is about other objects.
pub fn matched(rule: &SyntaxNode, space: &KnownNamespace) -> Option<Truth> {
    let wanted = blocks(rule.get("match")?, space)?;
    let excluded = match rule.get("exclude") {
        Some(exclude) => blocks(exclude, space).unwrap_or(Truth::No),
        None => Truth::No,
    };
    let conditions = Variables::new(rule, space).hold(rule.get("preconditions"));
    Some(wanted.and(excluded.not()).and(conditions))
}

/// Whether a rule may be set off by objects of other kinds as well.
pub fn has_other_kinds(rule: &SyntaxNode, space: &KnownNamespace) -> bool {
    let any = rule.get("match").and_then(|m| m.get("any"));
    let mut filters = any.map(SyntaxNode::items).unwrap_or_default().iter();
    filters.any(|f| filter(f, space).is_none())
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
    let annotations = resources.get("annotations").map(SyntaxNode::entries);
    for entry in annotations.unwrap_or_default() {
        truth = truth.and(annotated(entry, space));
    }
    let operations = words("operations");
    let creates = operations.is_empty() || operations.contains(&"CREATE");
    Some(truth.and(Truth::from(creates).or(Truth::Maybe)))
}

/// Whether a namespace has an annotation that a pattern describes.
fn annotated(pattern: &Entry, space: &KnownNamespace) -> Truth {
    let value = pattern.value.as_str().unwrap_or("*");
    let mut annotations = space.facts.annotations.iter();
    let has = annotations.any(|(key, said)| is_like(key, &pattern.key) && is_like(said, value));
    Truth::from(has).or(Truth::from(!space.declared).and(Truth::Maybe))
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
    let has = |entry: &Entry| {
        let pattern = entry.value.as_str().unwrap_or_default();
        let mut labels = space.labels.iter();
        labels.any(|(key, value)| is_like(key, &entry.key) && is_like(value, pattern))
    };
    Truth::from(entries.iter().all(has))
}
