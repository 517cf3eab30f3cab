//! The parts of the page that are for an audit: what the report says of itself, and the controls.
//!
//! A control is a row with its result in words and its reasons as a list, of which the first few
//! are shown and the others folded; of many hundreds CSV has the rest.

use crate::audit::Assessment;
use crate::render::image::svg::escape;
use crate::render::report::audit::{AuditReport, ROWS};
use crate::render::report::controls::{Because, LEGEND, reasons};
use crate::render::report::front::Suppressed;
use std::fmt::Write as _;

/// Reasons that are shown before the others are folded.
const SHOWN: usize = 6;

/// What the report says of itself; nothing where it says nothing.
pub(crate) fn front(report: &AuditReport<'_>) -> String {
    let Some(front) = &report.front else {
        return String::new();
    };
    let mut html = String::from("<dl class=\"front\">");
    for (what, text) in report.front_lines() {
        // INVARIANT: writing to a string does not fail
        let _ = write!(html, "<div><dt>{what}</dt><dd>{}</dd></div>", escape(&text));
    }
    html.push_str("<div><dt>suppressions</dt><dd>");
    let lines: Vec<String> = front.suppressions.iter().map(Suppressed::line).collect();
    if lines.is_empty() {
        html.push_str("none");
    } else {
        html.push_str(&folded(
            &lines.iter().map(|l| escape(l)).collect::<Vec<_>>(),
        ));
    }
    html.push_str("</dd></div></dl>\n");
    html
}

/// The controls, and room for a signature; nothing where the report is for no audit.
pub(crate) fn controls(report: &AuditReport<'_>) -> String {
    let Some(controls) = &report.controls else {
        return String::new();
    };
    let mut html = format!(
        "<h3 id=\"controls\">{}</h3><p>Scope: {}.</p><table class=\"controls\"><thead><tr>\
         <th scope=\"col\">control</th><th scope=\"col\">result</th><th scope=\"col\">because</th>\
         <th scope=\"col\">exceptions and remarks</th></tr></thead><tbody>\n",
        controls.profile.title(),
        escape(&controls.scope_title())
    );
    for assessment in &controls.assessments {
        html.push_str(&control(assessment, report));
    }
    // INVARIANT: writing to a string does not fail
    let _ = writeln!(
        html,
        "</tbody></table><p>{}</p><p>{LEGEND}</p>\
         <div class=\"sign\"><p>Reviewed by</p><p>Date</p><p>Signature</p></div>",
        controls.profile.left_out()
    );
    html
}

fn control(assessment: &Assessment, report: &AuditReport<'_>) -> String {
    let control = assessment.control;
    let result = assessment.result;
    let because = reasons(assessment, &report.context, ROWS);
    let lines: Vec<String> = because.iter().map(reason).collect();
    format!(
        "<tr><td><strong>{}</strong> {}</td><td class=\"result {}\">{}</td><td>{}</td><td></td></tr>\n",
        control.id,
        control.asks,
        result.class(),
        result.word(),
        folded(&lines)
    )
}

fn reason(because: &Because) -> String {
    format!("<em>{}</em> {}", because.bearing, escape(&because.text))
}

/// A list of markup, of which only the first lines are shown at once.
fn folded(lines: &[String]) -> String {
    let list = |lines: &[String]| {
        let items = lines
            .iter()
            .fold(String::new(), |html, line| html + "<li>" + line + "</li>");
        format!("<ul>{items}</ul>")
    };
    // one more line takes less room than the words that fold it
    if lines.len() <= SHOWN + 1 {
        return list(lines);
    }
    let (first, rest) = lines.split_at(SHOWN);
    format!(
        "{}<details><summary>{} more</summary>{}</details>",
        list(first),
        rest.len(),
        list(rest)
    )
}
