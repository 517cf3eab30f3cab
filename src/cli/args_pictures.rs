//! The flags of the commands that draw: `graph`, `matrix`, `report`. No logic.
#![allow(clippy::doc_markdown)] // these comments are printed as help

use clap::{Args, ValueEnum};

/// How two states are drawn.
#[derive(Debug, Clone, Default, Args)]
pub struct Drawn {
    /// In pictures: draw only what differs (Mermaid never draws more)
    #[arg(long)]
    pub only_changed: bool,
    /// In pictures: what is one node [default: workloads where that stays readable, else
    /// namespaces]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub level: Option<LevelOf>,
}

/// `graph`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netpal graph -f k8s/                                      a tree of namespaces
  netpal graph -f k8s/ -o dot | dot -Tpng > graph.png
  netpal graph -f k8s/ --focus database --hops 2 -o dot")]
pub struct GraphArgs {
    /// What is one node [default: workloads where that stays readable, else namespaces]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub level: Option<LevelOf>,
    /// Draw only what is near this workload; may be repeated
    #[arg(long, value_name = "ENDPOINT")]
    pub focus: Vec<String>,
    /// How many flows away from the focus
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub hops: u32,
    /// The state before: both are drawn, with one layout
    #[arg(long, value_name = "PATH")]
    pub before: Option<String>,
    /// Draw only what differs from the state before
    #[arg(long, requires = "before")]
    pub only_changed: bool,
    /// Only this traffic: 443, 53/udp, 8000-8010
    #[arg(long, value_name = "PORTS")]
    pub port: Option<String>,
    /// What to leave out: dns, monitoring, internet, none [default: dns,monitoring]
    #[arg(long, value_name = "WHAT,...", value_delimiter = ',')]
    pub hide: Vec<String>,
}

/// What is one node of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LevelOf {
    /// Workloads.
    Workload,
    /// Namespaces.
    #[value(alias = "ns")]
    Namespace,
}

impl From<LevelOf> for netpal::MatrixBy {
    fn from(level: LevelOf) -> Self {
        match level {
            LevelOf::Workload => Self::Workload,
            LevelOf::Namespace => Self::Namespace,
        }
    }
}

impl From<LevelOf> for netpal::DetailLevel {
    fn from(level: LevelOf) -> Self {
        match level {
            LevelOf::Workload => Self::Workload,
            LevelOf::Namespace => Self::Namespace,
        }
    }
}

/// `matrix`.
#[derive(Debug, Args)]
pub struct MatrixArgs {
    /// What rows and columns are [default: namespace]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub by: Option<LevelOf>,
    /// Only this traffic: 443, 53/udp, 8000-8010
    #[arg(long, value_name = "PORTS")]
    pub port: Option<String>,
}

/// `report`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netpal report -f k8s/ -o html=report.html
  netpal report -f k8s/ --before git:main:k8s -o html=report.html
  netpal report -f k8s/ --profile pci --scope cde -o html=report.html
  netpal report -f k8s/ --profile nist -o csv=controls.csv")]
pub struct ReportArgs {
    /// The state before, to tell what changed
    #[arg(long, value_name = "PATH")]
    pub before: Option<String>,
    /// What the report is about, printed on every page [default: the inputs as they are named]
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Assess the controls of a standard: met, partly, not met or not assessable, and because of
    /// what
    #[arg(long, value_enum, value_name = "AUDIT")]
    pub profile: Option<Audit>,
    /// What the controls are about: a group of netpal.yaml or of a test file, or anything that
    /// names workloads [default: the whole input]
    #[arg(long, value_name = "GROUP", requires = "profile")]
    pub scope: Option<String>,
    /// The date that the report bears: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ [default:
    /// SOURCE_DATE_EPOCH, else none]
    #[arg(long, value_name = "DATE")]
    pub date: Option<String>,
}

/// Whose questions a report answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Audit {
    /// PCI DSS 4.0.1, requirement 1.
    Pci,
    /// CIS Kubernetes Benchmark, section 5.3.
    Cis,
    /// NSA and CISA, Kubernetes Hardening Guide.
    Nsa,
    /// NIST SP 800-53, AC-4 and SC-7.
    Nist,
    /// SOC 2, CC6.6.
    Soc2,
    /// ISO/IEC 27001:2022, A.8.20 to A.8.22.
    Iso,
}

impl From<Audit> for netpal::AuditProfile {
    fn from(audit: Audit) -> Self {
        match audit {
            Audit::Pci => Self::Pci,
            Audit::Cis => Self::Cis,
            Audit::Nsa => Self::Nsa,
            Audit::Nist => Self::Nist,
            Audit::Soc2 => Self::Soc2,
            Audit::Iso => Self::Iso,
        }
    }
}
