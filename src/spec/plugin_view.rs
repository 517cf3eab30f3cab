//! [`PluginView`]: an input as the network plugin reads it.

use crate::input::Input;
use crate::model::Cluster;
use crate::policy::antrea;
use crate::policy::calico;
use crate::policy::cilium::options::{CiliumOptions, CiliumSettings};
use crate::policy::cilium::specialize::{ToldAddresses, specialize, without_rules};
use crate::policy::foreign::forget_taints;
use crate::policy::networks::calls::by_call;
use crate::policy::networks::exceptions::let_in;
use crate::policy::networks::view::on_network;
use crate::policy::plugin::ImpliedPlugin;
use crate::policy::tier::LayerIx;
use crate::policy::tunnel::through;
use crate::policy::{Policy, PolicySet};
use crate::set::IpSet;
use crate::spec::options::{CompileOptions, ForeignPolicies, Plugin, ServiceCalls};
use std::sync::Arc;

/// An input under a network plugin: what its policies mean there.
pub(crate) struct PluginView {
    /// The options with the choices of the plugin.
    pub options: CompileOptions,
    /// The cluster as the plugin sees it.
    pub cluster: Arc<Cluster>,
    /// The policies as the plugin reads them.
    pub policies: Arc<PolicySet>,
    /// The options of its agent, if it is Cilium.
    pub cilium: Option<Arc<CiliumOptions>>,
}

/// The plugin that decides.
enum Deciding {
    Cilium(CiliumSettings),
    Calico,
    Antrea,
    Neither,
}

impl PluginView {
    /// Looks at an input under some options. O(policies), where the plugin reads any otherwise.
    pub fn new(input: &Input, options: &CompileOptions) -> Self {
        let mut view = Self {
            options: options.clone(),
            cluster: Arc::clone(&input.cluster),
            policies: Arc::clone(&input.policies),
            cilium: None,
        };
        if view.is_of_secondary_network() {
            return view;
        }
        if !view.options.taints && view.policies.has_layer(LayerIx::UNMODELLED) {
            Arc::make_mut(&mut view.policies).leave_out(LayerIx::UNMODELLED);
        }
        if view.options.network.is_none() && view.options.calls != ServiceCalls::ToServices {
            let let_in = let_in(&view.policies);
            view.policies = let_in.map_or_else(|| Arc::clone(&view.policies), Arc::new);
        }
        if let Some(to_services) = view.to_services() {
            let called = by_call(&view.policies, to_services);
            view.policies = called.map_or_else(|| Arc::clone(&view.policies), Arc::new);
        }
        let deciding = view.deciding();
        view.without_others(&deciding);
        if view.options.foreign == ForeignPolicies::Ignored {
            view.ignore_others(&deciding);
        }
        match deciding {
            Deciding::Cilium(told) => view.of_cilium(&told),
            Deciding::Calico => view.of_calico(),
            Deciding::Antrea => view.of_antrea(),
            Deciding::Neither => {}
        }
        if let Some(policies) = through(&view.policies) {
            view.policies = Arc::new(policies);
        }
        view
    }

    /// Whether Services are called, if that is told.
    fn to_services(&self) -> Option<bool> {
        match self.options.calls {
            ServiceCalls::Unknown => None,
            ServiceCalls::ToPods => Some(false),
            ServiceCalls::ToServices => Some(true),
        }
    }

    /// Looks at the network that is asked about, if it is one alone; whether it is a secondary one,
    /// where nothing of the network plugin acts.
    fn is_of_secondary_network(&mut self) -> bool {
        let name = self.options.network.as_deref();
        let seen = name.and_then(|name| on_network(&self.cluster, &self.policies, name));
        let Some(seen) = seen else {
            return false; // a name that nothing has is refused when the graph is compiled
        };
        self.cluster = Arc::new(seen.cluster);
        self.policies = Arc::new(seen.policies);
        seen.secondary
    }

    /// The plugin that is told, or that the policies are written for.
    fn deciding(&mut self) -> Deciding {
        let implied = self.policies.plugin.implied();
        match &self.options.plugin {
            Plugin::Cilium(settings) => Deciding::Cilium((**settings).clone()),
            Plugin::Calico => Deciding::Calico,
            Plugin::Antrea => Deciding::Antrea,
            Plugin::Unspecified => self.implied(implied),
            Plugin::Other => Deciding::Neither,
        }
    }

    /// The plugin that the policies imply, with its choices.
    fn implied(&mut self, implied: Option<ImpliedPlugin>) -> Deciding {
        match implied {
            Some(ImpliedPlugin::Cilium) => {
                self.options.choose_cilium();
                Deciding::Cilium(CiliumSettings::default())
            }
            Some(ImpliedPlugin::Calico) => {
                self.options.choose_calico();
                Deciding::Calico
            }
            Some(ImpliedPlugin::Antrea) => {
                self.options.choose_antrea();
                Deciding::Antrea
            }
            None => Deciding::Neither,
        }
    }

    /// Policies of another plugin may be in force, by whatever reads them.
    fn without_others(&mut self, deciding: &Deciding) {
        let is_cilium = matches!(deciding, Deciding::Cilium(_));
        let is_calico = matches!(deciding, Deciding::Calico);
        if self.policies.plugin.has_cilium_policies && !is_cilium {
            self.policies = Arc::new(without_rules(&self.policies));
        }
        if self.policies.plugin.calico.has_policies && !is_calico {
            let without = calico::specialize::without_policies(&self.policies);
            self.policies = Arc::new(without);
        }
        if self.policies.plugin.antrea.has_policies && !matches!(deciding, Deciding::Antrea) {
            let without = antrea::specialize::without_policies(&self.policies, &self.cluster);
            self.policies = Arc::new(without);
        }
    }

    /// Nothing enforces the policies of another plugin, so that nothing is unknown because of them.
    fn ignore_others(&mut self, deciding: &Deciding) {
        let is_foreign = |policy: &Policy| match deciding {
            Deciding::Cilium(_) => policy.calico().is_some() || policy.antrea().is_some(),
            Deciding::Calico => policy.cilium().is_some() || policy.antrea().is_some(),
            Deciding::Antrea => policy.cilium().is_some() || policy.calico().is_some(),
            Deciding::Neither => policy.is_of_plugin(),
        };
        if self.policies.iter().any(|(_, policy)| is_foreign(policy)) {
            forget_taints(Arc::make_mut(&mut self.policies), is_foreign);
        }
    }

    fn of_antrea(&mut self) {
        let seen = antrea::specialize::specialize(
            &self.policies,
            &self.cluster,
            self.options.called.as_ref(),
        );
        if let Some(policies) = seen.policies {
            self.policies = Arc::new(policies);
        }
        if let Some(cluster) = seen.cluster {
            self.cluster = Arc::new(cluster);
        }
    }

    fn of_cilium(&mut self, told: &CiliumSettings) {
        let cilium = CiliumOptions::new(&told.over(&self.policies.plugin.settings));
        let told = ToldAddresses {
            api_server: !api_servers(&self.cluster, &self.options).is_empty(),
            nodes: &self.options.node_cidrs,
        };
        let seen = specialize(&self.policies, &self.cluster, &cilium, told);
        if let Some(seen) = seen {
            self.policies = Arc::new(seen.policies);
            if let Some(cluster) = seen.cluster {
                self.cluster = Arc::new(cluster);
            }
        }
        self.cilium = Some(Arc::new(cilium));
    }

    fn of_calico(&mut self) {
        let settings = &self.options.calico;
        let seen = calico::specialize::specialize(&self.policies, &self.cluster, settings);
        if let Some(policies) = seen.policies {
            self.policies = Arc::new(policies);
        }
        if let Some(cluster) = seen.cluster {
            self.cluster = Arc::new(cluster);
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
