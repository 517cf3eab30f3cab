//! Objects of layers that mean something only together with others: they are kept until all are
//! read.

use crate::policy::istio::written::IstioObject;
use crate::policy::linkerd::written::LinkerdObject;
use crate::policy::networks::written::NetworkObject;
use crate::source::DocumentId;

/// An object of a layer.
#[derive(Debug)]
pub enum LayerObject {
    /// One of Istio's.
    Istio(IstioObject),
    /// One of Linkerd's.
    Linkerd(LinkerdObject),
    /// One of networks.
    Network(NetworkObject),
}

impl LayerObject {
    /// The object with its document, which is not known while it is read.
    #[must_use]
    pub fn with_document(self, document: DocumentId) -> Self {
        match self {
            Self::Istio(object) => Self::Istio(IstioObject { document, ..object }),
            Self::Linkerd(object) => Self::Linkerd(LinkerdObject { document, ..object }),
            Self::Network(object) => Self::Network(NetworkObject { document, ..object }),
        }
    }
}
