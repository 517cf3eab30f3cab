//! The answers about doors with their formats, as [`crate::render::answers`] has the others.

use crate::doors::DoorList;
use crate::query::ask::entrance::Entrance;
use crate::render::data::doors as doors_data;
use crate::render::data::{csv, json};
use crate::render::format::{Render, formats};
use crate::render::text::fold::folded;
use crate::render::text::writer::TextWriter;

/// Whether the internet comes in by a door.
pub struct EntranceView<'a> {
    /// What was found.
    pub entrance: &'a Entrance,
    /// The ends of the question, as they were asked.
    pub ends: [&'a str; 2],
}

impl Render for EntranceView<'_> {
    formats! { |view, context, out|
        Text => folded(context, out, |out| {
            TextWriter::of(context).entrance(view.entrance, view.ends, out)
        }),
        Json => json::write(
            "Entrance",
            doors_data::entrance(*context, view.entrance, view.ends),
            out,
        ),
        Yaml => json::write_yaml(
            "Entrance",
            doors_data::entrance(*context, view.entrance, view.ends),
            out,
        ),
    }
}

impl Render for DoorList {
    formats! { |list, context, out|
        Text => folded(context, out, |out| TextWriter::of(context).doors(list, out)),
        Json => json::write("Doors", doors_data::doors(*context, list), out),
        Yaml => json::write_yaml("Doors", doors_data::doors(*context, list), out),
        Csv => csv::rows(doors_data::rows(*context, list), out),
    }
}
