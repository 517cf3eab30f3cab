//! Chokepoints for programs.

use crate::check::critical::Critical;
use crate::model::WorkloadId;
use crate::render::context::RenderContext;
use crate::render::data::reach::{HopJson, hop};
use crate::render::data::suggest::{AdditionJson, change};
use schemars::JsonSchema;
use serde::Serialize;

/// The chokepoints between two ends.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CriticalJson {
    /// Whether every hop of the path is certain.
    pub certain: bool,
    /// A shortest path; none where no way leads there.
    pub path: Vec<HopJson>,
    /// The workloads that every path leads through, from the source on.
    pub chokepoints: Vec<String>,
    /// The fewest workloads whose closing separates the ends; absent where there is nothing to cut
    /// or a path leads through no other workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<Vec<String>>,
    /// The policies that close them; applied, and no path is left.
    pub closing: Vec<AdditionJson>,
}

/// The chokepoints as a document's content.
pub fn critical(context: RenderContext<'_>, critical: &Critical) -> CriticalJson {
    let cluster = &context.input.cluster;
    let names = |workloads: &[WorkloadId]| {
        let names = workloads.iter().map(|one| cluster.workload_name(*one));
        names.collect::<Vec<String>>()
    };
    CriticalJson {
        certain: critical.certain,
        path: critical.path.iter().map(|one| hop(context, one)).collect(),
        chokepoints: names(&critical.chokepoints),
        cut: critical.cut.as_deref().map(names),
        closing: critical
            .closing
            .iter()
            .map(|one| change(context, one))
            .collect(),
    }
}
