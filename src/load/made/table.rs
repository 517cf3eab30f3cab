//! The table of kinds: rows as trees, by group and kind.
//!
//! The rows that are compiled in stand in `kinds.yaml`; those of the configuration have the same
//! form and come first. A row stays the tree that it was read as: what it says is looked up where
//! it is needed, so that no field of a row exists twice. Cost: the compiled rows are read once,
//! when the first object of an unknown kind is met.

use crate::load::made::fill::text_of;
use crate::set::hashed::HashMap;
use crate::tree;
use crate::tree::SyntaxNode;
use std::sync::LazyLock;

/// The text of the compiled rows.
pub const KINDS: &str = include_str!("kinds.yaml");

/// The compiled rows.
static TABLE: LazyLock<KindTable> = LazyLock::new(|| KindTable::new(rows_of(KINDS)));

/// Kinds that make no pods of their own and that rows of other kinds look at.
const LOOKED_AT: [(&str, &str); 3] = [
    ("kafka.strimzi.io", "KafkaNodePool"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("tekton.dev", "Pipeline"),
];

/// Rows of the configuration, in the form of the table of kinds.
///
/// ```
/// let row = "[{kind: Queue, group: example.com, pods: [{role: server}]}]";
/// let rows: netpal::KindRows = row.parse()?;
/// let options = netpal::LoadOptions { workloads: rows, ..Default::default() };
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KindRows(std::sync::Arc<[SyntaxNode]>);

impl std::str::FromStr for KindRows {
    type Err = String;

    /// Reads a list of rows.
    fn from_str(text: &str) -> Result<Self, String> {
        let rows = rows_of(text);
        let unnamed = |row: &&SyntaxNode| text_of(row, "kind").is_none_or(str::is_empty);
        match rows.iter().find(unnamed) {
            Some(_) => Err("a row needs the `kind` that it is about".into()),
            None => Ok(Self(rows.into())),
        }
    }
}

impl std::ops::Deref for KindRows {
    type Target = [SyntaxNode];

    fn deref(&self) -> &[SyntaxNode] {
        &self.0
    }
}

/// Rows by group and kind.
struct KindTable {
    rows: Vec<SyntaxNode>,
    by_kind: HashMap<(Box<str>, Box<str>), Vec<usize>>,
}

impl KindTable {
    fn new(rows: Vec<SyntaxNode>) -> Self {
        let mut by_kind: HashMap<(Box<str>, Box<str>), Vec<usize>> = HashMap::default();
        for (at, row) in rows.iter().enumerate() {
            let word = |key: &str| Box::from(text_of(row, key).unwrap_or_default());
            by_kind
                .entry((word("group"), word("kind")))
                .or_default()
                .push(at);
        }
        Self { rows, by_kind }
    }
}

/// The rows of a text: the items of its list.
pub fn rows_of(text: &str) -> Vec<SyntaxNode> {
    let chunks = tree::split(text);
    let roots = chunks
        .iter()
        .filter_map(|chunk| tree::parse(text, chunk).root);
    roots.flat_map(|root| root.items().to_vec()).collect()
}

/// The rows of a kind: the configured ones where there are some, else those that are compiled in.
pub fn rows<'a>(configured: &'a [SyntaxNode], group: &str, kind: &str) -> Vec<&'a SyntaxNode> {
    let is_meant = |row: &&SyntaxNode| {
        text_of(row, "kind") == Some(kind) && text_of(row, "group").unwrap_or_default() == group
    };
    let own: Vec<&SyntaxNode> = configured.iter().filter(is_meant).collect();
    if !own.is_empty() {
        return own;
    }
    let numbers = TABLE.by_kind.get(&(group.into(), kind.into()));
    let numbers = numbers.map(Vec::as_slice).unwrap_or_default().iter();
    numbers.filter_map(|at| TABLE.rows.get(*at)).collect()
}

/// Whether rows of other kinds look at objects of a kind, which make nothing themselves.
pub fn is_looked_at(group: &str, kind: &str) -> bool {
    LOOKED_AT.contains(&(group, kind))
}

/// Whether an object of a kind is kept for what it makes, or for what others make of it.
pub fn is_kept(configured: &[SyntaxNode], group: &str, kind: &str) -> bool {
    is_looked_at(group, kind) || !rows(configured, group, kind).is_empty()
}
