//! Which pods that may exist fare alike, as a diagram over names and labels that does not depend on
//! the selectors that policies happen to use.
//!
//! Kinds are cut by selectors, so that two sets of policies with one meaning may have different
//! kinds. Here kinds that fare alike (of one *class*) are told by decisions about one label after
//! the other, in the order of their keys; a decision that makes no difference is left out, and a
//! value that fares like one that nobody mentions is not mentioned. What is left is a reduced
//! decision diagram, and such a diagram is the same for all ways to write one function.
//!
//! ```text
//! app in (web, api)      app: web -> 1, api -> 1, any other -> 0, none -> 0
//! app=web or app=api     the same
//! ```
//!
//! A namespace is mentioned by its name only where its pods fare otherwise than those of any other
//! namespace: than those of one without labels, if its own labels are told. Road not taken: to
//! compare two sets of policies with each other, which `diff` does; a snapshot has no policies.
//! Cost: that of the kinds, for each key once more; at most [`MOST_BRANCHES`] decisions.

use crate::model::{NAMESPACE_NAME_LABEL, Selector};
use crate::policy::Namespaces;
use crate::potential::kinds::{
    Answers, LabelPairs, answers_about, extended, labels_of, mentioned_values, tried_values,
};
use crate::potential::namespaces::PotentialNamespace;
use crate::potential::pods::{PotentialPods, answers, asked_in};
use crate::set::hashed::{HashMap, IndexMap, IndexSet};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Most branches that are made of one diagram.
const MOST_BRANCHES: usize = 5_000_000;

/// What a key of a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum LabelOf {
    Namespace,
    Pod,
}

/// A node of the diagram; nodes are named by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum RegionNode {
    /// Pods of a class.
    Class(usize),
    /// What follows from the value of a label.
    Choice {
        about: LabelOf,
        key: String,
        absent: usize,
        other: usize,
        values: BTreeMap<String, usize>,
    },
}

/// Which pods are of which class.
#[derive(Debug, Default)]
pub(crate) struct Regions {
    nodes: IndexSet<RegionNode>,
    /// Of a namespace that nobody names; none where such a namespace is not asked about.
    any: Option<usize>,
    /// Of the namespaces that fare otherwise.
    named: BTreeMap<Box<str>, usize>,
}

/// A diagram about some labels while it is made: what selectors are asked, and of which keys.
struct LabelTree<'s> {
    about: LabelOf,
    selectors: Vec<&'s Selector>,
    /// What is decided before the first key.
    known: Answers,
    /// Labels that every label set has.
    given: LabelPairs,
}

impl Regions {
    /// The regions of kinds, each of a class; `None` where the kinds are not all, or too many.
    pub(crate) fn of(pods: &PotentialPods, class_of: &[usize]) -> Option<Self> {
        if !pods.complete || pods.compares_namespaces {
            return None;
        }
        let mut regions = Self::default();
        let mut budget = MOST_BRANCHES;
        let of_namespace: Vec<usize> = (0..pods.namespaces.len())
            .map(|namespace| regions.pods_of(pods, namespace, class_of, &mut budget))
            .collect::<Option<_>>()?;
        let selectors = asked_of_namespaces(pods);
        let placed: Vec<(&PotentialNamespace, usize)> =
            pods.namespaces.iter().zip(of_namespace).collect();
        let (others, named): (Vec<_>, Vec<_>) = placed.into_iter().partition(|(n, _)| n.any);
        let mut by_name: BTreeMap<Box<str>, usize> = BTreeMap::new();
        for same in named.chunk_by(|(a, _), (b, _)| a.name == b.name) {
            let node = match same {
                [(namespace, node)] if namespace.loaded => *node,
                _ => regions.namespaces_of(&selectors, same, &mut budget)?,
            };
            by_name.extend(
                same.first()
                    .map(|(namespace, _)| (namespace.name.clone(), node)),
            );
        }
        if others.is_empty() {
            regions.named = by_name;
            return Some(regions);
        }
        let any = regions.namespaces_of(&selectors, &others, &mut budget)?;
        let plain = regions.without_labels(any);
        let told = named.iter().filter(|(n, _)| n.loaded);
        let told: BTreeSet<&str> = told.map(|(n, _)| &*n.name).collect();
        by_name.retain(|name, node| *node != if told.contains(&**name) { plain } else { any });
        regions.any = Some(any);
        regions.named = by_name;
        Some(regions)
    }

    /// The diagram of a namespace's pods.
    fn pods_of(
        &mut self,
        pods: &PotentialPods,
        namespace: usize,
        class_of: &[usize],
        budget: &mut usize,
    ) -> Option<usize> {
        let asked = pods
            .asked
            .iter()
            .map(|(namespaces, pods)| (namespaces, pods));
        let selectors = asked_in(asked, &pods.namespaces[namespace]);
        let kinds = pods.kinds.iter().zip(class_of);
        let here = kinds.filter(|(kind, _)| kind.namespace == namespace);
        let classes: HashMap<Answers, usize> = here
            .map(|(kind, class)| (answers(&selectors, &kind.labels), *class))
            .collect();
        let level = LabelTree {
            about: LabelOf::Pod,
            known: vec![true; selectors.len()],
            selectors,
            given: Vec::new(),
        };
        self.level(&level, budget, |nodes, answers| {
            let class = *classes.get(answers)?;
            Some(nodes.insert_full(RegionNode::Class(class)).0)
        })
    }

    /// The diagram of a namespace of which only the name is told, or not even that.
    fn namespaces_of(
        &mut self,
        selectors: &[&Selector],
        same: &[(&PotentialNamespace, usize)],
        budget: &mut usize,
    ) -> Option<usize> {
        let (first, _) = same.first()?;
        let name = first.labels[1].get(NAMESPACE_NAME_LABEL)?;
        let given: LabelPairs = vec![(NAMESPACE_NAME_LABEL.to_owned(), name.to_owned())];
        let known = answers_about(selectors, NAMESPACE_NAME_LABEL, &labels_of(&given));
        let places: HashMap<Answers, usize> = same
            .iter()
            .map(|(namespace, node)| (answers(selectors, &namespace.labels[1]), *node))
            .collect();
        let level = LabelTree {
            about: LabelOf::Namespace,
            selectors: selectors.to_vec(),
            known,
            given,
        };
        self.level(&level, budget, |_, answers| places.get(answers).copied())
    }

    /// A diagram over the keys that some selectors ask for. Key after key the values are tried, and
    /// label sets with the same prospects are one, as kinds are made; then nodes are made from the
    /// last key to the first.
    fn level(
        &mut self,
        level: &LabelTree<'_>,
        budget: &mut usize,
        leaf: impl Fn(&mut IndexSet<RegionNode>, &Answers) -> Option<usize>,
    ) -> Option<usize> {
        let mut values = mentioned_values(&level.selectors);
        level.given.iter().for_each(|(key, _)| {
            values.remove(key.as_str());
        });
        let mut states: IndexMap<Answers, LabelPairs> = IndexMap::default();
        states.insert(level.known.clone(), level.given.clone());
        let mut branches: Vec<Vec<usize>> = Vec::new();
        for (key, mentioned) in &values {
            let tried: Vec<_> = tried_values(&level.selectors, key, mentioned).collect();
            let made = states.len().saturating_mul(tried.len());
            *budget = budget.checked_sub(made)?;
            let values = tried.iter().map(|(value, answers)| (value, answers));
            let mut places = Vec::with_capacity(made);
            let count = level.selectors.len();
            states = extended(&states, key, values, count, |place| places.push(place));
            branches.push(places);
        }
        let mut below: Vec<usize> = Vec::new();
        for pairs in states.values() {
            let answers = answers(&level.selectors, &labels_of(pairs));
            below.push(leaf(&mut self.nodes, &answers)?);
        }
        for ((key, mentioned), places) in values.iter().zip(branches).rev() {
            let node = |places: &[usize]| {
                let children: Vec<usize> = places.iter().map(|place| below[*place]).collect();
                self.choice(level.about, key, mentioned, &children)
            };
            below = places.chunks(mentioned.len() + 2).map(node).collect();
        }
        below.first().copied()
    }

    /// The node of a decision; the children are those of no value, of any other and of the values
    /// that are mentioned. No node of its own where the value makes no difference.
    fn choice(
        &mut self,
        about: LabelOf,
        key: &str,
        mentioned: &BTreeSet<String>,
        children: &[usize],
    ) -> usize {
        let [absent, other, rest @ ..] = children else {
            return 0;
        };
        let values: BTreeMap<String, usize> = mentioned
            .iter()
            .cloned()
            .zip(rest.iter().copied())
            .filter(|(_, child)| child != other)
            .collect();
        if values.is_empty() && absent == other {
            return *other;
        }
        let node = RegionNode::Choice {
            about,
            key: key.to_owned(),
            absent: *absent,
            other: *other,
            values,
        };
        self.nodes.insert_full(node).0
    }

    /// Where a namespace without labels leads.
    fn without_labels(&self, mut at: usize) -> usize {
        while let Some(RegionNode::Choice {
            about: LabelOf::Namespace,
            absent,
            ..
        }) = self.nodes.get_index(at)
        {
            at = *absent;
        }
        at
    }

    /// The diagram as text, with nodes and classes numbered in the order in which they are met; and
    /// the classes in that order.
    pub(crate) fn text(&self) -> (String, Vec<usize>) {
        let mut writer = Writer {
            nodes: &self.nodes,
            numbers: HashMap::default(),
            classes: IndexSet::default(),
            text: String::new(),
        };
        if let Some(any) = self.any {
            let any = writer.node(any);
            _ = writeln!(writer.text, "any namespace: {any}");
        }
        for (name, node) in &self.named {
            let node = writer.node(*node);
            _ = writeln!(writer.text, "namespace {name:?}: {node}");
        }
        (writer.text, writer.classes.into_iter().collect())
    }
}

struct Writer<'r> {
    nodes: &'r IndexSet<RegionNode>,
    /// How the nodes are called that are written.
    numbers: HashMap<usize, String>,
    classes: IndexSet<usize>,
    text: String,
}

impl Writer<'_> {
    /// Writes what a node leads to, then the node, each once; how the node is called. The nodes
    /// wait on a stack of their own, as there may be a key for each selector.
    fn node(&mut self, top: usize) -> String {
        let mut waiting = vec![top];
        while let Some(at) = waiting.pop() {
            if self.numbers.contains_key(&at) {
                continue;
            }
            let Some(node) = self.nodes.get_index(at) else {
                continue;
            };
            let name = match node {
                RegionNode::Class(class) => format!("class {}", self.classes.insert_full(*class).0),
                RegionNode::Choice {
                    absent,
                    other,
                    values,
                    ..
                } => {
                    let below = || [absent, other].into_iter().chain(values.values());
                    let is_left = |child: &&usize| !self.numbers.contains_key(child);
                    let left: Vec<usize> = below().filter(is_left).copied().collect();
                    if !left.is_empty() {
                        waiting.push(at);
                        waiting.extend(left.into_iter().rev());
                        continue;
                    }
                    self.line(node)
                }
            };
            self.numbers.insert(at, name);
        }
        self.numbers.get(&top).cloned().unwrap_or_default()
    }

    /// Writes a decision; how it is called.
    fn line(&mut self, node: &RegionNode) -> String {
        let RegionNode::Choice {
            about,
            key,
            absent,
            other,
            values,
        } = node
        else {
            return String::new();
        };
        let name = format!("choice {}", self.numbers.len());
        let called = |child: &usize| self.numbers.get(child).cloned().unwrap_or_default();
        let (none, others) = (called(absent), called(other));
        let each = values.iter();
        let each: Vec<String> = each
            .map(|(value, child)| format!("{value:?}: {}", called(child)))
            .collect();
        let each = each.join(", ");
        let line = format!("{name} {about:?} {key:?} none: {none}, other: {others}, {each}");
        self.text.push_str(&line);
        self.text.push('\n');
        name
    }
}

fn asked_of_namespaces(pods: &PotentialPods) -> Vec<&Selector> {
    let asked = pods
        .asked
        .iter()
        .filter_map(|(namespaces, _)| match namespaces {
            Namespaces::Matching(selector) => Some(selector),
            _ => None,
        });
    asked.collect::<BTreeSet<_>>().into_iter().collect()
}
