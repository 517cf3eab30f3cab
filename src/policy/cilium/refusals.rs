//! What is refused of an object of Cilium, and by whom: [`crate::policy::cilium::check`] says what.

use crate::policy::cilium::written::WrittenSelector;
use crate::policy::lowered::Checks;
use crate::policy::validate::{is_label_value, is_qualified_name};
use crate::source::Path;

/// Collects what is refused, and by whom.
pub struct Refusals<'c> {
    /// What is wrong.
    pub checks: &'c mut Checks,
    /// Whether the agent refuses the object.
    pub void: bool,
    /// The minor version of Cilium 1.
    pub version: u32,
    /// Whether what is read is not checked by the agent, which then misbehaves (CI228).
    pub unchecked: bool,
}

/// Words for an object that the agent refuses.
const VOID: &str = "Cilium's agent refuses the whole object for it, so that it protects nothing; \
                    only its status tells";

impl Refusals<'_> {
    /// Something that the agent refuses; where it does not check, nobody knows what it does.
    pub fn agent(&mut self, at: &Path, message: impl Into<String>) {
        if self.unchecked {
            self.checks.invalid(at, message);
        } else {
            self.checks.refused_help(at, message, VOID);
            self.void = true;
        }
    }

    /// Something that the schema refuses.
    pub fn schema(&mut self, at: &Path, message: impl Into<String>) {
        self.checks.invalid(at, message);
    }

    /// A field that the schema does not have.
    pub fn unknown(&mut self, at: &Path, message: impl Into<String>) {
        self.checks.invalid(at, message);
        if let Some(last) = self.checks.0.last_mut() {
            last.unknown_field = true;
        }
    }

    /// A selector (CI205).
    pub fn selector(&mut self, selector: &WrittenSelector, at: &Path) {
        for (key, value) in selector.match_labels.iter().flatten() {
            let labels = at.key("matchLabels");
            self.key(key, &labels);
            if !is_label_value(value) {
                self.agent(&labels.key(key), format!("`{value}` is not a label value"));
            }
        }
        for (i, expression) in selector.match_expressions.iter().flatten().enumerate() {
            let at = at.key("matchExpressions").index(i);
            self.key(&expression.key, &at.key("key"));
            let count = expression.values.as_ref().map_or(0, Vec::len);
            for (i, value) in expression.values.iter().flatten().enumerate() {
                if !is_label_value(value) {
                    let message = format!("`{value}` is not a label value"); // CI205
                    self.agent(&at.key("values").index(i), message);
                }
            }
            match expression.operator.as_str() {
                "In" | "NotIn" if count == 0 => {
                    self.agent(&at.key("values"), "the operator needs at least one value");
                }
                "Exists" | "DoesNotExist" if count > 0 => {
                    self.agent(&at.key("values"), "the operator takes no values");
                }
                "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
                other => self.schema(
                    &at.key("operator"),
                    format!("`{other}` is not an operator: use In, NotIn, Exists or DoesNotExist"),
                ),
            }
        }
    }

    fn key(&mut self, written: &str, at: &Path) {
        let (source, key) = written.split_once(':').unwrap_or(("any", written));
        let source_fits = source.bytes().all(|b| b.is_ascii_alphanumeric());
        let key_fits = is_qualified_name(key) || is_long_namespace_label(key);
        if !source_fits || !key_fits {
            let message =
                format!("`{written}` is not a label key, with at most one source before it");
            self.agent(at, message);
        }
    }
}

/// Whether a key asks for a label of the namespace whose own key has a prefix.
fn is_long_namespace_label(key: &str) -> bool {
    let label = key.strip_prefix("io.cilium.k8s.namespace.labels.");
    label.is_some_and(is_qualified_name)
}
