//! The pictures with their formats.

use crate::picture::{DetailLevel, DrawOptions, Drawing, PictureFacts};
use crate::render::format::{Format, Render, formats};
use crate::render::image::{dot, mermaid, picture, svg};
use crate::render::text::fold::folded;

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
