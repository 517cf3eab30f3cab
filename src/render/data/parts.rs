//! Who passes and who does not, for programs.

use crate::query::ask::parts::{Part, PartMembers};
use crate::render::context::RenderContext;
use crate::render::data::ports::{PortsJson, traffic};
use crate::set::IpSet;
use schemars::JsonSchema;
use serde::Serialize;

/// Sources and destinations of a pair that fare alike.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PartJson {
    /// The sources: names of pods, or CIDR blocks.
    pub sources: Vec<String>,
    /// The destinations, alike.
    pub destinations: Vec<String>,
    /// `yes`, `no`, `partly` or `unknown`.
    pub verdict: &'static str,
    /// What is allowed of what was asked.
    pub allowed: Vec<PortsJson>,
    /// What of it is unknown.
    pub unknown: Vec<PortsJson>,
}

/// The parts of a pair as a document's content.
pub(crate) fn parts(context: RenderContext<'_>, parts: &[Part]) -> Vec<PartJson> {
    let one = |part: &Part| PartJson {
        sources: members(context, &part.sources),
        destinations: members(context, &part.destinations),
        verdict: part.fate.verdict.word(),
        allowed: traffic(&part.fate.allowed),
        unknown: traffic(&part.fate.unknown),
    };
    parts.iter().map(one).collect()
}

fn members(context: RenderContext<'_>, members: &PartMembers) -> Vec<String> {
    let cluster = &context.graph.environment().cluster;
    match members {
        PartMembers::Pods(pods) => {
            let names = pods.iter().map(|pod| cluster.pod(*pod).name.to_string());
            names.collect()
        }
        PartMembers::Addresses(set) => blocks(set),
    }
}

fn blocks(set: &IpSet) -> Vec<String> {
    set.to_cidrs().iter().map(ToString::to_string).collect()
}
