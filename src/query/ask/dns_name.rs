//! Names as the cluster's DNS has them: of Services, and of pods behind headless ones.
//!
//! `web.shop`, `web.shop.svc` and `web.shop.svc.cluster.local` name the Service `web` of namespace
//! `shop`, whatever the cluster's domain is; `web-0.web.shop.svc` names the pod `web-0` behind it,
//! on the pod's own ports. A name with a dot that is none of these is one of the world outside,
//! which policies know by addresses only. Cost: linear in the name.

/// What a name says about namespaces, without a look at the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DnsName<'n> {
    /// The name before `.svc`.
    pub stem: &'n str,
    /// Whether it says that it is a Service's name.
    pub is_service: bool,
}

impl<'n> DnsName<'n> {
    /// Takes the domain of the cluster off a name.
    pub(crate) fn new(name: &'n str) -> Self {
        let before = name.strip_suffix(".svc").or_else(|| {
            let (before, domain) = name.split_once(".svc.")?;
            domain.contains('.').then_some(before)
        });
        Self {
            stem: before.unwrap_or_else(|| name.strip_suffix(".cluster.local").unwrap_or(name)),
            is_service: before.is_some(),
        }
    }

    /// The name of a pod, of its Service, and of the namespace if it is said.
    pub(crate) fn pod(self) -> Option<(&'n str, &'n str, Option<&'n str>)> {
        let parts: Vec<&str> = self.stem.split('.').collect();
        match parts.as_slice() {
            [pod, service, namespace] => Some((pod, service, Some(namespace))),
            [pod, service] if !self.is_service => Some((pod, service, None)),
            _ => None,
        }
    }
}

/// What to do about a name that the input does not have, where it is one of the world outside.
pub(crate) fn outside(text: &str, name: &str) -> Option<String> {
    if name == "localhost" {
        return Some("localhost is the pod itself: no policy governs what it tells itself".into());
    }
    if matches!(name.split('.').next(), Some("kubernetes")) && name.contains("default") {
        return Some("that is the API server: ask about `apiserver`".into());
    }
    let is_host = name.contains('.')
        && !DnsName::new(name).is_service
        && name.split('.').all(|part| !part.is_empty())
        && name
            .rsplit('.')
            .next()?
            .chars()
            .all(|c| c.is_ascii_alphabetic());
    if !is_host || text.contains('/') && !text.contains(name) {
        return None;
    }
    let port = text.rsplit_once(':').map_or("", |(_, port)| port);
    let colon = if port.is_empty() { "" } else { ":" };
    Some(format!(
        "if it is a host outside the cluster: policies know addresses, not names, so ask about \
         internet{colon}{port} or about its address"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_taken_off() {
        for (name, stem, is_service) in [
            ("web.shop.svc", "web.shop", true),
            ("web.shop.svc.cluster.local", "web.shop", true),
            ("web.shop.svc.k8s.example.com", "web.shop", true),
            ("web.shop", "web.shop", false),
            ("web.shop.cluster.local", "web.shop", false),
        ] {
            let found = DnsName::new(name);
            assert_eq!((found.stem, found.is_service), (stem, is_service), "{name}");
        }
    }

    #[test]
    fn hosts_outside_are_told_from_names_of_the_cluster() {
        assert!(
            outside("pay.example.com:443", "pay.example.com")
                .is_some_and(|h| h.contains("internet:443"))
        );
        assert!(outside("localhost:80", "localhost").is_some());
        assert!(outside("kubernetes.default.svc", "kubernetes.default").is_some());
        assert!(outside("web", "web").is_none());
        assert!(outside("v1.2", "v1.2").is_none());
    }
}
