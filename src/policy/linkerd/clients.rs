//! Whom authorizations let in (LD30-LD42).

use crate::model::{Pattern, Requirement, Selector};
use crate::policy::linkerd::profile::IDENTITY;
use crate::policy::linkerd::settings::{InboundPolicy, LinkerdSettings};
use crate::policy::linkerd::written::{
    GROUP, GrantForm, IdentitiesForm, LegacyForm, LinkerdContent, LinkerdObject, NetworkForm,
    RefForm,
};
use crate::policy::rule::{AddressOwner, Namespaces, Peer};
use crate::policy::validate::parse_block_or_address;
use crate::set::IpSet;

/// Who is let in: an identity, and a network; both must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients {
    /// What the identity must be; none where no identity is needed.
    pub identity: Option<Vec<Requirement>>,
    /// Where the client must be; none for everywhere.
    pub networks: Option<IpSet>,
}

impl Clients {
    /// Everybody.
    pub const EVERYBODY: Self = Self {
        identity: None,
        networks: None,
    };

    /// The peer, of clients that show their identities.
    pub fn peer(&self) -> Option<Peer> {
        let mut all = Vec::new();
        if let Some(identity) = &self.identity {
            let each = identity.iter().map(|requirement| {
                let everywhere = Namespaces::Matching(Selector::everything());
                Peer::Pods(everywhere, Selector::new([requirement.clone()]))
            });
            all.push(Peer::AnyOf(each.collect()));
        }
        if let Some(networks) = &self.networks {
            all.push(Peer::Owned(AddressOwner::Anyone, networks.clone()));
        }
        if all.len() < 2 {
            return all.pop();
        }
        let each = all.into_iter().map(|peer| Peer::NoneOf([peer].into()));
        Some(Peer::NoneOf(each.collect()))
    }
}

/// Any identity.
fn any() -> Requirement {
    Requirement::Exists(IDENTITY.into())
}

/// LD40.
fn identity(value: &str) -> Requirement {
    match value.strip_prefix('*') {
        Some("") => any(),
        Some(suffix) if suffix.starts_with('.') => {
            Requirement::Like(IDENTITY.into(), Pattern::EndsWith(suffix.into()))
        }
        _ => Requirement::In(IDENTITY.into(), vec![value.into()]),
    }
}

/// LD42.
fn networks(forms: &[NetworkForm]) -> IpSet {
    let one = |form: &NetworkForm| {
        let all = IpSet::from_cidrs(parse_block_or_address(&form.cidr));
        let except = form.except.iter().flatten();
        let except = except.filter_map(|text| parse_block_or_address(text));
        all.difference(&IpSet::from_cidrs(except))
    };
    forms
        .iter()
        .map(one)
        .fold(IpSet::empty(), |all, next| all.union(&next))
}

/// Whom a policy by default lets in; none where nobody is (LD10).
pub fn of_policy(policy: InboundPolicy, settings: &LinkerdSettings) -> Option<Clients> {
    let cluster = || Some(settings.cluster_networks());
    Some(match policy {
        InboundPolicy::AllUnauthenticated | InboundPolicy::Audit => Clients::EVERYBODY,
        InboundPolicy::AllAuthenticated => Clients {
            identity: Some(vec![any()]),
            networks: None,
        },
        InboundPolicy::ClusterAuthenticated => Clients {
            identity: Some(vec![any()]),
            networks: cluster(),
        },
        InboundPolicy::ClusterUnauthenticated => Clients {
            identity: None,
            networks: cluster(),
        },
        InboundPolicy::Deny => return None,
    })
}

/// Whom a `ServerAuthorization` lets in; none where it is ignored (LD37, LD38).
pub fn of_legacy(
    form: &LegacyForm,
    namespace: &str,
    settings: &LinkerdSettings,
) -> Option<Clients> {
    let client = &form.client;
    let inside = match &client.networks {
        Some(list) => networks(list),
        None => settings.cluster_networks(),
    };
    let tls = client.mesh_tls.as_ref();
    let identity = if client.unauthenticated == Some(true) {
        None
    } else {
        let tls = tls?;
        if tls.unauthenticated_tls == Some(true) {
            Some(vec![any()])
        } else {
            let named = tls.identities.iter().flatten().map(|value| identity(value));
            let accounts = tls.service_accounts.iter().flatten().map(|account| {
                let of = account.namespace.as_deref().unwrap_or(namespace);
                identity(&settings.identity_of(&account.name, of))
            });
            let all: Vec<Requirement> = named.chain(accounts).collect();
            if all.is_empty() {
                return None;
            }
            Some(all)
        }
    };
    Some(Clients {
        identity,
        networks: Some(inside),
    })
}

/// Whom an `AuthorizationPolicy` lets in; none where it is ignored (LD33-LD39).
pub fn of_authorization(
    form: &GrantForm,
    namespace: &str,
    objects: &[LinkerdObject],
    settings: &LinkerdSettings,
) -> Option<Clients> {
    let mut clients = Clients::EVERYBODY;
    for reference in form.required_authentication_refs.iter().flatten() {
        let of = reference.namespace.as_deref().unwrap_or(namespace);
        let found = |wanted: &dyn Fn(&LinkerdContent) -> bool| {
            objects.iter().find(|object| {
                *object.name == *reference.name
                    && *object.namespace == *of
                    && wanted(&object.content)
            })
        };
        match reference.is_of(&REFERRED)? {
            "ServiceAccount" => {
                let named = identity(&settings.identity_of(&reference.name, of));
                only_one(&mut clients.identity, vec![named])?;
            }
            "MeshTLSAuthentication" => {
                let object = found(&|c| matches!(c, LinkerdContent::Identities(_)))?;
                let LinkerdContent::Identities(form) = &object.content else {
                    return None;
                };
                let named = of_identities(form, &object.namespace, settings)?;
                only_one(&mut clients.identity, named)?;
            }
            "NetworkAuthentication" => {
                let object = found(&|c| matches!(c, LinkerdContent::Networks(_)))?;
                let LinkerdContent::Networks(form) = &object.content else {
                    return None;
                };
                let list = form.networks.as_deref().filter(|list| !list.is_empty())?;
                if list.iter().any(is_swallowed) {
                    return None; // LD62: it was refused
                }
                only_one(&mut clients.networks, networks(list))?;
            }
            _ => return None,
        }
    }
    Some(clients)
}

/// Fills a part that may be filled once.
fn only_one<T>(part: &mut Option<T>, value: T) -> Option<()> {
    let empty = part.is_none();
    *part = Some(value);
    empty.then_some(())
}

/// The kinds of authentications, each with its group (LD33).
const REFERRED: [(&str, &str); 3] = [
    ("", "ServiceAccount"),
    (GROUP, "MeshTLSAuthentication"),
    (GROUP, "NetworkAuthentication"),
];

/// Whether the exceptions of a network leave nothing of it.
pub fn is_swallowed(form: &NetworkForm) -> bool {
    networks(std::slice::from_ref(form)).is_empty()
}

/// LD41: one with both lists, or with none, was refused.
fn of_identities(
    form: &IdentitiesForm,
    namespace: &str,
    settings: &LinkerdSettings,
) -> Option<Vec<Requirement>> {
    let is_empty = |count: Option<usize>| count.is_none_or(|count| count == 0);
    let lists = [
        form.identities.as_ref().map(Vec::len),
        form.identity_refs.as_ref().map(Vec::len),
    ];
    if lists.map(is_empty) == [false, false] {
        return None;
    }
    let named = form.identities.iter().flatten();
    let named = named.map(|value| identity(value));
    let refs = form.identity_refs.iter().flatten();
    let refs = refs.map(|reference| referred(reference, namespace, settings));
    let all: Option<Vec<Requirement>> = named.map(Some).chain(refs).collect();
    all.filter(|all| !all.is_empty())
}

/// The identities of a service account, or of all of a namespace.
fn referred(
    reference: &RefForm,
    namespace: &str,
    settings: &LinkerdSettings,
) -> Option<Requirement> {
    let of = reference.namespace.as_deref().unwrap_or(namespace);
    match reference.is_of(&[("", "ServiceAccount"), ("", "Namespace")])? {
        "ServiceAccount" => Some(identity(&settings.identity_of(&reference.name, of))),
        "Namespace" => {
            let suffix = settings.identity_of_namespace(&reference.name);
            Some(identity(&format!("*{suffix}")))
        }
        _ => None,
    }
}
