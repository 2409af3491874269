"use strict";

// Nodes and edges, at the places that they come with.

const RADIUS = 26;

draw.graph = (body, { nodes, edges }, height) => {
  const hidden = { type: "value", min: 0, max: 1, show: false };
  const circle = ({ id, stat, color, x, y }) => ({
    id, value: [x, y], symbolSize: 2 * RADIUS,
    itemStyle: { color: "#181b1f", borderColor: color, borderWidth: 3 },
    label: { show: true, position: "inside", color: "#f4f5f7", fontSize: 12, formatter: stat },
  });
  // A node has one label, and its stat is that: the names are points of their own. They also tell
  // what has no room for an arrow.
  const itself = (id) => edges.filter(({ source, target }) => source === id && target === id);
  const name = ({ id, title, subtitle, x, y }) => ({
    value: [x, y],
    label: {
      show: true, position: "bottom", distance: RADIUS + 4, color: "#f4f5f7", fontSize: 12,
      formatter: [title, subtitle, ...itself(id).map(({ stat }) => `for itself ${stat}`)].filter(Boolean).join(", "),
      backgroundColor: "#181b1fcc", padding: [1, 3],
    },
  });
  const line = ({ source, target, stat, thickness }) => ({
    source, target, lineStyle: { width: thickness, curveness: 0.15 },
    label: { show: true, formatter: stat },
  });
  chart(body, height, {
    grid: { left: 90, right: 90, top: RADIUS + 16, bottom: RADIUS + 26 },
    xAxis: hidden,
    yAxis: { ...hidden, inverse: true },
    series: [
      {
        type: "graph", coordinateSystem: "cartesian2d",
        data: nodes.map(circle), links: edges.filter(({ source, target }) => source !== target).map(line),
        edgeSymbol: ["none", "arrow"], edgeSymbolSize: 10,
        lineStyle: { color: "#8e949f", opacity: 0.9 },
        edgeLabel: { color: "#f4f5f7", fontSize: 11, backgroundColor: "#2a2d34", padding: [2, 4], borderRadius: 2 },
      },
      { type: "scatter", symbolSize: 1, color: "transparent", data: nodes.map(name) },
    ],
  });
};
