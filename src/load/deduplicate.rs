//! Of objects with one group, kind, namespace and name the last counts, as with `kubectl apply`.

use crate::diagnostic::{Code, Diagnostic, DiagnosticSeverity, Place};
use crate::load::assembly::Assembly;
use crate::load::object::LoadedObject;
use crate::model::WorkloadKind;
use crate::set::hashed::HashMap;
use crate::source::{DocumentId, Origin, Path};
use crate::tree::Sniffed;
use std::sync::Arc;

impl Assembly<'_> {
    /// Of objects with one kind, namespace and name the last wins, as with `kubectl apply`; it
    /// takes the place of the first.
    pub(super) fn deduplicate(&mut self) -> Vec<LoadedObject> {
        let objects = std::mem::take(&mut self.objects);
        let default = Arc::clone(&self.namespace);
        let mut places: Vec<usize> = Vec::with_capacity(objects.len());
        let mut last: HashMap<(&str, &str, &str, &str), usize> =
            crate::set::hashed::room_for(objects.len());
        for (i, object) in objects.iter().enumerate() {
            if let Some(workload) = object.workload().filter(|f| f.patch) {
                self.patch(object, workload.kind);
                continue;
            }
            let namespace = if object.is_namespaced() {
                object.namespace.as_deref().unwrap_or(&default)
            } else {
                ""
            };
            self.placeholder(object, namespace);
            if object.name.is_empty() {
                places.push(i);
                continue;
            }
            let place = *last
                .entry((object.group(), &object.kind, namespace, &object.name))
                .or_insert(places.len());
            match places.get_mut(place) {
                None => places.push(i),
                Some(earlier) => {
                    let earlier = std::mem::replace(earlier, i);
                    if !object.overlay {
                        self.duplicate(&objects[earlier], object.document);
                    }
                }
            }
        }
        drop(last);
        if places.len() == objects.len() {
            return objects;
        }
        let mut objects: Vec<Option<LoadedObject>> = objects.into_iter().map(Some).collect();
        places
            .into_iter()
            .filter_map(|i| objects.get_mut(i)?.take())
            .collect()
    }

    fn patch(&mut self, object: &LoadedObject, kind: WorkloadKind) {
        *self
            .tally
            .skipped
            .entry(format!("{} (patch)", kind.name()))
            .or_default() += 1;
        let place = Place::Origin(Origin::document(object.document));
        let message = format!(
            "{} `{}` has no pod labels or no containers, so it looks like a kustomize patch; skipped",
            kind.name(),
            object.name
        );
        self.diagnostics.push(
            Diagnostic::new(
                DiagnosticSeverity::Warning,
                Code::NotAnObject,
                place,
                message,
            )
            .help("load the built manifests instead: netpal ... -k DIR"),
        );
    }

    fn placeholder(&mut self, object: &LoadedObject, namespace: &str) {
        for (field, value) in [("name", &*object.name), ("namespace", namespace)] {
            if Sniffed::is_placeholder(value) {
                let place = Place::Origin(Origin::new(
                    object.document,
                    Path::root().key("metadata").key(field),
                ));
                let message = format!(
                    "{field} `{value}` is a placeholder that was not filled in; taken as a {field} of its own"
                );
                self.diagnostics.push(
                    Diagnostic::new(
                        DiagnosticSeverity::Warning,
                        Code::Placeholder,
                        place,
                        message,
                    )
                    .help("fill it in first, for example with envsubst"),
                );
            }
        }
    }

    fn duplicate(&mut self, earlier: &LoadedObject, later: DocumentId) {
        let place = Place::Origin(Origin::document(later));
        let name = match &earlier.namespace {
            Some(namespace) => format!("{namespace}/{}", earlier.name),
            None => earlier.name.to_string(),
        };
        let message = format!(
            "{} `{name}` is given twice; the last one counts, as with kubectl apply",
            earlier.kind
        );
        let related = Place::Origin(Origin::document(earlier.document));
        self.diagnostics.push(
            Diagnostic::new(
                DiagnosticSeverity::Warning,
                Code::DuplicateObject,
                place,
                message,
            )
            .related(related, "first given here"),
        );
    }
}
