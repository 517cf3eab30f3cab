//! From the flags to the options of loading and compiling.

use super::args::Common;
use anyhow::{Context as _, Result, anyhow, bail};
use ipnet::IpNet;
use netpal::{
    CNI_PROFILES, CniProfile, CompileOptions, ForeignPolicies, HostNetwork, IpSet, Kubernetes,
    LoadOptions, Plugin,
};

/// The load options of the flags.
pub fn load_options(common: &Common) -> LoadOptions {
    let profile = common.cni.last().and_then(|name| CniProfile::find(name));
    let plugin = profile.map(|profile| profile.apply(CompileOptions::default()).plugin);
    let cilium = match plugin {
        Some(Plugin::Cilium(settings)) => Some(common.cilium.over(&settings)),
        _ => None,
    };
    LoadOptions {
        cilium,
        calico: common.calico.clone(),
        namespace: chosen(common).unwrap_or("default").into(),
        ignore_broken: common.ignore_broken,
        kubernetes: common.kubernetes.unwrap_or(Kubernetes::CURRENT),
        ..LoadOptions::default()
    }
}

pub fn chosen(common: &Common) -> Option<&str> {
    if common.all_namespaces {
        None
    } else {
        common.namespace.as_deref()
    }
}

/// The compile options of the flags.
///
/// # Errors
/// When a profile, an assumption or a CIDR is none.
pub fn options(common: &Common) -> Result<CompileOptions> {
    let mut options = CompileOptions::default().classes(!common.no_classes);
    if let Some(name) = common.cni.last() {
        options = profile(name)?.apply(options);
    }
    for assumption in &common.assume {
        options = assume(options, assumption)?;
    }
    if !common.pod_cidrs.is_empty() {
        options.pod_cidrs = Some(cidrs(&common.pod_cidrs)?);
    }
    options.node_cidrs = cidrs(&common.node_cidrs)?;
    options.api_servers = IpSet::from_cidrs(common.api_servers.iter().copied());
    if let Plugin::Cilium(settings) = &mut options.plugin {
        **settings = common.cilium.over(settings);
    }
    options.calico = common.calico.clone();
    options.calico.staged |= common.staged;
    options.source_port = common.source_port;
    if common.ignores_foreign {
        options.foreign = ForeignPolicies::Ignored;
    }
    options.network = common.network.as_deref().map(Into::into);
    Ok(options)
}

fn profile(name: &str) -> Result<&'static CniProfile> {
    CniProfile::find(name).ok_or_else(|| {
        anyhow!(
            "`{name}` is not a network plugin netpal knows; it knows {}",
            profile_names()
        )
    })
}

fn profile_names() -> String {
    CNI_PROFILES
        .iter()
        .map(|p| p.name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn assume(options: CompileOptions, text: &str) -> Result<CompileOptions> {
    match text {
        "hostnetwork=node" => Ok(options.host_network(HostNetwork::Node)),
        "hostnetwork=pod" => Ok(options.host_network(HostNetwork::Pod)),
        _ => bail!("`--assume {text}`: assumptions are hostnetwork=node and hostnetwork=pod"),
    }
}

/// CIDR blocks as a set.
///
/// # Errors
/// When one is none.
pub fn cidrs(texts: &[String]) -> Result<IpSet> {
    let one = |t: &String| -> Result<IpNet> {
        t.parse::<IpNet>()
            .or_else(|_| t.parse::<std::net::IpAddr>().map(IpNet::from))
            .with_context(|| format!("`{t}` is not a CIDR block such as 10.244.0.0/16"))
    };
    Ok(IpSet::from_cidrs(
        texts.iter().map(one).collect::<Result<Vec<_>>>()?,
    ))
}

/// Blocks that are given, if any are.
///
/// # Errors
/// When one is none.
pub fn given_cidrs(blocks: &[String]) -> Result<Option<IpSet>> {
    if blocks.is_empty() {
        Ok(None)
    } else {
        cidrs(blocks).map(Some)
    }
}
