//! An object as it is written, whatever its spec: the form that dialects decode strictly.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

/// An object with a spec of some form.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(
    rename = "Object",
    bound(deserialize = "S: Deserialize<'de> + Default")
)]
#[allow(dead_code)] // every field is known, not every one matters
pub struct WrittenObject<S> {
    pub api_version: String,
    pub kind: String,
    pub metadata: ObjectMeta,
    pub spec: Option<S>,
}
