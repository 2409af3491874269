"use strict";

// Draws the page, and says in the root element whether all of it could be drawn.

const HEAD = 28;
const ABOUT = 14;
const SMALL_HEAD = 40;

draw.row = (block, { closed }, title) => {
  block.classList.add("row");
  block.append(`▾ ${title}`, closed ? element("small", "", "closed until it is clicked") : "");
};

function header() {
  const choices = page.variables.map(([name, value]) =>
    element("span", "choice", element("b", "", name), value));
  const marks = page.marks.map(({ time, color, text }) =>
    element("span", "mark", styled(element("b", "", "┆ "), { color }), `${clock(time)} ${text}`));
  return element(
    "header", "",
    element("h1", "", page.title), element("div", "label", page.label),
    element("p", "", page.description), ...choices, ...marks,
  );
}

function add({ place, title, description, drawing }) {
  const { left, top, width, height } = place;
  const block = styled(element("div", "block"), {
    left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`,
  });
  document.body.append(block);
  if (drawing.kind === "row") return draw.row(block, drawing, title);
  block.title = description;
  block.append(element("h2", "", title));
  // There is room for the first sentence where there is a graph.
  const isLarge = height > 200;
  if (isLarge) block.append(element("div", "about", description));
  else block.classList.add("small");
  const above = isLarge ? HEAD + ABOUT : SMALL_HEAD;
  const body = styled(element("div", "body"), { top: `${above}px` });
  block.append(body);
  draw[drawing.kind](body, drawing, height - above - 8);
}

const root = document.documentElement;
try {
  styled(document.body, { width: `${page.width}px`, height: `${page.height}px` });
  document.body.append(header());
  page.blocks.forEach(add);
  root.dataset.drawn = page.blocks.length;
} catch (error) {
  root.dataset.error = String(error);
}
