//! Every answer in every one of its formats: the golden test of a format appears when the format is
//! offered.
//!
//! The answers are about the demo, and about an edit of it. A format that an answer does not offer
//! is an error. Pages and SVG have tests of their own, which look at what they show.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use common::golden;
use netpal::{
    AllowGraph, Answer, AnswerView, CompileOptions, Context, DetailLevel, DiffRemarks, DiffSide,
    DiffView, DoorList, DrawOptions, Endpoint, Finding, Flow, Format, GraphView, Input, InputsView,
    Lint, LintConfig, LintView, ListFilter, ListingView, Locator, MatrixBy, PathView, PictureFacts,
    ReachView, RenderContext, Report, RuleIndex, Snapshot, SnapshotView, Summary, Surroundings,
    TestEnvironment, TestsView, WhyView, render,
};

/// The demo, and the demo with the dash taken away that makes two peers of one.
const FILES: [&str; 4] = ["data.yaml", "dev.yaml", "platform.yaml", "shop.yaml"];
const DASH: &str = "    - podSelector: {matchLabels: {app: checkout}}";

struct State {
    input: Input,
    graph: AllowGraph,
}

impl State {
    fn new(edit: impl Fn(String) -> String) -> Self {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
        let texts = FILES.map(|name| std::fs::read_to_string(folder.join(name)).unwrap());
        let input = netpal::load_str(&edit(texts.join("---\n")));
        let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        Self { input, graph }
    }

    fn side(&self) -> DiffSide<'_> {
        DiffSide {
            input: &self.input,
            graph: &self.graph,
        }
    }
}

/// Formats whose bytes are looked at elsewhere.
const ELSEWHERE: [Format; 2] = [Format::Html, Format::Svg];

/// Longer documents are looked at elsewhere: SARIF holds the page of every rule.
const LONG: usize = 50_000;

/// Writes an answer in all formats there are, and compares those it has.
fn every_format<'a>(name: &str, answer: impl Into<Report<'a>>, context: &RenderContext<'_>) {
    every_format_but(&[], name, answer, context);
}

fn every_format_but<'a>(
    left_out: &[Format],
    name: &str,
    answer: impl Into<Report<'a>>,
    context: &RenderContext<'_>,
) {
    let report = answer.into();
    assert!(!report.formats().is_empty(), "{name} has a format");
    for (format, word) in Format::ALL.iter().filter(|row| !left_out.contains(&row.0)) {
        let format = *format;
        let mut bytes = Vec::new();
        let written = render(&report, format, context, &mut bytes);
        if !report.formats().contains(&format) {
            let error = written.unwrap_err();
            assert_eq!(
                error.kind(),
                std::io::ErrorKind::Unsupported,
                "{name} {word}"
            );
            assert!(
                bytes.is_empty(),
                "{name} {word}: nothing is written before the error"
            );
            continue;
        }
        written.unwrap_or_else(|e| panic!("{name} {word}: {e}"));
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.ends_with('\n'), "{name} {word} ends with a line");
        if !ELSEWHERE.contains(&format) && text.len() < LONG {
            golden().bind(|| insta::assert_snapshot!(format!("format-{name}-{word}"), text));
        }
    }
}

fn answer(state: &State, question: &str) -> Answer {
    netpal::ask(
        &state.graph,
        &Context::default(),
        &question.parse().unwrap(),
    )
    .unwrap()
}

#[test]
fn every_answer_has_its_formats_and_no_other() {
    let state = State::new(|text| text);
    let locator = Locator::new(&state.input.sources);
    let context = RenderContext::new(&state.input, &state.graph, &locator);
    let asked = answer(&state, "dev/runner reach database:5432");
    every_format("answer", &asked, &context);
    let hinted = AnswerView {
        answer: &asked,
        hint: Some(Finding::new(
            "NP000",
            "a-hint",
            netpal::Place::Input,
            "hint",
        )),
    };
    every_format("answer-hint", hinted, &context);
    let question = "dev/runner reach database:5432".parse().unwrap();
    let why = netpal::why(&state.graph, &Context::default(), &question).unwrap();
    every_format(
        "why",
        WhyView {
            why: &why,
            breaks: &[],
        },
        &context,
    );
    every_format(
        "explanation",
        asked.pairs[0].explain(&state.graph),
        &context,
    );
    let suggested = netpal::suggest(&state.input, &state.graph, &asked.pairs[0]);
    every_format("suggestion", &suggested, &context);
    let policy = state.input.policies.iter().next().unwrap().0;
    let summary = Summary::Policy(netpal::summarize_policy(&state.graph, policy));
    every_format("summary", &summary, &context);
    every_format(
        "matrix",
        netpal::matrix(&state.graph, MatrixBy::Namespace),
        &context,
    );
    let filter = ListFilter::default();
    let listing = ListingView {
        potential: None,
        filter: &filter,
        from: None,
        to: None,
    };
    every_format("listing", listing, &context);
    every_format("inputs", InputsView, &context);
    every_format("rules", RuleIndex, &context);
    every_format("rule", Lint::find("NP004").unwrap(), &context);
    let snapshot = Snapshot::new(&state.graph);
    let view = SnapshotView {
        snapshot: &snapshot,
        cni: "generic",
    };
    every_format("snapshot", view, &context);
}

#[test]
fn every_search_and_picture_has_its_formats_and_no_other() {
    let state = State::new(|text| text);
    let locator = Locator::new(&state.input.sources);
    let context = RenderContext::new(&state.input, &state.graph, &locator);
    let asked = answer(&state, "shop/frontend reach database:5432");
    let Flow {
        source: Endpoint::Pod(from),
        destination: Endpoint::Pod(to),
        ..
    } = asked.pairs[0].example
    else {
        panic!("a pair of pods")
    };
    let reach = state.graph.query_from([Endpoint::Pod(from)]).resolve();
    let view = ReachView {
        reach: &reach,
        root: "shop/frontend",
        exposure: &[],
        doors: None,
        chokepoints: &[],
    };
    every_format("reach", view, &context);
    let all = netpal::TrafficSet::all();
    let exposure = netpal::exposure(&state.input, &state.graph, to, &all).unwrap();
    let reach = state.graph.query_to([Endpoint::Pod(to)]).resolve();
    let view = ReachView {
        reach: &reach,
        root: "data/database",
        exposure: &exposure,
        doors: None,
        chokepoints: &[],
    };
    every_format("who", view, &context);
    let view = PathView {
        ends: ["shop/frontend", "data/database"],
        hops: None,
        certain: false,
        door: None,
        chokepoints: &[],
    };
    every_format("path", view, &context);
    let facts = PictureFacts::new(
        &state.graph,
        &Context::default().dns,
        Surroundings::default(),
    );
    let options = DrawOptions {
        level: DetailLevel::Namespace,
        ..DrawOptions::default()
    };
    let view = GraphView {
        facts: &facts,
        options: &options,
    };
    every_format("graph", view, &context);
}

#[test]
fn every_judgement_has_its_formats_and_no_other() {
    let (before, after) = (
        State::new(|text| text),
        State::new(|text| text.replace(DASH, &DASH.replace('-', " "))),
    );
    let locators = [&before, &after].map(|s| Locator::new(&s.input.sources));
    let old = RenderContext::new(&before.input, &before.graph, &locators[0]);
    let new = RenderContext::new(&after.input, &after.graph, &locators[1]);
    let linted = netpal::lint(&before.input, &before.graph, &LintConfig::default());
    let view = LintView {
        linted: &linted,
        known: 0,
    };
    every_format("lint", view, &old);
    let tests = "version: 1\ntests:\n- {name: one, can: shop/checkout -> data/database:5432}\n\
                 - {name: other, cannot: shop/checkout -> data/database:5432}\n";
    let suite = netpal::parse_tests("tests.yaml", tests).unwrap();
    let none = |_: &str| Ok(Vec::new());
    let environment = TestEnvironment {
        context: &Context::default(),
        snapshot: &none,
        doors: &|| Ok(DoorList::default()),
    };
    let runs = [(&suite, netpal::check(&before.graph, &environment, &suite))];
    let view = TestsView {
        runs: &runs,
        coverage: true,
    };
    every_format("tests", view, &old);
    every_format("suite", &suite, &old);
    let diff = netpal::diff(before.side(), after.side());
    let remarks = DiffRemarks::default();
    let view = DiffView {
        diff: &diff,
        before: old,
        label: "before..after",
        remarks: &remarks,
        options: DrawOptions::default(),
        dns: &Context::default().dns,
        page: None,
    };
    // the page is made by the caller, who knows what lint and the tests say
    assert!(render(&(&view).into(), Format::Html, &new, &mut Vec::new()).is_err());
    every_format_but(&[Format::Html], "diff", &view, &new);
}
