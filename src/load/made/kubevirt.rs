//! Virtual machines of `KubeVirt`: what their guests have of networks, kept as annotations of the
//! pod that they run in (NW82-NW85). Their labels are rows of the table of kinds.

use crate::load::made::custom::CustomObject;
use crate::load::made::fill::text_of;
use crate::policy::networks::attached::{DEFAULT_NETWORK, NETWORKS};
use crate::policy::networks::guests::{ABSENT, FORWARDED, STOPPED};
use crate::policy::object_facts::Annotations;
use crate::tree::SyntaxNode;

/// The group of the API.
const GROUP: &str = "kubevirt.io";

/// The group of pools of machines.
const POOL_GROUP: &str = "pool.kubevirt.io";

/// What the guest of a machine has of networks; nothing for objects of other kinds.
pub fn annotations(custom: &CustomObject) -> Annotations {
    let Some(spec) = machine(custom) else {
        return Annotations::default();
    };
    let fact = |key: &str, value: String| (key.into(), value.into());
    let mut facts: Vec<(Box<str>, Box<str>)> = Vec::new();
    let networks = spec.get("networks").map(SyntaxNode::items);
    let networks = networks.unwrap_or_default();
    let multus: Vec<&SyntaxNode> = networks.iter().filter_map(|n| n.get("multus")).collect();
    let is_default =
        |m: &&&SyntaxNode| m.get("default").and_then(SyntaxNode::as_bool) == Some(true);
    let names = multus.iter().filter(|m| !is_default(m));
    let names: Vec<&str> = names.filter_map(|m| text_of(m, "networkName")).collect();
    if !names.is_empty() {
        facts.push(fact(NETWORKS, names.join(",")));
    }
    let is_apart = if networks.is_empty() {
        autoattach(spec) == Some(false)
    } else {
        !networks.iter().any(|n| n.get("pod").is_some())
    };
    if multus.iter().any(|m| is_default(&m)) {
        facts.push(fact(DEFAULT_NETWORK, String::new()));
    } else if is_apart {
        facts.push(fact(ABSENT, String::new())); // NW83
    } else if let Some(ports) = forwarded(spec, networks) {
        facts.push(fact(FORWARDED, ports)); // NW84
    }
    if is_stopped(custom) {
        facts.push(fact(STOPPED, String::new())); // NW85
    }
    facts.into()
}

/// Whether a machine that names no network is put on the pod network, if it says so.
fn autoattach(spec: &SyntaxNode) -> Option<bool> {
    let devices = spec.get("domain")?.get("devices")?;
    devices.get("autoattachPodInterface")?.as_bool()
}

/// The spec of the machine that an object makes.
fn machine(custom: &CustomObject) -> Option<&SyntaxNode> {
    let spec = custom.node.get("spec")?;
    match (&*custom.group, &*custom.kind) {
        (GROUP, "VirtualMachineInstance") => Some(spec),
        (GROUP, "VirtualMachine" | "VirtualMachineInstanceReplicaSet") => {
            spec.get("template")?.get("spec")
        }
        (POOL_GROUP, "VirtualMachinePool") => {
            let of_each = spec.get("virtualMachineTemplate")?.get("spec")?;
            of_each.get("template")?.get("spec")
        }
        _ => None,
    }
}

/// The ports that are forwarded to the guest, where its interface on the pod network lists any.
fn forwarded(spec: &SyntaxNode, networks: &[SyntaxNode]) -> Option<String> {
    let devices = spec.get("domain")?.get("devices")?;
    let interfaces = devices.get("interfaces").map(SyntaxNode::items)?;
    let pod = networks.iter().find(|n| n.get("pod").is_some());
    let name = pod.and_then(|n| text_of(n, "name"));
    let of_pod = interfaces
        .iter()
        .find(|i| name.is_none() || text_of(i, "name") == name)?;
    of_pod.get("masquerade")?;
    let ports = of_pod.get("ports").map(SyntaxNode::items)?;
    let each = ports.iter().filter_map(|port| {
        let protocol = text_of(port, "protocol").unwrap_or("TCP");
        let number = port.get("port")?.as_i64()?;
        Some(format!("{}/{number}", protocol.to_ascii_uppercase()))
    });
    let each: Vec<String> = each.collect();
    (!ports.is_empty()).then(|| each.join(" "))
}

/// Whether a machine is said not to run.
fn is_stopped(custom: &CustomObject) -> bool {
    let template = custom.node.get("spec");
    let spec = match &*custom.kind {
        "VirtualMachine" => template,
        "VirtualMachinePool" => {
            template.and_then(|spec| spec.get("virtualMachineTemplate")?.get("spec"))
        }
        _ => None,
    };
    let strategy = spec.and_then(|spec| text_of(spec, "runStrategy"));
    let running = spec.and_then(|spec| spec.get("running")?.as_bool());
    strategy == Some("Halted") || running == Some(false)
}
