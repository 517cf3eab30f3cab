//! Near misses: for a selector that selects nothing, the workload that it would select after one
//! small change of a label, or in another namespace.
//!
//! A near miss is a guess about what was meant, so that every finding that rests on one names the
//! workload. Cost: O(pods of the namespace x requirements).

use crate::lint::context::LintContext;
use crate::lint::short_lived_labels::unstable_label;
use crate::lint::words::distance;
use crate::model::{MadeWorkload, NamespaceId, PodId, Requirement, Selector, WorkloadId};
use crate::policy::validate::is_label_value;
use crate::policy::{Namespaces, Policy};

/// Keys that are used for the same thing.
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

/// Keys whose value names a workload.
const NAMES: [&str; 5] = ["app", "k8s-app", "name", "run", "app.kubernetes.io/name"];

/// Keys whose value names a part of an application.
const PARTS: [&str; 5] = [
    "app.kubernetes.io/component",
    "component",
    "role",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
];

/// The note on a finding about a selector that selects nothing and has no near miss.
pub const MADE_AT_RUN_TIME: &str =
    "pods that are made at run time are not in the input, so this may be as it should";

/// A workload that is nearly selected.
pub struct NearMiss {
    /// One of its pods.
    pub pod: PodId,
    /// The label that it has instead (`name=carts`), or the keys that it lacks (`no tier`).
    pub has: String,
    /// Whether it differs by a typing error or an alias of the key, and does not merely lack
    /// labels.
    pub typo: bool,
}

/// Whether two words differ as by a typing error: in few letters of many, and not in digits alone.
pub fn is_typo(a: &str, b: &str) -> bool {
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    let without_digits = |s: &str| {
        s.chars()
            .filter(|c| !c.is_ascii_digit())
            .collect::<String>()
    };
    let distance = distance(a, b);
    a != b
        && short >= 4
        && distance <= 2
        && distance * 3 <= long
        && without_digits(a) != without_digits(b)
}

/// A workload of a namespace that a selector nearly selects: one that differs in a single label by
/// a slip if there is any, otherwise one that lacks labels or has another value of one.
pub fn nearest(
    context: &LintContext<'_>,
    namespace: NamespaceId,
    selector: &Selector,
) -> Option<NearMiss> {
    let pods = context.pods_of(namespace);
    let one_off = pods
        .iter()
        .find_map(|pod| one_off(context, namespace, *pod, selector));
    let one_off = one_off.or_else(|| made_by_operator(context, pods, selector));
    one_off.or_else(|| {
        pods.iter().find_map(|pod| {
            lacking(context, namespace, *pod, selector)
                .or_else(|| other_value(context, namespace, *pod, selector))
                .or_else(|| by_its_name(context, *pod, selector))
        })
    })
}

/// The pods that an operator makes and that a selector means: by the name of the custom resource,
/// or by a word of its kind. Which labels they have only the operator's code tells.
fn made_by_operator(
    context: &LintContext<'_>,
    pods: &[PodId],
    selector: &Selector,
) -> Option<NearMiss> {
    let labels = selector.requirements().iter().filter_map(|r| match r {
        Requirement::In(key, values) => Some((&**key, values.first()?)),
        _ => None,
    });
    let wanted: Vec<(&str, &Box<str>)> = labels.collect();
    let made = |pod: &PodId| {
        let workload = context.cluster.pod(*pod).workload;
        context.cluster.workload(workload).made.as_deref()
    };
    let is_meant = |made: &MadeWorkload| wanted.iter().any(|(_, value)| is_called(made, value));
    let pod = *pods.iter().find(|pod| made(pod).is_some_and(is_meant))?;
    let has = context.cluster.pod_labels(pod);
    let same_key = wanted
        .iter()
        .find_map(|(key, _)| Some((*key, has.get(key)?)));
    let certain = has.iter().filter(|(_, value)| !value.starts_with('<'));
    let shown: Vec<String> = match same_key {
        Some((key, value)) => vec![format!("{key}={value}")],
        None => certain
            .take(2)
            .map(|(key, value)| format!("{key}={value}"))
            .collect(),
    };
    (!shown.is_empty()).then(|| NearMiss {
        pod,
        has: shown.join(", "),
        typo: true,
    })
}

/// Whether a word is the name of the object that pods are made from, or a word of its kind.
fn is_called(made: &MadeWorkload, value: &str) -> bool {
    let kind = made.kind.to_lowercase();
    value == &*made.object || value.len() > 3 && kind.contains(value)
}

/// The requirements that a pod does not meet.
fn failing<'s>(
    context: &LintContext<'_>,
    pod: PodId,
    selector: &'s Selector,
) -> Vec<&'s Requirement> {
    let labels = context.cluster.pod_labels(pod);
    selector
        .requirements()
        .iter()
        .filter(|r| !Selector::new([(*r).clone()]).selects(labels).possible())
        .collect()
}

/// The key and the values of the only requirement that fails for a pod.
fn only_failing<'s>(
    context: &LintContext<'_>,
    pod: PodId,
    selector: &'s Selector,
) -> Option<(&'s str, &'s [Box<str>])> {
    match failing(context, pod, selector)[..] {
        [Requirement::In(key, values)] => Some((key, values)),
        _ => None,
    }
}

/// A near miss when all requirements but one hold, and that one fails by a typing error in the
/// value or by an alias of the key.
fn one_off(
    context: &LintContext<'_>,
    namespace: NamespaceId,
    pod: PodId,
    selector: &Selector,
) -> Option<NearMiss> {
    let (key, values) = only_failing(context, pod, selector)?;
    let labels = context.cluster.pod_labels(pod);
    if let Some(has) = labels.get(key) {
        let mistyped =
            values.iter().any(|v| is_typo(v, has)) && !is_named(context, namespace, key, has);
        return mistyped.then(|| NearMiss {
            pod,
            has: format!("{key}={has}"),
            typo: true,
        });
    }
    let same_value = |(k, v): &(&str, &str)| {
        let alias = ALIASES.contains(k) && ALIASES.contains(&key)
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

/// Whether a policy of the namespace selects by this very label. It is then no typing error, but
/// the label of another workload.
fn is_named(context: &LintContext<'_>, namespace: NamespaceId, key: &str, value: &str) -> bool {
    let name = &context.cluster.namespace(namespace).name;
    let wants = |r: &Requirement| {
        matches!(r, Requirement::In(k, values)
            if **k == *key && values.iter().any(|v| **v == *value))
    };
    context.policies_in(name).iter().any(|id| {
        context
            .policies
            .get(*id)
            .subject
            .pods
            .requirements()
            .iter()
            .any(wants)
    })
}

/// A near miss when a requirement that singles out the workload holds, and all that fail do so
/// because the workload lacks the key.
fn lacking(
    context: &LintContext<'_>,
    namespace: NamespaceId,
    pod: PodId,
    selector: &Selector,
) -> Option<NearMiss> {
    let labels = context.cluster.pod_labels(pod);
    let failing = failing(context, pod, selector);
    let lacks = |r: &&Requirement| match r {
        Requirement::In(key, _) | Requirement::Exists(key) | Requirement::Like(key, _) => {
            labels.get(key).is_none()
        }
        Requirement::NotIn(..)
        | Requirement::DoesNotExist(_)
        | Requirement::AnyOf(_)
        | Requirement::Not(_) => false,
    };
    if failing.is_empty() || !failing.iter().all(lacks) {
        return None;
    }
    let workload = context.cluster.pod(pod).workload;
    selector
        .requirements()
        .iter()
        .filter(|r| r.matches(labels))
        .find(|r| singles_out(context, namespace, workload, r))?;
    let keys: Vec<String> = failing.iter().map(|r| r.key().to_owned()).collect();
    Some(NearMiss {
        pod,
        has: format!("no {}", keys.join(", no ")),
        typo: false,
    })
}

/// A near miss when the label that names a workload holds and singles it out, and the only one that
/// fails has another value there.
fn other_value(
    context: &LintContext<'_>,
    namespace: NamespaceId,
    pod: PodId,
    selector: &Selector,
) -> Option<NearMiss> {
    let (key, values) = only_failing(context, pod, selector)?;
    let has = context.cluster.pod_labels(pod).get(key)?;
    let workload = context.cluster.pod(pod).workload;
    let named = selector.requirements().iter().any(|r| {
        NAMES.contains(&r.key()) && r.key() != key && singles_out(context, namespace, workload, r)
    });
    let held: Vec<&Requirement> = selector
        .requirements()
        .iter()
        .filter(|r| r.key() != key && matches!(r, Requirement::In(..)))
        .collect();
    let agrees = held.len() >= 2 && single_out(context, namespace, workload, &held);
    // another part of one application is not meant by a label of this one
    let part = PARTS.contains(&key) && !values.iter().any(|v| is_longer(v, has));
    let other = part || is_named(context, namespace, key, has);
    // a value that is only known at run time is no label value
    ((named || agrees) && !other && is_label_value(has)).then(|| NearMiss {
        pod,
        has: format!("{key}={has}"),
        typo: false,
    })
}

/// Whether one value is the other with a word appended: `controller` and `controller-eligible`.
fn is_longer(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    short.len() >= 4
        && long
            .strip_prefix(short)
            .is_some_and(|rest| rest.starts_with(['-', '_', '.']))
}

/// Whether requirements together select pods of one workload of a namespace alone.
fn single_out(
    context: &LintContext<'_>,
    namespace: NamespaceId,
    workload: WorkloadId,
    requirements: &[&Requirement],
) -> bool {
    let together = Selector::new(requirements.iter().map(|r| (*r).clone()));
    let pods = context.pods_where(namespace, &together);
    pods.iter()
        .all(|p| context.cluster.pod(*p).workload == workload)
}

/// A near miss when all that a selector asks for is a label that holds the workload's own name,
/// under a key that the workload does not have.
fn by_its_name(context: &LintContext<'_>, pod: PodId, selector: &Selector) -> Option<NearMiss> {
    let [Requirement::In(key, values)] = selector.requirements() else {
        return None;
    };
    let workload = context.cluster.workload(context.cluster.pod(pod).workload);
    let called = values.iter().any(|v| **v == *workload.name);
    let lacks = context.cluster.pod_labels(pod).get(key).is_none();
    (called && lacks && ALIASES.contains(&&**key)).then(|| NearMiss {
        pod,
        has: format!("no {key}"),
        typo: false,
    })
}

/// Whether a requirement selects pods of one workload of a namespace alone.
fn singles_out(
    context: &LintContext<'_>,
    namespace: NamespaceId,
    workload: WorkloadId,
    requirement: &Requirement,
) -> bool {
    let alone = Selector::new([requirement.clone()]);
    let pods = context.pods_where(namespace, &alone);
    matches!(requirement, Requirement::In(..))
        && pods
            .iter()
            .all(|p| context.cluster.pod(*p).workload == workload)
}

/// The only other namespace whose workloads a policy would select, when it selects none of its own
/// namespace.
pub(crate) fn other_namespace(context: &LintContext<'_>, policy: &Policy) -> Option<NamespaceId> {
    let selector = &policy.subject.pods;
    let own_namespace = context.namespace_of(policy)?;
    if selector.is_everything() || selector.is_contradictory() || unstable_label(selector).is_some()
    {
        return None;
    }
    if !context.pods_where(own_namespace, selector).is_empty() {
        return None;
    }
    let everywhere = context.selected(&Namespaces::Matching(Selector::everything()), selector);
    let mut namespaces: Vec<NamespaceId> = everywhere
        .pods
        .iter()
        .map(|p| context.cluster.pod(*p).namespace)
        .collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let [single] = namespaces.as_slice() else {
        return None;
    };
    (*single != own_namespace).then_some(*single)
}
