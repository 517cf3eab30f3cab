//! Pods that a question is about and the input does not hold, laid over it.

use super::args::Common;
use super::live;
use super::options::options;
use super::output;
use super::workspace::Workspace;
use anyhow::{Result, anyhow};
use netpal::{
    AllowGraph, AskedPods, AskedPorts, DOOR_CONTROLLERS, EndpointSpec, Input, Keyword, Selector,
    Target, World, with_controller, with_stand_ins,
};

/// What stands in for ends of questions that are not loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandingIn {
    /// Controllers that are assumed, and the ends that name them.
    controllers: Vec<(Box<str>, Box<str>)>,
    /// Pods.
    pods: Vec<AskedPods>,
    /// Whether any pod at all may be one that could not be listed.
    any_pod: bool,
}

impl Workspace {
    /// The same with pods for what is asked and not loaded, each with a remark, unless the world is
    /// closed.
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub fn with_asked(self, common: &Common, asked: &[&EndpointSpec]) -> Result<Self> {
        let ports = asked.last().map(|spec| spec.asked_ports());
        self.with_asked_on(common, asked, &ports.unwrap_or_default())
    }

    /// [`Self::with_asked`] on some ports.
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub fn with_asked_on(
        self,
        common: &Common,
        asked: &[&EndpointSpec],
        ports: &AskedPorts,
    ) -> Result<Self> {
        let laid = self.laid_over(common, asked, ports)?;
        Ok(laid.unwrap_or(self))
    }

    /// What stands in for ends that are asked about and not loaded.
    pub fn standing_in(&self, asked: &[&EndpointSpec]) -> StandingIn {
        let unseen = live::unseen_namespaces(&self.input);
        let pods = asked.iter().flat_map(|end| self.asked_pods(end, &unseen));
        let controllers = asked.iter().filter_map(|end| match &end.target {
            Target::Assumed(name) => Some((name.clone(), end.text.clone())),
            _ => None,
        });
        StandingIn {
            controllers: controllers.collect(),
            pods: pods.filter(|_| self.world != World::Closed).collect(),
            any_pod: !unseen.is_empty(),
        }
    }

    /// The same with what stands in for some ends; none where nothing has to.
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub fn laid_over(
        &self,
        common: &Common,
        asked: &[&EndpointSpec],
        ports: &AskedPorts,
    ) -> Result<Option<Self>> {
        let standing_in = self.standing_in(asked);
        let mut input: Option<Input> = None;
        for (name, text) in &standing_in.controllers {
            let with = with_controller(input.as_ref().unwrap_or(&self.input), name);
            input = Some(with.ok_or_else(|| anyhow!("`{text}`: {}", controllers_known()))?);
        }
        let base = input.as_ref().unwrap_or(&self.input);
        let mut names = self.names.clone();
        if let Some((with, remarks)) = with_stand_ins(base, &standing_in.pods, ports) {
            input = Some(with);
            names.any_pod |= standing_in.any_pod;
            if !common.quiet {
                for remark in remarks {
                    output::remark(&format!("note: {remark}"));
                }
            }
        }
        let Some(input) = input else {
            return Ok(None);
        };
        let graph = AllowGraph::compile(&input, &options(&self.project.merged(common))?)?;
        Ok(Some(self.beside(input, graph, names)))
    }

    /// The pods that an end of a question is about, where they may have to stand in: of `any`
    /// those that could not be listed.
    fn asked_pods(&self, spec: &EndpointSpec, unseen: &[Box<str>]) -> Vec<AskedPods> {
        match &spec.target {
            Target::Keyword(Keyword::Dns) => {
                let (namespace, labels) = &self.names.dns;
                vec![AskedPods::Dns(namespace.clone(), labels.clone())]
            }
            Target::Keyword(Keyword::AnyPod) => vec![AskedPods::Every],
            Target::Keyword(Keyword::Any) => {
                let namespaces = unseen.iter().cloned();
                let every = |name| AskedPods::Unlisted(name, Selector::everything());
                namespaces.map(every).collect()
            }
            Target::Namespace(name) => {
                vec![asked_in(name.clone(), Selector::everything(), unseen)]
            }
            Target::Selected {
                namespace,
                selector,
            } => {
                let namespace = namespace.as_ref().or(self.names.namespace.as_ref());
                let namespace = namespace.into_iter().cloned();
                let labelled = namespace.map(|name| asked_in(name, selector.clone(), unseen));
                labelled.collect()
            }
            _ => Vec::new(),
        }
    }
}

fn controllers_known() -> String {
    let with_pods = DOOR_CONTROLLERS.iter().filter(|c| !c.labels.is_empty());
    let names: Vec<&str> = with_pods.map(|controller| controller.id).collect();
    format!("netpal knows the pods of {}", names.join(", "))
}

/// The pods with some labels in a namespace; where its pods could not be listed, beside those that
/// are known.
fn asked_in(namespace: Box<str>, labels: Selector, unseen: &[Box<str>]) -> AskedPods {
    if unseen.contains(&namespace) {
        AskedPods::Unlisted(namespace, labels)
    } else {
        AskedPods::Labelled(namespace, labels)
    }
}
