//! Trees for people: a text on the left, a short note on the right, lines as wide as the terminal.
//!
//! Notes of one tree stand under each other where they fit; a text that is too long is wrapped
//! under itself, and its note follows on a line of its own. Widths are counted before anything is
//! coloured.

use crate::render::context::Style;
use std::io::{self, Write};

/// What a note means, and so its colour. The words say it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// It lets through.
    Good,
    /// It stops.
    Bad,
    /// It is unknown.
    Unsure,
    /// It does not matter here.
    Quiet,
}

impl Tone {
    fn paint(self, style: Style, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Good => style.paint("32", text),
            Self::Bad => style.paint("31", text),
            Self::Unsure => style.paint("35", text),
            Self::Quiet => style.dim(text),
        }
    }
}

/// One line of a tree with what hangs below it.
#[derive(Debug, Clone, Default)]
pub struct Branch {
    /// The text.
    pub text: String,
    /// What is printed to the right.
    pub note: String,
    /// What the note means.
    pub tone: Tone,
    /// What hangs below.
    pub children: Vec<Self>,
}

impl Branch {
    /// A line without anything below it.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// The same with a note.
    pub fn note(mut self, note: impl Into<String>, tone: Tone) -> Self {
        (self.note, self.tone) = (note.into(), tone);
        self
    }

    /// The same with lines below it.
    pub fn with(mut self, children: Vec<Self>) -> Self {
        self.children = children;
        self
    }
}

/// The strokes of a tree: of a branch, of the last branch, past a branch, past the last.
#[derive(Debug, Clone, Copy)]
pub struct Strokes(pub [&'static str; 4]);

impl Strokes {
    /// One column wide.
    pub const NARROW: Self = Self(["├ ", "└ ", "│ ", "  "]);
    /// As cargo draws them.
    pub const WIDE: Self = Self(["├── ", "└── ", "│   ", "    "]);
}

/// How a tree is drawn.
#[derive(Debug, Clone, Copy)]
pub struct TreeFrame<'a> {
    /// What precedes the line of a root.
    pub indent: &'a str,
    /// What precedes the strokes of its children.
    pub below: &'a str,
    /// The strokes.
    pub strokes: Strokes,
    /// Columns to wrap at.
    pub width: usize,
    /// Colours.
    pub style: Style,
}

/// A line that is being printed: what precedes it and its continuation, and its parts.
struct Line<'b> {
    first: String,
    rest: String,
    branch: &'b Branch,
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// Draws trees under each other.
///
/// # Errors
/// When the writer fails.
pub fn draw(roots: &[Branch], frame: &TreeFrame<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Vec::new();
    for root in roots {
        let rest = format!(
            "{}{}",
            frame.below,
            if root.children.is_empty() {
                " "
            } else {
                frame.strokes.0[2]
            }
        );
        lines.push(Line {
            first: frame.indent.to_owned(),
            rest,
            branch: root,
        });
        flatten(root, frame.below, frame.strokes, &mut lines);
    }
    let column = column(&lines, frame.width);
    lines
        .iter()
        .try_for_each(|line| write_line(line, column, frame, out))
}

fn flatten<'b>(branch: &'b Branch, before: &str, strokes: Strokes, lines: &mut Vec<Line<'b>>) {
    let last = branch.children.len().saturating_sub(1);
    for (i, child) in branch.children.iter().enumerate() {
        let (stroke, past) = if i == last { (1, 3) } else { (0, 2) };
        let below = format!("{before}{}", strokes.0[past]);
        let rest = format!(
            "{below}{}",
            if child.children.is_empty() {
                strokes.0[3]
            } else {
                strokes.0[2]
            }
        );
        lines.push(Line {
            first: format!("{before}{}", strokes.0[stroke]),
            rest,
            branch: child,
        });
        flatten(child, &below, strokes, lines);
    }
}

/// A note up to this length should fit next to its text; longer ones may be wrapped.
const NOTE: usize = 22;

/// Where the notes begin: past every text that leaves room for its note.
fn column(lines: &[Line<'_>], width: usize) -> usize {
    let noted = lines.iter().filter(|l| !l.branch.note.is_empty());
    let fits = |l: &&Line<'_>| {
        length(&l.first) + length(&l.branch.text) + 2 + length(&l.branch.note) <= width
    };
    let longest = noted
        .clone()
        .map(|l| length(&l.branch.note))
        .max()
        .unwrap_or(0);
    let room = width.saturating_sub(longest.min(NOTE));
    let texts = noted
        .filter(fits)
        .map(|l| length(&l.first) + length(&l.branch.text) + 2);
    texts
        .filter(|at| *at <= room.max(width / 2))
        .max()
        .unwrap_or(width / 2)
}

fn write_line(
    line: &Line<'_>,
    column: usize,
    frame: &TreeFrame<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Line {
        first,
        rest,
        branch,
    } = line;
    let room = frame.width.saturating_sub(length(first)).max(20);
    let texts = wrap(&branch.text, room);
    let quiet = branch.tone == Tone::Quiet && branch.note.is_empty();
    let painted = |text: &str| {
        if quiet {
            frame.style.dim(text)
        } else {
            text.to_owned()
        }
    };
    let (last, earlier) = texts
        .split_last()
        .map_or(("", &[][..]), |(l, e)| (l.as_str(), e));
    for (i, text) in earlier.iter().enumerate() {
        writeln!(
            out,
            "{}{}",
            if i == 0 { first } else { rest },
            painted(text)
        )?;
    }
    let before = if earlier.is_empty() { first } else { rest };
    if branch.note.is_empty() {
        return writeln!(out, "{}", format!("{before}{}", painted(last)).trim_end());
    }
    let used = length(before) + length(last);
    let at = column.max(used + 2);
    if at + length(&branch.note) <= frame.width {
        let gap = " ".repeat(at - used);
        return writeln!(
            out,
            "{before}{last}{gap}{}",
            branch.tone.paint(frame.style, &branch.note)
        );
    }
    let beside = used + 2 <= column && column + length(&branch.note) <= frame.width;
    if !beside {
        writeln!(out, "{}", format!("{before}{last}").trim_end())?;
    }
    let start = if beside {
        column
    } else {
        (length(rest) + 4).min(frame.width / 2)
    };
    for (i, note) in wrap(&branch.note, frame.width.saturating_sub(start).max(20))
        .iter()
        .enumerate()
    {
        let left = if i == 0 && beside {
            format!("{before}{last}")
        } else {
            rest.clone()
        };
        let gap = " ".repeat(start.saturating_sub(length(&left)));
        writeln!(out, "{left}{gap}{}", branch.tone.paint(frame.style, note))?;
    }
    Ok(())
}

/// A text in lines of at most `room` characters, broken at blanks, or anywhere in a word that is
/// longer.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        let fits = lines
            .last()
            .is_some_and(|l| l.is_empty() || length(l) + 1 + length(word) <= room);
        if !fits {
            lines.push(String::new());
        }
        while length(word) > room {
            let cut = word.char_indices().nth(room).map_or(word.len(), |(i, _)| i);
            let (head, tail) = word.split_at(cut);
            push(&mut lines, head);
            lines.push(String::new());
            word = tail;
        }
        push(&mut lines, word);
    }
    lines
}

fn push(lines: &mut [String], word: &str) {
    let Some(last) = lines.last_mut() else { return };
    if !last.is_empty() {
        last.push(' ');
    }
    last.push_str(word);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(root: Branch, width: usize) -> String {
        let style = Style { colour: false };
        let frame = TreeFrame {
            indent: "",
            below: "",
            strokes: Strokes::WIDE,
            width,
            style,
        };
        let mut out = Vec::new();
        draw(&[root], &frame, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn notes_stand_under_each_other_and_no_line_is_too_long() {
        let leaf = Branch::new("b").note("second", Tone::Plain);
        let long =
            Branch::new("a text that is far too long for one line").note("and its note", Tone::Bad);
        let tree = Branch::new("root")
            .note("first", Tone::Good)
            .with(vec![long, leaf]);
        let text = drawn(tree, 30);
        assert!(text.lines().all(|l| l.chars().count() <= 30), "{text}");
        assert_eq!(text.lines().next(), Some("root   first"));
        assert_eq!(text.lines().last(), Some("└── b  second"));
    }

    #[test]
    fn a_word_longer_than_the_line_is_broken() {
        assert_eq!(wrap("ab cdefghij k", 4), ["ab", "cdef", "ghij", "k"]);
    }
}
