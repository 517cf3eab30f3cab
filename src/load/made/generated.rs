//! [`Generation`]: what a generator of policies does in one namespace, and how it becomes part of
//! what an object makes.
//!
//! A policy that is written out in full is expanded; where it may not be there, with the reason. A
//! policy whose rules are not known leaves everything unknown that it could touch.

use crate::load::embedded;
use crate::load::made::fill::{object, text_of};
use crate::load::made::outcome::{Made, MadeObject};
use crate::load::made::world::{GeneratorWorld, KnownNamespace, WrittenPolicy};
use crate::model::{Selector, Truth};
use crate::policy::unmodelled;
use crate::policy::unmodelled::TaintReach;
use crate::policy::{Namespaces, Peer, Peers, Policy, TaintEffect};
use crate::tree::SyntaxNode;

/// Why a generator's policy may not be in a namespace that it only may match.
pub const MAY_MATCH: &str =
    "whether the generator matches the namespace cannot be told from the input";

/// A generation that is certain where a namespace is certainly meant.
pub fn in_space(space: &KnownNamespace, truth: Truth) -> Generation<'_> {
    Generation {
        space,
        truth,
        unless: None,
    }
}

/// Whether an object is of a kind whose making is of interest.
pub fn is_of_interest(item: &SyntaxNode) -> bool {
    is_network_policy(item) || embedded::is_policy(item)
}

/// Leaves unknown whatever a part of an object can touch that holds policies and is not expanded.
pub fn noted(why: &str, part: &SyntaxNode, made: &mut Made) {
    let held = embedded::policies(part).into_iter();
    for reach in held.flat_map(|(_, reaches)| reaches) {
        made.unknown.push((why.to_owned(), reach));
    }
}

/// What a generator does in one namespace.
pub struct Generation<'a> {
    /// The namespace.
    pub space: &'a KnownNamespace,
    /// Whether it does it there.
    pub truth: Truth,
    /// Why it may not be there, although the namespace is matched.
    pub unless: Option<String>,
}

impl Generation<'_> {
    /// Why what is generated may not be there.
    fn doubt(&self) -> Option<Box<str>> {
        if self.truth == Truth::Maybe {
            return Some(MAY_MATCH.into());
        }
        self.unless.as_deref().map(Into::into)
    }

    /// A policy of this spec.
    pub fn policy(&self, name: &str, spec: SyntaxNode, made: &mut Made) {
        let span = spec.span;
        let version = ("networking.k8s.io/v1", "NetworkPolicy");
        let named = (Some(&*self.space.name), name);
        made.objects.push(MadeObject {
            node: object(version, named, [("spec", spec)], span),
            unless: self.doubt(),
        });
    }

    /// An object that is written out; only a `NetworkPolicy` is of interest.
    pub fn object(&self, node: &SyntaxNode, made: &mut Made) {
        let name = node.get("metadata").and_then(|m| text_of(m, "name"));
        if let (Some(name), Some(spec)) = (name, node.get("spec")) {
            self.policy(name, spec.clone(), made);
        }
    }

    /// An object of a template: a `NetworkPolicy` is expanded unless parts of it are open; of a
    /// policy of another kind it is known what it can touch. Others are of no interest.
    pub fn expand(&self, item: &SyntaxNode, made: &mut Made) {
        if is_network_policy(item) {
            match item.get("spec") {
                Some(spec) if is_open(item) => {
                    self.unknown("parts of it are filled in at run time", Some(spec), made);
                }
                _ => self.object(item, made),
            }
        } else if embedded::is_policy(item) {
            let kind = text_of(item, "kind").unwrap_or_default();
            for reach in embedded::reach_in(item, &self.space.name) {
                made.unknown.push((format!("{kind} objects"), reach));
            }
        }
    }

    /// Whether anything is made in the namespace that an object names, and there it is; in the
    /// generation's own where it names none.
    pub fn at<'w>(&self, item: &SyntaxNode, world: &'w GeneratorWorld<'_>) -> Option<Generation<'w>>
    where
        Self: 'w,
    {
        let named = item.get("metadata").and_then(|m| text_of(m, "namespace"));
        let space = world.space(named.unwrap_or(&self.space.name))?;
        Some(Generation {
            space,
            truth: self.truth,
            unless: self.unless.clone(),
        })
    }

    /// A copy of a policy that is written out elsewhere.
    pub fn copy(&self, of: &WrittenPolicy, name: &str, made: &mut Made) {
        let policy = moved(&of.policy, name, &self.space.name);
        made.copies.push((policy, self.doubt()));
    }

    /// A policy whose rules are not known.
    pub fn unknown(&self, why: &str, body: Option<&SyntaxNode>, made: &mut Made) {
        let (directions, pods) = body.map_or(([true, true], Selector::everything()), touched);
        let reach = TaintReach::own(TaintEffect::UnorderedTier, directions).labelled(pods);
        let reach = reach.named([&*self.space.name]);
        made.unknown.push((why.to_owned(), reach));
    }
}

/// The directions and the pods that a spec with open parts can touch.
fn touched(spec: &SyntaxNode) -> ([bool; 2], Selector) {
    let (directions, pods) = unmodelled::of_bare_spec(spec);
    let types_open = spec.get("policyTypes").is_some_and(is_open);
    let pods_open = spec.get("podSelector").is_none_or(is_open);
    (
        if types_open { [true, true] } else { directions },
        if pods_open {
            Selector::everything()
        } else {
            pods
        },
    )
}

/// Whether a part of a tree is still to be filled in.
pub fn is_open(node: &SyntaxNode) -> bool {
    let open = embedded::is_open_text;
    node.as_str().is_some_and(open)
        || node.items().iter().any(is_open)
        || node
            .entries()
            .iter()
            .any(|e| open(&e.key) || is_open(&e.value))
}

/// Whether an object is a `NetworkPolicy`.
pub fn is_network_policy(node: &SyntaxNode) -> bool {
    let group = text_of(node, "apiVersion").is_some_and(|v| v.starts_with("networking.k8s.io/"));
    group && text_of(node, "kind") == Some("NetworkPolicy")
}

/// Whether a name follows a pattern with `*` and `?`.
pub fn is_like(name: &str, pattern: &str) -> bool {
    fn follows(name: &[u8], pattern: &[u8]) -> bool {
        let Some((first, rest)) = pattern.split_first() else {
            return name.is_empty();
        };
        match first {
            b'*' => {
                follows(name, rest) || name.split_first().is_some_and(|(_, n)| follows(n, pattern))
            }
            b'?' => name.split_first().is_some_and(|(_, n)| follows(n, rest)),
            _ => name
                .split_first()
                .is_some_and(|(c, n)| c == first && follows(n, rest)),
        }
    }
    follows(name.as_bytes(), pattern.as_bytes())
}

/// The same policy under another name and in another namespace: what is said of its own namespace
/// is said of the new one.
fn moved(policy: &Policy, name: &str, namespace: &str) -> Policy {
    let own = policy.namespace.clone().unwrap_or_default();
    let place = |which: &Namespaces| match which {
        Namespaces::Named(named) if *named == own => Namespaces::Named(namespace.into()),
        other => other.clone(),
    };
    let mut policy = policy.clone();
    policy.name = name.into();
    policy.namespace = Some(namespace.into());
    policy.subject.namespaces = place(&policy.subject.namespaces);
    for rule in policy.rules.iter_mut().flatten() {
        let Peers::Of(peers) = &rule.peers else {
            continue;
        };
        let peers = peers.iter().map(|peer| match peer {
            Peer::Pods(which, pods) => Peer::Pods(place(which), pods.clone()),
            other => other.clone(),
        });
        rule.peers = Peers::Of(peers.collect::<Vec<_>>().into());
    }
    policy
}
