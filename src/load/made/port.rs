//! Ports as rows write them: `name:number`, with `/UDP` where it is no TCP, and for Services
//! `name:number->target`.

use crate::load::made::expression::ExpressionScope;
use crate::load::made::fill::{mapping, text, text_of};
use crate::model::ContainerPort;
use crate::set::Protocol;
use crate::source::Span;
use crate::tree::{SyntaxNode, Value};

/// The texts of the ports of a part of a row, filled in, as far as they are told.
fn texts(part: &SyntaxNode, scope: ExpressionScope<'_>) -> Vec<String> {
    let plain = part.get("ports").map(SyntaxNode::items).unwrap_or_default();
    let plain = plain.iter().filter_map(|port| scope.filled(port.as_str()?));
    let mut texts: Vec<String> = plain.collect();
    let conditional = part
        .get("ports-when")
        .map(SyntaxNode::items)
        .unwrap_or_default();
    for port in conditional {
        let Some(text) = text_of(port, "port") else {
            continue;
        };
        let scopes = match text_of(port, "each") {
            Some(path) => elements(path, scope),
            None => vec![scope],
        };
        let met = |scope: &&ExpressionScope<'_>| {
            text_of(port, "when").is_none_or(|when| scope.holds(when))
        };
        texts.extend(
            scopes
                .iter()
                .filter(met)
                .filter_map(|scope| scope.filled(text)),
        );
    }
    texts
}

/// The elements of a list or of a mapping.
fn elements<'a>(path: &str, scope: ExpressionScope<'a>) -> Vec<ExpressionScope<'a>> {
    let found = scope.first_node(path);
    let items = found.map(SyntaxNode::items).unwrap_or_default().iter();
    let entries = found.map(SyntaxNode::entries).unwrap_or_default().iter();
    let items = items.map(|item| (None, item));
    let all = items.chain(entries.map(|entry| (Some(&*entry.key), &entry.value)));
    let of_each = |(key, item)| ExpressionScope {
        item: Some(item),
        key,
        ..scope
    };
    all.map(of_each).collect()
}

/// The ports that a part of a row declares.
pub fn ports_of(part: &SyntaxNode, scope: ExpressionScope<'_>) -> Vec<ContainerPort> {
    let texts = texts(part, scope);
    texts.iter().filter_map(|text| parsed(text)).collect()
}

/// One declared port.
pub fn port(text: &str, scope: ExpressionScope<'_>) -> Option<ContainerPort> {
    parsed(&scope.filled(text)?)
}

fn parsed(text: &str) -> Option<ContainerPort> {
    let (name, number) = text.split_once(':')?;
    let (number, protocol) = number.split_once('/').unwrap_or((number, "TCP"));
    Some(ContainerPort {
        name: Some(name).filter(|name| !name.is_empty()).map(Into::into),
        protocol: Protocol::from_api(protocol)?,
        port: number.parse().ok().filter(|port| *port > 0)?,
    })
}

/// The ports of a Service, as its object writes them.
pub fn service_ports(part: &SyntaxNode, scope: ExpressionScope<'_>) -> SyntaxNode {
    let span = scope.object.span;
    let texts = texts(part, scope);
    let ports = texts.iter().filter_map(|port| service_port(port, span));
    SyntaxNode {
        span,
        value: Value::Sequence(ports.collect()),
    }
}

fn service_port(written: &str, span: Span) -> Option<SyntaxNode> {
    let (port, target) = match written.split_once("->") {
        Some((port, target)) => (port, Some(target)),
        None => (written, None),
    };
    let port = parsed(port)?;
    let number = |number: i64| SyntaxNode {
        span,
        value: Value::Int(number),
    };
    let target = target.map(|target| match target.parse() {
        Ok(found) => number(found),
        Err(_) => text(target, span),
    });
    let entries = [
        ("name", port.name.as_deref().map(|name| text(name, span))),
        ("port", Some(number(i64::from(port.port)))),
        ("protocol", Some(text(port.protocol.name(), span))),
        ("targetPort", target),
    ];
    let told = entries.into_iter();
    Some(mapping(
        told.filter_map(|(key, value)| Some((key, value?))),
        span,
    ))
}
