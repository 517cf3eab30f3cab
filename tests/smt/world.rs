//! A world: what a question leaves open, as variables of SMT-LIB.
//!
//! Whatever the input does not tell (the address of a pod, the value of a label, the families of a
//! cluster, whom a domain name stands for) is a variable; a formula over them says what is allowed
//! in the cluster that they describe. Invariant: every cluster that fits the input is one of the
//! worlds. There may be worlds that no cluster is, where a fact is told twice by two variables;
//! that makes the proof demand more of an unknown answer, never less of a yes or a no.

use super::form::{Block, Entry, Kind, Prefix, bits, width};
use super::term::{Term, all, any, between};
use netpal::{Environment, Family, IpSet, Pod, PodId};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;

/// One end of a connection, by its role, so that two replicas of one template are two pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    pub role: &'static str,
    pub place: Place,
}

/// What stands at an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Pod(PodId),
    /// Some address of a family that is no pod's.
    Outside(Family),
}

/// What is known of an address.
enum Address {
    /// It is one of these.
    Known(Vec<(bool, u128)>),
    /// A variable.
    Open(bool, String),
    /// There is none of the family.
    Absent,
}

/// The name of the variable that stands for an outside address.
pub const OUTSIDE: &str = "address";

/// The variables and definitions of one question.
pub struct World {
    lines: Vec<String>,
    known: BTreeMap<String, Term>,
    /// Texts of labels; a value is its place here plus one, 0 is no value.
    texts: Vec<String>,
    named: usize,
    fresh: usize,
    outside: Option<Family>,
}

impl World {
    /// A question about some traffic, to or from some address where a family is given.
    pub fn new(outside: Option<Family>) -> Self {
        let mut world = Self {
            lines: vec![
                "(declare-const kind (_ BitVec 3))".into(),
                "(declare-const port (_ BitVec 16))".into(),
                "(assert (bvule kind #b101))".into(),
                "(assert (or (bvuge kind #b011) (bvuge port #x0001)))".into(),
                "(assert (or (bvult kind #b101) (bvule port #x00ff)))".into(),
            ],
            known: BTreeMap::new(),
            texts: Vec::new(),
            named: 0,
            fresh: 0,
            outside,
        };
        if let Some(family) = outside {
            let width = width(family == Family::V6);
            world.line(format!("(declare-const {OUTSIDE} (_ BitVec {width}))"));
        }
        world
    }

    /// The declarations and definitions so far.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Whether anything is open.
    pub fn is_open(&self) -> bool {
        !self.known.is_empty() || self.fresh > 0
    }

    fn line(&mut self, line: String) {
        self.lines.push(line);
    }

    /// A fact that is open: of one description there is one.
    pub fn fact(&mut self, what: &str) -> Term {
        self.variable(what, "Bool")
    }

    /// A fact that is open and no other one's.
    pub fn fresh_fact(&mut self, what: &str) -> Term {
        self.fresh += 1;
        self.fact(&format!("{what} #{}", self.fresh))
    }

    fn variable(&mut self, what: &str, sort: &str) -> Term {
        let name: String = what.chars().filter(|c| !matches!(c, '|' | '\\')).collect();
        if let Some(term) = self.known.get(&name) {
            return term.clone();
        }
        let term = Term::new(format!("|{name}|"));
        self.line(format!("(declare-const {} {sort})", term.text()));
        self.known.insert(name, term.clone());
        term
    }

    /// A short name for a term that is used more than once.
    pub fn named(&mut self, term: &Term) -> Term {
        if term.text().len() < 24 {
            return term.clone();
        }
        self.named += 1;
        let name = Term::new(format!("t{}", self.named));
        self.line(format!(
            "(define-fun {} () Bool {})",
            name.text(),
            term.text()
        ));
        name
    }

    /// Whether the traffic is one of an entry that names no port.
    pub fn traffic(entry: &Entry) -> Term {
        match entry {
            Entry::Range(kind, first, last) => all([
                Term::new(format!("(= kind {})", kind.constant())),
                match (*kind, first, last) {
                    (Kind::TCP | Kind::UDP | Kind::SCTP, 0 | 1, &u16::MAX) => Term::yes(),
                    _ if first > last => Term::no(), // S86
                    _ => between(&port(*first), "port", &port(*last)),
                },
            ]),
            Entry::WithoutPorts => Term::new("(bvuge kind #b011)"),
            Entry::Named(..) => Term::no(),
        }
    }

    /// The source's port, of which a question says nothing.
    pub fn source_port(&mut self, first: u16, last: u16) -> Term {
        let variable = self.variable("source port", "(_ BitVec 16)");
        between(&port(first), variable.text(), &port(last))
    }

    /// The number that stands for the text of a label.
    fn text(&mut self, text: &str) -> usize {
        let at = self.texts.iter().position(|t| t == text);
        1 + at.unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        })
    }

    /// Whether the value of a label that is not told is a text.
    pub fn label_is(&mut self, whose: &str, key: &str, text: &str) -> Term {
        let number = self.text(text);
        let label = self.label(whose, key);
        Term::new(format!("(= {} {})", label.text(), short(number)))
    }

    /// Whether a label that is not told is there.
    pub fn label_is_there(&mut self, whose: &str, key: &str) -> Term {
        let label = self.label(whose, key);
        Term::new(format!("(= {} {})", label.text(), short(0))).not()
    }

    /// Whether two have the same value of a label that is not told.
    pub fn same_label(&mut self, whose: [&str; 2], key: &str) -> Term {
        let [a, b] = whose.map(|whose| self.label(whose, key));
        Term::new(format!("(= {} {})", a.text(), b.text()))
    }

    /// That a label has one of these values, or may be absent.
    pub fn label_among(&mut self, whose: &str, key: &str, values: &[&str], absent: bool) {
        let about = format!("values of {whose} {key}");
        if self.known.contains_key(&about) {
            return;
        }
        let each: Vec<Term> = values
            .iter()
            .map(|v| self.label_is(whose, key, v))
            .collect();
        let is_there = self.label_is_there(whose, key);
        let told = if values.is_empty() {
            is_there.clone()
        } else {
            any(each)
        };
        let told = if absent {
            told.or(&is_there.not())
        } else {
            told
        };
        self.known.insert(about, Term::yes());
        self.line(format!("(assert {})", told.text()));
    }

    fn label(&mut self, whose: &str, key: &str) -> Term {
        self.variable(&format!("label {key} of {whose}"), "(_ BitVec 16)")
    }

    /// Whether an end has a family (S65): those of its addresses, else those of all pods of which
    /// no address is told. With an address the other end is taken to have its family.
    pub fn has_family(&mut self, env: &Environment, end: End, family: Family) -> Term {
        let id = match end.place {
            Place::Outside(own) => return Term::of(own == family),
            Place::Pod(id) => id,
        };
        let known = addresses_of(env, env.cluster.pod(id));
        if !known.is_empty() {
            return Term::of(known.iter().any(|a| Family::of(*a) == family));
        }
        let seen = seen_families(env);
        if seen.len() == 1 {
            return Term::of(seen[0] == family);
        }
        if self.outside.is_some() {
            return Term::yes();
        }
        let [four, six] = ["IPv4", "IPv6"].map(|f| self.fact(&format!("pods have {f}")));
        if !self.known.contains_key("families") {
            self.known.insert("families".into(), Term::yes());
            self.line(format!("(assert {})", four.or(&six).text()));
        }
        if family == Family::V4 { four } else { six }
    }

    /// The address of an end in a family (S35, S40, S58).
    fn address(&mut self, env: &Environment, end: End, family: Family) -> Address {
        let six = family == Family::V6;
        let pod = match end.place {
            Place::Outside(own) if own == family => return Address::Open(six, OUTSIDE.into()),
            Place::Outside(_) => return Address::Absent,
            Place::Pod(id) => env.cluster.pod(id),
        };
        let known = addresses_of(env, pod);
        if !known.is_empty() {
            let known = known.iter().map(|a| bits(*a)).filter(|(s, _)| *s == six);
            return Address::Known(known.collect());
        }
        let anywhere = pod.host_network || pod.own_network;
        let ranges = assumed(env);
        let ranges: Vec<Prefix> = ranges.into_iter().filter(|r| r.six == six).collect();
        if ranges.is_empty() && !anywhere {
            return Address::Absent;
        }
        let what = format!("address of the {} in {family:?}", end.role);
        let is_new = !self.known.contains_key(&what);
        let variable = self.variable(&what, &format!("(_ BitVec {})", width(six)));
        if is_new && !anywhere {
            let inside = ranges.iter().map(|range| begins(range, variable.text()));
            let inside = any(inside);
            self.line(format!("(assert {})", inside.text()));
        }
        Address::Open(six, variable.text().to_owned())
    }

    /// Whether an end's address lies in one of some blocks (S35-S39).
    pub fn inside(
        &mut self,
        env: &Environment,
        end: End,
        family: Family,
        blocks: &[Block],
    ) -> Term {
        let inside = match self.address(env, end, family) {
            Address::Absent => Term::no(),
            Address::Known(known) => {
                let has = |block: &Block, (six, bits): (bool, u128)| {
                    block.base.has(six, bits) && !block.except.iter().any(|e| e.has(six, bits))
                };
                Term::of(
                    known
                        .iter()
                        .any(|a| blocks.iter().any(|block| has(block, *a))),
                )
            }
            Address::Open(six, variable) => any(blocks
                .iter()
                .filter(|block| block.base.six == six)
                .map(|block| {
                    let except = block.except.iter().filter(|e| e.six == six);
                    let except = any(except.map(|e| begins(e, &variable)));
                    begins(&block.base, &variable).and(&except.not())
                })),
        };
        self.named(&inside)
    }

    /// Whether the outside address is one of these.
    pub fn outside_is(&mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Term {
        let six = self.outside == Some(Family::V6);
        let each = addresses
            .into_iter()
            .map(Prefix::of)
            .filter(|p| p.six == six);
        any(each.map(|prefix| begins(&prefix, OUTSIDE)))
    }

    /// Whether the outside address lies in a set that an option names.
    pub fn outside_in(&mut self, set: &IpSet) -> Term {
        let six = self.outside == Some(Family::V6);
        let blocks = super::lowered::blocks(set).into_iter();
        any(blocks
            .filter(|b| b.base.six == six)
            .map(|b| begins(&b.base, OUTSIDE)))
    }

    /// Whether the outside address is one that is used inside of clusters.
    pub fn outside_is_private(&self) -> Term {
        let six = self.outside == Some(Family::V6);
        let each = private().into_iter().filter(|prefix| prefix.six == six);
        any(each.map(|prefix| begins(&prefix, OUTSIDE)))
    }

    /// Whether the outside address lies between two.
    pub fn outside_between(first: IpAddr, last: IpAddr) -> Term {
        let (six, first) = bits(first);
        between(&constant(six, first), OUTSIDE, &constant(six, bits(last).1))
    }
}

/// Whether an address, which is a variable, begins as a prefix does.
fn begins(prefix: &Prefix, variable: &str) -> Term {
    let (width, length) = (width(prefix.six), prefix.length);
    if length == 0 {
        return Term::yes();
    }
    let (last, free) = (width - 1, width - length);
    let bits = prefix.bits.checked_shr(free).unwrap_or(0);
    let mut constant = String::from("#b");
    for at in (0..length).rev() {
        let _ = write!(constant, "{}", bits >> at & 1);
    }
    Term::new(format!(
        "(= ((_ extract {last} {free}) {variable}) {constant})"
    ))
}

fn constant(six: bool, bits: u128) -> String {
    if six {
        format!("#x{bits:032x}")
    } else {
        format!("#x{bits:08x}")
    }
}

fn port(port: u16) -> String {
    format!("#x{port:04x}")
}

fn short(number: usize) -> String {
    format!("#x{number:04x}")
}

/// The addresses that are told of a pod: its own, else those of the node whose network it shares.
fn addresses_of<'e>(env: &'e Environment, pod: &'e Pod) -> &'e [IpAddr] {
    if !pod.addresses.is_empty() || !pod.host_network {
        return &pod.addresses;
    }
    let node = pod
        .node
        .as_deref()
        .and_then(|name| env.cluster.find_node(name));
    node.map_or(&[], |node| &node.addresses)
}

/// Where addresses lie that are used inside of clusters.
fn private() -> Vec<Prefix> {
    let texts = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
    ];
    texts.iter().filter_map(|text| Prefix::read(text)).collect()
}

/// Where the address of a pod lies that is not told (S40, S58).
fn assumed(env: &Environment) -> Vec<Prefix> {
    match &env.options.pod_cidrs {
        Some(told) => super::lowered::blocks(told)
            .iter()
            .map(|b| b.base)
            .collect(),
        None => private(),
    }
}

/// The families that the input shows of the pods on the pod network (S65).
fn seen_families(env: &Environment) -> Vec<Family> {
    let has = |family: &Family| {
        if env.options.pod_cidrs.is_some() {
            return assumed(env)
                .iter()
                .any(|p| p.six == (*family == Family::V6));
        }
        let pods = env.cluster.pods().filter(|(_, pod)| !pod.host_network);
        let mut of_pods = pods.flat_map(|(_, pod)| pod.addresses.iter());
        let services = env.cluster.services();
        let mut of_services = services.flat_map(|(_, service)| service.families.iter());
        of_pods.any(|a| Family::of(*a) == *family) || of_services.any(|f| f == family)
    };
    Family::ALL.into_iter().filter(has).collect()
}
