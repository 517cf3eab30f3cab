//! Answers for CI systems: SARIF, annotations, code quality, test results, Markdown comments.

pub mod diff_findings;
pub mod drift_findings;
pub mod findings;
pub mod github;
pub mod gitlab;
pub mod markdown;
pub mod sarif;
pub mod suite;
