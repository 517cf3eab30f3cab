//! The selector language of Calico: a text to an [`LabelExpression`] (CA20-CA34).
//!
//! ```text
//! or  := and {"||" and}      and := op {"&&" op}
//! op  := {"!"} ( has(name) | all() | global() | "(" or ")" | name compared with strings )
//! ```
//!
//! Precedence is therefore: comparison, `!`, `&&`, `||`. Keywords are none: `in`, `not` and `has`
//! are names as well, and what they are depends on the token before. Invariant: no label set meets
//! an expression otherwise than Calico's own evaluator says. Cost: O(text); the depth of nesting is
//! bounded by [`MOST`], which is what the API takes.

use std::fmt;

/// The most bytes of a selector in a policy (CA34).
pub const MOST: usize = 1024;

/// The most bytes of a label's name.
const MOST_OF_NAME: usize = 512;

/// A boolean formula over labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LabelExpression {
    /// `all()`, and the empty text.
    All,
    /// `global()`.
    Global,
    /// `has(name)`.
    Has(Box<str>),
    /// `name == "value"` and `name in {"a", "b"}`.
    In(Box<str>, Vec<Box<str>>),
    /// `name != "value"` and `name not in {"a", "b"}`.
    NotIn(Box<str>, Vec<Box<str>>),
    /// `name contains "part"`.
    Contains(Box<str>, Box<str>),
    /// `name starts with "part"`.
    StartsWith(Box<str>, Box<str>),
    /// `name ends with "part"`.
    EndsWith(Box<str>, Box<str>),
    /// `!`.
    Not(Box<LabelExpression>),
    /// `&&`.
    And(Vec<LabelExpression>),
    /// `||`.
    Or(Vec<LabelExpression>),
}

/// Why a text is no selector, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The byte at which it goes wrong.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {}", self.message, self.at + 1)
    }
}

impl LabelExpression {
    /// Reads a selector.
    ///
    /// # Errors
    /// When the text is none.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        if text.len() > MOST {
            return Err(SyntaxError {
                at: MOST,
                message: format!("a selector has at most {MOST} characters; this one is too long"),
            });
        }
        let mut parser = Parser {
            text,
            at: 0,
            depth: 0,
        };
        if parser.is_at_end() {
            return Ok(Self::All);
        }
        let expression = parser.or()?;
        if parser.is_at_end() {
            return Ok(expression);
        }
        Err(parser.error("expected `&&`, `||` or the end"))
    }

    /// Calls a function with each label that it asks about.
    pub fn visit_keys<'e>(&'e self, call: &mut impl FnMut(&'e str)) {
        match self {
            Self::All | Self::Global => {}
            Self::Has(key)
            | Self::In(key, _)
            | Self::NotIn(key, _)
            | Self::Contains(key, _)
            | Self::StartsWith(key, _)
            | Self::EndsWith(key, _) => call(key),
            Self::Not(inner) => inner.visit_keys(call),
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.visit_keys(call));
            }
        }
    }

    /// Whether `global()` stands in it.
    pub fn has_global(&self) -> bool {
        match self {
            Self::Global => true,
            Self::Not(inner) => inner.has_global(),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::has_global),
            _ => false,
        }
    }

    /// The same over other labels, with something else for `all()` and `global()`.
    #[must_use]
    pub fn mapped(&self, key: &impl Fn(&str) -> Box<str>, word: &impl Fn(&Self) -> Self) -> Self {
        let each = |parts: &[Self]| parts.iter().map(|part| part.mapped(key, word)).collect();
        match self {
            Self::All | Self::Global => word(self),
            Self::Has(k) => Self::Has(key(k)),
            Self::In(k, values) => Self::In(key(k), values.clone()),
            Self::NotIn(k, values) => Self::NotIn(key(k), values.clone()),
            Self::Contains(k, part) => Self::Contains(key(k), part.clone()),
            Self::StartsWith(k, part) => Self::StartsWith(key(k), part.clone()),
            Self::EndsWith(k, part) => Self::EndsWith(key(k), part.clone()),
            Self::Not(inner) => Self::Not(Box::new(inner.mapped(key, word))),
            Self::And(parts) => Self::And(each(parts)),
            Self::Or(parts) => Self::Or(each(parts)),
        }
    }
}

/// Reads a text from its start to its end.
struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// How many brackets are open.
    depth: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError {
            at: self.at,
            message: message.into(),
        }
    }

    /// Passes over spaces and tabs, the only blanks (CA21).
    fn skip(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn is_at_end(&mut self) -> bool {
        self.skip();
        self.rest().is_empty()
    }

    /// Passes over a sign, if it is next.
    fn sign(&mut self, sign: &str) -> bool {
        self.skip();
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), SyntaxError> {
        if self.sign(sign) {
            return Ok(());
        }
        Err(self.error(format!("expected `{sign}`")))
    }

    fn or(&mut self) -> Result<LabelExpression, SyntaxError> {
        let mut parts = vec![self.and()?];
        while self.sign("||") {
            parts.push(self.and()?);
        }
        Ok(one_or(parts, LabelExpression::Or))
    }

    fn and(&mut self) -> Result<LabelExpression, SyntaxError> {
        let mut parts = vec![self.operation()?];
        while self.sign("&&") {
            parts.push(self.operation()?);
        }
        Ok(one_or(parts, LabelExpression::And))
    }

    fn operation(&mut self) -> Result<LabelExpression, SyntaxError> {
        let mut negated = false;
        loop {
            self.skip();
            // `!=` is a sign of its own, wherever it stands
            if self.rest().starts_with("!=") || !self.sign("!") {
                break;
            }
            negated = !negated;
        }
        let inner = self.term()?;
        Ok(if negated {
            LabelExpression::Not(Box::new(inner))
        } else {
            inner
        })
    }

    fn term(&mut self) -> Result<LabelExpression, SyntaxError> {
        if self.sign("(") {
            self.depth += 1;
            if self.depth > MOST / 2 {
                return Err(self.error("a bracket that cannot be closed in time"));
            }
            let inner = self.or()?;
            self.expect(")")?;
            self.depth -= 1;
            return Ok(inner);
        }
        if self.sign("has(") {
            let name = self.name()?;
            self.expect(")")?;
            return Ok(LabelExpression::Has(name));
        }
        for (word, expression) in [
            ("all(", LabelExpression::All),
            ("global(", LabelExpression::Global),
        ] {
            if self.sign(word) {
                self.expect(")")?;
                return Ok(expression);
            }
        }
        self.comparison()
    }

    /// The name of a label (CA22).
    fn name(&mut self) -> Result<Box<str>, SyntaxError> {
        self.skip();
        let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-');
        let rest = self.rest();
        let length = rest.find(|c: char| !is_inner(c)).unwrap_or(rest.len());
        let name = &rest[..length];
        if name.is_empty() {
            return Err(self.error("expected the name of a label"));
        }
        if name.len() > MOST_OF_NAME {
            let message = format!("the name of a label has at most {MOST_OF_NAME} characters");
            return Err(self.error(message));
        }
        self.at += length;
        Ok(name.into())
    }

    fn comparison(&mut self) -> Result<LabelExpression, SyntaxError> {
        let name = self.name()?;
        if self.sign("==") {
            return Ok(LabelExpression::In(name, vec![self.string()?]));
        }
        if self.sign("!=") {
            return Ok(LabelExpression::NotIn(name, vec![self.string()?]));
        }
        if self.words(&["contains"]) {
            return Ok(LabelExpression::Contains(name, self.string()?));
        }
        if self.words(&["starts", "with"]) {
            return Ok(LabelExpression::StartsWith(name, self.string()?));
        }
        if self.words(&["ends", "with"]) {
            return Ok(LabelExpression::EndsWith(name, self.string()?));
        }
        if self.words(&["not", "in"]) {
            return Ok(LabelExpression::NotIn(name, self.set()?));
        }
        if self.words(&["in"]) {
            return Ok(LabelExpression::In(name, self.set()?));
        }
        Err(self
            .error("expected `==`, `!=`, `in`, `not in`, `contains`, `starts with` or `ends with`"))
    }

    /// Passes over words of an operator; blanks between them may be missing, and the last must end
    /// where a word ends (CA26).
    fn words(&mut self, words: &[&str]) -> bool {
        self.skip();
        let mut rest = self.rest();
        for word in words {
            let Some(behind) = rest.trim_start_matches([' ', '\t']).strip_prefix(word) else {
                return false;
            };
            rest = behind;
        }
        let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if rest.starts_with(goes_on) {
            return false;
        }
        self.at = self.text.len() - rest.len();
        true
    }

    /// A string in quotes of either kind, without escapes (CA23).
    fn string(&mut self) -> Result<Box<str>, SyntaxError> {
        self.skip();
        let rest = self.rest();
        let Some(quote @ ('"' | '\'')) = rest.chars().next() else {
            return Err(self.error("expected a string in quotes"));
        };
        let inner = &rest[1..];
        let Some(length) = inner.find(quote) else {
            return Err(self.error("a string whose quote is not closed"));
        };
        self.at += length + 2;
        Ok(inner[..length].into())
    }

    /// A set of strings; a comma may stand behind the last one (CA28).
    fn set(&mut self) -> Result<Vec<Box<str>>, SyntaxError> {
        self.expect("{")?;
        let mut values = Vec::new();
        loop {
            if self.sign("}") {
                return Ok(values);
            }
            values.push(self.string()?);
            if !self.sign(",") {
                self.expect("}")?;
                return Ok(values);
            }
        }
    }
}

fn one_or(
    mut parts: Vec<LabelExpression>,
    join: fn(Vec<LabelExpression>) -> LabelExpression,
) -> LabelExpression {
    match parts.len() {
        1 => parts.pop().unwrap_or(LabelExpression::All),
        _ => join(parts),
    }
}
