//! What the policies of layers besides the network plugin's have in common: they are made of
//! objects that were read together, govern one direction of their subjects, and stand in a tier of
//! their own layer.

use crate::model::Truth;
use crate::policy::interner::PolicyInterner;
use crate::policy::layout::{Layout, RulePlace};
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{Direction, Policy, Rule, Shape, Subject};
use crate::policy::tier::{HostPods, LayerIx, OwnNode, Tier, TierEnd, TierIx, TierMode};
use crate::source::{DocumentId, Path};
use std::borrow::Cow;
use std::sync::Arc;

/// Rules with the places where they stand.
pub type PlacedRules = Vec<(Rule, RulePlace)>;

/// The same, apart.
pub type RulesWithPlaces = (Vec<Rule>, Vec<RulePlace>);

/// What a policy is called, and where it is written.
pub struct PolicyHead {
    /// Its namespace; `None` where it has none.
    pub namespace: Option<Box<str>>,
    /// Its name.
    pub name: Box<str>,
    /// The document it stands in.
    pub document: DocumentId,
    /// How its parts are called.
    pub shape: &'static Shape,
}

impl PolicyHead {
    /// A policy that says something of one direction and isolates nobody. Its tier is given when it
    /// is added.
    pub fn policy(self, direction: Direction, subject: Subject, rules: PlacedRules) -> Policy {
        let mut of_directions = [None, None];
        of_directions[direction.index()] = Some(rules.into_iter().unzip());
        self.in_directions(subject, of_directions)
    }

    /// A policy that is in force in the directions of which it has rules, and isolates nobody.
    pub fn in_directions(self, subject: Subject, rules: [Option<RulesWithPlaces>; 2]) -> Policy {
        let applies = rules.each_ref().map(Option::is_some);
        let [ingress, egress] = rules.map(Option::unwrap_or_default);
        Policy {
            namespace: self.namespace,
            name: self.name,
            document: self.document,
            shape: self.shape,
            tier: TierIx(0),
            priority: 0.into(),
            tie: None,
            subject,
            applies,
            isolates: [false, false],
            sees_own_service: Truth::Yes,
            rules: [ingress.0, egress.0],
            layout: Some(Arc::new(Layout {
                root: Path::root().key("spec"),
                rules: [ingress.1, egress.1],
            })),
            written: None,
            generated: None,
        }
    }
}

impl Tier {
    /// A tier of a layer besides the network plugin's: pods on their node's network are not its
    /// subjects, and the own node is one like others.
    pub fn of_layer(
        layer: LayerIx,
        name: &'static str,
        policies: &'static str,
        mode: TierMode,
        end: TierEnd,
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            policies,
            layer,
            order: 0,
            mode,
            end,
            pass_to: None,
            host_pods: HostPods::Excluded,
            own_node: OwnNode::Policed,
            codes: None,
        }
    }
}

/// Policies of a layer while they are added.
pub struct LayerPolicies<'p> {
    policies: &'p mut PolicySet,
    interner: PolicyInterner,
}

impl<'p> LayerPolicies<'p> {
    /// Nothing is added yet.
    pub fn new(policies: &'p mut PolicySet) -> Self {
        Self {
            policies,
            interner: PolicyInterner::default(),
        }
    }

    /// Adds a policy in a tier; none where the table of tiers is full.
    pub fn add(&mut self, tier: Tier, mut policy: Policy) {
        let Some(tier) = self.policies.tier(tier) else {
            return;
        };
        policy.tier = tier;
        self.interner.share(&mut policy);
        self.policies.policies.push(policy);
    }
}
