//! The ends of a search over hops: what an endpoint stands for, and the traffic that it names.

use super::args::Common;
use super::asked::{endpoint, helped};
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::{
    DoorEnds, End, Endpoint, EndpointSpec, IpSet, PodId, TrafficSet, describe_root, resolve,
    resolve_traffic,
};
use std::collections::BTreeSet;

/// An endpoint with everything it stands for.
pub struct Root {
    pub name: String,
    pub pods: BTreeSet<PodId>,
    pub addresses: IpSet,
    pub asked: TrafficSet,
}

/// The input, with pods for the ends that are asked about and not loaded.
pub fn opened(common: &Common, ends: &[&str]) -> Result<Workspace> {
    let specs = ends.iter().map(|text| endpoint(text));
    let specs: Vec<EndpointSpec> = specs.collect::<Result<_>>()?;
    let asked: Vec<&EndpointSpec> = specs.iter().collect();
    Workspace::open(common)?.with_asked(common, &asked)
}

pub fn root(workspace: &Workspace, text: &str) -> Result<Root> {
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

/// The doors that a search starts at, if it starts at the internet and the input has any.
///
/// # Errors
/// When the input with the controllers that are assumed cannot be compiled.
pub fn doors_from(workspace: &Workspace, source: &str, root: &Root) -> Result<Option<DoorEnds>> {
    if !endpoint(source)?.is_internet() {
        return Ok(None);
    }
    let list = workspace.doors()?;
    Ok(DoorEnds::from_internet(
        &workspace.graph,
        &list,
        &root.addresses,
    ))
}
