//! # NP903 refers-to-nothing
//!
//! **What it does.** Reports Services that select no pod of the input, and Ingresses and routes
//! that name a Service that does not exist.
//!
//! **Why it is bad.** Questions about them cannot be answered, and requests to them may fail. A
//! note.
//!
//! **What it looks at.** Selectors of Services in namespaces that have workloads; backends of
//! Ingresses, Gateway routes and `OpenShift` Routes in namespaces that have Services.
//!
//! **When it stays silent.** For Services without a selector, and namespaces without workloads or
//! Services in the input.
//!
//! **Settings.** None of its own.
//!
//! **References.** None.

use crate::diagnostic::Place;
use crate::doors::DoorReason;
use crate::finding::{Fingerprint, Severity};
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::source::Origin;
use std::collections::HashSet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (_, service) in context.cluster.services() {
        let Some(selector) = &service.selector else {
            continue;
        };
        if context.pods_of(service.namespace).is_empty()
            || !context.pods_where(service.namespace, selector).is_empty()
        {
            continue;
        }
        let namespace = context.cluster.namespace(service.namespace).name.clone();
        let about = Fingerprint {
            namespace,
            name: service.name.clone(),
            ..Fingerprint::default()
        };
        let message = format!(
            "no pod of this input has the labels of Service {} ({selector})",
            service.name
        );
        reporter.push(
            reporter
                .anywhere(Place::Origin(service.origin.clone()), about, message)
                .severity(Severity::Info),
        );
    }
    let mut reported: HashSet<(String, String)> = HashSet::new();
    for line in context.doors() {
        let (door, service) = (&line.door, line.service.as_deref().unwrap_or_default());
        let is_missing = line.passage.reason == Some(DoorReason::ServiceNotFound);
        let namespace = service.split('/').next().unwrap_or_default();
        let namespace = context.cluster.find_namespace(namespace);
        let has_others = namespace.is_some_and(|n| !context.services_of(n).is_empty());
        if !is_missing || !has_others || !reported.insert((door.title(), service.to_owned())) {
            continue;
        }
        let about = Fingerprint {
            namespace: door.namespace.clone(),
            name: door.name.clone(),
            peer: service.into(),
            ..Fingerprint::default()
        };
        let title = door.title();
        let message = format!("{title} sends to Service {service}, which is not in this input");
        let place = Place::Origin(Origin::document(door.origin.document));
        let finding = reporter.anywhere(place, about, message);
        reporter.push(finding.severity(Severity::Info));
    }
}
