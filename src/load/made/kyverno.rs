//! Kyverno's rules that generate policies: `data`, `clone`, `cloneList` and `foreach`, for the
//! Namespaces of the input that a rule matches.
//!
//! A Namespace that was there before the rule has the policy only with `generateExisting`; of a
//! Namespace of the input the order is not told. A rule that other objects set off, or that makes
//! policies of other kinds, leaves unknown what these can touch.

use crate::load::embedded;
use crate::load::made::custom::CustomObject;
use crate::load::made::fill::text_of;
use crate::load::made::generated::{Generation, is_open, noted};
use crate::load::made::kyverno_match::{has_other_kinds, matched};
use crate::load::made::kyverno_variables::Variables;
use crate::load::made::outcome::Made;
use crate::load::made::world::{GeneratorWorld, WrittenPolicy};
use crate::model::Truth;
use crate::policy::dialects;
use crate::policy::unmodelled::label_selector;
use crate::tree::SyntaxNode;

/// Why a rule is not expanded.
const BY_OTHERS: &str = "for objects that are made later";

/// What the rules of a policy of Kyverno generate; `None` where none of them generates policies.
pub fn made_of(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let spec = custom.node.get("spec")?;
    let rules = spec.get("rules").map(SyntaxNode::items).unwrap_or_default();
    let generating = |rule: &&SyntaxNode| rule.get("generate").is_some_and(generates_policies);
    let generating: Vec<&SyntaxNode> = rules.iter().filter(generating).collect();
    if generating.is_empty() {
        return None;
    }
    let mut made = Made::handled();
    for rule in generating {
        if &*custom.kind == "Policy" {
            of_namespace(rule, custom, &mut made);
        } else if of_cluster(rule, spec, custom, world, &mut made).is_none() {
            not_expanded(rule, world, &mut made);
        }
    }
    Some(made)
}

/// A rule of a policy of one namespace is set off by objects there, and makes others there.
fn of_namespace(rule: &SyntaxNode, custom: &CustomObject, made: &mut Made) {
    let held = embedded::policies(rule).into_iter();
    for reach in held.flat_map(|(_, reaches)| reaches) {
        let here = reach.named([&*custom.namespace]);
        made.unknown.push((BY_OTHERS.to_owned(), here));
    }
}

/// A rule that is not expanded: it can touch the namespaces that it makes something in, as far as
/// the namespaces that it matches tell them.
fn not_expanded(rule: &SyntaxNode, world: &GeneratorWorld<'_>, made: &mut Made) {
    let truths = world.spaces.iter().map(|space| {
        let is_told = !has_other_kinds(rule, space);
        Some((space, matched(rule, space).filter(|_| is_told)?))
    });
    let Some(truths) = truths.collect::<Option<Vec<_>>>() else {
        return noted(BY_OTHERS, rule, made);
    };
    for (space, _) in truths.into_iter().filter(|(_, truth)| truth.possible()) {
        let filled = Variables::new(rule, space).fill_tree(rule);
        noted("policies that are not expanded", &filled, made);
    }
}

/// What a rule of the cluster makes; `None` where it cannot be told in which namespaces.
fn of_cluster(
    rule: &SyntaxNode,
    spec: &SyntaxNode,
    custom: &CustomObject,
    world: &GeneratorWorld<'_>,
    made: &mut Made,
) -> Option<()> {
    let generate = rule.get("generate").filter(|g| makes_plain_policies(g))?;
    let existing = |of: &SyntaxNode| {
        let keys = ["generateExisting", "generateExistingOnPolicyUpdate"];
        keys.iter().find_map(|key| of.get(key)?.as_bool())
    };
    let existing = existing(generate).or_else(|| existing(spec)) == Some(true);
    let one_rule_only = text_of(spec, "applyRules") == Some("One");
    let mut rule_made = Made::default();
    for space in &world.spaces {
        if has_other_kinds(rule, space) {
            return None;
        }
        let truth = matched(rule, space)?;
        let truth = truth.and(Truth::from(!one_rule_only).or(Truth::Maybe));
        if truth.possible() {
            let unless = doubt(generate, existing, custom);
            let generation = Generation {
                space,
                truth,
                unless,
            };
            let variables = Variables::new(rule, space);
            generate_in(generate, &variables, &generation, world, &mut rule_made)?;
        }
    }
    made.add(rule_made);
    Some(())
}

/// Why what a rule generates may not be there as it is written, although the rule matches.
fn doubt(generate: &SyntaxNode, existing: bool, custom: &CustomObject) -> Option<String> {
    let by = custom.full_name();
    if !existing {
        let older =
            format!("a namespace that is older than {by} has none without generateExisting");
        return Some(older);
    }
    let is_kept = generate.get("synchronize").and_then(SyntaxNode::as_bool) == Some(true);
    let changed = || format!("what {by} made without synchronize may be changed or deleted since");
    (!is_kept).then(changed)
}

/// The kinds of which a rule generates objects.
fn kinds(generate: &SyntaxNode) -> Vec<&str> {
    let parts = generate.get("foreach").map(SyntaxNode::items);
    let listed = generate.get("cloneList").and_then(|list| list.get("kinds"));
    let listed = listed.map(SyntaxNode::items).unwrap_or_default().iter();
    let listed = listed.filter_map(SyntaxNode::as_str);
    let listed = listed.map(|kind| kind.rsplit('/').next().unwrap_or(kind));
    let inner = parts.unwrap_or_default().iter().flat_map(kinds);
    let own = text_of(generate, "kind").into_iter();
    own.chain(listed).chain(inner).collect()
}

/// Whether a rule generates policies.
fn generates_policies(generate: &SyntaxNode) -> bool {
    let kinds = kinds(generate);
    let open = |kind: &&str| dialects::may_be_policy_kind(kind) || kind.contains("{{");
    kinds.iter().any(open)
}

/// Whether all policies that a rule generates are plain ones.
fn makes_plain_policies(generate: &SyntaxNode) -> bool {
    let kinds = kinds(generate);
    let mut others = kinds.iter().filter(|kind| **kind != "NetworkPolicy");
    !others.any(|kind| dialects::may_be_policy_kind(kind) || kind.contains("{{"))
}

/// What a rule generates in a namespace that it matches; `None` where it cannot be told where.
fn generate_in(
    generate: &SyntaxNode,
    variables: &Variables<'_>,
    generation: &Generation<'_>,
    world: &GeneratorWorld<'_>,
    made: &mut Made,
) -> Option<()> {
    let Some(parts) = generate.get("foreach").map(SyntaxNode::items) else {
        return one(generate, variables, generation, world, made);
    };
    for part in parts {
        let Some(elements) = variables.elements(text_of(part, "list")) else {
            generation.unknown("a list that is known only at run time", None, made);
            continue;
        };
        for element in elements {
            let variables = variables.within(part, element);
            let truth = generation
                .truth
                .and(variables.hold(part.get("preconditions")));
            if truth.possible() {
                let generation = Generation {
                    space: generation.space,
                    truth,
                    unless: generation.unless.clone(),
                };
                one(part, &variables, &generation, world, made)?;
            }
        }
    }
    Some(())
}

fn one(
    generate: &SyntaxNode,
    variables: &Variables<'_>,
    generation: &Generation<'_>,
    world: &GeneratorWorld<'_>,
    made: &mut Made,
) -> Option<()> {
    let filled = |text: &str| variables.fill(text);
    let namespace = filled(text_of(generate, "namespace")?)?;
    let generation = &Generation {
        space: world.space(&namespace)?,
        truth: generation.truth,
        unless: generation.unless.clone(),
    };
    if let Some(list) = generate.get("cloneList") {
        clone_list(list, variables, generation, world, made);
        return Some(());
    }
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
    let known = variables.fill_tree(spec);
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
    variables: &Variables<'_>,
    generation: &Generation<'_>,
    world: &GeneratorWorld<'_>,
    made: &mut Made,
) {
    let source = text_of(list, "namespace").and_then(|name| variables.fill(name));
    let selector = label_selector(
        list.get("selector")
            .map(|s| variables.fill_tree(s))
            .as_ref(),
    );
    let of_source = |p: &&WrittenPolicy| Some(&*p.namespace) == source.as_deref();
    let in_source = world.policies.iter().filter(of_source);
    let meant: Vec<_> = in_source
        .filter(|p| selector.matches(&p.facts.labels))
        .collect();
    if meant.is_empty() {
        let why = "which policies are cloned cannot be told from the input";
        generation.unknown(why, None, made);
    }
    for policy in meant {
        generation.copy(policy, &policy.policy.name, made);
    }
}
