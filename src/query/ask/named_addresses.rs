//! Network sets and host endpoints that a question names: `netset/partners`,
//! `netset/shop/partners`, `hep/worker-1`.
//!
//! Each is its addresses; what of them is a pod's is that pod. Cost: O(such objects + pods).

use crate::model::{NamedAddresses, NamedBy};
use crate::query::ask::pods_inside::pods_inside;
use crate::query::ask::resolve::Resolver;
use crate::query::ask::resolved::{End, ResolveError, Resolved, fail, wrong};
use crate::query::ask::similar_names::suggest;

impl Resolver<'_> {
    /// The addresses that an object names.
    pub(crate) fn named_addresses(
        &self,
        kind: NamedBy,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Resolved, ResolveError> {
        let found = self.find_group(kind, namespace, name)?;
        if found.addresses.is_empty() {
            let what = kind.singular();
            return Ok(Resolved {
                missing: Some(format!("no address of {what} {} is told", found.full_name()).into()),
                ..Resolved::default()
            });
        }
        let (mut ends, taken) = pods_inside(self.cluster, &found.addresses);
        let set = found.addresses.difference(&taken);
        if !set.is_empty() {
            ends.push(End::Addresses {
                name: format!("{} {}", kind.singular(), found.full_name()).into(),
                set,
                symbolic: true,
            });
        }
        Ok(Resolved {
            ends,
            ..Resolved::default()
        })
    }

    /// The object of a name: without a namespace the one of the cluster, else the only one.
    fn find_group(
        &self,
        kind: NamedBy,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<&NamedAddresses, ResolveError> {
        let of_kind = || {
            self.cluster
                .named_addresses()
                .iter()
                .filter(|g| g.kind == kind)
        };
        let called: Vec<&NamedAddresses> = of_kind().filter(|g| *g.name == *name).collect();
        let wanted = |g: &&&NamedAddresses| g.namespace.as_deref() == namespace;
        if let Some(found) = called.iter().find(wanted) {
            return Ok(found);
        }
        match &called[..] {
            [only] if namespace.is_none() => Ok(only),
            [_, _, ..] if namespace.is_none() => {
                let all: Vec<String> = called.iter().map(|g| g.full_name()).collect();
                let help = format!(
                    "write {}/{}",
                    kind.word(),
                    all.join(&format!(" or {}/", kind.word()))
                );
                wrong(
                    format!("several {} are called `{name}`", kind.plural()),
                    Some(help),
                )
            }
            _ => {
                let names: Vec<String> = of_kind().map(NamedAddresses::full_name).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let asked = namespace.map_or_else(|| name.to_owned(), |ns| format!("{ns}/{name}"));
                fail(
                    format!("no {} is called `{asked}`", kind.singular()),
                    Some(suggest(&asked, &names, kind.plural())),
                )
            }
        }
    }
}
