//! Resolves endpoints as they are written to workloads, pods and addresses of one cluster.
//!
//! An unknown name is answered with the most similar names, an ambiguous one with the candidates. A
//! Service resolves to its pods, and its ports are mapped to theirs
//! ([`crate::query::ask::asked_traffic`]). An address that belongs to a pod or to a Service
//! resolves to the pods too, with a remark that says so. Cost: O(workloads + pods + Services) per
//! endpoint.

use crate::model::{
    Cluster, NamespaceId, Pod, PodId, Selector, Service, ServiceId, Workload, WorkloadId,
    WorkloadKind,
};
pub use crate::query::ask::asked_traffic::traffic;
use crate::query::ask::grammar::{EndpointSpec, Keyword, ObjectKind, Target};
use crate::query::ask::names::{looks_generated, suggest};
use crate::query::ask::nodes::nodes;
use crate::query::ask::pods_inside::pods_inside;
pub use crate::query::ask::resolved::{Context, End, Note, ResolveError, Resolved};
use crate::query::ask::resolved::{fail, wrong};
use crate::set::{Family, IpSet};
use crate::source::DocumentId;
use crate::spec::FamilySet;
use ipnet::IpNet;
use std::collections::{BTreeSet, HashSet};

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
        Target::Addresses(net) => Ok(resolver.addresses(*net)),
        Target::Keyword(keyword) => resolver.keyword(*keyword),
    }
}

struct Resolver<'a> {
    cluster: &'a Cluster,
    context: &'a Context,
    text: &'a str,
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

    fn namespace(&self, name: &str) -> Result<NamespaceId, ResolveError> {
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

    fn whole(&self, workload: WorkloadId) -> End {
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
                && selector.matches(self.cluster.labels(pod.labels))
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
    fn pods_where(&self, wanted: impl Fn(PodId, &Pod) -> bool) -> Vec<End> {
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

    fn name(
        &self,
        namespace: Option<&str>,
        kind: Option<ObjectKind>,
        name: &str,
    ) -> Result<Resolved, ResolveError> {
        let chosen = namespace.or(self.context.namespace.as_deref());
        let within = chosen.map(|n| self.namespace(n)).transpose()?;
        if kind != Some(ObjectKind::Service) {
            let wanted = |w: &Workload| {
                *w.name == *name
                    && within.is_none_or(|n| w.namespace == n)
                    && kind.is_none_or(|k| k == ObjectKind::Workload(w.kind))
            };
            let found: Vec<WorkloadId> = self
                .cluster
                .workloads()
                .filter(|(_, w)| wanted(w))
                .map(|(id, _)| id)
                .collect();
            match found.as_slice() {
                [single] => {
                    return Ok(Resolved {
                        ends: vec![self.whole(*single)],
                        ..Resolved::default()
                    });
                }
                [] => {}
                several => return self.ambiguous(several),
            }
        }
        let (service, pod) = match kind {
            None => (true, true),
            Some(ObjectKind::Service) => (true, false),
            Some(ObjectKind::Workload(kind)) => (false, kind == WorkloadKind::Pod),
        };
        if service && let Some(found) = self.service(within, name, kind)? {
            return Ok(found);
        }
        if pod && let Some(found) = self.pod_name(within, name) {
            return Ok(found);
        }
        self.unknown(within, kind, name)
    }

    fn ambiguous<T>(&self, found: &[WorkloadId]) -> Result<T, ResolveError> {
        let short = found.iter().map(|id| self.cluster.workload_name(*id));
        let mut names: Vec<String> = short.collect();
        if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
            names = found
                .iter()
                .map(|id| self.cluster.long_workload_name(*id))
                .collect();
        }
        let shown: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
        let more = if names.len() > 10 {
            format!(" and {} more", names.len() - 10)
        } else {
            String::new()
        };
        wrong(
            format!("{} is ambiguous: {}{more}", self.text, shown.join(", ")),
            Some("name the one you mean, or choose a namespace with -n".into()),
        )
    }

    /// Finds a Service by `svc/name`, by its DNS name, or by its bare name if no workload has it.
    fn service(
        &self,
        within: Option<NamespaceId>,
        name: &str,
        kind: Option<ObjectKind>,
    ) -> Result<Option<Resolved>, ResolveError> {
        let stem = name.strip_suffix(".cluster.local").unwrap_or(name);
        let (dns, stem) = stem
            .strip_suffix(".svc")
            .map_or((false, stem), |s| (true, s));
        let dotted = stem
            .split_once('.')
            .and_then(|(s, n)| Some((s, self.cluster.find_namespace(n)?)));
        let wanted = |s: &Service| match dotted {
            Some((service, namespace)) if *s.name == *service && s.namespace == namespace => true,
            _ => !dns && *s.name == *name && within.is_none_or(|n| s.namespace == n),
        };
        let found: Vec<(ServiceId, &Service)> =
            self.cluster.services().filter(|(_, s)| wanted(s)).collect();
        match found.as_slice() {
            [] if dns || kind == Some(ObjectKind::Service) => {
                let names: Vec<String> = self
                    .cluster
                    .services()
                    .map(|(_, s)| {
                        format!("{}.{}", s.name, self.cluster.namespace(s.namespace).name)
                    })
                    .collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                fail(
                    format!(
                        "no Service is called `{}`",
                        self.text.split(':').next().unwrap_or(self.text)
                    ),
                    Some(suggest(stem, &names, "Services")),
                )
            }
            [] => Ok(None),
            [(id, service)] => Ok(Some(self.behind(*id, service))),
            several => {
                let names: Vec<String> = several
                    .iter()
                    .map(|(_, s)| {
                        format!(
                            "{}/svc/{}",
                            self.cluster.namespace(s.namespace).name,
                            s.name
                        )
                    })
                    .collect();
                wrong(
                    format!("{} is ambiguous: {}", self.text, names.join(", ")),
                    None,
                )
            }
        }
    }

    /// The pods behind a Service.
    fn behind(&self, id: ServiceId, service: &Service) -> Resolved {
        let pods: HashSet<PodId> = self.cluster.service_pods(id).into_iter().collect();
        let ends = self.pods_where(|pod, _| pods.contains(&pod));
        let missing = ends
            .is_empty()
            .then(|| match (&service.external_name, &service.selector) {
                (Some(name), _) => format!(
                    "Service {} stands for the outside name {name}",
                    service.name
                )
                .into(),
                (None, None) => format!(
                    "Service {} has no selector: its endpoints are not in the input",
                    service.name
                )
                .into(),
                (None, Some(s)) => format!(
                    "no pod in the input has the labels of Service {} ({s})",
                    service.name
                )
                .into(),
            });
        Resolved {
            ends,
            service: Some(id),
            notes: vec![Note::Service(id)],
            missing,
        }
    }

    /// Resolves the name of a pod: the pod itself if it was loaded, otherwise the workload whose
    /// name the pod name begins with.
    fn pod_name(&self, within: Option<NamespaceId>, name: &str) -> Option<Resolved> {
        let here = |n: NamespaceId| within.is_none_or(|w| w == n);
        let pods: Vec<PodId> = self
            .cluster
            .pods()
            .filter(|(_, p)| *p.name == *name && here(p.namespace))
            .map(|(id, _)| id)
            .collect();
        if let [pod] = pods.as_slice() {
            let workload = self.cluster.pod(*pod).workload;
            let notes = vec![Note::PodName(name.into(), workload)];
            return Some(Resolved {
                ends: vec![End::pods(workload, pods)],
                notes,
                ..Resolved::default()
            });
        }
        let owned = |w: &Workload| {
            let rest = name
                .strip_prefix(&*w.name)
                .and_then(|r| r.strip_prefix('-'));
            rest.is_some_and(looks_generated) && here(w.namespace)
        };
        let found: Vec<WorkloadId> = self
            .cluster
            .workloads()
            .filter(|(_, w)| owned(w))
            .map(|(id, _)| id)
            .collect();
        let [single] = found.as_slice() else {
            return None;
        };
        let notes = vec![Note::PodName(name.into(), *single)];
        Some(Resolved {
            ends: vec![self.whole(*single)],
            notes,
            ..Resolved::default()
        })
    }

    fn unknown<T>(
        &self,
        within: Option<NamespaceId>,
        kind: Option<ObjectKind>,
        name: &str,
    ) -> Result<T, ResolveError> {
        let here = self
            .cluster
            .workloads()
            .filter(|(_, w)| within.is_none_or(|n| w.namespace == n));
        let qualified = within.is_some() || self.text.contains('/');
        let names: Vec<String> = here
            .map(|(id, w)| {
                if qualified {
                    w.name.to_string()
                } else {
                    self.cluster.workload_name(id)
                }
            })
            .collect();
        let words: Vec<&str> = names.iter().map(String::as_str).collect();
        let what = match kind {
            Some(ObjectKind::Workload(kind)) => kind.name(),
            Some(ObjectKind::Service) => "Service",
            None => "workload or Service",
        };
        let scope = within.map_or_else(String::new, |n| {
            format!(" in namespace {}", self.cluster.namespace(n).name)
        });
        fail(
            format!("no {what} is called `{name}`{scope}"),
            Some(suggest(name, &words, "workloads")),
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
            if let Some((id, service)) = self
                .cluster
                .services()
                .find(|(_, s)| s.addresses.contains(&address))
            {
                let mut found = self.behind(id, service);
                found.notes.insert(0, Note::ServiceAddress(net, id));
                return found;
            }
        }
        let node = self
            .cluster
            .nodes()
            .find(|(_, n)| single && n.addresses.contains(&net.addr()));
        let notes = node
            .map(|(_, n)| Note::NodeAddress(net, n.name.clone()))
            .into_iter()
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
            Keyword::Any => {
                // what stands in for pods that are not loaded is in no document
                let loaded = |w: &Workload, _| w.origin.document != DocumentId::NONE;
                return self.workloads("this input", loaded);
            }
            Keyword::Dns => {
                let (namespace, selector) = &self.context.dns;
                let here = self.cluster.find_namespace(namespace);
                self.pods_where(|_, p| {
                    Some(p.namespace) == here && selector.matches(self.cluster.labels(p.labels))
                })
            }
            Keyword::ApiServer => {
                let selector = Selector::label("component", "kube-apiserver");
                self.pods_where(|_, p| selector.matches(self.cluster.labels(p.labels)))
            }
            _ => nodes(self.cluster),
        };
        let missing = found.is_empty().then(|| match keyword {
            Keyword::Dns => format!(
                "no pods `{}` in namespace {} are in the input",
                self.context.dns.1, self.context.dns.0
            )
            .into(),
            Keyword::ApiServer => "no pods `component=kube-apiserver` are in the input".into(),
            _ => "no Node with an address is in the input".into(),
        });
        Ok(Resolved {
            ends: found,
            missing,
            ..Resolved::default()
        })
    }
}
