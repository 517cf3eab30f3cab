//! The pods that test files speak of by their labels. A claim that tells pods apart tells kinds of
//! pods apart, as the selectors of policies do (S146): `only-from: shop?app notin (web)` is about
//! two kinds of pods, even where no policy mentions the label.

use crate::check::parse::{Claim, Suite};
use crate::check::schema::{GroupMap, GroupSpec, Several};
use crate::check::scope;
use crate::model::Selector;
use crate::policy::Namespaces;
use crate::query::ask::grammar::{EndpointSpec, Target};

/// The selectors of pods in some test files, each with the namespaces where it is asked.
pub fn mentioned(suites: &[Suite]) -> Vec<(Namespaces, Selector)> {
    let groups = suites.iter().flat_map(|suite| suite.groups.values());
    let in_groups = groups.flat_map(|group| match group {
        GroupSpec::Ends(ends) => ends.texts().iter().filter_map(|e| of_text(e)).collect(),
        GroupSpec::Select(map) => of_selection(map),
    });
    let claims = suites.iter().flat_map(|suite| &suite.tests);
    let in_claims = claims.flat_map(|test| of_claim(&test.claim));
    in_groups.chain(in_claims).collect()
}

/// The selectors of a claim.
fn of_claim(claim: &Claim) -> Vec<(Namespaces, Selector)> {
    let ends: Vec<&String> = match claim {
        Claim::Can(flows, _) | Claim::Cannot(flows) => {
            let questions = flows.iter().filter_map(|flow| scope::question(flow).ok());
            let ends = questions.flat_map(|question| [question.source, question.destination]);
            return ends.filter_map(|end| of_end(&end)).collect();
        }
        Claim::OnlyFrom(spec) => spec.from.texts().iter().chain([&spec.to]).collect(),
        Claim::OnlyTo(spec) => spec.to.texts().iter().chain([&spec.from]).collect(),
        Claim::Isolated(spec) => {
            let approved = spec.except_via.texts().iter();
            approved.chain([&spec.from, &spec.to]).collect()
        }
        Claim::Internet(spec) => {
            let sides = [&spec.ingress, &spec.egress].into_iter().flatten();
            sides.flat_map(Several::texts).collect()
        }
        Claim::Doors(spec) => spec.only.texts().iter().collect(),
        Claim::DefaultDeny(_) | Claim::MatchesSnapshot(_) => Vec::new(),
    };
    ends.into_iter().filter_map(|end| of_text(end)).collect()
}

/// The selector of an end, or of the source of a flow.
fn of_text(text: &str) -> Option<(Namespaces, Selector)> {
    let source = text.split(" -> ").next()?;
    of_end(&scope::parse(source.trim()).ok()?)
}

fn of_end(end: &EndpointSpec) -> Option<(Namespaces, Selector)> {
    let Target::Selected {
        namespace,
        selector,
    } = &end.target
    else {
        return None;
    };
    let everywhere = || Namespaces::Matching(Selector::everything());
    let namespaces = namespace.clone().map_or_else(everywhere, Namespaces::Named);
    Some((namespaces, selector.clone()))
}

fn of_selection(map: &GroupMap) -> Vec<(Namespaces, Selector)> {
    let pods = map.pods.as_ref().map(scope::selector).unwrap_or_default();
    let matching = map.namespaces.as_ref().map(scope::selector);
    let namespaces = match (&map.namespace, matching) {
        (Some(name), _) => Namespaces::Named(name.as_str().into()),
        (None, matching) => Namespaces::Matching(matching.unwrap_or_default()),
    };
    vec![(namespaces, pods)]
}
