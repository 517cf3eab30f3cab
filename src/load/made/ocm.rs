//! Open Cluster Management: configuration policies, alone or inside a policy that is placed on
//! clusters, which say what objects must be there.
//!
//! Only what is enforced is made. What must not be there is deleted, and what is there already is
//! changed until it fits, so that a policy of the input of that name is no longer known.

use crate::load::embedded;
use crate::load::made::custom::CustomObject;
use crate::load::made::fill::text_of;
use crate::load::made::generated::{Generation, is_like, is_of_interest, is_open};
use crate::load::made::outcome::Made;
use crate::load::made::world::{GeneratorWorld, KnownNamespace, WrittenPolicy};
use crate::model::Truth;
use crate::policy::TaintEffect;
use crate::policy::unmodelled::{TaintNamespaces, TaintReach, label_selector};
use crate::tree;
use crate::tree::SyntaxNode;

/// What is told about a configuration from outside of it.
#[derive(Clone, Copy, Default)]
struct AroundPolicy<'a> {
    /// The action that a policy around it asks for.
    action: Option<&'a str>,
    /// Why it may not be in force.
    unless: Option<&'a str>,
}

/// What a configuration policy makes.
pub fn configuration(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    made_of(&custom.node, AroundPolicy::default(), world)
}

/// A policy: configurations for clusters that are placed elsewhere.
pub fn policy(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let spec = custom.node.get("spec")?;
    let templates = spec.get("policy-templates")?.items().iter();
    let definitions = templates.filter_map(|t| t.get("objectDefinition"));
    let placement = AroundPolicy {
        action: text_of(spec, "remediationAction"),
        unless: Some("on which clusters it is placed is not told"),
    };
    let mut all: Option<Made> = None;
    for definition in definitions.filter(|d| text_of(d, "kind") == Some("ConfigurationPolicy")) {
        if let Some(made) = made_of(definition, placement, world) {
            all.get_or_insert_with(Made::handled).add(made);
        }
    }
    let disabled = spec.get("disabled").and_then(SyntaxNode::as_bool) == Some(true);
    match all {
        Some(_) if disabled => Some(Made::handled()),
        all => all,
    }
}

fn made_of(
    node: &SyntaxNode,
    placement: AroundPolicy<'_>,
    world: &GeneratorWorld<'_>,
) -> Option<Made> {
    let spec = node.get("spec")?;
    let templates = templates(spec);
    let Some(templates) = templates else {
        return raw_unknown(spec, placement);
    };
    let is_meant = |t: &&SyntaxNode| t.get("objectDefinition").is_some_and(is_of_interest);
    let meant: Vec<&SyntaxNode> = templates.iter().filter(is_meant).collect();
    if meant.is_empty() {
        return None;
    }
    let mut made = Made::handled();
    if is_enforced(spec, placement) {
        for template in meant {
            one(template, spec, placement, world, &mut made);
        }
    }
    Some(made)
}

/// The templates of a configuration, written as a list or as a text without expressions.
fn templates(spec: &SyntaxNode) -> Option<Vec<SyntaxNode>> {
    let Some(raw) = text_of(spec, "object-templates-raw") else {
        let listed = spec.get("object-templates").map(SyntaxNode::items);
        return Some(listed.unwrap_or_default().to_vec());
    };
    if raw.contains("{{") {
        return None;
    }
    let chunks = tree::split(raw);
    let roots = chunks
        .iter()
        .filter_map(|chunk| tree::parse(raw, chunk).root);
    Some(roots.flat_map(|root| root.items().to_vec()).collect())
}

/// A text with expressions that says policies: anything anywhere.
fn raw_unknown(spec: &SyntaxNode, placement: AroundPolicy<'_>) -> Option<Made> {
    let raw = text_of(spec, "object-templates-raw").unwrap_or_default();
    if !embedded::says_policy_kind(raw) {
        return None;
    }
    let mut made = Made::handled();
    if is_enforced(spec, placement) {
        let everywhere = TaintReach::own(TaintEffect::Anything, [true, true]);
        let everywhere = everywhere.namespaces(TaintNamespaces::All);
        let why = "its templates are filled in on the cluster";
        made.unknown.push((why.into(), everywhere));
    }
    Some(made)
}

/// Whether a configuration changes anything: a policy around it decides, where that says so.
fn is_enforced(spec: &SyntaxNode, placement: AroundPolicy<'_>) -> bool {
    let action = placement
        .action
        .or_else(|| text_of(spec, "remediationAction"));
    let disabled = spec.get("disabled").and_then(SyntaxNode::as_bool) == Some(true);
    action.is_some_and(|action| action.eq_ignore_ascii_case("enforce")) && !disabled
}

/// What one template of a configuration makes.
fn one(
    template: &SyntaxNode,
    spec: &SyntaxNode,
    placement: AroundPolicy<'_>,
    world: &GeneratorWorld<'_>,
    made: &mut Made,
) {
    let Some(definition) = template.get("objectDefinition") else {
        return;
    };
    let compliance = text_of(template, "complianceType").unwrap_or_default();
    let is_wanted = !compliance.eq_ignore_ascii_case("mustnothave");
    let metadata = definition.get("metadata");
    let own = metadata.and_then(|m| text_of(m, "namespace"));
    let name = metadata.and_then(|m| text_of(m, "name"));
    for space in &world.spaces {
        let truth = match own {
            Some(name) if is_open_text(name) => Truth::Maybe,
            Some(name) => Truth::from(*space.name == *name),
            None => selected(spec.get("namespaceSelector"), space),
        };
        let generation = Generation {
            space,
            truth,
            unless: placement.unless.map(str::to_owned),
        };
        if !truth.possible() {
            continue;
        }
        if is_wanted {
            generation.expand(definition, made);
            continue;
        }
        let named = |p: &&WrittenPolicy| {
            name.is_none_or(|name| *p.policy.name == *name || is_open_text(name))
        };
        let written = world.policies.iter().filter(|p| p.namespace == space.name);
        for written in written.filter(named) {
            let reach = TaintReach::own(TaintEffect::UnorderedTier, written.policy.applies);
            let why = "it deletes a policy of the input".to_owned();
            made.unknown.push((why, reach.named([&*space.name])));
        }
    }
}

fn is_open_text(text: &str) -> bool {
    text.contains("{{")
}

/// Whether a selector of Open Cluster Management selects a namespace.
fn selected(selector: Option<&SyntaxNode>, space: &KnownNamespace) -> Truth {
    let Some(selector) = selector else {
        return Truth::No;
    };
    if is_open(selector) {
        return Truth::Maybe;
    }
    let listed = |key: &str| {
        let items = selector.get(key).map(SyntaxNode::items).unwrap_or_default();
        let mut patterns = items.iter().filter_map(SyntaxNode::as_str);
        patterns.any(|pattern| is_like(&space.name, pattern))
    };
    let has = |key: &str| selector.get(key).is_some();
    let labelled = has("matchLabels") || has("matchExpressions");
    let named = if has("include") {
        listed("include")
    } else {
        labelled
    };
    let labels = if labelled {
        space.selected_by(&label_selector(Some(selector)))
    } else {
        Truth::Yes
    };
    Truth::from(named && !listed("exclude")).and(labels)
}
