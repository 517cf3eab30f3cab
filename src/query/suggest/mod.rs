//! Suggestions: the smallest addition to the policies that lets a flow through, tried before it is
//! proposed.

pub mod assumed_pods;
mod candidates;
pub mod kind_rows;
pub mod minimal_selector;
pub mod obstacle;
pub mod suggestion;
pub mod trial;
