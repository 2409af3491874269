//! The span tree of the slowest request, drawn with the lock attributes of each span.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tables::duration;

/// One span with everything below it, as the service keeps it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Span {
    name: String,
    trace_id: String,
    span_id: String,
    start_seconds: f64,
    duration_seconds: f64,
    attributes: BTreeMap<String, Value>,
    links: Vec<Link>,
    children: Vec<Self>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Link {
    trace_id: String,
    span_id: String,
    attributes: BTreeMap<String, Value>,
}

/// The tree below `root`, one line per span and one per group of attributes.
pub(super) fn draw(root: &Span) -> String {
    let mut text = format!("trace {}\n", root.trace_id);
    span(&mut text, root, "", "");
    text
}

/// `first` begins the span's own line, `rest` the lines below it.
fn span(text: &mut String, node: &Span, first: &str, rest: &str) {
    let took = duration(node.duration_seconds);
    let at = match node.start_seconds {
        at if at > 0.0 => format!(" at +{}", duration(at)),
        _ => String::new(),
    };
    // Writing to a string cannot fail.
    let _written = writeln!(text, "{first}{} {took}{at}", node.name);
    let below = if node.children.is_empty() { "   " } else { "│  " };
    for line in attributes(node).into_iter().chain(links(node)) {
        let _written = writeln!(text, "{rest}{below}{line}");
    }
    for (index, child) in node.children.iter().enumerate() {
        let (branch, under) = match index + 1 == node.children.len() {
            true => ("└─ ", "   "),
            false => ("├─ ", "│  "),
        };
        span(text, child, &format!("{rest}{branch}"), &format!("{rest}{under}"));
    }
}

/// Lock attributes that say something, a few to a line.
fn attributes(node: &Span) -> Vec<String> {
    let told =
        |key: &str| key.starts_with("lock.") || key == "precision" || key == "code.function.name";
    let pairs: Vec<String> = node
        .attributes
        .iter()
        .filter(|(key, value)| told(key) && value.as_f64() != Some(0.0))
        .map(|(key, value)| format!("{key}={}", plain(key, value)))
        .collect();
    // Of other spans this is where the library opened them.
    let own = node.attributes.get("lock.name");
    let place = node.attributes.get("code.file.path").zip(node.attributes.get("code.line.number"));
    let place = place.filter(|_| own.is_some());
    let place = place.map(|(file, line)| format!("at {}:{line}", plain("", file)));
    pairs.chunks(4).map(|chunk| chunk.join("  ")).chain(place).collect()
}

fn links(node: &Span) -> impl Iterator<Item = String> {
    node.links.iter().map(|link| {
        let role =
            link.attributes.get("lock.link.role").map_or("link".into(), |role| plain("", role));
        format!("{role}: span {} of trace {}", link.span_id, link.trace_id)
    })
}

fn plain(key: &str, value: &Value) -> String {
    let timed = [".time", ".max", ".delay"].iter().any(|end| key.ends_with(end));
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if timed && number.is_f64() => {
            duration(number.as_f64().unwrap_or(0.0))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tree_is_drawn_with_attributes_and_links() {
        let root: Span = serde_json::from_str(
            r#"{"name":"POST /orders","trace_id":"a1","span_id":"b1","start_seconds":0.0,
                "duration_seconds":0.06,"attributes":{"http.route":"/orders","lock.wait.time":0.055,"lock.hold.time":0.0},
                "links":[],"children":[
                {"name":"lock wait","trace_id":"a1","span_id":"b2","start_seconds":0.001,
                 "duration_seconds":0.055,"attributes":{"lock.name":"inventory","code.file.path":"src/x.rs",
                 "code.line.number":9},"children":[],"links":[{"trace_id":"c1","span_id":"d1",
                 "attributes":{"lock.link.role":"holder"}}]},
                {"name":"insert","trace_id":"a1","span_id":"b3","start_seconds":0.056,
                 "duration_seconds":0.001,"attributes":{},"links":[],"children":[]}]}"#,
        )
        .unwrap();
        let expected = "\
trace a1
POST /orders 60.0 ms
│  lock.wait.time=55.0 ms
├─ lock wait 55.0 ms at +1.00 ms
│     lock.name=inventory
│     at src/x.rs:9
│     holder: span d1 of trace c1
└─ insert 1.00 ms at +56.0 ms
";
        assert_eq!(draw(&root), expected);
    }
}
