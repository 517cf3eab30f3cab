//! Objects of other kinds -> what their controllers make of them: pods, Services, policies.
//!
//! Phases of [`derive`]: the objects of kinds that make something are taken out ([`CustomObject`]);
//! each is asked for the rows of its kind ([`by_rows`]), or for the pod templates that it holds
//! ([`crate::load::made::shape`]); what comes out is left away where the input has it already, and
//! otherwise becomes a [`LoadedObject`] with the document of the object that it is made from.
//!
//! Invariant: what an object makes depends on the objects of the input alone, not on their order.
//! Cost: O(rows of its kind) for each object.

use crate::input::Mention;
use crate::load::assembly::{Assembly, count};
use crate::load::doors::unread;
use crate::load::made::custom::{CustomObject, each, parsed};
use crate::load::made::expression::ExpressionScope;
use crate::load::made::fill::{fill, mapping, object, text, text_of};
use crate::load::made::missing::AlreadyThere;
use crate::load::made::mutate::Mutations;
use crate::load::made::outcome::{Made, MadeObject};
use crate::load::made::pods::pods_of;
use crate::load::made::port::service_ports;
use crate::load::made::world::GeneratorWorld;
use crate::load::made::wrapped::{Unwrapped, beside_workloads};
use crate::load::made::{generate, hnc, perhaps_ports, shape, table, workload_ref};
use crate::load::object::{Contribution, LoadedObject};
use crate::load::objects;
use crate::model::doors::DoorSpec;
use crate::model::{Requirement, Selector};
use crate::policy::unmodelled::TaintReach;
use crate::policy::{Direction, TaintEffect};
use crate::tree::SyntaxNode;
use std::sync::Arc;

/// Puts what is made beside the objects that were read.
pub fn derive(objects: Vec<LoadedObject>, assembly: &mut Assembly<'_>) -> Vec<LoadedObject> {
    let (mut objects, customs) = take_customs(objects, assembly);
    if customs.is_empty() {
        return objects;
    }
    hnc::label_trees(&mut objects, &customs);
    let mutations = Mutations::new(&customs);
    mutations.of_namespaces(&mut objects, assembly);
    let mut known = AlreadyThere::new(&objects, &customs, assembly);
    let mut referred = workload_ref::pods(&objects, &customs, assembly);
    let world = GeneratorWorld::new(&objects, &customs, assembly);
    let each = customs.iter().enumerate().map(|(at, custom)| {
        let mut made = made_of(custom, &world);
        mutations.add(at, &world.spaces, &mut made);
        made.pods.extend(referred.remove(&at));
        made
    });
    let made: Vec<Made> = each.collect();
    for (custom, made) in customs.iter().zip(made) {
        let handled = made.handled;
        if handled {
            assembly.mentions.push(Mention {
                kind: (&*custom.kind).into(),
                document: custom.document,
            });
        }
        let added = known.missing(custom, made, assembly);
        let is_read = table::is_looked_at(&custom.group, &custom.kind)
            && customs.iter().any(|other| is_looking(other, custom));
        let makes_some = handled || is_read || !added.is_empty();
        if makes_some && unread::may_be_published(&custom.group, &custom.kind, &custom.node) {
            objects.extend(publishing(custom, assembly));
        }
        objects.extend(added);
        objects.extend(left(custom, makes_some, assembly));
    }
    known.lay_open(&mut objects);
    mutations.of_pods(&mut objects, assembly);
    perhaps_ports::add_rules(&mut objects, assembly);
    objects
}

/// An object that may open doors to what is made of it.
fn publishing(custom: &CustomObject, assembly: &Assembly<'_>) -> Option<LoadedObject> {
    let mut object = objects::left(&custom.node, assembly.options)?;
    object.document = custom.document;
    let kind = (&*custom.kind).into();
    object.contribution = Contribution::Door(Box::new(DoorSpec::Unread(kind)));
    Some(object)
}

/// Whether an object is of another kind of the same group, whose row looks at the first.
fn is_looking(other: &CustomObject, at: &CustomObject) -> bool {
    other.group == at.group && other.kind != at.kind
}

/// The objects of kinds that make something, taken out of the others.
fn take_customs(
    objects: Vec<LoadedObject>,
    assembly: &Assembly<'_>,
) -> (Vec<LoadedObject>, Vec<CustomObject>) {
    let (mut others, mut customs) = (Vec::with_capacity(objects.len()), Vec::new());
    for mut object in objects {
        let contribution = std::mem::replace(&mut object.contribution, Contribution::Nothing);
        if let Contribution::Custom(node) = contribution {
            let rows = table::rows(&assembly.options.workloads, object.group(), &object.kind);
            let node = rows.into_iter().fold(*node, parsed);
            customs.push(CustomObject {
                group: object.group().into(),
                kind: Arc::clone(&object.kind),
                name: object.name.clone(),
                namespace: assembly.namespace_of(&object),
                is_of_cluster: generate::is_of_cluster(object.group(), &object.kind),
                document: object.document,
                node,
            });
        } else {
            object.contribution = contribution;
            others.push(object);
        }
    }
    (others, customs)
}

/// What an object is besides what it makes: by some that make pods, callers come in. One that makes
/// nothing counts as skipped, or leaves what it may touch unknown.
fn left(
    custom: &CustomObject,
    makes_some: bool,
    assembly: &mut Assembly<'_>,
) -> Option<LoadedObject> {
    let mut object = objects::left(&custom.node, assembly.options)?;
    object.document = custom.document;
    match object.contribution {
        Contribution::Door(_) => Some(object),
        _ if makes_some => {
            count(&mut assembly.tally.read, &custom.kind);
            None
        }
        Contribution::Nothing => {
            assembly.remarks(&mut object);
            assembly.pass_over(&object);
            count(&mut assembly.tally.skipped, &custom.kind);
            None
        }
        _ => Some(object),
    }
}

fn made_of(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Made {
    if let Some(made) = generate::made_of(custom, world) {
        return made;
    }
    let rows = table::rows(world.rows, &custom.group, &custom.kind);
    if rows.is_empty() {
        let mut made = shape::made_of(custom, world.rows);
        inner_objects(&custom.node, custom, &[], world, &mut made);
        if !made.pods.is_empty() {
            beside_workloads(
                &custom.node,
                custom,
                Unwrapped::Perhaps,
                world.rows,
                &mut made,
            );
        }
        return made;
    }
    let mut made = Made::default();
    for row in rows
        .into_iter()
        .filter(|row| is_meant(row, custom, world.customs))
    {
        by_row(row, custom, world, &mut made);
    }
    made
}

/// Whether a row is about an object: some are about one class of it only.
fn is_meant(row: &SyntaxNode, custom: &CustomObject, others: &[CustomObject]) -> bool {
    let scope = custom.scope();
    if text_of(row, "when").is_some_and(|when| !scope.holds(when)) {
        return false;
    }
    let Some(class) = row.get("class") else {
        return true;
    };
    let Some(name) = scope.text("spec.gatewayClassName") else {
        return false;
    };
    let of_name = |other: &&CustomObject| &*other.kind == "GatewayClass" && *other.name == *name;
    if let Some(known) = others.iter().find(of_name) {
        return known.scope().text("spec.controllerName").as_deref()
            == text_of(class, "controller");
    }
    let names = class
        .get("names")
        .map(SyntaxNode::items)
        .unwrap_or_default();
    names.iter().any(|usual| usual.as_str() == Some(&name))
}

/// What one row makes of an object.
fn by_row(row: &SyntaxNode, custom: &CustomObject, world: &GeneratorWorld<'_>, made: &mut Made) {
    let others = world.customs;
    made.pods.extend(pods_of(row, custom, others));
    for (part, scope) in parts(row, "services", custom, others) {
        made.objects
            .extend(service(part, scope).map(MadeObject::certain));
    }
    for (part, scope) in parts(row, "policies", custom, others) {
        match text_of(part, "unknown") {
            Some(what) => made.unknown.push((what.to_owned(), reach(part, scope))),
            None => made
                .objects
                .extend(policy(part, scope).map(MadeObject::certain)),
        }
    }
    for (part, scope) in parts(row, "inside", custom, others) {
        let path = text_of(part, "object").unwrap_or_default();
        let added = shape::added_labels(part, scope);
        if let Some(node) = scope.first_node(path) {
            let pods = shape::inside(node, custom, world.rows, &added);
            made.pods.extend(pods);
            inner_objects(node, custom, &added, world, made);
            beside_workloads(node, custom, Unwrapped::Certainly, world.rows, made);
        }
    }
}

/// What the objects inside an object make that rows are about, as if they stood alone.
fn inner_objects(
    node: &SyntaxNode,
    custom: &CustomObject,
    added: &[(Box<str>, String)],
    world: &GeneratorWorld<'_>,
    made: &mut Made,
) {
    for inner in shape::inner_objects(node, custom, world.rows) {
        let mut more = made_of(&inner, world);
        let pods = std::mem::take(&mut more.pods).into_iter();
        let pods = pods.map(|pods| shape::as_inside(pods, &inner, custom, added));
        made.pods.extend(pods);
        made.add(more);
    }
}

/// The parts of a row that hold, each for every element that it repeats itself for.
fn parts<'a>(
    row: &'a SyntaxNode,
    key: &str,
    custom: &'a CustomObject,
    others: &'a [CustomObject],
) -> impl Iterator<Item = (&'a SyntaxNode, ExpressionScope<'a>)> {
    let parts = row
        .get(key)
        .map(SyntaxNode::items)
        .unwrap_or_default()
        .iter();
    let of_each = move |part: &'a SyntaxNode| {
        let scopes = each(part, custom.scope(), others).into_iter();
        scopes.map(move |scope| (part, scope))
    };
    let holds = |(part, scope): &(&SyntaxNode, ExpressionScope<'_>)| {
        text_of(part, "when").is_none_or(|when| scope.holds(when))
    };
    parts.flat_map(of_each).filter(holds)
}

/// A Service, as it would be written; none where its name is not told.
fn service(part: &SyntaxNode, scope: ExpressionScope<'_>) -> Option<SyntaxNode> {
    let span = scope.object.span;
    let name = scope.filled(text_of(part, "name")?)?;
    let namespace = text_of(part, "namespace").unwrap_or(scope.namespace);
    let headless = part.get("headless").and_then(SyntaxNode::as_bool) == Some(true);
    let spec = [
        ("clusterIP", headless.then(|| text("None", span))),
        (
            "selector",
            part.get("selector").and_then(|s| fill(s, scope)),
        ),
        ("ports", Some(service_ports(part, scope))),
    ];
    let spec = spec
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    let spec = mapping(spec, span);
    Some(object(
        ("v1", "Service"),
        (Some(namespace), &name),
        [("spec", spec)],
        span,
    ))
}

/// A `NetworkPolicy`, as it would be written.
fn policy(part: &SyntaxNode, scope: ExpressionScope<'_>) -> Option<SyntaxNode> {
    let span = scope.object.span;
    let name = scope.filled(text_of(part, "name")?)?;
    let spec = fill(part.get("spec")?, scope)?;
    let version = ("networking.k8s.io/v1", "NetworkPolicy");
    Some(object(
        version,
        (Some(scope.namespace), &name),
        [("spec", spec)],
        span,
    ))
}

/// What policies can touch that a row knows of without knowing their rules.
fn reach(part: &SyntaxNode, scope: ExpressionScope<'_>) -> TaintReach {
    let named = part.get("directions").map(SyntaxNode::items);
    let directions = Direction::ALL.map(|direction| {
        named.is_none_or(|named| {
            named.iter().any(|d| {
                d.as_str()
                    == Some(match direction {
                        Direction::Ingress => "Ingress",
                        Direction::Egress => "Egress",
                    })
            })
        })
    });
    let entries = |key: &str| part.get(key).map(SyntaxNode::entries).unwrap_or_default();
    let one = entries("pods").iter().filter_map(|e| {
        let value = scope.filled(e.value.as_str()?)?;
        Some(Requirement::In(e.key.clone(), vec![value.into()]))
    });
    let several = entries("pods-in").iter().map(|e| {
        let values = e
            .value
            .items()
            .iter()
            .filter_map(|v| scope.filled(v.as_str()?));
        Requirement::In(e.key.clone(), values.map(Into::into).collect())
    });
    let pods = Selector::new(one.chain(several));
    TaintReach::own(TaintEffect::UnorderedTier, directions).labelled(pods)
}
