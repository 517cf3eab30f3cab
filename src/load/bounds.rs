//! How much is read at most, and the reasons for not reading.

use std::io::Read;

/// What is larger than this is refused, unless it is a file that can be read in parts: it would not
/// fit in memory.
pub const MAX_FILE_BYTES: u64 = 4 << 30;

/// Why such a text is not read.
pub fn too_large() -> String {
    format!(
        "larger than {} GiB, and no List of JSON that can be read in parts",
        MAX_FILE_BYTES >> 30
    )
}

/// The system's reason in the words that are printed.
pub fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

/// All of a text, if it is not too large: a device may never end.
pub fn bounded(input: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    input
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| reason(&e))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        Err(too_large())
    } else {
        Ok(bytes)
    }
}
