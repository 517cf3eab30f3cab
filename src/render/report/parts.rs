//! The parts of a report that are read off the graph once: flows, picture and matrix.
//!
//! Cost: one listing, where its flows fit into memory; of more flows each part is made from a
//! listing of its own, so that memory stays bounded.

use crate::doors::DoorList;
use crate::graph::AllowGraph;
use crate::picture::{PictureFacts, Surroundings};
use crate::query::Context;
use crate::query::list::listing::{Filter, ListEntry, Listing, each};
use crate::query::list::matrix::{By, Matrix, matrix, of_listing};
use crate::query::overview::Overview;
use std::ops::ControlFlow;

/// How many flows are held.
const HELD: usize = 1_000_000;

/// What a report shows of one state.
pub struct ReportParts {
    /// The flows; without its entries where there are too many to be held.
    pub listing: Listing,
    /// Whether the listing holds the flows.
    pub held: bool,
    /// The same, ready to be drawn.
    pub facts: PictureFacts,
    /// From every namespace to every other.
    pub matrix: Matrix,
    /// What it shows, by the questions of a review.
    pub overview: Overview,
    /// What names mean.
    pub names: Context,
}

impl ReportParts {
    /// Reads them off a graph; the picture also shows how it differs from the state before.
    pub fn new(
        graph: &AllowGraph,
        before: Option<(&AllowGraph, Surroundings<'_>)>,
        names: &Context,
        around: Surroundings<'_>,
    ) -> Self {
        let (listing, held) = bounded_listing(graph);
        let dns = &names.dns;
        let facts = if held {
            PictureFacts::of_listing(graph, &listing, dns, around)
        } else {
            PictureFacts::new(graph, dns, around)
        };
        let facts = match before {
            Some((before, around)) => {
                PictureFacts::compare(&PictureFacts::new(before, dns, around), &facts)
            }
            None => facts,
        };
        let matrix = if held {
            of_listing(graph, &listing, By::Namespace)
        } else {
            matrix(graph, By::Namespace)
        };
        let none = DoorList::default();
        let doors = around.doors.unwrap_or(&none);
        let overview = Overview::new(graph, doors, &listing, &mut |visit| {
            each_flow(graph, &listing, held, visit);
        });
        Self {
            listing,
            held,
            facts,
            matrix,
            overview,
            names: names.clone(),
        }
    }

    /// Goes through the flows.
    pub fn each_flow(&self, graph: &AllowGraph, visit: &mut dyn FnMut(&ListEntry)) {
        each_flow(graph, &self.listing, self.held, visit);
    }
}

/// Goes through the flows, which the listing may hold.
fn each_flow(graph: &AllowGraph, listing: &Listing, held: bool, visit: &mut dyn FnMut(&ListEntry)) {
    if held {
        return listing.entries.iter().for_each(visit);
    }
    each(graph, &Filter::default(), &mut |entry| {
        visit(&entry);
        ControlFlow::Continue(())
    });
}

/// The flows, and whether all of them are held.
fn bounded_listing(graph: &AllowGraph) -> (Listing, bool) {
    let mut entries = Vec::new();
    let listing = each(graph, &Filter::default(), &mut |entry| {
        entries.push(entry);
        if entries.len() > HELD {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    let held = entries.len() <= HELD;
    if !held {
        entries.clear();
    }
    (Listing { entries, ..listing }, held)
}
