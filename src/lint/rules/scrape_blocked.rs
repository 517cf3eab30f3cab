//! # NP105 scrape-blocked
//!
//! **What it does.** Reports when pods that are to be scraped for metrics do not admit the
//! monitoring.
//!
//! **Why it is bad.** The metrics are missing, and nobody notices until they are needed.
//!
//! **What it looks at.** What `ServiceMonitor`s, `PodMonitor`s and `prometheus.io/scrape`
//! annotations of pods and Services name, and the ports they are scraped on. The scraping pods are
//! those of `cluster.monitoring`, or pods of the input that are called `prometheus` by their name
//! label: a warning. Without any, only ports that no rule opens to anybody are reported; a warning
//! when a rule for the same pods admits a monitoring namespace, and a note otherwise.
//!
//! **When it stays silent.** When any of the pods is not isolated, its port is not known, or
//! policies of another kind may govern it too.
//!
//! **Settings.** `cluster.monitoring`: namespace and labels of the pods that scrape.
//!
//! **References.** <https://prometheus-operator.dev/docs/developer/getting-started/>.

use crate::diagnostic::Place;
use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::intended_traffic;
use crate::lint::intended_traffic::{IntendedTraffic, MentionedObject, ServicePortRef};
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::{NAMESPACE_NAME_LABEL, NamespaceId, PodId, Selector, ServiceId, TargetPort};
use crate::policy::{Direction, Namespaces, Peer, Peers, PolicyId, Rule};
use crate::set::{Protocol, TrafficSet};
use crate::source::DocumentId;
use crate::tree::SyntaxNode;
use std::collections::HashSet;
use std::rc::Rc;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let scrapers = scrapers(context);
    let mut reported: HashSet<(PolicyId, String)> = HashSet::new();
    for intended in scraped(context) {
        let Some(traffics) = intended.traffics(context) else {
            continue;
        };
        let Some(policy) = blocked(context, &scrapers, &intended, &traffics) else {
            continue;
        };
        let target = format!("{} on port {}", intended.to, intended.words(context));
        if !reported.insert((policy, target.clone())) {
            continue;
        }
        let names = || format!("{} cannot", words::names(context.cluster, &scrapers));
        let who = if scrapers.is_empty() {
            "nobody can".to_owned()
        } else {
            names()
        };
        let mut finding = reporter.subject(policy, format!("{who} scrape {target}"));
        finding.fingerprint.peer = target.into();
        let severity = if scrapers.is_empty() && !admits_monitoring(context, &intended) {
            Severity::Info
        } else {
            Severity::Warning
        };
        let finding = finding
            .severity(severity)
            .help("let the monitoring's namespace in on this port");
        reporter.push(finding.related(
            Place::Origin(intended.by.origin()),
            format!("{} wants it", intended.by.title()),
        ));
    }
}

/// The pods of the input that scrape.
fn scrapers(context: &LintContext<'_>) -> Vec<PodId> {
    if let Some((namespace, labels)) = &context.config.monitoring {
        return context
            .selected(&Namespaces::Named(namespace.clone()), labels)
            .pods
            .clone();
    }
    let prometheus = Selector::label("app.kubernetes.io/name", "prometheus");
    context
        .cluster
        .pods()
        .map(|(id, _)| id)
        .filter(|id| prometheus.matches(context.cluster.pod_labels(*id)))
        .collect()
}

/// The policy to point at, when the scrapers are admitted to none of the pods.
fn blocked(
    context: &LintContext<'_>,
    scrapers: &[PodId],
    intended: &IntendedTraffic,
    traffics: &[TrafficSet],
) -> Option<PolicyId> {
    let mut all = Vec::new();
    for (pod, traffic) in intended.pods.iter().zip(traffics) {
        let policies = intended_traffic::isolating(context, *pod, Direction::Ingress);
        let rules = policies
            .iter()
            .flat_map(|p| context.policies.get(*p).rules(Direction::Ingress));
        let admits = if scrapers.is_empty() {
            rules
                .into_iter()
                .any(|r| opens_to_monitoring(context, r, *pod, traffic))
        } else {
            intended_traffic::admits(context, scrapers, *pod, traffic)
        };
        if policies.is_empty() || admits {
            return None;
        }
        all.extend(policies);
    }
    intended_traffic::deciding(context, &all, Direction::Ingress)
}

/// Whether some rule for the pods names a monitoring: whoever wrote it wants them to be scraped.
fn admits_monitoring(context: &LintContext<'_>, intended: &IntendedTraffic) -> bool {
    let policies = intended
        .pods
        .iter()
        .flat_map(|p| intended_traffic::isolating(context, *p, Direction::Ingress));
    policies.into_iter().any(|id| {
        let rules = context.policies.get(id).rules(Direction::Ingress);
        rules.iter().flat_map(peers).any(is_monitoring)
    })
}

/// Whether a peer is selected by labels that name a monitoring.
fn is_monitoring(peer: &Peer) -> bool {
    let Peer::Pods(namespaces, pods) = peer else {
        return false;
    };
    let of_namespaces = match namespaces {
        Namespaces::Matching(selector) => selector.requirements(),
        _ => &[],
    };
    let requirements = of_namespaces.iter().chain(pods.requirements());
    requirements
        .flat_map(crate::model::Requirement::values)
        .any(|value| {
            ["monitoring", "prometheus"]
                .iter()
                .any(|w| value.contains(w))
        })
}

/// Whether a rule may admit a scraper that is not in the input.
fn opens_to_monitoring(
    context: &LintContext<'_>,
    rule: &Rule,
    pod: PodId,
    traffic: &TrafficSet,
) -> bool {
    if context
        .traffic(rule, context.cluster.pod(pod))
        .is_disjoint(traffic)
    {
        return false;
    }
    let Some((namespace, labels)) = &context.config.monitoring else {
        return true;
    };
    // of the scraper's labels, only those that the configuration names are known
    let named = labels
        .requirements()
        .iter()
        .filter_map(|r| Some((r.key(), &**r.values().first()?)))
        .collect();
    rule.peers == Peers::Any
        || peers(rule).iter().any(|peer| match peer {
            Peer::Pods(Namespaces::Named(n), pods) => {
                n == namespace && pods.matches_known(&named, false).possible()
            }
            Peer::Pods(Namespaces::Matching(s), pods) => {
                may_select(context, s, namespace) && pods.matches_known(&named, false).possible()
            }
            _ => true,
        })
}

/// Whether a selector over namespaces may select the namespace of a name, which need not be in the
/// input.
fn may_select(context: &LintContext<'_>, selector: &Selector, namespace: &str) -> bool {
    if let Some(id) = context.cluster.find_namespace(namespace) {
        let namespace = context.cluster.namespace(id);
        return namespace.selected_by(selector).possible();
    }
    let known = [(NAMESPACE_NAME_LABEL, namespace)].into_iter().collect();
    selector.matches_known(&known, false).possible()
}

/// The traffic of everything that is to be scraped.
fn scraped(context: &LintContext<'_>) -> Vec<IntendedTraffic> {
    let mut all_intended = Vec::new();
    for by in intended_traffic::objects(context, &["ServiceMonitor"]) {
        service_monitor(context, &by, &mut all_intended);
    }
    for by in intended_traffic::objects(context, &["PodMonitor"]) {
        pod_monitor(context, &by, &mut all_intended);
    }
    annotated(context, &mut all_intended);
    all_intended
}

/// The namespaces a monitor looks at.
fn namespaces(context: &LintContext<'_>, by: &MentionedObject) -> Vec<NamespaceId> {
    let selector = by.node.get("spec").and_then(|s| s.get("namespaceSelector"));
    if selector
        .and_then(|s| s.get("any"))
        .and_then(SyntaxNode::as_bool)
        == Some(true)
    {
        return context.cluster.namespaces().map(|(id, _)| id).collect();
    }
    let named = selector
        .and_then(|s| s.get("matchNames"))
        .map(SyntaxNode::items)
        .unwrap_or_default();
    if named.is_empty() {
        return context
            .cluster
            .find_namespace(&by.namespace)
            .into_iter()
            .collect();
    }
    named
        .iter()
        .filter_map(|n| context.cluster.find_namespace(n.as_str()?))
        .collect()
}

/// What a monitor asks for, and what it selects.
fn spec_and_selector(by: &MentionedObject) -> Option<(&SyntaxNode, Selector)> {
    let spec = by.node.get("spec")?;
    let selector = spec.get("selector").map(intended_traffic::selector);
    Some((spec, selector.unwrap_or_default()))
}

/// The pods that a `ServiceMonitor` scrapes.
fn service_monitor(
    context: &LintContext<'_>,
    by: &Rc<MentionedObject>,
    all_intended: &mut Vec<IntendedTraffic>,
) {
    let Some((spec, selector)) = spec_and_selector(by) else {
        return;
    };
    let endpoints = spec
        .get("endpoints")
        .map(SyntaxNode::items)
        .unwrap_or_default();
    for namespace in namespaces(context, by) {
        for id in context.services_of(namespace) {
            let service = context.cluster.service(*id);
            let labels = context
                .locator
                .node(service.origin.document)
                .map(|n| intended_traffic::metadata_map(&n, "labels"));
            if !labels.is_some_and(|l| selector.matches(&l)) {
                continue;
            }
            let name = (&*context.cluster.namespace(namespace).name, &*service.name);
            for port in endpoints.iter().filter_map(|e| e.get("port")?.as_str()) {
                all_intended.extend(
                    intended_traffic::through(context, by, name, &ServicePortRef::Name(port))
                        .ok()
                        .flatten(),
                );
            }
        }
    }
}

/// The pods that a `PodMonitor` scrapes.
fn pod_monitor(
    context: &LintContext<'_>,
    by: &Rc<MentionedObject>,
    all_intended: &mut Vec<IntendedTraffic>,
) {
    let Some((spec, selector)) = spec_and_selector(by) else {
        return;
    };
    for namespace in namespaces(context, by) {
        let pods = context.pods_where(namespace, &selector);
        for endpoint in spec
            .get("podMetricsEndpoints")
            .map(SyntaxNode::items)
            .unwrap_or_default()
        {
            let name = endpoint
                .get("port")
                .and_then(SyntaxNode::as_str)
                .map(|p| TargetPort::Name(p.into()));
            let number = || {
                endpoint
                    .get("portNumber")
                    .and_then(intended_traffic::port_number)
                    .map(TargetPort::Number)
            };
            if let Some(port) = name.or_else(number)
                && !pods.is_empty()
            {
                let (to, ports) = (
                    words::names(context.cluster, &pods),
                    vec![(Protocol::Tcp, port)],
                );
                all_intended.push(IntendedTraffic {
                    by: Rc::clone(by),
                    to,
                    pods: pods.clone(),
                    ports,
                });
            }
        }
    }
}

/// Pods and Services with the annotation.
fn annotated(context: &LintContext<'_>, all_intended: &mut Vec<IntendedTraffic>) {
    const MARK: &str = "prometheus.io/scrape";
    let marked = |document: DocumentId| context.text_contains(document, MARK);
    for (id, pod) in context
        .cluster
        .pods()
        .filter(|(_, p)| marked(p.origin.document))
    {
        let Some(node) = context.locator.node(pod.origin.document) else {
            continue;
        };
        let spec = node.get("spec");
        let template = spec.and_then(|s| {
            s.get("template")
                .or_else(|| s.get("jobTemplate")?.get("spec")?.get("template"))
        });
        let port = scraped_port(template.unwrap_or(&node), MARK).flatten();
        let Some(port) = port else { continue }; // without one every declared port is tried
        let name = context.cluster.workload(pod.workload);
        let by = annotated_object(
            context,
            name.kind_name(),
            pod.namespace,
            &name.name,
            pod.origin.document,
            &node,
        );
        let ports = vec![(Protocol::Tcp, TargetPort::Number(port))];
        all_intended.push(IntendedTraffic {
            by,
            to: words::names(context.cluster, &[id]),
            pods: vec![id],
            ports,
        });
    }
    for (id, service) in context
        .cluster
        .services()
        .filter(|(_, s)| marked(s.origin.document))
    {
        let Some(node) = context.locator.node(service.origin.document) else {
            continue;
        };
        let Some(port) = scraped_port(&node, MARK) else {
            continue;
        };
        all_intended.extend(annotated_service(context, id, &node, port));
    }
}

/// The pods of a Service with the annotation.
fn annotated_service(
    context: &LintContext<'_>,
    id: ServiceId,
    node: &Rc<SyntaxNode>,
    port: Option<u16>,
) -> Option<IntendedTraffic> {
    let service = context.cluster.service(id);
    let by = annotated_object(
        context,
        "Service",
        service.namespace,
        &service.name,
        service.origin.document,
        node,
    );
    let namespace = &context.cluster.namespace(service.namespace).name;
    let intended = intended_traffic::through(
        context,
        &by,
        (namespace, &service.name),
        &ServicePortRef::Any,
    )
    .ok()
    .flatten()?;
    // the port of the annotation replaces that of the address, which is the pod's
    let ports = port.map(|p| vec![(Protocol::Tcp, TargetPort::Number(p))]);
    Some(IntendedTraffic {
        ports: ports.unwrap_or_else(|| intended.ports.clone()),
        ..intended
    })
}

/// Whether an object is to be scraped, and on which port if it names one.
#[allow(clippy::option_option)] // two questions: whether, and where
fn scraped_port(node: &SyntaxNode, mark: &str) -> Option<Option<u16>> {
    let annotations = intended_traffic::metadata_map(node, "annotations");
    let wanted = annotations.get(mark) == Some("true");
    wanted.then(|| {
        annotations
            .get("prometheus.io/port")
            .and_then(|p| p.parse().ok())
    })
}

/// A pod's or a Service's document as the object that asks to be scraped.
fn annotated_object(
    context: &LintContext<'_>,
    kind: &str,
    namespace: NamespaceId,
    name: &str,
    document: DocumentId,
    node: &Rc<SyntaxNode>,
) -> Rc<MentionedObject> {
    let namespace = context.cluster.namespace(namespace).name.clone();
    Rc::new(MentionedObject {
        kind: kind.into(),
        name: name.into(),
        namespace,
        document,
        node: Rc::clone(node),
    })
}
