//! What the address families of two ends make of a verdict, in words (S65).

use crate::model::Truth;
use crate::query::explain::explanation::{Explanation, FamilyEffect};
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::set::Family;
use crate::spec::Endpoint;
use std::io::{self, Write};

impl TextWriter<'_> {
    /// Where the address families of the ends decide, how.
    pub(crate) fn families(
        &self,
        indent: usize,
        explanation: &Explanation,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let flow = &explanation.flow;
        let text = match explanation.families {
            None => return Ok(()),
            Some(FamilyEffect::NoneInCommon) => format!(
                "{} has {}, {} has {}: no address family in common, so no connection",
                words::name_of(self.context, flow.source),
                self.families_of(flow.source),
                words::name_of(self.context, flow.destination),
                self.families_of(flow.destination),
            ),
            Some(FamilyEffect::PerhapsElsewhere) => format!(
                "on the pod network {} has {}, {} has {}: no address family in common. Whether they have \
                 one on a secondary network that both are on is not told; ask about one: --network NAME",
                words::name_of(self.context, flow.source),
                self.families_of(flow.source),
                words::name_of(self.context, flow.destination),
                self.families_of(flow.destination),
            ),
            Some(FamilyEffect::Untold(by_family)) => {
                let [four, six] = by_family.map(outcome);
                format!(
                    "the input does not tell whether these pods have IPv4 or IPv6 addresses: over IPv4 this is {four}, \
                     over IPv6 {six}; what denies is shown. Say where pod addresses lie: --pod-cidrs, or cluster.pod-cidrs in netpal.yaml"
                )
            }
        };
        self.wrapped_at(indent, &text, out)
    }

    fn families_of(&self, end: Endpoint) -> &'static str {
        let Some(told) = self.context.graph.environment().end_families(end).told() else {
            return "addresses that are not told";
        };
        match Family::ALL.map(|family| told.contains(family)) {
            [true, true] => "IPv4 and IPv6",
            [true, false] => "IPv4 only",
            [false, true] => "IPv6 only",
            [false, false] => "no address",
        }
    }
}

fn outcome(allowed: Truth) -> &'static str {
    match allowed {
        Truth::Yes => "allowed",
        Truth::No => "denied",
        Truth::Maybe => "unknown too",
    }
}
