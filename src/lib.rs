//! netpal: ask your `NetworkPolicies` a question.

pub mod check;
pub mod compile;
pub mod config;
pub mod diagnostic;
pub mod diff;
pub mod finding;
pub mod graph;
pub mod input;
pub mod lint;
pub mod load;
pub mod model;
pub mod picture;
pub mod policy;
pub mod query;
pub mod render;
pub mod set;
pub mod snapshot;
pub mod source;
pub mod spec;
pub mod tree;

// 1. Load: files, standard input, a cluster -> `Input`.
pub use crate::diagnostic::{
    Code as DiagnosticCode, Diagnostic, Place, Severity as DiagnosticSeverity,
};
pub use crate::input::Input;
pub use crate::load::project::{nearest as nearest_file, text as read_text, texts as read_texts};
pub use crate::load::{LoadError, LoadOptions, Source, Watch};
pub use crate::load::{load, load_reader, load_sources, load_str, load_watched};
pub use crate::source::{Location, Origin, Sources};
pub use crate::tree::Locator;

// The configuration of a repository: `netpal.yaml`.
pub use crate::config::{
    Config, Level as ConfiguredSeverity, NAMES as CONFIG_FILE_NAMES, PodsSpec, Unsupported,
    parse as parse_config,
};

// What was loaded: the cluster and its policies.
pub use crate::model::relabel::{Change as LabelChange, Relabel, relabelled};
pub use crate::model::{
    Cluster, Labels, Namespace, NamespaceId, Pod, PodId, Requirement, Selector, Truth, Workload,
    WorkloadId, WorkloadKind,
};
pub use crate::policy::{Direction, Policy, PolicyId, PolicySet, RuleRef, TaintReason};
pub use crate::set::{IpSet, Protocol, Traffic, TrafficSet};

// 2. Compile: `Input` -> `AllowGraph`.
pub use crate::graph::{AllowGraph, Allowed, CompileError};
pub use crate::spec::{
    CNI_PROFILES, CniProfile, CompileOptions, Endpoint, Flow, HostNetwork, Possible,
};

// 3. Query: who may reach whom, and why.
pub use crate::query::ask::answer::{Answer, Pair, Verdict, ask};
pub use crate::query::ask::grammar::{EndpointSpec, ParseError, Question, Target};
pub use crate::query::ask::resolve::{
    Context, End, ResolveError, Resolved, resolve, traffic as resolve_traffic,
};
pub use crate::query::explain::explanation::{
    Explanation, Reason, Side as ExplanationSide, explain,
};
pub use crate::query::explain::summary::{
    Plain as Summary, namespace as summarize_namespace, policy as summarize_policy,
    workload as summarize_workload,
};
pub use crate::query::explain::why::{Shown, Why, add_suggestions, show, why};
pub use crate::query::list::listing::{
    Entry as ListEntry, Filter as ListFilter, Listing, Party as ListParty, list,
};
pub use crate::query::list::matrix::{By as MatrixBy, Matrix, matrix};
pub use crate::query::reach::closure::{ReachQuery, Way};
pub use crate::query::reach::potential_pod::{PotentialPod, exposure};
pub use crate::query::reach::tree::{Hop, Reach, path, reach};
pub use crate::query::suggest::suggestion::{Suggested, suggest};
pub use crate::query::suggest::trial::applied;

// 4. Compare: what opens and closes between two inputs.
pub use crate::diff::{
    Change, Diff, Kind as ChangeKind, Side as DiffSide, Use as DeclaredUse,
    declared as declared_uses, diff,
};
pub use crate::snapshot::{Drift, Snapshot};

// 5. Check: policy tests.
pub use crate::check::breaks::{Broken, broken};
pub use crate::check::export::{Probe, probes};
pub use crate::check::propose::propose;
pub use crate::check::remedy::add_remedies;
pub use crate::check::{
    Env as TestEnvironment, Outcome, PolicyTest, Run as TestRun, Status as TestStatus, Suite,
    check, parse as parse_tests,
};

// 6. Lint: mistakes, and their fixes.
pub use crate::finding::{Finding, RuleInfo, Severity, identities};
pub use crate::lint::baseline::Baseline;
pub use crate::lint::config::is_known as is_known_rule;
pub use crate::lint::fix::{Applied as AppliedFixes, Changed as ChangedFile, apply as apply_fixes};
pub use crate::lint::{Facts as LintFacts, LINTS, Lint, LintConfig, Linted, lint, lint_policies};

// 7. Render: answers -> bytes.
pub use crate::picture::facts::Dns as DnsPods;
pub use crate::picture::{
    Drawing, Facts as PictureFacts, Hide, Level as DetailLevel, Options as DrawOptions,
};
pub use crate::render::answers::{
    AnswerView, DiffView, DriftView, GraphView, InputsView, LintView, ListingView, PathView,
    ProbesView, ReachView, RuleIndex, SnapshotView, TestsView, WhyView,
};
pub use crate::render::ci::findings::CiFindings;
pub use crate::render::context::Style;
pub use crate::render::data::questions::{QuestionAnswer, QuestionAnswers};
pub use crate::render::data::schema::{DocumentKind, json_schema};
pub use crate::render::report::audit::AuditReport;
pub use crate::render::report::parts::ReportParts;
pub use crate::render::report::profile::Profile as AuditProfile;
pub use crate::render::report::tables::ReportTable;
pub use crate::render::text::check::SuiteRun;
pub use crate::render::text::diff::Remarks as DiffRemarks;
pub use crate::render::text::fix::{FixView, FixedFile, FlowChanges};
pub use crate::render::text::inputs::diagnostic as describe_diagnostic;
pub use crate::render::words::{clean, clean_lines, root as describe_root};
pub use crate::render::{Format, Render, RenderContext, Report, render};
