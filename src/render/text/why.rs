//! `why` for people: the walk through every tier on both sides, then the lines of YAML that
//! decided.

use crate::check::breaks::Broken;
use crate::model::Truth;
use crate::query::explain::explanation::{Explanation, ExplanationSide, Reason};
use crate::query::explain::why::{Shown, Why};
use crate::query::{Pair, Verdict};
use crate::render::context::Names;
use crate::render::text::diff_context::would_break;
use crate::render::text::frames::Frames;
use crate::render::text::tiers::way;
use crate::render::text::tree::{Strokes, TreeFrame, draw};
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::spec::{Endpoint, Flow, HostNetworkMode};
use std::io::{self, Write};

/// How many pairs of ends are walked through; JSON has them all.
const PAIRS: usize = 4;

impl TextWriter<'_> {
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
        if !pair.parts.is_empty() {
            self.parts(pair, out)?;
        }
        let flows: Vec<Flow> = shown.walks.iter().map(|walk| walk.flow).collect();
        let names = Names::of_pair(self.context.graph, pair, &flows);
        let named = self.naming(&names);
        for walk in &shown.walks {
            writeln!(out)?;
            if shown.walks.len() > 1 {
                let verdict = self.verdict(walk.allowed.into());
                writeln!(out, "  {verdict} {}", named.demonstrated(pair, walk))?;
            }
            named.explanation(walk, out)?;
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

    /// What one of several walks is about: the traffic, where that is what differs, else the ends.
    fn demonstrated(&self, pair: &Pair, walk: &Explanation) -> String {
        if pair.parts.is_empty() {
            return walk.flow.traffic.to_string();
        }
        let [from, to] =
            [walk.flow.source, walk.flow.destination].map(|end| words::name_of(self.context, end));
        format!("{from} -> {to}, {}", walk.flow.traffic)
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
            .filter(|s| s.allowed == Truth::Maybe)
        {
            if side.doubts.is_empty() && side.taints.is_empty() {
                self.wrapped_at(
                    2,
                    &format!("{}: {}", way(side.direction), self.unknown(side)),
                    out,
                )?;
            }
        }
        self.by_node(2, walk, out)?;
        self.host_network_modes(walk, out)?;
        self.families(2, walk, out)?;
        if let Some(led) = walk.led {
            self.led(2, led, true, out)?;
        }
        self.frames(walk, out)
    }

    pub(crate) fn frame<'f>(
        &self,
        indent: &'f str,
        below: &'f str,
        strokes: Strokes,
    ) -> TreeFrame<'f> {
        TreeFrame {
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
            .map(|e| words::name_of(self.context, e))
            .unwrap_or_default();
        let shown = walk.egress.allowed.and(walk.ingress.allowed);
        let (as_other, as_shown) = match other.mode {
            HostNetworkMode::Node => ("its node", "a pod"),
            HostNetworkMode::Pod => ("a pod", "its node"),
        };
        let word = |p: Truth| Verdict::from(p).word();
        let text = format!(
            "{name} runs with hostNetwork. The walk above takes it as {as_shown}: {}. Taken as {as_other}: {} ({}). \
             Which one holds depends on the CNI: give --cni, or accept with --assume hostnetwork=node",
            word(shown),
            word(other.allowed()),
            reason_of(other.allowed(), [&other.egress, &other.ingress]).code(),
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

fn reason_of(truth: Truth, sides: [&ExplanationSide; 2]) -> Reason {
    let found = sides
        .into_iter()
        .find(|s| s.allowed == truth && truth != Truth::Yes);
    found.map_or(sides[1].reason, |s| s.reason)
}

/// Which side the verdict comes from.
fn decided_on(walk: &Explanation) -> String {
    let truth = walk.allowed;
    if matches!(
        walk.reason(),
        Reason::UnknownHostnetwork
            | Reason::UnknownSnat
            | Reason::UnknownAddressFamily
            | Reason::UnknownNamedPort
            | Reason::DenyNoCommonFamily
    ) {
        return String::new();
    }
    let of_side = walk
        .sides()
        .into_iter()
        .filter(|s| s.allowed == truth && truth != Truth::Yes);
    let names: Vec<&str> = of_side.map(|s| s.direction.name()).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" ({})", names.join(" and "))
    }
}
