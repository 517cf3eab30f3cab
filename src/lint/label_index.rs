//! The pods and the policies of one namespace by label: which pods a selector can select, and which
//! policies' selectors can contain a selector.
//!
//! A selector that requires one value of a key selects only pods that have it, and contains only
//! selectors that require it too. A namespace of thousands of pods with a policy each is therefore
//! not scanned once per policy. Invariant: candidates are a superset of the answer, in order.
//! Cost: O(labels) per namespace, once; a question costs the shortest list that applies.

use crate::lint::algebra::asks_plainly;
use crate::model::{Cluster, NamespaceId, PodId, Requirement, Selector};
use crate::policy::{PolicyId, PolicySet};
use std::collections::HashMap;

/// Up to this many pods are scanned without an index.
const FEW: usize = 64;

/// The label that a requirement demands, if it is a single one.
fn exact_label(requirement: &Requirement) -> Option<(&str, &str)> {
    match requirement {
        Requirement::In(key, values) => match &values[..] {
            [value] => Some((key, value)),
            _ => None,
        },
        _ => None,
    }
}

/// Items by the key, then by the value of a label, in order.
#[derive(Debug)]
pub struct ByLabel<T>(HashMap<Box<str>, HashMap<Box<str>, Vec<T>>>);

impl<T> Default for ByLabel<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> ByLabel<T> {
    fn push(&mut self, (key, value): (&str, &str), item: T) {
        if !self.0.contains_key(key) {
            self.0.insert(key.into(), HashMap::new());
        }
        let Some(values) = self.0.get_mut(key) else {
            return;
        };
        match values.get_mut(value) {
            Some(list) => list.push(item),
            None => drop(values.insert(value.into(), vec![item])),
        }
    }

    /// Those with a label.
    pub fn get(&self, (key, value): (&str, &str)) -> &[T] {
        self.0
            .get(key)
            .and_then(|values| values.get(value))
            .map_or(&[], Vec::as_slice)
    }
}

/// The namespaces of a cluster by each of their known labels.
pub fn namespaces_by_label(cluster: &Cluster) -> ByLabel<NamespaceId> {
    let mut by_label = ByLabel::default();
    for (id, namespace) in cluster.namespaces() {
        let labels = namespace.labels.iter();
        labels.for_each(|label| by_label.push(label, id));
    }
    by_label
}

/// The pods of a namespace by label, in order.
#[derive(Debug, Default)]
pub struct PodIndex {
    all: Vec<PodId>,
    indexed: bool,
    by_label: ByLabel<PodId>,
}

impl PodIndex {
    /// Lists the pods by all of their labels, unless they are few.
    pub fn new(cluster: &Cluster, pods: &[PodId]) -> Self {
        let mut by_label = ByLabel::default();
        // a pod with a label of run time alone would have to be listed under every value
        let indexed = pods.len() > FEW && !pods.iter().any(|p| cluster.pod_labels(*p).has_open());
        if indexed {
            for pod in pods {
                for label in cluster.pod_labels(*pod).iter() {
                    by_label.push(label, *pod);
                }
            }
        }
        Self {
            all: pods.to_vec(),
            indexed,
            by_label,
        }
    }

    /// Pods among which are all that a selector selects, in order.
    pub fn candidates(&self, selector: &Selector) -> &[PodId] {
        if !self.indexed {
            return &self.all;
        }
        let lists = selector
            .requirements()
            .iter()
            .filter_map(exact_label)
            .map(|label| self.by_label.get(label));
        lists.min_by_key(|list| list.len()).unwrap_or(&self.all)
    }
}

/// The policies of a namespace by a label that their subjects must have, in order.
#[derive(Debug, Default)]
pub struct PolicyIndex {
    all: Vec<PolicyId>,
    /// Those that demand no single value of any key.
    others: Vec<PolicyId>,
    by_label: ByLabel<PolicyId>,
}

impl PolicyIndex {
    /// Lists each policy under the first label that its selector demands.
    pub fn new(policy_set: &PolicySet, policies: &[PolicyId]) -> Self {
        let mut index = Self {
            all: policies.to_vec(),
            ..Self::default()
        };
        for id in policies {
            match policy_set
                .get(*id)
                .subject
                .pods
                .requirements()
                .iter()
                .find_map(exact_label)
            {
                Some(label) => index.by_label.push(label, *id),
                None => index.others.push(*id),
            }
        }
        index
    }

    /// Policies among which are all whose subject may contain what a selector selects, in order.
    pub fn candidates(&self, narrow: &Selector) -> Vec<PolicyId> {
        if !asks_plainly(narrow) {
            return self.all.clone();
        }
        let lists = narrow
            .requirements()
            .iter()
            .filter_map(exact_label)
            .map(|label| self.by_label.get(label));
        let mut candidates: Vec<PolicyId> = lists.flatten().chain(&self.others).copied().collect();
        candidates.sort_unstable();
        candidates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::algebra::selector_within;

    /// One policy per pair of requirements, or one, or none.
    fn policies() -> String {
        let mut forms = vec![String::new()];
        for key in ["a", "b"] {
            for rest in [
                "In, values: [x]",
                "In, values: [x, y]",
                "NotIn, values: [x]",
                "Exists",
                "DoesNotExist",
            ] {
                forms.push(format!("{{key: {key}, operator: {rest}}}"));
            }
        }
        let pairs = forms
            .iter()
            .flat_map(|first| forms.iter().map(move |second| [first, second]));
        let text = |(i, pair): (usize, [&String; 2])| {
            let list: Vec<&str> = pair
                .iter()
                .map(|form| form.as_str())
                .filter(|form| !form.is_empty())
                .collect();
            format!(
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{i}, namespace: n}}\n\
                 spec: {{podSelector: {{matchExpressions: [{}]}}}}\n---\n",
                list.join(", ")
            )
        };
        pairs.enumerate().map(text).collect()
    }

    #[test]
    fn whatever_holds_a_selector_is_a_candidate() {
        let input = crate::load_str(&policies());
        assert!(!input.has_errors(), "{:?}", input.diagnostics);
        let ids: Vec<PolicyId> = input.policies.iter().map(|(id, _)| id).collect();
        let listed = PolicyIndex::new(&input.policies, &ids);
        let (mut held, mut spared) = (0, 0);
        for (_, narrow) in input.policies.iter() {
            let candidates = listed.candidates(&narrow.subject.pods);
            assert!(candidates.is_sorted());
            spared += ids.len() - candidates.len();
            for (id, wide) in input.policies.iter() {
                if selector_within(&narrow.subject.pods, &wide.subject.pods) {
                    assert!(
                        candidates.contains(&id),
                        "{:?} in {:?}",
                        narrow.subject.pods,
                        wide.subject.pods
                    );
                    held += 1;
                }
            }
        }
        assert!(held > 100 && spared > 1_000, "{held} held, {spared} spared");
    }

    #[test]
    fn pods_that_are_selected_are_candidates_in_order() {
        let pod = |i: usize| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{i}, namespace: n, labels: {{own: v{i}, half: h{}}}}}\n\
                 spec: {{containers: [{{name: c, image: i}}]}}\n---\n",
                i % 2
            )
        };
        let input = crate::load_str(&(0..100).map(pod).collect::<String>());
        let pods: Vec<PodId> = input.cluster.pods().map(|(id, _)| id).collect();
        let listed = PodIndex::new(&input.cluster, &pods);
        let single = Selector::label("own", "v7");
        assert_eq!(listed.candidates(&single).len(), 1);
        let half = Selector::label("half", "h1");
        let chosen = |p: &&PodId| half.matches(input.cluster.pod_labels(**p));
        let selected: Vec<&PodId> = listed.candidates(&half).iter().filter(chosen).collect();
        assert_eq!(selected, pods.iter().filter(chosen).collect::<Vec<_>>());
        assert_eq!(listed.candidates(&Selector::label("own", "none")), []);
        assert_eq!(listed.candidates(&Selector::default()).len(), 100);
    }
}
