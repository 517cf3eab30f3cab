//! How names relate: which known names are similar to an unknown one, and which pod names a
//! controller generated.
//!
//! Cost of a suggestion: one edit distance for each known name.

use crate::model::WorkloadKind;

/// The most similar names, if any is similar.
pub(crate) fn close(name: &str, names: &[&str]) -> Option<String> {
    let mut ranked: Vec<(usize, &str)> = names.iter().map(|n| (distance(name, n), *n)).collect();
    ranked.sort_unstable();
    ranked.dedup();
    let limit = (name.chars().count() / 3).clamp(1, 3);
    let contains_name =
        |n: &str| name.len() > 2 && n.rsplit('/').next().is_some_and(|last| last.contains(name));
    let close: Vec<&str> = ranked
        .iter()
        .filter(|(d, n)| *d <= limit || contains_name(n))
        .take(3)
        .map(|(_, n)| *n)
        .collect();
    (!close.is_empty()).then(|| format!("did you mean {}?", close.join(" or ")))
}

/// A help text with the most similar names, or with all names if there are few.
pub(crate) fn suggest(name: &str, names: &[&str], what: &str) -> String {
    if let Some(close) = close(name, names) {
        return close;
    }
    let mut all: Vec<&str> = names.to_vec();
    all.sort_unstable();
    all.dedup();
    match all.len() {
        0 => format!("there are no {what} in the input; see what was read: netpal inputs"),
        1..=12 => format!("{what}: {}", all.join(", ")),
        n => format!("there are {n} {what}; see them: netpal inputs -v"),
    }
}

/// The edit distance from `a` to a name `b`, to the part of `b` after its namespace, or to the part
/// before its first dot (the name of a Service).
fn distance(a: &str, b: &str) -> usize {
    let parts = [Some(b), b.rsplit('/').next(), b.split('.').next()];
    parts
        .into_iter()
        .flatten()
        .map(|part| strsim::damerau_levenshtein(a, part))
        .min()
        .unwrap_or(usize::MAX)
}

/// Whether the rest of a pod's name looks like what the controller of a workload appends: five
/// letters and digits, behind the hash of a template or a number where there is one. `cart-v1` is
/// no pod of `cart`: whoever asks about it means something else.
pub(crate) fn looks_generated(kind: WorkloadKind, rest: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_plain = |p: &str| !p.is_empty() && p.chars().all(plain);
    let is_number = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_digit());
    let is_suffix = |p: &str| is_plain(p) && p.len() == 5;
    let is_hash = |p: &str| is_plain(p) && (4..=10).contains(&p.len());
    let parts: Vec<&str> = rest.split('-').collect();
    match (kind, parts.as_slice()) {
        (WorkloadKind::Pod, _) => false,
        (WorkloadKind::StatefulSet, [ordinal]) => is_number(ordinal),
        (WorkloadKind::StatefulSet, _) => false,
        (WorkloadKind::Deployment, [hash, suffix]) => is_hash(hash) && is_suffix(suffix),
        (WorkloadKind::Deployment, _) => false,
        (
            WorkloadKind::CronJob | WorkloadKind::Job | WorkloadKind::DeploymentConfig,
            [n, suffix],
        ) => is_number(n) && is_suffix(suffix),
        (WorkloadKind::Custom, [a, b]) => is_plain(a) && is_suffix(b),
        (WorkloadKind::Custom, [only]) => is_number(only) || is_suffix(only),
        (_, [suffix]) => is_suffix(suffix),
        _ => false,
    }
}
