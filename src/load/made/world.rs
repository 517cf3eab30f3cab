//! [`GeneratorWorld`]: what generators of policies look at besides their own object: the
//! namespaces of the input, the policies that are written out, and the other custom objects.

use crate::load::assembly::Assembly;
use crate::load::generator_facts::GeneratorFacts;
use crate::load::made::custom::CustomObject;
use crate::load::object::{Contribution, LoadedObject};
use crate::model::{Labels, NAMESPACE_NAME_LABEL, Selector, Truth};
use crate::policy::Policy;
use crate::set::hashed::IndexMap;
use crate::tree::SyntaxNode;
use std::sync::Arc;

/// A namespace of the input.
pub struct KnownNamespace {
    /// Its name.
    pub name: Arc<str>,
    /// Its labels.
    pub labels: Labels,
    /// What else generators ask of it.
    pub facts: GeneratorFacts,
    /// Whether its object is there, so that these are all.
    pub declared: bool,
}

impl KnownNamespace {
    /// Whether a selector selects it.
    pub fn selected_by(&self, selector: &Selector) -> Truth {
        selector.selects_known(&self.labels, self.declared)
    }

    /// Whether a selector of annotations selects it.
    pub fn annotated_by(&self, selector: &Selector) -> Truth {
        selector.matches_known(&self.facts.annotations, self.declared)
    }

    /// Whether it belongs to an object.
    pub fn is_owned_by(&self, kind: &str, name: &str) -> bool {
        let mut owners = self.facts.owners.iter();
        owners.any(|(of, called)| **of == *kind && **called == *name)
    }
}

/// A `NetworkPolicy` that is written out.
pub struct WrittenPolicy {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// The policy.
    pub policy: Policy,
    /// What else generators ask of it.
    pub facts: GeneratorFacts,
}

/// What generators look at.
pub struct GeneratorWorld<'a> {
    /// The namespaces, in input order.
    pub spaces: Vec<KnownNamespace>,
    /// The policies that may be copied; none where no generator copies.
    pub policies: Vec<WrittenPolicy>,
    /// The custom objects.
    pub customs: &'a [CustomObject],
    /// The Templates that say what new projects get.
    pub templates: &'a [SyntaxNode],
    /// The rows of the configuration.
    pub rows: &'a [SyntaxNode],
}

/// Kinds that copy policies which are written out.
const COPYING: [&str; 6] = [
    "HNCConfiguration",
    "ClusterPolicy",
    "Policy",
    "ConfigurationPolicy",
    "TenantResource",
    "GlobalTenantResource",
];

impl<'a> GeneratorWorld<'a> {
    /// Reads the objects once. O(objects).
    pub fn new(
        objects: &[LoadedObject],
        customs: &'a [CustomObject],
        assembly: &'a Assembly<'_>,
    ) -> Self {
        let copies = customs
            .iter()
            .any(|custom| COPYING.contains(&&*custom.kind));
        let policies = objects.iter().filter(|_| copies).filter_map(|object| {
            let Contribution::Policy(lowered) = &object.contribution else {
                return None;
            };
            Some(WrittenPolicy {
                namespace: assembly.namespace_of(object),
                policy: lowered
                    .policies
                    .first()
                    .filter(|p| p.shape.kind == "NetworkPolicy")?
                    .clone(),
                facts: facts(object),
            })
        });
        Self {
            policies: policies.collect(),
            spaces: known_namespaces(objects, assembly),
            customs,
            templates: &assembly.project_templates,
            rows: &assembly.options.workloads,
        }
    }

    /// The custom objects of a kind.
    pub fn of_kind<'w>(&'w self, kind: &'w str) -> impl Iterator<Item = &'w CustomObject> {
        self.customs
            .iter()
            .filter(move |custom| &*custom.kind == kind)
    }

    /// A namespace of the input.
    pub fn space(&self, name: &str) -> Option<&KnownNamespace> {
        self.spaces.iter().find(|space| *space.name == *name)
    }

    /// A policy that is written out.
    pub fn policy(&self, namespace: &str, name: &str) -> Option<&WrittenPolicy> {
        let is_meant = |p: &&WrittenPolicy| *p.namespace == *namespace && *p.policy.name == *name;
        self.policies.iter().find(is_meant)
    }
}

/// The namespaces of the input, in input order. O(objects).
pub fn known_namespaces(objects: &[LoadedObject], assembly: &Assembly<'_>) -> Vec<KnownNamespace> {
    let mut spaces: IndexMap<Arc<str>, KnownNamespace> = IndexMap::default();
    for object in objects {
        if let Contribution::Namespace(labels) = &object.contribution {
            let name: Arc<str> = (&*object.name).into();
            let declared = space(&name, Some(labels), facts(object));
            spaces.insert(Arc::clone(&name), declared);
        }
    }
    let named = objects.iter().filter(|object| object.is_namespaced());
    for name in named.map(|object| assembly.namespace_of(object)) {
        spaces
            .entry(Arc::clone(&name))
            .or_insert_with(|| space(&name, None, GeneratorFacts::default()));
    }
    spaces.into_values().collect()
}

fn facts(object: &LoadedObject) -> GeneratorFacts {
    object.facts.as_deref().cloned().unwrap_or_default()
}

fn space(name: &Arc<str>, labels: Option<&Labels>, facts: GeneratorFacts) -> KnownNamespace {
    let named = [(NAMESPACE_NAME_LABEL, &**name)];
    let own = labels.map(Labels::iter).into_iter().flatten();
    KnownNamespace {
        name: Arc::clone(name),
        labels: own.chain(named).collect(),
        facts,
        declared: labels.is_some(),
    }
}
