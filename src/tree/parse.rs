//! One chunk of a file to a tree: JSON where it starts with a brace, YAML otherwise.

use crate::source::Span;
use crate::tree::chunk::Chunk;
use crate::tree::json;
use crate::tree::node::shift_node;
use crate::tree::problem::{Parsed, ProblemKind};
use crate::tree::split::{is_template_start, looks_like_json};
use crate::tree::yaml;

/// Reads one chunk of a file. Spans are relative to the file.
pub fn parse(text: &str, chunk: &Chunk) -> Parsed {
    text.get(chunk.start..chunk.end)
        .map(|part| parse_part(part, chunk))
        .unwrap_or_default()
}

/// Reads one chunk of a file, given alone. Spans are relative to the file.
pub fn parse_part(part: &str, chunk: &Chunk) -> Parsed {
    parse_aliased(part, chunk, yaml::MAX_ALIASED)
}

/// The same, unless the aliases of the chunk expand to many nodes: such a chunk is to be read
/// alone.
pub fn parse_frugally(text: &str, chunk: &Chunk) -> Option<Parsed> {
    let part = text.get(chunk.start..chunk.end).unwrap_or_default();
    let parsed = parse_aliased(part, chunk, yaml::FEW_ALIASED);
    let gave_up = parsed
        .problems
        .iter()
        .any(|p| p.message == yaml::TOO_MANY_ALIASED);
    (!gave_up).then_some(parsed)
}

fn parse_aliased(part: &str, chunk: &Chunk, aliased: usize) -> Parsed {
    let start = part.trim_start_matches('\u{feff}').trim_start();
    let parsed = if start.starts_with('{') && !is_template_start(part) {
        json_or_yaml(part, aliased)
    } else {
        yaml::parse_up_to(part, aliased)
    };
    shift(parsed, chunk)
}

/// A text that starts with a brace: JSON, or YAML in flow style, as kubectl tries it where it is no
/// JSON.
fn json_or_yaml(part: &str, aliased: usize) -> Parsed {
    let parsed = json::parse(part);
    if parsed.root.is_some() || parsed.problems.iter().any(|p| p.kind == ProblemKind::Limit) {
        return parsed;
    }
    let flow = yaml::parse_up_to(part, aliased);
    let gave_up = flow
        .problems
        .iter()
        .any(|p| p.message == yaml::TOO_MANY_ALIASED);
    if flow.root.is_some() || gave_up || !looks_like_json(part) {
        flow
    } else {
        parsed
    }
}

fn shift_span(span: &mut Span, chunk: &Chunk) {
    span.start += chunk.start;
    span.end += chunk.start;
    if span.at.line == 1 {
        span.at.column += chunk.column - 1;
    }
    span.at.line += chunk.line - 1;
}

/// Moves spans from the chunk's coordinates to the file's.
fn shift(mut parsed: Parsed, chunk: &Chunk) -> Parsed {
    if chunk.start == 0 && chunk.line == 1 && chunk.column == 1 {
        return parsed;
    }
    let span = |s: &mut Span| shift_span(s, chunk);
    if let Some(root) = &mut parsed.root {
        shift_node(root, &span);
    }
    for problem in &mut parsed.problems {
        span(&mut problem.span);
        problem.related.iter_mut().for_each(|(s, _)| span(s));
    }
    parsed
}
