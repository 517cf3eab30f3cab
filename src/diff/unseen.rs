//! What edited policies look at and no kind of pods shows: Services that are not loaded, and
//! networks besides the pod network.
//!
//! Rules of Cilium and Calico may name a Service. Whom one means that is not in the input is not
//! known: two names that nobody has loaded are not the same. Policies of secondary networks are
//! asked at pods that are there, and at no others.

use crate::diff::before_after::Side;
use crate::diff::cause::policy_edits::PolicyEdit;
use crate::model::Cluster;
use crate::policy::calico::policy::CalicoPolicy;
use crate::policy::cilium::written::ServiceForm;
use crate::policy::looked_up::{NamedService, named_services};
use crate::policy::rule::PolicySource;
use crate::policy::{Policy, PolicyId};
use crate::source::DocumentId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Something that was not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unseen {
    /// More kinds of pods may exist than were compared.
    Kinds,
    /// Services that rules name and the input does not have.
    Services,
    /// Policies of networks besides the pod network, for pods that are not there.
    Networks,
}

/// What two sides differ in that a comparison of kinds of pods does not show.
pub fn unseen(before: Side<'_>, after: Side<'_>) -> BTreeSet<Unseen> {
    let services = !same_members(&of_services(before), &of_services(after));
    // of one network that is asked about the pods that may come are compared
    let asked = after.graph.environment().options.network.is_some();
    let networks = !asked && !same_members(&of_networks(before), &of_networks(after));
    let found = [(Unseen::Services, services), (Unseen::Networks, networks)];
    let found = found.into_iter().filter(|(_, differs)| *differs);
    found.map(|(what, _)| what).collect()
}

/// Whether an edit is of a policy that names Services that are not loaded, and is written otherwise
/// than before.
pub fn is_of_services([before, after]: [Side<'_>; 2], edit: &PolicyEdit) -> bool {
    let named = |side: Side<'_>, id: Option<PolicyId>| {
        let policy = side.graph.environment().policies.get(id?);
        let written = policy.written.as_ref()?;
        names_unseen(written, &side.input.cluster).then(|| without_name(written))
    };
    named(before, edit.before) != named(after, edit.after)
}

/// The policies that name Services that are not loaded, as they are written, whatever they are
/// called.
fn of_services(side: Side<'_>) -> Vec<PolicySource> {
    let all = side.input.policies.policies.iter();
    let written = all.filter_map(|policy| policy.written.as_ref());
    let cluster = &side.input.cluster;
    let unseen = written.filter(|written| names_unseen(written, cluster));
    unseen.map(without_name).collect()
}

/// What a policy says, without how it is called.
fn without_name(written: &PolicySource) -> PolicySource {
    match written {
        PolicySource::Calico(policy) => PolicySource::Calico(Arc::new(CalicoPolicy {
            stored_name: "".into(),
            ..(**policy).clone()
        })),
        other => other.clone(),
    }
}

/// The policies of secondary networks, wherever they stand.
fn of_networks(side: Side<'_>) -> Vec<(Policy, BTreeSet<Box<str>>, bool)> {
    let plan = side.input.policies.plugin.networks.as_ref();
    let policies = plan.into_iter().flat_map(|plan| &plan.policies);
    let anywhere = |policy: &Policy| Policy {
        document: DocumentId::NONE,
        ..policy.clone()
    };
    let each = policies.map(|p| (anywhere(&p.policy), p.networks.clone(), p.untyped));
    each.collect()
}

/// Whether two lists have the same members, in whatever order.
fn same_members<T: PartialEq>(a: &[T], b: &[T]) -> bool {
    a.len() == b.len() && a.iter().all(|one| b.contains(one)) && b.iter().all(|one| a.contains(one))
}

/// Whether a policy names a Service that is not loaded, or may not be.
fn names_unseen(written: &PolicySource, cluster: &Cluster) -> bool {
    let is_loaded = |named: &NamedService<'_>| match named {
        NamedService::Of(namespace, name) => is_loaded(cluster, *namespace, name),
        NamedService::Form(form) => is_form_loaded(cluster, form),
    };
    !named_services(written).iter().all(is_loaded)
}

/// A Service by name is what is loaded; of those with some labels there may be others.
fn is_form_loaded(cluster: &Cluster, form: &ServiceForm) -> bool {
    let Some(by_name) = form.by_name.as_ref().filter(|_| form.by_label.is_none()) else {
        return false;
    };
    let namespace = by_name.namespace.as_deref().filter(|n| !n.is_empty());
    let name = by_name.service_name.as_deref().unwrap_or_default();
    is_loaded(cluster, namespace, name)
}

fn is_loaded(cluster: &Cluster, namespace: Option<&str>, name: &str) -> bool {
    let of = |n: &str| cluster.find_namespace(n);
    cluster.services().any(|(_, service)| {
        *service.name == *name && namespace.is_none_or(|n| of(n) == Some(service.namespace))
    })
}
