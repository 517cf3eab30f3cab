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
use crate::finding::{Fingerprint, Severity};
use crate::lint::backends::backends;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
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
    for backend in backends(context) {
        let Some(service) = backend.missing else {
            continue;
        };
        let by = &backend.by;
        if !reported.insert((by.title(), service.clone())) {
            continue;
        }
        let peer = service.as_str().into();
        let about = Fingerprint {
            namespace: by.namespace.clone(),
            name: by.name.clone(),
            peer,
            ..Fingerprint::default()
        };
        let message = format!(
            "{} sends to Service {service}, which is not in this input",
            by.title()
        );
        reporter.push(
            reporter
                .anywhere(Place::Origin(by.origin()), about, message)
                .severity(Severity::Info),
        );
    }
}
