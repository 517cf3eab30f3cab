//! Namespaces: which have policies, and which deny what no rule allows, to every pod that is or may
//! come to be in them.

use crate::audit::evidence::{Evidence, gap};
use crate::audit::fact::{Bearing, DecidedBy, Fact, FactTopic, INPUT, of_side};
use crate::audit::walls::direction_word;
use crate::model::{NamespaceId, Truth, WorkloadId};
use crate::policy::{Direction, PolicyId};
use std::collections::BTreeSet;

/// The namespace that a default deny is not asked of by every standard.
pub(crate) const SYSTEM: &str = "kube-system";

impl Evidence<'_> {
    /// The namespaces in scope: those of its workloads, and of the whole input those that are
    /// declared too.
    fn namespaces(&self) -> BTreeSet<NamespaceId> {
        let cluster = self.cluster();
        let own = self.workloads().map(|id| cluster.workload(id).namespace);
        let mut found: BTreeSet<NamespaceId> = own.collect();
        if self.of.scope.name.is_none() {
            let declared = cluster.namespaces().filter(|(_, n)| n.declared.is_some());
            found.extend(declared.map(|(id, _)| id));
        }
        found
    }

    fn workloads_in(&self, namespace: NamespaceId) -> impl Iterator<Item = WorkloadId> {
        let here = move |id: &WorkloadId| self.cluster().workload(*id).namespace == namespace;
        self.workloads().filter(here)
    }

    /// Whether every namespace has policies, and whom they leave out.
    pub(crate) fn namespace_policies(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for namespace in self.namespaces() {
            let name = self.cluster().namespace(namespace).name.to_string();
            let about = format!("namespace {name}");
            let fact = |bearing, text| Fact::new(bearing, FactTopic::Anyone, &about, text);
            let policies = self.policies_of(&name);
            let by: Vec<DecidedBy> = policies.iter().copied().map(DecidedBy::Policy).collect();
            if policies.is_empty() {
                facts.push(self.without_policies(namespace, &about));
                continue;
            }
            let before = facts.len();
            for workload in self.workloads_in(namespace) {
                facts.extend(self.left_out(workload, &about));
            }
            if facts.len() == before {
                facts.push(fact(Bearing::Shown, format!("{about} has policies")).because(by));
            }
        }
        facts
    }

    /// The policies of a namespace that are surely there.
    fn policies_of(&self, namespace: &str) -> Vec<PolicyId> {
        let policies = &self.of.graph.environment().policies;
        let of_hosts = |id: &PolicyId| {
            let tier = policies.tier_of(policies.get(*id));
            tier.layer.is_of_hosts()
        };
        let here = policies.iter().filter(|(_, policy)| {
            policy.namespace.as_deref() == Some(namespace) && policy.presence() == Truth::Yes
        });
        here.map(|(id, _)| id).filter(|id| !of_hosts(id)).collect()
    }

    /// What a namespace without policies of its own has.
    fn without_policies(&self, namespace: NamespaceId, about: &str) -> Fact {
        let fact = |bearing, text| Fact::new(bearing, FactTopic::Anyone, about, text);
        let unread = self.of.input.policies.taints.first();
        if let Some(taint) = unread {
            let (what, why) = (&taint.what, taint.reason.words());
            let text = format!("{about} has no policy that is understood, and {what} {why}");
            return fact(Bearing::Unknown, text);
        }
        let workloads: Vec<WorkloadId> = self.workloads_in(namespace).collect();
        let governed = |id: &WorkloadId| Direction::ALL.iter().any(|d| !self.is_open(*id, *d));
        if !workloads.is_empty() && workloads.iter().all(governed) {
            let pods: Vec<_> = workloads
                .iter()
                .flat_map(|id| self.pods(*id))
                .copied()
                .collect();
            let mut by = self.isolating(&pods, Direction::Ingress);
            by.extend(self.isolating(&pods, Direction::Egress));
            by.dedup();
            let text =
                format!("{about} has no policies of its own; those of the cluster govern it");
            return fact(Bearing::Part, text).because(by);
        }
        fact(Bearing::Against, format!("{about} has no policies"))
    }

    /// That the policies of a namespace leave out one of its workloads.
    fn left_out(&self, workload: WorkloadId, about: &str) -> Option<Fact> {
        let name = self.name(workload);
        let fact = |bearing, text| Some(Fact::new(bearing, FactTopic::Anyone, about, text));
        if self.is_on_node(workload) {
            let text = format!(
                "{name} runs on the network of its node, where policies of pods do not hold for certain"
            );
            return fact(Bearing::Unknown, text);
        }
        let open = Direction::ALL.iter().all(|d| self.is_open(workload, *d));
        if open {
            let text = format!("{about} has policies, and none of them selects {name}");
            return fact(Bearing::Part, text);
        }
        None
    }

    /// Whether every namespace denies what no rule allows.
    pub(crate) fn default_deny(&self, directions: &[Direction], with_system: bool) -> Vec<Fact> {
        let mut facts = Vec::new();
        for namespace in self.namespaces() {
            let name = self.cluster().namespace(namespace).name.to_string();
            let is_used = self.workloads_in(namespace).next().is_some();
            let may_be_used = self.beyond.isolated(&name, Direction::Ingress).is_some();
            if !(is_used || may_be_used) || (!with_system && name == SYSTEM) {
                continue;
            }
            let about = format!("namespace {name}");
            for direction in directions {
                let denied = self.denied(namespace, *direction, &about);
                facts.extend(of_side(denied, *direction));
            }
        }
        if !self.beyond.complete {
            let text = "more kinds of pods may come to the namespaces than could be asked about";
            facts.push(gap(text.to_owned()));
        }
        facts
    }

    /// Whether a namespace denies in one direction what no rule allows.
    fn denied(&self, namespace: NamespaceId, direction: Direction, about: &str) -> Vec<Fact> {
        let mut facts: Vec<Fact> = Vec::new();
        for workload in self.workloads_in(namespace) {
            let wall = self.wall(workload, direction).into_iter();
            // that a node reaches its pods is no matter of a default
            let by_policy = |fact: &Fact| fact.topic != FactTopic::OwnNode;
            let bad = wall.filter(|fact| fact.bearing != Bearing::Shown && by_policy(fact));
            facts.extend(bad.map(|fact| Fact {
                about: about.to_owned(),
                ..fact
            }));
            facts.extend(self.not_isolated(workload, direction, about));
        }
        facts.extend(self.to_come(namespace, direction, about));
        if facts.is_empty() {
            let word = direction_word(direction);
            let name = &self.cluster().namespace(namespace).name;
            let to_come = self.beyond.isolated(name, direction);
            let (pods, whom) = if let Some((_, pod, _)) = to_come {
                (vec![pod], "every pod")
            } else {
                let all = self.workloads_in(namespace);
                let pods = all.flat_map(|id| self.pods(id)).copied();
                (pods.collect(), "its pods")
            };
            let by = self.isolating(&pods, direction);
            let text = format!("{about} denies {word} to {whom} unless a rule allows it");
            let fact = Fact::new(Bearing::Shown, FactTopic::Anyone, about, text);
            facts.push(fact.because(by));
        }
        facts
    }

    /// The namespaces all of whose workloads are in scope: what comes to them is in scope too.
    pub(crate) fn open_to_come(&self, directions: &[Direction]) -> Vec<Fact> {
        let cluster = self.cluster();
        let mut facts = Vec::new();
        for namespace in self.namespaces() {
            let mut all = cluster
                .workloads()
                .filter(|(_, w)| w.namespace == namespace);
            if !all.all(|(id, _)| self.of.scope.workloads.contains(&id)) {
                continue;
            }
            let about = format!("namespace {}", cluster.namespace(namespace).name);
            for direction in directions {
                let fact = self.to_come(namespace, *direction, &about);
                // no workload of its own, so that it only keeps a control from being met
                facts.extend(fact.map(|fact| Fact {
                    about: INPUT.to_owned(),
                    ..fact
                }));
            }
        }
        facts
    }

    /// That policies do not isolate every pod that may come to a namespace.
    fn to_come(&self, namespace: NamespaceId, direction: Direction, about: &str) -> Option<Fact> {
        let word = direction_word(direction);
        let name = &self.cluster().namespace(namespace).name;
        let (bearing, text) = match self.beyond.isolated(name, direction)? {
            (Truth::No, _, labels) => (
                Bearing::Part,
                format!("a pod {labels} that comes to {about} is isolated by no policy for {word}"),
            ),
            (Truth::Maybe, _, labels) => (
                Bearing::Unknown,
                format!(
                    "it is not known whether policies isolate a pod {labels} in {about} for {word}"
                ),
            ),
            (Truth::Yes, ..) => return None,
        };
        Some(Fact::new(bearing, FactTopic::Anyone, about, text))
    }

    /// That some pods of a workload are not isolated, where not all of it is open.
    fn not_isolated(
        &self,
        workload: WorkloadId,
        direction: Direction,
        about: &str,
    ) -> Option<Fact> {
        if self.is_open(workload, direction) || self.is_on_node(workload) {
            return None; // its wall says so
        }
        let (name, word) = (self.name(workload), direction_word(direction));
        let fact = |bearing, text| Some(Fact::new(bearing, FactTopic::Anyone, about, text));
        match self.isolated(workload, direction)? {
            Truth::Yes => None,
            Truth::Maybe => {
                let text = format!("it is not known whether policies isolate {name} for {word}");
                fact(Bearing::Unknown, text)
            }
            Truth::No => {
                let text = format!(
                    "{name} is not isolated for {word}: only rules that deny hold traffic back"
                );
                fact(Bearing::Part, text)
            }
        }
    }
}
