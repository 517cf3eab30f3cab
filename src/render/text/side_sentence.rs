//! One side of an answer in words: which rule decides, what comes nearest, and what is unknown.

use crate::model::{Requirement, Truth};
use crate::policy::networks::islands::NETWORK_CODES;
use crate::policy::tier::LayerIx;
use crate::policy::{Policy, RuleRef, TaintReason};
use crate::query::Verdict;
use crate::query::explain::by_node::by_node;
use crate::query::explain::explanation::{
    Explanation, ExplanationSide, Mismatch, Reason, nearest_peer,
};
use crate::render::mismatch;
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::spec::Endpoint;
use std::collections::BTreeSet;
use std::io::{self, Write};

impl TextWriter<'_> {
    pub(crate) fn sides(
        &self,
        explanation: &Explanation,
        verdict: Verdict,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.by_node(5, explanation, out)?;
        if explanation.host_network && verdict == Verdict::Unknown {
            return self.host_network(explanation, out);
        }
        self.families(5, explanation, out)?;
        if explanation.port_untold {
            writeln!(
                out,
                "     ?    which port a name stands for on a pod that is not loaded is not told"
            )?;
        }
        let names: Vec<String> = explanation
            .sides()
            .iter()
            .map(|s| words::name_of(self.context, s.subject))
            .collect();
        let sides = explanation.sides().into_iter().zip(&names);
        let env = self.context.graph.environment();
        let shown = sides.filter(|(s, _)| env.governed(s.subject).is_some());
        let width = shown.map(|(_, n)| n.chars().count()).max().unwrap_or(0);
        for (side, name) in explanation.sides().into_iter().zip(&names) {
            let outside = env.governed(side.subject).is_none();
            if outside && (side.allowed == Truth::Yes || verdict == Verdict::No) {
                continue; // no rule governs an address; of a node something unmodelled may
            }
            let word = if side.direction == crate::policy::Direction::Egress {
                "out"
            } else {
                "in"
            };
            let at = self.at_interface(side);
            writeln!(
                out,
                "     {word:<4} {name:<width$}   {at}{}",
                self.side(side)
            )?;
            if let (false, Some(near)) = (side.allowed.possible(), &side.near) {
                self.near(side, near, out)?;
            }
            self.doubts(side, out)?;
        }
        Ok(())
    }

    /// What is certain where the two ends run on one node, or where they do not.
    pub(crate) fn by_node(
        &self,
        indent: usize,
        explanation: &Explanation,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if explanation.allowed != Truth::Maybe {
            return Ok(());
        }
        let Some(found) = by_node(self.context.graph, &explanation.flow) else {
            return Ok(());
        };
        let why = match found.own {
            Truth::Yes => "   a pod and the node it runs on always reach each other",
            _ => "",
        };
        let blank = " ".repeat(indent);
        let [own, other] = [found.own, found.other].map(|truth| Verdict::from(truth).word());
        writeln!(out, "{blank}own node     {own}{why}")?;
        writeln!(out, "{blank}other nodes  {other}")
    }

    pub(crate) fn host_network(
        &self,
        explanation: &Explanation,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let cluster = self.cluster();
        let host = [explanation.flow.source, explanation.flow.destination];
        let host = host
            .into_iter()
            .find(|e| matches!(e, Endpoint::Pod(p) if cluster.pod(*p).host_network));
        let name = host
            .map(|e| words::name_of(self.context, e))
            .unwrap_or_default();
        writeln!(
            out,
            "     {name} runs with hostNetwork: policies may or may not apply (depends on the CNI)"
        )?;
        writeln!(
            out,
            "     give --cni, or accept with --assume hostnetwork=node"
        )
    }

    /// Where a side is decided, if that is not at its subject but at an interface of its node.
    fn at_interface(&self, side: &ExplanationSide) -> &'static str {
        let policies = &self.context.graph.environment().policies;
        let layer = side
            .decided_in
            .map(|tier| policies.tiers[tier.index()].layer);
        match layer {
            Some(LayerIx::FORWARDED_IN | LayerIx::FORWARDED_OUT) => "at its node: ",
            _ => "",
        }
    }

    /// That the ends have no network in common, and which they are on.
    fn no_network(&self, side: &ExplanationSide) -> String {
        let env = self.context.graph.environment();
        let plan = env.policies.plugin.networks.as_deref();
        let of = |end: Endpoint| match (end, plan) {
            (Endpoint::Pod(pod), Some(plan)) => plan.of_pod(env.cluster.pod_labels(pod)),
            _ => Vec::new(),
        };
        let on = |end: Endpoint| match &*of(end).join(", ") {
            "" => words::name_of(self.context, end) + " is on no pod network",
            names => words::name_of(self.context, end) + " is on " + &words::clean(names),
        };
        let ends = format!("{}, {}", on(side.subject), on(side.peer));
        match &env.options.network {
            Some(name) => format!("network {} does not join them: {ends}", words::clean(name)),
            None => format!("no network in common: {ends}"),
        }
    }

    /// Why one side is as it is, in one line.
    pub(crate) fn side(&self, side: &ExplanationSide) -> String {
        let way = if side.direction == crate::policy::Direction::Egress {
            "egress"
        } else {
            "ingress"
        };
        let peer = words::name_of(self.context, side.peer);
        let decided = side
            .decided_by
            .map(|at| self.cited_rule(at))
            .unwrap_or_default();
        match side.reason {
            Reason::AllowDefault if side.tiers.iter().all(|t| t.policies.is_empty()) => {
                format!("default allow: no policy selects it for {way}")
            }
            Reason::AllowDefault => {
                format!(
                    "default allow: no rule that applies to it decides, and nothing isolates it for {way}"
                )
            }
            Reason::AllowSelf => "a pod always reaches itself".into(),
            Reason::AllowFromOwnNode => "traffic with the node it runs on is always allowed".into(),
            Reason::AllowRule | Reason::AllowTier(_) => {
                format!("allowed by {decided}")
            }
            Reason::DenyTier(&NETWORK_CODES) => self.no_network(side),
            Reason::DenyRule | Reason::DenyTier(_) => format!("denied by {decided}"),
            Reason::DenyNoRules => format!(
                "isolated by {}; no rule allows anything",
                self.isolating(side)
            ),
            Reason::DenyNoRuleMatches | Reason::DenyPort if way == "ingress" => {
                format!(
                    "isolated by {}; no rule admits {peer}{}",
                    self.isolating(side),
                    port_words(side)
                )
            }
            Reason::DenyNoRuleMatches | Reason::DenyPort => {
                format!(
                    "isolated by {}; no rule lets it out to {peer}{}",
                    self.isolating(side),
                    port_words(side)
                )
            }
            _ => format!("unknown: {}", self.unknown(side)),
        }
    }

    /// The place of a rule.
    pub(crate) fn rule_place(&self, at: RuleRef) -> String {
        let policies = &self.context.graph.environment().policies;
        self.place(&policies.get(at.policy).origin(at))
    }

    /// A rule, what it admits, and its place.
    fn cited_rule(&self, at: RuleRef) -> String {
        format!(
            "{}: {}   {}",
            words::rule(self.context.graph, at),
            words::admits(self.context.graph, at),
            self.rule_place(at)
        )
    }

    pub(crate) fn isolating(&self, side: &ExplanationSide) -> String {
        let names: Vec<String> = side
            .isolated_by
            .iter()
            .take(4)
            .map(|p| words::policy(self.context.graph, *p))
            .collect();
        let more = side.isolated_by.len().saturating_sub(4);
        if more > 0 {
            format!("{} and {more} more", names.join(", "))
        } else {
            names.join(", ")
        }
    }

    /// The conditions on which it passes, each with its rule and place.
    fn conditions(&self, side: &ExplanationSide) -> String {
        let policies = &self.context.graph.environment().policies;
        let each = side.conditions.iter().take(3).map(|at| {
            let condition = words::conditions(policies.rule(*at));
            let rule = words::rule(self.context.graph, *at);
            format!("{condition} ({rule})   {}", self.rule_place(*at))
        });
        format!("only if {}", each.collect::<Vec<_>>().join("; or "))
    }

    /// What is said of objects whose policies are not modelled or not known.
    fn unsupported(&self, side: &ExplanationSide, names: &str) -> String {
        let taints = &self.context.graph.environment().policies.taints;
        let reasons = side.taints.iter().map(|i| taints[*i].reason);
        for reason in [TaintReason::MakesPolicies, TaintReason::NoTier] {
            if reasons.clone().all(|r| r == reason) {
                return format!("{names} {} and may apply to it", reason.words());
            }
        }
        format!("{names} applies to it and is not modelled")
    }

    pub(crate) fn unknown(&self, side: &ExplanationSide) -> String {
        let taints: Vec<String> = side
            .taints
            .iter()
            .take(3)
            .map(|i| {
                words::clean(&self.context.graph.environment().policies.taints[*i].what)
                    .into_owned()
            })
            .collect();
        match side.reason {
            Reason::UnknownBrokenPolicy => format!(
                "{} could not be read and may apply to it",
                taints.join(", ")
            ),
            Reason::UnknownUnsupportedKind => self.unsupported(side, &taints.join(", ")),
            Reason::UnknownPriority => {
                let rivals = side.rivals(&self.context.graph.environment().policies);
                let names: Vec<String> = rivals
                    .iter()
                    .map(|p| words::policy(self.context.graph, *p))
                    .collect();
                format!(
                    "{} have equal priority and disagree, and the API does not say which one wins",
                    names.join(" and ")
                )
            }
            Reason::UnknownCondition => self.conditions(side),
            Reason::UnknownNode if side.doubts.is_empty() => {
                "the peer may be the node it runs on, whose traffic always passes".into()
            }
            _ if !side.doubtful_policies.is_empty() => self.may_select(side),
            _ => "it depends on something the input does not tell".into(),
        }
    }

    /// The policies that may select the subject, and why that is not known.
    fn may_select(&self, side: &ExplanationSide) -> String {
        let names = side.doubtful_policies.iter().take(3);
        let names: Vec<String> = names
            .map(|p| words::policy(self.context.graph, *p))
            .collect();
        let more = side.doubtful_policies.len().saturating_sub(3);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        if let Some(why) = self.doubt_of_pod(side) {
            return format!("{}{more} {why}", names.join(", "));
        }
        let namespace = match side.subject {
            Endpoint::Pod(pod) => {
                let cluster = self.cluster();
                words::clean(&cluster.namespace(cluster.pod(pod).namespace).name).into_owned()
            }
            Endpoint::Address(_) => String::new(),
        };
        format!(
            "{}{more} may select it: the labels of namespace {namespace} are not in the input",
            names.join(", ")
        )
    }

    /// Why policies may select the subject, other than for its namespace.
    fn doubt_of_pod(&self, side: &ExplanationSide) -> Option<String> {
        let policies = &self.context.graph.environment().policies;
        let mut doubtful = side.doubtful_policies.iter().map(|id| policies.get(*id));
        let at_hosts = |policy: &Policy| policies.tier_of(policy).layer.is_of_hosts();
        if doubtful.clone().any(at_hosts) {
            let why = "may apply to it: by which interface of which node it is reached is not told";
            return Some(why.to_owned());
        }
        match (side.reason, side.subject) {
            (Reason::UnknownGeneratedPolicy, _) => {
                let generated = doubtful.find_map(|policy| policy.generated.as_deref())?;
                let unless = words::clean(generated.unless.as_deref()?).into_owned();
                Some(format!("may apply to it: {unless}"))
            }
            (Reason::UnknownPodLabels, Endpoint::Pod(pod)) => {
                let labels = self.cluster().pod_labels(pod);
                let asked = doubtful.flat_map(|policy| policy.subject.pods.requirements());
                let open: BTreeSet<&str> = asked
                    .map(Requirement::key)
                    .filter(|key| labels.is_open(key))
                    .collect();
                let open: Vec<&str> = open.into_iter().collect();
                let keys = words::clean(&open.join(", ")).into_owned();
                Some(format!("may select it: {keys} is known only at run time"))
            }
            _ => None,
        }
    }

    pub(crate) fn near(
        &self,
        side: &ExplanationSide,
        near: &crate::query::explain::explanation::RuleTrace,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let peer = nearest_peer(near).filter(|p| p.matched != Truth::Yes);
        let at = peer.map_or(near.at, |p| p.at);
        let rule = self.context.graph.environment().policies.rule(near.at);
        let mut why: Vec<String> = Vec::new();
        if !near.ports {
            why.push(format!("allows {}", words::ports(rule)));
        }
        let one_port = matches!(&rule.ports, crate::policy::Ports::Of(list) if list.len() == 1);
        let only_port = peer.is_none() && !near.ports && one_port;
        let at = if only_port {
            crate::policy::RuleRef {
                peer: None,
                port: Some(0),
                ..at
            }
        } else {
            at
        };
        why.extend(
            peer.iter()
                .flat_map(|p| &p.mismatches)
                .map(|m| mismatch::mismatch(self.context, m, side.peer)),
        );
        let place = self.rule_place(at);
        writeln!(
            out,
            "     near {}  {}   {place}",
            words::rule(self.context.graph, at),
            why.join("; ")
        )
    }

    pub(crate) fn doubts(&self, side: &ExplanationSide, out: &mut dyn Write) -> io::Result<()> {
        if side.allowed != Truth::Maybe {
            return Ok(());
        }
        for doubt in side.doubts.iter().take(3) {
            let why: Vec<String> = doubt
                .mismatches
                .iter()
                .map(|m| mismatch::mismatch(self.context, m, side.peer))
                .collect();
            let place = self.place(
                &self
                    .context
                    .graph
                    .environment()
                    .policies
                    .get(doubt.at.policy)
                    .origin(doubt.at),
            );
            writeln!(
                out,
                "     ?    {}  {}   {place}",
                words::rule(self.context.graph, doubt.at),
                why.join("; ")
            )?;
            if doubt.mismatches.contains(&Mismatch::AddressUnknown) {
                writeln!(
                    out,
                    "          {}",
                    self.style
                        .dim("give --pod-cidrs, or load the pods with their status (kubectl get pods -A -o json)")
                )?;
            }
        }
        for taint in side.taints.iter().take(3) {
            if let Some(origin) = &self.context.graph.environment().policies.taints[*taint].origin {
                writeln!(out, "     ?    {}", self.place(origin))?;
            }
        }
        Ok(())
    }
}

pub(crate) fn port_words(side: &ExplanationSide) -> &'static str {
    match (&side.near, side.reason) {
        (Some(_), Reason::DenyPort) => " on this port",
        _ => "",
    }
}

pub(crate) fn blocked(explanation: &Explanation, verdict: Verdict) -> &'static str {
    if verdict != Verdict::No {
        return "";
    }
    match (
        explanation.egress.allowed.possible(),
        explanation.ingress.allowed.possible(),
    ) {
        (false, false) => "   blocked on the way out and on the way in",
        (false, true) => "   blocked on the way out",
        _ if explanation.families.is_some() => "   no common address family",
        (true, _) => "   blocked on the way in",
    }
}
