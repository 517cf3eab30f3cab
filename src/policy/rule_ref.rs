//! Pointing at a rule of a policy, which is what explanations and findings carry instead of the
//! rule, and where that stands in its document.

use crate::policy::layout::RulePlace;
use crate::policy::rule::{Direction, Policy};
use crate::set::index_type;
use crate::source::{Origin, Path};
use std::ops::Range;

index_type! {
    /// Index of a policy in a [`PolicySet`](crate::policy::PolicySet).
    pub struct PolicyId(pub u32);
}

/// A rule of a policy, and maybe one peer or port entry of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleRef {
    /// The policy.
    pub policy: PolicyId,
    /// The direction.
    pub direction: Direction,
    /// Which rule, from 0.
    pub rule: u32,
    /// Which peer of it, from 0.
    pub peer: Option<u32>,
    /// Which port entry of it, from 0.
    pub port: Option<u32>,
}

impl RuleRef {
    /// The rule as a whole.
    pub fn rule(policy: PolicyId, direction: Direction, rule: usize) -> Self {
        Self {
            policy,
            direction,
            // a document has far fewer rules
            rule: u32::try_from(rule).unwrap_or(u32::MAX),
            peer: None,
            port: None,
        }
    }

    /// The same rule, pointing at all of it.
    #[must_use]
    pub fn whole(self) -> Self {
        Self {
            peer: None,
            port: None,
            ..self
        }
    }

    /// The same rule, pointing at one of its peers.
    #[must_use]
    pub fn with_peer(self, peer: usize) -> Self {
        Self {
            peer: u32::try_from(peer).ok(),
            ..self
        }
    }
}

impl Policy {
    /// The place of a rule among those of its direction, as they are written.
    pub fn position(&self, direction: Direction, rule: usize) -> u32 {
        let layout = self.layout.as_deref();
        let place = layout.and_then(|layout| layout.rules[direction.index()].get(rule));
        let number = place.and_then(RulePlace::number);
        number.unwrap_or_else(|| u32::try_from(rule).unwrap_or(u32::MAX))
    }

    /// Whether rules of equal places are asked in the same order as those of another policy with
    /// the same rules, where places decide.
    pub fn is_asked_as(&self, other: &Self) -> bool {
        let places = |policy: &Self| Direction::ALL.map(|direction| policy.positions(direction));
        self.antrea().is_none() || places(self) == places(other)
    }

    /// The rules of one direction by their place: each with those that stand there. Cost: O(rules).
    pub fn positions(&self, direction: Direction) -> Vec<(u32, Range<usize>)> {
        let mut all: Vec<(u32, Range<usize>)> = Vec::new();
        for rule in 0..self.rules(direction).len() {
            let position = self.position(direction, rule);
            match all.last_mut() {
                Some((last, rules)) if *last == position => rules.end = rule + 1,
                _ => all.push((position, rule..rule + 1)),
            }
        }
        all
    }

    /// The path of a rule (or its peer, or its port entry) without `spec.`, as it is printed:
    /// `ingress[0].from[1]`.
    pub fn rule_path(&self, at: RuleRef) -> Path {
        let d = at.direction.index();
        let places = self.layout.as_deref().map(|layout| &layout.rules[d]);
        if let Some(place) = places.and_then(|places| places.get(at.rule as usize)) {
            return place.path(at.peer, at.port);
        }
        let path = Path::root()
            .key(self.shape.rules[d])
            .index(at.rule as usize);
        match (at.peer, at.port) {
            (Some(peer), _) => path.key(self.shape.peers[d]).index(peer as usize),
            (None, Some(port)) => path.key(self.shape.ports).index(port as usize),
            (None, None) => path,
        }
    }

    /// The path of a rule, or of one of its peers or ports, from the root of the document.
    pub fn path(&self, at: RuleRef) -> Path {
        let mut path = self.root();
        path.0.extend(self.rule_path(at).0);
        path
    }

    /// Where a rule stands.
    pub fn origin(&self, at: RuleRef) -> Origin {
        if self.generated.is_some() {
            return Origin::document(self.document); // of what makes it
        }
        let mut path = self.path(at);
        if at.port.is_some() && at.peer.is_none() {
            path = path.key("port"); // where there is no such field the entry itself is found
        }
        Origin::new(self.document, path)
    }
}
