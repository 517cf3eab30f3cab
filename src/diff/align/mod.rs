//! Alignment: the endpoints of both sides, matched by name, in one order.

pub mod alignment;
pub mod endpoint;
pub mod order;
pub mod position;
pub mod position_index;
