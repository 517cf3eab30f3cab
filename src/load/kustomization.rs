//! Kustomizations that are read as plain files: what they would change stays undone.
//!
//! `-f FOLDER` reads the objects as they stand; a namespace, patches or other parts come in only
//! where the Kustomization is built (`-k FOLDER`). What is read is then not what is applied, so it
//! is said. A Kustomization that only lists resources changes nothing.

use crate::tree::SyntaxNode;

/// The fields that change the objects which it takes in, or add others.
const CHANGES: [&str; 15] = [
    "namespace",
    "namePrefix",
    "nameSuffix",
    "commonLabels",
    "labels",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "components",
    "replacements",
    "replicas",
    "generators",
    "transformers",
    "helmCharts",
    "vars",
];

/// Whether an object is a Kustomization of kustomize, which may leave out its version.
pub fn is_one(api_version: &str, kind: &str) -> bool {
    let known = [
        "kustomize.config.k8s.io/v1beta1",
        "kustomize.config.k8s.io/v1alpha1",
        "",
    ];
    matches!(kind, "Kustomization" | "Component") && known.contains(&api_version)
}

/// What is said of one that changes something.
pub fn remark(node: &SyntaxNode) -> Option<String> {
    let sets = |field: &&&str| {
        let value = node.get(field);
        value.is_some_and(|value| value.as_str().is_none_or(|text| !text.is_empty()))
    };
    let fields: Vec<&str> = CHANGES.iter().filter(sets).copied().collect();
    let named: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    (!named.is_empty()).then(|| {
        format!(
            "this Kustomization sets {}, which objects read with -f do not have; -k FOLDER builds it",
            named.join(", ")
        )
    })
}
