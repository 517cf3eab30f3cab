//! Suppressions: annotations and comments that accept a finding, with a reason.
//!
//! `netpal.dev/ignore: "NP202 payment provider, SEC-412"` on an object suppresses the rule for the
//! whole object; several rules are separated by commas, several entries by semicolons. `# netpal:
//! ignore NP202 -- reason` suppresses it for its own line; on a line without anything else, for the
//! next line and everything below that is indented further; before the first line of a document,
//! for the document. Invariant: a suppression without a reason suppresses nothing. Only documents
//! whose text contains the word are examined. Cost: O(text of those documents).

use crate::diagnostic::Place;
use crate::finding::{Finding, Fingerprint, Severity};
use crate::lint::context::LintContext;
use crate::lint::registry::LINTS;
use crate::source::{DocumentId, FileId, Location, Origin, Path, Position};
use crate::tree::SyntaxNode;
use std::ops::RangeInclusive;

/// The annotation.
pub const ANNOTATION: &str = "netpal.dev/ignore";

/// What a comment that suppresses says.
const MARK: &str = "netpal: ignore";

/// A suppression of one rule.
#[derive(Debug, Clone)]
pub struct Suppression {
    /// The rule it names.
    pub rule: Box<str>,
    /// The reason; empty when none is given.
    pub reason: Box<str>,
    /// Where it is written.
    place: Place,
    file: FileId,
    /// The document that it covers, if it covers a whole one.
    document: Option<DocumentId>,
    /// The lines of the file that it covers otherwise.
    lines: RangeInclusive<u32>,
}

/// Every suppression in the documents of the policies that are examined.
pub fn collect(context: &LintContext<'_>) -> Vec<Suppression> {
    let mut suppressions = Vec::new();
    for (_, policy) in context
        .policies
        .iter()
        .filter(|(id, _)| context.is_examined(*id))
    {
        let Some((document, text)) = context.input.sources.chunk(policy.document) else {
            continue;
        };
        if !context.text_contains(policy.document, "netpal") {
            continue;
        }
        annotation(context, policy.document, document.file, &mut suppressions);
        if document.base.is_root() {
            comments(
                context,
                document.file,
                document.begins.line,
                &text,
                &mut suppressions,
            );
        }
    }
    suppressions
}

/// The suppressions of a document's annotation.
fn annotation(
    context: &LintContext<'_>,
    document: DocumentId,
    file: FileId,
    suppressions: &mut Vec<Suppression>,
) {
    let path = Path::root()
        .key("metadata")
        .key("annotations")
        .key(ANNOTATION);
    let Some(node) = context.locator.node(document) else {
        return;
    };
    let Some(text) = node.at(&path).and_then(SyntaxNode::as_str) else {
        return;
    };
    let place = Place::Origin(Origin::new(document, path));
    for entry in text.split(';') {
        for (rule, reason) in parse_entry(entry) {
            suppressions.push(Suppression {
                rule,
                reason,
                place: place.clone(),
                file,
                document: Some(document),
                lines: 0..=u32::MAX,
            });
        }
    }
}

/// The rules of an entry, each with the reason: `NP202, NP203 -- reason` or `NP202 reason`.
fn parse_entry(text: &str) -> Vec<(Box<str>, Box<str>)> {
    let is_rule = |word: &str| {
        word.len() == 5 && word.starts_with("NP") && word[2..].bytes().all(|b| b.is_ascii_digit())
    };
    let between = [' ', ',', '\t', '\n'];
    let mut rest = text.trim_start_matches(between);
    let mut rules: Vec<&str> = Vec::new();
    while let Some(word) = rest.split(between).next().filter(|word| is_rule(word)) {
        rules.push(word);
        rest = rest[word.len()..].trim_start_matches(between);
    }
    let words: Vec<&str> = rest.split_whitespace().collect();
    let words = words.iter().skip_while(|word| **word == "--").copied();
    let reason = words.collect::<Vec<_>>().join(" ");
    rules
        .into_iter()
        .map(|r| (r.into(), reason.as_str().into()))
        .collect()
}

/// The suppressions in the comments of a text that begins on line `first` of a file.
fn comments(
    context: &LintContext<'_>,
    file: FileId,
    first: u32,
    text: &str,
    suppressions: &mut Vec<Suppression>,
) {
    let lines: Vec<&str> = text.lines().collect();
    let name = context
        .input
        .sources
        .file(file)
        .map(|f| f.name.clone())
        .unwrap_or_default();
    for (i, line) in lines.iter().enumerate() {
        let Some(mark) = line.find(MARK) else {
            continue;
        };
        let Some(hash) = line.get(..mark).and_then(|l| l.rfind('#')) else {
            continue;
        };
        let alone = line.get(..hash).is_some_and(|l| l.trim().is_empty());
        let covered = if alone {
            block(&lines, i)
        } else {
            nested(&lines, i)
        };
        let number = |n: usize| first.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        let column = u32::try_from(hash + 1).unwrap_or(1);
        for (rule, reason) in parse_entry(line.get(mark + MARK.len()..).unwrap_or_default()) {
            suppressions.push(Suppression {
                rule,
                reason,
                place: Place::At(Location {
                    file: name.clone(),
                    at: Position {
                        line: number(i),
                        column,
                    },
                }),
                file,
                document: None,
                lines: number(*covered.start())..=number(*covered.end()),
            });
        }
    }
}

/// Whether a line is more than a comment, a separator or blank.
fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#') && !line.starts_with("---")
}

/// The lines that a comment covers that is alone on its line.
fn block(lines: &[&str], line: usize) -> RangeInclusive<usize> {
    let before = lines.iter().take(line).any(|l| is_content(l));
    match lines.iter().skip(line).position(|l| is_content(l)) {
        Some(next) if before => nested(lines, line + next),
        _ => line..=lines.len(),
    }
}

/// A line and the lines below it that are indented further. What follows a dash counts as indented
/// like the dash.
fn nested(lines: &[&str], line: usize) -> RangeInclusive<usize> {
    let indent = |l: &str| l.len() - l.trim_start().len();
    let own_indent = lines.get(line).map_or(0, |l| indent(l));
    let inner = lines
        .iter()
        .skip(line + 1)
        .take_while(|l| !is_content(l) || indent(l) > own_indent)
        .count();
    line..=line + inner
}

/// Marks the findings that suppressions cover, and returns findings about the unused suppressions.
pub(crate) fn cover(
    context: &LintContext<'_>,
    suppressions: &[Suppression],
    findings: &mut [Finding],
) -> Vec<Finding> {
    let mut used = vec![false; suppressions.len()];
    if !suppressions.is_empty() {
        for finding in findings.iter_mut() {
            let covering =
                (0..suppressions.len()).find(|i| covers(context, &suppressions[*i], finding));
            if let Some(i) = covering {
                used[i] = true;
                finding.suppressed = Some(suppressions[i].reason.clone());
            }
        }
    }
    let unused = suppressions.iter().zip(used).filter(|(_, used)| !used);
    unused
        .filter_map(|(s, _)| unused_finding(context, s))
        .collect()
}

/// Whether a suppression covers a finding.
fn covers(context: &LintContext<'_>, suppression: &Suppression, finding: &Finding) -> bool {
    if *suppression.rule != *finding.rule || suppression.reason.is_empty() {
        return false;
    }
    let Place::Origin(origin) = &finding.place else {
        return false;
    };
    if let Some(document) = suppression.document {
        return document == origin.document;
    }
    let span = context.locator.span(origin);
    span.is_some_and(|(file, span)| {
        file == suppression.file && suppression.lines.contains(&span.at.line)
    })
}

/// The finding about a suppression that covered nothing; `None` when its rule was not selected.
fn unused_finding(context: &LintContext<'_>, suppression: &Suppression) -> Option<Finding> {
    let rule = &suppression.rule;
    let lint = LINTS.iter().find(|l| *l.id == **rule);
    let unused = LINTS.iter().find(|l| l.id == "NP900")?;
    let message = match lint {
        None => format!("`{rule}` is not a rule"),
        Some(_) if suppression.reason.is_empty() => {
            format!("the suppression of {rule} gives no reason, so it does not count")
        }
        Some(lint) if context.config.selects(lint) => {
            format!("nothing here is a finding of {rule}")
        }
        Some(_) => return None,
    };
    let mut finding = Finding::new(unused.id, unused.name, suppression.place.clone(), message)
        .severity(Severity::Warning);
    finding.fingerprint = Fingerprint {
        peer: rule.clone(),
        ..Fingerprint::default()
    };
    if let Place::Origin(origin) = &suppression.place {
        finding.fingerprint.path = origin.path.to_string().into();
    }
    Some(finding.help("write `# netpal: ignore NP000 -- reason`, or take it out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suppression_names_rules_and_a_reason() {
        let parsed = |text: &str| {
            parse_entry(text)
                .into_iter()
                .map(|(r, why)| format!("{r}:{why}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(parsed(" NP202 -- agreed"), ["NP202:agreed"]);
        assert_eq!(
            parsed("NP202, NP203 payment provider"),
            ["NP202:payment provider", "NP203:payment provider"]
        );
        assert_eq!(parsed("NP202"), ["NP202:"]);
        assert!(parsed("everything").is_empty());
    }

    #[test]
    fn a_comment_covers_the_block_below_it() {
        let lines = ["a:", "# x", "- b:", "    c: 1", "- d: 2"];
        assert_eq!(block(&lines, 1), 2..=3);
        assert_eq!(nested(&lines, 4), 4..=4);
    }
}
