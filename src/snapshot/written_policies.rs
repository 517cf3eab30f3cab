//! Policies as they are written, as text without names, places and what has no order, and the
//! labels that they may ask for: equal texts mean the same for every pod.

use crate::input::Input;
use crate::model::{Labels, Selector};
use crate::policy::sorted_policy::SortedPolicy;
use crate::policy::{Namespaces, Taint};
use crate::potential::PotentialPods;
use std::collections::BTreeSet;

/// The policies as they are written, and the labels that they may ask for.
pub(crate) fn written(input: &Input, pods: &PotentialPods) -> String {
    let (policies, cluster) = (&input.policies, &input.cluster);
    let mut lines: BTreeSet<String> = BTreeSet::new();
    for policy in &policies.policies {
        lines.insert(format!("{:?}", SortedPolicy::of(policies, policy)));
    }
    for taint in &policies.taints {
        let Taint {
            what,
            reason,
            effect,
            subject,
            directions,
            ..
        } = taint;
        lines.insert(format!(
            "{what:?} {reason:?} {effect:?} {subject:?} {directions:?}"
        ));
    }
    let (mut of_pods, mut of_namespaces) = (BTreeSet::new(), BTreeSet::new());
    for (namespaces, pods) in &pods.asked {
        keys(pods, &mut of_pods);
        match namespaces {
            Namespaces::Matching(selector) => keys(selector, &mut of_namespaces),
            Namespaces::SameLabels(keys) | Namespaces::NotSameLabels(keys) => {
                of_namespaces.extend(keys.iter().map(ToString::to_string));
            }
            Namespaces::Named(_) => {}
        }
    }
    let asked = |labels: &Labels, keys: &BTreeSet<String>| -> Vec<(String, String)> {
        let asked = labels.iter().filter(|(key, _)| keys.contains(*key));
        asked.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    };
    for (_, namespace) in cluster.namespaces() {
        let labels = asked(&namespace.labels, &of_namespaces);
        lines.insert(format!("namespace {:?} {labels:?}", namespace.name));
    }
    for (id, workload) in cluster.workloads() {
        for pod in &workload.pods {
            let labels = asked(cluster.pod_labels(*pod), &of_pods);
            lines.insert(format!(
                "workload {:?} {labels:?}",
                cluster.workload_name(id)
            ));
        }
    }
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// The keys that a selector asks for.
fn keys(selector: &Selector, found: &mut BTreeSet<String>) {
    for requirement in selector.requirements() {
        requirement.visit(&mut |part| _ = found.insert(part.key().to_owned()));
    }
}
