//! Host names of listeners and routes (DO66, DO103).

/// What two host names have in common: `*` is any host, and `*.x` is every name below `x`. Of two
/// wildcards the more specific one is meant.
///
/// ```text
/// *.example.com   shop.example.com    shop.example.com
/// *.example.com   example.com         nothing
/// *.example.com   *.eu.example.com    *.eu.example.com
/// ```
pub fn in_common<'h>(a: &'h str, b: &'h str) -> Option<&'h str> {
    if a.eq_ignore_ascii_case(b) || is_below(a, b) {
        Some(a)
    } else {
        is_below(b, a).then_some(b)
    }
}

/// Whether a host name, or all that a wildcard stands for, is below a wildcard.
fn is_below(host: &str, wildcard: &str) -> bool {
    let Some(suffix) = wildcard.strip_prefix('*') else {
        return false;
    };
    if suffix.is_empty() {
        return true;
    }
    let host = host.strip_prefix('*').unwrap_or(host).to_ascii_lowercase();
    let suffix = suffix.to_ascii_lowercase();
    host.len() > suffix.len() && host.ends_with(&suffix)
}

/// The host names that a route has on a listener; none where they have nothing in common.
pub fn on_listener(listener: Option<&str>, route: &[Box<str>]) -> Vec<Box<str>> {
    let listener = listener.unwrap_or("*");
    if route.is_empty() {
        return vec![listener.into()];
    }
    let common = route.iter().filter_map(|host| in_common(listener, host));
    common.map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn do66_a_wildcard_is_a_suffix_of_any_depth_and_not_the_name_itself() {
        let below = "*.x.example";
        assert_eq!(in_common(below, "a.b.x.example"), Some("a.b.x.example"));
        assert_eq!(in_common(below, "x.example"), None);
        assert_eq!(in_common(below, "ax.example"), None);
        assert_eq!(in_common(below, "*.eu.x.example"), Some("*.eu.x.example"));
        assert_eq!(in_common("a.example", "b.example"), None);
        assert_eq!(in_common("*", "a.example"), Some("a.example"));
        assert_eq!(on_listener(None, &[]), [Box::from("*")]);
    }
}
