// The runs of a study as a table, or as lines of a chart: the server filters, sorts and pages, so that any number is quick.
import { plain } from "./plain.js";
import { h, field, select, segments, stateMark, trouble } from "./dom.js";
import { get, studyURL, query, enc } from "./api.js";
import { number, fixed, duration } from "./format.js";
import { remember } from "./group.js";
import { chosen } from "./chosen.js";

// What tells the groups apart stands between the name of the run and these; accuracies behind the loss.
const first = { sort: "run", text: "Run", class: "text name" };
const rest = [
  { sort: "depth", text: "L" },
  { sort: "seed", text: "Seed" },
  { sort: "state", text: "State", class: "text" },
  { sort: "iteration", text: "Iteration" },
  { sort: "loss", text: "Loss J" },
  { sort: "seconds", text: "Time" },
  { sort: "ends", text: "Ends", class: "text" },
];
const states = ["", "done", "running", "interrupted", "pending", "diverged", "failed"];

export async function runs({ name, info, route }) {
  const p = route.params;
  const ask = { q: p.get("q") ?? "", state: p.get("state") ?? "", depth: p.get("depth") ?? "", group: p.get("group") ?? "", sort: p.get("sort") ?? "depth", order: p.get("order") ?? "asc", page: p.get("page") ?? "1", size: p.get("size") ?? "100" };
  const body = h("tbody", null), said = h("p", { class: "quiet", role: "status" }), pager = h("div", { class: "pager" }), wrong = h("div", null);
  let asking = null, again = 0, drawn = null, lines = p.get("show") === "lines";

  async function load() {
    asking?.abort();
    asking = new AbortController();
    try {
      if (drawn) await drawn.load({ ...ask });
      else draw(await get(studyURL(name, `/runs${query(ask)}`), asking.signal));
      wrong.replaceChildren();
    } catch (error) {
      if (error.name !== "AbortError") wrong.replaceChildren(trouble("Not filtered", error.message));
    }
  }
  const change = (values) => { Object.assign(ask, { page: "1" }, values); remember({ ...ask, page: ask.page === "1" ? "" : ask.page, size: ask.size === "100" ? "" : ask.size, sort: ask.sort === "depth" ? "" : ask.sort, order: ask.order === "asc" ? "" : ask.order }); return load(); };

  const headed = h("tr", null);
  let heads = [], varying = null, scores = [];
  /** head makes the header anew where the study varies something else than before, or has an accuracy it had not. */
  function head(columns, accuracies) {
    if (JSON.stringify([columns, accuracies]) === JSON.stringify([varying, scores])) return;
    [varying, scores] = [columns, accuracies];
    const behind = rest.findIndex((c) => c.sort === "loss") + 1;
    heads = [first, ...columns.map((c) => ({ sort: c.name, text: c.title, title: c.name, class: "text" })), ...rest.slice(0, behind), ...scores.map((c) => ({ sort: c.name, text: c.title, title: c.name, down: true })), ...rest.slice(behind)].map((c) => {
      const arrow = h("span", { class: "arrow", "aria-hidden": "true" });
      const th = h("th", { scope: "col", class: c.class }, h("button", { type: "button", title: c.title, onclick: () => change({ sort: c.sort, order: (ask.sort === c.sort ? ask.order === "asc" : c.down) ? "desc" : "asc" }) }, c.text, arrow));
      return { c, th, arrow };
    });
    headed.replaceChildren(...heads.map((x) => x.th));
  }
  const say = (text) => { if (said.textContent !== text) said.textContent = text; };
  let rows = new Map();
  function draw(answer) {
    head(answer.columns, answer.scores);
    for (const { c, th, arrow } of heads) {
      th.setAttribute("aria-sort", c.sort === ask.sort ? (ask.order === "desc" ? "descending" : "ascending") : "none");
      arrow.textContent = c.sort === ask.sort ? (ask.order === "desc" ? "↓" : "↑") : "";
    }
    const focused = body.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    rows = new Map(answer.runs.map((r) => [r.id, row(name, r, varying, scores)]));
    body.replaceChildren(...[...rows.values()].map((r) => r.node));
    if (focused) [...body.querySelectorAll("a")].find((a) => a.getAttribute("href") === focused)?.focus();
    const from = (answer.page - 1) * answer.size;
    const text = answer.matching === 0 ? "No run matches" : `${from + 1}–${from + answer.runs.length} of ${answer.matching.toLocaleString("en")}${answer.matching < answer.total ? ` that match, ${answer.total.toLocaleString("en")} in all` : " runs"}`;
    say(text);
    const pages = Math.max(1, Math.ceil(answer.matching / answer.size));
    const go = (n) => change({ page: String(n) });
    pager.replaceChildren(h("button", { type: "button", disabled: answer.page <= 1, onclick: () => go(answer.page - 1) }, "Previous"), h("span", null, `Page ${answer.page} of ${pages}`),
      h("button", { type: "button", disabled: answer.page >= pages, onclick: () => go(answer.page + 1) }, "Next"), h("span", { class: "space" }),
      h("label", null, "Rows ", select([["50", "50"], ["100", "100"], ["500", "500"]], ask.size, (v) => change({ size: v }))));
  }
  let typing = 0;
  const depths = [...new Set(info.groups.flatMap((g) => g.depths))].sort((a, b) => a - b);
  const tools = h("div", { class: "tools", role: "search", "aria-label": "Runs" },
    field("Filter", h("input", { type: "search", value: ask.q, placeholder: "depth>=64 train.step.value=0.1, or words", oninput: (e) => { clearTimeout(typing); typing = setTimeout(() => change({ q: e.target.value }), 150); } }), "grow"),
    field("State", select(states.map((s) => [s, s || "any"]), ask.state, (v) => change({ state: v }))),
    field("Depth", select([["", "any"], ...depths.map((d) => [d, String(d)])], ask.depth, (v) => change({ depth: v }))),
    info.groups.length > 1 && field("Group", select([["", "any"], ...info.groups.map((g) => [g.group, g.label])], ask.group, (v) => change({ group: v }))),
    segments("Show", "show", [["table", "Table"], ["lines", "Lines"]], lines ? "lines" : "table", (v) => { lines = v === "lines"; remember({ show: lines ? v : "" }); turn(); }), said);
  const list = [h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Runs of the study" },
      h("table", null, h("caption", { class: "unseen" }, `Runs of ${name}`), h("thead", null, headed), body)), pager];
  const place = h("div", null);
  /** turn shows the runs that the filter chooses as a table, or as lines of one chart. */
  function turn() {
    drawn?.destroy();
    drawn = lines ? chosen({ name, params: new URLSearchParams(location.hash.split("?")[1] ?? ""), say }) : null;
    place.replaceChildren(...(lines ? [drawn.node] : list));
    return load();
  }
  await turn();
  return {
    nodes: [tools, wrong, place],
    progress(p, changed) {
      if (drawn) return drawn.progress(changed);
      for (const r of p.running) rows.get(r.id)?.set(r);
      const first = p.running.some((r) => Object.keys(r.accuracies ?? {}).some((name) => !scores.some((c) => c.name === name)));
      if (changed || first) { clearTimeout(again); again = setTimeout(load, 200); }
    },
    destroy() { drawn?.destroy(); asking?.abort(); clearTimeout(typing); clearTimeout(again); },
  };
}

function row(name, r, varying, scores) {
  const iteration = h("td", null), loss = h("td", null), accuracies = scores.map(() => h("td", null)), ends = h("td", { class: "text name" });
  const set = (x) => {
    iteration.textContent = r.state === "pending" ? "–" : x.iteration.toLocaleString("en");
    loss.textContent = number(x.loss);
    scores.forEach((c, i) => { accuracies[i].textContent = fixed(x.accuracies?.[c.name], 3); });
    ends.textContent = r.state === "running" && x.eta !== null ? `in at most ${duration(x.eta)}` : plain(r.reason || r.stop || "");
    ends.title = ends.textContent;
  };
  set(r);
  return { set, node: h("tr", null, h("th", { scope: "row", class: "text name", title: r.id }, h("a", { href: `#/study/${enc(name)}/run/${enc(r.id)}` }, r.id)),
    varying.map((c) => h("td", { class: "text" }, (c.name === "data" ? r.data : r.settings?.[c.name]) ?? "–")), h("td", null, String(r.depth)), h("td", null, String(r.seed)), h("td", { class: "text" }, stateMark(r.state)), iteration, loss, accuracies, h("td", null, r.seconds ? duration(r.seconds) : "–"), ends) };
}
