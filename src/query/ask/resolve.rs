//! Endpoints as written -> workloads, pods and addresses of one cluster.
//!
//! A name that is not there is answered with the nearest ones, a name that is there twice with the
//! list. A Service leads to its pods and maps its port to theirs; an address that is a pod's or a
//! Service's leads there too, and says so.

use crate::model::{
    Cluster, NamespaceId, Pod, PodId, Selector, Service, ServiceId, TargetPort, WorkloadId,
    WorkloadKind,
};
use crate::query::ask::grammar::{EndpointSpec, Keyword, Kind, PortAsk, Target};
use crate::set::{IpSet, Protocol, TrafficSet};
use ipnet::IpNet;

/// What names mean beside the cluster itself.
#[derive(Debug, Clone)]
pub struct Context {
    /// The namespace of bare names, when chosen; else all are searched.
    pub namespace: Option<Box<str>>,
    /// Where the DNS pods are: namespace and labels.
    pub dns: (Box<str>, Selector),
}

impl Default for Context {
    fn default() -> Self {
        Self {
            namespace: None,
            dns: ("kube-system".into(), Selector::label("k8s-app", "kube-dns")),
        }
    }
}

/// One end: a workload (with the pods of it that are meant), or a block of outside addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Pods of one workload.
    Pods {
        /// The workload.
        workload: WorkloadId,
        /// The pods that are meant.
        pods: Vec<PodId>,
    },
    /// Addresses that are no pod's.
    Addresses {
        /// What they are called.
        name: Box<str>,
        /// The addresses.
        set: IpSet,
        /// Whether the name stands for a large set of which only the families that matter count.
        symbolic: bool,
    },
}

/// A remark on how something was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The address is a pod's.
    PodAddress(IpNet, WorkloadId),
    /// The address is a Service's.
    ServiceAddress(IpNet, ServiceId),
    /// The address is a node's.
    NodeAddress(IpNet, Box<str>),
    /// A Service leads to pods; the port on the Service and on the pod.
    Service(ServiceId),
    /// A pod's name was taken for its workload.
    PodName(Box<str>, WorkloadId),
    /// A port of a Service and the ports of the pods behind it.
    ServicePort(ServiceId, u16, Box<str>),
}

/// An endpoint, resolved.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// The ends; none when the input does not say which they are.
    pub ends: Vec<End>,
    /// The Service that was named, if one was.
    pub service: Option<ServiceId>,
    /// How it was understood.
    pub notes: Vec<Note>,
    /// Why there are no ends, when there are none: what the input does not have.
    pub missing: Option<Box<str>>,
}

/// Why an endpoint means nothing here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ResolveError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Whether there is simply no such thing in the input.
    pub absent: bool,
}

impl From<crate::query::ask::grammar::ParseError> for ResolveError {
    fn from(error: crate::query::ask::grammar::ParseError) -> Self {
        Self {
            message: error.message,
            help: error.help,
            absent: false,
        }
    }
}

fn fail<T>(message: String, help: Option<String>) -> Result<T, ResolveError> {
    Err(ResolveError {
        message,
        help,
        absent: true,
    })
}

/// There is more than one such thing, or it is not asked for rightly.
fn wrong<T>(message: String, help: Option<String>) -> Result<T, ResolveError> {
    Err(ResolveError {
        message,
        help,
        absent: false,
    })
}

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
            let namespace = resolver.namespace(name)?;
            resolver.workloads(&format!("namespace {name}"), |w, _| {
                w.namespace == namespace
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
        wanted: impl Fn(&crate::model::Workload, WorkloadId) -> bool,
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
        End::Pods {
            workload,
            pods: self.cluster.workload(workload).pods.clone(),
        }
    }

    fn selected(
        &self,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Resolved, ResolveError> {
        let namespace = namespace
            .or(self.context.namespace.as_deref())
            .map(|n| self.namespace(n))
            .transpose()?;
        let ends = self.pods_where(|pod| {
            namespace.is_none_or(|n| pod.namespace == n)
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

    /// The pods that are meant, by workload, in input order.
    fn pods_where(&self, wanted: impl Fn(&Pod) -> bool) -> Vec<End> {
        let mut ends = Vec::new();
        for (id, workload) in self.cluster.workloads() {
            let pods: Vec<PodId> = workload
                .pods
                .iter()
                .copied()
                .filter(|p| wanted(self.cluster.pod(*p)))
                .collect();
            if !pods.is_empty() {
                ends.push(End::Pods { workload: id, pods });
            }
        }
        ends
    }

    fn name(
        &self,
        namespace: Option<&str>,
        kind: Option<Kind>,
        name: &str,
    ) -> Result<Resolved, ResolveError> {
        let chosen = namespace.or(self.context.namespace.as_deref());
        let within = chosen.map(|n| self.namespace(n)).transpose()?;
        if kind != Some(Kind::Service) {
            let wanted = |w: &crate::model::Workload| {
                *w.name == *name
                    && within.is_none_or(|n| w.namespace == n)
                    && kind.is_none_or(|k| k == Kind::Workload(w.kind))
            };
            let found: Vec<WorkloadId> = self
                .cluster
                .workloads()
                .filter(|(_, w)| wanted(w))
                .map(|(id, _)| id)
                .collect();
            match found.as_slice() {
                [one] => {
                    return Ok(Resolved {
                        ends: vec![self.whole(*one)],
                        ..Resolved::default()
                    });
                }
                [] => {}
                many => return self.ambiguous(many),
            }
        }
        let (service, pod) = match kind {
            None => (true, true),
            Some(Kind::Service) => (true, false),
            Some(Kind::Workload(kind)) => (false, kind == WorkloadKind::Pod),
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
        let same = |f: &dyn Fn(&WorkloadId) -> String| {
            let names: std::collections::BTreeSet<String> = found.iter().map(f).collect();
            names.len() == found.len()
        };
        let short = |id: &WorkloadId| self.cluster.workload_name(*id);
        let long = |id: &WorkloadId| {
            let w = self.cluster.workload(*id);
            format!(
                "{}/{}/{}",
                self.cluster.namespace(w.namespace).name,
                w.kind.name(),
                w.name
            )
        };
        let names: Vec<String> = if same(&short) {
            found.iter().map(short).collect()
        } else {
            found.iter().map(long).collect()
        };
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

    /// A Service by `svc/name`, by its DNS name, or by its bare name when no workload has it.
    fn service(
        &self,
        within: Option<NamespaceId>,
        name: &str,
        kind: Option<Kind>,
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
            [] if dns || kind == Some(Kind::Service) => {
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
            many => {
                let names: Vec<String> = many
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

    fn behind(&self, id: ServiceId, service: &Service) -> Resolved {
        let pods = self.cluster.service_pods(id);
        let ends = self.pods_where_in(&pods);
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

    fn pods_where_in(&self, pods: &[PodId]) -> Vec<End> {
        let set: std::collections::HashSet<PodId> = pods.iter().copied().collect();
        let mut ends = Vec::new();
        for (id, workload) in self.cluster.workloads() {
            let pods: Vec<PodId> = workload
                .pods
                .iter()
                .copied()
                .filter(|p| set.contains(p))
                .collect();
            if !pods.is_empty() {
                ends.push(End::Pods { workload: id, pods });
            }
        }
        ends
    }

    /// A pod's own name: the pod where it was loaded, else the workload whose name it begins with.
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
                ends: vec![End::Pods { workload, pods }],
                notes,
                ..Resolved::default()
            });
        }
        let owned = |w: &crate::model::Workload| {
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
        let [one] = found.as_slice() else { return None };
        let notes = vec![Note::PodName(name.into(), *one)];
        Some(Resolved {
            ends: vec![self.whole(*one)],
            notes,
            ..Resolved::default()
        })
    }

    fn unknown<T>(
        &self,
        within: Option<NamespaceId>,
        kind: Option<Kind>,
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
            Some(Kind::Workload(kind)) => kind.name(),
            Some(Kind::Service) => "Service",
            None => "workload or Service",
        };
        let place = within.map_or_else(String::new, |n| {
            format!(" in namespace {}", self.cluster.namespace(n).name)
        });
        fail(
            format!("no {what} is called `{name}`{place}"),
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
        let end = End::Addresses {
            name: name.into(),
            set: IpSet::from_cidrs([net]),
            symbolic: false,
        };
        Resolved {
            ends: vec![end],
            notes,
            ..Resolved::default()
        }
    }

    fn keyword(&self, keyword: Keyword) -> Result<Resolved, ResolveError> {
        if let Some(set) = keyword.addresses() {
            let end = End::Addresses {
                name: keyword.word().into(),
                set,
                symbolic: true,
            };
            return Ok(Resolved {
                ends: vec![end],
                ..Resolved::default()
            });
        }
        let found = match keyword {
            Keyword::Any => return self.workloads("this input", |_, _| true),
            Keyword::Dns => {
                let (namespace, selector) = &self.context.dns;
                let here = self.cluster.find_namespace(namespace);
                self.pods_where(|p| {
                    Some(p.namespace) == here && selector.matches(self.cluster.labels(p.labels))
                })
            }
            Keyword::ApiServer => {
                let selector = Selector::label("component", "kube-apiserver");
                self.pods_where(|p| selector.matches(self.cluster.labels(p.labels)))
            }
            _ => self.nodes(),
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

    fn nodes(&self) -> Vec<End> {
        let end = |n: &crate::model::Node| End::Addresses {
            name: format!("node {}", n.name).into(),
            set: IpSet::from_cidrs(n.addresses.iter().map(|a| IpNet::from(*a))),
            symbolic: true,
        };
        self.cluster
            .nodes()
            .filter(|(_, n)| !n.addresses.is_empty())
            .map(|(_, n)| end(n))
            .collect()
    }
}

/// Whether the rest of a pod's name is what controllers append: hashes and ordinals, with a digit
/// or of their length.
fn looks_generated(rest: &str) -> bool {
    let part = |p: &str| {
        let plain = p
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        plain && !p.is_empty() && (p.chars().any(|c| c.is_ascii_digit()) || p.len() == 5)
    };
    rest.split('-').count() <= 2 && rest.split('-').all(part)
}

/// The nearest names, or all there are if they are few.
fn suggest(name: &str, names: &[&str], what: &str) -> String {
    let mut near: Vec<(usize, &str)> = names.iter().map(|n| (distance(name, n), *n)).collect();
    near.sort_unstable();
    near.dedup();
    let allowed = (name.chars().count() / 3).clamp(1, 3);
    let holds =
        |n: &str| name.len() > 2 && n.rsplit('/').next().is_some_and(|last| last.contains(name));
    let close: Vec<&str> = near
        .iter()
        .filter(|(d, n)| *d <= allowed || holds(n))
        .take(3)
        .map(|(_, n)| *n)
        .collect();
    if !close.is_empty() {
        return format!("did you mean {}?", close.join(" or "));
    }
    let mut all: Vec<&str> = names.to_vec();
    all.sort_unstable();
    all.dedup();
    match all.len() {
        0 => format!("there are no {what} in the input; see what was read: netpal inputs"),
        1..=12 => format!("{what}: {}", all.join(", ")),
        n => format!("there are {n} {what}; see them: netpal inputs -v"),
    }
}

/// Edit distance to a name, to what follows its namespace, or to a Service's name before it.
fn distance(a: &str, b: &str) -> usize {
    let parts = [Some(b), b.rsplit('/').next(), b.split('.').next()];
    parts
        .into_iter()
        .flatten()
        .map(|part| strsim::damerau_levenshtein(a, part))
        .min()
        .unwrap_or(usize::MAX)
}

/// The traffic that was asked of a destination pod (or of addresses), and what a Service made of
/// the port.
///
/// # Errors
/// When a port does not exist on the Service.
pub fn traffic(
    cluster: &Cluster,
    spec: &EndpointSpec,
    resolved: &Resolved,
    pod: Option<&Pod>,
) -> Result<Option<TrafficSet>, ResolveError> {
    match resolved.service {
        Some(service) => {
            service_traffic(cluster.service(service), spec.ports.as_deref(), pod).map(Some)
        }
        None if spec.ports.is_none() && spec.target == Target::Keyword(Keyword::Dns) => {
            let of = |protocol| TrafficSet::ports(protocol, 53, 53);
            Ok(Some(of(Protocol::Udp).union(&of(Protocol::Tcp))))
        }
        None => Ok(spec.ports.as_ref().map(|ports| {
            ports
                .iter()
                .fold(TrafficSet::empty(), |set, p| set.union(&direct(p, pod)))
        })),
    }
}

fn direct(port: &PortAsk, pod: Option<&Pod>) -> TrafficSet {
    match port {
        PortAsk::Numbers(a, b, protocol) => TrafficSet::ports(*protocol, *a, *b),
        PortAsk::Name(name, wanted) => {
            let found = pod
                .into_iter()
                .flat_map(|p| p.named_ports(name).collect::<Vec<_>>());
            let found = found.filter(|(p, _)| wanted.is_none_or(|w| w == *p));
            found.fold(TrafficSet::empty(), |set, (p, n)| {
                set.union(&TrafficSet::ports(p, n, n))
            })
        }
    }
}

fn service_traffic(
    service: &Service,
    ports: Option<&[PortAsk]>,
    pod: Option<&Pod>,
) -> Result<TrafficSet, ResolveError> {
    let target = |sp: &crate::model::ServicePort| match &sp.target {
        TargetPort::Number(n) => TrafficSet::ports(sp.protocol, *n, *n),
        TargetPort::Name(name) => direct(&PortAsk::Name(name.clone(), Some(sp.protocol)), pod),
    };
    let Some(ports) = ports else {
        return Ok(service
            .ports
            .iter()
            .fold(TrafficSet::empty(), |set, sp| set.union(&target(sp))));
    };
    let mut set = TrafficSet::empty();
    for ask in ports {
        let fits = |sp: &&crate::model::ServicePort| match ask {
            PortAsk::Numbers(a, b, protocol) => {
                (*a..=*b).contains(&sp.port) && sp.protocol == *protocol
            }
            PortAsk::Name(name, wanted) => {
                sp.name.as_ref() == Some(name) && wanted.is_none_or(|w| w == sp.protocol)
            }
        };
        let found: Vec<_> = service.ports.iter().filter(fits).collect();
        if found.is_empty() {
            let have: Vec<String> = service
                .ports
                .iter()
                .map(|sp| format!("{}/{}", sp.port, sp.protocol))
                .collect();
            return wrong(
                format!("Service {} has no port {ask}", service.name),
                Some(format!("it has {}", have.join(", "))),
            );
        }
        set = found
            .into_iter()
            .fold(set, |set, sp| set.union(&target(sp)));
    }
    Ok(set)
}
