//! `netpal reach` and `netpal who`: what a workload gets to, what gets to it, and the shortest way
//! between two.

use super::args::{Common, HopLimit, ReachArgs, WhoArgs};
use super::critical;
use super::exit::Exit;
use super::output::Output;
use super::search_ends::{Root, doors_from, opened, root};
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::{
    DoorEnds, Endpoint, IpSet, PathEnds, PathView, PodId, PotentialPod, Reach, ReachQuery,
    ReachView, TrafficSet, Truth, Way, WorkloadId, chokepoints, exposure, path, reach,
};
use std::collections::BTreeSet;

fn query(root: &Root, way: Way, hops: HopLimit) -> ReachQuery {
    let HopLimit(hops) = hops;
    ReachQuery {
        way,
        pods: root.pods.clone(),
        addresses: root.addresses.clone(),
        asked: root.asked.clone(),
        hops,
    }
}

/// Follows connections from a workload on, or looks for the shortest way between two.
///
/// # Errors
/// When an end is unknown, or the input cannot be read.
pub fn run(common: &Common, args: &ReachArgs) -> Result<Exit> {
    if let Some(ends) = &args.path {
        return shortest(common, ends);
    }
    let Some(source) = &args.source else {
        bail!("reach from where? netpal reach SRC, or netpal reach --path SRC DST")
    };
    if let Some(target) = &args.cut {
        return critical::between(common, source, target);
    }
    let output = Output::of::<ReachView<'_>>(common)?;
    let workspace = opened(common, &[source])?;
    let root = root(&workspace, source)?;
    let doors = doors_from(&workspace, source, &root)?;
    let mut start = query(&root, Way::Forward, args.hops);
    if let Some(doors) = &doors {
        start.pods = doors.pods();
        start.addresses = IpSet::empty();
        start.hops = start.hops.map(|hops| hops.saturating_sub(1));
    }
    let mut found = reach(&workspace.graph, &start);
    if let Some(doors) = &doors {
        add_perhaps(&workspace, &mut found, &start, doors);
    }
    let chokepoints = on_ways_to_stores(&workspace, &start, &found);
    let view = ReachView {
        reach: &found,
        root: &root.name,
        exposure: &[],
        doors: doors.as_ref(),
        chokepoints: &chokepoints,
    };
    output.render(&view, &workspace.context(&workspace.locator()))?;
    Ok(workspace.exit(common, Exit::Good))
}

/// What may be reached through doors of which it is not told whether they are open.
fn add_perhaps(workspace: &Workspace, found: &mut Reach, start: &ReachQuery, doors: &DoorEnds) {
    let maybe = doors.maybe_pods();
    if maybe.is_empty() {
        return;
    }
    let wide = ReachQuery {
        pods: &start.pods | &maybe,
        ..start.clone()
    };
    let wide = reach(&workspace.graph, &wide);
    let behind = doors.workloads(&workspace.input.cluster);
    let mut known: BTreeSet<WorkloadId> = found.found.keys().copied().collect();
    known.extend(behind.into_iter().chain(found.unknown.iter().copied()));
    let further = wide.found.into_keys().chain(wide.unknown);
    let further: BTreeSet<WorkloadId> = further.filter(|w| !known.contains(w)).collect();
    found.unknown.extend(further);
}

/// The data stores that are looked at for chokepoints, at most.
const MOST_STORES: usize = 20;

/// What every way leads through to each data store that more than one hop leads to.
fn on_ways_to_stores(
    workspace: &Workspace,
    start: &ReachQuery,
    found: &Reach,
) -> Vec<(WorkloadId, Vec<WorkloadId>)> {
    let is_far = |(_, hops): &&(WorkloadId, u32)| *hops > 1 && found.hops.is_none();
    let stores = found.stores.iter().filter(is_far).take(MOST_STORES);
    let through = stores.map(|(store, _)| {
        let ends = from_start(start, pods_of(workspace, *store), &start.asked);
        (*store, chokepoints(&workspace.graph, &ends))
    });
    through.collect()
}

/// The ends of the ways from where a search starts to some pods.
fn from_start(start: &ReachQuery, targets: BTreeSet<PodId>, asked: &TrafficSet) -> PathEnds {
    PathEnds {
        sources: start.pods.clone(),
        addresses: start.addresses.clone(),
        doors: None,
        targets,
        asked: asked.clone(),
        through_nodes: true,
    }
}

fn pods_of(workspace: &Workspace, workload: WorkloadId) -> BTreeSet<PodId> {
    let pods = &workspace.input.cluster.workload(workload).pods;
    pods.iter().copied().collect()
}

/// What every way from outside leads through, where it is asked about any number of hops to one
/// workload.
fn on_ways_in(
    workspace: &Workspace,
    root: &Root,
    found: &Reach,
) -> Vec<(WorkloadId, Vec<WorkloadId>)> {
    let cluster = &workspace.input.cluster;
    let roots: BTreeSet<_> = root.pods.iter().map(|p| cluster.pod(*p).workload).collect();
    let (Some(workload), 1, None) = (roots.first(), roots.len(), found.hops) else {
        return Vec::new();
    };
    let ends = PathEnds {
        sources: BTreeSet::new(),
        addresses: IpSet::full(),
        doors: None,
        targets: root.pods.clone(),
        asked: root.asked.clone(),
        through_nodes: true,
    };
    vec![(*workload, chokepoints(&workspace.graph, &ends))]
}

fn shortest(common: &Common, ends: &[String]) -> Result<Exit> {
    let output = Output::of::<PathView<'_>>(common)?;
    let [from, to] = ends else {
        bail!("--path takes two ends")
    };
    let workspace = opened(common, &[from, to])?;
    let source = from;
    let (mut from, to) = (root(&workspace, from)?, root(&workspace, to)?);
    let doors = doors_from(&workspace, source, &from)?;
    if let Some(doors) = &doors {
        from.pods = &doors.pods() | &doors.maybe_pods();
        if from.pods.is_empty() {
            bail!("no door leads to a workload: netpal doors says what becomes of each");
        }
    }
    if from.pods.is_empty() || to.pods.is_empty() {
        bail!("--path goes from workload to workload; ask about addresses with netpal can");
    }
    let start = query(&from, Way::Forward, HopLimit(None));
    let behind = |start: &ReachQuery| doors.is_some() && !start.pods.is_disjoint(&to.pods);
    let look = |start: &ReachQuery, least| {
        let is_there = behind(start).then(Vec::new);
        is_there.or_else(|| path(&workspace.graph, start, &to.pods, &to.asked, least))
    };
    let open = ReachQuery {
        pods: doors
            .as_ref()
            .map_or_else(|| from.pods.clone(), DoorEnds::pods),
        ..start.clone()
    };
    let certain = look(&open, Truth::Yes);
    let found = certain.clone().or_else(|| look(&start, Truth::Maybe));
    let first = found
        .as_ref()
        .map(|hops| match hops.first().map(|hop| hop.flow.source) {
            Some(Endpoint::Pod(pod)) => BTreeSet::from([pod]),
            _ => to.pods.clone(),
        });
    let door = doors.as_ref().and_then(|doors| doors.door_of(&first?));
    let ends = from_start(&start, to.pods.clone(), &to.asked);
    let on_the_way = chokepoints(&workspace.graph, &ends);
    let view = PathView {
        ends: [&from.name, &to.name],
        hops: found.as_deref(),
        certain: certain.is_some(),
        door,
        chokepoints: &on_the_way,
    };
    output.render(&view, &workspace.context(&workspace.locator()))?;
    let exit = match (&certain, &found) {
        (Some(_), _) => Exit::Good,
        (None, Some(_)) => Exit::Undecided,
        (None, None) => Exit::Bad,
    };
    Ok(workspace.exit(common, exit))
}

/// Follows connections back to where they come from.
///
/// # Errors
/// When an end is unknown, or the input cannot be read.
pub fn who(common: &Common, args: &WhoArgs) -> Result<Exit> {
    if let Some(source) = &args.cut {
        return critical::between(common, source, &args.destination);
    }
    let output = Output::of::<ReachView<'_>>(common)?;
    let workspace = opened(common, &[&args.destination])?;
    let root = root(&workspace, &args.destination)?;
    if root.pods.is_empty() {
        bail!("`{}`: who takes workloads and Services", args.destination);
    }
    let found = reach(&workspace.graph, &query(&root, Way::Backward, args.hops));
    let cluster = &workspace.input.cluster;
    let roots = root.pods.iter().map(|pod| cluster.pod(*pod).workload);
    let doors = DoorEnds::leading_to(cluster, &workspace.doors()?, &roots.collect(), &found);
    let view = ReachView {
        reach: &found,
        root: &root.name,
        exposure: &exposed(&workspace, &root)?,
        doors: Some(&doors),
        chokepoints: &on_ways_in(&workspace, &root, &found),
    };
    output.render(&view, &workspace.context(&workspace.locator()))?;
    Ok(workspace.exit(common, Exit::Good))
}

/// What would be let in, for one workload; of many, each has to be asked for itself.
fn exposed(workspace: &Workspace, root: &Root) -> Result<Vec<PotentialPod>> {
    let cluster = &workspace.input.cluster;
    let workloads: BTreeSet<_> = root.pods.iter().map(|p| cluster.pod(*p).workload).collect();
    match (root.pods.first(), workloads.len()) {
        (Some(pod), 1) => Ok(exposure(
            &workspace.input,
            &workspace.graph,
            *pod,
            &root.asked,
        )?),
        _ => Ok(Vec::new()),
    }
}
