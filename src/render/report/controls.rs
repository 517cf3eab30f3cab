//! The controls of an audit as rows: one for each fact that decides, the same in every form of the
//! report. What they come to is decided in `src/audit`.

use crate::audit::{
    Assessment, AuditScope, Bearing, Control, ControlResult, DecidedBy, Fact, Profile,
};
use crate::diagnostic::Place;
use crate::policy::PolicyId;
use crate::render::context::RenderContext;
use crate::render::words;
use crate::source::Origin;

/// The controls of one standard, assessed.
#[derive(Debug, Clone)]
pub struct AuditedControls {
    /// The standard.
    pub profile: Profile,
    /// What they were assessed on.
    pub scope: AuditScope,
    /// The controls.
    pub assessments: Vec<Assessment>,
}

/// The columns of the rows.
pub(crate) const HEAD: [&str; 6] = [
    "control",
    "requirement",
    "scope",
    "result",
    "bearing",
    "because",
];

/// What results mean, said below them.
pub(crate) const LEGEND: &str = "Met: everything that the control asks is in the input, and nothing that it depends on is unknown. \
    Partly: it holds for a part; the rest is named. Not met: the input shows that it does not hold. \
    Not assessable: the input does not show it. Untrusted is the internet; private addresses are taken to be one's own. \
    All of it is evidence of design, not of enforcement.";

/// A reason for a result: how it bears on it, and a sentence.
pub(crate) struct Because {
    pub(crate) bearing: &'static str,
    pub(crate) text: String,
}

impl AuditedControls {
    /// What the scope is called, cleaned.
    pub(crate) fn scope_title(&self) -> String {
        words::clean(&self.scope.title()).into_owned()
    }

    /// The rows below the names of their columns.
    pub(crate) fn table(&self, context: &RenderContext<'_>) -> Vec<Vec<String>> {
        let head = HEAD.map(str::to_owned).to_vec();
        let rows = self
            .rows(context, usize::MAX)
            .into_iter()
            .map(|row| row.to_vec());
        std::iter::once(head).chain(rows).collect()
    }

    /// The rows: a line for each fact of each control, of which so many are told at most.
    pub(crate) fn rows(&self, context: &RenderContext<'_>, most: usize) -> Vec<[String; 6]> {
        let scope = self.scope_title();
        let mut rows = Vec::new();
        for assessment in &self.assessments {
            let Control { id, asks, .. } = assessment.control;
            let result = assessment.result.word();
            for because in reasons(assessment, context, most) {
                let bearing = because.bearing;
                let cells = [id, asks, scope.as_str(), result, bearing].map(str::to_owned);
                let [id, asks, scope, result, bearing] = cells;
                rows.push([id, asks, scope, result, bearing, because.text]);
            }
        }
        rows
    }
}

/// What decides a result, the worst first and so many facts at most, and at the end what would
/// settle it.
pub(crate) fn reasons(
    assessment: &Assessment,
    context: &RenderContext<'_>,
    most: usize,
) -> Vec<Because> {
    let Control { beyond, settle, .. } = assessment.control;
    let facts = assessment.facts.iter().take(most);
    let mut reasons: Vec<Because> = facts
        .map(|fact| Because {
            bearing: fact.bearing.word(),
            text: sentence(fact, context),
        })
        .collect();
    if let Some(next) = assessment.facts.get(most) {
        reasons.push(Because {
            bearing: next.bearing.word(),
            text: format!(
                "and {} more, each by name: netpal report -o csv with the same profile and scope",
                assessment.facts.len() - most
            ),
        });
    }
    let has = |bearing| assessment.facts.iter().any(|f: &Fact| f.bearing == bearing);
    let is_open =
        has(Bearing::Unknown) || !settle.is_empty() && (has(Bearing::Review) || has(Bearing::Part));
    let settle = match *settle {
        "" => "what is unknown above: `netpal why` tells what would decide it",
        told => told,
    };
    if assessment.result == ControlResult::Met {
        return reasons;
    }
    if reasons.is_empty() && beyond.is_empty() {
        reasons.push(Because {
            bearing: Bearing::Unknown.word(),
            text: "nothing in scope speaks to it".into(),
        });
    }
    if !beyond.is_empty() {
        reasons.push(Because {
            bearing: "not in the input",
            text: (*beyond).into(),
        });
    }
    if is_open || !beyond.is_empty() {
        reasons.push(Because {
            bearing: "to settle",
            text: settle.into(),
        });
    }
    reasons
}

/// A fact with what decides it, and where that stands.
fn sentence(fact: &Fact, context: &RenderContext<'_>) -> String {
    let mut by: Vec<String> = fact
        .deciding
        .iter()
        .map(|by| decided(by, context))
        .collect();
    by.retain(|text| !text.is_empty());
    by.sort();
    by.dedup();
    let text = words::clean(&fact.text);
    if by.is_empty() {
        text.into_owned()
    } else {
        format!("{text}: {}", by.join(", "))
    }
}

fn decided(by: &DecidedBy, context: &RenderContext<'_>) -> String {
    let policies = &context.graph.environment().policies;
    let origin_of = |id: PolicyId| Origin::document(policies.get(id).document);
    match by {
        DecidedBy::Rule(at) => {
            let origin = policies.get(at.policy).origin(*at);
            named(&words::cited(context.graph, *at), &origin, context)
        }
        DecidedBy::Policy(id) => {
            let name = words::policy(context.graph, *id);
            named(&name, &origin_of(*id), context)
        }
        DecidedBy::At(Place::Origin(origin)) => place(origin, context),
        DecidedBy::At(Place::At(location)) => words::clean(&location.to_string()).into_owned(),
        DecidedBy::At(Place::Input) => String::new(),
    }
}

fn named(name: &str, origin: &Origin, context: &RenderContext<'_>) -> String {
    match place(origin, context) {
        at if at.is_empty() => format!("policy {name}"),
        at => format!("policy {name} ({at})"),
    }
}

fn place(origin: &Origin, context: &RenderContext<'_>) -> String {
    let at = context.locator.locate(origin);
    at.map_or_else(String::new, |at| words::clean(&at.to_string()).into_owned())
}
