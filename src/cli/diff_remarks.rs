//! What `netpal diff` and the report remark about a change besides the paths.

use super::args::Common;
use super::test;
use super::workspace::Workspace;
use netpal::{Diff as Answer, DiffRemarks, broken, declared_uses};

/// What follows from the changes: the configured tests they break, the uses that manifests declare.
pub fn remarks(common: &Common, old: &Workspace, new: &Workspace, diff: &Answer) -> DiffRemarks {
    let suites = test::configured(common, new);
    let before = test::runs(old, &old.graph, &suites);
    let after = test::runs(new, &new.graph, &suites);
    let pairs = before.iter().zip(&after);
    DiffRemarks {
        broken: pairs
            .flat_map(|(b, a)| broken(&b.1, &a.1, diff, &new.input.cluster))
            .collect(),
        uses: declared_uses(new.side(), diff),
    }
}
