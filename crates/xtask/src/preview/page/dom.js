"use strict";

// Elements, and how much of the page they take.

/** An element with a class and children: elements, or texts. */
function element(name, className, ...children) {
  const it = document.createElement(name);
  if (className) it.className = className;
  it.append(...children);
  return it;
}

function styled(it, style) {
  Object.assign(it.style, style);
  return it;
}

/** Three significant digits, without zeros at the end. */
function digits(value) {
  return String(Number(value.toPrecision(3)));
}

/** The time of day, from milliseconds. */
function clock(time) {
  return new Date(time).toISOString().slice(11, 19);
}

/** Some times of the page with their shares of the range. */
function clockMarks(count) {
  const { times } = page;
  const share = (index) => (index + 0.5) / count;
  const at = (it) => times[0] + it * (times[times.length - 1] - times[0]);
  return Array.from({ length: count }, (_, index) => [share(index), clock(at(share(index)))]);
}
