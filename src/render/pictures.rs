//! The pictures with their formats.

use crate::doors::DoorList;
use crate::picture::{DetailLevel, DrawOptions, Drawing, PictureFacts, Surroundings};
use crate::render::answers::DiffView;
use crate::render::context::RenderContext;
use crate::render::format::{Format, Render, formats};
use crate::render::image::{dot, mermaid, picture, svg};
use crate::render::text::diff_context;
use crate::render::text::fold::folded;
use std::io;

impl Render for Drawing {
    formats! { |drawing, context, out|
        Text => folded(context, out, |out| picture::write(drawing, context.style, out)),
        Dot => dot::write(drawing, out),
        Svg => svg::write(drawing, out),
        Mermaid => mermaid::write(drawing, out),
    }
}

/// A picture, drawn while it is written.
pub struct GraphView<'a> {
    /// What is drawn.
    pub facts: &'a PictureFacts,
    /// How.
    pub options: &'a DrawOptions,
}

impl GraphView<'_> {
    fn drawing(&self) -> Drawing {
        Drawing::new(self.facts, self.options)
    }

    /// The picture for a terminal: namespaces, unless something else was asked for.
    fn outline(&self) -> Drawing {
        let plain = self.options.level == DetailLevel::Auto && self.options.focus.is_empty();
        let level = if plain {
            DetailLevel::Namespace
        } else {
            self.options.level
        };
        let options = DrawOptions {
            level,
            ..self.options.clone()
        };
        Drawing::new(self.facts, &options)
    }
}

impl Render for GraphView<'_> {
    formats! { |view, context, out|
        Text => view.outline().write(Format::Text, context, out),
        Dot => view.drawing().write(Format::Dot, context, out),
        Svg => view.drawing().write(Format::Svg, context, out),
        Mermaid => view.drawing().write(Format::Mermaid, context, out),
    }
}

impl DiffView<'_> {
    /// Both states in one picture with one layout, so that nothing jumps.
    pub(crate) fn drawing(
        &self,
        after: &RenderContext<'_>,
        only_changed: bool,
    ) -> io::Result<Drawing> {
        let options = DrawOptions {
            only_changed: self.options.only_changed || only_changed,
            ..self.options.clone()
        };
        let both = PictureFacts::compare(&self.facts(&self.before)?, &self.facts(after)?);
        let summary = diff_context::summary(self.diff);
        Ok(Drawing::new(&both, &options).headed(&format!("Connectivity changes: {summary}")))
    }

    /// One side. What the change means for pods that are not in the input is said in words.
    fn facts(&self, context: &RenderContext<'_>) -> io::Result<PictureFacts> {
        let doors = DoorList::of_input(context.input, context.graph).map_err(io::Error::other)?;
        let around = Surroundings {
            doors: Some(&doors),
            potential: None,
        };
        Ok(PictureFacts::new(context.graph, self.dns, around))
    }
}
