// Exponents with their intervals, variations and rates of the finished runs.
import { h, s, trouble, table, facts } from "./dom.js";
import { get, studyURL, enc } from "./api.js";
import { fixed, interval, number, count } from "./format.js";
import { chart } from "./chart.js";
import { colour, dash } from "./colour.js";
import { groupField, groupOf, remember } from "./group.js";

const names = {
  max_frobenius: "largest layer, maxₖ ‖Aₖ‖", displacement: "largest movement, maxₖ ‖Aₖ(T) − Aₖ(0)‖", max_increment: "largest increment, maxₖ ‖Aₖ₊₁ − Aₖ‖",
  root_sum_squares: "all layers, √Σ‖Aₖ‖²", delta: "trained residual scale δ", displacement_variation: "V₁ of the rescaled displacement",
};
// What the theory expects of a group with this α, where it says something.
const expected = { max_frobenius: (a) => a - 1, displacement: (a) => a - 1, delta: (a) => -a };

export async function scaling({ name, info, route }) {
  if (!info.groups.length) return { nodes: [h("p", { class: "empty" }, "No run yet.")] };
  let group = groupOf(info, route.params), answer = null, timer = 0, pictures = [], over = false;
  const place = h("div", null), said = h("p", { class: "quiet", role: "status" });
  const tools = h("div", { class: "tools" }, groupField(info, group.group, (v) => { group = info.groups.find((g) => g.group === v); remember({ group: v }); draw(); }));

  async function load() {
    clearTimeout(timer);
    const fresh = await get(studyURL(name, "/analysis"));
    if (over) return;
    const text = fresh.state === "computing" ? "Analysing the finished runs …" : fresh.stale ? `The numbers speak of ${count(fresh.runs, "run")}; more are finished and being analysed.` : "";
    if (said.textContent !== text) said.textContent = text;
    if (fresh.state === "computing" || fresh.stale) timer = setTimeout(() => load().catch(() => {}), 1500);
    if (JSON.stringify(fresh) === JSON.stringify(answer)) return;
    answer = fresh;
    draw();
  }
  function draw() {
    pictures.forEach((p) => p.destroy());
    pictures = [];
    if (answer.state === "failed") return place.replaceChildren(trouble("Not analysed", answer.error));
    if (answer.state === "computing") return place.replaceChildren();
    const g = answer.groups.find((x) => x.group === group.group);
    const points = answer.points.filter((x) => x.group === group.group);
    const damaged = answer.damaged?.length ? [trouble("Could not be read", answer.damaged.map((d) => `${d.id}: ${d.error}`))] : [];
    if (!g) return place.replaceChildren(...damaged, h("p", { class: "empty" }, "No run of this group is finished yet."));
    const variation = variations(g, points);
    pictures = [variation, lengths(g, points)].filter(Boolean);
    place.replaceChildren(...damaged, ...headline(g), ...exponents(g), h("h3", null, "p-variation and norms over depth"), h("div", { class: "pair" }, pictures.map((p) => p.node)), ...limits(g), ...rates(name, points), ...(g.notes?.length ? [h("h3", null, "Notes"), h("ul", null, g.notes.map((n) => h("li", null, n)))] : []));
  }
  await load();
  return { nodes: [tools, said, place], progress(_, changed) { if (changed) { clearTimeout(timer); timer = setTimeout(() => load().catch(() => {}), 1000); } }, destroy() { over = true; clearTimeout(timer); pictures.forEach((p) => p.destroy()); } };
}

const V = (p) => `V${[...String(p)].map((c) => (c === "." ? "." : "₀₁₂₃₄₅₆₇₈₉"[Number(c)])).join("")}`;

function headline(g) {
  const v2 = g.variation_slopes?.["2"], index = g.variation_index;
  return [facts([
    ["α + β̂ (expected 1)", fixed(g.alpha_plus_beta), true],
    ["Slope of V₂ (expected 0)", v2 && `${fixed(v2.slope)}`, true],
    ["Variation index (at most 2)", index && `${fixed(index.index, 2)}`, true],
    ["Linear rate ρ", g.rate && (g.rate.min_rho === g.rate.max_rho ? fixed(g.rate.min_rho) : `${fixed(g.rate.min_rho)} … ${fixed(g.rate.max_rho)}`), true],
    ["Least R² of the linear rate", g.rate && fixed(g.rate.min_r2, 4), true],
  ])];
}

function exponents(g) {
  const order = Object.keys(names);
  const rows = [...Object.entries(g.exponents ?? {}).sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0])).map(([key, slope]) => [names[key] ?? key, slope, expected[key]?.(g.alpha)]),
    ...Object.entries(g.variation_slopes ?? {}).sort((a, b) => a[0] - b[0]).map(([p, slope]) => [`${V(p)} of the rescaled path`, slope, p === "2" ? 0 : undefined])];
  if (!rows.length) return [h("p", { class: "empty" }, "Exponents need finished runs at two depths.")];
  const all = rows.flatMap(([, x, want]) => [x.low, x.high, x.slope, want ?? x.slope]).filter(Number.isFinite);
  const least = Math.min(0, ...all), most = Math.max(0, ...all), pad = (most - least || 1) * 0.05;
  return [table("Exponents e in y ∝ Lᵉ with their 95 % intervals", [{ text: "Quantity", class: "text" }, { text: "Exponent" }, { text: "95 % interval" }, { text: "Expected" }, { text: `From ${fixed(least, 1)} to ${fixed(most, 1)}`, class: "text" }, { text: "R²" }, { text: "Interval from", class: "text" }],
    rows.map(([text, x, want]) => [text, fixed(x.slope), Number.isFinite(x.low) ? interval(x) : "–", want === undefined ? "" : fixed(want, 2), whisker(x, want, least - pad, most + pad), fixed(x.r2, 4), x.warning ? `${x.method} (!)` : x.method])),
    ...notes(rows)];
}

/** notes says in words what the marks (!) stand for, each warning once. */
function notes(rows) {
  const of = Map.groupBy(rows.filter(([, x]) => x.warning), ([, x]) => x.warning);
  return of.size ? [h("ul", { class: "quiet" }, [...of].map(([warning, list]) => h("li", null, `(!) ${list.map(([text]) => text).join("; ")}: ${warning}`)))] : [];
}

/** whisker draws an exponent with its interval; the number stands beside it. */
function whisker(x, want, least, most) {
  const at = (v) => 4 + ((v - least) / (most - least)) * 184;
  const line = (attributes) => s("line", attributes);
  return s("svg", { class: "whisker", viewBox: "0 0 192 20", "aria-hidden": "true" }, line({ class: "zero", x1: at(0), x2: at(0), y1: 0, y2: 20 }),
    ...(want === undefined ? [] : [line({ class: "want", x1: at(want), x2: at(want), y1: 2, y2: 18, "stroke-width": 1.5 })]),
    ...(Number.isFinite(x.low) ? [line({ x1: at(x.low), x2: at(x.high), y1: 10, y2: 10, "stroke-width": 1.5 })] : []), s("circle", { cx: at(x.slope), cy: 10, r: 3.2 }));
}

/** fitted is a slope's line over the depths of a group. */
function fitted(slope, depths) {
  return { x: depths, y: depths.map((d) => Math.exp(slope.intercept + slope.slope * Math.log(d))) };
}

function overDepth(g, kinds, label, caption) {
  if (!kinds.length) return null;
  const depths = g.depths;
  const picture = chart({
    label, xLabel: "depth L", yLabel: kinds.length > 1 ? "value" : kinds[0].text, xLog: 2, yLog: true, xTicks: () => depths, yRange: (_, low, high) => [low / 1.3, high * 1.3], height: 320,
    xRange: () => [depths[0] / 1.25, depths.at(-1) * 1.25],
    legend: { title: "", entries: kinds.map((k, i) => ({ key: k.key, text: k.text, colour: (a) => colour(i, a), dash: dash(i) })) },
    caption, read: (x, y) => `L = ${x}: ${number(y, 4)}`,
    rows: () => ({ caption: label, columns: [{ text: "Run", class: "text" }, { text: "L" }, { text: "Seed" }, ...kinds.map((k) => ({ text: k.text }))], rows: kinds[0].points.map((p, i) => [p.run, String(p.depth), String(p.seed), ...kinds.map((k) => number(k.points[i].value, 4))]) }),
  });
  picture.set(kinds.flatMap((k, i) => {
    const list = [];
    if (k.slope && depths.length > 1) list.push({ ...fitted(k.slope, depths), label: `${k.text}, fitted slope ${fixed(k.slope.slope)}`, key: k.key, colour: (a) => colour(i, a), width: 1.5, dash: dash(i) });
    const seeds = [...new Set(k.points.map((p) => p.seed))];
    for (const seed of seeds) {
      const mine = k.points.filter((p) => p.seed === seed).sort((a, b) => a.depth - b.depth);
      list.push({ x: mine.map((p) => p.depth), y: mine.map((p) => p.value), label: `${k.text}, seed ${seed}`, key: k.key, colour: (a) => colour(i, a), lines: false, points: true });
    }
    return list;
  }));
  return picture;
}

function variations(g, points) {
  const powers = Object.keys(points[0]?.p_variation ?? {}).sort((a, b) => a - b);
  return overDepth(g, powers.map((p) => ({ key: p, text: V(p), slope: g.variation_slopes?.[p], points: points.map((x) => ({ ...x, value: x.p_variation[p] })) })),
    "p-variation of the rescaled weight path against depth", "Vₚ of the path Lᵝ Aₖ against depth: a point for each run, the lines are the fits of the table. V₂ that stays flat means finite 2-variation.");
}

function lengths(g, points) {
  const kinds = [["max_frobenius", "maxₖ ‖Aₖ‖"], ["displacement", "maxₖ ‖Aₖ(T) − Aₖ(0)‖"]].filter(([key]) => points.some((p) => p[key] > 0));
  return overDepth(g, kinds.map(([key, text]) => ({ key, text, slope: g.exponents?.[key], points: points.map((x) => ({ ...x, value: x[key] })) })),
    "Norms of the trained weights against depth", `Both are expected to fall like L⁻ᵝ, β = ${fixed(1 - g.alpha, 2)}.`);
}

function limits(g) {
  const list = [];
  if (g.regime) list.push(h("h3", null, "Regime of the limit"), h("p", null, h("strong", null, g.regime.verdict), ". ", g.regime.reason, g.regime.warning ? ` ${g.regime.warning}` : ""));
  if (g.limit?.distances?.length) {
    list.push(table("Distance between the paths of consecutive depths", [{ text: "Depths", class: "text" }, { text: "Seed" }, { text: "sup‖∫(Ā − Ā′)‖" }, { text: "L² of displacements" }],
      g.limit.distances.map((d) => [`${d.depth} → ${d.next}`, String(d.seed), number(d.integral), number(d.displacement)])));
    const slope = g.limit.integral ?? g.limit.displacement;
    if (slope) list.push(h("p", null, "They change like L", h("sup", null, fixed(slope.slope)), ` (95 %: ${interval(slope)}).`));
  }
  return list;
}

function rates(name, points) {
  return [h("h3", null, "Linear convergence"), table("Fit J(t) ≈ C ρᵗ of each run", [{ text: "Run", class: "text name" }, { text: "L" }, { text: "Seed" }, { text: "Iterations" }, { text: "Loss" }, { text: "ρ" }, { text: "± s.e." }, { text: "R²" }, { text: "Ended", class: "text" }],
    points.slice(0, 300).map((p) => [h("a", { href: `#/study/${enc(name)}/run/${enc(p.run)}` }, p.run), String(p.depth), String(p.seed), String(p.iterations), number(p.loss), p.rate ? fixed(p.rate.rho, 4) : "–", p.rate ? number(p.rate.stderr, 2) : p.rate_reason, p.rate ? fixed(p.rate.r2, 5) : "–", p.stop]))];
}
