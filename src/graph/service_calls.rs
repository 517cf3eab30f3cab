//! [`GraphsByCall`]: the graph of calls to Services and that of calls to pods themselves, where
//! networks make a difference between the two (NW40, NW41, NW50). Both are made when a question
//! asks for one.

use crate::input::Input;
use crate::spec::environment::{CompileOptions, ServiceCalls};
use std::sync::{Arc, OnceLock};

/// The graphs by how pods are called.
pub struct GraphsByCall<G> {
    input: Input,
    options: CompileOptions,
    to_pods: OnceLock<Option<G>>,
    to_services: OnceLock<Option<G>>,
}

impl<G> GraphsByCall<G> {
    /// Of an input whose networks make a difference, if they do.
    pub(super) fn new(input: &Input, options: &CompileOptions) -> Option<Self> {
        input.policies.plugin.networks.as_ref()?;
        (options.calls == ServiceCalls::Unknown).then(|| Self {
            input: Input {
                cluster: Arc::clone(&input.cluster),
                policies: Arc::clone(&input.policies),
                ..Input::default()
            },
            options: options.clone(),
            to_pods: OnceLock::new(),
            to_services: OnceLock::new(),
        })
    }

    /// The graph of one network alone, which is made anew.
    pub(super) fn on_network(
        &self,
        name: &str,
        compile: impl Fn(&Input, &CompileOptions) -> Option<G>,
    ) -> Option<G> {
        let is_asked = self.options.network.is_none();
        let options = is_asked.then(|| self.options.clone().network(name))?;
        compile(&self.input, &options)
    }

    /// The graph of one kind of calls.
    pub(super) fn graph(
        &self,
        calls: ServiceCalls,
        compile: impl Fn(&Input, &CompileOptions) -> Option<G>,
    ) -> Option<&G> {
        let known = match calls {
            ServiceCalls::Unknown => return None,
            ServiceCalls::ToPods => &self.to_pods,
            ServiceCalls::ToServices => &self.to_services,
        };
        let options = CompileOptions {
            calls,
            ..self.options.clone()
        };
        known
            .get_or_init(|| compile(&self.input, &options))
            .as_ref()
    }
}
