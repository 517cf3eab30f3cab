//! How kubectl reads 746 plain scalars, recorded; ours must agree on nearly all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::internals::tree::{Chunk, parse};

#[test]
fn plain_scalars_read_as_kubectl_reads_them() {
    let Ok(cases) = std::env::var("NETPAL_CASES") else {
        println!("skipped: NETPAL_CASES is not set");
        return;
    };
    let read =
        |name: &str| std::fs::read_to_string(format!("{cases}/yaml-scalars/{name}")).unwrap();
    let wanted: Vec<serde_json::Value> = serde_json::from_str(&read("kres.json")).unwrap();
    let text = read("vals.txt");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), wanted.len());
    let differing: Vec<_> = lines
        .iter()
        .zip(&wanted)
        .filter(|(line, want)| !same(&value(line), want))
        .collect();
    for (line, want) in &differing {
        println!("{line}: kubectl {want}, netpal {}", value(line));
    }
    let agree = lines.len() - differing.len();
    println!("{agree} of {} agree", lines.len());
    assert!(agree >= 744, "{agree} of {}", lines.len());
}

fn value(scalar: &str) -> serde_json::Value {
    let text = format!("- {scalar}\n");
    let chunk = Chunk::whole(&text);
    let root = parse(&text, &chunk).root;
    root.and_then(|r| {
        r.items()
            .first()
            .map(netpal::internals::tree::SyntaxNode::to_json)
    })
    .unwrap_or_default()
}

/// Numbers compare as numbers: the recording went through JSON, which has one kind.
fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(x), Some(y)) => (x - y).abs() <= x.abs() * 1e-12,
        _ => a == b,
    }
}
