//! Parses test files: every test with its single claim and its location.
//!
//! Test files are parsed into the same tree as manifests, so a misspelt key is an error with its
//! line and the most similar known key. A test has exactly one claim ([`Claim`]); everything else
//! is settings. Parsing does not depend on a cluster. Cost: linear in the file.

use crate::check::schema::{
    DefaultDeny, DoorsClaim, GroupSpec, Hops, Internet, Isolated, Matching, OnlyFrom, OnlyTo,
    Several, TestFile, TestSpec,
};
use crate::check::scope;
use crate::config;
use crate::config::Level;
use crate::config::WorldSpec;
use crate::diagnostic::{Code, Diagnostic, DiagnosticSeverity, Place};
use crate::query::ask::grammar::{Keyword, Target};
use crate::source::{Location, Path};
use crate::tree::SyntaxNode;
use std::collections::BTreeMap;

/// A claim of a test.
#[derive(Debug, Clone)]
pub enum Claim {
    /// Every pair (or at least one) is allowed.
    Can(Vec<String>, Matching),
    /// No pair is allowed.
    Cannot(Vec<String>),
    /// Only the listed ends reach an end.
    OnlyFrom(OnlyFrom),
    /// An end reaches only the listed ends.
    OnlyTo(OnlyTo),
    /// No path leads from one end to another.
    Isolated(Isolated),
    /// The internet reaches, and is reached from, only the listed ends.
    Internet(Internet),
    /// Doors lead to the listed ends only.
    Doors(DoorsClaim),
    /// Every workload is isolated.
    DefaultDeny(DefaultDeny),
    /// The allow-graph is the one in this file.
    MatchesSnapshot(String),
}

/// A parsed test.
#[derive(Debug, Clone)]
pub struct PolicyTest {
    /// The name.
    pub name: String,
    /// The location in the file.
    pub at: Location,
    /// The severity of a failure.
    pub severity: Level,
    /// Whether an endpoint may be absent from the input.
    pub allow_empty: bool,
    /// Whether a claim of absence is about what is loaded only.
    pub closed: bool,
    /// The claim.
    pub claim: Claim,
}

/// The tests of one file.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    /// The file.
    pub file: String,
    /// Its groups.
    pub groups: BTreeMap<String, GroupSpec>,
    /// Its tests.
    pub tests: Vec<PolicyTest>,
}

impl Suite {
    /// Whether a test asks who may reach the DNS pods.
    pub fn asks_for_dns(&self) -> bool {
        let is_dns = |flow: &String| {
            let question = scope::question(flow);
            question.is_ok_and(|q| q.destination.target == Target::Keyword(Keyword::Dns))
        };
        let mut claims = self.tests.iter().map(|test| &test.claim);
        claims.any(|claim| match claim {
            Claim::Can(flows, _) | Claim::Cannot(flows) => flows.iter().any(is_dns),
            _ => false,
        })
    }
}

/// Parses a test file.
///
/// # Errors
/// When the text is not a test file; every problem is reported with its location.
pub fn parse(name: &str, text: &str) -> Result<Suite, Vec<Diagnostic>> {
    let (file, root): (TestFile, Option<SyntaxNode>) = config::read_with_tree(name, text)?;
    let locate = |path: &Path| {
        let node = root.as_ref().and_then(|r| r.at(path));
        Location {
            file: name.into(),
            at: node.map(|n| n.span.at).unwrap_or_default(),
        }
    };
    let wrong = |at: Location, message: String| {
        Diagnostic::new(
            DiagnosticSeverity::Error,
            Code::InvalidValue,
            Place::At(at),
            message,
        )
    };
    if file.version.is_some_and(|v| v != 1) {
        return Err(vec![wrong(
            locate(&Path::root()),
            "this version of the test file is not known; this is version 1".into(),
        )]);
    }
    let mut suite = Suite {
        file: name.to_owned(),
        groups: file.groups,
        tests: Vec::new(),
    };
    let mut problems = Vec::new();
    for (i, spec) in file.tests.into_iter().enumerate() {
        let location = locate(&Path::root().key("tests").index(i));
        let spec = TestSpec {
            world: spec.world.or(file.world),
            ..spec
        };
        match test(spec, location.clone()) {
            Ok(test) => suite.tests.push(test),
            Err(message) => problems.push(wrong(location, message)),
        }
    }
    if problems.is_empty() {
        Ok(suite)
    } else {
        Err(problems)
    }
}

fn test(spec: TestSpec, at: Location) -> Result<PolicyTest, String> {
    let TestSpec {
        matching,
        exactly,
        require_policy,
        ..
    } = spec;
    let texts = |s: Several| s.texts().to_vec();
    let mut claims: Vec<Claim> = Vec::new();
    claims.extend(spec.can.map(|q| Claim::Can(texts(q), matching)));
    claims.extend(spec.cannot.map(|q| Claim::Cannot(texts(q))));
    claims.extend(spec.only_from.map(|o| {
        Claim::OnlyFrom(OnlyFrom {
            exactly: o.exactly || exactly,
            ..o
        })
    }));
    claims.extend(spec.only_to.map(|o| {
        Claim::OnlyTo(OnlyTo {
            exactly: o.exactly || exactly,
            ..o
        })
    }));
    claims.extend(spec.isolated.map(Claim::Isolated));
    claims.extend(spec.internet.map(Claim::Internet));
    claims.extend(spec.doors.map(Claim::Doors));
    claims.extend(spec.default_deny.map(|d| {
        Claim::DefaultDeny(DefaultDeny {
            require_policy: d.require_policy || require_policy,
            ..d
        })
    }));
    claims.extend(spec.matches_snapshot.map(Claim::MatchesSnapshot));
    let (1, Some(claim)) = (claims.len(), claims.pop()) else {
        return Err("a test has exactly one of can, cannot, only-from, only-to, isolated, internet, doors, default-deny and \
                    matches-snapshot"
            .into());
    };
    complete(&claim)?;
    let name = spec.name.unwrap_or_else(|| words(&claim));
    let severity = spec.severity.unwrap_or(Level::Error);
    Ok(PolicyTest {
        name,
        at,
        severity,
        allow_empty: spec.allow_empty,
        closed: spec.world == Some(WorldSpec::Closed),
        claim,
    })
}

/// Checks that a claim has all its parts and that every endpoint can be parsed.
fn complete(claim: &Claim) -> Result<(), String> {
    let end = |text: &str| crate::check::scope::parse(text).map(drop);
    let ends = |texts: &[String]| texts.iter().try_for_each(|t| end(t));
    let questions = |texts: &[String]| {
        texts
            .iter()
            .try_for_each(|t| crate::check::scope::question(t).map(drop))
    };
    match claim {
        Claim::Can(texts, _) | Claim::Cannot(texts) => questions(texts),
        Claim::OnlyFrom(o) => end(&o.to).and_then(|()| ends(o.from.texts())),
        Claim::OnlyTo(o) => end(&o.from).and_then(|()| ends(o.to.texts())),
        Claim::Isolated(i) => end(&i.from)
            .and_then(|()| end(&i.to))
            .and_then(|()| ends(i.except_via.texts())),
        Claim::Internet(i) => {
            let texts =
                |s: &Option<Several>| s.as_ref().map(|s| s.texts().to_vec()).unwrap_or_default();
            if i.ingress.is_none() && i.egress.is_none() {
                return Err(
                    "internet: say what may enter (ingress) or what may leave (egress)".into(),
                );
            }
            ends(&texts(&i.ingress)).and_then(|()| questions(&texts(&i.egress)))
        }
        Claim::Doors(doors) => ends(doors.only.texts()),
        Claim::DefaultDeny(_) | Claim::MatchesSnapshot(_) => Ok(()),
    }
}

/// The name of a test that has none: its claim in words.
fn words(claim: &Claim) -> String {
    match claim {
        Claim::Can(texts, _) => format!("can {}", texts.join(", ")),
        Claim::Cannot(texts) => format!("cannot {}", texts.join(", ")),
        Claim::OnlyFrom(o) => format!("only {} may reach {}", o.from.texts().join(", "), o.to),
        Claim::OnlyTo(o) => format!("{} may reach only {}", o.from, o.to.texts().join(", ")),
        Claim::Isolated(i) => match i.hops {
            Hops::Most(1) => format!("{} never reaches {}", i.from, i.to),
            Hops::Any(()) => format!("{} never reaches {}, not even through hops", i.from, i.to),
            Hops::Most(n) => format!("{} never reaches {} within {n} hops", i.from, i.to),
        },
        Claim::Internet(_) => "the edge to the internet".into(),
        Claim::Doors(doors) => format!("doors lead only to {}", doors.only.texts().join(", ")),
        Claim::DefaultDeny(_) => "every workload is isolated".into(),
        Claim::MatchesSnapshot(path) => format!("the allow-graph is the one in {path}"),
    }
}
