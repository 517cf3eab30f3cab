//! Which Servers authorizations and routes are for (LD31, LD32, LD37, LD50).

use crate::model::Cluster;
use crate::model::doors::DoorSpec;
use crate::policy::linkerd::clients::{Clients, of_authorization, of_legacy};
use crate::policy::linkerd::settings::LinkerdSettings;
use crate::policy::linkerd::written::{
    GrantForm, LegacyForm, LinkerdContent, LinkerdObject, ServerForm, TARGETS,
};
use crate::policy::lowered::Checks;
use crate::policy::validate;
use crate::source::Path;

/// A route that is attached to a Server: its namespace and name, and the number of the Server.
pub type AttachedRoute = (Box<str>, Box<str>, usize);

/// The objects of Linkerd, as far as they speak of each other.
#[derive(Clone, Copy)]
pub struct LinkerdObjects<'t> {
    /// The cluster.
    pub cluster: &'t Cluster,
    /// The settings.
    pub settings: &'t LinkerdSettings,
    /// The objects.
    pub objects: &'t [LinkerdObject],
}

/// Whom an object lets in, where.
pub struct Grant<'t> {
    /// The object.
    pub object: &'t LinkerdObject,
    /// Whom.
    pub clients: Clients,
    /// The numbers of the Servers, and whether it counts for some requests alone.
    pub servers: Vec<(usize, bool)>,
}

impl<'t> LinkerdObjects<'t> {
    /// The Servers, with their numbers.
    pub fn servers(&self) -> impl Iterator<Item = (usize, &'t LinkerdObject, &'t ServerForm)> {
        let all = self.objects.iter().enumerate();
        all.filter_map(|(i, object)| match &object.content {
            LinkerdContent::Server(form) => Some((i, object, form)),
            _ => None,
        })
    }

    /// Whom the objects let in at Servers.
    pub fn grants(&self) -> Vec<Grant<'t>> {
        let settings = self.settings;
        let each = self.objects.iter().filter_map(|object| {
            let (clients, servers) = match &object.content {
                LinkerdContent::Legacy(form) => {
                    let clients = of_legacy(form, &object.namespace, settings)?;
                    let servers = self.servers().filter(|(_, server, _)| {
                        server.namespace == object.namespace && legacy_means(form, server)
                    });
                    (clients, servers.map(|(i, ..)| (i, false)).collect())
                }
                LinkerdContent::Authorization(form) => {
                    let objects = self.objects;
                    let clients = of_authorization(form, &object.namespace, objects, settings)?;
                    (clients, self.targets(form, object))
                }
                _ => return None,
            };
            Some(Grant {
                object,
                clients,
                servers,
            })
        });
        each.collect()
    }

    /// The Servers that an `AuthorizationPolicy` is for (LD31, LD32).
    fn targets(&self, form: &GrantForm, object: &LinkerdObject) -> Vec<(usize, bool)> {
        let target = &form.target_ref;
        let own = self
            .servers()
            .filter(|(_, server, _)| server.namespace == object.namespace);
        match target.is_of(&TARGETS).unwrap_or_default() {
            "Server" => own
                .filter(|(_, server, _)| *server.name == *target.name)
                .map(|(i, ..)| (i, false))
                .collect(),
            "Namespace" if target.name == *object.namespace => {
                own.map(|(i, ..)| (i, false)).collect()
            }
            "HTTPRoute" | "GRPCRoute" => {
                let routes = self.routes().into_iter();
                let named = routes.filter(|(namespace, name, _)| {
                    **namespace == *object.namespace && **name == *target.name
                });
                named.map(|(.., server)| (server, true)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The routes that are attached to Servers: namespace, name, and the Server.
    pub fn routes(&self) -> Vec<AttachedRoute> {
        let of_linkerd = self.objects.iter().flat_map(|object| {
            let LinkerdContent::Route(form) = &object.content else {
                return Vec::new();
            };
            let parents = form.parent_refs.iter().flatten();
            let own = &*object.namespace;
            let parents = parents.map(|p| (&*p.kind, p.namespace.as_deref(), &*p.name));
            self.attached(own, &object.name, parents)
        });
        let of_gateways = self.cluster.doors().iter().flat_map(|door| {
            let DoorSpec::GatewayRoute(route) = &door.spec else {
                return Vec::new();
            };
            let own = &*self.cluster.namespace(door.namespace).name;
            let parents = route.parents.iter();
            let parents = parents.map(|p| (&*p.kind, p.namespace.as_deref(), &*p.name));
            self.attached(own, &door.name, parents)
        });
        of_linkerd.chain(of_gateways).collect()
    }

    /// The Servers that a route of a namespace names among its parents.
    fn attached<'p>(
        &self,
        own: &str,
        route: &str,
        parents: impl Iterator<Item = (&'p str, Option<&'p str>, &'p str)>,
    ) -> Vec<AttachedRoute> {
        let mut found = Vec::new();
        for (_, namespace, name) in parents.filter(|(kind, ..)| *kind == "Server") {
            let of = namespace.unwrap_or(own);
            let meant = self
                .servers()
                .filter(|(_, server, _)| *server.name == *name && *server.namespace == *of);
            found.extend(meant.map(|(i, ..)| (own.into(), route.into(), i)));
        }
        found
    }
}

/// Whether a `ServerAuthorization` is for a Server (LD37).
fn legacy_means(form: &LegacyForm, server: &LinkerdObject) -> bool {
    match (&form.server.name, &form.server.selector) {
        (Some(name), _) => *server.name == **name,
        (None, Some(labels)) => {
            let mut checks = Checks::default();
            validate::selector(labels, &Path::root(), &mut checks).matches(&server.labels)
        }
        (None, None) => true,
    }
}
