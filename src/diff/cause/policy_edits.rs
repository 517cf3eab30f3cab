//! The policies that differ between the two sides.
//!
//! Policies are matched by kind, namespace and name. An edit changes the *meaning* when the lowered
//! rules differ in what they say together ([`SortedPolicy`]), else only how they are written. Cost:
//! O(policies of both sides), and the texts of those with equal rules.

use crate::diff::before_after::Side;
use crate::diff::cause::assumption::Assumption;
use crate::policy::sorted_policy::SortedPolicy;
use crate::policy::written_specs::WrittenSpecs;
use crate::policy::{Peer, Policy, PolicyId, Rule, Symbol, Taint};
use crate::set::hashed::HashMap;
use crate::source::{DocumentId, Path, Sources};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What happened to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Edit {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is different.
    Changed,
    /// It is as it was, and the network plugin of the after side enforces it.
    Enforced,
    /// It is as it was, and the network plugin of the after side does not enforce it.
    Unenforced,
    /// It is as it was, and the network plugin of the after side reads it otherwise: by this
    /// assumption.
    ReadOtherwise(Assumption),
}

impl Edit {
    /// Whether it says that the object itself was edited.
    pub fn is_of_its_text(self) -> bool {
        matches!(self, Self::Added | Self::Removed | Self::Changed)
    }

    /// What happened to a policy that is on both sides, with the same text or another one.
    fn of_both(was: &Policy, is: &Policy, same_text: bool) -> Self {
        let is_enforced = |policy: &Policy| policy.applies != [false, false];
        match (is_enforced(was), is_enforced(is)) {
            (true, false) => Self::Unenforced,
            (false, true) => Self::Enforced,
            _ if same_text => Self::ReadOtherwise(Assumption::Plugin),
            _ => Self::Changed,
        }
    }
}

/// A policy that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEdit {
    /// The policy before, if it existed.
    pub before: Option<PolicyId>,
    /// The policy after, if it exists.
    pub after: Option<PolicyId>,
    /// What happened to it.
    pub edit: Edit,
    /// Whether its rules differ in what they mean together.
    pub meaning: bool,
    /// Whether what its rules ask of requests and identities is written otherwise.
    pub conditions: bool,
    /// Whether only its text differs: blanks, comments, order of keys.
    pub text_only: bool,
    /// Whether the object has the same text on both sides, so that only what is made of it differs:
    /// the pods that a policy is split by.
    pub same_text: bool,
}

/// Kind, namespace and name.
type ObjectKey<'a> = (&'a str, Option<&'a str>, &'a str);

/// The same, and where it stands in an object that holds several.
type PolicyKey<'a> = (ObjectKey<'a>, Option<&'a Path>);

fn object(policy: &Policy) -> ObjectKey<'_> {
    let namespace = policy.namespace.as_deref();
    (policy.shape.kind, namespace, &policy.name)
}

fn key(policy: &Policy) -> PolicyKey<'_> {
    let root = policy.layout.as_ref().map(|layout| &layout.root);
    (object(policy), root)
}

/// The policies that differ, in the order of the after side, then those that are gone. Of one
/// object several policies may come, as that of a mesh that holds for several kinds of workloads:
/// equal ones are each other's, the others in their order.
pub fn policy_edits(before: Side<'_>, after: Side<'_>) -> Vec<PolicyEdit> {
    let (old, new) = (
        &before.graph.environment().policies,
        &after.graph.environment().policies,
    );
    let options = [before, after].map(|side| &side.graph.environment().options);
    let plugins_differ = options[0].plugin != options[1].plugin;
    let mut known: HashMap<PolicyKey<'_>, Vec<PolicyId>> = HashMap::default();
    for (id, policy) in old.iter() {
        known.entry(key(policy)).or_default().push(id);
    }
    let conditions = WrittenConditions::new([before, after]);
    let equal: Vec<Option<PolicyId>> = new
        .iter()
        .map(|(_, policy)| {
            let named = known.get_mut(&key(policy))?;
            let at = named.iter().position(|was| {
                let was = old.get(*was);
                same_meaning(was, policy) && conditions.are_same(was, policy)
            })?;
            Some(named.remove(at))
        })
        .collect();
    let mut edits = Vec::new();
    for ((id, policy), equal) in new.iter().zip(equal) {
        let next = || {
            let named = known.get_mut(&key(policy))?;
            (!named.is_empty()).then(|| named.remove(0))
        };
        let Some(was) = equal.or_else(next) else {
            edits.push(PolicyEdit {
                before: None,
                after: Some(id),
                edit: Edit::Added,
                meaning: true,
                conditions: false,
                text_only: false,
                same_text: false,
            });
            continue;
        };
        let text_only = equal.is_some();
        let sorted = |policies, policy| SortedPolicy::of(policies, policy);
        let asks_otherwise = !text_only && !conditions.are_same(old.get(was), policy);
        let meaning =
            asks_otherwise || !text_only && sorted(old, old.get(was)) != sorted(new, policy);
        let texts = [(before, old.get(was).document), (after, policy.document)];
        let is_same_text = || agree(texts[0], texts[1]) != Some(false);
        if !text_only || !is_same_text() {
            edits.push(PolicyEdit {
                before: Some(was),
                after: Some(id),
                edit: Edit::of_both(old.get(was), policy, plugins_differ && is_same_text()),
                meaning,
                conditions: asks_otherwise,
                text_only,
                same_text: false,
            });
        }
    }
    let mut gone: Vec<PolicyId> = known.into_values().flatten().collect();
    gone.sort_unstable();
    edits.extend(gone.into_iter().map(|id| PolicyEdit {
        before: Some(id),
        after: None,
        edit: Edit::Removed,
        meaning: true,
        conditions: false,
        text_only: false,
        same_text: false,
    }));
    tell_same_texts(&mut edits, before, after);
    edits
}

/// Tells which edits are of objects that have the same text on both sides.
fn tell_same_texts(edits: &mut [PolicyEdit], before: Side<'_>, after: Side<'_>) {
    if edits.is_empty() {
        return;
    }
    let documents = [before, after].map(|side| {
        let all = side.graph.environment().policies.iter();
        all.map(|(_, policy)| (object(policy), policy.document))
            .collect::<HashMap<ObjectKey<'_>, DocumentId>>()
    });
    for edit in edits {
        let id = edit.after.map(|id| (after, id));
        let id = id.or(edit.before.map(|id| (before, id)));
        let Some((side, id)) = id else { continue };
        let policy = side.graph.environment().policies.get(id);
        let each = documents.each_ref().map(|all| all.get(&object(policy)));
        let [Some(was), Some(is)] = each else {
            continue;
        };
        edit.same_text = agree((before, *was), (after, *is)) == Some(true);
    }
}

/// What policies ask of requests and identities. Rules hold in words what it is about, and not all
/// of it: that is compared as it is written.
pub(super) struct WrittenConditions<'a> {
    sides: [Side<'a>; 2],
    written: [WrittenSpecs<'a>; 2],
}

impl<'a> WrittenConditions<'a> {
    pub(super) fn new(sides: [Side<'a>; 2]) -> Self {
        Self {
            written: sides.map(|side| WrittenSpecs::new(&side.input.sources)),
            sides,
        }
    }

    /// Whether two policies have no conditions, or are written alike.
    fn are_same(&self, was: &Policy, is: &Policy) -> bool {
        !is_conditional(was) && !is_conditional(is)
            || agree((self.sides[0], was.document), (self.sides[1], is.document)) == Some(true)
            || self.written[0].of(was.document) == self.written[1].of(is.document)
    }

    /// What several policies ask for, in order; those of one object once.
    pub(super) fn specs(&self, side: usize, policies: &[&Policy]) -> BTreeSet<String> {
        let specs = policies
            .iter()
            .map(|policy| self.written[side].of(policy.document));
        specs.map(|spec| format!("{spec:?}")).collect()
    }
}

/// Whether rules of a policy say only in words what they ask for.
pub(super) fn is_conditional(policy: &Policy) -> bool {
    policy.rules.iter().flatten().any(is_rule_conditional)
}

/// The same of one rule.
pub(crate) fn is_rule_conditional(rule: &Rule) -> bool {
    let is_group = |peer: &Peer| *peer == Peer::Symbol(Symbol::SomeOutside);
    let mut ends = rule.ends().flat_map(|list| list.iter());
    rule.asks_of_requests() || ends.any(|peer| peer.any(&is_group))
}

/// Whether two policies have the same rules; where they are written does not count.
fn same_meaning(a: &Policy, b: &Policy) -> bool {
    let Policy {
        namespace,
        name,
        document: _,
        shape,
        tier,
        priority,
        tie,
        subject,
        applies,
        sees_own_service,
        isolates,
        rules,
        layout: _,  // but for the places that decide an order
        written: _, // a policy of which one was made twice may be read otherwise
        generated,
    } = a;
    let rest = (
        shape,
        tier,
        (priority, tie),
        applies,
        isolates,
        sees_own_service,
    );
    rest == (
        &b.shape,
        &b.tier,
        (&b.priority, &b.tie),
        &b.applies,
        &b.isolates,
        &b.sees_own_service,
    ) && (namespace, name) == (&b.namespace, &b.name)
        && subject == &b.subject
        && rules == &b.rules
        && a.is_asked_as(b)
        && generated == &b.generated
}

/// The text of an object; none of an item of a list.
fn text(side: Side<'_>, id: DocumentId) -> Option<Cow<'_, str>> {
    let sources: &Sources = &side.input.sources;
    sources.document(id).filter(|d| d.base.is_root())?;
    sources.chunk(id).map(|(_, text)| text)
}

/// Whether two objects have the same text; `None` where that of one is not known, as of items of a
/// list, which are compared by their meaning only.
fn agree(a: (Side<'_>, DocumentId), b: (Side<'_>, DocumentId)) -> Option<bool> {
    Some(text(a.0, a.1)?.trim() == text(b.0, b.1)?.trim())
}

/// The policies that cannot be modelled and differ from every one of the other side: indices among
/// the taints.
pub fn new_taints(side: Side<'_>, other: Side<'_>) -> Vec<usize> {
    fn text<'a>(side: Side<'a>, t: &Taint) -> Option<Cow<'a, str>> {
        let chunk = t
            .origin
            .as_ref()
            .and_then(|o| side.input.sources.chunk(o.document));
        chunk.map(|(_, text)| Cow::Owned(text.trim().to_owned()))
    }
    let same = |t: &Taint, o: &Taint| {
        t.what == o.what
            && t.effect == o.effect
            && t.subject == o.subject
            && text(side, t) == text(other, o)
    };
    let others = &other.graph.environment().policies.taints;
    let taints = side.graph.environment().policies.taints.iter().enumerate();
    taints
        .filter(|(_, t)| !others.iter().any(|o| same(t, o)))
        .map(|(i, _)| i)
        .collect()
}
