//! The invariants of the compiled form, for tests.

use crate::graph::allow_graph::AllowGraph;

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
            let class = self
                .space
                .classes
                .get(self.space.classes.of_pod[id.0 as usize]);
            let member = self
                .space
                .classes
                .members(self.space.classes.of_pod[id.0 as usize])
                .binary_search(&id)
                .is_ok();
            assert!(
                member && class.host == pod.host_network,
                "a pod is in its class"
            );
        }
        let spans: usize = self
            .space
            .classes
            .spans
            .iter()
            .map(ExactSizeIterator::len)
            .sum();
        assert_eq!(
            spans,
            self.space.classes.list.len(),
            "namespace spans cover the classes"
        );
    }
}
