//! From facts to a [`Drawing`]: what is hidden, and how much detail stays readable.

use crate::picture::build;
use crate::picture::drawing::{DRAWABLE, DetailLevel, Drawing, READABLE};
use crate::picture::facts::{PictureFacts, PicturePlace};
use crate::picture::merge::PlaceGroup;
use crate::picture::options::DrawOptions;
use crate::picture::scope;
use crate::picture::scope::Hidden;
use std::collections::BTreeSet;

impl Drawing {
    /// Draws the facts.
    pub fn new(facts: &PictureFacts, options: &DrawOptions) -> Self {
        let scene = Scene::new(facts, options);
        let detailed = || scene.bounded(scene.detailed(&scene.groups()));
        match options.level {
            DetailLevel::Workload => detailed(),
            DetailLevel::Namespace => scene.bounded(scene.coarse()),
            DetailLevel::Auto if facts.spaces.len() < 2 => detailed(),
            DetailLevel::Auto => scene.within(READABLE).unwrap_or_else(|| scene.readable()),
        }
    }

    /// Draws workloads, if the picture has no more nodes and edges than that.
    pub fn within(
        facts: &PictureFacts,
        options: &DrawOptions,
        most: (usize, usize),
    ) -> Option<Self> {
        Scene::new(facts, options).within(most)
    }
}

/// The facts that are drawn, and what was left out of them.
struct Scene<'a> {
    facts: PictureFacts,
    options: &'a DrawOptions,
    hidden: Hidden,
}

impl<'a> Scene<'a> {
    fn new(facts: &PictureFacts, options: &'a DrawOptions) -> Self {
        let mut facts = facts.clone();
        let mut hidden = Hidden::default();
        scope::hide(&mut facts, options.hide, &mut hidden);
        if !options.focus.is_empty() {
            scope::focus(&mut facts, &options.focus, options.hops, &mut hidden);
        }
        if options.only_changed {
            scope::only_changed(&mut facts, &mut hidden);
        }
        scope::drop_potential_where_dense(&mut facts, &mut hidden);
        scope::drop_idle_addresses(&mut facts);
        Self {
            facts,
            options,
            hidden,
        }
    }

    fn groups(&self) -> Vec<PlaceGroup> {
        build::groups_of(&self.facts, self.options)
    }

    fn detailed(&self, groups: &[PlaceGroup]) -> Drawing {
        build::build(&self.facts, groups, &self.hidden, DetailLevel::Workload)
    }

    fn coarse(&self) -> Drawing {
        let facts = scope::by_namespace(&self.facts);
        build::build(
            &facts,
            &build::groups_of(&facts, self.options),
            &self.hidden,
            DetailLevel::Namespace,
        )
    }

    /// Namespaces; where there is too much between them to be seen, only what each of them is.
    fn readable(&self) -> Drawing {
        let coarse = self.coarse();
        if coarse.is_readable() {
            return coarse;
        }
        self.without_edges(scope::by_namespace(&self.facts), &coarse)
    }

    /// A picture of bounded size: one that has too many edges without them, and one that has too
    /// many nodes by namespace.
    fn bounded(&self, drawing: Drawing) -> Drawing {
        if drawing.fits(DRAWABLE) {
            return drawing;
        }
        if drawing.level == DetailLevel::Workload && drawing.size().0 <= DRAWABLE.0 {
            return self.without_edges(self.facts.clone(), &drawing);
        }
        self.readable()
    }

    /// Only the nodes of a picture, each with its marks; the caption counts the edges.
    fn without_edges(&self, mut facts: PictureFacts, full: &Drawing) -> Drawing {
        let hidden = Hidden {
            dense: Some((full.level, full.size().1)),
            ..self.hidden.clone()
        };
        facts.flows.clear();
        scope::drop_idle_addresses(&mut facts);
        let groups = build::groups_of(&facts, self.options);
        build::build(&facts, &groups, &hidden, full.level)
    }

    /// Workloads, if they fit. Each group becomes a node, so that too many of them need no edges to
    /// be collapsed.
    fn within(&self, most: (usize, usize)) -> Option<Drawing> {
        // no group has members of two namespaces
        let spaces: BTreeSet<_> = self
            .facts
            .places
            .iter()
            .filter_map(PicturePlace::space)
            .collect();
        if spaces.len() > most.0 {
            return None;
        }
        let groups = self.groups();
        (groups.len() <= most.0)
            .then(|| self.detailed(&groups))
            .filter(|d| d.fits(most))
    }
}
