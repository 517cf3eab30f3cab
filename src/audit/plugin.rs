//! The network plugin: what names one, by flag or configuration, by policies of its own, or by the
//! name of its agent. None of it shows that the plugin runs and enforces.

use crate::audit::evidence::Evidence;
use crate::audit::fact::{Bearing, DecidedBy, Fact, FactTopic};
use crate::diagnostic::Place;
use crate::model::WorkloadKind;

/// What a plugin is called in facts, where nothing else is.
const PLUGIN: &str = "the network plugin";

/// Agents of plugins by the names of their `DaemonSet`s, each with whether it enforces policies.
const AGENTS: [(&str, &str, bool); 9] = [
    ("antrea-agent", "Antrea", true),
    ("calico-node", "Calico", true),
    ("canal", "Calico with flannel", true),
    ("cilium", "Cilium", true),
    ("kube-flannel", "flannel", false),
    ("kube-flannel-ds", "flannel", false),
    ("kube-router", "kube-router", true),
    ("ovnkube-node", "OVN-Kubernetes", true),
    ("weave-net", "Weave Net", true),
];

impl Evidence<'_> {
    /// What names a plugin.
    pub(crate) fn plugin(&self) -> Vec<Fact> {
        let fact = |bearing, text| Fact::new(bearing, FactTopic::Anyone, PLUGIN, text);
        let mut facts = Vec::new();
        if let Some(name) = self.of.plugin.filter(|name| *name != "generic") {
            let text = format!(
                "{name} is named by --cni or netpal.yaml, and enforces network policies; whether it runs is not in the input"
            );
            facts.push(fact(Bearing::Part, text));
        }
        if let Some(plugin) = self.of.input.policies.plugin.implied() {
            let text = format!(
                "the input has policies of {}, which enforces them; whether it runs is not in the input",
                plugin.name()
            );
            facts.push(fact(Bearing::Part, text));
        }
        let agents = self.agents();
        let enforced = !facts.is_empty() || agents.iter().any(|(_, enforces)| *enforces);
        for (agent, enforces) in agents {
            if enforces || !enforced {
                facts.push(agent);
            }
        }
        facts
    }

    /// The agents of plugins that the input has, by their names.
    fn agents(&self) -> Vec<(Fact, bool)> {
        let cluster = self.cluster();
        let sets = cluster
            .workloads()
            .filter(|(_, w)| w.kind == WorkloadKind::DaemonSet);
        let known = sets.filter_map(|(id, workload)| {
            let agent = AGENTS.iter().find(|agent| *agent.0 == *workload.name)?;
            Some((cluster.workload_name(id), workload, agent))
        });
        let agent = known.map(|(name, workload, (_, plugin, enforces))| {
            let (bearing, does) = if *enforces {
                (Bearing::Part, "which enforces network policies")
            } else {
                (Bearing::Against, "which enforces no network policies")
            };
            let text = format!("DaemonSet {name} is called like the agent of {plugin}, {does}");
            let by = vec![DecidedBy::At(Place::Origin(workload.origin.clone()))];
            let fact = Fact::new(bearing, FactTopic::Anyone, PLUGIN, text).because(by);
            (fact, *enforces)
        });
        agent.collect()
    }
}
