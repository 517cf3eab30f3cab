//! Policies that name other objects, groups and Services, once all objects are read.
//!
//! A policy is lowered when it is read, and then it is not known whom it names. Each graph lowers
//! it once more for its plugin. What policies say beyond the pods of an input is made of the
//! policies of the input itself, and so these have to say by which labels a group or a Service
//! selects: pods that are not loaded are members too. Cost: O(policies that name objects).

use crate::model::Cluster;
use crate::policy::antrea;
use crate::policy::antrea::knowledge::AntreaKnowledge;
use crate::policy::calico;
use crate::policy::calico::knowledge::CalicoKnowledge;
use crate::policy::calico::labels::NumbersOfNames;
use crate::policy::calico::lower::PolicyStanding;
use crate::policy::calico::options::CalicoSettings;
use crate::policy::calico::policy::CalicoPolicy;
use crate::policy::cilium;
use crate::policy::cilium::lower::{Knowledge, Standing};
use crate::policy::cilium::options::CiliumOptions;
use crate::policy::cilium::written::{ServiceForm, WrittenRule};
use crate::policy::interner::PolicyInterner;
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{Policy, PolicySource};

/// Gives policies that name groups or Services the selectors of these.
pub fn look_up(policies: &mut PolicySet, cluster: &Cluster) {
    let mut interner = PolicyInterner::default();
    for at in 0..policies.policies.len() {
        let policy = &policies.policies[at];
        let Some(mut read) = looked_up(policy, policies, cluster) else {
            continue;
        };
        read.generated.clone_from(&policy.generated);
        read.tier = policy.tier;
        interner.share(&mut read);
        policies.policies[at] = read;
    }
}

/// A policy with the selectors of what it names; none if it names nothing.
fn looked_up(policy: &Policy, policies: &PolicySet, cluster: &Cluster) -> Option<Policy> {
    let source = policy.written.as_ref()?;
    let names_services = || !named_services(source).is_empty();
    match source {
        PolicySource::Antrea(written) => {
            let known = AntreaKnowledge {
                objects: &policies.plugin.antrea,
                cluster: Some(cluster),
                called: None,
            };
            let document = policy.document;
            Some(antrea::lower::lower(
                written,
                &policy.name,
                document,
                &known,
            ))
        }
        PolicySource::Cilium(written) if names_services() => {
            let options = CiliumOptions::default();
            let known = Knowledge {
                options: &options,
                cluster: Some(cluster),
                groups: &policies.plugin.groups,
                tells_api_server: false,
            };
            let standing = Standing {
                name: &policy.name,
                document: policy.document,
                root: policy.root(),
            };
            Some(cilium::lower::lower(written, &standing, known))
        }
        PolicySource::Calico(written) if names_services() => {
            let settings = CalicoSettings::default();
            let known = CalicoKnowledge {
                objects: &policies.plugin.calico,
                cluster: Some(cluster),
                settings: &settings,
                ports: NumbersOfNames::default(),
            };
            let standing = PolicyStanding {
                name: &policy.name,
                document: policy.document,
                stored: policy.shape.api_version.starts_with("crd."),
            };
            Some(calico::lower::lower(written, &standing, &known))
        }
        _ => None,
    }
}

/// A Service that a rule names.
#[derive(Debug, Clone, Copy)]
pub enum NamedService<'w> {
    /// By its namespace, where that is told, and its name.
    Of(Option<&'w str>, &'w str),
    /// As Cilium writes it: by its name, or by labels.
    Form(&'w ServiceForm),
}

/// The Services that the rules of a policy of Cilium or Calico name.
pub fn named_services(written: &PolicySource) -> Vec<NamedService<'_>> {
    match written {
        PolicySource::Cilium(written) => of_cilium(written),
        PolicySource::Calico(written) => of_calico(written),
        _ => Vec::new(),
    }
}

fn of_cilium(written: &WrittenRule) -> Vec<NamedService<'_>> {
    let lists = [(0, false), (0, true), (1, false), (1, true)].into_iter();
    let entries = lists.flat_map(|(d, deny)| written.entries(d, deny));
    let forms = entries.flat_map(|entry| entry.services.iter().flatten());
    forms.map(NamedService::Form).collect()
}

fn of_calico(written: &CalicoPolicy) -> Vec<NamedService<'_>> {
    let rules = written.rules.iter().flatten();
    let sides = rules.flat_map(|rule| [&rule.source, &rule.destination]);
    let named = sides.filter_map(|side| side.service.as_ref());
    named
        .map(|(namespace, name)| NamedService::Of(namespace.as_deref(), name))
        .collect()
}
