//! Programs in pods that dial out and let callers in by that connection (DO95). Which is behind
//! them is told by nothing that is read, so an input with one is never answered "no door".
//!
//! One is known by the image that a container runs, by a container's name, or by the usual labels.

use crate::tree::SyntaxNode;

/// The programs: names of images without registry and tag.
const PROGRAMS: [&str; 12] = [
    "cloudflared",
    "cloudflare-tunnel",
    "ngrok",
    "ngrok-ingress-controller",
    "ngrok-operator",
    "tailscale",
    "tailscale-operator",
    "inlets",
    "inlets-client",
    "inlets-operator",
    "inlets-pro",
    "frpc",
];

/// Labels that name the program of a pod.
const LABELS: [&str; 4] = ["app", "app.kubernetes.io/name", "k8s-app", "name"];

/// The tunnel that a pod is an end of, of an object that has `metadata` and a pod `spec`.
pub fn of(pod: &SyntaxNode) -> Option<&'static str> {
    let list = |key: &str| pod.get("spec").and_then(|spec| spec.get(key));
    let lists = ["containers", "initContainers"]
        .into_iter()
        .filter_map(list);
    let mut containers = lists.flat_map(SyntaxNode::items);
    let labels = pod.get("metadata").and_then(|m| m.get("labels"));
    containers.find_map(of_container).or_else(|| {
        let mut named = LABELS.iter().filter_map(|key| labels?.get(key)?.as_str());
        named.find_map(program)
    })
}

fn of_container(container: &SyntaxNode) -> Option<&'static str> {
    let image = container.get("image").and_then(SyntaxNode::as_str);
    let by_image = image.and_then(|image| program(name_of(image)));
    by_image.or_else(|| program(container.get("name")?.as_str()?))
}

/// The name of an image without registry, folder, tag and digest.
fn name_of(image: &str) -> &str {
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split([':', '@']).next().unwrap_or(last)
}

fn program(name: &str) -> Option<&'static str> {
    PROGRAMS.iter().copied().find(|program| *program == name)
}
