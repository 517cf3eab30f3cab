//! Generators of policies, by kind: what each of them makes of the objects of the input.
//!
//! `None` says that an object makes no policies that are known; what it may touch is then what
//! [`crate::load::embedded`] finds in it.

use crate::load::made::custom::CustomObject;
use crate::load::made::fill::text_of;
use crate::load::made::outcome::Made;
use crate::load::made::world::GeneratorWorld;
use crate::load::made::{capsule, hnc, kyverno, namespace_config, ocm, projects, rancher, wrapped};
use crate::policy::TaintEffect;
use crate::policy::unmodelled::TaintReach;
use crate::tree::SyntaxNode;

/// The kinds that make policies, or that say where others make them.
pub const GENERATORS: &[(&str, &str)] = &[
    ("kyverno.io", "ClusterPolicy"),
    ("kyverno.io", "Policy"),
    ("hnc.x-k8s.io", "HNCConfiguration"),
    ("hnc.x-k8s.io", "HierarchyConfiguration"),
    ("hnc.x-k8s.io", "SubnamespaceAnchor"),
    ("capsule.clastix.io", "Tenant"),
    ("capsule.clastix.io", "TenantResource"),
    ("capsule.clastix.io", "GlobalTenantResource"),
    ("redhatcop.redhat.io", "NamespaceConfig"),
    ("redhatcop.redhat.io", "GroupConfig"),
    ("redhatcop.redhat.io", "UserConfig"),
    ("policy.open-cluster-management.io", "ConfigurationPolicy"),
    ("policy.open-cluster-management.io", "Policy"),
    ("kubernetes.crossplane.io", "Object"),
    ("kubernetes.m.crossplane.io", "Object"),
    ("config.openshift.io", "Project"),
    ("config.kiosk.sh", "TemplateInstance"),
    ("config.kiosk.sh", "Template"),
    ("tenancy.kiosk.sh", "Account"),
    ("management.cattle.io", "Cluster"),
    ("provisioning.cattle.io", "Cluster"),
    ("k8s.otterize.com", "ClientIntents"),
    ("k8s.otterize.com", "ApprovedClientIntents"),
    ("k8s.otterize.com", "ProtectedService"),
];

/// Whether an object is of a kind that makes policies.
pub fn is_generator(custom: &CustomObject) -> bool {
    GENERATORS.contains(&(&*custom.group, &*custom.kind))
}

/// Whether objects of a kind that generates are in no namespace.
pub fn is_of_cluster(group: &str, kind: &str) -> bool {
    const IN_NAMESPACES: [&str; 8] = [
        "ClientIntents",
        "ApprovedClientIntents",
        "ProtectedService",
        "Policy",
        "ConfigurationPolicy",
        "TenantResource",
        "TemplateInstance",
        "SubnamespaceAnchor",
    ];
    GENERATORS.contains(&(group, kind)) && !IN_NAMESPACES.contains(&kind)
}

/// What an object generates.
pub fn made_of(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    match (&*custom.group, &*custom.kind) {
        ("kyverno.io", "ClusterPolicy" | "Policy") => kyverno::made_of(custom, world),
        ("hnc.x-k8s.io", "HNCConfiguration") => hnc::made_of(custom, world),
        ("capsule.clastix.io", "Tenant") => capsule::tenant(custom, world),
        ("capsule.clastix.io", "TenantResource" | "GlobalTenantResource") => {
            capsule::resource(custom, world)
        }
        ("redhatcop.redhat.io", kind) => namespace_config::made_of(custom, kind, world),
        ("policy.open-cluster-management.io", "ConfigurationPolicy") => {
            ocm::configuration(custom, world)
        }
        ("policy.open-cluster-management.io", "Policy") => ocm::policy(custom, world),
        ("kubernetes.crossplane.io" | "kubernetes.m.crossplane.io", "Object") => {
            wrapped::of_crossplane(custom, world)
        }
        ("config.kiosk.sh", "TemplateInstance") => wrapped::template_instance(custom, world),
        ("config.kiosk.sh", "Template") => Some(wrapped::template(custom, world)),
        ("config.openshift.io", "Project") => projects::made_of(&custom.node, world),
        ("management.cattle.io" | "provisioning.cattle.io", "Cluster") => {
            rancher::made_of(custom, world)
        }
        ("k8s.otterize.com", "ProtectedService") => Some(protected(custom)),
        ("k8s.otterize.com", _) => intents(custom),
        _ => None,
    }
}

/// Otterize: a policy for each server that a client calls. The labels that it selects are put on
/// pods at run time, and whether it is enforced is a setting of the operator.
fn intents(custom: &CustomObject) -> Option<Made> {
    let spec = custom.node.get("spec")?;
    let lists = [spec.get("targets"), spec.get("calls")];
    let calls = lists.into_iter().flatten().flat_map(SyntaxNode::items);
    let mut namespaces: Vec<&str> = Vec::new();
    for call in calls {
        let kubernetes = call.get("kubernetes").or_else(|| call.get("service"));
        let name = text_of(kubernetes.unwrap_or(call), "name").unwrap_or_default();
        namespaces.push(
            name.split_once('.')
                .map_or(&*custom.namespace, |(_, of)| of),
        );
    }
    namespaces.sort_unstable();
    namespaces.dedup();
    let mut made = Made::handled();
    if !namespaces.is_empty() {
        let reach = TaintReach::own(TaintEffect::UnorderedTier, [true, false]);
        let what = "for each server that is called, if the operator enforces intents";
        made.unknown.push((what.into(), reach.named(namespaces)));
    }
    Some(made)
}

/// Otterize: a service that is protected lets nobody in but those that intend to call it. The
/// labels that the policy selects are put on pods at run time.
fn protected(custom: &CustomObject) -> Made {
    let mut made = Made::handled();
    let reach = TaintReach::own(TaintEffect::UnorderedTier, [true, false]);
    let what = "for a service that is protected, if the operator enforces it";
    let here = reach.named([&*custom.namespace]);
    made.unknown.push((what.into(), here));
    made
}
