//! Words, label sets and parts of policies that many objects share, stored once.
//!
//! The pods of a large cluster have a few thousand label sets, a few hundred ports, and a
//! namespace, a node and an owner that others have too. Cost: a look in a table for each.

use crate::load::object::{Contribution, LoadedObject};
use crate::load::workloads::PodDraft;
use crate::model::{ContainerPort, Labels};
use crate::set::hashed::HashSet;
use std::sync::Arc;

/// What is shared.
#[derive(Default)]
pub struct ObjectInterner {
    words: HashSet<Arc<str>>,
    labels: HashSet<Arc<Labels>>,
    ports: HashSet<Arc<[ContainerPort]>>,
    policies: crate::policy::interner::PolicyInterner,
}

impl ObjectInterner {
    /// Makes an object share what others have too.
    pub fn share(&mut self, object: &mut LoadedObject) {
        self.word(&mut object.api_version);
        self.word(&mut object.kind);
        object.namespace.iter_mut().for_each(|n| self.word(n));
        match &mut object.contribution {
            Contribution::Workload(workload) => {
                workload.owner.iter_mut().for_each(|(kind, name)| {
                    self.word(kind);
                    self.word(name);
                });
                self.draft(&mut workload.draft);
            }
            Contribution::Policy(lowered) => lowered
                .policies
                .iter_mut()
                .for_each(|policy| self.policies.share(policy)),
            _ => {}
        }
    }

    fn draft(&mut self, draft: &mut PodDraft) {
        draft.node.iter_mut().for_each(|n| self.word(n));
        draft.account.iter_mut().for_each(|a| self.word(a));
        intern(&mut self.ports, &mut draft.ports);
        intern(&mut self.ports, &mut draft.init_ports);
        if let Some(known) = self.labels.get(&draft.labels) {
            draft.labels = Arc::clone(known);
            return;
        }
        let pairs = draft.labels.shared().map(|(key, value)| {
            let (mut key, mut value) = (Arc::clone(key), Arc::clone(value));
            intern(&mut self.words, &mut key);
            intern(&mut self.words, &mut value);
            (key, value)
        });
        draft.labels = Arc::new(pairs.collect());
        self.labels.insert(Arc::clone(&draft.labels));
    }

    fn word(&mut self, word: &mut Arc<str>) {
        intern(&mut self.words, word);
    }
}

/// The one that is there already, or this one.
fn intern<T: ?Sized + Eq + std::hash::Hash>(all: &mut HashSet<Arc<T>>, this: &mut Arc<T>) {
    if let Some(known) = all.get(this) {
        *this = Arc::clone(known);
    } else {
        all.insert(Arc::clone(this));
    }
}
