//! All objects of Istio together: who is meshed, by what each proxy goes, and the policies.

use crate::model::open_labels::perhaps;
use crate::model::{
    Cluster, ContainerPort, Labels, LabelsId, NamespaceId, Pod, PodId, Requirement, Selector,
    Service, Truth,
};
use crate::policy::istio::conditions::holds;
use crate::policy::istio::labels::{IDENTITY, IN_TUNNELS, PROFILE, UNLESS_RULED};
use crate::policy::istio::lower::Lowering;
use crate::policy::istio::may_join::with_possible_pods;
use crate::policy::istio::member::{Mesh, MeshMember};
use crate::policy::istio::modes::{modes, selector};
use crate::policy::istio::operations::addresses;
use crate::policy::istio::plain_calls::{PlainCalls, target_numbers};
use crate::policy::istio::policies::{
    AUTHORIZATION, PEER, add, at_gateways, closed_to_plaintext, in_namespace, of_profiles,
    past_the_proxy, past_the_waypoint, policy, waypoint,
};
use crate::policy::istio::profile::IstioProfile;
use crate::policy::istio::settings::{Dataplane, IstioSettings};
use crate::policy::istio::written::{
    Authorization, AuthorizationAction, ConditionForm, IstioContent, IstioObject,
};
use crate::policy::layer_policy::PlacedRules;
use crate::policy::mesh_pods::LoadedPods;
use crate::policy::object_facts::ObjectFacts;
use crate::policy::policy_set::PolicySet;
use crate::policy::proxies::{MeshProxies, Tunnel, TunnelWay, port_names};
use crate::policy::rule::{Namespaces, Policy, Shape, Subject};
use crate::set::{Protocol, TrafficSet};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// The value of labels of callers that show their identities.
const SHOWN: &str = "shown";

/// The port on which the proxies of nodes take what is for pods (IS61).
const TUNNEL_PORT: u16 = 15008;

/// Takes up the objects of Istio.
pub fn take(
    objects: &[IstioObject],
    cluster: &mut Cluster,
    policies: &mut PolicySet,
    facts: &ObjectFacts,
    settings: &IstioSettings,
) {
    let loaded = LoadedPods::of(cluster);
    let mesh = Mesh::new(cluster, facts, settings, loaded);
    let ambient = settings.dataplane == Some(Dataplane::Ambient) || mesh.is_ambient();
    if objects.is_empty() && !ambient {
        return;
    }
    let possible = with_possible_pods(&mesh, objects);
    let mesh = match &possible {
        Some(cluster) => Mesh::new(cluster, facts, settings, loaded),
        None => mesh,
    };
    let taking = Taking {
        plain: PlainCalls::new(mesh.cluster, settings.root()),
        mesh,
        objects,
        ambient,
    };
    let members = taking.members();
    let found = taking.profiles(&members);
    let further = taking.labels(&found);
    let untold = taking.untold(&found);
    let made = taking.policies(&found);
    let proxies = found.proxies();
    cluster.add_labels(&further);
    cluster.leave_untold(untold);
    policies.plugin.proxies.extend(proxies);
    add(policies, made);
}

/// The objects of a mesh while they are taken up.
struct Taking<'t> {
    mesh: Mesh<'t>,
    /// Whom rules let call without an identity.
    plain: PlainCalls<'t>,
    objects: &'t [IstioObject],
    /// Whether some pods may have no proxy of their own.
    ambient: bool,
}

/// The pods of the mesh, each with the number of its profile.
struct Profiles {
    members: Vec<(PodId, MeshMember, usize)>,
    profiles: Vec<IstioProfile>,
}

impl<'t> Taking<'t> {
    fn members(&self) -> Vec<(PodId, MeshMember)> {
        let pods = self.mesh.cluster.pods();
        pods.filter_map(|(id, _)| Some((id, self.mesh.member(id)?)))
            .collect()
    }

    /// The `AuthorizationPolicies` that decide anything, with their objects.
    fn authorizations(&self) -> impl Iterator<Item = (&'t IstioObject, &'t Authorization)> {
        self.objects.iter().filter_map(|object| match &object.spec {
            IstioContent::Authorization(policy) => Some((object, policy)),
            IstioContent::Peer(_) => None,
        })
    }

    /// By what the proxies go. O(pods x objects of their namespaces and the root).
    fn profiles(&self, members: &[(PodId, MeshMember)]) -> Profiles {
        let conditions: Vec<&ConditionForm> = self
            .authorizations()
            .flat_map(|(_, policy)| policy.rules.iter().flat_map(addresses))
            .collect();
        let mut found = Profiles {
            members: Vec::new(),
            profiles: Vec::new(),
        };
        let mut known: BTreeMap<(ProfileKey<'_>, Dataplane), usize> = BTreeMap::new();
        for (id, member) in members {
            let pod = self.mesh.cluster.pod(*id);
            let key = (
                ProfileKey::new(pod, self.mesh.captures(*id), !conditions.is_empty()),
                member.dataplane,
            );
            let number = *known.entry(key).or_insert_with(|| {
                let profile = self.profile(*id, *member, &conditions);
                let same = found.profiles.iter().position(|p| *p == profile);
                same.unwrap_or_else(|| {
                    found.profiles.push(profile);
                    found.profiles.len() - 1
                })
            });
            found.members.push((*id, *member, number));
        }
        found
    }

    fn profile(
        &self,
        id: PodId,
        member: MeshMember,
        conditions: &[&ConditionForm],
    ) -> IstioProfile {
        let cluster = self.mesh.cluster;
        let pod = cluster.pod(id);
        let services: Vec<&Service> = cluster
            .services()
            .map(|(_, service)| service)
            .filter(|service| is_behind(cluster, service, pod))
            .collect();
        let mut modes = modes(cluster, pod, self.objects, self.mesh.settings.root());
        let bypassed = match member.dataplane {
            Dataplane::Ambient => TrafficSet::empty(),
            Dataplane::Sidecar => self.mesh.bypassed(id),
        };
        for strict in &mut modes.strict {
            strict.ports = strict.ports.difference(&bypassed);
        }
        modes.strict.retain(|strict| !strict.ports.is_empty());
        let ambient = member.dataplane == Dataplane::Ambient;
        let ruled = self.plain.ports(pod, &services);
        let labels: Vec<&Labels> = services.iter().map(|service| &service.labels).collect();
        IstioProfile {
            dataplane: member.dataplane,
            waypoint: if ambient {
                self.mesh.waypoint(pod, &labels)
            } else {
                Truth::No
            },
            plain: if ambient {
                TrafficSet::empty()
            } else {
                plain_ports(pod, &services)
            },
            disabled: if ambient {
                Default::default()
            } else {
                modes.disabled
            },
            ruled: ruled.map(|ports| ports.difference(&bypassed)),
            bypassed,
            strict: modes.strict,
            names: if self.ambient {
                port_names(pod)
            } else {
                Vec::new()
            },
            addresses: conditions.iter().map(|c| holds(c, pod)).collect(),
        }
    }

    /// The labels of the members.
    fn labels(&self, found: &Profiles) -> Vec<(PodId, Vec<(&'static str, Arc<str>)>)> {
        let shown = found.shown_identities();
        let each = found.members.iter().map(|(id, member, profile)| {
            let is_member = member.certain == Truth::Yes;
            let mut labels: Vec<(&'static str, Arc<str>)> = vec![
                (IDENTITY, self.identity(*id, is_member)),
                (PROFILE, told(&profile.to_string(), is_member)),
            ];
            let tunnels = member.dataplane == Dataplane::Ambient;
            let further = shown
                .iter()
                .filter(|label| tunnels || **label != IN_TUNNELS);
            labels.extend(further.map(|label| {
                let ruled = || self.plain.is_ruled(self.mesh.cluster.pod(*id));
                let certain = tunnels || *label == UNLESS_RULED && !ruled();
                (*label, told(SHOWN, certain))
            }));
            (*id, labels)
        });
        each.collect()
    }

    /// The identity of a pod, as it shows it surely or perhaps.
    fn identity(&self, id: PodId, certain: bool) -> Arc<str> {
        let domain = self.mesh.settings.trust_domain();
        let namespace = &self.mesh.cluster.pod_namespace(id).name;
        let account = self.mesh.facts.account(id);
        let identity = format!("{domain}/ns/{namespace}/sa/{account}");
        told(&identity, certain && !self.mesh.sends_past_proxy(id))
    }

    /// What is not told of pods that are not loaded.
    fn untold(&self, found: &Profiles) -> Vec<(&'static str, String)> {
        let numbers: Vec<String> = (0..found.profiles.len()).map(|i| i.to_string()).collect();
        let mut untold = vec![
            (IDENTITY, perhaps("")),
            (PROFILE, perhaps(&numbers.join("|"))),
        ];
        let further = found.shown_identities().into_iter();
        let further = further.filter(|label| self.ambient || *label != IN_TUNNELS);
        untold.extend(further.map(|label| (label, perhaps(SHOWN))));
        untold
    }

    fn policies(&self, found: &Profiles) -> Vec<Policy> {
        let mut made = Vec::new();
        for (i, object) in self.objects.iter().enumerate() {
            if matches!(object.spec, IstioContent::Peer(_)) {
                made.extend(self.peer(i, object, found));
            }
        }
        let mut first_address = 0;
        for (object, policy) in self.authorizations() {
            made.extend(self.authorization(object, policy, first_address, found));
            first_address += policy.rules.iter().flat_map(addresses).count();
        }
        made.extend(waypoint(&found.profiles));
        made
    }

    /// The policies that one `PeerAuthentication` makes (IS45).
    fn peer(&self, index: usize, object: &IstioObject, found: &Profiles) -> Vec<Policy> {
        let mut by_rules = ProfilesByRules::default();
        for (number, profile) in found.profiles.iter().enumerate() {
            let strict = profile.strict.iter();
            let own = strict.filter(|strict| strict.object == index);
            let rules: PlacedRules = own.flat_map(|s| closed_to_plaintext(s, profile)).collect();
            if !rules.is_empty() {
                by_rules.add(rules, number);
            }
        }
        let root = *object.namespace == *self.mesh.settings.root();
        let namespaces = in_namespace(object, root);
        if by_rules.0.is_empty() {
            let nobody = self.nothing(object, &PEER, namespaces);
            return vec![nobody];
        }
        let each = by_rules.0.into_iter().map(|(rules, profiles)| {
            let subject = Subject {
                namespaces: namespaces.clone(),
                pods: Selector::new([of_profiles(&profiles)]),
            };
            policy(object, &PEER, subject, rules, false)
        });
        each.collect()
    }

    /// A policy that decides nothing, so that the object is listed.
    fn nothing(&self, object: &IstioObject, shape: &'static Shape, of: Namespaces) -> Policy {
        let subject = Subject {
            namespaces: of,
            pods: Selector::new([Requirement::Exists(PROFILE.into())]),
        };
        Policy {
            applies: [false, false],
            ..policy(object, shape, subject, Vec::new(), false)
        }
    }

    /// The policies that one `AuthorizationPolicy` makes: one for each kind of proxy that it means
    /// something else to.
    fn authorization(
        &self,
        object: &IstioObject,
        written: &Authorization,
        first_address: usize,
        found: &Profiles,
    ) -> Vec<Policy> {
        let root = *object.namespace == *self.mesh.settings.root();
        let namespaces = in_namespace(object, root); // IS10
        let decides = !written.dry_run && written.action != AuthorizationAction::Audit;
        if decides && !written.gateways.is_empty() {
            return vec![at_gateways(object, &written.gateways)];
        }
        if written.targeted || !decides {
            return vec![self.nothing(object, &AUTHORIZATION, namespaces)];
        }
        let isolates = written.action == AuthorizationAction::Allow; // IS21
        let mut by_rules = ProfilesByRules::default();
        for (number, profile) in found.profiles.iter().enumerate() {
            let lowering = Lowering {
                settings: self.mesh.settings,
                namespace: &object.namespace,
                profile,
                first_address,
            };
            let mut rules = lowering.rules(written);
            if isolates && !profile.bypassed.is_empty() {
                rules.push(past_the_proxy(&profile.bypassed));
            }
            if isolates && profile.waypoint.possible() {
                rules.push(past_the_waypoint());
            }
            by_rules.add(rules, number);
        }
        let several = by_rules.0.len() > 1;
        let each = by_rules.0.into_iter().map(|(rules, profiles)| {
            let mut wanted = selector(&written.selector).requirements().to_vec();
            wanted.push(if several {
                of_profiles(&profiles)
            } else {
                Requirement::Exists(PROFILE.into())
            });
            let subject = Subject {
                namespaces: namespaces.clone(),
                pods: Selector::new(wanted),
            };
            policy(object, &AUTHORIZATION, subject, rules, isolates)
        });
        let made: Vec<Policy> = each.collect();
        if made.is_empty() {
            return vec![self.nothing(object, &AUTHORIZATION, namespaces)];
        }
        made
    }
}

/// The numbers of the profiles to which an object means the same rules.
#[derive(Default)]
struct ProfilesByRules(Vec<(PlacedRules, BTreeSet<usize>)>);

impl ProfilesByRules {
    fn add(&mut self, rules: PlacedRules, number: usize) {
        match self.0.iter_mut().find(|(known, _)| *known == rules) {
            Some((_, profiles)) => _ = profiles.insert(number),
            None => self.0.push((rules, [number].into())),
        }
    }
}

/// What stands for a value that is told surely, or perhaps.
fn told(value: &str, certain: bool) -> Arc<str> {
    if certain {
        value.into()
    } else {
        perhaps(value).into()
    }
}

/// What two pods have in common, if they go by the same.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ProfileKey<'p> {
    namespace: NamespaceId,
    labels: LabelsId,
    ports: &'p [ContainerPort],
    addresses: &'p [IpAddr],
    /// What its annotations say of the ports of its proxy.
    captures: [Option<&'p str>; 2],
}

impl<'p> ProfileKey<'p> {
    fn new(pod: &'p Pod, captures: [Option<&'p str>; 2], by_address: bool) -> Self {
        Self {
            namespace: pod.namespace,
            labels: pod.labels,
            ports: &pod.ports,
            addresses: if by_address { &pod.addresses } else { &[] },
            captures,
        }
    }
}

fn is_behind(cluster: &Cluster, service: &Service, pod: &Pod) -> bool {
    service.namespace == pod.namespace
        && service
            .selector
            .as_ref()
            .is_some_and(|s| s.selects(cluster.labels(pod.labels)).possible())
}

/// The ports whose Services say that no requests are read there, all of them.
fn plain_ports(pod: &Pod, services: &[&Service]) -> TrafficSet {
    let (mut plain, mut others) = (TrafficSet::empty(), TrafficSet::empty());
    for port in services.iter().flat_map(|service| &service.ports) {
        if port.protocol != Protocol::Tcp {
            continue;
        }
        let numbers = target_numbers(port, pod);
        let protocol = port.app_protocol.as_deref().or_else(|| {
            let name = port.name.as_deref()?;
            Some(name.split('-').next().unwrap_or(name))
        });
        let known = ["tcp", "tls", "https", "mongo", "mysql", "redis"];
        if protocol.is_some_and(|p| known.contains(&p.to_ascii_lowercase().as_str())) {
            plain = plain.union(&numbers);
        } else {
            others = others.union(&numbers);
        }
    }
    plain.difference(&others)
}

impl Profiles {
    /// The labels besides the plain one by which some pod asks for identities.
    fn shown_identities(&self) -> Vec<&'static str> {
        let all = self.profiles.iter().flat_map(|profile| {
            let strict = profile.identities_in_strict_mode();
            profile.identities().into_iter().chain(strict)
        });
        let labels: BTreeSet<&'static str> = all.map(|(label, _)| label).collect();
        labels.into_iter().filter(|l| *l != IDENTITY).collect()
    }

    /// Between which pods traffic travels otherwise (IS61, IS62).
    fn proxies(&self) -> Option<MeshProxies> {
        let number = |i: usize| -> Box<str> { i.to_string().into() };
        let those = |wanted: &dyn Fn(&IstioProfile) -> bool| -> BTreeSet<Box<str>> {
            let found = self.profiles.iter().enumerate();
            found
                .filter(|(_, p)| wanted(p))
                .map(|(i, _)| number(i))
                .collect()
        };
        let ambient = those(&|p| p.dataplane == Dataplane::Ambient);
        if ambient.is_empty() {
            return None;
        }
        let all = those(&|_| true);
        let tcp = TrafficSet::protocol(Protocol::Tcp);
        let tunnel = |sources: &BTreeSet<Box<str>>, destinations, way| Tunnel {
            sources: sources.clone(),
            destinations,
            traffic: tcp.clone(),
            way,
        };
        let port = || TunnelWay::Port(TUNNEL_PORT);
        let between = "what policies make of the waypoint in between";
        let behind = those(&|p| p.waypoint.possible());
        let mut tunnels = Vec::new();
        if !behind.is_empty() {
            tunnels.push(tunnel(&all, behind, TunnelWay::Between(between.into())));
        }
        tunnels.push(tunnel(&all, ambient.clone(), port()));
        tunnels.push(tunnel(&ambient, all.clone(), port()));
        let names = self.profiles.iter().enumerate();
        Some(MeshProxies {
            key: PROFILE,
            names: names.map(|(i, p)| (number(i), p.names.clone())).collect(),
            tunnels,
            outside: Vec::new(),
        })
    }
}
