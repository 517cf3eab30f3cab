//! Tries a change to the policies in memory: what the changed graph allows, and what else changes.
//!
//! A change is applied as its author would apply it: the object is parsed again with the addition
//! in it, lowered by its dialect and compiled, so that what is shown is what was tried. Then the
//! flows between every pod that the changed policy governs and every other end are compared, before
//! and after. Cost: one compilation, and O(governed pods x endpoint space) edge queries.
//!
//! Soundness: rules are only added, so the classes after are a refinement of those before, and one
//! pod of each class stands for all. The governed pods themselves are compared one by one, because
//! nodes tell them apart (S55).

use crate::compile::effective_policy::EffectivePolicy;
use crate::compile::endpoint_index::EndpointIx;
use crate::graph::{AllowGraph, Allowed};
use crate::input::Input;
use crate::model::PodId;
use crate::policy::dialects;
use crate::policy::lowered::Header;
use crate::policy::{Direction, Policy, PolicyId, PolicySet, RuleRef};
use crate::set::Ix;
use crate::set::{IpSet, Protocol, Traffic, TrafficSet};
use crate::source::{DocumentId, Path, Step};
use crate::spec::{Endpoint, Flow};
use crate::tree::{Chunk, Entry, SyntaxNode, Value, parse_part};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The place where something is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdditionPlace {
    /// A rule at the end of a policy's list.
    Rule(PolicyId),
    /// A port at the end of a rule's list.
    Port(RuleRef),
    /// A policy of its own.
    Policy {
        /// Its namespace.
        namespace: Box<str>,
        /// Its name.
        name: Box<str>,
    },
}

/// One addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The direction it opens.
    pub direction: Direction,
    /// The place where it is added.
    pub place: AdditionPlace,
    /// What is added: a rule, a port, or a whole object.
    pub content: Json,
}

/// The flows that a question is about, pod by pod and address by address.
#[derive(Debug, Clone)]
pub struct AskedFlows {
    /// The sources that are pods.
    pub sources: BTreeSet<PodId>,
    /// The sources that are addresses.
    pub from: IpSet,
    /// The destinations that are pods.
    pub destinations: BTreeSet<PodId>,
    /// The destinations that are addresses.
    pub to: IpSet,
    /// The traffic.
    pub traffic: TrafficSet,
}

/// A flow whose verdict changes although it was not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turned {
    /// The flow.
    pub flow: Flow,
    /// Whether it is allowed now.
    pub opened: bool,
}

/// Why a change is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It cannot be applied, or compiled.
    Unusable,
    /// This flow that was asked for is not certainly allowed after it.
    NotEnough(Flow),
    /// It changes this other flow.
    Turns(Turned),
    /// Too much would have to be compared.
    TooWide,
}

/// The number of flows that are compared before a change is rejected as too wide.
const COMPARED: usize = 4_000_000;

/// The input with the changes applied; `None` if they cannot be applied.
pub fn applied(input: &Input, changes: &[Addition]) -> Option<Input> {
    let mut policies: PolicySet = (*input.policies).clone();
    for (node, header) in changed(input, changes)? {
        let api_version = node.get("apiVersion")?.as_str()?.to_owned();
        let kind = node.get("kind")?.as_str()?.to_owned();
        let ObjectHeader {
            policy,
            name,
            namespace,
            document,
        } = &header;
        let header = Header::checked(name, namespace, *document);
        let lowered = (dialects::find(&api_version, &kind)?.lower)(&node, header);
        let valid = lowered.invalid.is_empty();
        let [lowered] = <[Policy; 1]>::try_from(lowered.policies).ok()?;
        let lowered = Some(lowered).filter(|_| valid)?;
        match policy {
            Some(id) => *policies.policies.get_mut(id.0 as usize)? = lowered,
            None => policies.policies.push(lowered),
        }
    }
    Some(Input {
        policies: Arc::new(policies),
        ..input.clone()
    })
}

/// The whole objects with the additions in them, to be overlaid on the input.
pub fn objects(input: &Input, changes: &[Addition]) -> Option<Vec<Json>> {
    Some(
        changed(input, changes)?
            .into_iter()
            .map(|(node, _)| node.to_json())
            .collect(),
    )
}

/// The existing policy that a change adds to; `None` for a new one.
fn changed_policy(change: &Addition) -> Option<PolicyId> {
    match &change.place {
        AdditionPlace::Rule(id) => Some(*id),
        AdditionPlace::Port(at) => Some(at.policy),
        AdditionPlace::Policy { .. } => None,
    }
}

/// The identity of an object, and the policy that it is, unless it is new.
struct ObjectHeader {
    policy: Option<PolicyId>,
    name: Box<str>,
    namespace: Box<str>,
    document: DocumentId,
}

/// The objects that change, each once, with all additions to it.
fn changed(input: &Input, changes: &[Addition]) -> Option<Vec<(SyntaxNode, ObjectHeader)>> {
    let mut objects: Vec<(SyntaxNode, ObjectHeader)> = Vec::new();
    for change in changes {
        let addition = node(&change.content);
        let Some(id) = changed_policy(change) else {
            let AdditionPlace::Policy { namespace, name } = &change.place else {
                return None;
            };
            let (name, namespace) = (name.clone(), namespace.clone());
            objects.push((
                addition,
                ObjectHeader {
                    policy: None,
                    name,
                    namespace,
                    document: DocumentId::NONE,
                },
            ));
            continue;
        };
        if !objects.iter().any(|(_, n)| n.policy == Some(id)) {
            objects.push(parse_again(input, id)?);
        }
        let (object, _) = objects.iter_mut().find(|(_, n)| n.policy == Some(id))?;
        let policy = input.policies.policies.get(id.index())?;
        push(object, &list(policy, change).0, addition)?;
    }
    Some(objects)
}

/// The path of the list that a change adds to.
pub fn list(policy: &Policy, change: &Addition) -> Path {
    match &change.place {
        AdditionPlace::Port(at) => policy.origin(at.whole()).path.key(policy.shape.ports),
        _ => Path::root()
            .key("spec")
            .key(policy.shape.rules[change.direction.index()]),
    }
}

/// An object of the input, parsed again.
fn parse_again(input: &Input, id: PolicyId) -> Option<(SyntaxNode, ObjectHeader)> {
    let policy = input.policies.policies.get(id.index())?;
    let (document, text) = input.sources.chunk(policy.document)?;
    let mut object = parse_part(&text, &Chunk::of(document))
        .root?
        .at(&document.base.path())?
        .clone();
    spell_out(&mut object);
    let namespace = policy.namespace.clone().unwrap_or_default();
    Some((
        object,
        ObjectHeader {
            policy: Some(id),
            name: policy.name.clone(),
            namespace,
            document: policy.document,
        },
    ))
}

/// Turns an unquoted `y` or `n` into the string that it stands for in a policy, so that no YAML
/// parser takes it for a boolean.
fn spell_out(node: &mut SyntaxNode) {
    if let (Value::Letter(_), Some(text)) = (&node.value, node.as_str()) {
        node.value = Value::String(text.into());
    }
    match &mut node.value {
        Value::Sequence(items) => items.iter_mut().for_each(spell_out),
        Value::Mapping(entries) => entries.iter_mut().for_each(|e| spell_out(&mut e.value)),
        _ => {}
    }
}

/// Adds an item to the list at a path; a missing list is created.
fn push(node: &mut SyntaxNode, path: &[Step], item: SyntaxNode) -> Option<()> {
    match path {
        [] => match &mut node.value {
            Value::Sequence(items) => items.push(item),
            value @ Value::Null => *value = Value::Sequence(vec![item]),
            _ => return None,
        },
        [Step::Index(i), rest @ ..] => {
            let Value::Sequence(items) = &mut node.value else {
                return None;
            };
            push(items.get_mut(*i as usize)?, rest, item)?;
        }
        [Step::Key(key), rest @ ..] => {
            let Value::Mapping(entries) = &mut node.value else {
                return None;
            };
            if !entries.iter().any(|e| e.key == *key) {
                let value = SyntaxNode {
                    span: node.span,
                    value: Value::Null,
                };
                entries.push(Entry {
                    key: key.clone(),
                    key_span: node.span,
                    value,
                });
            }
            let entry = entries.iter_mut().find(|e| e.key == *key)?;
            push(&mut entry.value, rest, item)?;
        }
    }
    Some(())
}

/// A value as a tree without positions.
fn node(json: &Json) -> SyntaxNode {
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n
            .as_i64()
            .map_or_else(|| Value::Float(n.as_f64().unwrap_or(0.0)), Value::Int),
        Json::String(s) => Value::String(s.as_str().into()),
        Json::Array(items) => Value::Sequence(items.iter().map(node).collect()),
        Json::Object(map) => Value::Mapping(map.iter().map(|(k, v)| entry(k, v)).collect()),
    };
    SyntaxNode {
        span: crate::source::Span::default(),
        value,
    }
}

fn entry(key: &str, value: &Json) -> Entry {
    Entry {
        key: key.into(),
        key_span: crate::source::Span::default(),
        value: node(value),
    }
}

/// Applies changes and compares the graphs: `Ok` if everything that was asked for is certainly
/// allowed and nothing else changes.
///
/// # Errors
/// With the flow that is missing or that would change too.
pub fn verify(
    input: &Input,
    before: &AllowGraph,
    changes: &[Addition],
    asked: &AskedFlows,
) -> Result<AllowGraph, Failure> {
    let changed = applied(input, changes).ok_or(Failure::Unusable)?;
    let after = AllowGraph::compile(&changed, &before.environment().options)
        .map_err(|_| Failure::Unusable)?;
    let comparison = Comparison {
        before,
        after: &after,
        asked,
    };
    comparison.enough()?;
    let mut added = before.environment().policies.count(); // what stands at nodes comes behind
    for change in changes {
        let policy = changed_policy(change).unwrap_or_else(|| {
            added += 1;
            PolicyId::bounded(added - 1)
        });
        comparison.governed(policy, change.direction)?;
    }
    Ok(after)
}

struct Comparison<'a> {
    before: &'a AllowGraph,
    after: &'a AllowGraph,
    asked: &'a AskedFlows,
}

impl Comparison<'_> {
    /// Checks that everything that was asked for is certainly allowed.
    fn enough(&self) -> Result<(), Failure> {
        let sources = ends(self.after, &self.asked.sources, &self.asked.from);
        let destinations = ends(self.after, &self.asked.destinations, &self.asked.to);
        for (source, destination) in sources
            .iter()
            .flat_map(|s| destinations.iter().map(move |d| (*s, *d)))
        {
            let missing = self
                .asked
                .traffic
                .difference(&self.after.allowed(source, destination).must);
            if !missing.is_empty() {
                let traffic = missing.sample().unwrap_or(ANY);
                return Err(Failure::NotEnough(Flow {
                    source,
                    destination,
                    traffic,
                }));
            }
        }
        Ok(())
    }

    /// Checks that nothing else changes for the pods that a changed policy governs.
    fn governed(&self, policy: PolicyId, direction: Direction) -> Result<(), Failure> {
        let after = self.after;
        let space = after.space();
        let governed = |pod: &PodId| {
            let effective = after.effective(Endpoint::Pod(*pod), direction);
            effective.is_some_and(|p| governs(after, p, policy))
        };
        let pods: Vec<PodId> = after
            .environment()
            .cluster
            .pods()
            .map(|(id, _)| id)
            .filter(governed)
            .collect();
        if pods.len().saturating_mul(space.indexes().len()) > COMPARED {
            return Err(Failure::TooWide);
        }
        for pod in pods {
            for index in space.indexes() {
                for other in self.others(index, pod, direction) {
                    self.same(pod, other, direction)?;
                }
            }
        }
        Ok(())
    }

    /// The ends behind an index that have to be compared: one that was asked about and one that was
    /// not.
    fn others(&self, index: EndpointIx, pod: PodId, direction: Direction) -> Vec<Endpoint> {
        let space = self.after.space();
        if !space.is_class(index) {
            return vec![space.representative(index)];
        }
        let asked = match direction {
            Direction::Ingress => &self.asked.sources,
            Direction::Egress => &self.asked.destinations,
        };
        let members = space.classes.members(index);
        let first = |wanted: bool| {
            let mut fitting = members.iter().filter(|m| asked.contains(m) == wanted);
            let other = fitting.clone().find(|m| **m != pod);
            other.or_else(|| fitting.next()).map(|m| Endpoint::Pod(*m))
        };
        [first(true), first(false)].into_iter().flatten().collect()
    }

    /// Checks that nothing changes between two ends, apart from what was asked for.
    fn same(&self, pod: PodId, other: Endpoint, direction: Direction) -> Result<(), Failure> {
        let (source, destination) = match direction {
            Direction::Ingress => (other, Endpoint::Pod(pod)),
            Direction::Egress => (Endpoint::Pod(pod), other),
        };
        let (was, is) = (
            self.before.allowed(source, destination),
            self.after.allowed(source, destination),
        );
        if was == is {
            return Ok(());
        }
        let asked = is_in(source, &self.asked.sources, &self.asked.from, self.after)
            && is_in(
                destination,
                &self.asked.destinations,
                &self.asked.to,
                self.after,
            );
        let free = if asked {
            self.asked.traffic.clone()
        } else {
            TrafficSet::empty()
        };
        turned(&was, &is, &free).map_or(Ok(()), |(traffic, opened)| {
            Err(Failure::Turns(Turned {
                flow: Flow {
                    source,
                    destination,
                    traffic,
                },
                opened,
            }))
        })
    }
}

fn governs(graph: &AllowGraph, effective: &EffectivePolicy, policy: PolicyId) -> bool {
    effective
        .selections()
        .any(|s| graph.policy_of(s.policy) == policy)
}

/// Whether an end was asked about; an address only if its whole atom was.
fn is_in(end: Endpoint, pods: &BTreeSet<PodId>, addresses: &IpSet, after: &AllowGraph) -> bool {
    match end {
        Endpoint::Pod(pod) => pods.contains(&pod),
        Endpoint::Address(address) => {
            let atoms = &after.space().atoms;
            atoms.addresses(atoms.of(address)).is_subset(addresses)
        }
    }
}

/// The pods, and one address of each atom.
pub fn ends(graph: &AllowGraph, pods: &BTreeSet<PodId>, addresses: &IpSet) -> Vec<Endpoint> {
    let atoms = &graph.space().atoms;
    let overlapping = atoms.overlapping(addresses);
    let outside = overlapping
        .points()
        .filter_map(|a| atoms.addresses(a).intersection(addresses).first());
    pods.iter()
        .map(|p| Endpoint::Pod(*p))
        .chain(outside.map(Endpoint::Address))
        .collect()
}

/// Traffic whose verdict changes, and whether it is opened; the traffic `free`, which was asked
/// for, does not count.
fn turned(was: &Allowed, is: &Allowed, free: &TrafficSet) -> Option<(Traffic, bool)> {
    let gained = is
        .must
        .difference(&was.must)
        .union(&is.may.difference(&was.may))
        .difference(free);
    let lost = was
        .must
        .difference(&is.must)
        .union(&was.may.difference(&is.may))
        .difference(free);
    let first = |set: &TrafficSet| (!set.is_empty()).then(|| set.sample().unwrap_or(ANY));
    first(&gained)
        .map(|t| (t, true))
        .or_else(|| first(&lost).map(|t| (t, false)))
}

const ANY: Traffic = Traffic {
    protocol: Protocol::Tcp,
    port: 1,
};
