//! [`GraphsByService`]: the graph of calls of one Service, where rules see which Service is called
//! (AN40). It is made when a question asks for it.

use crate::input::Input;
use crate::model::{Cluster, ServiceId};
use crate::policy::Policy;
use crate::spec::environment::CompileOptions;
use std::sync::{Arc, OnceLock};

/// The graphs by the Service that is called.
pub struct GraphsByService<G> {
    input: Input,
    options: CompileOptions,
    graphs: Vec<OnceLock<Option<G>>>,
}

/// A Service by namespace and name.
pub(super) fn full_name(cluster: &Cluster, id: ServiceId) -> [Box<str>; 2] {
    let service = cluster.service(id);
    let namespace = &cluster.namespace(service.namespace).name;
    [namespace.clone(), service.name.clone()]
}

impl<G> GraphsByService<G> {
    /// Of an input with rules that name Services, if it has any.
    pub(super) fn new(input: &Input, options: &CompileOptions) -> Option<Self> {
        let mut policies = input.policies.policies.iter();
        let sees_calls = options.called.is_none() && policies.any(Policy::sees_calls);
        sees_calls.then(|| Self {
            input: Input {
                cluster: Arc::clone(&input.cluster),
                policies: Arc::clone(&input.policies),
                ..Input::default()
            },
            options: options.clone(),
            graphs: input.cluster.services().map(|_| OnceLock::new()).collect(),
        })
    }

    /// The graph of calls of a Service.
    pub(super) fn graph(
        &self,
        id: ServiceId,
        compile: impl Fn(&Input, &CompileOptions) -> Option<G>,
    ) -> Option<&G> {
        let options = CompileOptions {
            called: Some(full_name(&self.input.cluster, id)),
            ..self.options.clone()
        };
        let known = self.graphs.get(id.0 as usize)?;
        known
            .get_or_init(|| compile(&self.input, &options))
            .as_ref()
    }
}
