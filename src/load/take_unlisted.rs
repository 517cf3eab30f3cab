//! What a cluster has and could not be listed: what that leaves unknown, and how it is told.
//!
//! Invariant: policies that were not listed leave a taint over everything they could touch; pods
//! and namespaces that were not listed are told to the rooms that ask who there may be
//! ([`crate::input::Input::unlisted`]).

use crate::diagnostic::{Code, Diagnostic, DiagnosticSeverity, Place};
use crate::input::{Unlisted, UnlistedScope};
use crate::load::assembly::Assembly;
use crate::load::doors;
use crate::load::objects;
use crate::load::unlisted::{FORBIDDEN, NOT_KNOWN, plural};
use crate::load::workloads;
use crate::model::{Cluster, NAMESPACE_NAME_LABEL, Requirement, Selector};
use crate::policy::TaintReason;
use crate::policy::unmodelled::{TaintNamespaces, TaintReach, unlisted_reach};

impl Assembly<'_> {
    /// Taints what policies could touch that were not listed, and tells what was not.
    pub(super) fn take_unlisted(&mut self, cluster: &Cluster) {
        let unlisted = std::mem::take(&mut self.unlisted);
        for kind in &unlisted {
            let what = format!("{}{}", plural(&kind.kind), place(&kind.scope));
            let reaches: Vec<TaintReach> = unlisted_reach(&kind.group, &kind.kind)
                .into_iter()
                .map(|reach| within(reach, &kind.scope))
                .collect();
            self.taint_reaches(&what, TaintReason::Broken, &reaches, None, None, cluster);
        }
        self.diagnostics.extend(remarks(&unlisted));
        self.unlisted = unlisted;
    }
}

/// A reach of objects that were not listed somewhere.
fn within(reach: TaintReach, scope: &UnlistedScope) -> TaintReach {
    let requirement = match scope {
        UnlistedScope::In(names) => Requirement::In(NAMESPACE_NAME_LABEL.into(), names.clone()),
        UnlistedScope::AllBut(names) if names.is_empty() => return reach,
        UnlistedScope::AllBut(names) => {
            Requirement::NotIn(NAMESPACE_NAME_LABEL.into(), names.clone())
        }
    };
    if reach.namespaces == TaintNamespaces::Own {
        reach.namespaces(TaintNamespaces::Matching(Selector::new([requirement])))
    } else {
        reach
    }
}

/// What a kind is to netpal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Policies,
    Pods,
    Namespaces,
    Services,
    Nodes,
    Controllers,
    Endpoints,
    Doors,
    Hints,
    NotKnown,
}

impl Role {
    fn of(unlisted: &Unlisted) -> Self {
        let (group, kind) = (&*unlisted.group, &*unlisted.kind);
        match (group, kind) {
            _ if *unlisted.reason == *NOT_KNOWN => Self::NotKnown,
            ("", "Pod") => Self::Pods,
            ("", "Namespace") => Self::Namespaces,
            ("", "Service") => Self::Services,
            ("", "Node") => Self::Nodes,
            ("", "Endpoints") | ("discovery.k8s.io", _) => Self::Endpoints,
            _ if workloads::kind(group, kind).is_some() => Self::Controllers,
            _ if doors::is_kind(group, kind) => Self::Doors,
            _ if objects::is_mention(&format!("{group}/"), kind) => Self::Hints,
            _ => Self::Policies,
        }
    }

    /// What is unknown without them.
    fn consequence(self) -> &'static str {
        match self {
            Self::Policies => "verdicts they could touch are unknown",
            Self::Pods => "who runs there is unknown, and lists leave them out",
            Self::Namespaces => {
                "their labels are unknown but for their names, and there may be more of them"
            }
            Self::Services => "their names, addresses and ports are unknown",
            Self::Nodes => "the addresses of nodes are unknown, unless --node-cidrs says them",
            Self::Controllers => {
                "their pods are named by their owner references, and those without pods are missing"
            }
            Self::Endpoints => {
                "where the API server listens and Services without a selector lead may be unknown"
            }
            Self::Doors => "who comes in through them is unknown, and `doors` leaves them out",
            Self::Hints => "lint does not see what they need",
            Self::NotKnown => "if they are network policies, their rules are not considered",
        }
    }

    /// How bad it is: whether an answer may differ.
    fn severity(self) -> DiagnosticSeverity {
        match self {
            Self::Policies | Self::Pods | Self::Namespaces | Self::Services => {
                DiagnosticSeverity::Warning
            }
            _ => DiagnosticSeverity::Note,
        }
    }
}

/// What is told: one remark for all kinds that play one role and are missing at one place for one
/// reason; one for all that was not asked for.
fn remarks(unlisted: &[Unlisted]) -> Vec<Diagnostic> {
    let mut groups: Vec<(Role, Vec<&Unlisted>)> = Vec::new();
    let left_out = unlisted.iter().find(|u| !u.was_asked_for());
    for kind in unlisted.iter().filter(|u| u.was_asked_for()) {
        let role = Role::of(kind);
        let alike = groups.iter_mut().find(|(r, first)| {
            *r == role && first[0].scope == kind.scope && first[0].reason == kind.reason
        });
        match alike {
            Some((_, group)) => group.push(kind),
            None => groups.push((role, vec![kind])),
        }
    }
    let listed = groups.iter().map(|(role, kinds)| remark(*role, kinds));
    left_out.map(rest).into_iter().chain(listed).collect()
}

/// Everything outside the one namespace that was to be read.
fn rest(first: &Unlisted) -> Diagnostic {
    let message = format!(
        "what lies{} was not asked for: its pods, policies and Services are unknown",
        place(&first.scope)
    );
    let (severity, code) = (DiagnosticSeverity::Note, Code::Unreadable);
    Diagnostic::new(severity, code, Place::Input, message).help("-A reads all namespaces")
}

fn remark(role: Role, kinds: &[&Unlisted]) -> Diagnostic {
    let first = kinds[0];
    let names: Vec<String> = kinds.iter().map(|k| plural(&k.kind)).collect();
    let (what, place) = (few(&names, 4), place(&first.scope));
    let reason = &first.reason;
    let done = match &**reason {
        NOT_KNOWN => "are not known to netpal".to_owned(),
        reason => format!("could not be listed ({reason})"),
    };
    let message = format!("{what}{place} {done}: {}", role.consequence());
    let remark = Diagnostic::new(role.severity(), Code::Unreadable, Place::Input, message);
    if **reason != *FORBIDDEN {
        return remark;
    }
    let scope = match &first.scope {
        UnlistedScope::In(names) => names
            .first()
            .map(|name| format!(" -n {}", shell_word(name))),
        UnlistedScope::AllBut(_) if matches!(role, Role::Namespaces | Role::Nodes) => None,
        UnlistedScope::AllBut(_) => Some(" -A".to_owned()),
    };
    let flags = first.flags.iter().map(|f| format!(" {}", shell_word(f)));
    let flags: String = scope.into_iter().chain(flags).collect();
    let resource = shell_word(&first.resource);
    remark.help(format!(
        "check your rights: kubectl auth can-i list {resource}{flags}"
    ))
}

/// A word as a shell takes it, whatever it holds: a dump may come from anybody.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Where objects were not listed, behind the name of their kind.
fn place(scope: &UnlistedScope) -> String {
    let (before, names) = match scope {
        UnlistedScope::AllBut(names) if names.is_empty() => return String::new(),
        UnlistedScope::In(names) => ("of", names),
        UnlistedScope::AllBut(names) => ("outside", names),
    };
    let many = if names.len() > 1 { "s" } else { "" };
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!(" {before} namespace{many} {}", few(&quoted, 3))
}

/// The first of some names, and how many more there are.
fn few(names: &[String], most: usize) -> String {
    match names {
        [rest @ .., last] if names.len() <= most && !rest.is_empty() => {
            format!("{} and {last}", rest.join(", "))
        }
        _ if names.len() > most => {
            let shown = names[..most - 1].join(", ");
            format!("{shown} and {} more", names.len() - most + 1)
        }
        _ => names.concat(),
    }
}
