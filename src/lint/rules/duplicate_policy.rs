//! # NP017 duplicate-policy
//!
//! **What it does.** Reports when two policies of one namespace have the same name.
//!
//! **Why it is bad.** There can be only one: whichever is applied last silently replaces the other.
//!
//! **What it looks at.** Kind, namespace and name, after overlays. An error when both stand in one
//! file and differ; a note when they are equal, or stand in different files, which may be a base
//! and its overlay, or one instead of the other.
//!
//! **When it stays silent.** When the second one comes from `--overlay`.
//!
//! **Settings.** None of its own.
//!
//! **References.** cyclonus; "kubectl apply" replaces objects by name.

use crate::diagnostic::{Code, Diagnostic, Place};
use crate::finding::{Fingerprint, Severity};
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::source::{DocumentId, Origin, Path};
use crate::tree::SyntaxNode;

const DIFFERENT_FILES: &str = "they stand in different files: if one is a base and the other its \
    overlay, or only one is applied, all is well";

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let duplicates = context
        .input
        .diagnostics
        .iter()
        .filter(|d| d.code == Code::DuplicateObject);
    for diagnostic in duplicates {
        let (Some(later), Some(earlier)) = (document(&diagnostic.place), earlier(diagnostic))
        else {
            continue;
        };
        let (Some(a), Some(b)) = (context.locator.node(earlier), context.locator.node(later))
        else {
            continue;
        };
        let kind = b
            .get("kind")
            .and_then(SyntaxNode::as_str)
            .unwrap_or_default();
        if !crate::policy::dialects::may_be_policy_kind(kind) {
            continue;
        }
        let word = |key: &str| {
            b.get("metadata")
                .and_then(|m| m.get(key))
                .and_then(SyntaxNode::as_str)
                .unwrap_or_default()
                .into()
        };
        let about = Fingerprint {
            namespace: word("namespace"),
            name: word("name"),
            ..Fingerprint::default()
        };
        let equal =
            a.get("spec").map(SyntaxNode::to_json) == b.get("spec").map(SyntaxNode::to_json);
        let place = Place::Origin(Origin::new(later, Path::root().key("metadata").key("name")));
        let first = Place::Origin(Origin::new(
            earlier,
            Path::root().key("metadata").key("name"),
        ));
        let name = about.name.clone();
        let finding = reporter.anywhere(
            place,
            about,
            format!("there are two policies called {name}; only the last one counts"),
        );
        let finding = finding
            .label("replaces the other one")
            .related(first, "replaced")
            .help("give one of them another name");
        reporter.push(match (equal, same_file(context, earlier, later)) {
            (false, true) => finding.severity(Severity::Error),
            (true, _) => finding.severity(Severity::Info).note("both say the same"),
            (false, false) => finding.severity(Severity::Info).note(DIFFERENT_FILES),
        });
    }
}

/// The document of a place.
fn document(place: &Place) -> Option<DocumentId> {
    if let Place::Origin(origin) = place {
        Some(origin.document)
    } else {
        None
    }
}

/// The document that a diagnostic about a duplicate names as the earlier one.
fn earlier(diagnostic: &Diagnostic) -> Option<DocumentId> {
    document(&diagnostic.related.first()?.0)
}

fn same_file(context: &LintContext<'_>, a: DocumentId, b: DocumentId) -> bool {
    let file = |id: DocumentId| context.input.sources.document(id).map(|d| d.file);
    file(a) == file(b)
}
