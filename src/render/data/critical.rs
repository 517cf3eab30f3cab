//! Chokepoints for programs.

use crate::check::rule_cut::RuleCut;
use crate::model::WorkloadId;
use crate::render::context::RenderContext;
use crate::render::data::doors::{DoorJson, door};
use crate::render::data::reach::{HopJson, hop};
use crate::render::data::suggest::{AdditionJson, change};
use crate::render::search_views::CriticalView;
use crate::render::words;
use schemars::JsonSchema;
use serde::Serialize;

/// The chokepoints between two ends.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CriticalJson {
    /// Whether every hop of the path is certain.
    pub certain: bool,
    /// The door that the path starts at, where ways start at doors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub door: Option<DoorJson>,
    /// A shortest path from there; none where no way leads there, or the door leads to the target.
    pub path: Vec<HopJson>,
    /// The workloads that every path leads through, from the source on.
    pub chokepoints: Vec<String>,
    /// The fewest workloads whose closing separates the ends; absent where there is nothing to cut
    /// or a path leads through no other workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<Vec<String>>,
    /// The policies that close them; applied, and no path is left.
    pub closing: Vec<AdditionJson>,
    /// With --rules: the fewest rules without which no path is left, `namespace/policy
    /// ingress[0]`; absent where a path rests on no rule, or too many sets would have to be tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<String>>,
}

/// The chokepoints as a document's content.
pub fn critical(context: RenderContext<'_>, view: &CriticalView<'_>) -> CriticalJson {
    let critical = view.critical;
    let cluster = &context.input.cluster;
    let names = |workloads: &[WorkloadId]| {
        let names = workloads.iter().map(|one| cluster.workload_name(*one));
        names.collect::<Vec<String>>()
    };
    let path = critical.path.iter().flatten();
    CriticalJson {
        certain: critical.certain,
        door: view.door().map(|line| door(context, line)),
        path: path.map(|one| hop(context, one)).collect(),
        chokepoints: names(&critical.chokepoints),
        cut: critical.cut.as_deref().map(names),
        closing: critical
            .closing
            .iter()
            .map(|one| change(context, one))
            .collect(),
        rules: match view.rules {
            Some(RuleCut::Rules(rules)) => {
                let named = rules.iter().map(|at| words::rule(context.graph, *at));
                Some(named.collect())
            }
            _ => None,
        },
    }
}
