//! What policy tests that pass declare to be meant: a list in the repository that somebody
//! reviewed, and that holds of this input.
//!
//! A test counts only for workloads all of whose pods it is about, on all ports, and in the world
//! that the audit is about: one that says `world: closed` speaks of what is loaded alone.

use crate::check::parse::Claim;
use crate::check::schema::Several;
use crate::check::scope::Scopes;
use crate::check::{Outcome, Run, Status, Suite};
use crate::model::{Cluster, WorkloadId};
use crate::policy::Direction;
use crate::potential::World;
use crate::query::{Context, End};
use std::collections::{BTreeMap, BTreeSet};

/// Which tests declare what of which workloads.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// Who may reach a workload, or whom it may reach.
    flows: BTreeMap<(WorkloadId, Direction), BTreeSet<String>>,
    /// Workloads that the internet may come to.
    public: BTreeMap<WorkloadId, BTreeSet<String>>,
}

impl Declared {
    /// Adds the tests of one file that pass.
    pub fn add(
        &mut self,
        (suite, run): (&Suite, &Run<'_>),
        cluster: &Cluster,
        context: &Context,
        world: World,
    ) {
        let scopes = Scopes {
            cluster,
            context,
            to: context,
            groups: &suite.groups,
        };
        let counts = |outcome: &&Outcome<'_>| {
            let whole = !outcome.test.closed || world == World::Closed;
            outcome.status == Status::Passed && whole
        };
        for Outcome { test, .. } in run.outcomes.iter().filter(counts) {
            let title = format!("`{}` ({})", test.name, test.at);
            match &test.claim {
                Claim::OnlyFrom(spec) => {
                    self.flows(&scopes, &spec.to, Direction::Ingress, &title);
                }
                Claim::OnlyTo(spec) => {
                    self.flows(&scopes, &spec.from, Direction::Egress, &title);
                }
                Claim::Doors(spec) => self.public(&scopes, &spec.only, &title),
                Claim::Internet(spec) => {
                    let listed = spec.ingress.iter();
                    listed.for_each(|listed| self.public(&scopes, listed, &title));
                }
                _ => {}
            }
        }
    }

    fn flows(&mut self, scopes: &Scopes<'_>, text: &str, direction: Direction, title: &str) {
        for workload in whole_workloads(scopes, text, false) {
            let tests = self.flows.entry((workload, direction)).or_default();
            tests.insert(title.to_owned());
        }
    }

    fn public(&mut self, scopes: &Scopes<'_>, listed: &Several, title: &str) {
        for text in listed.texts() {
            for workload in whole_workloads(scopes, text, true) {
                let tests = self.public.entry(workload).or_default();
                tests.insert(title.to_owned());
            }
        }
    }

    /// The tests that declare who may reach a workload, or whom it may reach.
    pub(crate) fn tests(&self, workload: WorkloadId, direction: Direction) -> Option<String> {
        self.flows.get(&(workload, direction)).map(joined)
    }

    /// The tests that declare that the internet may come to a workload.
    pub(crate) fn public_by(&self, workload: WorkloadId) -> Option<String> {
        self.public.get(&workload).map(joined)
    }
}

fn joined(tests: &BTreeSet<String>) -> String {
    tests.iter().cloned().collect::<Vec<_>>().join(", ")
}

/// The workloads all of whose pods an end surely means.
fn whole_workloads(scopes: &Scopes<'_>, text: &str, with_ports: bool) -> Vec<WorkloadId> {
    let Ok(ends) = scopes.text(text) else {
        return Vec::new();
    };
    if ends.spec.ports.is_some() && !with_ports {
        return Vec::new();
    }
    let mut whole = Vec::new();
    for end in &ends.resolved.ends {
        let End::Pods { workload, pods, .. } = end else {
            continue;
        };
        let all = &scopes.cluster.workload(*workload).pods;
        let is_whole = all.iter().all(|pod| pods.contains(pod));
        if is_whole && !ends.doubtful.contains(workload) {
            whole.push(*workload);
        }
    }
    whole
}
