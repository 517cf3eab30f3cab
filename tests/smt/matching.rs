//! Whether a policy selects, a peer matches and a port agrees: the single sentences of sections C
//! to F, each as a formula.

use super::form::{Condition, Entry, Kind, Labelled, Need, Other, Rule, Spaces};
use super::term::{Term, all, any};
use super::world::{End, Place, World};
use netpal::internals::policy::Symbol;
use netpal::internals::policy::tier::HostPods;
use netpal::{AddressOwner, Environment, Family, HostNetwork, Labels, NamespaceId, Pod, PodId};

/// What is fixed while one direction of a connection is decided.
#[derive(Clone, Copy)]
pub struct Asked<'e> {
    pub env: &'e Environment,
    /// The governed pod, and its end.
    pub pod: PodId,
    pub own: End,
    pub other: End,
    /// The end that declares ports.
    pub destination: End,
    pub family: Family,
    /// How the tier at hand sees pods on their node's network.
    pub host_pods: HostPods,
}

/// What is not told of the labels at hand.
enum Untold<'l> {
    /// Nothing but what stands in the labels.
    Nothing,
    /// Every label that does not stand there; this is whose they are.
    Others(&'l str),
}

impl World {
    /// Whether pods on their node's network are their node (S56).
    pub fn hosts_are_nodes(&mut self, env: &Environment) -> Term {
        match env.options.host_network {
            HostNetwork::Node => Term::yes(),
            HostNetwork::Pod => Term::no(),
            HostNetwork::Unknown => self.fact("host-network pods are their node"),
        }
    }

    /// Whether selectors and port names see a pod (S56, S78, S109).
    pub fn seen(&mut self, env: &Environment, pod: &Pod, host_pods: HostPods) -> Term {
        match host_pods {
            _ if !pod.host_network => Term::yes(),
            HostPods::Excluded | HostPods::AsNodes => Term::no(),
            HostPods::Undefined => self.hosts_are_nodes(env).not(),
        }
    }

    /// Whether the labels of a pod are selected.
    pub fn pod_labelled(
        &mut self,
        env: &Environment,
        end: End,
        id: PodId,
        want: &Labelled,
    ) -> Term {
        let labels = env.cluster.pod_labels(id);
        self.labelled(want, labels, end.role, &Untold::Nothing)
    }

    /// Whether the labels of a namespace are selected (S27).
    fn space_labelled(&mut self, env: &Environment, id: NamespaceId, want: &Labelled) -> Term {
        let space = env.cluster.namespace(id);
        let name = format!("namespace {}", space.name);
        let untold = match space.declared {
            Some(_) => Untold::Nothing,
            None => Untold::Others(&name),
        };
        self.labelled(want, &space.labels, &name, &untold)
    }

    fn labelled(
        &mut self,
        want: &Labelled,
        labels: &Labels,
        whose: &str,
        untold: &Untold<'_>,
    ) -> Term {
        let each = want
            .iter()
            .map(|c| self.condition(c, labels, whose, untold));
        let each: Vec<Term> = each.collect();
        all(each)
    }

    fn condition(
        &mut self,
        condition: &Condition,
        labels: &Labels,
        whose: &str,
        untold: &Untold<'_>,
    ) -> Term {
        let mut is_one_of = |key: &str, values: &[String]| {
            let each = values
                .iter()
                .map(|v| self.value(labels, whose, untold, key, Some(v)));
            let each: Vec<Term> = each.collect();
            any(each)
        };
        match condition {
            Condition::In(key, values) => is_one_of(key, values),
            Condition::NotIn(key, values) => is_one_of(key, values).not(),
            Condition::Exists(key) => self.value(labels, whose, untold, key, None),
            Condition::Absent(key) => self.value(labels, whose, untold, key, None).not(),
            Condition::Like(key, like, part) => match told(labels, key) {
                Told::Value(value) => Term::of(like.holds(value, part)),
                Told::Absent if matches!(untold, Untold::Nothing) => Term::no(),
                Told::Absent => self.fact(&format!("label {key} of {whose} is like {part}")),
                Told::Open { values, .. } if !values.is_empty() => {
                    let like = values.iter().filter(|value| like.holds(value, part));
                    let like: Vec<String> = like.map(|v| (*v).to_owned()).collect();
                    let one_of = Condition::In(key.clone(), like);
                    self.condition(&one_of, labels, whose, untold)
                }
                Told::Open { .. } => self.fact(&format!("label {key} of {whose} is like {part}")),
            },
            Condition::AnyOf(selectors) => {
                let each = selectors
                    .iter()
                    .map(|s| self.labelled(s, labels, whose, untold));
                let each: Vec<Term> = each.collect();
                any(each)
            }
            Condition::Not(selector) => self.labelled(selector, labels, whose, untold).not(),
        }
    }

    /// Whether a label has a value, or is there at all.
    fn value(
        &mut self,
        labels: &Labels,
        whose: &str,
        untold: &Untold<'_>,
        key: &str,
        wanted: Option<&str>,
    ) -> Term {
        match told(labels, key) {
            Told::Value(value) => return Term::of(wanted.is_none_or(|wanted| wanted == value)),
            Told::Absent if matches!(untold, Untold::Nothing) => return Term::no(),
            Told::Absent => {}
            Told::Open { values, absent } => self.label_among(whose, key, &values, absent),
        }
        let whose = match untold {
            Untold::Others(whose) => whose,
            Untold::Nothing => whose,
        };
        match wanted {
            Some(wanted) => self.label_is(whose, key, wanted),
            None => self.label_is_there(whose, key),
        }
    }

    /// Whether a namespace is meant, seen from another one (S29-S33, S92).
    pub fn spaces(
        &mut self,
        env: &Environment,
        which: &Spaces,
        own: NamespaceId,
        other: NamespaceId,
    ) -> Term {
        match which {
            Spaces::Named(name) => Term::of(*env.cluster.namespace(other).name == **name),
            Spaces::Labelled(want) => self.space_labelled(env, other, want),
            Spaces::Same(keys) if keys.is_empty() => Term::no(),
            Spaces::NotSame(keys) if keys.is_empty() => Term::no(),
            Spaces::Same(keys) => {
                let each = keys.iter().map(|key| self.same_value(env, own, other, key));
                let each: Vec<[Term; 2]> = each.collect();
                all(each.into_iter().flatten())
            }
            Spaces::NotSame(keys) => {
                let each = keys.iter().map(|key| self.same_value(env, own, other, key));
                let each: Vec<[Term; 2]> = each.collect();
                let present = all(each.iter().map(|[present, _]| present.clone()));
                present.and(&all(each.into_iter().map(|[_, same]| same)).not())
            }
        }
    }

    /// Whether two namespaces both have a label, and whether its values are the same.
    fn same_value(
        &mut self,
        env: &Environment,
        own: NamespaceId,
        other: NamespaceId,
        key: &str,
    ) -> [Term; 2] {
        let there = vec![Condition::Exists(key.to_owned())];
        let present = [own, other].map(|id| self.space_labelled(env, id, &there));
        let present = all(present);
        let value = |id: NamespaceId| env.cluster.namespace(id).labels.get(key);
        let same = match (value(own), value(other)) {
            _ if own == other => Term::yes(),
            (Some(a), Some(b)) => Term::of(a == b),
            (Some(value), None) => {
                let one_of = Condition::In(key.to_owned(), vec![value.to_owned()]);
                self.space_labelled(env, other, &vec![one_of])
            }
            (None, Some(value)) => {
                let one_of = Condition::In(key.to_owned(), vec![value.to_owned()]);
                self.space_labelled(env, own, &vec![one_of])
            }
            (None, None) => {
                let names = [own, other];
                let names = names.map(|id| format!("namespace {}", env.cluster.namespace(id).name));
                self.same_label([&names[0], &names[1]], key)
            }
        };
        [present, same]
    }

    /// Whether a rule matches but for what it needs besides (S14).
    pub fn matches(&mut self, asked: Asked<'_>, rule: &Rule) -> Term {
        let ports = self.ports(asked, rule);
        if ports.is_no() {
            return ports;
        }
        let subjects = match &rule.subjects {
            None => Term::yes(),
            Some(list) => self.some_other(asked, list, asked.own),
        };
        let others = match &rule.others {
            None => Term::yes(), // S15
            Some(list) => self.some_other(asked, list, asked.other),
        };
        all([ports, subjects, others])
    }

    /// Whether what a rule needs besides is the case.
    pub fn needs(&mut self, env: &Environment, rule: &Rule) -> Term {
        let each = rule
            .needs
            .iter()
            .map(|need| match (need, env.options.source_port) {
                (Need::SourcePorts(ranges), Some(port)) => {
                    Term::of(ranges.iter().any(|(a, b)| (*a..=*b).contains(&port)))
                }
                (Need::SourcePorts(ranges), None) => {
                    let each = ranges.iter().map(|(a, b)| self.source_port(*a, *b));
                    let each: Vec<Term> = each.collect();
                    any(each)
                }
                (Need::Untold, _) => self.fresh_fact("what a rule needs"),
            });
        let each: Vec<Term> = each.collect();
        all(each)
    }

    /// Whether the traffic is on a port of the rule; names are looked up on the destination
    /// (S43-S51).
    fn ports(&mut self, asked: Asked<'_>, rule: &Rule) -> Term {
        let Some(entries) = &rule.ports else {
            return Term::yes(); // S16
        };
        let each = entries
            .iter()
            .map(|entry| match (entry, asked.destination.place) {
                (Entry::Named(..), Place::Outside(_)) => Term::no(), // S50
                (Entry::Named(name, kind), Place::Pod(id)) => {
                    let pod = asked.env.cluster.pod(id);
                    let declared = pod.ports.iter().filter(|p| p.name.as_deref() == Some(name));
                    let declared = declared.map(|p| (Kind::of(p.protocol), p.port));
                    let agrees = declared.filter(|(of, _)| kind.is_none_or(|kind| kind == *of));
                    let on = any(agrees.map(|(of, n)| Self::traffic(&Entry::Range(of, n, n))));
                    on.and(&self.seen(asked.env, pod, asked.host_pods))
                }
                (entry, _) => Self::traffic(entry),
            });
        let each: Vec<Term> = each.collect();
        let on = any(each);
        self.named(&on)
    }

    fn some_other(&mut self, asked: Asked<'_>, list: &[Other], end: End) -> Term {
        let each = list.iter().map(|other| self.other(asked, other, end));
        let each: Vec<Term> = each.collect();
        let some = any(each);
        self.named(&some)
    }

    /// Whether a peer is an end (S29-S42, S79-S83).
    fn other(&mut self, asked: Asked<'_>, other: &Other, end: End) -> Term {
        let env = asked.env;
        match (other, end.place) {
            (Other::Everybody(everybody), _) => Term::of(*everybody),
            (Other::Pods(..), Place::Outside(_)) => Term::no(), // S34
            (Other::Pods(spaces, pods), Place::Pod(id)) => {
                let pod = env.cluster.pod(id);
                let own = env.cluster.pod(asked.pod).namespace;
                let seen = self.seen(env, pod, asked.host_pods);
                let labelled = self.pod_labelled(env, end, id, pods);
                all([seen, labelled, self.spaces(env, spaces, own, pod.namespace)])
            }
            (Other::Blocks(blocks), Place::Outside(_)) => {
                let inside = self.inside(env, end, asked.family, blocks);
                if env.options.blocks_match_pods {
                    inside
                } else {
                    inside.and(&self.is_outside(env))
                }
            }
            (Other::Blocks(blocks), Place::Pod(_)) if env.options.blocks_match_pods => {
                self.inside(env, end, asked.family, blocks) // S40
            }
            (Other::Blocks(_), Place::Pod(_)) => Term::no(),
            (Other::Nodes(want), _) => self.is_node(env, want, end),
            (Other::Domain(name), Place::Outside(_)) => {
                let named = self.fact(&format!("the address is one of {name}")); // S82
                if env.options.blocks_match_pods {
                    named
                } else {
                    named.and(&self.is_outside(env))
                }
            }
            (Other::Domain(name), Place::Pod(_)) => {
                let may_be = env.options.blocks_match_pods && name.ends_with(".cluster.local");
                Term::of(may_be).and(&self.fresh_fact("a name stands for a pod"))
            }
            (Other::Symbol(symbol), _) => self.symbol(asked, *symbol, end),
            (Other::Owned(owner, blocks), _) => {
                let inside = self.inside(env, end, asked.family, blocks);
                inside.and(&self.is_owner(env, *owner, end))
            }
            (Other::AnyOf(list), _) => self.some_other(asked, list, end),
            (Other::NoneOf(list), _) => self.some_other(asked, list, end).not(),
            (Other::AllOf(list), _) => {
                let each = list.iter().map(|other| self.other(asked, other, end));
                let each: Vec<Term> = each.collect();
                all(each)
            }
        }
    }

    /// Whether an end is of a kind that has addresses.
    fn is_owner(&mut self, env: &Environment, owner: AddressOwner, end: End) -> Term {
        let host = |id: PodId| env.cluster.pod(id).host_network;
        match (owner, end.place) {
            (AddressOwner::Anyone, _) | (AddressOwner::Plugin, Place::Outside(_)) => Term::yes(),
            (AddressOwner::Plugin, Place::Pod(_)) | (AddressOwner::Pods, Place::Outside(_)) => {
                Term::no()
            }
            (AddressOwner::Pods, Place::Pod(id)) => Term::of(!host(id)),
            (AddressOwner::Nodes | AddressOwner::NoPod, Place::Pod(id)) => Term::of(host(id)),
            (AddressOwner::Nodes, Place::Outside(_)) => self.symbol_nodes(env, end),
            (AddressOwner::NoPod, Place::Outside(_)) => {
                let pods = env.options.pod_cidrs.as_ref();
                let of_pods = pods.map_or_else(Term::no, |told| self.outside_in(told));
                of_pods.and(&self.is_node_address(env).not()).not()
            }
        }
    }

    /// Whether an end is one of the nodes with some labels (S81).
    pub fn is_node(&mut self, env: &Environment, want: &Labelled, end: End) -> Term {
        let labelled = |world: &mut Self, labels: &Labels| {
            world.labelled(want, labels, "a node", &Untold::Nothing)
        };
        match end.place {
            Place::Outside(_) if env.cluster.nodes().len() == 0 => {
                self.fact(&format!("the address is a node's with {want:?}"))
            }
            Place::Outside(_) => {
                let nodes = env.cluster.nodes().map(|(_, node)| {
                    let here = self.outside_is(node.addresses.iter().copied());
                    here.and(&labelled(self, &node.labels))
                });
                let nodes: Vec<Term> = nodes.collect();
                any(nodes)
            }
            Place::Pod(id) => {
                let pod = env.cluster.pod(id);
                let node = pod
                    .node
                    .as_deref()
                    .and_then(|name| env.cluster.find_node(name));
                match node {
                    _ if !pod.host_network => Term::no(),
                    Some(node) => labelled(self, &node.labels),
                    None if want.is_empty() => Term::yes(), // it is on some node, whichever
                    None => self.fact(&format!("{} is on a node with {want:?}", end.role)),
                }
            }
        }
    }

    /// Whether the outside address is one of the Node objects'.
    pub fn is_node_address(&mut self, env: &Environment) -> Term {
        let nodes = env
            .cluster
            .nodes()
            .flat_map(|(_, node)| node.addresses.iter().copied());
        let nodes: Vec<_> = nodes.collect();
        self.outside_is(nodes)
    }

    fn symbol(&mut self, asked: Asked<'_>, symbol: Symbol, end: End) -> Term {
        let env = asked.env;
        let host = |id: PodId| Term::of(env.cluster.pod(id).host_network);
        match (symbol, end.place) {
            (Symbol::Everything, _) => Term::yes(),
            (Symbol::IngressProxy, _) => Term::no(),
            (Symbol::World | Symbol::SomeOutside, Place::Pod(_)) => Term::no(),
            (Symbol::SomeOutside, Place::Outside(_)) => {
                let some = self.fresh_fact("the address is one of a group");
                self.is_outside(env).and(&some)
            }
            (Symbol::World, Place::Outside(_)) if env.cilium.is_some() => {
                self.is_outside(env).and(&self.is_some_node(env).not())
            }
            (Symbol::World, Place::Outside(_)) => self.is_outside(env),
            (Symbol::Nodes, _) => self.symbol_nodes(env, end),
            (Symbol::ApiServer, Place::Outside(_)) => self.is_api_server(env),
            (Symbol::ApiServer, Place::Pod(id)) => host(id).and(&self.is_on_api_server(env, end)),
            (Symbol::OwnNode, _) => self
                .symbol_nodes(env, end)
                .and(&self.is_node_of(env, asked.pod, end)),
            (Symbol::OtherNodes, _) => self
                .symbol_nodes(env, end)
                .and(&self.is_node_of(env, asked.pod, end).not()),
            (Symbol::Perhaps, _) | (Symbol::PerhapsNoPod, Place::Outside(_)) => {
                self.fresh_fact("a peer that is not told")
            }
            (Symbol::PerhapsNoPod, Place::Pod(id)) => {
                host(id).and(&self.fresh_fact("a peer that is not told"))
            }
        }
    }
}

/// What is told of a label.
enum Told<'l> {
    Absent,
    Value(&'l str),
    /// One of these values, or any; perhaps none.
    Open {
        values: Vec<&'l str>,
        absent: bool,
    },
}

/// What the labels tell of a key; a value that is not known says so itself.
fn told<'l>(labels: &'l Labels, key: &str) -> Told<'l> {
    let Some(value) = labels.get(key) else {
        return Told::Absent;
    };
    let open = |start: &str| value.strip_prefix(start)?.strip_suffix('>');
    let (rest, absent) = match (open("<at run time"), open("<perhaps")) {
        (Some(rest), _) => (rest, false),
        (_, Some(rest)) => (rest, true),
        _ => return Told::Value(value),
    };
    let values = rest
        .strip_prefix(": ")
        .map(|list| list.split('|').collect());
    let values = values.unwrap_or_default();
    Told::Open { values, absent }
}
