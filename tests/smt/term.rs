//! Boolean terms of SMT-LIB: text that is put together, with constants folded away.
//!
//! Invariant: `true` and `false` occur as whole terms only. Cost: the length of the text; a term
//! that is used twice gets a name of its own ([`super::world::World::named`]).

use std::rc::Rc;

/// A boolean term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term(Rc<str>);

impl Term {
    /// A term that is written out.
    pub fn new(text: impl Into<Rc<str>>) -> Self {
        Self(text.into())
    }

    /// A constant.
    pub fn of(holds: bool) -> Self {
        Self::new(if holds { "true" } else { "false" })
    }

    /// What never holds.
    pub fn no() -> Self {
        Self::of(false)
    }

    /// What always holds.
    pub fn yes() -> Self {
        Self::of(true)
    }

    /// Whether it never holds, as far as folding tells.
    pub fn is_no(&self) -> bool {
        &*self.0 == "false"
    }

    /// The term as it is written.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The opposite.
    pub fn not(&self) -> Self {
        match &*self.0 {
            "true" => Self::no(),
            "false" => Self::yes(),
            text => Self::new(format!("(not {text})")),
        }
    }

    /// This and another one.
    pub fn and(&self, other: &Self) -> Self {
        all([self.clone(), other.clone()])
    }

    /// This or another one.
    pub fn or(&self, other: &Self) -> Self {
        any([self.clone(), other.clone()])
    }
}

/// All of these.
pub fn all(terms: impl IntoIterator<Item = Term>) -> Term {
    joined("and", terms, &Term::yes(), &Term::no())
}

/// Some of these.
pub fn any(terms: impl IntoIterator<Item = Term>) -> Term {
    joined("or", terms, &Term::no(), &Term::yes())
}

fn joined(
    word: &str,
    terms: impl IntoIterator<Item = Term>,
    neutral: &Term,
    decides: &Term,
) -> Term {
    let mut parts: Vec<Term> = Vec::new();
    for term in terms {
        if term == *decides {
            return term;
        }
        if term != *neutral && !parts.contains(&term) {
            parts.push(term);
        }
    }
    match &parts[..] {
        [] => neutral.clone(),
        [one] => one.clone(),
        _ => {
            let texts: Vec<&str> = parts.iter().map(Term::text).collect();
            Term::new(format!("({word} {})", texts.join(" ")))
        }
    }
}

/// Whether a number lies between two, all of them bit-vectors.
pub fn between(first: &str, number: &str, last: &str) -> Term {
    if first == last {
        return Term::new(format!("(= {number} {first})"));
    }
    Term::new(format!(
        "(and (bvule {first} {number}) (bvule {number} {last}))"
    ))
}
