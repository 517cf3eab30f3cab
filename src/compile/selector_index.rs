//! Selectors over what there is: which distinct label sets and which namespace classes a selector
//! selects.
//!
//! An inverted index from key and value to the label sets that carry them; a selector is asked only
//! of those that its rarest positive requirement leaves, and each distinct selector once. Lists are
//! sorted. Cost: O(rarest posting list x requirements) per distinct selector. Road not taken: a bit
//! per selector and label set; one policy per pod makes that gigabytes.

use crate::compile::classes::{Classes, LabelSetIx, NamespaceClassIx};
use crate::compile::vocabulary::{Mentioned, Vocabulary};
use crate::model::open_labels::is_open;
use crate::model::{Labels, NamespaceId, Requirement, Selector, Truth};
use crate::policy::Namespaces;
use crate::set::hashed::HashMap;
use crate::set::{Ix, Table, TooMany, index_type};
use crate::spec::environment::Environment;
use crate::spec::matching::namespaces_match;
use std::sync::Arc;

index_type! {
    /// Index of a namespace class whose labels are all known.
    struct DeclaredIx;
}

/// The label sets that carry a key: all of them, and by value.
struct Carrying<'w, I> {
    all: Vec<I>,
    values: HashMap<&'w str, Vec<I>>,
}

/// Label sets by what they carry, as far as a selector can ask.
struct Index<'w, I> {
    sets: Table<I, &'w Labels>,
    keys: HashMap<&'w str, Carrying<'w, I>>,
    /// Those with a label that is known only in part; they are asked one by one.
    open: Vec<I>,
}

/// The label sets that a selector selects, sorted.
#[derive(Debug, Default)]
pub struct SelectedLabels {
    /// Those that it certainly selects.
    pub must: Vec<LabelSetIx>,
    /// Those that it only may select.
    pub maybe: Vec<LabelSetIx>,
}

impl SelectedLabels {
    /// Those that it only may select, if there are any.
    pub fn uncertain(&self) -> Option<&Vec<LabelSetIx>> {
        Some(&self.maybe).filter(|labels| !labels.is_empty())
    }
}

impl<'w, I: Ix> Index<'w, I> {
    fn new(sets: Table<I, &'w Labels>, mentioned: &Mentioned<'_>) -> Self {
        let mut keys: HashMap<&str, Carrying<'_, I>> = HashMap::default();
        let mut open = Vec::new();
        for (index, labels) in sets.enumerated() {
            for (key, value) in labels.iter().filter(|(key, _)| mentioned.sees(key)) {
                if is_open(value) && open.last() != Some(&index) {
                    open.push(index);
                }
                let carrying = keys.entry(key).or_insert_with(|| Carrying {
                    all: Vec::new(),
                    values: HashMap::default(),
                });
                carrying.all.push(index);
                carrying.values.entry(value).or_default().push(index);
            }
        }
        Self { sets, keys, open }
    }

    /// The sets that one requirement leaves, if it is a positive one.
    fn candidates(&self, requirement: &Requirement) -> Option<Vec<&[I]>> {
        let carrying = self.keys.get(requirement.key());
        match requirement {
            Requirement::AnyOf(selectors) => {
                let each = selectors.iter().map(|s| self.fewest(s));
                let each: Option<Vec<Vec<&[I]>>> = each.collect();
                Some(each?.into_iter().flatten().collect())
            }
            Requirement::Not(_) => None,
            Requirement::In(_, values) => {
                let lists = values.iter().filter_map(|v| carrying?.values.get(&**v));
                Some(lists.map(Vec::as_slice).collect())
            }
            Requirement::Exists(_) | Requirement::Like(..) => {
                Some(carrying.map(|c| c.all.as_slice()).into_iter().collect())
            }
            Requirement::NotIn(..) | Requirement::DoesNotExist(_) => None,
        }
    }

    /// The sets with known labels that a selector selects, sorted.
    fn select(&self, selector: &Selector) -> Vec<I> {
        let few = self.fewest(selector);
        let matches = |i: &I| {
            let is_known = self.open.is_empty() || self.open.binary_search(i).is_err();
            is_known && selector.matches(self.sets[*i])
        };
        let Some(lists) = few else {
            return self.sets.indexes().filter(matches).collect();
        };
        let mut found: Vec<I> = lists
            .into_iter()
            .flatten()
            .copied()
            .filter(matches)
            .collect();
        found.sort_unstable();
        found.dedup(); // alternatives may have sets in common
        found
    }

    /// The sets that the requirement of a selector leaves that leaves the fewest.
    fn fewest(&self, selector: &Selector) -> Option<Vec<&[I]>> {
        let each = selector.requirements().iter();
        let few = each.filter_map(|r| self.candidates(r));
        few.min_by_key(|lists| lists.iter().map(|l| l.len()).sum::<usize>())
    }
}

impl Index<'_, LabelSetIx> {
    /// The label sets that a selector selects, surely and maybe.
    fn selected(&self, selector: &Selector) -> SelectedLabels {
        let mut must = self.select(selector);
        let mut maybe = Vec::new();
        for set in &self.open {
            match selector.selects(self.sets[*set]) {
                Truth::Yes => must.push(*set),
                Truth::Maybe => maybe.push(*set),
                Truth::No => {}
            }
        }
        if !self.open.is_empty() {
            must.sort_unstable();
        }
        SelectedLabels { must, maybe }
    }
}

/// A selection of namespaces, by what it costs little to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamespaceSelection {
    /// One namespace class.
    Class(NamespaceClassIx),
    /// Several namespaces of one name, by the first of them.
    Called(NamespaceId),
    /// A namespace that is not there.
    Nowhere,
    /// Those of a selector, by its place in memory.
    Matching(usize),
    /// Those that are relative to a namespace, by the place of the keys in memory and whether they
    /// are to be the same.
    Relative(usize, bool, Option<NamespaceId>),
}

/// What selectors select, each asked once; a selector is known by its place in memory (see
/// `policy::interner`).
pub struct Selected<'w> {
    env: &'w Environment,
    classes: &'w Classes,
    pods: Index<'w, LabelSetIx>,
    /// Namespace classes whose labels are all known.
    declared: Table<DeclaredIx, NamespaceClassIx>,
    spaces: Index<'w, DeclaredIx>,
    /// The others.
    undeclared: Vec<NamespaceClassIx>,
    labels: HashMap<usize, Arc<SelectedLabels>>,
    namespaces: HashMap<NamespaceSelection, Arc<Vec<(NamespaceClassIx, Truth)>>>,
}

impl<'w> Selected<'w> {
    /// Indexes the label sets and the namespace classes. O(labels).
    ///
    /// # Errors
    /// When there are more namespace classes than can be numbered.
    pub fn new(
        env: &'w Environment,
        vocabulary: &Vocabulary<'w>,
        classes: &'w Classes,
    ) -> Result<Self, TooMany> {
        let cluster = &env.cluster;
        let namespace = |n: &NamespaceClassIx| cluster.namespace(classes.namespaces[*n]);
        let is_declared = |n: &NamespaceClassIx| {
            namespace(n).declared.is_some() && !namespace(n).labels.has_open()
        };
        let all = classes.namespaces.indexes();
        let (declared, undeclared): (Vec<_>, Vec<_>) = all.partition(is_declared);
        let declared: Table<DeclaredIx, NamespaceClassIx> = Table::new(declared)?;
        Ok(Self {
            env,
            classes,
            pods: Index::new(
                classes.label_sets.map(|id| cluster.labels(*id)),
                &vocabulary.pods,
            ),
            spaces: Index::new(
                declared.map(|n| &namespace(n).labels),
                &vocabulary.namespaces,
            ),
            declared,
            undeclared,
            labels: HashMap::default(),
            namespaces: HashMap::default(),
        })
    }

    /// The label sets a pod selector selects.
    pub fn labels(&mut self, selector: &'w Selector) -> Arc<SelectedLabels> {
        let pods = &self.pods;
        let known = self.labels.entry(selector.place());
        Arc::clone(known.or_insert_with(|| Arc::new(pods.selected(selector))))
    }

    /// Which namespaces are meant, seen from a subject's namespace.
    pub fn which(&self, namespaces: &Namespaces, own: Option<NamespaceId>) -> NamespaceSelection {
        match namespaces {
            Namespaces::Named(name) => {
                let mut called = self.env.cluster.namespaces_called(name);
                match (called.next(), called.next()) {
                    (None, _) => NamespaceSelection::Nowhere,
                    (Some(id), None) => NamespaceSelection::Class(self.classes.of_namespace[id]),
                    (Some(first), Some(_)) => NamespaceSelection::Called(first),
                }
            }
            Namespaces::Matching(selector) => NamespaceSelection::Matching(selector.place()),
            Namespaces::SameLabels(keys) => {
                NamespaceSelection::Relative(keys.as_ptr().addr(), true, own)
            }
            Namespaces::NotSameLabels(keys) => {
                NamespaceSelection::Relative(keys.as_ptr().addr(), false, own)
            }
        }
    }

    /// The namespace classes that are meant, surely or maybe, seen from a subject's namespace.
    pub fn namespaces(
        &mut self,
        which: &'w Namespaces,
        own: Option<NamespaceId>,
    ) -> Arc<Vec<(NamespaceClassIx, Truth)>> {
        let key = self.which(which, own);
        if let Some(found) = self.namespaces.get(&key) {
            return Arc::clone(found);
        }
        let truth = |class: &NamespaceClassIx| {
            let other = self.classes.namespaces[*class];
            let truth = namespaces_match(self.env, which, own.unwrap_or(other), other);
            truth.possible().then_some((*class, truth))
        };
        let all = self.declared.iter().chain(&self.undeclared);
        let found: Vec<(NamespaceClassIx, Truth)> = match which {
            Namespaces::Named(name) => {
                if let NamespaceSelection::Class(class) = key {
                    vec![(class, Truth::Yes)]
                } else {
                    let called = self.env.cluster.namespaces_called(name);
                    let mut classes: Vec<NamespaceClassIx> =
                        called.map(|id| self.classes.of_namespace[id]).collect();
                    classes.sort_unstable();
                    classes.dedup();
                    classes
                        .into_iter()
                        .map(|class| (class, Truth::Yes))
                        .collect()
                }
            }
            Namespaces::Matching(selector) => {
                let known = self.spaces.select(selector);
                let known = known.into_iter().map(|i| (self.declared[i], Truth::Yes));
                known
                    .chain(self.undeclared.iter().filter_map(truth))
                    .collect()
            }
            Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => {
                all.filter_map(truth).collect()
            }
        };
        let found = Arc::new(found);
        self.namespaces.insert(key, Arc::clone(&found));
        found
    }
}
