//! The answers about snapshots with their formats, as [`crate::render::answers`] has the others.

use crate::render::ci::findings::CiFindings;
use crate::render::ci::{diff_findings, drift_findings};
use crate::render::format::{Render, formats};
use crate::render::text::snapshot;
use crate::snapshot::{Drift, Snapshot};
use std::borrow::Cow;

/// A snapshot of the allow-graph.
pub struct SnapshotView<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// The profile of the network plugin it was taken under.
    pub cni: &'a str,
}

impl Render for SnapshotView<'_> {
    formats! { |view, _context, out|
        Text => out.write_all(view.snapshot.text(view.cni).as_bytes()),
    }
}

/// How the allow-graph differs from a snapshot.
pub struct DriftView<'a> {
    /// The file of the snapshot.
    pub path: &'a str,
    /// Its text.
    pub kept: &'a str,
    /// What differs.
    pub drift: &'a Drift,
}

impl DriftView<'_> {
    /// The lines that differ as findings for CI systems.
    pub fn findings(&self) -> CiFindings<'static> {
        CiFindings {
            findings: Cow::Owned(drift_findings::findings(self.path, self.kept, self.drift)),
            rules: diff_findings::rules(),
        }
    }
}

impl Render for DriftView<'_> {
    formats! { |view, context, out|
        Text => snapshot::drift(view.path, view.drift, out),
        Md => drift_findings::markdown(view.path, view.drift, out),
        Sarif => view.findings().sarif(context, out),
        Github => view.findings().github(context, out),
        Gitlab => view.findings().gitlab(context, out),
    }
}
