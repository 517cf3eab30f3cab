//! Whom a rule is for and with whom (AN20-AN27, AN31-AN39), and who is in a group (AN60-AN64).

use crate::policy::antrea::check::AntreaDoor;
use crate::policy::antrea::objects::GroupMembers;
use crate::policy::antrea::policy::{
    AntreaPeer, AntreaPeerKind, AppliedTo, NamespacedName, PeerNamespaces,
};
use crate::policy::antrea::written::{
    AntreaPeerForm, AppliedToForm, GroupForm, IpBlockForm, NamedForm, PeerNamespacesForm,
};
use crate::policy::ip_block::ip_block;
use crate::policy::validate::{is_qualified_name, selector};
use crate::set::IpSet;
use crate::source::Path;

/// The words of the fields of an entry that are filled in.
fn filled<'w>(fields: &[(&'w str, bool)]) -> Vec<&'w str> {
    let filled = fields.iter().filter(|(_, is_filled)| *is_filled);
    filled.map(|(word, _)| *word).collect()
}

impl AntreaDoor<'_> {
    /// Entries of `appliedTo`; of those that are refused none is left.
    pub(super) fn applied_to(
        &mut self,
        list: Option<&[AppliedToForm]>,
        at: &Path,
    ) -> Vec<AppliedTo> {
        let entries = list.unwrap_or_default().iter().enumerate();
        entries
            .map(|(i, entry)| self.entry(entry, &at.index(i)))
            .collect()
    }

    fn entry(&mut self, form: &AppliedToForm, at: &Path) -> AppliedTo {
        let pods = form.pod_selector.is_some() || form.namespace_selector.is_some();
        let external = form.external_entity_selector.is_some();
        self.alone(
            &[
                ("podSelector", pods),
                ("externalEntitySelector", external),
                ("group", form.group.is_some()),
                ("serviceAccount", form.service_account.is_some()),
                ("service", form.service.is_some()),
                ("nodeSelector", form.node_selector.is_some()),
            ],
            at,
        );
        if self.namespace.is_some() && form.namespace_selector.is_some() {
            let message = "a policy of a namespace is for the pods of that namespace";
            self.checks.invalid(&at.key("namespaceSelector"), message);
        }
        let none = || AppliedTo::External;
        if let Some(group) = &form.group {
            return AppliedTo::Group(group.as_str().into());
        }
        if let Some(account) = &form.service_account {
            let name = self.of_form(account, &at.key("serviceAccount"));
            return name.map_or_else(none, AppliedTo::Account);
        }
        if let Some(service) = &form.service {
            let name = self.of_form(service, &at.key("service"));
            return name.map_or_else(none, AppliedTo::Service);
        }
        if let Some(nodes) = &form.node_selector {
            let nodes = selector(nodes, &at.key("nodeSelector"), self.checks);
            return AppliedTo::Nodes(nodes);
        }
        if external && !pods {
            return AppliedTo::External;
        }
        let labels = |form: &Option<_>, key: &str, checks: &mut _| {
            form.as_ref().map(|s| selector(s, &at.key(key), checks))
        };
        AppliedTo::Pods {
            namespaces: labels(&form.namespace_selector, "namespaceSelector", self.checks),
            pods: labels(&form.pod_selector, "podSelector", self.checks),
        }
    }

    /// At most one of these fields is filled in.
    fn alone(&mut self, fields: &[(&str, bool)], at: &Path) {
        if let [first, second, ..] = filled(fields)[..] {
            let message = format!("`{first}` and `{second}` are for two entries");
            self.checks.invalid(at, message);
        }
    }

    fn of_form(&mut self, form: &NamedForm, at: &Path) -> Option<NamespacedName> {
        self.named(form.namespace.as_deref(), form.name.as_deref(), at)
    }

    /// An object by name, of the policy's own namespace where none is given (AN40).
    pub(super) fn named(
        &mut self,
        namespace: Option<&str>,
        name: Option<&str>,
        at: &Path,
    ) -> Option<NamespacedName> {
        let namespace = namespace.filter(|text| !text.is_empty()).or(self.namespace);
        let name = name.filter(|text| !text.is_empty());
        if namespace.is_none() {
            self.checks
                .invalid(&at.key("namespace"), "a namespace is missing");
        }
        if name.is_none() {
            self.checks.invalid(&at.key("name"), "a name is missing");
        }
        Some(NamespacedName {
            namespace: namespace?.into(),
            name: name?.into(),
        })
    }

    /// The peers of a rule; none where it is for everybody (AN30).
    pub(super) fn peers(
        &mut self,
        list: Option<&[AntreaPeerForm]>,
        egress: bool,
        at: &Path,
    ) -> Option<Vec<AntreaPeer>> {
        let list = list.filter(|list| !list.is_empty())?;
        let peers = list.iter().enumerate().map(|(i, form)| {
            let here = at.index(i);
            AntreaPeer {
                kind: self.peer(form, egress, &here),
                everywhere: self.scope(form.scope.as_deref(), &here.key("scope")),
            }
        });
        Some(peers.collect())
    }

    fn peer(&mut self, form: &AntreaPeerForm, egress: bool, at: &Path) -> AntreaPeerKind {
        let pods = form.pod_selector.is_some()
            || form.namespace_selector.is_some()
            || form.namespaces.is_some();
        let external = form.external_entity_selector.is_some();
        self.alone(
            &[
                ("podSelector", pods),
                ("ipBlock", form.ip_block.is_some()),
                ("externalEntitySelector", external),
                ("group", form.group.is_some()),
                ("fqdn", form.fqdn.is_some()),
                ("serviceAccount", form.service_account.is_some()),
                ("nodeSelector", form.node_selector.is_some()),
            ],
            at,
        );
        if let Some(block) = &form.ip_block {
            return AntreaPeerKind::Addresses(self.block(block, &at.key("ipBlock")));
        }
        if let Some(group) = &form.group {
            return AntreaPeerKind::Group(group.as_str().into());
        }
        if let Some(account) = &form.service_account {
            let name = self.of_form(account, &at.key("serviceAccount"));
            return name.map_or(AntreaPeerKind::External, AntreaPeerKind::Account);
        }
        if let Some(nodes) = &form.node_selector {
            let nodes = selector(nodes, &at.key("nodeSelector"), self.checks);
            return AntreaPeerKind::Nodes(nodes);
        }
        if let Some(name) = &form.fqdn {
            if !egress {
                let message = "`fqdn` is a field of peers of egress";
                self.checks.invalid(&at.key("fqdn"), message);
            }
            return AntreaPeerKind::Domain(name.as_str().into());
        }
        if external {
            return AntreaPeerKind::External;
        }
        let namespaces = self.namespaces(form, at);
        let pods = form.pod_selector.as_ref();
        AntreaPeerKind::Pods {
            namespaces,
            pods: pods.map(|s| selector(s, &at.key("podSelector"), self.checks)),
        }
    }

    /// AN35, AN36.
    fn namespaces(&mut self, form: &AntreaPeerForm, at: &Path) -> PeerNamespaces {
        let labelled = form.namespace_selector.as_ref().map(|s| {
            let here = at.key("namespaceSelector");
            PeerNamespaces::Matching(selector(s, &here, self.checks))
        });
        let Some(relative) = &form.namespaces else {
            return labelled.unwrap_or(PeerNamespaces::Unsaid);
        };
        let here = at.key("namespaces");
        if self.namespace.is_some() {
            let message = "`namespaces` is a field of peers of ClusterNetworkPolicy";
            self.checks.invalid(&here, message);
        }
        if labelled.is_some() {
            let message = "`namespaces` and `namespaceSelector` are for two peers";
            self.checks.invalid(&here, message);
        }
        self.relative(relative, &here)
    }

    fn relative(&mut self, form: &PeerNamespacesForm, at: &Path) -> PeerNamespaces {
        let keys = form.same_labels.as_deref().unwrap_or_default();
        for (i, key) in keys.iter().enumerate() {
            if !is_qualified_name(key) {
                let here = at.key("sameLabels").index(i);
                self.checks
                    .invalid(&here, format!("`{key}` is not a valid label key"));
            }
        }
        match form.matching.as_deref().filter(|word| !word.is_empty()) {
            Some("Self") if keys.is_empty() => PeerNamespaces::Same,
            None if !keys.is_empty() => {
                PeerNamespaces::SameLabels(keys.iter().map(|key| key.as_str().into()).collect())
            }
            Some(other) if other != "Self" => {
                let message = format!("`{other}` is not Self");
                self.checks.invalid(&at.key("match"), message);
                PeerNamespaces::Same
            }
            _ => {
                let message = "one of `match: Self` and `sameLabels` is wanted";
                self.checks.invalid(at, message);
                PeerNamespaces::Same
            }
        }
    }

    fn block(&mut self, form: &IpBlockForm, at: &Path) -> IpSet {
        let cidr = form.cidr.as_deref().unwrap_or_default();
        let except = form.except.as_deref().unwrap_or_default();
        ip_block(cidr, except, at, self.strict_cidrs, self.checks)
    }

    /// Who is in a group (AN60, AN61).
    pub(super) fn group(&mut self, form: &GroupForm) -> GroupMembers {
        let at = Path::root().key("spec");
        let pods = form.pod_selector.is_some() || form.namespace_selector.is_some();
        let blocks = form.ip_blocks.as_deref().unwrap_or_default();
        let children = form.child_groups.as_deref().unwrap_or_default();
        let external = form.external_entity_selector.is_some();
        self.alone(
            &[
                ("podSelector", pods),
                ("ipBlock", form.ip_block.is_some()),
                ("ipBlocks", !blocks.is_empty()),
                ("serviceReference", form.service_reference.is_some()),
                ("externalEntitySelector", external),
                ("nodeSelector", form.node_selector.is_some()),
                ("childGroups", !children.is_empty()),
            ],
            &at,
        );
        if let Some(block) = &form.ip_block {
            return GroupMembers::Addresses(self.block(block, &at.key("ipBlock")));
        }
        if !blocks.is_empty() {
            let each = blocks.iter().enumerate();
            let each = each.map(|(i, b)| self.block(b, &at.key("ipBlocks").index(i)));
            let all = each.fold(IpSet::empty(), |so_far, next| so_far.union(&next));
            return GroupMembers::Addresses(all);
        }
        if let Some(service) = &form.service_reference {
            let name = self.of_form(service, &at.key("serviceReference"));
            return name.map_or(GroupMembers::Unreadable, GroupMembers::Service);
        }
        if let Some(nodes) = &form.node_selector {
            let here = at.key("nodeSelector");
            if self.namespace.is_some() {
                let message = "`nodeSelector` is a field of ClusterGroup";
                self.checks.invalid(&here, message);
            }
            return GroupMembers::Nodes(selector(nodes, &here, self.checks));
        }
        if !children.is_empty() {
            return GroupMembers::Children(children.iter().map(|c| c.as_str().into()).collect());
        }
        if external {
            return GroupMembers::External;
        }
        if !pods && self.namespace.is_some() {
            let message = "a group says who is in it";
            self.checks.invalid(&at, message);
        }
        let labels = |form: &Option<_>, key: &str, checks: &mut _| {
            form.as_ref().map(|s| selector(s, &at.key(key), checks))
        };
        GroupMembers::Pods {
            namespaces: labels(&form.namespace_selector, "namespaceSelector", self.checks),
            pods: labels(&form.pod_selector, "podSelector", self.checks),
        }
    }
}
