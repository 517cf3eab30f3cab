//! What was read, assumed and left out.

use crate::graph::AllowGraph;
use crate::input::Input;
use crate::model::WorkloadKind;
use crate::policy::TaintReason;
use crate::render::words;
use crate::words::plural;
use std::io::{self, Write};

/// What was read, assumed and left out.
///
/// # Errors
/// When the writer fails.
pub fn inputs(
    input: &Input,
    graph: &AllowGraph,
    verbose: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let tally = &input.tally;
    let cluster = &input.cluster;
    read_and_found(input, out)?;
    made(input, verbose, out)?;
    assumptions(input, graph, out)?;
    if !tally.skipped.is_empty() {
        let skipped: Vec<String> = tally
            .skipped
            .iter()
            .map(|(k, n)| plural(*n, &words::clean(k)))
            .collect();
        writeln!(out, "skipped   {}", skipped.join(", "))?;
    }
    unknown(input, verbose, out)?;
    if verbose {
        for (id, workload) in cluster.workloads() {
            writeln!(
                out,
                "workload  {} ({})",
                words::clean(&cluster.workload_name(id)),
                workload.kind_name()
            )?;
        }
    }
    Ok(())
}

/// What was read, and what cluster it makes up.
fn read_and_found(input: &Input, out: &mut dyn Write) -> io::Result<()> {
    let (tally, cluster) = (&input.tally, &input.cluster);
    let pods: u64 = cluster
        .pods()
        .map(|(_, p)| u64::from(p.replicas.max(1)))
        .sum();
    let read: Vec<String> = tally.read.iter().map(|(k, n)| plural(*n, k)).collect();
    writeln!(
        out,
        "read      {}, {}: {}",
        places(tally.cluster, tally.files),
        plural(tally.objects, "object"),
        if read.is_empty() {
            "nothing netpal knows".into()
        } else {
            read.join(", ")
        }
    )?;
    writeln!(
        out,
        "cluster   {}, {} ({}), {}, {}",
        plural(cluster.namespaces().len(), "namespace"),
        plural(cluster.workloads().len(), "workload"),
        plural(usize::try_from(pods).unwrap_or(usize::MAX), "pod"),
        plural(cluster.services().len(), "Service"),
        plural(input.policies.policies.len(), "policy")
    )?;
    if tally.finished_pods > 0 {
        writeln!(
            out,
            "left out  {}: finished pods are no endpoints",
            plural(tally.finished_pods, "pod")
        )?;
    }
    Ok(())
}

/// What operators make of the objects that were read.
fn made(input: &Input, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    let shown = if verbose { usize::MAX } else { 12 };
    let all = &input.tally.made;
    for made in all.iter().take(shown) {
        let pods = made.pods.iter().map(|(name, pods)| {
            let (name, pods) = (words::clean(name), words::clean(pods));
            format!("{name} ({pods})")
        });
        let objects = made.objects.iter().map(|(kind, name, unless)| {
            let perhaps = if unless.is_some() { ", perhaps" } else { "" };
            format!("{kind} {}{perhaps}", words::clean(name))
        });
        let unknown = made
            .unknown
            .iter()
            .map(|what| format!("unknown: {}", words::clean(what)));
        let parts: Vec<String> = pods.chain(objects).chain(unknown).collect();
        let by = if made.row.is_empty() {
            String::new()
        } else {
            format!(" by {}", words::clean(&made.row))
        };
        writeln!(
            out,
            "made      {}{by}: {}",
            words::clean(&made.by),
            parts.join(", ")
        )?;
    }
    let more = all.len().saturating_sub(shown);
    if more > 0 {
        writeln!(
            out,
            "made      of {} more (-v shows them)",
            plural(more, "object")
        )?;
    }
    Ok(())
}

/// What was read, as places.
fn places(cluster: bool, files: usize) -> String {
    match (cluster, files) {
        (true, 0) => "a cluster".into(),
        (true, files) => format!("a cluster, {}", plural(files, "file")),
        (false, files) => plural(files, "file"),
    }
}

/// Policies that are not modelled or could not be read: five of each, unless all are wanted.
fn unknown(input: &Input, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    for (reason, what) in [
        (TaintReason::UnmodelledKind, "not modelled"),
        (TaintReason::Broken, TaintReason::Broken.words()),
        (
            TaintReason::MakesPolicies,
            TaintReason::MakesPolicies.words(),
        ),
    ] {
        let taints: Vec<_> = input
            .policies
            .taints
            .iter()
            .filter(|t| t.reason == reason)
            .collect();
        if !taints.is_empty() {
            let mut named: Vec<&str> = taints.iter().map(|t| &*t.what).collect();
            named.dedup();
            let shown: Vec<String> = named
                .iter()
                .take(if verbose { usize::MAX } else { 5 })
                .map(|what| words::clean(what).into_owned())
                .collect();
            let more = named.len() - shown.len();
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            writeln!(
                out,
                "unknown   {}{more}: {what}; verdicts they could touch are UNKNOWN",
                shown.join(", ")
            )?;
        }
    }
    Ok(())
}

fn assumptions(input: &Input, graph: &AllowGraph, out: &mut dyn Write) -> io::Result<()> {
    let env = graph.environment();
    let calico = &env.policies.plugin.calico;
    if calico.assumes_endpoint_to_host(&env.options.calico) {
        writeln!(
            out,
            "assumed   what pods send their own nodes passes behind their policies, as Calico's manifests set it: no FelixConfiguration, no cluster.calico.endpoint-to-host given"
        )?;
    }
    let cluster = &input.cluster;
    let undeclared: Vec<String> = cluster
        .namespaces()
        .filter(|(_, n)| n.declared.is_none())
        .map(|(_, n)| format!("\"{}\"", words::clean(&n.name)))
        .collect();
    if !undeclared.is_empty() {
        let shown = undeclared
            .iter()
            .take(6)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = undeclared.len().saturating_sub(6);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        writeln!(
            out,
            "assumed   namespace labels of {shown}{more}: no Namespace object given, only kubernetes.io/metadata.name known"
        )?;
    }
    let without = || {
        let pods = cluster.pods();
        pods.filter(|(_, p)| p.addresses.is_empty() && !p.host_network)
    };
    let unknown = without().count();
    let bare = without().all(|(_, p)| cluster.workload(p.workload).kind == WorkloadKind::Pod);
    if unknown > 0 {
        let env = graph.environment();
        let (assumed, untold) = match env.untold_families.told() {
            None => (env.assumed.clone(), "; IPv4 or IPv6 is open"),
            Some(told) => (told.addresses(&env.assumed), ""),
        };
        let ranges: Vec<String> = assumed.to_cidrs().iter().map(ToString::to_string).collect();
        writeln!(
            out,
            "assumed   addresses of {} without status lie in {}{untold}",
            plural(unknown, if bare { "pod" } else { "pod template" }),
            ranges.join(", ")
        )?;
    }
    let hosts = cluster
        .workloads()
        .filter(|(_, w)| w.pods.iter().any(|p| cluster.pod(*p).host_network));
    let hosts: Vec<String> = hosts
        .map(|(id, _)| words::clean(&cluster.workload_name(id)).into_owned())
        .collect();
    if !hosts.is_empty()
        && graph.environment().options.host_network == crate::spec::HostNetwork::Unknown
    {
        writeln!(
            out,
            "unknown   {}: hostNetwork, policies may or may not apply (--assume hostnetwork=node|pod, or --cni)",
            hosts.join(", ")
        )?;
    }
    Ok(())
}
