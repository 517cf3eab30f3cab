//! The scope of an audit: the workloads that its controls are about.

use crate::check::scope::{Scopes, Trouble};
use crate::config::groups::GroupSpec;
use crate::model::{Cluster, WorkloadId};
use crate::query::{Context, End};
use std::collections::{BTreeMap, BTreeSet};

/// The workloads that controls are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditScope {
    /// The group or selector that names them; the whole input where there is none.
    pub name: Option<String>,
    /// The workloads.
    pub workloads: BTreeSet<WorkloadId>,
    /// Those of them of which it is not known whether they belong.
    pub doubtful: BTreeSet<WorkloadId>,
}

impl AuditScope {
    /// The whole input.
    pub fn whole(cluster: &Cluster) -> Self {
        Self {
            workloads: cluster.workloads().map(|(id, _)| id).collect(),
            ..Self::default()
        }
    }

    /// The workloads of a group, or of anything that names workloads. A workload of which some pods
    /// are meant is in scope as a whole.
    ///
    /// # Errors
    /// When it names no workload, or something else: a scope without workloads would meet
    /// everything.
    pub fn named(
        text: &str,
        cluster: &Cluster,
        context: &Context,
        groups: &BTreeMap<String, GroupSpec>,
    ) -> Result<Self, String> {
        let scopes = Scopes {
            cluster,
            context,
            to: context,
            groups,
        };
        let ends = scopes.text(text).map_err(|trouble| match trouble {
            Trouble::Absent(message) | Trouble::Wrong(message) => message,
        })?;
        if ends.spec.ports.is_some() {
            return Err("a scope has no port: name workloads alone".into());
        }
        let mut workloads = BTreeSet::new();
        for end in &ends.resolved.ends {
            match end {
                End::Pods { workload, .. } => workloads.insert(*workload),
                End::Addresses { name, .. } => {
                    return Err(format!(
                        "`{name}` is no workload: a scope is made of workloads"
                    ));
                }
            };
        }
        if workloads.is_empty() {
            return Err("it selects no workload of the input".into());
        }
        Ok(Self {
            name: Some(text.to_owned()),
            workloads,
            doubtful: ends.doubtful,
        })
    }

    /// What it is called in a report.
    pub fn title(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => "whole input (no --scope given)".to_owned(),
        }
    }
}
