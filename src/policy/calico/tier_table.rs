//! The tiers of Calico in order, each with its end (CA40-CA42, CA46).
//!
//! The three tiers that a policy set starts with are those of the Kubernetes APIs; Calico asks them
//! among its own: `kube-admin`, `default`, `kube-baseline`. A tier that policies name and nobody
//! defines is asked last and ends in Deny. Invariant: the fixed tiers keep their indices.

use crate::policy::calico::objects::CalicoObjects;
use crate::policy::calico::options::CalicoSettings;
use crate::policy::policy_set::PolicySet;
use crate::policy::priority::Priority;
use crate::policy::tier::{
    HostPods, LayerIx, OwnNode, Tier, TierEnd, TierIx, TierMode, Ties, kubernetes,
};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The tiers, and what they are called.
pub struct TierTable {
    rows: Vec<TierRow>,
    /// How many tiers the policy set had.
    others: usize,
}

/// The tiers of the Kubernetes APIs, which Calico has too.
const FIXED: usize = 3;

/// A tier: its name, place and end.
struct TierRow {
    name: Box<str>,
    /// Whether somebody defines it; one that is only named comes after all others.
    missing: bool,
    order: Priority,
    passes: bool,
}

/// A tier for policies that are not placed yet: which one is theirs is told by other objects.
pub fn unplaced() -> Tier {
    let row = TierRow {
        name: "of Calico".into(),
        missing: false,
        order: Priority::LAST,
        passes: false,
    };
    tier(&row, 250)
}

impl TierTable {
    /// The tiers of some objects, and those that policies name.
    pub fn new(objects: &CalicoObjects, policies: &PolicySet, settings: &CalicoSettings) -> Self {
        let [admin, baseline] = if settings.ties_by_name() {
            ["kube-admin", "kube-baseline"]
        } else {
            ["adminnetworkpolicy", "baselineadminnetworkpolicy"]
        };
        let fixed = |name: &str, order: f64, passes: bool| TierRow {
            name: name.into(),
            missing: false,
            order: Priority::of(order),
            passes,
        };
        // INVARIANT: at the indices of `kubernetes`
        let mut rows = vec![
            fixed(admin, 1000.0, true),
            fixed("default", 1_000_000.0, false),
            fixed(baseline, 10_000_000.0, true),
        ];
        let mut known: BTreeMap<Box<str>, usize> = BTreeMap::new();
        known.extend(
            rows.iter()
                .enumerate()
                .map(|(i, row)| (row.name.clone(), i)),
        );
        for tier in &objects.tiers {
            if !known.contains_key(&tier.name) {
                known.insert(tier.name.clone(), rows.len());
                rows.push(TierRow {
                    name: tier.name.clone(),
                    missing: false,
                    order: tier.order,
                    passes: tier.passes,
                });
            }
        }
        for written in policies.policies.iter().filter_map(|p| p.calico()) {
            if !known.contains_key(&written.tier) {
                known.insert(written.tier.clone(), rows.len());
                rows.push(TierRow {
                    name: written.tier.clone(),
                    missing: true,
                    order: Priority::LAST,
                    passes: false,
                });
            }
        }
        Self {
            rows,
            others: policies.tiers.len(),
        }
    }

    /// The index of a tier; those of Calico alone stand behind all that there were.
    pub fn index(&self, name: &str) -> TierIx {
        let at = self.rows.iter().position(|row| *row.name == *name);
        let at = at.map(|at| {
            if at < FIXED {
                at
            } else {
                at - FIXED + self.others
            }
        });
        let at = at.and_then(|at| u16::try_from(at).ok());
        at.map_or(kubernetes::NETWORK, TierIx)
    }

    /// The place of a row in the order of asking.
    fn place(&self, at: usize) -> usize {
        fn key(row: &TierRow) -> (bool, Priority, &str) {
            (row.missing, row.order, &row.name)
        }
        let own = key(&self.rows[at]);
        self.rows.iter().filter(|row| key(row) < own).count()
    }

    /// The place of the tier of a name in the order of asking, and whether what it does not decide
    /// goes on.
    pub fn place_and_end(&self, name: &str) -> (usize, bool) {
        let at = self.rows.iter().position(|row| *row.name == *name);
        at.map_or((0, false), |at| (self.place(at), self.rows[at].passes))
    }

    /// The tiers of a policy set with those of Calico; tiers of other layers stay.
    pub fn tiers(&self, known: &[Tier]) -> Vec<Tier> {
        let rows = self.rows.iter().enumerate();
        let mut own = rows.map(|(i, row)| tier(row, self.place(i)));
        let mut all: Vec<Tier> = own.by_ref().take(FIXED).collect();
        all.extend(known.get(FIXED..).unwrap_or_default().iter().cloned());
        all.extend(own);
        all
    }
}

fn tier(row: &TierRow, place: usize) -> Tier {
    Tier {
        name: Cow::Owned(row.name.to_string()),
        policies: "policies",
        layer: LayerIx::CLUSTER_NETWORK,
        order: i32::try_from(place).unwrap_or(i32::MAX),
        mode: TierMode::Ordered(Ties::ByName), // CA45
        end: if row.passes {
            TierEnd::Pass
        } else {
            TierEnd::DenyIsolated
        },
        pass_to: None,
        host_pods: HostPods::Excluded, // CA12
        own_node: OwnNode::Exempt,     // CA100
        codes: None,
    }
}
