"use strict";

// What is drawn with elements alone. Each function fills the body of a block of that height.

const ROW = 24;
const LANE_NAME = 258;
const draw = {};

draw.nothing = (body, { text }) => {
  body.classList.add("nothing");
  body.append(element("span", "", text), element("small", "", "no data"));
};

draw.stat = (body, { values }) => {
  body.classList.add("stat");
  const longest = Math.max(...values.map(({ text }) => text.length));
  const size = Math.min(32, (1.5 * body.clientWidth) / values.length / longest);
  for (const { name, text, color } of values) {
    const number = styled(element("b", "", text), { color, fontSize: `${size}px` });
    body.append(element("div", "", number, values.length > 1 ? name : ""));
  }
};

draw.bars = (body, { bars }, height) => {
  const line = Math.min(34, height / bars.length);
  for (const { name, text, share, color } of bars) {
    const filled = styled(element("div"), { width: `${100 * share}%`, background: color });
    const bar = element(
      "div", "bar",
      element("div", "name", name),
      element("div", "track", filled),
      styled(element("div", "text", text), { color }),
    );
    body.append(styled(bar, { height: `${line}px` }));
  }
};

draw.table = (body, { columns, rows }, height) => {
  const fits = Math.floor(height / ROW) - 1;
  const align = (index) => (columns[index].is_number ? "number" : "");
  const head = columns.map(({ title }, index) => element("th", align(index), title));
  const lines = rows.slice(0, fits).map((cells) =>
    element("tr", "", ...cells.map((text, index) => element("td", align(index), text))));
  // Many columns share the width evenly, or the last ones would be outside.
  const isWide = columns.length > 6 ? "even" : "";
  body.append(element("table", isWide, element("tr", "", ...head), ...lines));
  tellMore(body, rows.length - lines.length);
};

draw.lanes = (body, { lanes, states }, height) => {
  const track = body.clientWidth - LANE_NAME;
  const fits = ({ from, to, state }) => (to - from) * track > 8 * state.text.length;
  const line = Math.min(64, (height - 36) / lanes.length);
  for (const { name, spans } of lanes) {
    const parts = spans.map((span) =>
      styled(element("div", "", fits(span) ? span.state.text : ""), {
        left: `${100 * span.from}%`, width: `${100 * (span.to - span.from)}%`,
        background: span.state.color,
      }));
    const lane = element("div", "lane", element("div", "name", name), element("div", "track", ...parts));
    body.append(styled(lane, { height: `${line}px` }));
  }
  const marks = clockMarks(Math.round(track / 110)).map(([share, text]) =>
    styled(element("span", "", text), { left: `${100 * share}%` }));
  body.append(element("div", "clock", ...marks));
  const legend = states.map(({ text, color }) =>
    element("span", "", styled(element("i"), { background: color }), text));
  body.append(element("div", "states", ...legend));
};

/** Says how much does not fit. */
function tellMore(body, count) {
  if (count > 0) body.parentElement.append(element("div", "more", `and ${count} more`));
}
