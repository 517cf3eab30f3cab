//! Resolves the endpoints of a test to workloads and addresses: names of groups first, then the
//! grammar that every command uses.
//!
//! Where a group selects namespaces by labels that are not in the input, its membership is unknown.
//! Such workloads are kept separately as *doubtful*, so that a test that depends on them is
//! undecided and neither passed nor failed. Cost: O(workloads) per endpoint.

use crate::check::schema::{Expression, GroupMap, GroupSpec, LabelsSpec, Operator};
use crate::model::{Cluster, PodId, Requirement, Selector, Truth, WorkloadId};
use crate::query::ask::asked_traffic::direct;
use crate::query::ask::grammar::{EndpointSpec, PortAsk, Target};
use crate::query::ask::resolve;
use crate::query::ask::resolved::{Context, Resolved};
use crate::query::{End, Question};
use std::collections::{BTreeMap, BTreeSet};

/// An endpoint, resolved.
#[derive(Debug, Clone)]
pub struct ScopedEnds {
    /// The endpoint as it is written.
    pub spec: EndpointSpec,
    /// What it resolves to.
    pub resolved: Resolved,
    /// Workloads of which it is unknown whether they belong to it.
    pub doubtful: BTreeSet<WorkloadId>,
}

/// Why an endpoint cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The input has no such thing.
    Absent(String),
    /// It is ambiguous, or makes no sense.
    Wrong(String),
}

/// Parses an endpoint.
///
/// # Errors
/// When the text is not an endpoint.
pub fn parse(text: &str) -> Result<EndpointSpec, String> {
    text.parse::<EndpointSpec>().map_err(|e| match e.help {
        Some(help) => format!("{}; {help}", e.message),
        None => e.message,
    })
}

/// Parses `SRC -> DST:PORT`; labels in it may contain blanks.
///
/// # Errors
/// When the text is not a question.
pub fn question(text: &str) -> Result<Question, String> {
    match text.split_once(" -> ") {
        Some((source, destination)) => Ok(Question {
            source: parse(source.trim())?,
            destination: parse(destination.trim())?,
        }),
        None => text.parse::<Question>().map_err(|e| e.message),
    }
}

/// What names resolve to in one file.
pub struct Scopes<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The settings that names are resolved with.
    pub context: &'a Context,
    /// The same for the destinations of flows.
    pub to: &'a Context,
    /// The groups of the file.
    pub groups: &'a BTreeMap<String, GroupSpec>,
}

impl Scopes<'_> {
    /// Resolves an endpoint as it is written.
    ///
    /// # Errors
    /// When it cannot be resolved.
    pub fn text(&self, text: &str) -> Result<ScopedEnds, Trouble> {
        self.ends(&parse(text).map_err(Trouble::Wrong)?, 0)
    }

    /// Resolves the destination of a flow as it is written.
    ///
    /// # Errors
    /// When it cannot be resolved.
    pub fn destination(&self, text: &str) -> Result<ScopedEnds, Trouble> {
        self.of_destinations().text(text)
    }

    fn of_destinations(&self) -> Self {
        Scopes {
            context: self.to,
            ..*self
        }
    }

    /// Resolves both ends of a question.
    ///
    /// # Errors
    /// When one cannot be resolved.
    pub fn question(&self, text: &str) -> Result<(ScopedEnds, ScopedEnds), Trouble> {
        let question = question(text).map_err(Trouble::Wrong)?;
        Ok((
            self.ends(&question.source, 0)?,
            self.of_destinations().ends(&question.destination, 0)?,
        ))
    }

    fn ends(&self, spec: &EndpointSpec, depth: usize) -> Result<ScopedEnds, Trouble> {
        let found = self.ends_on_any_port(spec, depth)?;
        self.absent_port_name(&found)
            .map_or(Ok(found), |absent| Err(Trouble::Absent(absent)))
    }

    /// A port name that none of the pods has: of it nothing can be claimed.
    fn absent_port_name(&self, found: &ScopedEnds) -> Option<String> {
        if found.resolved.service.is_some() {
            return None; // a Service has ports of its own
        }
        let pods = found.resolved.ends.iter().flat_map(|end| match end {
            End::Pods { pods, .. } => &pods[..],
            End::Addresses { .. } => &[],
        });
        let mut pods = pods.peekable();
        pods.peek()?;
        let names = found.spec.ports.iter().flatten();
        let pods: Vec<_> = pods.map(|pod| self.cluster.pod(*pod)).collect();
        let is_absent = |port| pods.iter().all(|pod| direct(port, Some(pod)).is_empty());
        names.into_iter().find_map(|port| match port {
            PortAsk::Name(name, _) if is_absent(port) => {
                Some(format!("no pod there has a port called `{name}`"))
            }
            _ => None,
        })
    }

    fn ends_on_any_port(&self, spec: &EndpointSpec, depth: usize) -> Result<ScopedEnds, Trouble> {
        let group = match &spec.target {
            Target::Name {
                namespace: None,
                kind: None,
                name,
            } => self.groups.get(&**name).map(|g| (name, g)),
            _ => None,
        };
        let Some((name, group)) = group else {
            return self.without_groups(spec);
        };
        if depth > 20 {
            return Err(Trouble::Wrong(format!(
                "the group `{name}` is made of itself"
            )));
        }
        let (ends, doubtful) = self.group(group, depth)?;
        if ends.is_empty() {
            return Err(Trouble::Absent(format!(
                "the group `{name}` selects no workload"
            )));
        }
        let resolved = Resolved {
            ends,
            ..Resolved::default()
        };
        Ok(ScopedEnds {
            spec: spec.clone(),
            resolved,
            doubtful,
        })
    }

    /// Resolves an endpoint by the grammar alone.
    fn without_groups(&self, spec: &EndpointSpec) -> Result<ScopedEnds, Trouble> {
        let resolved = resolve::resolve(self.cluster, self.context, spec).map_err(|e| {
            let message = match &e.help {
                Some(help) => format!("{}; {help}", e.message),
                None => e.message.clone(),
            };
            if e.absent {
                Trouble::Absent(message)
            } else {
                Trouble::Wrong(message)
            }
        })?;
        match (&resolved.missing, resolved.ends.is_empty()) {
            (Some(missing), true) => Err(Trouble::Absent(missing.to_string())),
            _ => Ok(ScopedEnds {
                spec: spec.clone(),
                resolved,
                doubtful: BTreeSet::new(),
            }),
        }
    }

    fn group(
        &self,
        group: &GroupSpec,
        depth: usize,
    ) -> Result<(Vec<End>, BTreeSet<WorkloadId>), Trouble> {
        match group {
            GroupSpec::Ends(texts) => {
                let (mut ends, mut doubtful) = (Vec::new(), BTreeSet::new());
                for text in texts.texts() {
                    let member = self.ends(&parse(text).map_err(Trouble::Wrong)?, depth + 1)?;
                    ends.extend(
                        member
                            .resolved
                            .ends
                            .into_iter()
                            .filter(|e| !ends.contains(e))
                            .collect::<Vec<_>>(),
                    );
                    doubtful.extend(member.doubtful);
                }
                Ok((ends, doubtful))
            }
            GroupSpec::Select(map) => self.selection(map, depth),
        }
    }

    fn selection(
        &self,
        map: &GroupMap,
        depth: usize,
    ) -> Result<(Vec<End>, BTreeSet<WorkloadId>), Trouble> {
        let without = match &map.not {
            Some(text) => Some(self.ends(&parse(text).map_err(Trouble::Wrong)?, depth + 1)?),
            None => None,
        };
        let namespaces = map.namespaces.as_ref().map(selector);
        let pods = map.pods.as_ref().map(selector).unwrap_or_default();
        let (mut ends, mut doubtful) = (Vec::new(), BTreeSet::new());
        for (id, workload) in self.cluster.workloads() {
            let namespace = self.cluster.namespace(workload.namespace);
            let named = map
                .namespace
                .as_ref()
                .is_none_or(|n| **n == *namespace.name);
            let truth = namespaces
                .as_ref()
                .map_or(Truth::Yes, |s| namespace.selected_by(s));
            let is_selected = |p: &PodId| pods.selects(self.cluster.pod_labels(*p)).possible();
            let chosen: Vec<_> = workload.pods.iter().copied().filter(is_selected).collect();
            let chosen = except(chosen, id, without.as_ref());
            if !named || chosen.is_empty() || !truth.possible() {
                continue;
            }
            if truth == Truth::Maybe || without.as_ref().is_some_and(|w| w.doubtful.contains(&id)) {
                doubtful.insert(id);
            }
            ends.push(End::pods(id, chosen));
        }
        Ok((ends, doubtful))
    }
}

/// The pods of a workload that certainly do not belong to an endpoint.
fn except(pods: Vec<PodId>, workload: WorkloadId, without: Option<&ScopedEnds>) -> Vec<PodId> {
    let Some(without) = without.filter(|w| !w.doubtful.contains(&workload)) else {
        return pods;
    };
    let ends = &without.resolved.ends;
    let is_excluded = |pod: &PodId| {
        ends.iter()
            .any(|end| matches!(end, End::Pods { pods, .. } if pods.contains(pod)))
    };
    pods.into_iter().filter(|pod| !is_excluded(pod)).collect()
}

/// The selector of a label selector in the file.
pub fn selector(labels: &LabelsSpec) -> Selector {
    requirements(&labels.match_labels, &labels.match_expressions)
}

/// The selector of the two parts of a label selector.
pub fn requirements(labels: &BTreeMap<String, String>, expressions: &[Expression]) -> Selector {
    let equal = labels
        .iter()
        .map(|(k, v)| Requirement::In(k.as_str().into(), vec![v.as_str().into()]));
    Selector::new(equal.chain(expressions.iter().map(requirement)))
}

fn requirement(expression: &Expression) -> Requirement {
    let (key, values) = (
        expression.key.as_str().into(),
        expression
            .values
            .iter()
            .map(|v| v.as_str().into())
            .collect(),
    );
    match expression.operator {
        Operator::In => Requirement::In(key, values),
        Operator::NotIn => Requirement::NotIn(key, values),
        Operator::Exists => Requirement::Exists(key),
        Operator::DoesNotExist => Requirement::DoesNotExist(key),
    }
}
