//! `netpal demo`: the playground of the first five minutes.

use super::args::DemoArgs;
use super::exit::Exit;
use super::output;
use anyhow::{Context as _, Result, bail};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../examples/demo/", $name)))),*]
    };
}

/// The files of the playground, as they stand in `examples/demo`.
static FILES: [(&str, &str); 7] = files![
    "README.md",
    "data.yaml",
    "dev.yaml",
    "netpal.yaml",
    "platform.yaml",
    "policy-tests/shop.yaml",
    "shop.yaml",
];

/// Writes the playground and says what to ask first. An existing folder is never written into.
///
/// # Errors
/// When the folder exists or cannot be written.
pub fn run(args: &DemoArgs) -> Result<Exit> {
    let folder = &args.directory;
    if folder.exists() {
        bail!(
            "`{}` is already there; name another folder: netpal demo DIR",
            folder.display()
        );
    }
    for (name, text) in FILES {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)
            .with_context(|| format!("cannot create `{}`", parent.display()))?;
        output::whole_file(&path, text.as_bytes())?;
    }
    let text = format!(
        "Wrote {} files. The shop's author wants ONLY checkout to reach the database. Ask:\n  netpal can frontend reach database:5432\n",
        FILES.len()
    );
    output::plain(text.as_bytes())?;
    Ok(Exit::Good)
}
