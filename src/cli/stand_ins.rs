//! Pods that a question is about and the input does not hold, laid over it.

use super::args::Common;
use super::live;
use super::options::options;
use super::output;
use super::workspace::Workspace;
use anyhow::{Result, anyhow};
use netpal::{
    AllowGraph, AskedPods, AskedPorts, DOOR_CONTROLLERS, EndpointSpec, Keyword, Selector, Target,
    World, with_controller, with_stand_ins,
};

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
        mut self,
        common: &Common,
        asked: &[&EndpointSpec],
        ports: &AskedPorts,
    ) -> Result<Self> {
        self.assume_controllers(common, asked)?;
        let unseen = live::unseen_namespaces(&self.input);
        let wanted = asked.iter().flat_map(|e| self.asked_pods(e, &unseen));
        let asked: Vec<AskedPods> = wanted.collect();
        if self.world == World::Closed {
            return Ok(self);
        }
        let Some((input, remarks)) = with_stand_ins(&self.input, &asked, ports) else {
            return Ok(self);
        };
        self.input = input;
        self.names.any_pod |= !unseen.is_empty();
        self.graph = AllowGraph::compile(&self.input, &options(&self.project.merged(common))?)?;
        if !common.quiet {
            for remark in remarks {
                output::remark(&format!("note: {remark}"));
            }
        }
        Ok(self)
    }

    /// The same with the pods of the controllers that are asked about as assumed ones.
    fn assume_controllers(&mut self, common: &Common, asked: &[&EndpointSpec]) -> Result<()> {
        for end in asked {
            let Target::Assumed(name) = &end.target else {
                continue;
            };
            self.input = with_controller(&self.input, name)
                .ok_or_else(|| anyhow!("`{}`: {}", end.text, controllers_known()))?;
            self.graph = AllowGraph::compile(&self.input, &options(&self.project.merged(common))?)?;
        }
        Ok(())
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
