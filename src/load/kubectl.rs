//! kubectl, the one program netpal starts by itself, and only on request: `-k` renders, `--live`
//! reads ([`crate::load::live`]).

use crate::load::checkout::NamedFolder;
use crate::load::error::LoadError;
use crate::load::input_file::InputFile;
use crate::load::limits;
use crate::load::limits::Printed;
use crate::load::source_limits::SourceLimits;
use std::process::Command;
use std::time::Duration;

/// Renders a kustomization: a directory, or `git:REV:DIRECTORY`.
///
/// # Errors
/// When kubectl is missing or refuses the directory, there is no such revision, or the build would
/// do what the limits forbid.
pub fn kustomize(named: &str, limits: Option<&SourceLimits>) -> Result<InputFile, LoadError> {
    let folder = NamedFolder::of(named)?;
    if let Some(limits) = limits {
        limits.check_kustomization(named, &folder.path, &folder.beside(&limits.folder))?;
    }
    let hint = "install it, or pipe: kustomize build DIR | netpal ... -f -";
    let failed = |reason: String| LoadError::Kubectl {
        command: format!("kustomize {named}"),
        reason,
    };
    let directory = folder.path.to_string_lossy();
    let printed = run(&["kustomize", "--", &directory], None, hint).map_err(failed)?;
    if printed.success {
        let name = format!("kustomize:{named}");
        Ok(InputFile::from_bytes(&name, printed.output))
    } else {
        Err(failed(printed.errors))
    }
}

/// Runs kubectl, and ends it when it takes longer than this. It is given no input: it cannot ask
/// for a password.
///
/// # Errors
/// When it cannot be started, prints too much or takes too long; the reason, with the hint if it is
/// missing.
pub fn run(arguments: &[&str], limit: Option<Duration>, hint: &str) -> Result<Printed, String> {
    let printed = limits::run_within(Command::new("kubectl").args(arguments), limit);
    printed.map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => format!("kubectl is not on the PATH; {hint}"),
        std::io::ErrorKind::TimedOut => {
            let limit = limit.unwrap_or_default();
            format!("no answer within {limit:?}")
        }
        _ => e.to_string(),
    })
}
