//! The margins of printed pages: subject, digest, version, page numbers.
//!
//! They are CSS `content` strings; [`quoted`] writes everything but letters, digits and blanks as
//! an escape, so that no name can end the string or the style sheet.

use std::fmt::Write as _;

/// The rules of the page margins.
pub fn margins(subject: &str, digest: &str) -> String {
    let version = concat!("netpal ", env!("CARGO_PKG_VERSION"));
    format!(
        "@media print{{@page{{\n@top-left{{content:{}}}\n@top-right{{content:{}}}\n@bottom-left{{content:{}}}\n\
         @bottom-right{{content:\"page \" counter(page) \" of \" counter(pages)}}\n}}}}\n",
        quoted(subject),
        quoted(version),
        quoted(digest),
    )
}

/// A CSS string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | ':') {
            out.push(c);
        } else {
            // INVARIANT: writing to a string does not fail
            let _ = write!(out, "\\{:06x}", u32::from(c));
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn no_text_ends_a_string_or_a_sheet() {
        assert_eq!(quoted("k8s/a.yaml"), "\"k8s\\00002fa.yaml\"");
        let hostile = quoted("\"}</style><script>\\\n");
        assert!(
            !hostile[1..hostile.len() - 1].contains(['"', '}', '<', '>', '\n']),
            "{hostile}"
        );
    }
}
