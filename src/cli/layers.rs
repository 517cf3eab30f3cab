//! From the configuration to the settings of meshes, egress firewalls and networks.

use netpal::{
    Cluster, ClusterSpec, Dataplane, DataplaneSpec, InboundPolicy, InboundPolicySpec,
    IstioSettings, IstioSpec, LayerSettings, LinkerdSettings, LinkerdSpec, Meshed, MeshedSpec,
    MeshedWord, NetworkSettings, NetworksSpec, TransportSpec,
};

/// The settings of layers that a file tells.
pub fn settings(cluster: &ClusterSpec) -> LayerSettings {
    let names = cluster.dns.iter().flat_map(|dns| &dns.names);
    let written = |name: &str| name.trim_end_matches('.').to_ascii_lowercase().into();
    let openshift = cluster.openshift.iter();
    let global = openshift.flat_map(|spec| &spec.global_namespaces);
    LayerSettings {
        names: names
            .map(|(name, addresses)| (written(name), addresses.clone()))
            .collect(),
        global_namespaces: global.map(|name| name.as_str().into()).collect(),
        istio: cluster.istio.as_ref().map(istio).unwrap_or_default(),
        linkerd: cluster.linkerd.as_ref().map(linkerd).unwrap_or_default(),
        networks: cluster.networks.as_ref().map(networks).unwrap_or_default(),
    }
}

/// The members of meshes that a file lists and that name no workload and no pod: nobody is meshed
/// by them. Each with its field.
pub fn unknown_members(spec: &ClusterSpec, cluster: &Cluster) -> Vec<(&'static str, String)> {
    let istio = spec.istio.as_ref().and_then(|of| of.meshed.as_ref());
    let linkerd = spec.linkerd.as_ref().and_then(|of| of.meshed.as_ref());
    let fields = [("istio", istio), ("linkerd", linkerd)];
    let listed = fields.into_iter().flat_map(|(field, meshed)| match meshed {
        Some(MeshedSpec::Listed(list)) => list.iter().map(|name| (field, name)).collect(),
        _ => Vec::new(),
    });
    let unknown = listed.filter(|(_, name)| !is_there(cluster, name));
    unknown.map(|(field, name)| (field, name.clone())).collect()
}

/// Whether `namespace/name` is a workload or a pod.
fn is_there(cluster: &Cluster, name: &str) -> bool {
    let Some((namespace, name)) = name.split_once('/') else {
        return false;
    };
    let mut pods = cluster.pods().map(|(_, pod)| pod);
    pods.any(|pod| {
        let workload = &cluster.workload(pod.workload).name;
        *cluster.namespace(pod.namespace).name == *namespace
            && (*pod.name == *name || **workload == *name)
    })
}

fn istio(spec: &IstioSpec) -> IstioSettings {
    IstioSettings {
        dataplane: spec.dataplane.map(|dataplane| match dataplane {
            DataplaneSpec::Sidecar => Dataplane::Sidecar,
            DataplaneSpec::Ambient => Dataplane::Ambient,
        }),
        meshed: spec.meshed.as_ref().map(meshed),
        root: spec.root_namespace.as_deref().map(Into::into),
        trust_domain: spec.trust_domain.as_deref().map(Into::into),
    }
}

fn meshed(spec: &MeshedSpec) -> Meshed {
    match spec {
        MeshedSpec::Word(MeshedWord::All) => Meshed::All,
        MeshedSpec::Word(MeshedWord::Labels) => Meshed::Labels,
        MeshedSpec::Word(MeshedWord::None) => Meshed::None,
        MeshedSpec::Listed(list) => {
            Meshed::Listed(list.iter().map(|w| w.as_str().into()).collect())
        }
    }
}

fn linkerd(spec: &LinkerdSpec) -> LinkerdSettings {
    LinkerdSettings {
        meshed: spec.meshed.as_ref().map(meshed),
        control_namespace: spec.control_namespace.as_deref().map(Into::into),
        trust_domain: spec.trust_domain.as_deref().map(Into::into),
        default_policy: spec.default_inbound_policy.map(inbound_policy),
        cluster_networks: spec.cluster_networks.iter().map(|b| b.0).collect(),
        probe_networks: spec.probe_networks.iter().map(|b| b.0).collect(),
        transports: spec
            .outbound_transport_mode
            .map(|mode| mode == TransportSpec::TransportHeader),
        opaque_ports: spec.opaque_ports.clone(),
    }
}

fn inbound_policy(spec: InboundPolicySpec) -> InboundPolicy {
    match spec {
        InboundPolicySpec::AllUnauthenticated => InboundPolicy::AllUnauthenticated,
        InboundPolicySpec::AllAuthenticated => InboundPolicy::AllAuthenticated,
        InboundPolicySpec::ClusterAuthenticated => InboundPolicy::ClusterAuthenticated,
        InboundPolicySpec::ClusterUnauthenticated => InboundPolicy::ClusterUnauthenticated,
        InboundPolicySpec::Deny => InboundPolicy::Deny,
        InboundPolicySpec::Audit => InboundPolicy::Audit,
    }
}

fn networks(spec: &NetworksSpec) -> NetworkSettings {
    let names = |list: &[String]| list.iter().map(|name| name.as_str().into()).collect();
    NetworkSettings {
        same_segment: spec.same_segment.iter().map(|group| names(group)).collect(),
        infra_services: names(&spec.infra_services),
    }
}
