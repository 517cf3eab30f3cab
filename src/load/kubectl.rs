//! `kubectl kustomize`, the one program netpal starts, and only when asked with `-k`.

use super::LoadError;
use super::read::File;
use std::process::{Command, Stdio};

/// Renders a kustomization.
///
/// # Errors
/// When kubectl is missing or refuses the directory.
pub fn kustomize(directory: &str) -> Result<File, LoadError> {
    let failed = |reason: String| LoadError::Kubectl { path: directory.to_owned(), reason };
    let output = Command::new("kubectl").arg("kustomize").arg("--").arg(directory).stdin(Stdio::null()).output();
    let output = output.map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            failed("kubectl is not on the PATH; install it, or pipe: kustomize build DIR | netpal ... -f -".into())
        }
        _ => failed(e.to_string()),
    })?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(File::from_bytes(&format!("kustomize:{directory}"), output.stdout))
}
