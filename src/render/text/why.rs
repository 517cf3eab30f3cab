//! `why` for people: the walk through every tier on both sides, then the lines of YAML that
//! decided.

use crate::check::breaks::Broken;
use crate::model::Truth;
use crate::policy::{Action, Direction, Policy, PolicyId, Tier};
use crate::query::explain::explanation::{
    Explanation, PeerTrace, PolicyTrace, Reason, RuleTrace, Side, TierTrace,
};
use crate::query::explain::why::{Shown, Why};
use crate::query::{Pair, Verdict};
use crate::render::text::diff::would_break;
use crate::render::text::frames::Frames;
use crate::render::text::tree::{Branch, Frame, Strokes, Tone, draw};
use crate::render::text::writer::Text;
use crate::render::words;
use crate::spec::{Endpoint, HostNetworkMode};
use std::io::{self, Write};

/// How many branches of one kind are drawn; JSON has them all.
const DRAWN: usize = 40;
/// How many pairs of ends are walked through; JSON has them all.
const PAIRS: usize = 4;

impl Text<'_> {
    /// The answer of `why`.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn why(&self, why: &Why, breaks: &[Vec<Broken>], out: &mut dyn Write) -> io::Result<()> {
        let pairs: Vec<(&Pair, &Shown)> = why.answer.pairs.iter().zip(&why.shown).collect();
        match pairs.as_slice() {
            [] => {
                self.answer(&why.answer, out)?;
                return writeln!(out, "\n  verdict {}", why.reason().code());
            }
            [(pair, shown)] => {
                self.notes(&why.answer, out)?;
                return self.walked((why, breaks), pair, shown, out);
            }
            _ => self.answer(&why.answer, out)?,
        }
        let chosen = chosen(&pairs);
        for (pair, shown) in &chosen {
            writeln!(out)?;
            self.walked((why, breaks), pair, shown, out)?;
        }
        let rest = pairs.len() - chosen.len();
        if rest > 0 {
            let rest = crate::words::plural(rest, "more pair");
            writeln!(out)?;
            let text = format!(
                "and {rest} for these reasons; name one source and one destination to see it alone"
            );
            self.wrapped_at(0, &text, out)?;
        }
        Ok(())
    }

    fn walked(
        &self,
        (why, breaks): (&Why, &[Vec<Broken>]),
        pair: &Pair,
        shown: &Shown,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        writeln!(out, "{}", self.head(&why.answer, pair))?;
        if shown.walks.is_empty() {
            writeln!(
                out,
                "\n  no pod there has such a port name\n  verdict {}",
                shown.reason.code()
            )?;
        }
        for walk in &shown.walks {
            writeln!(out)?;
            if shown.walks.len() > 1 {
                writeln!(
                    out,
                    "  {} {}",
                    self.verdict(of(walk.possible.truth())),
                    walk.flow.traffic
                )?;
            }
            self.explanation(walk, out)?;
            if let (Some(led), None) = (pair.led, walk.led) {
                self.led(2, led, false, out)?;
            }
        }
        if let Some(suggested) = &shown.suggested {
            writeln!(out)?;
            self.suggested(suggested, out)?;
            let own = why
                .shown
                .iter()
                .zip(breaks)
                .filter(|(s, _)| std::ptr::eq(*s, shown));
            for broken in own.flat_map(|(_, broken)| broken) {
                self.paragraph("", &format!("that would also {}", would_break(broken)), out)?;
            }
        }
        Ok(())
    }

    /// One flow: tiers, verdict, code frames.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn explanation(&self, walk: &Explanation, out: &mut dyn Write) -> io::Result<()> {
        if walk.egress.reason == Reason::AllowSelf && walk.egress.tiers.is_empty() {
            writeln!(
                out,
                "  a pod always reaches itself; no policy can change that"
            )?;
            return writeln!(out, "  verdict {}", walk.reason().code());
        }
        let roots = self.tiers(walk);
        let frame = self.frame("  ", "       ", Strokes::NARROW);
        draw(&roots, &frame, out)?;
        writeln!(
            out,
            "  verdict {}{}",
            self.bold(walk.reason().code()),
            decided_on(walk)
        )?;
        for side in walk
            .sides()
            .into_iter()
            .filter(|s| s.possible.truth() == Truth::Maybe)
        {
            if side.doubts.is_empty() && side.taints.is_empty() {
                self.wrapped_at(
                    2,
                    &format!("{}: {}", way(side.direction), self.unknown(side)),
                    out,
                )?;
            }
        }
        self.host_network_modes(walk, out)?;
        if let Some(led) = walk.led {
            self.led(2, led, true, out)?;
        }
        self.frames(walk, out)
    }

    pub(crate) fn frame<'f>(&self, indent: &'f str, below: &'f str, strokes: Strokes) -> Frame<'f> {
        Frame {
            indent,
            below,
            strokes,
            width: self.width,
            style: self.style,
        }
    }

    fn bold(&self, text: &str) -> String {
        self.style.paint("1", text)
    }

    /// The sections: the Admin tier, each side's own policies, the Baseline tier.
    fn tiers(&self, walk: &Explanation) -> Vec<Branch> {
        let names: Vec<String> = walk
            .sides()
            .iter()
            .map(|s| words::endpoint(self.cluster(), s.subject))
            .collect();
        let width = names
            .iter()
            .map(|n| n.chars().count())
            .max()
            .unwrap_or(0)
            .clamp(8, 24);
        let mut roots = self.ordered(walk, Tier::Admin, &names, width);
        for (side, name) in walk.sides().into_iter().zip(&names) {
            roots.push(self.network(side, name, width));
        }
        roots.extend(self.ordered(walk, Tier::Baseline, &names, width));
        roots
    }

    /// An ordered tier: one line if nothing of it governs either end, else one section for each end
    /// it governs.
    fn ordered(
        &self,
        walk: &Explanation,
        tier: Tier,
        names: &[String],
        width: usize,
    ) -> Vec<Branch> {
        let word = if tier == Tier::Admin {
            "Admin"
        } else {
            "Baseline"
        };
        let label = |rest: String| format!("{:<w$} {rest}", format!("tier {word}"), w = width + 5);
        let governed = |s: &&Side| tier_of(s, tier).is_some_and(|t| !t.policies.is_empty());
        if !walk.sides().iter().any(governed) {
            return match walk
                .sides()
                .iter()
                .find(|s| tier_of(s, tier).is_some_and(|t| !t.reached))
            {
                Some(side) if tier == Tier::Baseline => {
                    vec![Branch::new(label(self.not_reached(side)))]
                }
                _ => {
                    let none = label("no policy of this tier governs either end".into());
                    vec![Branch::new(none).note("pass", Tone::Quiet)]
                }
            };
        }
        let mut roots = Vec::new();
        for (side, name) in walk.sides().into_iter().zip(names) {
            let Some(trace) = tier_of(side, tier).filter(|t| !t.policies.is_empty()) else {
                continue;
            };
            let head = label(format!("{} {name}", way(side.direction)));
            let root = if trace.reached {
                let (note, tone) = tier_result(side, tier);
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

    fn not_reached(&self, side: &Side) -> String {
        let name = words::endpoint(self.cluster(), side.subject);
        if tier_of(side, Tier::Network).is_some_and(|t| t.reached) {
            format!("not reached: {name} is isolated by NetworkPolicies")
        } else {
            format!("not reached: the Admin tier decides on {name}")
        }
    }

    /// The Network tier of one side.
    fn network(&self, side: &Side, name: &str, width: usize) -> Branch {
        let label = format!("{:<4} {name:<width$}", way(side.direction));
        let direction = side.direction.name();
        let Some(tier) = tier_of(side, Tier::Network) else {
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
            return self.unselected(side, &label, direction);
        }
        let (note, tone) = tier_result(side, Tier::Network);
        let mut children = self.policies(side, tier);
        children.extend(self.taints(side));
        Branch::new(label).note(note, tone).with(children)
    }

    fn unselected(&self, side: &Side, label: &str, direction: &str) -> Branch {
        let taints = self.taints(side);
        if !taints.is_empty() {
            return Branch::new(label)
                .note("unknown", Tone::Unsure)
                .with(taints);
        }
        let hidden = match side.subject {
            Endpoint::Pod(p) => self.cluster().pod(p).host_network && self.profiled(side),
            Endpoint::Address(_) => false,
        };
        if hidden {
            return Branch::new(format!(
                "{label} on its node's network: NetworkPolicies do not see it"
            ))
            .note("allow", Tone::Good);
        }
        let (note, tone) = match side.reason {
            Reason::AllowDefault => ("allow (default)", Tone::Good),
            Reason::AllowFromOwnNode => ("allow (own node)", Tone::Good),
            _ => ("pass", Tone::Quiet),
        };
        Branch::new(format!(
            "{label} no NetworkPolicy selects it for {direction}"
        ))
        .note(note, tone)
    }

    /// Whether any policy names the subject in this direction when it counts as a pod.
    fn profiled(&self, side: &Side) -> bool {
        self.context
            .graph
            .profile(side.subject, side.direction)
            .is_some_and(|p| !p.network.is_empty())
    }

    fn taints(&self, side: &Side) -> Vec<Branch> {
        let all = &self.context.graph.environment().policies.taints;
        let one = |i: &usize| {
            let taint = &all[*i];
            let place = taint
                .origin
                .as_ref()
                .map(|o| self.place(o))
                .unwrap_or_default();
            let what = match taint.reason {
                crate::policy::TaintReason::UnmodelledKind => "is not modelled and may decide this",
                crate::policy::TaintReason::Broken => "could not be read and may decide this",
            };
            Branch::new(
                format!("{} {what} {place}", words::clean(&taint.what))
                    .trim_end()
                    .to_owned(),
            )
            .note("unknown", Tone::Unsure)
        };
        side.taints.iter().take(DRAWN).map(one).collect()
    }

    fn policies(&self, side: &Side, tier: &TierTrace) -> Vec<Branch> {
        let mut decided: Option<i32> = None;
        let mut branches = Vec::new();
        for trace in tier.policies.iter().take(DRAWN) {
            let policy = self.context.graph.environment().policies.get(trace.policy);
            let over = tier.tier != Tier::Network
                && decided.is_some_and(|priority| policy.priority > priority);
            branches.push(self.policy(side, policy, trace, over));
            if trace.selects == Truth::Yes && trace.rules.iter().any(|r| r.matched == Truth::Yes) {
                decided = decided.or(Some(policy.priority));
            }
        }
        branches.extend(more(tier.policies.len(), "policies"));
        branches
    }

    fn policy(&self, side: &Side, policy: &Policy, trace: &PolicyTrace, decided: bool) -> Branch {
        let name = self.policy_name(trace.policy);
        let selects = if trace.selects == Truth::Yes {
            "selects it"
        } else {
            "may select it"
        };
        let priority = match policy.tier {
            Tier::Network => String::new(),
            _ => format!(", priority {}", policy.priority),
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
            over |= policy.tier != Tier::Network && rule.matched == Truth::Yes;
        }
        children.extend(more(trace.rules.len(), "rules"));
        Branch::new(text).note(count, Tone::Quiet).with(children)
    }

    fn policy_name(&self, id: PolicyId) -> String {
        let policy = self.context.graph.environment().policies.get(id);
        let kind = if policy.tier == Tier::Network {
            ""
        } else {
            policy.shape.kind
        };
        format!("{kind} {}", words::policy(self.context.graph, id))
            .trim_start()
            .to_owned()
    }

    fn rule_branch(&self, side: &Side, policy: &Policy, trace: &RuleTrace, over: bool) -> Branch {
        let rule = self.context.graph.environment().policies.rule(trace.at);
        let ordered = policy.tier != Tier::Network;
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
        let text = format!(
            "{}{action}  ports {}",
            policy.rule_path(trace.at),
            words::ports(rule)
        );
        if over {
            return Branch::new(text).note("not asked any more", Tone::Quiet);
        }
        let (note, tone) = rule_note(trace, ordered, rule.action);
        let anyone = trace.peers.is_empty().then(|| {
            let whom = if side.direction == Direction::Ingress {
                "from"
            } else {
                "to"
            };
            Branch::new(format!("no {whom}: anyone")).note("match", Tone::Plain)
        });
        let mut children: Vec<Branch> = anyone.into_iter().collect();
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

    fn peer_branch(&self, side: &Side, policy: &Policy, trace: &PeerTrace) -> Branch {
        let path = policy.rule_path(trace.at).to_string();
        let last = path.rsplit('.').next().unwrap_or(&path);
        let peer = words::peer_as_written(&self.context.graph.environment().policies, trace.at);
        let branch = Branch::new(format!("{last} {peer}"));
        let why = || {
            let had = |m| words::had(self.cluster(), m, side.peer);
            trace
                .mismatches
                .iter()
                .map(had)
                .collect::<Vec<_>>()
                .join("; ")
        };
        match trace.matched {
            Truth::Yes => branch.note("match", Tone::Good),
            Truth::Maybe => branch.note(format!("unknown: {}", why()), Tone::Unsure),
            Truth::No => branch.note(format!("no: {}", why()), Tone::Plain),
        }
    }

    /// What host-network pods make of it, where that is what decides.
    fn host_network_modes(&self, walk: &Explanation, out: &mut dyn Write) -> io::Result<()> {
        let Some(other) = walk.other.as_ref().filter(|_| walk.host_network) else {
            return Ok(());
        };
        let is_host =
            |e: &Endpoint| matches!(e, Endpoint::Pod(p) if self.cluster().pod(*p).host_network);
        let host = [walk.flow.source, walk.flow.destination]
            .into_iter()
            .find(is_host);
        let name = host
            .map(|e| words::endpoint(self.cluster(), e))
            .unwrap_or_default();
        let shown = walk.egress.possible.and(walk.ingress.possible);
        let (as_other, as_shown) = match other.mode {
            HostNetworkMode::Node => ("its node", "a pod"),
            HostNetworkMode::Pod => ("a pod", "its node"),
        };
        let word = |p: crate::spec::Possible| of(p.truth()).word();
        let text = format!(
            "{name} runs with hostNetwork. The walk above takes it as {as_shown}: {}. Taken as {as_other}: {} ({}). \
             Which one holds depends on the CNI: give --cni, or accept with --assume hostnetwork=node",
            word(shown),
            word(other.possible()),
            reason_of(other.possible().truth(), [&other.egress, &other.ingress]).code(),
        );
        self.wrapped_at(2, &text, out)
    }

    pub(crate) fn wrapped_at(
        &self,
        indent: usize,
        text: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let lines = crate::render::text::tree::wrap(text, self.width.saturating_sub(indent));
        lines
            .iter()
            .try_for_each(|l| writeln!(out, "{:indent$}{l}", ""))
    }

    fn frames(&self, walk: &Explanation, out: &mut dyn Write) -> io::Result<()> {
        let frames = Frames {
            text: self,
            policies: &self.context.graph.environment().policies,
        };
        for side in walk.sides() {
            if let Some(frame) = frames.of(side, walk) {
                writeln!(out)?;
                writeln!(out, "{frame}")?;
            }
        }
        Ok(())
    }
}

/// One pair for each verdict and reason, the worst first.
fn chosen<'w>(pairs: &[(&'w Pair, &'w Shown)]) -> Vec<(&'w Pair, &'w Shown)> {
    let mut chosen: Vec<(&Pair, &Shown)> = Vec::new();
    for verdict in [Verdict::No, Verdict::Unknown, Verdict::Partly, Verdict::Yes] {
        for pair in pairs.iter().filter(|(p, _)| p.verdict == verdict) {
            if chosen
                .iter()
                .all(|(p, s)| (p.verdict, s.reason) != (verdict, pair.1.reason))
            {
                chosen.push(*pair);
            }
        }
    }
    chosen.truncate(PAIRS);
    chosen
}

pub(crate) fn of(truth: Truth) -> Verdict {
    match truth {
        Truth::Yes => Verdict::Yes,
        Truth::No => Verdict::No,
        Truth::Maybe => Verdict::Unknown,
    }
}

fn reason_of(truth: Truth, sides: [&Side; 2]) -> Reason {
    let found = sides
        .into_iter()
        .find(|s| s.possible.truth() == truth && truth != Truth::Yes);
    found.map_or(sides[1].reason, |s| s.reason)
}

pub(crate) fn tier_of(side: &Side, tier: Tier) -> Option<&TierTrace> {
    side.tiers.iter().find(|t| t.tier == tier)
}

fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Egress => "out",
        Direction::Ingress => "in",
    }
}

/// What a tier that was asked came to.
fn tier_result(side: &Side, tier: Tier) -> (&'static str, Tone) {
    let here = match tier {
        Tier::Admin => matches!(side.reason, Reason::AllowAdmin | Reason::DenyAdmin),
        Tier::Baseline => matches!(side.reason, Reason::AllowBaseline | Reason::DenyBaseline),
        Tier::Network => !matches!(
            side.reason,
            Reason::AllowAdmin
                | Reason::DenyAdmin
                | Reason::AllowBaseline
                | Reason::DenyBaseline
                | Reason::AllowDefault
        ),
    };
    match side.possible.truth() {
        Truth::Maybe => ("unknown", Tone::Unsure),
        Truth::Yes if side.reason == Reason::AllowFromOwnNode => ("allow (own node)", Tone::Good),
        Truth::Yes if here && side.reason == Reason::AllowSelf => ("allow (itself)", Tone::Good),
        Truth::Yes if here => ("allow", Tone::Good),
        Truth::No if here => ("deny", Tone::Bad),
        _ if tier == Tier::Baseline => ("allow (default)", Tone::Good),
        _ => ("pass", Tone::Quiet),
    }
}

fn rule_note(trace: &RuleTrace, ordered: bool, action: Action) -> (&'static str, Tone) {
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

/// Which side the verdict comes from.
fn decided_on(walk: &Explanation) -> String {
    let truth = walk.possible.truth();
    if matches!(
        walk.reason(),
        Reason::UnknownHostnetwork | Reason::UnknownSnat
    ) {
        return String::new();
    }
    let of_side = walk
        .sides()
        .into_iter()
        .filter(|s| s.possible.truth() == truth && truth != Truth::Yes);
    let names: Vec<&str> = of_side.map(|s| s.direction.name()).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" ({})", names.join(" and "))
    }
}

fn more(count: usize, what: &str) -> Option<Branch> {
    let rest = count.saturating_sub(DRAWN);
    (rest > 0).then(|| Branch::new(format!("and {rest} more {what}: -o json lists them")))
}
