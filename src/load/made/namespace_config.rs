//! The namespace configuration operator: texts with the name, the labels and the annotations of
//! each namespace that is selected.

use crate::load::embedded;
use crate::load::made::custom::CustomObject;
use crate::load::made::fill::text_of;
use crate::load::made::generated::{Generation, in_space, is_of_interest};
use crate::load::made::outcome::Made;
use crate::load::made::world::{GeneratorWorld, KnownNamespace};
use crate::model::Truth;
use crate::policy::TaintEffect;
use crate::policy::unmodelled::{TaintNamespaces, TaintReach, label_selector};
use crate::tree;
use crate::tree::SyntaxNode;

/// Namespaces that the operator leaves alone unless an option says otherwise begin like this.
const OF_SYSTEM: [&str; 3] = ["default", "kube-", "openshift"];

/// What a configuration makes.
pub fn made_of(custom: &CustomObject, kind: &str, world: &GeneratorWorld<'_>) -> Option<Made> {
    let spec = custom.node.get("spec")?;
    let templates = spec.get("templates")?.items().iter();
    let texts: Vec<&str> = templates
        .filter_map(|t| text_of(t, "objectTemplate"))
        .collect();
    if !texts.iter().any(|text| embedded::says_policy_kind(text)) {
        return None;
    }
    let mut made = Made::handled();
    if kind != "NamespaceConfig" {
        let everywhere = TaintReach::own(TaintEffect::Anything, [true, true]);
        let everywhere = everywhere.namespaces(TaintNamespaces::All);
        let why = "for groups and users, which are in no manifest";
        made.unknown.push((why.into(), everywhere));
        return Some(made);
    }
    let labelled = label_selector(spec.get("labelSelector"));
    let annotated = label_selector(spec.get("annotationSelector"));
    for space in &world.spaces {
        let of_system = OF_SYSTEM.iter().any(|start| space.name.starts_with(start));
        let allowed = Truth::from(!of_system).or(Truth::Maybe);
        let selected = space
            .selected_by(&labelled)
            .and(space.annotated_by(&annotated));
        let generation = in_space(space, selected.and(allowed));
        if generation.truth.possible() {
            let each = texts.iter();
            each.for_each(|text| template(text, &generation, world, &mut made));
        }
    }
    Some(made)
}

fn template(text: &str, generation: &Generation<'_>, world: &GeneratorWorld<'_>, made: &mut Made) {
    let Some(filled) = filled(text, generation.space) else {
        if embedded::says_policy_kind(text) {
            let why = "its template depends on more than the namespace";
            generation.unknown(why, None, made);
        }
        return;
    };
    let chunks = tree::split(&filled);
    let roots = chunks
        .iter()
        .filter_map(|chunk| tree::parse(&filled, chunk).root);
    for node in roots {
        let listed = node.get("items").map(SyntaxNode::items).unwrap_or_default();
        let objects = listed.iter().chain(node.items()).chain([&node]);
        for object in objects.filter(|object| is_of_interest(object)) {
            if let Some(there) = generation.at(object, world) {
                there.expand(object, made);
            }
        }
    }
}

/// A text with what it asks of a namespace in the place of its expressions.
fn filled(text: &str, space: &KnownNamespace) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (expression, behind) = after.split_once("}}")?;
        filled.push_str(before);
        filled.push_str(value(expression.trim_matches(['-', ' ']), space)?);
        rest = behind;
    }
    filled.push_str(rest);
    Some(filled)
}

/// What an expression says of a namespace: `.Name`, `.Labels.team`, `index .Annotations "a/b"`.
fn value<'s>(expression: &str, space: &'s KnownNamespace) -> Option<&'s str> {
    let (path, key) = match expression.strip_prefix("index ") {
        Some(rest) => {
            let (path, key) = rest.trim().split_once(' ')?;
            (path, key.trim().strip_prefix('"')?.strip_suffix('"')?)
        }
        None => expression.rsplit_once('.')?,
    };
    match path.strip_prefix(".ObjectMeta").unwrap_or(path) {
        "" if key == "Name" => Some(&space.name),
        ".Labels" => space.labels.get(key),
        ".Annotations" => space.facts.annotations.get(key),
        _ => None,
    }
}
