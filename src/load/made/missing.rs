//! [`AlreadyThere`]: what is made, less what the input has itself, as objects of the input.
//!
//! Of a policy that a generator makes under the name of one that is written out, and that says
//! otherwise, nothing is known but what both can touch.

use crate::input::MadeObjects;
use crate::load::assembly::Assembly;
use crate::load::made::custom::CustomObject;
use crate::load::made::generate;
use crate::load::made::outcome::Made;
use crate::load::object::{Contribution, LoadedObject, MadePods};
use crate::load::objects;
use crate::model::{Labels, WorkloadKind};
use crate::policy::lowered::Lowered;
use crate::policy::unmodelled::TaintReach;
use crate::policy::{GeneratedBy, Policy, TaintEffect};
use crate::set::hashed::{HashMap, HashSet};
use std::mem::take;
use std::sync::Arc;

/// What the input has already, so that it is not made once more.
pub struct AlreadyThere {
    /// Kind, namespace and name.
    named: HashSet<(Arc<str>, Arc<str>, Box<str>)>,
    /// The pods that belong to something.
    owned: Vec<OwnedPods>,
    /// Labels known at run time alone of pods of the input that are made, by the place of their
    /// object.
    open: Vec<(usize, Arc<Labels>)>,
    /// The policies by namespace and name, where something generates policies.
    policies: HashMap<(Arc<str>, Box<str>), Policy>,
}

/// Pods of the input that belong to something.
struct OwnedPods {
    namespace: Arc<str>,
    labels: Arc<Labels>,
    /// The place of their object.
    at: usize,
    /// Whether they are only described by a template, without what they get later.
    are_described: bool,
}

impl AlreadyThere {
    /// Reads the objects once. O(objects).
    pub fn new(
        objects: &[LoadedObject],
        customs: &[CustomObject],
        assembly: &Assembly<'_>,
    ) -> Self {
        let generated = customs.iter().any(is_maker);
        let policies = objects.iter().filter(|_| generated).filter_map(|object| {
            let policy = policy_of(object)?;
            let key = (assembly.namespace_of(object), object.name.clone());
            Some((key, policy.clone()))
        });
        let key = |o: &LoadedObject| {
            (
                Arc::clone(&o.kind),
                assembly.namespace_of(o),
                o.name.clone(),
            )
        };
        let owned = objects.iter().enumerate().filter_map(|(at, object)| {
            let workload = object.workload().filter(|w| w.owner.is_some())?;
            Some(OwnedPods {
                namespace: assembly.namespace_of(object),
                labels: Arc::clone(&workload.draft.labels),
                at,
                are_described: workload.kind != WorkloadKind::Pod,
            })
        });
        Self {
            named: objects.iter().map(key).collect(),
            owned: owned.collect(),
            open: Vec::new(),
            policies: policies.collect(),
        }
    }

    /// Whether pods of a role are in the input themselves: they belong to something there, and
    /// have all labels that are certain. A template of them does not have the others.
    fn has_pods(&mut self, namespace: &str, pods: &MadePods) -> bool {
        let labels = &pods.draft.labels;
        let certain = || labels.iter().filter(|(key, _)| !labels.is_open(key));
        let is_one = |of: &OwnedPods| {
            let has = |(key, value): (&str, &str)| of.labels.get(key) == Some(value);
            *of.namespace == *namespace && certain().all(has)
        };
        if certain().next().is_none() {
            return false;
        }
        let found: Vec<&OwnedPods> = self.owned.iter().filter(|of| is_one(of)).collect();
        let described = found.iter().filter(|of| of.are_described);
        self.open
            .extend(described.map(|of| (of.at, Arc::clone(labels))));
        !found.is_empty()
    }

    /// Gives the templates of pods that are made the labels that these get at run time.
    pub fn lay_open(&self, objects: &mut [LoadedObject]) {
        for (at, labels) in &self.open {
            let object = objects.get_mut(*at).map(|object| &mut object.contribution);
            let Some(Contribution::Workload(workload)) = object else {
                continue;
            };
            let own = &workload.draft.labels;
            let is_new = |key: &str| labels.is_open(key) && own.get(key).is_none();
            let open = labels.iter().filter(|(key, _)| is_new(key));
            let all: Labels = own.iter().chain(open).collect();
            workload.draft.labels = Arc::new(all);
        }
    }

    /// Whether the input has an object itself.
    fn has(&self, kind: &Arc<str>, namespace: &Arc<str>, name: &str) -> bool {
        let key = (Arc::clone(kind), Arc::clone(namespace), name.into());
        self.named.contains(&key)
    }

    /// What a generator changes about a policy of the input of the name that it uses, if the two
    /// differ: the one that is written out may be gone, and the other one be there.
    fn contradicted(&self, custom: &CustomObject, policy: &Policy) -> Vec<(String, TaintReach)> {
        let key = policy.namespace.as_deref().map(Into::into);
        let key = key.map(|namespace: Arc<str>| (namespace, policy.name.clone()));
        let Some(written) = key.and_then(|key| self.policies.get(&key)) else {
            return Vec::new();
        };
        let same = Policy {
            document: written.document,
            generated: written.generated.clone(),
            ..policy.clone()
        };
        if !is_maker(custom) || same == *written {
            return Vec::new();
        }
        let touched = |effect, of: &Policy| {
            let reach = TaintReach::own(effect, of.applies).labelled(of.subject.pods.clone());
            reach.named(policy.namespace.as_deref())
        };
        let name = &policy.name;
        vec![
            (
                format!("{name} of the input is another policy"),
                touched(TaintEffect::Anything, written),
            ),
            (
                format!("another {name} than that of the input"),
                touched(TaintEffect::UnorderedTier, policy),
            ),
        ]
    }

    /// What of the things that are made is not in the input, as objects of it.
    pub fn missing(
        &mut self,
        custom: &CustomObject,
        mut made: Made,
        assembly: &mut Assembly<'_>,
    ) -> Vec<LoadedObject> {
        let by: Arc<str> = custom.full_name().into();
        let mut listed = MadeObjects::new(&by, custom.document);
        let mut added = self.missing_pods(custom, take(&mut made.pods), &mut listed);
        let written = take(&mut made.objects).into_iter().filter_map(|object| {
            let mut read = objects::read(&object.node, assembly.options)?;
            read.remarks.clear();
            Some((read, object.unless))
        });
        let copies = take(&mut made.copies).into_iter().map(of_copy);
        for (mut object, unless) in written.chain(copies) {
            let namespace = assembly.namespace_of(&object);
            if self.has(&object.kind, &namespace, &object.name) {
                let policy = policy_of(&object);
                let reaches = policy.map(|policy| self.contradicted(custom, policy));
                made.unknown.extend(reaches.into_iter().flatten());
                continue;
            }
            let name = format!("{namespace}/{}", object.name);
            let line = ((&*object.kind).into(), name.into(), unless.clone());
            listed.objects.push(line);
            mark(&mut object, &by, unless);
            added.push(object);
        }
        for (what, reach) in made.unknown {
            listed.unknown.push((&*what).into());
            added.push(of_unknown(custom, &what, reach));
        }
        listed.unknown.extend(made.notes);
        for object in &mut added {
            place(object, custom, assembly);
        }
        if !added.is_empty() || !listed.unknown.is_empty() {
            assembly.tally.made.push(listed);
        }
        added
    }

    /// The pods that are not in the input.
    fn missing_pods(
        &mut self,
        custom: &CustomObject,
        made: Vec<MadePods>,
        listed: &mut MadeObjects,
    ) -> Vec<LoadedObject> {
        let mut added = Vec::new();
        for pods in made {
            let own = || Arc::clone(&custom.namespace);
            let namespace = pods.namespace.clone().map_or_else(own, Into::into);
            if self.has_pods(&namespace, &pods) {
                continue;
            }
            let made = &pods.made;
            let name = format!("{namespace}/{}/{}/{}", made.kind, made.object, made.role);
            let called = format!("{namespace}/{}", made.pods);
            listed.pods.push((name.into(), called.into()));
            listed.row = (&*made.row).into();
            added.push(of_pods(custom, namespace, pods));
        }
        added
    }
}

/// Whether what an object makes replaces what is written out, or is replaced by it: a generator
/// of policies, and what wraps whole objects.
fn is_maker(custom: &CustomObject) -> bool {
    const WRAPPERS: [&str; 2] = ["AppWrapper", "ManifestWork"];
    generate::is_generator(custom) || WRAPPERS.contains(&&*custom.kind)
}

/// The first policy that an object is.
fn policy_of(object: &LoadedObject) -> Option<&Policy> {
    match &object.contribution {
        Contribution::Policy(lowered) => lowered.policies.first(),
        _ => None,
    }
}

/// Gives an object that is made the place of the one that it is made from.
fn place(object: &mut LoadedObject, custom: &CustomObject, assembly: &mut Assembly<'_>) {
    object.document = assembly.another_document(custom.document);
    if let Contribution::Policy(lowered) = &mut object.contribution {
        let policies = lowered.policies.iter_mut();
        policies.for_each(|policy| policy.document = object.document);
    }
    object.made = true;
}

/// Marks a policy as one that is made.
fn mark(object: &mut LoadedObject, by: &Arc<str>, unless: Option<Box<str>>) {
    let Contribution::Policy(lowered) = &mut object.contribution else {
        return;
    };
    for policy in &mut lowered.policies {
        policy.generated = Some(Arc::new(GeneratedBy {
            by: (&**by).into(),
            unless: unless.clone(),
        }));
    }
}

fn of_pods(custom: &CustomObject, namespace: Arc<str>, pods: MadePods) -> LoadedObject {
    let name = format!("{}/{}", pods.made.object, pods.made.role);
    let contribution = Contribution::Pods(Box::new(pods));
    LoadedObject::made(&custom.kind, name.into(), namespace, contribution)
}

fn of_copy((policy, unless): (Policy, Option<Box<str>>)) -> (LoadedObject, Option<Box<str>>) {
    let (kind, name) = ("NetworkPolicy".into(), policy.name.clone());
    let namespace = policy.namespace.as_deref().unwrap_or_default().into();
    let lowered = Lowered {
        policies: vec![policy],
        ..Lowered::default()
    };
    let contribution = Contribution::Policy(Box::new(lowered));
    let object = LoadedObject {
        api_version: "networking.k8s.io/v1".into(),
        ..LoadedObject::made(&kind, name, namespace, contribution)
    };
    (object, unless)
}

fn of_unknown(custom: &CustomObject, what: &str, reach: TaintReach) -> LoadedObject {
    let contribution = Contribution::makes_unknown(reach, what);
    let namespace = Arc::clone(&custom.namespace);
    LoadedObject::made(&custom.kind, custom.name.clone(), namespace, contribution)
}
