//! Names of pods that are made from objects of other kinds: `namespace/kind/name/role`, the object
//! alone, and the names that the pods themselves get.

use crate::model::{MadeWorkload, NamespaceId, Workload, WorkloadId};
use crate::query::ask::grammar::ObjectKind;
use crate::query::ask::resolve::Resolver;
use crate::query::ask::resolved::{Note, ResolveError, Resolved, fail};
use crate::query::ask::similar_names::{close, suggest};
use std::collections::BTreeSet;

impl Resolver<'_> {
    /// The workloads that are made from objects of other kinds.
    fn made(
        &self,
        within: Option<NamespaceId>,
    ) -> impl Iterator<Item = (WorkloadId, &Workload, &MadeWorkload)> {
        let workloads = self.cluster.workloads();
        let made = workloads.filter_map(|(id, w)| Some((id, w, w.made.as_deref()?)));
        made.filter(move |(_, w, _)| within.is_none_or(|n| w.namespace == n))
    }

    /// `kind/name/role`, `kind/name` for all roles, or `name/role`.
    pub(super) fn made_by_name(
        &self,
        within: Option<NamespaceId>,
        name: &str,
    ) -> Result<Resolved, ResolveError> {
        let parts: Vec<&str> = name.split('/').collect();
        let is_meant = |made: &MadeWorkload| match parts[..] {
            [kind, object, role] => is_of(made, kind, object) && has_role(made, role),
            [first, second] => {
                is_of(made, first, second) || *made.object == *first && has_role(made, second)
            }
            _ => false,
        };
        let found: Vec<WorkloadId> = self
            .made(within)
            .filter(|(_, _, made)| is_meant(made))
            .map(|(id, ..)| id)
            .collect();
        if !found.is_empty() {
            return Ok(self.all_of(&found));
        }
        let names: Vec<String> = self
            .made(within)
            .map(|(id, ..)| self.cluster.workload_name(id))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let help =
            close(self.text, &names).unwrap_or_else(|| suggest(self.text, &names, "workloads"));
        fail(format!("no pods are made for `{}`", self.text), Some(help))
    }

    /// The pods of an object of another kind, by its name alone.
    pub(super) fn made_of_object(
        &self,
        within: Option<NamespaceId>,
        kind: Option<ObjectKind>,
        name: &str,
    ) -> Result<Option<Resolved>, ResolveError> {
        if kind.is_some() {
            return Ok(None);
        }
        let named = || {
            self.made(within)
                .filter(|(_, _, made)| *made.object == *name)
        };
        let objects: BTreeSet<(NamespaceId, &str)> = named()
            .map(|(_, w, made)| (w.namespace, &*made.kind))
            .collect();
        let found: Vec<WorkloadId> = named().map(|(id, ..)| id).collect();
        match objects.len() {
            0 => Ok(None),
            1 => Ok(Some(self.all_of(&found))),
            _ => self.ambiguous(&found),
        }
    }

    /// The workload whose pods are called like this, the one whose pattern says most.
    pub(super) fn made_pod_name(
        &self,
        within: Option<NamespaceId>,
        name: &str,
    ) -> Option<Resolved> {
        let called = |(id, _, made): (WorkloadId, &Workload, &MadeWorkload)| {
            made.calls(name).map(|closeness| (closeness, id))
        };
        let found: Vec<(usize, WorkloadId)> = self.made(within).filter_map(called).collect();
        let closest = found.iter().map(|(closeness, _)| *closeness).max()?;
        let mut best = found.iter().filter(|(closeness, _)| *closeness == closest);
        let (_, id) = best.next().filter(|_| best.next().is_none())?;
        Some(Resolved {
            ends: vec![self.whole(*id)],
            notes: vec![Note::PodName(name.into(), *id)],
            ..Resolved::default()
        })
    }

    fn all_of(&self, found: &[WorkloadId]) -> Resolved {
        Resolved {
            ends: found.iter().map(|id| self.whole(*id)).collect(),
            ..Resolved::default()
        }
    }
}

fn is_of(made: &MadeWorkload, kind: &str, object: &str) -> bool {
    made.kind.eq_ignore_ascii_case(kind) && *made.object == *object
}

/// Whether a role is meant; of a role with several elements its own name means all of them.
fn has_role(made: &MadeWorkload, role: &str) -> bool {
    let rest = made.role.strip_prefix(role);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
