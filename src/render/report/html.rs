//! The page: one file, nothing to load, readable without scripts.
//!
//! Text goes through [`escape`]; the data block is JSON with `<`, `>`, `&` and line separators
//! written as escapes, so that no name can end it. The policy of the page forbids every connection.
//! With scripts one view is shown at a time; without, all.

use crate::picture::{DrawOptions, Drawing};
use crate::render::image::svg;
use crate::render::image::svg::escape;
use crate::render::report::audit::{AuditReport, ROWS};
use crate::render::report::audited;
use crate::render::report::data::data;
use crate::render::report::digest::digest;
use crate::render::report::overview::statements;
use crate::render::report::print;
use crate::render::report::tables::ReportTable;
use std::fmt::Write as _;
use std::io::{self, Write};

const STYLE: &str = include_str!("../web/report.css");
const SCRIPT: &str = concat!(
    include_str!("../web/ask/sets.js"),
    include_str!("../web/ask/grammar.js"),
    include_str!("../web/ask/names.js"),
    include_str!("../web/ask/verdicts.js"),
    include_str!("../web/report.js")
);
const MATRIX: &str = include_str!("../image/matrix.css");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const VIEWS: [(&str, &str); 10] = [
    ("summary", "Summary"),
    ("doors", "Doors"),
    ("map", "Map"),
    ("matrix", "Matrix"),
    ("potential", "Not loaded"),
    ("ask", "Ask"),
    ("changes", "Changes"),
    ("findings", "Findings"),
    ("tests", "Tests"),
    ("inputs", "Inputs"),
];

/// Writes the page.
pub fn write(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>netpal report</title>\n\
         <style>\n{MATRIX}{STYLE}{}{}</style>\n</head>\n<body>\n",
        svg::STYLE,
        print::margins(report.subject, &digest(&report.context.input.sources)),
    );
    page.push_str("<a class=\"skip\" href=\"#main\">To the content</a>\n<header><h1>Network policy report</h1>");
    let _ = write!(
        page,
        "<p class=\"subject\">{}</p>\n\
         <label class=\"js\">Search <input id=\"search\" type=\"search\" placeholder=\"press /\" autocomplete=\"off\"></label>\n\
         <button class=\"js\" id=\"theme\" type=\"button\">Dark or light</button>\n<nav class=\"js\" aria-label=\"Views\">",
        escape(report.subject)
    );
    for (id, name) in VIEWS {
        let _ = write!(page, "<a href=\"#{id}\" data-view=\"{id}\">{name}</a>");
    }
    page.push_str("</nav></header>\n<p id=\"said\" class=\"js\" role=\"status\" aria-live=\"polite\"></p>\n<main id=\"main\" tabindex=\"-1\">\n");
    sections(report, &mut page);
    page.push_str("</main>\n");
    let _ = writeln!(
        page,
        "<footer><p>{} netpal {}.</p></footer>",
        escape(&report.honesty()),
        env!("CARGO_PKG_VERSION")
    );
    let _ = write!(
        page,
        "<script type=\"application/json\" id=\"data\">{}</script>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        block(report)?
    );
    out.write_all(page.as_bytes())
}

/// The data as text that no HTML parser can leave.
fn block(report: &AuditReport<'_>) -> io::Result<String> {
    let json = serde_json::to_string(&data(report))?;
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

fn sections(report: &AuditReport<'_>, page: &mut String) {
    section(page, "summary", "Summary", &summary(report));
    section(page, "doors", "Doors", &table("doors", &report.doors));
    section(page, "map", "Map", &map(report));
    section(page, "matrix", "Matrix", &matrix(report));
    let potential = table("potential", &report.potential);
    let title = "Pods that are not in the input";
    section(page, "potential", title, &potential);
    section(page, "ask", "Ask", ASK);
    section(page, "changes", "Changes", &changes(report));
    section(
        page,
        "findings",
        "Findings",
        &table("findings", &report.findings),
    );
    section(page, "tests", "Tests", &table("tests", &report.tests));
    section(page, "inputs", "Inputs and assumptions", &inputs(report));
}

fn section(page: &mut String, id: &str, title: &str, content: &str) {
    let _ = writeln!(
        page,
        "<section id=\"{id}\" aria-labelledby=\"h-{id}\"><h2 id=\"h-{id}\" tabindex=\"-1\">{title}</h2>\n{content}\n</section>"
    );
}

fn summary(report: &AuditReport<'_>) -> String {
    let mut html = audited::front(report);
    html.push_str("<ul class=\"overview\">");
    for said in statements(report) {
        let _ = write!(
            html,
            "<li class=\"{}\"><a href=\"#{}\">{}</a><p><strong>{}</strong> {}</p></li>",
            said.concern.class(),
            said.section,
            said.question,
            said.concern.word(),
            escape(&said.answer)
        );
    }
    html.push_str("</ul>\n<dl class=\"counts\">");
    for (what, n) in report.counts() {
        let _ = write!(html, "<div><dt>{what}</dt><dd>{}</dd></div>", escape(&n));
    }
    html.push_str("</dl>\n");
    html.push_str(&audited::controls(report));
    html.push_str("<h3>Accept from anyone</h3>");
    html.push_str(&names(report, &report.parts.listing.open_in));
    html.push_str("<h3>Flows</h3><div class=\"pager js\" id=\"pager-flows\"></div><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Flows\"><table id=\"flows\"><thead><tr><th scope=\"col\">from</th><th scope=\"col\">to</th><th scope=\"col\">ports</th><th scope=\"col\" class=\"js\">because</th></tr></thead><tbody>\n");
    let (flows, more) = report.flows();
    for [from, to, ports] in &flows {
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(from),
            escape(to),
            escape(ports)
        );
    }
    html.push_str("</tbody></table></div>");
    if more > 0 {
        let _ = write!(
            html,
            "<p class=\"more\">and {more} more: netpal report -o csv</p>"
        );
    }
    html
}

fn names(report: &AuditReport<'_>, list: &[crate::model::WorkloadId]) -> String {
    let cluster = &report.context.input.cluster;
    let mut names: Vec<String> = list
        .iter()
        .map(|w| crate::render::words::clean(&cluster.workload_name(*w)).into_owned())
        .collect();
    names.sort();
    let shown: Vec<String> = names
        .iter()
        .take(100)
        .map(|n| format!("<li>{}</li>", escape(n)))
        .collect();
    let more = names.len() - shown.len();
    let more = if more > 0 {
        format!("<li>and {more} more</li>")
    } else {
        String::new()
    };
    if names.is_empty() {
        "<p>none</p>".into()
    } else {
        format!("<ul class=\"names\">{}{more}</ul>", shown.concat())
    }
}

fn map(report: &AuditReport<'_>) -> String {
    let mut html = String::from(
        "<div class=\"js tools\"><label>Level <select id=\"level\"></select></label> <label>Show <select id=\"filter\">\
         <option value=\"\">everything</option><option value=\"open\">open workloads</option><option value=\"internet\">outside addresses</option>\
         <option value=\"changed\">changes</option></select></label> <label>Port <input id=\"port-filter\" size=\"6\" inputmode=\"numeric\"></label> \
         <button type=\"button\" id=\"closer\">+</button> <button type=\"button\" id=\"farther\">-</button> <button type=\"button\" id=\"whole\">Whole map</button> <label>Workload <input id=\"find\" list=\"ends\" autocomplete=\"off\"></label></div>\n\
         <aside id=\"panel\" class=\"js\" hidden aria-label=\"Details\"></aside>",
    );
    for (i, (level, drawing)) in report.maps().into_iter().enumerate() {
        let first = if i == 0 { "" } else { " hidden" };
        let picture = svg::inline(&drawing, &level[..1]);
        let _ = writeln!(
            html,
            "<div class=\"picture\" data-level=\"{level}\" tabindex=\"0\" role=\"region\" aria-label=\"Map of {level}\"{first}>{picture}</div>"
        );
    }
    html
}

const ASK: &str = "<noscript><p>Asking needs scripts. On the command line: netpal can SRC reach DST:PORT</p></noscript>\n\
<form id=\"question\" class=\"js\"><label>From <input id=\"from\" list=\"ends\" required autocomplete=\"off\"></label> \
<label>to <input id=\"to\" list=\"ends\" required autocomplete=\"off\"></label> <label>port <input id=\"port\" size=\"9\" autocomplete=\"off\"></label> \
<label>protocol <select id=\"protocol\"><option value=\"0\">TCP</option><option value=\"1\">UDP</option><option value=\"2\">SCTP</option></select></label> \
<button>Ask</button><datalist id=\"ends\"></datalist></form>\n<div id=\"answer\" class=\"js\"></div>";

fn table(id: &str, rows: &ReportTable) -> String {
    if rows.rows.is_empty() {
        return format!("<p>{}</p>{}", escape(&rows.empty), remarks(rows));
    }
    let head: String = rows.head.iter().fold(String::new(), |html, h| {
        html + "<th scope=\"col\">" + h + "</th>"
    });
    let mut html = format!(
        "<div class=\"pager js\" id=\"pager-{id}\"></div><table id=\"table-{id}\" class=\"rows\"><thead><tr>{head}</tr></thead><tbody>\n"
    );
    for row in rows.rows.iter().take(ROWS) {
        html.push_str("<tr>");
        row.iter().for_each(|c| {
            let _ = write!(html, "<td>{}</td>", escape(c));
        });
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table>");
    let more = rows.rows.len().saturating_sub(ROWS);
    if more > 0 {
        let _ = write!(
            html,
            "<p class=\"more\">and {more} more: the command of this name lists them</p>"
        );
    }
    html + &remarks(rows)
}

/// What is said below a table, a paragraph each.
fn remarks(rows: &ReportTable) -> String {
    let lines = rows.remarks.lines();
    lines.fold(String::new(), |html, line| {
        format!("{html}<p>{}</p>", escape(line))
    })
}

/// The matrix: a table, or room for a part of it at a time.
fn matrix(report: &AuditReport<'_>) -> String {
    let square = report.square();
    if !square.is_large() {
        return square.table();
    }
    let n = square.matrix.sides.len();
    format!(
        "<p>{n} rows and columns are more than one table can show.<noscript> Without scripts: netpal matrix -o csv</noscript></p>\n\
         <form id=\"window\" class=\"js\"><label>Rows from <input id=\"row\" list=\"sides\" autocomplete=\"off\"></label> \
         <label>columns from <input id=\"column\" list=\"sides\" autocomplete=\"off\"></label> <button>Show</button> \
         <button type=\"button\" data-by=\"-1 0\">Up</button> <button type=\"button\" data-by=\"1 0\">Down</button> \
         <button type=\"button\" data-by=\"0 -1\">Left</button> <button type=\"button\" data-by=\"0 1\">Right</button>\
         <datalist id=\"sides\"></datalist></form>\n{}",
        square.frame("")
    )
}

/// What differs: the lines of `netpal diff`, and a picture of what changed.
fn changes(report: &AuditReport<'_>) -> String {
    let Some(changes) = &report.changes else {
        return "<p>Only one state was given. Give the other one with --before PATH.</p>".into();
    };
    let mut html = String::from("<pre id=\"changed\" tabindex=\"0\">");
    for line in changes.lines() {
        let class = match line.trim_start().chars().next() {
            Some('+') => "widened",
            Some('-') => "narrowed",
            _ => "line",
        };
        let _ = write!(html, "<span class=\"{class}\">{}</span>", escape(line));
    }
    html.push_str("</pre>");
    let options = DrawOptions {
        only_changed: true,
        ..DrawOptions::default()
    };
    let drawing = Drawing::new(&report.parts.facts, &options);
    if drawing.size().1 > 0 {
        html.push_str(
            "<div class=\"js tools\"><label>Show <select id=\"states\"><option value=\"\">before and after</option>\
             <option value=\"before\">before</option><option value=\"after\">after</option></select></label></div>",
        );
        let picture = svg::inline(&drawing, "c");
        let _ = write!(
            html,
            "<div class=\"picture\" id=\"changed-map\" tabindex=\"0\" role=\"region\" aria-label=\"Map of what changed\">{picture}</div>"
        );
    }
    html
}

fn inputs(report: &AuditReport<'_>) -> String {
    let mut text = Vec::new();
    // INVARIANT: writing to memory does not fail
    let _ = crate::render::text::inputs::inputs(
        report.context.input,
        report.context.graph,
        false,
        &mut text,
    );
    let mut html = format!(
        "<pre tabindex=\"0\">{}</pre>",
        escape(&String::from_utf8_lossy(&text))
    );
    let locator = report.context.locator;
    let style = crate::render::context::Style { colour: false };
    if !report.context.input.diagnostics.is_empty() {
        html.push_str("<h3>Remarks</h3><ul>");
        for diagnostic in report.context.input.diagnostics.iter().take(200) {
            let _ = write!(
                html,
                "<li>{}</li>",
                escape(&crate::render::text::diagnostic::diagnostic(
                    diagnostic, locator, style
                ))
            );
        }
        html.push_str("</ul>");
    }
    html
}
