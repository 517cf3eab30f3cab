//! The text of an answer about several sources or destinations: what they come to, by reason.

use crate::query::{Answer, Pair, Verdict};
use crate::render::text::writer::TextWriter;
use crate::render::words;
use std::io::{self, Write};

impl TextWriter<'_> {
    /// Several pairs: the verdict, then who, by verdict and reason.
    pub(crate) fn many(
        &self,
        answer: &Answer,
        pairs: &[Pair],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let (from, to) = (
            words::clean(&answer.question.source.text),
            words::clean(&answer.question.destination.text),
        );
        let yes = pairs.iter().filter(|p| p.verdict == Verdict::Yes).count();
        let one_destination =
            pairs.len() > 1 && pairs.iter().all(|p| p.destination == pairs[0].destination);
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
        for missing in &answer.missing {
            writeln!(out, "     {}", words::clean(missing))?;
        }
        Ok(())
    }

    /// The pairs of one verdict, by why.
    pub(crate) fn grouped(
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

    pub(crate) fn short_reason(&self, pair: &Pair) -> String {
        let explanation = pair.explain(self.context.graph);
        if !pair.parts.is_empty() {
            return self.parts_in_short(pair);
        }
        if pair.verdict == Verdict::Partly {
            return format!(
                "only {}",
                words::traffic(&pair.allowed.must.intersection(&pair.asked))
            );
        }
        if explanation.host_network && pair.verdict == Verdict::Unknown {
            return "hostNetwork".into();
        }
        if explanation.led.is_some() || explanation.families.is_some() {
            return explanation.reason().code().to_owned();
        }
        let side = explanation
            .sides()
            .into_iter()
            .find(|s| !s.allowed.possible());
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

/// How many names of one kind are printed; JSON has them all.
const NAMES: usize = 40;

/// Names in lines of at most `width` columns, the reason after the last.
pub(crate) fn wrapped(mut names: Vec<String>, reason: &str, width: usize) -> Vec<String> {
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
pub(crate) fn sources(text: &str, pairs: &[Pair]) -> String {
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
