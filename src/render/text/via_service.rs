//! What a Service on the way changes, in words and for programs.

use crate::model::Truth;
use crate::query::ask::resolved::Dialled;
use crate::query::ask::via_service::ViaService;
use crate::render::text::writer::TextWriter;
use std::io::{self, Write};

/// The word for programs: `itself`, `through-node`, `policed-node`, `rewritten`, `by-name`,
/// `own-node` or `of-node`.
pub fn word(led: ViaService) -> &'static str {
    match led {
        ViaService::ToItself => "itself",
        ViaService::ThroughNode(_) => "through-node",
        ViaService::PolicedNode(_) => "policed-node",
        ViaService::Rewritten(..) => "rewritten",
        ViaService::ByName(_) => "by-name",
        ViaService::OwnNode(_) => "own-node",
        ViaService::OfNode(_) => "of-node",
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
        (ViaService::Rewritten(_, dialled), false) => {
            format!("{} is rewritten on the way: before and after that the answer is the same", shown(dialled))
        }
        (ViaService::Rewritten(_, Dialled::Cluster(address)), true) => format!(
            "a rule names {address}, the address of the Service. Most clusters rewrite it to a pod's before policies \
             are applied, so that the rule admits nothing, but the API leaves that open"
        ),
        (ViaService::Rewritten(_, dialled), true) => format!(
            "{} is rewritten to a pod's, and the caller's perhaps to a node's. The API leaves open whether policies \
             see the addresses before or after that, and here it would decide",
            shown(dialled)
        ),
        (ViaService::ByName(_), _) => {
            "a rule names the Service: it sees the call of the Service and not the pod behind it".into()
        }
        (ViaService::OwnNode(Truth::No), _) => {
            "NO_BACKEND: internalTrafficPolicy: Local, and no pod behind the Service is on the caller's node".into()
        }
        (ViaService::OwnNode(_), _) => {
            "internalTrafficPolicy: Local leads to pods on the caller's node alone, and it is not told whether this \
             one is"
                .into()
        }
        (ViaService::OfNode(own), _) => match own {
            Truth::Yes => "the address of the node is not in the input; it is the pod's own node".into(),
            Truth::No => "the address of the node is not in the input; the pod is on another node".into(),
            Truth::Maybe => "neither the address of the node nor the pod's node is in the input".into(),
        },
        (ViaService::PolicedNode(_), _) => {
            "something that is not modelled polices the node that is called, and may stop calls from outside".into()
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

/// The address that is called, in words.
fn shown(dialled: Dialled) -> String {
    match dialled.address() {
        Some(address) => address.to_string(),
        None => "the address of a node".to_owned(),
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
