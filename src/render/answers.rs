//! Every answer with its formats.
//!
//! An answer that is complete in itself implements [`Render`] directly; where the text also says
//! something that another question found (a hint, the tests that a suggestion breaks), a `...View`
//! holds both. A new format of an answer is one arm here and one function in the folder of its
//! kind. What makes an answer expensive (drawing, listing) is done by the arm that needs it.

use crate::check::Suite;
use crate::check::breaks::Broken;
use crate::check::export::Probe;
use crate::diff::Diff;
use crate::finding::{Finding, RuleInfo};
use crate::lint::{LINTS, Lint, Linted};
use crate::picture::DrawOptions;
use crate::picture::facts::Dns;
use crate::query::Answer;
use crate::query::Explanation;
use crate::query::explain::summary::Plain;
use crate::query::explain::why::Why;
use crate::query::list::listing::Filter;
use crate::query::list::matrix::Matrix;
use crate::query::list::potential_rows::PotentialRows;
use crate::query::suggest::assumed_pods::ProposedPods;
use crate::query::suggest::kind_rows::ProposedKind;
use crate::query::suggest::suggestion::Suggested;
use crate::render::ci::findings::CiFindings;
use crate::render::ci::{diff_findings, markdown, suite};
use crate::render::context::RenderContext;
use crate::render::data::critical as critical_data;
use crate::render::data::listing as listing_data;
use crate::render::data::questions::QuestionAnswers;
use crate::render::data::{
    check as check_data, csv, diff as diff_data, diff_csv, explain, findings,
};
use crate::render::data::{inputs as inputs_data, json, reach as reach_data, suggest, why};
use crate::render::format::{Format, Render, formats};
use crate::render::image::matrix::MatrixView;
pub use crate::render::pictures::GraphView;
use crate::render::report::audit::AuditReport;
use crate::render::report::{html, markdown as report_markdown};
pub use crate::render::search_views::{CriticalView, PathView, ReachView};
pub use crate::render::snapshot_answers::{DriftView, SnapshotView};
use crate::render::text::check::{self as check_text, SuiteRun};
use crate::render::text::diff as diff_text;
use crate::render::text::diff_context::{DiffContext, Remarks};
use crate::render::text::findings as findings_text;
use crate::render::text::fix::FixView;
use crate::render::text::fold::folded;
use crate::render::text::inputs as inputs_text;
use crate::render::text::proposals;
use crate::render::text::rules;
use crate::render::text::writer::TextWriter;
use std::borrow::Cow;

/// Most changes of one kind that the text of a diff prints unless it is verbose.
const SHOWN_CHANGES: usize = 30;

impl Render for Answer {
    formats! { |answer, context, out|
        Text => folded(context, out, |out| TextWriter::of(context).answer(answer, out)),
        Json => json::write("Answer", json::answer(*context, answer), out),
        Yaml => json::write_yaml("Answer", json::answer(*context, answer), out),
    }
}

/// An answer, and what lint says about the rule that decided it.
pub struct AnswerView<'a> {
    /// The answer.
    pub answer: &'a Answer,
    /// The hint, printed below the text.
    pub hint: Option<Finding>,
}

impl Render for AnswerView<'_> {
    formats! { |view, context, out|
        Text => folded(context, out, |out| {
            TextWriter::of(context).answer(view.answer, out)?;
            view.hint.iter().try_for_each(|f| TextWriter::of(context).hint(f, out))
        }),
        Json => view.answer.write(Format::Json, context, out),
        Yaml => view.answer.write(Format::Yaml, context, out),
    }
}

impl Render for QuestionAnswers {
    formats! { |answers, _context, out|
        Csv => csv::rows(answers.rows(), out),
        Json => json::write("Answers", answers, out),
    }
}

impl Render for Why {
    formats! { |why, context, out|
        Text => WhyView { why, breaks: &[] }.write(Format::Text, context, out),
        Json => WhyView { why, breaks: &[] }.write(Format::Json, context, out),
        Yaml => WhyView { why, breaks: &[] }.write(Format::Yaml, context, out),
    }
}

/// A full answer, and per pair the policy tests that its suggestion would break.
pub struct WhyView<'a> {
    /// The answer.
    pub why: &'a Why,
    /// The broken tests of each pair; empty if none were asked for.
    pub breaks: &'a [Vec<Broken>],
}

impl Render for WhyView<'_> {
    formats! { |view, context, out|
        Text => TextWriter::of(context).why(view.why, view.breaks, out),
        Json => json::write("Why", why::why(*context, view.why, view.breaks), out),
        Yaml => json::write_yaml("Why", why::why(*context, view.why, view.breaks), out),
    }
}

impl Render for Explanation {
    formats! { |explanation, context, out|
        Text => TextWriter::of(context).explanation(explanation, out),
        Json => json::write("Walk", why::walk(*context, explanation), out),
        Yaml => json::write_yaml("Walk", why::walk(*context, explanation), out),
    }
}

impl Render for Suggested {
    formats! { |suggested, context, out|
        Text => TextWriter::of(context).suggested(suggested, out),
        Json => json::write("Suggestion", suggest::json(&TextWriter::of(context), suggested, &[]), out),
    }
}

impl Render for ReachView<'_> {
    formats! { |view, context, out|
        Text => TextWriter::of(context).reach(view, out),
        Json => json::write("Reach", reach_data::reach(*context, view), out),
        Yaml => json::write_yaml("Reach", reach_data::reach(*context, view), out),
    }
}

impl Render for PathView<'_> {
    formats! { |view, context, out|
        Text => match view.hops {
            Some(hops) => TextWriter::of(context).shortest(view, hops, out),
            None => TextWriter::of(context).no_path(view.ends, out),
        },
        Json => json::write("Path", reach_data::path(*context, view), out),
        Yaml => json::write_yaml("Path", reach_data::path(*context, view), out),
    }
}

impl Render for CriticalView<'_> {
    formats! { |view, context, out|
        Text => TextWriter::of(context).critical(view, out),
        Json => json::write("Critical", critical_data::critical(*context, view), out),
        Yaml => json::write_yaml("Critical", critical_data::critical(*context, view), out),
    }
}

impl Render for Plain {
    formats! { |plain, context, out|
        Text => TextWriter::of(context).plain(plain, out),
        Json => json::write("Explanation", explain::plain(*context, plain), out),
        Yaml => json::write_yaml("Explanation", explain::plain(*context, plain), out),
    }
}

/// The allow-graph as a table, listed while it is written.
pub struct ListingView<'a> {
    /// What is listed.
    pub filter: &'a Filter,
    /// The source it is narrowed to, as it was written.
    pub from: Option<&'a str>,
    /// The destination it is narrowed to, as it was written.
    pub to: Option<&'a str>,
    /// The rows about pods that are not in the input, where they are wanted.
    pub potential: Option<&'a PotentialRows>,
}

impl Render for ListingView<'_> {
    formats! { |view, context, out|
        Text => folded(context, out, |out| TextWriter::of(context).whole_listing(view, out)),
        Json => json::write("List", listing_data::listing(*context, view.filter, view.potential), out),
        Yaml => json::write_yaml("List", listing_data::listing(*context, view.filter, view.potential), out),
        Csv => csv::listing(*context, view.filter, out),
        Md => TextWriter::of(context).listing_in_markdown(view.filter, out),
    }
}

impl Render for Matrix {
    formats! { |matrix, context, out|
        Text => MatrixView::of(context, matrix).text(context.style, context.width, out),
        Json => json::write("Matrix", MatrixView::of(context, matrix).json(), out),
        Yaml => json::write_yaml("Matrix", MatrixView::of(context, matrix).json(), out),
        Csv => MatrixView::of(context, matrix).csv(out),
        Html => MatrixView::of(context, matrix).html(out),
    }
}

/// A diff with everything its formats say. It is written with the context of the after side.
pub struct DiffView<'a> {
    /// What changes.
    pub diff: &'a Diff,
    /// The before side.
    pub before: RenderContext<'a>,
    /// What the two sides are called, such as `main..HEAD`; nothing if empty.
    pub label: &'a str,
    /// What follows from the changes.
    pub remarks: &'a Remarks,
    /// How pictures of it are drawn.
    pub options: DrawOptions,
    /// The pods that answer DNS queries, which pictures leave out.
    pub dns: &'a Dns,
    /// The page, where one was made.
    pub page: Option<&'a AuditReport<'a>>,
}

impl<'a> DiffView<'a> {
    fn contexts<'c>(&'c self, after: &'c RenderContext<'_>) -> DiffContext<'c>
    where
        'a: 'c,
    {
        DiffContext {
            before: self.before,
            after: *after,
            label: self.label,
            remarks: self.remarks,
        }
    }

    /// The changes as findings for CI systems.
    pub fn findings(&self, after: &RenderContext<'_>) -> CiFindings<'static> {
        CiFindings {
            findings: Cow::Owned(diff_findings::findings(self.contexts(after), self.diff)),
            rules: diff_findings::rules(),
        }
    }
}

impl Render for DiffView<'_> {
    formats! { |view, after, out|
        Text => {
            let shown = if after.verbose { usize::MAX } else { SHOWN_CHANGES };
            folded(after, out, |out| {
                diff_text::text(view.contexts(after), view.diff, after.style, shown, out)
            })
        },
        Json => json::write("Diff", diff_data::content(view.contexts(after), view.diff), out),
        Yaml => json::write_yaml("Diff", diff_data::content(view.contexts(after), view.diff), out),
        Csv => diff_csv::csv(view.contexts(after), view.diff, out),
        Md => markdown::diff(view.contexts(after), view.diff, out),
        Dot => view.drawing(after, false)?.write(Format::Dot, after, out),
        Svg => view.drawing(after, false)?.write(Format::Svg, after, out),
        Mermaid => view.drawing(after, true)?.write(Format::Mermaid, after, out),
        Html => match view.page {
            Some(page) => html::write(page, out),
            None => Err(std::io::Error::other("the page of this diff was not made")),
        },
        Sarif => view.findings(after).sarif(after, out),
        Github => view.findings(after).github(after, out),
        Gitlab => view.findings(after).gitlab(after, out),
    }
}

/// What lint found.
pub struct LintView<'a> {
    /// The findings, and what ran.
    pub linted: &'a Linted,
    /// How many findings a baseline left out.
    pub known: usize,
}

impl LintView<'_> {
    /// The findings for CI systems.
    pub fn findings(&self) -> CiFindings<'_> {
        CiFindings {
            findings: Cow::Borrowed(&self.linted.findings),
            rules: LINTS.iter().map(Lint::info).collect::<Vec<RuleInfo>>(),
        }
    }

    fn scope(&self, context: &RenderContext<'_>) -> findings_text::LintScope {
        let cluster = &context.input.cluster;
        findings_text::LintScope {
            policies: context.input.policies.policies.len(),
            workloads: cluster.workloads().len(),
            namespaces: cluster.namespaces().len(),
            ran: self.linted.ran,
            idle: self.linted.idle.len(),
            known: self.known,
        }
    }
}

impl Render for LintView<'_> {
    formats! { |view, context, out|
        Text => folded(context, out, |out| findings_text::write(
            &view.findings().set(context),
            &view.scope(context),
            &view.linted.hidden,
            (context.style, context.verbose),
            out,
        )),
        Json => json::write("Findings", findings::document(&view.findings().set(context)), out),
        Yaml => json::write_yaml("Findings", findings::document(&view.findings().set(context)), out),
        Csv => findings::csv(&view.findings().set(context), out),
        Md => view.findings().step_summary(context, out),
        Sarif => view.findings().sarif(context, out),
        Github => view.findings().github(context, out),
        Gitlab => view.findings().gitlab(context, out),
    }
}

impl Render for Lint {
    formats! { |lint, _context, out|
        Text => out.write_all(lint.page().as_bytes()),
    }
}

/// The list of all lint rules.
pub struct RuleIndex;

impl Render for RuleIndex {
    formats! { |_index, _context, out|
        Text => rules::index(out),
    }
}

impl Render for FixView<'_> {
    formats! { |view, _context, out|
        Text => view.text(out),
    }
}

/// Proposed pods to assume.
pub struct ProposedPodsView<'a>(pub &'a [ProposedPods]);

impl Render for ProposedPodsView<'_> {
    formats! { |view, _context, out|
        Yaml => proposals::assumptions(view.0, out),
    }
}

/// Proposed rows of the table of kinds.
pub struct ProposedKindsView<'a>(pub &'a [ProposedKind]);

impl Render for ProposedKindsView<'_> {
    formats! { |view, _context, out|
        Yaml => proposals::rows(view.0, out),
    }
}

/// The outcomes of policy tests.
pub struct TestsView<'a> {
    /// The files with their outcomes.
    pub runs: &'a [SuiteRun<'a>],
    /// Whether the text names the rules that no test exercises.
    pub coverage: bool,
}

impl TestsView<'_> {
    /// The tests that did not pass, as findings for CI systems.
    pub fn findings(&self, context: &RenderContext<'_>) -> CiFindings<'static> {
        CiFindings {
            findings: Cow::Owned(check_data::findings(*context, self.runs)),
            rules: check_data::rules(),
        }
    }
}

impl Render for TestsView<'_> {
    formats! { |view, context, out|
        Text => folded(context, out, |out| {
            check_text::text(*context, view.runs, view.coverage, context.style, out)
        }),
        Json => json::write("Tests", check_data::json(*context, view.runs), out),
        Yaml => json::write_yaml("Tests", check_data::json(*context, view.runs), out),
        Csv => check_data::write_csv(*context, view.runs, out),
        Md => check_data::markdown(*context, view.runs, out),
        Junit => check_data::junit(*context, view.runs, out),
        Tap => check_data::tap(*context, view.runs, out),
        Sarif => view.findings(context).sarif(context, out),
        Github => view.findings(context).github(context, out),
        Gitlab => view.findings(context).gitlab(context, out),
    }
}

impl Render for Suite {
    formats! { |suite, _context, out|
        Yaml => suite::tests(suite, out),
    }
}

/// Policy tests as probes that netassert runs in a live cluster.
pub struct ProbesView<'a> {
    /// The probes.
    pub probes: &'a [Probe],
}

impl Render for ProbesView<'_> {
    formats! { |view, context, out|
        Yaml => suite::netassert(&context.input.cluster, view.probes, out),
    }
}

/// What was read, assumed and left out.
pub struct InputsView;

impl Render for InputsView {
    formats! { |_view, context, out|
        Text => folded(context, out, |out| {
            inputs_text::inputs(context.input, context.graph, context.verbose, out)
        }),
        Json => json::write("Inputs", inputs_data::inputs(*context), out),
        Yaml => json::write_yaml("Inputs", inputs_data::inputs(*context), out),
    }
}

impl Render for AuditReport<'_> {
    formats! { |report, _context, out|
        Md => report_markdown::write(report, out),
        Html => html::write(report, out),
        Csv => match &report.controls {
            Some(controls) => csv::rows(controls.table(&report.context), out),
            None => csv::listing(report.context, &Filter::default(), out),
        },
    }
}
