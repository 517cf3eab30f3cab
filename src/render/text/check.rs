//! Outcomes of policy tests for people, and the words every other format of them shares.
//!
//! Each failure names one flow or path, the rules that decide it and where they stand ([`reason`]);
//! text, `JUnit`, TAP, Markdown and findings print the same lines.

use crate::check::coverage::coverage;
use crate::check::{Cut, Example, Outcome, Run, Status, Suite};
use crate::config::Level;
use crate::model::Truth;
use crate::policy::{Direction, RuleRef};
use crate::query::ask::via_service::{ViaService, explain_led};
use crate::query::explain::explanation::Reason;
use crate::render::context::RenderContext;
use crate::render::context::Style;
use crate::render::text::check_flows::{CLOSED, affected, flow, flow_with, potential};
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::source::Location;
use crate::spec::{Endpoint, Flow};
use crate::words::plural;
use std::io::{self, Write};

/// A suite with its outcomes.
pub type SuiteRun<'a> = (&'a Suite, Run<'a>);

/// How often each status occurs; a failed test that is no error counts as a warning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TestCounts {
    /// Passed.
    pub passed: usize,
    /// Failed or empty.
    pub failed: usize,
    /// Failed or empty, but no error.
    pub warned: usize,
    /// Undecided.
    pub undecided: usize,
}

/// Counts the outcomes.
pub fn counts(ran: &[SuiteRun<'_>]) -> TestCounts {
    let mut counts = TestCounts::default();
    for outcome in ran.iter().flat_map(|(_, run)| &run.outcomes) {
        match outcome.status {
            Status::Passed => counts.passed += 1,
            Status::Undecided => counts.undecided += 1,
            _ if outcome.fails() => counts.failed += 1,
            Status::Failed | Status::Empty => counts.warned += 1,
        }
    }
    counts
}

/// The word of an outcome.
pub fn word(outcome: &Outcome<'_>) -> &'static str {
    match (outcome.status, outcome.test.severity) {
        (Status::Passed, _) => "ok",
        (Status::Failed, Level::Error) => "FAIL",
        (Status::Failed, _) => "WARN",
        (Status::Empty, _) => "EMPTY",
        (Status::Undecided, _) => "UNDECIDED",
    }
}

/// The place of a test, as people look it up.
pub fn place(at: &Location) -> String {
    words::clean(&at.to_string()).into_owned()
}

/// The rule that decides a flow, or why none does, with its place.
fn decided(
    context: RenderContext<'_>,
    of: &Flow,
    led: Option<ViaService>,
) -> (String, Option<Location>) {
    let told = explain_led(context.graph, led, of);
    if let Some(led) = told.led {
        return (crate::render::text::via_service::sentence(led, true), None);
    }
    let denied = told.sides().into_iter().find(|s| !s.allowed.possible());
    let side = denied
        .or_else(|| told.sides().into_iter().find(|s| s.allowed != Truth::Yes))
        .unwrap_or(match (told.ingress.decided_by, told.egress.decided_by) {
            (None, Some(_)) => &told.egress,
            _ => &told.ingress,
        });
    let policies = &context.graph.environment().policies;
    match (side.decided_by, side.reason) {
        (Some(at), _) => cite(context, at),
        _ if side.allowed == Truth::Maybe => (told.reason().code().to_owned(), None),
        (None, Reason::AllowDefault) if matches!(of.destination, Endpoint::Address(_)) => {
            ("open workload: no egress policy".into(), None)
        }
        (None, Reason::AllowDefault) if side.direction == Direction::Ingress => {
            ("open workload: no ingress policy".into(), None)
        }
        (None, Reason::DenyNoRules | Reason::DenyNoRuleMatches | Reason::DenyPort) => {
            let way = if side.direction == Direction::Ingress {
                "in"
            } else {
                "out"
            };
            let names: Vec<String> = side
                .isolated_by
                .iter()
                .map(|p| words::policy(context.graph, *p))
                .collect();
            let near = side.near.as_ref().map(|n| n.at);
            let at = near.map(|at| policies.get(at.policy).origin(at));
            let at = at.or_else(|| {
                side.isolated_by
                    .first()
                    .map(|p| policies.get(*p).subject_origin())
            });
            let location = at.and_then(|origin| context.locator.locate(&origin));
            (
                format!("blocked on the way {way} by {}", names.join(", ")),
                location,
            )
        }
        (None, reason) => (reason.code().to_owned(), None),
    }
}

fn cite(context: RenderContext<'_>, at: RuleRef) -> (String, Option<Location>) {
    let short = RuleRef { port: None, ..at };
    (
        words::rule(context.graph, short),
        context.locator.locate(
            &context
                .graph
                .environment()
                .policies
                .get(at.policy)
                .origin(short),
        ),
    )
}

/// Why a test did not pass, line by line, and the places the lines point at.
pub fn reason(
    context: RenderContext<'_>,
    outcome: &Outcome<'_>,
) -> Vec<(String, Option<Location>)> {
    let cluster = &context.graph.environment().cluster;
    match &outcome.example {
        None => Vec::new(),
        Some(Example::Flow {
            flow: shown,
            wanted,
            asked,
            led,
        }) => {
            let (why, at) = decided(context, shown, *led);
            let traffic = affected(context, shown, asked, *wanted, *led);
            let is = match (outcome.status, wanted) {
                (Status::Undecided, _) => "is unknown",
                (_, true) => "is not allowed",
                (_, false) => "is allowed",
            };
            let flow = flow_with(context, shown, &traffic);
            vec![(format!("{flow} {is}: {why}"), at)]
        }
        Some(Example::Potential(hops)) => potential(hops, outcome.status),
        Some(Example::PotentialOpen(pods, direction)) => {
            let (pods, way) = (words::clean(pods), direction.name());
            let is = match outcome.status {
                Status::Undecided => "it is not known whether policies isolate",
                _ => "no policy isolates",
            };
            let beyond = format!("and not all of these pods are in the input {CLOSED}");
            vec![(format!("{is} {pods} for {way}, {beyond}"), None)]
        }
        Some(Example::Path { hops, cut, pairs }) => path(context, hops, cut, *pairs),
        Some(Example::Open(id, direction)) => {
            let name = words::clean(&cluster.workload_name(*id)).into_owned();
            vec![(
                format!("{name} is not isolated for {}", direction.name()),
                context.locator.locate(&cluster.workload(*id).origin),
            )]
        }
        Some(Example::NoPolicy(id, direction)) => {
            let name = words::clean(&cluster.namespace(*id).name);
            vec![(
                format!(
                    "namespace {name} has no policy that selects every pod and denies {}",
                    direction.name()
                ),
                None,
            )]
        }
        Some(Example::Lines(lines)) => {
            let shown = lines
                .iter()
                .take(10)
                .map(|l| (words::clean(l).into_owned(), None));
            let more = (lines.len() > 10).then(|| {
                (
                    format!("and {}", plural(lines.len() - 10, "more line")),
                    None,
                )
            });
            shown.chain(more).collect()
        }
        Some(Example::Text(text)) if outcome.status == Status::Empty => {
            vec![(
                format!("{}: fails unless allow-empty", words::clean(text)),
                None,
            )]
        }
        Some(Example::Text(text)) => vec![(words::clean(text).into_owned(), None)],
    }
}

fn path(
    context: RenderContext<'_>,
    hops: &[Flow],
    cut: &[Cut],
    pairs: usize,
) -> Vec<(String, Option<Location>)> {
    let mut lines = vec![(format!("path of {}:", plural(hops.len(), "hop")), None)];
    for hop in hops {
        let (why, at) = decided(context, hop, None);
        lines.push((format!("  {}   {why}", flow(context, hop)), at));
    }
    let cluster = &context.graph.environment().cluster;
    let namespaces: std::collections::BTreeSet<String> = cut
        .iter()
        .filter(|c| c.open)
        .map(|c| {
            words::clean(
                &cluster
                    .namespace(cluster.workload(c.workload).namespace)
                    .name,
            )
            .into_owned()
        })
        .collect();
    let mut ways: Vec<String> = Vec::new();
    if !namespaces.is_empty() {
        let list = namespaces.into_iter().collect::<Vec<_>>();
        let word = if list.len() == 1 {
            "namespace"
        } else {
            "namespaces"
        };
        ways.push(format!(
            "a default deny for ingress in {word} {}",
            list.join(" and ")
        ));
    }
    let governed: Vec<String> = cut
        .iter()
        .filter(|c| !c.open)
        .map(|c| words::clean(&cluster.workload_name(c.workload)).into_owned())
        .collect();
    if !governed.is_empty() {
        ways.push(format!(
            "tighter ingress rules of {}",
            governed.join(" and ")
        ));
    }
    if !ways.is_empty() {
        let cuts = plural(pairs, "source");
        lines.push((
            format!(
                "break it at any arrow; cheapest: {} (cuts off {cuts})",
                ways.join(", and ")
            ),
            None,
        ));
    }
    lines
}

/// What to add so that a failed test holds, line by line: where to, and the YAML, indented.
pub fn remedy(context: RenderContext<'_>, outcome: &Outcome<'_>) -> Vec<String> {
    let text = TextWriter {
        context,
        style: Style::default(),
        width: 100,
    };
    let wanted = matches!(outcome.example, Some(Example::Flow { wanted: true, .. }));
    let mut lines = Vec::new();
    for (i, change) in outcome.remedy.iter().enumerate() {
        let lead = match (i, wanted) {
            (0, true) => "to allow this flow and nothing else, add",
            (0, false) => "with this the test holds: add",
            _ => "and add",
        };
        lines.push(format!("{lead} {}:", text.target(change)));
        lines.extend(
            text.addition(change)
                .into_iter()
                .map(|l| format!("    {l}")),
        );
    }
    lines
}

/// The outcomes file by file, and the counts.
///
/// # Errors
/// When the writer fails.
pub fn text(
    context: RenderContext<'_>,
    ran: &[SuiteRun<'_>],
    uncovered: bool,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (suite, run) in ran {
        writeln!(out, "{}", words::clean(&suite.file))?;
        for outcome in &run.outcomes {
            one(context, outcome, style, out)?;
        }
    }
    let counts = counts(ran);
    let total = counts.passed + counts.failed + counts.warned + counts.undecided;
    write!(out, "{} failed, {} passed", counts.failed, counts.passed)?;
    for (n, word) in [(counts.warned, "warned"), (counts.undecided, "undecided")] {
        if n > 0 {
            write!(out, ", {n} {word}")?;
        }
    }
    write!(out, ", {total} total. ")?;
    let exercised = ran
        .iter()
        .flat_map(|(_, r)| r.exercised.iter().copied())
        .collect();
    let covered = coverage(&context.graph.environment().policies, &exercised);
    let rules = covered.exercised.len() + covered.rest.len();
    write!(
        out,
        "{} of {} exercised by a test",
        covered.exercised.len(),
        plural(rules, "policy rule")
    )?;
    if uncovered {
        writeln!(
            out,
            "{}",
            if covered.rest.is_empty() {
                ""
            } else {
                "; not exercised:"
            }
        )?;
        for at in &covered.rest {
            let origin = context
                .graph
                .environment()
                .policies
                .get(at.policy)
                .origin(*at);
            let place = context
                .locator
                .locate(&origin)
                .map(|l| place(&l))
                .unwrap_or_default();
            writeln!(out, "  {}   {place}", words::rule(context.graph, *at))?;
        }
        return Ok(());
    }
    writeln!(
        out,
        "{}",
        if covered.rest.is_empty() {
            ""
        } else {
            "; not exercised: netpal test --coverage"
        }
    )
}

fn one(
    context: RenderContext<'_>,
    outcome: &Outcome<'_>,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let code = match word(outcome) {
        "ok" => "1;32",
        "WARN" => "1;33",
        "UNDECIDED" => "1;35",
        _ => "1;31",
    };
    let word = style.paint(code, &format!("{:<5}", word(outcome)));
    let name = words::clean(&outcome.test.name);
    if outcome.status == Status::Passed {
        return writeln!(out, "  {word} {name}");
    }
    writeln!(out, "  {word} {name:<60}   {}", place(&outcome.test.at))?;
    for (line, at) in reason(context, outcome) {
        let at = at.map(|l| format!("   {}", place(&l))).unwrap_or_default();
        writeln!(out, "        {line}{at}")?;
    }
    remedy(context, outcome)
        .iter()
        .try_for_each(|line| writeln!(out, "        {line}"))
}
