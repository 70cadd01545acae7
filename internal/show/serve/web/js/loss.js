// Loss against iteration, a line for each run, live.
import { h, field, segments, trouble } from "./dom.js";
import { get, studyURL, query, enc } from "./api.js";
import { number } from "./format.js";
import { chart } from "./chart.js";
import { depthColour } from "./colour.js";
import { groupField, groupOf, remember } from "./group.js";
import { add, smooth } from "./curve.js";
import { zoomOf, zoomFields, zoomHint, smoothingOf, smoothingField } from "./zoom.js";

export async function loss({ name, info, route }) {
  if (!info.groups.length) return { nodes: [h("p", { class: "empty" }, "No run yet.")] };
  let group = groupOf(info, route.params);
  let mode = route.params.get("lines") === "mean" ? "mean" : "runs", log = route.params.get("y") !== "linear";
  let answer = null, byRun = new Map(), picture = null, due = 0, reload = 0;
  let zoom = zoomOf(route.params), smoothing = smoothingOf(route.params);
  const place = h("div", null), notes = h("div", null);
  const zooms = zoomFields(zoom, (range) => { zoom = range; picture?.zoom(range); });

  async function load() {
    answer = null; // what arrives meanwhile waits
    const fresh = await get(studyURL(name, `/losses${query({ group: group.group })}`));
    byRun = new Map(fresh.curves.map((c) => [c.run, c]));
    answer = fresh;
    for (const added of waiting.splice(0)) merge(added);
    notes.replaceChildren(...(fresh.notes?.length ? [trouble("Left out", fresh.notes.slice(0, 5))] : []), ...(fresh.skipped ? [h("p", { class: "quiet" }, `${fresh.skipped} more runs of this group are not drawn.`)] : []));
    if (picture) draw(); else build();
  }
  const waiting = [];
  function merge(added) {
    let changed = false;
    for (const [run, curve] of Object.entries(added)) if (byRun.has(run)) changed = add(byRun.get(run), curve, answer.stride) || changed;
    return changed;
  }
  function build() {
    picture?.destroy();
    const depths = group.depths;
    picture = chart({
      label: `Loss against iteration on a ${log ? "logarithmic" : "linear"} scale, one line for each run, coloured by depth; the values are in the table below`,
      xLabel: "iteration t", yLabel: "loss J(t)", yLog: log, window: zoom,
      zoomed: (range) => { zoom = range; zooms.set(range); },
      legend: { title: "Depth L", entries: depths.map((d) => ({ key: d, text: String(d), colour: (a) => depthColour(d, depths, a) })) },
      caption: [`${group.label}. `, mode === "mean" ? "Geometric mean over seeds, the band from the least to the largest." : "One line for each run.",
        answer.stride > 1 ? ` Every ${answer.stride} iterations are drawn; downloads hold all.` : "", smoothing ? ` Lines are means over ${2 * smoothing + 1} neighbouring points; the pale ones are what was recorded.` : "", log ? " A straight line is a loss that falls linearly, J(t) ≈ C ρᵗ." : "", ` ${zoomHint}`],
      read: (x, y) => `iteration ${x}, J = ${number(y, 4)}`,
      rows: () => ({
        caption: `Loss of the runs of ${group.label}`,
        columns: [{ text: "Run", class: "text" }, { text: "L" }, { text: "Seed" }, { text: "State", class: "text" }, { text: "J at the start" }, { text: "Iteration" }, { text: "J there" }],
        rows: answer.curves.map((c) => [h("a", { href: `#/study/${enc(name)}/run/${enc(c.run)}` }, c.run), String(c.depth), String(c.seed), c.state, number(c.y[0]), c.x.length ? String(c.x.at(-1)) : "–", number(c.y.at(-1))]),
      }),
    });
    place.replaceChildren(picture.node);
    draw();
  }
  function draw() {
    const depths = group.depths;
    const colour = (d) => (a) => depthColour(d, depths, a);
    if (mode === "mean") {
      const bands = depths.map((d) => band(d, answer.curves.filter((c) => c.depth === d && c.state !== "diverged"))).filter((b) => b.x.length);
      picture.set(smoothed(bands.map((b) => ({ x: b.x, y: b.mean, label: `L = ${b.depth}, ${b.seeds} seeds`, key: b.depth, colour: colour(b.depth), width: 2 }))), bands.map((b) => ({ ...b, key: b.depth, colour: colour(b.depth) })));
      return;
    }
    picture.set(smoothed(answer.curves.filter((c) => c.x.length).map((c) => ({ x: c.x, y: c.y, label: `L = ${c.depth}, seed ${c.seed}`, key: c.depth, colour: colour(c.depth), width: answer.curves.length > 40 ? 1.1 : 1.75 }))));
  }
  /** smoothed puts means over neighbouring points in the place of lines, and these, pale, behind them. */
  function smoothed(lines) {
    if (!smoothing) return lines;
    return [...lines.map((l) => ({ ...l, label: `${l.label}, as recorded`, width: 1, colour: (a) => l.colour(0.25 * a) })), ...lines.map((l) => ({ ...l, y: smooth(l.y, smoothing, log) }))];
  }
  const tools = h("div", { class: "tools" },
    groupField(info, group.group, (v) => { group = info.groups.find((g) => g.group === v); remember({ group: v }); picture?.destroy(); picture = null; load(); }),
    segments("Lines", "lines", [["runs", "Each run"], ["mean", "Mean and band"]], mode, (v) => { mode = v; remember({ lines: v === "mean" ? v : "" }); build(); }),
    segments("Loss axis", "yaxis", [["log", "Log"], ["linear", "Linear"]], log ? "log" : "linear", (v) => { log = v === "log"; remember({ y: log ? "" : v }); build(); }),
    smoothingField(smoothing, (n) => { smoothing = n; build(); }), ...zooms.nodes,
    h("a", { class: "button", href: `#/compare${query({ s: name })}` }, "Compare …"));
  await load();
  return {
    nodes: [tools, place, notes],
    losses(added) {
      if (!answer) return waiting.push(added);
      if (!merge(added)) return;
      if (!due) due = requestAnimationFrame(() => { due = 0; if (picture && answer) draw(); });
    },
    progress(p, changed) { if (changed && !reload) reload = setTimeout(() => { reload = 0; load().catch(() => {}); }, 1000); },
    destroy() { picture?.destroy(); cancelAnimationFrame(due); clearTimeout(reload); },
  };
}

/** band gives the geometric mean and the range over the runs at the iterations that all of
 * them have. */
export function band(depth, curves) {
  const used = curves.filter((c) => c.x.length);
  const counts = new Map();
  for (const c of used) c.x.forEach((x, i) => { if (c.y[i] > 0) counts.set(x, [...(counts.get(x) ?? []), c.y[i]]); });
  const x = [...counts.keys()].filter((k) => counts.get(k).length === used.length).sort((a, b) => a - b);
  const at = x.map((k) => counts.get(k));
  return { depth, seeds: used.length, x, mean: at.map((v) => Math.exp(v.reduce((s, y) => s + Math.log(y), 0) / v.length)), low: at.map((v) => Math.min(...v)), high: at.map((v) => Math.max(...v)) };
}
