// Several studies, groups or depths in one chart: mean over seeds and the range.
import { h, field, select, trouble, table } from "./dom.js";
import { get, listen, studyURL, query } from "./api.js";
import { number } from "./format.js";
import { chart } from "./chart.js";
import { colour, dash } from "./colour.js";

const most = 8;

/** An entry of the address is study~group~depth, each encoded; depth is empty for all. */
const write = (e) => [e.study, e.group, e.depth].map((x) => encodeURIComponent(x).replaceAll("~", "%7E")).join("~");
const read = (text) => { const [study, group = "", depth = ""] = text.split("~").map((x) => { try { return decodeURIComponent(x); } catch { return x; } }); return { study, group, depth }; };

export async function compare({ params }) {
  const { studies } = await get("/api/studies");
  const infos = new Map();
  const infoOf = async (study) => { if (!infos.has(study)) infos.set(study, await get(studyURL(study))); return infos.get(study); };
  let chosen = params.getAll("c").map(read).slice(0, most), picture = null, over = false, turn = 0, seeds = params.get("seeds") === "1";
  const pick = { study: params.get("s") && studies.some((x) => x.name === params.get("s")) ? params.get("s") : chosen.at(-1)?.study ?? studies[0]?.name, group: "", depth: "" };
  const adder = h("div", { class: "tools" }), chips = h("ul", { class: "chips", "aria-label": "Compared" }), place = h("div", null), wrong = h("div", { role: "status" });

  function keep() {
    const q = new URLSearchParams();
    if (params.get("s")) q.set("s", params.get("s"));
    chosen.forEach((c) => q.append("c", write(c)));
    if (seeds) q.set("seeds", "1");
    history.replaceState(null, "", `#/compare${q.size ? `?${q}` : ""}`);
  }
  async function drawAdder() {
    if (!studies.length) return;
    const focus = document.activeElement?.id;
    const info = await infoOf(pick.study).catch((error) => ({ groups: [], error }));
    const group = info.groups.find((g) => g.group === pick.group) ?? info.groups[0];
    pick.group = group?.group ?? "";
    adder.replaceChildren(
      field("Study", select(studies.map((x) => [x.name, x.name]), pick.study, (v) => { Object.assign(pick, { study: v, group: "", depth: "" }); drawAdder(); }, { id: "cstudy" })),
      ...(info.groups.length > 1 ? [field("Group", select(info.groups.map((g) => [g.group, g.label]), pick.group, (v) => { Object.assign(pick, { group: v, depth: "" }); drawAdder(); }, { id: "cgroup" }))] : []),
      field("Depth", select([["", "each of them"], ...(group?.depths ?? []).map((d) => [d, String(d)])], pick.depth, (v) => { pick.depth = v; }, { id: "cdepth" })),
      h("button", { type: "button", id: "cadd", disabled: !group || chosen.length >= most, onclick: () => { chosen.push({ ...pick }); keep(); load(); drawAdder(); } }, "Add"),
      h("label", { class: "check" }, h("input", { type: "checkbox", checked: seeds, onchange: (e) => { seeds = e.target.checked; keep(); load(); } }), "Draw each seed"));
    if (focus) document.getElementById(focus)?.focus();
  }
  async function load() {
    const mine = ++turn;
    const found = await Promise.all(chosen.map(async (c) => {
      try {
        const info = await infoOf(c.study);
        const label = info.groups.find((g) => g.group === c.group)?.label ?? c.group;
        const q = { group: c.group, depth: c.depth };
        const bands = (await get(studyURL(c.study, `/bands${query(q)}`))).bands;
        const curves = seeds ? (await get(studyURL(c.study, `/losses${query({ group: c.group })}`))).curves.filter((x) => !c.depth || String(x.depth) === String(c.depth)) : [];
        return { c, bands, curves, label: `${c.study}: ${label}` };
      } catch (error) { return { c, bands: [], curves: [], label: c.study, error }; }
    }));
    if (over || mine !== turn) return;
    wrong.replaceChildren(...found.filter((f) => f.error).map((f) => trouble(`${f.c.study} is not shown`, f.error.message)));
    chips.replaceChildren(...found.map((f, i) => h("li", null, `${f.label}${f.c.depth ? `, L = ${f.c.depth}` : ""}`, h("button", { type: "button", "aria-label": `Remove ${f.label}`, onclick: () => { chosen.splice(i, 1); keep(); load(); drawAdder(); } }, "Remove"))));
    const lines = found.flatMap((f, i) => f.bands.map((b) => ({ ...b, i, f, name: `${f.label}, L = ${b.depth}`, drawn: f.curves.filter((x) => x.depth === b.depth) })));
    picture?.destroy();
    picture = null;
    if (!lines.length) return place.replaceChildren(h("p", { class: "empty" }, chosen.length ? "Nothing to draw yet." : "Choose a study, a group and a depth, and add it. Up to eight can be compared; the address of this page keeps the choice."));
    // One colour for each line while colours last, then one for each choice.
    const own = lines.length <= 6;
    lines.forEach((l, n) => { l.tone = own ? n : l.i; l.line = own ? dash(n) : dash(lines.filter((o) => o.i === l.i).indexOf(l)); });
    picture = chart({
      label: `Loss against iteration of ${lines.map((l) => l.name).join("; ")}; the values are in the table below`, xLabel: "iteration t", yLabel: "loss J(t)", yLog: true,
      legend: { title: "", entries: lines.map((l, n) => ({ key: n, text: l.name, colour: (a) => colour(l.tone, a), dash: l.line })) },
      caption: "Geometric mean over the seeds of a depth, at the iterations that all of them have reached; the band reaches from the least to the largest.",
      read: (x, y) => `iteration ${x}, J = ${number(y, 4)}`,
      rows: () => ({ caption: "Mean loss at ten places", columns: [{ text: "Line", class: "text" }, ...[...Array(11).keys()].map((k) => ({ text: `${k * 10} %` }))], rows: lines.map((l) => [l.name, ...[...Array(11).keys()].map((k) => { const j = Math.round((k / 10) * (l.x.length - 1)); return l.x.length ? `${number(l.mean[j])} (t = ${l.x[j]})` : "–"; })]) }),
    });
    place.replaceChildren(picture.node, table("The last iteration that all seeds have reached", [{ text: "Line", class: "text" }, { text: "Seeds" }, { text: "Left out" }, { text: "Iteration" }, { text: "Mean J" }, { text: "Least" }, { text: "Largest" }],
      lines.map((l) => [l.name, String(l.seeds), l.left ? String(l.left) : "", l.x.length ? String(l.x.at(-1)) : "–", number(l.mean.at(-1)), number(l.low.at(-1)), number(l.high.at(-1))])));
    picture.set([...lines.map((l, n) => ({ x: l.x, y: l.mean, label: `${l.name}, mean of ${l.seeds}`, key: n, colour: (a) => colour(l.tone, a), width: 2.25, dash: l.line })),
      ...lines.flatMap((l, n) => l.drawn.map((x) => ({ x: x.x, y: x.y, label: `${l.name}, seed ${x.seed}`, key: n, colour: (a) => colour(l.tone, 0.55 * a), width: 1 })))],
    lines.map((l, n) => ({ x: l.x, low: l.low, high: l.high, key: n, colour: (a) => colour(l.tone, a) })));
  }
  await drawAdder();
  await load();
  let before = "", timer = 0;
  const close = listen("", { studies: (answer) => {
    if (answer.error) return;
    const now = JSON.stringify(answer.studies.filter((x) => chosen.some((c) => c.study === x.name)).map((x) => x.progress?.changed));
    if (before && now !== before) { clearTimeout(timer); timer = setTimeout(load, 500); }
    before = now;
  } });
  return { title: "Compare", nodes: [h("div", { class: "head" }, h("h1", null, "Compare")), adder, chips, wrong, place], destroy() { over = true; turn++; clearTimeout(timer); close(); picture?.destroy(); } };
}
