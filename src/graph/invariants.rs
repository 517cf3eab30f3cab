//! The invariants of the compiled form, for tests.

use crate::graph::allow_graph::AllowGraph;
use crate::set::Ix;

impl AllowGraph {
    /// Checks the invariants of the compiled form. For tests.
    ///
    /// # Panics
    /// When one does not hold.
    #[doc(hidden)]
    #[allow(clippy::panic, clippy::missing_panics_doc)]
    pub fn verify(&self) {
        let full = self.space.full();
        for set in self.peers.iter().flat_map(|p| &p.0) {
            assert!(
                set.must.is_subset(&set.may) && set.may.is_subset(&full),
                "peer sets nest and stay on the line"
            );
        }
        for (id, pod) in self.env.cluster.pods() {
            let classes = &self.space.classes;
            let at = classes.of_pod[id];
            let class = &classes.list[at];
            let member = classes.members(at).binary_search(&id).is_ok();
            assert!(
                member && class.host == pod.host_network,
                "a pod is in its class"
            );
        }
        let spans = self.space.classes.spans.iter();
        let spans = spans.map(|span| span.end.index() - span.start.index());
        let spans: usize = spans.sum();
        assert_eq!(
            spans,
            self.space.classes.list.len(),
            "namespace spans cover the classes"
        );
    }
}
