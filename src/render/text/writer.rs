//! Text for people: short lines, the verdict first, one screen.
//!
//! Signs and words carry the meaning; colour never alone. Every text from a manifest passes through
//! [`crate::render::words::clean`].

use crate::diagnostic::Place;
use crate::finding::Finding;
use crate::model::Cluster;
use crate::query::ask::resolve::Note;
use crate::query::explain::explanation::{Explanation, Mismatch, Reason, Side, nearest_peer};
use crate::query::{Answer, Pair, Verdict};
use crate::render::context::{RenderContext, Style};
use crate::render::words;
use crate::spec::Endpoint;
use std::io::{self, Write};

/// Writes answers as text.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    /// What it looks things up in.
    pub context: RenderContext<'a>,
    /// Colours.
    pub style: Style,
    /// Columns to wrap at.
    pub width: usize,
}

impl<'a> Text<'a> {
    /// A writer with the colours and the width of the context.
    pub fn of(context: &RenderContext<'a>) -> Self {
        Self {
            context: *context,
            style: context.style,
            width: context.width,
        }
    }
}

impl Text<'_> {
    pub(crate) fn cluster(&self) -> &Cluster {
        &self.context.graph.environment().cluster
    }

    /// The answer of `can`.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn answer(&self, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
        self.notes(answer, out)?;
        match answer.pairs.as_slice() {
            [] => self.nothing(answer, out),
            [pair] => self.pair(answer, pair, out),
            pairs => self.many(answer, pairs, out),
        }
    }

    /// How the ends were understood.
    pub(crate) fn notes(&self, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
        for note in answer
            .notes
            .iter()
            .filter(|n| !matches!(n, Note::Service(_)))
        {
            writeln!(out, "{}", self.style.dim(&self.note(note)))?;
        }
        Ok(())
    }

    pub(crate) fn verdict(&self, verdict: Verdict) -> String {
        self.style.verdict(verdict)
    }

    /// The verdict and the two ends.
    pub(crate) fn head(&self, answer: &Answer, pair: &Pair) -> String {
        let from = words::end(self.cluster(), &pair.source);
        format!(
            "{} {from} -> {}",
            self.style.verdict(pair.verdict),
            self.destination(answer, pair)
        )
    }

    fn nothing(&self, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
        let (from, to) = (
            words::clean(&answer.question.source.text),
            words::clean(&answer.question.destination.text),
        );
        writeln!(
            out,
            "{} {from} -> {to}",
            self.style.verdict(Verdict::Unknown)
        )?;
        let mut told = false;
        for missing in &answer.missing {
            writeln!(out, "     {}", words::clean(missing))?;
            told = true;
        }
        if !told {
            writeln!(
                out,
                "     no pod is involved: policies govern pods, not traffic between outside addresses"
            )?;
        }
        Ok(())
    }

    fn pair(&self, answer: &Answer, pair: &Pair, out: &mut dyn Write) -> io::Result<()> {
        let explanation = pair.explain(self.context.graph);
        writeln!(
            out,
            "{}{}",
            self.head(answer, pair),
            blocked(&explanation, pair.verdict)
        )?;
        if pair.asked.is_empty() {
            writeln!(out, "     no pod there has such a port name")?;
            return Ok(());
        }
        if pair.verdict == Verdict::Partly {
            self.partly(pair, out)?;
        }
        self.sides(&explanation, pair.verdict, out)?;
        if let Some(led) = pair.led {
            self.led(5, led, explanation.led.is_some(), out)?;
        }
        if answer.question.destination.ports.is_none()
            && pair.verdict != Verdict::Partly
            && answer.notes.is_empty()
        {
            writeln!(
                out,
                "     {}",
                self.style
                    .dim("no port was named: the answer is about every port and protocol")
            )?;
        }
        Ok(())
    }

    /// `data/database:5432/TCP`, with the Service it was asked by.
    fn destination(&self, answer: &Answer, pair: &Pair) -> String {
        let end = words::end(self.cluster(), &pair.destination);
        let service = answer.notes.iter().find_map(|n| {
            if let Note::Service(s) = n {
                Some(*s)
            } else {
                None
            }
        });
        let with_port = |name: String| match (&answer.question.destination.ports, service) {
            (None, None) => name,
            _ if pair.asked.is_empty() => name,
            _ if name.contains(':') => format!("[{name}]:{}", words::traffic(&pair.asked)),
            _ => format!("{name}:{}", words::traffic(&pair.asked)),
        };
        match service {
            None => with_port(end),
            Some(id) => {
                let s = self.cluster().service(id);
                let ports = answer
                    .question
                    .destination
                    .ports
                    .iter()
                    .flatten()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(",");
                let ports = ports.strip_suffix("/TCP").unwrap_or(&ports).to_owned();
                let colon = if ports.is_empty() { "" } else { ":" };
                let name = format!("{}/{}", self.cluster().namespace(s.namespace).name, s.name);
                format!(
                    "svc {}{colon}{ports} => {}",
                    words::clean(&name),
                    with_port(end)
                )
            }
        }
    }

    fn partly(&self, pair: &Pair, out: &mut dyn Write) -> io::Result<()> {
        let line = |out: &mut dyn Write, word: &str, set: &crate::set::TrafficSet| {
            if set.is_empty() {
                Ok(())
            } else {
                writeln!(out, "     {word:<9}{}", words::traffic(set))
            }
        };
        let possible = pair.allowed.sure.union(&pair.allowed.unknown);
        line(out, "allowed", &pair.asked.intersection(&pair.allowed.sure))?;
        line(
            out,
            "unknown",
            &pair.asked.intersection(&pair.allowed.unknown),
        )?;
        line(out, "blocked", &pair.asked.difference(&possible))
    }

    fn sides(
        &self,
        explanation: &Explanation,
        verdict: Verdict,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if explanation.host_network && verdict == Verdict::Unknown {
            return self.host_network(explanation, out);
        }
        let names: Vec<String> = explanation
            .sides()
            .iter()
            .map(|s| words::endpoint(self.cluster(), s.subject))
            .collect();
        let width = names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
        for (side, name) in explanation.sides().into_iter().zip(&names) {
            let hide = verdict == Verdict::No
                && side.possible.allow
                && matches!(side.subject, Endpoint::Address(_));
            if hide || matches!(side.subject, Endpoint::Address(_)) {
                continue;
            }
            let word = if side.direction == crate::policy::Direction::Egress {
                "out"
            } else {
                "in"
            };
            writeln!(out, "     {word:<4} {name:<width$}   {}", self.side(side))?;
            if let (false, Some(near)) = (side.possible.allow, &side.near) {
                self.near(side, near, out)?;
            }
            self.doubts(side, out)?;
        }
        Ok(())
    }

    fn host_network(&self, explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
        let cluster = self.cluster();
        let host = [explanation.flow.source, explanation.flow.destination];
        let host = host
            .into_iter()
            .find(|e| matches!(e, Endpoint::Pod(p) if cluster.pod(*p).host_network));
        let name = host
            .map(|e| words::endpoint(cluster, e))
            .unwrap_or_default();
        writeln!(
            out,
            "     {name} runs with hostNetwork: policies may or may not apply (depends on the CNI)"
        )?;
        writeln!(
            out,
            "     give --cni, or accept with --assume hostnetwork=node"
        )
    }

    /// Why one side is as it is, in one line.
    fn side(&self, side: &Side) -> String {
        let way = if side.direction == crate::policy::Direction::Egress {
            "egress"
        } else {
            "ingress"
        };
        let peer = words::endpoint(self.cluster(), side.peer);
        let by = |at: &crate::policy::RuleRef| {
            format!(
                "{}: {}   {}",
                words::rule(self.context.graph, *at),
                words::admits(self.context.graph, *at),
                self.place(
                    &self
                        .context
                        .graph
                        .environment()
                        .policies
                        .get(at.policy)
                        .origin(*at)
                )
            )
        };
        let decided = side.decided_by.as_ref().map(by).unwrap_or_default();
        match side.reason {
            Reason::AllowDefault if side.tiers.iter().all(|t| t.policies.is_empty()) => {
                format!("default allow: no policy selects it for {way}")
            }
            Reason::AllowDefault => {
                format!(
                    "default allow: no rule that applies to it decides, and nothing isolates it for {way}"
                )
            }
            Reason::AllowSelf => "a pod always reaches itself".into(),
            Reason::AllowFromOwnNode => "traffic with the node it runs on is always allowed".into(),
            Reason::AllowRule | Reason::AllowAdmin | Reason::AllowBaseline => {
                format!("allowed by {decided}")
            }
            Reason::DenyAdmin | Reason::DenyBaseline => format!("denied by {decided}"),
            Reason::DenyNoRules => format!(
                "isolated by {}; no rule allows anything",
                self.isolating(side)
            ),
            Reason::DenyNoRuleMatches | Reason::DenyPort if way == "ingress" => {
                format!(
                    "isolated by {}; no rule admits {peer}{}",
                    self.isolating(side),
                    port_words(side)
                )
            }
            Reason::DenyNoRuleMatches | Reason::DenyPort => {
                format!(
                    "isolated by {}; no rule lets it out to {peer}{}",
                    self.isolating(side),
                    port_words(side)
                )
            }
            _ => format!("unknown: {}", self.unknown(side)),
        }
    }

    fn isolating(&self, side: &Side) -> String {
        let names: Vec<String> = side
            .isolated_by
            .iter()
            .take(4)
            .map(|p| words::policy(self.context.graph, *p))
            .collect();
        let more = side.isolated_by.len().saturating_sub(4);
        if more > 0 {
            format!("{} and {more} more", names.join(", "))
        } else {
            names.join(", ")
        }
    }

    pub(crate) fn unknown(&self, side: &Side) -> String {
        let taints: Vec<String> = side
            .taints
            .iter()
            .take(3)
            .map(|i| {
                words::clean(&self.context.graph.environment().policies.taints[*i].what)
                    .into_owned()
            })
            .collect();
        match side.reason {
            Reason::UnknownBrokenPolicy => format!(
                "{} could not be read and may apply to it",
                taints.join(", ")
            ),
            Reason::UnknownUnsupportedKind => {
                format!("{} applies to it and is not modelled", taints.join(", "))
            }
            Reason::UnknownPriority => {
                let rivals = side.rivals(&self.context.graph.environment().policies);
                let names: Vec<String> = rivals
                    .iter()
                    .map(|p| words::policy(self.context.graph, *p))
                    .collect();
                format!(
                    "{} have equal priority and disagree, and the API does not say which one wins",
                    names.join(" and ")
                )
            }
            Reason::UnknownNode if side.doubts.is_empty() => {
                "the peer may be the node it runs on, whose traffic always passes".into()
            }
            _ => "it depends on something the input does not tell".into(),
        }
    }

    fn near(
        &self,
        side: &Side,
        near: &crate::query::explain::explanation::RuleTrace,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let peer = nearest_peer(near).filter(|p| p.matched != crate::model::Truth::Yes);
        let at = peer.map_or(near.at, |p| p.at);
        let rule = self.context.graph.environment().policies.rule(near.at);
        let mut why: Vec<String> = Vec::new();
        if !near.ports {
            why.push(format!("allows {}", words::ports(rule)));
        }
        let one_port = matches!(&rule.ports, crate::policy::Ports::Of(list) if list.len() == 1);
        let only_port = peer.is_none() && !near.ports && one_port;
        let at = if only_port {
            crate::policy::RuleRef {
                peer: None,
                port: Some(0),
                ..at
            }
        } else {
            at
        };
        why.extend(
            peer.iter()
                .flat_map(|p| &p.mismatches)
                .map(|m| words::mismatch(self.cluster(), m, side.peer)),
        );
        let place = self.place(
            &self
                .context
                .graph
                .environment()
                .policies
                .get(at.policy)
                .origin(at),
        );
        writeln!(
            out,
            "     near {}  {}   {place}",
            words::rule(self.context.graph, at),
            why.join("; ")
        )
    }

    fn doubts(&self, side: &Side, out: &mut dyn Write) -> io::Result<()> {
        if side.possible.truth() != crate::model::Truth::Maybe {
            return Ok(());
        }
        for doubt in side.doubts.iter().take(3) {
            let why: Vec<String> = doubt
                .mismatches
                .iter()
                .map(|m| words::mismatch(self.cluster(), m, side.peer))
                .collect();
            let place = self.place(
                &self
                    .context
                    .graph
                    .environment()
                    .policies
                    .get(doubt.at.policy)
                    .origin(doubt.at),
            );
            writeln!(
                out,
                "     ?    {}  {}   {place}",
                words::rule(self.context.graph, doubt.at),
                why.join("; ")
            )?;
            if doubt.mismatches.contains(&Mismatch::AddressUnknown) {
                writeln!(
                    out,
                    "          {}",
                    self.style
                        .dim("give --pod-cidrs, or load the pods with their status (kubectl get pods -A -o json)")
                )?;
            }
        }
        for taint in side.taints.iter().take(3) {
            if let Some(origin) = &self.context.graph.environment().policies.taints[*taint].origin {
                writeln!(out, "     ?    {}", self.place(origin))?;
            }
        }
        Ok(())
    }

    /// What lint says of the rule that decided, on one line.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn hint(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let place = match &finding.place {
            Place::Origin(origin) => self.place(origin),
            Place::At(location) => words::clean(&location.to_string()).into_owned(),
            Place::Input => String::new(),
        };
        let help = finding
            .help
            .as_ref()
            .map_or_else(String::new, |h| format!("; {}", words::clean(h)));
        writeln!(
            out,
            "hint {} {place}  {}{help}",
            finding.rule,
            words::clean(&finding.message)
        )
    }

    /// `file:line` of an origin.
    pub fn place(&self, origin: &crate::source::Origin) -> String {
        self.context
            .locator
            .locate(origin)
            .map_or_else(String::new, |l| words::clean(&l.to_string()).into_owned())
    }

    fn note(&self, note: &Note) -> String {
        let cluster = self.cluster();
        let name = |id| words::clean(&cluster.workload_name(id)).into_owned();
        match note {
            Note::PodAddress(net, workload) => {
                format!("{} is a pod of {}", net.addr(), name(*workload))
            }
            Note::ServiceAddress(net, service) => {
                format!(
                    "{} is the address of Service {}",
                    net.addr(),
                    words::clean(&cluster.service(*service).name)
                )
            }
            Note::NodeAddress(net, node) => format!(
                "{} is an address of node {}",
                net.addr(),
                words::clean(node)
            ),
            Note::PodName(pod, workload) => {
                format!("{} is a pod of {}", words::clean(pod), name(*workload))
            }
            Note::Service(service) | Note::ServicePort(service, ..) => {
                format!("Service {}", words::clean(&cluster.service(*service).name))
            }
        }
    }

    /// Several pairs: the verdict, then who, by verdict and reason.
    fn many(&self, answer: &Answer, pairs: &[Pair], out: &mut dyn Write) -> io::Result<()> {
        let (from, to) = (
            words::clean(&answer.question.source.text),
            words::clean(&answer.question.destination.text),
        );
        let yes = pairs.iter().filter(|p| p.verdict == Verdict::Yes).count();
        let one_destination = pairs.iter().all(|p| p.destination == pairs[0].destination);
        let one_source = pairs.iter().all(|p| p.source == pairs[0].source);
        let what = if one_destination {
            let sources = sources(&answer.question.source.text, pairs);
            format!(
                "{yes} of {} {sources} reach {}",
                pairs.len(),
                self.destination(answer, &pairs[0])
            )
        } else {
            format!(
                "{yes} of {} pairs of {from} -> {to} are allowed",
                pairs.len()
            )
        };
        writeln!(out, "{} {what}", self.style.verdict(answer.verdict))?;
        for verdict in [Verdict::Yes, Verdict::Partly, Verdict::No, Verdict::Unknown] {
            for (reason, names) in self.grouped(pairs, verdict, one_source, one_destination) {
                for (i, line) in wrapped(names, &reason, self.width.saturating_sub(13))
                    .iter()
                    .enumerate()
                {
                    let word = if i == 0 { verdict.word() } else { "" };
                    writeln!(out, "     {word:<7} {line}")?;
                }
            }
        }
        Ok(())
    }

    /// The pairs of one verdict, by why.
    fn grouped(
        &self,
        pairs: &[Pair],
        verdict: Verdict,
        one_source: bool,
        one_destination: bool,
    ) -> Vec<(String, Vec<String>)> {
        let mut groups: indexmap::IndexMap<String, Vec<String>> = indexmap::IndexMap::new();
        for pair in pairs.iter().filter(|p| p.verdict == verdict) {
            let reason = if verdict == Verdict::Yes {
                String::new()
            } else {
                self.short_reason(pair)
            };
            let name = match (one_source, one_destination) {
                (false, true) => words::end(self.cluster(), &pair.source),
                (true, false) => words::end(self.cluster(), &pair.destination),
                _ => format!(
                    "{} -> {}",
                    words::end(self.cluster(), &pair.source),
                    words::end(self.cluster(), &pair.destination)
                ),
            };
            groups.entry(reason).or_default().push(name);
        }
        groups.into_iter().collect()
    }

    fn short_reason(&self, pair: &Pair) -> String {
        let explanation = pair.explain(self.context.graph);
        if pair.verdict == Verdict::Partly {
            return format!(
                "only {}",
                words::traffic(&pair.allowed.sure.intersection(&pair.asked))
            );
        }
        if explanation.host_network && pair.verdict == Verdict::Unknown {
            return "hostNetwork".into();
        }
        if explanation.led.is_some() {
            return explanation.reason().code().to_owned();
        }
        let side = explanation.sides().into_iter().find(|s| !s.possible.allow);
        match side {
            Some(side) => {
                let way = if side.direction == crate::policy::Direction::Egress {
                    "out"
                } else {
                    "in"
                };
                let by = match side.decided_by {
                    Some(at) => words::rule(self.context.graph, at),
                    None => self.isolating(side),
                };
                format!("blocked on the way {way} by {by}")
            }
            None => explanation.reason().code().to_owned(),
        }
    }
}

fn port_words(side: &Side) -> &'static str {
    match (&side.near, side.reason) {
        (Some(_), Reason::DenyPort) => " on this port",
        _ => "",
    }
}

fn blocked(explanation: &Explanation, verdict: Verdict) -> &'static str {
    if verdict != Verdict::No {
        return "";
    }
    match (
        explanation.egress.possible.allow,
        explanation.ingress.possible.allow,
    ) {
        (false, false) => "   blocked on the way out and on the way in",
        (false, true) => "   blocked on the way out",
        (true, _) => "   blocked on the way in",
    }
}

/// How many names of one kind are printed; JSON has them all.
const NAMES: usize = 40;

/// Names in lines of at most `width` columns, the reason after the last.
fn wrapped(mut names: Vec<String>, reason: &str, width: usize) -> Vec<String> {
    if names.len() > NAMES {
        let more = format!("and {} more", names.len() - NAMES);
        names.truncate(NAMES);
        names.push(more);
    }
    let mut lines = vec![String::new()];
    let reason = if reason.is_empty() {
        None
    } else {
        Some(format!(" {reason}"))
    };
    for word in names.into_iter().chain(reason) {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(&word),
            Some(line) if line.chars().count() + 2 + word.chars().count() <= width => {
                line.push_str("  ");
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// `workloads in shop`, `workloads`, or what else was asked.
fn sources(text: &str, pairs: &[Pair]) -> String {
    let pods = pairs
        .iter()
        .all(|p| matches!(p.source, crate::query::End::Pods { .. }));
    let noun = if pods { "workloads" } else { "sources" };
    let namespace = text.strip_prefix("ns/").or_else(|| text.strip_suffix("/*"));
    match namespace {
        Some(name) => format!("{noun} in {}", words::clean(name)),
        None if matches!(text, "any" | "*") => noun.to_owned(),
        None => format!("{noun} of {}", words::clean(text)),
    }
}
