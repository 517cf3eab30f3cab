//! Address blocks with exceptions, as the API server reads them (S8, S35, S36, S38).

use crate::policy::lowered::Checks;
use crate::policy::validate::{cidr_complaint, parse_cidr};
use crate::set::IpSet;
use crate::source::Path;
use ipnet::IpNet;

/// The addresses of a block without those of its exceptions. `strict` is whether blocks are checked
/// as Kubernetes does since 1.36.
pub fn ip_block(
    text: &str,
    except: &[String],
    at: &Path,
    strict: bool,
    checks: &mut Checks,
) -> IpSet {
    let Some(cidr) = cidr(text, &at.key("cidr"), strict, checks) else {
        return IpSet::empty();
    };
    let mut set = IpSet::from_cidrs([cidr]);
    for (i, without) in except.iter().enumerate() {
        let here = at.key("except").index(i);
        let Some(except) = self::cidr(without, &here, strict, checks) else {
            continue;
        };
        if !cidr.contains(&except) || except.prefix_len() <= cidr.prefix_len() {
            let message = format!("`{without}` must be a strict subset of `cidr` `{text}`");
            checks.refused(&here, message);
        }
        set = set.difference(&IpSet::from_cidrs([except]));
    }
    set
}

fn cidr(text: &str, at: &Path, strict: bool, checks: &mut Checks) -> Option<IpNet> {
    let cidr = parse_cidr(text);
    if let Some(complaint) = cidr_complaint(text).filter(|_| strict) {
        let help = "Kubernetes refuses it since 1.36; for an older cluster give --kubernetes 1.35";
        checks.refused_help(at, complaint, help);
    }
    if cidr.is_none() {
        let help = "write an address and a prefix length, such as 10.0.0.0/8 or fd00::/8";
        checks.invalid_help(at, format!("`{text}` is not a CIDR"), help);
    }
    cidr
}
