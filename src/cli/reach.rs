//! `netpal reach` and `netpal who`: what a workload gets to, what gets to it, and the shortest way
//! between two.

use super::args::{Common, HopLimit, ReachArgs, WhoArgs};
use super::asked::{endpoint, helped};
use super::exit::Exit;
use super::output::Output;
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::{
    End, Endpoint, EndpointSpec, IpSet, PathView, PodId, PotentialPod, ReachQuery, ReachView,
    TrafficSet, Truth, Way, describe_root, exposure, path, reach, resolve, resolve_traffic,
};
use std::collections::BTreeSet;

/// An endpoint with everything it stands for.
struct Root {
    name: String,
    pods: BTreeSet<PodId>,
    addresses: IpSet,
    asked: TrafficSet,
}

/// The input, with pods for the ends that are asked about and not loaded.
fn opened(common: &Common, ends: &[&str]) -> Result<Workspace> {
    let specs = ends.iter().map(|text| endpoint(text));
    let specs: Vec<EndpointSpec> = specs.collect::<Result<_>>()?;
    let asked: Vec<&EndpointSpec> = specs.iter().collect();
    Workspace::open(common)?.with_asked(common, &asked)
}

fn root(workspace: &Workspace, text: &str) -> Result<Root> {
    let spec: EndpointSpec = endpoint(text)?;
    let cluster = &workspace.input.cluster;
    let resolved = resolve(cluster, &workspace.names, &spec).map_err(helped)?;
    let mut root = Root {
        name: text.to_owned(),
        pods: BTreeSet::new(),
        addresses: IpSet::empty(),
        asked: TrafficSet::empty(),
    };
    for end in &resolved.ends {
        match end {
            End::Pods { pods, .. } => root.pods.extend(pods),
            End::Addresses { set, .. } => root.addresses = root.addresses.union(set),
        }
    }
    for at in root
        .pods
        .iter()
        .map(|p| Some(Endpoint::Pod(*p)))
        .chain(root.pods.is_empty().then_some(None))
    {
        let asked = resolve_traffic(cluster, &spec, &resolved, at).map_err(helped)?;
        root.asked = root.asked.union(&asked.unwrap_or_else(TrafficSet::all));
    }
    if let Some(missing) = resolved
        .missing
        .as_deref()
        .filter(|_| resolved.ends.is_empty())
    {
        bail!("`{text}`: {missing}");
    }
    if root.asked.is_empty() {
        bail!("`{text}`: no pod there has such a port name");
    }
    if let [end] = resolved.ends.as_slice() {
        root.name = describe_root(cluster, end, &root.asked);
    }
    Ok(root)
}

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
    let output = Output::of::<ReachView<'_>>(common)?;
    let Some(source) = &args.source else {
        bail!("reach from where? netpal reach SRC, or netpal reach --path SRC DST")
    };
    let workspace = opened(common, &[source])?;
    let root = root(&workspace, source)?;
    let found = reach(&workspace.graph, &query(&root, Way::Forward, args.hops));
    let view = ReachView {
        reach: &found,
        root: &root.name,
        exposure: &[],
    };
    output.render(&view, &workspace.context(&workspace.locator()))?;
    Ok(workspace.exit(common, Exit::Good))
}

fn shortest(common: &Common, ends: &[String]) -> Result<Exit> {
    let output = Output::of::<PathView<'_>>(common)?;
    let [from, to] = ends else {
        bail!("--path takes two ends")
    };
    let workspace = opened(common, &[from, to])?;
    let (from, to) = (root(&workspace, from)?, root(&workspace, to)?);
    if from.pods.is_empty() || to.pods.is_empty() {
        bail!("--path goes from workload to workload; ask about addresses with netpal can");
    }
    let start = query(&from, Way::Forward, HopLimit(None));
    let look = |least| path(&workspace.graph, &start, &to.pods, &to.asked, least);
    let certain = look(Truth::Yes);
    let found = certain.clone().or_else(|| look(Truth::Maybe));
    let view = PathView {
        ends: [&from.name, &to.name],
        hops: found.as_deref(),
        certain: certain.is_some(),
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
    let output = Output::of::<ReachView<'_>>(common)?;
    let workspace = opened(common, &[&args.destination])?;
    let root = root(&workspace, &args.destination)?;
    if root.pods.is_empty() {
        bail!("`{}`: who takes workloads and Services", args.destination);
    }
    let found = reach(&workspace.graph, &query(&root, Way::Backward, args.hops));
    let view = ReachView {
        reach: &found,
        root: &root.name,
        exposure: &exposed(&workspace, &root)?,
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
