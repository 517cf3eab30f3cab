//! Argo Rollouts that refer to a Deployment: their pods are those of its template.

use crate::load::assembly::Assembly;
use crate::load::made::copied;
use crate::load::made::custom::CustomObject;
use crate::load::made::fill::text_of;
use crate::load::made::pods::MadeLabels;
use crate::load::made::table;
use crate::load::object::{LoadedObject, MadePods};
use crate::load::workloads::PodDraft;
use crate::model::open_labels::at_run_time;
use crate::model::{Labels, MadeWorkload};
use crate::set::hashed::HashMap;
use crate::tree::SyntaxNode;
use std::sync::Arc;

/// The label of the pods of a Rollout that tells one template from another.
const HASH: &str = "rollouts-pod-template-hash";

/// The pods of the Rollouts whose workload is in the input, by their places in the list.
pub fn pods(
    objects: &[LoadedObject],
    customs: &[CustomObject],
    assembly: &Assembly<'_>,
) -> HashMap<usize, MadePods> {
    let each = customs.iter().enumerate();
    let found = each.filter_map(|(at, custom)| {
        let reference = reference(custom)?;
        let (kind, name) = (text_of(reference, "kind")?, text_of(reference, "name")?);
        let is_meant = |object: &&LoadedObject| {
            *object.kind == *kind
                && *object.name == *name
                && assembly.namespace_of(object) == custom.namespace
        };
        let workload = objects.iter().find(is_meant)?.workload()?;
        Some((at, of_draft(custom, &workload.draft, assembly)))
    });
    found.collect()
}

fn reference(custom: &CustomObject) -> Option<&SyntaxNode> {
    let is_rollout = (&*custom.group, &*custom.kind) == ("argoproj.io", "Rollout");
    let spec = custom.node.get("spec").filter(|_| is_rollout);
    spec?.get("workloadRef")
}

/// The pod of a Rollout, from that of the workload it refers to.
fn of_draft(custom: &CustomObject, draft: &PodDraft, assembly: &Assembly<'_>) -> MadePods {
    let own = draft.labels.iter();
    let mut labels: MadeLabels = own
        .map(|(key, value)| (key.into(), value.to_owned()))
        .collect();
    labels.insert(HASH.into(), at_run_time(""));
    let rows = table::rows(&assembly.options.workloads, &custom.group, &custom.kind);
    let roles = rows.iter().filter_map(|row| row.get("pods"));
    for role in roles.flat_map(SyntaxNode::items) {
        copied::lay_over(role, custom.scope(), &mut labels);
    }
    let labels: Labels = labels
        .into_iter()
        .map(|(key, value)| (Arc::<str>::from(key), value))
        .collect();
    let replicas = custom.scope().number("spec.replicas|1");
    MadePods {
        namespace: None,
        made: MadeWorkload {
            kind: (&*custom.kind).into(),
            object: custom.name.clone(),
            role: "pod".into(),
            pods: format!("{}-*", custom.name).into(),
            row: "argo-rollout".into(),
        },
        draft: PodDraft {
            name: "".into(),
            labels: Arc::new(labels),
            replicas: replicas.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            ..draft.clone()
        },
        perhaps_ports: Vec::new(),
    }
}
