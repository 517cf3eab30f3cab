//! Flags that every command takes, with their help. No logic.
#![allow(clippy::doc_markdown)] // these comments are printed as help

use clap::{ArgAction, Args, ValueEnum};
use ipnet::IpNet;
use netpal::{CalicoSettings, CiliumSettings, Kubernetes, World};
use std::path::PathBuf;

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Manifests: a file, a directory with everything below it, a glob, git:REV:PATH, or - for
    /// standard input
    #[arg(
        short = 'f',
        long = "filename",
        value_name = "PATH",
        global = true,
        help_heading = "Input"
    )]
    pub files: Vec<String>,
    /// A kustomization directory, rendered with `kubectl kustomize`
    #[arg(
        short = 'k',
        long = "kustomize",
        value_name = "DIR",
        global = true,
        help_heading = "Input"
    )]
    pub kustomize: Vec<String>,
    /// Read a cluster with `kubectl get`; nothing is changed there
    #[arg(long, global = true, help_heading = "Input")]
    pub live: bool,
    /// Manifests laid over the others: an object given again replaces the first
    #[arg(
        long,
        visible_alias = "with",
        value_name = "PATH",
        global = true,
        help_heading = "Input"
    )]
    pub overlay: Vec<String>,
    /// Namespace of bare names, and of objects that name none; with --live the only one whose
    /// objects are read [default: search all; default]
    #[arg(
        short = 'n',
        long,
        value_name = "NAME",
        global = true,
        help_heading = "Input"
    )]
    pub namespace: Option<String>,
    /// Search names in all namespaces, and with --live read all of them (the default; undoes -n)
    #[arg(short = 'A', long, global = true, help_heading = "Input")]
    pub all_namespaces: bool,
    /// Configuration file [default: netpal.yaml or .netpal.yaml in this folder or the nearest one
    /// above]
    #[arg(long, value_name = "FILE", global = true, help_heading = "Input")]
    pub config: Option<PathBuf>,
    /// Run the `exec:` inputs of the configuration file, and let its kustomizations fetch
    #[arg(long, global = true, help_heading = "Input")]
    pub allow_exec: bool,
    /// Let the configuration file name files outside its own folder
    #[arg(long, global = true, help_heading = "Input")]
    pub allow_outside: bool,
    /// Leave broken documents out instead of making the verdicts they could touch unknown
    #[arg(long, global = true, help_heading = "Input")]
    pub ignore_broken: bool,

    /// Context of the kubeconfig to read [default: the current one]
    #[arg(
        long,
        value_name = "NAME",
        global = true,
        help_heading = "Cluster (with --live)"
    )]
    pub context: Option<String>,
    /// The kubeconfig [default: as kubectl finds it]
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        help_heading = "Cluster (with --live)"
    )]
    pub kubeconfig: Option<String>,
    /// User or service account to read as: system:serviceaccount:NAMESPACE:NAME
    #[arg(
        long = "as",
        value_name = "USER",
        global = true,
        help_heading = "Cluster (with --live)"
    )]
    pub impersonate: Option<String>,
    /// Objects that one request asks for [default: kubectl's, 500]
    #[arg(
        long,
        value_name = "NUMBER",
        global = true,
        help_heading = "Cluster (with --live)"
    )]
    pub chunk_size: Option<u32>,
    /// How long one request may take, such as 30s; 0 is for ever [default: 60s]
    #[arg(
        long,
        value_name = "TIME",
        global = true,
        help_heading = "Cluster (with --live)"
    )]
    pub request_timeout: Option<String>,
    /// Keep what was read in FILE, for -f; only you can read it
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        help_heading = "Cluster (with --live)"
    )]
    pub dump: Option<PathBuf>,

    /// Version of Kubernetes whose API server the manifests are for, such as 1.35 [default: 1.36]
    #[arg(
        long,
        value_name = "VERSION",
        global = true,
        help_heading = "Assumptions"
    )]
    pub kubernetes: Option<Kubernetes>,
    /// Network plugin whose documented choices hold: generic, calico, cilium, antrea,
    /// ovn-kubernetes, ...
    #[arg(
        long,
        value_name = "PROFILE",
        global = true,
        help_heading = "Assumptions"
    )]
    pub cni: Vec<String>,
    /// Whether policies of another network plugin are surely enforced by nobody, as where it is
    /// asked what a change of the plugin does
    #[arg(skip)]
    pub ignores_foreign: bool,
    /// Options of Cilium's agent, from the configuration file
    #[arg(skip)]
    pub cilium: CiliumSettings,
    /// Settings of Calico, from the configuration file
    #[arg(skip)]
    pub calico: CalicoSettings,
    /// Where the API server listens, from the configuration file
    #[arg(skip)]
    pub api_servers: Vec<IpNet>,
    /// Source port that is asked about, where rules name source ports
    #[arg(long, value_name = "PORT", global = true, help_heading = "Assumptions")]
    pub source_port: Option<u16>,
    /// Network that is asked about alone: default, udn/NAMESPACE/NAME, cudn/NAME, nad/NAME,
    /// nad/NAMESPACE/NAME [default: all that both ends are on]
    #[arg(long, value_name = "NAME", global = true, help_heading = "Assumptions")]
    pub network: Option<String>,
    /// Take staged policies of Calico as if they were enforced
    #[arg(long, global = true, help_heading = "Assumptions")]
    pub staged: bool,
    /// Settle what the API leaves open: hostnetwork=node or hostnetwork=pod
    #[arg(
        long,
        value_name = "KEY=VALUE",
        global = true,
        help_heading = "Assumptions"
    )]
    pub assume: Vec<String>,
    /// How much of the cluster the input shows: open, namespaces or closed [default: open; with
    /// --live namespaces, if all of them could be listed]
    #[arg(
        long,
        value_name = "WORLD",
        global = true,
        help_heading = "Assumptions"
    )]
    pub world: Option<World>,
    /// Where pod addresses lie, when pods have no status
    #[arg(
        long,
        value_name = "CIDR,...",
        value_delimiter = ',',
        global = true,
        help_heading = "Assumptions"
    )]
    pub pod_cidrs: Vec<String>,
    /// Where Service addresses lie
    #[arg(
        long,
        value_name = "CIDR,...",
        value_delimiter = ',',
        global = true,
        help_heading = "Assumptions"
    )]
    pub service_cidrs: Vec<String>,
    /// Where node addresses lie
    #[arg(
        long,
        value_name = "CIDR,...",
        value_delimiter = ',',
        global = true,
        help_heading = "Assumptions"
    )]
    pub node_cidrs: Vec<String>,

    /// Output format, and a file for it if wanted; may be repeated
    #[arg(
        short = 'o',
        long = "output",
        value_name = "FORMAT[=FILE]",
        global = true,
        help_heading = "Output"
    )]
    pub output: Vec<String>,
    /// Print nothing; the exit code is the answer
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
    /// When to colour
    #[arg(long, value_enum, default_value_t = ColorWhen::Auto, value_name = "WHEN", global = true, help_heading = "Output")]
    pub color: ColorWhen,
    /// Columns to wrap at [default: the terminal's]
    #[arg(long, value_name = "COLUMNS", global = true, help_heading = "Output")]
    pub width: Option<u16>,
    /// How an unknown verdict counts for the exit code
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        global = true,
        help_heading = "Output"
    )]
    pub unknown: Option<UnknownAs>,
    /// Exit 0 whatever the answer (errors still exit 2)
    #[arg(long, global = true, help_heading = "Output")]
    pub exit_zero: bool,
    /// Compile every pod as a class of its own: slower, same answers
    #[arg(long, global = true, hide = true)]
    pub no_classes: bool,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How an unknown verdict counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UnknownAs {
    /// As yes.
    Yes,
    /// As no.
    No,
    /// As a failure.
    Fail,
}

impl Common {
    /// The namespace that the flags choose.
    pub fn chosen(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|_| !self.all_namespaces)
    }
}
