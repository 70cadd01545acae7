// The runs that the filter chooses in one chart: loss, and accuracy where there is one, a line each.
import { h, field, segments, select, trouble, table } from "./dom.js";
import { get, studyURL, query, enc } from "./api.js";
import { number, count } from "./format.js";
import { chart } from "./chart.js";
import { depthColour } from "./colour.js";
import { remember } from "./group.js";
import { smooth } from "./curve.js";
import { zoomOf, zoomFields, zoomHint, smoothingOf, smoothingField } from "./zoom.js";

const of = (run, name) => (name === "depth" ? String(run.depth) : name === "data" ? run.data : run.settings?.[name] ?? "–");

/** ordered sorts values as numbers where they are, the others behind them. */
const ordered = (values) => [...new Set(values)].sort((a, b) => {
  const [x, y] = [Number(a), Number(b)].map((v) => (Number.isNaN(v) ? Infinity : v));
  return x === y ? (a < b ? -1 : 1) : x - y;
});

/** chosen makes the charts: {node, said(), load(ask), progress(changed), destroy()}. ask is the query of the table of runs. */
export function chosen({ name, params, say }) {
  let answer = null, pictures = [], asked = null, asking = null, timer = 0, cost = 0;
  let zoom = zoomOf(params), smoothing = smoothingOf(params), by = params.get("colour") ?? "depth";
  let xLog = params.get("x") === "log", yLog = params.get("y") !== "linear";
  const place = h("div", null), tools = h("div", { class: "tools" }), notes = h("div", null);
  const zooms = zoomFields(zoom, (range) => show(range));
  const show = (range) => { zoom = range; pictures.forEach((p) => p.picture.zoom(range)); };
  const colours = h("span", { class: "field" });
  tools.append(
    segments("Iterations", "xaxis", [["linear", "Linear"], ["log", "Log"]], xLog ? "log" : "linear", (v) => { xLog = v === "log"; remember({ x: xLog ? v : "" }); build(); }),
    segments("Loss axis", "yaxis", [["log", "Log"], ["linear", "Linear"]], yLog ? "log" : "linear", (v) => { yLog = v === "log"; remember({ y: yLog ? "" : v }); build(); }),
    smoothingField(smoothing, (n) => { smoothing = n; build(); }), colours, ...zooms.nodes);

  const label = (r) => [...answer.columns.map((c) => `${c.title} = ${of(r, c.name)}`), `L = ${r.depth}`, `seed ${r.seed}`].join(", ");
  const values = () => ordered(answer.curves.map((r) => of(r, by)));

  function build() {
    pictures.forEach((p) => p.picture.destroy());
    pictures = [];
    if (!answer.curves.some((r) => r.losses.x.length)) return place.replaceChildren(h("p", { class: "empty" }, answer.matching ? "None of these runs has recorded a loss yet." : "No run matches."));
    const keys = values(), title = by === "depth" ? "Depth L" : answer.columns.find((c) => c.name === by)?.title ?? by;
    const accuracy = `${answer.test ? "test " : ""}accuracy`;
    const kinds = [{ what: "loss", yLabel: "loss J(t)", curve: (r) => r.losses, log: yLog }];
    if (answer.curves.some((r) => r.accuracy)) kinds.push({ what: accuracy, yLabel: accuracy, curve: (r) => r.accuracy, log: false });
    for (const kind of kinds) {
      const have = answer.curves.filter((r) => kind.curve(r)?.x.length);
      const picture = chart({
        label: `${kind.what} against iteration of ${count(have.length, "run")}, coloured by ${title}; the values are in the table below`,
        xLabel: "iteration t", yLabel: kind.yLabel, yLog: kind.log, xLog: xLog ? 10 : 0, window: zoom,
        zoomed: (range) => { zooms.set(range); show(range); },
        legend: { title, entries: keys.map((k, i) => ({ key: k, text: k, colour: (a) => depthColour(i, keys.map((_, j) => j), a) })) },
        caption: `A line for each run${smoothing ? ", a mean over neighbouring points; the pale ones are what was recorded" : ""}. ${zoomHint}`,
        read: (x, y) => `iteration ${x}, ${kind.what === "loss" ? "J" : kind.what} = ${number(y, 4)}`,
        rows: () => ({
          caption: `The last ${kind.what} of each run`,
          columns: [{ text: "Run", class: "text" }, ...answer.columns.map((c) => ({ text: c.title, class: "text" })), { text: "L" }, { text: "Seed" }, { text: "State", class: "text" }, { text: "Iteration" }, { text: kind.what }],
          rows: have.map((r) => [h("a", { href: `#/study/${enc(name)}/run/${enc(r.id)}` }, r.id), ...answer.columns.map((c) => of(r, c.name)), String(r.depth), String(r.seed), r.state, String(kind.curve(r).x.at(-1)), number(kind.curve(r).y.at(-1), 4)]),
        }),
      });
      pictures.push({ picture, kind, have });
    }
    place.replaceChildren(h("div", { class: pictures.length > 1 ? "pair" : null }, pictures.map((p) => p.picture.node)));
    draw();
  }
  function draw() {
    const keys = values();
    for (const { picture, kind, have } of pictures) {
      const line = (r, y, more) => ({ x: kind.curve(r).x, y, label: `${label(r)}${more ? ", as recorded" : ""}`, key: of(r, by), width: have.length > 20 ? 1.1 : 1.75, ...more, colour: (a) => depthColour(keys.indexOf(of(r, by)), keys.map((_, i) => i), (more?.faint ?? 1) * a) });
      const faint = smoothing ? have.map((r) => line(r, kind.curve(r).y, { faint: 0.25, width: 1 })) : [];
      picture.set([...faint, ...have.map((r) => line(r, smoothing ? smooth(kind.curve(r).y, smoothing, kind.what === "loss") : kind.curve(r).y))]);
    }
  }
  async function load(ask) {
    clearTimeout(timer);
    timer = 0;
    asking?.abort();
    asking = new AbortController();
    asked = ask;
    const start = performance.now();
    const fresh = await get(studyURL(name, `/chosen${query({ ...ask, page: "", size: "" })}`), asking.signal);
    cost = performance.now() - start;
    answer = fresh;
    if (by !== "depth" && !answer.columns.some((c) => c.name === by)) by = "depth";
    colours.replaceChildren(...(answer.columns.length ? [field("Colour by", select([["depth", "depth"], ...answer.columns.map((c) => [c.name, c.title])], by, (v) => { by = v; remember({ colour: v === "depth" ? "" : v }); build(); }))] : []));
    const sorted = ask.sort === "depth" ? "the shallowest" : `those that are first when sorted by ${ask.sort}${ask.order === "desc" ? ", descending" : ""}`;
    say(answer.matching > answer.curves.length ? `${answer.curves.length} of the ${answer.matching.toLocaleString("en")} runs that match are drawn, ${sorted}: filter for fewer` : count(answer.matching, "run"));
    notes.replaceChildren(...(answer.notes?.length ? [trouble("Left out", answer.notes.slice(0, 5))] : []));
    build();
  }
  return {
    node: h("div", null, tools, place, notes), load,
    /** progress reads the curves again while runs grow, at rest ten times as long as that took. */
    progress(changed) {
      const growing = answer?.curves.some((r) => r.state === "running");
      if ((changed || growing) && asked && !timer) timer = setTimeout(() => load(asked).catch(() => {}), Math.max(changed ? 1000 : 5000, 10 * cost));
    },
    destroy() { asking?.abort(); clearTimeout(timer); pictures.forEach((p) => p.picture.destroy()); },
  };
}
