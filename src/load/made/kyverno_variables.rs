//! The variables of Kyverno's rules, as far as they are about a Namespace that a rule matches:
//! its name, its labels and annotations, the element of a list, and what a rule's context says.
//! What is not told stays as it is, or is unknown.

use crate::load::made::expression::scalar;
use crate::load::made::fill::text_of;
use crate::load::made::generated::is_like;
use crate::load::made::placeholders::{Keys, filled_in};
use crate::load::made::world::KnownNamespace;
use crate::model::{Labels, Truth};
use crate::tree::SyntaxNode;

/// What variables stand for.
#[derive(Clone)]
pub struct Variables<'a> {
    /// The Namespace that a rule matches.
    pub space: &'a KnownNamespace,
    /// The element of the list that a rule goes through.
    pub element: Option<String>,
    /// What the context of the rule says by name.
    context: Vec<(&'a str, String)>,
}

/// What a variable says.
enum Told {
    /// A value.
    Text(String),
    /// That there is none.
    Absent,
}

impl<'a> Variables<'a> {
    /// The variables of a rule, with those of its context that are written out.
    pub fn new(rule: &'a SyntaxNode, space: &'a KnownNamespace) -> Self {
        let mut variables = Self {
            space,
            element: None,
            context: Vec::new(),
        };
        variables.add_context(rule);
        variables
    }

    /// The same inside a list, with what its context adds.
    pub fn within(&self, part: &'a SyntaxNode, element: String) -> Self {
        let mut inner = self.clone();
        inner.element = Some(element);
        inner.add_context(part);
        inner
    }

    fn add_context(&mut self, of: &'a SyntaxNode) {
        let entries = of.get("context").map(SyntaxNode::items).unwrap_or_default();
        for entry in entries {
            let variable = entry
                .get("variable")
                .filter(|v| v.get("jmesPath").is_none());
            let value = variable.and_then(|v| scalar(v.get("value")?));
            let value = value.and_then(|value| self.fill(&value));
            if let (Some(name), Some(value)) = (text_of(entry, "name"), value) {
                self.context.push((name, value));
            }
        }
    }

    /// A text with its variables filled in; `None` where one of them is not told.
    pub fn fill(&self, text: &str) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (variable, behind) = after.split_once("}}")?;
            let Told::Text(value) = self.told(variable.trim())? else {
                return None;
            };
            filled.push_str(before);
            filled.push_str(&value);
            rest = behind;
        }
        filled.push_str(rest);
        Some(filled)
    }

    /// What a variable says; `None` where that is not known.
    fn told(&self, variable: &str) -> Option<Told> {
        if variable == "element" {
            return self.element.clone().map(Told::Text);
        }
        let mut context = self.context.iter().rev();
        if let Some((_, value)) = context.find(|(name, _)| *name == variable) {
            return Some(Told::Text(value.clone()));
        }
        let path = variable.strip_prefix("request.object.metadata.")?;
        if path == "name" {
            return Some(Told::Text(self.space.name.to_string()));
        }
        let (labels, key) = self.map_and_key(path)?;
        match labels.get(key) {
            Some(value) => Some(Told::Text(value.to_owned())),
            None => self.space.declared.then_some(Told::Absent),
        }
    }

    /// A key of the labels or the annotations: `labels.team`, `labels."a/b"`, `labels['a/b']`.
    fn map_and_key<'p>(&self, path: &'p str) -> Option<(&'a Labels, &'p str)> {
        let (labels, key) = match path.strip_prefix("labels") {
            Some(key) => (&self.space.labels, key),
            None => (
                &self.space.facts.annotations,
                path.strip_prefix("annotations")?,
            ),
        };
        let key = key.strip_prefix('.').unwrap_or(key);
        let quoted = [("\"", "\""), ("['", "']"), ("[\"", "\"]"), ("\\\"", "\\\"")];
        let inner = quoted
            .iter()
            .find_map(|(open, close)| key.strip_prefix(open)?.strip_suffix(close));
        let key = inner.unwrap_or(key);
        (!key.is_empty() && !key.contains(['|', '(', ' '])).then_some((labels, key))
    }

    /// The elements of a list: a label or annotation that is split, or a literal list.
    pub fn elements(&self, list: Option<&str>) -> Option<Vec<String>> {
        let list = list?.trim();
        let list = list
            .strip_prefix("{{")
            .and_then(|l| l.strip_suffix("}}"))
            .unwrap_or(list)
            .trim();
        if let Some(literal) = list.strip_prefix('`').and_then(|l| l.strip_suffix('`')) {
            return serde_json::from_str(literal).ok();
        }
        if list.starts_with('[') {
            return serde_json::from_str(&list.replace('\'', "\"")).ok();
        }
        let (path, split) = list.split_once('|')?;
        let separator = split.trim().strip_prefix("split(@,")?.strip_suffix(')')?;
        let separator = separator.trim().trim_matches(['\'', '"']);
        let Told::Text(value) = self.told(path.trim())? else {
            return None;
        };
        Some(value.split(separator).map(str::to_owned).collect())
    }

    /// A tree with its variables filled in; what cannot be filled in stays as it is.
    pub fn fill_tree(&self, node: &SyntaxNode) -> SyntaxNode {
        filled_in(node, Keys::Filled, &|text| self.fill(text))
    }

    /// Whether preconditions hold: blocks of `any` and `all`, or the older list.
    pub fn hold(&self, preconditions: Option<&SyntaxNode>) -> Truth {
        let Some(conditions) = preconditions else {
            return Truth::Yes;
        };
        let list = |key: &str| conditions.get(key).map(SyntaxNode::items);
        let all = list("all").unwrap_or(conditions.items()).iter();
        let all = all.map(|c| self.holds(c)).fold(Truth::Yes, Truth::and);
        match list("any").filter(|any| !any.is_empty()) {
            Some(any) => {
                let each = any.iter().map(|c| self.holds(c));
                all.and(each.fold(Truth::No, Truth::or))
            }
            None => all,
        }
    }

    /// Whether one condition holds, which compares a text with others.
    fn holds(&self, condition: &SyntaxNode) -> Truth {
        let key = condition.get("key").and_then(scalar);
        let Some(key) = key.and_then(|key| self.known(&key)) else {
            return Truth::Maybe;
        };
        let value = condition.get("value");
        let listed = value.map(SyntaxNode::items).unwrap_or_default().iter();
        let single = value.into_iter().filter(|v| v.items().is_empty());
        let values = listed.chain(single).map(|v| self.known(&scalar(v)?));
        let Some(values) = values.collect::<Option<Vec<String>>>() else {
            return Truth::Maybe;
        };
        let is_one = values.iter().any(|value| is_like(&key, value));
        let operator = text_of(condition, "operator").unwrap_or_default();
        match &*operator.to_ascii_lowercase() {
            "equals" | "equal" | "in" | "anyin" | "allin" => Truth::from(is_one),
            "notequals" | "notequal" | "notin" | "anynotin" | "allnotin" => Truth::from(!is_one),
            _ => Truth::Maybe,
        }
    }

    /// A text that is told, with nothing for what is absent where a fallback `|| ''` says so.
    fn known(&self, text: &str) -> Option<String> {
        let inner = text
            .trim()
            .strip_prefix("{{")
            .and_then(|t| t.strip_suffix("}}"));
        let Some((variable, fallback)) = inner.and_then(|inner| inner.split_once("||")) else {
            return self.fill(text);
        };
        let literal = fallback.trim().trim_matches('`');
        let quoted = [literal.strip_prefix('\''), literal.strip_prefix('"')];
        let literal = quoted.into_iter().flatten().next()?;
        let literal = literal.strip_suffix(['\'', '"'])?;
        match self.told(variable.trim())? {
            Told::Text(value) => Some(value),
            Told::Absent => (!literal.contains(['\'', '"'])).then(|| literal.to_owned()),
        }
    }
}
