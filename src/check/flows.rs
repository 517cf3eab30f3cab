//! Claims about single flows: can, cannot, only-from, only-to, internet.
//!
//! Every claim is evaluated over pairs of endpoints, each with the traffic that is asked about and
//! what passes ([`Judge::each`]). Pods that no rule can tell apart are decided once, and so are
//! outside addresses. Host-network sources and destinations whose verdict is unknown only because
//! they may be the pod's own node are admitted in `only-from` and `only-to`, because the API always
//! allows that (S55).

use crate::check::by_class::ClaimLabels;
use crate::check::judge::{AskedPair, Judge, is_doubtful};
use crate::check::outcome::{ClaimVerdict, Example};
use crate::check::schema::{Internet, Matching, OnlyFrom, OnlyTo};
use crate::check::scope::{ScopedEnds, Scopes, Trouble};
use crate::model::Truth;
use crate::policy::Direction;
use crate::query::End;
use crate::query::ask::resolved::Resolved;
use crate::set::{IpSet, TrafficSet};
use crate::spec::Endpoint;
use std::collections::BTreeSet;

/// The verdict of a claim so far: a failure outweighs a doubt.
struct ClaimTally {
    asked: usize,
    failed: Option<Example>,
    doubt: Option<Example>,
}

impl ClaimTally {
    fn new() -> Self {
        Self {
            asked: 0,
            failed: None,
            doubt: None,
        }
    }

    fn add(&mut self, truth: Truth, certain: bool, example: impl FnOnce() -> Example) {
        match truth {
            Truth::No if certain && self.failed.is_none() => self.failed = Some(example()),
            Truth::Maybe | Truth::No if self.doubt.is_none() => self.doubt = Some(example()),
            _ => {}
        }
    }

    fn verdict(self) -> ClaimVerdict {
        match (self.failed, self.doubt) {
            (Some(example), _) => ClaimVerdict::failed(example),
            (None, Some(example)) => ClaimVerdict::undecided(example),
            (None, None) => ClaimVerdict::passed(),
        }
    }
}

impl Judge<'_> {
    /// Every pair (or at least one) is allowed on all traffic that is asked about.
    pub fn can(
        &mut self,
        scopes: &Scopes<'_>,
        texts: &[String],
        matching: Matching,
    ) -> Result<ClaimVerdict, Trouble> {
        let mut tally = ClaimTally::new();
        let mut any = Truth::No;
        for text in texts {
            let (from, to) = scopes.question(text)?;
            tally.asked += self.each(&from, &to, |judge, asked| {
                let missing = asked.traffic.difference(&asked.allowed.must);
                let no = missing.difference(&asked.allowed.unknown());
                let truth = match (
                    missing.is_empty() && !asked.traffic.is_empty(),
                    no.is_empty(),
                ) {
                    (true, _) => Truth::Yes,
                    (false, true) => Truth::Maybe,
                    (false, false) => Truth::No,
                };
                if truth == Truth::Yes {
                    judge.exercise_pair(asked, &asked.traffic);
                }
                any = any.or(if asked.certain {
                    truth
                } else {
                    truth.and(Truth::Maybe)
                });
                let shown = if no.is_empty() { missing } else { no };
                tally.add(truth, asked.certain, || Example::Flow {
                    flow: asked.flow(&shown),
                    wanted: true,
                    asked: asked.traffic.clone(),
                    led: asked.via_service,
                });
            })?;
        }
        if tally.asked == 0 {
            return Err(Trouble::Absent(
                "no flow is asked about: a pod with itself, or two outside addresses".into(),
            ));
        }
        let shown = tally.failed.clone().or_else(|| tally.doubt.clone());
        match (matching, any, shown) {
            (Matching::All, ..) => Ok(tally.verdict()),
            (Matching::Some, Truth::Yes, _) | (Matching::Some, _, None) => {
                Ok(ClaimVerdict::passed())
            }
            (Matching::Some, Truth::Maybe, Some(example)) => Ok(ClaimVerdict::undecided(example)),
            (Matching::Some, Truth::No, Some(example)) => Ok(ClaimVerdict::failed(example)),
        }
    }

    /// No pair is allowed on any traffic that is asked about.
    pub fn cannot(
        &mut self,
        scopes: &Scopes<'_>,
        texts: &[String],
    ) -> Result<ClaimVerdict, Trouble> {
        let mut tally = ClaimTally::new();
        for text in texts {
            let (from, to) = scopes.question(text)?;
            tally.asked += self.each(&from, &to, |judge, asked| {
                judge.refuse(asked, &TrafficSet::empty(), &mut tally);
            })?;
        }
        if tally.asked == 0 {
            return Err(Trouble::Absent(
                "no flow is asked about: a pod with itself, or two outside addresses".into(),
            ));
        }
        Ok(tally.verdict())
    }

    /// Records that nothing of the traffic asked about may pass, apart from what is permitted.
    fn refuse(&mut self, asked: &AskedPair<'_>, permitted: &TrafficSet, tally: &mut ClaimTally) {
        let wrong = asked.traffic.difference(permitted);
        let (sure, maybe) = (
            wrong.intersection(&asked.allowed.must),
            wrong.intersection(&asked.allowed.unknown()),
        );
        let truth = match (sure.is_empty(), maybe.is_empty()) {
            (false, _) => Truth::No,
            (true, false) => Truth::Maybe,
            (true, true) => Truth::Yes,
        };
        let shown = if sure.is_empty() { maybe } else { sure };
        if truth == Truth::No {
            self.exercise_pair(asked, &shown);
        }
        tally.add(truth, asked.certain, || Example::Flow {
            flow: asked.flow(&shown),
            wanted: false,
            asked: asked.traffic.clone(),
            led: asked.via_service,
        });
    }

    /// Every end: each workload, and the addresses outside the cluster.
    fn everyone(&self) -> Vec<End> {
        let cluster = &self.graph.environment().cluster;
        let mut ends: Vec<End> = cluster
            .workloads()
            .filter(|(_, w)| !w.pods.is_empty())
            .map(|(workload, w)| End::pods(workload, w.pods.clone()))
            .collect();
        ends.push(End::Addresses {
            name: "outside".into(),
            set: IpSet::full(),
            symbolic: true,
        });
        ends
    }

    /// All ends, with the ports of another end.
    fn all_ends(&self, spec: &ScopedEnds) -> ScopedEnds {
        let resolved = Resolved {
            ends: self.everyone(),
            ..Resolved::default()
        };
        ScopedEnds {
            resolved,
            doubtful: BTreeSet::new(),
            spec: spec.spec.clone(),
        }
    }

    /// Only the listed ends reach an end.
    pub fn only_from(
        &mut self,
        scopes: &Scopes<'_>,
        spec: &OnlyFrom,
    ) -> Result<ClaimVerdict, Trouble> {
        let to = scopes.text(&spec.to)?;
        let listed = spec
            .from
            .texts()
            .iter()
            .map(|t| scopes.text(t))
            .collect::<Result<Vec<_>, _>>()?;
        let mut tally = ClaimTally::new();
        let everyone = self.all_ends(&to);
        let everyone = ScopedEnds {
            resolved: without_addresses(everyone.resolved, &listed),
            ..everyone
        };
        let source = |source: Endpoint| member(&listed, source);
        self.each_by(
            &everyone,
            &to,
            &ClaimLabels {
                source: &source,
                ..ClaimLabels::NONE
            },
            |judge, asked| {
                let permitted = match member(&listed, asked.source) {
                    Truth::Yes => return judge.pass(asked),
                    Truth::Maybe => false,
                    Truth::No => asked.certain,
                };
                if !judge.is_own_node(asked) {
                    let asked = AskedPair {
                        certain: permitted,
                        traffic: asked.traffic.clone(),
                        allowed: asked.allowed.clone(),
                        ..*asked
                    };
                    judge.refuse(&asked, &TrafficSet::empty(), &mut tally);
                }
            },
        )?;
        if spec.exactly {
            for from in &listed {
                self.each(from, &to, |_, asked| need(asked, &mut tally))?;
            }
        }
        Ok(tally.verdict())
    }

    /// Records the rules that let a pair pass.
    fn pass(&mut self, asked: &AskedPair<'_>) {
        let passes = asked.traffic.intersection(&asked.allowed.must);
        if !passes.is_empty() {
            self.exercise_pair(asked, &passes);
        }
    }

    /// An end reaches only the listed ends.
    pub fn only_to(&mut self, scopes: &Scopes<'_>, spec: &OnlyTo) -> Result<ClaimVerdict, Trouble> {
        let from = scopes.text(&spec.from)?;
        let listed = spec
            .to
            .texts()
            .iter()
            .map(|t| scopes.text(t))
            .collect::<Result<Vec<_>, _>>()?;
        let mut tally = ClaimTally::new();
        let mut everyone = self.all_ends(&from);
        everyone.spec.ports = None;
        let everyone = ScopedEnds {
            resolved: split_addresses(everyone.resolved, &listed),
            ..everyone
        };
        let mut wrong = None;
        let destination =
            |judge: &Judge<'_>, destination: Endpoint| judge.permitted(&listed, destination);
        let labels = ClaimLabels {
            destination: &destination,
            ..ClaimLabels::NONE
        };
        self.each_by(&from, &everyone, &labels, |judge, asked| {
            match judge.permitted(&listed, asked.destination) {
                Err(trouble) => wrong = Some(trouble),
                Ok(permitted) => {
                    judge.pass(&AskedPair {
                        traffic: permitted.clone(),
                        allowed: asked.allowed.clone(),
                        ..*asked
                    });
                    if !judge.is_own_node(asked) {
                        judge.refuse(asked, &permitted, &mut tally);
                    }
                }
            }
        })?;
        if spec.exactly {
            for to in &listed {
                self.each(&from, to, |_, asked| need(asked, &mut tally))?;
            }
        }
        wrong.map_or_else(|| Ok(tally.verdict()), Err)
    }

    /// The traffic that is permitted to a destination: the ports of every listed end it belongs to.
    pub(crate) fn permitted(
        &self,
        listed: &[ScopedEnds],
        destination: Endpoint,
    ) -> Result<TrafficSet, Trouble> {
        let mut permitted = TrafficSet::empty();
        for ends in listed {
            if member(std::slice::from_ref(ends), destination) == Truth::Yes {
                permitted = permitted.union(&self.traffic(ends, destination)?);
            }
        }
        Ok(permitted)
    }

    /// The internet reaches, and is reached from, only the listed ends. Pods that are not in the
    /// input and that no policy isolates are left aside: they are open to it wherever they come to
    /// be.
    pub fn internet(
        &mut self,
        scopes: &Scopes<'_>,
        spec: &Internet,
    ) -> Result<ClaimVerdict, Trouble> {
        let mut tally = ClaimTally::new();
        let internet = scopes.text("internet")?;
        let any = scopes.text("any")?;
        let mut wrong = None;
        if let Some(ingress) = &spec.ingress {
            let listed = ingress
                .texts()
                .iter()
                .map(|t| scopes.text(t))
                .collect::<Result<Vec<_>, _>>()?;
            self.each(&internet, &any, |judge, asked| {
                if judge.is_unloaded_and_open(asked.destination, Direction::Ingress) {
                    return;
                }
                match judge.permitted(&listed, asked.destination) {
                    Err(trouble) => wrong = Some(trouble),
                    Ok(permitted) => judge.refuse(asked, &permitted, &mut tally),
                }
            })?;
        }
        if let Some(egress) = &spec.egress {
            let listed = egress
                .texts()
                .iter()
                .map(|t| scopes.question(t))
                .collect::<Result<Vec<_>, _>>()?;
            let targets: Vec<ScopedEnds> = listed.iter().map(|(_, to)| to.clone()).collect();
            let internet = ScopedEnds {
                resolved: split_addresses(internet.resolved.clone(), &targets),
                ..internet.clone()
            };
            self.each(&any, &internet, |judge, asked| {
                if judge.is_unloaded_and_open(asked.source, Direction::Egress) {
                    return;
                }
                let of_source = listed.iter().filter(|(from, _)| {
                    member(std::slice::from_ref(from), asked.source) == Truth::Yes
                });
                let of_source: Vec<ScopedEnds> = of_source.map(|(_, to)| to.clone()).collect();
                match judge.permitted(&of_source, asked.destination) {
                    Err(trouble) => wrong = Some(trouble),
                    Ok(permitted) => judge.refuse(asked, &permitted, &mut tally),
                }
            })?;
        }
        wrong.map_or_else(|| Ok(tally.verdict()), Err)
    }
}

/// Records that all traffic asked about must pass.
fn need(asked: &AskedPair<'_>, tally: &mut ClaimTally) {
    let missing = asked.traffic.difference(&asked.allowed.must);
    let no = missing.difference(&asked.allowed.unknown());
    let truth = if missing.is_empty() {
        Truth::Yes
    } else {
        Truth::from(no.is_empty()).and(Truth::Maybe)
    };
    tally.add(truth, asked.certain, || Example::Flow {
        flow: asked.flow(&missing),
        wanted: true,
        asked: asked.traffic.clone(),
        led: asked.via_service,
    });
}

/// Whether an endpoint belongs to any of these ends.
fn member(listed: &[ScopedEnds], endpoint: Endpoint) -> Truth {
    let each = listed.iter().map(|ends| belongs_to(ends, endpoint));
    each.max().unwrap_or(Truth::No)
}

/// Whether an endpoint belongs to these ends.
fn belongs_to(ends: &ScopedEnds, endpoint: Endpoint) -> Truth {
    let contains = |end: &&End| match (end, endpoint) {
        (End::Pods { pods, .. }, Endpoint::Pod(p)) => pods.contains(&p),
        (End::Addresses { set, .. }, Endpoint::Address(a)) => set.contains(a),
        _ => false,
    };
    match ends.resolved.ends.iter().find(contains) {
        Some(end) if is_doubtful(ends, end) => Truth::Maybe,
        Some(_) => Truth::Yes,
        None => Truth::No,
    }
}

/// The address sets among these ends.
fn addresses(listed: &[ScopedEnds]) -> impl Iterator<Item = &IpSet> {
    listed
        .iter()
        .flat_map(|l| &l.resolved.ends)
        .filter_map(|e| {
            if let End::Addresses { set, .. } = e {
                Some(set)
            } else {
                None
            }
        })
}

/// The resolved ends without the listed addresses.
fn without_addresses(mut resolved: Resolved, listed: &[ScopedEnds]) -> Resolved {
    for end in &mut resolved.ends {
        if let End::Addresses { set, .. } = end {
            *set = addresses(listed).fold(set.clone(), |left, l| left.difference(l));
        }
    }
    resolved
}

/// The resolved ends with their addresses split at the borders of the listed ones, so that one
/// address stands for its block.
fn split_addresses(resolved: Resolved, listed: &[ScopedEnds]) -> Resolved {
    let mut ends = Vec::new();
    for end in resolved.ends {
        let End::Addresses {
            name,
            set,
            symbolic,
        } = end
        else {
            ends.push(end);
            continue;
        };
        let mut blocks = vec![set];
        for cut in addresses(listed) {
            blocks = blocks
                .iter()
                .flat_map(|b| [b.intersection(cut), b.difference(cut)])
                .filter(|b| !b.is_empty())
                .collect();
        }
        ends.extend(blocks.into_iter().map(|set| End::Addresses {
            name: name.clone(),
            set,
            symbolic,
        }));
    }
    Resolved { ends, ..resolved }
}
