//! Reads the objects of Calico that are no policies and decide what policies mean (CA7-CA10).

use crate::model::Labels;
use crate::policy::calico::check::{CalicoDoor, RuleWay};
use crate::policy::calico::felix::felix_settings;
use crate::policy::calico::objects::{
    Account, CalicoExtra, CalicoProfile, CalicoTier, HostEndpoint, NetworkSet,
};
use crate::policy::calico::ports;
use crate::policy::calico::read::{METADATA, is_stored, kept_metadata};
use crate::policy::calico::written::{HostEndpointForm, NetworkSetForm, ProfileForm, TierForm};
use crate::policy::lowered::{Checks, Header};
use crate::policy::priority::Priority;
use crate::policy::validate::{decoded, is_dns_label, is_dns_subdomain};
use crate::policy::written_object::WrittenObject;
use crate::set::IpSet;
use crate::source::{DocumentId, Path};
use crate::tree::{Problem, SyntaxNode};
use ipnet::IpNet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use std::net::IpAddr;

/// The kinds of objects that are no policies and decide what policies mean.
pub const KINDS: [&str; 6] = [
    "Tier",
    "NetworkSet",
    "GlobalNetworkSet",
    "HostEndpoint",
    "Profile",
    "FelixConfiguration",
];

/// What reading an object that is no policy gave.
pub struct ReadExtra {
    /// What it adds, where it can be read.
    pub extra: Option<CalicoExtra>,
    /// What is wrong with its values.
    pub checks: Checks,
    /// What is wrong with its form.
    pub problems: Vec<Problem>,
}

/// Reads an object of Calico that is no policy and decides what policies mean; none of another
/// kind.
pub fn extra(kind: &str, node: &SyntaxNode, header: Header<'_>) -> Option<ReadExtra> {
    Some(match kind {
        "Tier" => read_as(node, |form: TierForm, _, checks| {
            tier(&form, header, checks)
        }),
        "NetworkSet" => {
            let namespace = Some(header.namespace);
            read_as(node, |form, metadata, checks| {
                network_set(form, metadata, namespace, header, checks)
            })
        }
        "GlobalNetworkSet" => read_as(node, |form, metadata, checks| {
            network_set(form, metadata, None, header, checks)
        }),
        "HostEndpoint" => read_as(node, |form, metadata, checks| {
            host_endpoint(form, metadata, header, checks)
        }),
        "Profile" => read_as(node, |form, _, checks| profile(form, header, checks)),
        "FelixConfiguration" => {
            let mut checks = Checks::default();
            let read = felix_settings(header.name, header.document, node, &mut checks);
            ReadExtra {
                extra: read.map(CalicoExtra::Felix),
                checks,
                problems: Vec::new(),
            }
        }
        _ => return None,
    })
}

/// Decodes an object and makes something of its spec.
fn read_as<S: for<'de> Deserialize<'de> + Default>(
    node: &SyntaxNode,
    make: impl FnOnce(S, Labels, &mut Checks) -> CalicoExtra,
) -> ReadExtra {
    let (object, problems) = decoded::<WrittenObject<S>>(node);
    let mut checks = Checks::default();
    let extra = object.and_then(|object| {
        let labels = labels(node, &object.metadata, &mut checks)?;
        Some(make(object.spec.unwrap_or_default(), labels, &mut checks))
    });
    ReadExtra {
        extra,
        checks,
        problems,
    }
}

/// The labels of an object; of a stored one also those that it keeps in its annotation.
/// None where that cannot be read, so that Calico does not read the object (CA171).
fn labels(node: &SyntaxNode, metadata: &ObjectMeta, checks: &mut Checks) -> Option<Labels> {
    let mut labels = metadata.labels.clone().unwrap_or_default();
    if is_stored(node) {
        match kept_metadata(metadata) {
            Ok(kept) => labels.extend(kept.and_then(|kept| kept.labels).unwrap_or_default()),
            Err(message) => {
                let at = Path::root()
                    .key("metadata")
                    .key("annotations")
                    .key(METADATA);
                checks.invalid(&at, message);
                return None;
            }
        }
    }
    Some(labels.into_iter().collect())
}

/// The tiers that every installation has, by each of their names, with their orders and ends
/// (CA40).
const BUILT_IN: [(&str, f64, &str); 5] = [
    ("kube-admin", 1000.0, "Pass"),
    ("adminnetworkpolicy", 1000.0, "Pass"),
    ("default", 1_000_000.0, "Deny"),
    ("kube-baseline", 10_000_000.0, "Pass"),
    ("baselineadminnetworkpolicy", 10_000_000.0, "Pass"),
];

fn tier(form: &TierForm, header: Header<'_>, checks: &mut Checks) -> CalicoExtra {
    let action = form.default_action.as_deref();
    let spec = Path::root().key("spec");
    let built_in = BUILT_IN.iter().find(|(name, ..)| *name == header.name);
    if let Some((name, order, end)) = built_in {
        if form.order.is_some_and(|own| own.total_cmp(order).is_ne()) {
            checks.refused(&spec.key("order"), format!("tier {name} has order {order}"));
        }
        if action.is_some_and(|own| !own.is_empty() && own != *end) {
            let message = format!("tier {name} ends in {end}");
            checks.refused(&spec.key("defaultAction"), message);
        }
    }
    if !is_dns_label(header.name) {
        let at = Path::root().key("metadata").key("name");
        checks.refused(&at, format!("`{}` is no name of a tier", header.name));
    }
    if let Some(other) = action.filter(|a| !["Pass", "Deny", ""].contains(a)) {
        let at = Path::root().key("spec").key("defaultAction");
        checks.invalid(&at, format!("`{other}` is neither Deny nor Pass"));
    }
    CalicoExtra::Tier(CalicoTier {
        name: header.name.into(),
        order: form.order.map_or(Priority::LAST, Priority::of),
        passes: action == Some("Pass"),
        document: header.document,
    })
}

fn network_set(
    form: NetworkSetForm,
    labels: Labels,
    namespace: Option<&str>,
    header: Header<'_>,
    checks: &mut Checks,
) -> CalicoExtra {
    let at = Path::root().key("spec").key("nets");
    if !is_dns_subdomain(header.name) {
        let name = Path::root().key("metadata").key("name");
        checks.refused(&name, format!("`{}` is no name of an object", header.name));
    }
    let mut nets = Vec::new();
    for (i, text) in form.nets.iter().flatten().enumerate() {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        if let Ok(net) = text.parse::<IpNet>().or(address) {
            nets.push(net.trunc());
        } else {
            let message = format!("`{text}` is neither a block nor an address");
            checks.invalid(&at.index(i), message);
        }
    }
    CalicoExtra::Set(NetworkSet {
        namespace: namespace.map(Into::into),
        name: header.name.into(),
        labels,
        nets: IpSet::from_cidrs(nets),
        document: header.document,
    })
}

fn host_endpoint(
    form: HostEndpointForm,
    labels: Labels,
    header: Header<'_>,
    checks: &mut Checks,
) -> CalicoExtra {
    let spec = Path::root().key("spec");
    let mut addresses = Vec::new();
    for (i, text) in form.expected_ips.iter().flatten().enumerate() {
        if let Ok(address) = text.parse() {
            addresses.push(address);
        } else {
            let at = spec.key("expectedIPs").index(i);
            checks.invalid(&at, format!("`{text}` is not an address"));
        }
    }
    let interface = form.interface_name.unwrap_or_default();
    if interface.is_empty() && addresses.is_empty() {
        checks.invalid(&spec, "a host endpoint has an interfaceName or expectedIPs");
    }
    if form.node.as_deref().unwrap_or_default().is_empty() {
        checks.invalid(&spec.key("node"), "a host endpoint has a node");
    }
    let mut named = Vec::new();
    for (i, port) in form.ports.iter().flatten().enumerate() {
        let protocol = port.protocol.as_ref().and_then(ports::with_ports);
        let number = port.port.and_then(|n| u16::try_from(n).ok());
        let (Some(name), Some(protocol), Some(number)) = (&port.name, protocol, number) else {
            let message = "a port has a name, a protocol with ports, and a number";
            checks.invalid(&spec.key("ports").index(i), message);
            continue;
        };
        named.push((name.as_str().into(), protocol, number));
    }
    CalicoExtra::Host(HostEndpoint {
        name: header.name.into(),
        labels,
        node: form.node.unwrap_or_default().into(),
        interface: interface.into(),
        addresses,
        profiles: form
            .profiles
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect(),
        ports: named,
        document: header.document,
    })
}

fn profile(form: ProfileForm, header: Header<'_>, checks: &mut Checks) -> CalicoExtra {
    let mut door = CalicoDoor {
        checks,
        native: false,
        dropped: false,
        open: false,
    };
    let at = Path::root().key("spec");
    let lists = [(&form.ingress, "ingress", 0), (&form.egress, "egress", 1)];
    let rules = lists.map(|(list, field, direction)| {
        let way = RuleWay {
            direction,
            global: true,
        };
        door.rules(list.as_ref(), way, &at.key(field))
    });
    CalicoExtra::Profile(CalicoProfile {
        name: header.name.into(),
        labels: form
            .labels_to_apply
            .unwrap_or_default()
            .into_iter()
            .collect(),
        rules,
    })
}

/// A service account.
pub fn account(namespace: &str, name: &str, labels: Labels) -> CalicoExtra {
    CalicoExtra::Account(Account {
        namespace: namespace.into(),
        name: name.into(),
        labels,
    })
}

/// The document of an object that adds something, where it is told.
pub fn placed(extra: &mut CalicoExtra, at: DocumentId) {
    match extra {
        CalicoExtra::Tier(tier) => tier.document = at,
        CalicoExtra::Set(set) => set.document = at,
        CalicoExtra::Host(host) => host.document = at,
        CalicoExtra::Felix(felix) => felix.document = at,
        CalicoExtra::Profile(_) | CalicoExtra::Account(_) => {}
    }
}
