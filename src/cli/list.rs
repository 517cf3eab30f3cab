//! `netpal list`: the allow-graph as a table.

use super::args::{Common, ListArgs};
use super::asked::{endpoint, helped, ports, several};
use super::exit::Exit;
use super::output::Output;
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::{
    Direction, End, Endpoint, EndpointSpec, Format, ListFilter, ListingView, PotentialRows,
    Resolved, TrafficSet, WorkloadId, resolve, resolve_traffic,
};

/// Lists who may send what to whom.
///
/// # Errors
/// When an end is unknown, or the input cannot be read.
pub fn run(common: &Common, args: &ListArgs) -> Result<Exit> {
    let output = Output::of::<ListingView<'_>>(common)?;
    let workspace = Workspace::open(common)?;
    let from = args
        .from
        .as_deref()
        .map(|text| workloads(&workspace, text))
        .transpose()?;
    let to = args
        .to
        .as_deref()
        .map(|text| destinations(&workspace, text))
        .transpose()?;
    let (to, of_end) = to.map_or((None, None), |(to, ports)| (Some(to), ports));
    let named = args.port.as_deref().map(ports).transpose()?;
    if named.is_some() && of_end.is_some() {
        bail!("the ports are named twice: leave out --port, or those of --to");
    }
    let filter = ListFilter {
        from,
        to,
        all: args.all,
        ports: named.or(of_end),
    };
    let formats = [Format::Text, Format::Json, Format::Yaml];
    let potential = if formats.iter().any(|f| output.writes(*f)) {
        potential_rows(common, &workspace, &filter)?
    } else {
        None
    };
    let potential = match &filter.ports {
        Some(asked) => potential.map(|rows| rows.on_ports(asked)),
        None => potential,
    };
    let view = ListingView {
        potential: potential.as_ref(),
        filter: &filter,
        from: args.from.as_deref(),
        to: args.to.as_deref(),
    };
    output.render(&view, &workspace.context(&workspace.locator()))?;
    Ok(workspace.exit(common, Exit::Good))
}

/// The rows about pods that are not in the input; none where both ends are in it.
///
/// # Errors
/// When the input with such pods cannot be compiled.
fn potential_rows(
    common: &Common,
    workspace: &Workspace,
    filter: &ListFilter,
) -> Result<Option<PotentialRows>> {
    let only = match (&filter.from, &filter.to) {
        (None, None) => None,
        (Some(from), None) => Some((&**from, Direction::Egress)),
        (None, Some(to)) => Some((&**to, Direction::Ingress)),
        (Some(_), Some(_)) => return Ok(None),
    };
    workspace.potential_rows(common, only).map(Some)
}

/// The workloads of endpoints, with commas between.
///
/// # Errors
/// When one is none, or names addresses or ports.
pub fn workloads(workspace: &Workspace, text: &str) -> Result<Vec<WorkloadId>> {
    let mut found = Vec::new();
    for text in several(text) {
        let spec = endpoint(&text)?;
        if spec.ports.is_some() {
            bail!("`{text}`: here an end has no ports; --port says them");
        }
        found.extend(members(&spec, &resolved(workspace, &spec)?)?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The destinations of `--to`, and the traffic that one of them names, as its pods have it.
fn destinations(
    workspace: &Workspace,
    text: &str,
) -> Result<(Vec<WorkloadId>, Option<TrafficSet>)> {
    let all = several(text);
    let [one] = all.as_slice() else {
        return Ok((workloads(workspace, text)?, None));
    };
    let spec = endpoint(one)?;
    let resolved = resolved(workspace, &spec)?;
    let found = members(&spec, &resolved)?;
    if spec.ports.is_none() {
        return Ok((found, None));
    }
    let cluster = &workspace.input.cluster;
    let mut ports = TrafficSet::empty();
    for id in &found {
        for pod in &cluster.workload(*id).pods {
            let at = Some(Endpoint::Pod(*pod));
            let asked = resolve_traffic(cluster, &spec, &resolved, at).map_err(helped)?;
            ports = ports.union(&asked.unwrap_or_else(TrafficSet::all));
        }
    }
    Ok((found, Some(ports)))
}

fn resolved(workspace: &Workspace, spec: &EndpointSpec) -> Result<Resolved> {
    resolve(&workspace.input.cluster, &workspace.names, spec).map_err(helped)
}

/// The workloads of one endpoint.
fn members(spec: &EndpointSpec, resolved: &Resolved) -> Result<Vec<WorkloadId>> {
    let mut found = Vec::new();
    for end in &resolved.ends {
        match end {
            End::Pods { workload, .. } => found.push(*workload),
            End::Addresses { .. } => {
                bail!(
                    "`{}`: here an end is a workload; ask about addresses with netpal can",
                    spec.text
                )
            }
        }
    }
    Ok(found)
}
