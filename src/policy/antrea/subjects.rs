//! Whom the rules of a policy are for: each may be for others, and a policy has one subject.

use crate::model::{NAMESPACE_NAME_LABEL, Requirement, Selector};
use crate::policy::rule::{Namespaces, Peer, Peers, Rule, Subject};

/// Whom a rule is for.
#[derive(Debug, Default)]
pub struct Subjects {
    /// The pods.
    pub pods: Vec<Peer>,
    /// Pods behind Services that are governed where they are called at nodes (AN26).
    pub at_nodes: Vec<Peer>,
    /// What of it is not documented.
    pub doubt: Option<&'static str>,
}

/// The subject of a policy: all that its rules are for. Rules that are for all of it say so.
pub fn common(rules: &mut [Vec<Rule>; 2]) -> Subject {
    let mut all: Vec<Peer> = Vec::new();
    let lists = rules.iter().flatten().map(|rule| &rule.subjects);
    for list in lists {
        if let Peers::Of(list) = list {
            let new: Vec<Peer> = list.iter().filter(|p| !all.contains(p)).cloned().collect();
            all.extend(new);
        }
    }
    let (subject, is_exact) = covering(&all);
    let whole = |rule: &&mut Rule| match &rule.subjects {
        Peers::Any => false,
        Peers::Of(list) => is_exact && all.iter().all(|peer| list.contains(peer)),
    };
    let rules = rules.iter_mut().flatten();
    rules
        .filter(whole)
        .for_each(|rule| rule.subjects = Peers::Any);
    subject
}

/// A subject that has all these pods, and whether it has no others.
fn covering(all: &[Peer]) -> (Subject, bool) {
    let mut namespaces: Vec<&Namespaces> = Vec::new();
    let mut pods: Vec<&Selector> = Vec::new();
    for peer in all {
        let Peer::Pods(own, selector) = peer else {
            let everything = Subject {
                namespaces: Namespaces::Matching(Selector::everything()),
                pods: Selector::everything(),
            };
            return (everything, false);
        };
        if !namespaces.contains(&own) {
            namespaces.push(own);
        }
        if !pods.contains(&selector) {
            pods.push(selector);
        }
    }
    let is_exact = namespaces.len() <= 1 || pods.len() == 1;
    let namespaces = match namespaces[..] {
        [only] => only.clone(),
        _ => Namespaces::Matching(any_of(namespaces.iter().map(|n| of_namespaces(n)))),
    };
    let pods = any_of(pods.into_iter().cloned());
    (Subject { namespaces, pods }, is_exact)
}

fn of_namespaces(namespaces: &Namespaces) -> Selector {
    match namespaces {
        Namespaces::Named(name) => Selector::label(NAMESPACE_NAME_LABEL, name),
        Namespaces::Matching(selector) => selector.clone(),
        Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => Selector::everything(),
    }
}

/// What one of these selects.
fn any_of(selectors: impl Iterator<Item = Selector>) -> Selector {
    let mut all: Vec<Selector> = selectors.collect();
    if all.iter().any(Selector::is_everything) {
        return Selector::everything();
    }
    match all.len() {
        1 => all.swap_remove(0),
        _ => Selector::new([Requirement::AnyOf(all)]),
    }
}
