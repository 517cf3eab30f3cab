//! What a report is made of, and what every form of it says in the same words: the counts, the
//! limits of the analysis, the first flows and the map.

use crate::picture::{DetailLevel, DrawOptions, Drawing, PictureFacts};
use crate::query::list::listing::{ListEntry, Party};
use crate::render::context::RenderContext;
use crate::render::image::matrix::MatrixView;
use crate::render::report::controls::AuditedControls;
use crate::render::report::digest::digest;
use crate::render::report::front::ReportFront;
use crate::render::report::parts::ReportParts;
use crate::render::report::tables::ReportTable;
use crate::render::words;
use crate::words::plural;

/// Everything a report says.
pub struct AuditReport<'a> {
    /// What names and places are looked up in.
    pub context: RenderContext<'a>,
    /// What is shown of the state.
    pub parts: &'a ReportParts,
    /// What changed against another state, if one was given: the lines that `netpal diff` prints.
    pub changes: Option<String>,
    /// By which doors the outside comes in.
    pub doors: ReportTable,
    /// What policies say about pods that are not in the input.
    pub potential: ReportTable,
    /// What lint found.
    pub findings: ReportTable,
    /// What tests say.
    pub tests: ReportTable,
    /// The controls of a standard, if it is for an audit.
    pub controls: Option<AuditedControls>,
    /// What it says of itself.
    pub front: Option<ReportFront>,
    /// What it is about: the cluster's name, or where the input was read.
    pub subject: &'a str,
    /// Under which assumptions of a network plugin.
    pub cni: &'a str,
}

/// Most rows of a table that a page holds as markup, where scripts show the others page by page, or
/// Markdown holds.
pub(crate) const ROWS: usize = 500;

/// Most nodes and edges of a map: more than a person takes in at once, fewer than a browser does.
pub(crate) const DRAWN: (usize, usize) = (120, 400);

/// Most pairs of groups whose explanation a page carries.
pub const PAIRS: usize = 10_000;

impl AuditReport<'_> {
    /// What the report says of itself, line by line: what it is about comes first.
    pub(crate) fn front_lines(&self) -> Vec<(&'static str, String)> {
        let Some(front) = &self.front else {
            return Vec::new();
        };
        let mut lines = vec![("title", words::clean(self.subject).into_owned())];
        if let Some(controls) = &self.controls {
            lines.push(("profile", controls.profile.title().to_owned()));
            lines.push(("scope", controls.scope_title()));
            lines.push(("workloads in scope", self.scope_names(controls)));
        }
        lines.extend(front.lines());
        lines.push(("digest", digest(&self.context.input.sources)));
        lines.push(("network plugin", words::clean(self.cni).into_owned()));
        lines.push((
            "version",
            concat!("netpal ", env!("CARGO_PKG_VERSION")).to_owned(),
        ));
        lines
    }

    /// The workloads in scope, where it is not the whole input.
    fn scope_names(&self, controls: &AuditedControls) -> String {
        if controls.scope.name.is_none() {
            return "all".to_owned();
        }
        let cluster = &self.context.input.cluster;
        let names = controls.scope.workloads.iter();
        let mut names: Vec<String> = names.map(|id| cluster.workload_name(*id)).collect();
        names.sort();
        words::clean(&names.join(", ")).into_owned()
    }

    pub(crate) fn tables(&self) -> [(&'static str, &ReportTable); 4] {
        [
            ("Doors", &self.doors),
            ("Pods that are not in the input", &self.potential),
            ("Findings", &self.findings),
            ("Tests", &self.tests),
        ]
    }

    /// The counts, in the words of the other commands.
    pub fn counts(&self) -> Vec<(&'static str, String)> {
        let t = self.parts.facts.tally;
        let mut counts = vec![
            ("namespaces", t.namespaces.to_string()),
            ("workloads", t.workloads.to_string()),
            ("policies", t.policies.to_string()),
            ("allowed flows with a governed end", t.flows.to_string()),
            ("unknown flows", t.unknown.to_string()),
            (
                "workloads that accept from anyone",
                format!("{}{}", t.open[0], open_by_rule(&self.parts.facts, 0)),
            ),
            (
                "workloads that may go anywhere",
                format!("{}{}", t.open[1], open_by_rule(&self.parts.facts, 1)),
            ),
        ];
        let [open, unknown, closed] = t.doors;
        counts.push((
            "ways in from outside",
            format!("{open} open, {unknown} unknown, {closed} closed by policy"),
        ));
        if !self.findings.head.is_empty() {
            counts.push(("findings", self.findings.rows.len().to_string()));
        }
        counts
    }

    /// What this is, and what it is not.
    pub fn honesty(&self) -> String {
        let input = self.context.input;
        let unknown = input.policies.taints.len();
        let unknown = if unknown == 0 {
            String::new()
        } else {
            format!(
                " {} could not be modelled or read; verdicts they could touch are unknown.",
                plural(unknown, "policy")
            )
        };
        format!(
            "Static analysis of {}, digest {}, network plugin: {}. Not modelled: cloud firewalls, routing, and what depends on the names, paths or identities of requests.{unknown} \
             This shows what the policies say, not what the network does: evidence of design, not of enforcement.",
            plural(input.tally.files, "file"),
            digest(&input.sources),
            self.cni,
        )
    }

    /// Goes through the flows.
    pub(crate) fn each_flow(&self, visit: &mut dyn FnMut(&ListEntry)) {
        self.parts.each_flow(self.context.graph, visit);
    }

    /// The first [`ROWS`] flows in words, sorted, and how many more there are.
    pub(crate) fn flows(&self) -> (Vec<[String; 3]>, usize) {
        let cluster = &self.context.input.cluster;
        let party = |p: &Party| match p {
            Party::Workload(w) => cluster.workload_name(*w),
            Party::Addresses(set) => words::addresses(set),
        };
        let ports = |e: &ListEntry| match (e.allowed.must.is_empty(), e.allowed.is_exact()) {
            (_, true) => words::traffic(&e.allowed.must),
            (true, false) => format!("{} ?", words::traffic(&e.allowed.unknown())),
            (false, false) => format!("{} + ?", words::traffic(&e.allowed.must)),
        };
        let mut first = std::collections::BinaryHeap::with_capacity(ROWS + 1);
        let mut many = 0;
        self.each_flow(&mut |e| {
            many += 1;
            let clean = |text: String| words::clean(&text).into_owned();
            let from = clean(party(&e.source));
            let is_late = |last: &[String; 3]| first.len() == ROWS && from > last[0];
            if !first.peek().is_some_and(is_late) {
                first.push([from, clean(party(&e.destination)), clean(ports(e))]);
            }
            if first.len() > ROWS {
                first.pop();
            }
        });
        let more = many - first.len();
        (first.into_sorted_vec(), more)
    }

    /// The rows of tables that the page does not hold as markup.
    pub(crate) fn rest(&self) -> std::collections::BTreeMap<&'static str, Vec<Vec<String>>> {
        let rest = |rows: &ReportTable| rows.rows.iter().skip(ROWS).cloned().collect::<Vec<_>>();
        let tables = [
            ("doors", rest(&self.doors)),
            ("potential", rest(&self.potential)),
            ("findings", rest(&self.findings)),
            ("tests", rest(&self.tests)),
        ];
        tables
            .into_iter()
            .filter(|(_, rows)| !rows.is_empty())
            .collect()
    }

    pub(crate) fn square(&self) -> MatrixView<'_> {
        MatrixView {
            context: self.context,
            matrix: &self.parts.matrix,
        }
    }

    /// The map: workloads where that stays readable or nearly so, and namespaces where they can be
    /// drawn.
    pub(crate) fn maps(&self) -> Vec<(&'static str, Drawing)> {
        let options = DrawOptions::default();
        let detailed = Drawing::within(&self.parts.facts, &options, DRAWN);
        let coarse = Drawing::new(
            &self.parts.facts,
            &DrawOptions {
                level: DetailLevel::Namespace,
                ..options.clone()
            },
        );
        let (nodes, edges) = coarse.size();
        // beyond, each namespace for itself, without what passes between them
        let fits = nodes <= DRAWN.0 && edges <= DRAWN.1;
        let coarse = if fits {
            coarse
        } else {
            Drawing::new(&self.parts.facts, &options)
        };
        let readable = detailed.as_ref().is_some_and(Drawing::is_readable);
        let mut maps: Vec<_> = detailed.map(|d| ("workloads", d)).into_iter().collect();
        maps.push(("namespaces", coarse));
        if !readable {
            maps.reverse();
        }
        maps
    }
}

fn open_by_rule(facts: &PictureFacts, d: usize) -> String {
    if facts.tally.open_by_rule[d] > 0 {
        format!(" and {} by a rule", facts.tally.open_by_rule[d])
    } else {
        String::new()
    }
}
