//! [`CompileError`]: what is refused, so that no graph answers it wrongly.
//!
//! Cost: O(rules), once for a graph.

use crate::input::Input;
use crate::model::ids::{LabelsId, NamespaceId, NodeId, PodId, ServiceId, WorkloadId};
use crate::policy::networks::labels::DEFAULT;
use crate::policy::{Action, PolicyId, Rule};
use crate::set::{Ix, TooMany};
use crate::spec::options::CompileOptions;

/// Why an input cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// More pods, addresses, labels or rules that differ than can be numbered.
    #[error("too many distinct pods, addresses, labels or rules: {0}; the limit is 4,294,967,295")]
    TooLarge(u64),
    /// A rule of an unordered tier that passes: it has no rule to come before, nor a place to go
    /// on from.
    #[error("policy `{0}` has a rule that passes, and its tier has no order")]
    PassWithoutOrder(String),
    /// A network that is asked about and that nothing is called: its name, and the names there are.
    #[error("no network is called `{0}`; there {1}")]
    NoNetwork(String, String),
}

impl From<TooMany> for CompileError {
    fn from(TooMany(count): TooMany) -> Self {
        Self::TooLarge(count)
    }
}

/// Refuses what cannot be compiled, as far as the input tells.
pub(super) fn refuse(input: &Input, options: &CompileOptions) -> Result<(), CompileError> {
    refuse_unknown_network(input, options)?;
    refuse_too_many(input)?;
    refuse_pass_without_order(input)
}

/// The cluster and the policies hand out their numbers while they grow, without looking at how
/// many there are; here it is looked at.
fn refuse_too_many(input: &Input) -> Result<(), TooMany> {
    let cluster = &input.cluster;
    PodId::new(cluster.pods().len())?;
    NamespaceId::new(cluster.namespaces().len())?;
    WorkloadId::new(cluster.workloads().len())?;
    ServiceId::new(cluster.services().len())?;
    NodeId::new(cluster.nodes().len())?;
    LabelsId::new(cluster.label_sets().len())?;
    PolicyId::new(input.policies.policies.len())?;
    Ok(())
}

/// A question about a network that is not there would have an answer about nothing.
fn refuse_unknown_network(input: &Input, options: &CompileOptions) -> Result<(), CompileError> {
    let Some(asked) = options.network.as_deref() else {
        return Ok(());
    };
    let plan = input.policies.plugin.networks.as_ref();
    let names: Vec<&str> = plan.map_or(vec![DEFAULT], |plan| plan.names().collect());
    if names.contains(&asked) {
        return Ok(());
    }
    let are = if names.len() == 1 { "is" } else { "are" };
    let there = format!("{are} {}", names.join(", "));
    Err(CompileError::NoNetwork(asked.to_owned(), there))
}

/// No dialect passes in a tier whose policies have no order; whoever makes policies by hand is
/// told.
fn refuse_pass_without_order(input: &Input) -> Result<(), CompileError> {
    let policies = &input.policies;
    let passes = |rule: &Rule| rule.action == Action::Pass;
    let mut unordered = policies.policies.iter();
    let refused = unordered.find(|policy| {
        let mut rules = policy.rules.iter().flatten();
        !policies.tier_of(policy).is_ordered() && rules.any(passes)
    });
    refused.map_or(Ok(()), |policy| {
        Err(CompileError::PassWithoutOrder(policy.full_name()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::AllowGraph;
    use crate::spec::environment::CompileOptions;

    const POLICY: &str = "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {}, ingress: [{}]}
";

    #[test]
    fn a_rule_of_an_unordered_tier_does_not_pass() {
        let mut input = crate::load_str(POLICY);
        let compile = |input: &Input| AllowGraph::compile(input, &CompileOptions::default()).err();
        assert_eq!(compile(&input), None);
        let policies = std::sync::Arc::make_mut(&mut input.policies);
        policies.policies[0].rules[0][0].action = Action::Pass;
        let refused = CompileError::PassWithoutOrder("shop/web".to_owned());
        assert_eq!(compile(&input), Some(refused));
    }

    #[test]
    fn what_cannot_be_numbered_is_said_with_its_number() {
        let error = CompileError::from(TooMany(1 << 32));
        let limit = "too many distinct pods, addresses, labels or rules: 4294967296; the limit is";
        assert!(error.to_string().starts_with(limit), "{error}");
    }
}
