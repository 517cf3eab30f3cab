//! Lays what mutators may change over the labels of the objects of the input.
//!
//! Namespaces come first, because generators and selectors look at their labels; pods last, with
//! those that are made. A pod that belongs to something was printed by a cluster and has what it
//! got. O(mutations · objects).

use crate::load::assembly::Assembly;
use crate::load::made::custom::CustomObject;
use crate::load::made::mutation::{MutatedLabels, MutatedObjects, Mutation};
use crate::load::made::mutators::{changed_kinds, mutations_of};
use crate::load::made::outcome::Made;
use crate::load::made::world::{KnownNamespace, known_namespaces};
use crate::load::object::{Contribution, LoadedObject};
use crate::model::Labels;
use crate::policy::TaintEffect;
use crate::policy::unmodelled::{TaintNamespaces, TaintReach};
use crate::set::hashed::HashMap;
use std::sync::Arc;

/// What the custom objects of an input change, by their places in the list of them.
pub struct Mutations(Vec<Vec<Mutation>>);

impl Mutations {
    /// Reads the custom objects.
    pub fn new(customs: &[CustomObject]) -> Self {
        let each = customs.iter().map(|custom| {
            let kinds = changed_kinds(custom);
            let is_changed = |other: &CustomObject| kinds.contains(&&*other.kind);
            let is_some = customs.iter().any(is_changed);
            let of_customs = is_some.then(of_pods_that_are_made);
            mutations_of(custom).into_iter().chain(of_customs).collect()
        });
        Self(each.collect())
    }

    fn are_none(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    fn of(&self, of: MutatedObjects) -> impl Iterator<Item = &Mutation> {
        let all = self.0.iter().flatten();
        all.filter(move |mutation| mutation.of == of)
    }

    /// Changes the labels of Namespaces.
    pub fn of_namespaces(&self, objects: &mut [LoadedObject], assembly: &Assembly<'_>) {
        if self.are_none() {
            return;
        }
        let spaces = by_name(objects, assembly);
        for object in objects {
            let Contribution::Namespace(labels) = &mut object.contribution else {
                continue;
            };
            if let Some(space) = spaces.get(&*object.name)
                && let Some(changed) = self.changed(MutatedObjects::Namespaces, space, labels)
            {
                **labels = changed;
            }
        }
    }

    /// Changes the labels of pods.
    pub fn of_pods(&self, objects: &mut [LoadedObject], assembly: &Assembly<'_>) {
        if self.of(MutatedObjects::Pods).next().is_none() {
            return;
        }
        let spaces = by_name(objects, assembly);
        for object in objects {
            let namespace = assembly.namespace_of(object);
            let labels = match &mut object.contribution {
                Contribution::Workload(draft) if draft.owner.is_none() => &mut draft.draft.labels,
                Contribution::Pods(pods) => &mut pods.draft.labels,
                _ => continue,
            };
            if let Some(space) = spaces.get(&*namespace)
                && let Some(changed) = self.changed(MutatedObjects::Pods, space, labels)
            {
                *labels = Arc::new(changed);
            }
        }
    }

    /// The labels of an object after all changes; `None` where there is none.
    fn changed(
        &self,
        of: MutatedObjects,
        space: &KnownNamespace,
        labels: &Labels,
    ) -> Option<Labels> {
        let meant = self.of(of).filter(|m| m.may_be_at(space, labels));
        let changes = meant.flat_map(|m| match &m.changes {
            MutatedLabels::These(changes) => changes.as_slice(),
            MutatedLabels::Untold => &[],
        });
        let changed = changes.fold(labels.clone(), |known, change| change.perhaps_made(&known));
        (changed != *labels).then_some(changed)
    }

    /// What an object changes that cannot be laid over labels, as something that it makes.
    pub fn add(&self, at: usize, spaces: &[KnownNamespace], made: &mut Made) {
        for mutation in self.0.get(at).into_iter().flatten() {
            made.handled = true;
            let reach = TaintReach::own(TaintEffect::Anything, [true, true]);
            let what = match (mutation.of, &mutation.changes) {
                (MutatedObjects::Policies, _) => {
                    let there = |s: &&KnownNamespace| mutation.may_be_at(s, &Labels::default());
                    let names = spaces.iter().filter(there).map(|space| &*space.name);
                    let unordered = TaintReach::own(TaintEffect::Anything, [true, true]);
                    let what = "changes of policies that are not known here";
                    made.unknown.push((what.into(), unordered.named(names)));
                    continue;
                }
                (of, MutatedLabels::These(changes)) => {
                    let keys: Vec<&str> = changes.iter().map(|change| &*change.key).collect();
                    let of = match of {
                        MutatedObjects::Namespaces => "namespaces",
                        _ => "pods",
                    };
                    let what = format!("labels of {of}, perhaps: {}", keys.join(", "));
                    made.notes.push(what.into());
                    continue;
                }
                (MutatedObjects::Pods, MutatedLabels::Untold) => "changes of the labels of pods",
                (MutatedObjects::Namespaces, MutatedLabels::Untold) => {
                    "changes of the labels of namespaces"
                }
            };
            let everywhere = reach.namespaces(TaintNamespaces::All);
            made.unknown.push((what.to_owned(), everywhere));
        }
    }
}

/// What becomes of pods where the object is changed that they are made of: which field of it is
/// copied to them is known to its operator alone.
fn of_pods_that_are_made() -> Mutation {
    Mutation {
        of: MutatedObjects::Pods,
        changes: MutatedLabels::Untold,
        places: Vec::new(),
        spared: Vec::new(),
    }
}

/// The namespaces of the input, by their names.
fn by_name(objects: &[LoadedObject], assembly: &Assembly<'_>) -> HashMap<Arc<str>, KnownNamespace> {
    let spaces = known_namespaces(objects, assembly).into_iter();
    spaces
        .map(|space| (Arc::clone(&space.name), space))
        .collect()
}
