//! Who is meant by a rule, as peers (IS30-IS35).

use crate::model::{NAMESPACE_NAME_LABEL, Pattern, Requirement, Selector};
use crate::policy::istio::labels::IDENTITY;
use crate::policy::istio::settings::{DEFAULT_DOMAIN, IstioSettings};
use crate::policy::istio::written::SourceForm;
use crate::policy::rule::{AddressOwner, Namespaces, Peer};
use crate::policy::validate::parse_block_or_address;
use crate::set::IpSet;

/// What callers are read with.
#[derive(Clone, Copy)]
pub struct CallerReader<'r> {
    /// The settings.
    pub settings: &'r IstioSettings,
    /// The namespace of the policy.
    pub namespace: &'r str,
    /// The label of callers that show their identities.
    pub shown: &'static str,
}

/// Who is meant by an entry of `from`, as far as a connection shows it.
#[derive(Default)]
pub struct MeshCaller {
    /// All of these must match.
    pub all: Vec<Peer>,
    /// What is asked of requests.
    pub requests: Vec<&'static str>,
    /// Whether a trust domain is meant that nobody told.
    pub foreign: bool,
}

/// A peer that every one of these matches.
pub fn every_one(mut peers: Vec<Peer>) -> Option<Peer> {
    if peers.len() < 2 {
        return peers.pop();
    }
    let each = peers.into_iter().map(|peer| Peer::NoneOf([peer].into()));
    Some(Peer::NoneOf(each.collect()))
}

/// Pods with an identity like this, which carry a label where they show it.
fn identified(namespaces: Namespaces, requirement: Requirement, shown: &str) -> Peer {
    let shown = (shown != IDENTITY).then(|| Requirement::Exists(shown.into()));
    Peer::Pods(
        namespaces,
        Selector::new([requirement].into_iter().chain(shown)),
    )
}

/// Everybody who shows an identity, where that is told by a label.
pub fn anyone_identified(shown: &str) -> Peer {
    let everywhere = Namespaces::Matching(Selector::everything());
    identified(everywhere, Requirement::Exists(IDENTITY.into()), shown)
}

/// A value of a field: exact, `pre*`, `*suf`, or `*` for any (IS31).
fn like(key: &str, value: &str) -> Requirement {
    match (value.strip_prefix('*'), value.strip_suffix('*')) {
        (Some(""), _) => Requirement::Exists(key.into()),
        (Some(end), _) => Requirement::Like(key.into(), Pattern::EndsWith(end.into())),
        (None, Some(start)) => Requirement::Like(key.into(), Pattern::StartsWith(start.into())),
        (None, None) => Requirement::In(key.into(), vec![value.into()]),
    }
}

impl CallerReader<'_> {
    /// What an entry of `from`, with the conditions, says of a caller.
    pub fn caller(&self, source: &SourceForm) -> MeshCaller {
        let mut caller = MeshCaller::default();
        let mut identity =
            |values: &Option<Vec<String>>, not: bool, peer: &dyn Fn(&str) -> Peer| {
                let Some(values) = values.as_ref().filter(|values| !values.is_empty()) else {
                    return;
                };
                let each = values.iter().map(|value| peer(value)).collect();
                caller.all.push(if not {
                    Peer::NoneOf(each) // IS34
                } else {
                    Peer::AnyOf(each)
                });
            };
        let principal = |value: &str| self.principal(value);
        let namespace = |value: &str| {
            let named = Selector::new([like(NAMESPACE_NAME_LABEL, value)]);
            let exists = Requirement::Exists(IDENTITY.into());
            identified(Namespaces::Matching(named), exists, self.shown)
        };
        let account = |value: &str| self.account(value);
        identity(&source.principals, false, &principal);
        identity(&source.not_principals, true, &principal);
        identity(&source.namespaces, false, &namespace);
        identity(&source.not_namespaces, true, &namespace);
        identity(&source.service_accounts, false, &account);
        identity(&source.not_service_accounts, true, &account);
        for (values, not) in [(&source.ip_blocks, false), (&source.not_ip_blocks, true)] {
            caller.all.extend(addressed(values.as_deref(), not)); // IS35
        }
        let requests = [
            ("requestPrincipals", &source.request_principals),
            ("notRequestPrincipals", &source.not_request_principals),
            ("remoteIpBlocks", &source.remote_ip_blocks),
            ("notRemoteIpBlocks", &source.not_remote_ip_blocks),
        ];
        caller.requests = told(&requests);
        let named = source.principals.iter().chain(&source.not_principals);
        caller.foreign = named.flatten().any(|value| self.is_foreign(value));
        caller
    }

    /// IS32. In a policy the default domain stands for the mesh's own.
    fn principal(&self, value: &str) -> Peer {
        let everywhere = Namespaces::Matching(Selector::everything());
        let own = self.settings.trust_domain();
        let value = match value.split_once('/') {
            Some((domain, rest)) if domain == DEFAULT_DOMAIN || self.is_foreign(value) => {
                format!("{own}/{rest}")
            }
            _ => value.to_owned(),
        };
        identified(everywhere, like(IDENTITY, &value), self.shown)
    }

    /// Whether a value names a trust domain, and none is told that it could be compared with.
    fn is_foreign(&self, value: &str) -> bool {
        let domain = value.split('/').next().unwrap_or_default();
        let plain = !domain.is_empty() && !domain.contains('*') && value.contains('/');
        plain && domain != DEFAULT_DOMAIN && self.settings.trust_domain.is_none()
    }

    /// IS33.
    fn account(&self, value: &str) -> Peer {
        let (namespace, account) = value.split_once('/').unwrap_or((self.namespace, value));
        let domain = self.settings.trust_domain();
        let identity = format!("{domain}/ns/{namespace}/sa/{account}");
        let everywhere = Namespaces::Matching(Selector::everything());
        let same = Requirement::In(IDENTITY.into(), vec![identity.into()]);
        identified(everywhere, same, self.shown)
    }
}

/// Addresses of one list; none where it is empty.
fn addressed(values: Option<&[String]>, not: bool) -> Option<Peer> {
    let values = values.filter(|values| !values.is_empty())?;
    let blocks = IpSet::from_cidrs(
        values
            .iter()
            .filter_map(|text| parse_block_or_address(text)),
    );
    let peer = Peer::Owned(AddressOwner::Anyone, blocks);
    Some(if not {
        Peer::NoneOf([peer].into())
    } else {
        peer
    })
}

/// The fields that are there.
pub fn told(fields: &[(&'static str, &Option<Vec<String>>)]) -> Vec<&'static str> {
    let there = fields.iter();
    let there = there.filter(|(_, list)| list.as_ref().is_some_and(|list| !list.is_empty()));
    there.map(|(name, _)| *name).collect()
}
