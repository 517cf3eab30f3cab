//! What would let a flow through, for people and for programs: the YAML to add and where, or what
//! stands in the way.

use crate::check::breaks::Broken;
use crate::policy::{Direction, PolicyId, RuleRef};
use crate::query::suggest::suggestion::{Obstacle, Suggested};
use crate::query::suggest::trial::{Change, Place, Turned, list};
use crate::render::data::diff;
use crate::render::data::json::{At, Rule, at, rule};
use crate::render::text::snippet;
use crate::render::text::snippet::Style;
use crate::render::text::writer::Text;
use crate::render::{RenderContext, words};
use crate::source::Origin;
use crate::spec::Flow;
use schemars::JsonSchema;
use serde::Serialize;
use std::io::{self, Write};

impl Text<'_> {
    /// The suggestion for one pair.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn suggested(&self, suggested: &Suggested, out: &mut dyn Write) -> io::Result<()> {
        match suggested {
            Suggested::Nothing => {
                self.paragraph("", "it is allowed already: there is nothing to add", out)
            }
            Suggested::Changes(changes) => self.changes(changes, out),
            Suggested::Impossible(obstacles) => {
                self.paragraph(
                    "",
                    "nothing that netpal could add allows exactly this:",
                    out,
                )?;
                obstacles
                    .iter()
                    .try_for_each(|o| self.paragraph("- ", &self.obstacle(o), out))
            }
        }
    }

    pub(crate) fn paragraph(
        &self,
        bullet: &str,
        text: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let lines =
            crate::render::text::tree::wrap(text, self.width.saturating_sub(2 + bullet.len()));
        for (i, line) in lines.iter().enumerate() {
            let hang = " ".repeat(bullet.len());
            writeln!(out, "  {}{line}", if i == 0 { bullet } else { &hang })?;
        }
        Ok(())
    }

    fn changes(&self, changes: &[Change], out: &mut dyn Write) -> io::Result<()> {
        for (i, change) in changes.iter().enumerate() {
            let lead = match (i, changes.len()) {
                (0, 1) => "to allow exactly this flow, add",
                (0, _) => "to allow exactly this flow, both sides have to change; add",
                _ => "and add",
            };
            self.paragraph("", &format!("{lead} {}:", self.target(change)), out)?;
            for line in self.addition(change) {
                writeln!(out, "      {}", self.style.paint("32", &line))?;
            }
        }
        self.paragraph(
            "",
            "netpal has tried it: what was asked turns yes, and no other verdict changes",
            out,
        )
    }

    /// An addition as YAML, without indentation.
    pub(crate) fn addition(&self, change: &Change) -> Vec<String> {
        let is_item = !matches!(change.place, Place::Policy { .. });
        snippet::lines(&change.content, is_item, self.style_of(change))
    }

    /// To what something is added: `to data/allow-metrics (data.yaml:60)`.
    pub(crate) fn target(&self, change: &Change) -> String {
        let place = |id: PolicyId| {
            let policy = self.book.graph.environment().policies.get(id);
            self.place(&Origin::new(policy.document, list(policy, change)))
        };
        match &change.place {
            Place::Rule(id) => format!(
                "to {} ({})",
                words::policy(self.book.graph, *id),
                place(*id)
            ),
            Place::Port(rule) => {
                format!(
                    "to the ports of {} ({})",
                    words::rule(self.book.graph, *rule),
                    place(rule.policy)
                )
            }
            Place::Policy { namespace, .. } if namespace.is_empty() => {
                "this cluster-wide policy".to_owned()
            }
            Place::Policy { namespace, .. } => {
                format!("this policy to namespace {}", words::clean(namespace))
            }
        }
    }

    /// The style of the policy that is extended: long where its selectors are.
    fn style_of(&self, change: &Change) -> Style {
        let id = match &change.place {
            Place::Rule(id) => *id,
            Place::Port(rule) => rule.policy,
            Place::Policy { .. } => return Style::Short,
        };
        let document = self.book.graph.environment().policies.get(id).document;
        let text = self
            .book
            .input
            .sources
            .chunk(document)
            .map(|(_, text)| text)
            .unwrap_or_default();
        let (short, long) = (text.contains("elector: {"), text.contains("matchLabels:\n"));
        if long && !short {
            Style::Long
        } else {
            Style::Short
        }
    }

    fn obstacle(&self, obstacle: &Obstacle) -> String {
        let graph = self.book.graph;
        let place =
            |at: &RuleRef| self.place(&graph.environment().policies.get(at.policy).origin(*at));
        let kind = |at: &RuleRef| graph.environment().policies.get(at.policy).shape.kind;
        match obstacle {
            Obstacle::Admin(at) => format!(
                "{} {} denies it before any NetworkPolicy is asked; that rule has to change   {}",
                kind(at),
                words::rule(graph, *at),
                place(at)
            ),
            Obstacle::Baseline(at) => format!(
                "{} {} denies it; that rule has to change, or something has to come before it   {}",
                kind(at),
                words::rule(graph, *at),
                place(at)
            ),
            Obstacle::Unknown(direction, reason) => {
                let way = if *direction == Direction::Egress {
                    "out"
                } else {
                    "in"
                };
                format!(
                    "on the way {way} something cannot be told ({}), and no addition settles it",
                    reason.code()
                )
            }
            Obstacle::HostNetwork(end) => format!(
                "{} runs with hostNetwork: no selector is sure to see it, and its address is not in the input",
                words::endpoint(self.cluster(), *end)
            ),
            Obstacle::Turns(turned) => self.turns(turned),
            Obstacle::TooWide => {
                "the policy governs too many pods to compare every flow".to_owned()
            }
            Obstacle::NotEnough(flow) => format!(
                "with every addition tried, {} stays blocked",
                self.flow(flow)
            ),
        }
    }

    fn turns(&self, turned: &Turned) -> String {
        let flow = self.flow(&turned.flow);
        if turned.opened {
            format!("it would also let through {flow}: no selector or block tells the two apart")
        } else {
            format!("it would also cut off {flow}, which is allowed by default now")
        }
    }

    fn flow(&self, flow: &Flow) -> String {
        let end = |e| words::endpoint(self.cluster(), e);
        format!(
            "{} -> {}:{}",
            end(flow.source),
            end(flow.destination),
            flow.traffic
        )
    }
}

/// A suggestion for programs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SuggestedJson {
    /// `none` (allowed already), `changes` or `impossible`.
    pub kind: &'static str,
    /// What to add; applied and compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeJson>,
    /// What stands in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<ObstacleJson>,
    /// Configured tests that hold now and would not with the additions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<diff::BrokenJson>,
}

/// One addition.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangeJson {
    /// `egress` or `ingress`.
    pub direction: &'static str,
    /// `rule`, `port` or `policy`.
    pub add: &'static str,
    /// The policy it is added to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<crate::render::data::json::PolicyName>,
    /// The list it is added to: `spec.ingress`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where that list stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
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
    pub rule: Option<Rule>,
    /// In words.
    pub text: String,
}

/// A suggestion as a document's part.
pub fn json(text: &Text<'_>, suggested: &Suggested, broken: &[Broken]) -> SuggestedJson {
    let (kind, changes, obstacles): (_, &[Change], &[Obstacle]) = match suggested {
        Suggested::Nothing => ("none", &[], &[]),
        Suggested::Changes(changes) => ("changes", changes, &[]),
        Suggested::Impossible(obstacles) => ("impossible", &[], obstacles),
    };
    SuggestedJson {
        kind,
        changes: changes.iter().map(|c| change(text.book, c)).collect(),
        obstacles: obstacles.iter().map(|o| obstacle(text, o)).collect(),
        breaks: broken.iter().map(diff::broken).collect(),
    }
}

fn change(book: RenderContext<'_>, change: &Change) -> ChangeJson {
    let (add, id) = match &change.place {
        Place::Rule(id) => ("rule", Some(*id)),
        Place::Port(rule) => ("port", Some(rule.policy)),
        Place::Policy { .. } => ("policy", None),
    };
    let policy = id.map(|id| book.graph.environment().policies.get(id));
    let path = policy.map(|p| list(p, change));
    ChangeJson {
        direction: change.direction.name(),
        add,
        policy: id.map(|id| crate::render::data::json::policy(book, id)),
        at: policy
            .zip(path.clone())
            .and_then(|(p, path)| at(book, &Origin::new(p.document, path))),
        path: path.map(|p| p.to_string()),
        content: change.content.clone(),
    }
}

fn obstacle(text: &Text<'_>, obstacle: &Obstacle) -> ObstacleJson {
    let (kind, blamed) = match obstacle {
        Obstacle::Admin(at) => ("admin-rule", Some(*at)),
        Obstacle::Baseline(at) => ("baseline-rule", Some(*at)),
        Obstacle::Unknown(..) => ("unknown", None),
        Obstacle::HostNetwork(_) => ("hostnetwork", None),
        Obstacle::Turns(_) => ("turns-another-flow", None),
        Obstacle::TooWide => ("too-wide", None),
        Obstacle::NotEnough(_) => ("not-enough", None),
    };
    ObstacleJson {
        kind,
        rule: blamed.map(|at| rule(text.book, at)),
        text: text.obstacle(obstacle),
    }
}
