//! Code frames: the lines of a manifest that decided, with a word under each part that matters.
//!
//! Only a few lines around the parts are handed on, so a frame costs nothing in a large file. Text
//! from a manifest has its control and bidirectional characters replaced before it is drawn.

use crate::model::Truth;
use crate::policy::PolicyId;
use crate::policy::{PolicySet, RuleRef};
use crate::query::explain::explanation::{Explanation, ExplanationSide, PeerTrace, RuleTrace};
use crate::render::mismatch;
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::source::{Excerpt, FileId, Origin, Span, Text as FileText};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// How many parts of one rule are marked.
const MARKS: usize = 6;

/// Draws the frames of a walk.
pub(crate) struct Frames<'a> {
    pub text: &'a TextWriter<'a>,
    pub policies: &'a PolicySet,
}

/// One part of a manifest and what is said under it.
pub(crate) struct Mark {
    pub origin: Origin,
    pub label: String,
    pub primary: bool,
}

impl Frames<'_> {
    /// The frame of one side, where a rule decided it or nearly did.
    pub fn of(&self, side: &ExplanationSide, walk: &Explanation) -> Option<String> {
        let denies = !side.allowed.possible();
        match (side.allowed, &side.near) {
            (Truth::Maybe, _) if !side.doubts.is_empty() => {
                let marks = side
                    .doubts
                    .iter()
                    .take(MARKS)
                    .map(|d| self.doubt(side, d))
                    .collect();
                self.frame(Level::NOTE, "this is what cannot be told", marks)
            }
            _ if side.decided_by.is_some() && (denies || walk.allowed.possible()) => {
                self.decided(side)
            }
            (Truth::No, Some(near)) => self.near(side, near),
            (Truth::No, None) => self.isolated(side),
            _ => None,
        }
    }

    fn decided(&self, side: &ExplanationSide) -> Option<String> {
        let at = side.decided_by?;
        let verb = if side.allowed.possible() {
            "lets it through"
        } else {
            "blocks it"
        };
        let graph = self.text.context.graph;
        let title = format!("{} {verb}", words::rule(graph, at));
        let verb_here = if side.allowed.possible() {
            "admits"
        } else {
            "denies"
        };
        let label = format!("{verb_here} {}", words::admits(graph, at));
        let mark = Mark {
            origin: self.policies.get(at.policy).origin(at),
            label,
            primary: true,
        };
        self.frame(Level::NOTE, &title, vec![mark])
    }

    /// The rule that came closest, with every peer of it that does not match.
    fn near(&self, side: &ExplanationSide, near: &RuleTrace) -> Option<String> {
        let policy = self.policies.get(near.at.policy);
        let rule = self.policies.rule(near.at);
        let mut marks = Vec::new();
        for peer in near.peers.iter().take(MARKS) {
            let label = match peer.matched {
                Truth::Yes => "matches".to_owned(),
                _ => self.mismatches(side, peer),
            };
            marks.push(Mark {
                origin: policy.origin(peer.at),
                label,
                primary: peer.matched != Truth::Yes,
            });
        }
        if !near.ports {
            let label = format!("allows only {}", words::ports(rule));
            let one = matches!(&rule.ports, crate::policy::Ports::Of(list) if list.len() == 1);
            let at = if one {
                RuleRef {
                    peer: None,
                    port: Some(0),
                    ..near.at
                }
            } else {
                near.at
            };
            marks.push(Mark {
                origin: policy.origin(at),
                label,
                primary: true,
            });
        }
        if marks.is_empty() {
            return None;
        }
        let title = format!(
            "{} comes closest and does not match",
            words::rule(self.text.context.graph, near.at)
        );
        self.frame(Level::NOTE, &title, marks)
    }

    /// Nothing came close: the selectors that isolate.
    fn isolated(&self, side: &ExplanationSide) -> Option<String> {
        let marks: Vec<Mark> = side
            .isolated_by
            .iter()
            .take(1)
            .map(|id| self.isolating(side, *id))
            .collect();
        let by = words::policy(self.text.context.graph, *side.isolated_by.first()?);
        self.frame(
            Level::NOTE,
            &format!("{by} lets nothing through, and no other policy does"),
            marks,
        )
    }

    fn isolating(&self, side: &ExplanationSide, id: PolicyId) -> Mark {
        let policy = self.policies.get(id);
        let label = format!(
            "isolates {}",
            words::name_of(self.text.context, side.subject)
        );
        Mark {
            origin: policy.subject_origin(),
            label,
            primary: true,
        }
    }

    fn doubt(&self, side: &ExplanationSide, doubt: &PeerTrace) -> Mark {
        let origin = self.policies.get(doubt.at.policy).origin(doubt.at);
        Mark {
            origin,
            label: self.mismatches(side, doubt),
            primary: true,
        }
    }

    fn mismatches(&self, side: &ExplanationSide, peer: &PeerTrace) -> String {
        let why = |m| mismatch::had(self.text.context, m, side.peer);
        peer.mismatches
            .iter()
            .map(why)
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// Draws marks of one file; those of other files are left out.
    pub fn frame(&self, level: Level<'static>, title: &str, marks: Vec<Mark>) -> Option<String> {
        let locator = self.text.context.locator;
        let found: Vec<(FileId, Span, &Mark)> = marks
            .iter()
            .filter_map(|m| locator.span(&m.origin).map(|(f, s)| (f, s, m)))
            .collect();
        let (file_id, at, mark) = found.first()?;
        let file = locator.sources().file(*file_id)?;
        let told = |m: &Mark, at| locator.sources().location(m.origin.document, at);
        let place = told(mark, at.at)?;
        // lines of an object in a cluster are counted from its own first
        let earlier = at.at.line.saturating_sub(place.at.line) as usize;
        let found: Vec<(Span, &Mark)> = found
            .iter()
            .filter(|(_, s, m)| told(m, s.at).is_some_and(|p| p.file == place.file))
            .map(|(_, s, m)| (*s, *m))
            .collect();
        let (around, found) = placed(&file.text, found)?;
        let cut = FrameCut::around(&around, &found);
        let path = words::clean(&place.file).into_owned();
        let annotation = |(span, mark): &(Span, &Mark)| {
            let kind = if mark.primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let range = cut.range(&around.text, *span);
            let room = cut.room(&range, self.text.width);
            kind.span(range).label(shortened(&mark.label, room))
        };
        let snippet = Snippet::source(cut.text.as_str())
            .line_start(cut.line.saturating_sub(earlier).max(1))
            .path(path.as_str())
            .fold(false);
        let snippet = snippet.annotations(found.iter().map(annotation));
        let group = Group::with_title(level.primary_title(title)).element(snippet);
        let renderer = if self.text.style.colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let drawn = renderer.term_width(self.text.width).render(&[group]);
        Some(
            drawn
                .lines()
                .map(str::trim_end)
                .collect::<Vec<_>>()
                .join("\n"),
        )
    }
}

/// The text around marks, and where they stand in it; far apart, the text around the first.
fn placed<'t, 'm>(
    text: &'t FileText,
    marks: Vec<(Span, &'m Mark)>,
) -> Option<(Excerpt<'t>, Vec<(Span, &'m Mark)>)> {
    let first = marks.iter().map(|(s, _)| *s).min_by_key(|s| s.start)?;
    let near = marks
        .iter()
        .map(|(s, _)| s)
        .filter(|s| s.at.line.abs_diff(first.at.line) < FAR);
    let last = near
        .map(|s| s.end.max(s.start))
        .max()
        .unwrap_or(first.start);
    let around = text.excerpt(first.start..last, 2, 1)?;
    let moved = |s: Span| Span {
        start: s.start - around.start,
        end: s.end.max(s.start) - around.start,
        ..s
    };
    let marks = marks.into_iter().map(|(s, m)| (moved(s), m)).collect();
    Some((around, marks))
}

/// Marks further apart than this many lines are not drawn together.
const FAR: u32 = 40;

/// A few lines of a file, cleaned.
struct FrameCut {
    text: String,
    start: usize,
    line: usize,
}

impl FrameCut {
    /// The lines of these spans, from two before the first to one after the last; far apart, only
    /// those of the first.
    fn around(around: &Excerpt<'_>, marks: &[(Span, &Mark)]) -> Self {
        let text = &*around.text;
        let first = marks.iter().map(|(s, _)| s.start).min().unwrap_or(0);
        let near = |at: usize| {
            text.get(first..at)
                .is_some_and(|t| t.matches('\n').count() < FAR as usize)
        };
        let last = marks
            .iter()
            .map(|(s, _)| s.start)
            .filter(|at| near(*at))
            .max()
            .unwrap_or(first);
        let start = nth_line_start(text, first, 2);
        let end = text
            .get(last..)
            .and_then(|t| t.match_indices('\n').nth(1))
            .map_or(text.len(), |(i, _)| last + i);
        let line = match marks.iter().min_by_key(|(s, _)| s.start) {
            Some((span, _)) if around.start > 0 => {
                span.at.line as usize
                    - text
                        .get(start..span.start)
                        .map_or(0, |t| t.matches('\n').count())
            }
            _ => text.get(..start).map_or(1, |t| t.matches('\n').count() + 1),
        };
        let text = text.get(start..end).unwrap_or_default();
        Self {
            text: text.chars().map(harmless).collect(),
            start,
            line,
        }
    }

    /// How wide a label under this range may be.
    fn room(&self, range: &std::ops::Range<usize>, width: usize) -> usize {
        let before = self.text.get(..range.end).unwrap_or_default();
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count());
        let numbers = (self.line + 40).to_string().len() + 4;
        width.saturating_sub(column + numbers).max(24)
    }

    /// A span in the cut's own bytes, to the end of its first word at most: what is there, not
    /// how much of it.
    fn range(&self, text: &str, span: Span) -> std::ops::Range<usize> {
        let moved = |at: usize| {
            let before = text.get(self.start..at).unwrap_or_default();
            before
                .chars()
                .map(|c| harmless(c).len_utf8())
                .sum::<usize>()
                .min(self.text.len())
        };
        let ends = |c: char| c.is_whitespace() || matches!(c, ':' | ',' | '}' | ']');
        let inside = |t: &str| {
            t.char_indices()
                .skip(1)
                .find(|(_, c)| ends(*c))
                .map(|(i, _)| i)
        };
        let line = text
            .get(span.start..)
            .and_then(inside)
            .map_or(text.len(), |i| span.start + i);
        let end = span.end.clamp(span.start, line);
        let (start, end) = (moved(span.start), moved(end));
        start..end.max(start)
    }
}

/// A label that fits; the walk above the frame has the whole of it.
fn shortened(label: &str, room: usize) -> String {
    if label.chars().count() <= room {
        return label.to_owned();
    }
    label
        .chars()
        .take(room.saturating_sub(1))
        .chain(['…'])
        .collect()
}

/// The start of the line `n` lines above the one that holds `at`.
fn nth_line_start(text: &str, at: usize, n: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rmatch_indices('\n').nth(n).map_or(0, |(i, _)| i + 1)
}

fn harmless(c: char) -> char {
    let shown = c == '\n' || words::clean(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8();
    match c {
        '\t' => ' ',
        _ if shown => c,
        _ => '\u{fffd}',
    }
}
