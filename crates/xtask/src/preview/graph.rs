//! Who waits for whom as nodes and edges, from who only waits at the left to who only holds at the
//! right.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use integration_tests::dashboards::Panel;

use super::answer::Answer;
use super::page::{Drawing, Edge, Node};
use super::table::{self, Cell, Frame};

pub(super) fn drawing(panel: &Panel, answers: &[Answer<'_>]) -> Result<Option<Drawing>> {
    let frames = table::frames(panel, answers)?;
    let named = |name: &str| {
        let found = frames.iter().find(|frame| frame.name == name);
        found.with_context(|| format!("no answer is called `{name}`"))
    };
    let options = panel.options.as_ref().context("no options")?;
    let unit = |of: &str| options[of]["mainStatUnit"].as_str().unwrap_or_default();
    let edges = edges(named("edges")?, unit("edges"))?;
    let mut nodes = nodes(named("nodes")?, unit("nodes"))?;
    arrange(&mut nodes, &edges);
    Ok((!nodes.is_empty()).then_some(Drawing::Graph { nodes, edges }))
}

fn nodes(frame: &Frame, unit: &str) -> Result<Vec<Node>> {
    let node = |row: usize| {
        Ok(Node {
            id: text(frame, row, "id").context("a node without `id`")?,
            // Without a title a node has no name in Grafana either.
            title: text(frame, row, "title").unwrap_or_default(),
            subtitle: text(frame, row, "subtitle").unwrap_or_default(),
            stat: stat(frame, row, unit),
            color: text(frame, row, "color").unwrap_or_else(|| "gray".to_owned()),
            x: 0.5,
            y: 0.5,
        })
    };
    (0..frame.rows()).map(node).collect()
}

fn edges(frame: &Frame, unit: &str) -> Result<Vec<Edge>> {
    let edge = |row: usize| {
        let thickness = match frame.cell(row, "thickness") {
            Some(Cell::Number(thickness)) => *thickness,
            _ => 1.0,
        };
        Ok(Edge {
            source: text(frame, row, "source").context("an edge without `source`")?,
            target: text(frame, row, "target").context("an edge without `target`")?,
            stat: stat(frame, row, unit),
            thickness,
        })
    };
    (0..frame.rows()).map(edge).collect()
}

/// Around an ellipse, so that no edge runs through a node: by what a node does from left to right, in
/// turns above and below.
fn arrange(nodes: &mut [Node], edges: &[Edge]) {
    let waits: BTreeSet<_> = edges.iter().map(|edge| edge.source.as_str()).collect();
    let is_waited_for: BTreeSet<_> = edges.iter().map(|edge| edge.target.as_str()).collect();
    let column = |id: &str| match (waits.contains(id), is_waited_for.contains(id)) {
        (true, false) => 0,
        (true, true) => 1,
        (false, _) => 2,
    };
    nodes.sort_by_key(|node| column(&node.id));
    let count = nodes.len() as f64;
    for (nth, node) in nodes.iter_mut().enumerate() {
        let angle = std::f64::consts::PI * (nth as f64 + 0.5) / count;
        let side = if nth % 2 == 0 { -1.0 } else { 1.0 };
        node.x = 0.5 - 0.5 * angle.cos();
        node.y = 0.5 + 0.5 * side * angle.sin();
    }
}

fn text(frame: &Frame, row: usize, field: &str) -> Option<String> {
    match frame.cell(row, field)? {
        Cell::Text(text) => Some(text.clone()),
        Cell::Number(_) | Cell::Nothing => None,
    }
}

/// As Grafana writes it: two decimals and the name of the unit.
fn stat(frame: &Frame, row: usize, unit: &str) -> String {
    match frame.cell(row, "mainstat") {
        Some(Cell::Number(value)) => format!("{value:.2} {unit}").trim_end().to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str) -> Node {
        let (title, color) = (id.to_owned(), "red".to_owned());
        let (subtitle, stat) = (String::new(), String::new());
        Node { id: id.to_owned(), title, subtitle, stat, color, x: 0.0, y: 0.0 }
    }

    fn edge(source: &str, target: &str) -> Edge {
        let (source, target) = (source.to_owned(), target.to_owned());
        Edge { source, target, stat: String::new(), thickness: 1.0 }
    }

    #[test]
    fn nodes_go_from_who_only_waits_to_who_only_holds() {
        let mut nodes = ["root", "middle", "leaf", "other leaf"].map(node);
        let edges = [edge("leaf", "middle"), edge("other leaf", "root"), edge("middle", "root")];
        arrange(&mut nodes, &edges);
        let order: Vec<_> = nodes.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(order, ["leaf", "other leaf", "middle", "root"]);
        assert!(nodes.is_sorted_by(|a, b| a.x < b.x), "{nodes:?}");
        let above: Vec<_> = nodes.iter().map(|it| it.y < 0.5).collect();
        assert_eq!(above, [true, false, true, false]);
    }
}
