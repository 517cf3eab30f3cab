//! What a Service on the way changes, in words and for programs.

use crate::query::ask::via_service::ViaService;
use crate::render::text::writer::TextWriter;
use std::io::{self, Write};

/// The word for programs: `itself` or `through-node`.
pub fn word(led: ViaService) -> &'static str {
    match led {
        ViaService::ToItself => "itself",
        ViaService::ThroughNode(_) => "through-node",
    }
}

/// One sentence for people; `unsure` where that is why the answer is unknown.
pub fn sentence(led: ViaService, unsure: bool) -> String {
    match (led, unsure) {
        (ViaService::ToItself, false) => {
            "the Service leads the pod back to itself: NetworkPolicies let that pass, a ClusterNetworkPolicy may not".into()
        }
        (ViaService::ToItself, true) => {
            "the Service leads the pod back to itself, and the API does not tell whether an AdminNetworkPolicy is asked \
             about that; here it would decide"
                .into()
        }
        (ViaService::ThroughNode(caller), false) => {
            format!("the Service takes calls at the nodes: by {caller} or by a node's address, the answer is the same")
        }
        (ViaService::ThroughNode(caller), true) => format!(
            "the Service takes calls at the nodes, so the pod may see a node's address, even its own node's, instead of \
             {caller}, and then the answer differs. Ask about the pods without the Service to see it for {caller} alone, \
             or keep callers' addresses with externalTrafficPolicy: Local"
        ),
    }
}

impl TextWriter<'_> {
    /// The sentence on lines of its own.
    pub(crate) fn led(
        &self,
        indent: usize,
        led: ViaService,
        unsure: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.wrapped_at(indent, &sentence(led, unsure), out)
    }
}
