//! The text of an answer: the verdict and both ends first, then the reason.

use crate::diagnostic::Place;
use crate::finding::Finding;
use crate::query::ask::resolve::Note;
use crate::query::{Answer, Pair, Verdict};
use crate::render::context::Names;
use crate::render::text::side_sentence::blocked;
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::set::TrafficSet;
use std::io::{self, Write};

impl TextWriter<'_> {
    /// The answer of `can`.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn answer(&self, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
        self.notes(answer, out)?;
        match answer.pairs.as_slice() {
            [] => self.nothing(answer, out),
            [pair] if answer.missing.is_empty() => self.pair(answer, pair, out),
            pairs => self.many(answer, pairs, out),
        }
    }

    /// How the ends were understood.
    pub(crate) fn notes(&self, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
        for note in answer
            .notes
            .iter()
            .filter(|n| !matches!(n, Note::Service(_)))
        {
            writeln!(out, "{}", self.style.dim(&self.note(note)))?;
        }
        Ok(())
    }

    /// The verdict and the two ends.
    pub(crate) fn head(&self, answer: &Answer, pair: &Pair) -> String {
        let from = words::end(self.cluster(), &pair.source);
        format!(
            "{} {from} -> {}",
            self.style.verdict(pair.verdict),
            self.destination(answer, pair)
        )
    }

    pub(crate) fn nothing(&self, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
        let (from, to) = (
            words::clean(&answer.question.source.text),
            words::clean(&answer.question.destination.text),
        );
        writeln!(out, "{} {from} -> {to}", self.style.verdict(answer.verdict))?;
        let mut told = false;
        for missing in &answer.missing {
            let code = if answer.no_backend {
                "NO_BACKEND: "
            } else {
                ""
            };
            writeln!(out, "     {code}{}", words::clean(missing))?;
            told = true;
        }
        if !told {
            writeln!(
                out,
                "     no pod is involved: policies govern pods, not traffic between outside addresses"
            )?;
        }
        Ok(())
    }

    pub(crate) fn pair(&self, answer: &Answer, pair: &Pair, out: &mut dyn Write) -> io::Result<()> {
        let explanation = pair.explain(self.context.graph);
        let names = Names::of_pair(self.context.graph, pair, &[pair.example]);
        let named = self.naming(&names);
        writeln!(
            out,
            "{}{}",
            self.head(answer, pair),
            blocked(&explanation, pair.verdict)
        )?;
        if pair.asked.is_empty() {
            writeln!(out, "     no pod there has such a port name")?;
            return Ok(());
        }
        if pair.verdict == Verdict::Partly {
            self.partly(pair, out)?;
        }
        named.sides(&explanation, pair.verdict, out)?;
        if !pair.networks.is_empty() {
            let names = words::clean(&pair.networks.join(", ")).into_owned();
            writeln!(out, "     on network {names}")?;
        }
        if let Some(led) = pair.led {
            self.led(5, led, explanation.led.is_some(), out)?;
        }
        if answer.question.destination.ports.is_none()
            && pair.verdict != Verdict::Partly
            && answer.notes.is_empty()
        {
            let about = if pair.asked.is_all() {
                "no port was named: the answer is about every port and protocol".to_owned()
            } else {
                format!(
                    "no port was named: asked on {}",
                    words::traffic(&pair.asked)
                )
            };
            writeln!(out, "     {}", self.style.dim(&about))?;
        }
        Ok(())
    }

    /// `data/database:5432/TCP`, with the Service it was asked by.
    pub(crate) fn destination(&self, answer: &Answer, pair: &Pair) -> String {
        let end = words::end(self.cluster(), &pair.destination);
        let service = answer.notes.iter().find_map(|n| {
            if let Note::Service(s) = n {
                Some(*s)
            } else {
                None
            }
        });
        let with_port = |name: String| match (&answer.question.destination.ports, service) {
            (None, None) => name,
            _ if pair.asked.is_empty() => name,
            _ if name.contains(':') => format!("[{name}]:{}", words::traffic(&pair.asked)),
            _ => format!("{name}:{}", words::traffic(&pair.asked)),
        };
        match service {
            None => with_port(end),
            Some(id) => {
                let s = self.cluster().service(id);
                let ports = answer
                    .question
                    .destination
                    .ports
                    .iter()
                    .flatten()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(",");
                let ports = ports.strip_suffix("/TCP").unwrap_or(&ports).to_owned();
                let colon = if ports.is_empty() { "" } else { ":" };
                let name = format!("{}/{}", self.cluster().namespace(s.namespace).name, s.name);
                format!(
                    "svc {}{colon}{ports} => {}",
                    words::clean(&name),
                    with_port(end)
                )
            }
        }
    }

    pub(crate) fn partly(&self, pair: &Pair, out: &mut dyn Write) -> io::Result<()> {
        if !pair.parts.is_empty() {
            return self.parts(pair, out);
        }
        let possible = &pair.allowed.may;
        traffic_line(out, "allowed", &pair.asked.intersection(&pair.allowed.must))?;
        traffic_line(
            out,
            "unknown",
            &pair.asked.intersection(&pair.allowed.unknown()),
        )?;
        traffic_line(out, "blocked", &pair.asked.difference(possible))
    }

    pub(crate) fn note(&self, note: &Note) -> String {
        let cluster = self.cluster();
        let name = |id| words::clean(&cluster.workload_name(id)).into_owned();
        match note {
            Note::PodAddress(net, workload) => {
                format!("{} is a pod of {}", net.addr(), name(*workload))
            }
            Note::ServiceAddress(net, service) => {
                format!(
                    "{} is the address of Service {}",
                    net.addr(),
                    words::clean(&cluster.service(*service).name)
                )
            }
            Note::NodeAddress(net, node) => format!(
                "{} is an address of node {}",
                net.addr(),
                words::clean(node)
            ),
            Note::ApiServerSomewhere => {
                "the address of the API server is not told: it is taken to be one address that is no pod \
                 (cluster.apiserver in netpal.yaml, or EndpointSlice default/kubernetes, tells it)"
                    .to_owned()
            }
            Note::PodName(pod, workload) => {
                format!("{} is a pod of {}", words::clean(pod), name(*workload))
            }
            Note::Service(service) => {
                format!("Service {}", words::clean(&cluster.service(*service).name))
            }
            Note::Alias(from, to) => {
                let [from, to] = [from, to].map(|id| {
                    let service = cluster.service(*id);
                    let namespace = &cluster.namespace(service.namespace).name;
                    words::clean(&format!("{namespace}/{}", service.name)).into_owned()
                });
                format!("Service {from} stands for the name of Service {to}")
            }
            Note::NodePort(service, asked, port) => {
                let name = words::clean(&cluster.service(*service).name);
                format!("{asked} is the nodePort of Service {name} for {port}")
            }
            Note::PortOfService(service, asked, port) => {
                let service = cluster.service(*service);
                let namespace = words::clean(&cluster.namespace(service.namespace).name);
                let name = words::clean(&service.name);
                let what = if asked == port { "port" } else { "nodePort" };
                format!(
                    "{asked} is a {what} of Service {namespace}/{name}: for the pods behind it ask {namespace}/svc/{name}:{port}"
                )
            }
        }
    }

    /// What lint says of the rule that decided, on one line.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn hint(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let place = match &finding.place {
            Place::Origin(origin) => self.place(origin),
            Place::At(location) => words::clean(&location.to_string()).into_owned(),
            Place::Input => String::new(),
        };
        let help = finding
            .help
            .as_ref()
            .map_or_else(String::new, |h| format!("; {}", words::clean(h)));
        writeln!(
            out,
            "hint {} {place}  {}{help}",
            finding.rule,
            words::clean(&finding.message)
        )
    }
}

/// One line of traffic, unless there is none.
fn traffic_line(out: &mut dyn Write, word: &str, set: &TrafficSet) -> io::Result<()> {
    if set.is_empty() {
        Ok(())
    } else {
        writeln!(out, "     {word:<9}{}", words::traffic(set))
    }
}
