//! A single fact about the input in compiler style.

use crate::diagnostic::{Diagnostic, DiagnosticSeverity, Place};
use crate::render::context::Style;
use crate::render::words;
use crate::tree::Locator;
use std::fmt::Write as _;

/// One diagnostic in compiler style: `file:line:column: severity: message`.
pub fn diagnostic(diagnostic: &Diagnostic, locator: &Locator<'_>, style: Style) -> String {
    let place = |p: &Place| match p {
        Place::Origin(origin) => locator.locate(origin),
        Place::At(location) => Some(location.clone()),
        Place::Input => None,
    };
    let at = |p: &Place| {
        place(p).map_or_else(String::new, |l| {
            format!("{}:{}:{}: ", words::clean(&l.file), l.at.line, l.at.column)
        })
    };
    let code = match diagnostic.severity {
        DiagnosticSeverity::Error => "1;31",
        DiagnosticSeverity::Warning => "1;33",
        DiagnosticSeverity::Note => "1;36",
    };
    let severity = style.paint(code, diagnostic.severity.name());
    let mut text = format!(
        "{}{severity}: {}",
        at(&diagnostic.place),
        words::clean(&diagnostic.message)
    );
    for (place, word) in &diagnostic.related {
        let _ = write!(text, "\n    {}{}", at(place), words::clean(word));
    }
    if let Some(help) = &diagnostic.help {
        let _ = write!(text, "\n    help: {}", words::clean(help));
    }
    text
}
