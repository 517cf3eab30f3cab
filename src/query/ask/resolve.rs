//! Resolves endpoints as they are written to workloads, pods and addresses of one cluster.
//!
//! An unknown name is answered with the most similar names, an ambiguous one with the candidates. A
//! Service resolves to its pods, and its ports are mapped to theirs
//! ([`crate::query::ask::asked_traffic`]). An address that belongs to a pod or to a Service
//! resolves to the pods too, with a remark that says so. Cost: O(workloads + pods + Services) per
//! endpoint.

use crate::model::{Cluster, NamespaceId, Pod, PodId, Selector, Workload, WorkloadId};
pub use crate::query::ask::asked_traffic::traffic;
use crate::query::ask::grammar::{EndpointSpec, Keyword, PortAsk, Target};
use crate::query::ask::nodes::nodes;
use crate::query::ask::pods_inside::pods_inside;
use crate::query::ask::resolved::fail;
pub use crate::query::ask::resolved::{Context, End, Note, ResolveError, Resolved};
use crate::query::ask::service_port;
use crate::query::ask::similar_names::suggest;
use crate::query::ask::surely_exists;
use crate::set::{Family, IpSet};
use crate::source::DocumentId;
use crate::spec::FamilySet;
use ipnet::IpNet;
use std::net::IpAddr;

/// Resolves an endpoint.
///
/// # Errors
/// When a name is unknown or ambiguous, or a set is empty.
pub fn resolve(
    cluster: &Cluster,
    context: &Context,
    spec: &EndpointSpec,
) -> Result<Resolved, ResolveError> {
    let resolver = Resolver {
        cluster,
        context,
        text: &spec.text,
        ports: spec.ports.as_deref(),
    };
    match &spec.target {
        Target::Name {
            namespace,
            kind,
            name,
        } => resolver.name(namespace.as_deref(), *kind, name),
        Target::Namespace(name) => {
            let namespaces = resolver.namespaces(name)?;
            resolver.workloads(&format!("namespace {name}"), |w, _| {
                namespaces.contains(&w.namespace)
            })
        }
        Target::Everywhere(name) => {
            resolver.workloads(&format!("`*/{name}`"), |w, _| w.name == *name)
        }
        Target::Selected {
            namespace,
            selector,
        } => resolver.selected(namespace.as_deref(), selector),
        Target::Addresses(net) if net.addr().is_loopback() => fail(
            format!("{} is the pod itself, and nothing outside it", net.addr()),
            Some("no policy governs what a pod tells itself".into()),
        ),
        Target::Addresses(net) => Ok(resolver.addresses(*net)),
        Target::Keyword(keyword) => resolver.keyword(*keyword),
        Target::Node(name) => resolver.node(name),
        Target::Named {
            kind,
            namespace,
            name,
        } => resolver.named_addresses(*kind, namespace.as_deref(), name),
        Target::Assumed(name) => resolver.workloads(&format!("controller {name}"), |w, _| {
            w.origin.document == DocumentId::NONE && w.name == *name
        }),
    }
}

pub(crate) struct Resolver<'a> {
    pub cluster: &'a Cluster,
    pub context: &'a Context,
    pub text: &'a str,
    pub ports: Option<&'a [PortAsk]>,
}

impl Resolver<'_> {
    /// The namespace of a name, or all that are assumed to have it.
    fn namespaces(&self, name: &str) -> Result<Vec<NamespaceId>, ResolveError> {
        let called: Vec<NamespaceId> = self.cluster.namespaces_called(name).collect();
        if called.is_empty() {
            return self.namespace(name).map(|id| vec![id]);
        }
        Ok(called)
    }

    pub(crate) fn namespace(&self, name: &str) -> Result<NamespaceId, ResolveError> {
        if let Some(id) = self.cluster.find_namespace(name) {
            return Ok(id);
        }
        let names: Vec<&str> = self.cluster.namespaces().map(|(_, n)| &*n.name).collect();
        fail(
            format!("no namespace is called `{name}`"),
            Some(suggest(name, &names, "namespaces")),
        )
    }

    fn workloads(
        &self,
        what: &str,
        wanted: impl Fn(&Workload, WorkloadId) -> bool,
    ) -> Result<Resolved, ResolveError> {
        let found = self.cluster.workloads().filter(|(id, w)| wanted(w, *id));
        let ends: Vec<End> = found.map(|(id, _)| self.whole(id)).collect();
        if ends.is_empty() {
            return fail(format!("{what} has no workload in this input"), None);
        }
        Ok(Resolved {
            ends,
            ..Resolved::default()
        })
    }

    pub(crate) fn whole(&self, workload: WorkloadId) -> End {
        End::pods(workload, self.cluster.workload(workload).pods.clone())
    }

    fn selected(
        &self,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Resolved, ResolveError> {
        let namespace = namespace
            .or(self.context.namespace.as_deref())
            .map(|n| self.namespaces(n))
            .transpose()?;
        let ends = self.pods_where(|_, pod| {
            namespace
                .as_ref()
                .is_none_or(|n| n.contains(&pod.namespace))
                && selector.selects(self.cluster.labels(pod.labels)).possible()
        });
        if ends.is_empty() {
            return fail(
                format!("no pod has the labels `{selector}`"),
                Some("see what there is: netpal inputs".into()),
            );
        }
        Ok(Resolved {
            ends,
            ..Resolved::default()
        })
    }

    /// The pods that fulfil a condition, by workload, in input order.
    pub(crate) fn pods_where(&self, wanted: impl Fn(PodId, &Pod) -> bool) -> Vec<End> {
        let mut ends = Vec::new();
        for (id, workload) in self.cluster.workloads() {
            let pods: Vec<PodId> = workload
                .pods
                .iter()
                .copied()
                .filter(|p| wanted(*p, self.cluster.pod(*p)))
                .collect();
            if !pods.is_empty() {
                ends.push(End::pods(id, pods));
            }
        }
        ends
    }

    /// Why it is not told what has an address: it lies where Services or pods have theirs, and none
    /// of the input is known to have it.
    fn unlisted(&self, address: IpAddr) -> Option<Box<str>> {
        if let Some(pod) = self.cluster.locked_at(address) {
            let pod = self.cluster.workload_name(self.cluster.pod(pod).workload);
            let why = "on the default network, where only probes of its node and open ports get in";
            return Some(format!("{address} is the address of {pod} {why}").into());
        }
        let lies_in = |told: &Option<IpSet>| told.as_ref().is_some_and(|set| set.contains(address));
        if lies_in(&self.context.service_cidrs) {
            let why =
                "lies where Services have their addresses, and which has it is not in the input";
            return Some(format!("{address} {why}").into());
        }
        let pods = self.cluster.pods();
        let is_untold = |(_, pod): &(PodId, &Pod)| !pod.host_network && pod.addresses.is_empty();
        (lies_in(&self.context.pod_cidrs) && pods.into_iter().any(|pod| is_untold(&pod))).then(
            || {
                let why = "lies where pods have their addresses, and not all of these are told";
                format!("{address} {why}").into()
            },
        )
    }

    fn addresses(&self, net: IpNet) -> Resolved {
        let single = net.prefix_len() == net.max_prefix_len();
        if single {
            let address = net.addr();
            let pod = self
                .cluster
                .pods()
                .find(|(_, p)| !p.host_network && p.addresses.contains(&address));
            if let Some((id, pod)) = pod {
                let notes = vec![Note::PodAddress(net, pod.workload)];
                return Resolved {
                    ends: vec![End::Pods {
                        workload: pod.workload,
                        pods: vec![id],
                        families: FamilySet::only(Family::of(address)),
                    }],
                    notes,
                    ..Resolved::default()
                };
            }
            if let Some(found) = self.service_at(net).or_else(|| self.service_at_node(net)) {
                return found;
            }
            if let Some(missing) = self.unlisted(address) {
                return Resolved {
                    missing: Some(missing),
                    ..Resolved::default()
                };
            }
        }
        let node = self
            .cluster
            .nodes()
            .find(|(_, n)| single && n.addresses.contains(&net.addr()));
        let at_node = node.and_then(|_| service_port::at_nodes(self.cluster, self.ports));
        let notes = node
            .map(|(_, n)| Note::NodeAddress(net, n.name.clone()))
            .into_iter()
            .chain(at_node)
            .collect();
        let name = if single {
            net.addr().to_string()
        } else {
            net.to_string()
        };
        let block = IpSet::from_cidrs([net]);
        // a single address that is a pod's was found above
        let (mut ends, taken) = pods_inside(self.cluster, &block);
        let set = block.difference(&taken);
        if !set.is_empty() {
            ends.push(End::Addresses {
                name: name.into(),
                set,
                symbolic: false,
            });
        }
        Resolved {
            ends,
            notes,
            ..Resolved::default()
        }
    }

    fn keyword(&self, keyword: Keyword) -> Result<Resolved, ResolveError> {
        if let Some(set) = keyword.addresses() {
            let (mut ends, taken) = pods_inside(self.cluster, &set);
            ends.push(End::Addresses {
                name: keyword.word().into(),
                set: set.difference(&taken),
                symbolic: true,
            });
            return Ok(Resolved {
                ends,
                ..Resolved::default()
            });
        }
        let found = match keyword {
            Keyword::AnyPod => return self.workloads("this input", |_, _| true),
            Keyword::Any => {
                // what stands in for pods that are not loaded is in no document
                let any_pod = self.context.any_pod;
                let loaded = |w: &Workload, _| any_pod || w.origin.document != DocumentId::NONE;
                return self.workloads("this input", loaded);
            }
            Keyword::Dns => {
                let (namespace, selector) = &self.context.dns;
                let here = self.cluster.find_namespace(namespace);
                let mut found = self.pods_where(|_, p| {
                    Some(p.namespace) == here && selector.matches(self.cluster.labels(p.labels))
                });
                found.extend(surely_exists::node_local_dns(self.cluster, self.context));
                found
            }
            Keyword::ApiServer => {
                if let Some(told) = surely_exists::api_server(self.cluster, self.context) {
                    return Ok(told);
                }
                let selector = Selector::label("component", "kube-apiserver");
                let pods = self.pods_where(|_, p| selector.matches(self.cluster.labels(p.labels)));
                if pods.is_empty() {
                    return Ok(surely_exists::api_server_somewhere(self.cluster));
                }
                pods
            }
            _ => {
                if let Some(found) = self.service_at_nodes() {
                    return Ok(found);
                }
                let mut found = nodes(self.cluster);
                found.extend(surely_exists::told_nodes(self.cluster, self.context));
                found
            }
        };
        let missing = found.is_empty().then(|| match keyword {
            Keyword::Dns => format!(
                "no pods `{}` in namespace {} are in the input",
                self.context.dns.1, self.context.dns.0
            )
            .into(),
            _ => "no Node with an address is in the input".into(),
        });
        let is_nodes = keyword == Keyword::Nodes;
        let notes = is_nodes.then(|| service_port::at_nodes(self.cluster, self.ports));
        Ok(Resolved {
            ends: found,
            missing,
            notes: notes.flatten().into_iter().collect(),
            ..Resolved::default()
        })
    }
}
