//! Findings for people: one line that says it all, the lines of the manifest it is about, and what
//! to do.
//!
//! Only a window of the file around the finding is handed to the frame writer, so the cost is that
//! of what is shown. Texts from manifests are cleaned here; the quoted lines are cleaned by the
//! frame writer.

use crate::diagnostic::Place;
use crate::finding::{Finding, Label, Severity};
use crate::render::context::Style;
use crate::render::data::findings::{FindingSet, Region};
use crate::render::words;
use crate::words::plural;
use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Renderer, Snippet};
use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::Range;

/// Lines above the finding that are shown.
const ABOVE: u32 = 3;

/// How far away a related place may be to be shown in the same frame, in lines.
const NEAR: u32 = 40;

/// What was looked at, for the last line.
#[derive(Debug, Clone, Copy, Default)]
pub struct LintScope {
    /// Policies.
    pub policies: usize,
    /// Workloads.
    pub workloads: usize,
    /// Namespaces.
    pub namespaces: usize,
    /// Rules that ran.
    pub ran: usize,
    /// Rules that need data that was not given.
    pub idle: usize,
    /// Findings that are known from a baseline.
    pub known: usize,
}

/// Of how many findings of one rule the manifest is shown, unless all are asked for. Whoever has
/// more mends them by the hundred, and counts them meanwhile.
const SHOWN: usize = 100;

/// Writes the active findings, of each rule no more than [`SHOWN`] unless `all` are asked for, and
/// a last line.
///
/// # Errors
/// When the writer fails.
pub fn write(
    report: &FindingSet<'_>,
    scope: &LintScope,
    hidden: &[Finding],
    (style, all): (Style, bool),
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut any = false;
    let mut met: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for finding in report.active() {
        let count = met.entry(finding.rule).or_default();
        *count += 1;
        if *count > SHOWN && !all {
            continue;
        }
        if any {
            writeln!(out)?;
        }
        any = true;
        one(report, finding, style, out)?;
    }
    if any {
        writeln!(out)?;
    }
    for (rule, count) in met.into_iter().filter(|(_, count)| *count > SHOWN && !all) {
        let more = count - SHOWN;
        writeln!(
            out,
            "{rule}: {more} more like these; all of them: netpal lint --select {rule} -v, or -o json, csv"
        )?;
    }
    writeln!(out, "{}", last_line(report, scope))?;
    if let Some(line) = hidden_line(hidden) {
        writeln!(out, "{}", style.dim(&line))?;
    }
    Ok(())
}

fn last_line(report: &FindingSet<'_>, scope: &LintScope) -> String {
    let looked_at = format!(
        "{}, {}",
        plural(scope.policies, "policy"),
        plural(scope.workloads, "workload")
    );
    let known = if scope.known > 0 {
        format!("; {} in the baseline", scope.known)
    } else {
        String::new()
    };
    let counts = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Info, "note"),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(severity, word)| (report.count(severity), word))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| plural(n, word))
        .collect();
    if counts.is_empty() {
        let idle = if scope.idle > 0 {
            format!(", {} need data you did not give", scope.idle)
        } else {
            String::new()
        };
        return format!(
            "no problems found in {looked_at}, {} ({} ran{idle}{known})",
            plural(scope.namespaces, "namespace"),
            plural(scope.ran, "rule")
        );
    }
    let fixable = report.active().filter(|f| f.fix.is_some()).count();
    let fixable = match fixable {
        0 => String::new(),
        1 => "; 1 has an automatic fix: netpal lint --fix".to_owned(),
        n => format!("; {n} have an automatic fix: netpal lint --fix"),
    };
    let lesson = report.worst_first().first().map_or("", |f| f.rule);
    format!(
        "{} in {looked_at}{known}{fixable}   (lesson: netpal rule {lesson})",
        counts.join(", ")
    )
}

/// What was found but is too slight to be shown unasked.
fn hidden_line(hidden: &[Finding]) -> Option<String> {
    let mut rules: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    hidden
        .iter()
        .for_each(|f| *rules.entry(f.rule).or_default() += 1);
    let each: Vec<String> = rules
        .iter()
        .map(|(rule, n)| format!("{rule} {n}"))
        .collect();
    let count = hidden.len();
    (count > 0).then(|| {
        format!(
            "not shown: {} ({}); --select ALL shows them",
            plural(count, "slighter finding"),
            each.join(", ")
        )
    })
}

fn painted(style: Style, severity: Severity) -> String {
    let code = match severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Info => "1;36",
    };
    style.paint(code, severity.name())
}

fn one(
    report: &FindingSet<'_>,
    finding: &Finding,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let at = report.region(&finding.place);
    let place = at.as_ref().map_or_else(String::new, |r| {
        format!("{}:{}:{}: ", words::clean(&r.file), r.line, r.column)
    });
    let severity = painted(style, finding.severity);
    writeln!(
        out,
        "{place}{severity} {} {}: {}",
        finding.rule,
        finding.name,
        words::clean(&finding.message)
    )?;
    let frame = SourceFrame::new(report, finding);
    let mut group = Group::with_level(level(finding.severity));
    if let Some(frame) = &frame {
        group = group.element(frame.snippet());
    }
    let footnotes = footnotes(report, finding, frame.as_ref());
    if frame.is_none() && footnotes.is_empty() {
        return Ok(());
    }
    group = group.elements(
        footnotes
            .into_iter()
            .map(|text| Element::from(Level::NOTE.no_name().message(text))),
    );
    let renderer = if style.colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    writeln!(out, "{}", renderer.render(&[group]))
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    }
}

/// What is printed below the frame: places that are not in it, facts, advice.
fn footnotes(
    report: &FindingSet<'_>,
    finding: &Finding,
    frame: Option<&SourceFrame<'_>>,
) -> Vec<String> {
    let mut lines = Vec::new();
    if frame.is_none() {
        lines.extend(finding.label.iter().map(|l| words::clean(l).into_owned()));
    }
    for label in &finding.related {
        if frame.is_some_and(|f| f.shows(&label.place)) {
            continue;
        }
        let at = report
            .region(&label.place)
            .map(|r| format!("{}:{}: ", words::clean(&r.file), r.line));
        lines.push(format!(
            "{}{}",
            at.unwrap_or_default(),
            words::clean(&label.text)
        ));
    }
    lines.extend(finding.notes.iter().map(|n| words::clean(n).into_owned()));
    lines.extend(
        finding
            .help
            .iter()
            .map(|h| format!("fix: {}", words::clean(h))),
    );
    lines
}

/// A window of a file with what is to be marked in it.
struct SourceFrame<'a> {
    text: Cow<'a, str>,
    first: u32,
    /// Byte ranges inside the window: the primary one first.
    marks: Vec<(Range<usize>, Option<String>)>,
    shown: Vec<&'a Place>,
    above: Range<usize>,
}

impl<'a> SourceFrame<'a> {
    fn new(report: &FindingSet<'a>, finding: &'a Finding) -> Option<Self> {
        let (file, primary, span) = located(report, &finding.place)?;
        let text = &report.locator.sources().file(file)?.text;
        let near = |label: &'a Label| {
            let (other, region, span) = located(report, &label.place)?;
            let apart = region.line.abs_diff(primary.line);
            let close = other == file && region.file == primary.file && apart <= NEAR;
            (close && apart > 0).then_some((label, region.line, span))
        };
        let related: Vec<(&Label, u32, Range<usize>)> =
            finding.related.iter().filter_map(near).collect();
        let first = related
            .iter()
            .map(|r| r.1)
            .min()
            .unwrap_or(u32::MAX)
            .min(primary.line.saturating_sub(ABOVE))
            .max(1);
        let last = related
            .iter()
            .map(|r| r.1)
            .max()
            .unwrap_or(0)
            .max(primary.line);
        let lines = |n: u32| n as usize;
        let around = text.excerpt(
            span.start..span.start,
            lines(primary.line - first),
            lines(last - primary.line),
        )?;
        let placed = |s: Range<usize>| {
            s.start.saturating_sub(around.start)..s.end.saturating_sub(around.start)
        };
        let (text, span) = (&*around.text, placed(span));
        let related: Vec<(&Label, Range<usize>)> = related
            .into_iter()
            .map(|(l, _, s)| (l, placed(s)))
            .collect();
        let start = back(text, span.start, primary.line - first);
        let end = forward(text, span.start, last - primary.line);
        let inside = |s: &Range<usize>| {
            let to = s.end.min(line_end(text, s.start)).max(s.start + 1).min(end);
            s.start.saturating_sub(start)..to.saturating_sub(start)
        };
        let mut marks = vec![(
            inside(&span),
            finding
                .label
                .as_deref()
                .map(|l| words::clean(l).into_owned()),
        )];
        marks.extend(
            related
                .iter()
                .map(|(l, s)| (inside(s), Some(words::clean(&l.text).into_owned()))),
        );
        let above = back(text, span.start, ABOVE.min(primary.line - first)).saturating_sub(start)
            ..marks[0].0.start;
        let shown = related.iter().map(|r| &r.0.place).collect();
        let window = match around.text {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(start..end)?),
            Cow::Owned(ref text) => Cow::Owned(text.get(start..end)?.to_owned()),
        };
        Some(Self {
            text: window,
            first,
            marks,
            shown,
            above,
        })
    }

    fn shows(&self, place: &Place) -> bool {
        self.shown.contains(&place)
    }

    fn snippet(&self) -> Snippet<'_, Annotation<'_>> {
        let marks = self.marks.iter().enumerate().map(|(i, (range, label))| {
            let mark = kind(i).span(range.clone());
            label
                .as_deref()
                .map_or_else(|| mark.clone(), |l| mark.clone().label(l))
        });
        let above =
            (!self.above.is_empty()).then(|| AnnotationKind::Visible.span(self.above.clone()));
        Snippet::source(&*self.text)
            .line_start(self.first as usize)
            .annotations(marks)
            .annotations(above)
    }
}

fn located(
    report: &FindingSet<'_>,
    place: &Place,
) -> Option<(crate::source::FileId, Region, Range<usize>)> {
    let Place::Origin(origin) = place else {
        return None;
    };
    let (file, span) = report.locator.span(origin)?;
    Some((file, report.region(place)?, span.start..span.end))
}

/// The start of the line `lines` above the one that holds `at`.
fn back(text: &str, at: usize, lines: u32) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let mut start = before.rfind('\n').map_or(0, |i| i + 1);
    for _ in 0..lines {
        start = before
            .get(..start.saturating_sub(1))
            .and_then(|t| t.rfind('\n'))
            .map_or(0, |i| i + 1);
    }
    start
}

/// The end of the line `lines` below the one that holds `at`.
fn forward(text: &str, at: usize, lines: u32) -> usize {
    let mut end = line_end(text, at);
    for _ in 0..lines {
        end = line_end(text, (end + 1).min(text.len()));
    }
    end
}

fn line_end(text: &str, at: usize) -> usize {
    text.get(at..)
        .and_then(|t| t.find('\n'))
        .map_or(text.len(), |i| at + i)
}

fn kind(i: usize) -> AnnotationKind {
    if i == 0 {
        AnnotationKind::Primary
    } else {
        AnnotationKind::Context
    }
}
