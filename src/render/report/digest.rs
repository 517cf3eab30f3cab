//! The digest of an input: which files a report speaks of, whatever they are called and in
//! whichever order they were read.
//!
//! It can be recomputed by hand: `sha256sum FILES | cut -c1-64 | sort | sha256sum`.

use crate::source::{Sources, Text};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The SHA-256 of the sorted SHA-256 digests of the files' texts, a line each: `sha256:...`.
pub fn digest(sources: &Sources) -> String {
    let mut lines: Vec<String> = sources.files().iter().map(|f| of(&f.text)).collect();
    lines.sort();
    let text: String = lines.into_iter().map(|l| l + "\n").collect();
    format!("sha256:{}", hex(&Sha256::digest(text.as_bytes())))
}

fn of(text: &Text) -> String {
    let mut sum = Sha256::new();
    text.pieces(|bytes| sum.update(bytes));
    hex(&sum.finalize())
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        // INVARIANT: writing to a string does not fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_names_make_no_difference_and_contents_do() {
        let of = |texts: &[(&str, &str)]| {
            let mut sources = Sources::default();
            for (name, text) in texts {
                sources.add_file(name, std::sync::Arc::new((*text).to_owned()));
            }
            digest(&sources)
        };
        let one = of(&[("a", "first\n"), ("b", "second\n")]);
        assert_eq!(one, of(&[("x", "second\n"), ("y", "first\n")]));
        assert_ne!(one, of(&[("a", "first\n"), ("b", "second")]));
        // printf 'first\n' > a; printf 'second\n' > b; sha256sum a b | cut -c1-64 | sort |
        // sha256sum
        assert_eq!(
            one,
            "sha256:e7e38ae92f8c1620d25d6f53bddac081991bdb034d3cf94bdcda78b82175fcf5"
        );
    }
}
