//! The report: what there is, what may reach what, and why, in one file for people, and as Markdown
//! and CSV.
//!
//! The page ([`html`]) holds its data as one JSON block ([`data`]) and works without scripts:
//! summary, map, matrix, findings and inputs are plain markup. Nothing is loaded from anywhere.
//! What lint and the policy tests say is handed in as [`ReportTable`]s, and the controls of an
//! audit as [`controls::AuditedControls`], so that the report judges nothing itself.

pub mod ask;
pub mod audit;
mod audited;
pub mod controls;
pub mod data;
pub mod digest;
pub mod front;
pub mod html;
pub mod markdown;
mod matrix_data;
mod overview;
pub mod parts;
mod print;
pub mod tables;
