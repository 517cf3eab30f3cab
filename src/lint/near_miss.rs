//! Near misses: a selector that selects nobody, and a workload it would select after one small
//! change.

use crate::lint::facts::Facts;
use crate::lint::words::distance;
use crate::model::{NamespaceId, PodId, Requirement, Selector};

/// Keys that people use for the same thing.
const ALIASES: [&str; 9] = [
    "app",
    "k8s-app",
    "name",
    "run",
    "component",
    "role",
    "tier",
    "app.kubernetes.io/name",
    "app.kubernetes.io/component",
];

/// A workload that is nearly selected.
pub struct NearMiss {
    /// One of its pods.
    pub pod: PodId,
    /// What it has instead: `name=carts`, or what it lacks.
    pub has: String,
    /// Whether it is one letter or one key away, and not a guess about missing labels.
    pub typo: bool,
}

/// Whether two words differ as a slip of the pen does: not by a number, not by being short.
pub fn slip(a: &str, b: &str) -> bool {
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    let bare = |s: &str| {
        s.chars()
            .filter(|c| !c.is_ascii_digit())
            .collect::<String>()
    };
    let away = distance(a, b);
    a != b && short >= 4 && away <= 2 && away * 3 <= long && bare(a) != bare(b)
}

/// Finds a workload of a namespace that a selector nearly selects.
pub fn miss(facts: &Facts<'_>, namespace: NamespaceId, selector: &Selector) -> Option<NearMiss> {
    let pods = facts.pods_of(namespace);
    let one_off = pods
        .iter()
        .find_map(|pod| one_off(facts, namespace, *pod, selector));
    one_off.or_else(|| {
        pods.iter()
            .find_map(|pod| lacking(facts, namespace, *pod, selector))
    })
}

fn failing<'s>(facts: &Facts<'_>, pod: PodId, selector: &'s Selector) -> Vec<&'s Requirement> {
    let labels = facts.cluster.pod_labels(pod);
    selector
        .requirements()
        .iter()
        .filter(|r| !r.matches(labels))
        .collect()
}

/// All requirements but one hold, and that one fails by a slip in the value or by the other name of
/// the key.
fn one_off(
    facts: &Facts<'_>,
    namespace: NamespaceId,
    pod: PodId,
    selector: &Selector,
) -> Option<NearMiss> {
    let [Requirement::In(key, values)] = failing(facts, pod, selector)[..] else {
        return None;
    };
    let labels = facts.cluster.pod_labels(pod);
    if let Some(has) = labels.get(key) {
        let slipped = values.iter().any(|v| slip(v, has)) && !is_named(facts, namespace, key, has);
        return slipped.then(|| NearMiss {
            pod,
            has: format!("{key}={has}"),
            typo: true,
        });
    }
    let same_value = |(k, v): &(&str, &str)| {
        let alias = ALIASES.contains(k) && ALIASES.contains(&&**key)
            || distance(k, key) <= 1 && key.len() >= 3;
        alias && values.iter().any(|wanted| **wanted == **v)
    };
    let (k, v) = labels.iter().find(same_value)?;
    Some(NearMiss {
        pod,
        has: format!("{k}={v}"),
        typo: true,
    })
}

/// Whether a policy of the namespace selects by this very label, so that it is no slip but another
/// workload.
fn is_named(facts: &Facts<'_>, namespace: NamespaceId, key: &str, value: &str) -> bool {
    let name = &facts.cluster.namespace(namespace).name;
    let wants = |r: &Requirement| matches!(r, Requirement::In(k, vs) if **k == *key && vs.iter().any(|v| **v == *value));
    facts.policies_in(name).iter().any(|id| {
        facts
            .law
            .get(*id)
            .subject
            .pods
            .requirements()
            .iter()
            .any(wants)
    })
}

/// A requirement that singles out one workload holds, and all that fail do so because the workload
/// lacks the key.
fn lacking(
    facts: &Facts<'_>,
    namespace: NamespaceId,
    pod: PodId,
    selector: &Selector,
) -> Option<NearMiss> {
    let labels = facts.cluster.pod_labels(pod);
    let failing = failing(facts, pod, selector);
    let lacks = |r: &&Requirement| matches!(r, Requirement::In(k, _) | Requirement::Exists(k) if labels.get(k).is_none());
    if failing.is_empty() || !failing.iter().all(lacks) {
        return None;
    }
    let workload = facts.cluster.pod(pod).workload;
    let singles_out = |r: &&Requirement| {
        let alone = Selector::new([(*r).clone()]);
        let pods = facts.pods_where(namespace, &alone);
        matches!(r, Requirement::In(..))
            && pods
                .iter()
                .all(|p| facts.cluster.pod(*p).workload == workload)
    };
    selector
        .requirements()
        .iter()
        .filter(|r| r.matches(labels))
        .find(singles_out)?;
    let keys: Vec<String> = failing.iter().map(|r| r.key().to_owned()).collect();
    Some(NearMiss {
        pod,
        has: format!("no {}", keys.join(", no ")),
        typo: false,
    })
}
