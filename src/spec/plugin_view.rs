//! [`PluginView`]: an input as the network plugin reads it.

use crate::input::Input;
use crate::model::Cluster;
use crate::policy::PolicySet;
use crate::policy::cilium::options::{CiliumOptions, CiliumSettings};
use crate::policy::cilium::specialize::{specialize, without_rules};
use crate::policy::tunnel::through;
use crate::set::IpSet;
use crate::spec::options::{CompileOptions, Plugin};
use std::sync::Arc;

/// An input under a network plugin: what its policies mean there.
pub(crate) struct PluginView {
    /// The options with the choices of the plugin.
    pub options: CompileOptions,
    /// The policies as the plugin reads them.
    pub policies: Arc<PolicySet>,
    /// The options of its agent, if it is Cilium.
    pub cilium: Option<Arc<CiliumOptions>>,
}

impl PluginView {
    /// Looks at an input under some options. O(policies), where the plugin reads any otherwise.
    pub fn new(input: &Input, options: &CompileOptions) -> Self {
        let mut view = Self::of_plugin(input, options);
        if let Some(policies) = through(&view.policies) {
            view.policies = Arc::new(policies);
        }
        view
    }

    fn of_plugin(input: &Input, options: &CompileOptions) -> Self {
        let (policies, mut options) = (Arc::clone(&input.policies), options.clone());
        let told = match &options.plugin {
            Plugin::Unspecified if policies.plugin.has_cilium_policies => {
                options.choose_cilium();
                CiliumSettings::default()
            }
            Plugin::Cilium(settings) => (**settings).clone(),
            Plugin::Other if policies.plugin.has_cilium_policies => {
                let policies = Arc::new(without_rules(&policies));
                return Self {
                    options,
                    policies,
                    cilium: None,
                };
            }
            Plugin::Unspecified | Plugin::Other => {
                return Self {
                    options,
                    policies,
                    cilium: None,
                };
            }
        };
        let cilium = CiliumOptions::new(&told.over(&policies.plugin.settings));
        let told = !api_servers(&input.cluster, &options).is_empty();
        let special = specialize(&policies, &input.cluster, &cilium, told);
        Self {
            options,
            policies: special.map_or(policies, Arc::new),
            cilium: Some(Arc::new(cilium)),
        }
    }
}

/// Where the API server listens: as told, or as the endpoints of its Service tell.
pub(crate) fn api_servers(cluster: &Cluster, options: &CompileOptions) -> IpSet {
    if !options.api_servers.is_empty() {
        return options.api_servers.clone();
    }
    let listed = cluster.api_servers();
    IpSet::from_cidrs(listed.map(|at| ipnet::IpNet::from(at.ip())))
}
