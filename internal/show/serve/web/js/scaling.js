// Exponents with their intervals, variations and rates of the finished runs.
import { h, s, trouble, table, facts } from "./dom.js";
import { get, studyURL, enc } from "./api.js";
import { fixed, typeset, number, count } from "./format.js";
import { formula, prose } from "./formula.js";
import { linearTicks } from "./ticks.js";
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
    // Runs that diverged are in no fit, and where they stood when they ended says nothing of depth.
    const ended = points.filter((p) => p.stop !== "diverged"), left = points.length - ended.length;
    pictures = g.depths.length > 1 ? [variations(g, rows, ended), lengths(g, rows, ended), ...distances(g), ...results(g, ended)].filter(Boolean) : [];
    const charts = pictures.length ? h("div", { class: "pair" }, pictures.map((p) => p.node)) : h("p", { class: "quiet" }, !ended.length ? "Every run diverged: there is nothing to draw over depth." : g.depths.length > 1 ? "No finished run has numbers to draw over depth." : `All finished runs have depth ${g.depths[0]}: charts over depth, and exponents, need a second one.`);
    place.replaceChildren(...[...damaged, ...headline(g), h("h3", null, "Over depth"), left > 0 && ended.length > 0 && h("p", { class: "quiet" }, `${count(left, "run")} that diverged ${left > 1 ? "are" : "is"} left out.`), charts, h("h3", null, "In words"), h("ul", { class: "words" }, g.words.map((text) => h("li", null, prose(text)))), ...exponents(rows), ...rates(name, points),
      ...(g.notes?.length ? [h("h3", null, "What was left out, and why"), h("ul", null, g.notes.map((n) => h("li", null, prose(n))))] : [])].filter(Boolean));
  }
  await load();
  return { nodes: [tools, said, place], progress(_, changed) { if (changed) { clearTimeout(timer); timer = setTimeout(() => load().catch(() => {}), 1000); } }, destroy() { over = true; clearTimeout(timer); pictures.forEach((p) => p.destroy()); } };
}

function headline(g) {
  const list = [
    ["α + β̂ (expected 1)", typeset(g.alpha_plus_beta_estimate?.text), true],
    ["Slope of V₂ (expected 0)", typeset(g.variation_slopes?.["2"]?.text), true],
    ["Variation index of the limit (at most 2)", typeset(g.variation_index?.text), true],
    ["Runs that fall linearly", g.rate && `${g.rate.linear} of ${g.rate.runs}`, true],
  ];
  return list.some((f) => f[1]) ? [facts(list)] : [];
}

/** exponents is the table of power laws; its column of dots and intervals has one scale, with marks in the header. */
function exponents(rows) {
  const all = rows.filter((r) => r.law).flatMap(({ law, expected }) => [law.low, law.high, law.slope, expected ?? law.slope]).filter(Number.isFinite);
  const least = Math.min(0, ...all), most = Math.max(0, ...all), pad = (most - least || 1) * 0.05;
  const drawn = rows.some((r) => r.law); // else there is nothing on the scale
  const scale = { low: least - pad, high: most + pad };
  scale.marks = linearTicks(scale.low, scale.high, 4);
  const head = drawn && [h("span", { class: "unseen" }, `Exponent between ${fixed(least, 1)} and ${fixed(most, 1)}`), axis(scale)];
  // What most of them rest on is said once.
  const counts = new Map();
  for (const r of rows) if (r.law) counts.set(r.basis, (counts.get(r.basis) ?? 0) + 1);
  const usual = [...counts.keys()].reduce((a, b) => (counts.get(b) > (counts.get(a) ?? 0) ? b : a), "");
  const reading = (r) => (r.missing ? `none: ${r.missing}` : [r.reading, r.basis !== usual && `, from ${r.basis}`, r.warning && ["; warning: ", prose(r.warning)]].filter(Boolean));
  return [h("h3", null, "Exponents"), table(`Exponents b in Lᵇ with their 95 % intervals${usual && `, from ${usual} where nothing else is said`}.${drawn ? " Drawn: a dot for the slope over these depths, a line as long as its interval, dashes for what is expected." : ""}`,
    [{ text: "Quantity", class: "text wrap" }, { text: "Slope over these depths" }, ...(drawn ? [{ text: head, class: "text" }] : []), { text: "As L → ∞" }, { text: "Expected" }, { text: "R²" }, { text: "Reading", class: "text wrap" }],
    rows.map((r) => [[`${r.name}, `, formula(r.markup)], r.law ? `${typeset(r.number)} ${typeset(r.range)}` : "–", ...(drawn ? [r.law ? whisker(r.law, r.expected, scale) : ""] : []), typeset(r.limit) || "–", r.expected === null ? "" : fixed(r.expected, 2), r.r2, reading(r)]))];
}

const placeOf = ({ low, high }) => (v) => 14 + ((v - low) / (high - low)) * 164;

/** axis is the scale of the dots with its marks. */
function axis(scale) {
  const at = placeOf(scale);
  return s("svg", { class: "whisker", viewBox: "0 0 192 20", "aria-hidden": "true" }, ...scale.marks.flatMap((m) => [s("line", { class: "zero", x1: at(m.at), x2: at(m.at), y1: 15, y2: 20 }), s("text", { x: at(m.at), y: 11, "text-anchor": "middle" }, m.text)]));
}

/** whisker draws an exponent with its interval; the number stands beside it. */
function whisker(x, want, scale) {
  const at = placeOf(scale);
  const line = (attributes) => s("line", attributes);
  return s("svg", { class: "whisker", viewBox: "0 0 192 20", "aria-hidden": "true" }, ...scale.marks.map((m) => line({ class: m.at === 0 ? "zero" : "mark", x1: at(m.at), x2: at(m.at), y1: 0, y2: 20 })),
    ...(want === null ? [] : [line({ class: "want", x1: at(want), x2: at(want), y1: 2, y2: 18, "stroke-width": 1.5 })]),
    ...(Number.isFinite(x.low) && Number.isFinite(x.high) ? [line({ x1: at(x.low), x2: at(x.high), y1: 10, y2: 10, "stroke-width": 1.5 })] : []), s("circle", { cx: at(x.slope), cy: 10, r: 3.2 }));
}

const steps = 24;

/** fitted is a slope's line over its depths, with the band of its interval (scaling.Slope.Band) where there is one. */
function fitted(slope) {
  const first = Math.log(slope.depths[0]), last = Math.log(slope.depths.at(-1));
  const logs = [...Array(steps + 1).keys()].map((i) => first + ((last - first) * i) / steps);
  const line = { x: logs.map(Math.exp), y: logs.map((l) => Math.exp(slope.intercept + slope.slope * l)) };
  if (!Number.isFinite(slope.low) || !Number.isFinite(slope.high)) return { line };
  const half = (slope.high - slope.low) / 2;
  const reach = logs.map((l) => { const t = l - (slope.center ?? 0); return Math.sqrt(Math.max(0, (slope.margin ?? 0) ** 2 + 2 * (slope.lean ?? 0) * t + (half * t) ** 2)); });
  return { line, band: { x: line.x, low: line.y.map((y, i) => y * Math.exp(-reach[i])), high: line.y.map((y, i) => y * Math.exp(reach[i])) } };
}

/** overlap says whether bands, over the same places, would be shaded over each other. */
const overlap = (bands) => bands.some((b, i) => bands.slice(i + 1).some((c) => b.low.some((low, k) => low < c.high[k] && c.low[k] < b.high[k])));

/** inWords is what the row of a quantity says of it in words, behind its symbol. */
const inWords = (row) => (row?.law ? [formula(row.markup), " ", prose(row.said)] : row ? [formula(row.markup), row.missing ? [": no exponent, ", prose(row.missing)] : ""] : "");

/** overDepth draws kinds {key, text, label, slope, points: [{run, depth, seed, value}]} against depth, null where there is nothing to draw. */
function overDepth(g, given, { label, yLabel, caption, yLog = true, columns = [{ text: "Run", class: "text" }, { text: "L" }, { text: "Seed" }], cells = (p) => [p.run, String(p.depth), String(p.seed)] }) {
  const shows = (v) => Number.isFinite(v) && (!yLog || v > 0);
  const kinds = given.filter((k) => k.points.some((p) => shows(p.value)));
  if (!kinds.length) return null;
  const depths = g.depths, drawn = kinds.flatMap((k) => k.points.map((p) => p.value).filter(shows));
  const low = drawn.reduce((a, b) => Math.min(a, b)), high = drawn.reduce((a, b) => Math.max(a, b)), room = (high - low || Math.abs(high) || 1) * 0.06;
  const range = yLog ? [low / 1.3, high * 1.3] : [low - room, high + room];
  const fits = kinds.map((k) => k.slope && fitted(k.slope));
  const outlined = overlap(fits.map((f) => f?.band).filter(Boolean));
  const picture = chart({
    label, xLabel: "depth L, logarithmic", yLabel, yLog, depths, yRange: () => range, height: 320,
    xRange: () => [depths[0] / 1.25, depths.at(-1) * 1.25],
    legend: kinds.length > 1 || kinds[0].slope ? { title: "", stacked: true, entries: kinds.map((k, i) => ({ key: k.key, text: k.text, colour: (a) => colour(i, a), dash: dash(i) })) } : undefined,
    caption: !fits.some(Boolean) ? caption : `${caption} Lines are the fits${!fits.some((f) => f?.band) ? "" : outlined ? ", thin ones the ends of their 95 % intervals" : ", shaded their 95 % intervals"}.`, read: (x, y) => `L = ${Math.round(x)}: ${number(y, 4)}`,
    rows: () => ({ caption: label, columns: [...columns, ...kinds.map((k) => ({ text: k.label }))], rows: kinds[0].points.map((p, i) => [...cells(p), ...kinds.map((k) => number(k.points[i].value, 4))]) }),
  });
  const lines = [], bands = [];
  kinds.forEach((k, i) => {
    const look = { key: k.key, colour: (a) => colour(i, a) };
    if (k.slope) {
      const { line, band } = fits[i];
      lines.push({ ...line, ...look, label: `${k.label}, fit with b = ${typeset(k.slope.text)}`, width: 1.5, dash: dash(i) });
      if (band) bands.push({ ...band, ...look });
    }
    for (const seed of [...new Set(k.points.map((p) => p.seed))]) {
      const mine = k.points.filter((p) => p.seed === seed && shows(p.value)).sort((a, b) => a.depth - b.depth);
      if (mine.length) lines.push({ ...look, x: mine.map((p) => p.depth), y: mine.map((p) => p.value), label: `${k.label}, seed ${seed}`, lines: false, points: true });
    }
  });
  picture.set(lines, bands.map((b) => ({ ...b, outlined })));
  return picture;
}

function variations(g, rows, points) {
  const powers = Object.keys(points[0]?.p_variation ?? {}).sort((a, b) => a - b);
  return overDepth(g, powers.map((p) => ({ key: p, text: inWords(rows.find((r) => r.key === `v_${p}`)) || formula(`$V_{${p}}$`), label: `V${subscript(p)}`, slope: g.variation_slopes?.[p], points: points.map((x) => ({ ...x, value: x.p_variation[p] })) })),
    { label: "p-variation of the rescaled weight path against depth", yLabel: "p-variation", caption: "The p-variation Vₚ of the path Lᵝ Aₖ is the sum, without a root. A point for each run. A V₂ that neither grows nor falls means finite 2-variation." });
}

const subscript = (p) => [...String(p)].map((c) => (c === "." ? "." : "₀₁₂₃₄₅₆₇₈₉"[Number(c)])).join("");

function lengths(g, rows, points) {
  const kinds = rows.filter(({ key }) => (key === "max_frobenius" || key === "displacement") && points.some((p) => p[key] > 0));
  return overDepth(g, kinds.map((r) => ({ key: r.key, text: inWords(r), label: r.symbol, slope: g.exponents?.[r.key], points: points.map((x) => ({ ...x, value: x[r.key] })) })),
    { label: "Norms of the trained weights against depth", yLabel: "largest norm of a layer", caption: g.residual === "fixed" ? `The norm is Frobenius'. A point for each run. With a scaling limit both fall like L⁻ᵝ, β = ${fixed(1 - g.alpha, 2)}.` : "The norm is Frobenius'. A point for each run." });
}

/** distances draws how far the paths of consecutive depths are apart. */
function distances(g) {
  const all = g.limit?.distances ?? [];
  const of = (key, name, slope) => ({ key, label: name, slope, text: slope ? [`${name}: as L`, h("sup", null, "b"), ` with b = ${typeset(slope.text)}`] : name, points: all.map((d) => ({ depth: d.depth, next: d.next, seed: d.seed, value: d[key] })) });
  return [overDepth(g, [of("integral", "sup‖∫(Ā − Ā′)‖", g.limit?.integral), of("displacement", "L² distance of displacements", g.limit?.displacement)], {
    label: "Distance between the paths of consecutive depths, against the smaller one", yLabel: "distance", caption: "A point for each seed and pair of neighbouring depths. Paths that have a limit come nearer to each other.",
    columns: [{ text: "Depths", class: "text" }, { text: "Seed" }], cells: (p) => [`${p.depth} → ${p.next}`, String(p.seed)] })];
}

/** results draws how training ends: loss, and accuracy where there is one. */
function results(g, points) {
  const of = (key, label) => ({ key, label, text: label, points: points.map((p) => ({ ...p, value: p[key] })) });
  return [overDepth(g, [of("loss", "loss J at the end")], { label: "Loss at the end of training against depth", yLabel: "loss J", caption: "A point for each run. Runs may have ended at different iterations: their table is below." }),
    overDepth(g, [of("accuracy", "accuracy"), of("test_accuracy", "test accuracy")], { label: "Accuracy at the end of training against depth", yLabel: "accuracy", yLog: false, caption: "Share of samples in their class. A point for each run." })];
}

function rates(name, points) {
  return [h("h3", null, "Linear convergence"), table("Fit J(t) ≈ C ρᵗ of each run", [{ text: "Run", class: "text name" }, { text: "L" }, { text: "Seed" }, { text: "Iterations" }, { text: "Loss" }, { text: "ρ ± s.e." }, { text: "R²" }, { text: "Why there is none", class: "text wrap" }, { text: "Ended", class: "text" }],
    points.slice(0, 300).map((p) => [h("a", { href: `#/study/${enc(name)}/run/${enc(p.run)}` }, p.run), String(p.depth), String(p.seed), String(p.iterations), number(p.loss), p.rate_text || "–", p.r2_text || "–", p.rate_reason ?? "", p.stop]))];
}
