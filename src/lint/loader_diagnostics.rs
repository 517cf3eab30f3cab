//! The loader's diagnostics as findings, and which rule reports which of them.
//!
//! Invariant: every diagnostic has exactly one topic, so that no two rules report it. Cost:
//! O(diagnostics) for each rule that reports some.

use crate::diagnostic::{self, Code, Diagnostic, Place};
use crate::finding::{Fingerprint, Severity};
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;

/// The rule that reports a diagnostic of the loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Addresses, ports, peers: NP015.
    Value,
    /// Labels and selectors: NP016.
    Label,
    /// Unknown fields: NP018.
    Field,
    /// Reported by rules of their own.
    Elsewhere,
    /// Everything else: NP904.
    Reading,
}

/// The rule that reports a diagnostic, by its code and, for invalid values, by its place.
fn topic(diagnostic: &Diagnostic) -> Topic {
    let path = match &diagnostic.place {
        Place::Origin(origin) => origin.path.to_string(),
        _ => String::new(),
    };
    // where the place names a field, the message may mention others
    let labels = ["abels", "elector", "matchExpressions"];
    let about = if path.is_empty() {
        &*diagnostic.message
    } else {
        &*path
    };
    match diagnostic.code {
        Code::DuplicateObject | Code::UnmodelledPolicy | Code::Assumption => Topic::Elsewhere,
        Code::UnknownField => Topic::Field,
        Code::InvalidValue | Code::WrongType => {
            if labels.iter().any(|l| about.contains(l)) {
                Topic::Label
            } else {
                Topic::Value
            }
        }
        _ => Topic::Reading,
    }
}

/// Reports the loader's diagnostics on a topic as findings.
pub(crate) fn report(context: &LintContext<'_>, reporter: &mut Reporter<'_>, wanted: Topic) {
    for diagnostic in context
        .input
        .diagnostics
        .iter()
        .filter(|d| topic(d) == wanted)
    {
        let finding = reporter.anywhere(
            diagnostic.place.clone(),
            about(context, diagnostic),
            diagnostic.message.clone(),
        );
        let finding = diagnostic
            .related
            .iter()
            .fold(finding.severity(severity(diagnostic)), |f, (p, w)| {
                f.related(p.clone(), w.clone())
            });
        reporter.push(match &diagnostic.help {
            Some(help) => finding.help(help.clone()),
            None => finding,
        });
    }
}

/// The severity of the finding that reports a diagnostic.
fn severity(diagnostic: &Diagnostic) -> Severity {
    match diagnostic.severity {
        // a namespace such as "(join('-', [$name]))" is filled in by another tool
        diagnostic::DiagnosticSeverity::Error
            if diagnostic.message.contains("is not a valid name")
                && is_expression(&diagnostic.message) =>
        {
            Severity::Info
        }
        diagnostic::DiagnosticSeverity::Error => Severity::Error,
        // not a policy: a template or a patch that no API server would read either
        diagnostic::DiagnosticSeverity::Warning
            if matches!(
                diagnostic.code,
                Code::UnrenderedTemplate | Code::NotAnObject
            ) =>
        {
            Severity::Info
        }
        diagnostic::DiagnosticSeverity::Warning => Severity::Warning,
        diagnostic::DiagnosticSeverity::Note => Severity::Info,
    }
}

/// Whether a text contains an expression of another tool.
fn is_expression(text: &str) -> bool {
    text.contains(['(', '$', '{'])
}

/// The identity of the object that a diagnostic is about, as far as its document is readable.
fn about(context: &LintContext<'_>, diagnostic: &Diagnostic) -> Fingerprint {
    let Place::Origin(origin) = &diagnostic.place else {
        return Fingerprint {
            peer: diagnostic.message.clone(),
            ..Fingerprint::default()
        };
    };
    let node = context.locator.node(origin.document);
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
