// Exponents with their intervals, variations and rates of the finished runs.
import { h, s, trouble, table, facts } from "./dom.js";
import { get, studyURL, enc } from "./api.js";
import { fixed, typeset, number, count } from "./format.js";
import { chart } from "./chart.js";
import { colour, dash } from "./colour.js";
import { groupField, groupOf, remember } from "./group.js";

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
    const rows = answer.rows[g.group];
    const variation = variations(g, points);
    pictures = [variation, lengths(g, rows, points)].filter(Boolean);
    place.replaceChildren(...damaged, ...headline(g), h("ul", { class: "words" }, g.words.map((text) => h("li", null, text))), ...exponents(rows), h("h3", null, "p-variation and norms over depth"), h("div", { class: "pair" }, pictures.map((p) => p.node)), ...limits(g), ...rates(name, points), ...(g.notes?.length ? [h("h3", null, "Notes"), h("ul", null, g.notes.map((n) => h("li", null, n)))] : []));
  }
  await load();
  return { nodes: [tools, said, place], progress(_, changed) { if (changed) { clearTimeout(timer); timer = setTimeout(() => load().catch(() => {}), 1000); } }, destroy() { over = true; clearTimeout(timer); pictures.forEach((p) => p.destroy()); } };
}

const V = (p) => `V${[...String(p)].map((c) => (c === "." ? "." : "₀₁₂₃₄₅₆₇₈₉"[Number(c)])).join("")}`;

function headline(g) {
  return [facts([
    ["α + β̂ (expected 1)", typeset(g.alpha_plus_beta_estimate?.text), true],
    ["Slope of V₂ (expected 0)", typeset(g.variation_slopes?.["2"]?.text), true],
    ["Variation index of the limit (at most 2)", typeset(g.variation_index?.text), true],
    ["Runs that fall linearly", g.rate && `${g.rate.linear} of ${g.rate.runs}`, true],
  ])];
}

function exponents(rows) {
  const all = rows.filter((r) => r.law).flatMap(({ law, expected }) => [law.low, law.high, law.slope, expected ?? law.slope]).filter(Number.isFinite);
  const least = Math.min(0, ...all), most = Math.max(0, ...all), pad = (most - least || 1) * 0.05;
  return [table("Exponents e in y ∝ Lᵉ with their 95 % intervals", [{ text: "Quantity", class: "text" }, { text: "Slope over these depths" }, { text: "95 % interval" }, { text: "Exponent as L → ∞" }, { text: "Expected" }, { text: `From ${fixed(least, 1)} to ${fixed(most, 1)}`, class: "text" }, { text: "R²" }, { text: "From", class: "text" }, { text: "Reading", class: "text wrap" }],
    rows.map((r) => [`${r.name}, ${r.symbol}`, ...(r.law ? [typeset(r.number), typeset(r.range), typeset(r.limit) || "–"] : ["–", "–", "–"]), r.expected === null ? "" : fixed(r.expected, 2), r.law ? whisker(r.law, r.expected, least - pad, most + pad) : "", r.r2, r.basis,
      r.missing ? `none: ${r.missing}` : r.warning ? `${r.reading}; warning: ${r.warning}` : r.reading]))];
}

/** whisker draws an exponent with its interval; the number stands beside it. */
function whisker(x, want, least, most) {
  const at = (v) => 4 + ((v - least) / (most - least)) * 184;
  const line = (attributes) => s("line", attributes);
  return s("svg", { class: "whisker", viewBox: "0 0 192 20", "aria-hidden": "true" }, line({ class: "zero", x1: at(0), x2: at(0), y1: 0, y2: 20 }),
    ...(want === null ? [] : [line({ class: "want", x1: at(want), x2: at(want), y1: 2, y2: 18, "stroke-width": 1.5 })]),
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
    if (k.slope) list.push({ ...fitted(k.slope, k.slope.depths), label: `${k.text}, fitted slope ${typeset(k.slope.text)}`, key: k.key, colour: (a) => colour(i, a), width: 1.5, dash: dash(i) });
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
    "p-variation of the rescaled weight path against depth", "Vₚ of the path Lᵝ Aₖ against depth: a point for each run, the lines are the fits of the table. V₂ that neither grows nor falls means finite 2-variation.");
}

function lengths(g, rows, points) {
  const kinds = rows.filter(({ key }) => (key === "max_frobenius" || key === "displacement") && points.some((p) => p[key] > 0)).map((r) => [r.key, r.symbol]);
  return overDepth(g, kinds.map(([key, text]) => ({ key, text, slope: g.exponents?.[key], points: points.map((x) => ({ ...x, value: x[key] })) })),
    "Norms of the trained weights against depth", g.residual === "fixed" ? `Both are expected to fall like L⁻ᵝ, β = ${fixed(1 - g.alpha, 2)}.` : "A point for each run, the lines are the fits of the table.");
}

function limits(g) {
  const list = [];
  if (g.limit?.distances?.length) {
    list.push(table("Distance between the paths of consecutive depths", [{ text: "Depths", class: "text" }, { text: "Seed" }, { text: "sup‖∫(Ā − Ā′)‖" }, { text: "L² of displacements" }],
      g.limit.distances.map((d) => [`${d.depth} → ${d.next}`, String(d.seed), number(d.integral), number(d.displacement)])));
  }
  return list;
}

function rates(name, points) {
  return [h("h3", null, "Linear convergence"), table("Fit J(t) ≈ C ρᵗ of each run", [{ text: "Run", class: "text name" }, { text: "L" }, { text: "Seed" }, { text: "Iterations" }, { text: "Loss" }, { text: "ρ ± s.e." }, { text: "R²" }, { text: "Why there is none", class: "text wrap" }, { text: "Ended", class: "text" }],
    points.slice(0, 300).map((p) => [h("a", { href: `#/study/${enc(name)}/run/${enc(p.run)}` }, p.run), String(p.depth), String(p.seed), String(p.iterations), number(p.loss), p.rate_text || "–", p.r2_text || "–", p.rate_reason ?? "", p.stop]))];
}
