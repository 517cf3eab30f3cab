//! The cells of the matrix as the page holds them: per row, runs of equal cells.

use crate::render::report::audit::AuditReport;
use indexmap::IndexSet;
use serde::Serialize;

/// A matrix in runs.
#[derive(Debug, Serialize)]
pub struct MatrixData {
    /// What the rows and columns are.
    pub sides: Vec<String>,
    /// Distinct cells: sign and words.
    pub cells: Vec<(String, String)>,
    /// Rows: cell, how many, cell, how many.
    pub rows: Vec<Vec<usize>>,
}

/// The matrix, equal neighbours in a row written once.
pub(crate) fn square(report: &AuditReport<'_>) -> MatrixData {
    let square = report.square();
    let sides: Vec<String> = square
        .matrix
        .sides
        .iter()
        .map(|s| square.name(*s))
        .collect();
    let mut cells: IndexSet<(String, String)> = IndexSet::new();
    let mut rows = Vec::new();
    for i in 0..sides.len() {
        let row =
            (0..sides.len()).map(|j| cells.insert_full((square.sign(i, j), square.words(i, j))).0);
        rows.push(runs(row.map(|c| (c, 1)).collect(), |a, b| a.0 == b.0));
    }
    MatrixData {
        sides,
        cells: cells.into_iter().collect(),
        rows,
    }
}

/// Joins neighbours: first, how many, first, how many.
pub(crate) fn runs(
    list: Vec<(usize, usize)>,
    join: impl Fn((usize, usize), (usize, usize)) -> bool,
) -> Vec<usize> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    for next in list {
        match out.last_mut() {
            Some(last) if join(*last, next) => last.1 += next.1,
            _ => out.push(next),
        }
    }
    out.into_iter().flat_map(|(first, n)| [first, n]).collect()
}
