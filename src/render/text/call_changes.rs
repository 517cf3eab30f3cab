//! Calls of Services that change between two sides: one line for each Service and kind of change.

use crate::diff::{CallChange, Diff};
use crate::render::context::{RenderContext, Style};
use crate::render::text::diff_context::DiffContext;
use crate::render::text::diff_section::{SectionHead, section};
use crate::render::words;
use crate::words::{plural, traffic};
use std::io::{self, Write};

/// The section of a text.
///
/// # Errors
/// When the writer fails.
pub fn text(
    pages: DiffContext<'_>,
    diff: &Diff,
    style: Style,
    shown: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let head = SectionHead {
        word: "CALLS",
        about: "of Services, by rules that name them and do not see the pod behind",
        more: "more call",
    };
    let line = |change: &CallChange| (change.kind, sentence(pages.after, change));
    section(&head, diff.calls.iter().map(line), style, shown, out)
}

/// `shop/web -> svc data/db => data/db-0  5432/TCP  and 2 more pairs`.
pub fn sentence(context: RenderContext<'_>, change: &CallChange) -> String {
    let [from, service, to] = ends(context, change);
    let more = match change.pairs {
        0 | 1 => String::new(),
        pairs => format!("  and {}", plural(pairs - 1, "more pair")),
    };
    let ports = traffic(&change.traffic);
    format!("{from} -> svc {service} => {to}  {ports}{more}")
}

/// The caller, the Service and the pod behind it, by their names.
pub fn ends(context: RenderContext<'_>, change: &CallChange) -> [String; 3] {
    let cluster = &context.graph.environment().cluster;
    let service = cluster.service(change.service);
    let pods = [change.source, change.destination].map(|id| cluster.pod(id));
    let [from, to] = pods.map(|pod| (pod.namespace, &pod.name));
    [from, (service.namespace, &service.name), to].map(|(namespace, name)| {
        let namespace = &cluster.namespace(namespace).name;
        words::clean(&format!("{namespace}/{name}")).into_owned()
    })
}
