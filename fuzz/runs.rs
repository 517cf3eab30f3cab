//! What is done with hostile bytes, one function for each thing that is read. Nothing is looked at
//! but that nothing panics and nothing takes long.
//!
//! `cargo +nightly fuzz run manifests` drives them by coverage (`fuzz/targets`), `tests/fuzz.rs`
//! with damaged examples in every run of the tests.

use netpal::{
    AllowGraph, CompileOptions, Context, DiffSide, DrawOptions, EndpointSpec, GraphView, Input,
    InputsView, LintConfig, LintView, ListFilter, ListingView, Locator, PictureFacts, Question,
    RenderContext, Report, Snapshot, SnapshotView, Surroundings,
};

/// With more pods than this what grows with their pairs is left out.
const MOST_PODS: usize = 200;

/// Manifests: bytes to every answer, in every format.
pub fn manifests(data: &[u8]) {
    let Ok(input) = netpal::load_reader(data) else {
        return;
    };
    answers(&input);
}

/// What kubectl prints: a list in JSON, whatever its items are.
pub fn listings(data: &[u8]) {
    let items = String::from_utf8_lossy(data);
    let list = format!("{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{items}]}}");
    answers(&netpal::load_str(&list));
}

/// Questions and the words for endpoints, about a small cluster.
pub fn questions(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = text.parse::<EndpointSpec>();
    let Ok(question) = text.parse::<Question>() else {
        return;
    };
    let graph = compiled(&netpal::load_str(CLUSTER));
    let Some(graph) = graph else { return };
    if let Ok(answer) = netpal::ask(&graph, &Context::default(), &question) {
        for pair in answer.pairs.iter().take(5) {
            let _ = pair.explain(&graph).sides().len();
        }
    }
}

/// Selectors of Calico, in a policy that uses them everywhere.
pub fn selectors(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let quoted = format!("{text:?}");
    let policy = format!(
        "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {{name: p}}\n\
         spec:\n  selector: {quoted}\n  namespaceSelector: {quoted}\n  ingress:\n  - action: Allow\n    \
         source: {{selector: {quoted}, notSelector: {quoted}}}\n"
    );
    answers(&netpal::load_str(&format!("{CLUSTER}\n---\n{policy}")));
}

/// Files besides manifests: policy tests, the configuration, a snapshot, rows of operators.
pub fn files(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = netpal::parse_tests("t.yaml", &text);
    let _ = netpal::parse_config("netpal.yaml", &text);
    let _ = text.parse::<netpal::KindRows>();
    let Ok(snapshot) = Snapshot::parse(&text) else {
        return;
    };
    let drift = snapshot.drift(&Snapshot::default());
    let _ = (drift.is_empty(), snapshot.text("").len());
}

/// A cluster to ask about.
const CLUSTER: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}]}]}
status: {podIP: 10.0.0.1}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: data}
spec: {replicas: 2, selector: {}, template: {metadata: {labels: {app: db}}, spec: {}}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data}
spec: {selector: {app: db}, ports: [{port: 5432}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: data}
spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 5432}]}]}
";

fn compiled(input: &Input) -> Option<AllowGraph> {
    let graph = AllowGraph::compile(input, &CompileOptions::default()).ok()?;
    graph.verify();
    Some(graph)
}

/// Every answer that an input alone leads to, in every format.
fn answers(input: &Input) {
    let Some(graph) = compiled(input) else {
        return;
    };
    let locator = Locator::new(&input.sources);
    let context = RenderContext::new(input, &graph, &locator);
    render(InputsView, &context);
    let linted = netpal::lint(input, &graph, &LintConfig::default());
    let linted = &linted;
    render(LintView { linted, known: 0 }, &context);
    if input.cluster.pods().len() > MOST_PODS {
        return;
    }
    let filter = ListFilter::default();
    let listing = ListingView {
        filter: &filter,
        from: None,
        to: None,
        potential: None,
    };
    render(listing, &context);
    for entry in netpal::list(&graph, &filter).entries.iter().take(3) {
        render(netpal::explain(&graph, &entry.example), &context);
    }
    let graph = &graph;
    let side = DiffSide { input, graph };
    assert!(netpal::diff(side, side).is_empty());
    let snapshot = Snapshot::new(graph);
    let cni = "generic";
    render(
        SnapshotView {
            snapshot: &snapshot,
            cni,
        },
        &context,
    );
    assert!(Snapshot::parse(&snapshot.text(cni)).is_ok());
    pictures(graph, &context);
}

fn pictures(graph: &AllowGraph, context: &RenderContext<'_>) {
    let dns = Context::default().dns;
    let facts = PictureFacts::new(graph, &dns, Surroundings::default());
    let options = DrawOptions::default();
    let (facts, options) = (&facts, &options);
    render(GraphView { facts, options }, context);
}

fn render<'a>(report: impl Into<Report<'a>>, context: &RenderContext<'_>) {
    let report = report.into();
    for format in report.formats() {
        let written = netpal::render(&report, *format, context, &mut Vec::new());
        assert!(written.is_ok(), "{format:?}");
    }
}
