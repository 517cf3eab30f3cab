//! The namespaces in which pods may come to be: those that are loaded, those that a rule names, and
//! any other.
//!
//! A namespace with an object has exactly its labels (S141). Of one without, only its name is
//! certain: it stands once for each kind of labels it may have ([`KindBudget::kinds`]), and no flow
//! sees two of them ([`PotentialNamespace::excludes`]).

use crate::model::{Cluster, Labels, NAMESPACE_NAME_LABEL, Namespace, Requirement, Selector};
use crate::potential::few::KindBudget;
use crate::potential::kinds::pairs;
use crate::potential::vocabulary::PodVocabulary;
use std::collections::BTreeSet;

/// A namespace in which pods may come to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PotentialNamespace {
    /// Its name; for any other namespace one that nobody uses.
    pub name: Box<str>,
    /// Its labels on both sides of a comparison, with the name.
    pub labels: [Labels; 2],
    /// Whether its object is loaded on every side.
    pub loaded: bool,
    /// Whether it stands for any namespace that nobody names.
    pub any: bool,
}

impl PotentialNamespace {
    /// Whether a flow between the two is impossible: they are one namespace under different
    /// assumptions.
    pub fn excludes(&self, other: &Self) -> bool {
        self != other && self.name == other.name
    }
}

/// A namespace that nobody names; no name of a namespace has a blank.
const OTHER: &str = "another namespace";

/// The namespaces of both sides.
pub fn potential_namespaces(
    clusters: [&Cluster; 2],
    vocabulary: &PodVocabulary<'_>,
    budget: &mut KindBudget,
) -> Vec<PotentialNamespace> {
    let mut names: BTreeSet<Box<str>> = vocabulary.names.clone();
    for cluster in clusters {
        names.extend(cluster.namespaces().map(|(_, n)| n.name.clone()));
    }
    let declared = |cluster: &'_ Cluster, name: &str| -> Option<Labels> {
        let namespace: &Namespace = cluster.namespace(cluster.find_namespace(name)?);
        namespace.declared.as_ref()?;
        Some(namespace.labels.clone())
    };
    let mut found = Vec::new();
    for name in &names {
        match clusters.map(|cluster| declared(cluster, name)) {
            [Some(before), Some(after)] => found.push(PotentialNamespace {
                name: name.clone(),
                labels: [before, after],
                loaded: true,
                any: false,
            }),
            [Some(labels), None] | [None, Some(labels)] => found.push(PotentialNamespace {
                name: name.clone(),
                labels: [labels.clone(), labels],
                loaded: false,
                any: false,
            }),
            [None, None] => {
                let kinds = namespace_kinds(name, clusters, vocabulary, budget);
                found.extend(kinds.into_iter().map(|labels| made_up(name, labels, false)));
            }
        }
    }
    let kinds = namespace_kinds(OTHER, clusters, vocabulary, budget);
    for labels in kinds {
        let name = if labels.is_empty() {
            OTHER.to_owned()
        } else {
            format!("{OTHER} {}", pairs(labels.iter()))
        };
        found.push(made_up(&name, labels, true));
    }
    found
}

fn made_up(name: &str, labels: Labels, any: bool) -> PotentialNamespace {
    let labels: Labels = labels
        .iter()
        .chain([(NAMESPACE_NAME_LABEL, name)])
        .collect();
    PotentialNamespace {
        name: name.into(),
        labels: [labels.clone(), labels],
        loaded: false,
        any,
    }
}

/// The kinds of labels, besides the name, that a namespace of this name may have.
fn namespace_kinds(
    name: &str,
    clusters: [&Cluster; 2],
    vocabulary: &PodVocabulary<'_>,
    budget: &mut KindBudget,
) -> Vec<Labels> {
    let named: Labels = [(NAMESPACE_NAME_LABEL, name)].into_iter().collect();
    let is_name = |r: &&Requirement| r.key() == NAMESPACE_NAME_LABEL;
    let (mut selectors, mut focus) = (Vec::new(), Vec::new());
    for selector in &vocabulary.namespaces {
        let requirements = selector.requirements();
        if requirements
            .iter()
            .filter(is_name)
            .all(|r| r.matches(&named))
        {
            let others = requirements.iter().filter(|r| !is_name(r)).cloned();
            selectors.push(Selector::new(others));
            focus.push(vocabulary.focus.contains(*selector));
        }
    }
    for key in &vocabulary.compared {
        selectors.push(Selector::new([Requirement::Exists((*key).into())]));
        let values: BTreeSet<&str> = clusters
            .into_iter()
            .flat_map(Cluster::namespaces)
            .filter_map(|(_, n)| n.labels.get(key))
            .collect();
        selectors.extend(values.into_iter().map(|value| Selector::label(key, value)));
    }
    let list: Vec<&Selector> = selectors.iter().collect();
    budget.kinds(&list, &focus)
}
