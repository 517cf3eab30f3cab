//! What the view *Ask* answers from: everything a question can name, and what passes between all of
//! it.
//!
//! The page resolves names and judges traffic in the way of [`crate::query::ask`], over the places
//! of the endpoint space: classes of pods, then atoms of addresses. What passes is a row for each
//! destination ([`rows`]), equal rows once. What is behind a Service, and what a Service changes,
//! is worked out here ([`services`]), as are the well-known words and nodes ([`words`]). What the
//! page cannot know exactly is marked, and it then names the command to ask instead: pods of one
//! class whose nodes decide differently, Services that rules name, more addresses or rows than fit.
//!
//! Invariant: of the same question the page says what `netpal can` says, or that it does not know.
//! Road not taken: the program itself as `WebAssembly`, which is larger than everything it would
//! answer from. Cost: a row for each place, and the pods.

mod addresses;
pub mod ends;
pub(crate) mod interned;
mod rows;
mod services;
mod words;

use crate::graph::AllowGraph;
use crate::input::Input;
use crate::model::WorkloadKind;
use crate::potential::vocabulary::PodVocabulary;
use crate::query::ask::resolve::Context;
use crate::render::report::ask::addresses::{AddressSet, address_set};
use crate::render::report::ask::ends::PodTables;
use crate::render::report::ask::interned::{Interned, Ranges};
use crate::render::report::ask::rows::PassingRows;
use crate::render::report::ask::services::Services;
use crate::render::report::ask::words::KnownWords;
use crate::spec::environment::ServiceCalls;
use serde::Serialize;

/// The data of the view.
#[derive(Debug, Serialize)]
pub struct AskData {
    /// The namespace of bare names, if one is chosen.
    namespace: Option<String>,
    /// Namespaces that policies name and that are not loaded.
    named: Vec<String>,
    /// Whether pods could not all be listed.
    partial: bool,
    /// Whether calls to Services are decided otherwise than calls to pods.
    networks: bool,
    /// The words for kinds of workloads.
    kinds: Vec<(&'static str, &'static [&'static str])>,
    /// Where Services and pods have their addresses, if that is told.
    cidrs: [Option<AddressSet>; 2],
    /// Pods and their workloads.
    pods: PodTables,
    /// What passes; `None` where it is too much for a page.
    rows: Option<PassingRows>,
    /// Services.
    services: Services,
    /// Words, nodes, and other names for addresses.
    words: KnownWords,
    /// What passes: surely, and perhaps. Numbers of it begin with 1, which is nothing; 2 is
    /// everything, and 0 that it is not told.
    traffic: Vec<[Ranges; 2]>,
}

/// Reads the data of the view.
pub(crate) fn ask_data(graph: &AllowGraph, input: &Input, names: &Context) -> AskData {
    let called = graph.called(ServiceCalls::ToPods);
    let graph = called.as_ref().unwrap_or(graph);
    let cluster = &graph.environment().cluster;
    let mut interned = Interned::default();
    let pods = PodTables::new(graph, input);
    let rows = PassingRows::new(graph, &mut interned);
    let told = rows.is_some() && called.is_none();
    let services = Services::new(graph, names, told, &mut interned);
    let mut vocabulary = PodVocabulary::default();
    vocabulary.add(&input.policies, |_| true);
    let loaded = |name: &str| cluster.find_namespace(name).is_some();
    let named = vocabulary.names.iter().filter(|name| !loaded(name));
    let cidrs = [&names.service_cidrs, &names.pod_cidrs];
    AskData {
        namespace: names.namespace.as_deref().map(Into::into),
        named: named.map(ToString::to_string).collect(),
        partial: input.unlisted_scopes("Pod").next().is_some(),
        networks: called.is_some(),
        kinds: WorkloadKind::TABLE
            .iter()
            .map(|row| (row.1, row.2))
            .collect(),
        cidrs: cidrs.map(|set| set.as_ref().map(address_set)),
        words: KnownWords::new(graph, names),
        pods,
        services,
        rows: rows.map(|rows| rows.finish(&mut interned)),
        traffic: interned.traffic(),
    }
}
