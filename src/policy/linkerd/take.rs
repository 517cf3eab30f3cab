//! All objects of Linkerd together: who is meshed, by what each proxy goes, and the policies.

use crate::model::open_labels::perhaps;
use crate::model::{Cluster, Pod, PodId, Requirement, Selector, Truth};
use crate::policy::linkerd::clients::{Clients, of_policy};
use crate::policy::linkerd::grants::{Grant, LinkerdObjects};
use crate::policy::linkerd::may_join::with_possible_pods;
use crate::policy::linkerd::member::LinkerdMesh;
use crate::policy::linkerd::policies::{LINKERD, PortAdmission, add};
use crate::policy::linkerd::profile::{IDENTITY, LinkerdProfile, PROFILE};
use crate::policy::linkerd::settings::{InboundPolicy, LinkerdSettings};
use crate::policy::linkerd::tunnels::tunnels;
use crate::policy::linkerd::written::{LinkerdContent, LinkerdObject, ServerForm};
use crate::policy::lowered::Checks;
use crate::policy::mesh_pods::LoadedPods;
use crate::policy::object_facts::ObjectFacts;
use crate::policy::policy_set::PolicySet;
use crate::policy::proxies::port_names;
use crate::policy::rule::{Namespaces, Policy, Subject};
use crate::policy::validate;
use crate::set::{Protocol, TrafficSet};
use crate::source::Path;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Takes up the objects of Linkerd.
pub fn take(
    objects: &[LinkerdObject],
    cluster: &mut Cluster,
    policies: &mut PolicySet,
    facts: &ObjectFacts,
    settings: &LinkerdSettings,
) {
    let loaded = LoadedPods::of(cluster);
    let mesh = LinkerdMesh::new(cluster, facts, settings, loaded);
    if objects.is_empty() && !mesh.told && settings.meshed.is_none() {
        return;
    }
    let possible = with_possible_pods(&mesh, objects);
    let mesh = match &possible {
        Some(cluster) => LinkerdMesh::new(cluster, facts, settings, loaded),
        None => mesh,
    };
    let all = LinkerdObjects {
        cluster: mesh.cluster,
        settings,
        objects,
    };
    let taking = LinkerdTaking { mesh, all };
    let found = taking.profiles();
    let labels = taking.labels(&found);
    let made = taking.policies(&found.profiles);
    let proxies = tunnels(&found.profiles, settings);
    cluster.add_labels(&labels);
    let numbers: Vec<String> = (0..found.profiles.len()).map(|i| i.to_string()).collect();
    let untold = [
        (IDENTITY, perhaps("")),
        (PROFILE, perhaps(&numbers.join("|"))),
    ];
    if !labels.is_empty() {
        cluster.leave_untold(untold);
    }
    policies.plugin.proxies.extend(proxies);
    add(policies, made);
}

/// The objects of a mesh while they are taken up.
struct LinkerdTaking<'t> {
    mesh: LinkerdMesh<'t>,
    all: LinkerdObjects<'t>,
}

/// The pods of the mesh, each with whether it surely is one and the number of its profile.
struct MeshedPods {
    pods: Vec<(PodId, Truth, usize)>,
    profiles: Vec<LinkerdProfile>,
}

impl LinkerdTaking<'_> {
    /// By what the proxies go. O(pods x Servers of their namespaces).
    fn profiles(&self) -> MeshedPods {
        let mut found = MeshedPods {
            pods: Vec::new(),
            profiles: Vec::new(),
        };
        for (id, _) in self.mesh.cluster.pods() {
            let certain = self.mesh.is_member(id);
            if !certain.possible() {
                continue;
            }
            let profile = self.profile(id);
            let known = found.profiles.iter().position(|known| *known == profile);
            let number = known.unwrap_or(found.profiles.len());
            if known.is_none() {
                found.profiles.push(profile);
            }
            found.pods.push((id, certain, number));
        }
        found
    }

    fn profile(&self, id: PodId) -> LinkerdProfile {
        let mesh = &self.mesh;
        let skips_in = mesh.listed(id, "skip-inbound-ports");
        let claims = self.claims(id, &skips_in);
        let opaque = claims.iter().filter(|(server, ..)| self.is_opaque(*server));
        let opaque = opaque.fold(mesh.opaque(id), |all, (_, ports, _)| all.union(ports));
        LinkerdProfile {
            default: mesh.default_policy(id),
            identified: mesh.listed(id, "proxy-require-identity-inbound-ports"),
            skips_out: mesh.listed(id, "skip-outbound-ports"),
            probed: mesh.probed(id),
            names: port_names(mesh.cluster.pod(id)),
            claims,
            skips_in,
            opaque,
        }
    }

    fn is_opaque(&self, server: usize) -> bool {
        let content = self.all.objects.get(server).map(|object| &object.content);
        let Some(LinkerdContent::Server(form)) = content else {
            return false;
        };
        form.proxy_protocol.as_deref() == Some("opaque")
    }

    /// The ports of a pod that Servers claim (LD20-LD23).
    fn claims(&self, id: PodId, skipped: &TrafficSet) -> Vec<(usize, TrafficSet, bool)> {
        let cluster = self.mesh.cluster;
        let pod = cluster.pod(id);
        let namespace = &*cluster.namespace(pod.namespace).name;
        let labels = cluster.labels(pod.labels);
        let own = self
            .all
            .servers()
            .filter(|(_, object, _)| *object.namespace == *namespace);
        let mut meant: Vec<_> = own
            .filter_map(|(i, object, form)| {
                let selector = form.pod_selector.as_ref()?;
                let mut checks = Checks::default();
                let selector = validate::selector(selector, &Path::root(), &mut checks);
                let selects = selector.selects(labels);
                selects.possible().then_some((i, object, form, selects))
            })
            .collect();
        meant.sort_by(|a, b| (&a.1.created, &a.1.name).cmp(&(&b.1.created, &b.1.name)));
        let mut taken = skipped.clone();
        let mut claims = Vec::new();
        for (i, _, form, selects) in meant {
            let ports = claimed(form, pod).difference(&taken);
            if ports.is_empty() {
                continue;
            }
            if selects == Truth::Yes {
                taken = taken.union(&ports);
            }
            claims.push((i, ports, selects == Truth::Yes));
        }
        claims
    }

    /// The labels of the members.
    fn labels(&self, found: &MeshedPods) -> Vec<(PodId, Vec<(&'static str, Arc<str>)>)> {
        let each = found.pods.iter().map(|(id, certain, profile)| {
            let namespace = &self.mesh.cluster.pod_namespace(*id).name;
            let account = self.mesh.facts.account(*id);
            let identity = self.mesh.settings.identity_of(account, namespace);
            let told = |value: String| -> Arc<str> {
                if *certain == Truth::Yes {
                    value.into()
                } else {
                    perhaps(&value).into()
                }
            };
            let profile = told(profile.to_string());
            (*id, vec![(IDENTITY, told(identity)), (PROFILE, profile)])
        });
        each.collect()
    }

    fn policies(&self, profiles: &[LinkerdProfile]) -> Vec<Policy> {
        let grants = self.all.grants();
        let routed: BTreeSet<usize> = self.all.routes().into_iter().map(|(.., i)| i).collect();
        let mut made = Vec::new();
        for (i, object, form) in self.all.servers() {
            made.extend(self.server(i, object, form, profiles, &routed));
        }
        for grant in &grants {
            made.extend(self.granted(grant, profiles, &routed));
        }
        made.extend(self.defaults(profiles, &routed));
        made
    }

    /// The policies of one Server: it closes its ports, but for its access policy.
    fn server(
        &self,
        index: usize,
        object: &LinkerdObject,
        form: &ServerForm,
        profiles: &[LinkerdProfile],
        routed: &BTreeSet<usize>,
    ) -> Vec<Policy> {
        let told = form
            .access_policy
            .as_deref()
            .and_then(InboundPolicy::from_api);
        let clients = told.and_then(|policy| of_policy(policy, self.mesh.settings)); // LD22
        let admission = ClaimAdmission {
            clients: clients.as_ref(),
            servers: &[(index, false)],
            routed,
        };
        let by_ports = admission.by_profiles(profiles);
        let made = by_ports.into_iter().map(|(admissions, of)| {
            let rules = admissions.iter();
            let rules = rules.flat_map(|admission| admission.rules(profiles, "accessPolicy"));
            Policy {
                isolates: [true, false],
                ..LINKERD.policy(object, "Server", self.subject(object, &of), rules.collect())
            }
        });
        let made: Vec<Policy> = made.collect();
        if made.is_empty() {
            return vec![self.nothing(object, "Server")];
        }
        made
    }

    /// The policies of one object that lets clients in.
    fn granted(
        &self,
        grant: &Grant<'_>,
        profiles: &[LinkerdProfile],
        routed: &BTreeSet<usize>,
    ) -> Vec<Policy> {
        let kind = match &grant.object.content {
            LinkerdContent::Legacy(_) => "ServerAuthorization",
            _ => "AuthorizationPolicy",
        };
        let admission = ClaimAdmission {
            clients: Some(&grant.clients),
            servers: &grant.servers,
            routed,
        };
        let by_ports = admission.by_profiles(profiles);
        let made = by_ports.into_iter().map(|(admissions, of)| {
            let rules = admissions.iter();
            let rules = rules.flat_map(|admission| admission.rules(profiles, ""));
            let subject = self.subject(grant.object, &of);
            LINKERD.policy(grant.object, kind, subject, rules.collect())
        });
        let made: Vec<Policy> = made.collect();
        if made.is_empty() {
            return vec![self.nothing(grant.object, kind)];
        }
        made
    }

    /// A policy that decides nothing, so that the object is listed.
    fn nothing(&self, object: &LinkerdObject, kind: &'static str) -> Policy {
        let subject = Subject {
            namespaces: Namespaces::Named(object.namespace.clone()),
            pods: Selector::new([Requirement::Exists(IDENTITY.into())]),
        };
        Policy {
            applies: [false, false],
            ..LINKERD.policy(object, kind, subject, Vec::new())
        }
    }

    fn subject(&self, object: &LinkerdObject, profiles: &BTreeSet<usize>) -> Subject {
        Subject {
            namespaces: Namespaces::Named(object.namespace.clone()),
            pods: Selector::new([of_profiles(profiles)]),
        }
    }

    /// What ports let in that no Server claims, where that is not everybody (LD10, LD13, LD52).
    fn defaults(&self, profiles: &[LinkerdProfile], routed: &BTreeSet<usize>) -> Vec<Policy> {
        let mut made = Vec::new();
        for (number, profile) in profiles.iter().enumerate() {
            let open = profile.default == InboundPolicy::AllUnauthenticated
                || profile.default == InboundPolicy::Audit;
            let all =
                open && (profile.identified.is_empty() || profile.default == InboundPolicy::Audit);
            if all && profile.claims.is_empty() {
                continue;
            }
            let admissions = self.default_admissions(profile, routed);
            let rules = admissions.iter();
            let rules = rules.flat_map(|admission| admission.rules(profiles, ""));
            let subject = Subject {
                namespaces: Namespaces::Matching(Selector::everything()),
                pods: Selector::new([of_profiles(&[number].into())]),
            };
            let rules = rules.collect();
            made.push(LINKERD.default_policy(profile.default, subject, rules));
        }
        made
    }

    fn default_admissions(
        &self,
        profile: &LinkerdProfile,
        routed: &BTreeSet<usize>,
    ) -> Vec<PortAdmission> {
        let tcp = TrafficSet::protocol(Protocol::Tcp);
        let surely = profile.claims.iter().filter(|(_, _, certain)| *certain);
        let claimed = surely.fold(TrafficSet::empty(), |all, (_, ports, _)| all.union(ports));
        let perhaps = profile.claims.iter().filter(|(_, _, certain)| !certain);
        let perhaps = perhaps.fold(TrafficSet::empty(), |all, (_, ports, _)| all.union(ports));
        let rest = tcp.difference(&claimed).difference(&profile.skips_in);
        let settings = self.mesh.settings;
        let mut admissions = vec![PortAdmission {
            // LD3, LD4
            ports: TrafficSet::all().difference(&tcp).union(&profile.skips_in),
            clients: Some(Clients::EVERYBODY),
            requests: false,
            certain: true,
        }];
        let identified = rest.intersection(&profile.identified);
        for (ports, policy) in [
            (rest.difference(&identified), profile.default),
            (identified, profile.default.identified()),
        ] {
            for (ports, certain) in [
                (ports.difference(&perhaps), true),
                (ports.intersection(&perhaps), false),
            ] {
                admissions.push(PortAdmission {
                    ports,
                    clients: of_policy(policy, settings),
                    requests: false,
                    certain,
                });
            }
        }
        let with_routes = profile.claims.iter().filter(|(i, ..)| routed.contains(i));
        let routed = with_routes.fold(TrafficSet::empty(), |all, (_, p, _)| all.union(p));
        let probed = profile
            .probed
            .difference(&profile.opaque)
            .difference(&routed);
        admissions.push(PortAdmission {
            ports: probed,
            clients: Some(Clients {
                identity: None,
                networks: Some(settings.probe_networks()),
            }),
            requests: true,
            certain: true,
        });
        admissions.retain(|admission| !admission.ports.is_empty());
        admissions
    }
}

fn of_profiles(profiles: &BTreeSet<usize>) -> Requirement {
    let numbers = profiles.iter().map(|number| number.to_string().into());
    Requirement::In(PROFILE.into(), numbers.collect())
}

/// Whom an object lets in at some Servers.
struct ClaimAdmission<'a> {
    clients: Option<&'a Clients>,
    /// The numbers of the Servers, and whether it counts for requests of a route alone.
    servers: &'a [(usize, bool)],
    /// The Servers with routes.
    routed: &'a BTreeSet<usize>,
}

impl ClaimAdmission<'_> {
    /// The profiles by what it admits there, on the ports that the Servers claim.
    fn by_profiles(
        &self,
        profiles: &[LinkerdProfile],
    ) -> Vec<(Vec<PortAdmission>, BTreeSet<usize>)> {
        let mut found: Vec<(Vec<PortAdmission>, BTreeSet<usize>)> = Vec::new();
        for (number, profile) in profiles.iter().enumerate() {
            let claims = profile.claims.iter();
            let meant = |server: &usize| self.servers.iter().any(|(i, _)| i == server);
            let own = claims.filter(|(server, ..)| meant(server));
            let own: Vec<PortAdmission> = own
                .flat_map(|(server, ports, certain)| self.at(*server, ports, *certain, profile))
                .collect();
            if own.is_empty() {
                continue;
            }
            match found.iter_mut().find(|(known, _)| *known == own) {
                Some((_, of)) => _ = of.insert(number),
                None => found.push((own, [number].into())),
            }
        }
        found
    }

    /// What it admits on ports of one Server: a route counts where there are requests (LD50, LD53).
    fn at(
        &self,
        server: usize,
        ports: &TrafficSet,
        certain: bool,
        profile: &LinkerdProfile,
    ) -> Vec<PortAdmission> {
        let mut servers = self.servers.iter();
        let whole = servers.any(|(i, of_route)| *i == server && !of_route);
        let has_routes = self.routed.contains(&server);
        let opaque = ports.intersection(&profile.opaque);
        let read = ports.difference(&opaque);
        [(read, has_routes, true), (opaque, false, whole)]
            .into_iter()
            .map(|(ports, requests, counts)| PortAdmission {
                ports,
                clients: self.clients.filter(|_| counts).cloned(),
                requests,
                certain,
            })
            .collect()
    }
}

/// The ports that a Server claims of a pod (LD21).
fn claimed(form: &ServerForm, pod: &Pod) -> TrafficSet {
    let one = |number: u16| TrafficSet::ports(Protocol::Tcp, number, number);
    let Some(port) = &form.port else {
        return TrafficSet::empty();
    };
    if let Some(number) = port.as_u64().and_then(|n| u16::try_from(n).ok()) {
        return one(number);
    }
    let name = port.as_str();
    let declared = pod.ports.iter().chain(pod.init_ports());
    let named =
        declared.filter(|port| port.name.as_deref() == name && port.protocol == Protocol::Tcp);
    named.fold(TrafficSet::empty(), |all, port| all.union(&one(port.port)))
}
