//! The table of `list` as JSON and YAML, with the rows about pods that are not in the input.

use crate::model::WorkloadId;
use crate::query::explain::contributing::deciding;
use crate::query::list::listing::{self, Filter, ListEntry};
use crate::query::list::potential_rows::{PotentialLine, PotentialRows};
use crate::render::context::RenderContext;
use crate::render::data::json::{EndJson, PortsJson, RuleRefJson, party, rule, traffic, workload};
use crate::render::words;
use schemars::JsonSchema;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

/// The table of `list`.
#[derive(Serialize, JsonSchema)]
pub struct ListJson<'a> {
    /// Workloads that accept from anyone.
    pub open_in: Vec<EndJson>,
    /// Workloads that may go anywhere.
    pub open_out: Vec<EndJson>,
    /// Workloads on their node's network.
    pub host_network: Vec<EndJson>,
    /// The lines.
    #[schemars(with = "Vec<FlowJson>")]
    pub flows: Flows<'a>,
    /// What pods that are not in the input may send and receive.
    pub potential: Vec<PotentialLineJson>,
    /// Whether more kinds of such pods may exist than are listed.
    pub potential_incomplete: bool,
}

/// The lines of `list`, found while they are written: a table of any length needs no memory.
pub struct Flows<'a> {
    context: RenderContext<'a>,
    filter: &'a Filter,
}

impl Serialize for Flows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut lines = serializer.serialize_seq(None)?;
        let mut result = Ok(());
        listing::each(self.context.graph, self.filter, &mut |entry| {
            result = lines.serialize_element(&flow(self.context, &entry));
            crate::render::format::going(&result)
        });
        result?;
        lines.end()
    }
}

/// One line of `list`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FlowJson {
    /// The source.
    pub from: EndJson,
    /// The destination.
    pub to: EndJson,
    /// What surely passes.
    pub ports: Vec<PortsJson>,
    /// What may pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<PortsJson>,
    /// Whether it holds for some of the pods only.
    pub some_pods: bool,
    /// The rules that make it so.
    pub because: Vec<RuleRefJson>,
}

/// A line about pods that are not in the input.
#[derive(Serialize, JsonSchema)]
pub struct PotentialLineJson {
    /// Who sends, in words, which may change; `nobody` where nothing passes.
    pub from: Vec<String>,
    /// Who receives, in words, which may change.
    pub to: Vec<String>,
    /// The traffic.
    pub ports: Vec<PortsJson>,
    /// Port names that are part of it, or excepted from it, in words.
    pub port_names: Vec<String>,
    /// Whether it surely passes.
    pub certain: bool,
}

/// The lines about pods that are not in the input.
pub fn potential_lines(context: RenderContext<'_>, rows: &PotentialRows) -> Vec<PotentialLineJson> {
    let lines = rows.lines(&context.graph.environment().cluster).into_iter();
    let line = |line: PotentialLine| PotentialLineJson {
        from: words::line_end(&line.source),
        to: words::line_end(&line.destination),
        ports: traffic(&line.traffic),
        port_names: line.port_names,
        certain: line.certain,
    };
    lines.map(line).collect()
}

/// The table of `list` as a document's content.
pub fn listing<'a>(
    context: RenderContext<'a>,
    filter: &'a Filter,
    potential: Option<&PotentialRows>,
) -> ListJson<'a> {
    let listing = listing::summary(context.graph, filter);
    let all = |list: &[WorkloadId]| list.iter().map(|w| workload(context, *w)).collect();
    ListJson {
        open_in: all(&listing.open_in),
        open_out: all(&listing.open_out),
        host_network: all(&listing.host_network),
        flows: Flows { context, filter },
        potential: potential.map_or_else(Vec::new, |rows| potential_lines(context, rows)),
        potential_incomplete: potential.is_some_and(|rows| rows.incomplete),
    }
}

fn flow(context: RenderContext<'_>, entry: &ListEntry) -> FlowJson {
    let (sure, unknown) = (&entry.allowed.must, &entry.allowed.unknown());
    let because = deciding(&entry.explanations(context.graph)).into_iter();
    FlowJson {
        from: party(context, &entry.source),
        to: party(context, &entry.destination),
        ports: traffic(sure),
        unknown: traffic(unknown),
        some_pods: entry.differs,
        because: because.map(|at| rule(context, at)).collect(),
    }
}
