//! What a writer needs besides the answer: where names and lines are looked up, and how text is
//! laid out.

use crate::graph::AllowGraph;
use crate::input::Input;
use crate::query::Verdict;
use crate::spec::Endpoint;
use crate::tree::Locator;

/// Columns that text is wrapped at unless the caller says otherwise.
const DEFAULT_WIDTH: usize = 100;

/// How text is emphasized.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Whether to emphasize with ANSI colours; words and signs carry the meaning without them.
    pub colour: bool,
}

impl Style {
    pub(crate) fn paint(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn verdict(self, verdict: Verdict) -> String {
        let (code, word) = match verdict {
            Verdict::Yes => ("1;32", "yes"),
            Verdict::No => ("1;31", "no"),
            Verdict::Partly => ("1;33", "partly"),
            Verdict::Unknown => ("1;35", "unknown"),
        };
        // two blanks and more follow every verdict, so that it is not read as part of a name
        let width = if word.len() < 4 { 4 } else { word.len() + 1 };
        self.paint(code, &format!("{word:<width$}"))
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
}

/// What a writer looks things up in, and how it lays text out.
///
/// # Examples
/// ```
/// use netpal::{AllowGraph, CompileOptions, Locator, RenderContext, load_str};
///
/// let input = load_str("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}");
/// let graph = AllowGraph::compile(&input, &CompileOptions::default())?;
/// let locator = Locator::new(&input.sources);
/// let context = RenderContext::new(&input, &graph, &locator).width(120).verbose(true);
/// assert_eq!(context.width, 120);
/// # Ok::<(), netpal::CompileError>(())
/// ```
#[derive(Clone, Copy)]
pub struct RenderContext<'a> {
    /// What was read.
    pub input: &'a Input,
    /// What it allows.
    pub graph: &'a AllowGraph,
    /// Finds the lines of what was read.
    pub locator: &'a Locator<'a>,
    /// How text is emphasized.
    pub style: Style,
    /// Columns that text is wrapped at.
    pub width: usize,
    /// Whether lines that are longer are folded, because somebody said how wide the page is.
    pub folds: bool,
    /// Whether text names everything instead of the first few of a kind.
    pub verbose: bool,
    /// The folder that the file names of findings are relative to; as they were given if `None`.
    pub base: Option<&'a str>,
    /// What the ends of the flows that are shown are called, where not by their own names.
    pub(crate) names: Option<&'a Names>,
}

impl<'a> RenderContext<'a> {
    /// A context without colours, 100 columns wide.
    pub fn new(input: &'a Input, graph: &'a AllowGraph, locator: &'a Locator<'a>) -> Self {
        Self {
            input,
            graph,
            locator,
            style: Style::default(),
            width: DEFAULT_WIDTH,
            folds: false,
            verbose: false,
            base: None,
            names: None,
        }
    }

    /// With ANSI colours, or without.
    pub fn colour(mut self, colour: bool) -> Self {
        self.style = Style { colour };
        self
    }

    /// Wrapped at this many columns.
    pub fn width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// With lines folded that are longer than the width, or with them whole.
    pub fn folding(mut self, folds: bool) -> Self {
        self.folds = folds;
        self
    }

    /// With everything named, or with the first few of a kind.
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.verbose = verbose;
        self
    }

    /// With file names relative to a folder.
    pub fn relative_to(mut self, base: Option<&'a str>) -> Self {
        self.base = base;
        self
    }

    /// With these names for the ends of flows.
    pub(crate) fn naming<'b>(self, names: &'b Names) -> RenderContext<'b>
    where
        'a: 'b,
    {
        RenderContext {
            names: Some(names),
            ..self
        }
    }
}

/// Names of ends of flows that are not called by their own.
#[derive(Debug, Clone, Default)]
pub struct Names(pub(crate) Vec<(Endpoint, String)>);

impl Names {
    /// The name of an endpoint, if it has one here.
    pub(crate) fn get(&self, endpoint: Endpoint) -> Option<&str> {
        let mut names = self.0.iter();
        names.find(|(e, _)| *e == endpoint).map(|(_, n)| &**n)
    }
}
