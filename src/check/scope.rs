//! Endpoints of a test -> workloads and addresses: groups first, then the grammar every command
//! speaks.
//!
//! Where a group selects namespaces by labels that are not in the input, its membership is not
//! known; such workloads are kept apart as *doubtful*, so that a test that rests on them is
//! undecided and never passed or failed.

use crate::check::schema::{Expression, Group, GroupMap, Labels, Operator};
use crate::model::{Cluster, Requirement, Selector, Truth, WorkloadId};
use crate::query::ask::grammar::{EndpointSpec, Target};
use crate::query::ask::resolve;
use crate::query::ask::resolve::{Context, Resolved};
use crate::query::{End, Question};
use std::collections::{BTreeMap, BTreeSet};

/// An endpoint, resolved.
#[derive(Debug, Clone)]
pub struct Ends {
    /// As it was written.
    pub spec: EndpointSpec,
    /// What it stands for.
    pub resolved: Resolved,
    /// Workloads of which it is not known whether they belong to it.
    pub doubtful: BTreeSet<WorkloadId>,
}

/// Why an endpoint stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// There is no such thing in this input.
    Absent(String),
    /// It is ambiguous, or makes no sense.
    Wrong(String),
}

/// Reads an endpoint.
///
/// # Errors
/// When it is none.
pub fn parse(text: &str) -> Result<EndpointSpec, String> {
    text.parse::<EndpointSpec>().map_err(|e| match e.help {
        Some(help) => format!("{}; {help}", e.message),
        None => e.message,
    })
}

/// Reads `SRC -> DST:PORT`; labels in it may contain blanks.
///
/// # Errors
/// When it is none.
pub fn question(text: &str) -> Result<Question, String> {
    match text.split_once(" -> ") {
        Some((source, destination)) => Ok(Question {
            source: parse(source.trim())?,
            destination: parse(destination.trim())?,
        }),
        None => text.parse::<Question>().map_err(|e| e.message),
    }
}

/// What names mean in one file.
pub struct Scopes<'a> {
    /// The world.
    pub cluster: &'a Cluster,
    /// What bare names mean.
    pub context: &'a Context,
    /// The groups of the file.
    pub groups: &'a BTreeMap<String, Group>,
}

impl Scopes<'_> {
    /// Resolves an endpoint as it is written.
    ///
    /// # Errors
    /// When it stands for nothing.
    pub fn text(&self, text: &str) -> Result<Ends, Trouble> {
        self.ends(&parse(text).map_err(Trouble::Wrong)?, 0)
    }

    /// Resolves both ends of a question.
    ///
    /// # Errors
    /// When one stands for nothing.
    pub fn question(&self, text: &str) -> Result<(Ends, Ends), Trouble> {
        let question = question(text).map_err(Trouble::Wrong)?;
        Ok((
            self.ends(&question.source, 0)?,
            self.ends(&question.destination, 0)?,
        ))
    }

    fn ends(&self, spec: &EndpointSpec, depth: usize) -> Result<Ends, Trouble> {
        let group = match &spec.target {
            Target::Name {
                namespace: None,
                kind: None,
                name,
            } => self.groups.get(&**name).map(|g| (name, g)),
            _ => None,
        };
        let Some((name, group)) = group else {
            return self.plain(spec);
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
        Ok(Ends {
            spec: spec.clone(),
            resolved,
            doubtful,
        })
    }

    fn plain(&self, spec: &EndpointSpec) -> Result<Ends, Trouble> {
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
            _ => Ok(Ends {
                spec: spec.clone(),
                resolved,
                doubtful: BTreeSet::new(),
            }),
        }
    }

    fn group(
        &self,
        group: &Group,
        depth: usize,
    ) -> Result<(Vec<End>, BTreeSet<WorkloadId>), Trouble> {
        match group {
            Group::Ends(texts) => {
                let (mut ends, mut doubtful) = (Vec::new(), BTreeSet::new());
                for text in texts.texts() {
                    let one = self.ends(&parse(text).map_err(Trouble::Wrong)?, depth + 1)?;
                    ends.extend(
                        one.resolved
                            .ends
                            .into_iter()
                            .filter(|e| !ends.contains(e))
                            .collect::<Vec<_>>(),
                    );
                    doubtful.extend(one.doubtful);
                }
                Ok((ends, doubtful))
            }
            Group::Select(map) => self.selection(map, depth),
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
            let labelled = |p: &crate::model::PodId| pods.matches(self.cluster.pod_labels(*p));
            let chosen: Vec<_> = workload.pods.iter().copied().filter(labelled).collect();
            let chosen = except(chosen, id, without.as_ref());
            if !named || chosen.is_empty() || !truth.possible() {
                continue;
            }
            if truth == Truth::Maybe || without.as_ref().is_some_and(|w| w.doubtful.contains(&id)) {
                doubtful.insert(id);
            }
            ends.push(End::Pods {
                workload: id,
                pods: chosen,
            });
        }
        Ok((ends, doubtful))
    }
}

/// The pods of a workload that an endpoint surely does not mean.
fn except(
    pods: Vec<crate::model::PodId>,
    workload: WorkloadId,
    without: Option<&Ends>,
) -> Vec<crate::model::PodId> {
    let Some(without) = without.filter(|w| !w.doubtful.contains(&workload)) else {
        return pods;
    };
    let meant = |p: &crate::model::PodId| {
        without
            .resolved
            .ends
            .iter()
            .any(|e| matches!(e, End::Pods { pods, .. } if pods.contains(p)))
    };
    pods.into_iter().filter(|p| !meant(p)).collect()
}

/// A label selector of the file.
pub fn selector(labels: &Labels) -> Selector {
    requirements(&labels.match_labels, &labels.match_expressions)
}

/// A label selector from its two parts.
pub fn requirements(labels: &BTreeMap<String, String>, expressions: &[Expression]) -> Selector {
    let equal = labels
        .iter()
        .map(|(k, v)| Requirement::In(k.as_str().into(), vec![v.as_str().into()]));
    let one = |e: &Expression| {
        let (key, values) = (
            e.key.as_str().into(),
            e.values.iter().map(|v| v.as_str().into()).collect(),
        );
        match e.operator {
            Operator::In => Requirement::In(key, values),
            Operator::NotIn => Requirement::NotIn(key, values),
            Operator::Exists => Requirement::Exists(key),
            Operator::DoesNotExist => Requirement::DoesNotExist(key),
        }
    };
    Selector::new(equal.chain(expressions.iter().map(one)))
}
