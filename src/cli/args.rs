//! The command line: what can be typed, with its help. No logic.
#![allow(clippy::doc_markdown)] // these comments are printed as help

pub use super::args_pictures::{Drawn, GraphArgs, MatrixArgs, ReportArgs};
pub use super::common::{ColorWhen, Common, UnknownAs};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Ask your NetworkPolicies a question: can frontend reach database:5432? No cluster needed.
#[derive(Debug, Parser)]
#[command(name = "netpal", version, about, long_about = None, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = "Start with a playground: netpal demo\nExit codes: netpal help exit-codes")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What holds for every command.
    #[command(flatten)]
    pub common: Common,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// May one reach the other? yes, no, partly or unknown, and why, on one screen
    Can(CanArgs),
    /// The whole walk: every policy, rule and peer that was asked, with the lines of YAML
    Why(WhyArgs),
    /// What a workload gets to: the blast radius if it is taken over
    Reach(ReachArgs),
    /// Who gets to a workload
    Who(WhoArgs),
    /// Chokepoints: what every way between two leads through, and the smallest cut
    Critical(CriticalArgs),
    /// Plain English: what a policy does, or everything that applies to a workload
    Explain(ExplainArgs),
    /// The allow-graph as a table
    List(ListArgs),
    /// Who comes in from outside, by which door (Ingress, Gateway, Service ...), and what closes it
    Doors,
    /// The picture: who may reach whom (text, dot, svg, mermaid, html)
    Graph(GraphArgs),
    /// What changes between two inputs: which paths open and which close
    Diff(DiffArgs),
    /// Policy tests: what must stay true
    Test(TestArgs),
    /// The allow-graph as a text to keep in git, and whether it is still that
    Snapshot(SnapshotArgs),
    /// Write a first file: netpal init tests, workloads or assume
    Init {
        /// What to propose.
        what: Proposal,
    },
    /// What changes if manifests are applied to the cluster, or labels change
    Plan(PlanArgs),
    /// Find mistakes: policies that do not say what was meant, needed traffic that is blocked,
    /// redundant rules
    Lint(LintArgs),
    /// The page of a rule; without one, the list of all
    Rule {
        /// NP004, or split-peer
        rule: Option<String>,
    },
    /// The table picture: what passes from every namespace (or workload) to every other
    Matrix(MatrixArgs),
    /// One file for auditors and colleagues: -o html=report.html (also md, csv)
    Report(ReportArgs),
    /// What was read, what was skipped, what was assumed
    Inputs,
    /// Write a playground with three classic mistakes to ./netpal-demo
    Demo(DemoArgs),
    /// Print the JSON Schema of a file or of an output
    Schema {
        /// Which.
        of: SchemaOf,
    },
    /// Print the completion script of a shell
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Help on a command or a topic (exit-codes, endpoints, formats)
    Help {
        /// A command or a topic.
        topic: Option<String>,
    },
}

/// Which changes end with exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Paths that open.
    Widened,
    /// Paths that close.
    Narrowed,
    /// Any change.
    Any,
    /// None: only report.
    None,
}

/// `diff`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netpal diff git:main:k8s k8s
  netpal diff main..HEAD -f k8s
  netpal diff main -f k8s                          a revision and the working tree
  netpal diff main..HEAD -k overlays/prod          what kustomize builds of two revisions
  netpal diff main --render 'helm template chart' --allow-exec
  netpal diff --cni calico --cni-after cilium -f k8s     one input under two network plugins")]
pub struct DiffArgs {
    /// The input as it was, or REV1..REV2 with -f PATH
    #[arg(value_name = "BEFORE")]
    pub before: Option<String>,
    /// The input as it is now
    #[arg(value_name = "AFTER")]
    pub after: Option<String>,
    /// Which changes end with exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Any, value_name = "WHICH")]
    pub fail_on: FailOn,
    /// Only this traffic: 443, 53/udp, 8000-8010
    #[arg(long, value_name = "PORTS")]
    pub port: Option<String>,
    /// A command that prints the manifests, run in the files of each revision; needs --allow-exec
    #[arg(long, value_name = "COMMAND")]
    pub render: Option<String>,
    /// Network plugin after a migration: what its own policies and choices change. Policies of the
    /// other plugin are then enforced by nobody
    #[arg(long, value_name = "PROFILE", help_heading = "Assumptions")]
    pub cni_after: Option<String>,
    /// How it is drawn.
    #[command(flatten)]
    pub drawn: Drawn,
}

/// `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netpal plan -f new-policy.yaml                   on the inputs of netpal.yaml
  netpal plan -f new-policy.yaml --live            on the cluster of the current context
  netpal plan --onto k8s --relabel shop/frontend:app=web,tier-")]
pub struct PlanArgs {
    /// The cluster the change is applied to [default: --live, -k, or the inputs of netpal.yaml]
    #[arg(long, value_name = "PATH")]
    pub onto: Vec<String>,
    /// Labels that change: WORKLOAD:KEY=VALUE,KEY- or ns/NAMESPACE:KEY=VALUE
    #[arg(long, value_name = "CHANGE")]
    pub relabel: Vec<String>,
    /// Which changes end with exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Any, value_name = "WHICH")]
    pub fail_on: FailOn,
    /// Only this traffic: 443, 53/udp, 8000-8010
    #[arg(long, value_name = "PORTS")]
    pub port: Option<String>,
    /// How it is drawn.
    #[command(flatten)]
    pub drawn: Drawn,
}

/// `test`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netpal test                                      the tests that netpal.yaml names
  netpal test policy-tests/*.yaml -f k8s
  netpal test -o junit=report.xml -o text -f k8s
  netpal test --export netassert > probes.yaml     the same claims as live probes")]
pub struct TestArgs {
    /// Test files, folders or patterns [default: those of netpal.yaml]
    #[arg(value_name = "FILE")]
    pub tests: Vec<String>,
    /// List the policy rules that no test exercises
    #[arg(long)]
    pub coverage: bool,
    /// Write live probes instead of running the tests
    #[arg(long, value_enum, value_name = "TOOL")]
    pub export: Option<Export>,
}

/// Tools that run probes in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Export {
    /// netassert, version 2.
    Netassert,
}

/// What `init` proposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Proposal {
    /// Policy tests from what is allowed now.
    Tests,
    /// Rows for kinds of custom resources that were passed over and that something selects.
    Workloads,
    /// Pods to assume: those that policies name in other namespaces and that are not loaded.
    Assume,
}

/// `snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// The file [default: the one of netpal.yaml, else netpal.snap]
    #[arg(value_name = "FILE")]
    pub path: Option<String>,
    /// Write the file
    #[arg(long, conflicts_with = "check")]
    pub update: bool,
    /// Compare with the file
    #[arg(long)]
    pub check: bool,
    /// With --check: which changes end with exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Any, value_name = "WHICH")]
    pub fail_on: FailOn,
    /// How it is drawn.
    #[command(flatten)]
    pub drawn: Drawn,
}

/// What there is a schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The configuration file netpal.yaml.
    Config,
    /// The test file.
    Tests,
    /// The JSON of netpal can.
    Can,
    /// The JSON of netpal can --questions.
    Questions,
    /// The JSON of netpal why.
    Why,
    /// The JSON of netpal list.
    List,
    /// The JSON of netpal doors.
    Doors,
    /// The JSON of netpal can --by door.
    Entrance,
    /// The JSON of netpal reach and netpal who.
    #[value(alias = "who")]
    Reach,
    /// The JSON of netpal reach --path.
    Path,
    /// The JSON of netpal critical.
    Critical,
    /// The JSON of netpal explain.
    Explain,
    /// The JSON of netpal matrix.
    Matrix,
    /// The JSON of netpal inputs.
    Inputs,
    /// The JSON of netpal lint.
    Lint,
    /// The JSON of netpal diff and netpal plan.
    #[value(alias = "plan")]
    Diff,
    /// The JSON of netpal test.
    #[value(alias = "test")]
    TestResults,
}

/// `can`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netpal can frontend reach database:5432 -f k8s/
  netpal can deploy/web svc/db:5432 -f k8s/
  netpal can ns/dev reach internet:443 -f k8s/
  netpal can internet reach shop/web --by door -f k8s/
  netpal can --questions questions.csv -f k8s/")]
pub struct CanArgs {
    /// SRC [reach] DST[:PORT[/PROTOCOL]]
    #[command(flatten)]
    pub question: QuestionArgs,
    /// Yes as soon as one of several ends may
    #[arg(long)]
    pub some: bool,
    /// How the internet is to come in: policy asks whether policies let it in, door whether a door
    /// leads there and is open, any either
    #[arg(
        long,
        value_name = "WAY",
        default_value = "policy",
        conflicts_with = "questions"
    )]
    pub by: EnteredBy,
    /// Answer many at once: CSV lines src,dst,protocol,port[,expected]; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    pub questions: Option<String>,
}

/// How the internet is to come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EnteredBy {
    /// By either.
    Any,
    /// As policies let it in, wherever doors lead.
    Policy,
    /// By a door.
    Door,
}

/// `why`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netpal why dev/runner reach database:5432 -f k8s/
  netpal why dev/runner reach database:5432 -f k8s/ --suggest
  netpal why frontend reach cart.shop.svc:80 -f k8s/ -o json")]
pub struct WhyArgs {
    /// SRC [reach] DST[:PORT[/PROTOCOL]]
    #[command(flatten)]
    pub question: QuestionArgs,
    /// Also the smallest YAML that would let it through, tried before it is shown
    #[arg(long)]
    pub suggest: bool,
}

/// How many hops to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HopLimit(pub Option<u32>);

fn hops(text: &str) -> Result<HopLimit, String> {
    match text.parse::<u32>() {
        Ok(n) if n > 0 => Ok(HopLimit(Some(n))),
        _ if text == "any" => Ok(HopLimit(None)),
        _ => Err("a number from 1, or any".to_owned()),
    }
}

/// `explain`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netpal explain data/database-ingress -f k8s/
  netpal explain deploy/cart -f k8s/
  netpal explain ns/shop -f k8s/")]
pub struct ExplainArgs {
    /// A policy (NAME, NS/NAME, netpol/NAME), a workload, or ns/NAME
    #[arg(value_name = "POLICY|WORKLOAD|ns/NAME")]
    pub name: String,
}

/// `reach`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netpal reach shop/frontend -f k8s/
  netpal reach shop/frontend --hops any -f k8s/
  netpal reach --path dev/runner data/database -f k8s/")]
pub struct ReachArgs {
    /// Where to start
    #[arg(value_name = "SRC", conflicts_with = "path")]
    pub source: Option<String>,
    /// How many hops to follow through workloads: a number, or any
    #[arg(long, value_name = "N|any", default_value = "1", value_parser = hops)]
    pub hops: HopLimit,
    /// The shortest way between two
    #[arg(long, num_args = 2, value_names = ["SRC", "DST[:PORT]"])]
    pub path: Option<Vec<String>>,
    /// The smallest cut between SRC and this: what `netpal critical SRC DST` tells
    #[arg(long, value_name = "DST[:PORT]", conflicts_with = "path")]
    pub cut: Option<String>,
}

/// `critical`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netpal critical internet database:5432 -f k8s/
  netpal critical dev/runner data/database --nodes -f k8s/")]
pub struct CriticalArgs {
    /// Where ways start: workloads or outside addresses
    #[arg(value_name = "SRC")]
    pub source: String,
    /// Where they lead; the last hop carries the port
    #[arg(value_name = "DST[:PORT]")]
    pub target: String,
    /// Let ways lead through nodes, and through pods on their node's network
    #[arg(long)]
    pub nodes: bool,
    /// Look for the fewest rules too, without which nothing leads there
    #[arg(long)]
    pub rules: bool,
}

/// `who`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netpal who database:5432 -f k8s/
  netpal who svc/db:5432 --hops any -f k8s/")]
pub struct WhoArgs {
    /// DST[:PORT[/PROTOCOL]]
    #[arg(value_name = "DST[:PORT]")]
    pub destination: String,
    /// How many hops to follow back through workloads: a number, or any
    #[arg(long, value_name = "N|any", default_value = "1", value_parser = hops)]
    pub hops: HopLimit,
    /// The smallest cut between this and DST: what `netpal critical SRC DST` tells
    #[arg(long, value_name = "SRC")]
    pub cut: Option<String>,
}

/// A question, in words or by selectors.
#[derive(Debug, Clone, Args)]
pub struct QuestionArgs {
    /// SRC [reach] DST[:PORT[/PROTOCOL]]
    #[arg(value_name = "QUESTION")]
    pub words: Vec<String>,
    /// Sources by their labels, instead of SRC
    #[arg(short = 'l', long = "from-l", value_name = "SELECTOR")]
    pub from_labels: Option<String>,
    /// Destinations by their labels, instead of DST
    #[arg(long = "to-l", value_name = "SELECTOR")]
    pub to_labels: Option<String>,
    /// Ports of the destination, with --to-l
    #[arg(long, value_name = "PORTS")]
    pub port: Option<String>,
}

/// `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only from here; several with commas between
    #[arg(long, value_name = "ENDPOINT,...")]
    pub from: Option<String>,
    /// Only to here; several with commas between; one of them may name ports
    #[arg(long, value_name = "ENDPOINT,...")]
    pub to: Option<String>,
    /// Also flows between workloads that are open
    #[arg(long)]
    pub all: bool,
    /// Only this traffic: 443, 53/udp, 8000-8010
    #[arg(long, value_name = "PORTS")]
    pub port: Option<String>,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where to write it
    #[arg(default_value = "netpal-demo", value_name = "DIR")]
    pub directory: PathBuf,
}

/// `lint`.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  netpal lint -f k8s/
  netpal lint -f k8s/ --select ALL --ignore NP3
  netpal lint -f k8s/ --fix --dry-run
  netpal lint -f k8s/ -o sarif=netpal.sarif -o github")]
pub struct LintArgs {
    /// Rules to run, by id, name or the start of an id; ALL, DEFAULT
    #[arg(long, value_name = "RULE,...", value_delimiter = ',')]
    pub select: Vec<String>,
    /// Rules to leave out
    #[arg(long, value_name = "RULE,...", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// The least severity to show [default: warning], or another severity for a rule
    #[arg(long, value_name = "LEVEL|RULE=LEVEL,...", value_delimiter = ',')]
    pub severity: Vec<String>,
    /// The least severity that ends in exit code 1: error, warning, info or never [default: error]
    #[arg(long, value_name = "LEVEL")]
    pub fail_on: Option<String>,
    /// Findings in this file are known and do not count
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write what is found to a baseline, and stop
    #[arg(long, value_name = "FILE", conflicts_with_all = ["baseline", "fix"])]
    pub write_baseline: Option<PathBuf>,
    /// Mend what can be mended automatically, and show what changes for the traffic
    #[arg(long)]
    pub fix: bool,
    /// With --fix: show the changes, write nothing
    #[arg(long, visible_alias = "diff", requires = "fix")]
    pub dry_run: bool,
}
