//! Where the labels stand that a selector asks for and none of the pods or namespaces that it looks
//! at has: on pods of another namespace, on a namespace instead of a pod, on a namespace under a
//! slip.
//!
//! Such a place is the evidence that a selector is a mistake, where it would otherwise be possible
//! that what it selects is not in the input. Cost: one selection over the cluster for each selector
//! that selects nothing; O(namespaces) for one over namespaces.

use crate::lint::context::LintContext;
use crate::lint::near_miss::is_typo;
use crate::lint::words;
use crate::model::{NAMESPACE_NAME_LABEL, NamespaceId, Requirement, Selector};
use crate::policy::Namespaces;

/// A place where labels stand that a selector looks for in vain.
pub(crate) struct Elsewhere {
    /// What is there.
    pub note: String,
    /// What to do, where it is not the same for every such selector.
    pub help: Option<String>,
}

/// Where the labels stand that no pod of some namespaces has.
pub(crate) fn pod_labels(context: &LintContext<'_>, selector: &Selector) -> Option<Elsewhere> {
    let by_name = |r: &Requirement| {
        matches!(r, Requirement::In(key, values) if **key == *NAMESPACE_NAME_LABEL
            && !values.is_empty())
    };
    if selector.requirements().iter().any(by_name) {
        return Some(Elsewhere {
            note: format!("{NAMESPACE_NAME_LABEL} is a label of namespaces, and of no pod"),
            help: Some("select namespaces with a namespaceSelector".to_owned()),
        });
    }
    if !names_a_value(selector) {
        return None;
    }
    let everywhere = context.selected(&Namespaces::Matching(Selector::everything()), selector);
    (!everywhere.pods.is_empty()).then(|| Elsewhere {
        note: format!(
            "pods with these labels: {}",
            words::names(context.cluster, &everywhere.pods)
        ),
        help: None,
    })
}

/// Where the labels stand that no namespace has: on a namespace that differs by a slip, or on pods.
pub(crate) fn namespace_labels(
    context: &LintContext<'_>,
    selector: &Selector,
) -> Option<Elsewhere> {
    if !names_a_value(selector) {
        return None;
    }
    let slip = context.cluster.namespaces().find_map(|(id, namespace)| {
        let known = namespace.declared.is_some() || is_by_name(selector);
        known.then(|| slip(context, id, selector)).flatten()
    });
    if let Some((name, has)) = slip {
        return Some(Elsewhere {
            note: format!("namespace {name} has {has}"),
            help: Some(format!("name the labels that namespace {name} has")),
        });
    }
    let everywhere = context.selected(&Namespaces::Matching(Selector::everything()), selector);
    (!everywhere.pods.is_empty()).then(|| Elsewhere {
        note: format!(
            "these are labels of pods: {}",
            words::names(context.cluster, &everywhere.pods)
        ),
        help: Some("select pods by their labels with a podSelector".to_owned()),
    })
}

/// Whether a selector asks for the value of a label, and not only for what is absent.
fn names_a_value(selector: &Selector) -> bool {
    selector
        .requirements()
        .iter()
        .any(|r| matches!(r, Requirement::In(..)))
}

/// Whether a selector looks for namespaces by their names alone, which are known of all of them.
fn is_by_name(selector: &Selector) -> bool {
    selector
        .requirements()
        .iter()
        .all(|r| r.key() == NAMESPACE_NAME_LABEL)
}

/// The name of a namespace of which a single requirement fails, by a slip in the value, and the
/// label that it has instead.
fn slip(
    context: &LintContext<'_>,
    id: NamespaceId,
    selector: &Selector,
) -> Option<(String, String)> {
    let namespace = context.cluster.namespace(id);
    let mut failing = selector
        .requirements()
        .iter()
        .filter(|r| !r.matches(&namespace.labels));
    let (Some(Requirement::In(key, values)), None) = (failing.next(), failing.next()) else {
        return None;
    };
    let has = namespace.labels.get(key)?;
    values
        .iter()
        .any(|v| is_typo(v, has))
        .then(|| (namespace.name.to_string(), format!("{key}={has}")))
}
