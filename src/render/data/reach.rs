//! `reach` and `who` for programs.

use crate::query::reach::closure::Way;
use crate::query::reach::potential_pod::PotentialPod;
use crate::query::reach::tree::{Hop, Item, TreeNode};
use crate::render::context::RenderContext;
use crate::render::data::doors::{DoorJson, door};
use crate::render::data::json::{EndJson, PortsJson, RuleRefJson, rule, traffic, workload};
use crate::render::search_views::{PathView, ReachView};
use crate::render::words;
use schemars::JsonSchema;
use serde::Serialize;

/// The answer of `reach` and `who`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReachJson {
    /// Where it starts, as it was asked.
    pub root: String,
    /// `forward` or `backward`.
    pub way: &'static str,
    /// The most hops that were followed; none for any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hops: Option<u32>,
    /// Whether nothing restricts the root: its way out, or its way in.
    pub unrestricted: bool,
    /// The tree below the root.
    pub tree: Vec<TreeNodeJson>,
    /// Every workload that is found, with the hops.
    pub found: Vec<FoundJson>,
    /// Workloads that may be found, for all that is known.
    pub unknown: Vec<EndJson>,
    /// Outside addresses that may be reached, or may get there, for all that is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_outside: Vec<UnknownOutsideJson>,
    /// How many workloads there are besides the root's.
    pub others: usize,
    /// Pods that do not exist yet and would be let in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exposure: Vec<PotentialPodJson>,
    /// The doors by which the internet comes in, open or perhaps open; of `who` those that lead
    /// there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doors: Vec<DoorJson>,
    /// Workloads that policies would let the internet reach, and no door leads to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub admitted: Vec<EndJson>,
    /// What every way leads through to a data store, or, backward, from outside addresses to the
    /// root.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chokepoints: Vec<ChokepointsJson>,
}

/// The chokepoints on the ways to a workload.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChokepointsJson {
    /// The workload.
    pub to: EndJson,
    /// The workloads that every way there leads through, from the source on.
    pub through: Vec<EndJson>,
}

/// Outside addresses of which it is not told whether anything passes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UnknownOutsideJson {
    /// Which ones.
    pub who: EndJson,
    /// What may pass.
    pub ports: Vec<PortsJson>,
}

/// A workload that is found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundJson {
    /// Which one.
    pub workload: EndJson,
    /// After how many hops.
    pub hops: u32,
    /// Whether it looks like a data store.
    pub data_store: bool,
}

/// One line of the tree.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TreeNodeJson {
    /// Who: workloads that nothing distinguishes, or addresses.
    pub who: Vec<EndJson>,
    /// What passes.
    pub ports: Vec<PortsJson>,
    /// After how many hops it is first found.
    pub hops: u32,
    /// Whether it accepts from anyone.
    pub open: bool,
    /// Whether it is shown elsewhere in the tree.
    pub repeated: bool,
    /// Whether nothing is declared to listen there.
    pub nothing_listens: bool,
    /// What comes next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<TreeNodeJson>,
}

/// A pod that is not there yet.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PotentialPodJson {
    /// The rule and peer that let it in; none where nothing isolates the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<RuleRefJson>,
    /// Who it would be.
    pub text: String,
    /// What it may send.
    pub ports: Vec<PortsJson>,
    /// How many workloads of today the peer means.
    pub today: usize,
}

/// A shortest way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PathJson {
    /// Whether every hop is certain.
    pub certain: bool,
    /// The hops; none where there is no way.
    pub path: Vec<HopJson>,
    /// The door by which the internet comes to where the hops start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub door: Option<DoorJson>,
    /// The workloads that every way leads through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chokepoints: Vec<EndJson>,
}

/// One hop of a way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HopJson {
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// What passes.
    pub ports: Vec<PortsJson>,
    /// The rules that let it through.
    pub because: Vec<RuleRefJson>,
}

/// A reach as a document's content.
pub fn reach(context: RenderContext<'_>, view: &ReachView<'_>) -> ReachJson {
    let (reach, doors) = (view.reach, view.doors);
    let lines = doors
        .iter()
        .flat_map(|ends| ends.open.iter().chain(&ends.maybe));
    let admitted = doors.iter().flat_map(|ends| &ends.admitted);
    let is_store = |w| {
        reach
            .stores
            .binary_search_by_key(&w, |(store, _)| *store)
            .is_ok()
    };
    let found = |(w, hops): (&crate::model::WorkloadId, &u32)| FoundJson {
        workload: workload(context, *w),
        hops: *hops,
        data_store: is_store(*w),
    };
    ReachJson {
        root: view.root.to_owned(),
        way: if reach.way == Way::Forward {
            "forward"
        } else {
            "backward"
        },
        hops: reach.hops,
        unrestricted: reach.unrestricted,
        tree: reach.stops.iter().map(|s| stop(context, s)).collect(),
        found: reach.found.iter().map(found).collect(),
        unknown: reach
            .unknown
            .iter()
            .map(|w| workload(context, *w))
            .collect(),
        unknown_outside: reach
            .unknown_outside
            .iter()
            .map(|(addresses, ports)| UnknownOutsideJson {
                who: outside(&words::addresses(addresses), addresses),
                ports: traffic(ports),
            })
            .collect(),
        others: reach.others,
        exposure: view
            .exposure
            .iter()
            .map(|p| potential_pod(context, p))
            .collect(),
        doors: lines.map(|(line, _)| door(context, line)).collect(),
        admitted: admitted.map(|w| workload(context, *w)).collect(),
        chokepoints: view
            .chokepoints
            .iter()
            .map(|(to, through)| ChokepointsJson {
                to: workload(context, *to),
                through: through.iter().map(|w| workload(context, *w)).collect(),
            })
            .collect(),
    }
}

fn stop(context: RenderContext<'_>, found: &TreeNode) -> TreeNodeJson {
    TreeNodeJson {
        who: who(context, &found.item),
        ports: traffic(&found.traffic),
        hops: found.hops,
        open: found.open,
        repeated: found.repeated,
        nothing_listens: found.deaf,
        next: found.next.iter().map(|s| stop(context, s)).collect(),
    }
}

/// The endpoints of a line.
pub fn who(context: RenderContext<'_>, item: &Item) -> Vec<EndJson> {
    match item {
        Item::Workloads(list) | Item::Open(list) => {
            list.iter().map(|w| workload(context, *w)).collect()
        }
        Item::Known(keyword) => vec![outside(
            keyword.word(),
            &keyword.addresses().unwrap_or_default(),
        )],
        Item::Addresses(set) => vec![outside(&words::addresses(set), set)],
    }
}

fn outside(name: &str, set: &crate::set::IpSet) -> EndJson {
    EndJson::Addresses {
        name: name.to_owned(),
        cidrs: set.to_cidrs().iter().map(ToString::to_string).collect(),
    }
}

/// A pod that does not exist yet and would be let in.
pub fn potential_pod(context: RenderContext<'_>, pod: &PotentialPod) -> PotentialPodJson {
    let text = match pod.because.filter(|_| !pod.everyone) {
        Some(at) => words::admits(context.graph, at),
        None => "anyone".to_owned(),
    };
    PotentialPodJson {
        because: pod.because.map(|at| rule(context, at)),
        text,
        ports: traffic(&pod.traffic),
        today: pod.today,
    }
}

/// A shortest way as a document's content.
pub fn path(context: RenderContext<'_>, view: &PathView<'_>) -> PathJson {
    let chokepoints = view.chokepoints.iter();
    PathJson {
        certain: view.certain,
        door: view.door.map(|line| door(context, line)),
        chokepoints: chokepoints.map(|w| workload(context, *w)).collect(),
        path: view
            .hops
            .unwrap_or_default()
            .iter()
            .map(|h| hop(context, h))
            .collect(),
    }
}

pub(crate) fn hop(context: RenderContext<'_>, hop: &Hop) -> HopJson {
    let explanation = crate::query::explain(context.graph, &hop.flow);
    let by = explanation.sides().into_iter().filter_map(|s| s.decided_by);
    HopJson {
        from: words::endpoint(&context.input.cluster, hop.flow.source),
        to: words::endpoint(&context.input.cluster, hop.flow.destination),
        ports: traffic(&hop.traffic),
        because: by.map(|at| rule(context, at)).collect(),
    }
}
