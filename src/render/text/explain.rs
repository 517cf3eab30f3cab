//! `explain` for people: plain English of a policy, of everything that applies to a workload, of a
//! namespace.

use crate::model::WorkloadId;
use crate::policy::{Action, Direction, Peers, Policy, Ports, RuleRef};
use crate::query::explain::summary::PlainPeer;
use crate::query::explain::summary::{
    Plain, PlainNamespace, PlainPolicy, PlainRule, PlainSide, PlainWorkload,
};
use crate::query::reach::closure::Way;
use crate::render::text::tree::{Branch, Strokes, Tone, draw, wrap};
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::words::plural;
use std::io::{self, Write};

/// How many names are written out.
const NAMES: usize = 6;

impl TextWriter<'_> {
    /// What was explained.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn plain(&self, plain: &Plain, out: &mut dyn Write) -> io::Result<()> {
        match plain {
            Plain::Policy(p) => self.plain_policy(p, out),
            Plain::Workload(w) => self.plain_workload(w, out),
            Plain::Namespace(n) => self.plain_namespace(n, out),
            Plain::Several(list) => self.plain_list(list, out),
        }
    }

    /// Everything that has one name, each under what it is.
    fn plain_list(&self, list: &[Plain], out: &mut dyn Write) -> io::Result<()> {
        for (i, one) in list.iter().enumerate() {
            if i > 0 {
                writeln!(out)?;
            }
            if let Plain::Policy(plain) = one {
                let policy = self.context.graph.environment().policies.get(plain.policy);
                let name = words::clean(&policy.full_name()).into_owned();
                writeln!(out, "{} {name}", policy.shape.kind)?;
            }
            self.plain(one, out)?;
        }
        Ok(())
    }

    /// What a policy does.
    fn plain_policy(&self, plain: &PlainPolicy, out: &mut dyn Write) -> io::Result<()> {
        let policy = self.context.graph.environment().policies.get(plain.policy);
        self.say(&self.whom_it_governs(policy, plain), out)?;
        for direction in Direction::ALL {
            self.direction(policy, plain, direction, out)?;
        }
        if policy.shape.has_actions {
            self.say(
                "What no rule of it matches goes on to the next policy.",
                out,
            )?;
        } else {
            self.say(&self.rest(policy, plain), out)?;
        }
        writeln!(
            out,
            "{}",
            self.style
                .dim(&format!("at {}", self.place(&policy.subject_origin())))
        )
    }

    fn say(&self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        wrap(text, self.width)
            .iter()
            .try_for_each(|line| writeln!(out, "{line}"))
    }

    fn some(&self, list: &[WorkloadId]) -> String {
        let name = |w: &WorkloadId| words::clean(&self.cluster().workload_name(*w)).into_owned();
        let shown: Vec<String> = list.iter().take(NAMES).map(name).collect();
        let more = list.len().saturating_sub(NAMES);
        if more > 0 {
            format!("{} and {more} more", shown.join(", "))
        } else {
            shown.join(", ")
        }
    }

    /// `applies to 1 workload (data/database) and controls INGRESS only.`
    fn whom_it_governs(&self, policy: &Policy, plain: &PlainPolicy) -> String {
        let name = words::policy(self.context.graph, plain.policy);
        let rank = if policy.shape.has_actions {
            let tier = self.context.graph.environment().policies.tier_of(policy);
            format!(
                " ({}, tier {}, priority {})",
                policy.shape.kind,
                words::clean(&tier.name),
                policy.priority
            )
        } else {
            String::new()
        };
        let count = plural(plain.governs.len(), "workload");
        let whom = match plain.governs.as_slice() {
            [] if words::is_of_nodes(policy) => format!(
                "applies to nodes where the host firewall is on, and to no pods ({})",
                words::subject(policy)
            ),
            [] => format!("applies to no workload now ({})", words::subject(policy)),
            list => format!("applies to {count} ({})", self.some(list)),
        };
        let maybe = match plain.may_govern.as_slice() {
            [] => String::new(),
            list => format!(", maybe to {} more ({})", list.len(), self.some(list)),
        };
        let controls = match Direction::ALL.map(|d| policy.governs(d)) {
            [true, true] => "controls INGRESS and EGRESS",
            [true, false] => "controls INGRESS only",
            [false, true] => "controls EGRESS only",
            [false, false] => "controls nothing",
        };
        format!("{name}{rank} {whom}{maybe} and {controls}.")
    }

    fn direction(
        &self,
        policy: &Policy,
        plain: &PlainPolicy,
        direction: Direction,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let rules = &plain.rules[direction.index()];
        if !policy.governs(direction) {
            if !rules.is_empty() {
                let what = format!(
                    "Its {} rules have no effect: policyTypes does not list it.",
                    direction.name()
                );
                self.say(&what, out)?;
            }
            return Ok(());
        }
        if rules.is_empty() && !policy.shape.has_actions {
            let way = if direction == Direction::Ingress {
                "in"
            } else {
                "out"
            };
            return self.say(&format!("It allows nothing {way}."), out);
        }
        for (i, rule) in rules.iter().enumerate() {
            self.plain_rule(policy, rule, i, out)?;
        }
        Ok(())
    }

    fn plain_rule(
        &self,
        policy: &Policy,
        plain: &PlainRule,
        i: usize,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let rule = self.context.graph.environment().policies.rule(plain.at);
        let ordered = policy.shape.has_actions;
        let verb = match rule.action {
            Action::Allow => "allows",
            Action::Deny => "DENIES",
            Action::Pass => "passes on to the next tier",
        };
        let direction = plain.at.direction;
        let who = if ordered {
            format!("Rule {} of its {} {verb}", i + 1, direction.name())
        } else {
            format!("It {verb}")
        };
        let toward = if direction == Direction::Ingress {
            "from"
        } else {
            "to"
        };
        let nobody = matches!(&rule.peers, Peers::Of(list) if list.is_empty());
        if nobody && policy.layout.is_some() {
            let path = policy.rule_path(plain.at);
            let what = format!("The entry {path} matches nothing; it only closes the direction.");
            return self.say(&what, out);
        }
        let traffic = if matches!(rule.ports, Ports::Any) {
            "every port".to_owned()
        } else {
            english(&words::ports(rule))
        };
        let traffic = if rule.qualifiers.is_empty() {
            traffic
        } else {
            format!("{traffic}, if {},", words::conditions(rule))
        };
        let traffic = match words::rule_subjects(rule) {
            Some(subjects) => format!("{traffic}, for those of its pods that are {subjects},"),
            None => traffic,
        };
        if matches!(rule.peers, Peers::Any) {
            return self.say(
                &format!("{who} {traffic} {toward} anyone, inside the cluster and outside."),
                out,
            );
        }
        self.say(&format!("{who} {traffic} {toward}"), out)?;
        let lines: Vec<Branch> = plain
            .peers
            .iter()
            .enumerate()
            .map(|(n, peer)| self.plain_peer(n, peer))
            .collect();
        draw(&lines, &self.frame("  ", "  ", Strokes::NARROW), out)
    }

    fn plain_peer(&self, n: usize, peer: &PlainPeer) -> Branch {
        let or = if n == 0 { "" } else { "OR " };
        let text = format!("- {or}{}", self.meaning(peer.at));
        let (today, tone) = match peer.today.len() {
            0 => ("(0 workloads now)".to_owned(), Tone::Unsure),
            n => (format!("({} now)", plural(n, "workload")), Tone::Plain),
        };
        let pods = words::is_pods(&self.context.graph.environment().policies, peer.at);
        if pods {
            Branch::new(text).note(today, tone)
        } else {
            Branch::new(text)
        }
    }

    fn meaning(&self, at: RuleRef) -> String {
        words::admits(self.context.graph, at)
    }

    /// `Everything else into data/database is blocked unless another policy allows it; its egress
    /// is not affected.`
    fn rest(&self, policy: &Policy, plain: &PlainPolicy) -> String {
        let whom = match plain.governs.as_slice() {
            [one] => words::clean(&self.cluster().workload_name(*one)).into_owned(),
            [] => "what it applies to".to_owned(),
            _ => "these workloads".to_owned(),
        };
        match Direction::ALL.map(|d| policy.isolates(d)) {
            [true, true] => {
                format!(
                    "Everything else into and out of {whom} is blocked unless another policy allows it."
                )
            }
            [true, false] => format!(
                "Everything else into {whom} is blocked unless another policy allows it; its egress is not affected."
            ),
            [false, true] => format!(
                "Everything else out of {whom} is blocked unless another policy allows it; its ingress is not affected."
            ),
            [false, false] if plain.rules.iter().any(|rules| !rules.is_empty()) => {
                format!("It closes nothing else about {whom}.")
            }
            [false, false] => format!("Nothing about {whom} is affected."),
        }
    }

    /// Everything that applies to a workload.
    fn plain_workload(&self, plain: &PlainWorkload, out: &mut dyn Write) -> io::Result<()> {
        let workload = self.cluster().workload(plain.workload);
        let name = words::clean(&self.cluster().workload_name(plain.workload)).into_owned();
        let labels: Vec<String> = workload.pods.first().map_or_else(Vec::new, |p| {
            let labels = self.cluster().pod_labels(*p).iter();
            // what stands for something else has a space in its key
            let labels = labels.filter(|(key, _)| !key.contains(' '));
            let written = labels.filter(|(_, v)| crate::policy::validate::is_label_value(v));
            written
                .map(|(k, v)| format!("{}={}", words::clean(k), words::clean(v)))
                .collect()
        });
        let labels = if labels.is_empty() {
            "no labels".to_owned()
        } else {
            labels.join(", ")
        };
        let host = workload
            .pods
            .iter()
            .any(|p| self.cluster().pod(*p).host_network);
        let host = if host { "   hostNetwork" } else { "" };
        self.say(
            &format!("{} {name}   {labels}{host}", workload.kind_name()),
            out,
        )?;
        for side in &plain.sides {
            writeln!(out)?;
            self.plain_side(side, out)?;
        }
        self.exposure(&plain.exposure, out)
    }

    fn plain_side(&self, side: &PlainSide, out: &mut dyn Write) -> io::Result<()> {
        let ingress = side.direction == Direction::Ingress;
        let way = if ingress { "way in" } else { "way out" };
        let free = if ingress {
            "it accepts from anyone"
        } else {
            "it may go anywhere"
        };
        let open = format!("open by default: no policy governs it, so {free}");
        if side.open {
            return self.say(&format!("{way}   {open}"), out);
        }
        let isolated = match side.isolated {
            crate::model::Truth::Yes => "isolated: only what a policy allows",
            crate::model::Truth::Maybe => "may be isolated: the input does not tell",
            crate::model::Truth::No => {
                "not isolated by NetworkPolicies: what no rule denies is allowed"
            }
        };
        let policies = side.policies.iter().map(|(_, id, certain)| {
            let policy = self.context.graph.environment().policies.get(*id);
            let kind = if policy.shape.has_actions {
                format!("{} ", policy.shape.kind)
            } else {
                String::new()
            };
            let sure = if *certain { "" } else { "may apply   " };
            let name = words::policy(self.context.graph, *id);
            let count = plural(policy.rules(side.direction).len(), "rule");
            let place = self.place(&policy.subject_origin());
            Branch::new(format!("{kind}{name}"))
                .note(format!("{sure}{count}   {place}"), Tone::Quiet)
        });
        let root = Branch::new(format!("{way}   {isolated}")).with(policies.collect());
        draw(&[root], &self.frame("", "  ", Strokes::NARROW), out)?;
        let lead = if ingress {
            "lets in now"
        } else {
            "lets out now"
        };
        let mut lines = self.flat(side);
        if lines.is_empty() {
            lines.push(Branch::new("nothing and nobody"));
        }
        if !side.reach.unknown.is_empty() {
            lines.push(Branch::new(self.some(&side.reach.unknown)).note("unknown", Tone::Unsure));
        }
        draw(
            &[Branch::new(lead).with(lines)],
            &self.frame("  ", "  ", Strokes::NARROW),
            out,
        )
    }

    /// Whom it talks to directly, one line each.
    fn flat(&self, side: &PlainSide) -> Vec<Branch> {
        let backward = side.reach.way == Way::Backward;
        let lines = side.reach.stops.iter().map(|stop| {
            let who = self.who_is(&stop.item);
            let traffic = words::traffic(&stop.traffic);
            Branch::new(who).note(
                if backward {
                    format!("on {traffic}")
                } else {
                    traffic
                },
                Tone::Plain,
            )
        });
        lines.collect()
    }

    /// What a namespace holds.
    fn plain_namespace(&self, plain: &PlainNamespace, out: &mut dyn Write) -> io::Result<()> {
        let namespace = self.cluster().namespace(plain.namespace);
        let (workloads, policies) = (plain.workloads.len(), plain.policies.len());
        let counts = format!(
            "{} and {policies} {}",
            plural(workloads, "workload"),
            if policies == 1 { "policy" } else { "policies" }
        );
        self.say(
            &format!("namespace {}   {counts}", words::clean(&namespace.name)),
            out,
        )?;
        let lines = plain.workloads.iter().map(|(w, [open_in, open_out])| {
            let state = match (open_in, open_out) {
                (true, true) => "open both ways: no policy governs it",
                (true, false) => "open on the way in; the way out is governed",
                (false, true) => "the way in is governed; open on the way out",
                (false, false) => "governed both ways",
            };
            Branch::new(words::clean(&self.cluster().workload_name(*w)).into_owned())
                .note(state, Tone::Plain)
        });
        draw(
            &lines.collect::<Vec<_>>(),
            &self.frame("  ", "  ", Strokes::NARROW),
            out,
        )?;
        for policy in &plain.policies {
            writeln!(out)?;
            self.plain_policy(policy, out)?;
        }
        Ok(())
    }
}

/// `5432/TCP` -> `TCP 5432`.
fn english(ports: &str) -> String {
    match ports.split_once('/') {
        Some((number, protocol)) if !protocol.contains([' ', ',', '/']) => {
            format!("{protocol} {number}")
        }
        _ => ports.to_owned(),
    }
}
