//! What would let a flow through: the YAML to add and where, or what prevents it.

use crate::policy::{Direction, PolicyId, RuleRef};
use crate::query::suggest::suggestion::{Obstacle, Suggested};
use crate::query::suggest::trial::{Addition, AdditionPlace, Turned, list};
use crate::render::context::Names;
use crate::render::text::snippet;
use crate::render::text::snippet::Notation;
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::source::Origin;
use crate::spec::Flow;
use std::io::{self, Write};

impl TextWriter<'_> {
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

    fn changes(&self, changes: &[Addition], out: &mut dyn Write) -> io::Result<()> {
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
            "netpal has tried it: what was asked turns yes, and no other verdict about loaded pods changes",
            out,
        )
    }

    /// An addition as YAML, without indentation.
    pub(crate) fn addition(&self, change: &Addition) -> Vec<String> {
        let is_item = !matches!(change.place, AdditionPlace::Policy { .. });
        snippet::lines(&change.content, is_item, self.style_of(change))
    }

    /// To what something is added: `to data/allow-metrics (data.yaml:60)`.
    pub(crate) fn target(&self, change: &Addition) -> String {
        let place = |id: PolicyId| {
            let policy = self.context.graph.environment().policies.get(id);
            self.place(&Origin::new(policy.document, list(policy, change)))
        };
        match &change.place {
            AdditionPlace::Rule(id) => format!(
                "to {} ({})",
                words::policy(self.context.graph, *id),
                place(*id)
            ),
            AdditionPlace::Port(rule) => {
                format!(
                    "to the ports of {} ({})",
                    words::rule(self.context.graph, *rule),
                    place(rule.policy)
                )
            }
            AdditionPlace::Policy { namespace, .. } if namespace.is_empty() => {
                "this cluster-wide policy".to_owned()
            }
            AdditionPlace::Policy { namespace, .. } => {
                format!("this policy to namespace {}", words::clean(namespace))
            }
        }
    }

    /// The style of the policy that is extended: long where its selectors are.
    fn style_of(&self, change: &Addition) -> Notation {
        let id = match &change.place {
            AdditionPlace::Rule(id) => *id,
            AdditionPlace::Port(rule) => rule.policy,
            AdditionPlace::Policy { .. } => return Notation::Short,
        };
        let document = self.context.graph.environment().policies.get(id).document;
        let text = self
            .context
            .input
            .sources
            .chunk(document)
            .map(|(_, text)| text)
            .unwrap_or_default();
        let (short, long) = (text.contains("elector: {"), text.contains("matchLabels:\n"));
        if long && !short {
            Notation::Long
        } else {
            Notation::Short
        }
    }

    pub(crate) fn obstacle(&self, obstacle: &Obstacle) -> String {
        let graph = self.context.graph;
        let place =
            |at: &RuleRef| self.place(&graph.environment().policies.get(at.policy).origin(*at));
        let kind = |at: &RuleRef| graph.environment().policies.get(at.policy).shape.kind;
        match obstacle {
            Obstacle::Admin(at) => format!(
                "{} {} denies it whatever a NetworkPolicy allows; that rule has to change   {}",
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
                words::name_of(self.context, *end)
            ),
            Obstacle::Unlabelled(end) => format!(
                "{} has no labels: what selects it selects every pod of its namespace",
                words::name_of(self.context, *end)
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
        let names = Names::of_flow(self.context.graph, flow);
        let context = self.context.naming(&names);
        let end = |e| words::name_of(context, e);
        format!(
            "{} -> {}:{}",
            end(flow.source),
            end(flow.destination),
            flow.traffic
        )
    }
}
