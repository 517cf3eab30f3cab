//! netpal: ask your `NetworkPolicies` a question.
//!
//! A cluster and its policies go in, one immutable [`AllowGraph`] comes out, and every question is
//! a value asked of it. The stages, in order: **load** texts into an [`Input`], **compile** it,
//! then
//! **query**, **compare**, **check**, **lint**, and **render** the answer.
//!
//! ```
//! use netpal::{AllowGraph, CompileOptions, Context, Format, LintConfig, Locator, RenderContext};
//! use netpal::{DiffSide, DoorList, TestEnvironment, TestStatus, Verdict};
//!
//! // load and compile
//! let input = netpal::load(["examples/demo"])?;
//! let graph = AllowGraph::compile(&input, &CompileOptions::default())?;
//!
//! // ask: may the frontend open a connection to the database?
//! let names = Context::default();
//! let question: netpal::Question = "frontend reach database:5432".parse()?;
//! let answer = netpal::ask(&graph, &names, &question)?;
//! assert_eq!(answer.verdict, Verdict::Yes);
//!
//! // explain: the rules that decided, on the side of each pod
//! let explanation = &answer.pairs[0].explain(&graph);
//! let rule = explanation.sides().into_iter().find_map(|side| side.decided_by);
//! assert!(rule.is_some());
//!
//! // diff: what changes if nothing does
//! let side = DiffSide { input: &input, graph: &graph };
//! assert!(netpal::diff(side, side).is_empty());
//!
//! // lint: mistakes people make
//! let linted = netpal::lint(&input, &graph, &LintConfig::default());
//! assert!(!linted.findings.is_empty());
//!
//! // check: what must stay true
//! let tests = "version: 1\ntests: [{name: shop, can: 'shop/checkout -> data/database:5432'}]";
//! let suite = netpal::parse_tests("tests.yaml", tests).expect("a test file");
//! let no_snapshot = |_: &str| Ok(Vec::new());
//! let doors = || DoorList::of_input(&input, &graph).map_err(|error| error.to_string());
//! let environment = TestEnvironment { context: &names, snapshot: &no_snapshot, doors: &doors };
//! let run = netpal::check(&graph, &environment, &suite);
//! assert_eq!(run.outcomes[0].status, TestStatus::Passed);
//!
//! // render: any answer, in any of its formats
//! let locator = Locator::new(&input.sources);
//! let context = RenderContext::new(&input, &graph, &locator);
//! let mut text = Vec::new();
//! netpal::render(&(&answer).into(), Format::Text, &context, &mut text)?;
//! assert!(String::from_utf8(text)?.starts_with("yes  shop/frontend -> data/database:5432"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Everything public is an item of this page; the modules behind it are not, so that they can
//! change. The binary is built on this page alone.

mod audit;
mod check;
mod compile;
mod config;
mod diagnostic;
mod diff;
mod doors;
mod facade;
mod finding;
mod graph;
mod input;
mod lint;
mod load;
mod model;
mod picture;
mod policy;
mod potential;
mod query;
mod render;
mod set;
mod snapshot;
mod source;
mod spec;
mod tree;
mod words;

// 1. Load: files, standard input, a cluster -> `Input`.
pub use crate::diagnostic::{Code as DiagnosticCode, Diagnostic, DiagnosticSeverity, Place};
pub use crate::input::{Input, Tally as InputTally, Unlisted, UnlistedScope};
pub use crate::load::project::{nearest as nearest_file, text as read_text, texts as read_texts};
pub use crate::load::{
    KindRows, Kubernetes, Live, LiveOptions, LoadError, LoadOptions, Source, SourceCommit,
    SourceLimits, Watch, commits,
};
pub use crate::load::{load, load_reader, load_sources, load_str, load_watched};
pub use crate::source::{DocumentId, Location, Origin, Path as DocumentPath, Sources};
pub use crate::tree::Locator;

// The configuration of a repository: `netpal.yaml`.
pub use crate::config::{
    AssumeSpec, BlockSpec, CalicoApiSpec, CalicoSpec, CiliumSpec, ClusterSpec, Config,
    DataplaneSpec, EndpointToHostSpec, EnforcementSpec, InboundPolicySpec, IstioSpec,
    Level as ConfiguredSeverity, LinkerdSpec, LocalhostSpec, MatchSpec, MeshedSpec, MeshedWord,
    NAMES as CONFIG_FILE_NAMES, NetworksSpec, PlatformSpec, PodsSpec, TransportSpec, Unsupported,
    WorldSpec, minor_version, parse as parse_config,
};

// What was loaded: the cluster and its policies.
pub use crate::model::relabel::{LabelChange, Relabel, relabelled};
pub use crate::model::{
    Cluster, ContainerPort, Labels, NamedAddresses, NamedBy, Namespace, NamespaceId, Node, Pattern,
    Pod, PodId, RareParts, Requirement, Selector, Truth, Workload, WorkloadId, WorkloadKind,
};
pub use crate::policy::calico::options::{CalicoSettings, EndpointToHost};
pub use crate::policy::cilium::options::{CiliumSettings, EnforcementMode, MatchMode};
pub use crate::policy::istio::settings::{Dataplane, IstioSettings, Meshed};
pub use crate::policy::layer_settings::LayerSettings;
pub use crate::policy::linkerd::settings::{InboundPolicy, LinkerdSettings};
pub use crate::policy::networks::settings::NetworkSettings;
pub use crate::policy::plugin::ImpliedPlugin;
pub use crate::policy::tier::{LayerIx, Tier, TierCodes, TierEnd, TierIx, TierMode};
pub use crate::policy::{
    Action, AddressOwner, Direction, Namespaces, Peer, Peers, Policy, PolicyId, PolicySet, Ports,
    Rule, RuleRef, Subject, TaintEffect, TaintReason,
};
pub use crate::set::{Bounds, Family, IpSet, Protocol, Traffic, TrafficSet};

// 2. Compile: `Input` -> `AllowGraph`.
pub use crate::graph::{AllowGraph, Allowed, CompileError};
pub use crate::spec::{
    CNI_PROFILES, CniProfile, CompileOptions, Endpoint, Environment, Flow, ForeignPolicies,
    HostNetwork, Plugin, ServiceCalls,
};

pub use crate::potential::{
    AskedPods, AskedPorts, AssumedPods, PodKind, PotentialPods, World, with_assumed, with_stand_ins,
};

// 3. Query: who may reach whom, and why.
pub use crate::facade::edges::Edge;
pub use crate::facade::follow::GraphQuery;
pub use crate::query::ask::answer::{Answer, Pair, Verdict, ask};
pub use crate::query::ask::api_server_address::ApiServerAddress;
pub use crate::query::ask::connection::without_secrets;
pub use crate::query::ask::entrance::{Entrance, EntranceGround, entrance};
pub use crate::query::ask::grammar::{EndpointSpec, Keyword, ParseError, Question, Target};
pub use crate::query::ask::resolve::{
    Context, End, Note, ResolveError, Resolved, resolve, traffic as resolve_traffic,
};
pub use crate::query::ask::surely_exists::{api_servers, dns_pods};
pub use crate::query::explain::explanation::{
    Explanation, ExplanationSide, FamilyEffect, Mismatch, PeerTrace, PolicyTrace, Reason,
    RuleTrace, TierTrace, explain,
};
pub use crate::query::explain::summary::{
    Plain as Summary, namespace as summarize_namespace, policy as summarize_policy,
    workload as summarize_workload,
};
pub use crate::query::explain::why::{Shown, Why, add_suggestions, show, why};
pub use crate::query::list::listing::{
    Filter as ListFilter, ListEntry, Listing, Party as ListParty, list,
};
pub use crate::query::list::matrix::{By as MatrixBy, Matrix, matrix, matrix_on};
pub use crate::query::list::potential_rows::{
    GovernedEnd, LineEnd, PotentialLine, PotentialPeers, PotentialRow, PotentialRows,
    PotentialSubject, potential_rows, potential_rows_of,
};
pub use crate::query::reach::closure::{ReachQuery, Way};
pub use crate::query::reach::door_ends::DoorEnds;
pub use crate::query::reach::potential_pod::{PotentialPod, exposure};
pub use crate::query::reach::tree::{
    Hop, Item as ReachItem, Reach, TreeNode as ReachNode, path, reach,
};
pub use crate::query::suggest::assumed_pods::{ProposedPods, proposed_pods};
pub use crate::query::suggest::kind_rows::{ProposedKind, proposed_kinds};
pub use crate::query::suggest::suggestion::{Obstacle, Suggested, suggest};
pub use crate::query::suggest::trial::{Addition, applied};

// 4. Compare: what opens and closes between two inputs, and whether one implies the other.
pub use crate::diff::{
    Assumption, Block as ChangeBlock, CallChange, Cause, Change, Diff, DiffParty, DoorChange, Edit,
    Kind as ChangeKind, MaskedChange, OneSided, Parties, PotentialChange, PotentialDiff,
    PotentialParty, Side as DiffSide, Unseen, Use as DeclaredUse, What as CauseSubject, Which,
    declared as declared_uses, diff, diff_in,
};
pub use crate::doors::{
    AssumedCallers, CONTROLLERS as DOOR_CONTROLLERS, Controller as DoorController, Door, DoorKind,
    DoorLine, DoorList, DoorReason, DoorStatus, DoorTarget, Passage, with_assumed_callers,
    with_controller,
};
pub use crate::facade::relations::{Counterexample, disjoint, equivalent, implies};
pub use crate::snapshot::{Drift, Snapshot};

// 5. Check: policy tests.
pub use crate::check::breaks::{Broken, broken};
pub use crate::check::critical::{Critical, PathEnds, chokepoints, critical};
pub use crate::check::export::{Probe, probes};
pub use crate::check::open_world::OpenWorld;
pub use crate::check::outcome::{FlowEnd, PotentialFlow};
pub use crate::check::propose::propose;
pub use crate::check::remedy::add_remedies;
pub use crate::check::rule_cut::{RuleCut, rule_cut};
pub use crate::check::{
    Claim, Env as TestEnvironment, Example as TestExample, Outcome, PolicyTest, Run as TestRun,
    Status as TestStatus, Suite, check, parse as parse_tests,
};
pub use crate::config::groups::GroupSpec;

// Controls of audits, judged by what an input shows.
pub use crate::audit::{
    Assessment, AuditScope, AuditSubject, Bearing, Control as AuditControl, ControlResult,
    DecidedBy, Declared, Fact as AuditFact, FactTopic, Profile as AuditProfile, assess,
};

// 6. Lint: mistakes, and their fixes.
pub use crate::finding::{
    Confidence, Finding, Fingerprint, Label as FindingLabel, RuleInfo, Severity, identities,
};
pub use crate::lint::baseline::Baseline;
pub use crate::lint::config::is_known as is_known_rule;
pub use crate::lint::fix::{Applied as AppliedFixes, Changed as ChangedFile, apply as apply_fixes};
pub use crate::lint::{LINTS, Lint, LintConfig, LintContext, Linted, lint, lint_policies};

// 7. Render: answers -> bytes.

pub use crate::picture::facts::Dns as DnsPods;
pub use crate::picture::{DetailLevel, DrawOptions, Drawing, Hide, PictureFacts, Surroundings};
pub use crate::render::answers::{
    AnswerView, CriticalView, DiffView, DriftView, GraphView, InputsView, LintView, ListingView,
    PathView, ProbesView, ProposedKindsView, ProposedPodsView, ReachView, RuleIndex, SnapshotView,
    TestsView, WhyView,
};
pub use crate::render::ci::findings::CiFindings;
pub use crate::render::data::questions::{QuestionAnswer, QuestionAnswers};
pub use crate::render::data::schema::{DocumentKind, json_schema};
pub use crate::render::door_answers::EntranceView;
pub use crate::render::report::audit::AuditReport;
pub use crate::render::report::controls::AuditedControls;
pub use crate::render::report::front::{ReportFront, Suppressed};
pub use crate::render::report::parts::ReportParts;
pub use crate::render::report::tables::ReportTable;
pub use crate::render::safe_writer::SafeWriter;
pub use crate::render::text::check::SuiteRun;
pub use crate::render::text::diagnostic::diagnostic as describe_diagnostic;
pub use crate::render::text::diff_context::Remarks as DiffRemarks;
pub use crate::render::text::fix::{FixView, FixedFile, FixedTraffic};
pub use crate::render::words::root as describe_root;
pub use crate::render::{Format, Render, RenderContext, Report, Style, render};
pub use crate::words::{clean, clean_lines};

/// What the tests and benchmarks of this crate need from behind the facade.
///
/// Not part of the API: nothing here keeps its name, its form or its meaning between versions.
#[doc(hidden)]
pub mod internals {
    pub mod compile {
        pub use crate::compile::atoms::AtomIx;
        pub use crate::compile::endpoint_index::EndpointIx;
    }
    pub mod check {
        pub use crate::check::check_by;
        pub mod external {
            pub use crate::check::external::Outside;
        }
    }
    pub mod diff {
        pub use crate::diff::{diff_of_kinds, diff_one_by_one};
    }
    pub mod graph {
        pub use crate::graph::SourcesTraffic;
    }
    pub mod model {
        pub use crate::model::TargetPort;
    }
    pub mod policy {
        pub mod calico {
            pub use crate::policy::calico::expression::LabelExpression;
            pub use crate::policy::calico::selector::selector;
        }
        pub mod dialects {
            pub use crate::policy::dialects::{DIALECTS, Dialect, UNMODELLED, add_for_tests};
        }
        pub mod lowered {
            pub use crate::policy::lowered::{Header, Lowered};
        }
        pub mod tier {
            pub use crate::policy::tier::{HostPods, OwnNode, Ties, kubernetes};
        }
        pub use crate::policy::{PortMatch, Qualifier, Shape, Symbol, TaintSubject};
    }
    pub mod query {
        pub mod ask {
            pub mod via_service {
                pub use crate::query::ask::via_service::{ViaService, allowed, explain_led};
            }
        }
        pub mod list {
            pub mod listing {
                pub use crate::query::list::listing::{each, summary};
            }
            pub mod matrix {
                pub use crate::query::list::matrix::MatrixSide;
            }
        }
        pub mod reach {
            pub mod closure {
                pub use crate::query::reach::closure::{PodGroup, Steps, passing};
            }
        }
        pub mod suggest {
            pub mod trial {
                pub use crate::query::suggest::trial::{AdditionPlace, objects};
            }
        }
    }
    pub mod render {
        pub mod ci {
            pub use crate::render::ci::{github, gitlab, sarif};
        }
        pub mod data {
            pub mod findings {
                pub use crate::render::data::findings::{FindingSet, csv, document};
            }
        }
        pub mod text {
            pub mod findings {
                pub use crate::render::text::findings::{LintScope, write};
            }
        }
    }
    pub mod set {
        pub use crate::set::traffic::TrafficRange;
        pub use crate::set::{IntervalSet, Ix, partition};
    }
    pub mod snapshot {
        pub mod words {
            pub use crate::snapshot::words::{addresses, names, words};
        }
    }
    pub mod spec {
        pub use crate::spec::HostNetworkMode;
        pub use crate::spec::evaluate::evaluate;
        pub mod matching {
            pub use crate::spec::matching::{peer_matches, ports_match, selects};
        }
        pub mod evaluate {
            pub use crate::spec::evaluate::evaluate_from;
            pub use crate::spec::evaluate::side;
            pub use crate::spec::question::{Case, ConnectionOrigin};
        }
    }
    pub mod tree {
        pub use crate::tree::{Chunk, SyntaxNode, parse, split};
    }
}
