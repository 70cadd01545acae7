// The list of studies.
import { h, field, trouble, table } from "./dom.js";
import { get, listen, enc } from "./api.js";
import { duration, number, when, count } from "./format.js";
import { bar, finished, words } from "./progress.js";

const columns = [
  { key: "name", text: "Study", class: "text name" },
  { key: "data", text: "Data", class: "text" },
  { key: "depths", text: "Depths L" },
  { key: "runs", text: "Runs" },
  { key: "ended", text: "Ended" },
  { key: "left", text: "Time left" },
  { key: "best", text: "Least loss J" },
  { key: "updated", text: "Last change" },
];
const keys = {
  name: (s) => s.name.toLowerCase(), data: (s) => s.data.join(), depths: (s) => s.depths.at(-1) ?? 0, runs: (s) => s.progress?.total ?? -1,
  ended: (s) => (s.progress?.total ? finished(s.progress) / s.progress.total : -1), left: (s) => s.progress?.eta ?? -1,
  best: (s) => s.progress?.best ?? Infinity, updated: (s) => s.updated ?? "",
};
const pageSize = 200;

export async function studies() {
  let answer = await get("/api/studies");
  let sort = "updated", down = true, words_ = "", page = 1;
  const body = h("tbody", null), said = h("p", { class: "quiet", role: "status" }), pager = h("div", { class: "pager" });
  const heads = columns.map((c) => {
    const arrow = h("span", { class: "arrow", "aria-hidden": "true" });
    const th = h("th", { scope: "col", class: c.class }, h("button", { type: "button", onclick: () => { down = sort === c.key ? !down : c.key === "updated"; sort = c.key; draw(); } }, c.text, arrow));
    return { c, th, arrow };
  });
  const search = h("input", { type: "search", placeholder: "name or data", oninput: (e) => { words_ = e.target.value.toLowerCase(); page = 1; draw(); } });

  function draw() {
    const wanted = words_.split(/\s+/).filter(Boolean);
    const list = answer.studies.filter((s) => wanted.every((w) => `${s.name} ${s.data.join(" ")}`.toLowerCase().includes(w)));
    const key = keys[sort];
    list.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.name < b.name ? -1 : 1) * (down ? -1 : 1));
    for (const { c, th, arrow } of heads) {
      th.setAttribute("aria-sort", c.key === sort ? (down ? "descending" : "ascending") : "none");
      arrow.textContent = c.key === sort ? (down ? "↓" : "↑") : "";
    }
    const pages = Math.max(1, Math.ceil(list.length / pageSize));
    page = Math.min(page, pages);
    body.replaceChildren(...list.slice((page - 1) * pageSize, page * pageSize).map(row));
    said.textContent = list.length === answer.studies.length ? count(list.length, "study").replace("studys", "studies") : `${list.length} of ${answer.studies.length} studies`;
    pager.replaceChildren(...(pages > 1 ? [
      h("button", { type: "button", disabled: page === 1, onclick: () => { page--; draw(); } }, "Previous"), `Page ${page} of ${pages}`,
      h("button", { type: "button", disabled: page === pages, onclick: () => { page++; draw(); } }, "Next")] : []));
  }
  draw();
  const close = listen("", { studies: (s) => {
    if (s.error) return;
    answer = s;
    // A table that is drawn anew loses the focus of who is in it.
    const focused = body.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    draw();
    if (focused) [...body.querySelectorAll("a")].find((a) => a.getAttribute("href") === focused)?.focus();
  } });
  const nodes = [h("div", { class: "head" }, h("div", null, h("p", { class: "kind" }, `Folder ${answer.folder}`), h("h1", null, "Studies")))];
  nodes.push(h("div", { class: "tools" }, field("Filter", search, "grow"), said),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Studies" },
      h("table", null, h("caption", { class: "unseen" }, "Studies in this folder"), h("thead", null, h("tr", null, heads.map((x) => x.th))), body)), pager);
  if (answer.studies.length === 0) nodes.push(h("p", { class: "empty" }, "There is no study in this folder yet. ", h("code", null, "deeplimit run study.yaml --out FOLDER/NAME"), " makes one, and it appears here."));
  return { title: "Studies", nodes, destroy: close };
}

function row(s) {
  const p = s.progress;
  const name = h("th", { scope: "row", class: "text name", title: s.name }, h("a", { href: `#/study/${enc(s.name)}` }, s.name));
  if (!p) return h("tr", null, name, h("td", { class: "text", colspan: "7" }, h("span", { class: "state failed" }, "cannot be read"), ": ", s.error));
  const depths = s.depths.length > 1 ? `${s.depths[0]} … ${s.depths.at(-1)}` : String(s.depths[0] ?? "–");
  const left = finished(p) === p.total ? "complete" : p.counts.running ? `≤ ${duration(p.eta)}` : h("span", { class: "quiet" }, "not running");
  return h("tr", null, name, h("td", { class: "text" }, s.data.length > 3 ? `${s.data.slice(0, 3).join(", ")} …` : s.data.join(", ")), h("td", null, depths), h("td", null, String(p.total)),
    h("td", null, h("span", { title: words(p) }, `${finished(p)}`, ["diverged", "failed"].filter((x) => p.counts[x]).map((x) => [", ", h("span", { class: `state ${x}` }, `${p.counts[x]} ${x}`)]), bar(p, "bar mini"))),
    h("td", null, left), h("td", null, number(p.best)), h("td", null, when(s.updated)));
}
