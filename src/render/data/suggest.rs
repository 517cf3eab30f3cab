//! Suggestions for programs: the objects to add and where, or what prevents it.

use crate::check::breaks::Broken;
use crate::query::suggest::suggestion::{Obstacle, Suggested};
use crate::query::suggest::trial::{Addition, AdditionPlace, list};
use crate::render::context::RenderContext;
use crate::render::data::diff;
use crate::render::data::json::{PlaceJson, PolicyName, RuleRefJson, at, rule};
use crate::render::text::writer::TextWriter;
use crate::source::Origin;
use schemars::JsonSchema;
use serde::Serialize;

/// A suggestion for programs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SuggestedJson {
    /// `none` (allowed already), `changes` or `impossible`.
    pub kind: &'static str,
    /// What to add; applied and compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<AdditionJson>,
    /// What prevents it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<ObstacleJson>,
    /// Configured tests that hold now and would not with the additions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<diff::BrokenJson>,
}

/// One addition.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AdditionJson {
    /// `egress` or `ingress`.
    pub direction: &'static str,
    /// `rule`, `port` or `policy`.
    pub add: &'static str,
    /// The policy it is added to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyName>,
    /// The list it is added to: `spec.ingress`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The place of that list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceJson>,
    /// What is added.
    pub content: serde_json::Value,
}

/// One obstacle.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ObstacleJson {
    /// What kind.
    pub kind: &'static str,
    /// The rule that has to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleRefJson>,
    /// In words.
    pub text: String,
}

/// A suggestion as a document's part.
pub fn json(text: &TextWriter<'_>, suggested: &Suggested, broken: &[Broken]) -> SuggestedJson {
    let (kind, changes, obstacles): (_, &[Addition], &[Obstacle]) = match suggested {
        Suggested::Nothing => ("none", &[], &[]),
        Suggested::Changes(changes) => ("changes", changes, &[]),
        Suggested::Impossible(obstacles) => ("impossible", &[], obstacles),
    };
    SuggestedJson {
        kind,
        changes: changes.iter().map(|c| change(text.context, c)).collect(),
        obstacles: obstacles.iter().map(|o| obstacle(text, o)).collect(),
        breaks: broken.iter().map(diff::broken).collect(),
    }
}

pub(crate) fn change(context: RenderContext<'_>, change: &Addition) -> AdditionJson {
    let (add, id) = match &change.place {
        AdditionPlace::Rule(id) => ("rule", Some(*id)),
        AdditionPlace::Port(rule) => ("port", Some(rule.policy)),
        AdditionPlace::Policy { .. } => ("policy", None),
    };
    let policy = id.map(|id| context.graph.environment().policies.get(id));
    let path = policy.map(|p| list(p, change));
    AdditionJson {
        direction: change.direction.name(),
        add,
        policy: id.map(|id| crate::render::data::json::policy(context, id)),
        at: policy
            .zip(path.clone())
            .and_then(|(p, path)| at(context, &Origin::new(p.document, path))),
        path: path.map(|p| p.to_string()),
        content: change.content.clone(),
    }
}

fn obstacle(text: &TextWriter<'_>, obstacle: &Obstacle) -> ObstacleJson {
    let (kind, blamed) = match obstacle {
        Obstacle::Admin(at) => ("admin-rule", Some(*at)),
        Obstacle::Baseline(at) => ("baseline-rule", Some(*at)),
        Obstacle::Unknown(..) => ("unknown", None),
        Obstacle::HostNetwork(_) => ("hostnetwork", None),
        Obstacle::Unlabelled(_) => ("no-labels", None),
        Obstacle::Turns(_) => ("turns-another-flow", None),
        Obstacle::TooWide => ("too-wide", None),
        Obstacle::NotEnough(_) => ("not-enough", None),
    };
    ObstacleJson {
        kind,
        rule: blamed.map(|at| rule(text.context, at)),
        text: text.obstacle(obstacle),
    }
}
