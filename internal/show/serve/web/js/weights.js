// Weight paths: one number of every layer against k/L, depths laid over each other.
import { h, field, segments, select, trouble } from "./dom.js";
import { get, studyURL, query } from "./api.js";
import { number } from "./format.js";
import { chart } from "./chart.js";
import { depthColour } from "./colour.js";
import { groupField, groupOf, remember } from "./group.js";

export async function weights({ name, info, route }) {
  if (!info.groups.length) return { nodes: [h("p", { class: "empty" }, "No run yet.")] };
  const p = route.params;
  let group = groupOf(info, p);
  let along = p.get("at") === "along"; // norms along training instead of weights at its end
  const ask = { seed: p.get("seed") ?? String(group.seeds[0]), part: p.get("part") ?? "", of: p.get("of") ?? "trained", entry: p.get("entry") ?? "norm" };
  let answer = null, picture = null, at = null, turn = 0, frames = null;
  const place = h("div", null), notes = h("div", null), tools = h("div", { class: "tools" }), sliderBox = h("div", { class: "tools" });

  async function load() {
    const mine = ++turn;
    try {
      const fresh = await get(studyURL(name, `/paths${query({ group: group.group, ...ask })}`));
      const recorded = along && ask.entry === "norm" && ask.of !== "initial" ? await get(studyURL(name, `/norms${query({ group: group.group, seed: ask.seed, part: fresh.part, of: ask.of })}`)) : null;
      if (mine !== turn) return;
      [answer, frames] = [fresh, recorded];
    } catch (error) {
      if (mine === turn) { picture?.destroy(); picture = null; place.replaceChildren(trouble("Not shown", error.message)); }
      return;
    }
    ask.part = answer.part || ask.part;
    remember({ group: info.groups.length > 1 ? group.group : "", seed: ask.seed, part: ask.part, of: ask.of === "trained" ? "" : ask.of, entry: ask.entry === "norm" ? "" : ask.entry, at: along ? "along" : "" });
    build();
  }
  const symbol = () => {
    const A = ask.of === "displacement" ? `(${answer.part}ₖ(T) − ${answer.part}ₖ(0))` : ask.of === "initial" ? `${answer.part}ₖ(0)` : `${answer.part}ₖ`;
    const scale = answer.power ? `${answer.part === "delta" ? "Lᵅ" : "Lᵝ"} · ` : "";
    return ask.entry === "norm" ? `${scale}‖${A.replace(/^\((.*)\)$/, "$1")}‖` : `${scale}${A}[${ask.entry}]`;
  };
  function controls() {
    const part = answer.parts.find((x) => x.name === answer.part);
    const [row, col] = ask.entry === "norm" ? [1, 1] : ask.entry.split(",").map(Number);
    const number_ = (label, value, most, set) => field(label, h("input", { type: "number", min: "1", max: String(most), value: String(value), onchange: (e) => { if (e.target.reportValidity()) set(e.target.valueAsNumber); } }));
    tools.replaceChildren(...[
      groupField(info, group.group, (v) => { group = info.groups.find((g) => g.group === v); ask.seed = String(group.seeds[0]); ask.part = ""; at = null; load(); }),
      group.seeds.length > 1 && field("Seed", select(group.seeds.map((s) => [s, String(s)]), ask.seed, (v) => { ask.seed = v; load(); })),
      answer.parts.length > 1 && field("Part", select(answer.parts.map((x) => [x.name, `${x.name} (${x.rows} × ${x.cols})`]), answer.part, (v) => { ask.part = v; ask.entry = "norm"; load(); })),
      segments("Weights", "of", [["trained", "Trained"], ["initial", "Initial"], ["displacement", "Displacement"]], ask.of, (v) => { ask.of = v; load(); }),
      segments("Show", "entry", [["norm", "Norm"], ["entry", "One entry"]], ask.entry === "norm" ? "norm" : "entry", (v) => { ask.entry = v === "norm" ? v : "1,1"; load(); }),
      ask.entry === "norm" && ask.of !== "initial" && segments("When", "at", [["end", "At the end"], ["along", "Along training"]], along ? "along" : "end", (v) => { along = v === "along"; load(); }),
      ask.entry !== "norm" && part && number_("Row i", row, part.rows, (v) => { ask.entry = `${v},${col}`; load(); }),
      ask.entry !== "norm" && part && number_("Column j", col, part.cols, (v) => { ask.entry = `${row},${v}`; load(); }),
    ].filter(Boolean));
  }
  function build() {
    const focus = document.activeElement?.name ?? "", value = document.activeElement?.value;
    controls();
    if (focus) tools.querySelector(`input[name="${CSS.escape(focus)}"][value="${CSS.escape(value)}"]`)?.focus();
    picture?.destroy();
    picture = null;
    notes.replaceChildren(...(answer.notes?.length ? [trouble("Left out", answer.notes)] : []));
    sliderBox.replaceChildren();
    if (frames) return film();
    if (!answer.curves.length) return place.replaceChildren(h("p", { class: "empty" }, "No run of this group and seed is finished yet; weights are written at its end."));
    const depths = [...new Set(answer.curves.map((c) => c.depth))];
    at ??= depths.length - 1;
    at = Math.min(at, depths.length - 1);
    const colour = (d) => (a) => depthColour(d, depths, a);
    picture = chart({
      label: `${symbol()} against k/L for depths ${depths.join(", ")}; the values are in the table below`,
      xLabel: "k / L", yLabel: symbol(), xRange: () => [0, 1],
      legend: { title: "Depth L", entries: depths.map((d) => ({ key: d, text: String(d), colour: colour(d) })) },
      caption: `${group.label}, seed ${ask.seed}${answer.power ? `, ${answer.part === "delta" ? "α" : "β"} = ${number(answer.power)}` : ""}. ${captions[ask.of]}${ask.entry === "norm" ? " The norm is Frobenius'." : ""}`,
      read: (x, y, d) => `layer ${Math.round(x * d.key)} of ${d.key}: ${number(y, 4)}`,
      rows: () => {
        const steps = [...Array(17).keys()].map((i) => i / 16);
        return { caption: `${symbol()} at places k/L, the nearest layer of each depth`, columns: [{ text: "k / L" }, ...answer.curves.map((c) => ({ text: `L = ${c.depth}` }))], rows: steps.map((s) => [String(s), ...answer.curves.map((c) => number(c.y[Math.min(c.depth - 1, Math.max(0, Math.round(s * c.depth) - 1))]))]) };
      },
    });
    place.replaceChildren(picture.node);
    picture.set(answer.curves.map((c) => ({ x: c.x, y: c.y, label: `L = ${c.depth}`, key: c.depth, colour: colour(c.depth), width: c.depth > 600 ? 1.1 : 1.75 })));
    if (depths.length > 1) {
      const text = h("output", { class: "mono" });
      const show = () => {
        text.textContent = at === depths.length ? "all" : `L = ${depths[at]}`;
        input.setAttribute("aria-valuetext", at === depths.length ? "all depths alike" : `depth ${depths[at]} in front`);
        picture.emphasise(at === depths.length ? null : depths[at]);
      };
      const input = h("input", { type: "range", min: "0", max: String(depths.length), step: "1", value: String(at = depths.length), id: "depth", oninput: (e) => { at = e.target.valueAsNumber; show(); } });
      sliderBox.replaceChildren(field("Depth in front", input), text);
      show();
    }
  }
  /** film draws the norms of all depths at one iteration, which a slider chooses. The
   * axis holds those of all iterations, so that what moves is the path. */
  function film() {
    notes.replaceChildren(...(frames.notes.length ? [trouble("Left out", frames.notes)] : []));
    const curves = frames.curves, depths = [...new Set(curves.map((c) => c.depth))];
    if (!curves.length) return place.replaceChildren(h("p", { class: "empty" }, "No finished run of this group and seed has norms along training."));
    const times = [...new Set(curves.flatMap((c) => c.iterations))].sort((a, b) => a - b);
    const all = curves.flatMap((c) => c.frames.flat()).filter((v) => v !== null);
    const least = all.reduce((a, b) => Math.min(a, b), Infinity), most = all.reduce((a, b) => Math.max(a, b), -Infinity), pad = (most - least || 1) * 0.04;
    const colour = (d) => (a) => depthColour(d, depths, a);
    let now = times.length - 1;
    // A run that ended before stands as it ended.
    const frame = (c) => c.frames[Math.max(0, c.iterations.findLastIndex((t) => t <= times[now]))];
    picture = chart({
      label: `${symbol()} against k/L for depths ${depths.join(", ")} at an iteration that the slider below chooses; the values are in the table below`,
      xLabel: "k / L", yLabel: symbol().replace("(T)", "(t)"), xRange: () => [0, 1], yRange: () => [least - pad, most + pad],
      legend: { title: "Depth L", entries: depths.map((d) => ({ key: d, text: String(d), colour: colour(d) })) },
      caption: `${group.label}, seed ${ask.seed}. ${ask.of === "displacement" ? "How far gradient descent has moved each layer" : "The norms of the layers"} at the iterations that were recorded. The norm is Frobenius'.`,
      read: (x, y, d) => `layer ${Math.round(x * d.key)} of ${d.key}: ${number(y, 4)}`,
      rows: () => ({ caption: `Largest ${symbol()} over the layers`, columns: [{ text: "Iteration" }, ...curves.map((c) => ({ text: `L = ${c.depth}` }))], rows: times.map((t) => [String(t), ...curves.map((c) => { const i = c.iterations.indexOf(t); return i < 0 ? "–" : number(c.frames[i].reduce((a, b) => Math.max(a, b), 0)); })]) }),
    });
    const draw = () => picture.set(curves.map((c) => ({ x: c.x, y: frame(c), label: `L = ${c.depth}`, key: c.depth, colour: colour(c.depth), width: c.depth > 600 ? 1.1 : 1.75 })));
    const text = h("output", { class: "mono" });
    const show = () => { text.textContent = `t = ${times[now]}`; input.setAttribute("aria-valuetext", `iteration ${times[now]}`); draw(); };
    const input = h("input", { type: "range", min: "0", max: String(times.length - 1), step: "1", value: String(now), oninput: (e) => { now = e.target.valueAsNumber; show(); } });
    place.replaceChildren(picture.node);
    sliderBox.replaceChildren(field("Iteration", input), text);
    show();
  }
  await load();
  return { nodes: [tools, sliderBox, place, notes], progress(_, changed) { if (changed && !answer?.curves.length) load(); }, destroy() { turn++; picture?.destroy(); } };
}

const captions = {
  trained: "The rescaled trained weights: where depths lie on one curve, that curve is the limit.",
  initial: "The rescaled initial weights.",
  displacement: "What gradient descent added to the initial weights, rescaled.",
};
