//! # NP903 service-without-pods
//!
//! **What it does.** Tells which Services select no pod of the input.
//!
//! **Why it is bad.** Questions about them cannot be answered. A note.
//!
//! **What it looks at.** Selectors of Services in namespaces that have workloads.
//!
//! **When it stays silent.** For Services without a selector, and namespaces without workloads in the input.
//!
//! **Settings.** None of its own.
//!
//! **References.** None.

use super::facts::Facts;
use super::found::Found;
use crate::diagnostic::Place;
use crate::finding::{Fingerprint, Severity};

pub(super) fn run(facts: &Facts<'_>, found: &mut Found<'_>) {
    for (_, service) in facts.cluster.services() {
        let Some(selector) = &service.selector else { continue };
        if facts.pods_of(service.namespace).is_empty() || !facts.pods_where(service.namespace, selector).is_empty() {
            continue;
        }
        let namespace = facts.cluster.namespace(service.namespace).name.clone();
        let about = Fingerprint { namespace, name: service.name.clone(), ..Fingerprint::default() };
        let message = format!("no pod of this input has the labels of Service {} ({selector})", service.name);
        found.push(found.anywhere(Place::Origin(service.origin.clone()), about, message).severity(Severity::Info));
    }
}
