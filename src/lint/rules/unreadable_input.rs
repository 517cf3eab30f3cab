//! # NP904 unreadable-input
//!
//! **What it does.** Tells what of the input could not be read as the API server would read it, and
//! what was guessed.
//!
//! **Why it is bad.** A policy that cannot be read makes every verdict it could touch unknown.
//!
//! **What it looks at.** Syntax, templates that were not rendered, placeholders, keys given twice,
//! patches. Errors stay errors and end the program with code 2; templates and patches that are no
//! policies are notes.
//!
//! **When it stays silent.** For what another rule explains better: NP015, NP016, NP017, NP018,
//! NP901.
//!
//! **Settings.** `--ignore-broken` leaves broken documents out.
//!
//! **References.** `netpal inputs`.

use crate::diagnostic::{Code, Diagnostic, Place, Severity as Told};
use crate::finding::{Fingerprint, Severity};
use crate::lint::facts::Facts;
use crate::lint::reporter::Reporter;

/// Which rule tells about a diagnostic of the loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Addresses, ports, peers: NP015.
    Value,
    /// Labels and selectors: NP016.
    Label,
    /// Unknown fields: NP018.
    Field,
    /// Told by other rules.
    Elsewhere,
    /// Everything else: NP904.
    Reading,
}

fn topic(diagnostic: &Diagnostic) -> Topic {
    let path = match &diagnostic.place {
        Place::Origin(origin) => origin.path.to_string(),
        _ => String::new(),
    };
    let labels = ["abels", "elector", "matchExpressions"];
    match diagnostic.code {
        Code::DuplicateObject | Code::UnmodelledPolicy | Code::Assumption => Topic::Elsewhere,
        Code::UnknownField => Topic::Field,
        Code::InvalidValue | Code::WrongType => {
            if labels
                .iter()
                .any(|l| path.contains(l) || diagnostic.message.contains(l))
            {
                Topic::Label
            } else {
                Topic::Value
            }
        }
        _ => Topic::Reading,
    }
}

/// Turns the loader's diagnostics on a topic into findings.
pub(crate) fn diagnostics(facts: &Facts<'_>, found: &mut Reporter<'_>, wanted: Topic) {
    for diagnostic in facts
        .input
        .diagnostics
        .iter()
        .filter(|d| topic(d) == wanted)
    {
        let finding = found.anywhere(
            diagnostic.place.clone(),
            about(facts, diagnostic),
            diagnostic.message.clone(),
        );
        let severity = match diagnostic.severity {
            // a namespace such as "(join('-', [$name]))" is filled in by another tool
            Told::Error
                if diagnostic.message.contains("is not a valid name")
                    && is_expression(&diagnostic.message) =>
            {
                Severity::Info
            }
            Told::Error => Severity::Error,
            // no policy: a template or a patch that nobody would read either
            Told::Warning
                if matches!(
                    diagnostic.code,
                    Code::UnrenderedTemplate | Code::NotAnObject
                ) =>
            {
                Severity::Info
            }
            Told::Warning => Severity::Warning,
            Told::Note => Severity::Info,
        };
        let finding = diagnostic
            .related
            .iter()
            .fold(finding.severity(severity), |f, (p, w)| {
                f.related(p.clone(), w.clone())
            });
        found.push(match &diagnostic.help {
            Some(help) => finding.help(help.clone()),
            None => finding,
        });
    }
}

/// Whether a text holds an expression of another tool.
fn is_expression(text: &str) -> bool {
    text.contains(['(', '$', '{'])
}

/// The object a diagnostic is about, as far as its text tells.
fn about(facts: &Facts<'_>, diagnostic: &Diagnostic) -> Fingerprint {
    let Place::Origin(origin) = &diagnostic.place else {
        return Fingerprint {
            peer: diagnostic.message.clone(),
            ..Fingerprint::default()
        };
    };
    let node = facts.locator.node(origin.document);
    let word = |key: &str| {
        let text = node
            .as_ref()
            .and_then(|n| n.get("metadata")?.get(key)?.as_str().map(Box::from));
        text.unwrap_or_default()
    };
    Fingerprint {
        namespace: word("namespace"),
        name: word("name"),
        path: origin.path.to_string().into(),
        peer: diagnostic.message.clone(),
    }
}

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    diagnostics(facts, found, Topic::Reading);
}
