//! The flags that say which cluster is read, and as whom.

use super::args::Common;
use anyhow::{Result, bail};
use netpal::{Input, Live, LiveOptions, Source, UnlistedScope};

/// The cluster of the flags.
pub fn cluster(common: &Common) -> Live {
    let word = |flag: &Option<String>| flag.as_deref().map(Into::into);
    LiveOptions {
        context: word(&common.context),
        kubeconfig: word(&common.kubeconfig),
        user: word(&common.impersonate),
        namespace: word(&common.namespace).filter(|_| !common.all_namespaces),
        chunk_size: common.chunk_size,
        request_timeout: word(&common.request_timeout),
        dump: common.dump.clone(),
    }
    .into()
}

/// Refuses flags about a cluster where none is read: they would say nothing.
///
/// # Errors
/// When there are any.
pub fn refuse_without_cluster(common: &Common, sources: &[Source]) -> Result<()> {
    if sources.iter().any(|s| matches!(s, Source::Live(_))) {
        return Ok(());
    }
    let given = [
        ("context", common.context.is_some()),
        ("kubeconfig", common.kubeconfig.is_some()),
        ("as", common.impersonate.is_some()),
        ("chunk-size", common.chunk_size.is_some()),
        ("request-timeout", common.request_timeout.is_some()),
        ("dump", common.dump.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((flag, _)) => bail!("--{flag} is about a cluster, and none is read: add --live"),
        None => Ok(()),
    }
}

/// What a cluster is called.
pub fn name(cluster: &Live) -> String {
    match &cluster.options().context {
        Some(context) => format!("the cluster of context {context}"),
        None => "the cluster of the current context".to_owned(),
    }
}

/// Whether an input is all namespaces of a cluster.
pub fn has_all_namespaces(sources: &[Source], input: &Input) -> bool {
    let is_live = sources.iter().any(|s| matches!(s, Source::Live(_)));
    is_live && input.unlisted_scopes("Namespace").next().is_none()
}

/// The namespaces of an input whose pods could not be listed.
pub fn unseen_namespaces(input: &Input) -> Vec<Box<str>> {
    let scopes: Vec<&UnlistedScope> = input.unlisted_scopes("Pod").collect();
    let namespaces = input.cluster.namespaces();
    let unseen = namespaces.filter(|(_, n)| scopes.iter().any(|s| s.contains(&n.name)));
    unseen.map(|(_, n)| Box::from(&*n.name)).collect()
}
