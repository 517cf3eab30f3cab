//! What to draw, and what to leave out.

use crate::picture::drawing::DetailLevel;
use crate::picture::scope::Hide;

/// What to draw.
#[derive(Debug, Clone)]
pub struct DrawOptions {
    /// What is one node.
    pub level: DetailLevel,
    /// Draw only what is near these places (keys), when there are any.
    pub focus: Vec<String>,
    /// How many flows away from the focus.
    pub hops: u32,
    /// Draw only what differs.
    pub only_changed: bool,
    /// What is left out.
    pub hide: Hide,
}

impl Default for DrawOptions {
    fn default() -> Self {
        Self {
            level: DetailLevel::Auto,
            focus: Vec::new(),
            hops: 1,
            only_changed: false,
            hide: Hide::default(),
        }
    }
}
