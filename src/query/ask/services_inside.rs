//! The Services that are called at addresses inside a block: a block is all of its addresses, and
//! what is behind those of Services decides there (S40, S41, S63).
//!
//! `203.0.113.0/24:443` with a load balancer at `203.0.113.10` is what that leads to, and the other
//! addresses. An address counts for the ports that its Service has; on others nothing is behind it.
//! Cost: O(Services + nodes), and O(pods) for each Service inside, of which [`MOST`] are looked at.

use crate::model::{Cluster, Service, ServiceId};
use crate::query::ask::asked_traffic::asked_of_service;
use crate::query::ask::grammar::{EndpointSpec, PortAsk, Question, Target};
use crate::query::ask::resolve::{Context, Resolver};
use crate::query::ask::resolved::{Dialled, End, Note, Resolved};
use crate::query::ask::verdict::Verdict;
use crate::set::IpSet;
use ipnet::IpNet;
use std::net::IpAddr;

/// So many addresses of Services inside a block are asked about.
pub(crate) const MOST: usize = 256;

/// Of so many it is told which Services they are.
const TOLD: usize = 3;

/// The same question about what is behind one address of a Service.
pub(crate) struct CalledInside {
    pub question: Question,
    pub resolved: Resolved,
}

/// What is called at addresses of Services inside the block that a question leads to; nothing where
/// it leads to something else.
pub(crate) fn called_inside(
    cluster: &Cluster,
    context: &Context,
    question: &Question,
) -> Vec<CalledInside> {
    let spec = &question.destination;
    let Target::Addresses(block) = spec.target else {
        return Vec::new();
    };
    if block.prefix_len() == block.max_prefix_len() {
        return Vec::new();
    }
    let mut places: Vec<(IpAddr, ServiceId, Dialled)> = Vec::new();
    for (id, service) in cluster.services() {
        places.extend(dialled_at(cluster, service).map(|(at, dialled)| (at, id, dialled)));
    }
    places.retain(|(at, ..)| block.contains(at));
    places.sort_by_key(|(at, id, _)| (*at, *id));
    let found = places.into_iter().filter_map(|(at, id, dialled)| {
        let service = cluster.service(id);
        let spec = called_at(at, spec, service, dialled)?;
        let resolver = Resolver {
            cluster,
            context,
            text: &spec.text,
            ports: spec.ports.as_deref(),
        };
        let mut resolved = resolver.behind_dialled(id, service, Some(dialled));
        if !dialled.is_at_nodes() {
            resolved
                .notes
                .insert(0, Note::ServiceAddress(IpNet::from(at), id));
        }
        let question = Question {
            destination: spec,
            ..question.clone()
        };
        Some(CalledInside { question, resolved })
    });
    found.take(MOST + 1).collect()
}

/// Where a Service is called.
fn dialled_at<'c>(
    cluster: &'c Cluster,
    service: &'c Service,
) -> impl Iterator<Item = (IpAddr, Dialled)> + 'c {
    let own = service.addresses.iter();
    let own = own.map(|at| (*at, Dialled::Cluster(*at)));
    let outside = service.outside_addresses.iter();
    let outside = outside.map(|at| (*at, Dialled::Outside(*at)));
    let has_nodes = service.ports.iter().any(|port| port.node.is_some());
    let nodes = cluster.nodes().filter(move |_| has_nodes);
    let nodes = nodes.flat_map(|(_, node)| &node.addresses);
    own.chain(outside)
        .chain(nodes.map(|at| (*at, Dialled::Node(*at))))
}

/// An address where a Service is called, with the ports that are asked about as far as the Service
/// has them; none where it has none. Of nodes no others are asked about than those that are named.
fn called_at(
    at: IpAddr,
    spec: &EndpointSpec,
    service: &Service,
    dialled: Dialled,
) -> Option<EndpointSpec> {
    let has = |ask: &&PortAsk| !asked_of_service(service, ask, Some(dialled)).is_empty();
    let own = |ports: &Vec<PortAsk>| ports.iter().filter(has).cloned().collect::<Vec<_>>();
    let ports = spec.ports.as_ref().map(own);
    let is_called = match &ports {
        Some(ports) => !ports.is_empty(),
        None => !dialled.is_at_nodes(),
    };
    is_called.then(|| EndpointSpec {
        text: at.to_string().into(),
        target: Target::Addresses(IpNet::from(at)),
        ports,
    })
}

impl CalledInside {
    /// How it fares where nothing is behind it, or that is not told, and where there are more than
    /// are asked about.
    pub fn fate(&self, place: usize) -> Option<Verdict> {
        if place >= MOST {
            return Some(Verdict::Unknown);
        }
        let none = self.resolved.ends.is_empty();
        none.then_some(if self.resolved.no_backend {
            Verdict::No
        } else {
            Verdict::Unknown
        })
    }
}

impl Resolved {
    /// Tells of what is called inside it, as far as a reader gets through that.
    pub(crate) fn add_called(&mut self, called: &[CalledInside]) {
        if called.is_empty() {
            return;
        }
        let told = called.iter().take(TOLD);
        let notes = told.flat_map(|one| one.resolved.notes.iter().cloned());
        let is_of_all = |note: &Note| !matches!(note, Note::Service(_));
        self.notes.extend(notes.filter(is_of_all));
        let mut asked = called.iter().take(MOST);
        self.missing = asked.find_map(|one| one.resolved.missing.clone());
        if called.len() > MOST {
            let why = format!("more than {MOST} addresses of Services are inside it");
            self.missing = Some(why.into());
        }
    }

    /// Leaves out addresses on all of whose ports that are asked about Services are called.
    pub(crate) fn without_called(&mut self, ports: Option<&[PortAsk]>, called: &[CalledInside]) {
        let is_whole = |one: &&CalledInside| {
            let own = one.question.destination.ports.as_ref().map(Vec::len);
            ports.is_some() && own == ports.map(<[_]>::len)
        };
        let whole = called.iter().filter(is_whole);
        let at = whole.filter_map(|one| one.resolved.dialled?.address());
        let taken = IpSet::from_cidrs(at.map(IpNet::from));
        for end in &mut self.ends {
            if let End::Addresses { set, .. } = end {
                *set = set.difference(&taken);
            }
        }
        let is_empty = |end: &End| matches!(end, End::Addresses { set, .. } if set.is_empty());
        self.ends.retain(|end| !is_empty(end));
    }
}
