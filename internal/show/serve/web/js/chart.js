// Line charts: uPlot inside a figure with a legend of buttons, a line that reads out what
// is under the pointer, and the same values as a table for who cannot see the lines.
import uPlot from "../uplot/uPlot.esm.js";
import { h, table } from "./dom.js";
import { dark, token } from "./colour.js";
import { number } from "./format.js";
import { logTicks, depthTicks } from "./ticks.js";

/** chart draws series [{x, y, label, colour(alpha), key, dash, width, points, lines}] and
 * bands [{x, low, high, colour(alpha), key, outlined}], shaded, or drawn by their edges.
 *
 * options: label (what is shown), xLabel, yLabel, xLog, yLog, caption,
 * legend {title, entries: [{key, text, colour(alpha), dash}], stacked (an entry a line)}, rows() → {columns, rows} for
 * the table, read(x, y, series) → text, window ([from, to]) and xRange and yRange (functions), height,
 * depths: what a logarithmic x axis marks,
 * zoomed(range): called with [from, to] when a part of the x axis was dragged over or chosen by keys, with null
 * after a double click or Escape; without it the chart does not zoom.
 *
 * Returns {node, set(series, bands), emphasise(key), setLog(yLog), zoom([from, to] or null), destroy()}. */
export function chart(options) {
  const plot = h("div", { class: "plot", role: "img", "aria-label": options.label, ...(options.zoomed ? { tabindex: "0", "aria-keyshortcuts": "+ - ArrowLeft ArrowRight Escape", onkeydown: key } : {}) });
  const readout = h("span", { class: "readout" });
  const hidden = new Set();
  let series = [], bands = [], drawn = [], u = null, emphasised = null, yLog = options.yLog, focused = null, window_ = options.window ?? null;

  const buttons = (options.legend?.entries ?? []).map((entry) => {
    const swatch = h("span", { class: "swatch" });
    const button = h("button", { type: "button", "aria-pressed": "true", onclick: () => {
      if (hidden.has(entry.key)) hidden.delete(entry.key); else hidden.add(entry.key);
      button.setAttribute("aria-pressed", String(!hidden.has(entry.key)));
      drawn.forEach((d, i) => u?.setSeries(i + 1, { show: !hidden.has(d.key) }));
    } }, swatch, h("span", null, entry.text));
    return { entry, swatch, button };
  });
  const paintLegend = () => buttons.forEach(({ entry, swatch }) => swatch.style.setProperty("background", stripes(entry.colour(1), entry.dash)));
  const body = h("div", null);
  const values = options.rows && h("details", { ontoggle: (e) => {
    if (!e.target.open) return body.replaceChildren();
    const { caption, columns, rows } = options.rows();
    body.replaceChildren(table(caption, columns, rows));
  } }, h("summary", null, "Values as a table"), body);
  const node = h("figure", null,
    h("div", { class: "card" },
      buttons.length > 0 && h("ul", { class: options.legend.stacked ? "legend stacked" : "legend", "aria-label": options.legend.title || "Lines" }, options.legend.title && h("li", { class: "title" }, options.legend.title), buttons.map((b) => h("li", null, b.button))),
      h("div", { class: "axis", "aria-hidden": "true" }, h("span", null, options.yLabel)),
      plot,
      h("div", { class: "axis", "aria-hidden": "true" }, readout, h("span", null, options.xLabel))),
    options.caption && h("figcaption", null, options.caption), values);

  const alphaOf = (d) => (emphasised === null ? 1 : d.key === emphasised ? 1 : 0.16);
  function build() {
    u?.destroy();
    focused = null;
    const soft = token("--soft"), grid = token("--grid");
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    drawn = [...bands.flatMap((b) => [{ ...b, y: b.low, edge: true }, { ...b, y: b.high, edge: true }]), ...series];
    const axis = (more) => ({
      stroke: soft, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 }, label: undefined, labelSize: 0, gap: 6, ...more,
    });
    /** marked is an axis whose marks `make(length, low, high)` gives, for a length in pixels; lines go through those with a text. */
    const marked = (make, across) => {
      let texts = new Map();
      return {
        splits: (self, _, low, high) => {
          const length = (across ? self.bbox.width : self.bbox.height) / devicePixelRatio || 300;
          texts = new Map(make(length, low, high).map((m) => [m.at, m.text]));
          return [...texts.keys()];
        },
        values: (_, ticks) => ticks.map((v) => texts.get(v) ?? ""),
        filter: (_, ticks) => ticks,
        grid: { stroke: grid, width: 1, filter: (_, ticks) => ticks.map((v) => (texts.get(v) ? v : null)) },
      };
    };
    const digits = 8 + 8 * Math.max(1, ...(options.depths ?? []).map((d) => String(d).length));
    const xMarks = options.depths ? marked((length, low, high) => depthTicks(options.depths, low, high, digits / length), true)
      : options.xLog ? marked((length, low, high) => logTicks(low, high, Math.max(2, Math.round(length / 80))), true)
        : { values: (_, ticks) => ticks.map(tick), ...(options.xRange ? {} : { incrs: whole }) };
    const yMarks = yLog ? marked((length, low, high) => logTicks(low, high, Math.max(2, Math.round(length / 55)))) : { values: (_, ticks) => ticks.map(tick) };
    u = new uPlot({
      width: Math.max(plot.clientWidth, 200), height: height(), legend: { show: false }, padding: [10, 14, 0, 0],
      cursor: { focus: { prox: 24 }, drag: { x: Boolean(options.zoomed), y: false, setScale: false }, points: { show: false } }, focus: { alpha: 0.25 },
      scales: {
        x: { time: false, ...(options.xLog || options.depths ? { distr: 3, log: 10 } : {}), range: window_ ? () => window_ : options.xRange ?? (options.xLog ? (_, low, high) => [low, high > low ? high : 2 * low] : undefined) },
        y: { ...(yLog ? { distr: 3, log: 10 } : {}), range: options.yRange },
      },
      axes: [
        axis({ size: 34, space: 60, ...xMarks }),
        axis({ size: (_, values) => Math.max(40, 14 + widest(font, values ?? [])), space: 34, ...yMarks }),
      ],
      bands: bands.map((b, i) => ({ series: [2 * i + 2, 2 * i + 1], fill: b.outlined ? "transparent" : b.colour(bands.length > 2 ? 0.1 : 0.18) })),
      series: [{}, ...drawn.map((d) => ({
        label: d.label, show: !hidden.has(d.key), spanGaps: true, pxAlign: 0,
        stroke: !d.edge ? () => d.colour(alphaOf(d)) : d.outlined ? () => d.colour(0.6 * alphaOf(d)) : "transparent",
        width: d.lines === false || d.edge && !d.outlined ? 0 : d.edge ? 0.75 : d.width ?? 1.75, dash: d.dash,
        points: { show: Boolean(d.points), size: 7, width: 1.5, fill: token("--card"), stroke: d.edge ? "transparent" : () => d.colour(alphaOf(d)) },
      }))],
      hooks: { setSeries: [(_, i) => { focused = i; read(); }], setCursor: [read], setSelect: [selected] },
    }, data(), plot);
    if (options.zoomed) u.over.addEventListener("dblclick", () => choose(null));
    paintLegend();
  }
  const height = () => options.height ?? Math.min(380, Math.max(240, Math.round(plot.clientWidth * 0.5)));
  function data() {
    const shown = drawn.map((d) => [d.x, yLog ? d.y.map((v) => (v > 0 ? v : null)) : d.y]);
    if (shown.length === 0) return [[]];
    return uPlot.join(shown.map(([x, y]) => {
      const start = options.xLog ? x.findIndex((v) => v > 0) : 0; // a logarithmic axis has no 0
      return start < 0 || !x.length ? [[], []] : start > 0 ? [x.slice(start), y.slice(start)] : [x, y];
    }));
  }
  function read() {
    const i = u?.cursor.idx, d = focused > 0 ? drawn[focused - 1] : null;
    if (i === null || i === undefined || !d || d.edge) return readout.replaceChildren();
    // The nearest record of this line: others have records between its own.
    const x = u.data[0], y = u.data[focused];
    let near = i;
    for (let step = 0; step < x.length && (y[near] === null || y[near] === undefined); step++) near = i + (step % 2 ? 1 : -1) * Math.ceil(step / 2);
    if (y[near] === null || y[near] === undefined) return readout.replaceChildren();
    readout.replaceChildren(h("strong", null, d.label), "   ", (options.read ?? ((a, b) => `${number(a)}, ${number(b, 4)}`))(x[near], y[near], d));
  }
  function set(newSeries, newBands = []) {
    const same = u && newBands.length === bands.length && newSeries.length === series.length && newSeries.every((d, i) => d.label === series[i].label && d.key === series[i].key);
    series = newSeries;
    bands = newBands;
    if (!same) return plot.isConnected ? build() : undefined;
    drawn = [...bands.flatMap((b) => [{ ...b, y: b.low, edge: true }, { ...b, y: b.high, edge: true }]), ...series];
    u.setData(data());
  }
  /** selected zooms to what was dragged over; a click drags over nothing. */
  function selected() {
    const { left, width } = u.select;
    if (width < 4) return;
    choose([u.posToVal(left, "x"), u.posToVal(left + width, "x")]);
  }
  function choose(range) {
    zoom(range);
    options.zoomed(window_);
  }
  /** key moves and sizes the part that is shown, as far as there are data. */
  function key(e) {
    const xs = u?.data[0];
    if (!xs?.length || e.ctrlKey || e.metaKey || e.altKey) return;
    const [to, from] = options.xLog ? [Math.log, Math.exp] : [(v) => v, (v) => v];
    const least = to(xs[0]), most = to(xs.at(-1));
    const [a, b] = (window_ ?? [xs[0], xs.at(-1)]).map(to), width = b - a;
    const next = { "+": [a + width / 4, b - width / 4], "=": [a + width / 4, b - width / 4], "-": [a - width / 2, b + width / 2], ArrowLeft: [a - width / 4, b - width / 4], ArrowRight: [a + width / 4, b + width / 4] }[e.key];
    if (!next) return;
    e.preventDefault();
    const span = next[1] - next[0];
    if (span >= most - least) return choose(null);
    if (span < (options.xLog ? 1e-3 : 2)) return; // no two iterations are nearer
    const start = Math.min(Math.max(next[0], least), most - span);
    choose([from(start), from(start + span)]);
  }
  const escape = (e) => { if (e.key === "Escape" && window_ && e.target.type !== "search") choose(null); };
  if (options.zoomed) document.addEventListener("keydown", escape);
  /** zoom shows the part of the x axis between two values, all of it for null. */
  function zoom(range) {
    const from = range && Math.max(range[0], options.xLog ? 1 : 0);
    window_ = range && range[1] > from ? [from, range[1]] : null;
    if (u) build();
  }
  const resize = new ResizeObserver(() => {
    if (!u) return build();
    if (u.width !== plot.clientWidth || u.height !== height()) u.setSize({ width: Math.max(plot.clientWidth, 200), height: height() });
  });
  resize.observe(plot);
  dark.addEventListener("change", build);
  return {
    node, set,
    emphasise(key) { emphasised = key; u?.redraw(false); },
    zoom,
    setLog(on) { yLog = on; build(); },
    destroy() { resize.disconnect(); document.removeEventListener("keydown", escape); dark.removeEventListener("change", build); u?.destroy(); u = null; },
  };
}

/** stripes is a background that looks like a line with this dash. */
function stripes(colour, dash = []) {
  if (!dash.length) return colour;
  let end = 0;
  const stops = dash.map((length, i) => `${i % 2 ? "transparent" : colour} ${end}px ${(end += length)}px`);
  return `repeating-linear-gradient(90deg, ${stops.join(", ")})`;
}

const pen = document.createElement("canvas").getContext("2d");
/** widest is the width in pixels of the longest of some texts. */
function widest(font, texts) {
  pen.font = font;
  return texts.reduce((most, text) => Math.max(most, pen.measureText(text ?? "").width), 0);
}

// Iterations are whole.
const whole = [...Array(10).keys()].flatMap((e) => [1, 2, 5].map((m) => m * 10 ** e));

function tick(v) {
  if (v === 0) return "0";
  const size = Math.abs(v);
  if (size >= 1e5 || size < 1e-3) return number(v, 2);
  return String(Number(v.toPrecision(6))).replace("-", "−");
}
