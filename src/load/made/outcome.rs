//! [`Made`]: what one object makes, before it is compared with what the input has.

use crate::load::object::MadePods;
use crate::policy::Policy;
use crate::policy::unmodelled::TaintReach;
use crate::tree::SyntaxNode;

/// What one object makes.
#[derive(Default)]
pub struct Made {
    /// Its pods, by role.
    pub pods: Vec<MadePods>,
    /// Other objects, as they would be written.
    pub objects: Vec<MadeObject>,
    /// Copies of policies that are written out, and why they may not be there.
    pub copies: Vec<(Policy, Option<Box<str>>)>,
    /// What is made and not known: what it is, and what it can touch.
    pub unknown: Vec<(String, TaintReach)>,
    /// What else it does, which is laid over the objects of the input.
    pub notes: Vec<Box<str>>,
    /// Whether this is all, even where it is nothing.
    pub handled: bool,
}

impl Made {
    /// Nothing so far, of an object of which it is known what it makes.
    pub fn handled() -> Self {
        Self {
            handled: true,
            ..Self::default()
        }
    }

    /// Adds what else is made.
    pub fn add(&mut self, more: Self) {
        self.pods.extend(more.pods);
        self.objects.extend(more.objects);
        self.copies.extend(more.copies);
        self.unknown.extend(more.unknown);
        self.notes.extend(more.notes);
        self.handled |= more.handled;
    }
}

/// An object that is made.
pub struct MadeObject {
    /// As it would be written.
    pub node: SyntaxNode,
    /// Why it may not be there; none where it certainly is.
    pub unless: Option<Box<str>>,
}

impl MadeObject {
    /// An object that is certainly there.
    pub fn certain(node: SyntaxNode) -> Self {
        Self { node, unless: None }
    }
}
