//! What names refer to: workloads, Services, and pods by the names that controllers and the DNS
//! give them.
//!
//! A workload is preferred to the Service of its name, unless only the Service has the port
//! ([`crate::query::ask::service_port`]). Cost: O(workloads + pods + Services) for each name.

use crate::model::workload::follows;
use crate::model::{
    NamespaceId, PodDnsName, PodId, Service, ServiceId, Workload, WorkloadId, WorkloadKind,
};
use crate::query::ask::dns_name::{DnsName, outside};
use crate::query::ask::grammar::ObjectKind;
use crate::query::ask::resolve::Resolver;
use crate::query::ask::resolved::{End, Note, ResolveError, Resolved, fail, wrong};
use crate::query::ask::service_port;
use crate::query::ask::similar_names::{close, looks_generated, suggest};
use std::collections::BTreeSet;

impl Resolver<'_> {
    /// What a name refers to: a workload, a Service, or a pod.
    pub(crate) fn name(
        &self,
        namespace: Option<&str>,
        kind: Option<ObjectKind>,
        name: &str,
    ) -> Result<Resolved, ResolveError> {
        let chosen = namespace.or(self.context.namespace.as_deref());
        let within = chosen.map(|n| self.namespace(n)).transpose()?;
        if name.contains('/') {
            return self.made_by_name(within, name);
        }
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
                [single] => return self.workload_or_service(*single, kind),
                [] => {}
                several => return self.ambiguous(several),
            }
        }
        let (service, pod) = match kind {
            None => (true, true),
            Some(ObjectKind::Service) => (true, false),
            Some(ObjectKind::Workload(kind)) => (false, kind == WorkloadKind::Pod),
        };
        if kind.is_none()
            && let Some(found) = self.pod_of_service(within, name)?
        {
            return Ok(found);
        }
        if service && let Some(found) = self.service(within, name, kind)? {
            return Ok(found);
        }
        if let Some((set, pods)) = self.set_without(within, name) {
            return fail(
                format!("no pod is called `{name}`: StatefulSet {set} has {pods}"),
                None,
            );
        }
        if pod && let Some(found) = self.pod_name(within, name) {
            return Ok(found);
        }
        if let Some(found) = self.made_of_object(within, kind, name)? {
            return Ok(found);
        }
        self.unknown(within, kind, name)
    }

    /// A workload, unless the Service of its name is meant.
    fn workload_or_service(
        &self,
        id: WorkloadId,
        kind: Option<ObjectKind>,
    ) -> Result<Resolved, ResolveError> {
        if kind.is_none()
            && let Some(service) = service_port::meant(self.cluster, id, self.ports)?
        {
            return Ok(self.behind(service, self.cluster.service(service)));
        }
        let pods = &self.cluster.workload(id).pods;
        let ports = self.ports.filter(|_| kind.is_none()).unwrap_or_default();
        let remark = service_port::probably(self.cluster, pods, ports);
        Ok(Resolved {
            ends: vec![self.whole(id)],
            notes: remark.into_iter().collect(),
            ..Resolved::default()
        })
    }

    pub(super) fn ambiguous<T>(&self, found: &[WorkloadId]) -> Result<T, ResolveError> {
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
        let DnsName {
            stem,
            is_service: dns,
        } = DnsName::new(name);
        let dotted = stem
            .split_once('.')
            .and_then(|(s, n)| Some((s, self.cluster.find_namespace(n)?)));
        let is_so = |s: &Service, name: &str| {
            let by_pattern = s.name.contains('*') && follows(&s.name, name);
            *s.name == *name || by_pattern
        };
        let named = kind == Some(ObjectKind::Service);
        let wanted = |s: &Service| match dotted {
            Some((service, namespace)) if is_so(s, service) && s.namespace == namespace => true,
            _ if named => !dns && is_so(s, name) && within.is_none_or(|n| s.namespace == n),
            _ => !dns && *s.name == *name && within.is_none_or(|n| s.namespace == n),
        };
        let found: Vec<(ServiceId, &Service)> =
            self.cluster.services().filter(|(_, s)| wanted(s)).collect();
        match found.as_slice() {
            [] if dns || kind == Some(ObjectKind::Service) => {
                let names = self.service_names();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let help = close(stem, &names)
                    .or_else(|| outside(self.text, name))
                    .unwrap_or_else(|| suggest(stem, &names, "Services"));
                fail(
                    format!(
                        "no Service is called `{}` (NO_SERVICE)",
                        self.text.split(':').next().unwrap_or(self.text)
                    ),
                    Some(help),
                )
            }
            [] => Ok(None),
            [(id, service)] => Ok(Some(self.behind(*id, service))),
            [(id, first), others @ ..] if others.iter().all(|(_, s)| is_same(first, s)) => {
                let mut all = self.behind(*id, first);
                for (id, service) in others {
                    for end in self.behind(*id, service).ends {
                        if !all.ends.contains(&end) {
                            all.ends.push(end);
                        }
                    }
                }
                Ok(Some(all))
            }
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

    /// The names of all Services, as the DNS has them: `web.shop`.
    fn service_names(&self) -> Vec<String> {
        let name = |(_, s): (ServiceId, &Service)| {
            format!("{}.{}", s.name, self.cluster.namespace(s.namespace).name)
        };
        self.cluster.services().map(name).collect()
    }

    /// Finds a pod by the DNS name that it has behind a headless Service.
    fn pod_of_service(
        &self,
        within: Option<NamespaceId>,
        name: &str,
    ) -> Result<Option<Resolved>, ResolveError> {
        let Some((pod, service, namespace)) = DnsName::new(name).pod() else {
            return Ok(None);
        };
        let namespace = match namespace {
            Some(namespace) => match self.cluster.find_namespace(namespace) {
                Some(id) => Some(id),
                None => return Ok(None),
            },
            None if self.cluster.find_namespace(service).is_some() => return Ok(None),
            None => within,
        };
        let mut named = self
            .cluster
            .services()
            .filter(|(_, s)| *s.name == *service && namespace.is_none_or(|n| s.namespace == n));
        let Some((id, found)) = named.next().filter(|_| named.next().is_none()) else {
            return Ok(namespace.and_then(|n| self.pod_name(Some(n), pod)));
        };
        if let Some((set, pods)) = self.set_without(Some(found.namespace), pod) {
            return fail(
                format!("no pod is called `{pod}`: StatefulSet {set} has {pods} (NO_NAME)"),
                None,
            );
        }
        let no_name = |why: String| {
            let help = format!("ask about all that are behind it: svc/{service}");
            fail(format!("{why} (NO_NAME)"), Some(help))
        };
        if !found.headless {
            return no_name(format!(
                "Service {service} has an address of its own, so that its pods have no names under it"
            ));
        }
        let behind = self.cluster.service_pods(id);
        let named_so = |id: PodId, dns: &PodDnsName| {
            *dns.hostname == *pod && *dns.subdomain == *service && behind.contains(&id)
        };
        let ends = self.pods_where(|id, pod| {
            let dns = pod.dns_name.as_deref();
            dns.is_some_and(|dns| named_so(id, dns)) && (pod.ready || found.publishes_not_ready)
        });
        let [End::Pods { workload, .. }] = ends.as_slice() else {
            if let Some(made) = self.made_pod_name(Some(found.namespace), pod) {
                return Ok(Some(under_service(made, &behind, service)));
            }
            return no_name(format!("no pod is called `{pod}` under Service {service}"));
        };
        Ok(Some(Resolved {
            notes: vec![Note::PodName(pod.into(), *workload)],
            ends,
            ..Resolved::default()
        }))
    }

    /// The `StatefulSet` that would have a pod of this name if it had more, and the pods that it
    /// has.
    fn set_without(&self, within: Option<NamespaceId>, name: &str) -> Option<(String, String)> {
        let (stem, ordinal) = name.rsplit_once('-')?;
        ordinal.parse::<u32>().ok()?;
        let mut sets = self.cluster.workloads().filter(|(_, w)| {
            w.kind == WorkloadKind::StatefulSet
                && *w.name == *stem
                && within.is_none_or(|n| w.namespace == n)
        });
        let (id, set) = sets.next().filter(|_| sets.next().is_none())?;
        let names = || set.pods.iter().map(|pod| &*self.cluster.pod(*pod).name);
        let are_told = names().all(|pod| pod != stem) && names().all(|pod| pod != name);
        let pods = match (names().next()?, names().next_back()?) {
            (first, last) if first == last => first.to_owned(),
            (first, last) => format!("{first} to {last}"),
        };
        are_told.then(|| (self.cluster.workload_name(id), pods))
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
        if let Some(found) = self.made_pod_name(within, name) {
            return Some(found);
        }
        let owned = |w: &Workload| {
            let rest = name
                .strip_prefix(&*w.name)
                .and_then(|r| r.strip_prefix('-'));
            rest.is_some_and(|rest| looks_generated(w.kind, rest)) && here(w.namespace)
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
        let services = name.contains('.').then(|| self.service_names());
        let names: Vec<String> = names
            .into_iter()
            .chain(services.into_iter().flatten())
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
        let help = close(name, &words)
            .or_else(|| outside(self.text, name))
            .or_else(|| self.left_out(within))
            .unwrap_or_else(|| suggest(name, &words, "workloads"));
        fail(format!("no {what} is called `{name}`{scope}"), Some(help))
    }

    /// That a name may be in a namespace that was not read.
    fn left_out(&self, within: Option<NamespaceId>) -> Option<String> {
        let only = self.context.only_read.as_deref()?;
        let within = within.map(|n| &*self.cluster.namespace(n).name);
        Some(match within.filter(|name| *name != only) {
            Some(name) => format!("namespace {name} was not read, {only} alone was: -A reads all"),
            None => format!("namespace {only} alone was read: -A reads all of them"),
        })
    }
}

/// Whether two Services are one: several objects of other kinds may make the same.
fn is_same(one: &Service, other: &Service) -> bool {
    (&one.name, one.namespace) == (&other.name, other.namespace)
}

/// A pod that something makes, under the headless Service that it is asked for by: whether that
/// gives it its name is known where it is behind the Service, and else not told.
fn under_service(made: Resolved, behind: &[PodId], service: &str) -> Resolved {
    let is_behind = |end: &End| match end {
        End::Pods { pods, .. } => pods.iter().any(|pod| behind.contains(pod)),
        End::Addresses { .. } => false,
    };
    if made.ends.iter().all(is_behind) {
        return made;
    }
    let why = format!("whether Service {service} gives this pod a name is not in the input");
    Resolved {
        ends: Vec::new(),
        missing: Some(why.into()),
        ..made
    }
}
