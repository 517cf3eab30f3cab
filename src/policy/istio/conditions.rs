//! Conditions on the address of a destination, at a pod (IS37).

use crate::model::{Pod, Truth};
use crate::policy::istio::written::ConditionForm;
use crate::policy::validate::parse_block_or_address;
use crate::set::IpSet;
use ipnet::IpNet;

/// Whether a pod has an address of a list.
fn inside(values: Option<&Vec<String>>, pod: &Pod) -> Truth {
    let texts = values.into_iter().flatten();
    let blocks: Vec<IpNet> = texts
        .filter_map(|text| parse_block_or_address(text))
        .collect();
    let blocks = IpSet::from_cidrs(blocks);
    let each = pod.addresses.iter();
    let each = each.map(|address| Truth::from(blocks.contains(*address)));
    each.reduce(Truth::either).unwrap_or(Truth::Maybe)
}

/// Whether a condition on the destination's address holds for a pod (IS37).
pub fn holds(condition: &ConditionForm, pod: &Pod) -> Truth {
    let is_empty = |values: &Option<Vec<String>>| values.as_ref().is_none_or(Vec::is_empty);
    let wanted = if is_empty(&condition.values) {
        Truth::Yes
    } else {
        inside(condition.values.as_ref(), pod)
    };
    let others = if is_empty(&condition.not_values) {
        Truth::No
    } else {
        inside(condition.not_values.as_ref(), pod)
    };
    wanted.and(others.not())
}
