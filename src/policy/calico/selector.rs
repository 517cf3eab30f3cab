//! Whom an [`LabelExpression`] selects: pods as a selector of namespaces and one of labels, and
//! things that have labels of their own (CA14-CA19, CA29-CA32).
//!
//! Calico gives a pod labels besides its own: those of its namespace as `pcns.k`, those of its
//! service account as `pcsa.k`, and a few of what it is. A part of a conjunction that asks for the
//! namespace alone becomes a selector over namespaces; what is left of such keys in other places is
//! asked of labels that [`super::labels`] adds to pods.

use crate::model::open_labels::perhaps;
use crate::model::{Labels, NAMESPACE_NAME_LABEL, Pattern, Requirement, Selector, Truth};
use crate::policy::calico::expression::LabelExpression;
use crate::policy::rule::Namespaces;
use std::collections::BTreeMap;

/// How keys begin that stand for labels of the namespace.
pub const OF_NAMESPACE: &str = "pcns.";
/// How keys begin that stand for labels of the service account.
pub const OF_ACCOUNT: &str = "pcsa.";
/// The label that names the namespace of what is in one.
pub const NAMESPACE: &str = "projectcalico.org/namespace";
/// The label that names what runs a pod.
pub const ORCHESTRATOR: &str = "projectcalico.org/orchestrator";
/// The label that names the service account.
pub const ACCOUNT: &str = "projectcalico.org/serviceaccount";
/// The key under which a namespace or an account is known by its name.
pub const NAME: &str = "projectcalico.org/name";
/// What runs every pod (CA14).
pub const KUBERNETES: &str = "k8s";

/// Both, flat.
pub fn both(parts: Vec<LabelExpression>) -> LabelExpression {
    let mut flat = Vec::new();
    for part in parts {
        match part {
            LabelExpression::All => {}
            LabelExpression::And(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    match flat.len() {
        0 => LabelExpression::All,
        1 => flat.pop().unwrap_or(LabelExpression::All),
        _ => LabelExpression::And(flat),
    }
}

/// A selector over namespaces, as one over what is in them (CA52, CA55).
pub fn of_namespaces(expression: &LabelExpression) -> LabelExpression {
    attached(expression, OF_NAMESPACE, NAMESPACE)
}

/// A selector over service accounts, as one over what runs as them (CA53, CA57).
pub fn of_accounts(expression: &LabelExpression) -> LabelExpression {
    attached(expression, OF_ACCOUNT, ACCOUNT)
}

fn attached(expression: &LabelExpression, prefix: &str, within: &str) -> LabelExpression {
    let key = |key: &str| format!("{prefix}{key}").into();
    expression.mapped(&key, &|word| scoped(word, within))
}

/// `all()` as anything in a namespace, `global()` as anything in none.
fn scoped(word: &LabelExpression, within: &str) -> LabelExpression {
    let has = LabelExpression::Has(within.into());
    match word {
        LabelExpression::Global => LabelExpression::Not(Box::new(has)),
        _ => has,
    }
}

/// The same expression with `all()` as anything in a namespace (CA52).
pub fn within_namespaces(expression: &LabelExpression) -> LabelExpression {
    expression.mapped(&|key| key.into(), &|word| scoped(word, NAMESPACE))
}

/// The same expression with `all()` as anything that runs as a service account (CA53).
pub fn within_accounts(expression: &LabelExpression) -> LabelExpression {
    expression.mapped(&|key| key.into(), &|word| scoped(word, ACCOUNT))
}

/// The pods that an expression selects.
pub fn pods(expression: &LabelExpression) -> (Namespaces, Selector) {
    let (mut namespaces, mut own) = (Vec::new(), Vec::new());
    let parts = match expression {
        LabelExpression::And(parts) => &parts[..],
        other => std::slice::from_ref(other),
    };
    for part in parts {
        let part = told_of_pods(part);
        if asks_namespace_alone(&part) {
            let renamed = part.mapped(&namespace_key, &Clone::clone);
            add_requirements(&renamed, false, &mut namespaces);
        } else {
            add_requirements(&part, false, &mut own);
        }
    }
    (named(Selector::new(namespaces)), Selector::new(own))
}

/// A selector that asks for one name, as the namespace of that name.
fn named(selector: Selector) -> Namespaces {
    if let [Requirement::In(key, values)] = selector.requirements()
        && let ([name], NAMESPACE_NAME_LABEL) = (&values[..], &**key)
    {
        return Namespaces::Named(name.clone());
    }
    Namespaces::Matching(selector)
}

/// An expression where what is told of every pod is no question any more.
fn told_of_pods(expression: &LabelExpression) -> LabelExpression {
    let holds = |yes: bool| {
        if yes {
            LabelExpression::All
        } else {
            LabelExpression::Not(Box::new(LabelExpression::All))
        }
    };
    let each = |parts: &[LabelExpression]| parts.iter().map(told_of_pods).collect();
    match expression {
        LabelExpression::Not(inner) => LabelExpression::Not(Box::new(told_of_pods(inner))),
        LabelExpression::And(parts) => LabelExpression::And(each(parts)),
        LabelExpression::Or(parts) => LabelExpression::Or(each(parts)),
        LabelExpression::Global => LabelExpression::All,
        leaf if leaf_key(leaf) == Some(ORCHESTRATOR) => {
            let labels = [(ORCHESTRATOR, KUBERNETES)].into_iter().collect();
            holds(selector(leaf).matches(&labels))
        }
        leaf => leaf.clone(),
    }
}

fn leaf_key(leaf: &LabelExpression) -> Option<&str> {
    let mut found = None;
    leaf.visit_keys(&mut |key| found = Some(key));
    found
}

/// Whether an expression asks for labels of the namespace, and for nothing else.
fn asks_namespace_alone(expression: &LabelExpression) -> bool {
    let (mut any, mut all) = (false, true);
    expression.visit_keys(&mut |key| {
        any = true;
        all &= key == NAMESPACE || key.starts_with(OF_NAMESPACE);
    });
    any && all
}

/// The key of a label of a namespace, seen from what is in it.
fn namespace_key(key: &str) -> Box<str> {
    match key.strip_prefix(OF_NAMESPACE) {
        Some(NAME) | None => NAMESPACE_NAME_LABEL.into(),
        Some(own) => own.into(),
    }
}

/// An expression as a selector over labels.
pub fn selector(expression: &LabelExpression) -> Selector {
    let mut requirements = Vec::new();
    add_requirements(expression, false, &mut requirements);
    Selector::new(requirements)
}

/// What a pattern requires of a label, or what its negation does.
fn like(key: &str, pattern: Pattern, negated: bool) -> Requirement {
    let like = Requirement::Like(key.into(), pattern);
    if negated {
        Requirement::Not(Selector::new([like]))
    } else {
        like
    }
}

/// What no label set meets.
fn never() -> Requirement {
    Requirement::AnyOf(Vec::new())
}

/// Adds what an expression requires, or what its negation does: all of it must hold.
fn add_requirements(expression: &LabelExpression, negated: bool, into: &mut Vec<Requirement>) {
    let like = |key: &str, pattern: Pattern| like(key, pattern, negated);
    match expression {
        LabelExpression::All | LabelExpression::Global if negated => into.push(never()),
        LabelExpression::All | LabelExpression::Global => {}
        LabelExpression::Has(key) if negated => into.push(Requirement::DoesNotExist(key.clone())),
        LabelExpression::Has(key) => into.push(Requirement::Exists(key.clone())),
        LabelExpression::In(key, values) => into.push(listed(key, values, !negated)),
        LabelExpression::NotIn(key, values) => into.push(listed(key, values, negated)),
        LabelExpression::Contains(key, part) => {
            into.push(like(key, Pattern::Contains(part.clone())));
        }
        LabelExpression::StartsWith(key, part) => {
            into.push(like(key, Pattern::StartsWith(part.clone())));
        }
        LabelExpression::EndsWith(key, part) => {
            into.push(like(key, Pattern::EndsWith(part.clone())));
        }
        LabelExpression::Not(inner) => add_requirements(inner, !negated, into),
        LabelExpression::And(parts) if !negated => {
            parts
                .iter()
                .for_each(|part| add_requirements(part, false, into));
        }
        LabelExpression::Or(parts) if negated => {
            parts
                .iter()
                .for_each(|part| add_requirements(part, true, into));
        }
        LabelExpression::And(parts) | LabelExpression::Or(parts) => add_any(parts, negated, into),
    }
}

fn listed(key: &str, values: &[Box<str>], within: bool) -> Requirement {
    if within {
        Requirement::In(key.into(), values.to_vec())
    } else {
        Requirement::NotIn(key.into(), values.to_vec())
    }
}

/// Adds that one of these holds; lists of values of one key are one list.
fn add_any(parts: &[LabelExpression], negated: bool, into: &mut Vec<Requirement>) {
    let mut lists: BTreeMap<Box<str>, Vec<Box<str>>> = BTreeMap::new();
    let mut others = Vec::new();
    for part in parts {
        let mut requirements = Vec::new();
        add_requirements(part, negated, &mut requirements);
        match &mut requirements[..] {
            [] => return, // it always holds
            [Requirement::In(key, values)] => {
                lists.entry(key.clone()).or_default().append(values);
            }
            [Requirement::AnyOf(inner)] => others.append(inner),
            _ => others.push(Selector::new(requirements)),
        }
    }
    let lists = lists.into_iter();
    let lists = lists.map(|(key, values)| Selector::new([Requirement::In(key, values)]));
    let mut all: Vec<Selector> = lists.chain(others).collect();
    all.sort();
    all.dedup();
    match &all[..] {
        [only] => into.extend(only.requirements().iter().cloned()),
        _ => into.push(Requirement::AnyOf(all)),
    }
}

/// Whether something with labels of its own is selected: a network set or a host endpoint. Of a
/// namespace that is only named nothing but the name is known.
pub fn selects_thing(
    expression: &LabelExpression,
    own: &Labels,
    namespace: Option<(&str, Option<&Labels>)>,
) -> Truth {
    let mut pairs: BTreeMap<String, String> = BTreeMap::new();
    let is_made = |key: &str| key.starts_with(OF_NAMESPACE) || key.starts_with(OF_ACCOUNT);
    let kept = own.iter().filter(|(key, _)| !is_made(key));
    pairs.extend(kept.map(|(k, v)| (k.to_owned(), v.to_owned())));
    if let Some((name, labels)) = namespace {
        match labels {
            Some(labels) => pairs.extend(labels.iter().map(|(k, v)| {
                let key = format!("{OF_NAMESPACE}{k}");
                (key, v.to_owned())
            })),
            None => expression.visit_keys(&mut |key| {
                if key.starts_with(OF_NAMESPACE) {
                    pairs.insert(key.to_owned(), perhaps(""));
                }
            }),
        }
        let metadata = format!("{OF_NAMESPACE}{NAMESPACE_NAME_LABEL}");
        pairs.insert(metadata, name.to_owned());
        pairs.insert(format!("{OF_NAMESPACE}{NAME}"), name.to_owned());
        pairs.insert(NAMESPACE.to_owned(), name.to_owned());
    }
    selector(expression).selects(&pairs.into_iter().collect())
}
