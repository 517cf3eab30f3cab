//! Rows of both sides, as segments of interned states that compare fast.
//!
//! [`interned`] numbers what passes between two endpoints; [`segments`] holds the states of all
//! sources of a destination; [`side`] reads them off one side's rows; [`destination_diff`] compares
//! both sides; [`unchanged`] counts what is the same on both.

pub mod destination_diff;
pub mod interned;
pub mod segments;
pub mod side;
pub mod unchanged;
