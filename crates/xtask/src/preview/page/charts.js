"use strict";

// Charts over time, drawn by ECharts.

const FAINT = "#8e949f";
const GRID = "#262a31";
const HEAT = ["#33251b", "#7a4a1f", "#c8702a", "#f5a623", "#fff1cf"];
const POINT = "#ff5fff";
const LEGEND_LINE = 16;

/** A chart in an element of that height at the begin of the body. */
function chart(body, height, options) {
  const place = styled(element("div"), { height: `${height}px`, width: `${body.clientWidth}px` });
  body.append(place);
  const it = echarts.init(place, null, { renderer: "canvas" });
  it.setOption({ animation: false, textStyle: { fontFamily: "DejaVu Sans, Arial" }, ...options });
  it.getZr().flush();
}

const axisLook = {
  axisLine: { lineStyle: { color: GRID } },
  axisTick: { show: false },
  axisLabel: { color: FAINT, fontSize: 11, hideOverlap: true },
  splitLine: { lineStyle: { color: GRID } },
};

function timeAxis(width) {
  return {
    ...axisLook, type: "time", min: page.times[0], max: page.times[page.times.length - 1],
    splitNumber: Math.max(2, Math.round(width / 110)),
    axisLabel: { ...axisLook.axisLabel, formatter: clock },
  };
}

/** Thresholds across and marks upright, as lines that belong to a series. */
function markLines(levels) {
  const across = levels.map(({ value, color }) => ({
    yAxis: value, lineStyle: { color, type: "dashed", width: 1 }, label: { show: false },
  }));
  const upright = page.marks.map(({ time, color }) => ({
    xAxis: time, lineStyle: { color, type: "dashed", width: 1 }, label: { show: false },
  }));
  return { symbol: "none", silent: true, data: [...across, ...upright] };
}

draw.lines = (body, { series, calculations, axis, min, max, stacked, levels, points }, height) => {
  const fits = Math.min(series.length, Math.max(3, Math.floor((0.34 * height) / LEGEND_LINE) - 1));
  const upper = height - (fits + 1) * LEGEND_LINE - 4;
  const line = ({ name, color, values }, index) => ({
    name, type: "line", showSymbol: false, color,
    data: values.map((value, at) => [page.times[at], value]),
    lineStyle: { width: 1.5 },
    areaStyle: { opacity: stacked ? 0.35 : 0.08 },
    stack: stacked ? "all" : undefined,
    markLine: index === 0 ? markLines(levels) : undefined,
  });
  const dots = { type: "scatter", symbol: "diamond", symbolSize: 5, color: POINT, itemStyle: { opacity: 0.6 }, data: points };
  chart(body, upper, {
    grid: { left: 8, right: 28, top: 8, bottom: 4, containLabel: true },
    xAxis: timeAxis(body.clientWidth),
    yAxis: {
      ...axisLook, type: "value", min: min ?? undefined, max: max ?? undefined,
      splitNumber: Math.max(2, Math.round(upper / 45)),
      axisLabel: { ...axisLook.axisLabel, formatter: (it) => digits(it / axis.size) + axis.suffix },
    },
    series: [...series.map(line), ...(points.length ? [dots] : [])],
  });
  body.append(legend(series.slice(0, fits), calculations));
  tellMore(body, series.length - fits);
};

function legend(series, calculations) {
  const head = ["", ...calculations].map((it, index) => element("th", index ? "number" : "", it));
  const rows = series.map(({ name, color, calculated }) => {
    const dot = styled(element("span", "dot"), { background: color });
    const figures = calculated.map((it) => element("td", "number", it));
    return element("tr", "", element("td", "", dot, name), ...figures);
  });
  return element("table", "legend", element("tr", "", ...head), ...rows);
}

draw.heat = (body, { buckets, cells, most, most_text, points }, height) => {
  chart(body, height - 18, {
    grid: { left: 8, right: 28, top: 8, bottom: 4, containLabel: true },
    xAxis: {
      ...axisLook, type: "category", data: page.times.map(clock), splitLine: { show: false },
      axisLabel: { ...axisLook.axisLabel, interval: Math.floor(page.times.length / (body.clientWidth / 110)) },
    },
    yAxis: {
      ...axisLook, type: "category", data: buckets, splitLine: { show: false },
      axisLabel: { ...axisLook.axisLabel, interval: "auto" },
    },
    // Small counts stay visible: the scale is that of their square root.
    visualMap: { show: false, min: 0, max: Math.sqrt(most), dimension: 3, seriesIndex: 0, inRange: { color: HEAT } },
    series: [
      { type: "heatmap", data: cells.map(([time, bucket, count]) => [time, bucket, count, Math.sqrt(count)]) },
      { type: "scatter", symbol: "diamond", symbolSize: 5, color: POINT, data: points },
    ],
  });
  const ramp = styled(element("i"), { background: `linear-gradient(90deg, ${HEAT.join(", ")})` });
  const leads = points.length ? "   ◆ leads to a trace" : "";
  body.append(element("div", "scale", "0", ramp, most_text + leads));
};
