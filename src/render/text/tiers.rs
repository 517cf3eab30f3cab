//! The walk of one flow through the tiers as a tree: each tier, policy, rule and peer that was
//! asked, with what came of it.

use crate::model::Truth;
use crate::policy::Taint;
use crate::policy::tier::{Tier, TierIx, TierMode, Ties};
use crate::policy::{Action, Direction, Peers, Policy, PolicyId, Priority};
use crate::query::explain::explanation::{
    Explanation, ExplanationSide, PeerTrace, PolicyTrace, Reason, RuleTrace, TierTrace,
};
use crate::render::mismatch;
use crate::render::text::tree::{Branch, Tone};
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::spec::Endpoint;

impl TextWriter<'_> {
    /// The sections: the tiers in the order in which they are asked.
    pub(crate) fn tiers(&self, walk: &Explanation) -> Vec<Branch> {
        let names: Vec<String> = walk
            .sides()
            .iter()
            .map(|s| words::name_of(self.context, s.subject))
            .collect();
        let width = names
            .iter()
            .map(|n| n.chars().count())
            .max()
            .unwrap_or(0)
            .clamp(8, 24);
        let env = self.context.graph.environment();
        let mut roots = Vec::new();
        for ix in env.layers.iter().flat_map(|(_, tiers)| tiers) {
            if self.tier(*ix).is_ordered() {
                roots.extend(self.ordered(walk, *ix, &names, width));
                continue;
            }
            for (side, name) in walk.sides().into_iter().zip(&names) {
                roots.push(self.unordered(side, *ix, name, width));
            }
        }
        roots
    }

    /// An ordered tier: one line if nothing of it governs either end, else one section for each end
    /// it governs.
    pub(crate) fn ordered(
        &self,
        walk: &Explanation,
        tier: TierIx,
        names: &[String],
        width: usize,
    ) -> Vec<Branch> {
        let word = words::clean(&self.tier(tier).name).into_owned();
        let label = |rest: String| format!("{:<w$} {rest}", format!("tier {word}"), w = width + 5);
        let governed = |s: &&ExplanationSide| s.tier(tier).is_some_and(|t| !t.policies.is_empty());
        if !walk.sides().iter().any(governed) {
            let sides = walk.sides();
            let unreached = sides
                .iter()
                .find(|s| s.tier(tier).is_some_and(|t| !t.reached));
            return vec![if let Some(side) = unreached {
                Branch::new(label(self.not_reached(side)))
            } else {
                let none = label("no policy of this tier governs either end".into());
                Branch::new(none).note("pass", Tone::Quiet)
            }];
        }
        let mut roots = Vec::new();
        for (side, name) in walk.sides().into_iter().zip(names) {
            let Some(trace) = side.tier(tier).filter(|t| !t.policies.is_empty()) else {
                continue;
            };
            let head = label(format!("{} {name}", way(side.direction)));
            let root = if trace.reached {
                let (note, tone) = self.tier_result(side, tier);
                Branch::new(head)
                    .note(note, tone)
                    .with(self.policies(side, trace))
            } else {
                Branch::new(format!("{head}   {}", self.not_reached(side)))
            };
            roots.push(root);
        }
        roots
    }

    pub(crate) fn not_reached(&self, side: &ExplanationSide) -> String {
        let name = words::name_of(self.context, side.subject);
        let Some(decides) = side.last_reached().map(|tier| self.tier(tier)) else {
            return "not reached".to_owned();
        };
        if decides.is_ordered() {
            let tier = words::clean(&decides.name);
            format!("not reached: the {tier} tier decides on {name}")
        } else {
            format!("not reached: {name} is isolated by {}", decides.policies)
        }
    }

    /// What a tier that was asked came to.
    fn tier_result(&self, side: &ExplanationSide, tier: TierIx) -> (&'static str, Tone) {
        let here = side.decided_in == Some(tier);
        let layers = &self.context.graph.environment().layers;
        let is_last = layers.iter().any(|(_, tiers)| tiers.last() == Some(&tier));
        match side.allowed {
            Truth::Maybe => ("unknown", Tone::Unsure),
            Truth::Yes if side.reason == Reason::AllowFromOwnNode => {
                ("allow (own node)", Tone::Good)
            }
            Truth::Yes if here && side.reason == Reason::AllowSelf => {
                ("allow (itself)", Tone::Good)
            }
            Truth::Yes if here => ("allow", Tone::Good),
            Truth::No if here => ("deny", Tone::Bad),
            _ if is_last => ("allow (default)", Tone::Good),
            _ => ("pass", Tone::Quiet),
        }
    }

    fn tier(&self, tier: TierIx) -> &Tier {
        &self.context.graph.environment().policies.tiers[tier.index()]
    }

    /// An unordered tier of one side.
    pub(crate) fn unordered(
        &self,
        side: &ExplanationSide,
        ix: TierIx,
        name: &str,
        width: usize,
    ) -> Branch {
        let label = format!("{:<4} {name:<width$}", way(side.direction));
        let direction = side.direction.name();
        let Some(tier) = side.tier(ix) else {
            let taints = self.taints(side);
            if !taints.is_empty() {
                let unknown = Branch::new(label).note("unknown", Tone::Unsure);
                return unknown.with(taints);
            }
            let rest = match side.subject {
                Endpoint::Address(_) => "an outside address: no policy governs it",
                Endpoint::Pod(_) => "nothing was asked",
            };
            return Branch::new(format!("{label} {rest}")).note("allow", Tone::Quiet);
        };
        if !tier.reached {
            return Branch::new(format!("{label} {}", self.not_reached(side)));
        }
        if tier.policies.is_empty() {
            return self.unselected(side, ix, &label, direction);
        }
        let (note, tone) = self.tier_result(side, ix);
        let mut children = self.policies(side, tier);
        children.extend(self.taints(side));
        Branch::new(label).note(note, tone).with(children)
    }

    pub(crate) fn unselected(
        &self,
        side: &ExplanationSide,
        ix: TierIx,
        label: &str,
        direction: &str,
    ) -> Branch {
        let taints = self.taints(side);
        if !taints.is_empty() {
            return Branch::new(label)
                .note("unknown", Tone::Unsure)
                .with(taints);
        }
        let hidden = match side.subject {
            Endpoint::Pod(p) => {
                self.cluster().pod(p).host_network && self.is_governed_as_pod(side, ix)
            }
            Endpoint::Address(_) => false,
        };
        if hidden {
            return Branch::new(format!(
                "{label} on its node's network: {} do not see it",
                self.tier(ix).policies
            ))
            .note("allow", Tone::Good);
        }
        let (note, tone) = match side.reason {
            Reason::AllowDefault => ("allow (default)", Tone::Good),
            Reason::AllowFromOwnNode => ("allow (own node)", Tone::Good),
            _ => ("pass", Tone::Quiet),
        };
        Branch::new(format!(
            "{label} no {} selects it for {direction}",
            words::clean(&self.tier(ix).name)
        ))
        .note(note, tone)
    }

    /// Whether a policy of the tier governs the subject in this direction when it counts as a pod.
    fn is_governed_as_pod(&self, side: &ExplanationSide, ix: TierIx) -> bool {
        self.context
            .graph
            .effective(side.subject, side.direction)
            .is_some_and(|p| p.tiers.iter().any(|tier| tier.tier == ix))
    }

    pub(crate) fn taints(&self, side: &ExplanationSide) -> Vec<Branch> {
        let all = &self.context.graph.environment().policies.taints;
        side.taints
            .iter()
            .take(DRAWN)
            .map(|i| self.taint(&all[*i]))
            .collect()
    }

    fn taint(&self, taint: &Taint) -> Branch {
        let place = taint
            .origin
            .as_ref()
            .map(|o| self.place(o))
            .unwrap_or_default();
        let what = taint.reason.words();
        Branch::new(
            format!(
                "{} {what} and may decide this {place}",
                words::clean(&taint.what)
            )
            .trim_end()
            .to_owned(),
        )
        .note("unknown", Tone::Unsure)
    }

    pub(crate) fn policies(&self, side: &ExplanationSide, tier: &TierTrace) -> Vec<Branch> {
        let mut decided: Option<(Priority, &str)> = None;
        let mut branches = Vec::new();
        for trace in tier.policies.iter().take(DRAWN) {
            let policy = self.context.graph.environment().policies.get(trace.policy);
            let over = self.tier(tier.tier).is_ordered()
                && decided.is_some_and(|first| self.rank(tier.tier, policy) > first);
            branches.push(self.policy(side, policy, trace, over));
            if trace.selects == Truth::Yes && trace.rules.iter().any(|r| r.matched == Truth::Yes) {
                decided = decided.or(Some(self.rank(tier.tier, policy)));
            }
        }
        branches.extend(more(tier.policies.len(), "policies"));
        branches
    }

    /// What orders a policy among those of its tier.
    fn rank<'p>(&self, tier: TierIx, policy: &'p Policy) -> (Priority, &'p str) {
        let by_name = self.tier(tier).mode == TierMode::Ordered(Ties::ByName);
        (policy.priority, if by_name { policy.tie() } else { "" })
    }

    pub(crate) fn policy(
        &self,
        side: &ExplanationSide,
        policy: &Policy,
        trace: &PolicyTrace,
        decided: bool,
    ) -> Branch {
        let name = self.policy_name(trace.policy);
        let selects = if trace.selects == Truth::Yes {
            "selects it"
        } else {
            "may select it"
        };
        let priority = if policy.shape.has_actions {
            format!(", priority {}", policy.priority)
        } else {
            String::new()
        };
        let text = format!("{name}  {selects} ({}{priority})", words::subject(policy));
        let count = crate::words::plural(trace.rules.len(), "rule");
        if decided {
            return Branch::new(text).note(format!("{count}: not asked any more"), Tone::Quiet);
        }
        if trace.rules.is_empty() {
            return Branch::new(text).note(format!("{count}: no match"), Tone::Bad);
        }
        let mut over = false;
        let mut children = Vec::new();
        for rule in trace.rules.iter().take(DRAWN) {
            children.push(self.rule_branch(side, policy, rule, over));
            over |= self.tier(policy.tier).is_ordered() && rule.matched == Truth::Yes;
        }
        children.extend(more(trace.rules.len(), "rules"));
        Branch::new(text).note(count, Tone::Quiet).with(children)
    }

    pub(crate) fn policy_name(&self, id: PolicyId) -> String {
        let policy = self.context.graph.environment().policies.get(id);
        let kind = if policy.shape.has_actions {
            policy.shape.kind
        } else {
            ""
        };
        format!("{kind} {}", words::policy(self.context.graph, id))
            .trim_start()
            .to_owned()
    }

    pub(crate) fn rule_branch(
        &self,
        side: &ExplanationSide,
        policy: &Policy,
        trace: &RuleTrace,
        over: bool,
    ) -> Branch {
        let rule = self.context.graph.environment().policies.rule(trace.at);
        let ordered = policy.shape.has_actions;
        let action = match rule.action {
            Action::Allow => policy.shape.allow,
            Action::Deny => "Deny",
            Action::Pass => "Pass",
        };
        let action = if ordered {
            format!("  {action}")
        } else {
            String::new()
        };
        let denies = if !ordered && rule.action == Action::Deny {
            "  denies"
        } else {
            ""
        };
        let condition = if rule.qualifiers.is_empty() {
            String::new()
        } else {
            format!("  if {}", words::conditions(rule))
        };
        let text = format!(
            "{}{action}{denies}  ports {}{condition}",
            policy.rule_path(trace.at),
            words::ports(rule)
        );
        if over {
            return Branch::new(text).note("not asked any more", Tone::Quiet);
        }
        let (note, tone) = rule_note(trace, ordered, rule.action);
        let nobody = (trace.peers.is_empty() && rule.peers != Peers::Any)
            .then(|| Branch::new("no peer and no port: nobody").note("no match", Tone::Bad));
        let anyone = (rule.peers == Peers::Any).then(|| {
            let whom = if side.direction == Direction::Ingress {
                "from"
            } else {
                "to"
            };
            Branch::new(format!("no {whom}: anyone")).note("match", Tone::Plain)
        });
        let is_for = words::rule_subjects(rule).map(|subjects| {
            let branch = Branch::new(format!("for {subjects}"));
            let some_peer = trace.peers.iter().any(|p| p.matched == Truth::Yes);
            let would = trace.ports && (rule.peers == Peers::Any || some_peer);
            match (would, trace.matched) {
                (true, Truth::No) => {
                    let own = words::name_of(self.context, side.subject);
                    branch.note(format!("no: {own} is none of these"), Tone::Plain)
                }
                (true, Truth::Yes) => branch.note("match", Tone::Good),
                _ => branch,
            }
        });
        let children = is_for.into_iter().chain(anyone).chain(nobody);
        let mut children: Vec<Branch> = children.collect();
        children.extend(
            trace
                .peers
                .iter()
                .take(DRAWN)
                .map(|p| self.peer_branch(side, policy, p)),
        );
        children.extend(more(trace.peers.len(), "peers"));
        Branch::new(text).note(note, tone).with(children)
    }

    pub(crate) fn peer_branch(
        &self,
        side: &ExplanationSide,
        policy: &Policy,
        trace: &PeerTrace,
    ) -> Branch {
        let path = policy.rule_path(trace.at).to_string();
        let last = path.rsplit('.').next().unwrap_or(&path);
        let peer = words::peer_as_written(&self.context.graph.environment().policies, trace.at);
        let branch = Branch::new(format!("{last} {peer}"));
        match trace.matched {
            Truth::Yes => branch.note("match", Tone::Good),
            Truth::Maybe => branch.note(
                format!("unknown: {}", self.mismatches(side, trace)),
                Tone::Unsure,
            ),
            Truth::No => branch.note(format!("no: {}", self.mismatches(side, trace)), Tone::Plain),
        }
    }

    fn mismatches(&self, side: &ExplanationSide, trace: &PeerTrace) -> String {
        let had = |m| mismatch::had(self.context, m, side.peer);
        trace
            .mismatches
            .iter()
            .map(had)
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// How many branches of one kind are drawn; JSON has them all.
const DRAWN: usize = 40;

pub(crate) fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Egress => "out",
        Direction::Ingress => "in",
    }
}

pub(crate) fn rule_note(trace: &RuleTrace, ordered: bool, action: Action) -> (&'static str, Tone) {
    match (trace.ports, trace.matched) {
        (false, _) => ("no: another port", Tone::Plain),
        (true, Truth::Maybe) => ("unknown", Tone::Unsure),
        (true, Truth::No) => ("ports match", Tone::Plain),
        (true, Truth::Yes) if !ordered => ("match", Tone::Good),
        (true, Truth::Yes) => match action {
            Action::Allow => ("match: allow", Tone::Good),
            Action::Deny => ("match: deny", Tone::Bad),
            Action::Pass => ("match: pass", Tone::Quiet),
        },
    }
}

pub(crate) fn more(count: usize, what: &str) -> Option<Branch> {
    let rest = count.saturating_sub(DRAWN);
    (rest > 0).then(|| Branch::new(format!("and {rest} more {what}: -o json lists them")))
}
